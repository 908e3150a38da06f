"""Feedback as an evaluation set: a clinician's complaint becomes an evaluator's question.

``questions.jsonl`` has the schema of `rag.evaluate.readers.schema` with what was said as further
fields; it holds what the right answer is known for: complaints whose handling says so, and
answers that were praised. ``unreviewed.jsonl`` holds the other complaints in the same shape, for
somebody to fill in: to call them answerable or not by guess would measure the guess. Who said
something is not written.
"""

import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rag.conversations.feedback import FeedbackStore
from rag.conversations.kept import Feedback, Gold, Handling, Rating, Status
from rag.types import State
from rag.wire import answer_to_json

QUESTIONS: Final = "questions.jsonl"
UNREVIEWED: Final = "unreviewed.jsonl"
_POINTER: Final = "dataset.toml"
_MARK = re.compile(r"\[\d{1,3}\]")


@dataclass(frozen=True, slots=True)
class Written:
    """How many questions an evaluator can ask, and how many wait for somebody to fill them in."""

    questions: int
    unreviewed: int


def write_evaluation_set(
    store: FeedbackStore, folder: Path, *, name: str = "feedback", documents: Sequence[Path] = ()
) -> Written:
    """Write all feedback that was neither withdrawn nor rejected, oldest first.

    Args:
        documents: files or folders the questions are asked of (`dataset.toml` then points to
            them); without any they are asked of an index that exists.
    """
    questions: list[dict[str, Any]] = []
    unreviewed: list[dict[str, Any]] = []
    for feedback in reversed(list(_everything(store))):
        if feedback.status in (Status.WITHDRAWN, Status.REJECTED):
            continue
        record = store.handlings(feedback.id)
        gold = _gold(feedback, record)
        (unreviewed if gold is None else questions).append(_question(feedback, record, gold))
    folder.mkdir(parents=True, exist_ok=True)
    _write_lines(folder / QUESTIONS, questions)
    _write_lines(folder / UNREVIEWED, unreviewed)
    if documents:
        paths = [Path(os.path.relpath(path, folder)).as_posix() for path in documents]
        pointer = {"name": name, "documents": paths, "questions": QUESTIONS}
        # A JSON string or list of strings is TOML too.
        lines = [
            f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in pointer.items()
        ]
        (folder / _POINTER).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Written(len(questions), len(unreviewed))


def _everything(store: FeedbackStore) -> Iterable[Feedback]:
    after = None
    while page := store.all(count=100, after=after):
        yield from page
        after = page[-1]


def _gold(feedback: Feedback, record: Sequence[Handling]) -> Gold | None:
    """What is known of the right answer: the last word of the handling, or the praised answer."""
    for step in reversed(record):
        if step.gold is not None:
            return step.gold
    answer = feedback.answer
    if feedback.rating is not Rating.UP:
        return None
    if answer.state is State.NOT_FOUND:
        return Gold(is_answerable=False)
    text = answer.span or _MARK.sub("", answer.text).strip()
    documents = tuple(dict.fromkeys(citation.document for citation in answer.citations))
    return Gold(is_answerable=True, answers=(text,) if text else (), documents=documents)


def _question(feedback: Feedback, record: Sequence[Handling], gold: Gold | None) -> dict[str, Any]:
    answer = feedback.answer
    known = gold or Gold(is_answerable=False)
    return {
        "id": f"feedback-{feedback.id}",
        # What stands alone: a follow-up as it was rewritten for searching.
        "question": answer.search_question or answer.question,
        "answers": list(known.answers),
        "positive_ids": list(known.documents),
        "answerable": known.is_answerable if gold else None,
        "type": f"feedback-{feedback.reason or feedback.rating}",
        "asked": answer.question,
        "earlier": list(feedback.earlier),
        "feedback": {
            "rating": feedback.rating,
            "reason": feedback.reason,
            "comment": feedback.comment,
            "given": feedback.given,
            "status": feedback.status,
        },
        "handling": [asdict(step) for step in record],
        "settings_digest": feedback.origin.settings_digest,
        "generation": feedback.origin.generation,
        "trace": answer_to_json(answer),
    }


def _write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(text.encode("utf-8", "replace"))
