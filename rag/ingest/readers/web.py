"""Web pages: the main text without menus and footers, through trafilatura.

Two things are done before trafilatura sees the page, because it would lose them: raised digits
become characters (10<sup>9</sup> is not 109), and tables of data become lines that carry their
column names, with spans filled in (trafilatura drops spans, and values would change columns).
"""

import logging
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from rag.errors import DocumentError
from rag.ingest.readers.builder import TextBuilder
from rag.ingest.readers.encoding import decode
from rag.ingest.readers.metadata import iso_date, real_title, title_of
from rag.ingest.readers.scripts import subscript, superscript
from rag.ingest.readers.tables import Row, make_table, one_line, row_text
from rag.types import BlockKind, SourceText

_CHARSET = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?([\w-]+)""", re.I
)
_HEAD_BYTES = 4096
_ROW_MARK = "▦row▦"
_LONGEST_CELL = 400
_MOST_SPAN = 200
_NOT_TEXT = ("script", "style", "noscript", "nav", "header", "footer", "aside", "form", "template")


def read_web_page(data: bytes, path: Path) -> SourceText:
    """Read a .html file.

    Raises:
        DocumentError: not text, no HTML, or a page without text.
    """
    import trafilatura
    from trafilatura.settings import DEFAULT_CONFIG

    for name in ("trafilatura", "htmldate"):  # what they log is said here in Chinese
        logging.getLogger(name).setLevel(logging.CRITICAL)
    declared = _CHARSET.search(data[:_HEAD_BYTES])
    decoded = decode(data, path, declared=[declared[1].decode("ascii")] if declared else [])
    tree = trafilatura.load_html(decoded.text)
    if tree is None:
        raise DocumentError(path, "不是有效的网页文件", "请在浏览器中重新保存网页")
    _raise_digits(tree)
    _write_out_tables(tree)
    config = deepcopy(DEFAULT_CONFIG)
    # The defaults are for news in Latin script; a Chinese page says as much in fewer characters.
    config.set("DEFAULT", "MIN_EXTRACTED_SIZE", "20")
    config.set("DEFAULT", "EXTENSIVE_DATE_SEARCH", "off")
    config.set("DEFAULT", "EXTRACTION_TIMEOUT", "0")
    page = trafilatura.bare_extraction(
        deepcopy(tree),
        include_comments=False,
        include_tables=True,
        with_metadata=True,
        config=config,
    )
    builder = TextBuilder()
    if page is not None and page.body is not None:
        _add_children(builder, page.body)
    notices = decoded.notices
    if not builder.blocks:
        _add_everything(builder, tree)
        notices = (*notices, "没有识别出正文区域，已读取整页文字")
    text = builder.text
    return SourceText(
        text=text,
        blocks=tuple(builder.blocks),
        title=real_title(page.title if page else "") or title_of(text, builder.blocks, path.stem),
        source=(page.sitename or "") if page else "",
        date=iso_date(page.date) if page else "",
        notices=notices,
    )


def _raise_digits(tree: Any) -> None:
    for tag, convert in (("sup", superscript), ("sub", subscript)):
        for element in tree.iter(tag):
            if len(element) == 0 and element.text:
                element.text = convert(element.text)


def _write_out_tables(tree: Any) -> None:
    """Replace tables of data by one paragraph a row; tables for layout and menus stay."""
    for table in list(tree.iter("table")):
        rows = list(_rows(table))
        if not _holds_data(table, rows):
            continue
        header = all(cell.tag == "th" for row in table.iter("tr") for cell in _cells(row))
        marked = 0 if header else _header_rows(table)
        made = make_table(rows, header_rows=marked or None)
        container = table.makeelement("div")
        for line in (*made.before, *(row_text(row, made.names) for row in made.rows)):
            paragraph = table.makeelement("p")
            paragraph.text = _ROW_MARK + line
            container.append(paragraph)
        container.tail = table.tail
        if table.getparent() is not None:
            table.getparent().replace(table, container)


def _rows(table: Any) -> Iterator[Row]:
    """Rows with spans filled: downwards by the text, to the right by nothing."""
    hanging: dict[int, tuple[int, str]] = {}
    for element in table.iter("tr"):
        cells: list[str] = []
        merged: set[int] = set()

        def fill(cells: list[str] = cells) -> None:
            while (above := hanging.get(len(cells))) is not None:
                left, text = above
                if left > 1:
                    hanging[len(cells)] = (left - 1, text)
                else:
                    del hanging[len(cells)]
                cells.append(text)

        for cell in _cells(element):
            fill()
            text = one_line(" ".join(part.strip() for part in cell.itertext() if part.strip()))
            text = re.sub(r"\s+", " ", text)
            for offset in range(_span(cell, "colspan")):
                shown = text if offset == 0 else ""
                if _span(cell, "rowspan") > 1:
                    hanging[len(cells)] = (_span(cell, "rowspan") - 1, shown)
                if offset:
                    merged.add(len(cells))
                cells.append(shown)
        fill()
        yield Row(tuple(cells), frozenset(merged))


def _cells(row: Any) -> list[Any]:
    return [child for child in row if child.tag in ("td", "th")]


def _span(cell: Any, name: str) -> int:
    value = (cell.get(name) or "").strip()
    return min(max(int(value), 1), _MOST_SPAN) if value.isdecimal() else 1


def _header_rows(table: Any) -> int:
    """Rows at the top made of <th> only, or inside <thead>."""
    count = 0
    for row in table.iter("tr"):
        cells = _cells(row)
        if not cells or not (
            row.getparent().tag == "thead" or all(cell.tag == "th" for cell in cells)
        ):
            break
        count += 1
    return count


def _holds_data(table: Any, rows: list[Row]) -> bool:
    if len(rows) < 2 or max(len(row.filled) for row in rows) < 2 or _has_inner_table(table):
        return False
    text = sum(len(cell) for row in rows for cell in row.cells)
    links = sum(len("".join(link.itertext())) for link in table.iter("a"))
    longest = max(len(cell) for row in rows for cell in row.cells)
    return text > 0 and links < text / 2 and longest <= _LONGEST_CELL


def _has_inner_table(table: Any) -> bool:
    return next(table.iterdescendants("table"), None) is not None


def _add_children(builder: TextBuilder, element: Any) -> None:
    """Blocks of trafilatura's own XML: head, p, list/item, table/row/cell, quote, code."""
    for child in element:
        if child.tag == "head":
            level = (child.get("rend") or "h2").removeprefix("h")
            number = int(level) if level.isdecimal() else 2
            builder.add(BlockKind.HEADING, _flat(child), level=number)
        elif child.tag == "item":
            _add_item(builder, child)
        elif child.tag == "row":
            cells = tuple(one_line(_flat(cell)) for cell in child.iter("cell"))
            builder.add(BlockKind.TABLE_ROW, row_text(Row(cells), ()))
        elif child.tag in ("list", "table", "quote", "div") and len(child):
            _add_paragraph_lines(builder, [child.text or ""], BlockKind.PARAGRAPH)
            _add_children(builder, child)
        else:
            _add_paragraph_lines(builder, _lines(child), BlockKind.PARAGRAPH)
        _add_paragraph_lines(builder, [child.tail or ""], BlockKind.PARAGRAPH)


