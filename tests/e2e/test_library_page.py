"""The library in a real browser: upload, look, search, replace, delete; hostile names stay text."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from chat_page import ChatPage
from playwright.sync_api import Page, expect

sys.path.insert(0, str(Path(__file__).parent.parent))
from libraries import LEAFLET, Served, two_pages

from ui import texts
from ui import texts_library as words

OpenChat = Callable[..., ChatPage]
STEPS = (words.PREVIOUS, words.NEXT)
HOSTILE = '<img src=x onerror="window.hacked=1">.md'
HOSTILE_TEXT = (
    '# <script>window.hacked=2</script>\n\n<img src="http://evil.example/x.png"> 5*3*2。\n'
)


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


@pytest.fixture
def page(chat_page: OpenChat, served: Served) -> Page:
    """The library's page, reached from the chat."""
    chat = chat_page(served.assistant, library=served.library)
    chat.page.get_by_role("link", name=texts.LIBRARY).click()
    expect(chat.page.get_by_role("heading", name=words.HEADING, exact=True)).to_be_visible()
    expect(chat.page.locator(".documents tbody tr")).to_have_count(2)
    return chat.page


def upload(page: Page, *files: tuple[str, bytes], collection: str = "") -> None:
    page.get_by_label(words.COLLECTION).fill(collection)
    page.locator("input.picker").set_input_files(
        [
            {"name": name, "mimeType": "application/octet-stream", "buffer": content}
            for name, content in files
        ]
    )


def test_files_are_uploaded_shown_found_and_deleted(page: Page) -> None:
    upload(page, ("阿莫西林.md", LEAFLET.encode()), ("程序.exe", b"MZ"), collection="药品说明书")
    uploads = page.locator(".uploads li")
    expect(uploads.nth(0)).to_contain_text(words.WORDS["uploaded"])
    expect(uploads.nth(1)).to_contain_text("请")
    expect(uploads.nth(1)).to_have_class("failed")
    row = page.locator(".documents tbody tr", has_text="阿莫西林说明书")
    expect(row).to_have_attribute("data-status", "indexed")
    expect(row).to_contain_text("药品说明书")
    expect(uploads.nth(0)).to_contain_text(words.WORDS["indexed"])
    page.get_by_label(words.SEARCH_LABEL).fill("成人每次多少克")
    page.get_by_role("button", name=words.SEARCH_BUTTON, exact=True).click()
    expect(page.locator(".passages li").first).to_contain_text("每次0.5克")
    page.get_by_label(words.FILTER).fill("药品")
    expect(page.locator(".documents tbody tr")).to_have_count(1)
    row.get_by_role("button", name="删除 阿莫西林说明书").click()
    row.get_by_role("button", name=words.WORDS["yesDelete"]).click()
    expect(page.locator(".documents tbody tr")).to_have_count(0)
    page.get_by_label(words.FILTER).fill("")
    expect(page.locator(".documents tbody tr")).to_have_count(2)


def test_a_taken_name_is_replaced_with_one_click(page: Page, served: Served) -> None:
    served.add("阿莫西林.md", LEAFLET)
    upload(page, ("阿莫西林.md", LEAFLET.replace("7天", "5天").encode()))
    page.locator(".uploads").get_by_role("button", name="替换 阿莫西林.md").click()
    # 已替换 may be over before it is looked at: the index was quicker.
    ends = re.compile(f"{words.WORDS['replaced']}|{words.WORDS['indexed']}")
    expect(page.locator(".uploads li")).to_contain_text(ends)
    assert served.library.wait(60)
    expect(page.locator(".uploads li")).to_contain_text(words.WORDS["indexed"])
    (hit, *_) = served.assistant.search("阿莫西林疗程几天")
    assert "疗程5天" in hit.passage.text


