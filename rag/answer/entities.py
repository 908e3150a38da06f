"""What a question names so exactly that an answer must be about it: places, numbers, Latin names.

"德国的政策" is not answered by a passage that never mentions 德国, however near it is. Places are
the territories of CLDR's Chinese locale (through Babel) and China's provinces.
"""

import re
from functools import lru_cache

from rag.chinese import match_form

_PROVINCES = (
    "北京 天津 上海 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 "
    "广东 海南 四川 贵州 云南 陕西 甘肃 青海 台湾 内蒙古 广西 西藏 宁夏 新疆 香港 澳门"
)
_UNIONS = "欧盟 联合国 世界卫生组织"
# A month keeps its unit: "10月" is not in every passage that has a 10.
_NUMBER_OR_NAME = re.compile(r"\d+(?:\.\d+)?月?|[a-z][a-z0-9.\-]+")


def entities(question: str) -> frozenset[str]:
    """Places, numbers and Latin names of a question, in `match_form`."""
    text = match_form(question)
    places = {place for place in _places() if place in text}
    return frozenset(places | set(_NUMBER_OR_NAME.findall(text)))


def missing_entities(question: str, passages: list[str]) -> int:
    """How many of the question's entities the passage that holds most of them lacks."""
    wanted = entities(question)
    if not passages:
        return len(wanted)
    texts = [match_form(passage) for passage in passages]
    return min(sum(entity not in text for entity in wanted) for text in texts)


@lru_cache(maxsize=1)
def _places() -> frozenset[str]:
    from babel import Locale

    territories = Locale("zh").territories
    # Two-letter codes are countries and regions; one-character names would match anywhere.
    countries = {name for code, name in territories.items() if len(code) == 2 and len(name) > 1}
    return frozenset(match_form(n) for n in {*countries, *_PROVINCES.split(), *_UNIONS.split()})
