"""Numbers in claims: the same value written otherwise, and another value or unit in its place."""

import re
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import NamedTuple

from rag.answer.numerals import chinese_number
from training.claim_units import SAME_UNITS

_DIGITS = "〇一二三四五六七八九"
_ARABIC = r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_NUMERAL = "[〇零一二两三四五六七八九十百千万亿]+(?:点[零一二三四五六七八九]+)?"
_LATIN_UNITS = r"(?:mmol|μmol|mmHg|kPa|mcg|kg|mg|μg|ng|dl|dL|ml|mL|km|mm|cm|GB|MB|IU|min|g|L|m|h|U)"
_HAN_UNITS = (
    "毫克|微克|千克|公斤|毫升|毫米|厘米|平方公里|平方千米|平方米|立方米|公里|千米|公顷|公尺|英里|英尺|摄氏度|国际单位|单位|"
    "毫米汞柱|个小时|小时|分钟|秒|个工作日|工作日|个月|星期|世纪|年代|周岁|美元|港元|日元|欧元|英镑|人次|票|"
    "克|升|米|吨|天|日|周|月|年|岁|人|名|位|例|次|元|倍|级|期|片|粒|支|袋|瓶|滴|个|种|项|类|家|所|座|条|张|层|届|部|本|"
    "架|艘|辆|集|首|万|亿|号|楼|页|章|分|度|成|场|间|台|户|亩|列|段|代|字|册|枚|门|只|头|株|步|轮|份|套|点"
)
_UNIT = rf"{_LATIN_UNITS}(?![A-Za-z])|{_HAN_UNITS}"
MENTION = re.compile(
    rf"(?P<percent>百分之(?P<words>{_NUMERAL})|(?P<digits>{_ARABIC})\s?[%％])"
    rf"|(?<![A-Za-z\d.\-])(?P<value>{_ARABIC})(?P<scale>[百千]?[万亿]+|[百千])?"
    rf"(?P<more>[多余])?\s?(?P<unit>{_UNIT})?(?![\d.]*[A-Za-z])"
    rf"|(?P<numeral>{_NUMERAL})(?P<plus>[多余])?(?P<counted>{_UNIT})"
)
_NO_NUMERALS = re.compile("^(?:一|万一|千万|百万|十分|一一|亿|万|千|百)$")
DATE = re.compile(
    rf"(?<!\d)(?P<year>\d{{4}}|[{_DIGITS}零]{{4}})年"
    r"(?:(?P<month>1[0-2]|0?[1-9])月(?:(?P<day>3[01]|[12]\d|0?[1-9])(?P<mark>[日号]))?)?"
    r"|(?<![\d年])(?P<lone_month>1[0-2]|[1-9])月(?:(?P<lone_day>3[01]|[12]\d|[1-9])[日号])?(?![\d龄])"
    r"|(?<!\d)(?P<iso>\d{4}-\d{1,2}-\d{1,2})(?!\d)"
)
RANGE = re.compile(
    rf"(?<![\d.\-])(?P<low>\d+(?:\.\d+)?)(?P<low_unit>[%％]|{_UNIT})?"
    rf"(?P<to>\s?[~～\-–—至到]\s?)(?P<high>\d+(?:\.\d+)?)(?P<unit>[%％]|{_UNIT})(?![\d.])"
)


class Number(NamedTuple):
    """A number in a text: where its digits or numerals lie, and the scale and unit behind them."""

    start: int
    end: int
    text: str
    scale: str
    unit: str
    is_percent: bool

    @property
    def is_chinese(self) -> bool:
        return not self.text[0].isdigit()


def find_numbers(text: str, *, ordinals: bool = False) -> list[Number]:
    """The numbers of a text in order; words that merely look like numerals are left out."""
    found = []
    for match in MENTION.finditer(text):
        if match["percent"]:
            group = "words" if match["words"] else "digits"
        else:
            group = "value" if match["value"] else "numeral"
        value = match[group]
        if group in ("words", "numeral") and chinese_number(value) is None:
            continue
        before = text[match.start() - 1 : match.start()] if match.start() else ""
        if group == "numeral" and (
            _NO_NUMERALS.match(value)
            or before in tuple("星周数几")
            or (before == "第" and not ordinals)
            or text.startswith("分之", match.end("numeral"))
        ):
            continue
        unit = (match["unit"] or match["counted"] or "") if not match["percent"] else "%"
        found.append(
            Number(
                match.start(group),
                match.end(group),
                value,
                match["scale"] or "",
                unit,
                bool(match["percent"]),
            )
        )
    return found