def test_a_page_of_a_pdf_is_looked_at(page: Page) -> None:
    upload(page, ("手册.pdf", two_pages()), collection="护理")
    row = page.locator(".documents tbody tr", has_text="手册.pdf")
    expect(row).to_have_attribute("data-status", "indexed")
    row.get_by_role("button", name="预览").click()
    steps = [page.locator("dialog").get_by_role("button", name=name) for name in STEPS]
    heights = {box["y"] for step in steps if (box := step.bounding_box())}
    assert len(heights) == 1, "the two buttons stand on one line"
    image = page.locator("dialog img")
    expect(image).to_be_visible()
    expect(image).to_have_js_property("naturalWidth", 1240)
    page.locator("dialog").get_by_role("button", name=words.NEXT).click()
    expect(page.locator("dialog .place")).to_contain_text("2")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()


def test_hostile_names_and_texts_are_shown_and_run_nothing(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    upload(page, (HOSTILE, HOSTILE_TEXT.encode()), collection="<b>类")
    row = page.locator(".documents tbody tr", has_text="onerror")
    expect(row).to_have_attribute("data-status", "indexed")
    expect(row).to_contain_text("<b>类")
    expect(row).to_contain_text(HOSTILE)
    page.get_by_label(words.SEARCH_LABEL).fill("5*3*2")
    page.get_by_role("button", name=words.SEARCH_BUTTON, exact=True).click()
    expect(page.locator(".passages")).to_contain_text("5*3*2")
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, main script, main b").count() == 0
    assert not [url for url in asked if "127.0.0.1" not in url]


@pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (1440, True)])
def test_nothing_overflows(chat_page: OpenChat, served: Served, width: int, dark: bool) -> None:
    served.add(
        "一份名字很长很长的住院患者静脉输液护理操作规程与质量评价标准2025年修订版.md",
        LEAFLET,
        "药品说明书",
    )
    chat = chat_page(served.assistant, library=served.library, width=width, height=844, dark=dark)
    chat.page.goto(f"{chat.url}/library")
    expect(chat.page.locator(".documents tbody tr")).to_have_count(3)
    assert chat.page.evaluate("document.documentElement.scrollWidth") <= width
    assert chat.outside == []


@pytest.mark.parametrize(
    ("width", "dark"), [(1440, False), (1440, True), (390, False), (390, True)]
)
def test_axe_finds_nothing(chat_page: OpenChat, served: Served, width: int, dark: bool) -> None:
    served.add("手册.pdf", two_pages(), "护理")
    chat = chat_page(served.assistant, library=served.library, width=width, height=844, dark=dark)
    page = chat.page
    page.goto(f"{chat.url}/library")
    upload(page, ("坏.pdf", b"%PDF-1.7 cut off"), ("程序.exe", b"MZ"))
    row = page.locator(".documents tbody tr", has_text="坏.pdf")
    expect(row).to_have_attribute("data-status", "failed")
    page.get_by_label(words.SEARCH_LABEL).fill("成人每次多少克")
    page.get_by_role("button", name=words.SEARCH_BUTTON, exact=True).click()
    expect(page.locator(".passages li").first).to_be_visible()
    row.get_by_role("button", name=words.WORDS["delete"]).click()
    assert faults(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="预览").first.click()
    expect(page.locator("dialog img")).to_be_visible()
    assert faults(page) == []


def faults(page: Page) -> list[str]:
    """What axe holds against the page: the rule, the place and why, each in a line."""
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node['failureSummary']}"
        for one in Axe().run(page).response["violations"]
        for node in one["nodes"]
    ]


def test_a_citation_of_a_pdf_opens_its_page(chat_page: OpenChat, served: Served) -> None:
    served.add("手册.pdf", two_pages(), "护理")
    chat = chat_page(served.assistant, library=served.library)
    chat.ask("交接班有什么要求？")
    turn = chat.finished()
    turn.locator("a.mark").first.click()
    button = turn.get_by_role("button", name=texts.OPEN_PAGE.format(page=2))
    button.first.click()
    chat.page.wait_for_function("document.querySelector('dialog img')?.naturalWidth > 100")
    chat.page.keyboard.press("Escape")
    expect(chat.page.locator("dialog")).to_be_hidden()
    expect(button.first).to_be_focused()
    assert chat.outside == []
