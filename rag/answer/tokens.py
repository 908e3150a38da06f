"""How many tokens a text takes at most, without the model's tokenizer.

The rule is an upper estimate, so that a prompt which fits by it fits for real:

- a Chinese character, a digit, a punctuation mark, a line break: one token each. Tokenizers made
  for Chinese (Qwen, DeepSeek, GLM, Gemma) need 0.6 to 0.8 on running text and 1.0 on lists of
  drug names (measured with Gemma); those that are not (Llama 2) may need two: not covered.
- Latin letters: one token for every three letters of a word or part of them (real: four to five).
- anything else (emoji, rare scripts, Chinese beyond the basic plane): one token per UTF-8 byte.
- a message: eight tokens for its role and its end.
- all of it: one eighth more, as a reserve.
"""

import re
from collections.abc import Sequence
from typing import Protocol

MESSAGE_TOKENS = 8

_PIECE = re.compile(r"[A-Za-z]+|[\x21-\x7e\n]|[ \t]+|.", re.DOTALL)
_ONE_TOKEN = (
    (0x2010, 0x2027),  # dashes, quotation marks, ellipsis
    (0x3000, 0x30FF),  # Chinese punctuation, kana
    (0x4E00, 0x9FFF),  # Chinese characters
    (0xFF00, 0xFFEF),  # full-width forms
)


class _Message(Protocol):
    @property
    def content(self) -> str: ...


def estimate_tokens(text: str) -> int:
    """An upper estimate of the tokens of ``text``; see the module for the rule."""
    # A single space belongs to the word behind it; at the end there is none yet.
    ends_open = text.endswith(" ")
    return -(-9 * (sum(_piece_tokens(piece) for piece in _PIECE.findall(text)) + ends_open) // 8)


def estimate_messages(messages: Sequence[_Message]) -> int:
    """An upper estimate of the tokens of a whole chat, roles and the answer's opening included."""
    return MESSAGE_TOKENS + sum(
        MESSAGE_TOKENS + estimate_tokens(message.content) for message in messages
    )


def least_tokens(messages: Sequence[_Message]) -> int:
    """A lower bound: a server that read fewer tokens than this cut the prompt.

    Three tokens for ten Chinese characters and one for ten other visible characters; no tokenizer
    in use packs running text more tightly.
    """
    text = "".join(message.content for message in messages)
    chinese = sum(0x4E00 <= ord(character) <= 0x9FFF for character in text)
    visible = sum(not character.isspace() for character in text)
    return (3 * chinese + (visible - chinese)) // 10


def _piece_tokens(piece: str) -> int:
    if piece[0] in " \t":
        return 0 if piece == " " else 1
    if piece[0].isascii():
        return -(-len(piece) // 3) if piece.isalpha() else 1
    code = ord(piece)
    if any(first <= code <= last for first, last in _ONE_TOKEN):
        return 1
    return len(piece.encode("utf-8", "surrogatepass"))