def to_chinese(value: int) -> str:
    """A whole number below 10¹⁶ as a Chinese numeral.

    >>> to_chinese(6710)
    '六千七百一十'
    """
    if value < 10_000:
        return _section(value)
    for unit, name in ((10**8, "亿"), (10**4, "万")):
        if value >= unit:
            high, low = divmod(value, unit)
            gap = "零" if low and low < unit // 10 else ""
            return to_chinese(high) + name + (gap + to_chinese(low) if low else "")
    raise AssertionError(value)


def _section(value: int) -> str:
    if value == 0:
        return "零"
    text = ""
    pending = False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, unit)
        if digit:
            text += ("零" if pending else "") + "零一二三四五六七八九"[digit] + name
            pending = False
        else:
            pending = bool(text)
    return text.removeprefix("一") if text.startswith("一十") else text


def change_number(number: Number, random: Random) -> str | None:
    """Another value in the same way of writing, None when the number cannot be changed."""
    if number.is_chinese:
        return _change_chinese(number.text, random)
    plain = number.text.replace(",", "")
    decimals = len(plain.partition(".")[2])
    value = Decimal(plain)
    ways: list[Callable[[], Decimal]] = [
        lambda: value * 10,
        lambda: value / 10,
        lambda: value * 2,
        lambda: value + Decimal(random.choice((1, 2, 3, 5))).scaleb(-decimals),
        lambda: value - Decimal(random.choice((1, 2, 3, 5))).scaleb(-decimals),
        lambda: _other_digit(plain, random),
        lambda: _other_digit(plain, random),
        lambda: _swapped_digits(plain, random),
        lambda: _swapped_digits(plain, random),
        lambda: (value * Decimal(random.randint(3, 30)) / 10).quantize(
            Decimal(1).scaleb(-decimals)
        ),
    ]
    for _ in range(6):
        changed = random.choice(ways)()
        whole_stays = decimals or changed == changed.to_integral_value() or value < 10
        if changed > 0 and changed != value and whole_stays:
            return f"{changed.normalize():,f}" if "," in number.text else f"{changed.normalize():f}"
    return None


def _other_digit(plain: str, random: Random) -> Decimal:
    places = [i for i, c in enumerate(plain) if c.isdigit()]
    place = random.choice(places)
    digit = random.choice([d for d in "123456789" if d != plain[place]])
    return Decimal(plain[:place] + digit + plain[place + 1 :])


def _swapped_digits(plain: str, random: Random) -> Decimal:
    places = [i for i in range(len(plain) - 1) if plain[i : i + 2].isdigit()]
    if not places:
        return Decimal(plain)
    place = random.choice(places)
    return Decimal(plain[:place] + plain[place + 1] + plain[place] + plain[place + 2 :])


def _change_chinese(text: str, random: Random) -> str | None:
    value = chinese_number(text)
    if value is None:
        return None
    if len(text) >= 3 and all(c in _DIGITS + "零" for c in text):  # read digit by digit
        place = random.randrange(1, len(text))
        digit = random.choice([d for d in _DIGITS if d != text[place]])
        return text[:place] + digit + text[place + 1 :]
    if value != value.to_integral_value():
        last = random.choice([d for d in "一二三四五六七八九" if d != text[-1]])
        return text[:-1] + last
    whole = int(value)
    changed = random.choice(
        [
            whole + random.choice((1, 2, 3)),
            max(whole - random.choice((1, 2)), 1),
            whole * 10,
            whole * 2,
        ]
    )
    if changed == whole or changed > 10**12:
        changed = whole + 1
    return "两" if changed == 2 else to_chinese(changed)


def change_date(text: str, random: Random) -> str | None:
    """One date of the text shifted in its year, month or day; None when it holds no date."""
    matches = list(DATE.finditer(text))
    if not matches:
        return None
    match = random.choice(matches)
    groups = [g for g in ("year", "month", "day", "lone_month", "lone_day") if match[g]]
    if match["iso"]:
        year, rest = match["iso"][:4], match["iso"][4:]
        return (
            text[: match.start()]
            + str(int(year) + random.choice((-2, -1, 1, 2)))
            + rest
            + text[match.end() :]
        )
    group = random.choice(groups)
    value = match[group]
    years = [m["year"] for m in DATE.finditer(text) if m["year"] and m["year"] != value]
    if group == "year" and not value.isdigit():
        changed = _change_chinese(value, random) or value
    elif group == "year":
        shift = random.choice((-10, -3, -2, -1, 1, 2, 3, 4, 10, 20, 100, -100))
        changed = (
            random.choice(years) if years and random.random() < 0.2 else str(int(value) + shift)
        )
    else:
        limit = 12 if "month" in group else 28
        changed = str(random.choice([v for v in range(1, limit + 1) if v != int(value)]))
    if changed == value:
        return None
    return text[: match.start(group)] + changed + text[match.end(group) :]


