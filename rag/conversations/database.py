"""One SQLite file in WAL mode: opened when first used, brought up to date, shared by processes.

Transactions are short and take the write lock at once (``BEGIN IMMEDIATE``), so two writers wait
for each other instead of failing half-way. ``secure_delete`` overwrites what is deleted with
zeros; `Database.forget` then empties the write-ahead log, the other place where it would linger,
and renews the copy (`rag.conversations.safety_copy`) that a damaged file is restored from.
"""

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rag.conversations.faults import ConversationBusy, ConversationError, DatabaseFault
from rag.conversations.migrations import COUNTED_FROM, MIGRATIONS
from rag.conversations.safety_copy import SafetyCopy

logger = logging.getLogger(__name__)

FILE: Final = "conversations.sqlite3"
_IDLE_CONNECTIONS = 8
_FORGET_AGAIN_SECONDS = 5.0
_OUT_OF_REACH: Final = "对话数据库无法读写。请联系信息科"
_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_UNREACHABLE = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
}


class Database:
    """Conversations and feedback of everyone; safe from several threads and processes.

    Args:
        directory: made with mode 0700 on first use, the file in it with 0600.
        timeout: seconds to wait for another writer.
        migrations: the schema's steps; another value only in tests.
    """

    def __init__(
        self,
        directory: Path,
        *,
        timeout: float = 10.0,
        migrations: Sequence[Sequence[str]] = MIGRATIONS,
    ) -> None:
        self.path = directory / FILE
        self._copy = SafetyCopy(self.path)
        self._timeout = timeout
        self._migrations = migrations
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._preparing = threading.Lock()
        self._file: tuple[int, int] | None = None  # device and inode of what was prepared

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection whose queries see one state of the database.

        Raises:
            ConversationError: the file is damaged, out of reach, or newer than this program.
            ConversationBusy: another process holds it.
        """
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A connection that may write: all of it is kept on leaving, none of it on an exception.

        Raises:
            ConversationError: as `read`; or the disk is full.
            ConversationBusy: another process holds it.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            self._refuse_another_file()
            yield connection
            if len(self._migrations) >= COUNTED_FROM:
                connection.execute("UPDATE writes SET count = count + 1")
        self._copy.plan()

    def forget(self) -> bool:
        """Empty the write-ahead log and renew the copy: what was deleted is in no file any more.

        False when a reader in another process kept it from that; it is tried again until it is
        done.
        """
        with self._clear_errors():
            connection = self._take()
            try:
                row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                self._put_back(connection)
        self._copy.forget()
        is_done = bool(row[0] == 0)
        if not is_done:
            again = threading.Timer(_FORGET_AGAIN_SECONDS, self._forget_again)
            again.daemon = True
            again.start()
        return is_done

    def close(self) -> None:
        """Make the copy that is due and close what is idle; the next use opens again."""
        self._copy.finish()
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _forget_again(self) -> None:
        try:
            self.forget()
        except ConversationError as error:
            logger.warning("what was deleted is still in the write-ahead log: %s", error)

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._clear_errors():
            connection = self._take()
            try:
                connection.execute(begin)
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._put_back(connection)

    def _take(self) -> sqlite3.Connection:
        if self._file is None:
            self._prepare_once()
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._open()

    def _put_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if len(self._idle) < _IDLE_CONNECTIONS:
                self._idle.append(connection)
                return
        connection.close()

    def _open(self, patience: float | None = None) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=self._timeout if patience is None else patience,
            isolation_level=None,
            check_same_thread=False,
        )
        # FULL: an answer that was acknowledged is there after a power cut too.
        for pragma in ("foreign_keys=ON", "secure_delete=ON", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _prepare_once(self) -> None:
        """One thread at a time; who has waited as long as for another writer goes away."""
        started = time.monotonic()
        if not self._preparing.acquire(timeout=self._timeout):
            raise self._busy()
        try:
            if self._file is None:
                waited = time.monotonic() - started
                self._prepare(max(self._timeout - waited, 0.0))
        finally:
            self._preparing.release()

    def _prepare(self, patience: float) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._copy.restore_if_damaged()
            # SQLite gives its -wal and -shm files the mode of the database. A file that is there
            # is never opened beside SQLite: closing it would drop the locks of this process.
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except OSError as error:
            raise DatabaseFault(
                f"对话数据库 {self.path} 无法创建或打开（{error.strerror}）。请检查 [conversations] directory 的权限",
                _OUT_OF_REACH,
            ) from error
        connection = self._open(patience)
        try:
            self._switch_to_wal(connection, patience)
            self._migrate(connection)
        finally:
            connection.close()
        self._copy.use()
        self._copy.plan()
        self._file = self._found()

    def _found(self) -> tuple[int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return (status.st_dev, status.st_ino) if status.st_size else None

    def _refuse_another_file(self) -> None:
        """What is written into a file that was taken away or emptied is kept nowhere."""
        if self._found() != self._file:
            raise DatabaseFault(
                f"对话数据库 {self.path} 在运行中被移走、替换或清空。请重启服务，系统会用副本恢复",
                "对话数据库已损坏。请联系信息科",
            )

    def _switch_to_wal(self, connection: sqlite3.Connection, patience: float) -> None:
        """SQLite does not wait here when another process switches at the same moment: we do."""
        deadline = time.monotonic() + patience
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """All missing steps in one transaction; none, and no wait for a writer, if none is."""
        newest = len(self._migrations)
        if connection.execute("PRAGMA user_version").fetchone() == (newest,):
            return
        connection.execute("BEGIN IMMEDIATE")  # first: another process may be doing the same
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > newest:
                raise DatabaseFault(
                    f"对话数据库 {self.path} 由更新的程序写成（第 {version} 版，本程序只到第 {newest} 版）。"
                    "请升级程序，或换一个 [conversations] directory",
                    _OUT_OF_REACH,
                )
            for step in self._migrations[version:]:
                for statement in step:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version={newest}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _busy(self) -> ConversationBusy:
        return ConversationBusy(
            f"对话数据库正被其他程序占用，等待 {self._timeout:g} 秒仍未空出。请稍后重试"
        )

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        """Turn what an operator can do something about into one line; the rest is a bug."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            # Python's own error about bytes that are no UTF-8 has no code.
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
            if code in _BUSY:
                raise self._busy() from error
            if code in _BROKEN:
                raise DatabaseFault(
                    f"对话数据库 {self.path} 已损坏（{error}）。请重启服务，系统会用副本恢复；"
                    "没有副本时请从备份恢复，或把该文件移走后重启（将从空的对话列表开始）",
                    "对话数据库已损坏。请联系信息科",
                ) from error
            if code == sqlite3.SQLITE_FULL:
                raise DatabaseFault(
                    f"磁盘已满，这次问答没有保存到 {self.path}。请清理磁盘后重试",
                    "服务器磁盘已满。请联系信息科",
                ) from error
            if code in _UNREACHABLE:
                raise DatabaseFault(
                    f"对话数据库 {self.path} 无法读写（{error}）。请检查磁盘与目录权限",
                    _OUT_OF_REACH,
                ) from error
            raise
