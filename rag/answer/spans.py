"""Extractive answering from what the reader read: the sentence around each span that answers.

The reader names the words; which sentences stand as the answer is decided by its word and by
`rag.answer.extract`'s together. On the development questions about corpus/ and the article the
answer held the fact for 62 of 80 by the reader's word alone, for 74 by similarity alone, for 76 by
both. An enumeration that the question asks for is taken whole.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.answer import extract
from rag.answer.extract import Candidate, units
from rag.chinese import match_form
from rag.types import Document, Hit, Reading

# What the reader's certainty (in [0, 1]) adds to a sentence's score (about 0.2 to 1).
READ_WEIGHT = 0.3
_MOST_CHARACTERS = 360
_SHORT = 8
_ASKS_LIST = re.compile(
    "哪些|哪几|几[个项类方种点条大步]|分别|[二两三四五六七八九十][大个项类方种点条步]|各|列出|包括|内容|步骤|要求|措施|特征|特点"
)
_ENUMERATOR = re.compile(
    r"^\s*(?:[一二三四五六七八九十]是|第[一二三四五六七八九十]|其[一二三四五六七八九十]|[一二三四五六七八九十]、"
    r"|[（(][一二三四五六七八九十\d]{1,2}[)）]|\d{1,2}[.、．)）](?!\d)|[①-⑳]|[-*•·]\s)"
)
_LEAD_IN = re.compile(r"[：:]$|如下|包括|以下|特征|方面")


def answerable(reading: Reading) -> float:
    """The probability that the passage answers, uncalibrated: the logistic of its logit."""
    return 1.0 / (1.0 + math.exp(-max(min(reading.answerable, 30.0), -30.0)))


def candidates(
    question: str, hits: Sequence[Hit], document: Callable[[str], Document]
) -> list[Candidate]:
    """The sentences around the spans that the reader found in ``hits``, best first.

    Hits without a reading give none. A span across sentences takes all of them; a span that
    covers no sentence (a heading) is left out.
    """
    found: dict[tuple[str, int, int], Candidate] = {}
    asks_list = _ASKS_LIST.search(match_form(question)) is not None
    for hit in hits:
        if hit.reading is None:
            continue
        whole = document(hit.passage.document)
        sentences = units(whole, hit.passage.start, hit.passage.end)
        chance = answerable(hit.reading)
        for span in hit.reading.spans:
            focus = (hit.passage.start + span.start, hit.passage.start + span.end)
            around = _around(whole.text, sentences, focus, asks_list)
            if around is None:
                continue
            start, end = around
            candidate = Candidate(
                hit, start, end, whole.text[start:end], chance * span.probability, focus
            )
            key = (hit.passage.document, start, end)
            if key not in found or found[key].score < candidate.score:
                found[key] = candidate
    return sorted(found.values(), key=lambda c: (-c.score, c.hit.passage.document, c.start))


def combine(read: Sequence[Candidate], sentences: Sequence[Candidate]) -> list[Candidate]:
    """``sentences`` (see `rag.answer.extract.candidates`) with what the reader adds, best first.

    A sentence with words that answer takes their ``focus`` and a better score, and grows to the
    enumeration around them.
    """
    found: dict[tuple[str, int, int], Candidate] = {}
    for sentence in sentences:
        candidate = sentence
        touching = [each for each in read if _overlaps(each, sentence)]
        if touching:
            best = max(touching, key=_certainty)
            covers = best.start <= sentence.start and sentence.end <= best.end
            wider = best if covers else sentence
            inside = best.focus and wider.start <= best.focus[0] and best.focus[1] <= wider.end
            candidate = replace(
                sentence,
                start=wider.start,
                end=wider.end,
                text=wider.text,
                focus=best.focus if inside else None,
                score=sentence.score + READ_WEIGHT * _certainty(best),
            )
        key = (candidate.hit.passage.document, candidate.start, candidate.end)
        if key not in found or found[key].score < candidate.score:
            found[key] = candidate
    return sorted(found.values(), key=lambda c: (-c.score, c.hit.passage.document, c.start))


def choose(ranked: Sequence[Candidate]) -> list[Candidate]:
    """The sentences that make the answer, as `rag.answer.extract.choose` takes them; none twice,
    and none that only gives the words again that another gave."""
    apart: list[Candidate] = []
    for candidate in ranked:
        if not any(_overlaps(candidate, other) or _says_same(candidate, other) for other in apart):
            apart.append(candidate)
    return extract.choose(apart)


def focus_text(candidate: Candidate) -> str:
    """The words that answer, or the whole sentence where none are named."""
    if candidate.focus is None:
        return candidate.text
    start, end = candidate.focus
    return candidate.text[max(start - candidate.start, 0) : end - candidate.start]


def _around(
    text: str, sentences: Sequence[tuple[int, int]], focus: tuple[int, int], asks_list: bool
) -> tuple[int, int] | None:
    """The sentences that ``focus`` touches, and the enumeration they stand in if it is asked."""
    touched = [i for i, (start, end) in enumerate(sentences) if start < focus[1] and end > focus[0]]
    if not touched:
        return None
    first, last = touched[0], touched[-1]
    if asks_list:
        first, last = _enumeration(text, sentences, first, last)
    # A few characters alone (an item of a list) say nothing without what leads to them.
    while first > 0 and sentences[last][1] - sentences[first][0] < _SHORT:
        first -= 1
    start, end = sentences[first][0], sentences[last][1]
    if end - start > _MOST_CHARACTERS:
        start, end = sentences[touched[0]][0], sentences[touched[-1]][1]
    return start, end


def _enumeration(
    text: str, sentences: Sequence[tuple[int, int]], first: int, last: int
) -> tuple[int, int]:
    def is_item(index: int) -> bool:
        start, end = sentences[index]
        return _ENUMERATOR.search(text[start:end]) is not None

    def leads_in(index: int) -> bool:
        start, end = sentences[index]
        return _LEAD_IN.search(text[start:end].rstrip("。；; ")) is not None

    begin, stop = first, last
    if leads_in(last) or is_item(last):
        while stop + 1 < len(sentences) and is_item(stop + 1):
            stop += 1
    if is_item(first):
        while begin > 0 and is_item(begin - 1):
            begin -= 1
        if begin > 0 and leads_in(begin - 1):
            begin -= 1
    return begin, stop


def _certainty(candidate: Candidate) -> float:
    """How sure the reader is, softened: it doubts most questions in other words than the text's."""
    reading = candidate.hit.reading
    if reading is None:
        return 0.0
    softened = 1.0 / (1.0 + math.exp(-max(min((reading.answerable + 2.0) / 2.0, 30.0), -30.0)))
    share = candidate.score / max(answerable(reading), 1e-9)
    return softened * math.sqrt(min(max(share, 0.0), 1.0))


def _overlaps(one: Candidate, other: Candidate) -> bool:
    return (
        one.hit.passage.document == other.hit.passage.document
        and one.start < other.end
        and other.start < one.end
    )


def _says_same(one: Candidate, other: Candidate) -> bool:
    """Whether the words that answer are the same: a second source adds no second answer."""
    if one.focus is None or other.focus is None:
        return False
    first, second = match_form(focus_text(one)), match_form(focus_text(other))
    return first in second or second in first
