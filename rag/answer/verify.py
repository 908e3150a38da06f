"""Checks each sentence of an answer against the passages it cites, without a model.

Two questions. Are its quantities in the passages, as they are written (`rag.answer.numbers`)? And
are enough of its words there? The first finds the invented dose and the shifted date; the second
finds a sentence from elsewhere.

Not covered: negation, comparison, and a right number said of the wrong thing. The share of words
tells a sentence from elsewhere, not a false sentence in the passage's own words.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from rag.answer.cite import bigrams
from rag.answer.numbers import Quantity, quantities, without_quantities
from rag.sentences import sentence_spans
from rag.types import Citation, Hit, Sentence, Verdict

# Share of a sentence's character bigrams that its passages must hold. Sentences of other documents
# on the same subject reach 0.1 to 0.25, paraphrases from 0.4 up.
SUPPORT = 0.4
_SHORTEST_CLAIM = 4

# Kinds of clauses that state nothing; everything between commas that is none of them is content.
_REFUSAL = re.compile(
    r"(?:资料|文档|文件|材料|上下文|以上内容).{0,12}?(?:未能?|没有?|无|不)"
    r"(?:找到|查到|提到|提及|说明|涉及|包含|给出|提供|显示|回答|相关)"
    r"|^(?:抱歉)?(?:因此|所以|故|我|暂时?|目前)?无法(?:回答|确定|判断|给出|提供)"
    r"|^(?:目前|暂时?|均)?[未没无]能?有?(?:在资料中)?(?:找到|查到|提及|提到)?(?:相关|有关)(?:内容|信息|资料|说明)"
    r"|^(?:也|亦)?(?:未|没有)(?:提及|提到|说明)"
)
_ADVICE = re.compile(
    r"^(?:请|建议|如需|应)?您?(?:咨询|查阅|核对|联系|遵照|遵循|遵从).{0,16}$"
    r"|由医师(?:确认|作出|决定)|(?:不能|不可|不)(?:代替|替代)医"
)
_OPENER = re.compile(
    r"^(?:关于|对于|针对|根据|按照|很?抱歉|对不起|您好|如需|如有|在(?:以上|所给|现有))"
)
_TURN = re.compile(r"但|不过|然而|而是|应为")
_LIST_NUMBER = re.compile(
    r"^\s*(?:[-*•·]\s*)?(?:[(（]?\d{1,2}[)）]\s*|\d{1,2}(?:[、．：]|[.:](?!\d))\s*|第[一二三四五六七八九十]+[，、：,:])?"
)


class SupportChecker(Protocol):
    """A model that reads a claim and a passage together."""

    def support(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        """Probability, for each (claim, passage text), that the passage supports the claim."""
        ...


def verify(
    sentences: Sequence[Sentence], citations: Sequence[Citation], passages: Sequence[Hit]
) -> tuple[Sentence, ...]:
    """The sentences with verdict and ``mismatches``.

    A sentence is compared with the whole passages that its citations lie in (the title and date
    that the model was shown included), one that cites nothing with all ``passages``.
    """
    texts: dict[int, list[str]] = {}
    for citation in citations:
        texts[citation.mark] = [
            evidence_text(hit) for hit in passages if _lies_in(citation, hit)
        ] or [citation.quote]
    everything = [evidence_text(hit) for hit in passages]
    checked = []
    for sentence in sentences:
        evidence = [text for mark in sentence.citations for text in texts.get(mark, ())]
        checked.append(_check(sentence, evidence or everything))
    return tuple(checked)


def is_refusal(text: str) -> bool:
    """Says the whole answer only that the documents do not hold one?"""
    sentences = [text[start:end] for start, end in sentence_spans(text)]
    return any(map(_REFUSAL.search, sentences)) and all(map(_states_nothing, sentences))


def evidence_text(hit: Hit) -> str:
    """A passage as the model sees it: with the title, date and heading it stands under."""
    parts = (hit.title, hit.date, hit.passage.heading, hit.passage.text)
    return "\n".join(part for part in parts if part)


def missing_quantities(text: str, evidence: Sequence[str]) -> tuple[str, ...]:
    """The quantities of ``text``, as written, that no text of ``evidence`` holds."""
    present = [quantity for passage in evidence for quantity in quantities(passage)]
    body = _LIST_NUMBER.sub("", text, count=1)
    missing = [q.text for q in quantities(body) if not _is_present(q, present)]
    return tuple(dict.fromkeys(missing))


def _check(sentence: Sentence, evidence: Sequence[str]) -> Sentence:
    text = _LIST_NUMBER.sub("", sentence.text, count=1)
    if _is_no_claim(text):
        return replace(sentence, verdict=Verdict.NOT_A_CLAIM, mismatches=())
    mismatches = missing_quantities(sentence.text, evidence)
    if mismatches:
        return replace(sentence, verdict=Verdict.NUMBER_MISMATCH, mismatches=mismatches)
    # The quantities are there, perhaps spelled otherwise; the words are left to compare.
    wanted = bigrams(without_quantities(text))
    present = frozenset().union(*(bigrams(passage) for passage in evidence))
    share = len(wanted & present) / len(wanted) if wanted else 1.0
    verdict = Verdict.SUPPORTED if share >= SUPPORT else Verdict.UNSUPPORTED
    return replace(sentence, verdict=verdict, mismatches=())


def _is_no_claim(text: str) -> bool:
    """Refusals, advice to ask the doctor, and connecting phrases ("具体如下：")."""
    if _states_nothing(text):
        return True
    if quantities(text):
        return False
    letters = sum(character.isalnum() for character in text)
    return letters < _SHORTEST_CLAIM or (text.rstrip().endswith(("：", ":")) and letters <= 20)


def _states_nothing(sentence: str) -> bool:
    """Is every clause a refusal, advice to ask the doctor, or the opening of one?"""
    clauses = [clause for clause in re.split(r"[，,；;。！!：:\s]", sentence) if clause]
    kinds = set()
    for clause in clauses:
        found = _REFUSAL.search(clause) or _ADVICE.search(clause)
        if found and not _TURN.search(clause, found.end()):
            kinds.add("nothing")
        elif _OPENER.search(clause):
            kinds.add("opener")
        else:
            return False
    return "nothing" in kinds


def _lies_in(citation: Citation, hit: Hit) -> bool:
    passage = hit.passage
    return (
        passage.document == citation.document
        and passage.start <= citation.start
        and citation.end <= passage.end
    )


def _is_present(wanted: Quantity, present: Sequence[Quantity]) -> bool:
    if wanted.kind == "date":
        return _is_date_present(wanted, present)
    return any(_matches(wanted, found) for found in present)


def _matches(wanted: Quantity, found: Quantity) -> bool:
    if wanted.kind == "name" or found.kind == "name":
        return wanted.kind == found.kind and wanted.unit == found.unit
    if wanted.kind == "number" and found.kind == "date":
        # "第5日" of 3月5日, "2025" of 2025年
        parts = {"年": found.values[:1], "天": found.values[2:], "": found.values}
        return wanted.values[0] != 0 and wanted.values[0] in parts.get(wanted.unit, ())
    if wanted.unit and found.unit and wanted.unit != found.unit:
        return False
    if wanted.kind == "number" and found.kind == "range":
        return wanted.values[0] in found.values
    return wanted.kind == found.kind and wanted.values == found.values


def _is_date_present(wanted: Quantity, present: Sequence[Quantity]) -> bool:
    """A date that says at least as much, or its year and its month and day apart; the month of
    one date never vouches for the year of another."""
    dates = [found.values for found in present if found.kind == "date"]
    year, *rest = wanted.values
    if any(_agrees(wanted.values, values) for values in dates):
        return True
    years = {values[0] for values in dates}
    years |= {q.values[0] for q in present if q.kind == "number" and q.unit == ""}
    if not any(rest):
        return year in years
    yearless = [values[1:] for values in dates if values[0] == 0]
    return (year == 0 or year in years) and any(_agrees(rest, values) for values in yearless)


def _agrees(wanted: Sequence[object], found: Sequence[object]) -> bool:
    return all(want in (0, have) for want, have in zip(wanted, found, strict=True))
