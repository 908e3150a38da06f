"""Conversations of one person: list, search, create, rename, delete, append, edit, reopen.

Every query names the person, so a conversation of somebody else is not there, whatever id is
sent. Whether a document still holds what an old answer quotes, `rag.conversations.standing` says.
"""

import logging
import threading
import time
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from sqlite3 import Connection
from typing import Final

from rag.conversations import texts
from rag.conversations.database import Database
from rag.conversations.faults import ConversationError, ConversationMissing
from rag.conversations.kept import Conversation, Found, Origin, Page, Turn, new_id
from rag.conversations.rows import (
    LIST,
    conversation_of,
    insert_conversation,
    insert_turn,
    known,
    last_of,
    set_title,
    turn_of,
    turns_of,
)
from rag.types import Answer

logger = logging.getLogger(__name__)

TITLE_LENGTH: Final = 60
_DAY_SECONDS: Final = 24 * 60 * 60.0
_MOST = 200  # conversations at once
_NO_ORIGIN: Final = Origin()


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
        with self._database.write() as connection:
            return insert_conversation(
                connection, person, new_id(), clean_title(title), self._time()
            )

    def conversations(self, person: str, *, count: int = 30, after: str = "") -> Page:
        """One page of the list; ``after`` is the `Page.following` of the page before."""
        count = min(max(count, 1), _MOST)
        updated, _, last = after.partition("/")
        with self._database.read() as connection:
            rows = connection.execute(
                f"{LIST} WHERE person = ?1 AND (?2 = '' OR (updated, id) < (?2, ?3))"
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
                f"{LIST} WHERE person = ? ORDER BY updated DESC, id DESC", (person,)
            )
            for conversation in (Conversation(*row) for row in rows if row[0] in places):
                number = places[conversation.id]
                text = conversation.title
                if number != texts.TITLE:
                    turns = turns_of(connection, person, conversation.id)
                    text = next(texts.of_answer(t.answer) for t in turns if t.number == number)
                found.append(Found(conversation, number, texts.excerpt(text, words[0])))
                if len(found) == min(count, _MOST):
                    break
        return tuple(found)

    def get(self, person: str, conversation: str) -> Conversation:
        """What the list shows of one conversation."""
        with self._database.read() as connection:
            return conversation_of(connection, person, conversation)

    def turns(self, person: str, conversation: str) -> tuple[Turn, ...]:
        """A whole conversation, oldest question first."""
        with self._database.read() as connection:
            conversation_of(connection, person, conversation)
            return turns_of(connection, person, conversation)

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
            owned = conversation_of(connection, person, conversation)
            set_title(connection, person, conversation, title)
        return replace(owned, title=title)

    def delete(self, person: str, conversation: str) -> None:
        """Remove a conversation from the file, its turns and searched texts with it."""
        with self._database.write() as connection:
            conversation_of(connection, person, conversation)
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

    def append(
        self, person: str, conversation: str, answer: Answer, *, origin: Origin = _NO_ORIGIN
    ) -> Turn:
        """Keep a question with its answer, also one that was stopped (``finished`` False)."""
        with self._database.write() as connection:
            return self._append(connection, person, conversation, answer, origin)

    def begin(
        self, person: str, conversation: str, answer: Answer, *, origin: Origin = _NO_ORIGIN
    ) -> Turn:
        """As `append`, in a conversation that is made with this id of `new_id` if there is none."""
        with self._database.write() as connection:
            try:
                conversation_of(connection, person, conversation)
            except ConversationMissing:
                insert_conversation(connection, person, conversation, "", self._time())
            return self._append(connection, person, conversation, answer, origin)

    def _append(
        self,
        connection: Connection,
        person: str,
        conversation: str,
        answer: Answer,
        origin: Origin,
    ) -> Turn:
        owned = conversation_of(connection, person, conversation)
        _, last = last_of(connection, person, conversation)
        if not owned.title:
            set_title(connection, person, conversation, clean_title(answer.question))
        made = Turn(new_id(), conversation, last + 1, self._time(), origin, answer)
        insert_turn(connection, person, made)
        return made

    def replace_last(
        self,
        person: str,
        conversation: str,
        turn: str,
        answer: Answer,
        *,
        origin: Origin = _NO_ORIGIN,
    ) -> Turn:
        """Put an edited question and its answer in the place of the last turn.

        Raises:
            ConversationError: ``turn`` is not the last one any more, as after an edit in another
                window.
        """
        with self._database.write() as connection:
            conversation_of(connection, person, conversation)
            last, number = last_of(connection, person, conversation)
            if last != turn:
                raise ConversationError(
                    "这已不是最后一个问题，不能修改（可能已在另一个窗口继续）。请刷新后重试"
                )
            connection.execute("DELETE FROM turns WHERE id = ? AND person = ?", (turn, person))
            made = Turn(new_id(), conversation, number, self._time(), origin, answer)
            insert_turn(connection, person, made)
        self._database.forget()
        return made

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

    def _time(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="microseconds")


def purge_daily(store: ConversationStore, keep_days: int) -> None:
    """Purge now, and once a day for as long as the process runs.

    Raises:
        ConversationError: the database failed now; later it is only logged.
    """
    store.purge(keep_days)

    def purge() -> None:
        while True:
            time.sleep(_DAY_SECONDS)
            try:
                store.purge(keep_days)
            except ConversationError as error:
                logger.warning("old conversations stay: %s", error)

    if keep_days > 0:
        threading.Thread(target=purge, name="purge", daemon=True).start()


def clean_title(text: str) -> str:
    """One line without control and format characters, cut to `TITLE_LENGTH`."""
    line = " ".join(texts.encodable(text).split())
    # U+200D joins emoji; other format characters can turn the line's direction.
    shown = "".join(c for c in line if c == "\u200d" or unicodedata.category(c)[0] != "C")
    return shown if len(shown) <= TITLE_LENGTH else f"{shown[: TITLE_LENGTH - 1]}…"
