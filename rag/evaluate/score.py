"""All deterministic metrics of one question, from what the assistant answered.

Rules that hold for every metric:

- A refusal is the state 资料中未找到. An uncertain answer is an answer.
- An answerable question that was refused or failed scores 0 on every answer metric: silence is
  never dropped from a mean. Citation metrics are of answers that were given.
- ``outcome.correct`` is the one number a question comes down to: 1 for a refusal where there is no
  answer, 0 for an answer there; else `rag.evaluate.answer_metrics.correctness`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rag.evaluate.abilities import INTEGRATION, abilities_of, ability_metrics
from rag.evaluate.answer_metrics import answer_metrics, contains, correctness
from rag.evaluate.citation_metrics import Supports, citation_metrics, supported_by_words
from rag.evaluate.questions import Question
from rag.evaluate.retrieval_metrics import ranking_metrics
from rag.types import State

OUTCOME = "outcome.correct"
_RIGHT = 0.5


def is_refused(answer: Mapping[str, Any]) -> bool:
    return bool(answer["state"] == State.NOT_FOUND.value)


def plain_text(answer: Mapping[str, Any]) -> str:
    """An answer's text without its marks; "" for a refusal."""
    if is_refused(answer):
        return ""
    return "\n".join(sentence["text"] for sentence in answer["sentences"])


def score_answer(
    question: Question,
    answer: Mapping[str, Any] | None,
    *,
    supports: Supports = supported_by_words,
) -> dict[str, float]:
    """Answer, citation and ability metrics.

    Args:
        answer: the JSON of `rag.wire.answer_to_json`, None when the question failed.
    """
    refused = answer is not None and is_refused(answer)
    text = plain_text(answer) if answer is not None else ""
    metrics: dict[str, float] = {}
    correct: float | None = float(refused)
    if question.is_answerable:
        metrics = answer_metrics(
            text,
            answers=question.answers,
            key_facts=question.key_facts,
            span=str(answer.get("span") or "") if answer is not None and not refused else "",
        )
        correct = correctness(metrics)
    if correct is not None:
        metrics[OUTCOME] = correct
    if answer is not None and not refused:
        metrics |= citation_metrics(answer, question, supports)
    abilities = abilities_of(question.kind, question.abilities)
    if abilities:
        metrics |= ability_metrics(
            abilities,
            text=text,
            is_refused=refused,
            is_correct=_holds_answer(question, metrics, text, abilities),
        )
    return metrics


def score_ranking(
    question: Question, documents: Sequence[str], passages: Sequence[str], holding: set[str]
) -> dict[str, float]:
    """Retrieval metrics; ``documents`` and ``passages`` are rankings, ``holding`` the ids of the
    passages that hold an answer."""
    metrics: dict[str, float] = {}
    if question.positives:
        metrics |= ranking_metrics("document", question.positives, documents)
    if holding:
        metrics |= ranking_metrics("passage", holding, passages)
    return metrics


def is_right(metrics: Mapping[str, float]) -> bool | None:
    """Whether a question counts as answered rightly; None where nothing says so.

    Runs that only retrieve have no answers: there the right document has to come first.
    """
    value = metrics.get(OUTCOME, metrics.get("retrieval.document.hit@1"))
    return None if value is None else value >= _RIGHT


def _holds_answer(
    question: Question, metrics: Mapping[str, float], text: str, abilities: Sequence[str]
) -> bool:
    if question.key_facts and (INTEGRATION in abilities or not question.answers):
        return metrics.get("answer.key_facts", 0.0) == 1.0
    return bool(text) and contains(question.answers, text) == 1.0
