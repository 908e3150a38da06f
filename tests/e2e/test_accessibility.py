"""The chat page for everybody: axe-core on every state, in light and dark, on a desk and on a phone;
the keyboard alone; writing with an input method."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from chat_page import ChatPage
from playwright.sync_api import Page, expect
from test_chat_kept import ABILITIES, QUESTION, WORDS, scripted

from ui import texts

OpenChat = Callable[..., ChatPage]

# How the focus shows: an outline, or the frame of the question box.
FOCUS = """() => {
  const focused = document.activeElement;
  const frame = focused.closest("#yiwen-ask") || focused;
  const { outlineStyle, outlineWidth } = getComputedStyle(focused);
  const outlined = outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
  const { top, bottom } = focused.getBoundingClientRect();
  return {
    name: focused.dataset.testid || focused.id || focused.name || focused.className,
    visible: outlined || (frame !== focused && getComputedStyle(frame).boxShadow !== "none"),
    seen: bottom > 0 && top < innerHeight && bottom > top,
  };
}"""
LOOKS = [(1440, False), (1440, True), (390, False), (390, True)]


def faults(page: Page) -> list[str]:
    """What axe holds against the page: the rule, the place and why, each in a line."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}{'-dark' if look[1] else ''}")
def chat(request, chat_page: OpenChat) -> ChatPage:
    width, dark = request.param
    return chat_page(
        scripted(),
        width=width,
        height=844,
        dark=dark,
        abilities=ABILITIES,
        examples=(QUESTION, "成人的滴速是多少？"),
    )


def test_axe_finds_nothing_in_any_state(chat: ChatPage) -> None:
    page = chat.page
    assert faults(page) == [], "welcome"
    chat.ask(QUESTION)
    turn = chat.finished()
    expect(page.locator(".kept li")).to_have_count(1)
    assert faults(page) == [], "answered"
    turn.locator("a.mark").first.hover()
    assert faults(page) == [], "preview"
    turn.get_by_role("button", name=WORDS["bad"]).click()
    turn.locator(".reason input").first.check()
    assert faults(page) == [], "feedback"
    turn.get_by_role("button", name=WORDS["cancel"]).click()
    menu = page.get_by_role("button", name=texts.CONVERSATIONS)
    if menu.is_visible():
        menu.click()
    page.locator(".kept li").hover()
    page.locator(".kept .rename").click()
    expect(page.locator(".kept .title")).to_be_focused()
    assert faults(page) == [], "renaming"
    page.locator(".kept .delete").click()
    assert faults(page) == [], "deleting"
    page.keyboard.press("Escape")
    chat.ask("出错")
    expect(chat.turn).to_have_attribute("data-phase", "failed")
    assert faults(page) == [], "failed"
    chat.box.fill("没有的")
    chat.page.get_by_role("button", name=texts.SEND).click()
    chat.finished()
    assert faults(page) == [], "not found"


@pytest.fixture
def desk_chat(chat_page: OpenChat) -> ChatPage:
    chat = chat_page(
        scripted(),
        abilities=replace(ABILITIES, collections=lambda: ("政策", "指南")),
        examples=(QUESTION,),
    )
    expect(chat.page.locator(".collection")).to_have_count(2)
    return chat


def stops(page: Page, key: str = "Tab", most: int = 60) -> list[str]:
    """What the key leads to until it leaves the page or is where it was; each is seen and shows
    that it has the focus."""
    names: list[str] = []
    for _ in range(most):
        page.keyboard.press(key)
        if page.evaluate("document.activeElement === document.body"):
            break
        focused = page.evaluate(FOCUS)
        assert focused["visible"], focused
        assert focused["seen"], focused
        if focused["name"] in names and names[0] == focused["name"]:
            break
        names.append(focused["name"])
    return names


def test_the_tab_key_reaches_every_control_in_the_order_of_the_page(desk_chat: ChatPage) -> None:
    page = desk_chat.page
    desk_chat.ask(QUESTION)
    desk_chat.finished()
    expect(page.locator(".kept li")).to_have_count(1)
    page.evaluate("document.body.tabIndex = -1; document.body.focus()")
    wanted = [
        *("new", "find", "open", "rename", "export", "delete"),
        *("mark-1", "copy", "rate rate-up", "rate rate-down", "again only-last", "edit only-last"),
        *("back", "政策", "指南", "textbox", "send"),
    ]
    assert [re.sub(r"^(t[0-9a-f]+|yiwen)-", "", name) for name in stops(page)] == wanted


