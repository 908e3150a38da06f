"""Answers as JSON and back, and whether documents still hold what old answers quote."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.conversations.rows import answer_from_bytes, answer_to_bytes
from rag.conversations.standing import Held, Standing, standings
from rag.offsets import Edit, OffsetMap, apply
from rag.retrieve.documents import DocumentStore
from rag.types import (
    Answer,
    Citation,
    Document,
    Hit,
    Passage,
    Reading,
    Sentence,
    Span,
    State,
    Verdict,
)
from rag.unwire import answer_from_json
from rag.wire import answer_to_json

# Any character but a high surrogate: two halves side by side would become one character.
TEXT = st.text(st.characters(exclude_categories=()).filter(lambda c: not 0xD800 <= ord(c) < 0xDC00))
PLACE = st.integers(0, 10**6)
PAGE = st.none() | st.integers(1, 999)
PARTS = st.lists(TEXT, max_size=3).map(tuple)


def decimal(places: int):
    """Numbers as the wire writes them."""
    return st.integers(-(10**9), 10**9).map(lambda n: round(n / 10**places, places))


READINGS = st.builds(
    Reading,
    decimal(4),
    decimal(4),
    st.lists(st.builds(Span, PLACE, PLACE, decimal(4)), max_size=2).map(tuple),
)
HITS = st.builds(
    Hit,
    st.builds(Passage, TEXT, PLACE, PLACE, TEXT, TEXT, PAGE),
    TEXT,
    decimal(6),
    decimal(6),
    decimal(6),
    reading=st.none() | READINGS,
)
CITATIONS = st.builds(
    Citation,
    st.integers(1, 99),
    TEXT,
    TEXT,
    PLACE,
    PLACE,
    TEXT,
    page=PAGE,
    original=TEXT,
    source=TEXT,
    date=TEXT,
    heading=TEXT,
    focus=st.none() | st.tuples(PLACE, PLACE),
)
SENTENCES = st.builds(
    Sentence,
    TEXT,
    st.lists(st.integers(1, 99), max_size=3).map(tuple),
    st.sampled_from(Verdict),
    PARTS,
    PARTS,
)
ANSWERS = st.builds(
    Answer,
    question=TEXT,
    search_question=TEXT,
    state=st.sampled_from(State),
    text=TEXT,
    sentences=st.lists(SENTENCES, max_size=2).map(tuple),
    citations=st.lists(CITATIONS, max_size=2).map(tuple),
    hits=st.lists(HITS, max_size=2).map(tuple),
    model=TEXT,
    timings=st.dictionaries(TEXT, decimal(4), max_size=2),
    thinking=TEXT,
    notices=PARTS,
    finished=st.booleans(),
    confidence=decimal(4),
    prompt_tokens=PLACE,
    trimmed=PLACE,
    output_tokens=PLACE,
    span=TEXT,
)


@settings(max_examples=60, deadline=None)
@given(ANSWERS)
def test_any_answer_comes_back_from_its_json_and_from_its_bytes(answer):
    sent = json.loads(json.dumps(answer_to_json(answer)))
    assert answer_from_json(sent) == answer
    assert answer_to_json(answer_from_json(sent)) == sent
    assert answer_from_bytes(answer_to_bytes(answer)) == answer


def test_numbers_come_back_as_the_wire_rounds_them():
    answer = Answer("问", "问", State.ANSWERED, "答", confidence=0.123456, timings={"total": 1 / 3})
    back = answer_from_bytes(answer_to_bytes(answer))
    assert (back.confidence, back.timings) == (0.1235, {"total": 0.3333})


def test_fields_of_other_versions_are_defaulted_or_left_alone():
    least = {"question": "问", "state": "not_found", "text": "资料中未找到"}
    assert answer_from_json(least) == Answer("问", "问", State.NOT_FOUND, "资料中未找到")
    assert answer_from_json({**least, "mood": "calm", "finished": False}).finished is False
    with pytest.raises(ValueError, match="perhaps"):
        answer_from_json({**least, "state": "perhaps"})
    with pytest.raises(KeyError):
        answer_from_json({"question": "问"})


def document(name: str, original: str, *edits: Edit) -> Document:
    text, offsets = (
        apply(original, edits) if edits else (original, OffsetMap.identity(len(original)))
    )
    return Document(name, name, text, original, offsets)


def cited(name: str, text: str, quote: str, original: str = "") -> Citation:
    start = text.index(quote)
    return Citation(1, name, name, start, start + len(quote), quote, original=original or quote)


def test_each_citation_is_told_what_became_of_its_document(tmp_path):
    old = "第一条 每季度培训一次。第二条 每季度培训一次。第三条 输液15~30分钟。"
    last = old.rindex("每季度培训一次")
    citations = (
        cited("same", old, "输液15~30分钟"),
        Citation(2, "moved", "moved", last, last + 7, "每季度培训一次"),
        cited("changed", old, "输液15~30分钟"),
        cited("gone", old, "输液15~30分钟"),
        cited("recleaned", "药(yào)品每日两次", "药(yào)品每日", original="药(yào)品每日"),
    )
    recleaned = document("recleaned", "前言。药(yào)品每日两次", Edit(4, 9, ""))
    path = tmp_path / "documents.sqlite3"
    DocumentStore.write(
        path,
        [
            document("same", old),
            document("moved", "新增总则。" + old),
            document("changed", old.replace("15~30", "20~40")),
            recleaned,
        ],
        [],
    )
    documents = DocumentStore(path)
    answer = Answer("问", "问", State.ANSWERED, "答", citations=citations)
    same, moved, changed, gone, cleaned = standings(answer, documents)
    documents.close()
    assert same == Held(Standing.SAME, citations[0].start, citations[0].end)
    assert moved == Held(Standing.MOVED, last + 5, last + 12)  # the second of two equal sentences
    assert (changed.standing, gone.standing) == (Standing.CHANGED, Standing.GONE)
    assert cleaned.standing is Standing.MOVED
    assert recleaned.text[cleaned.start : cleaned.end] == "药品每日"
