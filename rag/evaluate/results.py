"""The files of a run directory, written so that a killed run loses at most the question in hand.

::

    RUN/
      manifest.json    what was run, on what; written before the first question
      results.jsonl    one line a question as it is finished, in the data set's order at the end
      summary.json     metrics; the same for a resumed and an uninterrupted run
      operation.json   what was timed
      lock             held by the one process that runs
"""

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rag.evaluate.faults import RunError

Row = dict[str, Any]
MANIFEST, RESULTS, SUMMARY, OPERATION = (
    "manifest.json",
    "results.jsonl",
    "summary.json",
    "operation.json",
)
_SYNC_SECONDS = 1.0


def read_json(path: Path) -> Row:
    """A JSON object of a run.

    Raises:
        RunError: it is missing or damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(
            f"{path.parent} 里没有 {path.name}，不是完成的评测。请先用 rag eval run 跑完"
        ) from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path} 无法读取（{error}）。请删除该评测目录后重跑") from error
    if not isinstance(content, dict):
        raise RunError(f"{path} 不是 JSON 对象。请删除该评测目录后重跑")
    return content


def read_results(path: Path) -> dict[str, Row]:
    """Results by question id; a last line that was not finished is left out.

    Raises:
        RunError: a line before the last is damaged.
    """
    if not path.is_file():
        return {}
    lines = path.read_bytes().split(b"\n")
    rows: dict[str, Row] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or number == len(lines):  # without a line break it was not finished
            continue
        try:
            row = json.loads(line)
            rows[row["id"]] = row
        except (ValueError, TypeError, KeyError) as error:
            raise RunError(
                f"{path} 第 {number} 行已损坏（{error}）。请删去此行后重跑，其余结果会保留"
            ) from error
    return rows


def write_json(path: Path, content: Row) -> None:
    """Write an object whole or not at all."""
    _replace(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def write_results(path: Path, rows: Iterable[Row]) -> None:
    """Write all results anew, whole or not at all."""
    _replace(path, "".join(map(_line, rows)))


class ResultsFile:
    """Appends results; each line is flushed, and on disk within a second."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8", newline="\n")
        self._synced = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sync()
        self._file.close()

    def append(self, row: Row) -> None:
        self._file.write(_line(row))
        self._file.flush()
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            self._sync()

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Keep other processes off a run; the system lets go even when this process is killed.

    Raises:
        RunError: another process is running it, or the folder cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / "lock").open("a")
    except OSError as error:
        raise RunError(
            f"无法写入评测目录 {directory}（{error.strerror}）。请检查路径、磁盘空间与权限"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunError(
                f"另一个进程正在跑 {directory}。请等它结束，或用 --out 另选目录"
            ) from error
        yield


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _replace(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}")
    try:
        with aside.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise RunError(f"{path} 无法写入（{error.strerror}）。请检查磁盘空间与权限") from error
