"""What can be wrong with a data set or a run, said with the place where it is wrong."""

from pathlib import Path

from rag.errors import RagError


class DatasetError(RagError):
    """A data set cannot be used.

    Args:
        path: the file at fault.
        reason: what is wrong, in Chinese.
        remedy: what to do, in Chinese.
        line: the line or table row, from 1; 0 for the file as a whole.
    """

    exit_code = 2

    def __init__(self, path: Path, reason: str, remedy: str, *, line: int = 0) -> None:
        place = f" 第 {line} 行" if line else ""
        super().__init__(f"{path}{place}：{reason}。{remedy}")
        self.path = path
        self.line = line


class RunError(RagError):
    """A run directory cannot be continued, read or compared."""

    exit_code = 2