def change_range(text: str, random: Random) -> str | None:
    """One end of a range moved (3~5天 becomes 3~7天); None when the text holds no range."""
    matches = list(RANGE.finditer(text))
    if not matches:
        return None
    match = random.choice(matches)
    low, high = Decimal(match["low"]), Decimal(match["high"])
    decimals = len(match["high"].partition(".")[2])
    step = Decimal(random.choice((1, 2, 3, 5))).scaleb(-decimals)
    if low >= 1000 and match["unit"] == "年":
        return None
    if random.random() < 0.5 and low - step > 0:
        low = low - step
    elif random.random() < 0.5 and low + step < high:
        low = low + step
    elif random.random() < 0.5:
        low, high = low * 10, high * 10
    else:
        high = high + step
    return (
        f"{text[: match.start()]}{low.normalize():f}{match['low_unit'] or ''}{match['to']}"
        f"{high.normalize():f}{match['unit']}{text[match.end() :]}"
    )


def rewrite_numbers(text: str, random: Random) -> str | None:
    """The same quantities written otherwise; None when nothing can be. At least one is changed."""
    edits: list[tuple[int, int, str]] = []
    taken: list[tuple[int, int]] = []
    for match in RANGE.finditer(text):
        taken.append(match.span())
        if random.random() < 0.4:
            edits.append((*match.span("to"), random.choice(("至", "～", "-", "~", "—"))))
    for match in DATE.finditer(text):
        taken.append(match.span())
        if match["day"] and match["year"].isdigit() and random.random() < 0.6:
            date = f"{match['year']}-{int(match['month']):02d}-{int(match['day']):02d}"
            edits.append((*match.span(), date))
        elif match["year"] and match["year"].isdigit() and random.random() < 0.3:
            digits = "".join(_DIGITS[int(c)] for c in match["year"])
            edits.append((*match.span("year"), digits))
    for number in find_numbers(text):
        if any(start < number.end and number.start < end for start, end in taken):
            continue
        written = _written_otherwise(text, number, random)
        if written and random.random() < 0.6:
            edits.append(written)
    # 五毫克 and 5mg are written, 五mg is not.
    rewritten = {end for _, end, new in edits if not new[-1:].isdigit()}
    for latin, han in SAME_UNITS:
        for match in re.finditer(rf"(?<=\d)\s?({re.escape(latin)}(?![A-Za-z])|{han})", text):
            if match.start() not in rewritten and random.random() < 0.7:
                other = han if match[1] == latin else latin
                edits.append((*match.span(), other))
    return apply_edits(text, edits)


def _written_otherwise(text: str, number: Number, random: Random) -> tuple[int, int, str] | None:
    start, end = number.start, number.end
    if number.is_chinese:
        value = chinese_number(number.text)
        if value is None:
            return None
        if number.is_percent:
            return start - len("百分之"), end, f"{value:f}%"
        if value != value.to_integral_value() or value >= 10_000:
            return None
        return start, end, str(int(value))
    plain = number.text.replace(",", "")
    whole, _, fraction = plain.partition(".")
    if number.is_percent:
        sign = re.compile(r"\s?[%％]").match(text, end)
        words = to_chinese(int(whole))
        if fraction:
            words += "点" + "".join("零一二三四五六七八九"[int(c)] for c in fraction)
        return (start, sign.end(), "百分之" + words) if sign else None
    if plain != number.text and random.random() < 0.5:
        return start, end, plain
    if fraction or plain.startswith("0"):
        return None
    han_unit = number.scale or (number.unit and not number.unit.isascii())
    if han_unit and int(plain) < 10_000:
        counted = number.unit not in ("年", "月", "日", "号") and not number.scale
        return start, end, "两" if plain == "2" and counted else to_chinese(int(plain))
    if len(plain) > 3 and number.unit not in ("年", ""):
        return start, end, f"{int(plain):,}"
    return None


def apply_edits(text: str, edits: list[tuple[int, int, str]]) -> str | None:
    """Replaces the spans, those that overlap an earlier one left out; None without any edit."""
    if not edits:
        return None
    parts = []
    position = 0
    for start, end, new in sorted(edits):
        if start >= position:
            parts += [text[position:start], new]
            position = end
    return "".join([*parts, text[position:]])
