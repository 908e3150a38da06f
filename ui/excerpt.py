"""A quote with the sentences around it, for the sources panel; pure."""

from dataclasses import dataclass

from rag.sentences import sentence_spans


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A quote with the text around it; ``clipped_*`` when the paragraph goes on there."""

    before: str
    quote: str
    after: str
    clipped_before: bool = False
    clipped_after: bool = False


def excerpt(text: str, start: int, end: int, *, size: int = 300) -> Excerpt:
    """``text[start:end]`` with whole sentences around it, about ``size`` characters in all.

    Sentences of the quote's own paragraph come first; neighbours beyond a line break only join
    while the excerpt is shorter than a quarter of ``size``. A text without sentence ends is cut.

    Raises:
        ValueError: the span does not lie inside the text.
    """
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"span {start}:{end} outside a text of {len(text)} characters")
    low, high = max(0, start - size), min(len(text), end + size)
    spans = [(low + first, low + last) for first, last in sentence_spans(text[low:high])]
    # A sentence cut by the window is no sentence border.
    lefts = [first for first, _ in spans if first < start and (first > low or low == 0)]
    rights = [last for _, last in spans if last > end and (last < high or high == len(text))]
    left = start if lefts or start == low else max(low, start - size // 4)
    right = end if rights or end == high else min(high, end + size // 4)
    lefts.reverse()
    while lefts or rights:
        if rights:
            candidate = rights.pop(0)
            if _fits(text, left, right, left, candidate, size):
                right = candidate
            else:
                rights.clear()
        if lefts:
            candidate = lefts.pop(0)
            if _fits(text, left, right, candidate, right, size):
                left = candidate
            else:
                lefts.clear()
    return Excerpt(
        before=text[left:start],
        quote=text[start:end],
        after=text[end:right],
        clipped_before=left > 0 and text[left - 1] != "\n",
        clipped_after=right < len(text) and text[right] != "\n",
    )


def _fits(text: str, left: int, right: int, new_left: int, new_right: int, size: int) -> bool:
    """Whether an excerpt may grow from [left, right) to [new_left, new_right)."""
    if new_right - new_left > size:
        return False
    crosses = "\n" in text[new_left:left] or "\n" in text[right:new_right]
    return not crosses or right - left < size // 4
