"""Metrics on answers and rankings whose values can be worked out by hand."""

import pytest

from rag.evaluate.abilities import abilities_of, ability_metrics, says_documents_err
from rag.evaluate.answer_metrics import (
    answer_metrics,
    contains,
    correctness,
    key_fact_coverage,
    longest_common_subsequence,
    numeric_accuracy,
    rouge_l,
)
from rag.evaluate.citation_metrics import alce, citation_metrics, supported_by_words
from rag.evaluate.questions import Question
from rag.evaluate.retrieval_metrics import ranking_metrics, recalls
from rag.evaluate.score import is_right, score_answer
from rag.types import Hit, Passage


def question(**changes):
    values = {
        "id": "q",
        "text": "问题？",
        "answers": ("三十年",),
        "positives": frozenset({"d1"}),
        "is_answerable": True,
    }
    return Question(**(values | changes))


def hit(document, text, start=0):
    return {
        "document": document,
        "title": "",
        "start": start,
        "end": start + len(text),
        "heading": "",
        "text": text,
    }


def citation(mark, place):
    return {**place, "mark": mark, "quote": place["text"], "date": ""}


def answer(*sentences, hits=(), state="answered", **more):
    """``sentences`` are (text, cited hits)."""
    citations = [citation(mark, place) for mark, place in enumerate(hits, 1)]
    return {
        "state": state,
        "text": "".join(text for text, _ in sentences),
        "sentences": [
            {"text": text, "citations": list(marks), "verdict": "supported"}
            for text, marks in sentences
        ],
        "citations": citations,
        "hits": list(hits),
        **more,
    }


def test_retrieval_metrics_of_a_ranking():
    found = ranking_metrics("document", {"a", "b"}, ["x", "a", "y", "z", "w", "b"])
    assert found["retrieval.document.recall@1"] == 0.0
    assert found["retrieval.document.recall@3"] == 0.5
    assert found["retrieval.document.recall@5"] == 0.5
    assert found["retrieval.document.recall@10"] == 1.0
    assert found["retrieval.document.hit@1"] == 0.0
    assert found["retrieval.document.hit@3"] == 1.0
    assert found["retrieval.document.mrr@10"] == 0.5
    # gains at ranks 2 and 6 over gains at ranks 1 and 2: 1/log2(3) + 1/log2(7), 1 + 1/log2(3)
    ideal = 1 + 1 / 1.5849625
    assert found["retrieval.document.ndcg@10"] == pytest.approx(
        (1 / 1.5849625 + 1 / 2.8073549) / ideal
    )
    assert recalls({"a", "b"}, ["x", "a", "y", "z", "w", "b"]) == [0, *[0.5] * 4, *[1.0] * 5]


def test_nothing_found_is_zero_and_not_left_out():
    found = ranking_metrics("passage", {"7"}, [])
    assert set(found.values()) == {0.0}
    assert len(found) == 10
    assert recalls({"7"}, []) == [0.0] * 10


def test_mrr_ends_at_ten():
    ranking = [str(n) for n in range(11)]
    assert ranking_metrics("document", {"10"}, ranking)["retrieval.document.mrr@10"] == 0.0
    assert ranking_metrics("document", {"9"}, ranking)["retrieval.document.mrr@10"] == 0.1


def test_longest_common_subsequence():
    assert longest_common_subsequence("ABCBDAB", "BDCABA") == 4
    assert longest_common_subsequence("", "甲") == 0
    assert longest_common_subsequence("甲乙" * 100, "乙" * 150) == 100


def test_rouge_l_counts_what_comes_in_order():
    # 甲乙丙丁 and 甲丙: two in order: 2·2 / (4 + 2)
    assert rouge_l(["甲乙丙丁"], "甲 丙") == pytest.approx(2 / 3)
    assert rouge_l(["甲乙", "丙丁戊"], "丙丁戊") == 1.0
    assert rouge_l(["甲"], "") == 0.0


def test_containing_ignores_width_script_case_and_space():
    assert contains(["ICU 培訓"], "在ｉｃｕ培训两天") == 1.0
    assert contains(["三十年"], "三年") == 0.0


def test_key_facts_in_other_wordings_and_other_numerals():
    facts = ["感染管理科|院感科", "6710亿", "每季度"]
    assert key_fact_coverage(facts, "院感科统计，参数为六千七百一十亿") == pytest.approx(2 / 3)
    assert key_fact_coverage(["5毫克"], "每次 5mg") == 1.0
    assert key_fact_coverage(["5毫克"], "每次 50mg") == 0.0


def test_numeric_accuracy_is_the_share_of_the_references_quantities():
    assert numeric_accuracy(["每日5mg，共7天"], "每日5毫克，共十四天") == 0.5
    assert numeric_accuracy(["每日5mg"], "") == 0.0
    assert numeric_accuracy(["感染管理科"], "3天") is None
    assert numeric_accuracy(["5mg", "10mg"], "10 mg") == 1.0


def test_long_references_have_rouge_and_short_ones_not():
    short = answer_metrics("三十年", answers=["三十年"], key_facts=[])
    assert "answer.rouge_l" not in short
    assert short["answer.f1"] == short["answer.text_f1"] == short["answer.exact_match"] == 1.0
    long = answer_metrics("甲" * 20, answers=["甲" * 40], key_facts=[])
    assert long["answer.rouge_l"] == pytest.approx(2 / 3)
    assert correctness(long) == long["answer.rouge_l"]


