"""The Gradio page: a question goes in, one turn at a time comes out.

The transcript is our own HTML and lives only in the browser's page: the server sends the current
turn as a small object (`Turn`), ``assets/chat.js`` puts it into the page. So nothing of a
conversation stays on the server or in the browser's storage, and clinical text never passes
through a Markdown renderer.
"""

import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from rag.errors import RagError
from rag.types import Answer, Document
from ui import render, texts
from ui.excerpt import Excerpt, citation_excerpt

if TYPE_CHECKING:
    import gradio

logger = logging.getLogger(__name__)

# The page is redrawn at most this often while an answer streams.
_REDRAW_SECONDS = 0.08


class ChatAssistant(Protocol):
    """What the page needs of an assistant (``rag.assistant.Assistant``)."""

    @property
    def model_label(self) -> str:
        """Who is answering, as a person should read it."""
        ...

    def stream(self, question: str, /) -> Iterator[Answer]:
        """Answers that each hold all text so far; the last has ``finished``.

        Raises:
            RagError: the question cannot be answered; one Chinese line.
        """
        ...

    def document(self, id: str, /) -> Document:
        """The document a citation points into.

        Raises:
            RagError: there is no such document.
        """
        ...


@dataclass(frozen=True, slots=True)
class ComplianceNotice:
    """What the page shows of a model's filing; an empty part is left out."""

    model_name: str = ""
    filing_number: str = ""


class Turn(TypedDict):
    """What the server tells the page about the current turn; ``model`` only when it was asked for.

    ``phase``: waiting, streaming, finished, failed (the question goes back into the box) or
    refused (nothing was asked; ``message`` stands under the box).
    """

    turn: str
    phase: str
    body: str
    sources: str
    copy: str
    message: str
    model: str


Handler = Callable[[str], Iterator[tuple[Turn, Any]]]


def make_handler(
    assistant: ChatAssistant,
    *,
    max_question_characters: int,
    cleared: object = "",
    unchanged: object = None,
    clock: Callable[[], float] = time.monotonic,
) -> Handler:
    """The function behind 「发送」: question → (turn, new content of the question box)."""

    def ask(question: str) -> Iterator[tuple[Turn, Any]]:
        question = question.strip() if isinstance(question, str) else ""
        refusal = _refusal(question, max_question_characters)
        if refusal:
            yield _turn("", "refused", message=refusal), unchanged
            return
        turn = f"t{secrets.token_hex(6)}"
        waiting = render.progress_html(texts.PHASE_WAITING)
        yield _turn(turn, "waiting", body=waiting), cleared
        try:
            for update in _follow(assistant, question, turn, clock):
                yield update, unchanged
        except RagError as error:
            logger.warning("question not answered: %s", type(error).__name__)
            yield _failed(assistant, turn, str(error)), unchanged

    return ask


def build_blocks(
    assistant: ChatAssistant,
    *,
    examples: Sequence[str],
    concurrency: int,
    queue: int,
    max_question_characters: int,
    compliance: ComplianceNotice | None,
    head: str,
) -> "gradio.Blocks":
    """The page. ``head`` is HTML that loads ``chat.js``; it runs before the page is mounted."""
    import gradio

    handler = make_handler(
        assistant,
        max_question_characters=max_question_characters,
        unchanged=gradio.skip(),
    )
    with gradio.Blocks(title=texts.TITLE, analytics_enabled=False, fill_width=True) as blocks:
        transcript = gradio.HTML(
            lambda: _turn("", "idle", model=assistant.model_label),
            html_template=_page(assistant, examples),
            js_on_load="window.yiwen.mount(element, props, watch);",
            head=head,
            words=_words(),
            apply_default_css=False,
            elem_id="yiwen-chat",
        )
        with gradio.Column(elem_id="yiwen-composer"):
            with gradio.Row(elem_id="yiwen-ask"):
                box = gradio.Textbox(
                    label=texts.QUESTION_LABEL,
                    placeholder=texts.QUESTION_PLACEHOLDER,
                    lines=1,
                    max_lines=6,
                    container=True,
                    autofocus=True,
                    scale=1,
                    elem_id="yiwen-question",
                )
                send = gradio.Button(
                    texts.SEND, variant="primary", scale=0, min_width=88, elem_id="yiwen-send"
                )
                stop = gradio.Button(
                    texts.STOP, variant="stop", scale=0, min_width=88, elem_id="yiwen-stop"
                )
            gradio.HTML(html_template=_foot(compliance), apply_default_css=False, js_on_load=None)
        asking = gradio.on(
            [box.submit, send.click],
            _as_generator(handler),
            inputs=[box],
            outputs=[transcript, box],
            js="(question) => [window.yiwen.ask(question)]",
            show_progress="hidden",
            concurrency_limit=concurrency,
            concurrency_id="ask",
            api_visibility="private",
        )
        for over in (asking.then, asking.failure):
            over(None, js="() => { window.yiwen.ended(); }", api_visibility="private")
        stop.click(
            None,
            js="() => { window.yiwen.stopped(); }",
            cancels=[asking],
            api_visibility="private",
        )
    blocks.queue(max_size=queue, api_open=False, default_concurrency_limit=concurrency)
    return blocks  # type: ignore[no-any-return]


def _as_generator(handler: Handler) -> Callable[[str], Generator[tuple[Turn, Any], None, None]]:
    """Gradio streams from generator functions only, told apart by inspection."""

    def ask(question: str) -> Generator[tuple[Turn, Any], None, None]:
        yield from handler(question)

    return ask


