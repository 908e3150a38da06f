"""An index on disk, and searching it.

::

    DIR/
      CURRENT               the name of the generation that answers
      work.sqlite3          what each file became (rag.indexer); may be deleted at a price in time
      lock                  held by the one process that writes
      g-<digest>/           one generation, never changed once it is named
        documents.sqlite3   documents and passage spans
        vectors.faiss       passage vectors
        keyword/            BM25
        manifest.json       written last: models, sizes, documents, digests of the files above

A generation is written in a folder of another name, fsynced and renamed; then CURRENT is replaced.
Killed at any moment, either the old generation answers or the new one.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import CorpusIndexError
from rag.retrieve.documents import DocumentStore
from rag.retrieve.embed import Encoder
from rag.retrieve.fuse import fuse
from rag.retrieve.keyword import KeywordIndex
from rag.retrieve.vectors import VectorIndex
from rag.types import Document, Hit, Passage

FORMAT = 1
CURRENT = "CURRENT"
MANIFEST = "manifest.json"
DOCUMENTS = "documents.sqlite3"
VECTORS = "vectors.faiss"
KEYWORD = "keyword"
_MEND = "请运行 rag index 重建（原文件不受影响）"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that shapes passages and vectors; indexes of different recipes do not mix."""

    embedding: str
    embedding_fingerprint: str
    dimension: int
    split_size: int
    split_overlap: int
    clean: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        text = json.dumps([FORMAT, *self.as_json().values()], ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, Any]:
        return {
            "embedding": self.embedding,
            "embedding_fingerprint": self.embedding_fingerprint,
            "dimension": self.dimension,
            "split_size": self.split_size,
            "split_overlap": self.split_overlap,
            "clean": list(self.clean),
        }


def index_text(document: Document, passage: Passage) -> str:
    """What is embedded and indexed for a passage: its document's title, its section, its text.

    A passage that says 该模型 is found by the model's name when the title has it.
    """
    head = " ".join(part for part in (document.title, passage.heading) if part)
    return f"{head}\n{passage.text}" if head else passage.text


