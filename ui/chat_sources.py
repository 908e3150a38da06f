"""How a citation is shown today: with the text around it, or with a word on why not."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass

from rag.conversations.standing import Standing, standing
from rag.errors import RagError
from rag.types import Answer, Citation, Document
from ui.excerpt import Excerpt, excerpt

Key = tuple[str, int, int]  # a citation's document, start and end


@dataclass(frozen=True, slots=True)
class Shown:
    """A citation's surroundings in the document of today, None where its words are not there."""

    standing: Standing
    excerpt: Excerpt | None = None


def shown_sources(
    answer: Answer, document: Callable[[str], Document], known: MutableMapping[Key, Shown]
) -> MutableMapping[Key, Shown]:
    """All citations of an answer; ``known`` holds those looked up before and is added to."""
    for citation in answer.citations:
        key = (citation.document, citation.start, citation.end)
        if key not in known:
            known[key] = _shown(citation, document)
    return known


def _shown(citation: Citation, document: Callable[[str], Document]) -> Shown:
    try:
        found = document(citation.document)
    except RagError:
        return Shown(Standing.GONE)
    held = standing(citation, found)
    if held.standing is Standing.CHANGED:
        return Shown(held.standing)
    return Shown(held.standing, excerpt(found.text, held.start, held.end))
