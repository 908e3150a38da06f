"""Passages: spans, sizes, headings, tables, lists, overlap."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.ingest.split import split
from rag.offsets import OffsetMap
from rag.types import Block, BlockKind, Document, PageStart

DATA = Path(__file__).parents[1].parent / "shared" / "data"


def document(text, blocks=(), pages=()):
    return Document(
        "d", "题", text, text, OffsetMap.identity(len(text)), tuple(blocks), tuple(pages)
    )


def built(*parts):
    """A document of (kind, text[, level]) blocks, one a line."""
    text, blocks = "", []
    for kind, content, *level in parts:
        start = len(text)
        text += content
        blocks.append(Block(kind, start, len(text), *level))
        text += "\n"
    return document(text, blocks)


P, H, L, T = BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.LIST_ITEM, BlockKind.TABLE_ROW


def check(doc, passages, size):
    """What holds for every document."""
    covered = bytearray(len(doc.text))
    previous = (-1, 0)
    for passage in passages:
        assert doc.text[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip() != ""
        assert len(passage.text) <= size + size // 4
        assert passage.start > previous[0]
        assert passage.end > previous[1]
        previous = passage.start, passage.end
        covered[passage.start : passage.end] = b"\1" * (passage.end - passage.start)
        assert passage.page == doc.page_at(passage.start)
        assert passage.id == 0
    assert all(hit or character.isspace() for hit, character in zip(covered, doc.text, strict=True))


@st.composite
def documents(draw):
    line = st.text(alphabet="患者血压。！？；，、“”（）|:.1 3aB\t", min_size=1, max_size=90)
    text, blocks, pages = "", [], []
    for kind in draw(st.lists(st.sampled_from([None, P, H, L, T]), max_size=14)):
        if draw(st.integers(0, 4)) == 0:
            pages.append(PageStart(len(pages) + 1, len(text)))
        start = len(text)
        text += draw(line)
        if kind is not None:
            blocks.append(
                Block(kind, start, len(text), draw(st.integers(1, 3)) if kind is H else 0)
            )
        text += draw(st.sampled_from(["\n", "\n\n", "", " "]))
    return document(text, blocks, pages)


@settings(max_examples=300)
@given(documents(), st.integers(1, 80), st.integers(0, 60))
def test_spans_cover_everything_and_stay_within_the_limit(doc, size, overlap):
    passages = split(doc, size=size, overlap=overlap)
    check(doc, passages, size)
    assert passages == split(doc, size=size, overlap=overlap)


@given(documents(), st.integers(10, 80), st.integers(0, 60))
def test_neighbours_share_at_most_the_overlap(doc, size, overlap):
    passages = split(doc, size=size, overlap=overlap)
    for before, after in pairwise(passages):
        assert before.end - after.start <= overlap


def test_passages_are_whole_sentences_with_overlap():
    text = "".join(f"第{number}位病人今天复查血压正常。" for number in range(10, 40))
    passages = split(document(text), size=100, overlap=20)
    assert all(
        passage.text.startswith("第") and passage.text.endswith("。") for passage in passages
    )
    assert all(after.start == before.end - 15 for before, after in pairwise(passages))


def test_no_overlap_when_none_is_wanted():
    text = "".join(f"第{number}位病人今天复查血压正常。" for number in range(10, 40))
    passages = split(document(text), size=100, overlap=0)
    assert "".join(passage.text for passage in passages) == text


def test_a_heading_starts_a_passage_and_gives_its_path():
    doc = built(
        (H, "用药指南", 1),
        (P, "本指南供内部使用。"),
        (H, "剂量", 2),
        (H, "成人", 3),
        (P, "每日一次。"),
        (H, "储存", 2),
        (P, "避光。"),
    )
    passages = split(doc, size=200, overlap=40)
    assert [(passage.text, passage.heading) for passage in passages] == [
        ("用药指南\n本指南供内部使用。", "用药指南"),
        ("剂量\n成人\n每日一次。", "用药指南 > 剂量 > 成人"),
        ("储存\n避光。", "用药指南 > 储存"),
    ]


def test_later_passages_of_a_section_keep_its_heading():
    doc = built((H, "随访", 1), (P, "每三个月复查一次肝功能和血脂。" * 12))
    passages = split(doc, size=80, overlap=0)
    assert len(passages) > 2
    assert {passage.heading for passage in passages} == {"随访"}


def test_rows_are_never_cut_when_they_fit():
    rows = [f"药品{number} | 每次{number}毫克 | 饭后服用 | 每日{number}次" for number in range(30)]
    passages = split(built(*((T, row) for row in rows)), size=120, overlap=40)
    assert [row for passage in passages for row in passage.text.split("\n")] == rows


def test_a_table_that_fits_is_kept_in_one_passage():
    rows = [(T, f"项目{number} | 正常") for number in range(6)]
    doc = built((P, "检查前请空腹八小时以上。" * 6), *rows, (P, "结果次日可取。"))
    passages = split(doc, size=120, overlap=0)
    table = "\n".join(content for _, content in rows)
    assert sum(table in passage.text for passage in passages) == 1


def test_a_list_that_fits_is_kept_in_one_passage():
    items = [(L, f"{number}. 核对姓名与床号") for number in range(1, 7)]
    doc = built((P, "操作前请完成准备工作。" * 7), *items)
    passages = split(doc, size=120, overlap=30)
    whole = "\n".join(content for _, content in items)
    assert any(whole in passage.text for passage in passages)


def test_a_long_sentence_is_cut_at_commas_then_anywhere():
    text = "，".join(["患者一般情况良好"] * 40)
    passages = split(document(text), size=50, overlap=0)
    assert all(passage.text.endswith("，") for passage in passages[:-1])
    hard = split(document("医" * 130), size=50, overlap=0)
    assert [len(passage.text) for passage in hard] == [50, 50, 30]


def test_a_cut_spares_numbers_and_words():
    text = "剂量" * 22 + "1,000,000单位" + "注射" * 30
    assert any("1,000,000" in passage.text for passage in split(document(text), size=50, overlap=0))


def test_a_short_remainder_joins_its_neighbour():
    text = "今日上午为患者完成了常规检查。" * 7 + "已签字。"
    passages = split(document(text), size=105, overlap=0)
    assert [passage.text for passage in passages] == [text]


def test_page_is_that_of_the_start():
    text = "第一页内容在这里。" * 8 + "\n" + "第二页内容在这里。" * 8
    passages = split(document(text, pages=[PageStart(1, 0), PageStart(2, 73)]), size=72, overlap=0)
    assert [passage.page for passage in passages] == [1, 2]


def test_empty_and_blank_documents_have_no_passages():
    assert split(document(""), size=240, overlap=40) == []
    assert split(document(" \n\n\u3000"), size=240, overlap=40) == []


def test_impossible_sizes_are_refused():
    with pytest.raises(ValueError, match="size"):
        split(document("字"), size=0, overlap=0)
    with pytest.raises(ValueError, match="overlap"):
        split(document("字"), size=10, overlap=-1)


@pytest.mark.parametrize("name", ["cmrc2018-dev", "drcd-dev"])
def test_real_documents(name):
    corpus = DATA / name / "corpus.jsonl"
    if not corpus.exists():
        pytest.skip(f"{name} is not beside the repository")
    for line in corpus.read_text(encoding="utf-8").splitlines():
        doc = document(json.loads(line)["text"])
        check(doc, split(doc, size=240, overlap=40), 240)
