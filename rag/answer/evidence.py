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

from rag.answer.entities import missing_entities
from rag.answer.extract import Candidate, coverage
from rag.chinese import tokenize
from rag.types import Hit, State

FEATURES = ("sentence_cosine", "passage_coverage", "unseen_share", "missing_entities")
COEFFICIENTS = Path(__file__).with_name("evidence.json")


@dataclass(frozen=True, slots=True)
class Evidence:
    """``probability`` that the passages answer the question, and the state it leads to."""

    probability: float
    state: State


def features(
    question: str, hits: Sequence[Hit], ranked: Sequence[Candidate], weights: dict[str, float]
) -> tuple[float, ...]:
    """The values of `FEATURES`, each in [0, 1].

    The best sentence's cosine to the question; the largest share of the question's weight that
    one passage holds; the share that no passage holds; and whether the best passage lacks none
    (0), one (0.5) or more (1) of the places, numbers and Latin names of the question.
    """
    if not hits or not ranked:
        return (0.0, 0.0, 1.0, 1.0)
    texts = [f"{hit.title} {hit.passage.heading} {hit.passage.text}" for hit in hits]
    tokens = [set(tokenize(text)) for text in texts]
    everything = set().union(*tokens)
    return (
        max(candidate.cosine for candidate in ranked),
        max(coverage(weights, found) for found in tokens),
        1.0 - coverage(weights, everything),
        min(missing_entities(question, texts), 2) / 2,
    )


def judge(values: Sequence[float], *, answered: float, uncertain: float) -> Evidence:
    """The state for feature ``values``: probabilities from ``answered`` up are answered, from
    ``uncertain`` up uncertain, the rest not found."""
    coefficients, intercept = _model()
    score = intercept + sum(c * v for c, v in zip(coefficients, values, strict=True))
    probability = 1.0 / (1.0 + math.exp(-max(min(score, 60.0), -60.0)))
    if probability >= answered:
        state = State.ANSWERED
    elif probability >= uncertain:
        state = State.UNCERTAIN
    else:
        state = State.NOT_FOUND
    return Evidence(probability, state)


@lru_cache(maxsize=1)
def _model() -> tuple[tuple[float, ...], float]:
    content = json.loads(COEFFICIENTS.read_text(encoding="utf-8"))
    return tuple(content["coefficients"][name] for name in FEATURES), content["intercept"]
