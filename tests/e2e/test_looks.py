"""What a picture would show: nothing wraps alone, a finger hits what it aims at, nothing is covered."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from chat_page import ChatPage
from playwright.sync_api import Browser, expect
from test_chat_kept import ABILITIES, QUESTION, SCRIPT, item, on_same_server, scripted

from rag.types import Sentence, Verdict
from ui import texts

OpenChat = Callable[..., ChatPage]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
WORDS = texts.PAGE_WORDS

# Marks, signs and flags that begin a line: the character before them ends on another one.
ALONE = """() => [...document.querySelectorAll(".answer-text :is(a.mark, .verdict, .flag)")]
  .filter((sign) => {
    const walker = document.createTreeWalker(sign.closest(".answer-text"), NodeFilter.SHOW_TEXT);
    let before = null;
    while (walker.nextNode()) {
      const { currentNode } = walker;
      if (!(sign.compareDocumentPosition(currentNode) & Node.DOCUMENT_POSITION_PRECEDING)) break;
      before = currentNode;
    }
    const range = document.createRange();
    range.setStart(before, before.length - 1);
    range.setEnd(before, before.length);
    const ends = [...range.getClientRects()].at(-1);
    return sign.getClientRects()[0].top > ends.bottom - 2;
  })
  .map((sign) => sign.outerHTML)"""
# Controls that are smaller than a finger wants them, and boxes whose letters are so small that a
# phone zooms in on them. Within a text 24 px are enough.
SMALL = """() => [...document.querySelectorAll("button, a, summary, label, .verdict, input, textarea")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }))
  .map((one) => {
    const { width, height } = one.getBoundingClientRect();
    const inline = one.matches("a.mark, .verdict, a.back");
    const isBox = one.matches("textarea, input:not([type=checkbox], [type=radio])");
    const letters = parseFloat(getComputedStyle(one).fontSize);
    if (isBox) return letters < 16 ? `${one.className}: ${letters} px` : "";
    if (one.matches("input, label:not(.collection, .reason)")) return "";
    const least = inline ? 24 : 44;
    const fits = height >= least && width >= least;
    return fits ? "" : `${one.className || one.id || one.tagName}: ${width} x ${height}`;
  })
  .filter(Boolean)"""


def test_marks_and_signs_stay_with_the_words_before_them(chat_page: OpenChat) -> None:
    text = "先核对医嘱[1]。每日7次[1]。再洗手。" * 4
    sentences = (
        Sentence("先核对医嘱。", (1,), Verdict.SUPPORTED),
        Sentence("每日7次。", (1,), Verdict.NUMBER_MISMATCH, ("7次",)),
        Sentence("再洗手。", (), Verdict.UNSUPPORTED, (), ("资料没有提到洗手",)),
    )
    assistant = scripted()
    assistant.script = {QUESTION: replace(SCRIPT[QUESTION], text=text, sentences=sentences * 4)}  # type: ignore[type-var]
    chat = chat_page(assistant, abilities=ABILITIES, height=844)
    chat.ask(QUESTION)
    expect(chat.finished().locator(".verdict")).to_have_count(12)
    for width in range(320, 520, 6):
        chat.page.set_viewport_size({"width": width, "height": 844})
        assert chat.page.evaluate(ALONE) == [], width


def test_a_finger_hits_every_control(chat_page: OpenChat, browser: Browser) -> None:
    abilities = replace(
        ABILITIES, collections=lambda: ("政策", "指南"), follow_ups=lambda *_: ("还要做什么？",)
    )
    desk = chat_page(scripted(), abilities=abilities, examples=(QUESTION,))
    chat = on_same_server(desk, browser, **PHONE)
    page = chat.page
    assert page.evaluate(SMALL) == [], "welcome"
    chat.ask(QUESTION)
    turn = chat.finished()
    expect(turn.locator(".next-question")).to_be_visible()
    turn.get_by_role("button", name=WORDS["bad"]).click()
    assert page.evaluate(SMALL) == [], "answered"
    page.get_by_role("button", name=texts.CONVERSATIONS).click()
    for opener in ("rename", "export", "delete"):
        item(chat, QUESTION).locator(f".acts .{opener}").click()
        assert page.evaluate(SMALL) == [], opener
    page.context.close()


@pytest.mark.parametrize("width", [1024, 1280, 1440])
def test_a_preview_leaves_the_sources_free(chat_page: OpenChat, width: int) -> None:
    assistant = scripted()
    text = "先核对医嘱，" * 20 + "再洗手[1]。"
    assistant.script = {QUESTION: replace(SCRIPT[QUESTION], text=text, sentences=())}  # type: ignore[type-var]
    chat = chat_page(assistant, abilities=ABILITIES, width=width)
    chat.ask(QUESTION)
    chat.finished().locator("a.mark").hover()
    preview = chat.page.get_by_role("tooltip")
    expect(preview).to_be_visible()
    box, sources = preview.bounding_box(), chat.turn.locator(".sources").bounding_box()
    assert box is not None
    assert sources is not None
    assert box["x"] + box["width"] <= sources["x"]


def test_the_head_keeps_its_places_when_its_words_change(chat_page: OpenChat) -> None:
    chat = chat_page(scripted(), abilities=ABILITIES)
    model = chat.page.locator(".top .model")
    before = model.bounding_box()
    chat.ask(QUESTION)
    chat.finished()
    assert model.bounding_box() == before
    chat.page.evaluate("yiwen.answering('摘录式回答')")
    assert model.bounding_box() == before
