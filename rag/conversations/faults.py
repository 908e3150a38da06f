"""What can be wrong with kept conversations, each one clear line."""

from rag.errors import RagError


class ConversationError(RagError):
    """A conversation cannot be read or written."""

    exit_code = 7


class ConversationMissing(ConversationError):
    """There is no such conversation, turn or feedback, or it is another person's: not told apart."""


class DatabaseFault(ConversationError):
    """The database itself fails.

    Args:
        message: for who runs the server, with the file and what to do about it.
        told: for who reads the page, without names of files.
    """

    def __init__(self, message: str, told: str) -> None:
        super().__init__(message)
        self.told = told


class ConversationBusy(ConversationError):
    """Another process holds the database for longer than the busy time-out."""


def told(error: ConversationError) -> str:
    """What the person at the page is told about it."""
    return error.told if isinstance(error, DatabaseFault) else str(error)