def write_generation(
    directory: Path,
    recipe: Recipe,
    documents: Sequence[Document],
    passages: Sequence[Passage],
    vectors: npt.NDArray[np.float32],
    *,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Write a generation under ``directory`` and make it the current one.

    Passages carry their ids; ``vectors`` has one row a passage. The caller holds the lock.

    Raises:
        CorpusIndexError: the disk is full or the folder cannot be written; the old generation
            still answers.
    """
    say = progress or (lambda _: None)
    by_id = {document.id: document for document in documents}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".writing-", dir=directory))
        try:
            DocumentStore.write(aside / DOCUMENTS, documents, passages)
            store = VectorIndex(recipe.dimension)
            ids = [passage.id for passage in passages]
            store.add(ids, vectors)
            store.save(aside / VECTORS)
            say("建立关键词索引")
            texts = [index_text(by_id[passage.document], passage) for passage in passages]
            KeywordIndex(ids, texts).save(aside / KEYWORD)
            manifest = _manifest(recipe, documents, passages, aside)
            (aside / MANIFEST).write_text(
                json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8"
            )
            for path in (*_files(aside), aside / KEYWORD, aside):
                _fsync(path)
            target = directory / f"g-{digest(aside / MANIFEST)[:16]}"
            if target.exists():  # the same content again
                shutil.rmtree(aside)
            else:
                aside.rename(target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        _point_at(directory, target.name)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CorpusIndexError(
            f"索引无法写入 {directory}（{reason}）。原索引未受影响；请检查磁盘空间与权限后重试"
        ) from error
    _sweep(directory, keep=target.name)
    return target


def is_published(
    directory: Path, recipe: Recipe, documents: Sequence[Document], passages: Sequence[Passage]
) -> bool:
    """Whether the current generation holds exactly these documents and passages."""
    try:
        manifest = read_manifest(directory)
    except CorpusIndexError:
        return False
    return all(
        manifest.get(key) == value for key, value in _summary(recipe, documents, passages).items()
    ) and all((directory / manifest["generation"] / name).is_file() for name in manifest["files"])


def _summary(
    recipe: Recipe, documents: Sequence[Document], passages: Sequence[Passage]
) -> dict[str, Any]:
    """What tells one content from another; passage ids never repeat, so the last one dates it."""
    return {
        "format": FORMAT,
        "recipe": recipe.as_json(),
        "documents": {document.id: document.sha256 for document in documents},
        "passages": len(passages),
        "last_passage": max((passage.id for passage in passages), default=0),
    }


def read_manifest(directory: Path) -> dict[str, Any]:
    """The manifest of the current generation.

    Raises:
        CorpusIndexError: there is no index, or its manifest cannot be read.
    """
    try:
        name = (directory / CURRENT).read_text(encoding="utf-8").strip()
        content = json.loads((directory / name / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CorpusIndexError(f"还没有索引：{directory}。请先运行 rag index") from error
    except (OSError, ValueError) as error:
        raise CorpusIndexError(f"索引 {directory} 已损坏（{error}）。{_MEND}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CorpusIndexError(f"索引 {directory} 由其他版本的程序建立。{_MEND}")
    return {**content, "generation": name}


class CorpusIndex:
    """A loaded generation. Reading is safe from several threads."""

    def __init__(
        self,
        directory: Path,
        generation: str,
        documents: DocumentStore,
        vectors: VectorIndex,
        keyword: KeywordIndex,
    ) -> None:
        self.directory = directory
        self.generation = generation
        self.documents = documents
        self.vectors = vectors
        self.keyword = keyword

    @classmethod
    def load(cls, directory: Path, recipe: Recipe) -> "CorpusIndex":
        """Load the current generation.

        Raises:
            CorpusIndexError: no index, damaged files, or made with another embedding model,
                split size or cleaning than ``recipe``.
        """
        manifest = read_manifest(directory)
        try:
            return cls._load(directory, manifest, recipe)
        except CorpusIndexError:
            # A writer may have replaced the generation between the two reads.
            newer = read_manifest(directory)
            if newer["generation"] == manifest["generation"]:
                raise
            return cls._load(directory, newer, recipe)

    @classmethod
    def _load(cls, directory: Path, manifest: dict[str, Any], recipe: Recipe) -> "CorpusIndex":
        _refuse_other_recipe(directory, manifest["recipe"], recipe)
        folder = directory / manifest["generation"]
        for name, (size, _) in manifest["files"].items():
            path = folder / name
            if not path.is_file() or path.stat().st_size != size:
                raise CorpusIndexError(f"索引文件 {path} 缺失或不完整。{_MEND}")
        return cls(
            directory,
            manifest["generation"],
            DocumentStore(folder / DOCUMENTS),
            VectorIndex.load(folder / VECTORS),
            KeywordIndex.load(folder / KEYWORD),
        )

    def search(
        self,
        question: str,
        encoder: Encoder,
        *,
        mode: str = "hybrid",
        count: int = 6,
        candidates: int = 50,
        weight: float = 0.5,
        collections: Collection[str] | None = None,
    ) -> tuple[Hit, ...]:
        """The best passages for a question, best first.

        Candidates are the best ``candidates`` of each ranking; their scores are fused by
        `rag.retrieve.fuse`. ``collections`` restricts the search before it runs.
        """
        if not len(self.vectors):
            return ()
        vector = encoder.encode_query([question])[0]
        keyword = self.keyword.scores(question)
        allowed = None
        if collections is not None:
            allowed = self.documents.passage_ids(collections)
            if not allowed:
                return ()
        ids: list[int] = []
        if mode != "keyword":
            ids.extend(self.vectors.search(vector, candidates, allowed=allowed)[0].tolist())
        if mode != "dense":
            ids.extend(self._best_keyword(keyword, candidates, allowed))
        ids = list(dict.fromkeys(ids))
        cosines = self.vectors.cosines(vector, ids)
        matches = keyword[self.keyword.rows(ids)]
        share = {"hybrid": weight, "dense": 1.0, "keyword": 0.0}[mode]
        scores = fuse(cosines, matches, weight=share)
        # Ties fall to the lower id, so that the same question always gets the same order.
        order = np.lexsort((np.asarray(ids), -scores))[:count]
        found = self.documents.passages([ids[i] for i in order])
        hits = []
        for i in order.tolist():
            passage = found[ids[i]]
            about = self.documents.about(passage.document)
            hits.append(
                Hit(
                    passage=passage,
                    title=about.title,
                    score=float(scores[i]),
                    dense=float(cosines[i]),
                    keyword=float(matches[i]),
                    source=about.source,
                    date=about.date,
                )
            )
        return tuple(hits)

    def _best_keyword(
        self,
        scores: npt.NDArray[np.float32],
        count: int,
        allowed: Collection[int] | None,
    ) -> list[int]:
        if allowed is not None:
            mask = np.isin(self.keyword.ids, np.fromiter(allowed, np.int64, len(allowed)))
            scores = np.where(mask, scores, 0.0)
        count = min(count, len(scores))
        rows = np.argpartition(-scores, count - 1)[:count]
        return [int(self.keyword.ids[row]) for row in rows if scores[row] > 0]

    def close(self) -> None:
        self.documents.close()


def _refuse_other_recipe(directory: Path, stored: dict[str, Any], recipe: Recipe) -> None:
    wanted = recipe.as_json()
    names = {
        "embedding": "向量模型",
        "embedding_fingerprint": "向量模型版本",
        "dimension": "向量维度",
        "split_size": "切分长度",
        "split_overlap": "切分重叠",
        "clean": "清洗步骤",
    }
    for key, name in names.items():
        if stored.get(key) != wanted[key]:
            raise CorpusIndexError(
                f"索引 {directory} 的{name}是 {stored.get(key)}，当前配置是 {wanted[key]}，不能混用。"
                "请运行 rag index 按当前配置重建，或改回原配置"
            )


def _manifest(
    recipe: Recipe, documents: Sequence[Document], passages: Sequence[Passage], directory: Path
) -> dict[str, Any]:
    from importlib.metadata import version

    libraries = ("faiss-cpu", "bm25s", "sentence-transformers", "onnxruntime", "OpenCC")
    return {
        **_summary(recipe, documents, passages),
        "files": {
            path.relative_to(directory).as_posix(): [path.stat().st_size, digest(path)]
            for path in _files(directory)
        },
        "libraries": {name: version(name) for name in libraries},
    }


def damaged_files(directory: Path) -> list[str]:
    """Names of the current generation's files whose content is not what was written."""
    manifest = read_manifest(directory)
    folder = directory / manifest["generation"]
    return [
        name
        for name, (_, expected) in manifest["files"].items()
        if not (folder / name).is_file() or digest(folder / name) != expected
    ]


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _point_at(directory: Path, name: str) -> None:
    aside = directory / f".{CURRENT}"
    aside.write_text(name + "\n", encoding="utf-8")
    _fsync(aside)
    aside.replace(directory / CURRENT)
    _fsync(directory)


def _sweep(directory: Path, *, keep: str) -> None:
    """Remove older generations and what killed runs left behind."""
    for path in directory.iterdir():
        if path.is_dir() and path.name != keep and path.name.startswith(("g-", ".writing-")):
            shutil.rmtree(path, ignore_errors=True)
