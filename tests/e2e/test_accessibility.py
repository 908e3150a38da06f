"""axe-core on every state of the chat page, in light and dark, on a desk and on a phone."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from chat_page import ChatPage
from playwright.sync_api import Page, expect
from test_chat_kept import ABILITIES, QUESTION, WORDS, scripted

from ui import texts

OpenChat = Callable[..., ChatPage]

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
