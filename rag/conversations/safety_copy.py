"""A second file beside the database, a second behind it, and the way back from it.

A disk that loses a block damages one file, not both. The copy is made by SQLite's online backup
after writes, looked through before it takes the place of the one before, and used when the
database is found damaged, emptied, set back or missing at the next start. "Set back" is told by
the count of writes (`rag.conversations.migrations`, step 3): SQLite ignores a damaged write-ahead
log without a word, and what is left is an older state. What was deleted leaves the copy at once.
"""

import contextlib
import fcntl
import logging
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rag.conversations.examine import Condition, condition, writes

logger = logging.getLogger(__name__)

# A copy is made so long after a write, and of a large file so much more seldom that copying
# takes at most a twentieth of the time.
_DELAY_SECONDS = 1.0
_REST = 20
_PATIENCE_SECONDS = 10.0
_PAGES = 2000  # copied at a time, so that a database somebody holds is given up
_BESIDE = ("-wal", "-shm")


class SafetyCopy:
    """The copy of the database at ``path``; safe in several threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(f"{path.stem}.copy{path.suffix}")
        self._source = path
        self._copying = threading.Lock()
        self._planning = threading.Lock()
        self._planned: threading.Timer | None = None
        self._rest = 0.0
        self._in_use: int | None = None

    def plan(self) -> None:
        """Make a copy soon, in a thread; several calls make one."""
        with self._planning:
            if self._planned is None:
                timer = threading.Timer(max(_DELAY_SECONDS, self._rest), self._make_planned)
                timer.daemon = True
                self._planned = timer
                timer.start()

    def finish(self) -> None:
        """Make the copy now that is planned, if any: the process ends."""
        with self._planning:
            planned = self._planned
        if planned is not None:
            planned.cancel()
            self._make_planned()

    def make(self) -> bool:
        """Make a copy now; False when that failed, or the database is damaged or set back (the
        copy before stays)."""
        started = time.monotonic()
        part = self.path.with_suffix(".part")
        try:
            with self._copying, self._held():
                if not self._source.exists():
                    return False
                _empty(part)
                try:
                    _back_up(self._source, part)
                    is_older = writes(part) < writes(self.path)
                    if is_older or condition(part) is not Condition.WHOLE:
                        logger.error("%s is damaged: its copy stays as it was", self._source)
                        return False
                    _sync(part)
                    part.replace(self.path)
                finally:
                    _remove(part)
        except (OSError, sqlite3.Error) as error:
            logger.warning("no copy of %s: %s", self._source, error)
            return False
        finally:
            self._rest = _REST * (time.monotonic() - started)
        return True

    def forget(self) -> None:
        """Have a copy without what was just deleted, or none; of a database that is damaged or
        set back the copy stays, it is all there is."""
        if self.make() or writes(self._source) < writes(self.path):
            return
        if condition(self._source) is Condition.WHOLE:
            try:
                _remove(self.path)
            except OSError as error:
                logger.error("%s still holds what was deleted: %s", self.path, error)

    def restore_if_damaged(self) -> Path | None:
        """Put the copy in the place of a damaged, empty, set back or missing database.

        Gives where the damaged file lies now; None when nothing was done, because the database
        is whole or cannot be looked at, there is no whole copy, or another process uses the file.
        """
        try:
            with self._copying, self._held():
                if not self._is_lost() or condition(self.path) is not Condition.WHOLE:
                    return None
                if self._is_in_use():
                    logger.error("对话数据库 %s 已损坏。请先停止使用它的其他进程", self._source)
                    return None
                part = self.path.with_suffix(".part")
                shutil.copyfile(self.path, part)
                part.chmod(0o600)
                _sync(part)
                aside = self._set_aside()
                part.replace(self._source)
        except OSError as error:
            logger.warning("%s was not looked at: %s", self._source, error)
            return None
        logger.error("对话数据库 %s 已损坏，已用副本恢复；损坏的文件移到 %s", self._source, aside)
        return aside

    def use(self) -> None:
        """Say, for as long as the process lives, that somebody works with the database."""
        if self._in_use is None:
            with contextlib.suppress(OSError):
                self._in_use = self._open_lock("use")
                fcntl.flock(self._in_use, fcntl.LOCK_SH)

    def _is_lost(self) -> bool:
        if not self.path.exists():
            return False
        if not self._source.exists() or self._source.stat().st_size == 0:
            return True
        found = condition(self._source)
        if found is Condition.WHOLE:
            return writes(self._source) < writes(self.path)
        return found is Condition.DAMAGED

    def _is_in_use(self) -> bool:
        lock = self._open_lock("use")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def _set_aside(self) -> Path:
        """Keep the damaged files under a name of their own: somebody may read them yet."""
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        aside = self._source.with_name(f"{self._source.stem}.damaged-{now}{self._source.suffix}")
        for ending in ("", *_BESIDE):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self._source}{ending}").rename(f"{aside}{ending}")
        return aside

    def _make_planned(self) -> None:
        with self._planning:
            self._planned = None
        self.make()

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """One process at a time makes a copy or takes it.

        Raises:
            OSError: the lock cannot be had.
        """
        lock = self._open_lock("lock")
        try:
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)
            yield
        finally:
            os.close(lock)

    def _open_lock(self, name: str) -> int:
        return os.open(self.path.with_suffix(f".{name}"), os.O_CREAT | os.O_RDWR, 0o600)


def _back_up(source: Path, target: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS

    def wait(status: int, _remaining: int, _total: int) -> None:
        is_held = status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        if is_held and time.monotonic() > deadline:
            raise TimeoutError("somebody holds the database")

    with (
        contextlib.closing(sqlite3.connect(source, timeout=0.1)) as read,
        contextlib.closing(sqlite3.connect(target)) as written,
    ):
        read.backup(written, pages=_PAGES, progress=wait, sleep=0.05)


def _empty(path: Path) -> None:
    """An empty file that only its owner may read."""
    _remove(path)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _remove(path: Path) -> None:
    for ending in ("", "-journal", *_BESIDE):
        Path(f"{path}{ending}").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
