"""How likely a piece of text is as Chinese, to choose between readings of the same bytes.

The score is the log probability of the best segmentation under a unigram model: word counts come
from jieba's word list, read directly as data (calling jieba would write a cache into the shared
temporary folder), marks and Latin text have fixed rates. Text is compared in simplified script.
The scores rank readings of one short stretch; they say nothing about style or truth.
"""

import math
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from rag.chinese import to_simplified

_LONGEST_WORD = 8
_UNSEEN = 0.2

# Counts of marks on the scale of the word list (60 million words of running text).
_MARKS = {
    "，": 3_600_000,
    "。": 1_900_000,
    "、": 900_000,
    "“": 420_000,
    "”": 420_000,
    "：": 280_000,
    "；": 180_000,
    "（": 300_000,
    "）": 300_000,
    "《": 200_000,
    "》": 200_000,
    "？": 120_000,
    "！": 120_000,
    "…": 60_000,
    "—": 80_000,
    "·": 40_000,
    "「": 20_000,
    "」": 20_000,
    "『": 5_000,
    "』": 5_000,
    "‘": 20_000,
    "’": 20_000,
    "【": 8_000,
    "】": 8_000,
    "～": 8_000,
    "％": 8_000,
    "〈": 3_000,
    "〉": 3_000,
    "°": 3_000,
    "×": 3_000,
    "α": 500,
    "β": 500,
    "γ": 200,
    "μ": 500,
    "\n": 400_000,
    " ": 400_000,
    # What is left of a byte that could not be read: never a reason to prefer a text.
    "?": 2_000,
    "\ufffd": 0.2,
}
# Connectives of expository prose that the word list lacks.
_MORE_WORDS = {"再如": 2_000, "又如": 2_000, "一是": 2_000, "二是": 1_500, "三是": 1_000}
_DIGIT = 600_000
_LATIN = 200_000
_ASCII_MARK = 60_000
_FULL_WIDTH = 2_000
_KANA = 5_000


class Fluency:
    """Scores text with the counts of a word list."""

    def __init__(self, counts: dict[str, int]) -> None:
        self._total = math.log(sum(counts.values()) + 1)
        self._counts = counts

    def score(self, text: str) -> float:
        """The natural log probability of the best segmentation of ``text`` (any script)."""
        text = simplify(text)
        length = len(text)
        best = [0.0] * (length + 1)
        for end in range(1, length + 1):
            top = best[end - 1] + self._character(text[end - 1])
            for start in range(end - 2, max(end - _LONGEST_WORD, 0) - 1, -1):
                count = self._counts.get(text[start:end])
                if count:
                    candidate = best[start] + math.log(count) - self._total
                    if candidate > top:
                        top = candidate
            best[end] = top
        return best[length]

    def _character(self, character: str) -> float:
        return _log(self._counts.get(character) or _rate(character)) - self._total


@lru_cache(maxsize=4096)
def _log(count: float) -> float:
    return math.log(count)


@lru_cache(maxsize=4096)
def _rate(character: str) -> float:
    rate = _MARKS.get(character)
    if rate is not None:
        return rate
    if character.isascii():
        return _DIGIT if character.isdigit() else _LATIN if character.isalpha() else _ASCII_MARK
    if "\uff01" <= character <= "\uff5e":
        return _FULL_WIDTH
    if "\u3040" <= character <= "\u30ff":
        return _KANA
    return _UNSEEN


@lru_cache(maxsize=32768)
def _simplify(character: str) -> str:
    simple = to_simplified(character)
    return simple if len(simple) == 1 else character


def simplify(text: str) -> str:
    """Traditional to simplified one character at a time: as long as ``text``, always."""
    return "".join(map(_simplify, text))


@lru_cache(maxsize=1)
def chinese() -> Fluency:
    """The model of jieba's word list; about half a second and 40 MB on first use."""
    specification = find_spec("jieba")
    assert specification is not None and specification.origin is not None  # noqa: S101
    counts = dict(_MORE_WORDS)
    with Path(specification.origin).with_name("dict.txt").open(encoding="utf-8") as lines:
        for line in lines:
            word, count, _ = line.split(" ")
            if len(word) <= _LONGEST_WORD:
                counts.setdefault(word, int(count))
    return Fluency(counts)
