"""How a question or claim and a passage become the reader's input: one place for training and use.

``<s> text </s></s> context </s> passage </s>``, where the context is the passage's title and
section. Both sides meet in simplified script; the passage keeps its length, so that a token's
span is a span of the passage as it stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from rag.chinese import to_simplified

LONGEST = 512
_LONGEST_TEXT = 72
_LONGEST_CONTEXT = 32


class Task(StrEnum):
    """What stands before the passage; the value is the prompt that the backbone knows."""

    QUESTION = "query: "
    CLAIM = "passage: "


@dataclass(frozen=True, slots=True)
class ReaderInput:
    """``ids`` of the whole sequence; tokens ``[first, last)`` are the passage's, token
    ``first + i`` covering ``spans[i]`` of its characters."""

    ids: list[int]
    first: int
    last: int
    spans: list[tuple[int, int]]


class InputBuilder:
    """Builds inputs with the tokenizer of the backbone's folder; safe in several threads."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer: Any = Tokenizer.from_buffer((folder / "tokenizer.json").read_bytes())
        self._begin = self._tokenizer.token_to_id("<s>")
        self._end = self._tokenizer.token_to_id("</s>")

    def text_ids(self, task: Task, text: str) -> list[int]:
        """Token ids of a question or claim, cut to its limit."""
        ids: list[int] = self._encode(task.value + same_length_simplified(text)).ids
        return ids[:_LONGEST_TEXT]

    def context_ids(self, parts: Sequence[str]) -> list[int]:
        """Token ids of title and section, cut to their limit."""
        context = " ".join(part for part in parts if part.strip())
        return (
            self._encode(same_length_simplified(context)).ids[:_LONGEST_CONTEXT] if context else []
        )

    def build(
        self, task: Task, text: str, passage: str, context: Sequence[str] = ()
    ) -> ReaderInput:
        """One sequence; what of the passage does not fit into `LONGEST` tokens is left out."""
        opening = [self._begin, *self.text_ids(task, text), self._end, self._end]
        about = self.context_ids(context)
        if about:
            opening += [*about, self._end]
        encoding = self._encode(same_length_simplified(passage))
        room = LONGEST - len(opening) - 1
        ids = encoding.ids[:room]
        spans = [(int(a), int(b)) for a, b in encoding.offsets[:room]]
        first = len(opening)
        return ReaderInput([*opening, *ids, self._end], first, first + len(ids), spans)

    def _encode(self, text: str) -> Any:
        return self._tokenizer.encode(text, add_special_tokens=False)


def same_length_simplified(text: str) -> str:
    """Simplified script where that keeps every character's place, else the text as it is; half a
    character, which no library takes, becomes a question mark."""
    text = text.encode("utf-8", "replace").decode()
    simplified = to_simplified(text)
    return simplified if len(simplified) == len(text) else text
