"""A page of a PDF as a picture, of the very file that was indexed."""

from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import Final

from rag.errors import DocumentError
from rag.ingest.page_image import draw_page
from rag.library.faults import DocumentMissing
from rag.retrieve.generation import digest

_REMEMBERED: Final = 256


class PageImages:
    """Draws pages; remembers which files it has compared with the index."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._digests: OrderedDict[tuple[Path, int, int], str] = OrderedDict()

    def draw(self, path: Path, sha256: str, number: int) -> bytes:
        """Page ``number`` (from 1) of a file, as a PNG.

        Raises:
            DocumentMissing: the file is gone, is not the one indexed (``sha256``), is no PDF, or
                has no such page.
        """
        if path.suffix.lower() != ".pdf":
            raise DocumentMissing("只有 PDF 文档可以按页预览。请在来源中查看原文")
        try:
            if self._digest(path) != sha256:
                raise DocumentMissing("原文件在建立索引之后改动过，无法预览。请待索引更新后重试")
            return draw_page(path, number)
        except OSError as error:
            raise DocumentMissing(
                "原文件已不在原处，无法预览。请恢复文件，或更新索引后重试"
            ) from error
        except DocumentError as error:
            raise DocumentMissing(f"{error.reason}。{error.remedy}") from error

    def _digest(self, path: Path) -> str:
        status = path.stat()
        key = (path, status.st_size, status.st_mtime_ns)
        with self._lock:
            known = self._digests.get(key)
        if known is None:
            known = digest(path)
            with self._lock:
                self._digests[key] = known
                if len(self._digests) > _REMEMBERED:
                    self._digests.popitem(last=False)
        return known
