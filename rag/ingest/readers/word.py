"""Word documents (.docx) through python-docx: paragraphs and tables in document order.

Read is what the document shows: insertions yes, deletions and hidden text no; text boxes stand
behind their paragraph. Headings are known by outline level or style (Heading 2, 标题 2), else by
their numbering. Not read: footnotes, headers and footers, numbers that Word computes itself
("1." of an automatic list).
"""

import re
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from rag.ingest.readers.builder import TextBuilder
from rag.ingest.readers.lines import kind_of_line
from rag.ingest.readers.metadata import iso_date, real_title, title_of
from rag.ingest.readers.package import broken_package, check_package, open_package
from rag.ingest.readers.scripts import subscript, superscript
from rag.ingest.readers.tables import Row, make_table, one_line, row_block
from rag.types import BlockKind, SourceText

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SKIPPED = {f"{_W}del", f"{_W}moveFrom", f"{_W}rPr", f"{_W}pPr", _FALLBACK}
_BREAKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_HEADING_STYLE = re.compile(r"^(?:heading|标题|標題)\s*([1-9])", re.IGNORECASE)
_TITLE_STYLE = re.compile(r"^(?:title|标题|標題|文档标题|题目)$", re.IGNORECASE)
_CONTENTS_STYLE = re.compile(r"^(?:toc|目录|目錄)\s*\d", re.IGNORECASE)
_LIST_STYLE = re.compile(r"^(?:list|列表|项目符号|编号)", re.IGNORECASE)
_LARGEST_LEVEL = 9
# The date inside python-docx's own template, which every file made with it carries.
_TEMPLATE_DATE = datetime(2013, 12, 23).date()


def read_word(data: bytes, path: Path) -> SourceText:
    """Read a .docx file.

    Raises:
        DocumentError: damaged, half-written, a zip bomb, or no Word document.
    """
    import docx
    from docx.opc.exceptions import OpcError

    with open_package(data, path) as archive:
        check_package(archive, path)
    try:
        document = docx.Document(BytesIO(data))
        styles = _Styles(document)
        reader = _Reader(styles)
        reader.read_body(document.element.body)
        properties = document.core_properties
        title = real_title(properties.title)
        date = next(
            (
                iso_date(moment)
                for moment in (properties.modified, properties.created)
                if moment is not None and moment.date() != _TEMPLATE_DATE
            ),
            "",
        )
    except (OpcError, SyntaxError, KeyError, ValueError, AttributeError) as error:
        # SyntaxError is the builtin base of lxml's parse errors.
        raise broken_package(path) from error
    builder = reader.builder
    text = builder.text
    return SourceText(
        text=text,
        blocks=tuple(builder.blocks),
        title=title or reader.title or title_of(text, builder.blocks, path.stem),
        date=date,
        notices=("有隐藏文字，未读取",) if reader.hidden else (),
    )


class _Styles:
    """What a paragraph's style says, following the styles it is based on."""

    def __init__(self, document: Any) -> None:
        self._styles = {style.style_id: style for style in document.styles}

    def chain(self, paragraph: Any) -> Iterator[Any]:
        """The style's elements, the nearest first; a loop ends it."""
        identifier = _value(paragraph.find(f"{_W}pPr/{_W}pStyle"))
        seen: set[str] = set()
        while identifier and identifier not in seen and identifier in self._styles:
            seen.add(identifier)
            style = self._styles[identifier]
            yield style
            identifier = _value(style.element.find(f"{_W}basedOn"))


