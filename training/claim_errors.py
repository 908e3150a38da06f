"""Ways to make a claim wrong: each rule changes one fact of a sentence.

Each rule takes the sentence, a `Context` (its passage and the rest of the documents) and a random
generator, and returns the wrong claim, or None where it does not apply. What comes out still has
to pass `training.claims`: a claim that stands in the passage, or whose numbers do, is dropped.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

from training.claim_mixups import (
    exchanged_roles,
    from_elsewhere,
    invented_addition,
    joined_halves,
    wrong_entity,
    wrong_term,
)
from training.claim_numbers import (
    DATE,
    RANGE,
    Number,
    change_date,
    change_number,
    change_range,
    find_numbers,
)
from training.claim_text import Context, read_sentence, table_matches
from training.claim_units import FREQUENCIES, OTHER_UNITS
from training.claim_words import NEGATIONS, OPPOSITES, ORDERS, QUANTIFIERS

_DOSE_UNITS = (
    frozenset(
        (
            "mg",
            "g",
            "μg",
            "kg",
            "ml",
            "mL",
            "L",
            "IU",
            "U",
            "mmol",
            "毫克",
            "克",
            "微克",
            "毫升",
            "升",
        )
    )
    | frozenset("片粒支袋滴")
    | {"单位", "国际单位"}
)


Rule = Callable[[str, Context, Random], str | None]


def _outside_dates(text: str) -> list[Number]:
    taken = [match.span() for pattern in (DATE, RANGE) for match in pattern.finditer(text)]
    return [
        number
        for number in find_numbers(text, ordinals=True)
        if not any(start < number.end and number.start < end for start, end in taken)
    ]


def _replace_number(text: str, number: Number, context: Context, random: Random) -> str | None:
    same_unit = [
        other.text
        for other in find_numbers(context.passage)
        if other.unit == number.unit
        and other.scale == number.scale
        and other.is_chinese == number.is_chinese
        and other.text.replace(",", "") != number.text.replace(",", "")
        and other.text not in text
    ]
    if same_unit and random.random() < 0.35:
        changed: str | None = random.choice(same_unit)
    else:
        changed = change_number(number, random)
    if changed is None:
        return None
    return text[: number.start] + changed + text[number.end :]


def wrong_number(text: str, context: Context, random: Random) -> str | None:
    numbers = [n for n in _outside_dates(text) if not n.is_percent and n.unit not in _DOSE_UNITS]
    return _replace_number(text, random.choice(numbers), context, random) if numbers else None


def wrong_dose(text: str, context: Context, random: Random) -> str | None:
    numbers = [n for n in _outside_dates(text) if n.unit in _DOSE_UNITS]
    return _replace_number(text, random.choice(numbers), context, random) if numbers else None


def wrong_percentage(text: str, context: Context, random: Random) -> str | None:
    numbers = [n for n in _outside_dates(text) if n.is_percent]
    return _replace_number(text, random.choice(numbers), context, random) if numbers else None


def wrong_unit(text: str, _context: Context, random: Random) -> str | None:
    """The unit behind a number, its scale (万, 亿), or a frequency replaced by another."""
    ways: list[tuple[int, int, str]] = []
    dates = [match.span() for match in DATE.finditer(text)]
    for number in find_numbers(text):
        unit = number.scale if number.scale in ("万", "亿") else number.unit
        start = text.find(unit, number.end) if unit else -1
        in_date = any(s <= number.start < e for s, e in dates)
        if unit in OTHER_UNITS and 0 <= start <= number.end + 1 and not in_date:
            ways += [(start, start + len(unit), other) for other in OTHER_UNITS[unit].split()]
    for frequency, others in FREQUENCIES.items():
        start = text.find(frequency)
        if start >= 0:
            ways += [(start, start + len(frequency), other) for other in others.split()]
    if not ways:
        return None
    start, end, other = random.choice(ways)
    return text[:start] + other + text[end:]


def wrong_date(text: str, _context: Context, random: Random) -> str | None:
    return change_date(text, random)


def wrong_range(text: str, _context: Context, random: Random) -> str | None:
    return change_range(text, random)


def _from_table(text: str, table: Mapping[str, tuple[str, ...]], random: Random) -> str | None:
    matches = [
        (start, word)
        for start, word in table_matches(read_sentence(text), table)
        if text[start - 1 : start] != "不"
    ]
    if not matches:
        return None
    start, word = random.choice(matches)
    return text[:start] + random.choice(table[word]) + text[start + len(word) :]


# Where a negation asks or concedes instead of stating, turning it round may leave it true.
_NO_STATEMENT = re.compile(
    "是否|无论|不论|不管|能否|可否|与其|会不会|是不是|有没有|不仅|不但|不只|吗|呢|[？?]|不得不|无不|无非|莫"
)


def wrong_negation(text: str, _context: Context, random: Random) -> str | None:
    """A negation put in or taken out."""
    if _NO_STATEMENT.search(text):
        return None
    sentence = read_sentence(text)
    ways: list[tuple[int, int, str]] = []
    for start, word in table_matches(sentence, NEGATIONS):
        before = text[max(start - 1, 0) : start]
        after = text[start + len(word) : start + len(word) + 1]
        if before in ("不", "没", "未", "非", "所", "只", "要", "就", "也", "还", "最", "无") or (
            before == "并" and word == "非"
        ):
            continue
        if after in ("的", "否", "者") and word not in ("是", "有", "不得", "禁止"):
            continue
        if word in ("有", "是") and after in ("关", "时", "些", "的", "着", "因"):
            continue
        ways += [(start, start + len(word), other) for other in NEGATIONS[word]]
    for first, second in zip(sentence.words, sentence.words[1:], strict=False):
        if (
            first.text in ("不", "未", "没有")
            and second.flag.startswith("v")
            and text[first.start - 1 : first.start] not in ("差", "并", "而", "得", "从", "都")
        ):
            ways.append((first.start, first.end, ""))
    if not ways:
        return None
    start, end, other = random.choice(ways)
    return text[:start] + other + text[end:]


def wrong_quantifier(text: str, _context: Context, random: Random) -> str | None:
    return _from_table(text, QUANTIFIERS, random)


def wrong_comparison(text: str, _context: Context, random: Random) -> str | None:
    return _from_table(text, OPPOSITES, random)


_FIRST_THEN = re.compile(
    "先([^，。；、先后再]{2,12})，?(?:再|然后|后)([^，。；、先后再]{2,12})(?=，|。|；|$)"
)


def wrong_order(text: str, _context: Context, random: Random) -> str | None:
    """What comes first and what follows exchanged."""
    match = _FIRST_THEN.search(text)
    if match and random.random() < 0.7:
        first, second = match.span(1), match.span(2)
        return (
            text[: first[0]] + match[2] + text[first[1] : second[0]] + match[1] + text[second[1] :]
        )
    return _from_table(text, ORDERS, random)


# How often each is tried first; those that rarely apply and matter most come first. Quantities come
# last: rag.answer.compare sees all of those errors, and a reader this small that is asked for them
# learns instead to doubt every claim that is close to its passage.
WRONG_RULES: Sequence[tuple[str, float, Rule]] = (
    ("number", 0.15, wrong_number),
    ("dose", 0.15, wrong_dose),
    ("percentage", 0.15, wrong_percentage),
    ("unit", 0.15, wrong_unit),
    ("date", 0.15, wrong_date),
    ("range", 0.15, wrong_range),
    ("negation", 3.5, wrong_negation),
    ("quantifier", 2.5, wrong_quantifier),
    ("comparison", 2.0, wrong_comparison),
    ("order", 2.0, wrong_order),
    ("entity", 3.0, wrong_entity),
    ("term", 2.0, wrong_term),
    ("roles", 4.0, exchanged_roles),
    ("halves", 1.0, joined_halves),
    ("addition", 0.8, invented_addition),
    ("elsewhere", 0.3, from_elsewhere),
)
NUMBER_KINDS = frozenset({"number", "dose", "percentage", "unit", "date", "range"})
