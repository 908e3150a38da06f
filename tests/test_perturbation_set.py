"""The hand-written perturbation set keeps its promises: counts, halves, labels one can compute."""

import json
import re
from collections import Counter
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import pytest

from benchmarks.datasets import Question
from rag.answer.cite import bigrams
from rag.answer.numbers import quantities
from rag.answer.verify import missing_quantities
from rag.chinese import to_simplified

FOLDER = Path(__file__).parent.parent / "benchmarks" / "sets" / "perturbations"
LEAST_WRONG = {
    "number": 60,
    "dose": 45,
    "unit": 35,
    "date": 45,
    "percentage": 18,
    "range": 17,
    "negation": 60,
    "entity": 60,
    "quantifier": 15,
    "comparative": 25,
    "time": 25,
    "swapped": 20,
    "invented": 8,
}
LEAST_TRUE = {
    "verbatim": 25,
    "shortened": 45,
    "reordered": 40,
    "paraphrase": 80,
    "merged": 45,
    "notation": 80,
    "script": 20,
    "no-number": 80,
}
SEEN_IN_QUANTITIES = {"number", "dose", "unit", "date", "percentage", "range"}
NEGATION = re.compile("[不无未没别非勿禁]")


class Claim(NamedTuple):
    id: str
    passage: str
    claim: str
    supported: bool
    kind: str

    @property
    def is_development(self) -> bool:
        return Question(self.id, self.claim, (), frozenset(), True).is_development


def read(name: str) -> list[dict]:
    with (FOLDER / name).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


PASSAGES = {row["id"]: row for row in read("passages.jsonl")}
CLAIMS = [Claim(**row) for row in read("claims.jsonl")]
TRUE = [claim for claim in CLAIMS if claim.supported]
WRONG = [claim for claim in CLAIMS if not claim.supported]


def text_of(claim: Claim) -> str:
    return PASSAGES[claim.passage]["text"]


def of_kind(claims: list[Claim], *kinds: str) -> list[Claim]:
    return [claim for claim in claims if claim.kind in kinds]


def test_passages_are_short_and_of_two_domains():
    assert len(PASSAGES) == len(read("passages.jsonl")) >= 90
    assert all(80 <= len(row["text"]) <= 240 for row in PASSAGES.values())
    assert min(Counter(row["domain"] for row in PASSAGES.values()).values()) >= 30
    assert {row["domain"] for row in PASSAGES.values()} == {"medical", "policy"}


def test_ids_are_unique_and_claims_differ():
    assert len({claim.id for claim in CLAIMS}) == len(CLAIMS) >= 720
    assert len({claim.claim for claim in CLAIMS}) == len(CLAIMS)
    assert {claim.passage for claim in CLAIMS} == set(PASSAGES)


@pytest.mark.parametrize(("claims", "least"), [(TRUE, LEAST_TRUE), (WRONG, LEAST_WRONG)])
def test_every_kind_is_there_and_on_both_sides(claims: list[Claim], least: dict[str, int]):
    counts = Counter(claim.kind for claim in claims)
    assert set(counts) == set(least)
    assert {kind: n for kind, n in least.items() if counts[kind] < n} == {}
    development = Counter(claim.kind for claim in claims if claim.is_development)
    for kind, count in counts.items():
        assert 0.4 * count <= development[kind] <= 0.6 * count, kind


def test_half_is_true_and_the_report_half_is_large():
    assert 0.45 <= len(TRUE) / len(CLAIMS) <= 0.55
    assert sum(not claim.is_development for claim in CLAIMS) >= 300


def test_nothing_but_reading_tells_true_from_wrong():
    """Length, words of negation and shared characters give nothing away."""

    def measures(claims: list[Claim]) -> tuple[float, float, float]:
        return (
            mean(len(claim.claim) for claim in claims),
            mean(bool(NEGATION.search(claim.claim)) for claim in claims),
            mean(
                len(bigrams(claim.claim) & bigrams(text_of(claim))) / len(bigrams(claim.claim))
                for claim in claims
            ),
        )

    (length, negation, shared), (wrong_length, wrong_negation, wrong_shared) = map(
        measures, (TRUE, WRONG)
    )
    assert wrong_length == pytest.approx(length, rel=0.1)
    assert wrong_negation == pytest.approx(negation, abs=0.1)
    assert wrong_shared == pytest.approx(shared, abs=0.1)
    for claims in (TRUE, WRONG):
        traditional = [claim for claim in claims if to_simplified(claim.claim) != claim.claim]
        assert len(traditional) >= 20


def test_no_wrong_claim_stands_in_its_passage():
    assert [c.id for c in WRONG if to_simplified(c.claim).rstrip("。") in text_of(c)] == []


def test_verbatim_claims_stand_in_their_passage_and_other_true_ones_do_not():
    assert [
        c.id for c in TRUE if (c.claim.rstrip("。") in text_of(c)) != (c.kind == "verbatim")
    ] == []


def test_a_claim_without_number_keeps_a_negation():
    for claim in of_kind(TRUE, "no-number"):
        assert not quantities(claim.claim), claim.id
        assert NEGATION.search(claim.claim), claim.id


def test_script_claims_are_written_in_traditional_characters():
    assert all(to_simplified(c.claim) != c.claim for c in of_kind(TRUE, "script"))


def test_wrong_quantities_are_not_in_the_passage():
    """A few units (工作日, a unit that a list names once at its end) are read without unit."""
    claims = of_kind(WRONG, *SEEN_IN_QUANTITIES)
    found = [claim for claim in claims if missing_quantities(claim.claim, [text_of(claim)])]
    assert len(found) >= 0.98 * len(claims)


def test_the_other_errors_bring_no_new_quantity():
    """The 一, 两, 第二 of 一次, 两次, 第二天 count nothing that a passage must hold."""
    claims = of_kind(WRONG, "negation", "comparative", "swapped", "entity", "quantifier")
    strays = [
        (claim.id, quantity)
        for claim in claims
        for quantity in missing_quantities(claim.claim, [text_of(claim)])
        if quantity[0] not in "一两二"
    ]
    assert strays == []


def test_quantities_written_otherwise_agree():
    claims = of_kind(TRUE, "notation")
    agreeing = [
        claim
        for claim in claims
        if any(
            quantity.text not in text_of(claim)
            and not missing_quantities(quantity.text, [text_of(claim)])
            for quantity in quantities(claim.claim)
        )
    ]
    assert len(agreeing) >= 0.95 * len(claims)


def test_true_claims_hold_no_number_of_their_own():
    strays = [
        (claim.id, quantity)
        for claim in TRUE
        for quantity in missing_quantities(claim.claim, [text_of(claim)])
        if quantity[0] not in "一两半"
    ]
    assert len(strays) <= 2
