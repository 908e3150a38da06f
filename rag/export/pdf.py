"""An export as PDF (fpdf2) with the used characters of a Chinese font embedded.

Lines are broken here, not by the library: between Chinese characters and at spaces, never inside
a number or a Latin word, never before closing punctuation or a mark. A character that the font
does not have is written by its number, not dropped.
"""

import logging
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from rag.export import label
from rag.export.characters import number_unless
from rag.export.content import Block, Exported, Kind, blocks
from rag.export.fonts import Font, check_font
from rag.export.texts import ExportTexts

if TYPE_CHECKING:
    from fpdf import FPDF

_FAMILY = "text"
_MARGIN = 20.0  # millimetres, as all lengths here; sizes of type are points
_LINE = 0.55  # height of a line in millimetres for each point of its type
# Size, indent, space before, colour.
_LOOKS: Final[dict[Kind, tuple[float, float, float, tuple[int, int, int]]]] = {
    Kind.TITLE: (18, 0, 0, (20, 20, 20)),
    Kind.LABEL: (10.5, 0, 2, (150, 60, 0)),
    Kind.FACT: (9, 0, 0.5, (90, 90, 90)),
    Kind.HEADING: (13, 0, 7, (20, 70, 120)),
    Kind.SUBHEADING: (11.5, 0, 4, (20, 70, 120)),
    Kind.TEXT: (11, 0, 1.5, (20, 20, 20)),
    Kind.WARNING: (10, 0, 1.5, (170, 30, 30)),
    Kind.SOURCE: (10.5, 0, 3, (20, 20, 20)),
    Kind.QUOTE: (10.5, 6, 1, (50, 50, 50)),
    Kind.DETAIL: (9, 6, 1, (90, 90, 90)),
}
_HIGHLIGHT = (255, 240, 170)
_OPENING = "（《〈“‘【〔「『［｛"
_CLOSING = "，。、；：！？）》〉”’】〕」』］｝…—％℃·"
# What stays on one line: a word or number, or one character, with the punctuation it holds on to.
_UNIT = re.compile(
    rf"[{_OPENING}]*(?:(?:\[\d+\])+|[!-~\u00a1-\u024f\u0370-\u03ff]+?(?=\[\d+\])"
    rf"|[!-~\u00a1-\u024f\u0370-\u03ff]+|[^ ])(?:[{_CLOSING}]|\[\d+\])*| +"
)
# No glyph, and nothing to see without one: joiners, selectors of a glyph's variant.
_INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]")


def write(exported: Exported, font: Font) -> bytes:
    """The whole file, A4.

    Raises:
        FontMissing: the font cannot be read, or has no Chinese characters.
    """
    # The subsetter reports every step at INFO.
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    check_font(font, ExportTexts().label)
    pdf = _document(exported, font)
    known = pdf.fonts[_FAMILY].cmap.__contains__  # type: ignore[union-attr]
    pdf.add_page()
    for block in blocks(exported):
        _write_block(pdf, block, lambda one: known(ord(one)))
    return bytes(pdf.output(output_producer_class=_producer(label.metadata(exported.provenance))))


def line_spans(
    text: str, width: float, measure: Callable[[str], float]
) -> Iterator[tuple[int, int]]:
    """Where one paragraph's lines start and end; a unit wider than a line is cut."""
    start = end = 0
    used = 0.0
    for found in _UNIT.finditer(text):
        unit, size = found[0], measure(found[0])
        if unit.isspace():  # hangs over the edge
            end, used = found.end(), used + size
            continue
        if used + size > width and end > start:
            yield start, end
            start, used = end, 0.0
        while size > width and len(unit) > 1:
            fitting = max(
                1, bisect_right(range(len(unit)), width, key=lambda n: measure(unit[:n])) - 1
            )
            yield start, start + fitting
            start, unit = start + fitting, unit[fitting:]
            size = measure(unit)
        end, used = found.end(), used + size
    yield start, len(text)


def _document(exported: Exported, font: Font) -> "FPDF":
    from fpdf import FPDF

    class Labelled(FPDF):
        def footer(self) -> None:
            self.set_y(-_MARGIN + 6)
            self.set_font(_FAMILY, size=8.5)
            self.set_text_color(150, 60, 0)
            self.cell(0, 5, f"{exported.texts.label}    {self.page_no()}", align="C")

    pdf = Labelled(format="A4")
    # The library would replace "{nb}" in any text by the number of pages.
    pdf.alias_nb_pages(None)  # type: ignore[arg-type]
    pdf.set_margins(_MARGIN, _MARGIN)
    pdf.set_auto_page_break(True, _MARGIN)
    pdf.c_margin = 0
    pdf.add_font(_FAMILY, fname=font.path, collection_font_number=font.face)
    pdf.set_title(exported.heading)
    pdf.set_author(exported.provenance.producer)
    pdf.set_subject(exported.texts.label)
    pdf.set_lang("zh-CN")
    pdf.set_xmp_metadata(_xmp(label.metadata(exported.provenance)))
    return pdf


def _write_block(pdf: "FPDF", block: Block, is_known: Callable[[str], bool]) -> None:
    size, indent, before, colour = _LOOKS[block.kind]
    pdf.set_font(_FAMILY, size=size)
    pdf.set_text_color(*colour)
    pdf.set_fill_color(*_HIGHLIGHT)
    pdf.ln(before)

    def readable(text: str) -> str:
        return number_unless(_INVISIBLE.sub("", text.replace("\t", "    ")), is_known)

    start, end = block.strong or (0, 0)
    runs = [
        (readable_line, is_strong)
        for text, is_strong in (
            (block.text[:start], False),
            (block.text[start:end], True),
            (block.text[end:], False),
        )
        for readable_line in ["\n".join(map(readable, text.split("\n")))]
    ]
    text = "".join(run for run, _ in runs)
    strong = [is_strong for run, is_strong in runs for _ in run]
    position = 0
    for line in text.split("\n"):
        for first, last in line_spans(line, pdf.epw - indent, pdf.get_string_width):
            pdf.set_x(_MARGIN + indent)
            places = range(position + first, position + last)
            for is_strong, group in groupby(places, key=strong.__getitem__):
                part = "".join(text[place] for place in group)
                pdf.cell(pdf.get_string_width(part), size * _LINE, part, fill=is_strong)
            pdf.ln(size * _LINE)
        position += len(line) + 1


def _producer(properties: str) -> type[Any]:
    """The library's writer, that also gives the document information the metadata string."""
    from fpdf.output import OutputProducer, PDFInfo
    from fpdf.syntax import PDFString

    class Labelling(OutputProducer):
        def _add_info(self) -> PDFInfo:
            info: Any = super()._add_info()
            info.a_i_g_c = PDFString(properties, encrypt=True)  # written as /AIGC
            return info  # type: ignore[no-any-return]

    return Labelling


def _xmp(properties: str) -> str:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:aigc="urn:gb:45438:2025:aigc">'
        f"<aigc:{label.PROPERTY}>{escape(properties)}</aigc:{label.PROPERTY}>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
