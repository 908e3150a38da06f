"""Extractive answering: the sentences of the passages that answer, quoted, nothing invented.

A sentence is scored by how much of the question's meaning-bearing text it holds (rare tokens
count more), by its cosine to the question, and by its passage's rank. Weights were chosen on
tests/data/development_questions.jsonl and even-hashed questions of cmrc2018-dev-abstain.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.chinese import match_form, to_simplified, tokenize
from rag.sentences import sentence_spans
from rag.types import BlockKind, Document, Hit

FloatArray = npt.NDArray[np.float32]
# Asking words say what kind of answer is wanted, not what it is about.
_ASKING = re.compile(
    "请问|请说明|请介绍|请列出|告诉我|我想知道|想问一下|想了解|是不是|有没有|能不能|可不可以|是否|"
    "什么时候|什么样|为什么|怎么样|怎么办|怎样|如何|哪一年|哪年|哪一|哪些|哪个|哪几|哪里|哪家|哪|"
    "多少|多大|多久|几个|几款|几家|几|什么|啥|谁|何时|何地|何|吗|呢|吧|呀|么|"
    "分别|主要|具体|一下|关于|有关|根据|按照|文中|文章|资料|提到|介绍"
)
_QUESTION_MARKS = re.compile(r"[?？]")
COVERAGE_WEIGHT = 0.5
COSINE_WEIGHT = 0.35
PASSAGE_WEIGHT = 0.15
KIND_WEIGHT = 0.1
# What kind of thing a question asks for, and what a sentence that names such a thing holds.
_KINDS = (
    (
        re.compile("多少|几[^乎]|数量|规模|比例|占比|剂量|人数|总数|多大|多久|多长"),
        re.compile(
            r"[0-9]|[一二三四五六七八九十百千万亿两]{2,}|[一二三四五六七八九十两][个项类种款家名位大条]"
        ),
    ),
    (
        re.compile("何时|什么时候|哪一?年|哪一?天|哪个月|几月|几号|日期|时间|啥时候"),
        re.compile(r"[0-9]{4}年|[0-9]{1,2}月|[0-9]{4}-[0-9]{1,2}|[〇零一二三四五六七八九]{4}年"),
    ),
)
_KEEP_RATIO = 0.86
_MOST_SENTENCES = 3
_MOST_CHARACTERS = 360
# The range over which e5 cosines of question and sentence tell anything (random pairs: 0.8).
_COSINE_LOW, _COSINE_HIGH = 0.78, 0.95


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a hit's passage: ``[start, end)`` in the document's text. ``focus`` are the
    words that answer, where a reader named them."""

    hit: Hit
    start: int
    end: int
    text: str
    score: float
    focus: tuple[int, int] | None = None
    cosine: float = 0.0
    coverage: float = 0.0


def topic(question: str) -> str:
    """The question without its asking words, in `match_form`."""
    text = _ASKING.sub(" ", match_form(question))
    return _QUESTION_MARKS.sub(" ", text)


def token_weights(
    question: str, document_share: Callable[[str], float], passages: int
) -> dict[str, float]:
    """Weight of each token of the question's topic: its inverse document frequency.

    ``idf = log(1 + 1 / share)``, with a share of at least half a passage for unseen tokens, so
    that a name the documents never mention weighs most.
    """
    floor = 0.5 / max(passages, 1)
    return {
        token: math.log1p(1.0 / max(document_share(token), floor))
        for token in dict.fromkeys(tokenize(topic(question)))
    }


def coverage(weights: dict[str, float], tokens: Iterable[str]) -> float:
    """The share of the question's weight that ``tokens`` hold, in [0, 1]."""
    total = sum(weights.values())
    if not total:
        return 0.0
    present = set(tokens)
    return sum(weight for token, weight in weights.items() if token in present) / total


def units(document: Document, start: int, end: int) -> list[tuple[int, int]]:
    """What of ``document.text[start:end]`` can stand as an answer: sentences and whole table rows.

    Headings are left out: they name a subject and say nothing of it.
    """
    special = [
        (max(block.start, start), min(block.end, end), block.kind)
        for block in document.blocks
        if block.kind in (BlockKind.HEADING, BlockKind.TABLE_ROW)
        and block.start < end
        and block.end > start
    ]
    found: list[tuple[int, int]] = []
    position = start
    for first, last, kind in [*special, (end, end, BlockKind.HEADING)]:
        found.extend(
            (position + a, position + b) for a, b in sentence_spans(document.text[position:first])
        )
        if kind is BlockKind.TABLE_ROW:
            found.append((first, last))
        position = last
    return found


def names_what_is_asked(question: str, sentence: str) -> bool:
    """Whether a sentence holds a number or date where the question asks for one.

    False for questions that ask for neither.
    """
    asked, said = match_form(question), match_form(sentence)
    return any(asks.search(asked) and names.search(said) for asks, names in _KINDS)


def candidates(
    question: str,
    hits: Sequence[Hit],
    *,
    weights: dict[str, float],
    document: Callable[[str], Document],
    encode_question: Callable[[str], FloatArray],
    encode_sentences: Callable[[Sequence[str]], FloatArray],
) -> list[Candidate]:
    """Every sentence of the hits' passages with its score, best first.

    A span that two overlapping passages share is taken once, from the better passage.
    """
    spans: dict[tuple[str, int, int], Hit] = {}
    for hit in hits:
        passage = hit.passage
        for start, end in units(document(passage.document), passage.start, passage.end):
            spans.setdefault((passage.document, start, end), hit)
    found = [
        (hit, start, end, hit.passage.text[start - hit.passage.start : end - hit.passage.start])
        for (_, start, end), hit in spans.items()
    ]
    if not found:
        return []
    vectors = encode_sentences([to_simplified(text) for *_, text in found])
    cosines = vectors @ encode_question(to_simplified(question))
    result = []
    for (hit, start, end, text), cosine in zip(found, cosines.tolist(), strict=True):
        # The section and title a sentence stands under are part of what it says.
        own = coverage(weights, tokenize(text))
        context = coverage(weights, tokenize(f"{hit.title} {hit.passage.heading} {text}"))
        covered = 0.75 * own + 0.25 * context
        near = min(max((cosine - _COSINE_LOW) / (_COSINE_HIGH - _COSINE_LOW), 0.0), 1.0)
        score = (
            COVERAGE_WEIGHT * covered
            + COSINE_WEIGHT * near
            + PASSAGE_WEIGHT * hit.score
            + KIND_WEIGHT * names_what_is_asked(question, text)
        )
        result.append(Candidate(hit, start, end, text, score, cosine=cosine, coverage=covered))
    return sorted(result, key=lambda c: (-c.score, c.hit.passage.document, c.start))


def choose(ranked: Sequence[Candidate]) -> list[Candidate]:
    """The sentences that make the answer, best first.

    The best one, and those nearly as good, up to three sentences or 360 characters.
    """
    chosen: list[Candidate] = []
    length = 0
    for candidate in ranked[:_MOST_SENTENCES]:
        length += len(candidate.text)
        if chosen and (
            candidate.score < _KEEP_RATIO * ranked[0].score or length > _MOST_CHARACTERS
        ):
            break
        chosen.append(candidate)
    return chosen
