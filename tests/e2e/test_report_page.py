"""The evaluation report in a real browser: it filters, opens what a link names, and runs nothing
that a document brought along."""

import pytest
from made_run import make_run
from playwright.sync_api import Browser, expect

from rag.evaluate.report import write_report


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return write_report(make_run(tmp_path_factory.mktemp("runs") / "run", 24)).as_uri()


@pytest.fixture
def open_report(browser: Browser, report):
    opened = []

    def open_page(width=1280, fragment="", **options):
        page = browser.new_page(viewport={"width": width, "height": 900}, **options)
        opened.append(page)
        page.trouble = []
        page.on("console", lambda message: page.trouble.append(message.text))
        page.on("pageerror", lambda error: page.trouble.append(str(error)))
        page.on("dialog", lambda dialog: page.trouble.append(dialog.message))
        page.on("request", lambda request: page.trouble.append(request.url))
        page.goto(report + fragment)
        return page

    yield open_page
    for page in opened:
        page.close()


def test_nothing_runs_and_nothing_is_asked_for(open_report, report):
    page = open_report()
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    expect(page.locator("#q-3 .asked")).to_contain_text("<script>alert('x')</script>")
    assert page.trouble == [report]


def test_filters_leave_what_was_asked_for(open_report):
    page = open_report()
    shown = page.locator("details.q:visible")
    expect(shown).to_have_count(24)
    page.get_by_text("出错的").click()
    expect(shown).to_have_count(1)
    expect(shown).to_contain_text("Ollama")
    page.get_by_text("全部 24").click()
    page.locator("select").select_option("数值")
    expect(page.locator("output")).to_have_text("4 / 24 题")
    page.locator("select").select_option("")
    page.get_by_role("searchbox").fill("ＭＡＤＥ-0007")
    expect(shown).to_have_count(1)
    expect(shown).to_have_id("q-7")
    page.get_by_role("searchbox").fill("没有这样的题")
    expect(page.locator("#nothing")).to_be_visible()


def test_a_link_opens_its_question(open_report):
    page = open_report(fragment="#q-12")
    expect(page.locator("#q-12 .body")).to_be_visible()
    expect(page.locator("#q-11 .body")).to_be_hidden()


def test_it_reads_without_a_script(open_report):
    page = open_report(java_script_enabled=False)
    expect(page.locator("#filters")).to_be_hidden()
    page.locator("#q-1 > summary").click()
    expect(page.locator("#q-1")).to_contain_text("检索到的段落")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_window(open_report, width, scheme):
    page = open_report(width, color_scheme=scheme)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") == width
