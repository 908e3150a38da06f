"""Characters nobody sees: removed where they carry nothing, line ends made one kind.

Kept: joiners inside emoji and inside scripts that need them (Arabic, Indic, Tibetan, Mongolian),
the emoji variation selector, and private use characters: in files from Word a private use
character can be a symbol of a font (α, ✓), and dropping it would change a dose or a name.
"""

import re
import unicodedata

from rag.offsets import Edit

# C0 and C1 without tab and line feed, soft hyphen, zero width, bidi controls, word joiner and
# invisible operators, BOM, interlinear marks, tag characters, ideographic variation selectors,
# lone surrogates (no UTF-8 for them), noncharacters.
_INVISIBLE = re.compile(
    "\r\n?|[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e01ef\ud800-\udfff]"
)
_LINE_ENDS = {"\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"}
_JOINERS = "\u200c\u200d"


def remove_control_characters(text: str) -> list[Edit]:
    """Edits that delete invisible characters and turn every kind of line end into ``\\n``."""
    edits = []
    for match in _INVISIBLE.finditer(text):
        found = match[0]
        if found in _LINE_ENDS:
            edits.append(Edit(match.start(), match.end(), "\n"))
        elif found not in _JOINERS or not _joins(text, match.start()):
            edits.append(Edit(match.start(), match.end(), ""))
    return edits


def _joins(text: str, index: int) -> bool:
    before = text[index - 1 : index]
    after = text[index + 1 : index + 2]
    if not before or not after:
        return False
    if "\u0600" <= before < "\u1900":
        return True
    return (unicodedata.category(before) in {"So", "Sk"} or before == "\ufe0f") and (
        unicodedata.category(after) == "So"
    )
