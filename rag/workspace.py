"""What each file became, kept between runs of `rag index` so that nothing is done twice.

One SQLite file beside the generations (WAL, one commit a file): a run killed at any moment
resumes at the file it was reading. Passage ids come from AUTOINCREMENT, which never reuses one.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.errors import CorpusIndexError
from rag.retrieve.documents import document_from_json, document_to_json
from rag.types import Document, Passage

FloatArray = npt.NDArray[np.float32]
NAME = "work.sqlite3"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS roots (path TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS files (
  key TEXT PRIMARY KEY, document TEXT NOT NULL UNIQUE, stamp TEXT NOT NULL,
  sha256 TEXT NOT NULL, recipe TEXT NOT NULL, body TEXT NOT NULL, vectors BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS passages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL REFERENCES files (key) ON DELETE CASCADE,
  start INTEGER NOT NULL, "end" INTEGER NOT NULL, heading TEXT NOT NULL, page INTEGER
);
CREATE INDEX IF NOT EXISTS passages_key ON passages (key);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a file without reading it: ``stamp`` is its size and time of change."""

    key: str
    document: str
    stamp: str
    sha256: str
    recipe: str


class Workspace:
    """The work file of one index; used by the process that holds the index's lock."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        with self._translated():
            self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        try:
            return _connect(self._path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            # Damaged: set aside for whoever wants to look, and work from the files again.
            for path in self._path.parent.glob(NAME + "*"):
                if not path.name.endswith(".damaged"):
                    path.replace(path.with_name(path.name + ".damaged"))
            return _connect(self._path)

    def roots(self) -> list[str]:
        with self._translated():
            rows = self._connection.execute("SELECT path FROM roots ORDER BY rowid").fetchall()
        return [row[0] for row in rows]

    def set_roots(self, roots: Sequence[str]) -> None:
        with self._translated(), self._connection:
            self._connection.execute("DELETE FROM roots")
            self._connection.executemany("INSERT INTO roots VALUES (?)", [(r,) for r in roots])

    def entries(self) -> dict[str, Entry]:
        """Every file by key."""
        query = "SELECT key, document, stamp, sha256, recipe FROM files"
        with self._translated():
            return {row[0]: Entry(*row) for row in self._connection.execute(query)}

    def put(
        self, entry: Entry, document: Document, passages: Sequence[Passage], vectors: FloatArray
    ) -> None:
        """Replace what is known of a file; its passages get new ids. One transaction."""
        with self._translated(), self._connection:
            self._connection.execute("DELETE FROM files WHERE key = ?", (entry.key,))
            self._connection.execute(
                "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    entry.key,
                    entry.document,
                    entry.stamp,
                    entry.sha256,
                    entry.recipe,
                    document_to_json(document),
                    np.ascontiguousarray(vectors, np.float32).tobytes(),
                ),
            )
            self._connection.executemany(
                'INSERT INTO passages (key, start, "end", heading, page) VALUES (?, ?, ?, ?, ?)',
                [(entry.key, p.start, p.end, p.heading, p.page) for p in passages],
            )

    def touch(self, key: str, stamp: str) -> None:
        """A file was written again with the same content."""
        with self._translated(), self._connection:
            self._connection.execute("UPDATE files SET stamp = ? WHERE key = ?", (stamp, key))

    def remove(self, keys: Sequence[str]) -> None:
        with self._translated(), self._connection:
            self._connection.executemany("DELETE FROM files WHERE key = ?", [(k,) for k in keys])

    def contents(self, dimension: int) -> tuple[list[Document], list[Passage], FloatArray]:
        """Everything, for a new generation: vectors have one row a passage."""
        with self._translated():
            return self._contents(dimension)

    def _contents(self, dimension: int) -> tuple[list[Document], list[Passage], FloatArray]:
        documents: list[Document] = []
        passages: list[Passage] = []
        vectors = [np.zeros((0, dimension), np.float32)]
        for key, body, blob in self._connection.execute(
            "SELECT key, body, vectors FROM files ORDER BY document"
        ):
            document = document_from_json(body)
            documents.append(document)
            vectors.append(np.frombuffer(blob, np.float32).reshape(-1, dimension))
            rows = self._connection.execute(
                'SELECT id, start, "end", heading, page FROM passages WHERE key = ? ORDER BY id',
                (key,),
            )
            passages.extend(
                Passage(document.id, start, end, document.text[start:end], heading, page, number)
                for number, start, end, heading, page in rows
            )
        return documents, passages, np.concatenate(vectors)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if not isinstance(error, sqlite3.OperationalError):  # its content, not its place
                raise CorpusIndexError(
                    f"工作文件 {self._path} 已损坏（{error}）。现有索引仍可使用；"
                    "请删除此文件后重新运行 rag index（会重新读取全部文件）"
                ) from error
            raise CorpusIndexError(
                f"无法写入 {self._path}（{error}）。已处理的文件不会丢失；请检查磁盘空间与权限后重新运行 rag index"
            ) from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.executescript(_SCHEMA)
    return connection
