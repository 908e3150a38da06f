"""What a data set is made of: questions, and the documents they are asked about."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from rag.evaluate.faults import DatasetError
from rag.indexer import Item
from rag.types import Block, BlockKind, SourceText


@dataclass(frozen=True, slots=True)
class Question:
    """One question with all that its answer is measured by.

    ``answers`` are alternatives, ``positives`` the ids of the documents that hold an answer,
    ``evidence`` alternative spans that prove it, ``key_facts`` what a full answer must name (each
    may give wordings separated by ``|``), ``abilities`` of `rag.evaluate.abilities`, ``line`` where
    the question stands in its file.
    """

    id: str
    text: str
    answers: tuple[str, ...]
    positives: frozenset[str]
    is_answerable: bool
    kind: str = ""
    evidence: tuple[str, ...] = ()
    key_facts: tuple[str, ...] = ()
    abilities: tuple[str, ...] = ()
    line: int = 0

    @property
    def is_development(self) -> bool:
        """The half that may be tuned on: ids that hash even. The other half is reported."""
        return hashlib.sha256(self.id.encode()).digest()[0] % 2 == 0


@dataclass(frozen=True, slots=True)
class CorpusText:
    """A document of a data set that brings its own."""

    id: str
    title: str
    text: str
    source: str = ""

    def item(self, *, with_title: bool = True) -> Item:
        """What the indexer takes; without its title a passage must be found by its text alone."""
        title = self.title if with_title else " "

        def load() -> SourceText:
            block = Block(BlockKind.PARAGRAPH, 0, len(self.text))
            return SourceText(self.text, (block,), title=title, source=self.source)

        digest = hashlib.sha256(f"{title}\n{self.text}".encode()).hexdigest()
        return Item(self.id, self.id, digest, lambda: digest, load)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Questions and what they are asked of.

    Documents come as ``texts``, or as files under ``documents``, or (neither) from an index that
    exists. ``sha256`` is of everything, ``corpus_sha256`` of the documents alone;
    ``questions_file`` is where faults of questions are.
    """

    name: str
    path: Path
    questions_file: Path
    questions: tuple[Question, ...]
    texts: tuple[CorpusText, ...] = ()
    documents: tuple[Path, ...] = ()
    sha256: str = ""
    corpus_sha256: str = ""

    @property
    def has_documents(self) -> bool:
        return bool(self.texts or self.documents)

    def check_positives(self, known: Collection[str]) -> None:
        """Refuse a question that names a document which is not there.

        Raises:
            DatasetError: the first such question.
        """
        for question in self.questions:
            for positive in sorted(question.positives):
                if positive not in known:
                    raise DatasetError(
                        self.questions_file,
                        f"问题 {question.id} 的 positive_ids 指向不存在的文档 {positive!r}",
                        "请改正编号，或补上文档",
                        line=question.line,
                    )


def digest(*files: Path) -> str:
    """SHA-256 of the files' contents, in the order given."""
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
