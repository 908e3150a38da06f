"""The public sets beside the repository, as indexes and questions; read by `rag.evaluate`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.errors import RagError
from rag.evaluate.dataset import load
from rag.evaluate.questions import Dataset, Question
from rag.evaluate.readers import lines
from rag.indexer import Item

DATA = Path("../shared/data")

__all__ = ["DATA", "Question", "data_folder", "dataset", "items", "questions", "rows"]


def data_folder(name: str) -> Path:
    """A set's folder; ends the program with one line when it is not there."""
    folder = DATA / name
    if not folder.is_dir():
        sys.exit(f"{folder} is not there: put the public evaluation sets beside the repository")
    return folder


def dataset(name: str) -> Dataset:
    """A set; ends the program with one line when it cannot be used."""
    try:
        return load(data_folder(name))
    except RagError as error:
        sys.exit(str(error))


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file, or of its gzipped twin."""
    for _, row in lines.rows(lines.existing(path) or path):
        yield row


def questions(name: str) -> list[Question]:
    return list(dataset(name).questions)


def items(name: str, *, with_titles: bool) -> list[Item]:
    """The set's documents; without titles a passage must be found by its text alone."""
    return [text.item(with_title=with_titles) for text in dataset(name).texts]
