"""Where Chinese (and mixed) text breaks into sentences.

Sentences are what answers quote and citations point at, so they should be readable alone:

- ``。！？!?`` and ``……`` end a sentence, together with the closing quotes and brackets behind
  them; an ellipsis or a quoted mark inside a sentence (``……的``, ``“好吗？”他问``) does so too.
- ``；`` ends one as well: clauses numbered 一是…；二是… are the units a citation needs.
- A Latin full stop ends one only before white space, the end, or a Chinese character, and not
  behind a number at the start of a line (``1. 项目``), an initial, an abbreviation (``e.g.``,
  ``Dr.``) or inside a number (``3.5``); ``;`` only where it is not the end of an HTML entity.
- A line break always ends a sentence.
"""

import re

_CLOSING = r"[”’」』）)\]】》〉\"']*"
_END = re.compile(
    rf"(?:[。！？；!?]|…+|\.{{3,}}|(?<!&amp)(?<!&lt)(?<!&gt)(?<!&nbsp);)"
    rf"(?:[。！？；!?;…]|\.(?=\.))*{_CLOSING}"
    rf"|\.(?=\s|$|[\u3400-\u9fff”’」』）)\]】》〉\"']){_CLOSING}"
    r"|\n+"
)
# What a full stop does not end: an enumerator that opens the sentence, initials, abbreviations.
_ENUMERATOR = re.compile(r"\s*[（(]?(?:\d{1,3}(?:\.\d{1,3}){0,3}|[A-Za-z]|[IVXivx]{1,5})")
_ABBREVIATION = re.compile(
    r"(?:^|[\s（(.])[A-Za-z]\.$|(?<![A-Za-z])"
    r"(?:e\.g|i\.e|et al|cf|vs|Dr|Mr|Mrs|Ms|Prof|Fig|No|Vol|pp?|ca|approx|spp?|var)\.$",
    re.IGNORECASE,
)
_LOOK_BACK = 16


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Spans ``(start, end)`` of the sentences of a text, in order, without outer white space.

    Every character that is not white space lies in exactly one span.
    """
    spans = []
    start = 0
    for match in _END.finditer(text):
        if text[match.start()] == "." and _goes_on(text, start, match.start()):
            continue
        spans.append((start, match.end()))
        start = match.end()
    spans.append((start, len(text)))
    return [trimmed for span in spans if (trimmed := _trim(text, *span)) is not None]


def _goes_on(text: str, start: int, stop: int) -> bool:
    """Whether the full stop at ``stop`` belongs to a number, an initial or an abbreviation."""
    if text.startswith("...", stop):
        return False
    if stop - start <= _LOOK_BACK and _ENUMERATOR.fullmatch(text, start, stop):
        return text[stop + 1 : stop + 2] != ""
    return _ABBREVIATION.search(text[max(start, stop - _LOOK_BACK) : stop + 1]) is not None


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if end > start else None
