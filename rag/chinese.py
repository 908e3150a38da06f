"""Chinese text for matching: one script, one width, one case; never shown to a person."""

import re
import unicodedata
from functools import lru_cache
from typing import Protocol

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(rf"[{_HAN}]+|[^\W{_HAN}_]+(?:[.\-/%][^\W{_HAN}_]+)*")
_IS_HAN = re.compile(rf"[{_HAN}]")


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


def tokenize(text: str) -> list[str]:
    """Tokens of a text, in order: each Han character, each pair, each Latin word or number.

    ``tokenize("服用DeepSeek-R1") == ["服", "用", "服用", "deepseek-r1", "deepseek", "r1"]``
    """
    tokens: list[str] = []
    for run in _RUN.findall(match_form(text)):
        if _IS_HAN.match(run):
            tokens.extend(run)
            tokens.extend(run[i : i + 2] for i in range(len(run) - 1))
        else:
            tokens.append(run)
            parts = re.split(r"[.\-/%]", run)
            if len(parts) > 1 and not run.replace(".", "").isdigit():
                tokens.extend(parts)
    return tokens
