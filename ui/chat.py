"""The Gradio page: a head, a transcript, a box for the question.

The transcript is our own HTML, put into the page by ``assets/chat*.js``, which asks by
``POST /chat/ask`` (`ui.chat_stream`) and reads kept conversations from routes of our own
(`ui.chat_routes`). So nothing stays in the browser's storage, clinical text never passes through a
Markdown renderer, and Gradio keeps nothing of anybody: its queue and its API are not served.
"""

from typing import TYPE_CHECKING

from ui import texts
from ui.chat_desk import ChatDesk
from ui.chat_parts import fixed_parts
from ui.language import say

if TYPE_CHECKING:
    import gradio


def build_blocks(desk: ChatDesk, *, head: str) -> "gradio.Blocks":
    """The page, in Chinese; the scripts put another language in its place (`ui.chat_parts`).

    Args:
        head: HTML that loads the scripts; they run before the page is mounted.
    """
    import gradio

    parts = fixed_parts(desk)

    def fixed(name: str, *, then: str | None = None, head: str | None = None) -> None:
        gradio.HTML(
            html_template=parts[name],
            elem_id=name,
            js_on_load=then,
            head=head,
            apply_default_css=False,
        )

    with gradio.Blocks(title=say(texts.TITLE), analytics_enabled=False, fill_width=True) as blocks:
        fixed("yiwen-chat", then="window.yiwen.mount(element);", head=head)
        with gradio.Column(elem_id="yiwen-composer"):
            fixed("yiwen-scope")
            with gradio.Row(elem_id="yiwen-ask"):
                box = gradio.Textbox(
                    label=say(texts.QUESTION_LABEL),
                    placeholder=say(texts.QUESTION_PLACEHOLDER),
                    lines=1,
                    max_lines=6,
                    container=True,
                    autofocus=True,
                    scale=1,
                    elem_id="yiwen-question",
                )
                send = gradio.Button(
                    say(texts.SEND), variant="primary", scale=0, min_width=88, elem_id="yiwen-send"
                )
                stop = gradio.Button(
                    say(texts.STOP), variant="stop", scale=0, min_width=88, elem_id="yiwen-stop"
                )
            fixed("yiwen-foot")
        for press, action in ((box.submit, "send"), (send.click, "send"), (stop.click, "stop")):
            press(None, js=f"() => {{ window.yiwen.{action}(); }}", api_visibility="private")
    return blocks  # type: ignore[no-any-return]
