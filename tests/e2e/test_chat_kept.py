"""Kept conversations, follow-ups, feedback and exports in a real browser."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from chat_page import ChatPage
from playwright.sync_api import Browser, Locator, expect
from scripted import ScriptedAssistant, citation, document

from rag.answer.follow_up import Rewritten
from rag.answer.subject import Turn as Exchange
from rag.conversations.database import Database
from rag.conversations.feedback import FeedbackStore
from rag.conversations.kept import Origin
from rag.conversations.store import ConversationStore
from rag.errors import LanguageModelUnavailable
from rag.types import Answer, Sentence, State, Verdict
from ui import texts
from ui.chat_desk import Abilities

OpenChat = Callable[..., ChatPage]
WORDS = texts.PAGE_WORDS

TEXT = "第一条 输液前核对医嘱。\n第二条 成人滴速40~60滴/分，儿童20~40滴/分。\n第三条 做好记录。"
MANUAL = document("manual", TEXT, title="静脉输液护理常规")
CHECKED = citation(1, MANUAL, "输液前核对医嘱", date="2025-03-01")
SPEED = citation(1, MANUAL, "成人滴速40~60滴/分", heading="第二条")
QUESTION = "输液前要做什么？"
FOLLOW_UP = "那滴速呢？"
WHOLE = "输液的滴速是多少？"
FAILING = "出错"


def answer(question: str, text: str, cited: object, **fields: object) -> Answer:
    plain = Answer(question, question, State.ANSWERED, text, citations=(cited,), model="qwen3:8b")  # type: ignore[arg-type]
    return replace(plain, **fields)  # type: ignore[arg-type]


SCRIPT = {
    QUESTION: answer(
        QUESTION,
        "先核对医嘱。[1]再洗手。",
        CHECKED,
        sentences=(
            Sentence("先核对医嘱。", (1,), Verdict.SUPPORTED),
            Sentence("再洗手。", (), Verdict.UNSUPPORTED, (), ("资料没有提到洗手",)),
        ),
    ),
    WHOLE: answer(WHOLE, "成人40~60滴/分。[1]", SPEED),
    FOLLOW_UP: answer(FOLLOW_UP, "请说明是什么的滴速。[1]", SPEED, state=State.UNCERTAIN),
    FAILING: LanguageModelUnavailable("Ollama 没有应答。请运行 ollama serve，然后重试"),
}


@dataclass
class CollectingAssistant(ScriptedAssistant):
    collections: Collection[str] | None = None

    def stream(
        self, question: str, *, collections: Collection[str] | None = None
    ) -> Iterator[Answer]:
        self.collections = collections
        return super().stream(question)


def scripted(**options: object) -> CollectingAssistant:
    return CollectingAssistant(SCRIPT, [MANUAL], **{"pause": 0.02, **options})  # type: ignore[arg-type]


def rewrite(history: Sequence[Exchange], question: str) -> Rewritten:
    text = WHOLE if question == FOLLOW_UP else question
    return Rewritten(text, text != question, "rule")


ABILITIES = Abilities(stand_alone=rewrite, origin=lambda: Origin("d1", "g1"))


def on_same_server(
    chat: ChatPage, browser: Browser, address: str = "", **options: object
) -> ChatPage:
    """Another person's browser on the server of ``chat``."""
    page = browser.new_context(locale="zh-CN", **options).new_page()  # type: ignore[arg-type]
    other = ChatPage(page, chat.url)
    page.goto(chat.url + address)
    expect(other.box).to_be_visible(timeout=60_000)
    page.wait_for_function("document.documentElement.lang === 'zh-CN'")
    return other


def reload(chat: ChatPage) -> None:
    chat.page.reload()
    expect(chat.box).to_be_visible(timeout=60_000)
    chat.page.wait_for_function("document.documentElement.lang === 'zh-CN'")


def item(chat: ChatPage, title: str) -> Locator:
    return chat.page.locator(".kept li").filter(has_text=title)


