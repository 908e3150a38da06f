"""Keeps a reasoning model's inline ``<think>…</think>`` text apart from its answer.

Servers that know the model send thinking in a field of its own; others send it inside the text
(DeepSeek-R1 behind a plain OpenAI-compatible server), and some chat templates put the opening tag
into the prompt, so that only the closing tag arrives.
"""

import re
from dataclasses import dataclass

_TAG = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)
_TAGS = ("<think>", "</think>", "<thinking>", "</thinking>")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the stream. ``reset``: all text before it was thinking after all."""

    text: str = ""
    thinking: str = ""
    reset: bool = False


class ThinkingSplitter:
    """Feed it the text as it comes, in pieces of any size; call `finish` at the end.

    Args:
        opened: the stream begins inside the thinking (the template wrote the opening tag). When
            no closing tag follows, the guess was wrong and `finish` gives the text back.
    """

    def __init__(self, *, opened: bool = False) -> None:
        self._inside = opened
        self._guessed = opened
        self._guess: list[str] = []
        self._pending = ""
        self._at_start = True

    def feed(self, text: str) -> list[Piece]:
        """The parts that are certain so far; the beginning of a tag is held back."""
        text = self._pending + text
        pieces: list[Piece] = []
        position = 0
        for tag in _TAG.finditer(text):
            pieces += self._emit(text[position : tag.start()])
            position = tag.end()
            if tag[1]:
                if not self._inside:
                    pieces.append(Piece(reset=True))
                self._at_start = True
            self._guessed = False
            self._inside = not tag[1]
        rest = text[position:]
        held = _unfinished_tag(rest)
        self._pending = rest[len(rest) - held :]
        return pieces + self._emit(rest[: len(rest) - held])

    def finish(self) -> list[Piece]:
        """What was held back; an unclosed ``<think>`` stays thinking."""
        pieces = self._emit(self._pending)
        self._pending = ""
        if self._guessed and self._inside:
            pieces.append(Piece(text="".join(self._guess).lstrip()))
        return pieces

    def thinks_elsewhere(self) -> None:
        """The server sends thinking in its own field: the text does not begin inside it."""
        if self._guessed:
            self._guessed = self._inside = False

    def _emit(self, text: str) -> list[Piece]:
        if not self._inside and self._at_start:
            text = text.lstrip()
        if not text:
            return []
        if not self._inside:
            self._at_start = False
            return [Piece(text=text)]
        if self._guessed:
            self._guess.append(text)
        return [Piece(thinking=text)]


def _unfinished_tag(text: str) -> int:
    """The length of the end of ``text`` that may be the beginning of a tag."""
    start = text.rfind("<")
    if start < 0:
        return 0
    end = text[start:].lower()
    return len(end) if any(tag.startswith(end) for tag in _TAGS) else 0
