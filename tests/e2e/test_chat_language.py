"""The page in the language of the browser: English where it asks for it first."""

import re
from collections.abc import Callable

import pytest
from chat_page import ChatPage
from playwright.sync_api import expect
from test_accessibility import faults
from test_chat_kept import ABILITIES, FAILING, QUESTION, SCRIPT, scripted

from rag.language import EXTRACTIVE
from ui import texts
from ui.chat_desk import ComplianceNotice

OpenChat = Callable[..., ChatPage]

HAN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff]")
# What documents, answers and people say stays as it is.
CONTENT = (
    ".example, .question, .answer-text, .note-reason, .note-error, .source h4, .source .place, "
    ".source blockquote, .source .original .text, .kept .name, .collection, .next-question"
)
# All that a page says: its texts, names, hints and titles, without the content.
SAID = """(content) => {
  const page = document.body.cloneNode(true);
  for (const element of page.querySelectorAll(content + ", script, style")) element.remove();
  const said = [document.title, page.textContent];
  for (const element of page.querySelectorAll("*")) {
    for (const name of ["aria-label", "placeholder", "title", "alt"]) {
      said.push(element.getAttribute(name) || "");
    }
  }
  return said.join("\\n");
}"""


def han(chat: ChatPage) -> list[str]:
    """The lines with Chinese characters, without what names content."""
    said = chat.page.evaluate(SAID, CONTENT)
    error = str(SCRIPT[FAILING])
    for content in (error, QUESTION, "静脉输液护理常规", "资料没有提到洗手", FAILING, "通义千问"):
        said = said.replace(content, "")
    return [line.strip() for line in said.split("\n") if HAN.search(line)]


@pytest.mark.parametrize("width", [1440, 390])
def test_an_english_browser_reads_no_chinese_but_the_contents(
    chat_page: OpenChat, width: int
) -> None:
    chat = chat_page(
        scripted(model_label=EXTRACTIVE),
        width=width,
        locale="en-US",
        abilities=ABILITIES,
        examples=(QUESTION,),
        compliance=ComplianceNotice("通义千问", "Z-1"),
    )
    page = chat.page
    box = page.get_by_role("textbox", name=texts.QUESTION_LABEL.english)
    expect(box).to_be_visible()
    expect(page.get_by_text(texts.EXTRACTIVE.english)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page).to_have_title("Yiwen")
    assert han(chat) == []
    box.fill(QUESTION)
    page.get_by_role("button", name="Send").click()
    turn = chat.finished()
    expect(turn).to_contain_text("Answered")
    expect(turn.locator(".note-warning")).to_contain_text(texts.UNSUPPORTED_NOTE.english)
    expect(turn.locator(".answer-text")).to_have_attribute("lang", "zh-CN")
    turn.get_by_role("button", name="Faulty").click()
    if width == 390:
        page.get_by_role("button", name="Conversations").click()
    page.locator(".kept li").hover()
    page.locator(".kept .delete").click()
    assert han(chat) == []
    assert faults(page) == []
    page.keyboard.press("Escape")
    box.fill(FAILING)
    box.press("Enter")
    expect(chat.turn).to_have_attribute("data-phase", "failed")
    expect(chat.turn).to_contain_text("Not answered")
    expect(chat.turn.get_by_role("button", name="Try again")).to_be_visible()
    box.fill("   ")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_have_text(texts.EMPTY_QUESTION.english)
    assert han(chat) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert chat.outside == []


def test_a_conversation_opened_again_speaks_the_language_of_today(chat_page: OpenChat) -> None:
    chat = chat_page(scripted(), abilities=ABILITIES, locale="en-GB")
    chat.page.locator("#yiwen-question textarea").fill(QUESTION)
    chat.page.keyboard.press("Enter")
    chat.finished()
    chat.page.reload()
    expect(chat.turn).to_contain_text("Answered")
    expect(chat.turn.get_by_role("button", name="Useful")).to_be_visible()
    assert han(chat) == []


@pytest.mark.parametrize("locale", ["zh-CN", "de-DE"])
def test_any_other_browser_reads_chinese(chat_page: OpenChat, locale: str) -> None:
    chat = chat_page(scripted(), locale=locale)
    expect(chat.page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(chat.page).to_have_title(texts.TITLE)
    expect(chat.box).to_have_attribute("placeholder", texts.QUESTION_PLACEHOLDER)
    expect(chat.page.locator(".person")).to_have_text(texts.THIS_BROWSER)
    chat.ask(QUESTION)
    expect(chat.finished()).to_contain_text(texts.STATE_ANSWERED)