def ask_again(chat: ChatPage) -> None:
    """Click 「重新回答」 and wait for the answer that takes the old one's place."""
    kept = chat.turn.get_attribute("data-kept")
    assert kept
    chat.turn.get_by_role("button", name=WORDS["again"]).click()
    expect(chat.turn).not_to_have_attribute("data-kept", kept)
    chat.finished()


def test_a_reload_keeps_the_conversation_and_its_citations(chat_page: OpenChat) -> None:
    chat = chat_page(scripted(), abilities=ABILITIES)
    chat.ask(QUESTION)
    chat.finished()
    chat.ask("没有的")
    chat.finished()
    expect(item(chat, QUESTION).locator(".open")).to_have_attribute("aria-current", "true")
    reload(chat)
    expect(chat.page.locator(".turn")).to_have_count(2)
    first = chat.page.locator(".turn").first
    expect(first.locator(".question")).to_have_text(QUESTION)
    expect(first).to_contain_text(texts.STATE_ANSWERED)
    first.locator("a.mark").click()
    source = first.locator(".source")
    expect(source).to_be_focused()
    expect(source.locator("mark")).to_have_text("输液前核对医嘱")
    expect(source).to_contain_text("静脉输液护理常规")
    chat.ask(QUESTION)
    chat.finished()
    expect(chat.page.locator(".kept li")).to_have_count(1)
    assert chat.outside == []


def test_a_changed_or_missing_document_is_said_beside_the_old_quote(chat_page: OpenChat) -> None:
    assistant = scripted()
    chat = chat_page(assistant, abilities=ABILITIES)
    chat.ask(QUESTION)
    chat.finished()
    assistant.documents = [document("manual", "全文已经重写。", title="静脉输液护理常规")]
    reload(chat)
    expect(chat.turn.locator(".source")).to_contain_text(texts.SOURCE_CHANGED)
    expect(chat.turn.locator(".source mark")).to_have_text("输液前核对医嘱")
    assistant.documents = []
    reload(chat)
    expect(chat.turn.locator(".source")).to_contain_text(texts.SOURCE_GONE)


def test_another_person_sees_nothing_whatever_id_is_sent(
    chat_page: OpenChat, browser: Browser
) -> None:
    chat = chat_page(scripted(), abilities=ABILITIES)
    chat.ask(QUESTION)
    chat.finished()
    address = chat.page.url.partition("#")[2]
    assert re.fullmatch("c-[0-9a-f]{32}", address)
    other = on_same_server(chat, browser, f"/#{address}")
    expect(other.page.locator(".refusal")).to_contain_text("没有这个对话")
    expect(other.page.locator(".turn")).to_have_count(0)
    expect(other.page.locator(".kept li")).to_have_count(0)
    assert QUESTION not in other.page.content()
    for path in (address[2:], f"{address[2:]}/export/md"):
        status = other.page.evaluate(
            "async (path) => (await fetch(`/chat/conversations/${path}`)).status", path
        )
        assert status == 404
    other.page.context.close()


