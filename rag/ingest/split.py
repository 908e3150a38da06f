"""A document to passages: whole sentences, about ``size`` characters, with overlap.

The text is first taken apart into units: sentences, headings, list items, table rows; what is
longer than a passage is cut at commas, then anywhere. Units are then packed in order:

- a heading starts a passage and stays with what follows; `Passage.heading` is the path to it;
- a table or list that fits into one passage is kept in one, a row is cut only when it is longer
  than the limit;
- passages stay within ``size`` where sentences allow and never exceed a quarter more;
- a passage cut inside a section begins with the last sentences of the one before, up to
  ``overlap`` characters; a short remainder joins the passage before it.

A passage is a span of the document, so it contains its heading lines and the white space between
its units. Every character that is not white space lies in at least one passage. Time is linear.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rag.sentences import sentence_spans
from rag.types import Block, BlockKind, Document, Passage

_CLAUSE_END = re.compile(r"[，,；;、：:。！？!?…\s|]")
_WORD = re.compile(r"[A-Za-z0-9.,:/%_-]")
_LONGEST_WORD = 24
# A remainder shorter than this part of ``size`` joins its neighbour.
_SMALL = 4


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is kept whole. ``group`` numbers the list or table it belongs to, 0 for none."""

    start: int
    end: int
    kind: BlockKind
    heading: str
    group: int = 0


def split(document: Document, *, size: int, overlap: int) -> list[Passage]:
    """Passages of ``document`` in order, with id 0.

    Args:
        document: a cleaned document; its blocks are in order and do not overlap.
        size: characters a passage should have; none has more than a quarter above it.
        overlap: characters that neighbours of one section share at most; no more than half of
            ``size`` is used.

    Raises:
        ValueError: ``size`` below 1 or ``overlap`` below 0.
    """
    if size < 1 or overlap < 0:
        raise ValueError(f"size {size} and overlap {overlap} must be positive")
    units = list(_units(document, size))
    return [
        _passage(document, units, first, last)
        for first, last in _pack(units, size, min(overlap, size // 2))
    ]


def _passage(document: Document, units: list[_Unit], first: int, last: int) -> Passage:
    """The passage of ``units[first:last]``; leading headings all count for its path."""
    opening = first
    while (
        opening + 1 < last and units[opening].kind == units[opening + 1].kind == BlockKind.HEADING
    ):
        opening += 1
    start, end = units[first].start, units[last - 1].end
    return Passage(
        document=document.id,
        start=start,
        end=end,
        text=document.text[start:end],
        heading=units[opening].heading,
        page=document.page_at(start),
    )


def _units(document: Document, size: int) -> Iterator[_Unit]:
    text = document.text
    path: list[tuple[int, str]] = []
    group = 0
    previous: BlockKind | None = None
    for block in _blocks(document):
        start, end = _trim(text, block.start, block.end)
        if start == end:
            continue
        if block.kind is BlockKind.HEADING:
            level = max(block.level, 1)
            path = [entry for entry in path if entry[0] < level]
            path.append((level, " ".join(text[start:end].split())))
        heading = " > ".join(title for _, title in path)
        in_group = block.kind in (BlockKind.LIST_ITEM, BlockKind.TABLE_ROW)
        if in_group and block.kind is not previous:
            group += 1
        previous = block.kind
        unit = _Unit(start, end, block.kind, heading, group if in_group else 0)
        if block.kind is not BlockKind.PARAGRAPH and end - start <= _limit(size):
            yield unit
            continue
        for sentence_start, sentence_end in sentence_spans(text[start:end]):
            for piece_start, piece_end in _cut(
                text, start + sentence_start, start + sentence_end, size
            ):
                yield replace(unit, start=piece_start, end=piece_end)


def _blocks(document: Document) -> Iterator[Block]:
    """The blocks of a document; what lies between them counts as paragraphs."""
    position = 0
    for block in document.blocks:
        if block.start > position:
            yield Block(BlockKind.PARAGRAPH, position, block.start)
        yield block
        position = max(position, block.end)
    if position < len(document.text):
        yield Block(BlockKind.PARAGRAPH, position, len(document.text))


def _cut(text: str, start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """Pieces of at most ``size`` characters: at the last clause end, or between words."""
    while end - start > size:
        stop = start + size
        for place in range(stop, start + size // 2, -1):
            if _CLAUSE_END.match(text, place - 1) and not _in_number(text, place - 1):
                stop = place
                break
        else:
            for place in range(stop, max(start, stop - _LONGEST_WORD), -1):
                if not (_WORD.match(text, place - 1) and _WORD.match(text, place)):
                    stop = place
                    break
        piece = _trim(text, start, stop)
        if piece[0] < piece[1]:
            yield piece
        start = stop
    start, end = _trim(text, start, end)
    if start < end:
        yield start, end


def _in_number(text: str, index: int) -> bool:
    """Whether the mark at ``index`` stands between digits (1,000 or 12:30)."""
    return text[index - 1 : index].isdigit() and text[index + 1 : index + 2].isdigit()


def _pack(units: list[_Unit], size: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Ranges ``[first, last)`` of units, one a passage."""
    first = 0
    ends = _group_ends(units)
    for index in range(1, len(units) + 1):
        if index < len(units) and not _breaks(units, ends, first, index, size):
            continue
        yield first, index
        if index == len(units):
            return
        first = _with_overlap(units, first, index, size, overlap)


def _breaks(units: list[_Unit], ends: list[int], first: int, index: int, size: int) -> bool:
    """Whether a new passage begins at ``index``, the current one being from ``first`` on."""
    unit = units[index]
    start = units[first].start
    length = unit.end - start
    only_headings = units[index - 1].kind is BlockKind.HEADING
    if length > _limit(size):
        return True
    if only_headings:
        return False
    if unit.kind is BlockKind.HEADING:
        return True
    starts_group = unit.group and unit.group != units[index - 1].group
    if starts_group and units[ends[index] - 1].end - start > size:
        # Better a whole list in the next passage than half of it in this one.
        return (
            units[ends[index] - 1].end - unit.start <= size
            and units[index - 1].end - start >= size // _SMALL
        )
    if length <= size:
        return False
    # Beyond the size: only to keep a small beginning or a small end from standing alone.
    begun = units[index - 1].end - start
    is_last = index + 1 == len(units) or units[index + 1].kind is BlockKind.HEADING
    return not (begun < size // 2 or (is_last and unit.end - unit.start < size // _SMALL))


def _with_overlap(units: list[_Unit], first: int, fresh: int, size: int, overlap: int) -> int:
    """Where the next passage begins so that it repeats the last sentences before ``fresh``."""
    if units[fresh].kind is BlockKind.HEADING:
        return fresh
    begin = fresh
    while (
        begin - 1 > first
        and units[begin - 1].kind is BlockKind.PARAGRAPH
        and units[fresh - 1].end - units[begin - 1].start <= overlap
        and units[fresh].end - units[begin - 1].start <= size
    ):
        begin -= 1
    return begin


def _group_ends(units: list[_Unit]) -> list[int]:
    """For each unit the index behind the last unit of its group."""
    ends = [0] * len(units)
    for index in range(len(units) - 1, -1, -1):
        joined = (
            index + 1 < len(units)
            and units[index].group
            and units[index].group == units[index + 1].group
        )
        ends[index] = ends[index + 1] if joined else index + 1
    return ends


def _limit(size: int) -> int:
    return size + size // 4


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
