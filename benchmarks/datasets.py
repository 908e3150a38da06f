"""Evaluation sets in the schema of ../shared/data, as indexes and questions.

``corpus.jsonl`` = {id, title, text}, ``questions.jsonl`` = {id, question, answers,
positive_ids, answerable}, either gzipped or not.
"""

import gzip
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.indexer import Item
from rag.types import Block, BlockKind, SourceText

DATA = Path("../shared/data")


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    text: str
    answers: tuple[str, ...]
    positives: frozenset[str]
    is_answerable: bool
    kind: str = ""

    @property
    def is_development(self) -> bool:
        """The half that may be tuned on: ids that hash even. The other half is reported."""
        return hashlib.sha256(self.id.encode()).digest()[0] % 2 == 0


def data_folder(name: str) -> Path:
    """A set's folder; ends the program with one line when it is not there."""
    folder = DATA / name
    if not folder.is_dir():
        sys.exit(f"{folder} is not there: put the public evaluation sets beside the repository")
    return folder


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file, or of its gzipped twin."""
    if path.is_file():
        with path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)
    else:
        with gzip.open(path.with_name(path.name + ".gz"), "rt", encoding="utf-8") as file:
            yield from map(json.loads, file)


def questions(name: str) -> list[Question]:
    return [
        Question(
            str(row["id"]),
            row["question"],
            tuple(row["answers"]),
            frozenset(row["positive_ids"]),
            row["answerable"],
            row.get("type") or "",
        )
        for row in rows(data_folder(name) / "questions.jsonl")
    ]


def items(name: str, *, with_titles: bool) -> list[Item]:
    """The set's documents; without titles a passage must be found by its text alone."""
    return [_item(row, with_titles) for row in rows(data_folder(name) / "corpus.jsonl")]


def _item(row: dict[str, Any], with_titles: bool) -> Item:
    text: str = row["text"]
    title = row["title"] if with_titles else " "

    def load() -> SourceText:
        return SourceText(text, (Block(BlockKind.PARAGRAPH, 0, len(text)),), title=title)

    digest = hashlib.sha256(f"{title}\n{text}".encode()).hexdigest()
    return Item(str(row["id"]), str(row["id"]), digest, lambda: digest, load)