def test_a_conversation_is_found_renamed_and_deleted_for_good(
    chat_page: OpenChat, tmp_path: Path
) -> None:
    chat = chat_page(scripted(), abilities=ABILITIES, data=tmp_path)
    chat.ask(QUESTION)
    chat.finished()
    chat.page.get_by_role("button", name=texts.NEW_CONVERSATION).click()
    chat.ask("没有的")
    chat.finished()
    expect(chat.page.locator(".kept li")).to_have_count(2)
    chat.page.get_by_role("searchbox", name=texts.FIND).fill("医嘱")
    expect(chat.page.locator(".kept li")).to_have_count(1)
    expect(item(chat, QUESTION)).to_contain_text("先核对医嘱")
    chat.page.get_by_role("searchbox", name=texts.FIND).fill("")
    expect(chat.page.locator(".kept li")).to_have_count(2)
    item(chat, QUESTION).locator(".open").click()
    expect(chat.turn.locator(".question")).to_have_text(QUESTION)
    item(chat, QUESTION).get_by_role(
        "button", name=WORDS["renameOf"].format(title=QUESTION)
    ).click()
    field = chat.page.get_by_role("textbox", name=WORDS["newTitle"])
    field.fill("不用了")
    item(chat, QUESTION).get_by_role("button", name=WORDS["cancel"]).click()
    expect(field).to_have_count(0)
    item(chat, QUESTION).locator(".acts .rename").click()
    field.fill("输液<b>")
    field.press("Enter")
    expect(item(chat, "输液<b>")).to_be_visible()
    item(chat, "输液<b>").locator(".acts .delete").click()
    item(chat, "输液<b>").locator(".sure-delete").click()
    expect(chat.page.locator(".kept li")).to_have_count(1)
    expect(chat.page.locator(".turn")).to_have_count(0)
    reload(chat)
    expect(chat.page.locator(".turn")).to_have_count(0)
    for file in tmp_path.iterdir():
        assert "核对医嘱" not in file.read_bytes().decode("utf-8", "replace"), file.name


def test_a_follow_up_shows_its_rewritten_question(chat_page: OpenChat) -> None:
    assistant = scripted()
    chat = chat_page(assistant, abilities=ABILITIES)
    chat.ask(QUESTION)
    chat.finished()
    chat.ask(FOLLOW_UP)
    turn = chat.finished()
    expect(turn.locator(".question")).to_have_text(FOLLOW_UP)
    expect(turn.locator(".searched")).to_contain_text(f"按“{WHOLE}”查找")
    expect(turn.locator(".answer-text")).to_contain_text("成人40~60滴/分")
    turn.get_by_role("button", name=texts.VERBATIM).click()
    expect(chat.turn.locator(".answer-text")).to_contain_text("请说明是什么的滴速")
    chat.finished()
    expect(chat.turn.locator(".searched")).to_have_count(0)
    expect(chat.page.locator(".turn")).to_have_count(2)
    assert assistant.asked == [QUESTION, WHOLE, FOLLOW_UP]


def test_the_last_question_is_edited_and_asked_again(chat_page: OpenChat) -> None:
    assistant = scripted()
    chat = chat_page(assistant, abilities=ABILITIES)
    chat.ask("输液前要作什么？")
    chat.finished()
    chat.turn.get_by_role("button", name=WORDS["edit"]).click()
    expect(chat.box).to_have_value("输液前要作什么？")
    expect(chat.page.get_by_text(texts.EDITING)).to_be_visible()
    chat.ask(QUESTION)
    expect(chat.turn.locator(".answer-text")).to_contain_text("先核对医嘱")
    chat.finished()
    expect(chat.page.get_by_text(texts.EDITING)).to_be_hidden()
    ask_again(chat)
    expect(chat.page.locator(".turn")).to_have_count(1)
    assert assistant.asked == ["输液前要作什么？", QUESTION, QUESTION]
    reload(chat)
    expect(chat.page.locator(".turn .question")).to_have_text([QUESTION])


def test_a_failed_question_is_tried_again_with_one_click(chat_page: OpenChat) -> None:
    assistant = scripted()
    chat = chat_page(assistant, abilities=ABILITIES)
    chat.ask(FAILING)
    expect(chat.turn.locator(".note-error")).to_be_visible()
    expect(chat.box).to_have_value(FAILING)
    assistant.script = {FAILING: SCRIPT[QUESTION]}
    chat.turn.get_by_role("button", name=WORDS["retry"]).click()
    chat.finished()
    expect(chat.page.locator(".turn")).to_have_count(1)
    expect(chat.box).to_have_value("")


