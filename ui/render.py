"""Answer → safe HTML, pure.

Everything that came from a model, a document or a person passes through `escape`; the only tags
and attributes in the output are the ones written here, so no answer can bring an element, a link
or a style of its own. Text is shown to the character (`ui.render_text`).
"""

from collections.abc import Iterable

from rag.types import Answer, State, Verdict
from ui import texts
from ui.escape import escape
from ui.language import Text, say
from ui.render_sources import place_of
from ui.render_text import marked_text

_STATES: dict[State, tuple[str, str, Text, Text | None]] = {
    State.ANSWERED: ("answered", "✓", texts.STATE_ANSWERED, None),
    State.UNCERTAIN: ("uncertain", "?", texts.STATE_UNCERTAIN, texts.HINT_UNCERTAIN),
    State.NOT_FOUND: ("not-found", "–", texts.STATE_NOT_FOUND, texts.HINT_NOT_FOUND),
}


def answer_html(answer: Answer, turn: str) -> str:
    """The answer's card. ``turn`` makes ids unique in the page (letters, digits, ``-``)."""
    parts = [f'<div class="card-top">{_state(answer)}{_tag()}</div>']
    if answer.thinking:
        parts.append(
            f'<details class="thinking"><summary>{escape(_thought(answer))}</summary>'
            f'<div class="text" lang="zh-CN">{escape(answer.thinking)}</div></details>'
        )
    parts.append(_searched(answer.question, answer.search_question))
    parts.append(f'<div class="text answer-text" lang="zh-CN">{marked_text(answer, turn)}</div>')
    if not answer.finished and answer.text:
        parts.append(f'<p class="small unchecked">{escape(say(texts.UNCHECKED_LINE))}</p>')
    if answer.finished:
        parts.extend(f'<p class="note note-{kind}">{line}</p>' for kind, line in _notes(answer))
        # A line may end with a dot and never begins with one.
        small = "\u00a0· ".join(escape(part) for part in _small_print(answer))
        parts.append(
            f'<div class="card-bottom"><span class="small">{small}</span>'
            f'<button type="button" class="copy">{escape(say(texts.COPY))}</button></div>'
        )
    return "".join(parts)


def stopped_html(answer: Answer, turn: str) -> str:
    """The card of an answer that was stopped and is shown again."""
    parts = [
        f'<div class="card-top">{stopped_chip()}{_tag()}</div>',
        _searched(answer.question, answer.search_question),
        f'<div class="text answer-text" lang="zh-CN">{marked_text(answer, turn)}</div>',
        f'<p class="note note-stopped">{escape(say(texts.PHASE_STOPPED))}</p>',
    ]
    return "".join(parts)


def stopped_chip() -> str:
    """Stands where an answer's state would."""
    label = escape(say(texts.STOPPED_CHIP))
    return f'<span class="chip chip-stopped"><i aria-hidden="true">■</i>{label}</span>'


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
        f'{escape(say(texts.PHASE_FAILED))}</span></div><p class="note note-error">{escape(message)}</p>'
    )


def clipboard_text(answer: Answer) -> str:
    """The answer as plain text for the clipboard, with its sources and the AI label."""
    state = say(_STATES[answer.state][2])
    lines = [say(texts.COPY_QUESTION, question=answer.question), f"[{state}] {answer.text}"]
    lines.extend(line for kind, line in _plain_notes(answer) if kind == "warning")
    if answer.citations:
        lines.append(say(texts.COPY_SOURCES))
        for citation in answer.citations:
            place = say(texts.PLACE_SEPARATOR).join(
                [citation.title or say(texts.UNTITLED), *place_of(citation)]
            )
            lines.append(f"[{citation.mark}] {place}")
    label = say(texts.AI_LABEL)
    if answer.model:
        label += say(texts.COPY_MODEL, model=model_name(answer.model))
    return "\n".join([*lines, label])


def model_name(label: str) -> str:
    """Who answers, as a person should read it; models have their own names."""
    return say(texts.EXTRACTIVE) if label == texts.EXTRACTIVE else label


def announcement(answer: Answer) -> str:
    """What a screen reader says when the answer is complete."""
    return say(
        texts.FINISHED_ANNOUNCEMENT,
        state=say(_STATES[answer.state][2]),
        count=len(answer.citations),
    )


def mismatches(answer: Answer) -> tuple[str, ...]:
    """Numbers of the answer that its passages do not contain, each once, in order."""
    return tuple(dict.fromkeys(n for sentence in answer.sentences for n in sentence.mismatches))


def _searched(question: str, searched: str) -> str:
    """A line with the rewritten question, "" where it was searched as it was typed."""
    if not searched or " ".join(searched.split()) == " ".join(question.split()):
        return ""
    return (
        f'<p class="searched">{escape(say(texts.SEARCHED, question=searched))} '
        f'<button type="button" class="verbatim">{escape(say(texts.VERBATIM))}</button></p>'
    )


def _state(answer: Answer) -> str:
    if not answer.finished:
        return (
            '<span class="chip chip-busy"><i aria-hidden="true"></i>'
            f"{escape(say(texts.PHASE_STREAMING))}</span>"
        )
    name, icon, label, _ = _STATES[answer.state]
    return f'<span class="chip chip-{name}"><i aria-hidden="true">{icon}</i>{escape(say(label))}</span>'


def _thought(answer: Answer) -> str:
    """The headline of the thinking: that it goes on, or how long it was where that is known."""
    seconds = answer.timings.get("thinking")
    if not answer.finished and not answer.text:
        return say(texts.THINKING_NOW)
    if seconds is None:
        return say(texts.THINKING)
    return say(texts.THOUGHT, seconds=max(round(seconds), 1))


def _tag() -> str:
    return f'<span class="tag" title="{escape(say(texts.AI_LABEL))}">{escape(say(texts.AI_TAG))}</span>'


def _plain_notes(answer: Answer) -> Iterable[tuple[str, str]]:
    numbers = mismatches(answer)
    if numbers:
        line = say(texts.NUMBER_NOTE, numbers=say(texts.LIST_SEPARATOR).join(numbers))
        yield "warning", f"⚠ {line}"
    if any(sentence.verdict is Verdict.UNSUPPORTED for sentence in answer.sentences):
        yield "warning", f"⚠ {say(texts.UNSUPPORTED_NOTE)}"
    for sentence in answer.sentences:
        if sentence.verdict is Verdict.UNSUPPORTED and sentence.reasons:
            reasons = say(texts.LIST_SEPARATOR).join(sentence.reasons)
            line = say(texts.REASON_NOTE, sentence=sentence.text.strip(), reasons=reasons)
            yield "reason", line
    hint = _STATES[answer.state][3]
    if hint is not None:
        yield "doubt" if answer.state is State.UNCERTAIN else "hint", say(hint)
    for notice in answer.notices:
        yield "notice", notice


def _notes(answer: Answer) -> Iterable[tuple[str, str]]:
    return ((kind, escape(line)) for kind, line in _plain_notes(answer))


def _small_print(answer: Answer) -> list[str]:
    parts = [model_name(answer.model)] if answer.model else []
    shown: dict[str, float] = {}
    for name, label in texts.TIMING_NAMES.items():
        if name in answer.timings:
            shown[say(label)] = shown.get(say(label), 0.0) + answer.timings[name]
    parts.extend(say(texts.TIMING, name=name, seconds=value) for name, value in shown.items())
    return parts
