"""One quantity, one value, however it is written; no quantity where there is none."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.numbers import quantities
from rag.answer.numerals import chinese_number

DIGITS = "零一二三四五六七八九"


def spell(number: int) -> str:
    """Standard Chinese spelling: 10 is 十, 105 is 一百零五, 10010 is 一万零一十."""
    if number == 0:
        return "零"
    sections: list[tuple[int, str]] = []
    for name in ("", "万", "亿", "万亿"):
        number, section = divmod(number, 10000)
        sections.append((section, name))
    text = ""
    for section, name in reversed(sections):
        if section:
            gap = bool(text) and section < 1000
            text += ("零" if gap else "") + _section(section)
            text += name
    return text.removeprefix("一") if text.startswith("一十") else text


def _section(number: int) -> str:
    text, zero = "", False
    for place, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, place)
        if digit:
            text += ("零" if zero and text else "") + DIGITS[digit] + name
            zero = False
        else:
            zero = True
    return text


@given(st.integers(0, 10**12 - 1))
def test_spelled_numbers_come_back(number: int) -> None:
    assert chinese_number(spell(number)) == number


@given(st.integers(1000, 2999))
def test_years_digit_by_digit(year: int) -> None:
    text = "".join(DIGITS[int(digit)] for digit in str(year)).replace("零", "〇")
    assert quantities(f"{text}年")[0].values == quantities(f"{year}年")[0].values


@given(st.integers(0, 10**15))
def test_thousand_separators_change_nothing(number: int) -> None:
    assert quantities(f"{number:,}元")[0].values == (Decimal(number),)


@given(st.integers(100, 10**8), st.sampled_from(["元", "例", "天", "毫克"]))
def test_spelled_and_written_quantities_are_equal(number: int, unit: str) -> None:
    (spelled,), (written,) = quantities(spell(number) + unit), quantities(f"{number}{unit}")
    assert (spelled.values, spelled.unit) == (written.values, written.unit)


@given(st.text())
def test_any_text_at_all(text: str) -> None:
    for quantity in quantities(text):
        assert quantity.text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("十", 10),
        ("十五", 15),
        ("两百", 200),
        ("二百五", 250),
        ("一万五", 15000),
        ("一百零五", 105),
        ("三千零二十", 3020),
        ("六千七百一十亿", 671_000_000_000),
        ("一万二千亿", 1_200_000_000_000),
        ("二〇二五", 2025),
        ("三点一四", Decimal("3.14")),
    ],
)
def test_chinese_numerals(text: str, value: Decimal | int) -> None:
    assert chinese_number(text) == value


@pytest.mark.parametrize("text", ["", "三五", "点五", "万", "三点", "abc", "一点十"])
def test_what_is_no_numeral(text: str) -> None:
    assert chinese_number(text) is None


def facts(text: str) -> list[tuple[str, tuple[float, ...], str]]:
    return [(q.kind, tuple(float(v) for v in q.values), q.unit) for q in quantities(text)]


@pytest.mark.parametrize(
    "spellings",
    [
        ("6710亿元", "六千七百一十亿元", "671,000,000,000元", "６７１０亿元", "6,710 亿元"),
        ("30%", "３０％", "百分之三十", "百分之30", "三成"),
        (
            "2025年3月5日",
            "二〇二五年三月五日",
            "2025-03-05",
            "2025/3/5",
            "2025.3.5",
            "2025年3月5号",
        ),
        ("2025年", "二〇二五年", "二零二五年", "两千零二十五年"),
        ("5mg", "5 mg", "5毫克", "五毫克", "5MG"),
        ("两周", "2周", "二周", "2个星期", "两星期"),
        ("15~30分钟", "15～30分钟", "15-30分钟", "15至30分钟", "15分钟到30分钟", "十五至三十分钟"),
        ("三分之一", "1/3"),
        ("12.6×10⁹/L", "12.6×10^9/L", "12.6 x 10^9/L"),
        ("2型", "二型", "Ⅱ型"),
        ("80次/分", "80次/分钟"),
        ("3～5万人", "3万~5万人", "30000-50000人"),
        ("38.5℃", "38.5摄氏度"),
        ("三百多例", "300余例"),
    ],
)
def test_spellings_of_one_quantity(spellings: tuple[str, ...]) -> None:
    first = facts(spellings[0])
    assert len(first) == 1
    for spelling in spellings:
        assert facts(spelling) == first, spelling


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("两周", "14天"), ("1g", "1000mg"), ("3月", "3个月"), ("5mg", "5ml")),
        *(("10mg", "10mg/kg"), ("5~10天", "5~15天"), ("2025年3月", "2025年5月")),
        *(("B12", "B6"), ("30%", "30‰")),
    ],
)
def test_different_quantities_stay_different(one: str, other: str) -> None:
    assert facts(one) != facts(other)


@pytest.mark.parametrize(
    "text",
    [
        *("一般情况", "二甲双胍", "十二指肠", "一个患者", "一种药物", "千万不要", "十分重要"),
        *("三甲医院", "百日咳", "一次性手套", "六味地黄丸", "三叉神经", "①患者", "统一管理"),
        *("第一，患者", "三五天"),
    ],
)
def test_words_are_no_numbers(text: str) -> None:
    assert quantities(text) == ()


def test_blood_pressure_is_two_numbers() -> None:
    assert facts("120/80mmHg") == [("number", (120,), "mmhg"), ("number", (80,), "mmhg")]


def test_enumeration_is_no_thousand_separator() -> None:
    assert facts("分别为100，200例") == [("number", (100,), ""), ("number", (200,), "例")]


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        *(
            (text, "up")
            for text in ("不低于95%", "≥95%", "至少95%", "95%以上", "超过95%", "95%及以上")
        ),
        *(
            (text, "down")
            for text in ("不超过95%", "≤95%", "至多95%", "95%以下", "低于95%", "不足95%")
        ),
        *(
            (text, "down")
            for text in ("不得高于95%", "未超过95%", "95%以内", "<95%", "最多可报95%")
        ),
        *((text, "up") for text in ("不得低于95%", "满5年", "700余家", "100多人", ">5天")),
        *(("3月1日前", "before"), ("3月1日起", "after"), ("30天后", "after"), ("95%", "")),
    ],
)
def test_bounds(text: str, direction: str) -> None:
    assert [q.direction for q in quantities(text)] == [direction]


@pytest.mark.parametrize(
    ("text", "value", "unit", "per"),
    [
        *(
            (text, 3, "次", "天")
            for text in ("每日3次", "一日三次", "3次/日", "每天三次", "1日3次")
        ),
        *((text, 5, "mg", "次") for text in ("每次5mg", "一次5mg", "5mg/次", "单次5毫克")),
        ("每周2次", 2, "次", "周"),
        ("每季度1次", 1, "次", "季度"),
        *((text, 10, "mmol/小时", "") for text in ("每小时10mmol", "10mmol/h")),
        *((text, 10, "mg/kg", "") for text in ("每公斤体重10mg", "10mg/kg")),
        *((text, 500, "mg/l", "") for text in ("每升含500毫克", "500mg/L")),
        ("第一次用药", 1, "次", ""),
    ],
)
def test_rates(text: str, value: int, unit: str, per: str) -> None:
    (quantity,) = quantities(text)
    assert (quantity.values, quantity.unit, quantity.per) == ((value,), unit, per)


@pytest.mark.parametrize("text", ["-20℃", "于-20℃保存", "零下20℃", "降至−20℃"])
def test_negative_numbers(text: str) -> None:
    assert quantities(text)[0].values == (-20,)


@pytest.mark.parametrize("text", ["10-20℃", "2019-20", "10mg-20mg"])
def test_a_hyphen_is_no_sign(text: str) -> None:
    assert all(value > 0 for quantity in quantities(text) for value in quantity.values)


def test_powers_of_ten() -> None:
    (power,), (spelled,), (written,) = map(quantities, ("6.71×10¹¹", "六千七百一十亿", "6710亿"))
    assert power.values == spelled.values == written.values
    assert quantities("2.5×10⁻³")[0].values == (Decimal("0.0025"),)
