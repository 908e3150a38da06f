"""The reader as the second stage of retrieval: passages in the order in which they fit."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from rag.reader.model import Text
from rag.types import LOGIT_LIMIT, Hit, Reading, limited


class ReadsPassages(Protocol):
    """A `rag.reader.model.Reader`, loaded or still to be."""

    def read(self, question: str, texts: Sequence[Text]) -> Sequence[Reading]: ...


class ReaderReranker:
    """Reads the first ``depth`` hits and orders them by what it found; the rest follow.

    The score of a read hit is ``weight`` of its relevance, the remainder of the retrieval's own
    score; both lie in [0, 1]. What was read travels on in `Hit.reading`.
    """

    def __init__(self, reader: ReadsPassages, *, depth: int, weight: float) -> None:
        self._reader = reader
        self.depth = depth
        self._weight = weight

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """The same hits, best first; those not read keep their order behind the others."""
        first = hits[: self.depth]
        texts = [Text(hit.passage.text, (hit.title, hit.passage.heading)) for hit in first]
        readings = self._reader.read(question, texts)
        read = [
            replace(hit, reading=reading, score=self._score(hit.score, reading.relevance))
            for hit, reading in zip(first, readings, strict=True)
        ]
        read.sort(key=lambda hit: -hit.score)
        least = read[-1].score if read else 1.0
        # Scores fall along the list, so that a reader of scores sees the order.
        rest = [replace(hit, score=min(hit.score, least)) for hit in hits[self.depth :]]
        return [*read, *rest]

    def _score(self, retrieved: float, relevance: float) -> float:
        # Trained on pairs, a relevance tells which of two passages fits better, not that one does:
        # its logistic, 0 or 1 nearly everywhere, overruled retrieval where neither was sure.
        fits = (limited(relevance) + LOGIT_LIMIT) / (2 * LOGIT_LIMIT)
        return self._weight * fits + (1.0 - self._weight) * retrieved
