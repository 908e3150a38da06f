"""Conversations of one person: list, search, create, rename, delete, append, edit, reopen.

Every query names the person, so a conversation of somebody else is not there, whatever id is
sent. Answers are kept whole in the JSON of `rag.wire`: a reopened citation shows its quote,
original, title and date even when the index has moved on (`rag.conversations.standing` says
whether the document still holds it).
"""

import json
import unicodedata
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from sqlite3 import Connection
from typing import Any, Final

from rag.conversations import texts
from rag.conversations.database import Database
from rag.conversations.faults import ConversationError, ConversationMissing
from rag.conversations.kept import Conversation, Found, Page, Turn
from rag.types import Answer
from rag.unwire import answer_from_json
from rag.wire import answer_to_json

TITLE_LENGTH: Final = 60
_MOST = 200  # conversations at once
_LIST = (
    "SELECT id, title, created, updated,"
    " (SELECT count(*) FROM turns WHERE conversation = conversations.id) FROM conversations"
)
_TURNS = "SELECT id, conversation, number, asked, answer FROM turns"


def now() -> datetime:
    return datetime.now(UTC)


class ConversationStore:
    """All people's conversations in one database; each method serves one person.

    Every method raises `ConversationMissing` for an id that is not that person's, and
    `ConversationError` or `ConversationBusy` when the database fails.
    """

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._clock = clock

    def create(self, person: str, title: str = "") -> Conversation:
        """An empty conversation; without a title the first question becomes it."""
        time, title = self._time(), clean_title(title)
        made = Conversation(uuid.uuid4().hex, title, time, time, 0)
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO conversations VALUES (?, ?, ?, ?, ?)",
                (made.id, known(person), title, time, time),
            )
            texts.keep(connection, person, made.id, texts.TITLE, title)
        return made

    def conversations(self, person: str, *, count: int = 30, after: str = "") -> Page:
        """One page of the list; ``after`` is the `Page.following` of the page before."""
        count = min(max(count, 1), _MOST)
        updated, _, last = after.partition("/")
        with self._database.read() as connection:
            rows = connection.execute(
                f"{_LIST} WHERE person = ?1 AND (?2 = '' OR (updated, id) < (?2, ?3))"
                " ORDER BY updated DESC, id DESC LIMIT ?4",
                (known(person), updated, last, count + 1),
            ).fetchall()
        found = tuple(Conversation(*row) for row in rows[:count])
        is_last = len(rows) <= count
        return Page(found, "" if is_last else f"{found[-1].updated}/{found[-1].id}")

    def search(self, person: str, query: str, *, count: int = 30) -> tuple[Found, ...]:
        """Conversations that hold every word (separated by spaces), newest first; both scripts,
        any width and case."""
        words = texts.words_of(query)
        if not words:
            return ()
        found = []
        with self._database.read() as connection:
            places = texts.sought(connection, known(person), words)
            rows = connection.execute(
                f"{_LIST} WHERE person = ? ORDER BY updated DESC, id DESC", (person,)
            )
            for conversation in (Conversation(*row) for row in rows if row[0] in places):
                number = places[conversation.id]
                text = conversation.title
                if number != texts.TITLE:
                    text = texts.of_answer(_turn_at(connection, conversation.id, number).answer)
                found.append(Found(conversation, number, texts.excerpt(text, words[0])))
                if len(found) == min(count, _MOST):
                    break
        return tuple(found)

    def get(self, person: str, conversation: str) -> Conversation:
        """What the list shows of one conversation."""
        with self._database.read() as connection:
            return _owned(connection, person, conversation)

    def turns(self, person: str, conversation: str) -> tuple[Turn, ...]:
        """A whole conversation, oldest question first."""
        with self._database.read() as connection:
            _owned(connection, person, conversation)
            rows = connection.execute(
                f"{_TURNS} WHERE conversation = ? ORDER BY number", (conversation,)
            ).fetchall()
        return tuple(map(_turn, rows))

    def turn(self, person: str, turn: str) -> Turn:
        """One question and its answer."""
        with self._database.read() as connection:
            return turn_of(connection, person, turn)

    def rename(self, person: str, conversation: str, title: str) -> Conversation:
        """Give a title, cut to `TITLE_LENGTH` characters; the place in the list stays.

        Raises:
            ConversationError: the title is empty.
        """
        title = clean_title(title)
        if not title:
            raise ConversationError("对话名称是空的。请输入一个名称")
        with self._database.write() as connection:
            owned = _owned(connection, person, conversation)
            _set_title(connection, person, conversation, title)
        return replace(owned, title=title)

    def delete(self, person: str, conversation: str) -> None:
        """Remove a conversation from the file, its turns and searched texts with it."""
        with self._database.write() as connection:
            _owned(connection, person, conversation)
            connection.execute(
                "DELETE FROM conversations WHERE id = ? AND person = ?", (conversation, person)
            )
        self._database.forget()

    def delete_person(self, person: str) -> int:
        """Remove all conversations of a person; how many there were."""
        with self._database.write() as connection:
            deleted = connection.execute(
                "DELETE FROM conversations WHERE person = ?", (known(person),)
            ).rowcount
        self._database.forget()
        return deleted

    def append(self, person: str, conversation: str, answer: Answer) -> Turn:
        """Keep a question with its answer, also one that was stopped (``finished`` False)."""
        with self._database.write() as connection:
            owned = _owned(connection, person, conversation)
            (last,) = connection.execute(
                "SELECT coalesce(max(number), 0) FROM turns WHERE conversation = ?",
                (conversation,),
            ).fetchone()
            if not owned.title:
                _set_title(connection, person, conversation, clean_title(answer.question))
            return self._insert(connection, person, conversation, last + 1, answer)

    def replace_last(self, person: str, conversation: str, turn: str, answer: Answer) -> Turn:
        """Put an edited question and its answer in the place of the last turn.

        Raises:
            ConversationError: ``turn`` is not the last one any more, as after an edit in another
                window.
        """
        with self._database.write() as connection:
            _owned(connection, person, conversation)
            row = connection.execute(
                "SELECT id, number FROM turns WHERE conversation = ? ORDER BY number DESC LIMIT 1",
                (conversation,),
            ).fetchone()
            if row is None or row[0] != turn:
                raise ConversationError(
                    "这已不是最后一个问题，不能修改（可能已在另一个窗口继续）。请刷新后重试"
                )
            connection.execute("DELETE FROM turns WHERE id = ? AND person = ?", (turn, person))
            replaced = self._insert(connection, person, conversation, row[1], answer)
        self._database.forget()
        return replaced

    def purge(self, keep_days: int) -> int:
        """Remove what nobody has continued for so many days (0: nothing); how many went."""
        if keep_days <= 0:
            return 0
        oldest = (self._clock() - timedelta(days=keep_days)).isoformat(timespec="microseconds")
        with self._database.write() as connection:
            deleted = connection.execute(
                "DELETE FROM conversations WHERE updated < ?", (oldest,)
            ).rowcount
        if deleted:
            self._database.forget()
        return deleted

    def _insert(
        self, connection: Connection, person: str, conversation: str, number: int, answer: Answer
    ) -> Turn:
        turn = Turn(uuid.uuid4().hex, conversation, number, self._time(), answer)
        connection.execute(
            "INSERT INTO turns (id, person, conversation, number, asked, answer)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (turn.id, person, conversation, number, turn.asked, answer_to_bytes(answer)),
        )
        texts.keep(connection, person, conversation, number, texts.of_answer(answer))
        connection.execute(
            "UPDATE conversations SET updated = ? WHERE id = ?", (turn.asked, conversation)
        )
        return turn

    def _time(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="microseconds")