def _add_item(builder: TextBuilder, item: Any) -> None:
    inner = [child for child in item if child.tag == "list"]
    for child in inner:
        tail, child.tail = child.tail, None
        item.remove(child)
        if tail and tail.strip():
            item.text = f"{item.text or ''} {tail.strip()}"
    _add_paragraph_lines(builder, [" ".join(_lines(item))], BlockKind.LIST_ITEM)
    for child in inner:
        _add_children(builder, child)


def _add_paragraph_lines(builder: TextBuilder, lines: list[str], kind: BlockKind) -> None:
    for line in lines:
        line = re.sub(r"[ \t\r\n]+", " ", line).strip()
        if line.startswith(_ROW_MARK):
            builder.add(BlockKind.TABLE_ROW, line.removeprefix(_ROW_MARK))
        else:
            builder.add(kind, line)


def _lines(element: Any) -> list[str]:
    """The element's text, cut where the page has a <br>."""
    lines = [element.text or ""]
    for child in element:
        if child.tag == "lb":
            lines.append("")
        else:
            inner = _lines(child)
            if child.tag == "p":
                inner = ["", *inner, ""]
            lines[-1] += inner[0]
            lines.extend(inner[1:])
        lines[-1] += child.tail or ""
    return lines


def _flat(element: Any) -> str:
    return re.sub(r"\s+", " ", " ".join(_lines(element))).strip()


def _add_everything(builder: TextBuilder, tree: Any) -> None:
    """All text of the page but scripts and menus, a block for each element that has some."""
    for tag in _NOT_TEXT:
        for element in list(tree.iter(tag)):
            if element.getparent() is not None:
                element.drop_tree()
    body = tree.find(".//body")
    for text in (tree if body is None else body).itertext():
        _add_paragraph_lines(builder, [text], BlockKind.PARAGRAPH)
