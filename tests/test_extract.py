"""Extractive answering: which sentences answer, and where they stand."""

import math

import pytest
from hashed_encoder import HashedBigramEncoder
from hypothesis import assume, given
from hypothesis import strategies as st

from rag.answer.extract import (
    Candidate,
    candidates,
    choose,
    coverage,
    names_what_is_asked,
    token_weights,
    topic,
    units,
)
from rag.chinese import tokenize
from rag.offsets import OffsetMap
from rag.types import Block, BlockKind, Document, Hit, Passage

TEXT = (
    "门诊制度\n发热门诊全天开放，先测体温再候诊。就诊须出示医保卡。\n"
    "科室 | 电话\n急诊科 | 8001；夜间 8002\n检验科 | 8003\n结果在两小时内送达。"
)


def block(kind, text):
    start = TEXT.index(text)
    return Block(kind, start, start + len(text))


DOCUMENT = Document(
    "a.md",
    "门诊手册",
    TEXT,
    TEXT,
    OffsetMap(()),
    blocks=(
        block(BlockKind.HEADING, "门诊制度"),
        block(BlockKind.PARAGRAPH, "发热门诊全天开放，先测体温再候诊。就诊须出示医保卡。"),
        block(BlockKind.TABLE_ROW, "科室 | 电话"),
        block(BlockKind.TABLE_ROW, "急诊科 | 8001；夜间 8002"),
        block(BlockKind.TABLE_ROW, "检验科 | 8003"),
        block(BlockKind.PARAGRAPH, "结果在两小时内送达。"),
    ),
)


def hit(start=0, end=None, score=1.0, document=DOCUMENT, heading=""):
    end = len(document.text) if end is None else end
    passage = Passage(document.id, start, end, document.text[start:end], heading)
    return Hit(passage, document.title, score)


def rank(question, hits, documents=(DOCUMENT,)):
    encoder = HashedBigramEncoder()
    by_id = {document.id: document for document in documents}
    return candidates(
        question,
        hits,
        weights=token_weights(question, lambda _: 0.1, 10),
        document=by_id.__getitem__,
        encode_question=lambda text: encoder.encode_query([text])[0],
        encode_sentences=encoder.encode_document,
    )


# What a question is about


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("请问发热门诊什么时候开放？", "发热门诊 开放"),
        ("發熱門診何時開放？", "发热门诊 开放"),
        ("医保卡是不是必须出示呢?", "医保卡 必须出示"),
        ("什么？多少？", ""),
        ("DeepSeek-R1 怎么样", "deepseek-r1"),
    ],
)
def test_asking_words_are_no_topic(question, left):
    assert " ".join(topic(question).split()) == left


def test_rare_tokens_weigh_more_and_unknown_ones_most():
    shares = {"发热": 0.5, "门诊": 0.9}
    weights = token_weights("发热门诊消杀", lambda token: shares.get(token, 0.0), 100)
    assert weights["消杀"] > weights["发热"] > weights["门诊"] > 0
    assert weights["消杀"] == pytest.approx(math.log1p(100 / 0.5))


def test_weights_of_an_empty_index_are_finite():
    weights = token_weights("发热门诊", lambda _: 0.0, 0)
    assert weights
    assert all(math.isfinite(weight) and weight > 0 for weight in weights.values())


def test_coverage_is_the_share_of_the_weight():
    weights = {"发热": 3.0, "门诊": 1.0}
    assert coverage(weights, ["门诊", "门诊", "其他"]) == 0.25
    assert coverage(weights, ["门诊", "发热"]) == 1.0
    assert coverage(weights, []) == 0.0
    assert coverage({}, ["门诊"]) == 0.0


@given(st.text("发热门诊开放多少？ 1", max_size=20), st.text("发热门诊开放 12", max_size=20))
def test_coverage_lies_between_nothing_and_all(question, text):
    weights = token_weights(question, lambda _: 0.2, 10)
    assert 0.0 <= coverage(weights, tokenize(text)) <= 1.0
    assert coverage(weights, weights) == pytest.approx(1.0 if weights else 0.0)


# What can stand as an answer


def test_units_are_sentences_and_whole_rows_without_headings():
    assert [TEXT[start:end] for start, end in units(DOCUMENT, 0, len(TEXT))] == [
        "发热门诊全天开放，先测体温再候诊。",
        "就诊须出示医保卡。",
        "科室 | 电话",
        "急诊科 | 8001；夜间 8002",
        "检验科 | 8003",
        "结果在两小时内送达。",
    ]


@given(st.integers(0, len(TEXT)), st.integers(0, len(TEXT)))
def test_units_lie_in_their_passage_in_order_without_overlap(one, other):
    assume(one != other)
    start, end = sorted((one, other))
    position = start
    for first, last in units(DOCUMENT, start, end):
        assert position <= first < last <= end
        position = last


