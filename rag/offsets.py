"""Edits of a text and the way back from the edited text to the original.

A cleaning step is a pure function that returns edits. `apply` carries them out and gives an
`OffsetMap`; maps of successive steps compose. Offsets are Python string indices (code points).
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace ``text[start:end]`` by ``replacement``; ``start == end`` inserts."""

    start: int
    end: int
    replacement: str


@dataclass(frozen=True, slots=True)
class Segment:
    """``text[start:end]`` came from ``original[original_start:original_end]``.

    Inside a segment whose two lengths are equal positions map one to one; otherwise the segment
    was rewritten and maps as a whole.
    """

    start: int
    end: int
    original_start: int
    original_end: int
    is_part: bool = False  # of a rewritten segment: equal lengths are then an accident

    @property
    def is_copy(self) -> bool:
        return not self.is_part and self.end - self.start == self.original_end - self.original_start


@dataclass(frozen=True, slots=True)
class OffsetMap:
    """Segments in order that together cover the edited text.

    What was deleted from the original lies in the gaps between their original spans.
    """

    segments: tuple[Segment, ...]

    @classmethod
    def identity(cls, length: int) -> "OffsetMap":
        return cls((Segment(0, length, 0, length),))

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """The smallest original span that holds ``text[start:end]``.

        A span that touches a rewritten segment takes that segment's original whole. What was
        deleted directly before or behind the span is not part of it.
        """
        if not self.segments:
            return 0, 0
        first = self._at(start)
        last = self._at(end - 1) if end > start else first
        if first.is_copy:
            original_start = first.original_start + start - first.start
        else:
            original_start = first.original_start
        if last.is_copy:
            original_end = last.original_start + end - last.start
        else:
            original_end = last.original_end
        return original_start, max(original_start, original_end)

    def to_edited(self, position: int) -> int:
        """The place in the edited text of an original position; a deleted one goes to the gap."""
        if not self.segments:
            return 0
        index = bisect_right(self.segments, position, key=lambda s: s.original_start) - 1
        segment = self.segments[max(index, 0)]
        if segment.is_copy:
            inside = max(0, position - segment.original_start)
            return min(segment.start + inside, segment.end)
        return segment.start if position < segment.original_end else segment.end

    def then(self, later: "OffsetMap") -> "OffsetMap":
        """The map of two steps: ``self`` made the text that ``later`` edited."""
        segments: list[Segment] = []
        for step in later.segments:
            if step.is_copy and step.end > step.start:
                segments.extend(self._slice(step))
            else:
                start, end = self.to_original(step.original_start, step.original_end)
                segments.append(Segment(step.start, step.end, start, end, is_part=True))
        return OffsetMap(tuple(_merge(segments)))

    def _slice(self, step: Segment) -> Iterable[Segment]:
        """The parts of this map that a copying ``step`` of the later map kept."""
        shift = step.start - step.original_start
        index = bisect_right(self.segments, step.original_start, key=lambda s: s.start) - 1
        for position in range(max(index, 0), len(self.segments)):
            segment = self.segments[position]
            if segment.start >= step.original_end:
                break
            start = max(segment.start, step.original_start)
            end = min(segment.end, step.original_end)
            if start >= end:
                continue
            original = self.to_original(start, end)
            yield Segment(start + shift, end + shift, *original, is_part=not segment.is_copy)

    def _at(self, position: int) -> Segment:
        """The segment with text that holds ``position`` of the edited text."""
        index = bisect_right(self.segments, position, key=lambda s: s.start) - 1
        return self.segments[max(index, 0)]


def apply(text: str, edits: Iterable[Edit]) -> tuple[str, OffsetMap]:
    """Carry out edits given in order and without overlap.

    Raises:
        ValueError: edits out of order, overlapping or outside the text.
    """
    parts: list[str] = []
    segments: list[Segment] = []
    position = length = 0

    def copy_until(end: int) -> None:
        nonlocal position, length
        if end > position:
            parts.append(text[position:end])
            segments.append(Segment(length, length + end - position, position, end))
            length += end - position
            position = end

    for edit in edits:
        if not position <= edit.start <= edit.end <= len(text):
            raise ValueError(f"edit {edit.start}:{edit.end} out of order in {len(text)} characters")
        copy_until(edit.start)
        if edit.replacement:
            parts.append(edit.replacement)
            size = len(edit.replacement)
            segments.append(Segment(length, length + size, edit.start, edit.end))
            length += size
        position = edit.end
    copy_until(len(text))
    return "".join(parts), OffsetMap(tuple(_merge(segments)))


def _merge(segments: Sequence[Segment]) -> Iterable[Segment]:
    """Join neighbours that copy one continuous run."""
    current: Segment | None = None
    for segment in segments:
        if (
            current is not None
            and current.is_copy
            and segment.is_copy
            and current.end == segment.start
            and current.original_end == segment.original_start
        ):
            current = Segment(
                current.start, segment.end, current.original_start, segment.original_end
            )
            continue
        if current is not None:
            yield current
        current = segment
    if current is not None:
        yield current
