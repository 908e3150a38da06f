"""What people say of an answer, and what became of it (暂行办法, Art. 15).

Feedback keeps the whole trace: the answer with its passages, verdicts and timings, the model, the
digest of the settings, the generation of the index, the questions before. So it stays readable
and measurable when the conversation is deleted; it goes when its author withdraws it before
anybody dealt with it, or when it is erased.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Any, Final

from rag.conversations.database import Database
from rag.conversations.faults import ConversationError, ConversationMissing
from rag.conversations.kept import (
    Feedback,
    Gold,
    Handling,
    Origin,
    Rating,
    Reason,
    Status,
    new_id,
)
from rag.conversations.rows import answer_from_bytes, answer_to_bytes, known, turn_of, turns_of
from rag.conversations.store import now
from rag.conversations.texts import encodable
from rag.settings import Settings

COMMENT_LENGTH: Final = 2000
_MOST = 200  # at once
_SELECT = (
    "SELECT id, person, turn, given, rating, reason, comment, status, settings_digest, generation,"
    " earlier, answer FROM feedback"
)
_KEEP = (  # not INSERT OR REPLACE, which would take the handling record with the old row
    "INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET (given, rating, reason, comment, status) ="
    " (excluded.given, excluded.rating, excluded.reason, excluded.comment, excluded.status)"
)
# What does not shape an answer, or is a secret.
_OTHER_SETTINGS: Final[dict[str, bool | set[str]]] = {
    "serve": True,
    "api": True,
    "conversations": True,
    "compliance": True,
    "eval": True,
    "openai": {"api_key"},
}


class FeedbackStore:
    """Feedback of everyone. `give`, `withdraw` and `of_conversation` serve one person; the other
    methods are for those who handle complaints, and whoever calls them checks that they may.

    Every method raises `ConversationMissing` for an unknown id, and `ConversationError` or
    `ConversationBusy` when the database fails.
    """

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._clock = clock

    def give(
        self,
        person: str,
        turn: str,
        rating: Rating,
        *,
        reason: Reason | None = None,
        comment: str = "",
    ) -> Feedback:
        """Rate an answer; rating it again replaces the rating and opens it anew.

        Raises:
            ConversationError: a reason is missing or out of place, or the comment too long.
        """
        if (rating is Rating.DOWN) != (reason is not None):
            raise ConversationError(
                "请选择一个原因：有误、无依据、引用不对、不完整或不安全"
                if reason is None
                else "好评不需要原因。请去掉原因后再提交"
            )
        comment = encodable(comment).strip()
        if len(comment) > COMMENT_LENGTH:
            raise ConversationError(
                f"说明有 {len(comment)} 个字，超过上限 {COMMENT_LENGTH} 个字。请缩短后再提交"
            )
        with self._database.write() as connection:
            rated = turn_of(connection, person, turn)
            turns = turns_of(connection, person, rated.conversation)
            feedback = Feedback(
                id=new_id(),
                person=person,
                turn=turn,
                given=self._time(),
                rating=rating,
                reason=reason,
                comment=comment,
                status=Status.OPEN,
                origin=rated.origin,
                earlier=tuple(t.answer.question for t in turns if t.number < rated.number),
                answer=rated.answer,
            )
            before = _of_turn(connection, person, turn)
            if before is not None:  # keeps its id, and so its handling record
                feedback = replace(feedback, id=before.id)
            connection.execute(_KEEP, _row(feedback))
        return feedback

    def withdraw(self, person: str, turn: str) -> None:
        """Take a feedback back: it goes, or is marked withdrawn where handling had begun."""
        with self._database.write() as connection:
            feedback = _of_turn(connection, known(person), turn)
            if feedback is None:
                raise ConversationMissing("没有这条反馈，它可能已被撤回。请刷新后重试")
            (steps,) = connection.execute(
                "SELECT count(*) FROM handling WHERE feedback = ?", (feedback.id,)
            ).fetchone()
            if steps:
                _set_status(connection, feedback.id, Status.WITHDRAWN)
            else:
                connection.execute("DELETE FROM feedback WHERE id = ?", (feedback.id,))
        self._database.forget()

    def of_conversation(self, person: str, conversation: str) -> dict[str, Feedback]:
        """What a person said in one conversation, by turn."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE person = ?1 AND status <> 'withdrawn'"  # noqa: S608  constants
                " AND turn IN (SELECT id FROM turns WHERE conversation = ?2 AND person = ?1)",
                (known(person), conversation),
            ).fetchall()
        return {one.turn: one for one in map(_feedback, rows)}

    def all(
        self,
        *,
        status: Status | None = None,
        rating: Rating | None = None,
        count: int = 50,
        after: Feedback | None = None,
    ) -> tuple[Feedback, ...]:
        """Everyone's feedback, newest first; ``after`` is the last one of the page before."""
        place = ("", "") if after is None else (after.given, after.id)
        with self._database.read() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE (?1 IS NULL OR status = ?1)"
                " AND (?2 IS NULL OR rating = ?2) AND (?3 = '' OR (given, id) < (?3, ?4))"
                " ORDER BY given DESC, id DESC LIMIT ?5",
                (status, rating, *place, min(max(count, 1), _MOST)),
            ).fetchall()
        return tuple(map(_feedback, rows))

    def get(self, feedback: str) -> Feedback:
        """One feedback with its trace."""
        with self._database.read() as connection:
            return _get(connection, feedback)

    def handle(
        self, feedback: str, status: Status, *, note: str, who: str, gold: Gold | None = None
    ) -> Feedback:
        """Add a step to the handling record; ``gold`` makes the complaint a test question.

        Raises:
            ConversationError: nobody is named, or the gold answer says nothing.
        """
        if not who.strip():
            raise ConversationError("处理记录没有写处理人。请登录后再处理")
        if gold is not None and gold.is_answerable and not (gold.answers or gold.documents):
            raise ConversationError(
                "标为资料可以回答，但没有写正确答案，也没有选依据文档。请补上其一"
            )
        with self._database.write() as connection:
            handled = _get(connection, feedback)
            connection.execute(
                "INSERT INTO handling (feedback, status, note, who, done, gold)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    feedback,
                    status,
                    encodable(note),
                    encodable(who),
                    self._time(),
                    None if gold is None else json.dumps(asdict(gold)),
                ),
            )
            _set_status(connection, feedback, status)
        return replace(handled, status=status)

    def handlings(self, feedback: str) -> tuple[Handling, ...]:
        """The handling record, oldest step first."""
        with self._database.read() as connection:
            _get(connection, feedback)
            rows = connection.execute(
                "SELECT status, note, who, done, gold FROM handling WHERE feedback = ?"
                " ORDER BY number",
                (feedback,),
            ).fetchall()
        return tuple(
            Handling(Status(status), note, who, done, _gold(gold))
            for status, note, who, done, gold in rows
        )

    def erase(self, feedback: str) -> None:
        """Remove a feedback, its trace and its handling record, as a person may demand."""
        with self._database.write() as connection:
            _get(connection, feedback)
            connection.execute("DELETE FROM feedback WHERE id = ?", (feedback,))
        self._database.forget()

    def erase_person(self, person: str) -> int:
        """Remove all a person said; how many there were."""
        with self._database.write() as connection:
            erased = connection.execute(
                "DELETE FROM feedback WHERE person = ?", (known(person),)
            ).rowcount
        self._database.forget()
        return erased

    def _time(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="microseconds")


