"""Characters that no exported file may carry as they are, shown instead of lost.

XML (Word) forbids control characters and half characters, and the controls of writing direction
can make ``PLT<100`` read the other way round. They are written by their number: 〔U+0007〕.
"""

import re
from collections.abc import Callable

_UNSHOWN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, except tab and line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # writing direction
    "\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]+"
    "|[" + "".join(chr(plane * 0x10000 + low) for plane in range(1, 17) for low in (0xFFFE, 0xFFFF)) + "]+"
)  # fmt: skip


def shown(text: str) -> str:
    """The text with line ends as line feeds and every character that cannot be written as its
    number."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSHOWN.sub(lambda found: numbered(found[0]), text)


def numbered(characters: str) -> str:
    """``numbered("\\x07\\x00") == "〔U+0007 U+0000〕"``"""
    return f"〔{' '.join(f'U+{ord(one):04X}' for one in characters)}〕"


def number_unless(text: str, is_known: Callable[[str], bool]) -> str:
    """Runs of characters that, say, a font does not know, by their numbers."""
    parts, unknown = [], ""
    for one in text:
        if is_known(one):
            parts.append(numbered(unknown) if unknown else "")
            parts.append(one)
            unknown = ""
        else:
            unknown += one
    return "".join(parts) + (numbered(unknown) if unknown else "")
