"""What a single line of plain Chinese text is, and how broken lines go together again."""

import re

from rag.types import BlockKind

_NUMERAL = "一二三四五六七八九十百零〇"
_PART = re.compile(rf"^第\s*[{_NUMERAL}\d]+\s*([编篇部卷章节条款])")
_ORDER = (
    re.compile(rf"^[{_NUMERAL}]{{1,3}}\s*[、.．]"),
    re.compile(rf"^[（(]\s*[{_NUMERAL}]{{1,3}}\s*[）)]"),
)
_DECIMAL = re.compile(
    r"^\d{1,2}((?:\.\d{1,2}){1,3})(?:\s+|(?![万亿元个例人次岁天周月年日小分秒级度倍毫微克升米]))(?=[\u4e00-\u9fffA-Z])"
)
_ITEM = re.compile(
    r"^(?:[-•·●○■□▪◆◇※*+–—]\s+|[•●○■□▪◆◇]|\d{1,2}\s*[、.．)）](?!\d)|[（(]\s*\d{1,2}\s*[）)]|"
    r"[①-⑳]|[a-zA-Z][.)）]\s)"
)
_LONGEST_HEADING = 40
_SENTENCE_MARK = re.compile(r"[。；;！!？?，,：:]")
_PARTS = {"编": 1, "篇": 1, "部": 1, "卷": 1, "章": 1, "节": 2}

# Full stops and closing quotes that may end a paragraph.
ENDS_SENTENCE = re.compile(r"[。！？!?；;：:…][”’」』）)】》]*$")

_WIDE = "\u1100-\u11ff\u2e80-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_WIDE_END = re.compile(rf"[{_WIDE}“”‘’—…·]$")
_WIDE_START = re.compile(rf"^[{_WIDE}“”‘’—…·]")
_WIDE_CHARACTER = re.compile(rf"[{_WIDE}]")


def kind_of_line(line: str) -> tuple[BlockKind, int]:
    """Kind and heading level of a line that carries no markup.

    A line is a heading when it is numbered like one (第二章, 二、, （二）, 2.1) and reads like
    one: short and without sentence punctuation. A numbered or bulleted line is a list item.
    """
    line = line.strip()
    looks_like_heading = (
        len(line) <= _LONGEST_HEADING and _SENTENCE_MARK.search(line.rstrip("：:")) is None
    )
    if looks_like_heading:
        part = _PART.match(line)
        if part and part[1] in _PARTS:
            return BlockKind.HEADING, _PARTS[part[1]]
        for level, pattern in enumerate(_ORDER, start=2):
            if pattern.match(line):
                return BlockKind.HEADING, level
        decimal = _DECIMAL.match(line)
        if decimal and _WIDE_CHARACTER.search(line):
            return BlockKind.HEADING, 1 + decimal[1].count(".")
    if _ITEM.match(line):
        return BlockKind.LIST_ITEM, 0
    return BlockKind.PARAGRAPH, 0


def opens_block(line: str) -> bool:
    """Whether a line can only be the first of its paragraph: numbered, bulleted, 第几条."""
    line = line.strip()
    return (
        kind_of_line(line)[0] is not BlockKind.PARAGRAPH
        or _PART.match(line) is not None
        or any(pattern.match(line) for pattern in _ORDER)
    )


def join_lines(lines: list[str]) -> str:
    """Lines of one paragraph as one: no space where either side is Chinese, one between Latin
    words; a Latin word hyphenated at the line's end keeps its hyphen."""
    joined = ""
    for line in lines:
        line = line.strip()
        if not line:
            continue
        joined += joint(joined, line) + line
    return joined


def joint(before: str, after: str) -> str:
    """What belongs between two lines of one paragraph: "" or a space."""
    if not before or _WIDE_END.search(before) or _WIDE_START.match(after):
        return ""
    return "" if before.endswith("-") else " "


def width(text: str) -> int:
    """Columns a text takes where a Chinese character takes two."""
    return len(text) + len(_WIDE_CHARACTER.findall(text))
