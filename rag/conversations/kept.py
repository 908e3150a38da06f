"""What is kept, as frozen values; times are ISO 8601 in UTC."""

import uuid
from dataclasses import dataclass
from enum import StrEnum

from rag.types import Answer


def new_id() -> str:
    """An id that nobody guesses."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a list shows; ``turns`` counts questions."""

    id: str
    title: str
    created: str
    updated: str
    turns: int


@dataclass(frozen=True, slots=True)
class Page:
    """Conversations, newest first; ``following`` asks for the next page, "" at the end."""

    conversations: tuple[Conversation, ...]
    following: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """What an answer was made with: a digest of the settings, the name of the index."""

    settings_digest: str = ""
    generation: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer; ``number`` counts from 1 in its conversation."""

    id: str
    conversation: str
    number: int
    asked: str
    origin: Origin
    answer: Answer


@dataclass(frozen=True, slots=True)
class Found:
    """A conversation that holds all words sought, and the sentence where the first of them
    stands: in turn ``number``, or in the title where that is 0."""

    conversation: Conversation
    number: int
    excerpt: str


class Rating(StrEnum):
    UP = "up"
    DOWN = "down"


class Reason(StrEnum):
    """Why an answer was rated down."""

    WRONG = "wrong"
    UNSUPPORTED = "unsupported"
    WRONG_CITATION = "wrong_citation"
    INCOMPLETE = "incomplete"
    UNSAFE = "unsafe"


class Status(StrEnum):
    """How far the handling of a feedback is."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"  # by its author, after handling had begun


@dataclass(frozen=True, slots=True)
class Gold:
    """What the answer should have been, as the person who handled the complaint found."""

    is_answerable: bool
    answers: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Handling:
    """One step of the handling record; steps are only ever added."""

    status: Status
    note: str
    who: str
    done: str
    gold: Gold | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """One person's word on one answer. ``earlier`` are the questions asked before it in the
    conversation."""

    id: str
    person: str
    turn: str
    given: str
    rating: Rating
    reason: Reason | None
    comment: str
    status: Status
    origin: Origin
    earlier: tuple[str, ...]
    answer: Answer
