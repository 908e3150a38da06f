"""Answer → safe HTML, pure.

Everything that came from a model, a document or a person passes through `escape`; the only tags
and attributes in the output are the ones written here, so no answer can bring an element, a link
or a style of its own. Text is shown to the character: no Markdown is interpreted, except that a
pair of ``**`` around a stretch of one line is shown as bold type (language models write it
everywhere); ``5**3`` and ``A**3 B**2`` stay as they are.
"""

import html
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rag.types import Answer, Citation, Sentence, State, Verdict
from ui import texts
from ui.excerpt import Excerpt

_MARK = re.compile(r"\[(\d{1,3})\]")
# Opening ** not behind a letter or digit and closing ** not before one: 5**3**2 is arithmetic.
_BOLD = re.compile(r"(?<![A-Za-z0-9*])\*\*(?=[^\s*])([^\n*]+?)(?<=[^\s*])\*\*(?![A-Za-z0-9*])")
# Bidirectional controls can show digits in another order than they were written.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_STATES = {
    State.ANSWERED: ("answered", "✓", texts.STATE_ANSWERED, ""),
    State.UNCERTAIN: ("uncertain", "?", texts.STATE_UNCERTAIN, texts.HINT_UNCERTAIN),
    State.NOT_FOUND: ("not-found", "–", texts.STATE_NOT_FOUND, texts.HINT_NOT_FOUND),
}


def escape(text: str) -> str:
    """Text for element content and quoted attributes; invisible direction controls are named."""
    return html.escape(_BIDI.sub(lambda found: f"[U+{ord(found.group()):04X}]", text), quote=True)


def template_escape(text: str) -> str:
    """`escape` for text inside a ``gr.HTML`` template, which is a JavaScript template literal and
    a Handlebars template before it is HTML."""
    escaped = escape(text)
    return re.sub(r"[{}$`\\]", lambda found: f"&#{ord(found.group())};", escaped)


def answer_html(answer: Answer, turn: str) -> str:
    """The answer's card. ``turn`` makes ids unique in the page (letters, digits, ``-``)."""
    parts = [f'<div class="card-top">{_state(answer)}{_tag()}</div>']
    if answer.thinking:
        parts.append(
            f'<details class="thinking"><summary>{escape(texts.THINKING)}</summary>'
            f'<div class="text">{escape(answer.thinking)}</div></details>'
        )
    parts.append(f'<div class="text answer-text">{_marked_text(answer, turn)}</div>')
    if answer.finished:
        parts.extend(f'<p class="note note-{kind}">{line}</p>' for kind, line in _notes(answer))
        small = " · ".join(escape(part) for part in _small_print(answer))
        parts.append(
            f'<div class="card-bottom"><span class="small">{small}</span>'
            f'<button type="button" class="copy">{escape(texts.COPY)}</button></div>'
        )
    return "".join(parts)


def progress_html(line: str) -> str:
    """The card while there is no text yet."""
    return (
        f'<div class="card-top"><span class="chip chip-busy"><i aria-hidden="true"></i>'
        f"{escape(line)}</span>{_tag()}</div>"
    )


def error_html(message: str) -> str:
    """The card of a question that could not be answered; ``message`` is one Chinese line."""
    return (
        '<div class="card-top"><span class="chip chip-failed"><i aria-hidden="true">!</i>'
        f'{escape(texts.PHASE_FAILED)}</span></div><p class="note note-error">{escape(message)}</p>'
    )


def sources_html(
    answer: Answer, turn: str, excerpts: Mapping[tuple[str, int, int], Excerpt | None]
) -> str:
    """The sources panel of one answer; ``excerpts`` by (document, start, end)."""
    if not answer.citations:
        return (
            f'<p class="sources-empty">{escape(texts.SOURCES_NONE)}</p>' if answer.finished else ""
        )
    count = escape(texts.SOURCES_COUNT.format(count=len(answer.citations)))
    parts = [f'<h3 class="sources-title">{escape(texts.SOURCES_TITLE)} <span>{count}</span></h3>']
    seen: set[int] = set()
    for citation in sorted(answer.citations, key=lambda one: (one.mark, one.start)):
        key = (citation.document, citation.start, citation.end)
        anchor = "" if citation.mark in seen else f' id="{turn}-source-{citation.mark}"'
        seen.add(citation.mark)
        parts.append(_source(citation, turn, anchor, excerpts.get(key)))
    return "".join(parts)


