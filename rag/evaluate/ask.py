"""Asks one question through the clinicians' own `Assistant` and measures what came."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rag.assistant import Assistant
from rag.errors import (
    ContextOverflow,
    LanguageModelError,
    LanguageModelUnavailable,
    QuestionError,
    RagError,
)
from rag.evaluate.plan import Plan
from rag.evaluate.questions import Question
from rag.evaluate.results import Row
from rag.evaluate.retrieval_metrics import DEPTH, AnswerPassages, recalls
from rag.evaluate.score import score_answer, score_ranking
from rag.types import Hit
from rag.wire import answer_to_json, hit_to_json

# Why a result is to be asked again when the run is continued (its ``retry``).
UNREACHED, BROKEN = "unreached", "broken"
# How deep the ranking behind an answer is kept: enough passages for ten documents.
_MOST_PASSAGES = 50


class Judge(Protocol):
    """Gives a model's opinion of an answer; see `rag.evaluate.judge`."""

    def __call__(self, question: Question, answer: Mapping[str, Any]) -> dict[str, Any]: ...


class Asker:
    """Asks one question and measures what came; safe from several threads."""

    def __init__(
        self,
        plan: Plan,
        assistant: Assistant,
        asked: Sequence[Question],
        judge: Judge | None,
    ) -> None:
        self._retrieval_only = plan.retrieval_only
        self._assistant = assistant
        self._judge = judge
        # Never deeper than the search goes by itself: that would change what the answer is made from.
        self._depth = min(plan.settings.retrieve.candidates, _MOST_PASSAGES)
        positives = set().union(*(question.positives for question in asked))
        self._passages = AnswerPassages(assistant.index, positives)

    def __call__(self, question: Question) -> Row:
        row = _row(question)
        answer: dict[str, Any] | None = None
        hits: tuple[Hit, ...] = ()
        try:
            if self._retrieval_only:
                started = time.perf_counter()
                hits = self._assistant.search(question.text, top_k=self._depth)
                seconds = round(time.perf_counter() - started, 4)
                row["timings"] = {"retrieve": seconds, "total": seconds}
                row["hits"] = [hit_to_json(hit) for hit in hits[:DEPTH]]
            else:
                findings = self._assistant.examine(question.text, depth=self._depth)
                hits = findings.ranking
                *_, last = self._assistant.answer(findings)
                answer = answer_to_json(last)
        except RagError as error:
            _record(row, error)
        row["answer"] = answer
        metrics = {} if self._retrieval_only else score_answer(question, answer)
        if question.positives:
            metrics |= self._retrieval(question, row, hits)
        row["metrics"] = {name: round(value, 6) for name, value in sorted(metrics.items())}
        if self._judge is not None and answer is not None:
            row["judge"] = self._judge(question, answer)
        return row

    def _retrieval(self, question: Question, row: Row, hits: Sequence[Hit]) -> dict[str, float]:
        """Metrics of the ranking that the answer was made from the beginning of."""
        documents, passages = _rankings(hits)
        holding = self._passages.holding(question.answers, question.positives)
        row["recalls"] = {"document": recalls(question.positives, documents)}
        if holding:
            row["recalls"]["passage"] = recalls(holding, passages)
        return score_ranking(question, documents, passages, holding)


def _row(question: Question) -> Row:
    row: Row = {
        "id": question.id,
        "question": question.text,
        "type": question.kind,
        "answerable": question.is_answerable,
        "answers": list(question.answers),
        "positive_ids": sorted(question.positives),
        "error": None,
    }
    for name in ("evidence", "key_facts", "abilities"):
        if values := getattr(question, name):
            row[name] = list(values)
    return row


def _record(row: Row, error: RagError) -> None:
    row["error"] = str(error)
    # A prompt that does not fit never will; an answer that broke off may have been the first sign
    # of a dying model, or this model's way with this question: it is asked again, and does not
    # stop the run.
    if isinstance(error, LanguageModelUnavailable):
        row["retry"] = UNREACHED
    elif isinstance(error, LanguageModelError) and not isinstance(error, ContextOverflow):
        row["retry"] = BROKEN
    elif not isinstance(error, ContextOverflow | QuestionError):
        raise error


def _rankings(hits: Sequence[Hit]) -> tuple[list[str], list[str]]:
    documents = list(dict.fromkeys(hit.passage.document for hit in hits))
    return documents, [str(hit.passage.id) for hit in hits]
