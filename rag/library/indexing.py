"""The indexer that the settings describe, for `rag index`, the library and evaluations alike."""

from typing import TYPE_CHECKING

from rag.indexer import Indexer, Progress

if TYPE_CHECKING:
    from pathlib import Path

    from rag.retrieve.embed import Encoder
    from rag.settings import Settings

_MEGABYTE = 1024 * 1024


def indexer_of(
    settings: "Settings",
    encoder: "Encoder",
    progress: Progress | None,
    *,
    directory: "Path | None" = None,
) -> Indexer:
    """Writes the settings' index, or the one at ``directory``, with ``encoder``."""
    return Indexer(
        directory or settings.index.directory,
        encoder=encoder,
        split_size=settings.split.size,
        split_overlap=settings.split.overlap,
        steps=settings.clean,
        max_bytes=max_bytes_of(settings),
        ocr=settings.index.ocr,
        lock_timeout=settings.index.lock_timeout,
        progress=progress,
    )


def max_bytes_of(settings: "Settings") -> int:
    """The largest file that is indexed."""
    return int(settings.index.max_file_megabytes * _MEGABYTE)


def roots_of(settings: "Settings") -> "list[Path]":
    """The folders and files that the configured index holds, as far as they exist."""
    paths = (*settings.index.corpus, settings.library.directory)
    return [path for path in paths if path.exists()]
