"""An export as a Word file: label in the text and in every page's footer, metadata string as the
custom document property ``AIGC``."""

import io
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from rag.export import label
from rag.export.content import Block, Exported, Kind, blocks

if TYPE_CHECKING:
    from docx.document import Document

_STYLES: Final = {
    Kind.TITLE: "Title",
    Kind.LABEL: "Intense Quote",
    Kind.HEADING: "Heading 1",
    Kind.SUBHEADING: "Heading 2",
    Kind.WARNING: "Intense Quote",
    Kind.QUOTE: "Quote",
}
_EAST_ASIAN_FONT = "Microsoft YaHei"  # Word substitutes another where it is missing
_PROPERTIES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"'
    ' xmlns:vt="http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes">'
    '<property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="2" name="{name}">'
    "<vt:lpwstr>{value}</vt:lpwstr></property></Properties>"
)
_PART = "/docProps/custom.xml"
_CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/custom-properties"


def write(exported: Exported) -> bytes:
    """The whole file."""
    import docx

    document = docx.Document()
    _set_fonts(document)
    for block in blocks(exported):
        _add(document, block)
    document.add_paragraph(exported.texts.label, style="Intense Quote")
    document.sections[0].footer.paragraphs[0].text = exported.texts.label
    core = document.core_properties
    core.title, core.author = exported.heading[:255], exported.provenance.producer[:255]
    core.comments = exported.texts.label
    _add_property(document, label.PROPERTY, label.metadata(exported.provenance))
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _add(document: "Document", block: Block) -> None:
    paragraph = document.add_paragraph(style=_STYLES.get(block.kind))
    start, end = block.strong or (0, 0)
    for text, is_strong in (
        (block.text[:start], False),
        (block.text[start:end], True),
        (block.text[end:], False),
    ):
        if text:
            paragraph.add_run(text).bold = is_strong or None


def _set_fonts(document: "Document") -> None:
    """Chinese characters in one font; python-docx sets only the Latin one."""
    from docx.oxml.ns import qn

    for name in ("Normal", *dict.fromkeys(_STYLES.values())):
        properties = document.styles[name].element.get_or_add_rPr()
        fonts = properties.get_or_add_rFonts()
        fonts.set(qn("w:eastAsia"), _EAST_ASIAN_FONT)
        fonts.attrib.pop(qn("w:eastAsiaTheme"), None)


def _add_property(document: "Document", name: str, value: str) -> None:
    """A custom property, which python-docx has no word for."""
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part

    content = _PROPERTIES.format(name=escape(name), value=escape(value)).encode()
    package = document.part.package
    package.relate_to(Part(PackURI(_PART), _CONTENT_TYPE, content, package), _RELATION)
