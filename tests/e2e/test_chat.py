"""The chat in a real browser: ask, read, follow a citation, stop, and nothing leaves the page."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from chat_page import ChatPage
from playwright.sync_api import expect
from scripted import ScriptedAssistant, citation, document

from rag.errors import LanguageModelUnavailable
from rag.types import Answer, Sentence, State, Verdict
from ui import texts
from ui.chat_desk import Abilities

OpenChat = Callable[..., ChatPage]

QUESTION = "输液要注意什么？"
TEXT = (
    "第一条 输液前核对医嘱。\n"
    "第二条 输液开始后15~30分钟内观察反应，滴速40~60滴/分；PLT<100×10⁹/L 者慎用，按5*3*2分次给药。"
    "老年人酌减。\n"
    + "\n".join(f"第{number}条 其余按科室规定执行，并做好记录和交接班。" for number in range(3, 40))
)
MANUAL = document("manual", TEXT, title="静脉输液护理常规")
FIRST = citation(1, MANUAL, "输液前核对医嘱", date="2025-03-01")
SECOND = citation(
    2,
    MANUAL,
    "输液开始后15~30分钟内观察反应",
    heading="第二条",
    page=2,
    original="輸液(yè)開始后15~30分鐘內(nèi)觀察反應",
)
FAR = citation(3, MANUAL, "第39条 其余按科室规定执行", page=9)
ANSWERED = Answer(
    QUESTION,
    QUESTION,
    State.ANSWERED,
    "先核对医嘱[1]。15~30分钟内观察反应，40~60滴/分[2]；PLT<100 者慎用，按5*3*2给药[2]，每日7次[3]。",
    sentences=(Sentence("每日7次", (3,), Verdict.NUMBER_MISMATCH, ("7次",)),),
    citations=(FIRST, SECOND, FAR),
    model="qwen3:8b（Ollama）",
    timings={"search": 0.02, "generate": 1.5},
)
HOSTILE_TEXT = (
    '<img src="http://evil.example/i.png" onerror="window.hacked=1">'
    "![](http://evil.example/m.png)<script>window.hacked=2</script>"
    "[x](javascript:window.hacked=3)<p style=\"background:url('http://evil.example/s')\">"
    "{{value}}${window.hacked=4}`</div></article>[1]"
)


def scripted(**options: object) -> ScriptedAssistant:
    hostile = document("hostile", HOSTILE_TEXT, title=HOSTILE_TEXT)
    hostile_citation = citation(1, hostile, HOSTILE_TEXT[:60], original=HOSTILE_TEXT)
    script = {
        QUESTION: ANSWERED,
        "不确定的": replace(ANSWERED, state=State.UNCERTAIN),
        "出错": LanguageModelUnavailable("Ollama 没有应答。请运行 ollama serve，然后重试"),
        HOSTILE_TEXT: Answer(
            HOSTILE_TEXT,
            "",
            State.ANSWERED,
            HOSTILE_TEXT,
            citations=(hostile_citation,),
            thinking=HOSTILE_TEXT,
            notices=(HOSTILE_TEXT,),
            model=HOSTILE_TEXT,
        ),
    }
    return ScriptedAssistant(script, [MANUAL, hostile], **options)  # type: ignore[arg-type]


def test_a_question_streams_to_a_cited_answer(chat_page: OpenChat) -> None:
    chat = chat_page(scripted(pause=0.2))
    turn = chat.ask(QUESTION)
    expect(chat.page).to_have_title(texts.TITLE)
    expect(turn.locator(".question")).to_have_text(QUESTION)
    expect(turn).to_contain_text(texts.PHASE_STREAMING)
    expect(turn.locator(".answer-text")).to_contain_text("先核对")
    expect(turn.locator("a.mark")).to_have_count(0)
    chat.finished()
    expect(turn).to_contain_text(texts.STATE_ANSWERED)
    assert turn.locator("a.mark").all_inner_texts() == ["[1]", "[2]", "[2]", "[3]"]
    expect(chat.page.locator("p[role=status]")).to_have_text("回答完成：已回答，引用 3 处资料")
    expect(chat.box).to_have_value("")
    assert chat.outside == []


def test_clinical_text_is_shown_to_the_character(chat_page: OpenChat) -> None:
    chat = chat_page(scripted())
    chat.ask(QUESTION)
    shown = chat.finished().locator(".answer-text")
    assert shown.inner_text() == ANSWERED.text
    selected = "text => (getSelection().selectAllChildren(text), getSelection().toString())"
    assert shown.evaluate(selected) == ANSWERED.text
    expect(chat.turn.locator(".source blockquote").nth(1)).to_contain_text("PLT<100×10⁹/L")


def test_a_mark_jumps_to_its_highlighted_passage_and_back(chat_page: OpenChat) -> None:
    chat = chat_page(scripted(), height=560)
    chat.ask(QUESTION)
    turn = chat.finished()
    sources = turn.locator(".source")
    expect(sources.nth(2)).not_to_be_in_viewport()
    turn.locator("a.mark").last.click()
    expect(sources.nth(2)).to_be_in_viewport()
    expect(sources.nth(2)).to_be_focused()
    expect(sources.nth(2)).to_have_class("source target")
    expect(sources.nth(2).locator("mark")).to_have_text("第39条 其余按科室规定执行")
    turn.locator("a.mark").nth(1).click()
    expect(sources.nth(1)).to_be_focused()
    expect(sources.nth(2)).to_have_class("source")
    for wanted in ("静脉输液护理常规", "第二条", "第 2 页"):
        expect(sources.nth(1)).to_contain_text(wanted)
    expect(sources.nth(1).locator(".original .text")).not_to_be_visible()
    sources.nth(1).get_by_text(texts.SHOW_ORIGINAL).click()
    expect(sources.nth(1).locator(".original .text")).to_have_text(SECOND.original)
    sources.nth(1).get_by_role("link", name=texts.BACK_TO_ANSWER).click()
    expect(turn.locator("a.mark").nth(1)).to_be_focused()
    assert chat.page.url.partition("#")[0].rstrip("/") == chat.url


def test_a_mark_works_from_the_keyboard(chat_page: OpenChat) -> None:
    chat = chat_page(scripted())
    chat.box.fill(QUESTION)
    chat.box.press("Enter")
    turn = chat.finished()
    turn.get_by_role("link", name="引用 1：静脉输液护理常规").focus()
    chat.page.keyboard.press("Enter")
    expect(turn.locator(".source").first).to_be_focused()


def test_a_number_not_in_the_sources_is_flagged_in_words(chat_page: OpenChat) -> None:
    chat = chat_page(scripted())
    chat.ask(QUESTION)
    turn = chat.finished()
    expect(turn.locator(".number")).to_have_attribute("title", texts.NUMBER_TOOLTIP)
    expect(turn.locator(".note-warning")).to_contain_text("数字未在引用资料中出现：7次")


def test_stop_ends_the_stream_on_the_server_and_says_so(chat_page: OpenChat) -> None:
    assistant = scripted(never_ends=True)
    chat = chat_page(assistant)
    turn = chat.ask(QUESTION)
    expect(turn.locator(".answer-text")).to_contain_text("……")
    assert not assistant.stopped.is_set()
    chat.page.get_by_role("button", name=texts.STOP).click()
    expect(turn).to_have_attribute("data-phase", "stopped")
    expect(turn).to_contain_text(texts.PHASE_STOPPED)
    expect(turn.locator(".chip")).to_contain_text(texts.STOPPED_CHIP)
    expect(turn).not_to_contain_text(texts.UNCHECKED_LINE)
    assert assistant.stopped.wait(10)
    kept = turn.locator(".answer-text").inner_text()
    chat.page.wait_for_timeout(500)
    assert turn.locator(".answer-text").inner_text() == kept
    expect(chat.page.get_by_text(texts.AI_LABEL, exact=True)).to_be_visible()
    assistant.never_ends = False
    chat.ask(QUESTION)
    chat.finished()


def test_an_error_is_one_line_and_the_question_is_not_lost(chat_page: OpenChat) -> None:
    chat = chat_page(scripted())
    turn = chat.ask("出错")
    expect(turn.locator(".note-error")).to_have_text(
        "Ollama 没有应答。请运行 ollama serve，然后重试"
    )
    expect(turn.locator(".question")).to_have_text("出错")
    expect(chat.box).to_have_value("出错")
    chat.ask(QUESTION)
    chat.finished()


class Broken(ScriptedAssistant):
    def stream(self, question: str) -> object:  # type: ignore[override]
        raise KeyError("a detail nobody should read")


def test_a_fault_of_ours_ends_the_turn_without_details(chat_page: OpenChat) -> None:
    chat = chat_page(Broken({}))
    turn = chat.ask(QUESTION)
    expect(turn.locator(".note-error")).to_have_text(texts.INTERRUPTED)
    expect(chat.box).to_have_value(QUESTION)
    assert "nobody" not in chat.page.content()


def test_a_queue_and_a_full_one_are_said_in_the_chat(chat_page: OpenChat) -> None:
    assistant = scripted(never_ends=True)
    chat = chat_page(assistant, concurrency=1, queue=1)
    turn = chat.ask(QUESTION)
    expect(turn).to_have_attribute("data-phase", "streaming")
    pages = [chat.page.context.new_page() for _ in range(2)]
    others = [ChatPage(page, chat.url) for page in pages]
    for other in others:
        other.page.goto(chat.url)
        expect(other.box).to_be_visible()
        other.page.wait_for_function("document.documentElement.lang === 'zh-CN'")
        other.ask(QUESTION)
        if other is others[0]:
            waiting = texts.QUEUED.format(place=1)
            expect(other.turn.locator(".chip-busy")).to_contain_text(waiting)
    expect(others[1].page.get_by_role("alert")).to_contain_text("排队已满")
    expect(others[1].box).to_have_value(QUESTION)
    expect(others[0].turn).to_have_attribute("data-phase", "queued")
    chat.page.get_by_role("button", name=texts.STOP).click()
    expect(others[0].turn).to_have_attribute("data-phase", "streaming")
    others[0].page.get_by_role("button", name=texts.STOP).click()


@pytest.mark.parametrize(
    ("question", "message"),
    [("   ", texts.EMPTY_QUESTION), ("问" * 20_000, "问题有 20,000 个字符，超过上限 2,000 个")],
)
def test_a_question_that_cannot_be_asked_is_refused_in_a_line(
    chat_page: OpenChat, question: str, message: str
) -> None:
    chat = chat_page(scripted())
    chat.box.fill(question)
    chat.page.get_by_role("button", name=texts.SEND).click()
    expect(chat.page.get_by_role("alert")).to_contain_text(message)
    expect(chat.page.locator(".turn")).to_have_count(0)
    expect(chat.box).to_have_value(question)
    chat.ask("🩺💊？")
    expect(chat.finished()).to_contain_text(texts.STATE_NOT_FOUND)
    expect(chat.page.locator(".refusal")).to_be_hidden()


def test_hostile_content_runs_nothing_and_reaches_nobody(chat_page: OpenChat) -> None:
    chat = chat_page(scripted(model_label=HOSTILE_TEXT), examples=(HOSTILE_TEXT,))
    chat.page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    chat.page.locator(".example").click()
    turn = chat.finished()
    turn.locator("summary").first.click()
    turn.locator("a.mark").first.click()
    expect(turn.locator(".source")).to_be_focused()
    assert turn.locator(".answer-text").inner_text() == HOSTILE_TEXT
    assert turn.locator("img, script, form, [style], [onerror]").count() == 0
    chat.page.wait_for_timeout(300)
    assert chat.page.evaluate("window.hacked") is None
    assert chat.outside == []
    assert len(chat.requests) > 10


def test_the_policy_holds_even_if_markup_got_through(chat_page: OpenChat) -> None:
    chat = chat_page(scripted())
    with chat.page.expect_console_message(lambda message: "Content Security" in message.text):
        chat.page.evaluate(
            "document.querySelector('.log').innerHTML = '<img src=\"http://evil.example/i.png\">'"
        )


def test_an_example_is_asked_with_one_click(chat_page: OpenChat) -> None:
    chat = chat_page(scripted(), examples=(QUESTION,))
    chat.page.get_by_role("button", name=QUESTION).click()
    expect(chat.finished().locator(".question")).to_have_text(QUESTION)
    expect(chat.page.locator(".welcome")).to_be_hidden()


def test_nothing_of_a_conversation_is_in_the_browsers_storage(chat_page: OpenChat) -> None:
    chat = chat_page(scripted())
    for question in (QUESTION, "没有的", "不确定的"):
        chat.ask(question)
        chat.finished()
    states = chat.page.locator(".turn .chip").all_inner_texts()
    assert [re.sub(r"\W", "", state) for state in states] == ["已回答", "资料中未找到", "不确定"]
    stored = chat.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert QUESTION not in stored
    assert "核对医嘱" not in stored
    (cookie,) = chat.page.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    chat.page.get_by_role("button", name=texts.NEW_CONVERSATION).click()
    expect(chat.page.locator(".turn")).to_have_count(0)
    expect(chat.page.locator(".welcome")).to_be_visible()


def test_the_sources_beside_the_chat_follow_the_turn(chat_page: OpenChat) -> None:
    chat = chat_page(scripted())
    chat.ask(QUESTION)
    first = chat.finished()
    first = chat.page.locator(".turn").first
    chat.ask("没有的")
    chat.finished()
    expect(first.locator(".source").first).to_be_hidden()
    expect(chat.turn.locator(".sources")).to_have_text(texts.SOURCES_NONE)
    first.locator("a.mark").first.click()
    expect(first.locator(".source").first).to_be_visible()


def test_copy_gives_clean_text_with_the_label(chat_page: OpenChat) -> None:
    chat = chat_page(scripted())
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.ask(QUESTION)
    chat.finished().get_by_role("button", name=texts.COPY).click()
    expect(chat.turn.locator(".copy")).to_have_text(texts.COPIED)
    copied = chat.page.evaluate("navigator.clipboard.readText()")
    assert ANSWERED.text in copied
    assert copied.endswith("内容由人工智能生成，须由医师确认（qwen3:8b（Ollama））")


@pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (820, False), (1440, True)])
def test_nothing_overflows_and_the_labels_stay_visible(
    chat_page: OpenChat, width: int, dark: bool
) -> None:
    label = "摘录式回答（不调用大模型，仅引用资料原文）"
    chat = chat_page(scripted(model_label=label), width=width, height=844, dark=dark)
    for question in (None, QUESTION, HOSTILE_TEXT):
        if question is not None:
            chat.ask(question)
            chat.finished().locator("a.mark").first.click()
        wide = chat.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
        for words in (texts.AI_LABEL, label):
            expect(chat.page.get_by_text(words, exact=True)).to_be_in_viewport()
    expect(chat.turn.locator(".source").first).to_be_in_viewport()


def test_the_head_says_who_asks_and_which_model_answers(chat_page: OpenChat) -> None:
    digest = "sha256:0123456789abcdef<b>"
    chat = chat_page(scripted(), abilities=Abilities(digest=lambda: digest), width=390)
    head = chat.page.locator(".top")
    expect(head.locator(".person")).to_have_text(texts.THIS_BROWSER)
    expect(head.locator("[data-model]")).to_have_text("qwen3:8b（Ollama）")
    expect(head.locator("[data-digest]")).to_have_text("0123456789ab")
    expect(head.locator("[data-digest]")).to_have_attribute("title", f"模型摘要：{digest}")


def test_thinking_is_folded_under_its_seconds(chat_page: OpenChat) -> None:
    thought = replace(ANSWERED, thinking="先看资料", timings={"thinking": 12.4})
    chat = chat_page(ScriptedAssistant({QUESTION: thought}, [MANUAL], pause=0.2))
    turn = chat.ask(QUESTION)
    summary = chat.finished().locator(".thinking summary")
    expect(summary).to_have_text("思考了 12 秒（不是回答，未经核对）")
    expect(turn.get_by_text("先看资料", exact=True)).to_be_hidden()
    summary.click()
    expect(turn.get_by_text("先看资料", exact=True)).to_be_visible()