def test_escape_closes_what_was_opened_and_gives_the_focus_back(desk_chat: ChatPage) -> None:
    page, keys = desk_chat.page, desk_chat.page.keyboard
    desk_chat.ask(QUESTION)
    turn = desk_chat.finished()
    for name, opened in (("rename", ".kept .title"), ("delete", ".sure"), ("export", ".forms")):
        opener = page.locator(f".kept .{name}")
        opener.focus()
        keys.press("Enter")
        expect(page.locator(opened)).to_be_visible()
        keys.press("Escape")
        expect(page.locator(opened)).to_have_count(0)
        expect(opener).to_be_focused()
    faulty = turn.get_by_role("button", name=WORDS["bad"])
    faulty.focus()
    keys.press("Enter")
    expect(turn.locator(".why input").first).to_be_focused()
    keys.press("Escape")
    expect(turn.locator(".why")).to_have_count(0)
    expect(faulty).to_be_focused()
    mark = turn.locator("a.mark").first
    turn.locator(".copy").focus()
    keys.press("Shift+Tab")
    expect(mark).to_be_focused()
    expect(page.locator(".preview-title")).to_have_text("静脉输液护理常规")
    keys.press("Escape")
    expect(page.locator(".preview")).to_be_hidden()
    expect(mark).to_be_focused()


def test_escape_closes_the_drawer_wherever_the_focus_is(chat_page: OpenChat) -> None:
    page = chat_page(scripted(), width=390, height=844, examples=(QUESTION,)).page
    menu = page.get_by_role("button", name=texts.CONVERSATIONS)
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".find")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Escape")
    expect(menu).to_have_attribute("aria-expanded", "false")
    expect(page.locator(".panel")).to_be_hidden()
    expect(menu).to_be_focused()


def test_feedback_is_given_with_the_keyboard_alone(desk_chat: ChatPage) -> None:
    keys = desk_chat.page.keyboard
    desk_chat.box.fill(QUESTION)
    keys.press("Enter")
    turn = desk_chat.finished()
    turn.get_by_role("button", name=WORDS["bad"]).focus()
    keys.press("Enter")
    keys.press("Space")
    keys.press("Tab")
    keys.type("剂量")
    keys.press("Tab")
    expect(turn.locator(".submit")).to_be_focused()
    keys.press("Enter")
    expect(turn.locator(".thanks")).to_have_text(WORDS["thanks"])
    expect(turn.get_by_role("button", name=WORDS["bad"])).to_be_focused()


def test_enter_sends_and_shift_enter_makes_a_new_line(desk_chat: ChatPage) -> None:
    box = desk_chat.box
    box.press_sequentially("第一行")
    box.press("Shift+Enter")
    box.press_sequentially("第二行")
    expect(box).to_have_value("第一行\n第二行")
    expect(desk_chat.page.locator(".turn")).to_have_count(0)
    box.press("Enter")
    expect(desk_chat.turn.locator(".question")).to_have_text("第一行 第二行")
    desk_chat.finished()


def test_an_enter_that_ends_a_composition_does_not_send(desk_chat: ChatPage) -> None:
    page, box = desk_chat.page, desk_chat.box
    box.focus()
    method = page.context.new_cdp_session(page)
    method.send("Input.imeSetComposition", {"text": "shu", "selectionStart": 3, "selectionEnd": 3})
    expect(box).to_have_value("shu")
    for kind in ("keydown", "keypress", "keyup"):
        box.evaluate(
            "(box, kind) => box.dispatchEvent(new KeyboardEvent(kind, "
            "{ key: 'Enter', keyCode: 13, isComposing: true, bubbles: true, cancelable: true }))",
            kind,
        )
    method.send("Input.insertText", {"text": "输液前要做什么？"})
    expect(box).to_have_value(QUESTION)
    page.wait_for_timeout(200)
    expect(page.locator(".turn")).to_have_count(0)
    box.press("Enter")
    desk_chat.finished()


def test_a_long_text_can_be_pasted_and_its_limit_is_told(desk_chat: ChatPage) -> None:
    page, box = desk_chat.page, desk_chat.box
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    pasted = "患者术后复查，" * 714 + "谢谢"
    assert len(pasted) == 5000
    page.evaluate("text => navigator.clipboard.writeText(text)", pasted)
    box.press("Control+v")
    expect(box).to_have_value(pasted)
    expect(page.get_by_role("button", name=texts.SEND)).to_be_in_viewport()
    box.press("Enter")
    told = texts.LONG_QUESTION.format(length=5000, limit=2000)
    expect(page.get_by_role("alert")).to_have_text(told)
    expect(box).to_have_value(pasted)
    assert faults(page) == []