def _refusal(question: str, limit: int) -> str:
    if not question:
        return texts.EMPTY_QUESTION
    if len(question) > limit:
        return texts.LONG_QUESTION.format(length=len(question), limit=limit)
    return ""


def _follow(
    assistant: ChatAssistant, question: str, turn: str, clock: Callable[[], float]
) -> Iterator[Turn]:
    """The turns of one answer as it grows; a stop closes the assistant's stream."""
    excerpts: dict[tuple[str, int, int], Excerpt | None] = {}
    drawn = -_REDRAW_SECONDS
    answers = assistant.stream(question)
    with contextlib.ExitStack() as stack:
        close = getattr(answers, "close", None)
        if close is not None:
            stack.callback(close)
        for answer in answers:
            if not answer.finished and clock() - drawn < _REDRAW_SECONDS:
                continue
            yield _answered(assistant, answer, turn, excerpts)
            drawn = clock()


def _answered(
    assistant: ChatAssistant,
    answer: Answer,
    turn: str,
    excerpts: dict[tuple[str, int, int], Excerpt | None],
) -> Turn:
    for citation in answer.citations:
        key = (citation.document, citation.start, citation.end)
        if key not in excerpts:
            try:
                document = assistant.document(citation.document)
            except RagError:
                document = None
            excerpts[key] = citation_excerpt(citation, document)
    if not answer.finished:
        return _turn(
            turn,
            "streaming",
            body=render.answer_html(answer, turn),
            sources=render.sources_html(answer, turn, excerpts),
        )
    return _turn(
        turn,
        "finished",
        body=render.answer_html(answer, turn),
        sources=render.sources_html(answer, turn, excerpts),
        copy=render.clipboard_text(answer),
        message=render.announcement(answer),
        # Asking who answers may look for a server, so not while text streams.
        model=assistant.model_label,
    )


def _failed(assistant: ChatAssistant, turn: str, message: str) -> Turn:
    body = render.error_html(message)
    return _turn(turn, "failed", body=body, message=message, model=assistant.model_label)


def _turn(
    turn: str,
    phase: str,
    *,
    body: str = "",
    sources: str = "",
    copy: str = "",
    message: str = "",
    model: str = "",
) -> Turn:
    return Turn(
        turn=turn,
        phase=phase,
        body=body,
        sources=sources,
        copy=copy,
        message=message,
        model=model,
    )


def _words() -> dict[str, str]:
    """The strings that ``chat.js`` shows by itself."""
    return {
        "queued": render.progress_html(texts.PHASE_QUEUED),
        "stopped": texts.PHASE_STOPPED,
        "stoppedEmpty": texts.PHASE_STOPPED_EMPTY,
        "interrupted": render.error_html(texts.INTERRUPTED),
        "interruptedLine": texts.INTERRUPTED,
        "waiting": texts.PHASE_WAITING,
        "copied": texts.COPIED,
        "copyFailed": texts.COPY_FAILED,
        "copy": texts.COPY,
        "sources": texts.SOURCES_TITLE,
        "question": texts.QUESTION_LABEL,
    }


def _page(assistant: ChatAssistant, examples: Sequence[str]) -> str:
    """The page's fixed part, a ``gr.HTML`` template that holds no placeholder."""
    say = render.template_escape
    buttons = "".join(
        f'<button type="button" class="example">{say(example)}</button>' for example in examples
    )
    welcome = f'<h3>{say(texts.EXAMPLES_TITLE)}</h3><div class="examples">{buttons}</div>'
    return f"""
<header class="top"><div class="top-inner">
  <h1><span class="logo" aria-hidden="true">问</span>{say(texts.TITLE)}</h1>
  <p class="tagline">{say(texts.TAGLINE)}</p>
  <p class="model"><span class="model-name">{say(texts.ANSWERING)}</span>
    <strong data-model>{say(assistant.model_label)}</strong></p>
  <button type="button" class="new" hidden>{say(texts.NEW_CONVERSATION)}</button>
</div></header>
<main class="page">
  <p class="status" role="status"></p>
  <section class="welcome">
    <h2>{say(texts.WELCOME_TITLE)}</h2><p>{say(texts.WELCOME_TEXT)}</p>{welcome if examples else ""}
  </section>
  <div class="log" role="log" aria-live="off" aria-label="{say(texts.TITLE)}"></div>
  <aside class="placeholder" aria-hidden="true">
    <h3>{say(texts.SOURCES_TITLE)}</h3><p>{say(texts.SOURCES_EMPTY)}</p>
  </aside>
</main>"""


def _foot(compliance: ComplianceNotice | None) -> str:
    """The lines under the question box: refusals, the AI label, the model's filing."""
    say = render.template_escape
    parts = [f'<span class="ai-label">{say(texts.AI_LABEL)}</span>']
    if compliance is not None and compliance.model_name:
        parts.append(f"<span>{say(texts.FILING_MODEL.format(name=compliance.model_name))}</span>")
    if compliance is not None and compliance.filing_number:
        number = texts.FILING_NUMBER.format(number=compliance.filing_number)
        parts.append(f"<span>{say(number)}</span>")
    parts.append(f'<span class="privacy">{say(texts.PRIVACY)}</span>')
    return (
        f'<p class="refusal" role="alert" hidden></p><footer class="foot">{"".join(parts)}</footer>'
    )