def test_a_stopped_answer_is_kept_and_can_be_asked_again(chat_page: OpenChat) -> None:
    assistant = scripted(never_ends=True)
    chat = chat_page(assistant, abilities=ABILITIES)
    turn = chat.ask(QUESTION)
    expect(turn.locator(".answer-text")).to_contain_text("……")
    chat.page.get_by_role("button", name=texts.STOP).click()
    expect(turn).to_have_attribute("data-kept", re.compile("[0-9a-f]{32}"))
    assistant.never_ends = False
    reload(chat)
    expect(chat.turn).to_contain_text(texts.PHASE_STOPPED)
    expect(chat.turn.locator(".chip")).to_contain_text(texts.STOPPED_CHIP)
    ask_again(chat)
    reload(chat)
    expect(chat.page.locator(".turn")).to_have_count(1)
    expect(chat.turn).to_contain_text(texts.STATE_ANSWERED)


def test_verdicts_are_said_in_words_and_a_mark_previews_its_source(chat_page: OpenChat) -> None:
    chat = chat_page(scripted(), abilities=ABILITIES)
    chat.ask(QUESTION)
    turn = chat.finished()
    expect(turn.get_by_role("img", name=texts.VERDICTS["supported"])).to_be_visible()
    doubt = turn.get_by_role("img", name="未得到引用资料支持：资料没有提到洗手")
    expect(doubt).to_be_visible()
    preview = chat.page.get_by_role("tooltip")
    expect(preview).to_be_hidden()
    turn.locator("a.mark").hover()
    expect(preview).to_contain_text("静脉输液护理常规")
    expect(preview).to_contain_text("输液前核对医嘱")
    chat.page.keyboard.press("Escape")
    expect(preview).to_be_hidden()
    doubt.click()
    expect(preview).to_contain_text("资料没有提到洗手")


def test_feedback_is_stored_and_thanked_for(chat_page: OpenChat, tmp_path: Path) -> None:
    chat = chat_page(scripted(), abilities=ABILITIES, data=tmp_path)
    chat.ask(QUESTION)
    turn = chat.finished()
    turn.get_by_role("button", name=WORDS["bad"]).click()
    turn.get_by_role("radio", name=WORDS["reasons"]["unsupported"]).check()
    turn.get_by_role("textbox", name=WORDS["comment"]).fill("没有说洗手")
    turn.get_by_role("button", name=WORDS["submit"]).click()
    expect(turn.locator(".thanks")).to_have_text(WORDS["thanks"])
    (given,) = FeedbackStore(Database(tmp_path)).all()
    assert (given.rating, given.reason, given.comment) == ("down", "unsupported", "没有说洗手")
    assert given.origin == Origin("d1", "g1")
    assert given.answer.text == SCRIPT[QUESTION].text  # type: ignore[union-attr]
    reload(chat)
    down = chat.turn.get_by_role("button", name=WORDS["bad"])
    expect(down).to_have_attribute("aria-pressed", "true")
    chat.turn.get_by_role("button", name=WORDS["good"]).click()
    expect(down).to_have_attribute("aria-pressed", "false")
    assert [one.rating for one in FeedbackStore(Database(tmp_path)).all()] == ["up"]


@pytest.mark.parametrize(("form", "start"), [("Markdown", b"<!--"), ("Word", b"PK")])
def test_an_export_is_saved_with_the_label(chat_page: OpenChat, form: str, start: bytes) -> None:
    chat = chat_page(scripted(), abilities=ABILITIES)
    chat.ask(QUESTION)
    chat.finished()
    item(chat, QUESTION).hover()
    item(chat, QUESTION).locator(".acts .export").click()
    with chat.page.expect_download() as download:
        chat.page.get_by_role("button", name=WORDS["exportAs"].format(form=form)).click()
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(start)
    if form == "Markdown":
        assert texts.AI_LABEL in content.decode()
        assert "先核对医嘱" in content.decode()
        assert download.value.suggested_filename.endswith(".md")


def test_what_can_be_asked_next_stands_under_the_answer(chat_page: OpenChat) -> None:
    assistant = scripted()
    abilities = replace(
        ABILITIES, follow_ups=lambda answer, _: (WHOLE,) if answer.question == QUESTION else ()
    )
    chat = chat_page(assistant, abilities=abilities)
    chat.ask(QUESTION)
    chat.finished()
    chat.turn.get_by_role("button", name=WHOLE).click()
    expect(chat.turn.locator(".question")).to_have_text(WHOLE)
    chat.finished()
    expect(chat.page.locator(".next:visible")).to_have_count(0)
    assert assistant.asked == [QUESTION, WHOLE]


