"""Checks each sentence of an answer against the passages it cites.

What is written is compared literally: quantities and what they are said of (`rag.answer.compare`,
`rag.answer.binding`), names (`rag.answer.names`), denials and opposites (`rag.answer.polarity`),
words that say more than the passage (`rag.answer.overstated`), words said over and over
(`rag.answer.loops`).
What passes is judged by the share of its words that the passages hold (that tells a sentence from
elsewhere, not a false sentence in their own words) and, where it is put otherwise, by a trained
`SupportChecker`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rag.answer.binding import misplaced
from rag.answer.claims import claims
from rag.answer.clauses import comparable, grams
from rag.answer.compare import missing_quantities as missing_quantities
from rag.answer.loops import loop
from rag.answer.names import missing_names
from rag.answer.numbers import without_quantities
from rag.answer.overstated import overstated
from rag.answer.polarity import contradictions
from rag.types import Citation, Hit, Sentence, Verdict

# Share of a sentence's words that its passages must hold. Of the development half of
# benchmarks.perturbations, 98 % of the true sentences reach it with their own passage, and 4 %
# with another.
SHARE = 0.28
# From this share on a sentence repeats its passage, and what may be wrong in it is what is compared
# literally; the trained reader, taught to look for small changes, suspects such sentences most.
COPIED = 0.9
SUPPORT = 0.5
# More texts together are longer than a small model reads.
_MOST_JOINED = 3
_FUNCTION_WORDS = frozenset(
    "的了着过在是有和与及或也就都要须应可能不得把被给让对为于以这那其一个上下中里后前时到从再又很等、，。；,.;:!?()（）"
)


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

    The literal comparisons come first, then the share of words; what they leave open is given to
    ``checker``, whose probability (the highest over the texts) must reach ``threshold``.
    """
    found = _compared(statement, evidence)
    if checker is None or found.is_settled:
        return found.finding
    is_joined = 1 < len(evidence) <= _MOST_JOINED
    texts = [*evidence, "\n".join(evidence)] if is_joined else evidence
    return found.read(
        max(checker.support([(statement, text) for text in texts]), default=0.0), threshold
    )


def check_each(
    statement: str,
    texts: Sequence[str],
    *,
    checker: SupportChecker | None = None,
    threshold: float = SUPPORT,
) -> tuple[Finding, ...]:
    """Compare one claim with each text alone; the checker reads them in one call."""
    compared = [_compared(statement, [text]) for text in texts]
    if checker is None:
        return tuple(each.finding for each in compared)
    pairs = [
        (statement, text) for each, text in zip(compared, texts, strict=True) if not each.is_settled
    ]
    read = iter(checker.support(pairs) if pairs else ())
    return tuple(
        each.finding if each.is_settled else each.read(next(read), threshold) for each in compared
    )


@dataclass(frozen=True, slots=True)
class _Compared:
    """What comparing words found; ``is_settled`` where the reader is not asked."""

    finding: Finding
    is_settled: bool

    def read(self, support: float, threshold: float) -> Finding:
        """What is found with the reader's probability: where few of the words are the passage's
        it must be higher."""
        is_near = self.finding.verdict is Verdict.SUPPORTED
        return _by_support(support, threshold if is_near else max(threshold, SUPPORT))


def _compared(statement: str, evidence: Sequence[str]) -> _Compared:
    found = _literal(statement, evidence)
    if found is not None:
        return _Compared(found, is_settled=True)
    found = _by_share(statement, evidence)
    return _Compared(found, is_settled=found.support >= COPIED)


def _literal(statement: str, evidence: Sequence[str]) -> Finding | None:
    """What is wrong with the statement as it is written; None when nothing is."""
    said_again = loop(statement, evidence)
    if said_again:
        reason = f"“{said_again}”反复出现，这句话不成立"
        return Finding(Verdict.UNSUPPORTED, reasons=(reason,))
    missing = missing_quantities(statement, evidence)
    if missing:
        absent = f"{'、'.join(missing)} 未在资料中出现"
        return Finding(Verdict.NUMBER_MISMATCH, missing, (absent,))
    wrong = misplaced(statement, evidence)
    if wrong:
        reasons = tuple(f"{w.said.text} 与资料不符，资料写的是 {w.found.text}" for w in wrong)
        return Finding(Verdict.NUMBER_MISMATCH, tuple(w.said.text for w in wrong), reasons)
    names = missing_names(statement, evidence)
    if names:
        absent = f"“{'”、“'.join(names)}”未在资料中出现"
        return Finding(Verdict.UNSUPPORTED, reasons=(absent,))
    denied = tuple(f"资料写的是“{c.evidence}”" for c in contradictions(statement, evidence))
    if denied:
        return Finding(Verdict.UNSUPPORTED, reasons=denied)
    more = tuple(f"资料没有说“{words}”" for words in overstated(statement, evidence))
    if more:
        return Finding(Verdict.UNSUPPORTED, reasons=more)
    return None


def _by_share(statement: str, evidence: Sequence[str]) -> Finding:
    return _by_support(word_share(statement, evidence), SHARE)


def _by_support(support: float, threshold: float) -> Finding:
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
    """The sentences of a finished answer with verdict, ``mismatches`` and ``reasons``.

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
        found = Finding(Verdict.NOT_A_CLAIM)
        if claim.statement:
            evidence = [text for mark in sentence.citations for text in texts.get(mark, ())]
            found = check(
                claim.statement, evidence or everything, checker=checker, threshold=threshold
            )
        checked.append(
            replace(
                sentence,
                verdict=found.verdict,
                mismatches=found.mismatches,
                reasons=found.reasons,
            )
        )
    return tuple(checked)


def evidence_text(hit: Hit) -> str:
    """A passage as the model sees it: with the title, date and heading it stands under."""
    parts = (hit.title, hit.date, hit.passage.heading, hit.passage.text)
    return "\n".join(part for part in parts if part)


def word_share(statement: str, evidence: Sequence[str]) -> float:
    """How much of the statement's words, quantities aside, the evidence holds: the mean of the
    share of its bigrams and the share of its characters, function words left out."""
    form = comparable(without_quantities(statement))
    texts = [comparable(text) for text in evidence]
    wanted, characters = grams(form), set(form) - _FUNCTION_WORDS
    if not wanted:
        return 1.0
    held = frozenset().union(*(grams(text) for text in texts))
    present = set().union(*texts)
    pairs = len(wanted & held) / len(wanted)
    return (pairs + len(characters & present) / max(len(characters), 1)) / 2


def _lies_in(citation: Citation, hit: Hit) -> bool:
    passage = hit.passage
    return (
        passage.document == citation.document
        and passage.start <= citation.start
        and citation.end <= passage.end
    )
