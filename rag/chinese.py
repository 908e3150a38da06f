"""Chinese text for matching: one script, one width, one case; never shown to a person."""

import unicodedata
from functools import lru_cache
from typing import Protocol


class _Converter(Protocol):
    def convert(self, text: str) -> str: ...


@lru_cache(maxsize=1)
def _converter() -> _Converter:
    from opencc import OpenCC

    converter: _Converter = OpenCC("t2s")
    return converter


def to_simplified(text: str) -> str:
    """Traditional to simplified script (OpenCC t2s); everything else stays as it is."""
    return _converter().convert(text)


def match_form(text: str) -> str:
    """The form in which questions and documents meet: NFKC, simplified, lower case.

    Offsets are not kept. Two texts that a reader would call the same characters come out equal:
    ``match_form("２０２５年，資料") == "2025年,资料"``.
    """
    return to_simplified(unicodedata.normalize("NFKC", text)).lower()
