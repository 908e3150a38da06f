"""What can be wrong with a change of the library, each one clear line."""

from rag.errors import RagError


class LibraryError(RagError):
    """The library cannot be read or written."""


class FileRefused(LibraryError):
    """A file is not taken: its name, its type or its size."""


class NameTaken(LibraryError):
    """There is such a file already, and replacing it was not asked for."""


class DocumentMissing(LibraryError):
    """There is no such document, file or page, or nothing of it can be shown."""
