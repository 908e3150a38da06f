"""The folder of uploaded files: each appears whole under its name, or not at all."""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from rag.ingest.read import find_files
from rag.library.faults import DocumentMissing, FileRefused, LibraryError, NameTaken
from rag.library.names import checked_file, checked_path

_INCOMING: Final = ".incoming-"  # hidden, so that the indexer does not see it
_CHUNK: Final = 1024 * 1024


class Content(Protocol):
    """An uploaded file's bytes, from the beginning."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class LibraryFile:
    """A file of the library: ``name`` is its path below the folder, ``changed`` seconds since
    the epoch."""

    name: str
    path: Path
    size: int
    changed: float

    @property
    def collection(self) -> str:
        return self.name.split("/")[0] if "/" in self.name else ""


class LibraryFolder:
    """Puts files in and takes them out; safe from several threads of one process.

    Args:
        directory: made when the first file comes; a folder in it is a collection.
        max_bytes: larger files are refused while they come in.
    """

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        self.root = directory.resolve()
        self.max_bytes = max_bytes
        self._lock = threading.Lock()

    def files(self) -> tuple[LibraryFile, ...]:
        """All files that the indexer takes, by name."""
        if not self.root.is_dir():
            return ()
        found = []
        for file in find_files([self.root]).files:
            with suppress(OSError):  # taken out meanwhile
                status = file.path.stat()
                found.append(LibraryFile(file.name, file.path, status.st_size, status.st_mtime))
        return tuple(sorted(found, key=lambda file: file.name))

    def add(self, collection: str, name: str, content: Content, *, replace: bool = False) -> Path:
        """Keep a file; gives where it is.

        Raises:
            FileRefused: its name, its type or its size.
            NameTaken: there is one of that name, and ``replace`` is False.
            LibraryError: the disk is full or the folder cannot be written.
        """
        target = self.root / checked_file(collection, name)
        if not replace and target.exists():  # said before a large file has come in
            raise _taken(target)
        self._keep(target, content, replace=replace)
        return target

    def replace(self, file: str, name: str, content: Content) -> Path:
        """Put new content in the place of ``file``; ``name`` is what the new one was called.

        Raises:
            DocumentMissing: there is no such file.
            FileRefused: the new one is of another type, or too large.
            LibraryError: the disk is full or the folder cannot be written.
        """
        target = self._existing(file)
        suffix = Path(name).suffix.lower()
        if suffix != target.suffix.lower():
            raise FileRefused(
                f"新文件的类型是 {suffix or '（无）'}，原文件是 {target.suffix}。"
                "请上传同一类型的文件，或先删除原文件再上传"
            )
        self._keep(target, content, replace=True)
        return target

    def delete(self, file: str) -> Path:
        """Take a file out, and its collection's folder with the last one.

        Raises:
            DocumentMissing: there is no such file.
            LibraryError: it cannot be removed.
        """
        target = self._existing(file)
        with self._lock, _translated(target):
            target.unlink(missing_ok=True)
            _sync(target.parent)
        if target.parent != self.root:
            with suppress(OSError):  # not empty
                target.parent.rmdir()
        return target

    def sweep(self) -> None:
        """Remove what a killed process left half-written."""
        if self.root.is_dir():
            for left in self.root.glob(f"{_INCOMING}*"):
                with suppress(OSError):
                    left.unlink()

    def _existing(self, file: str) -> Path:
        target = self.root / checked_path(file)
        if not target.is_file():
            raise DocumentMissing(f"资料库里没有 {file}。它可能已被删除，请刷新后重试")
        return target

    def _keep(self, target: Path, content: Content, *, replace: bool) -> None:
        with _translated(target):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=_INCOMING, dir=self.root)
            aside = Path(name)
            try:
                with os.fdopen(handle, "wb") as file:
                    self._copy(content, file, target.name)
                    file.flush()
                    os.fsync(file.fileno())
                with self._lock:
                    if not replace and target.exists():
                        raise _taken(target)
                    target.parent.mkdir(mode=0o700, exist_ok=True)
                    aside.replace(target)
                    _sync(target.parent)
            finally:
                aside.unlink(missing_ok=True)

    def _copy(self, content: Content, file: BinaryIO, name: str) -> None:
        size = 0
        while chunk := content.read(_CHUNK):
            size += len(chunk)
            if size > self.max_bytes:
                raise FileRefused(
                    f"{name} 超过上限 {self.max_bytes / _CHUNK:g} MB。"
                    "请拆分文件，或调大 [index] max_file_megabytes"
                )
            file.write(chunk)
        if not size:
            raise FileRefused(f"{name} 是空的。请检查文件是否复制完整")


def _taken(target: Path) -> NameTaken:
    return NameTaken(f"已有同名文件 {target.name}。请选择“替换”，或改名后再上传")


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LibraryError(
            f"{target.name} 无法保存或删除（{error.strerror}）。原有文件未受影响，请检查磁盘空间与权限后重试"
        ) from error