def clipboard_text(answer: Answer) -> str:
    """The answer as plain text for the clipboard, with its sources and the AI label."""
    state = _STATES[answer.state][2]
    lines = [texts.COPY_QUESTION.format(question=answer.question), f"[{state}] {answer.text}"]
    lines.extend(line for kind, line in _plain_notes(answer) if kind == "warning")
    if answer.citations:
        lines.append(texts.COPY_SOURCES)
        for citation in answer.citations:
            place = "，".join([citation.title or texts.UNTITLED, *_place(citation)])
            lines.append(f"[{citation.mark}] {place}")
    label = texts.AI_LABEL
    if answer.model:
        label += texts.COPY_MODEL.format(model=answer.model)
    return "\n".join([*lines, label])


def announcement(answer: Answer) -> str:
    """What a screen reader says when the answer is complete."""
    return texts.FINISHED_ANNOUNCEMENT.format(
        state=_STATES[answer.state][2], count=len(answer.citations)
    )


def mismatches(answer: Answer) -> tuple[str, ...]:
    """Numbers of the answer that its passages do not contain, each once, in order."""
    return tuple(dict.fromkeys(n for sentence in answer.sentences for n in sentence.mismatches))


def _state(answer: Answer) -> str:
    if not answer.finished:
        return (
            '<span class="chip chip-busy"><i aria-hidden="true"></i>'
            f"{escape(texts.PHASE_STREAMING)}</span>"
        )
    name, icon, label, _ = _STATES[answer.state]
    return f'<span class="chip chip-{name}"><i aria-hidden="true">{icon}</i>{escape(label)}</span>'


def _tag() -> str:
    return f'<span class="tag" title="{escape(texts.AI_LABEL)}">{escape(texts.AI_TAG)}</span>'


def _plain_notes(answer: Answer) -> Iterable[tuple[str, str]]:
    numbers = mismatches(answer)
    if numbers:
        line = texts.NUMBER_NOTE.format(numbers=texts.LIST_SEPARATOR.join(numbers))
        yield "warning", f"⚠ {line}"
    if any(sentence.verdict is Verdict.UNSUPPORTED for sentence in answer.sentences):
        yield "warning", f"⚠ {texts.UNSUPPORTED_NOTE}"
    hint = _STATES[answer.state][3]
    if hint:
        yield "doubt" if answer.state is State.UNCERTAIN else "hint", hint
    for notice in answer.notices:
        yield "notice", notice


def _notes(answer: Answer) -> Iterable[tuple[str, str]]:
    return ((kind, escape(line)) for kind, line in _plain_notes(answer))


def _small_print(answer: Answer) -> list[str]:
    parts = [answer.model] if answer.model else []
    shown: dict[str, float] = {}
    for name, label in texts.TIMING_NAMES.items():
        if name in answer.timings:
            shown[label] = shown.get(label, 0.0) + answer.timings[name]
    parts.extend(texts.TIMING.format(name=name, seconds=value) for name, value in shown.items())
    return parts


def _place(citation: Citation) -> list[str]:
    sections = citation.heading.split(" > ") if citation.heading else []
    if sections and sections[0] == citation.title:
        del sections[0]
    parts = [" › ".join(sections)] if sections else []
    if citation.page is not None:
        parts.append(texts.PAGE.format(page=citation.page))
    if citation.date:
        parts.append(citation.date)
    return parts


def _quote(citation: Citation) -> str:
    """The quote, the words that answer emphasized where the reader named them."""
    if citation.focus is None:
        return escape(citation.quote)
    start, end = (place - citation.start for place in citation.focus)
    quote = citation.quote
    before, focus, after = (escape(part) for part in (quote[:start], quote[start:end], quote[end:]))
    return f"{before}<strong>{focus}</strong>{after}"


def _source(citation: Citation, turn: str, anchor: str, shown: Excerpt | None) -> str:
    title = citation.title or texts.UNTITLED
    label = escape(texts.MARK_LABEL.format(mark=citation.mark, title=title))
    place = " · ".join(f"<span>{escape(part)}</span>" for part in _place(citation))
    parts = [
        f'<section class="source"{anchor} tabindex="-1" aria-label="{label}">'
        f'<div class="source-head"><span class="source-mark" aria-hidden="true">{citation.mark}'
        f'</span><div><h4>{escape(title)}</h4><p class="place">{place}</p></div></div>'
    ]
    if shown is None:
        parts.append(
            f'<blockquote class="text"><mark>{_quote(citation)}</mark></blockquote>'
            f'<p class="small">{escape(texts.EXCERPT_UNAVAILABLE)}</p>'
        )
    else:
        before = ("…" if shown.clipped_before else "") + escape(shown.before)
        after = escape(shown.after) + ("…" if shown.clipped_after else "")
        parts.append(
            f'<blockquote class="text">{before}<mark>{_quote(citation)}</mark>{after}</blockquote>'
        )
    if citation.original and citation.original != citation.quote:
        parts.append(
            f'<details class="original"><summary>{escape(texts.SHOW_ORIGINAL)}</summary>'
            f'<p class="small">{escape(texts.ORIGINAL_NOTE)}</p>'
            f'<div class="text">{escape(citation.original)}</div></details>'
        )
    if citation.source:
        parts.append(f'<p class="small">{escape(texts.SOURCE.format(source=citation.source))}</p>')
    parts.append(
        f'<a class="back" href="#{turn}-mark-{citation.mark}">{escape(texts.BACK_TO_ANSWER)}</a>'
        "</section>"
    )
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class _Style:
    """How one character of an answer is shown; equal neighbours share their tags.

    ``mark`` and ``number`` are 1 + the start of their span, so that two in a row stay two.
    """

    hidden: bool = False
    bold: bool = False
    unsupported: bool = False
    number: int = 0
    mark: int = 0


