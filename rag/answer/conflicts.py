"""Where documents disagree with each other, and where a question disagrees with them.

Two sentences speak of the same thing when they share most of their words; they disagree when a
quantity of one unit has another value in each. Literal, like `rag.answer.binding`: what is said in
other words is not found.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import combinations

from rag.answer.binding import Placed, fit, is_comparable, is_same, placed
from rag.answer.extract import topic
from rag.answer.numbers import quantities
from rag.sentences import sentence_spans
from rag.types import Hit

_ALIKE = 0.6
_LEAST_WORDS = 3
_LABEL_UNITS = frozenset("级期型版页章条床届")


@dataclass(frozen=True, slots=True)
class Statement:
    """``quantity``, as written, in ``sentence`` of a passage."""

    hit: Hit
    sentence: str
    quantity: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two documents that say different numbers of the same thing; the newer one first, a
    document without a date last."""

    newer: Statement
    older: Statement


@dataclass(frozen=True, slots=True)
class Premise:
    """The question takes ``asked`` for granted; the documents say ``found``."""

    asked: str
    found: Statement


@dataclass(frozen=True, slots=True)
class _Fact:
    statement: Statement
    placed: Placed


def conflicts(passages: Sequence[Hit]) -> tuple[Conflict, ...]:
    """Pairs of statements of different documents that cannot both be current, each pair of
    documents and quantities once."""
    found: dict[tuple[str, str, str, str], Conflict] = {}
    for one, other in combinations(passages, 2):
        if one.passage.document == other.passage.document:
            continue
        for first in _facts(one):
            for second in _facts(other):
                if _disagree(first, second):
                    newer, older = sorted(
                        (first.statement, second.statement),
                        key=lambda statement: statement.hit.date,
                        reverse=True,
                    )
                    key = (
                        newer.hit.passage.document,
                        newer.quantity,
                        older.hit.passage.document,
                        older.quantity,
                    )
                    found.setdefault(key, Conflict(newer, older))
    return tuple(found.values())


def contradicted_premises(question: str, passages: Sequence[Hit]) -> tuple[Premise, ...]:
    """The quantities of ``question`` that no passage holds while one holds another value of the
    same thing."""
    facts = [fact for hit in passages for fact in _facts(hit)]
    held = [quantity for hit in passages for quantity in quantities(_whole(hit))]
    premises = []
    for asked in placed(topic(question)):
        own = asked.quantity
        is_version = own.unit == "" and own.text[-1:].isdigit()  # Llama 3
        if (
            own.kind == "name"
            or is_version
            or any(is_comparable(own, q) and is_same(own, q) for q in held)
        ):
            continue
        rivals = [
            (_likeness(asked, fact.placed), fact)
            for fact in facts
            if is_comparable(own, fact.placed.quantity)
            and fit(asked, fact.placed) >= _ALIKE
            and _likeness(asked, fact.placed) >= _ALIKE
        ]
        if rivals:
            _, best = max(rivals, key=lambda rival: rival[0])
            premises.append(Premise(own.text, best.statement))
    return tuple(premises)


def contradicted_amounts(question: str, passages: Sequence[Hit]) -> tuple[Premise, ...]:
    """`contradicted_premises` without dates: another year is another question, another amount of
    the same thing a false premise."""
    return tuple(
        premise
        for premise in contradicted_premises(question, passages)
        if all(quantity.kind != "date" for quantity in quantities(premise.asked))
        and not premise.asked.endswith(("年", "月", "日", "号"))
    )


def conflict_notice(conflict: Conflict) -> str:
    """One Chinese line for the reader of an answer."""
    newer, older = conflict.newer, conflict.older
    advice = "以较新的资料为准，并请核对原文" if newer.hit.date > older.hit.date else "请核对原文"
    return (
        f"资料之间说法不一：{_named(newer.hit)}写的是 {newer.quantity}，"
        f"{_named(older.hit)}写的是 {older.quantity}；{advice}。"
    )


def premise_notice(premise: Premise) -> str:
    """One Chinese line that corrects the question."""
    found = premise.found
    return (
        f"问题中的 {premise.asked} 与资料不符，{_named(found.hit)}写的是 {found.quantity}："
        f"“{found.sentence}”"
    )


def _disagree(first: _Fact, second: _Fact) -> bool:
    one, other = first.placed, second.placed
    if not is_comparable(one.quantity, other.quantity) or is_same(one.quantity, other.quantity):
        return False
    if one.quantity.direction != other.quantity.direction or one.quantity.per != other.quantity.per:
        return False
    if _labels(first.statement.sentence) != _labels(second.statement.sentence):
        return False
    if min(len(one.near), len(other.near)) < _LEAST_WORDS:
        return False
    return (
        min(fit(one, other), fit(other, one)) >= _ALIKE
        and max(_likeness(one, other), _likeness(other, one)) >= _ALIKE
        and not _holds(second.statement.sentence, one)
        and not _holds(first.statement.sentence, other)
    )


def _likeness(one: Placed, other: Placed) -> float:
    """The share of the words of one's sentence that the other's holds."""
    return len(one.around & other.around) / len(one.around) if one.around else 0.0


def _labels(sentence: str) -> frozenset[tuple[str, tuple[Decimal, ...]]]:
    """What tells one thing from another without being an amount: 一级, Ⅱ期, CYP3A4."""
    return frozenset(
        (q.unit, q.values)
        for q in quantities(sentence)
        if q.kind == "name" or q.unit in _LABEL_UNITS
    )


def _holds(sentence: str, placed_quantity: Placed) -> bool:
    wanted = placed_quantity.quantity
    return any(is_comparable(q, wanted) and is_same(q, wanted) for q in quantities(sentence))


def _facts(hit: Hit) -> Iterator[_Fact]:
    text = hit.passage.text
    for sentence in _sentences(text):
        for each in placed(sentence):
            if each.quantity.kind != "name" and each.quantity.unit not in _LABEL_UNITS:
                yield _Fact(Statement(hit, sentence, each.quantity.text), each)


@lru_cache(maxsize=512)
def _sentences(text: str) -> tuple[str, ...]:
    return tuple(text[start:end] for start, end in sentence_spans(text))


def _whole(hit: Hit) -> str:
    return f"{hit.title}\n{hit.date}\n{hit.passage.heading}\n{hit.passage.text}"


def _named(hit: Hit) -> str:
    return f"《{hit.title}》" + (f"（{hit.date}）" if hit.date else "（无日期）")
