"""What is kept, as frozen values; times are ISO 8601 in UTC."""

from dataclasses import dataclass

from rag.types import Answer


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
class Turn:
    """One question and its answer; ``number`` counts from 1 in its conversation."""

    id: str
    conversation: str
    number: int
    asked: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Found:
    """A conversation that holds all words sought, and the sentence where the first of them
    stands: in turn ``number``, or in the title where that is 0."""

    conversation: Conversation
    number: int
    excerpt: str
