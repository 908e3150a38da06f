"""Answer → safe HTML, pure.

Everything that came from a model, a document or a person passes through `escape`; the only tags
and attributes in the output are the ones written here, so no answer can bring an element, a link
or a style of its own. Text is shown to the character (`ui.render_text`).
"""

from collections.abc import Iterable

from rag.types import Answer, State, Verdict
from ui import texts
from ui.escape import escape
from ui.render_sources import place_of
from ui.render_text import marked_text

_STATES = {
    State.ANSWERED: ("answered", "✓", texts.STATE_ANSWERED, ""),
    State.UNCERTAIN: ("uncertain", "?", texts.STATE_UNCERTAIN, texts.HINT_UNCERTAIN),
    State.NOT_FOUND: ("not-found", "–", texts.STATE_NOT_FOUND, texts.HINT_NOT_FOUND),
}


def answer_html(answer: Answer, turn: str) -> str:
    """The answer's card. ``turn`` makes ids unique in the page (letters, digits, ``-``)."""
    parts = [f'<div class="card-top">{_state(answer)}{_tag()}</div>']
    if answer.thinking:
        parts.append(
            f'<details class="thinking"><summary>{escape(texts.THINKING)}</summary>'
            f'<div class="text">{escape(answer.thinking)}</div></details>'
        )
    parts.append(_searched(answer.question, answer.search_question))
    parts.append(f'<div class="text answer-text">{marked_text(answer, turn)}</div>')
    if not answer.finished and answer.text:
        parts.append(f'<p class="small unchecked">{escape(texts.UNCHECKED_LINE)}</p>')
    if answer.finished:
        parts.extend(f'<p class="note note-{kind}">{line}</p>' for kind, line in _notes(answer))
        small = " · ".join(escape(part) for part in _small_print(answer))
        parts.append(
            f'<div class="card-bottom"><span class="small">{small}</span>'
            f'<button type="button" class="copy">{escape(texts.COPY)}</button></div>'
        )
    return "".join(parts)


def stopped_html(answer: Answer, turn: str) -> str:
    """The card of an answer that was stopped and is shown again."""
    parts = [
        f'<div class="card-top">{_tag()}</div>',
        _searched(answer.question, answer.search_question),
        f'<div class="text answer-text">{marked_text(answer, turn)}</div>',
        f'<p class="note note-stopped">{escape(texts.PHASE_STOPPED)}</p>',
    ]
    return "".join(parts)


def progress_html(line: str, question: str = "", searched: str = "") -> str:
    """The card while there is no text yet; ``searched`` is what is looked for instead of the
    question."""
    return (
        f'<div class="card-top"><span class="chip chip-busy"><i aria-hidden="true"></i>'
        f"{escape(line)}</span>{_tag()}</div>{_searched(question, searched)}"
    )


def note_html(line: str) -> str:
    """One line of warning below a card."""
    return f'<p class="note note-warning">{escape(line)}</p>'


def error_html(message: str) -> str:
    """The card of a question that could not be answered; ``message`` is one Chinese line."""
    return (
        '<div class="card-top"><span class="chip chip-failed"><i aria-hidden="true">!</i>'
        f'{escape(texts.PHASE_FAILED)}</span></div><p class="note note-error">{escape(message)}</p>'
    )


def clipboard_text(answer: Answer) -> str:
    """The answer as plain text for the clipboard, with its sources and the AI label."""
    state = _STATES[answer.state][2]
    lines = [texts.COPY_QUESTION.format(question=answer.question), f"[{state}] {answer.text}"]
    lines.extend(line for kind, line in _plain_notes(answer) if kind == "warning")
    if answer.citations:
        lines.append(texts.COPY_SOURCES)
        for citation in answer.citations:
            place = "，".join([citation.title or texts.UNTITLED, *place_of(citation)])
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


def _searched(question: str, searched: str) -> str:
    """A line with the rewritten question, "" where it was searched as it was typed."""
    if not searched or " ".join(searched.split()) == " ".join(question.split()):
        return ""
    return (
        f'<p class="searched">{escape(texts.SEARCHED.format(question=searched))} '
        f'<button type="button" class="verbatim">{escape(texts.VERBATIM)}</button></p>'
    )


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
    for sentence in answer.sentences:
        if sentence.verdict is Verdict.UNSUPPORTED and sentence.reasons:
            reasons = texts.LIST_SEPARATOR.join(sentence.reasons)
            line = texts.REASON_NOTE.format(sentence=sentence.text.strip(), reasons=reasons)
            yield "reason", line
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
