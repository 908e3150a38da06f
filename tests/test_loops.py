"""Sentences that say the same words over and over."""

import pytest

from rag.answer.loops import loop
from rag.answer.verify import check
from rag.types import Verdict


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("报销，每人每月10元，每人每月10元。", "每人每月10元"),
        ("目的是减少排班次数，减少排班次数，减少排班次数", "减少排班次数"),
        ("甲市的医疗水平都非常高，所以，甲市的医疗水平都非常高。", "甲市的医疗水平都非常高"),
        ("它是明代修建的，也有人说，它是明代修建的，所以，它是明代修建的。", "它是明代修建的"),
    ],
)
def test_a_loop_is_found(statement, words):
    assert loop(statement) == words


@pytest.mark.parametrize(
    "statement",
    [
        "每日一次，每次一片。",
        "成人每次5mg，每日1次；儿童每次2.5mg，每日1次。",
        "甲院开放40张床，乙院开放40张床。",
    ],
)
def test_a_sentence_with_parallels_is_none(statement):
    assert loop(statement) == ""


def test_a_loop_is_unsupported_whatever_the_passage_says():
    found = check("目的是减少排班次数，减少排班次数。", ["目的是减少排班次数。"])
    assert found.verdict is Verdict.UNSUPPORTED
    assert "反复出现" in found.reasons[0]


@pytest.mark.parametrize(
    "statement",
    [
        "应立即报告值班医师，值班医师应在10分钟内到场。",
        "静脉滴注万古霉素，万古霉素输注时间不少于60分钟。",
        "应取得知情同意书，知情同意书由患者签署。",
        "成人：每日两次，儿童：每日两次，老人：每日两次。",
        "急诊值班电话88888888。",
    ],
)
def test_clauses_that_take_up_a_word_are_none(statement):
    assert loop(statement) == ""


def test_what_the_passage_repeats_may_be_repeated():
    row = "上午，24小时开放，下午，24小时开放，夜间，24小时开放。"
    assert loop(row)
    assert not loop(row, [row])
