"""The database's schema as numbered steps; a step that was released never changes.

Step n (from 1) is ``MIGRATIONS[n - 1]``, a few statements that happen together or not at all. The
number of the last one done is SQLite's ``user_version``.
"""

from typing import Final

COUNTED_FROM: Final = 3  # the step that brings the count of writes
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    # 1: conversations. `texts` holds the match form of titles (number 0) and turns for searching;
    # everything that hangs on a conversation goes with it.
    (
        """
        CREATE TABLE conversations (
          id TEXT PRIMARY KEY, person TEXT NOT NULL, title TEXT NOT NULL,
          created TEXT NOT NULL, updated TEXT NOT NULL
        )
        """,
        "CREATE INDEX conversations_newest ON conversations (person, updated, id)",
        """
        CREATE TABLE turns (
          id TEXT PRIMARY KEY, person TEXT NOT NULL, number INTEGER NOT NULL, asked TEXT NOT NULL,
          conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
          settings_digest TEXT NOT NULL, generation TEXT NOT NULL, answer BLOB NOT NULL,
          UNIQUE (conversation, number)
        )
        """,
        """
        CREATE TABLE texts (
          person TEXT NOT NULL, number INTEGER NOT NULL,
          conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
          text TEXT NOT NULL,
          UNIQUE (conversation, number)
        )
        """,
        "CREATE INDEX texts_person ON texts (person)",
    ),
    # 2: feedback. It is a record of its own: deleting a conversation leaves it, so it refers to
    # the turn by name only and keeps the whole trace.
    (
        """
        CREATE TABLE feedback (
          id TEXT PRIMARY KEY, person TEXT NOT NULL, turn TEXT NOT NULL, given TEXT NOT NULL,
          rating TEXT NOT NULL, reason TEXT, comment TEXT NOT NULL, status TEXT NOT NULL,
          settings_digest TEXT NOT NULL, generation TEXT NOT NULL,
          earlier TEXT NOT NULL, answer BLOB NOT NULL,
          UNIQUE (person, turn)
        )
        """,
        "CREATE INDEX feedback_newest ON feedback (given, id)",
        """
        CREATE TABLE handling (
          number INTEGER PRIMARY KEY,
          feedback TEXT NOT NULL REFERENCES feedback (id) ON DELETE CASCADE,
          status TEXT NOT NULL, note TEXT NOT NULL, who TEXT NOT NULL, done TEXT NOT NULL,
          gold TEXT
        )
        """,
        "CREATE INDEX handling_feedback ON handling (feedback, number)",
    ),
    # 3: how often was written: a file with a lower count than its copy has lost something.
    (
        "CREATE TABLE writes (count INTEGER NOT NULL)",
        "INSERT INTO writes VALUES (0)",
    ),
)
