"""The quantities of a text, so that two texts can be compared number by number.

However it is written, one quantity comes out equal: 6710亿, 6,710亿, 六千七百一十亿; 30%, ３０％,
百分之三十, 三成; 2025年3月5日, 二〇二五年三月五日, 2025-03-05; 5毫克, 5mg, 5 mg. Nothing is
converted: 两周 is not 14天, and 1g is not 1000mg, because a reader who checks must find what is
written. Names with numbers (维生素B12, CYP3A4) are compared as they stand.

Chinese numerals count only where a unit follows, or where they hold at least three characters:
一般, 二甲双胍 and 十二指肠 hold no number. 一 before a measure word (一个, 一种) is an article.

Not covered: numbers without a common numeral system (Ⅲ counts as 3 only before 型, 期, 级, 度, 类),
sets of three and more (1:1000 is two numbers).
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from rag.answer.numerals import DIGITS, LARGE, NUMERALS, SMALL, chinese_number
from rag.answer.qualify import direction, is_negative, is_part_of_unit, per
from rag.chinese import to_simplified

_ZERO = Decimal(0)

# Spellings of one unit; the first is the name it gets. 日 and 天 count the same days.
_UNITS = (
    ("mg", "毫克"),
    ("μg", "微克", "ug", "mcg"),
    ("ng", "纳克"),
    ("kg", "千克", "公斤"),
    ("g", "克"),
    ("ml", "毫升"),
    ("dl", "分升"),
    ("l", "升"),
    ("mm", "毫米"),
    ("cm", "厘米", "公分"),
    ("m", "米"),
    ("mmhg", "毫米汞柱"),
    ("kpa", "千帕"),
    ("cmh2o", "厘米水柱"),
    ("km", "公里", "千米"),
    ("kcal", "千卡", "大卡"),
    ("gy", "戈瑞"),
    ("msv", "毫西弗"),
    ("学时", "课时"),
    ("季度", "个季度"),
    ("时", "点钟"),
    ("工作日", "个工作日"),
    ("平方米", "㎡"),
    ("°c", "摄氏度", "度"),
    ("mmol", "毫摩尔"),
    ("μmol", "umol", "微摩尔"),
    ("iu", "国际单位"),
    ("u", "单位"),
    ("小时", "个小时", "h", "钟头", "个钟头"),
    ("分钟", "min"),
    ("秒", "s", "秒钟"),
    ("天", "日", "号", "d"),
    ("周", "星期", "个星期", "礼拜", "个礼拜"),
    ("个月",),
    ("月", "月份"),
    ("月龄", "个月龄"),
    ("年",),
    ("岁", "周岁"),
    ("人", "名", "位", "人次"),
    ("例",),
    ("次", "回"),
    ("元", "块钱"),
    ("美元",),
    *((unit,) for unit in "片粒支袋瓶盒针剂张台包件间辆字滴倍级期型床版页章条批届"),
)
_CANONICAL = {spelling: names[0] for names in _UNITS for spelling in names}
# Measure words say what is counted, not how much: 三个医院 and 三家医院 are the same number.
_MEASURES = ("个", "种", "项", "类", "款", "份", "套", "点", "大", "轮", "家", "所")
_ARTICLE_UNITS = frozenset({"", "人", "条", "批"})
# Words that hold a numeral and a unit and mean neither.
_PLAIN_WORDS = re.compile("百日咳|一次性")


@dataclass(frozen=True, slots=True)
class Quantity:
    """``values`` in ``unit`` ("" when none is written); ``text`` is how the text writes it.

    ``kind``: "number" has one value, "range" two, "fraction" numerator and denominator, "date"
    year, month, day with 0 for what is not said; "name" has none, its ``unit`` is the name.
    ``direction`` and ``per`` are those of `rag.answer.qualify`; ``[start, end)`` is its place in
    `normal_form` of the text.
    """

    kind: str
    values: tuple[Decimal, ...]
    unit: str
    text: str
    direction: str = ""
    per: str = ""
    start: int = 0
    end: int = 0


_N = r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_C = rf"[{NUMERALS}]+(?:点[{''.join(DIGITS)}]+)?"
_NUMBER = rf"(?:{_N}|{_C})"
_SCALE = r"(?:\s*(?:[十百千]?万亿|[十百千]?[万亿]|[百千](?![克帕米瓦])))?"
_POWER = r"(?:\s*[×x*]\s*10\^-?\d+)?"
_LATIN = r"(?:mmol|μmol|umol|mmhg|cmh2o|kcal|msv|km|gy|mcg|min|iu|kg|mg|μg|ug|ng|dl|ml|mm|cm|kpa|g|l|m|h|s|d|u)"
_WORDS = "|".join(
    sorted((s for s in [*_CANONICAL, *_MEASURES] if not s.isascii()), key=len, reverse=True)
)
_ONE_UNIT = rf"(?:{_LATIN}(?![a-z])|{_WORDS})"
_UNIT = rf"(?:[多余]?\s?{_ONE_UNIT}(?:/(?:{_ONE_UNIT}|分))*)"
_TO = r"\s*(?:~|-|–|—|至|到)\s*"
_PERCENT = r"\s?[%‰]"

_PATTERNS = re.compile(
    rf"""
    (?P<year>(?:\d{{4}}|[{"".join(DIGITS)}]{{4}}))年
        (?:(?P<ym>\d{{1,2}}|[一二三四五六七八九十]{{1,2}})月(?!龄)
            (?:(?P<yd>\d{{1,2}}|[一二三四五六七八九十]{{1,3}})[日号])?)?
  | (?P<month>\d{{1,2}}|[一二三四五六七八九十]{{1,2}})月
        (?P<day>\d{{1,2}}|[一二三四五六七八九十]{{1,3}})[日号]
  | (?P<name>[a-z]+(?:-?\d+[a-z]*)+(?!\.?\d))
  | 百分之(?P<percent>{_NUMBER}(?:{_TO}(?:百分之)?{_NUMBER})?)
  | 千分之(?P<permille>{_NUMBER})
  | (?P<denominator>{_NUMBER})分之(?P<numerator>{_NUMBER})
  | (?P<tenths>[一二两三四五六七八九](?:点[一二三四五六七八九])?)成(?![功为立果本员分熟人年长])
  | (?P<low>{_NUMBER}{_SCALE})(?P<low_unit>{_PERCENT}|{_UNIT})?{_TO}
        (?P<high>{_NUMBER}{_SCALE})(?P<high_unit>{_PERCENT}|{_UNIT})?
  | (?P<top>\d+)/(?P<bottom>\d+)(?!\.?\d)(?P<pair_unit>{_UNIT})?
  | (?P<half>半)个?(?P<half_unit>小时|年|天|日|月|片|粒|支|袋)
  | (?<!几)(?<!(?<![参人总次指系例分天函])数)(?P<value>{_NUMBER}{_SCALE}{_POWER})(?P<unit>{_PERCENT}|/?{_UNIT})?
    """,
    re.VERBOSE,
)
_ISO_DATE = re.compile(r"(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
# 一日三次 and 每日三次, 一次5mg and 每次5mg: the first number is no quantity of its own.
_EVERY_DAY = re.compile(
    r"(?<![0-9零一二三四五六七八九十第每同近前后])(?:一|1)(?=(?:日|天|周)(?:[^、,;。]{0,4}?)\s*"
    r"(?:[0-9一二两三四五六七八九十][0-9.~\-至到一二三四五六七八九十]*\s?[次回片粒]))"
)
_EVERY_DOSE = re.compile(
    r"(?<![0-9零一二三四五六七八九十第每同])(?:一|1)次(?=(?:口服|服用?|用量|注射|静[滴注]|肌注|吸入|含服|剂量|用)?"
    r"(?:约|为)?\s*\d)"
)
_RATES = frozenset({"天", "次", "周", "月", "年"})
_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_ROMAN = {chr(0x2160 + i): str(i + 1) for i in range(12)}


@lru_cache(maxsize=2048)
def quantities(text: str) -> tuple[Quantity, ...]:
    """All quantities of ``text`` in order; see the module for what counts as one."""
    normal = normal_form(text)
    found = []
    for match in _PATTERNS.finditer(normal):
        found += [_qualified(quantity, normal, *match.span()) for quantity in _read(match)]
    return tuple(found)


def without_quantities(text: str) -> str:
    """``text`` in `normal_form`, with a space for each quantity."""
    return _PATTERNS.sub(lambda match: " " if _read(match) else match[0], normal_form(text))


@lru_cache(maxsize=2048)
def normal_form(text: str) -> str:
    """One spelling of digits, signs and units; list numbers ① are dropped, commas become 、."""
    text = re.sub("[\u2460-\u24ff\u2776-\u2793]", " ", text).replace("，", "、")
    text = re.sub("([\u2160-\u216b])(?=[型期级度类])", lambda m: _ROMAN[m[1]], text)
    text = re.sub("10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: "10^" + m[1].translate(_SUPERSCRIPTS), text)
    text = to_simplified(unicodedata.normalize("NFKC", text)).lower()
    text = _PLAIN_WORDS.sub(" ", text)
    text = _EVERY_DAY.sub("每", text)
    text = _EVERY_DOSE.sub("每次", text)
    text = text.replace("〜", "~").replace("∼", "~").replace("兩", "两")
    return _ISO_DATE.sub(lambda m: f"{m[1]}年{m[3]}月{m[4]}日", text)


def _qualified(quantity: Quantity, text: str, start: int, end: int) -> Quantity:
    if quantity.kind == "name":
        return replace(quantity, start=start, end=end)
    values, (unit, _, rate) = quantity.values, quantity.unit.partition("/")
    if rate in _RATES and unit:
        per_what = rate
    else:
        unit, per_what = quantity.unit, per(text, start)
    if unit and "/" not in unit and is_part_of_unit(per_what):
        unit, per_what = f"{unit}/{per_what}", ""
    if quantity.kind != "date" and is_negative(text, start):
        values = tuple(-value for value in values)
    return replace(
        quantity,
        values=values,
        unit=unit,
        direction=direction(text, start, end, quantity.text),
        per=per_what,
        start=start,
        end=end,
    )


def _read(match: re.Match[str]) -> list[Quantity]:
    groups = match.groupdict()
    text = match[0].strip().replace("°c", "℃")

    def one(kind: str, unit: str, *values: Decimal | None) -> list[Quantity]:
        return [] if None in values else [Quantity(kind, values, unit, text)]  # type: ignore[arg-type]

    if groups["year"] or groups["month"]:
        parts = (
            (groups["year"], groups["ym"], groups["yd"])
            if groups["year"]
            else (None, groups["month"], groups["day"])
        )
        return one("date", "", *(_value(part) if part else _ZERO for part in parts))
    if groups["name"]:
        return one("name", groups["name"].replace("-", ""))
    if groups["percent"]:
        ends = [_value(end) for end in re.split(rf"{_TO}(?:百分之)?", groups["percent"])]
        return one("range" if len(ends) == 2 else "number", "%", *ends)
    if groups["permille"]:
        return one("number", "‰", _value(groups["permille"]))
    if groups["numerator"]:
        return one("fraction", "", _value(groups["numerator"]), _value(groups["denominator"]))
    if groups["tenths"]:
        tenths = _value(groups["tenths"])
        return one("number", "%", tenths * 10 if tenths is not None else None)
    if groups["low"]:
        return _read_range(groups, text)
    if groups["top"]:
        unit = _unit(groups["pair_unit"])
        ends = [_value(groups["top"]), _value(groups["bottom"])]
        if unit:  # blood pressure: 120/80mmHg
            return one("number", unit, ends[0]) + one("number", unit, ends[1])
        return one("fraction", "", *ends)
    if groups["half"]:
        unit = {"月": "个月"}.get(groups["half_unit"], groups["half_unit"])
        return one("number", _unit(unit), Decimal("0.5"))
    return _read_number(groups["value"], groups["unit"] or "", text)


def _read_range(groups: dict[str, str | None], text: str) -> list[Quantity]:
    low, high = groups["low"] or "", groups["high"] or ""
    low_unit, high_unit = groups["low_unit"] or "", groups["high_unit"] or ""
    if _is_words(low, low_unit or high_unit) or _is_words(high, high_unit):
        return _read_number(low, low_unit, low + low_unit) + _read_number(
            high, high_unit, high + high_unit
        )
    first, second = _value(low), _value(high)
    if first is None or second is None:
        return []
    scale = re.search(r"[十百千]?[万亿]+$", high)
    if scale and not re.search(r"[万亿]$", low) and first < second:
        first *= _scale(scale[0])  # 3~5万 is 3万~5万
    unit = _unit(high_unit) or _unit(low_unit)
    if unit == "年" and _is_year(first) and _is_year(second):
        return [Quantity("date", (year, _ZERO, _ZERO), "", text) for year in (first, second)]
    return [Quantity("range", (first, second), unit, text)]


def _read_number(value: str, unit: str, text: str) -> list[Quantity]:
    if _is_words(value, unit):
        return []
    number = _value(value)
    if number is None:
        return []
    name = _unit(unit)
    if name == "年" and _is_year(number):
        return [Quantity("date", (number, _ZERO, _ZERO), "", text.strip())]
    if name == "月" and 1 <= number <= 12:
        return [Quantity("date", (_ZERO, number, _ZERO), "", text.strip())]
    return [Quantity("number", (number,), name, text.strip())]


def _is_year(value: Decimal) -> bool:
    return 1000 <= value <= 2999


def _is_words(value: str, unit: str) -> bool:
    """Chinese numerals that are part of a word or an article, not a number."""
    value, unit = value.strip(), unit.strip()
    if not value or value[0].isdigit():
        return False
    if value == "一":
        return _unit(unit) in _ARTICLE_UNITS
    return not unit and len(value) < 3


def _value(text: str | None) -> Decimal | None:
    text = (text or "").strip().replace(",", "")
    power = re.search(r"\s*[×x*]\s*10\^(-?\d+)$", text)
    if power:
        base = _value(text[: power.start()])
        return None if base is None else base * Decimal(10) ** max(min(int(power[1]), 99), -99)
    digits = re.match(r"\d+(?:\.\d+)?", text)
    if digits:
        return Decimal(digits[0]) * _scale(text[digits.end() :].strip())
    return chinese_number(text.replace(" ", ""))


def _scale(text: str) -> int:
    value = 1
    for character in text:
        value *= SMALL.get(character) or LARGE.get(character) or 1
    return value


def _unit(text: str | None) -> str:
    parts = (text or "").strip(" 多余/").split("/")
    names = [_CANONICAL.get(part, part) for part in parts]
    return "/".join("" if n in _MEASURES else "分钟" if n == "分" else n for n in names)
