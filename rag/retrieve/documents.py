"""Documents and passage spans of one generation, in a read-only SQLite file.

A passage's text is not stored: it is ``document.text[start:end]``, always.
"""

import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rag.errors import CorpusIndexError
from rag.offsets import OffsetMap, Segment
from rag.types import Block, BlockKind, Document, PageStart, Passage

_SCHEMA = """
CREATE TABLE documents (
  id TEXT PRIMARY KEY, title TEXT, source TEXT, date TEXT, collection TEXT, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE passages (
  id INTEGER PRIMARY KEY, document TEXT NOT NULL, start INTEGER, "end" INTEGER,
  heading TEXT, page INTEGER
);
CREATE INDEX passages_document ON passages (document);
"""
_DETAILS = """
SELECT d.id, d.title, d.source, d.date, d.collection,
  json_extract(d.body, '$.path'), json_extract(d.body, '$.sha256'),
  coalesce(json_extract(d.body, '$.pages[#-1][0]'), 0),
  (SELECT count(*) FROM passages p WHERE p.document = d.id)
FROM documents d ORDER BY d.id
"""
_CACHED_DOCUMENTS = 64


@dataclass(frozen=True, slots=True)
class About:
    """What a list shows of a document, without its text."""

    id: str
    title: str
    source: str
    date: str
    collection: str


@dataclass(frozen=True, slots=True)
class Detail:
    """A document as a library shows it: the number of its last page (0 without pages), how many
    passages it has, the file it was read from and that file's digest."""

    id: str
    title: str
    source: str
    date: str
    collection: str
    path: str
    sha256: str
    pages: int
    passages: int


class DocumentStore:
    """Reads documents and passages; safe from several threads.

    The file never changes once it is named, so the connection stays valid even after a newer
    generation has removed it.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            rows = self._rows("SELECT id, title, source, date, collection FROM documents")
        except sqlite3.Error as error:
            raise CorpusIndexError(
                f"索引文件 {path} 缺失或损坏（{error}）。请运行 rag index 重建"
            ) from error
        self._about = {row[0]: About(*row) for row in rows}
        self.document = lru_cache(maxsize=_CACHED_DOCUMENTS)(self._document)
        self.details = lru_cache(maxsize=1)(self._details)

    @staticmethod
    def write(path: Path, documents: Iterable[Document], passages: Iterable[Passage]) -> None:
        connection = sqlite3.connect(path)
        try:
            # One writer, fsynced as a whole by the caller: a journal would only cost time.
            connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _SCHEMA)
            connection.executemany(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (d.id, d.title, d.source, d.date, d.collection, document_to_json(d))
                    for d in documents
                ),
            )
            connection.executemany(
                "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?)",
                ((p.id, p.document, p.start, p.end, p.heading, p.page) for p in passages),
            )
            connection.commit()
        finally:
            connection.close()

    def abouts(self) -> list[About]:
        """All documents, by id."""
        return [self._about[key] for key in sorted(self._about)]

    def about(self, document: str) -> About:
        return self._about[document]

    def _details(self) -> tuple[Detail, ...]:
        """All documents, by id; worked out once, the file never changes."""
        rows = self._rows(_DETAILS)
        return tuple(Detail(*row) for row in rows)

    def __contains__(self, document: str) -> bool:
        return document in self._about

    def _document(self, document: str) -> Document:
        rows = self._rows("SELECT body FROM documents WHERE id = ?", (document,))
        if not rows:
            raise CorpusIndexError(f"索引中没有文档 {document}。它可能已被删除，请刷新后重试")
        return document_from_json(rows[0][0])

    def passages(self, ids: Sequence[int]) -> dict[int, Passage]:
        """Passages by id, their text cut from their documents."""
        marks = ",".join("?" * len(ids))
        query = (
            f'SELECT id, document, start, "end", heading, page FROM passages WHERE id IN ({marks})'  # noqa: S608  marks only
        )
        found = {}
        for number, name, start, end, heading, page in self._rows(query, ids):
            text = self.document(name).text[start:end]
            found[number] = Passage(name, start, end, text, heading, page, number)
        return found

    def passage_ids(self, collections: Collection[str]) -> set[int]:
        """Ids of the passages whose document is in one of the collections."""
        names = [a.id for a in self._about.values() if a.collection in collections]
        ids: set[int] = set()
        for name in names:
            rows = self._rows("SELECT id FROM passages WHERE document = ?", (name,))
            ids.update(row[0] for row in rows)
        return ids

    def count(self) -> tuple[int, int]:
        """How many documents and passages there are."""
        return len(self._about), int(self._rows("SELECT count(*) FROM passages")[0][0])

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, tuple(values)).fetchall()

    def close(self) -> None:
        self._connection.close()


def document_to_json(document: Document) -> str:
    """A document as one JSON object; `document_from_json` is its inverse."""
    return json.dumps(
        {
            "id": document.id,
            "title": document.title,
            "text": document.text,
            # Undamaged text is stored once.
            "original": None if document.original == document.text else document.original,
            "offsets": [
                [s.start, s.end, s.original_start, s.original_end, s.is_part]
                for s in document.offsets.segments
            ],
            "blocks": [[b.kind.value, b.start, b.end, b.level] for b in document.blocks],
            "pages": [[p.number, p.start] for p in document.pages],
            "source": document.source,
            "date": document.date,
            "collection": document.collection,
            "path": document.path,
            "sha256": document.sha256,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def document_from_json(text: str) -> Document:
    values = json.loads(text)
    original = values["original"]
    return Document(
        **{
            **values,
            "original": values["text"] if original is None else original,
            "offsets": OffsetMap(tuple(Segment(*s) for s in values["offsets"])),
            "blocks": tuple(Block(BlockKind(b[0]), *b[1:]) for b in values["blocks"]),
            "pages": tuple(PageStart(*p) for p in values["pages"]),
        }
    )