@pytest.mark.parametrize(
    ("question", "sentence", "named"),
    [
        ("有多少张床位？", "共设床位120张。", True),
        ("有多少张床位？", "共设床位一百二十张。", True),
        ("有多少张床位？", "床位已满。", False),
        ("何时开放？", "2025年3月开放。", True),
        ("何时开放？", "全天开放。", False),
        ("由谁负责？", "2025年由3人负责。", False),
    ],
)
def test_a_question_for_a_number_or_date_and_what_names_one(question, sentence, named):
    assert names_what_is_asked(question, sentence) is named


# Ranking


def test_the_sentence_that_answers_comes_first():
    assert rank("就诊要出示什么？", [hit()])[0].text == "就诊须出示医保卡。"
    assert rank("检验科的电话是多少？", [hit()])[0].text == "检验科 | 8003"


def test_every_candidate_stands_where_it_says():
    for start, end in ((0, len(TEXT)), (9, 40), (20, 55)):
        for candidate in rank("发热门诊", [hit(start, end)]):
            assert candidate.text == TEXT[candidate.start : candidate.end]
            assert start <= candidate.start < candidate.end <= end


def test_a_sentence_that_two_passages_share_is_taken_once_from_the_better_one():
    better, worse = hit(0, 40, 0.9), hit(5, len(TEXT), 0.1)
    ranked = rank("就诊须出示什么？", [better, worse])
    same = [c for c in ranked if c.text == "就诊须出示医保卡。"]
    assert [c.hit for c in same] == [better]


def test_equal_sentences_of_two_documents_come_in_a_fixed_order():
    twin = Document("b.md", "门诊手册", TEXT, TEXT, OffsetMap(()), blocks=DOCUMENT.blocks)
    hits = [hit(document=twin), hit()]
    forwards = rank("就诊须出示什么？", hits, (DOCUMENT, twin))
    backwards = rank("就诊须出示什么？", hits[::-1], (DOCUMENT, twin))
    assert [(c.hit.passage.document, c.start) for c in forwards] == [
        (c.hit.passage.document, c.start) for c in backwards
    ]
    assert forwards[0].hit.passage.document == "a.md"


def test_the_section_counts_for_the_sentences_under_it():
    inside = hit(heading="超声检查预约")
    plain = rank("超声检查预约要出示什么？", [hit()])
    under = rank("超声检查预约要出示什么？", [inside])
    assert under[0].coverage > plain[0].coverage


def test_scripts_do_not_matter():
    simplified = rank("就诊须出示什么证件？", [hit()])
    traditional = rank("就診須出示什麼證件？", [hit()])
    assert [c.text for c in simplified] == [c.text for c in traditional]
    assert [c.score for c in simplified] == pytest.approx([c.score for c in traditional])


def test_the_encoder_reads_simplified_script_and_the_candidate_keeps_its_own():
    text = "藥品須雙人雙鎖保管。"
    document = Document("t.txt", "", text, text, OffsetMap(()))
    encoder, read = HashedBigramEncoder(), []

    def encode_sentences(texts):
        read.extend(texts)
        return encoder.encode_document(texts)

    def encode_question(asked):
        read.append(asked)
        return encoder.encode_query([asked])[0]

    (found,) = candidates(
        "藥品怎樣保管？",
        [hit(document=document)],
        weights={},
        document=lambda _: document,
        encode_question=encode_question,
        encode_sentences=encode_sentences,
    )
    assert sorted(read) == sorted(["药品须双人双锁保管。", "药品怎样保管？"])
    assert found.text == text


def test_nothing_found_is_no_candidate():
    assert rank("发热门诊", []) == []
    assert rank("发热门诊", [hit(0, 4)]) == []  # a heading alone says nothing


# Choosing


def candidate(score, text="一句话。", start=0):
    return Candidate(hit(), start, start + len(text), text, score)


def test_the_best_is_chosen_and_what_is_nearly_as_good():
    best, near, far = candidate(0.9), candidate(0.88), candidate(0.2)
    assert choose([best, near, far]) == [best, near]
    assert choose([best, far, far]) == [best]
    assert choose([]) == []


def test_an_answer_stays_short():
    many = [candidate(0.9, start=n) for n in range(10)]
    assert 1 < len(choose(many)) <= 3
    long = candidate(0.9, "长" * 5000)
    assert choose([long, long]) == [long]  # the best one is never left out


@given(st.lists(st.floats(0, 1), max_size=12))
def test_what_is_chosen_is_a_beginning_of_the_ranking(scores):
    ranked = [candidate(score) for score in sorted(scores, reverse=True)]
    chosen = choose(ranked)
    assert chosen == ranked[: len(chosen)]
    assert bool(chosen) is bool(ranked)
