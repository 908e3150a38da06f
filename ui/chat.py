"""The Gradio page: a head, a transcript, a box for the question.

The transcript is our own HTML, put into the page by ``assets/chat*.js``, which asks by
``POST /chat/ask`` (`ui.chat_stream`) and reads kept conversations from routes of our own
(`ui.chat_routes`). So nothing stays in the browser's storage, clinical text never passes through a
Markdown renderer, and Gradio keeps nothing of anybody: its queue and its API are not served.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ui import render, texts
from ui.chat_desk import ComplianceNotice
from ui.escape import template_escape

if TYPE_CHECKING:
    import gradio


def build_blocks(
    compliance: ComplianceNotice | None, *, examples: Sequence[str], has_library: bool, head: str
) -> "gradio.Blocks":
    """The page.

    Args:
        examples: questions offered as buttons.
        has_library: whether there is a page of documents to lead to.
        head: HTML that loads the scripts; they run before the page is mounted.
    """
    import gradio

    with gradio.Blocks(title=texts.TITLE, analytics_enabled=False, fill_width=True) as blocks:
        gradio.HTML(
            html_template=_page(examples, has_library=has_library),
            js_on_load="window.yiwen.mount(element, props);",
            head=head,
            words=_words(),
            apply_default_css=False,
            elem_id="yiwen-chat",
        )
        with gradio.Column(elem_id="yiwen-composer"):
            gradio.HTML(html_template=_scope(), apply_default_css=False, js_on_load=None)
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
        for press, action in ((box.submit, "send"), (send.click, "send"), (stop.click, "stop")):
            press(None, js=f"() => {{ window.yiwen.{action}(); }}", api_visibility="private")
    return blocks  # type: ignore[no-any-return]


def _words() -> dict[str, Any]:
    """The strings that the page's scripts show by themselves."""
    return {
        "queued": render.progress_html(texts.PHASE_QUEUED),
        "stopped": texts.PHASE_STOPPED,
        "stoppedEmpty": texts.PHASE_STOPPED_EMPTY,
        "interrupted": render.error_html(texts.INTERRUPTED),
        "interruptedLine": texts.INTERRUPTED,
        "waiting": texts.PHASE_WAITING,
        "emptyQuestion": texts.EMPTY_QUESTION,
        "copied": texts.COPIED,
        "copyFailed": texts.COPY_FAILED,
        "copy": texts.COPY,
        "sourcesOf": texts.SOURCES_OF,
        "question": texts.QUESTION_LABEL,
        **texts.PAGE_WORDS,
    }


def _page(examples: Sequence[str], *, has_library: bool) -> str:
    """The page's fixed part, a ``gr.HTML`` template that holds no placeholder; it comes to stand
    in the framework's ``<main>``."""
    say = template_escape
    buttons = "".join(
        f'<button type="button" class="example">{say(example)}</button>' for example in examples
    )
    library = f'<a class="library" href="/library">{say(texts.LIBRARY)}</a>' if has_library else ""
    welcome = f'<h3>{say(texts.EXAMPLES_TITLE)}</h3><div class="examples">{buttons}</div>'
    return f"""
<header class="top"><div class="top-inner">
  <button type="button" class="menu" aria-expanded="false" aria-controls="yiwen-panel"
    aria-label="{say(texts.CONVERSATIONS)}"><i aria-hidden="true"></i></button>
  <h1><span class="logo" aria-hidden="true">问</span>{say(texts.TITLE)}</h1>
  <p class="tagline">{say(texts.TAGLINE)}</p>
  <p class="model"><span class="model-name">{say(texts.ANSWERING)}</span>
    <strong data-model></strong></p>
  {library}
  <button type="button" class="new" hidden>{say(texts.NEW_CONVERSATION)}</button>
</div></header>
<nav class="panel" id="yiwen-panel" aria-label="{say(texts.CONVERSATIONS)}">
  <h2 class="panel-title">{say(texts.CONVERSATIONS)}</h2>
  <input type="search" class="find" autocomplete="off" aria-label="{say(texts.FIND)}"
    placeholder="{say(texts.FIND)}">
  <p class="panel-line" hidden></p>
  <ul class="kept"></ul>
  <button type="button" class="more" hidden>{say(texts.MORE)}</button>
</nav>
<div class="page">
  <p class="status" role="status"></p>
  <section class="welcome">
    <h2>{say(texts.WELCOME_TITLE)}</h2><p>{say(texts.WELCOME_TEXT)}</p>{welcome if examples else ""}
  </section>
  <div class="log" role="log" aria-live="off" aria-label="{say(texts.TITLE)}"></div>
  <aside class="placeholder" aria-hidden="true">
    <h3>{say(texts.SOURCES_TITLE)}</h3><p>{say(texts.SOURCES_EMPTY)}</p>
  </aside>
</div>"""


def _scope() -> str:
    """What stands above the question box: the collections to choose from, and what is edited."""
    say = template_escape
    return (
        f'<fieldset class="scope" hidden><legend>{say(texts.SCOPE)}</legend></fieldset>'
        f'<p class="editing" hidden><span>{say(texts.EDITING)}</span> '
        f'<button type="button" class="unedit">{say(texts.CANCEL)}</button></p>'
    )


def _foot(compliance: ComplianceNotice | None) -> str:
    """The lines under the question box: refusals, the AI label, the model's filing."""
    say = template_escape
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
