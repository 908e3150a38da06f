"""Extractive answers: what the documents say, quoted and cited, nothing invented."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.answer import extract, spans
from rag.answer.cite import citation
from rag.answer.conflicts import Premise
from rag.types import Answer, Citation, Document, Sentence, State, Verdict


def quote(
    base: Answer,
    ranked: Sequence[extract.Candidate],
    document: Callable[[str], Document],
) -> Answer:
    """The best of ``ranked`` as an answer, each sentence with a citation of its own."""
    chosen = spans.choose(ranked)
    focused = [candidate for candidate in chosen if candidate.focus is not None]
    citations: list[Citation] = []
    sentences: list[Sentence] = []
    for mark, candidate in enumerate(chosen, 1):
        whole = document(candidate.hit.passage.document)
        cited = citation(mark, whole, candidate.start, candidate.end, candidate.hit)
        citations.append(replace(cited, focus=candidate.focus))
        sentences.append(Sentence(candidate.text, (mark,), Verdict.SUPPORTED))
    text = "\n".join(f"{s.text}[{s.citations[0]}]" for s in sentences)
    return replace(
        base,
        text=text,
        sentences=tuple(sentences),
        citations=tuple(citations),
        span=spans.focus_text(focused[0]) if focused else "",
    )


def correct(
    base: Answer, premises: Sequence[Premise], document: Callable[[str], Document]
) -> Answer:
    """What the documents say where the question takes another amount for granted."""
    ranked = []
    for premise in premises:
        hit, sentence = premise.found.hit, premise.found.sentence
        start = hit.passage.start + hit.passage.text.index(sentence)
        ranked.append(extract.Candidate(hit, start, start + len(sentence), sentence, 1.0))
    return quote(replace(base, state=State.UNCERTAIN), ranked, document)
