"""The library: every document of the served index and every uploaded file, as one list.

What was changed is indexed behind the change (`IndexWorker`); until the new generation stands the
old one answers, and the assistant takes the new one up before its next question.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from rag.indexer import IndexReport, Progress
from rag.library.faults import DocumentMissing
from rag.library.folder import Content, LibraryFile, LibraryFolder
from rag.library.page_image import PageImages
from rag.library.worker import IndexWorker, Work
from rag.retrieve.documents import Detail
from rag.retrieve.generation import CURRENT
from rag.retrieve.index import CorpusIndex

if TYPE_CHECKING:
    from rag.retrieve.embed import Encoder
    from rag.settings import Settings


class Status(StrEnum):
    """How a document stands to the index."""

    INDEXED = "indexed"
    WAITING = "waiting"
    INDEXING = "indexing"
    FAILED = "failed"
    REMOVING = "removing"


@dataclass(frozen=True, slots=True)
class LibraryDocument:
    """A row of the library.

    ``id`` is the document's in the index, "" while it is not there; ``file`` its path below the
    library, "" for a document of the configured folders, which is read-only. ``pages`` is the
    number of its last page (0 without pages), ``reason`` why it failed, in one line. A failed
    document with an ``id`` is answered from in the version indexed before.
    """

    id: str
    file: str
    title: str
    collection: str
    date: str
    pages: int
    passages: int
    status: Status
    reason: str = ""
    source: str = ""
    size: int = 0
    version: str = ""
    has_page_images: bool = False


class Library:
    """Documents of one served index; safe from several threads.

    Args:
        folder: where uploaded files are kept.
        index: gives the generation that answers now.
        update: brings the index up to date with the folder and everything else it holds.
    """

    def __init__(
        self,
        folder: LibraryFolder,
        *,
        index: Callable[[], CorpusIndex],
        update: Callable[[Progress], IndexReport],
    ) -> None:
        self._folder = folder
        self._index = index
        self._update = update
        self._worker = IndexWorker(self._brought_up_to_date, documents=self._documents_by_id)
        self._images = PageImages()

    @classmethod
    def from_settings(
        cls, settings: "Settings", *, encoder: "Encoder", index: Callable[[], CorpusIndex]
    ) -> "Library":
        """The library that the settings name; ``encoder`` is the served assistant's."""
        from rag.library.indexing import indexer_of, max_bytes_of

        folder = LibraryFolder(settings.library.directory, max_bytes=max_bytes_of(settings))

        def update(progress: Progress) -> IndexReport:
            roots = [folder.root] if folder.root.is_dir() else []
            return indexer_of(settings, encoder, progress).update(roots)

        return cls(folder, index=index, update=update)

    @property
    def max_bytes(self) -> int:
        """The largest file that is taken."""
        return self._folder.max_bytes

    def start(self) -> None:
        """Clear up behind a killed process, and index what it left waiting."""
        self._folder.sweep()
        index = self._index()
        indexed = {detail.path for detail in index.documents.details()}
        try:
            published = (index.directory / CURRENT).stat().st_mtime
        except OSError:
            published = 0.0
        files = self._folder.files()
        waiting = [f.path for f in files if str(f.path) not in indexed or f.changed > published]
        gone = any(self._is_own(path) and not Path(path).exists() for path in indexed)
        if waiting or gone:
            self._worker.wake(*waiting)

    def documents(self) -> tuple[LibraryDocument, ...]:
        """Everything there is: by collection, then title."""
        work = self._worker.work()
        failures = dict(work.failures)
        details = {detail.path: detail for detail in self._details() if detail.path}
        rows = []
        for file in self._folder.files():
            detail = details.pop(str(file.path), None)
            reason = failures.pop(file.path, "")
            rows.append(self._own(file, detail, reason, work))
        for path, detail in details.items():
            rows.append(self._listed(detail, failures.pop(Path(path), ""), work))
        rows.extend(_unread(path, reason) for path, reason in failures.items() if path.exists())
        return tuple(sorted(rows, key=lambda row: (row.collection, row.title, row.file)))

    def work(self) -> Work:
        """What is being done, and what is left to do."""
        return self._worker.work()

    def wait(self, seconds: float) -> bool:
        """Wait until the index is up to date; False when it is not by then."""
        return self._worker.wait(seconds)

    def add(self, collection: str, name: str, content: Content, *, replace: bool = False) -> str:
        """Keep a file and have it indexed; gives its path below the library.

        Raises:
            FileRefused, NameTaken, LibraryError: see `LibraryFolder.add`.
        """
        path = self._folder.add(collection, name, content, replace=replace)
        self._worker.wake(path)
        return path.relative_to(self._folder.root).as_posix()

    def replace(self, file: str, name: str, content: Content) -> None:
        """New content for a file; see `LibraryFolder.replace`."""
        self._worker.wake(self._folder.replace(file, name, content))

    def delete(self, file: str) -> None:
        """Take a file out; see `LibraryFolder.delete`."""
        self._worker.wake(self._folder.delete(file))

    def update(self) -> None:
        """Look at every file again, those that failed too."""
        self._worker.wake()

    def page_image(self, document: str, number: int) -> bytes:
        """Page ``number`` (from 1) of a PDF document of the index, as a PNG.

        Raises:
            DocumentMissing: no such document or page; its file is gone, has changed since it was
                indexed, or is no PDF.
        """
        for detail in self._details():
            if detail.id == document:
                return self._images.draw(Path(detail.path), detail.sha256, number)
        raise DocumentMissing("索引里没有这个文档。它可能已被删除，请刷新后重试")

    def _details(self) -> tuple[Detail, ...]:
        return self._index().documents.details()

    def _brought_up_to_date(self, progress: Progress) -> IndexReport:
        report = self._update(progress)
        self._index()  # loaded here, not while somebody waits for an answer
        return report

    def _documents_by_id(self) -> Mapping[str, Path]:
        return dict(self._ids())

    def _ids(self) -> Iterator[tuple[str, Path]]:
        for file in self._folder.files():
            yield self._expected_id(file), file.path
        for detail in self._details():
            yield detail.id, Path(detail.path)

    def _expected_id(self, file: LibraryFile) -> str:
        """What the indexer calls a file that it has not seen yet."""
        return f"{self._folder.root.name}/{file.name}"

    def _is_own(self, path: str) -> bool:
        return bool(path) and Path(path).is_relative_to(self._folder.root)

    def _own(
        self, file: LibraryFile, detail: Detail | None, reason: str, work: Work
    ) -> LibraryDocument:
        identity = detail.id if detail else self._expected_id(file)
        if work.document == identity:
            status = Status.INDEXING
        elif file.path in work.pending:
            status = Status.WAITING
        elif reason:
            status = Status.FAILED
        else:
            status = Status.INDEXED if detail else Status.WAITING
        return LibraryDocument(
            id=detail.id if detail else "",
            file=file.name,
            title=detail.title if detail else file.path.stem,
            collection=detail.collection if detail else file.collection,
            date=detail.date if detail else "",
            pages=detail.pages if detail else 0,
            passages=detail.passages if detail else 0,
            status=status,
            reason=reason if status is Status.FAILED else "",
            source=detail.source if detail else "",
            size=file.size,
            version=detail.sha256[:12] if detail else "",
            has_page_images=_has_page_images(detail),
        )

    def _listed(self, detail: Detail, reason: str, work: Work) -> LibraryDocument:
        """A document of the index that is no file of the library, or none any more."""
        if self._is_own(detail.path):
            status = Status.REMOVING
        elif work.document == detail.id:
            status = Status.INDEXING
        else:
            status = Status.FAILED if reason else Status.INDEXED
        return LibraryDocument(
            id=detail.id,
            file="",
            title=detail.title,
            collection=detail.collection,
            date=detail.date,
            pages=detail.pages,
            passages=detail.passages,
            status=status,
            reason=reason,
            source=detail.source,
            version=detail.sha256[:12],
            has_page_images=_has_page_images(detail),
        )


def _has_page_images(detail: Detail | None) -> bool:
    return detail is not None and detail.pages > 0 and detail.path.lower().endswith(".pdf")


def _unread(path: Path, reason: str) -> LibraryDocument:
    """A file of the configured folders that could not be read."""
    return LibraryDocument("", "", path.name, "", "", 0, 0, Status.FAILED, reason)
