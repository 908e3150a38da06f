"""Where Chinese (and mixed) text breaks into sentences."""

import re

# A sentence ends at 。！？； or …, a line break, or a Latin .!? before a space; closing quotes and
# brackets behind the mark belong to it.
_END = re.compile(r"(?:[。！？；!?;…]+|\.(?=\s|$))[”’」』）)\]】》〉\"']*|\n+")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Spans ``(start, end)`` of the sentences of a text, in order, without outer white space."""
    spans = []
    start = 0
    for match in _END.finditer(text):
        spans.append((start, match.end()))
        start = match.end()
    spans.append((start, len(text)))
    return [trimmed for span in spans if (trimmed := _trim(text, *span)) is not None]


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if end > start else None
