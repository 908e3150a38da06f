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
from rag.answer.qualify import are_opposite

_SENTENCE_END = re.compile(r"[。!?;\n]")
_CLAUSE_END = re.compile(r"[、,:()]")
_MARGIN = 0.25
_LEAST = 0.5


@dataclass(frozen=True, slots=True)
class Placed:
    """A quantity with the words of its stretch and of the rest of its sentence."""

    quantity: Quantity
    near: frozenset[str]
    around: frozenset[str]


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
        result.append(Placed(quantity, near, _words(normal, start, end, found)))
    return tuple(result)


def _words(text: str, start: int, end: int, found: Sequence[Quantity]) -> frozenset[str]:
    pieces, position = [], start
    for quantity in found:
        if start <= quantity.start and quantity.end <= end and quantity.start >= position:
            pieces.append(text[position : quantity.start])
            position = quantity.end
    pieces.append(text[position:end])
    return grams(comparable(" ".join(pieces).replace(" ", "、")))


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
        if not same:
            continue
        fits = max(same, key=lambda each: fit(own, each))
        others = [each for each in alike if not is_same(own.quantity, each.quantity)]
        rival = max(others, key=lambda each: fit(own, each), default=None)
        if rival is not None:
            strong, weak = fit(own, rival), fit(own, fits)
            if strong >= _LEAST and strong - weak >= _MARGIN:
                result.append(Misplaced(own.quantity, rival.quantity))
                continue
        best = fit(own, fits)
        level = [each for each in same if fit(own, each) >= best - 0.1]
        if all(are_opposite(own.quantity.direction, each.quantity.direction) for each in level):
            result.append(Misplaced(own.quantity, fits.quantity))
    return result


def is_same(one: Quantity, other: Quantity) -> bool:
    if one.kind == "date":
        return all(a == b or not (a and b) for a, b in zip(one.values, other.values, strict=True))
    return one.values == other.values


def fit(own: Placed, other: Placed) -> float:
    """The share of the claim's words near its quantity that stand near the other one; words
    elsewhere in the sentence count half."""
    if not own.near:
        return 0.0
    near = len(own.near & other.near)
    around = len((own.near & other.around) - other.near)
    return (near + 0.5 * around) / len(own.near)
