"""From the model's text with marks to sentences, citations and exact spans.

A mark names a passage of the prompt; what a person gets is a mark that names one span of one
document: the sentences of the passage that best support the sentence of the answer. So one passage
may become two citations, and equal spans share one. Marks are numbered in order of appearance,
those that name no passage are dropped. No second model call is made.

Everything here works on unfinished text too: it is called again for each word that arrives.

Not covered: marks in round brackets, which Chinese documents use for lists, and names ("来源1").
A bracketed number above 99 or holding 0 is text (`国办发[2023]5号`), not a mark.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.chinese import match_form
from rag.sentences import sentence_spans
from rag.types import Citation, Document, Hit, Sentence

_OPEN, _CLOSE = r"[\[【［]", r"[\]】］]"
_DASH = r"[-–—~～至]"
_NUMBER = r"[0-9０-９]{1,2}"
_ITEM = rf"{_NUMBER}(?:\s*{_DASH}\s*{_NUMBER})?"
_LIST = rf"{_ITEM}(?:\s*[,，、;；]\s*{_ITEM})*"
_MARK = re.compile(
    rf"{_OPEN}\s*\^?(?:资料|文献|来源)?\s*({_LIST})\s*(?:†[^\]】］\n]{{0,40}})?{_CLOSE}"
)
# The beginning of a mark at the end of a text; before its first digit it may still be anything.
_TAIL = r"[0-9０-９\s,，、;；~～至–—-]*(?:†[^\]】］\n]{0,40})?$"
_BEGUN = re.compile(rf"\s*{_OPEN}\s*\^?(?:资料|文献|来源)?\s*[0-9０-９]{_TAIL}")
_OPENED = re.compile(rf"\s*{_OPEN}\s*\^?(?:资料?|文献?|来源?)?\s*{_TAIL}")
# "参考区间[3,5]" is a measure, not a pair of marks.
_INTERVAL = re.compile(r"(?:区间|范围|闭区间)[为是：:]?\s*$")
_LONGEST_MARK = 80
_SPAN_SENTENCES = 3
_EXTRA_SENTENCE_COST = 0.12
_LEAST_OVERLAP = 0.2


@dataclass(frozen=True, slots=True)
class Cited:
    """An answer whose every mark resolves.

    ``text`` carries normalized marks behind the sentences; ``citations[i]`` has mark ``i + 1`` and
    comes from ``hits[i]``; ``dropped_marks`` are the numbers that named no passage.
    """

    text: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...] = ()
    dropped_marks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Marked:
    """An answer taken apart: its text without marks, the spans of its sentences in it, and the
    numbers of the passages that each sentence cites."""

    text: str
    spans: tuple[tuple[int, int], ...] = ()
    numbers: tuple[tuple[int, ...], ...] = ()
    dropped: tuple[int, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """The sentences without marks."""
        return tuple(self.text[start:end] for start, end in self.spans)


def cite(
    text: str,
    passages: Sequence[Hit],
    document: Callable[[str], Document],
    *,
    partial: bool = False,
) -> Cited:
    """Resolve the marks of ``text``; mark [n] means ``passages[n - 1]``.

    ``document`` gives a document by its id. A mark begun at the end of the text is left out; of a
    ``partial`` text, a bare opening bracket too, since a mark may follow.
    """
    return resolve(mark(text, len(passages), partial=partial), passages, document)


def mark(text: str, passages: int, *, partial: bool = False) -> Marked:
    """Take the marks out of ``text``; those above the number of ``passages`` are dropped."""
    clean, marks = _take_marks(text, _OPENED if partial else _BEGUN)
    spans = tuple(_joined_spans(clean))
    by_sentence = _assign(clean, spans, marks)
    cited = [tuple(dict.fromkeys(by_sentence.get(i, ()))) for i in range(len(spans))]
    return Marked(
        clean,
        spans,
        tuple(tuple(number for number in own if number <= passages) for own in cited),
        tuple(dict.fromkeys(number for own in cited for number in own if number > passages)),
    )


def resolve(marked: Marked, passages: Sequence[Hit], document: Callable[[str], Document]) -> Cited:
    """Turn each passage that a sentence cites into the span of it that supports the sentence."""
    citations: list[Citation] = []
    hits: list[Hit] = []
    numbers: dict[tuple[int, int, int], int] = {}
    sentences = []
    for text, cited in zip(marked.sentences, marked.numbers, strict=True):
        own: list[int] = []
        for number in cited:
            hit = passages[number - 1]
            span = supporting_span(text, hit.passage.text)
            key = (number, *span)
            if key not in numbers:
                numbers[key] = len(citations) + 1
                offset = hit.passage.start
                citations.append(
                    citation(
                        numbers[key],
                        document(hit.passage.document),
                        offset + span[0],
                        offset + span[1],
                        hit,
                    )
                )
                hits.append(hit)
            if numbers[key] not in own:
                own.append(numbers[key])
        sentences.append(Sentence(text, tuple(own)))
    return Cited(
        _with_marks(marked.text, marked.spans, [sentence.citations for sentence in sentences]),
        tuple(sentences),
        tuple(citations),
        tuple(hits),
        marked.dropped,
    )


def citation(mark: int, document: Document, start: int, end: int, hit: Hit) -> Citation:
    """The citation of ``document.text[start:end]``, with what a person needs to check it."""
    original_start, original_end = document.offsets.to_original(start, end)
    return Citation(
        mark=mark,
        document=document.id,
        title=document.title or hit.title,
        start=start,
        end=end,
        quote=document.text[start:end],
        page=document.page_at(start),
        original=document.original[original_start:original_end],
        source=document.source or hit.source,
        date=document.date or hit.date,
        heading=hit.passage.heading,
    )


@lru_cache(maxsize=4096)
def supporting_span(sentence: str, passage: str) -> tuple[int, int]:
    """The span of one to three neighbouring sentences of ``passage`` that best supports
    ``sentence``, or all of it when nothing overlaps.

    The score is the share of the sentence's character bigrams found in the span; each further
    sentence must bring more than it costs in precision.
    """
    wanted = bigrams(sentence)
    spans = sentence_spans(passage)
    best, best_score = (0, len(passage)), _LEAST_OVERLAP
    if not wanted:
        return best
    for first in range(len(spans)):
        for last in range(first, min(first + _SPAN_SENTENCES, len(spans))):
            start, end = spans[first][0], spans[last][1]
            share = len(wanted & bigrams(passage[start:end])) / len(wanted)
            score = share - _EXTRA_SENTENCE_COST * (last - first)
            if score > best_score:
                best, best_score = (start, end), score
    return best


@lru_cache(maxsize=4096)
def bigrams(text: str) -> frozenset[str]:
    """Pairs of neighbouring characters in match form, punctuation aside; Latin words and numbers
    whole. A single character stands for itself."""
    found: set[str] = set()
    for run in re.findall(r"[a-z0-9.%]+|[^\W_a-z0-9]+", match_form(text)):
        if run[0].isascii() or len(run) == 1:
            found.add(run)
        else:
            found.update(run[i : i + 2] for i in range(len(run) - 1))
    return frozenset(found)


def _take_marks(text: str, ending: re.Pattern[str]) -> tuple[str, list[tuple[int, int]]]:
    """The text without marks, and each mark's ``(position, number)`` in it."""
    text = _finished(text, ending)
    clean: list[str] = []
    length = position = 0
    marks: list[tuple[int, int]] = []
    for found in _MARK.finditer(text):
        numbers = _numbers(found[1])
        if numbers is None or _INTERVAL.search(text[: found.start()]):
            continue
        before = text[position : found.start()]
        after = text[found.end() : found.end() + 1]
        if not after or not (after.isalnum() and after.isascii()):
            before = before.rstrip(" \t\u3000")
        clean.append(before)
        length += len(before)
        position = found.end()
        marks += [(length, number) for number in numbers]
    clean.append(text[position:])
    whole = _finished("".join(clean), ending)
    return whole, [(min(position, len(whole)), number) for position, number in marks]


