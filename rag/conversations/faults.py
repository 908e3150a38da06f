"""What can be wrong with kept conversations, each one clear line."""

from rag.errors import RagError


class ConversationError(RagError):
    """A conversation cannot be read or written."""

    exit_code = 7


class ConversationMissing(ConversationError):
    """There is no such conversation, turn or feedback, or it is another person's: not told apart."""


class ConversationBusy(ConversationError):
    """Another process holds the database for longer than the busy time-out."""
