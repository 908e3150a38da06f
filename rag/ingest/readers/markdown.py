"""Markdown: headings, list items, table rows and paragraphs as blocks, markup taken out.

Written for clinical text: only markup that cannot be anything else is removed (``**bold**``, a
link's address, backticks, a backslash before punctuation). Single ``*``, ``_`` and ``~`` stay, so
15~30, 5*3*2 and PLT<100 come through to the character. A full Markdown parser would turn 5*3*2
into 532. Lines of one paragraph are joined; "- " and "#" go, numbers of numbered lists stay.
Front matter between ``---`` lines (title, source, date, collection) is not part of the text.
"""

import html
import re
from pathlib import Path

from rag.ingest.readers.builder import TextBuilder
from rag.ingest.readers.encoding import decode
from rag.ingest.readers.lines import join_lines
from rag.ingest.readers.metadata import iso_date, title_of
from rag.ingest.readers.tables import Row, make_table, row_text
from rag.types import BlockKind, SourceText

_KEYS = {
    "title": "title",
    "标题": "title",
    "题目": "title",
    "source": "source",
    "来源": "source",
    "date": "date",
    "日期": "date",
    "collection": "collection",
    "分类": "collection",
}
_ENTRY = re.compile(r"^([A-Za-z_\-\u4e00-\u9fff]+)\s*[:：]\s*(.*)$")
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t\u3000]+(.*?)[ \t]*#*[ \t]*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{2,})[ \t]*$")
_RULE = re.compile(r"^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_BULLET = re.compile(r"^[ \t]*[-*+][ \t]+(?:\[[ xX]\][ \t]+)?(?=\S)")
_NUMBERED = re.compile(r"^[ \t]*\d{1,3}[.)][ \t]+(?=\S)")
_QUOTE = re.compile(r"^ {0,3}(?:>(?! ?\d) ?)+")
_TABLE_RULE = re.compile(r"^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_CELL_BREAK = re.compile(r"(?<!\\)\|")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)

_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_IMAGE = re.compile(r"!\[([^\]\n]*)\]\([^()\n]*\)")
_LINK = re.compile(r"(?<!\\)\[([^\[\]\n]+)\]\([^()\s]*(?:\s+\"[^\"]*\")?\)")
_BOLD = re.compile(r"(?<![\d*\\])\*\*(?=[^\s*])(.+?)(?<=[^\s*\\])\*\*(?![\d*])")
_BOLD_NUMBER = re.compile(r"(?<![\w*\\])\*\*(\d[^*\n]*?)\*\*(?!\w)")
_UNDERSCORED = re.compile(r"(?<![\w\\])__(?=\S)(.+?)(?<=\S)__(?!\w)")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_ENTITY = re.compile(
    r"&(?:lt|gt|amp|nbsp|quot|le|ge|times|plusmn|deg|micro|sup[123]|#\d+|#x[\da-fA-F]+);"
)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def read_markdown(data: bytes, path: Path) -> SourceText:
    """Read a .md file.

    Raises:
        DocumentError: not text, or in an unknown encoding.
    """
    decoded = decode(data, path)
    values, body = split_front_matter(decoded.text)
    builder = TextBuilder()
    _Parser(builder).run(_COMMENT.sub("", body).split("\n"))
    text = builder.text
    return SourceText(
        text=text,
        blocks=tuple(builder.blocks),
        title=values.get("title") or title_of(text, builder.blocks, path.stem),
        source=values.get("source", ""),
        date=iso_date(values.get("date")),
        collection=values.get("collection", ""),
        notices=decoded.notices,
    )


def split_front_matter(text: str) -> tuple[dict[str, str], str]:
    """Entries of the front matter, by title, source, date and collection, and the text after it.

    Without a closing ``---``, or with a line that is no ``key: value``, all is text.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return {}, text
    values: dict[str, str] = {}
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == "---":
            return (values, "\n".join(lines[number + 1 :])) if values else ({}, text)
        entry = _ENTRY.match(line)
        if entry is None:
            if line.strip() and not line.startswith((" ", "\t", "-", "#")):
                break
            continue
        if (key := _KEYS.get(entry[1].lower())) and entry[2].strip():
            values[key] = _unquoted(entry[2].strip())
    return {}, text


def plain(text: str) -> str:
    """Inline Markdown as a reader sees it; clinical * and ~ untouched."""
    pieces = []
    position = 0
    for code in _CODE.finditer(text):
        pieces.append(_plain_outside_code(text[position : code.start()]))
        pieces.append(code[2].strip())
        position = code.end()
    pieces.append(_plain_outside_code(text[position:]))
    return "".join(pieces)


def _plain_outside_code(text: str) -> str:
    text = _IMAGE.sub(r"\1", text)
    text = _LINK.sub(r"\1", text)
    for pattern in (_BOLD, _BOLD_NUMBER, _UNDERSCORED):
        text = pattern.sub(r"\1", text)
    text = _BREAK.sub(" ", text)
    text = _ESCAPE.sub(r"\1", text)
    return _ENTITY.sub(lambda match: html.unescape(match[0]).replace("\xa0", " "), text)


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value


class _Parser:
    """Walks over the lines, keeping the open paragraph or list item."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._kind = BlockKind.PARAGRAPH
        self._open: list[str] = []

    def run(self, lines: list[str]) -> None:
        index = 0
        while index < len(lines):
            index = self._step(lines, index)
        self._close()

    def _step(self, lines: list[str], index: int) -> int:
        """Take in the line at ``index`` (and those that belong to it); the next index."""
        fence = _FENCE.match(lines[index])
        if fence:
            return self._fenced(lines, index, fence[1])
        line = _QUOTE.sub("", lines[index])
        if not line.strip():
            self._close()
        elif heading := _HEADING.match(line):
            self._close()
            self._builder.add(BlockKind.HEADING, plain(heading[2]), level=len(heading[1]))
        elif self._open and (underline := _UNDERLINE.match(line)):
            self._underlined(underline[1])
        elif _RULE.match(line):
            self._close()
        elif "|" in line and index + 1 < len(lines) and _is_table_rule(lines[index + 1], line):
            return self._table(lines, index)
        elif bullet := _BULLET.match(line):
            self._start(BlockKind.LIST_ITEM, line[bullet.end() :])
        elif _NUMBERED.match(line):
            self._start(BlockKind.LIST_ITEM, line)
        else:
            self._open.append(line)
        return index + 1

    def _start(self, kind: BlockKind, line: str) -> None:
        self._close()
        self._kind = kind
        self._open.append(line)

    def _close(self) -> None:
        self._builder.add(self._kind, plain(join_lines(self._open)))
        self._open = []
        self._kind = BlockKind.PARAGRAPH

    def _underlined(self, mark: str) -> None:
        """A line of === or --- makes the paragraph above a heading (under a list, a rule)."""
        if self._kind is BlockKind.PARAGRAPH:
            text = plain(join_lines(self._open))
            self._builder.add(BlockKind.HEADING, text, level=1 if mark[0] == "=" else 2)
            self._open = []
        self._close()

    def _fenced(self, lines: list[str], index: int, mark: str) -> int:
        self._close()
        end = index + 1
        while end < len(lines) and not lines[end].strip().startswith(mark):
            end += 1
        self._builder.add(BlockKind.PARAGRAPH, "\n".join(lines[index + 1 : end]))
        return end + 1

    def _table(self, lines: list[str], index: int) -> int:
        self._close()
        end = index + 2
        while end < len(lines) and "|" in lines[end] and lines[end].strip():
            end += 1
        rows = [Row(_cells(lines[i])) for i in (index, *range(index + 2, end))]
        table = make_table(rows, header_rows=1 if rows[0].filled else None)
        for row in table.rows or rows:
            self._builder.add(BlockKind.TABLE_ROW, row_text(row, table.names))
        return end


def _is_table_rule(line: str, above: str) -> bool:
    return _TABLE_RULE.match(line) is not None and len(_cells(line)) == len(_cells(above))


def _cells(line: str) -> tuple[str, ...]:
    line = line.strip().removeprefix("|")
    line = re.sub(r"(?<!\\)\|$", "", line)
    return tuple(plain(cell.strip().replace("\\|", "|")) for cell in _CELL_BREAK.split(line))
