"""A question on its way: what the page is told, what is searched, what is kept."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from chat_desks import ORIGIN, OTHER, PERSON, SmallAssistant, answered, asked, desk_of

from rag.conversations.database import FILE
from rag.conversations.faults import ConversationMissing
from rag.errors import LanguageModelUnavailable
from rag.types import Answer, State
from ui import texts
from ui.chat_ask import make_handler
from ui.chat_desk import Wanted


def test_a_turn_waits_streams_finishes_and_is_kept(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    updates = asked(desk, "  几家？ ")
    phases = [turn["phase"] for turn in updates]
    assert phases == ["waiting", "waiting", "streaming", "finished"]
    assert len({turn["turn"] for turn in updates}) == 1
    assert [turn["model"] for turn in updates] == ["", "", "", "摘录式回答"]
    last = updates[-1]
    assert last["copy"].endswith(texts.AI_LABEL)
    (kept,) = desk.conversations.turns(PERSON, last["conversation"])
    assert (kept.id, kept.origin) == (last["kept"], ORIGIN)
    assert kept.answer.text == "答：几家？[1]"
    assert desk.conversations.get(PERSON, last["conversation"]).title == "几家？"


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("", texts.EMPTY_QUESTION),
        (" \n\u3000", texts.EMPTY_QUESTION),
        ("问" * 20_000, "问题有 20,000 个字符，超过上限 20 个。请缩短后再问。"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(
    tmp_path: Path, question: str, message: str
) -> None:
    desk = desk_of(tmp_path)
    (turn,) = asked(desk, question)
    assert (turn["phase"], turn["message"]) == ("refused", message)
    assert desk.conversations.conversations(PERSON).conversations == ()


def test_emoji_are_a_question_like_any_other(tmp_path: Path) -> None:
    assert answered(desk_of(tmp_path), "🩺💊？")["phase"] == "finished"


def test_a_follow_up_is_searched_as_a_whole_question_and_shown_as_it_was_typed(
    tmp_path: Path,
) -> None:
    assistant = SmallAssistant()
    desk = desk_of(tmp_path, assistant)
    first = answered(desk, "法国几家？")
    here = Wanted(conversation=first["conversation"])
    updates = asked(desk, "那英国呢？", here)
    assert assistant.asked[-1] == "法国几家？那英国呢？"
    assert all("按“法国几家？那英国呢？”查找" in turn["body"] for turn in updates[1:])
    _, kept = desk.conversations.turns(PERSON, first["conversation"])
    assert kept.answer.question == "那英国呢？"
    assert kept.answer.search_question == "法国几家？那英国呢？"


def test_a_follow_up_can_be_searched_verbatim_in_the_place_of_the_rewritten_one(
    tmp_path: Path,
) -> None:
    assistant = SmallAssistant()
    desk = desk_of(tmp_path, assistant)
    first = answered(desk, "法国几家？")
    second = answered(desk, "那英国呢？", Wanted(conversation=first["conversation"]))
    again = Wanted(first["conversation"], replaces=second["kept"], verbatim=True)
    third = answered(desk, "那英国呢？", again)
    assert assistant.asked[-1] == "那英国呢？"
    assert texts.VERBATIM not in third["body"]
    kept = desk.conversations.turns(PERSON, first["conversation"])
    assert [turn.id for turn in kept] == [first["kept"], third["kept"]]


def test_an_edited_question_does_not_lean_on_the_one_it_replaces(tmp_path: Path) -> None:
    assistant = SmallAssistant()
    desk = desk_of(tmp_path, assistant)
    first = answered(desk, "法国几家？")
    answered(desk, "那英国呢？", Wanted(first["conversation"], replaces=first["kept"]))
    assert assistant.asked[-1] == "那英国呢？"
    assert len(desk.conversations.turns(PERSON, first["conversation"])) == 1


def test_only_the_last_question_is_replaced(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    first = answered(desk, "法国几家？")
    answered(desk, "德国几家？", Wanted(first["conversation"]))
    failed = answered(desk, "英国？", Wanted(first["conversation"], replaces=first["kept"]))
    assert (failed["phase"], failed["message"]) == ("failed", texts.NOT_LAST)
    assert len(desk.conversations.turns(PERSON, first["conversation"])) == 2


def test_another_persons_conversation_is_not_there_whatever_is_sent(tmp_path: Path) -> None:
    assistant = SmallAssistant()
    desk = desk_of(tmp_path, assistant)
    mine = answered(desk, "法国几家？")
    for wanted in (
        Wanted(mine["conversation"]),
        Wanted(mine["conversation"], replaces=mine["kept"]),
    ):
        theirs = answered(desk, "那呢？", wanted, OTHER)
        assert theirs["phase"] == "failed"
        assert "法国" not in str(theirs)
    assert assistant.asked == ["法国几家？"]
    assert len(desk.conversations.turns(PERSON, mine["conversation"])) == 1
    with pytest.raises(ConversationMissing):
        desk.conversations.turns(OTHER, mine["conversation"])


def test_an_error_becomes_one_line_and_leaves_nothing_behind(tmp_path: Path) -> None:
    assistant = SmallAssistant(LanguageModelUnavailable("Ollama 没有应答。请运行 ollama serve"))
    desk = desk_of(tmp_path, assistant)
    turn = answered(desk, "几家？")
    assert turn["phase"] == "failed"
    assert turn["message"] == "Ollama 没有应答。请运行 ollama serve"
    assert turn["message"] in turn["body"]
    assert assistant.closed == 1
    assert desk.conversations.conversations(PERSON).conversations == ()


def test_a_stop_closes_the_stream_and_keeps_what_there_is(tmp_path: Path) -> None:
    assistant = SmallAssistant()
    desk = desk_of(tmp_path, assistant)
    updates = make_handler(desk, max_question_characters=20)("几家？", Wanted(), PERSON)
    while next(updates)["phase"] != "streaming":
        pass
    assert assistant.closed == 0
    updates.close()  # type: ignore[attr-defined]
    assert assistant.closed == 1
    (about,) = desk.conversations.conversations(PERSON).conversations
    (kept,) = desk.conversations.turns(PERSON, about.id)
    assert (kept.answer.text, kept.answer.finished) == ("半", False)


def test_a_stop_before_the_first_word_keeps_nothing(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    updates = make_handler(desk, max_question_characters=20)("几家？", Wanted(), PERSON)
    next(updates)
    next(updates)
    updates.close()  # type: ignore[attr-defined]
    assert desk.conversations.conversations(PERSON).conversations == ()


def test_a_stopped_answer_that_comes_too_late_takes_no_place(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    first = make_handler(desk, max_question_characters=20)("几家？", Wanted(), PERSON)
    while (turn := next(first))["phase"] != "streaming":
        pass
    there = Wanted(turn["conversation"])
    second = answered(desk, "几人？", there)
    assert second["phase"] == "finished"
    first.close()  # type: ignore[attr-defined]
    kept = desk.conversations.turns(PERSON, turn["conversation"])
    assert [one.answer.question for one in kept] == ["几人？"]


def test_a_conversation_whose_first_answer_was_not_kept_goes_on(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    answered(desk, "别处？")
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        first = answered(desk, "几家？")
    assert (first["phase"], first["kept"]) == ("finished", "")
    second = answered(desk, "几人？", Wanted(first["conversation"]))
    assert second["kept"]
    desk.places.forget(PERSON, first["conversation"])
    desk.conversations.delete(PERSON, first["conversation"])
    third = answered(desk, "几天？", Wanted(first["conversation"]))
    assert third["phase"] == "failed"


def test_a_damaged_database_costs_the_keeping_and_not_the_answer(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database" * 1000)
    turn = answered(desk_of(tmp_path), "几家？")
    assert (turn["phase"], turn["kept"]) == ("finished", "")
    assert "答：几家？" in turn["body"]
    assert "这次问答没有保存：对话数据库" in turn["body"]


def test_chosen_collections_restrict_the_search(tmp_path: Path) -> None:
    assistant = SmallAssistant()
    desk = desk_of(tmp_path, assistant)
    answered(desk, "几家？", Wanted(collections=("指南", "政策")))
    assert assistant.collections == ("指南", "政策")
    answered(desk, "几家？")
    assert assistant.collections is None


def test_a_fast_stream_is_drawn_at_a_bounded_rate(tmp_path: Path) -> None:
    class Fast(SmallAssistant):
        def stream(self, question: str, **_: object) -> Iterator[Answer]:
            for count in range(1000):
                yield Answer(question, question, State.ANSWERED, "字" * count, finished=False)
            yield Answer(question, question, State.ANSWERED, "字" * 1000)

    ticks = iter(index * 0.001 for index in range(10_000))
    desk = desk_of(tmp_path, Fast())
    handler = make_handler(desk, max_question_characters=20, clock=lambda: next(ticks))
    updates = list(handler("几家？", Wanted(), PERSON))
    assert 5 < len(updates) < 30
    assert updates[-1]["phase"] == "finished"
    assert "字" * 1000 in updates[-1]["body"]
