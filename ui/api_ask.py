"""A program's question on its way to the assistant, the same for both protocols."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Protocol

from pydantic import AfterValidator

from rag.types import Answer, Hit
from ui import api_texts
from ui.api_errors import ApiError
from ui.chat_desk import ChatAssistant
from ui.runs import Seats

# JSON may pass on half a character, which no library takes.
Text = Annotated[str, AfterValidator(lambda text: text.encode("utf-8", "replace").decode())]


class ApiAssistant(ChatAssistant, Protocol):
    """What the API needs of an assistant (``rag.assistant.Assistant``)."""

    def stream(
        self, question: str, /, *, collections: Collection[str] | None = None
    ) -> Iterator[Answer]:
        """Answers that each hold all text so far; the last has ``finished``."""
        ...

    def search(
        self,
        question: str,
        /,
        *,
        top_k: int | None = None,
        collections: Collection[str] | None = None,
    ) -> Sequence[Hit]:
        """The best passages, best first, without an answer."""
        ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier question of a conversation and its answer, without sources."""

    question: str
    answer: str


# The seam for follow-up questions: (earlier exchanges, question) → a question that stands alone.
FollowUp = Callable[[Sequence[Exchange], str], str]


@dataclass(frozen=True, slots=True)
class Desk:
    """What every route of the API works with."""

    assistant: ApiAssistant
    seats: Seats
    max_question_characters: int
    follow_up: FollowUp | None = None

    def checked(self, question: str) -> str:
        """The question without outer white space.

        Raises:
            ApiError: it is empty (400) or too long (413).
        """
        question = question.strip()
        if not question:
            raise ApiError(400, "empty_question", api_texts.EMPTY_QUESTION)
        length, limit = len(question), self.max_question_characters
        if length > limit:
            message = api_texts.LONG_QUESTION.format(length=length, limit=limit)
            raise ApiError(413, "question_too_long", message)
        return question

    def answers(
        self,
        question: str,
        history: Sequence[Exchange] = (),
        collections: Collection[str] | None = None,
    ) -> Iterator[Answer]:
        """The assistant's answers; closing the iterator stops the language model.

        Raises:
            RagError: the question cannot be answered.
        """
        alone = self.follow_up(history, question) if self.follow_up and history else question
        stream = self.assistant.stream
        # An assistant need not know collections as long as nobody names one.
        steps = stream(alone) if collections is None else stream(alone, collections=collections)
        try:
            for answer in steps:
                yield replace(answer, question=question)
        finally:
            close = getattr(steps, "close", None)
            if close is not None:
                close()
