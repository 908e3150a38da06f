"""Do the retrieved passages hold an answer? A probability, and the state that follows from it.

A logistic regression over a few features of the question and what was found. No similarity alone
can tell: random pairs of this embedder already reach a cosine of 0.8. The coefficients in
evidence.json are made by ``python -m benchmarks.calibrate``, which names the development
questions it used; no question that is reported on was among them.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rag.answer.answer_type import lacks_asked_type
from rag.answer.entities import missing_entities
from rag.answer.extract import Candidate, coverage
from rag.chinese import to_simplified, tokenize
from rag.types import LOGIT_LIMIT, Hit, State, limited

SIMILARITY = ("sentence_cosine", "passage_coverage", "unseen_share", "missing_entities")
# No similarity among them: near misses repeat the words of their passages, and everyday questions
# do not. Left in, it drew the article's near misses over the threshold (DECISIONS.md).
READING = ("answerable", "relevance", "span_probability", "missing_entities", "lacks_asked_type")
COEFFICIENTS = Path(__file__).with_name("evidence.json")


@dataclass(frozen=True, slots=True)
class Features:
    """Values in the order of their ``names``, which is `SIMILARITY` or `READING`."""

    names: tuple[str, ...]
    values: tuple[float, ...]

    @property
    def model(self) -> str:
        """The name of the model in evidence.json that weighs them."""
        return "reading" if self.names is READING else "similarity"


@dataclass(frozen=True, slots=True)
class Evidence:
    """``probability`` that the passages answer the question, and the state it leads to."""

    probability: float
    state: State


def similarity_features(
    question: str, hits: Sequence[Hit], ranked: Sequence[Candidate], weights: dict[str, float]
) -> Features:
    """The features of `SIMILARITY`, each in [0, 1].

    The best sentence's cosine to the question; the largest share of the question's weight that
    one passage holds; the share that no passage holds; and whether the best passage lacks none
    (0), one (0.5) or more (1) of the places, numbers and Latin names of the question.
    """
    if not hits or not ranked:
        return Features(SIMILARITY, (0.0, 0.0, 1.0, 1.0))
    tokens = [set(tokenize(text)) for text in _texts(hits)]
    values = (
        max(candidate.cosine for candidate in ranked),
        max(coverage(weights, found) for found in tokens),
        1.0 - coverage(weights, set().union(*tokens)),
        _missing(question, hits),
    )
    return Features(SIMILARITY, values)


def reading_features(question: str, hits: Sequence[Hit]) -> Features:
    """The features of `READING`.

    The best answerability and the best relevance (logits within ±8), the share of the best span in
    the passage that most likely answers, the last of `SIMILARITY`, and whether that span is no
    number or time though the question asks for one.
    """
    read = [(hit.passage.text, hit.reading) for hit in hits if hit.reading is not None]
    if not read:
        return Features(READING, (-LOGIT_LIMIT, -LOGIT_LIMIT, 0.0, 1.0, 0.0))
    text, best = max(read, key=lambda pair: pair[1].answerable)
    found = text[best.spans[0].start : best.spans[0].end] if best.spans else ""
    return Features(
        READING,
        (
            limited(best.answerable),
            limited(max(reading.relevance for _, reading in read)),
            best.spans[0].probability if best.spans else 0.0,
            _missing(question, hits),
            float(lacks_asked_type(to_simplified(question), to_simplified(found))),
        ),
    )


def judge(
    features: Features,
    *,
    answered: float,
    uncertain: float | None = None,
    false_answers: float = 0.1,
) -> Evidence:
    """The state for ``features``: probabilities from ``answered`` up are answered, from
    ``uncertain`` up uncertain, the rest not found.

    Where ``uncertain`` is None it is the threshold over which the share ``false_answers`` of the
    unanswerable development questions came.
    """
    model = _model(features.model)
    pairs = zip(features.names, features.values, strict=True)
    score = model.intercept + sum(model.coefficients[name] * value for name, value in pairs)
    probability = 1.0 / (1.0 + math.exp(-max(min(score, 60.0), -60.0)))
    least = model.threshold(false_answers) if uncertain is None else uncertain
    if probability < least:
        state = State.NOT_FOUND
    elif probability < answered:
        state = State.UNCERTAIN
    else:
        state = State.ANSWERED
    return Evidence(probability, state)


def _texts(hits: Sequence[Hit]) -> list[str]:
    """Each passage under its title and heading."""
    return [f"{hit.title} {hit.passage.heading} {hit.passage.text}" for hit in hits]


def _missing(question: str, hits: Sequence[Hit]) -> float:
    return min(missing_entities(question, _texts(hits)), 2) / 2


@dataclass(frozen=True, slots=True)
class _Model:
    """A fitted logistic regression; ``thresholds`` are (share of false answers, probability)."""

    coefficients: dict[str, float]
    intercept: float
    thresholds: tuple[tuple[float, float], ...]

    def threshold(self, share: float) -> float:
        """The probability over which ``share`` of the unanswerable questions came, between the
        measured shares by a straight line."""
        below = [pair for pair in self.thresholds if pair[0] <= share] or [self.thresholds[0]]
        above = [pair for pair in self.thresholds if pair[0] >= share] or [self.thresholds[-1]]
        (first, high), (last, low) = below[-1], above[0]
        return high if first == last else high + (low - high) * (share - first) / (last - first)


@lru_cache(maxsize=2)
def _model(name: str) -> _Model:
    content = json.loads(COEFFICIENTS.read_text(encoding="utf-8"))[name]
    thresholds = tuple((share, chance) for share, chance in content["thresholds"])
    return _Model(content["coefficients"], content["intercept"], thresholds)
