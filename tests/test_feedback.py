"""Thumbs and reasons: kept with their trace, handled on record, turned into test questions."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from rag.conversations.database import Database
from rag.conversations.evaluation_set import QUESTIONS, UNREVIEWED, write_evaluation_set
from rag.conversations.faults import ConversationError, ConversationMissing
from rag.conversations.feedback import FeedbackStore, settings_digest
from rag.conversations.kept import Gold, Origin, Rating, Reason, Status
from rag.conversations.store import ConversationStore
from rag.evaluate.dataset import load
from rag.evaluate.faults import DatasetError
from rag.settings import Settings
from rag.types import Answer, Citation, State

WANG, LI = "person-wang", "person-li"


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "kept")
    yield database
    database.close()


@pytest.fixture
def conversations(database):
    return ConversationStore(database, clock=Clock())


@pytest.fixture
def feedback(database):
    return FeedbackStore(database, clock=Clock())


def answered(question: str, text: str = "每天两次。[1]", state: State = State.ANSWERED) -> Answer:
    citations = (Citation(1, "corpus/a.md", "制度", 0, 5, "每天两次。"),)
    return Answer(
        question=question,
        search_question=f"独立的{question}",
        state=state,
        text=text,
        citations=citations if state is State.ANSWERED else (),
        model="qwen3:8b",
        thinking="想",
        timings={"total": 2.5},
    )


@pytest.fixture
def turns(conversations):
    """Three turns of one conversation of Wang's."""
    made = conversations.create(WANG)
    origin = Origin("abc", "g-1")
    return [
        conversations.append(WANG, made.id, answered(f"第{n}问"), origin=origin) for n in range(3)
    ]


def test_a_complaint_keeps_the_whole_trace_also_after_the_conversation_is_gone(
    conversations, feedback, turns
):
    given = feedback.give(
        WANG,
        turns[1].id,
        Rating.DOWN,
        reason=Reason.WRONG_CITATION,
        comment=" 应引用第3条，PLT<100 \ud83d",
    )
    conversations.delete(WANG, turns[1].conversation)
    kept = feedback.get(given.id)
    assert kept == given
    assert kept.answer == turns[1].answer
    assert kept.answer.thinking == "想"
    assert kept.earlier == ("第0问",)
    assert kept.comment == "应引用第3条，PLT<100 ?"
    assert (kept.status, kept.origin) == (Status.OPEN, Origin("abc", "g-1"))


def test_a_reason_belongs_to_a_complaint_and_a_comment_has_a_limit(feedback, turns):
    with pytest.raises(ConversationError, match="选择一个原因"):
        feedback.give(WANG, turns[0].id, Rating.DOWN)
    with pytest.raises(ConversationError, match="不需要原因"):
        feedback.give(WANG, turns[0].id, Rating.UP, reason=Reason.UNSAFE)
    with pytest.raises(ConversationError, match="2001 个字"):
        feedback.give(WANG, turns[0].id, Rating.UP, comment="字" * 2001)
    assert feedback.all() == ()


def test_only_the_person_who_asked_may_rate_and_take_back(feedback, turns):
    with pytest.raises(ConversationMissing):
        feedback.give(LI, turns[0].id, Rating.UP)
    feedback.give(WANG, turns[0].id, Rating.UP)
    with pytest.raises(ConversationMissing):
        feedback.withdraw(LI, turns[0].id)
    assert feedback.of_conversation(LI, turns[0].conversation) == {}
    assert list(feedback.of_conversation(WANG, turns[0].conversation)) == [turns[0].id]
    feedback.withdraw(WANG, turns[0].id)
    assert feedback.all() == ()
    with pytest.raises(ConversationMissing):
        feedback.withdraw(WANG, turns[0].id)


def test_rating_again_replaces_and_opens_anew_with_its_record(feedback, turns):
    first = feedback.give(WANG, turns[0].id, Rating.DOWN, reason=Reason.WRONG, comment="错")
    feedback.handle(first.id, Status.REJECTED, note="核对无误", who="质控科")
    again = feedback.give(WANG, turns[0].id, Rating.DOWN, reason=Reason.UNSAFE)
    assert again.id == first.id
    (kept,) = feedback.all()
    assert (kept.reason, kept.comment, kept.status) == (Reason.UNSAFE, "", Status.OPEN)
    assert kept == again
    assert [step.note for step in feedback.handlings(first.id)] == ["核对无误"]


