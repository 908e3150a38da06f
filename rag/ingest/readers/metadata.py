"""Titles and dates as they stand in files.

Dates come out as ISO 8601, as exact as the file says: ``2025``, ``2025-03`` or ``2025-03-01``.
"""

import re
from datetime import date, datetime

from rag.types import Block, BlockKind

_SEPARATED = re.compile(
    r"(?<!\d)((?:19|20)\d{2})\s*(?:年|[-/.])\s*(\d{1,2})(?:\s*(?:月|[-/.])\s*(\d{1,2})(?!\d)\s*日?)?"
)
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d{2})(\d{2})(\d{2})(?=\d{6}|\D|$)")
_YEAR = re.compile(r"^\s*((?:19|20)\d{2})\s*年?\s*$")

# Titles that a program wrote and no person meant.
_NO_TITLE = re.compile(
    r"^\s*(?:untitled.*|无标题.*|未命名.*|(?:microsoft )?(?:word|powerpoint|excel)\b.*|word 文档|"
    r"(?:文档|document|doc|幻灯片|slide|book|工作簿|sheet|扫描|scan)\s*\d*|"
    r".*\.(?:docx?|xlsx?|pptx?|pdf|wps|indd|tmp|txt|rtf|html?))\s*$",
    re.IGNORECASE,
)
_LONGEST_TITLE = 60
_NOT_IN_TITLE = re.compile(r"[。；;，,]$|[。；]")


def iso_date(text: str | date | None) -> str:
    """The first date in a text (``2025年3月1日``, ``2025/3/1``, ``D:20250301…``), "" without one."""
    if text is None:
        return ""
    if isinstance(text, datetime):
        return text.date().isoformat()
    if isinstance(text, date):
        return text.isoformat()
    match = _SEPARATED.search(text) or _COMPACT.search(text)
    if match is None:
        year = _YEAR.match(text)
        return year[1] if year else ""
    number_of_year, month, day = match.groups()
    try:
        if day is None:
            return date(int(number_of_year), int(month), 1).isoformat()[:7]
        return date(int(number_of_year), int(month), int(day)).isoformat()
    except ValueError:
        return ""


def real_title(title: str | None) -> str:
    """A title from a file's properties, "" when a program filled it in."""
    title = " ".join((title or "").split())
    return "" if _NO_TITLE.match(title) else title


def title_of(text: str, blocks: tuple[Block, ...] | list[Block], stem: str) -> str:
    """The first heading, or a short first line that reads like a title, or the file's stem."""
    if blocks and blocks[0].kind is BlockKind.PARAGRAPH:
        first = text[blocks[0].start : blocks[0].end]
        if len(first) <= _LONGEST_TITLE and "\n" not in first and not _NOT_IN_TITLE.search(first):
            return first
    for block in blocks:
        if block.kind is BlockKind.HEADING:
            return text[block.start : block.end]
    return stem
