"""Judges the sentences of an answer and gives each the passages that support it.

A sentence is compared with the passages it cites, together. When they do not support it, or it
cites none, the passage that supports it best takes their place; a sentence that needs several
passages gets those that bring what it says.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from rag.answer.cite import Marked
from rag.answer.claims import Claim, claims
from rag.answer.clauses import comparable
from rag.answer.compare import missing_quantities
from rag.answer.verify import Finding, SupportChecker, check, check_each, evidence_text, word_share
from rag.types import Hit, Verdict

FAULTY = (Verdict.NUMBER_MISMATCH, Verdict.UNSUPPORTED)
_MOST_PASSAGES = 3
# How the prompt names the parts of a passage; a model may copy it.
_LABEL = re.compile("^(?:标题|正文|章节|日期)[：:]")
_NO_CLAIM = Finding(Verdict.NOT_A_CLAIM)


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer with repaired numbers, its claims and what was found about each sentence."""

    marked: Marked
    claims: tuple[Claim, ...]
    findings: tuple[Finding, ...]

    @property
    def faulty(self) -> tuple[int, ...]:
        """The sentences that the passages do not support."""
        return tuple(i for i, found in enumerate(self.findings) if found.verdict in FAULTY)

    @property
    def repeated(self) -> tuple[int, ...]:
        """The claims that were made before in the same words; small models say things twice."""
        seen: set[str] = set()
        again = []
        for claim in self.claims:
            words = _bare(claim.statement)
            if words and words in seen:
                again.append(claim.index)
            seen.add(words)
        return tuple(again)

    @property
    def has_support(self) -> bool:
        """Whether the passages support any sentence."""
        return any(found.verdict is Verdict.SUPPORTED for found in self.findings)


def judge(
    marked: Marked, passages: Sequence[Hit], *, checker: SupportChecker | None, threshold: float
) -> Judged:
    """Compare every sentence with its passages and repair what it cites. A title states nothing."""
    texts = [evidence_text(hit) for hit in passages]
    titles = {
        _bare(name) for hit in passages for name in (hit.title, *hit.passage.heading.split(" > "))
    }
    stated = claims(marked.sentences)
    findings, numbers = [], []
    for claim, cited in zip(stated, marked.numbers, strict=True):
        finding, own = _NO_CLAIM, cited
        if claim.statement and _bare(claim.statement) not in titles:
            finding, own = _judge(claim.statement, cited, texts, checker, threshold)
        findings.append(finding)
        numbers.append(own)
    return Judged(replace(marked, numbers=tuple(numbers)), stated, tuple(findings))


def without(judged: Judged, sentences: Collection[int]) -> Judged:
    """The answer without ``sentences``, and without the lines that only led to them."""
    gone = set(sentences)
    leads = {claim.lead for claim in judged.claims}
    for lead in (lead for lead in leads if lead is not None):
        led = [c.index for c in judged.claims if c.lead == lead and c.statement]
        if not judged.claims[lead].statement and led and gone.issuperset(led):
            gone |= {lead, *(c.index for c in judged.claims if c.lead == lead)}
    if not gone:
        return judged
    kept = [i for i in range(len(judged.claims)) if i not in gone]
    text, spans = "", []
    previous = 0
    for index, (start, end) in enumerate(judged.marked.spans):
        between = judged.marked.text[previous:start]
        previous = end
        if index in gone:
            # Of the white space around what is gone the line break is kept.
            text += "\n" if "\n" in between and not text.endswith("\n") else ""
            continue
        text += between.lstrip() if not text or text.endswith("\n") else between
        spans.append((len(text), len(text) + end - start))
        text += judged.marked.text[start:end]
    places: dict[int | None, int] = {old: new for new, old in enumerate(kept)}
    return Judged(
        Marked(
            text,
            tuple(spans),
            tuple(judged.marked.numbers[i] for i in kept),
            judged.marked.dropped,
        ),
        tuple(
            replace(
                judged.claims[i],
                index=places[i],
                lead=places.get(judged.claims[i].lead),
            )
            for i in kept
        ),
        tuple(judged.findings[i] for i in kept),
    )


def _bare(text: str) -> str:
    """The letters and digits of a text, for telling whether two say the same."""
    return re.sub(r"[\W_]", "", comparable(_LABEL.sub("", text)))


def _judge(
    statement: str,
    cited: tuple[int, ...],
    texts: Sequence[str],
    checker: SupportChecker | None,
    threshold: float,
) -> tuple[Finding, tuple[int, ...]]:
    """What is found about a statement, and the numbers of the passages it should cite."""
    finding = None
    if cited:
        evidence = [texts[number - 1] for number in cited]
        finding = check(statement, evidence, checker=checker, threshold=threshold)
        if finding.verdict is Verdict.SUPPORTED:
            return finding, cited
    each = check_each(statement, texts, checker=checker, threshold=threshold)
    supporting = [i for i, found in enumerate(each) if found.verdict is Verdict.SUPPORTED]
    if supporting:
        best = max(supporting, key=lambda i: each[i].support)
        return each[best], (best + 1,)
    together = check(statement, texts, checker=checker, threshold=threshold)
    if together.verdict is Verdict.SUPPORTED:
        return together, _contributing(statement, texts)
    return finding or together, cited


def _contributing(statement: str, texts: Sequence[str]) -> tuple[int, ...]:
    """The few passages that together hold most of the statement's quantities and words."""
    chosen: list[int] = []
    while len(chosen) < _MOST_PASSAGES:
        rest = [i for i in range(len(texts)) if i not in chosen]
        if not rest:
            break
        held = _held(statement, [texts[i] for i in chosen])
        best = max(rest, key=lambda i: _held(statement, [texts[j] for j in (*chosen, i)]))
        if chosen and _held(statement, [texts[j] for j in (*chosen, best)]) <= held:
            break
        chosen.append(best)
    return tuple(sorted(i + 1 for i in chosen))


def _held(statement: str, texts: Sequence[str]) -> tuple[int, float]:
    return -len(missing_quantities(statement, texts)), round(word_share(statement, texts), 1)
