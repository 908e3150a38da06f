"""Files to an index: read, clean, split, embed, publish.

``update_index`` brings an index up to date with its roots (the folders and files it was given).
Only what changed is read and embedded; a file that cannot be read any more keeps the version
that was indexed before; a root that is gone (an unmounted disk) keeps its documents.
"""

import fcntl
import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rag.errors import CorpusIndexError, DocumentError, IndexBusyError
from rag.ingest.clean import clean
from rag.ingest.read import FoundFile, find_files, read_file
from rag.ingest.split import split
from rag.retrieve.embed import Encoder
from rag.retrieve.generation import (
    Recipe,
    digest,
    index_text,
    is_published,
    write_generation,
)
from rag.settings import CleanSettings
from rag.types import Document, Passage, SourceText
from rag.workspace import Entry, Workspace

logger = logging.getLogger(__name__)
FloatArray = npt.NDArray[np.float32]
LOCK = "lock"
_POLL = 0.2
_BATCH = 64


class Progress(Protocol):
    """Told what is being done and how far it is; ``total`` 0 means unknown."""

    def __call__(self, text: str, done: int, total: int) -> None: ...


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a run did; the names are documents' ids."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    failures: tuple[DocumentError, ...] = ()
    notices: tuple[str, ...] = ()
    documents: int = 0
    passages: int = 0
    seconds: float = 0.0
    published: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One document to be: ``key`` tells it from all others, ``stamp`` changes when it may have
    changed, ``sha256`` when it has. ``collection`` stands where the file names none: for files
    the first folder below their root."""

    key: str
    document: str
    stamp: str
    sha256: Callable[[], str]
    load: Callable[[], SourceText]
    path: str = ""
    collection: str = ""


@dataclass(slots=True)
class _Run:
    """What a run finds as it goes."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    failures: list[DocumentError] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


