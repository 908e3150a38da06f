"""JSON Lines, plain or gzipped, with the line number of everything that is wrong."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.evaluate.faults import DatasetError

Row = dict[str, Any]


def existing(path: Path) -> Path | None:
    """``path`` or its gzipped twin, whichever is there."""
    twin = path.with_name(path.name + ".gz")
    return path if path.is_file() else twin if twin.is_file() else None


def read_bytes(path: Path) -> bytes:
    """A file's content, unpacked.

    Raises:
        DatasetError: the file is missing, may not be read, or is damaged.
    """
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(path, f"无法读取（{error}）", "请检查路径与文件是否完整") from error


def text_of(path: Path, line: bytes, number: int) -> str:
    """One line as text.

    Raises:
        DatasetError: the line is not UTF-8.
    """
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DatasetError(
            path,
            f"不是 UTF-8（第 {error.start + 1} 个字节 0x{line[error.start]:02x}）",
            "请把整个文件另存为 UTF-8，不要混用编码",
            line=number,
        ) from error


def rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Each line's number and object; empty lines are passed over.

    Raises:
        DatasetError: a line is not UTF-8, not JSON or not an object.
    """
    # Not splitlines(): JSON may hold other line separators (U+2028) inside a string.
    content = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    for number, line in enumerate(content.split(b"\n"), 1):
        text = text_of(path, line, number)
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except ValueError as error:
            raise DatasetError(
                path, f"不是有效的 JSON（{error}）", "请改正后重试", line=number
            ) from error
        if not isinstance(row, dict):
            raise DatasetError(path, "不是 JSON 对象", "每行应是一个 {…}", line=number)
        yield number, row


class Fields:
    """The fields of one row, each asked for with the type that it must have.

    Raises:
        DatasetError: from every method, when the field is missing or of another type.
    """

    def __init__(self, path: Path, line: int, row: Row) -> None:
        self._path, self._line, self._row = path, line, row

    def fault(self, reason: str, remedy: str = "请改正后重试") -> DatasetError:
        return DatasetError(self._path, reason, remedy, line=self._line)

    def __contains__(self, name: str) -> bool:
        return self._row.get(name) is not None

    def _value(self, name: str) -> Any:
        if name not in self._row:
            raise self.fault(f"缺少字段 {name}", "请补上后重试")
        return self._row[name]

    def identifier(self, name: str) -> str:
        value = self._value(name)
        if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
            raise self.fault(f"字段 {name} 应是不为空的文字或整数")
        return str(value)

    def text(self, name: str, *, default: str | None = None) -> str:
        """With a ``default`` the field may be missing, null or empty."""
        value = self._value(name) if default is None else self._row.get(name)
        if default is not None and (value is None or value == ""):
            return default
        if not isinstance(value, str) or not value.strip():
            raise self.fault(f"字段 {name} 应是不为空的文字")
        return value

    def texts(self, name: str, *, required: bool = True) -> tuple[str, ...]:
        value = self._value(name) if required else self._row.get(name) or []
        if isinstance(value, str) and not required:
            value = [value]
        if not isinstance(value, list) or any(
            not isinstance(entry, str) or not entry.strip() for entry in value
        ):
            raise self.fault(f'字段 {name} 应是文字的列表，例如 ["…"]')
        return tuple(value)

    def identifiers(self, name: str) -> frozenset[str]:
        value = self._value(name)
        if not isinstance(value, list) or any(
            isinstance(entry, bool) or not isinstance(entry, str | int) for entry in value
        ):
            raise self.fault(f'字段 {name} 应是编号的列表，例如 ["…"]')
        return frozenset(map(str, value))

    def flag(self, name: str) -> bool:
        value = self._value(name)
        if not isinstance(value, bool):
            raise self.fault(f"字段 {name} 应是 true 或 false")
        return value


class Unique:
    """Refuses an id that was seen before, naming both lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[str, int] = {}

    def add(self, identifier: str, line: int) -> None:
        first = self._lines.setdefault(identifier, line)
        if first != line:
            raise DatasetError(
                self._path,
                f"编号 {identifier!r} 与第 {first} 行重复",
                "请让每个编号只出现一次",
                line=line,
            )