def _finished(text: str, ending: re.Pattern[str]) -> str:
    # Looking at the end only keeps a model that repeats "[" for ever from costing ever more.
    while unfinished := ending.search(text, max(len(text) - _LONGEST_MARK, 0)):
        text = text[: unfinished.start()]
    return text


def _numbers(inside: str) -> list[int] | None:
    """The numbers of a mark, ranges spelled out; None when it is no mark."""
    numbers: list[int] = []
    for item in re.split(r"\s*[,，、;；]\s*", inside):
        ends = [int(end) for end in re.split(rf"\s*{_DASH}\s*", item)]
        if 0 in ends or ends[-1] < ends[0]:
            return None
        numbers += range(ends[0], ends[-1] + 1)
    return numbers


def _joined_spans(text: str) -> list[tuple[int, int]]:
    """Sentence spans, a list number ("1.") or a bullet joined to the sentence it opens, a table
    row whole."""
    spans: list[tuple[int, int]] = []
    for start, end in sentence_spans(text):
        if spans:
            opening = text[spans[-1][0] : spans[-1][1]]
            same_line = "\n" not in text[spans[-1][1] : start]
            is_row = opening.startswith("|")
            if same_line and (is_row or not any(c.isalpha() for c in opening)):
                start = spans.pop()[0]
        spans.append((start, end))
    return spans


def _assign(
    text: str, spans: Sequence[tuple[int, int]], marks: Sequence[tuple[int, int]]
) -> dict[int, list[int]]:
    """Numbers by sentence. A mark belongs to the sentence it stands in or behind; one that opens
    a line with text on it belongs to that text."""
    by_sentence: dict[int, list[int]] = {}
    for position, number in marks:
        line = text.rfind("\n", 0, position) + 1
        rest = text[position:].split("\n", 1)[0]
        opens = not text[line:position].strip() and bool(rest.strip())
        index = -1
        for candidate, (start, _) in enumerate(spans):
            if start < position or (opens and start == position + len(rest) - len(rest.lstrip())):
                index = candidate
        if index < 0 and spans:
            index = 0
        by_sentence.setdefault(index, []).append(number)
    return by_sentence


def _with_marks(
    text: str, spans: Sequence[tuple[int, int]], numbers: Sequence[Sequence[int]]
) -> str:
    parts: list[str] = []
    position = 0
    for (_, end), own in zip(spans, numbers, strict=True):
        parts.append(text[position:end])
        parts += [f"[{number}]" for number in own]
        position = end
    parts.append(text[position:])
    return "".join(parts).strip()