def test_the_span_is_scored_where_there_is_one():
    found = answer_metrics("保管三十年。", answers=["三十年"], key_facts=[], span="三十年")
    assert found["answer.f1"] == found["answer.exact_match"] == 1.0
    assert found["answer.text_f1"] == pytest.approx(2 * 3 / (5 + 3))


def test_a_refusal_is_right_only_where_there_is_no_answer():
    refused = answer(("资料中未找到相关内容。", ()), state="not_found")
    unanswerable = question(is_answerable=False, answers=(), positives=frozenset())
    assert score_answer(unanswerable, refused) == {"outcome.correct": 1.0}
    found = score_answer(question(), refused)
    assert found["outcome.correct"] == found["answer.f1"] == found["answer.contains"] == 0.0
    assert "citation.recall" not in found
    given = score_answer(unanswerable, answer(("三十年。", ())))
    assert given["outcome.correct"] == 0.0
    assert is_right(given) is False


def test_a_failed_question_scores_nothing_right():
    found = score_answer(question(), None)
    assert found["outcome.correct"] == found["answer.f1"] == 0.0
    unanswerable = question(is_answerable=False, answers=(), positives=frozenset())
    assert score_answer(unanswerable, None) == {"outcome.correct": 0.0}


def supports(claim, passages):
    """A claim is supported when the passages together hold all its characters."""
    held = "".join(passage.passage.text for passage in passages)
    return all(character in held for character in claim)


def test_alce_on_the_cases_of_the_paper():
    first, second, noise = hit("d1", "甲乙"), hit("d1", "丙丁", 9), hit("d2", "戊")
    # Both passages are needed: all support, both useful.
    found = alce(answer(("甲丙", (1, 2)), hits=(first, second)), supports)
    assert found == {"citation.recall": 1.0, "citation.precision": 1.0}
    # The second one alone does not support, and the first does without it: irrelevant.
    found = alce(answer(("甲乙", (1, 2)), hits=(first, noise)), supports)
    assert found == {"citation.recall": 1.0, "citation.precision": 0.5}
    # Not supported: no citation counts. Not cited: not supported.
    found = alce(answer(("甲己", (1,)), ("甲", ()), ("乙", (1,)), hits=(first,)), supports)
    assert found == {"citation.recall": pytest.approx(1 / 3), "citation.precision": 0.5}


def test_an_answer_without_citations_has_precision_zero():
    assert alce(answer(("甲", ())), supports) == {"citation.recall": 0.0, "citation.precision": 0.0}


def test_sentences_that_claim_nothing_are_left_out():
    given = answer(("请咨询医师。", ()), ("甲", (1,)), hits=(hit("d1", "甲"),))
    given["sentences"][0]["verdict"] = "not_a_claim"
    assert alce(given, supports) == {"citation.recall": 1.0, "citation.precision": 1.0}
    only = answer(("请咨询医师。", ()))
    only["sentences"][0]["verdict"] = "not_a_claim"
    assert alce(only, supports) == {}


def test_the_products_checker_reads_the_whole_passage_and_its_numbers():
    passage = Hit(Passage("d", 0, 20, "处方保存三年，病历由病案室保管三十年。"), "", 1.0)
    assert supported_by_words("病历由病案室保管三十年", [passage])
    assert not supported_by_words("病历由病案室保管五十年", [passage])
    assert not supported_by_words("麻醉药品双人双锁管理", [passage])
    assert not supported_by_words("病历由病案室保管三十年", [])


def test_citations_against_gold_documents_and_evidence():
    right, wrong = hit("d1", "病历保管三十年"), hit("d2", "处方保存三年")
    asked = question(positives=frozenset({"d1", "d3"}), evidence=("病历保管三十年",))
    found = citation_metrics(
        answer(("病历保管三十年", (1, 2)), hits=(right, wrong)), asked, supports
    )
    assert found["citation.gold_precision"] == 0.5
    assert found["citation.gold_recall"] == 0.5
    # 7 gold characters, 13 cited, 7 shared
    assert found["citation.evidence_f1"] == pytest.approx(2 * 7 / (13 + 7))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("资料的内容存在事实性错误，正确的是三十年", True),
        ("两份文档相互矛盾", True),
        ("资料中的年份有误", True),
        ("处方保存三年", False),
        ("用药错误应当上报", False),
    ],
)
def test_an_answer_that_says_the_documents_err(text, expected):
    assert says_documents_err(text) is expected


def test_the_four_abilities():
    assert abilities_of("noise", ("integration",)) == ("noise", "integration")
    assert abilities_of("fact", ()) == ()
    text = "资料存在事实性错误，应为三十年"
    found = ability_metrics(["counterfactual"], text=text, is_refused=False, is_correct=True)
    assert found == {
        "rgb.error_detection_rate": 1.0,
        "rgb.counterfactual_robustness": 1.0,
        "rgb.error_correction_rate": 1.0,
    }
    # The correction rate is of the detected ones only.
    found = ability_metrics(["counterfactual"], text="三年", is_refused=False, is_correct=False)
    assert "rgb.error_correction_rate" not in found
    assert found["rgb.error_detection_rate"] == 0.0


def test_integration_needs_every_part():
    asked = question(answers=(), key_facts=("三十年", "病案室"), abilities=("integration",))
    half = score_answer(asked, answer(("三十年", ()), hits=()))
    whole = score_answer(asked, answer(("病案室保管三十年", ()), hits=()))
    assert half["rgb.information_integration"] == 0.0
    assert half["outcome.correct"] == 0.5
    assert whole["rgb.information_integration"] == 1.0