def _marked_text(answer: Answer, turn: str) -> str:
    """The answer's text with links for its marks and flags on its unsupported parts."""
    text = answer.text
    titles = {citation.mark: citation.title or texts.UNTITLED for citation in answer.citations}
    marks = {found.start(): found for found in _MARK.finditer(text) if int(found[1]) in titles}
    size = len(text)
    mark, number = [0] * size, [0] * size
    hidden, bold, unsupported = [False] * size, [False] * size, [False] * size
    for found in marks.values():
        mark[found.start() : found.end()] = [found.start() + 1] * len(found[0])
    for found in _BOLD.finditer(text):
        for start, end in ((found.start(), found.start(1)), (found.end(1), found.end())):
            hidden[start:end] = [True] * (end - start)
        bold[found.start(1) : found.end(1)] = [True] * len(found[1])
    for sentence, start, end in _sentence_places(text, answer.sentences):
        if sentence.verdict is Verdict.UNSUPPORTED:
            unsupported[start:end] = [True] * (end - start)
        for first, last in _occurrences(text, sentence.mismatches, start, end):
            number[first:last] = [first + 1] * (last - first)
    styles = [
        _Style(*values) for values in zip(hidden, bold, unsupported, number, mark, strict=True)
    ]
    parts = []
    used: set[int] = set()
    for style, positions in groupby(range(size), key=styles.__getitem__):
        run = list(positions)
        if style.hidden:
            continue
        content = escape(text[run[0] : run[-1] + 1])
        if style.mark:
            value = int(marks[style.mark - 1][1])
            anchor = "" if value in used else f' id="{turn}-mark-{value}"'
            used.add(value)
            label = escape(texts.MARK_LABEL.format(mark=value, title=titles[value]))
            parts.append(
                f'<a class="mark"{anchor} href="#{turn}-source-{value}" aria-label="{label}" '
                f'title="{escape(titles[value])}">{content}</a>'
            )
            continue
        parts.append(_decorate(content, style))
    return "".join(parts)


def _decorate(content: str, style: _Style) -> str:
    if style.number:
        tooltip = escape(texts.NUMBER_TOOLTIP)
        content = (
            f'<span class="number" title="{tooltip}">{content}'
            f'<span class="flag" role="img" aria-label="{tooltip}">⚠</span></span>'
        )
    if style.bold:
        content = f"<strong>{content}</strong>"
    if style.unsupported:
        tooltip = escape(texts.UNSUPPORTED_TOOLTIP)
        content = f'<span class="unsupported" title="{tooltip}">{content}</span>'
    return content


def _sentence_places(
    text: str, sentences: Sequence[Sentence]
) -> Iterable[tuple[Sentence, int, int]]:
    """Where each sentence, which carries no marks, stands in the text, which does."""
    plain: list[str] = []
    pieces: list[tuple[int, int]] = []  # start in the plain text, start in the text
    position = length = 0
    for found in [*_MARK.finditer(text), None]:
        end = len(text) if found is None else found.start()
        pieces.append((length, position))
        plain.append(text[position:end])
        length += end - position
        position = end if found is None else found.end()
    joined = "".join(plain)

    def place(index: int) -> int:
        piece = pieces[bisect_right(pieces, index, key=lambda one: one[0]) - 1]
        return piece[1] + index - piece[0]

    cursor = 0
    for sentence in sentences:
        wanted = sentence.text.strip()
        start = joined.find(wanted, cursor) if wanted else -1
        if start >= 0:
            cursor = start + len(wanted)
            yield sentence, place(start), place(cursor - 1) + 1


def _occurrences(
    text: str, wanted: Sequence[str], start: int, end: int
) -> Iterable[tuple[int, int]]:
    """Every place of the wanted strings in ``text[start:end]``; 5 is not found inside 15."""
    for value in wanted:
        if not value:
            continue
        pattern = re.escape(value)
        if value[0].isdigit():
            pattern = r"(?<![\d.])" + pattern
        if value[-1].isdigit():
            pattern += r"(?!\.?\d)"
        for found in re.compile(pattern).finditer(text, start, end):
            yield found.start(), found.end()