def known(person: str) -> str:
    """The person, who must be somebody: an empty id would gather everybody without one."""
    if not person:
        raise ValueError("a person's id is empty")
    return person


def clean_title(text: str) -> str:
    """One line without control characters, cut to `TITLE_LENGTH`."""
    line = " ".join(texts.encodable(text).split())
    shown = "".join(c for c in line if unicodedata.category(c) not in ("Cc", "Cn", "Co"))
    return shown if len(shown) <= TITLE_LENGTH else f"{shown[: TITLE_LENGTH - 1]}…"


def answer_to_bytes(answer: Answer) -> bytes:
    """An answer to keep: the JSON of `rag.wire`, and whether it is finished. Half characters
    (lone surrogates), which a model may write, stay what they are."""
    values = {**answer_to_json(answer), "finished": answer.finished}
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def answer_from_bytes(kept: bytes) -> Answer:
    """The twin of `answer_to_bytes`."""
    return answer_from_json(json.loads(kept.decode("utf-8", "surrogatepass")))


def turn_of(connection: Connection, person: str, turn: str) -> Turn:
    """A turn of that person.

    Raises:
        ConversationMissing: there is none, or it is somebody else's.
    """
    row = connection.execute(
        f"{_TURNS} WHERE id = ? AND person = ?", (turn, known(person))
    ).fetchone()
    if row is None:
        raise ConversationMissing("没有这次问答，它可能已被删除或修改。请刷新后重试")
    return _turn(row)


def _turn(row: tuple[Any, ...]) -> Turn:
    turn, conversation, number, asked, answer = row
    return Turn(turn, conversation, number, asked, answer_from_bytes(answer))


def _turn_at(connection: Connection, conversation: str, number: int) -> Turn:
    return _turn(
        connection.execute(
            f"{_TURNS} WHERE conversation = ? AND number = ?", (conversation, number)
        ).fetchone()
    )


def _owned(connection: Connection, person: str, conversation: str) -> Conversation:
    row = connection.execute(
        f"{_LIST} WHERE id = ? AND person = ?", (conversation, known(person))
    ).fetchone()
    if row is None:
        raise ConversationMissing("没有这个对话，它可能已被删除。请刷新对话列表")
    return Conversation(*row)


def _set_title(connection: Connection, person: str, conversation: str, title: str) -> None:
    connection.execute(
        "UPDATE conversations SET title = ? WHERE id = ? AND person = ?",
        (title, conversation, person),
    )
    texts.keep(connection, person, conversation, texts.TITLE, title)
