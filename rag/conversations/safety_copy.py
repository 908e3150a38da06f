"""A second file beside the database, a few seconds behind it, and the way back from it.

A disk that loses a block damages one file, not both. The copy is made by SQLite's online backup
after writes, looked through before it takes the place of the one before, and used when the
database is found damaged or missing at the next start. What was deleted leaves the copy at once.
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

logger = logging.getLogger(__name__)

# A copy is made so long after a write, and of a large file so much more seldom that copying
# takes at most a twentieth of the time.
_DELAY_SECONDS = 1.0
_REST = 20
_BESIDE = ("-wal", "-shm")
# Bytes that a disk has changed inside a text are no fault of SQLite's structure.
_TABLES = ("turns", "feedback")
_ANSWERS = "SELECT answer, json_valid(CAST(answer AS TEXT)) FROM {table}"


class SafetyCopy:
    """The copy of the database at ``path``; safe in several threads and processes.

    Args:
        delay: seconds from a write to the copy of it.
    """

    def __init__(self, path: Path, *, delay: float = _DELAY_SECONDS) -> None:
        self.path = path.with_name(f"{path.stem}.copy{path.suffix}")
        self._source = path
        self._delay = delay
        self._copying = threading.Lock()
        self._planning = threading.Lock()
        self._is_planned = False
        self._rest = 0.0

    def plan(self) -> None:
        """Make a copy soon, in a thread; several calls make one."""
        with self._planning:
            if self._is_planned:
                return
            self._is_planned = True
        timer = threading.Timer(max(self._delay, self._rest), self._planned)
        timer.daemon = True
        timer.start()

    def make(self) -> bool:
        """Make a copy now; False when that failed or the database itself is damaged (the copy
        before stays)."""
        with self._copying, self._held():
            started = time.monotonic()
            part = self.path.with_suffix(".part")
            try:
                if not self._source.exists():
                    return False
                _empty(part)
                with (
                    contextlib.closing(_connect(self._source)) as source,
                    contextlib.closing(sqlite3.connect(part)) as target,
                ):
                    source.backup(target)
                if not is_whole(part):
                    logger.error("%s is damaged: its copy stays as it was", self._source)
                    return False
                _sync(part)
                part.replace(self.path)
            except (OSError, sqlite3.Error) as error:
                logger.warning("no copy of %s: %s", self._source, error)
                return False
            finally:
                _remove(part)
                self._rest = _REST * (time.monotonic() - started)
            return True

    def forget(self) -> None:
        """Have a copy without what was just deleted, or none; of a damaged database the copy
        stays, it is all there is."""
        if not self.make() and is_whole(self._source):
            _remove(self.path)

    def restore_if_damaged(self) -> Path | None:
        """Put the copy in the place of a damaged, empty or missing database.

        Gives where the damaged file lies now; None when nothing was done, because the database
        is whole or there is no whole copy.

        Raises:
            OSError: the folder cannot be written.
        """
        with self._copying, self._held():
            if not self.path.exists() or _is_usable(self._source) or not is_whole(self.path):
                return None
            part = self.path.with_suffix(".part")
            shutil.copyfile(self.path, part)
            part.chmod(0o600)
            _sync(part)
            aside = self._set_aside()
            part.replace(self._source)
            logger.error(
                "对话数据库 %s 已损坏，已用副本恢复；损坏的文件移到 %s", self._source, aside
            )
            return aside

    def _set_aside(self) -> Path:
        """Keep the damaged files under a name of their own: somebody may read them yet."""
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        aside = self._source.with_name(f"{self._source.stem}.damaged-{now}{self._source.suffix}")
        for ending in ("", *_BESIDE):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self._source}{ending}").rename(f"{aside}{ending}")
        return aside

    def _planned(self) -> None:
        with self._planning:
            self._is_planned = False
        with contextlib.suppress(OSError):  # the folder is gone: nothing to be kept any more
            self.make()

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """One process at a time makes a copy or takes it."""
        lock = os.open(self.path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def is_whole(path: Path) -> bool:
    """Whether SQLite finds the file in order and every answer in it can be read.

    A database that somebody holds counts as whole: that is no damage.
    """
    try:
        with contextlib.closing(_connect(path)) as connection:
            if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                return False
            names = connection.execute("SELECT name FROM sqlite_master").fetchall()
            known = {name for (name,) in names}
            return all(
                is_valid and kept.decode("utf-8", "surrogatepass")
                for table in _TABLES
                if table in known
                for kept, is_valid in connection.execute(_ANSWERS.format(table=table))
            )
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    except (sqlite3.DatabaseError, ValueError):
        return False


def _is_usable(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0 and is_whole(path)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=0.1)


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
