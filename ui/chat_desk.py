"""What the chat page works with: the assistant, what it can do beside answering, what is kept."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rag.answer.subject import Turn as Exchange
from rag.conversations.kept import Origin
from rag.types import Answer, Document
from ui.chat_places import Places

if TYPE_CHECKING:
    from rag.answer.follow_up import Rewritten
    from rag.conversations.feedback import FeedbackStore
    from rag.conversations.store import ConversationStore


class ChatAssistant(Protocol):
    """What the page needs of an assistant (``rag.assistant.Assistant``)."""

    @property
    def model_label(self) -> str:
        """Who is answering, as a person should read it."""
        ...

    def stream(self, question: str, /) -> Iterator[Answer]:
        """Answers that each hold all text so far; the last has ``finished``.

        Raises:
            RagError: the question cannot be answered; one Chinese line.
        """
        ...

    def document(self, id: str, /) -> Document:
        """The document a citation points into.

        Raises:
            RagError: there is no such document.
        """
        ...


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an assistant can do beside answering; what is missing, the page does not offer.

    ``stand_alone`` makes a follow-up question a whole one; ``follow_ups`` gives questions that
    can be asked next, of an answer and the questions before it; ``collections`` names those that
    a search can be restricted to; ``origin`` says what answers are made with now, ``digest`` which
    weights the language model has ("" when unknown); ``library``: whether there is a page of
    documents, which also draws the pages of PDFs.
    """

    stand_alone: "Callable[[Sequence[Exchange], str], Rewritten] | None" = None
    follow_ups: Callable[[Answer, Sequence[str]], Sequence[str]] | None = None
    collections: Callable[[], Sequence[str]] = tuple
    origin: Callable[[], Origin] = Origin
    digest: Callable[[], str] = str
    library: bool = False


@dataclass(frozen=True, slots=True)
class ComplianceNotice:
    """What the page shows of a model's filing; an empty part is left out."""

    model_name: str = ""
    filing_number: str = ""


@dataclass(frozen=True, slots=True)
class ChatDesk:
    """Everything behind the page. ``examples`` are questions offered as buttons; ``font`` is for
    exported PDFs, None for a system font."""

    assistant: ChatAssistant
    conversations: "ConversationStore"
    feedback: "FeedbackStore"
    abilities: Abilities = field(default_factory=Abilities)
    compliance: ComplianceNotice | None = None
    font: Path | None = None
    examples: Sequence[str] = ()
    places: Places = field(default_factory=Places)

    def answers(self, question: str, collections: Sequence[str]) -> Iterator[Answer]:
        """The assistant's answers; an assistant need not know collections until one is chosen."""
        stream: Callable[..., Iterator[Answer]] = self.assistant.stream
        return stream(question, collections=collections) if collections else stream(question)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a question is to be asked; it comes from a browser, and nothing in it is trusted.

    ``replaces`` is the turn whose place the new one takes (edited, asked again); ``verbatim``
    searches the question as it was typed.
    """

    conversation: str = ""
    replaces: str = ""
    verbatim: bool = False
    collections: tuple[str, ...] = ()
