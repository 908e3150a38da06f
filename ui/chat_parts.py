"""The page's fixed parts and the words its scripts say, in the language of whoever asks.

The framework builds its page once, in Chinese. ``GET /chat/words.js`` (`ui.chat_routes`) is read
before that page is mounted: it brings the words and, for another language, the fixed parts once
more, which the script puts in the place of the Chinese ones.
"""

import json
from collections.abc import Mapping
from typing import Any

from ui import render, texts
from ui.chat_desk import ChatDesk, ComplianceNotice
from ui.escape import template_escape
from ui.language import Language, Text, language, say, say_all


def words_script(desk: ChatDesk) -> str:
    """The script that gives the page its words."""
    told: dict[str, Any] = {"language": language().value, "words": _words()}
    if language() is not Language.CHINESE:
        told["fixed"] = fixed_parts(desk)
    text = json.dumps(told, ensure_ascii=False)
    return f"Object.assign((window.yiwen = window.yiwen || {{}}), {text});\n"


def fixed_parts(desk: ChatDesk) -> Mapping[str, str]:
    """HTML by the id of the element it belongs into; as ``gr.HTML`` templates they hold no
    placeholder."""
    return {
        "yiwen-chat": _page(desk),
        "yiwen-scope": _scope(),
        "yiwen-foot": _foot(desk.compliance),
    }


def _words() -> dict[str, Any]:
    """The strings that the page's scripts show by themselves."""
    return {
        "title": say(texts.TITLE),
        "question": say(texts.QUESTION_LABEL),
        "placeholder": say(texts.QUESTION_PLACEHOLDER),
        "send": say(texts.SEND),
        "stop": say(texts.STOP),
        "queued": render.progress_html(say(texts.PHASE_QUEUED)),
        "stoppedChip": render.stopped_chip(),
        "stopped": say(texts.PHASE_STOPPED),
        "stoppedEmpty": say(texts.PHASE_STOPPED_EMPTY),
        "interrupted": render.error_html(say(texts.INTERRUPTED)),
        "interruptedLine": say(texts.INTERRUPTED),
        "waiting": say(texts.PHASE_WAITING),
        "emptyQuestion": say(texts.EMPTY_QUESTION),
        "copied": say(texts.COPIED),
        "copyFailed": say(texts.COPY_FAILED),
        "copy": say(texts.COPY),
        "sourcesOf": say(texts.SOURCES_OF),
        "signedIn": say(texts.SIGNED_IN),
        "digest": say(texts.DIGEST),
        **say_all(texts.PAGE_WORDS),
    }


def _said(text: Text, **values: str) -> str:
    return template_escape(say(text, **values))


def _page(desk: ChatDesk) -> str:
    """Head, conversations, transcript; it comes to stand in the framework's ``<main>``."""
    library = (
        f'<a class="library" href="/library">{_said(texts.LIBRARY)}</a>'
        if desk.abilities.library
        else ""
    )
    return f"""
<header class="top" data-part><div class="top-inner">
  <button type="button" class="menu" aria-expanded="false" aria-controls="yiwen-panel"
    aria-label="{_said(texts.CONVERSATIONS)}"><i aria-hidden="true"></i></button>
  <h1><span class="logo" aria-hidden="true">{_said(texts.LOGO)}</span>{_said(texts.TITLE)}</h1>
  <p class="tagline">{_said(texts.TAGLINE)}</p>
  <p class="model"><span class="model-name">{_said(texts.ANSWERING)}</span>
    <strong data-model></strong> <code data-digest hidden></code></p>
  <p class="person" data-person hidden></p>
  {library}
  <button type="button" class="new" hidden>{_said(texts.NEW_CONVERSATION)}</button>
</div></header>
<nav class="panel" id="yiwen-panel" aria-label="{_said(texts.CONVERSATIONS)}">
  <h2 class="panel-title">{_said(texts.CONVERSATIONS)}</h2>
  <button type="button" class="shut" aria-label="{_said(texts.CLOSE)}">×</button>
  <input type="search" class="find" autocomplete="off" aria-label="{_said(texts.FIND)}"
    placeholder="{_said(texts.FIND)}">
  <p class="panel-line" hidden></p>
  <ul class="kept"></ul>
  <button type="button" class="more" hidden>{_said(texts.MORE)}</button>
</nav>
<div class="page">
  <p class="status" role="status"></p>
  <section class="welcome">
    <h2>{_said(texts.WELCOME_TITLE)}</h2><p>{_said(texts.WELCOME_TEXT)}</p>{_examples(desk)}
  </section>
  <div class="log" role="log" aria-live="off" aria-label="{_said(texts.TITLE)}"></div>
  <aside class="placeholder" aria-hidden="true">
    <h3>{_said(texts.SOURCES_TITLE)}</h3><p>{_said(texts.SOURCES_EMPTY)}</p>
  </aside>
</div>"""


def _examples(desk: ChatDesk) -> str:
    if not desk.examples:
        return ""
    buttons = "".join(
        f'<button type="button" class="example">{template_escape(example)}</button>'
        for example in desk.examples
    )
    return (
        f"<h3>{_said(texts.EXAMPLES_TITLE)}</h3>"
        f'<div class="examples" lang="{Language.CHINESE}">{buttons}</div>'
    )


def _scope() -> str:
    """What stands above the question box: the collections to choose from, and what is edited."""
    return (
        f'<fieldset class="scope" data-part hidden><legend>{_said(texts.SCOPE)}</legend></fieldset>'
        f'<p class="editing" hidden><span>{_said(texts.EDITING)}</span> '
        f'<button type="button" class="unedit">{_said(texts.CANCEL)}</button></p>'
    )


def _foot(compliance: ComplianceNotice | None) -> str:
    """The lines under the question box: refusals, the AI label, the model's filing."""
    parts = [f'<span class="ai-label">{_said(texts.AI_LABEL)}</span>']
    if compliance is not None and compliance.model_name:
        parts.append(f"<span>{_said(texts.FILING_MODEL, name=compliance.model_name)}</span>")
    if compliance is not None and compliance.filing_number:
        number = _said(texts.FILING_NUMBER, number=compliance.filing_number)
        parts.append(f"<span>{number}</span>")
    parts.append(f'<span class="privacy">{_said(texts.PRIVACY)}</span>')
    return f'<p class="refusal" role="alert" data-part hidden></p><footer class="foot">{"".join(parts)}</footer>'
