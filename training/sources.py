"""Where claims come from: training articles, our own corpus/ and passages written for training."""

from pathlib import Path

from rag.ingest.clean import clean
from rag.ingest.read import read_file
from rag.ingest.split import split
from rag.offsets import OffsetMap
from rag.settings import SplitSettings
from rag.types import Document

CORPUS = Path("corpus")
WRITTEN = Path("training/data/passages.txt")
# Doses, units and negations are rare in an encyclopedia: our own passages count several times.
_WRITTEN_TIMES = 12
_CORPUS_TIMES = 4


def claim_passages(articles: list[str]) -> list[str]:
    """Passages to make claims about, some more than once."""
    sizes = SplitSettings()
    own = [
        passage.text
        for path in sorted(CORPUS.glob("*.md"))
        for passage in split(
            _document(path),
            size=sizes.size,
            overlap=sizes.overlap,
        )
    ]
    written: list[str] = []
    if WRITTEN.is_file():
        lines = WRITTEN.read_text(encoding="utf-8").splitlines()
        written = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return [*articles, *own * _CORPUS_TIMES, *written * _WRITTEN_TIMES]


def _document(path: Path) -> Document:
    cleaned = clean(read_file(path, max_bytes=1 << 24))
    text = cleaned.text
    return Document(path.name, "", text, text, OffsetMap.identity(len(text)), cleaned.blocks)
