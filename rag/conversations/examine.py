"""A database file looked through, without changing it: whole, damaged, and how far it has come."""

import contextlib
import sqlite3
from enum import Enum, auto
from pathlib import Path

from rag.conversations.sealed import is_intact

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
# Everything is read, because bytes that are no text are found by reading only; what is sealed
# comes first.
_READ = {
    "turns": "SELECT answer, * FROM turns",
    "feedback": "SELECT answer, * FROM feedback",
    "conversations": "SELECT * FROM conversations",
    "texts": "SELECT * FROM texts",
    "handling": "SELECT * FROM handling",
}
_SEALED = ("turns", "feedback")


class Condition(Enum):
    """What looking through a file came to; unknown where it cannot be opened or is held."""

    WHOLE = auto()
    DAMAGED = auto()
    UNKNOWN = auto()


def condition(path: Path) -> Condition:
    """Whether SQLite finds the file in order and every answer in it is what was written."""
    try:
        with contextlib.closing(_look(path)) as connection:
            if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                return Condition.DAMAGED
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (name,) in names.fetchall():
                for first, *_ in connection.execute(_READ[name]) if name in _READ else ():
                    if name in _SEALED and not is_intact(first):
                        return Condition.DAMAGED
    except sqlite3.DatabaseError as error:
        # Python's own error about bytes that are no UTF-8 has no code.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        return Condition.DAMAGED if code in _DAMAGE else Condition.UNKNOWN
    return Condition.WHOLE


def writes(path: Path) -> int:
    """How many writes a file has seen; -1 where that cannot be read."""
    try:
        with contextlib.closing(_look(path)) as connection:
            return int(connection.execute("SELECT count FROM writes").fetchone()[0])
    except (sqlite3.Error, TypeError, ValueError):
        return -1


def _look(path: Path) -> sqlite3.Connection:
    """Read-only: what is looked at stays as it is, a write-ahead log too."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.1)