def test_the_handling_record_says_who_did_what_and_when_and_outlives_a_withdrawal(feedback, turns):
    given = feedback.give(WANG, turns[0].id, Rating.DOWN, reason=Reason.UNSUPPORTED)
    feedback.handle(given.id, Status.IN_PROGRESS, note="已转药剂科", who="质控科 赵")
    gold = Gold(True, ("每天三次",), ("corpus/b.md",))
    done = feedback.handle(given.id, Status.RESOLVED, note="资料已更正", who="药剂科 钱", gold=gold)
    assert done.status is Status.RESOLVED
    first, second = feedback.handlings(given.id)
    assert (first.status, first.note, first.who, first.gold) == (
        Status.IN_PROGRESS, "已转药剂科", "质控科 赵", None,
    )  # fmt: skip
    assert second.gold == gold
    assert given.given.startswith("2026-01-01T00:00:0")
    assert first.done < second.done
    with pytest.raises(ConversationError, match="处理人"):
        feedback.handle(given.id, Status.OPEN, note="", who=" ")
    with pytest.raises(ConversationError, match="没有写正确答案"):
        feedback.handle(given.id, Status.OPEN, note="", who="钱", gold=Gold(True))
    with pytest.raises(ConversationMissing):
        feedback.handle("unknown", Status.OPEN, note="", who="钱")
    feedback.withdraw(WANG, turns[0].id)
    assert feedback.get(given.id).status is Status.WITHDRAWN
    assert len(feedback.handlings(given.id)) == 2
    feedback.erase(given.id)
    with pytest.raises(ConversationMissing):
        feedback.handlings(given.id)


def test_the_list_is_newest_first_filtered_and_paged(feedback, turns):
    ups = [feedback.give(WANG, turn.id, Rating.UP) for turn in turns[:2]]
    down = feedback.give(WANG, turns[2].id, Rating.DOWN, reason=Reason.INCOMPLETE)
    feedback.handle(ups[0].id, Status.RESOLVED, note="", who="赵")
    assert [one.id for one in feedback.all()] == [down.id, ups[1].id, ups[0].id]
    assert [one.id for one in feedback.all(rating=Rating.DOWN)] == [down.id]
    assert [one.id for one in feedback.all(status=Status.RESOLVED)] == [ups[0].id]
    assert feedback.erase_person(LI) == 0
    page = feedback.all(count=2)
    assert [one.id for one in feedback.all(count=2, after=page[-1])] == [ups[0].id]
    assert feedback.erase_person(WANG) == 3
    assert feedback.all() == ()


def test_complaints_become_questions_that_the_evaluator_loads(
    conversations, feedback, turns, tmp_path
):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.md").write_text("# 制度\n每天两次。\n", encoding="utf-8")
    missing = conversations.append(
        WANG, turns[0].conversation, answered("没有的", "资料中未找到", State.NOT_FOUND)
    )
    praised = feedback.give(WANG, turns[0].id, Rating.UP)
    solved = feedback.give(WANG, turns[1].id, Rating.DOWN, reason=Reason.WRONG, comment="是三次")
    gold = Gold(True, ("每天三次", "一日三次"), ("corpus/a.md",))
    feedback.handle(solved.id, Status.RESOLVED, note="已更正", who="赵", gold=gold)
    waiting = feedback.give(WANG, turns[2].id, Rating.DOWN, reason=Reason.UNSAFE)
    refused = feedback.give(WANG, missing.id, Rating.UP)
    folder = tmp_path / "sets" / "complaints"
    written = write_evaluation_set(feedback, folder, documents=[corpus])
    assert (written.questions, written.unreviewed) == (3, 1)

    dataset = load(folder)
    assert dataset.has_documents
    by_id = {question.id: question for question in dataset.questions}
    assert list(by_id) == [f"feedback-{one.id}" for one in (praised, solved, refused)]
    first, second, third = by_id.values()
    assert (first.text, first.answers, first.positives) == (
        "独立的第0问", ("每天两次。",), frozenset({"corpus/a.md"}),
    )  # fmt: skip
    assert second.answers == ("每天三次", "一日三次")
    assert second.kind == "feedback-wrong"
    assert (third.is_answerable, third.answers, third.kind) == (False, (), "feedback-up")

    rows = [json.loads(line) for line in (folder / QUESTIONS).read_text("utf-8").splitlines()]
    assert rows[1]["feedback"]["comment"] == "是三次"
    assert rows[1]["handling"][0]["who"] == "赵"
    assert (rows[1]["settings_digest"], rows[1]["generation"]) == ("abc", "g-1")
    assert rows[1]["trace"]["citations"][0]["quote"] == "每天两次。"
    (open_row,) = (
        json.loads(line) for line in (folder / UNREVIEWED).read_text("utf-8").splitlines()
    )
    assert (open_row["id"], open_row["answerable"]) == (f"feedback-{waiting.id}", None)
    everything = "".join(path.read_text("utf-8") for path in folder.iterdir())
    assert WANG not in everything
    # What nobody has filled in is refused when it is asked all the same.
    with pytest.raises(DatasetError, match="answerable"):
        load(folder / UNREVIEWED)

    feedback.handle(solved.id, Status.REJECTED, note="", who="赵")
    assert write_evaluation_set(feedback, tmp_path / "plain").questions == 2
    assert not load(tmp_path / "plain").has_documents


def test_the_settings_digest_names_what_shapes_an_answer_and_no_secret():
    plain = Settings()
    same = Settings.load(
        environment={"RAG_OPENAI_API_KEY": "secret", "RAG_SERVE_PORT": "8000"},
    )
    other = Settings.load(environment={"RAG_ANSWER_TEMPERATURE": "0.5"})
    base = Settings.load(environment={})
    assert settings_digest(same) == settings_digest(base)
    assert settings_digest(other) != settings_digest(base)
    assert len(settings_digest(plain)) == 12
