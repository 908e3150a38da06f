"""The whole product in a browser: corpus/ indexed by the real model, asked, a citation clicked."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from rag.assistant import Assistant
from rag.indexer import Indexer
from rag.settings import Settings
from ui import texts
from ui.chat_desk import Abilities

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def assistant(encoder, tmp_path_factory) -> Assistant:
    directory = tmp_path_factory.mktemp("index") / "corpus"
    settings = Settings.model_validate(
        {"index": {"directory": directory}, "answer": {"llm": "extractive"}}
    )
    Indexer(
        directory,
        encoder=encoder,
        split_size=settings.split.size,
        split_overlap=settings.split.overlap,
        steps=settings.clean,
    ).update([ROOT / "corpus"])
    return Assistant.from_settings(settings, encoder=encoder)


def test_a_question_about_the_shipped_corpus_is_answered_and_its_citation_opens(
    chat_page: Callable, assistant: Assistant
) -> None:
    chat = chat_page(assistant)
    chat.ask("备案累计302款，统计到哪一天为止？")
    turn = chat.finished()
    expect(turn).to_contain_text(texts.STATE_ANSWERED)
    expect(turn.locator(".answer-text")).to_contain_text("2024年12月31日")
    expect(chat.page.get_by_text("摘录式回答").first).to_be_visible()
    turn.locator("a.mark").first.click()
    source = turn.locator(".source").first
    expect(source).to_be_focused()
    expect(source.locator("mark")).to_contain_text("2024年12月31日")
    assert chat.outside == []


def test_what_the_corpus_does_not_hold_lists_no_sources(
    chat_page: Callable, assistant: Assistant
) -> None:
    chat = chat_page(assistant)
    chat.ask("急性阑尾炎的手术指征有哪些？")
    turn = chat.finished()
    expect(turn).to_contain_text(texts.STATE_NOT_FOUND)
    expect(turn.locator("a.mark")).to_have_count(0)
    expect(turn.locator(".source")).to_have_count(0)
    assert chat.outside == []


def test_what_is_suggested_is_answered_and_a_follow_up_stands_alone(
    chat_page: Callable, assistant: Assistant
) -> None:
    abilities = Abilities(
        stand_alone=assistant.stand_alone,
        follow_ups=assistant.follow_ups,
        collections=lambda: assistant.collections,
    )
    chat = chat_page(assistant, abilities=abilities)
    chat.ask("截至2024年底，有多少款生成式人工智能服务完成备案？")
    chat.finished()
    suggested = chat.turn.locator(".next-question")
    expect(suggested.first).to_be_visible(timeout=60_000)
    question = suggested.first.inner_text()
    suggested.first.click()
    expect(chat.turn.locator(".question")).to_have_text(question)
    expect(chat.finished()).to_contain_text(texts.STATE_ANSWERED)
    chat.ask("那欧洲议会什么时候通过《人工智能法案》？")
    chat.finished()
    chat.ask("那英国呢？")
    expect(chat.finished().locator(".searched")).to_contain_text("英国")
    assert chat.outside == []
