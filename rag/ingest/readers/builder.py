"""Puts the text of a document together block by block, keeping every offset right."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.types import Block, BlockKind, PageStart


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a block; ``page`` is the number of the page that begins with it."""

    text: str
    page: int | None = None


@dataclass(slots=True)
class TextBuilder:
    """Blocks added in reading order, one line break between two of them.

    ``text`` and the offsets in ``blocks`` and ``pages`` are final as soon as they are added.
    """

    blocks: list[Block] = field(default_factory=list)
    pages: list[PageStart] = field(default_factory=list)
    _parts: list[str] = field(default_factory=list)
    _length: int = 0
    _coming: list[int] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def add(self, kind: BlockKind, text: str, *, level: int = 0) -> None:
        """Append a block; white space around it is dropped, an empty one is not added."""
        self.add_pieces(kind, [Piece(text)], level=level)

    def add_pieces(self, kind: BlockKind, pieces: Sequence[Piece], *, level: int = 0) -> None:
        """Append one block made of pieces; white space around the whole is dropped."""
        whole = "".join(piece.text for piece in pieces)
        body = whole.strip()
        if not body:
            self._coming.extend(piece.page for piece in pieces if piece.page is not None)
            return
        if self._length:
            self._append("\n")
        start = self._length
        self.pages.extend(PageStart(number, start) for number in self._coming)
        self._coming.clear()
        before = len(whole) - len(whole.lstrip())
        position = 0
        for piece in pieces:
            if piece.page is not None:
                inside = min(max(position - before, 0), len(body))
                self.pages.append(PageStart(piece.page, start + inside))
            position += len(piece.text)
        self._append(body)
        self.blocks.append(Block(kind, start, self._length, level))

    def start_page(self, number: int) -> None:
        """The next block opens page ``number``; a page without text begins where that does."""
        self._coming.append(number)

    def finish(self) -> None:
        """Record the last pages when no block follows them."""
        self.pages.extend(PageStart(number, self._length) for number in self._coming)
        self._coming.clear()

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
