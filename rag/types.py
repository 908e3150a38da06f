"""What travels between the modules: frozen values, no behaviour beyond their own invariants.

Offsets are Python string indices (code points) into ``Document.text`` unless a name says
``original``. Times are seconds, dates ISO 8601 strings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rag.offsets import OffsetMap


class BlockKind(StrEnum):
    """What a stretch of a document is, as far as its file says."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch ``[start, end)`` of a text; ``level`` counts headings from 1."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0


@dataclass(frozen=True, slots=True)
class PageStart:
    """Page ``number`` (from 1) begins at ``start``."""

    number: int
    start: int


@dataclass(frozen=True, slots=True)
class SourceText:
    """A file as its reader found it, before cleaning; blocks and pages point into ``text``.

    Blocks are in order and do not overlap; text outside any block (line breaks) belongs to none.
    """

    text: str
    blocks: tuple[Block, ...] = ()
    pages: tuple[PageStart, ...] = ()
    title: str = ""
    source: str = ""
    date: str = ""
    collection: str = ""
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A cleaned text with the way back to the file it came from.

    ``original`` is the reader's text; ``offsets`` leads from ``text`` to it.
    """

    id: str
    title: str
    text: str
    original: str
    offsets: OffsetMap
    blocks: tuple[Block, ...] = ()
    pages: tuple[PageStart, ...] = ()
    source: str = ""
    date: str = ""
    collection: str = ""
    path: str = ""
    sha256: str = ""

    def page_at(self, position: int) -> int | None:
        """The page that holds a position, None for a document without pages."""
        number = None
        for page in self.pages:
            if page.start > position:
                break
            number = page.number
        return number


@dataclass(frozen=True, slots=True)
class Passage:
    """A span of a document: ``document.text[start:end] == passage.text``, always.

    ``id`` is the vector's id in the index (0 before indexing); ``heading`` the section it
    stands in, outermost first, joined by " > ".
    """

    document: str
    start: int
    end: int
    text: str
    heading: str = ""
    page: int | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``[start, end)`` of a passage's text that may answer; ``probability`` is the
    span's share among all spans of that passage."""

    start: int
    end: int
    probability: float


LOGIT_LIMIT = 8.0


def limited(logit: float) -> float:
    """A logit of the reader within ±`LOGIT_LIMIT`; beyond it says nothing more."""
    return max(min(logit, LOGIT_LIMIT), -LOGIT_LIMIT)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader found in one passage for one question.

    ``relevance`` and ``answerable`` are logits: how well the passage fits the question, and
    whether it holds an answer. ``spans`` are the best ones that do not overlap, best first.
    """

    relevance: float
    answerable: float
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage. ``score`` in [0, 1] is what it was ranked by; ``dense`` a cosine,
    ``keyword`` a raw BM25 score, ``reading`` what the reader found there, if it read it."""

    passage: Passage
    title: str
    score: float
    dense: float = 0.0
    keyword: float = 0.0
    source: str = ""
    date: str = ""
    reading: Reading | None = None


class State(StrEnum):
    ANSWERED = "answered"
    UNCERTAIN = "uncertain"
    NOT_FOUND = "not_found"


class Verdict(StrEnum):
    """How a sentence of an answer stands to the passages it cites."""

    SUPPORTED = "supported"
    NUMBER_MISMATCH = "number_mismatch"
    UNSUPPORTED = "unsupported"
    NOT_A_CLAIM = "not_a_claim"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer, without its marks; ``citations`` are mark numbers.

    ``mismatches`` are the numbers, dates and units that its passages do not contain or say of
    something else; ``reasons`` say in Chinese why a verdict is not ``supported``.
    """

    text: str
    citations: tuple[int, ...] = ()
    verdict: Verdict = Verdict.UNCHECKED
    mismatches: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """Mark [n] of an answer: ``quote == document.text[start:end]``, and ``original`` the
    characters of the file that the quote was cleaned from. ``focus`` are the words that answer,
    a span of the document inside the quote, where the reader named them."""

    mark: int
    document: str
    title: str
    start: int
    end: int
    quote: str
    page: int | None = None
    original: str = ""
    source: str = ""
    date: str = ""
    heading: str = ""
    focus: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person gets. While streaming, each Answer holds all text so far.

    ``text`` carries its marks ([1], [2]); ``thinking`` is a reasoning model's own text and never
    part of the answer; ``notices`` are short lines a person should read beside it.
    ``confidence`` is the probability that the passages hold an answer; ``prompt_tokens`` what the
    language model was sent (0 without one), ``trimmed`` how many hits found no room there,
    ``output_tokens`` what it wrote. ``span`` are the words that answer, where the reader names
    them.
    """

    question: str
    search_question: str
    state: State
    text: str
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    hits: tuple[Hit, ...] = ()
    model: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)
    thinking: str = ""
    notices: tuple[str, ...] = ()
    finished: bool = True
    confidence: float = 0.0
    prompt_tokens: int = 0
    trimmed: int = 0
    output_tokens: int = 0
    span: str = ""
