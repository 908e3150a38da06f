"""What an exported file says, whatever its format: blocks of text in order.

Each turn has its question, the answer with its marks, what was wrong with it, and its sources
with quote, section, page and date.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rag.export.characters import shown
from rag.export.label import Provenance
from rag.export.texts import ExportTexts
from rag.types import Answer, Citation, State, Verdict


class Kind(StrEnum):
    TITLE = "title"
    LABEL = "label"
    FACT = "fact"
    HEADING = "heading"  # a question begins
    SUBHEADING = "subheading"  # its answer, its sources
    TEXT = "text"
    WARNING = "warning"
    SOURCE = "source"
    QUOTE = "quote"
    DETAIL = "detail"


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph; ``strong`` is the span of its text to be set off."""

    kind: Kind
    text: str
    strong: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A question with its answer; ``asked`` is an ISO 8601 time or ""."""

    answer: Answer
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Exported:
    """What is to be written.

    ``exported`` is an ISO 8601 time; ``model_name`` and ``filing_number`` are those of the
    filing (备案), where there is one.
    """

    entries: Sequence[Entry]
    title: str = ""
    model_name: str = ""
    filing_number: str = ""
    exported: str = ""
    provenance: Provenance = field(default_factory=Provenance)
    texts: ExportTexts = field(default_factory=ExportTexts)

    @property
    def heading(self) -> str:
        return " ".join(shown(self.title or self.texts.title).split())


def blocks(exported: Exported) -> Iterator[Block]:
    """The file's paragraphs, in order; no text has a character that cannot be written."""
    texts = exported.texts
    yield Block(Kind.TITLE, exported.heading)
    yield Block(Kind.LABEL, texts.label)
    facts = (
        (texts.model.format(name=exported.model_name), exported.model_name),
        (texts.filing.format(number=exported.filing_number), exported.filing_number),
        (texts.exported.format(time=_local(exported.exported)), exported.exported),
    )
    for line, value in facts:
        if value:
            yield Block(Kind.FACT, shown(line))
    for number, entry in enumerate(exported.entries, 1):
        yield from _turn(entry, number, texts)


def _turn(entry: Entry, number: int, texts: ExportTexts) -> Iterator[Block]:
    answer = entry.answer
    heading = texts.question.format(number=number)
    if entry.asked:
        heading = texts.asked.format(question=heading, time=_local(entry.asked))
    yield Block(Kind.HEADING, heading)
    yield Block(Kind.TEXT, shown(answer.question))
    state = {
        State.ANSWERED: texts.answered,
        State.UNCERTAIN: texts.uncertain,
        State.NOT_FOUND: texts.not_found,
    }[answer.state]
    form = texts.answer_of if answer.model else texts.answer
    yield Block(Kind.SUBHEADING, shown(form.format(state=state, model=answer.model)))
    yield Block(Kind.TEXT, shown(answer.text))
    yield from (Block(Kind.WARNING, shown(line)) for line in _warnings(answer, texts))
    if answer.citations:
        yield Block(Kind.SUBHEADING, texts.sources)
        for citation in answer.citations:
            yield from _source(citation, texts)


def _warnings(answer: Answer, texts: ExportTexts) -> Iterator[str]:
    if not answer.finished:
        yield texts.stopped
    for sentence in answer.sentences:
        if sentence.verdict is Verdict.UNSUPPORTED:
            yield texts.unsupported.format(sentence=sentence.text.strip())
    numbers = dict.fromkeys(one for sentence in answer.sentences for one in sentence.mismatches)
    if numbers:
        yield texts.mismatch.format(numbers="、".join(numbers))
    yield from answer.notices


def _source(citation: Citation, texts: ExportTexts) -> Iterator[Block]:
    sections = citation.heading.split(" > ") if citation.heading else []
    place = [
        citation.title or texts.untitled,
        " › ".join(sections[1:] if sections[:1] == [citation.title] else sections),
        "" if citation.page is None else texts.page.format(page=citation.page),
        citation.date,
    ]
    line = texts.separator.join(part for part in place if part)
    yield Block(Kind.SOURCE, shown(f"[{citation.mark}] {line}"))
    quote = shown(citation.quote)
    strong = None
    if citation.focus is not None:
        start, end = (place - citation.start for place in citation.focus)
        # Numbered characters before the focus move it.
        first = len(shown(citation.quote[:start]))
        strong = first, first + len(shown(citation.quote[start:end]))
    yield Block(Kind.QUOTE, quote, strong)
    if citation.original and citation.original != citation.quote:
        yield Block(Kind.DETAIL, shown(texts.original.format(original=citation.original)))
    if citation.source:
        yield Block(Kind.DETAIL, shown(texts.source.format(source=citation.source)))


def _local(time: str) -> str:
    return f"{datetime.fromisoformat(time).astimezone():%Y-%m-%d %H:%M}" if time else ""
