"""Claims that say more than their passage."""

from pathlib import Path

import pytest

from rag.answer.loops import loop
from rag.answer.overstated import overstated
from rag.answer.verify import check
from rag.sentences import sentence_spans
from rag.types import Verdict
from training.written import FOLDER, written_rows

ROOT = Path(__file__).parent.parent

RULE = "一级和二级事件须在2小时内口头报告，三级和四级鼓励在72小时内自愿填报。科室每月汇总。"
PLAN = "云溪分院计划于2026年建成，目前仍在选址。总院已启用新楼。"


@pytest.mark.parametrize(
    ("claim", "evidence", "words"),
    [
        ("不管几级事件，都要在2小时内报告。", RULE, "不管"),
        ("任何事件都要在2小时内口头报告。", RULE, "任何"),
        ("事件大没大都要口头报告。", RULE, "大没大都"),
        ("午睡会升高血压，这一点已被证实。", "午睡时间长的人血压可能偏高，原因未明。", "被证实"),
        ("云溪分院已建成。", PLAN, "已建"),
    ],
)
def test_a_claim_that_says_more_is_found(claim, evidence, words):
    assert list(overstated(claim, [evidence])) == [words]


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("一级事件须在2小时内口头报告。", RULE),
        ("并非所有事件都要口头报告。", RULE),
        ("任何人不得外借钥匙。", "钥匙一律不外借。"),
        ("这支笔归图书馆所有。", "笔由图书馆收藏。"),
        ("总院已启用新楼。", PLAN),
        ("试验证实该药有效。", "试验表明该药有效。"),
        ("所有职工都要参加培训。", "每名职工须参加培训。"),
        ("会议室已于周一打扫。", "会议室周一打扫。"),
    ],
)
def test_a_claim_that_says_no_more_is_let_through(claim, evidence):
    assert not list(overstated(claim, [evidence]))


def test_the_verdict_names_the_words():
    found = check("不管几级事件，都要在2小时内口头报告。", [RULE])
    assert found.verdict is Verdict.UNSUPPORTED
    assert found.reasons == ("资料没有说“不管”",)


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("医疗器械唯一标识由两部分组成。", "医疗器械标识由两部分组成。"),
        ("腕带是住院患者唯一的身份标识。", "腕带是住院患者唯一的身份标识。"),
        ("患者从来院到溶栓不超过60分钟。", "患者到院至溶栓不超过60分钟。"),
        ("谁也不得代签。", "谁也不得代签。"),
        ("已开封的胰岛素可保存28天。", "胰岛素开封后可保存28天，使用前准备时回温。"),
        ("任何单位和个人不得篡改病历。", "不得隐匿、伪造、篡改病历。"),
    ],
)
def test_true_sentences_of_rules_and_leaflets_are_let_through(claim, evidence):
    assert not list(overstated(claim, [evidence]))


def test_a_word_that_only_looks_like_a_denial_does_not_shield():
    assert list(overstated("非急诊患者一律先挂号。", ["非急诊患者先挂号。"])) == ["一律"]


def test_nothing_that_was_written_contradicts_itself():
    for row in written_rows(ROOT / FOLDER / "written.jsonl")[::4]:
        for start, end in sentence_spans(row.passage):
            sentence = row.passage[start:end]
            assert not list(overstated(sentence, [row.passage])), sentence
            assert not loop(sentence, [row.passage]), sentence
