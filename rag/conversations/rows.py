"""Rows of the database as values and back; every look-up names the person.

Answers are kept whole in the JSON of `rag.wire`, so that a reopened citation shows its quote,
original, title and date even when the index has moved on.
"""

import json
from sqlite3 import Connection
from typing import Any

from rag.conversations import texts
from rag.conversations.faults import ConversationMissing, DatabaseFault
from rag.conversations.kept import Conversation, Origin, Turn
from rag.conversations.sealed import seal, unseal
from rag.types import Answer
from rag.unwire import answer_from_json
from rag.wire import answer_to_json

LIST = (
    "SELECT id, title, created, updated,"
    " (SELECT count(*) FROM turns WHERE conversation = conversations.id) FROM conversations"
)
TURNS = "SELECT id, conversation, number, asked, settings_digest, generation, answer FROM turns"


def known(person: str) -> str:
    """The person, who must be somebody: an empty id would gather everybody without one."""
    if not person:
        raise ValueError("a person's id is empty")
    return person


def answer_to_bytes(answer: Answer) -> bytes:
    """An answer to keep: the JSON of `rag.wire`, and whether it is finished. Half characters
    (lone surrogates), which a model may write, stay what they are."""
    values = {**answer_to_json(answer), "finished": answer.finished}
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return seal(text.encode("utf-8", "surrogatepass"))


def answer_from_bytes(kept: bytes) -> Answer:
    """The twin of `answer_to_bytes`.

    Raises:
        DatabaseFault: the bytes are damaged.
    """
    try:
        return answer_from_json(json.loads(unseal(kept).decode("utf-8", "surrogatepass")))
    except (ValueError, KeyError, TypeError) as error:
        raise DatabaseFault(
            "一次问答在对话数据库中已损坏，无法打开。请重启服务，系统会用副本恢复；"
            "没有副本时请从备份恢复 [conversations] directory",
            "这次问答在对话数据库中已损坏，无法打开。请联系信息科",
        ) from error


def turn_of(connection: Connection, person: str, turn: str) -> Turn:
    """A turn of that person.

    Raises:
        ConversationMissing: there is none, or it is somebody else's.
    """
    row = connection.execute(
        f"{TURNS} WHERE id = ? AND person = ?", (turn, known(person))
    ).fetchone()
    if row is None:
        raise ConversationMissing("没有这次问答，它可能已被删除或修改。请刷新后重试")
    return turn_from(row)


def insert_conversation(
    connection: Connection, person: str, conversation: str, title: str, time: str
) -> Conversation:
    """An empty conversation of that person, made at ``time``."""
    connection.execute(
        "INSERT INTO conversations VALUES (?, ?, ?, ?, ?)",
        (conversation, known(person), title, time, time),
    )
    texts.keep(connection, person, conversation, texts.TITLE, title)
    return Conversation(conversation, title, time, time, 0)


def insert_turn(connection: Connection, person: str, turn: Turn) -> None:
    connection.execute(
        "INSERT INTO turns (id, person, conversation, number, asked, settings_digest, generation,"
        " answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            turn.id,
            person,
            turn.conversation,
            turn.number,
            turn.asked,
            turn.origin.settings_digest,
            turn.origin.generation,
            answer_to_bytes(turn.answer),
        ),
    )
    texts.keep(connection, person, turn.conversation, turn.number, texts.of_answer(turn.answer))
    connection.execute(
        "UPDATE conversations SET updated = ? WHERE id = ? AND person = ?",
        (turn.asked, turn.conversation, person),
    )


def turn_from(row: tuple[Any, ...]) -> Turn:
    turn, conversation, number, asked, digest, generation, answer = row
    origin = Origin(digest, generation)
    return Turn(turn, conversation, number, asked, origin, answer_from_bytes(answer))


def turns_of(connection: Connection, person: str, conversation: str) -> tuple[Turn, ...]:
    """All turns of that person's conversation, oldest first."""
    rows = connection.execute(
        f"{TURNS} WHERE conversation = ? AND person = ? ORDER BY number",
        (conversation, known(person)),
    ).fetchall()
    return tuple(map(turn_from, rows))


def last_of(connection: Connection, person: str, conversation: str) -> tuple[str, int]:
    """Id and number of the last turn; ("", 0) where there is none."""
    row = connection.execute(
        "SELECT id, number FROM turns WHERE conversation = ? AND person = ?"
        " ORDER BY number DESC LIMIT 1",
        (conversation, known(person)),
    ).fetchone()
    return ("", 0) if row is None else (row[0], row[1])


def conversation_of(connection: Connection, person: str, conversation: str) -> Conversation:
    row = connection.execute(
        f"{LIST} WHERE id = ? AND person = ?", (conversation, known(person))
    ).fetchone()
    if row is None:
        raise ConversationMissing("没有这个对话，它可能已被删除。请刷新对话列表")
    return Conversation(*row)


def set_title(connection: Connection, person: str, conversation: str, title: str) -> None:
    connection.execute(
        "UPDATE conversations SET title = ? WHERE id = ? AND person = ?",
        (title, conversation, person),
    )
    texts.keep(connection, person, conversation, texts.TITLE, title)
