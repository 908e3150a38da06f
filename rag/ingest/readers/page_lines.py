"""The lines of a PDF page with their boxes, from PDFium's characters."""

import ctypes
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rag.ingest.readers.layout import Line
from rag.ingest.readers.scripts import subscript, superscript

_RAISABLE = frozenset("0123456789+-−–n")
_SMALLER = 0.85
_RAISED = 0.15
_LOWERED = -0.05
_GAP = 0.25
_HYPHEN = "\x02"  # what PDFium makes of a hyphen at a line's end


@dataclass(frozen=True, slots=True)
class _Character:
    text: str
    left: float
    bottom: float
    right: float
    top: float
    base: float

    @property
    def size(self) -> float:
        return self.top - self.bottom


def page_lines(page: Any) -> list[Line]:
    """Lines in the order of the page's content, coordinates in points from the top left."""
    height = page.get_height()
    text_page = page.get_textpage()
    try:
        lines = [_line(characters, height) for characters in _split(_characters(text_page))]
    finally:
        text_page.close()
    return _whole([line for line in lines if line is not None])


def _whole(lines: list[Line]) -> list[Line]:
    """Parts of one line that PDFium kept apart because a raised digit stands between them."""
    whole: list[Line] = []
    for line in lines:
        before = whole[-1] if whole else None
        if before is not None and _goes_on(before, line):
            gap = line.left - before.right
            text = before.text + (" " if gap > _GAP * line.height else "") + line.text
            right, top = line.right, min(before.top, line.top)
            whole[-1] = Line(text, before.left, top, right, max(before.bottom, line.bottom))
        else:
            whole.append(line)
    return whole


def _goes_on(before: Line, line: Line) -> bool:
    overlap = min(before.bottom, line.bottom) - max(before.top, line.top)
    return (
        overlap > 0.6 * min(before.height, line.height)
        and -0.2 * line.height <= line.left - before.right < line.height
    )


def _characters(text_page: Any) -> Iterator[_Character]:
    """PDFium's characters; those it invents (spaces, line ends) have an empty box."""
    from pypdfium2 import raw

    box = raw.FS_RECTF()
    x, y = ctypes.c_double(), ctypes.c_double()
    high = 0
    for index in range(text_page.count_chars()):
        code = raw.FPDFText_GetUnicode(text_page, index)
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000:
            if not high:
                continue
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
        high = 0
        if not code or code > 0x10FFFF:
            continue
        found = not raw.FPDFText_IsGenerated(text_page, index) and raw.FPDFText_GetLooseCharBox(
            text_page, index, box
        )
        if found and raw.FPDFText_GetCharOrigin(text_page, index, x, y):
            yield _Character(chr(code), box.left, box.bottom, box.right, box.top, y.value)
        else:
            yield _Character(chr(code), 0, 0, 0, 0, 0)


def _split(characters: Iterator[_Character]) -> Iterator[list[_Character]]:
    line: list[_Character] = []
    for character in characters:
        if character.text in "\r\n":
            if line:
                yield line
            line = []
        else:
            line.append(character)
    if line:
        yield line


def _line(characters: list[_Character], height: float) -> Line | None:
    boxed = [c for c in characters if c.size > 0 and not c.text.isspace()]
    if not boxed:
        return None
    sizes = Counter(round(character.size, 1) for character in boxed)
    size = max(sizes, key=lambda size: (sizes[size], size))
    base = Counter(round(c.base, 1) for c in boxed if round(c.size, 1) == size).most_common(1)[0][0]
    text = "".join(_shown(c, size, base) for c in characters)
    full = [c for c in boxed if c.size > _SMALLER * size]
    return Line(
        text=text.replace(_HYPHEN, "-").strip(),
        left=min(c.left for c in boxed),
        top=height - max(c.top for c in full),
        right=max(c.right for c in boxed),
        bottom=height - min(c.bottom for c in full),
    )


def _shown(character: _Character, size: float, base: float) -> str:
    """A small digit above or below the line as what it is."""
    if character.text in _RAISABLE and 0 < character.size < _SMALLER * size:
        rise = (character.base - base) / size
        if rise > _RAISED:
            return superscript(character.text)
        if rise < _LOWERED:
            return subscript(character.text)
    return character.text