def settings_digest(settings: Settings) -> str:
    """A name for all settings that shape an answer; no secret goes into it."""
    values = settings.model_dump(mode="json", exclude=_OTHER_SETTINGS)
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]


def _get(connection: Connection, feedback: str) -> Feedback:
    row = connection.execute(f"{_SELECT} WHERE id = ?", (feedback,)).fetchone()
    if row is None:
        raise ConversationMissing("没有这条反馈，它可能已被撤回或删除。请刷新后重试")
    return _feedback(row)


def _of_turn(connection: Connection, person: str, turn: str) -> Feedback | None:
    row = connection.execute(f"{_SELECT} WHERE person = ? AND turn = ?", (person, turn)).fetchone()
    return None if row is None else _feedback(row)


def _set_status(connection: Connection, feedback: str, status: Status) -> None:
    connection.execute("UPDATE feedback SET status = ? WHERE id = ?", (status, feedback))


def _row(feedback: Feedback) -> tuple[Any, ...]:
    return (
        feedback.id,
        feedback.person,
        feedback.turn,
        feedback.given,
        feedback.rating,
        feedback.reason,
        feedback.comment,
        feedback.status,
        feedback.origin.settings_digest,
        feedback.origin.generation,
        json.dumps(feedback.earlier),
        answer_to_bytes(feedback.answer),
    )


def _feedback(row: tuple[Any, ...]) -> Feedback:
    identifier, person, turn, given, rating, reason, comment, status, digest, generation = row[:10]
    return Feedback(
        id=identifier,
        person=person,
        turn=turn,
        given=given,
        rating=Rating(rating),
        reason=None if reason is None else Reason(reason),
        comment=comment,
        status=Status(status),
        origin=Origin(digest, generation),
        earlier=tuple(json.loads(row[10])),
        answer=answer_from_bytes(row[11]),
    )


def _gold(kept: str | None) -> Gold | None:
    if kept is None:
        return None
    values = json.loads(kept)
    return Gold(values["is_answerable"], tuple(values["answers"]), tuple(values["documents"]))