class Indexer:
    """Keeps one index directory up to date.

    Args:
        steps: which cleaning steps run.
        max_bytes: larger files are refused.
        lock_timeout: seconds to wait for another process that writes the index.
    """

    def __init__(
        self,
        directory: Path,
        *,
        encoder: Encoder,
        split_size: int,
        split_overlap: int,
        steps: CleanSettings,
        max_bytes: int = 100 * 1024 * 1024,
        ocr: bool = True,
        lock_timeout: float = 60.0,
        progress: Progress | None = None,
    ) -> None:
        self._directory = directory
        self._encoder = encoder
        self._split_size = split_size
        self._split_overlap = split_overlap
        self._steps = steps
        self._max_bytes = max_bytes
        self._ocr = ocr
        self._lock_timeout = lock_timeout
        self._progress = progress or (lambda *_: None)
        self.recipe = Recipe.of(
            encoder, split_size=split_size, split_overlap=split_overlap, clean=steps.enabled()
        )

    def update(self, add: Sequence[Path] = (), *, remove: Sequence[Path] = ()) -> IndexReport:
        """Bring the index up to date with its roots, after adding and removing some.

        Raises:
            DocumentError: a path in ``add`` does not exist.
            IndexBusyError: another process kept the index locked.
            CorpusIndexError: the index cannot be written.
        """
        for path in add:
            if not path.exists():
                raise DocumentError(path, "文件或目录不存在", "请检查路径")
        gone = {str(path.resolve()) for path in remove}
        with self._locked() as workspace:
            roots = list(dict.fromkeys([*workspace.roots(), *(str(p.resolve()) for p in add)]))
            unknown = gone - set(roots)
            if unknown:
                raise CorpusIndexError(
                    f"索引里没有登记过 {'、'.join(sorted(unknown))}。已登记的有：{'、'.join(roots) or '（无）'}"
                )
            roots = [root for root in roots if root not in gone]
            workspace.set_roots(roots)
            run = _Run()
            items = self._items(roots, workspace.entries(), run)
            return self._bring_up_to_date(workspace, items, run)

    def has_roots(self) -> bool:
        """Whether the index was ever given a folder or file of its own."""
        with self._locked() as workspace:
            return bool(workspace.roots())

    def update_items(self, items: Sequence[Item]) -> IndexReport:
        """Make the index hold exactly ``items``, which need not be files."""
        with self._locked() as workspace:
            return self._bring_up_to_date(workspace, items, _Run())

    def _items(self, roots: Sequence[str], known: dict[str, Entry], run: _Run) -> list[Item]:
        items: dict[str, Item] = {}
        taken = {entry.document: entry.key for entry in known.values()}
        for root in roots:
            if not Path(root).exists():
                kept = [e for e in known.values() if _is_under(e.key, root)]
                if kept:
                    run.notices.append(
                        f"{root} 现在不存在，其中 {len(kept)} 个文档保留原有版本。"
                        f"若确实不再需要，请运行 rag index --remove {root}"
                    )
                items.update({e.key: _kept(e) for e in kept if e.key not in items})
                continue
            found = find_files([Path(root)])
            run.failures.extend(found.failures)
            run.notices.extend(found.notices)
            for file in found.files:
                key = str(file.path.resolve())
                if key not in items:
                    items[key] = self._file_item(key, file, _name(Path(root), file), taken)
        return list(items.values())

    def _file_item(self, key: str, file: FoundFile, name: str, taken: dict[str, str]) -> Item:
        if taken.get(name, key) != key:  # another file of that name, from another root
            name = f"{name}~{hashlib.sha256(key.encode()).hexdigest()[:6]}"
        taken[name] = key
        try:
            status = file.path.stat()
            stamp = f"{status.st_size}:{status.st_mtime_ns}"
        except OSError:
            stamp = ""

        def load() -> SourceText:
            return read_file(
                file.path,
                max_bytes=self._max_bytes,
                ocr=self._ocr,
                progress=lambda text: self._progress(text, 0, 0),
            )

        return Item(
            key=key,
            document=name,
            stamp=stamp,
            sha256=lambda: _sha256(file.path, self._max_bytes),
            load=load,
            path=str(file.path),
            collection=file.name.split("/")[0] if "/" in file.name else "",
        )

    def _bring_up_to_date(
        self, workspace: Workspace, items: Sequence[Item], run: _Run
    ) -> IndexReport:
        started = time.perf_counter()
        known = workspace.entries()
        for number, item in enumerate(items):
            self._progress(item.document, number, len(items))
            try:
                self._update_item(workspace, item, known.get(item.key), run)
            except DocumentError as error:
                run.failures.append(error)
        self._progress("", len(items), len(items))
        current = {item.key for item in items}
        # What is gone, and what another recipe made: its vectors cannot stand beside these.
        gone = [
            entry
            for entry in workspace.entries().values()
            if entry.key not in current or entry.recipe != self.recipe.fingerprint
        ]
        workspace.remove([entry.key for entry in gone])
        run.removed.extend(sorted(entry.document for entry in gone))
        documents, passages, vectors = workspace.contents(self._encoder.dimension)
        # Compared with what is published, not with what this run did: an earlier run may have
        # been killed between its last file and the publishing.
        published = not is_published(self._directory, self.recipe, documents, passages)
        if published:
            self._progress("写入索引", 0, 0)
            write_generation(self._directory, self.recipe, documents, passages, vectors)
        return IndexReport(
            added=tuple(run.added),
            updated=tuple(run.updated),
            removed=tuple(run.removed),
            unchanged=run.unchanged,
            failures=tuple(run.failures),
            notices=tuple(run.notices),
            documents=len(documents),
            passages=len(passages),
            seconds=time.perf_counter() - started,
            published=published,
        )

    def _update_item(
        self, workspace: Workspace, item: Item, entry: Entry | None, run: _Run
    ) -> None:
        same_recipe = entry is not None and entry.recipe == self.recipe.fingerprint
        if entry is not None and same_recipe and item.stamp and item.stamp == entry.stamp:
            run.unchanged += 1
            return
        sha256 = item.sha256()
        if entry is not None and same_recipe and sha256 == entry.sha256:
            workspace.touch(item.key, item.stamp)
            run.unchanged += 1
            return
        source = item.load()
        run.notices.extend(f"{item.document}：{notice}" for notice in source.notices)
        document = self._document(item, source, sha256)
        passages = split(document, size=self._split_size, overlap=self._split_overlap)
        if not passages:
            raise DocumentError(
                item.path or item.document, "没有可检索的文字", "请确认文件内容，扫描件请开启 OCR"
            )
        vectors = self._embed(document, passages)
        workspace.put(
            Entry(item.key, item.document, item.stamp, sha256, self.recipe.fingerprint),
            document,
            passages,
            vectors,
        )
        (run.added if entry is None else run.updated).append(item.document)

    def _document(self, item: Item, source: SourceText, sha256: str) -> Document:
        cleaned = clean(source, **self._steps.model_dump())
        return Document(
            id=item.document,
            title=source.title or Path(item.document).stem,
            text=cleaned.text,
            original=source.text,
            offsets=cleaned.offsets,
            blocks=cleaned.blocks,
            pages=cleaned.pages,
            source=source.source,
            date=source.date,
            collection=source.collection or item.collection,
            path=item.path,
            sha256=sha256,
        )

    def _embed(self, document: Document, passages: Sequence[Passage]) -> FloatArray:
        texts = [index_text(document, passage) for passage in passages]
        parts = []
        for start in range(0, len(texts), _BATCH):
            if len(texts) > _BATCH:
                self._progress(f"{document.id}：向量化", start, len(texts))
            parts.append(self._encoder.encode_document(texts[start : start + _BATCH]))
        return np.concatenate(parts)

    @contextmanager
    def _locked(self) -> Iterator[Workspace]:
        """Hold the index's lock; the system releases it even when this process is killed."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            file = (self._directory / LOCK).open("a")
        except OSError as error:
            raise CorpusIndexError(
                f"无法写入索引目录 {self._directory}（{error.strerror}）。请检查磁盘空间与权限"
            ) from error
        with file:
            deadline = time.monotonic() + self._lock_timeout
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() >= deadline:
                        raise IndexBusyError(
                            f"另一个进程正在更新索引 {self._directory}，等待 {self._lock_timeout:.0f} 秒后放弃。请待其结束后重试"
                        ) from error
                    self._progress("另一个进程正在更新此索引，等待中", 0, 0)
                    time.sleep(_POLL)
            workspace = Workspace(self._directory)
            try:
                yield workspace
            finally:
                workspace.close()


def _name(root: Path, file: FoundFile) -> str:
    """A document's id: the file's path from the root's own name on."""
    return f"{root.name}/{file.name}" if root.is_dir() else file.name


def _kept(entry: Entry) -> Item:
    """An item whose file cannot be looked at: it passes as unchanged while the recipe is the same."""

    def fail() -> SourceText:
        raise DocumentError(
            entry.key, "文件现在不存在，无法按新配置重建", "请恢复文件后重新运行 rag index"
        )

    return Item(entry.key, entry.document, entry.stamp, lambda: entry.sha256, fail)


def _is_under(key: str, root: str) -> bool:
    return key == root or key.startswith(root.rstrip("/") + "/")


def _sha256(path: Path, max_bytes: int) -> str:
    """The file's SHA-256; "" for one too large or unreadable, which reading then reports."""
    try:
        if path.stat().st_size > max_bytes:
            return ""
        return digest(path)
    except OSError:
        return ""