class _Reader:
    def __init__(self, styles: _Styles) -> None:
        self.builder = TextBuilder()
        self.title = ""
        self.hidden = False
        self._styles = styles

    def read_body(self, element: Any) -> None:
        """Paragraphs and tables below an element, also inside content controls."""
        for child in element:
            if child.tag == f"{_W}p":
                self._paragraph(child)
            elif child.tag == f"{_W}tbl":
                self._table(child)
            elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}moveTo"):
                self.read_body(child)

    def _paragraph(self, paragraph: Any) -> None:
        text = self._text(paragraph)
        kind, level = self._kind(paragraph, text)
        if kind is not None:
            self.builder.add(kind, text, level=level)
        for box in paragraph.iter(f"{_W}txbxContent"):
            if next(box.iterancestors(_FALLBACK), None) is None:
                self.read_body(box)

    def _kind(self, paragraph: Any, text: str) -> tuple[BlockKind | None, int]:
        """Kind and level; None for a line of the table of contents."""
        outline = _value(paragraph.find(f"{_W}pPr/{_W}outlineLvl"))
        listed = paragraph.find(f"{_W}pPr/{_W}numPr") is not None
        for style in self._styles.chain(paragraph):
            name = style.name or ""
            if _CONTENTS_STYLE.match(name):
                return None, 0
            if _TITLE_STYLE.match(name):
                self.title = self.title or " ".join(text.split())
                return BlockKind.HEADING, 1
            if heading := _HEADING_STYLE.match(name):
                return BlockKind.HEADING, int(heading[1])
            outline = outline or _value(style.element.find(f"{_W}pPr/{_W}outlineLvl"))
            listed = listed or _LIST_STYLE.match(name) is not None
        if outline and outline.isdecimal() and int(outline) < _LARGEST_LEVEL:
            return BlockKind.HEADING, int(outline) + 1
        kind, level = kind_of_line(text)
        if listed and kind is BlockKind.PARAGRAPH:
            return BlockKind.LIST_ITEM, 0
        return kind, level

    def _table(self, table: Any) -> None:
        rows, marked = self._rows(table)
        columns = max((len(row.cells) for row in rows), default=0)
        if columns == 1:
            for row in rows:
                self.builder.add(BlockKind.PARAGRAPH, row.cells[0] if row.cells else "")
            return
        if columns == 2 and not marked:
            # Two columns without a marked header are mostly a form: 姓名 | 年龄 below each other.
            for row in rows:
                self.builder.add(BlockKind.TABLE_ROW, "：".join(row.filled))
            return
        made = make_table(rows, header_rows=marked or None)
        for line in made.before:
            self.builder.add(BlockKind.PARAGRAPH, line)
        for row in made.rows:
            self.builder.add(*row_block(row, made.names))

    def _rows(self, table: Any) -> tuple[list[Row], int]:
        """Rows with merged cells filled from above, and how many the file marks as header."""
        rows: list[Row] = []
        above: dict[int, str] = {}
        marked = 0
        for number, element in enumerate(_children(table, "tr")):
            cells: list[str] = []
            merged: set[int] = set()
            before = _value(element.find(f"{_W}trPr/{_W}gridBefore"))
            cells.extend([""] * (int(before) if before else 0))
            for cell in _children(element, "tc"):
                column = len(cells)
                merge = cell.find(f"{_W}tcPr/{_W}vMerge")
                text = one_line("\n".join(self._text(p) for p in cell.iter(f"{_W}p")))
                if merge is not None and _value(merge) != "restart":
                    text = above.get(column, "")
                above[column] = text
                cells.append(text)
                span = _value(cell.find(f"{_W}tcPr/{_W}gridSpan"))
                for _ in range(1, int(span) if span else 1):
                    merged.add(len(cells))
                    cells.append("")
            if element.find(f"{_W}trPr/{_W}tblHeader") is not None and marked == number:
                marked += 1
            rows.append(Row(tuple(cells), frozenset(merged)))
        return rows, marked if marked < len(rows) else 0

    def _text(self, element: Any) -> str:
        """The visible text of a paragraph, raised and lowered digits as such."""
        parts: list[str] = []
        for child in element:
            if child.tag in _SKIPPED or child.tag == f"{_W}txbxContent":
                continue
            if child.tag == f"{_W}r":
                parts.append(self._run(child))
            elif child.tag == f"{_MATH}t":
                parts.append(child.text or "")
            else:
                parts.append(self._text(child))
        return "".join(parts)

    def _run(self, run: Any) -> str:
        if _is_on(run.find(f"{_W}rPr/{_W}vanish")):
            self.hidden = self.hidden or any(t.text for t in run.iter(f"{_W}t"))
            return ""
        parts = []
        for child in run:
            if child.tag == f"{_W}t":
                parts.append(child.text or "")
            elif child.tag in _BREAKS:
                page = child.get(f"{_W}type") in ("page", "column")
                parts.append("" if page else _BREAKS[child.tag])
        text = "".join(parts)
        position = _value(run.find(f"{_W}rPr/{_W}vertAlign"))
        if position == "superscript":
            return superscript(text)
        return subscript(text) if position == "subscript" else text


def _children(element: Any, name: str) -> Iterator[Any]:
    """Rows or cells, also those inside content controls and tracked insertions."""
    for child in element:
        if child.tag == f"{_W}{name}":
            yield child
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins"):
            yield from _children(child, name)


def _value(element: Any) -> str:
    return "" if element is None else element.get(f"{_W}val") or ""


def _is_on(element: Any) -> bool:
    return element is not None and _value(element) not in ("0", "false", "off")
