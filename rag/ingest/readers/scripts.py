"""Superscript and subscript digits as characters of their own.

Formats that raise digits by markup lose them when the markup goes: 10<sup>9</sup> would be read
as 109, a different number. Unicode has these characters, and NFKC folds them for matching.
"""

_PLAIN = "0123456789+-−–=()n"
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾ⁿ"
_LOWERED = "₀₁₂₃₄₅₆₇₈₉₊₋₋₋₌₍₎ₙ"
_SUPERSCRIPT = dict(zip(_PLAIN, _RAISED, strict=True))
_SUBSCRIPT = dict(zip(_PLAIN, _LOWERED, strict=True))


def superscript(text: str) -> str:
    """Raised form of digits and signs; a text with anything else in it stays as it is."""
    return _convert(text, _SUPERSCRIPT)


def subscript(text: str) -> str:
    """Lowered form of digits and signs; a text with anything else in it stays as it is."""
    return _convert(text, _SUBSCRIPT)


def _convert(text: str, table: dict[str, str]) -> str:
    if any(character not in table and not character.isspace() for character in text):
        return text
    return "".join(table.get(character, character) for character in text)
