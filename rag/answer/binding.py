"""Is a number said of the thing that the passage says it of?

Each quantity is read with the words around it: those of its own stretch (up to the next quantity
of its unit) and those of its sentence. When the words around a claim's quantity fit another value
of the same unit better than any place where that value stands, it is misplaced.

Not covered: subjects that are only named in another sentence.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.answer.clauses import comparable, grams
from rag.answer.numbers import Quantity, normal_form, quantities
from rag.answer.polarity import denies
from rag.answer.qualify import are_opposite

_SENTENCE_END = re.compile(r"[。!?;\n]")
_CLAUSE_END = re.compile(r"[、,:()]")
_BOUND = re.compile(
    "(?:不得?|未|没有)?(?:超过|低于|少于|高于|大于|小于|多于|短于)|至少|至多|最多|最少|以上|以下|以内"
    "|只须|延长至|缩短至|达到"
)
_MARGIN = 0.25
_LEAST = 0.5
_TOLD_APART = 0.6
_FOREIGN, _INHERITED, _FEW = 0.3, 0.9, 2


@dataclass(frozen=True, slots=True)
class Placed:
    """A quantity with the words of its stretch, of its whole sentence and of what follows
    up to the next one of its unit; ``is_denied``: its
    clause holds a denial, which turns its bound around (不得使用小于10mL的)."""

    quantity: Quantity
    near: frozenset[str]
    around: frozenset[str]
    after: frozenset[str] = frozenset()
    is_denied: bool = False


@lru_cache(maxsize=1024)
def placed(text: str) -> tuple[Placed, ...]:
    """The quantities of a text, each where it stands."""
    normal, found = normal_form(text), quantities(text)
    bounds = [0, *(match.end() for match in _SENTENCE_END.finditer(normal)), len(normal)]
    result = []
    for quantity in found:
        start = max(bound for bound in bounds if bound <= quantity.start)
        end = min(bound for bound in bounds if bound >= quantity.end)
        alike = [q for q in found if q is not quantity and is_comparable(q, quantity)]
        earlier = max((q.end for q in alike if start <= q.end <= quantity.start), default=start)
        later = min((q.start for q in alike if quantity.end <= q.start <= end), default=end)
        first = earlier
        if earlier > start:
            breaks = _CLAUSE_END.search(normal, earlier, quantity.start)
            first = breaks.end() if breaks else earlier
        closing = _CLAUSE_END.search(normal, quantity.end, later)
        last = closing.start() if closing else later
        near = _words(normal, first, last, found)
        opening = max(
            (m.end() for m in _CLAUSE_END.finditer(normal, start, quantity.start)), default=start
        )
        is_denied = denies(comparable(normal[opening:last]))
        result.append(
            Placed(
                quantity,
                near,
                _words(normal, start, end, found),
                _words(normal, last, later, found),
                is_denied,
            )
        )
    return tuple(result)


def _words(text: str, start: int, end: int, found: Sequence[Quantity]) -> frozenset[str]:
    pieces, position = [], start
    for quantity in found:
        if start <= quantity.start and quantity.end <= end and quantity.start >= position:
            pieces.append(text[position : quantity.start])
            position = quantity.end
    pieces.append(text[position:end])
    return grams(_BOUND.sub("、", comparable(" ".join(pieces).replace(" ", "、"))))


def is_comparable(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities could answer the same question: same kind and unit."""
    return one.kind == other.kind != "name" and one.unit == other.unit


@dataclass(frozen=True, slots=True)
class Misplaced:
    """``said`` in the claim; the passage says ``found`` of the same thing."""

    said: Quantity
    found: Quantity


def misplaced(claim: str, evidence: Sequence[str]) -> list[Misplaced]:
    """Quantities of ``claim`` whose value stands in ``evidence``, but of something else, or with
    the opposite bound (不低于 for 不超过)."""
    present = [each for text in evidence for each in placed(text)]
    result = []
    for own in placed(claim):
        alike = [each for each in present if is_comparable(own.quantity, each.quantity)]
        same = [each for each in alike if is_same(own.quantity, each.quantity)]
        if not same or len(own.near) < _FEW:
            continue
        fits = max(same, key=lambda each: fit(own, each))
        others = [each for each in alike if not is_same(own.quantity, each.quantity)]
        rival = max(others, key=lambda each: fit(own, each), default=None)
        if rival is not None:
            strong, weak = fit(own, rival), fit(own, fits)
            if strong >= _LEAST and (strong - weak >= _MARGIN or _is_told_apart(own, fits, others)):
                result.append(Misplaced(own.quantity, rival.quantity))
                continue
        best = fit(own, fits)
        if own.is_denied:
            continue
        level = [each for each in same if fit(own, each) >= best - 0.1]
        if all(
            not each.is_denied and are_opposite(own.quantity.direction, each.quantity.direction)
            for each in level
        ):
            result.append(Misplaced(own.quantity, fits.quantity))
    return result


def _is_told_apart(own: Placed, fits: Placed, others: Sequence[Placed]) -> bool:
    """Whether another value stands beside words of the claim that its own value stands without:
    乳胶管4周 where the passage has 乳胶管2周，硅胶管4周."""
    return any(
        len(own.near & other.near) >= _TOLD_APART * len(own.near)
        and (own.near & other.near) - fits.near
        and not (own.near & fits.near) - other.near
        and fits.near - own.near
        and not (own.after & fits.after) - other.after
        for other in others
    )


def is_same(one: Quantity, other: Quantity) -> bool:
    if one.kind == "date":
        return all(a == b or not (a and b) for a, b in zip(one.values, other.values, strict=True))
    return one.values == other.values


def fit(own: Placed, other: Placed) -> float:
    """The share of the claim's words near its quantity that stand near the other one; words
    elsewhere in the sentence count less."""
    if not own.near:
        return 0.0
    near = len(own.near & other.near)
    around = len((own.near & other.around) - other.near)
    # A stretch with a subject of its own (乙药 10mg) does not inherit that of its sentence.
    foreign = len(other.near - own.around)
    weight = _FOREIGN if foreign > max(_FEW, len(other.near) / 2) else _INHERITED
    return (near + weight * around) / len(own.near)