def test_the_chosen_collections_are_searched(chat_page: OpenChat) -> None:
    assistant = scripted()
    abilities = replace(ABILITIES, collections=lambda: ("指南", "政策"))
    chat = chat_page(assistant, abilities=abilities)
    chat.page.get_by_role("checkbox", name="政策").check()
    chat.ask(QUESTION)
    chat.finished()
    assert assistant.collections == ("政策",)
    chat.page.get_by_role("checkbox", name="政策").uncheck()
    chat.ask(QUESTION)
    chat.finished()
    assert assistant.collections is None


def test_on_a_phone_the_conversations_are_a_drawer(chat_page: OpenChat) -> None:
    chat = chat_page(scripted(), abilities=ABILITIES, width=390, height=844)
    chat.ask(QUESTION)
    chat.finished()
    chat.page.get_by_role("button", name=texts.NEW_CONVERSATION).click()
    expect(chat.page.locator(".panel")).to_be_hidden()
    menu = chat.page.get_by_role("button", name=texts.CONVERSATIONS)
    menu.click()
    expect(chat.page.get_by_role("searchbox", name=texts.FIND)).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(chat.page.locator(".panel")).to_be_hidden()
    expect(menu).to_be_focused()
    menu.click()
    chat.page.locator(".panel").get_by_role("button", name=texts.CLOSE).click()
    expect(chat.page.locator(".panel")).to_be_hidden()
    expect(menu).to_be_focused()
    menu.click()
    item(chat, QUESTION).locator(".open").click()
    expect(chat.page.locator(".panel")).to_be_hidden()
    expect(chat.turn.locator(".question")).to_have_text(QUESTION)
    assert chat.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_first_tap_previews_and_the_second_opens(chat_page: OpenChat, browser: Browser) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    chat = on_same_server(chat_page(scripted(), abilities=ABILITIES), browser, **phone)
    chat.ask(QUESTION)
    mark = chat.finished().locator("a.mark")
    preview = chat.page.get_by_role("tooltip")
    mark.tap()
    expect(preview).to_contain_text("输液前核对医嘱")
    expect(chat.turn.locator(".source")).not_to_be_focused()
    mark.tap()
    expect(preview).to_be_hidden()
    expect(chat.turn.locator(".source")).to_be_focused()
    chat.page.context.close()


def test_every_control_has_a_name(chat_page: OpenChat) -> None:
    abilities = replace(ABILITIES, collections=lambda: ("指南", "政策"))
    chat = chat_page(scripted(), abilities=abilities)
    chat.ask(QUESTION)
    turn = chat.finished()
    turn.get_by_role("button", name=WORDS["bad"]).click()
    item(chat, QUESTION).hover()
    item(chat, QUESTION).locator(".acts .rename").click()
    nameless = chat.page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, textarea, select, summary")]
          .filter((one) => one.checkVisibility())
          .filter((one) => !one.getAttribute("aria-label") && !one.textContent.trim()
            && !(one.labels && one.labels.length))
          .map((one) => one.outerHTML)"""
    )
    assert nameless == []


def test_what_was_kept_is_the_persons_alone(chat_page: OpenChat, tmp_path: Path) -> None:
    chat = chat_page(scripted(), abilities=ABILITIES, data=tmp_path)
    chat.ask(QUESTION)
    chat.finished()
    (cookie,) = chat.page.context.cookies()
    store = ConversationStore(Database(tmp_path))
    person = cookie["value"].partition(".")[0]
    assert [one.title for one in store.conversations(person).conversations] == [QUESTION]
    assert QUESTION not in str(chat.page.evaluate("JSON.stringify([localStorage, sessionStorage])"))
