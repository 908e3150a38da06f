"""Checks each sentence of an answer against the passages it cites.

What is written is compared literally: quantities and what they are said of (`rag.answer.compare`,
`rag.answer.binding`), names (`rag.answer.names`), denials and opposites (`rag.answer.polarity`).
What passes is judged by a trained `SupportChecker`, or, without one, by the share of words that
the passages hold: that tells a sentence from elsewhere, not a false sentence in their own words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rag.answer.binding import misplaced
from rag.answer.cite import bigrams
from rag.answer.claims import claims
from rag.answer.compare import missing_quantities
from rag.answer.numbers import without_quantities
from rag.answer.polarity import contradictions
from rag.types import Citation, Hit, Sentence, Verdict

# Share of a sentence's character bigrams that its passages must hold. Sentences of other documents
# on the same subject reach 0.1 to 0.25, paraphrases from 0.4 up.
SHARE = 0.4
SUPPORT = 0.5


class SupportChecker(Protocol):
    """A model that reads a claim and a passage together."""

    def support(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        """Probability, for each (claim, passage text), that the passage supports the claim."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one claim.

    ``mismatches`` are its quantities that the evidence does not hold or says of something else;
    ``reasons`` are Chinese lines for the reader and the model; ``support`` is the checker's
    probability, or the share of words without one.
    """

    verdict: Verdict
    mismatches: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    support: float = 0.0


def check(
    statement: str,
    evidence: Sequence[str],
    *,
    checker: SupportChecker | None = None,
    threshold: float = SUPPORT,
) -> Finding:
    """Compare one claim with the texts that should support it.

    The literal comparisons come first; only what passes them is given to ``checker``, whose
    probability (the highest over the texts) must reach ``threshold``.
    """
    missing = missing_quantities(statement, evidence)
    if missing:
        reasons = (f"{'、'.join(missing)} 未在资料中出现",)
        return Finding(Verdict.NUMBER_MISMATCH, missing, reasons)
    wrong = misplaced(statement, evidence)
    if wrong:
        reasons = tuple(f"{w.said.text} 与资料不符，资料写的是 {w.found.text}" for w in wrong)
        return Finding(Verdict.NUMBER_MISMATCH, tuple(w.said.text for w in wrong), reasons)
    reasons = tuple(f"资料写的是“{c.evidence}”" for c in contradictions(statement, evidence))
    if reasons:
        return Finding(Verdict.UNSUPPORTED, reasons=reasons)
    if checker is None:
        support, threshold = _share(statement, evidence), SHARE
    else:
        support = max(checker.support([(statement, text) for text in evidence]), default=0.0)
    if support >= threshold:
        return Finding(Verdict.SUPPORTED, support=support)
    return Finding(Verdict.UNSUPPORTED, reasons=("资料中没有这样的内容",), support=support)


def verify(
    sentences: Sequence[Sentence],
    citations: Sequence[Citation],
    passages: Sequence[Hit],
    *,
    checker: SupportChecker | None = None,
    threshold: float = SUPPORT,
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
    stated = claims([sentence.text for sentence in sentences])
    for sentence, claim in zip(sentences, stated, strict=True):
        if not claim.statement:
            checked.append(replace(sentence, verdict=Verdict.NOT_A_CLAIM, mismatches=()))
            continue
        evidence = [text for mark in sentence.citations for text in texts.get(mark, ())]
        found = check(claim.statement, evidence or everything, checker=checker, threshold=threshold)
        checked.append(replace(sentence, verdict=found.verdict, mismatches=found.mismatches))
    return tuple(checked)


def evidence_text(hit: Hit) -> str:
    """A passage as the model sees it: with the title, date and heading it stands under."""
    parts = (hit.title, hit.date, hit.passage.heading, hit.passage.text)
    return "\n".join(part for part in parts if part)


def _share(statement: str, evidence: Sequence[str]) -> float:
    """The share of the statement's words, quantities aside, that the evidence holds."""
    wanted = bigrams(without_quantities(statement))
    present = frozenset().union(*(bigrams(text) for text in evidence))
    return len(wanted & present) / len(wanted) if wanted else 1.0


def _lies_in(citation: Citation, hit: Hit) -> bool:
    passage = hit.passage
    return (
        passage.document == citation.document
        and passage.start <= citation.start
        and citation.end <= passage.end
    )
