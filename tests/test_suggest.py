"""Suggested questions: made from the cited documents, shown only when they are answerable."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answer.ellipsis import depends
from rag.answer.suggest import candidates, suggest
from rag.offsets import OffsetMap
from rag.types import Answer, Block, BlockKind, Citation, Document, State


def document(name, title, *sections):
    """A document of (level, heading, text) sections."""
    text, blocks = "", []
    for level, heading, body in ((1, title, ""), *sections):
        if heading:
            blocks.append(Block(BlockKind.HEADING, len(text), len(text) + len(heading), level))
            text += heading + "\n"
        text += body + "\n"
    return Document(name, title, text, text, OffsetMap.identity(len(text)), tuple(blocks))


HOSPITAL = document(
    "hospital",
    "医疗机构部署大模型的情况",
    (2, "总体态势", "全国的医疗机构都在部署大模型，进展很快。"),
    (2, "部署数量", "到四月初已经有七百多家机构完成了部署。"),
    (2, "机构级别", "部署先从三甲医院开始，正在往基层下沉。"),
    (2, "数据留在院内", "本地部署是指模型在医院自己的机房里运行。数据不出院。"),
    (2, "空的一节", ""),
)
ABROAD = document(
    "abroad",
    "人工智能的国际政策",
    (2, "美国", "美国公布了《医疗设备监管框架》，要求设备安全有效。"),
    (2, "英国", "英国公布了规划，划定了人工智能的重点应用领域。"),
    (2, "加拿大", "加拿大发表了报告，主张维护患者的权益。"),
    (2, "欧盟", "欧盟通过了法案，对高风险的应用提出了要求。"),
    (2, "日本", "日本修订了指南，说明了医师的责任怎样划分。"),
)
DOCUMENTS = {d.id: d for d in (HOSPITAL, ABROAD)}


def answer(question, *cited):
    """An answer that cites places, each (document, words of its text)."""
    citations = []
    for mark, (source, words) in enumerate(cited, 1):
        start = source.text.index(words)
        citations.append(Citation(mark, source.id, source.title, start, start + len(words), words))
    return Answer(question, question, State.ANSWERED, "答[1]", citations=tuple(citations))


def suggested(given, probability, **options):
    calls = []

    def can_answer(question):
        calls.append(question)
        return probability(question) if callable(probability) else probability

    found = suggest(
        given,
        document=DOCUMENTS.__getitem__,
        can_answer=can_answer,
        threshold=0.6,
        **options,
    )
    return found, calls


def test_headings_near_the_citation_become_questions_that_stand_alone():
    given_answer = answer("部署从哪里开始？", (HOSPITAL, "部署先从三甲医院开始"))
    made = list(candidates(given_answer, DOCUMENTS.__getitem__))
    assert made[0] == "关于医疗机构部署大模型，“数据留在院内”是怎么说的？"
    assert "医疗机构部署大模型的数量是多少？" in made
    assert "什么是本地部署？" in made
    # The cited section was just read; an empty or general one holds nothing to ask for.
    assert not any(word in q for q in made for word in ("机构级别", "空的一节", "总体态势"))
    assert not any(depends(question) for question in made)


def test_a_section_of_another_place_asks_the_same_about_it():
    given_answer = answer("美国公布了哪些监管文件？", (ABROAD, "美国公布了"))
    found, _ = suggested(given_answer, 0.9)
    assert found[:2] == ("《医疗设备监管框架》的主要内容是什么？", "英国公布了哪些监管文件？")
    assert not any(question.startswith("美国公布") for question in found)


def test_only_answerable_questions_are_shown_and_at_most_six_are_tried():
    given_answer = answer(
        "有什么进展？", (HOSPITAL, "部署先从三甲医院开始"), (ABROAD, "美国公布了")
    )
    nothing, calls = suggested(given_answer, 0.59)
    assert nothing == ()
    assert len(calls) == 6
    found, _ = suggested(given_answer, lambda question: 0.8 if "数量" in question else 0.1)
    assert found == ("医疗机构部署大模型的数量是多少？",)
    three, calls = suggested(given_answer, 0.6)
    assert len(three) == 3
    assert list(three) == calls


def test_documents_take_turns():
    given_answer = answer(
        "有什么进展？", (HOSPITAL, "部署先从三甲医院开始"), (ABROAD, "美国公布了")
    )
    found, _ = suggested(given_answer, 0.9)
    assert "医疗机构部署大模型" in found[0]
    assert "医疗设备监管框架" in found[1]


@pytest.mark.parametrize(
    "asked",
    [
        "医疗机构部署大模型的数量是多少？",
        "醫療機構部署大模型的數量是多少",
        "请问医疗机构部署大模型的数量有多少？",
    ],
)
def test_what_was_asked_is_not_suggested(asked):
    given_answer = answer(asked, (HOSPITAL, "部署先从三甲医院开始"))
    found, calls = suggested(given_answer, 0.9)
    assert not any("数量" in question for question in calls)
    earlier, _ = suggested(answer("别的", (HOSPITAL, "部署先从")), 0.9, asked=[asked])
    assert not any("数量" in question for question in earlier)
    assert len(found) == len(set(found))


def test_the_same_answer_gives_the_same_suggestions_and_time_is_bounded():
    given_answer = answer("有什么进展？", (HOSPITAL, "部署先从三甲医院开始"))
    assert suggested(given_answer, 0.9) == suggested(given_answer, 0.9)
    found, calls = suggested(given_answer, 0.9, seconds=-1.0)
    assert (found, calls) == ((), [])


def test_an_answer_without_citations_suggests_nothing():
    assert suggested(answer("什么？"), 1.0) == ((), [])


headings = st.text(
    alphabet=st.sampled_from("第一二章条：（）美国英国数量情况特征是怎样什么的《》与A1 、？部署"),
    max_size=14,
).filter(lambda text: "\n" not in text)


@settings(max_examples=200, deadline=None)
@given(headings, st.lists(headings, min_size=1, max_size=6), st.text(max_size=20))
def test_any_headings_give_short_questions_of_one_line(title, names, question):
    source = document(
        "any", title, *((2, name, "这一节有足够长的正文可以用来回答。") for name in names)
    )
    made = list(candidates(answer(question, (source, "这一节")), {"any": source}.__getitem__))
    assert len(made) == len(set(made))
    for text in made:
        assert text.endswith("？")
        assert "\n" not in text
        assert 4 <= len(text) <= 40
