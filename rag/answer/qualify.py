"""What stands around a quantity and changes what it says: at least, at most, a day, a dose.

Texts are in the form that `rag.answer.numbers.normal_form` gives.

Not covered: a comparison further from its quantity than a few characters, 最高 and 最低 (they name
what is measured as often as a limit).
"""

import re

# What may stand between a comparison and its quantity: 不超过每日 4g, 至少应达到 95%.
_FILLER = r"(?:每[日天次周月年]|应当?|须|需|要|为|是|在|有|达到?|至|到|约|第|[(“\"':：]|\s){0,3}$"
_NOT = r"(?:不|未|没有?|勿|别|莫|避免|禁止|无)(?:得|能|可|应|宜|要|会|该|许|准|曾|再|让)?"
_MORE = r"(?:超过|超出|高[于过]|大于|多[于过]|长于|早于)"
_LESS = r"(?:低[于过]|小于|少于|短于|不足|不到|晚于)"
_PREFIXES = (
    *(
        (direction, re.compile(rf"(?:{words}){_FILLER}"))
        for direction, words in (
            ("down", rf"{_NOT}(?:{_MORE}|超|逾|满)|至多|最多|上限[为是]?|≤|≦|<=?|控制在"),
            ("up", rf"{_NOT}(?:{_LESS}|亚于|下于)|至少|最少|起码|下限[为是]?|≥|≧|>=?|不下"),
            ("down", rf"{_LESS}|未及|不及"),
            ("up", rf"{_MORE}|(?<!不)超|逾|突破|(?<![不未])满"),
        )
    ),
    ("down", re.compile(r"(?:最多|至多|最长|最迟)[^、,;。:!?不未少低\d]{0,4}$")),
    ("up", re.compile(r"(?:最少|至少|最短|最早)[^、,;。:!?不未多高\d]{0,4}$")),
)
_SUFFIXES = tuple(
    (direction, re.compile(rf"\s?(?:{words})"))
    for direction, words in (
        ("up", r"(?:(?:及|或|和|含)其?)?以上|之上|或更[多长高久]|起步|\+(?!\d)"),
        ("down", r"(?:(?:及|或|和|含)其?)?以下|之下|以内|之内|或更[少短低]|内(?![容科部外镜])"),
        ("before", r"[之以]?前(?![列瞻后])"),
        ("after", r"[之以]?后(?!续)|起(?![搏步伏来])|开始"),
    )
)
_OPPOSITES = {
    frozenset(pair)
    for pair in (("up", "down"), ("before", "after"), ("after", "down"), ("before", "up"))
}
_PER = re.compile(
    r"(?<!第)(?:每|一|1|单)(日|天|次|晚|周|星期|个?月|季度|年|小时|分钟|公斤|kg|千克|升|毫升|ml|l|平方米)[^、,;。:!?\d%]{0,6}$"
    r"|(日|次|年)(?:剂量|总量|用量|最大量|极量)[^、,;。:!?\d%]{0,5}$"
)
_PER_NAMES = {
    "日": "天",
    "晚": "天",
    "星期": "周",
    "个月": "月",
    "公斤": "kg",
    "千克": "kg",
    "升": "l",
    "毫升": "ml",
}
# 每小时10mmol is 10mmol/h: another quantity than 10mmol. 每日10mg is 10mg, said of a day.
_PART_OF_UNIT = frozenset({"kg", "l", "ml", "平方米", "小时", "分钟"})
_LOOK_BACK = 16


def direction(text: str, start: int, end: int, own: str = "") -> str:
    """How the quantity ``text[start:end]``, written as ``own``, bounds what it measures.

    "up" (at least, more than), "down" (at most, less than), "before", "after", or "".
    """
    before = text[max(start - _LOOK_BACK, 0) : start]
    for name, pattern in _PREFIXES:
        if pattern.search(before):
            return name
    for name, pattern in _SUFFIXES:
        if pattern.match(text, end):
            return name
    return "up" if re.search(r"[多余]", own) else ""


def are_opposite(one: str, other: str) -> bool:
    """Whether two directions cannot both be meant: 不低于 and 不超过, 之前 and 之后."""
    return frozenset((one, other)) in _OPPOSITES


def per(text: str, start: int) -> str:
    """What a quantity that begins at ``start`` is counted by: 天 of 每日2次, 次 of 每次5mg, ""."""
    found = _PER.search(text[max(start - _LOOK_BACK, 0) : start])
    if not found:
        return ""
    name = found[1] or found[2]
    return _PER_NAMES.get(name, name)


def is_part_of_unit(name: str) -> bool:
    """Whether what a quantity is counted by (`per`) belongs to its unit."""
    return name in _PART_OF_UNIT


def is_negative(text: str, start: int) -> bool:
    """Whether a minus sign or 零下 stands before the number at ``start``; 5-10 is a range."""
    if text[max(start - 2, 0) : start] in ("零下", "负的"):
        return True
    if start == 0 or text[start - 1] not in "-−–负":
        return False
    if text[start - 1] == "负":
        return True
    before = text[start - 2 : start - 1]
    # Behind a letter or a unit it is a hyphen: 2019-20, B-12, 10mg-20.
    return not before or not (before.isalnum() or before in "%‰°)]") or before in "为于在约至到是"
