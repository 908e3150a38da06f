"""Ways to make a claim wrong: each rule changes one fact of a sentence.

Each rule takes the sentence, a `Context` (its passage and the rest of the documents) and a random
generator, and returns the wrong claim, or None where it does not apply. What comes out still has
to pass `training.claims`: a claim that stands in the passage, or whose numbers do, is dropped.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from training.claim_numbers import (
    DATE,
    FREQUENCIES,
    OTHER_UNITS,
    RANGE,
    Number,
    change_date,
    change_number,
    change_range,
    find_numbers,
)
from training.claim_text import (
    Name,
    clauses,
    has_class,
    is_balanced,
    names,
    read_sentence,
    table_matches,
    words_between,
)
from training.claim_words import NEGATIONS, OPPOSITES, ORDERS, QUANTIFIERS, TERMS

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


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule may borrow from: the passage, its sentences, names and clauses of others."""

    passage: str
    sentences: tuple[str, ...]
    pool: Mapping[str, tuple[str, ...]]
    other_sentences: tuple[str, ...]


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


_ALIAS = re.compile("称|名|即|字|号|（|\\(|译|原|缩写")


def _is_alias(passage: str, one: str, other: str) -> bool:
    """Whether the passage may use both for the same thing."""
    if one in other or other in one or len(set(one) & set(other)) * 2 > min(len(one), len(other)):
        return True
    first, second = sorted((passage.find(one), passage.find(other)))
    between = passage[first:second]
    return first >= 0 and len(between) < 24 and _ALIAS.search(between) is not None


def wrong_entity(text: str, context: Context, random: Random) -> str | None:
    """A name replaced by one of its kind: of the same passage if it has one, else of another."""
    found = [name for name in names(text) if text.count(name.text) == 1]
    if not found:
        return None
    name = random.choice(found)
    near = [
        other.text
        for sentence in context.sentences
        for other in names(sentence)
        if other.kind == name.kind
        and other.text not in text
        and not _is_alias(context.passage, name.text, other.text)
    ]
    far = [
        other
        for other in context.pool.get(name.kind, ())
        if other not in context.passage and not _is_alias("", name.text, other)
    ]
    candidates = near if near and random.random() < 0.7 else far
    if not candidates:
        return None
    return text[: name.start] + random.choice(candidates) + text[name.end :]


def wrong_term(text: str, context: Context, random: Random) -> str | None:
    """A drug, disease, department, symptom, … replaced by another of its kind."""
    matches = [
        (start, word) for word in TERMS if (start := text.find(word)) >= 0 and text.count(word) == 1
    ]
    if not matches:
        return None
    start, word = random.choice(matches)
    near = [other for other in TERMS[word] if other in context.passage and other not in text]
    far = [other for other in TERMS[word] if other not in context.passage and other not in word]
    candidates = near if near and random.random() < 0.5 else far
    if not candidates:
        return None
    return text[:start] + random.choice(candidates) + text[start + len(word) :]


_SYMMETRIC = re.compile(
    "互相|相互|之间|彼此|结婚|接壤|相邻|合作|共同|一起|并列|相同|一致|等于|联合|合并|对阵|毗邻"
)
_LISTED = re.compile("^[和与、及或跟同－\\-—/（(》的]*$")


def exchanged_roles(text: str, context: Context, random: Random) -> str | None:
    """Two names of a kind exchanged: 甲击败乙 becomes 乙击败甲."""
    if _SYMMETRIC.search(text):
        return None
    found = names(text)
    sentence = read_sentence(text)
    ways = []
    for index, first in enumerate(found):
        for second in found[index + 1 :]:
            between = text[first.end : second.start]
            if first.kind != second.kind or _is_alias(context.passage, first.text, second.text):
                continue
            if (
                _LISTED.match(between)
                or re.search("[和与、及或，]", between)
                or text.count(first.text) > 1
            ):
                continue
            if (
                has_class(words_between(sentence, first.end, second.start), "v")
                and text.count(second.text) == 1
            ):
                ways.append((first, second))
    if not ways:
        return None
    first, second = random.choice(ways)
    return (
        text[: first.start]
        + second.text
        + text[first.end : second.start]
        + first.text
        + text[second.end :]
    )


_ANAPHOR = re.compile("^(?:该|此|其|这|那|他|她|它|本|全|两|双方|同|另|以上|上述)")


def _subject_and_rest(text: str) -> tuple[str, str, tuple[Name, ...]] | None:
    end = 0
    for word in read_sentence(text).words:
        if (
            word.flag[:1] not in "n"
            and word.text not in ("的", "·")
            and word.flag not in ("eng", "j")
        ):
            break
        end = word.end
    subject, rest = text[:end], text[end:]
    if (
        not 2 <= end <= 16
        or len(rest) < 6
        or _ANAPHOR.match(subject)
        or rest[0] in "，、（和与及：的"
    ):
        return None
    words = read_sentence(rest).words
    if words[0].flag[:1] not in "vdp" or not is_balanced(subject):
        return None
    return subject, rest, names(subject)


def joined_halves(text: str, context: Context, random: Random) -> str | None:
    """The subject of this sentence with what the passage or another one says of something else."""
    mine = _subject_and_rest(text)
    if mine is None:
        return None
    from_passage = []
    for other in context.sentences:
        theirs = _subject_and_rest(other) if other != text else None
        # Both must be named, or 该公司 and its name would be taken for two things.
        if theirs and theirs[2] and mine[2] and not set(theirs[0]) & set(mine[0]):
            from_passage.append(mine[0] + theirs[1])
    from_others = [
        mine[0] + theirs[1]
        for other in context.other_sentences
        if (theirs := _subject_and_rest(other)) and theirs[1] not in context.passage
    ]
    candidates = from_passage if from_passage and random.random() < 0.8 else from_others
    return random.choice(candidates) if candidates else None


def _loose_clause(text: str, random: Random) -> str | None:
    found = [
        clause
        for clause in clauses(text)
        if 6 <= len(clause) <= 30
        and is_balanced(clause)
        and not re.search(
            "^(?:如|若|当|虽|因|由于|除|但|而|则|却|即|例如|对|在)|[时后前：:的]$", clause
        )
        and has_class(read_sentence(clause).words, "v")
        and has_class(read_sentence(clause).words, "nrm")
    ]
    return random.choice(found) if found else None


def invented_addition(text: str, context: Context, random: Random) -> str | None:
    """The sentence with a clause appended (or put in) that the passage does not hold."""
    if not context.other_sentences:
        return None
    clause = _loose_clause(random.choice(context.other_sentences), random)
    if clause is None or clause in context.passage:
        return None
    parts = clauses(text)
    if len(parts) > 2 and random.random() < 0.3:
        place = random.randrange(1, len(parts))
        return "，".join([*parts[:place], clause, *parts[place:]])
    return text + random.choice(("，", "，", "，并且", "，而且", "；", "，同时")) + clause


def from_elsewhere(_text: str, context: Context, random: Random) -> str | None:
    """A whole sentence of another passage."""
    return random.choice(context.other_sentences) if context.other_sentences else None


# How often each is tried first; those that rarely apply and matter most come first.
WRONG_RULES: Sequence[tuple[str, float, Rule]] = (
    ("number", 3.0, wrong_number),
    ("dose", 6.0, wrong_dose),
    ("percentage", 6.0, wrong_percentage),
    ("unit", 2.5, wrong_unit),
    ("date", 2.0, wrong_date),
    ("range", 6.0, wrong_range),
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
