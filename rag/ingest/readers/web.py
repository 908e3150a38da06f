"""Web pages: the main text without menus and footers, through trafilatura.

Two things are done before trafilatura sees the page, because it would lose them: raised digits
become characters (10<sup>9</sup> is not 109), and tables of data become lines that carry their
column names, with spans filled in (trafilatura drops spans, and values would change columns).
"""

import logging
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

from rag.errors import DocumentError
from rag.ingest.readers.builder import TextBuilder
from rag.ingest.readers.encoding import decode
from rag.ingest.readers.metadata import iso_date, real_title, title_of
from rag.ingest.readers.scripts import subscript, superscript
from rag.ingest.readers.tables import Row, one_line, row_text
from rag.ingest.readers.web_tables import ROW_MARK, write_out_tables
from rag.types import BlockKind, SourceText

_CHARSET = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?([\w-]+)""", re.I
)
_HEAD_BYTES = 4096


_NOT_TEXT = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "nav",
        "header",
        "footer",
        "aside",
        "form",
        "select",
        "button",
        "svg",
        "a",
        "head",
    ]
)
_HEADING = re.compile(r"^h([1-6])$")
_INLINE = frozenset(
    [
        "a",
        "abbr",
        "b",
        "code",
        "em",
        "font",
        "i",
        "label",
        "mark",
        "q",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "u",
    ]
)
# Less than this share of the page's own words is not its main text but an accident.
_LEAST_SHARE = 0.5


def read_web_page(data: bytes, path: Path) -> SourceText:
    """Read a .html file.

    Raises:
        DocumentError: not text, no HTML, or a page without text.
    """
    try:
        import trafilatura
        from trafilatura.settings import DEFAULT_CONFIG
    except ImportError as error:  # older pip leaves out lxml_html_clean, which it needs
        raise DocumentError(
            path, f"网页读取组件没有装全（{error.msg.splitlines()[0]}）", "请重新安装依赖"
        ) from error

    for name in ("trafilatura", "htmldate"):  # what they log is said here in Chinese
        logging.getLogger(name).setLevel(logging.CRITICAL)
    declared = _CHARSET.search(data[:_HEAD_BYTES])
    decoded = decode(data, path, declared=[declared[1].decode("ascii")] if declared else [])
    tree = trafilatura.load_html(decoded.text)
    if tree is not None and tree.tag != "html":  # a fragment, as exports write it
        tree = trafilatura.load_html(f"<html><body>{decoded.text}</body></html>")
    if tree is None:
        raise DocumentError(path, "不是有效的网页文件", "请在浏览器中重新保存网页")
    _drop_comments(tree)
    _raise_digits(tree)
    write_out_tables(tree)
    config = deepcopy(DEFAULT_CONFIG)
    # The defaults are for news in Latin script; a Chinese page says as much in fewer characters.
    config.set("DEFAULT", "MIN_EXTRACTED_SIZE", "1")
    config.set("DEFAULT", "EXTENSIVE_DATE_SEARCH", "off")
    config.set("DEFAULT", "EXTRACTION_TIMEOUT", "0")
    visible = _visible(tree)
    notices = decoded.notices
    for favor_recall in (False, True):
        page = trafilatura.bare_extraction(
            deepcopy(tree),
            include_comments=False,
            include_tables=True,
            with_metadata=True,
            favor_recall=favor_recall,
            config=config,
        )
        builder = TextBuilder()
        if page is not None and page.body is not None:
            _add_children(builder, page.body)
        if len(builder.blocks) == 1 and _letters(builder) == _letters(visible):
            builder = visible  # trafilatura melts a very short page into one line
        if len(builder.text) >= _LEAST_SHARE * len(visible.text):
            break
    else:
        builder = visible
        notices = (*notices, "没有识别出正文区域，已读取整页文字，可能带有导航等内容")
    text = builder.text
    return SourceText(
        text=text,
        blocks=tuple(builder.blocks),
        title=real_title(page.title if page else "") or title_of(text, builder.blocks, path.stem),
        source=(page.sitename or "") if page else "",
        date=iso_date(page.date) if page else "",
        notices=notices,
    )


def _drop_comments(tree: Any) -> None:
    for node in list(tree.iter()):
        if not isinstance(node.tag, str) and node.getparent() is not None:
            node.drop_tree()


def _raise_digits(tree: Any) -> None:
    for tag, convert in (("sup", superscript), ("sub", subscript)):
        for element in tree.iter(tag):
            if len(element) == 0 and element.text:
                element.text = convert(element.text)


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
        if line.startswith(ROW_MARK):
            builder.add(BlockKind.TABLE_ROW, line.removeprefix(ROW_MARK))
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


def _letters(builder: TextBuilder) -> str:
    return "".join(builder.text.split())


def _visible(tree: Any) -> TextBuilder:
    """All text of the page but scripts, menus and links, a block for each element of its own."""
    builder = TextBuilder()
    line: list[str] = []

    def close(tag: str = "") -> None:
        if heading := _HEADING.match(tag):
            builder.add(BlockKind.HEADING, " ".join("".join(line).split()), level=int(heading[1]))
        else:
            kind = BlockKind.LIST_ITEM if tag == "li" else BlockKind.PARAGRAPH
            _add_paragraph_lines(builder, ["".join(line)], kind)
        line.clear()

    def visit(element: Any) -> None:
        own_line = element.tag not in _INLINE
        if own_line:
            close()
        if element.tag not in _NOT_TEXT:
            line.append(element.text or "")
            for child in element:
                visit(child)
                line.append(child.tail or "")
        if own_line:
            close(element.tag)

    body = tree.find(".//body")
    visit(tree if body is None else body)
    return builder
