"""What a question can be asked about again with another value: a place, a year, a group of people.

"那英国呢？" behind a question about 美国 swaps one place for another. A slot is such a value and
where it stands; two values may be swapped when they are of one kind. Places are those of
`rag.answer.entities`; the other kinds are short lists of what hospitals' questions vary.

Not covered: towns, diseases and Chinese drug names, which stand as a question's subject instead
(`rag.answer.subject`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answer.entities import entities
from rag.chinese import to_simplified

TITLE, LATIN, PLACE, TIME, GROUP, ORDINAL = "title", "latin", "place", "time", "group", "ordinal"
ROUTE, ROLE, FORM = "route", "role", "form"
# Kinds that name a thing; the others only say for whom, where or when it is asked.
NAMES = (TITLE, LATIN)
_HAN = "\u4e00-\u9fff"
_NUMERAL = "[0-9一二三四五六七八九十百两]"
_GROUPS = (
    "学龄前儿童|婴幼儿|未成年人|未成年|青少年|新生儿|早产儿|成年人|老年人|高龄老人|儿童|小儿|婴儿|幼儿|患儿|小孩"
    "|孩子|成人|老年|老人|孕产妇|孕妇|产妇|哺乳期妇女|妊娠期妇女|妊娠期|哺乳期|孕期|育龄妇女|男性|女性|男孩|女孩"
)
_PATTERNS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (TITLE, "《[^《》]{1,60}》"),
        (ORDINAL, f"第{_NUMERAL}+(?:部分|阶段|[条项个章款步点类种节批次位名句])?"),
        (
            TIME,
            r"(?:[12]\d{3}|[一二][〇零一二三四五六七八九]{3})年(?:\d{1,2}月(?:\d{1,2}[日号])?)?"
            "(?:上半年|下半年)?(?:年?[底初末])?|(?:今|去|明|前)年|上半年|下半年"
            r"|\d{1,2}月(?:\d{1,2}[日号]|[底初末])?(?!龄)|近[0-9一二三四五六七八九十两]+年",
        ),
        (
            "quantity",
            r"(?<![\d.])\d{1,9}(?:\.\d{1,9})?(?:\s?[~-]\s?\d{1,9}(?:\.\d{1,9})?)?\s?"
            "(?:周岁|岁|公斤|千克|kg|毫克|mg|毫升|ml|个月|小时|分钟|[天周克])(?:以上|以下|以内|左右)?",
        ),
        (
            GROUP,
            f"(?:[肝肾心]{{1,2}}功能(?:不全|损害|减退|异常|不好)|[{_HAN}]{{2,8}})的?(?:患者|病人|人群)"
            f"|[肝肾心]{{1,2}}功能(?:不全|损害|减退|异常|不好)者?|{_GROUPS}",
        ),
        (
            ROLE,
            "主治医师|住院医师|规培医师|全科医生|医师|医生|护士长|护士|药师|技师|实习生|进修生|护工",
        ),
        (
            ROUTE,
            "口服|静脉注射|静脉滴注|静脉推注|静滴|静注|肌肉注射|肌内注射|肌注|皮下注射|外用|吸入|雾化|舌下含服|鼻饲",
        ),
        ("degree", "[轻中重]度|轻症|重症|危重症"),
        (
            FORM,
            "胶囊|片剂|颗粒剂|颗粒|注射液|注射剂|口服液|混悬液|缓释片|控释片|肠溶片|分散片|咀嚼片|软膏|滴眼液|栓剂|喷雾剂"
            "|(?<=[胍平林星定唑普利坦汀钠钙镁])片",
        ),
        ("finding", "阴性|阳性|偏高|偏低|过高|过低|升高|降低"),
        ("course", "急性|慢性"),
        ("class", "[0-9一二三四五ⅠⅡⅢⅣ]+[型期级]"),
        ("level", "三甲|二甲|三级|二级|一级|基层"),
        ("phase", "术前|术后|术中|餐前|餐后|饭前|饭后|空腹|白天|夜间|夜里"),
        (LATIN, r"[A-Za-z][A-Za-z0-9]*(?:[.\-+][A-Za-z0-9]+)*"),
    )
)
_ABROAD = re.compile(
    "全国|全球|全世界|全省|全市|我国|国内|国外|海外|境内|境外|其[他它]国家|别的国家|其[他它]地区|其[他它]省份?"
)
_PLACE_ENDING = re.compile("(?:自治区|特别行政区|[省市])?")
# What ends before a name of a group begins: 对于糖尿病患者 names 糖尿病患者.
_BEFORE_GROUP = re.compile(
    ".*(?:对于|关于|针对|如果|哪些|哪种|什么|[对给让是和与及或为在把使个名些种当]|的(?!(?:患者|病人|人群)))"
)
_JOINT = re.compile(r"\s*(?:以及|[、和与及或跟])\s*")
_FULL_WIDTH = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF5B))}


@dataclass(frozen=True, slots=True)
class Slot:
    """``text == question[start:end]``, a value of ``kind``."""

    kind: str
    start: int
    end: int
    text: str


def plain(text: str) -> str:
    """One line in simplified script, digits and letters of one width; punctuation stays."""
    return " ".join(to_simplified(text.translate(_FULL_WIDTH)).split())


def slots(text: str) -> list[Slot]:
    """The slots of a `plain` text, in order, without overlap."""
    found: list[Slot] = []

    def take(kind: str, start: int, end: int) -> None:
        if start < end and not any(start < slot.end and slot.start < end for slot in found):
            found.append(Slot(kind, start, end, text[start:end]))

    for kind, pattern in _PATTERNS[:1]:
        for match in pattern.finditer(text):
            take(kind, *match.span())
    for match in _ABROAD.finditer(text):
        take(PLACE, *match.span())
    for place in sorted(entities(text), key=lambda name: (-len(name), name)):
        if re.match(f"[{_HAN}]", place):
            for match in re.finditer(re.escape(place), text):
                ending = _PLACE_ENDING.match(text, match.end())
                take(PLACE, match.start(), ending.end() if ending else match.end())
    for kind, pattern in _PATTERNS[1:]:
        for match in pattern.finditer(text):
            start, end = match.span()
            if kind == GROUP:
                cut = _BEFORE_GROUP.match(match[0])
                start += cut.end() if cut else 0
            take(kind, start, end)
    return sorted(found, key=lambda slot: slot.start)


def kind_of(text: str) -> str | None:
    """The kind of a `plain` text that is one value and nothing else, None for any other."""
    found = slots(text)
    return found[0].kind if len(found) == 1 and found[0].text == text else None


def place_of(kind: str, text: str) -> tuple[int, int] | None:
    """Where ``text`` holds its value of ``kind``; a list of values (美国和英国) is one.

    None when it holds none, or several in different places.
    """
    spans: list[tuple[int, int]] = []
    for slot in slots(text):
        if slot.kind != kind:
            continue
        if spans and _JOINT.fullmatch(text, spans[-1][1], slot.start):
            spans[-1] = (spans[-1][0], slot.end)
        else:
            spans.append((slot.start, slot.end))
    return spans[0] if len(spans) == 1 else None


def swapped(text: str, value: str, kind: str) -> str | None:
    """``text`` with its value of ``kind`` replaced, None where there is no single one."""
    span = place_of(kind, text)
    if span is None:
        return None
    old = text[span[0] : span[1]]
    year = re.match(r"[12]\d{3}年", old)
    if kind == TIME and year and re.match(r"\d{1,2}月", value):
        value = year[0] + value  # another month of the same year
    rest = text[span[1] :]
    if _JOINT.search(old):
        rest = rest.replace("分别", "", 1).replace("各自", "", 1)
    return text[: span[0]] + value + rest


def swapped_all(text: str, value: str) -> str | None:
    """``text`` with every value of ``value``, which holds nothing else (英国NHS), put in."""
    found = slots(value)
    if len(found) < 2 or "".join(slot.text for slot in found) != value.replace("的", ""):
        return None
    exchanged: str | None = text
    for slot in found:
        exchanged = swapped(exchanged, slot.text, slot.kind) if exchanged is not None else None
    return exchanged


def named(text: str, kinds: Sequence[str] = NAMES) -> list[str]:
    """The values of ``kinds`` in order, each once."""
    return list(dict.fromkeys(slot.text for slot in slots(text) if slot.kind in kinds))
