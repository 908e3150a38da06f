"""Lines that stand on a page, as paragraphs: for PDF text and recognised scans alike.

Coordinates grow to the right and downwards; their unit does not matter, all limits are relative
to the width of a Chinese character (``em``). Limits: right-to-left and vertical text are not
known; table cells of one row stay in one line.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from rag.ingest.readers.lines import ENDS_SENTENCE, joint, opens_block, width

_LATIN_START = re.compile(r"^[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text and its box."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Paragraph:
    """``opened``/``closed``: whether it surely begins/ends on this page; ``height`` of its lines."""

    text: str
    height: float
    lines: int
    opened: bool
    closed: bool


def paragraphs(lines: Sequence[Line], *, even_height: bool = True) -> list[Paragraph]:
    """Join the lines of one page, in reading order, into paragraphs.

    A paragraph ends where its line stops short of the column, where the next one is indented,
    numbered, further away or of another size.

    Args:
        even_height: heights are exact, as in a PDF; False for recognised text.
    """
    if not lines:
        return []
    em = _em(lines)
    pitch = _pitch(lines)
    groups: list[list[Line]] = [[lines[0]]]
    for before, after in itertools.pairwise(lines):
        if _breaks(groups[-1], before, after, lines, em, pitch, even_height):
            groups.append([after])
        else:
            groups[-1].append(after)
    return [_paragraph(group, lines, em) for group in groups]


def reading_order(lines: Sequence[Line]) -> list[Line]:
    """Boxes of recognised text as lines from top to bottom; two columns one after the other."""
    if not lines:
        return []
    gutter = _gutter(lines)
    if gutter is None:
        return _rows(lines)
    order: list[Line] = []
    left: list[Line] = []
    right: list[Line] = []
    for line in sorted(lines, key=lambda line: line.top):
        if line.left < gutter < line.right:  # a title across both columns ends what stands above
            order += [*_rows(left), *_rows(right), line]
            left, right = [], []
        else:
            (left if line.right <= gutter else right).append(line)
    return [*order, *_rows(left), *_rows(right)]


def _em(lines: Sequence[Line]) -> float:
    """Width of a Chinese character: half of it a column as `lines.width` counts them."""
    sizes = [
        2 * (line.right - line.left) / width(line.text) for line in lines if width(line.text) >= 10
    ]
    return median(sizes) if sizes else median(line.height for line in lines)


def _pitch(lines: Sequence[Line]) -> float:
    """The usual distance from one line to the next."""
    steps = [
        after.top - before.top
        for before, after in itertools.pairwise(lines)
        if after.top > before.top + before.height / 2
    ]
    return median(steps) if steps else 0.0


def _column(line: Line, lines: Sequence[Line], em: float) -> tuple[float, float]:
    """Left and right edge of the column a line stands in."""
    peers = [other for other in lines if abs(other.left - line.left) <= 5 * em]
    rights = sorted(peer.right for peer in peers)
    return min(peer.left for peer in peers), rights[int(0.9 * (len(rights) - 1) + 0.5)]


def _stops_short(line: Line, after: Line | None, lines: Sequence[Line], em: float) -> bool:
    """Whether a line leaves room that the next line's beginning would have filled."""
    _, right = _column(line, lines, em)
    room = right - line.right
    if ENDS_SENTENCE.search(line.text):
        return room > 0.9 * em
    word = _LATIN_START.match(after.text) if after else None
    return room > max(2.6 * em, (len(word[0]) / 2 + 1) * em if word else 0)


def _breaks(
    paragraph: list[Line],
    before: Line,
    after: Line,
    lines: Sequence[Line],
    em: float,
    pitch: float,
    even_height: bool,
) -> bool:
    tolerance = 1.12 if even_height else 1.4
    low, high = sorted((before.height, after.height))
    if high > low * tolerance and (even_height or width(before.text) > 8):
        return True
    next_column = after.top < before.top - before.height
    if not next_column and pitch and after.top - before.top > 1.6 * pitch:
        return True
    short = _stops_short(before, after, lines, em)
    if short:
        return True
    ended = ENDS_SENTENCE.search(before.text) is not None
    indent = _indent(after, lines, em)
    if opens_block(after.text) and (ended or indent):
        return True
    if len(paragraph) == 1 and not next_column:
        if after.left - before.left > 1.2 * em:
            return not opens_block(before.text)
        return indent and ended
    return indent if next_column else after.left - before.left > 1.2 * em


def _indent(line: Line, lines: Sequence[Line], em: float) -> bool:
    left, _ = _column(line, lines, em)
    return line.left - left > 1.2 * em


def _paragraph(group: list[Line], lines: Sequence[Line], em: float) -> Paragraph:
    first, last = group[0], group[-1]
    text = ""
    for line in group:
        text += joint(text, line.text.strip()) + line.text.strip()
    return Paragraph(
        text=text,
        height=median(line.height for line in group),
        lines=len(group),
        opened=opens_block(first.text) or _indent(first, lines, em),
        closed=ENDS_SENTENCE.search(last.text) is not None
        or _stops_short(last, None, lines, em)
        or (len(group) == 1 and opens_block(first.text)),
    )


def _rows(lines: Sequence[Line]) -> list[Line]:
    """Boxes side by side become one line."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.top + line.bottom):
        middle = (line.top + line.bottom) / 2
        row = rows[-1] if rows else None
        if row and middle < max(row, key=lambda line: line.right).bottom - 0.3 * line.height:
            row.append(line)
        else:
            rows.append([line])
    return [_one_line(sorted(row, key=lambda line: line.left)) for row in rows]


def _one_line(row: list[Line]) -> Line:
    whole = row[0]
    for line in row[1:]:
        gap = line.left - whole.right
        between = " " if gap > 0.8 * line.height else joint(whole.text, line.text)
        whole = replace(
            whole,
            text=whole.text + between + line.text,
            right=max(whole.right, line.right),
            bottom=max(whole.bottom, line.bottom),
        )
    return whole


def _gutter(lines: Sequence[Line]) -> float | None:
    """Where two columns of running text meet, None on a page with one."""
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    span = right - left
    best: tuple[int, float] | None = None
    for step in range(40, 61):
        x = left + span * step / 100
        crossing = sum(line.left < x < line.right for line in lines)
        if best is None or crossing < best[0]:
            best = crossing, x
    if best is None or best[0] > 0.15 * len(lines):
        return None
    sides = (
        ([], [])
        if best is None
        else (
            [line for line in lines if line.right <= best[1]],
            [line for line in lines if line.left >= best[1]],
        )
    )
    full = [
        sum(line.right - line.left > 0.35 * span for line in side) >= 5 and len(side) >= 8
        for side in sides
    ]
    return best[1] if all(full) else None
