"""Pinyin in brackets behind the character it reads: ``世紀(jì)`` becomes ``世紀``.

Some sites annotate traditional characters this way; a search for 世紀末 would miss
``世紀(jì)末``. A bracket goes only when all of it is a reading that pypinyin knows for the very
character before it, in either script, written with its tone mark: ``(a)``, ``(bai)``, ``(men)``
and ``(AIGC)`` can be something else and stay. All 410 glosses of the article the step was built
on carry tone marks.
"""

import re
import unicodedata

from rag.offsets import Edit

_TONED = "āáǎàēéěèōóǒòīíǐìūúǔùǖǘǚǜńňǹḿế"
_GLOSS = re.compile(
    r"(?<=[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff])[(（][ ]?"
    r"([a-zɑɡüê\u00e0-\u01dc\u1e3f\u0300-\u030c]{1,9})[ ]?[)）]"
)


def remove_pinyin_glosses(text: str) -> list[Edit]:
    """Edits that delete every bracket holding a toned reading of the character before it."""
    return [
        Edit(match.start(), match.end(), "")
        for match in _GLOSS.finditer(text)
        if _reads(text[match.start() - 1], match[1])
    ]


def _reads(character: str, gloss: str) -> bool:
    from pypinyin.constants import PINYIN_DICT

    reading = unicodedata.normalize("NFC", gloss).replace("ɑ", "a").replace("ɡ", "g")
    if not any(letter in _TONED for letter in reading):
        return False
    return reading in PINYIN_DICT.get(ord(character), "").split(",")
