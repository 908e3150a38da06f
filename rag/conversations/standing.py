"""Does a document still say what an old answer quotes from it?

Answers outlive the index they came from: documents are replaced, corrected, removed. A reopened
citation keeps its own words; this says how the index of today stands to them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rag.retrieve.documents import DocumentStore
from rag.types import Answer, Citation, Document


class Standing(StrEnum):
    SAME = "same"  # at the very place
    MOVED = "moved"  # elsewhere in the document, or there with other cleaning
    CHANGED = "changed"  # the document is there, the words are not
    GONE = "gone"  # no such document


@dataclass(frozen=True, slots=True)
class Held:
    """How a citation stands: where it does, ``[start, end)`` of today's document text."""

    standing: Standing
    start: int = 0
    end: int = 0


def standings(answer: Answer, documents: DocumentStore) -> tuple[Held, ...]:
    """One for each citation of the answer, in their order."""
    return tuple(
        standing(citation, documents.document(citation.document))
        if citation.document in documents
        else Held(Standing.GONE)
        for citation in answer.citations
    )


def standing(citation: Citation, document: Document) -> Held:
    """How one citation stands to its document of today; of several places the nearest."""
    if document.text[citation.start : citation.end] == citation.quote:
        return Held(Standing.SAME, citation.start, citation.end)
    start = _nearest(document.text, citation.quote, citation.start)
    if start is not None:
        return Held(Standing.MOVED, start, start + len(citation.quote))
    near = document.offsets.to_original(citation.start, citation.start)[0]
    first = _nearest(document.original, citation.original, near)
    if first is not None:
        last = first + len(citation.original)
        edited = document.offsets.to_edited(first), document.offsets.to_edited(last)
        return Held(Standing.MOVED, *edited)
    return Held(Standing.CHANGED)


def _nearest(text: str, wanted: str, place: int) -> int | None:
    return min(_places(text, wanted), key=lambda start: abs(start - place), default=None)


def _places(text: str, wanted: str) -> Iterator[int]:
    start = text.find(wanted) if wanted else -1
    while start >= 0:
        yield start
        start = text.find(wanted, start + 1)
