"""Progress for a person at a terminal; plain lines where there is none."""

import sys
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_QUIET_SECONDS = 2.0


class ProgressBar:
    """A bar on standard error. Call it with a text, how much is done, and of how much."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task("准备", total=None)
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, text: str, done: int, total: int) -> None:
        if total:
            self._progress.update(self._task, description=text, completed=done, total=total)
        else:
            self._progress.update(self._task, description=text)
        if not self._console.is_terminal and time.monotonic() - self._last > _QUIET_SECONDS:
            self._last = time.monotonic()
            print(f"{text} {done}/{total}" if total else text, file=sys.stderr, flush=True)  # noqa: T201

    def say(self, text: str) -> None:
        """A step of its own, shown at once."""
        self._progress.reset(self._task, description=text, total=None)
        if not self._console.is_terminal:
            print(text, file=sys.stderr, flush=True)  # noqa: T201


def status(text: str) -> AbstractContextManager[object]:
    """A moving sign beside ``text`` while the block runs."""
    return Console(file=sys.stderr).status(text)
