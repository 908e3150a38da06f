"""Brings the index up to date behind what people change: one run at a time, in the background.

The thread is a daemon: whoever stops the server need not wait for a long run. The index survives
being cut off anywhere (`rag.retrieve.generation`), and the next start goes on.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rag.errors import IndexBusyError, RagError
from rag.indexer import IndexReport, Progress

logger = logging.getLogger(__name__)

_UNEXPECTED: Final = "处理此文件时出错，详情见服务日志。请删除它，或换一种格式后重新上传"
_UNEXPECTED_RUN: Final = "更新索引时出错，详情见服务日志。原索引仍在回答；请联系信息科"
_BUSY_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Work:
    """What is going on: ``document`` is the id being read, ``text`` the step in Chinese with
    ``done`` of ``total`` (0: unknown). ``pending`` are files that no finished run has seen,
    ``failures`` what became of those that could not be read. ``error`` is why the last run as a
    whole failed, "" when it did not. ``changes`` grows whenever any of this does."""

    is_running: bool = False
    document: str = ""
    text: str = ""
    done: int = 0
    total: int = 0
    pending: frozenset[Path] = frozenset()
    failures: tuple[tuple[Path, str], ...] = ()
    error: str = ""
    changes: int = 0


class IndexWorker:
    """Runs ``update`` whenever it is woken, and once more for what came meanwhile.

    Args:
        update: brings the index up to date, telling its progress.
        documents: the documents that progress may name by their ids, with their files.
    """

    def __init__(
        self,
        update: Callable[[Progress], IndexReport],
        *,
        documents: Callable[[], Mapping[str, Path]],
    ) -> None:
        self._update = update
        self._documents = documents
        self._news = threading.Condition()
        self._is_running = False
        self._document = ""
        self._step = ("", 0, 0)
        self._pending: set[Path] = set()
        self._failures: dict[Path, str] = {}
        self._error = ""
        self._changes = 0

    def wake(self, *paths: Path) -> None:
        """Bring the index up to date with these files, and all others, soon."""
        with self._news:
            self._pending.update(paths)
            self._error = ""
            for path in paths:
                self._failures.pop(path, None)
            self._changed()
            if self._is_running:
                return
            self._is_running = True
        threading.Thread(target=self._work, name="library", daemon=True).start()

    def work(self) -> Work:
        """What is going on now."""
        with self._news:
            text, done, total = self._step
            return Work(
                self._is_running,
                self._document,
                text,
                done,
                total,
                frozenset(self._pending),
                tuple(sorted(self._failures.items())),
                self._error,
                self._changes,
            )

    def wait(self, seconds: float) -> bool:
        """Wait until nothing runs; False when it still does."""
        with self._news:
            return self._news.wait_for(lambda: not self._is_running, seconds)

    def _work(self) -> None:
        is_over = False
        while not is_over:
            with self._news:
                seen = frozenset(self._pending)
            documents = dict(self._documents())
            report, error = None, _UNEXPECTED_RUN
            try:
                report, error = self._attempt(documents)
            finally:  # an error that nobody expected ends the thread, and is told all the same
                is_over = self._finish(seen, documents, report, error)

    def _attempt(self, documents: Mapping[str, Path]) -> tuple[IndexReport | None, str]:
        """One run: its report, or why there is none."""
        while True:
            try:
                return self._update(lambda *step: self._tell(documents, *step)), ""
            except IndexBusyError as busy:
                logger.info("%s", busy)
                time.sleep(_BUSY_SECONDS)
            except RagError as failed:
                logger.warning("the index was not brought up to date: %s", failed)
                return None, str(failed)

    def _finish(
        self,
        seen: frozenset[Path],
        documents: Mapping[str, Path],
        report: IndexReport | None,
        error: str,
    ) -> bool:
        """Take down what came of a run; whether there is nothing more to do.

        Decided under the lock: who wakes us after that starts a new thread.
        """
        with self._news:
            left = self._pending - seen
            if report is not None:
                self._pending = left
                self._failures = {
                    Path(failure.path): f"{failure.reason}。{failure.remedy}"
                    for failure in report.failures
                }
            elif error == _UNEXPECTED_RUN and self._document in documents:
                path = documents[self._document]
                self._failures[path] = _UNEXPECTED
                self._pending.discard(path)
            self._error = error
            self._step, self._document = ("", 0, 0), ""
            self._is_running = bool(left) and error != _UNEXPECTED_RUN
            self._changed()
            return not self._is_running

    def _tell(self, documents: Mapping[str, Path], text: str, done: int, total: int) -> None:
        with self._news:
            self._step = (text, done, total)
            if not text or text in documents:
                self._document = text
            self._changed()

    def _changed(self) -> None:
        self._changes += 1
        self._news.notify_all()
