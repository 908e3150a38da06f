"""Marks become citations that resolve to exact spans; invented ones disappear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.cite import Cited, cite, supporting_span
from rag.offsets import Edit, apply
from rag.types import Document, Hit, PageStart, Passage

RAW = (
    "出院(chū yuàn)须知。患者术后两周到门诊复查伤口。如出现发热或伤口渗液，应当立即就诊。"
    "术后一个月内避免提举超过5公斤的重物。饮食以清淡为主。"
)
TEXT, OFFSETS = apply(RAW, [Edit(2, 12, "")])
ASPIRIN = "阿司匹林肠溶片每日一次，每次100毫克，餐前服用。有消化道出血史者慎用。"
DOCUMENTS = {
    "a": Document(
        "a", "出院须知", TEXT, RAW, OFFSETS, pages=(PageStart(1, 0), PageStart(2, 25)), date="2024"
    ),
    "b": Document("b", "用药说明", "前言。" + ASPIRIN, "前言。" + ASPIRIN, OFFSETS.identity(40)),
}
HITS = (
    Hit(Passage("a", 0, len(TEXT), TEXT, heading="出院"), "出院须知", 0.9),
    Hit(Passage("b", 3, 3 + len(ASPIRIN), ASPIRIN), "用药说明", 0.8),
)


def resolve(text: str) -> Cited:
    return cite(text, HITS, DOCUMENTS.__getitem__)


def test_each_citation_is_the_sentence_that_supports() -> None:
    cited = resolve("术后两周应到门诊复查伤口[1]。阿司匹林每次100毫克，每日一次[2]。")
    assert [sentence.text for sentence in cited.sentences] == [
        "术后两周应到门诊复查伤口。",
        "阿司匹林每次100毫克，每日一次。",
    ]
    assert [citation.quote for citation in cited.citations] == [
        "患者术后两周到门诊复查伤口。",
        "阿司匹林肠溶片每日一次，每次100毫克，餐前服用。",
    ]
    assert cited.text == "术后两周应到门诊复查伤口。[1]阿司匹林每次100毫克，每日一次。[2]"


def test_every_citation_resolves_in_its_document() -> None:
    cited = resolve("出现发热应立即就诊。[1]避免提举重物。[1]有出血史者慎用阿司匹林。[2]")
    assert len(cited.citations) == 3
    for citation in cited.citations:
        document = DOCUMENTS[citation.document]
        assert citation.quote == document.text[citation.start : citation.end]
        assert citation.title == document.title
    assert [citation.page for citation in cited.citations] == [1, 2, None]
    assert cited.citations[0].date == "2024"
    assert cited.citations[0].heading == "出院"


def test_quote_of_repaired_text_shows_the_original() -> None:
    (citation,) = resolve("这是一份出院须知[1]。").citations
    assert citation.quote == "出院须知。"
    assert citation.original == "出院(chū yuàn)须知。"


def test_one_span_one_mark_even_when_cited_twice() -> None:
    cited = resolve("术后两周复查伤口[1]。到门诊复查伤口[1]。")
    assert [sentence.citations for sentence in cited.sentences] == [(1,), (1,)]
    assert len(cited.citations) == 1


def test_marks_are_numbered_in_order_of_appearance() -> None:
    cited = resolve("阿司匹林餐前服用[2]。术后两周复查伤口[1]。")
    assert [citation.document for citation in cited.citations] == ["b", "a"]
    assert [citation.mark for citation in cited.citations] == [1, 2]
    assert cited.text == "阿司匹林餐前服用。[1]术后两周复查伤口。[2]"


@pytest.mark.parametrize(
    "mark",
    [
        *("[1][2]", "[1,2]", "[1，2]", "[1、2]", "[1;2]", "[ 1 , 2 ]", "[1] [2]", " [1][2]"),
        *("【1】【2】", "【1，2】", "【1†说明】[2]", "［１］［２］", "[1-2]", "[1～2]"),
        *("[^1][^2]", "[资料1][资料 2]"),
    ],
)
@pytest.mark.parametrize("place", ["门诊复查伤口{}。", "门诊复查伤口。{}", "门诊复查伤口。\n{}"])
def test_every_spelling(mark: str, place: str) -> None:
    cited = resolve(place.format(mark))
    assert [sentence.text for sentence in cited.sentences] == ["门诊复查伤口。"]
    assert cited.sentences[0].citations == (1, 2)
    assert cited.dropped_marks == ()


@pytest.mark.parametrize(
    "text",
    [
        "共纳入(1)组患者。",
        "国办发[2023]5号。",
        "取值[0,1]之间。",
        "参考区间[1,2]内。",
        "来源1说明。",
    ],
)
def test_what_is_not_a_mark_stays(text: str) -> None:
    cited = resolve(text)
    assert cited.text == text
    assert cited.citations == ()
    assert cited.dropped_marks == ()


def test_invented_marks_are_dropped() -> None:
    cited = resolve("术后两周复查伤口[7]。阿司匹林餐前服用[2][9]。")
    assert cited.dropped_marks == (7, 9)
    assert [sentence.citations for sentence in cited.sentences] == [(), (1,)]
    assert cited.text == "术后两周复查伤口。阿司匹林餐前服用。[1]"


def test_mark_that_opens_a_line_belongs_to_it() -> None:
    cited = resolve("[1] 术后两周复查伤口。\n[2] 阿司匹林餐前服用。")
    assert [sentence.citations for sentence in cited.sentences] == [(1,), (2,)]
    assert [citation.document for citation in cited.citations] == ["a", "b"]


def test_list_number_is_no_sentence() -> None:
    cited = resolve("1. 术后两周复查伤口[1]。\n2. 阿司匹林餐前服用[2]。")
    assert [sentence.text for sentence in cited.sentences] == [
        "1. 术后两周复查伤口。",
        "2. 阿司匹林餐前服用。",
    ]


def test_passage_that_shares_nothing_is_cited_whole() -> None:
    (citation,) = resolve("今天天气晴朗[2]。").citations
    assert citation.quote == ASPIRIN


def test_two_sentences_when_one_does_not_carry_it() -> None:
    (citation,) = resolve("阿司匹林肠溶片每次100毫克餐前服用，有消化道出血史者慎用[2]。").citations
    assert citation.quote == ASPIRIN


def test_traditional_answer_finds_simplified_passage() -> None:
    (citation,) = resolve("術後兩週到門診複查傷口[1]。").citations
    assert citation.quote == "患者术后两周到门诊复查伤口。"


@pytest.mark.parametrize("end", ["[", "[1", "【1，", "[1-", " [", "［资料", "[^1", "【1†说"])
def test_unfinished_mark_is_held_back(end: str) -> None:
    cited = cite("门诊复查伤口。" + end, HITS, DOCUMENTS.__getitem__, partial=True)
    assert cited.text == "门诊复查伤口。"


def test_finished_text_loses_a_begun_mark_but_no_bracket() -> None:
    assert resolve("门诊复查伤口。[1").text == "门诊复查伤口。"
    assert resolve("代码以[").text == "代码以["


def test_streaming_shows_no_bracket_and_settles() -> None:
    answer = "术后两周应到门诊复查伤口[1]。阿司匹林每日一次【2】，见说明[9]。"
    shown = [
        cite(answer[:end], HITS, DOCUMENTS.__getitem__, partial=True)
        for end in range(len(answer) + 1)
    ]
    for cited in shown:
        marks = [number for sentence in cited.sentences for number in sentence.citations]
        assert set(marks) == {citation.mark for citation in cited.citations}
        for number in marks:
            assert f"[{number}]" in cited.text
        assert "【" not in cited.text
        assert "[9" not in cited.text
    assert shown[-1] == resolve(answer)


def test_nothing_in_nothing_out() -> None:
    assert resolve("") == Cited("", (), (), (), ())
    assert resolve("[1]").citations == ()


PIECES = st.lists(
    st.sampled_from(
        ["术后两周复查", "伤口", "。", "[1]", "【2】", "[3]", "\n", " ", "1.", "，", "[1"]
    )
)


@given(PIECES)
def test_normal_text_stays_as_it_is(pieces: list[str]) -> None:
    once = resolve("".join(pieces))
    # Its marks now mean the citations; resolving against passages in that order changes nothing.
    again = cite(once.text, once.hits, DOCUMENTS.__getitem__)
    assert [s.text for s in again.sentences] == [s.text for s in once.sentences]
    assert again.dropped_marks == ()
    assert again.text == once.text


@given(PIECES)
def test_every_mark_resolves(pieces: list[str]) -> None:
    cited = resolve("".join(pieces))
    assert [citation.mark for citation in cited.citations] == list(
        range(1, len(cited.citations) + 1)
    )
    assert len(cited.hits) == len(cited.citations)
    used = {number for sentence in cited.sentences for number in sentence.citations}
    assert used == {citation.mark for citation in cited.citations}
    for citation in cited.citations:
        assert citation.quote == DOCUMENTS[citation.document].text[citation.start : citation.end]
        assert citation.quote


@given(st.text(max_size=40), st.text(max_size=80))
def test_support_is_a_span_of_the_passage(sentence: str, passage: str) -> None:
    start, end = supporting_span(sentence, passage)
    assert 0 <= start <= end <= len(passage)


@given(st.text())
def test_any_text_at_all(text: str) -> None:
    cited = resolve(text)
    assert not any(number in (1, 2) for number in cited.dropped_marks)
