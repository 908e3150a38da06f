"""Documents that disagree, and questions that disagree with the documents."""

import pytest

from rag.answer.conflicts import (
    conflict_notice,
    conflicts,
    contradicted_premises,
    premise_notice,
)
from rag.types import Hit, Passage


def hit(document: str, text: str, date: str = "") -> Hit:
    return Hit(Passage(document, 0, len(text), text), f"{document}通知", 0.9, date=date)


BEDS_OLD = hit("甲", "门诊大厅开放时间调整。全院编制床位共800张，另设日间病床。", "2023-05-01")
BEDS_NEW = hit("乙", "全院编制床位共950张。", "2025-02-01")


@pytest.mark.parametrize("passages", [(BEDS_OLD, BEDS_NEW), (BEDS_NEW, BEDS_OLD)])
def test_the_newer_document_comes_first(passages: tuple[Hit, Hit]) -> None:
    (conflict,) = conflicts(passages)
    assert (conflict.newer.quantity, conflict.older.quantity) == ("950张", "800张")
    assert conflict.newer.sentence == "全院编制床位共950张。"
    assert conflict_notice(conflict) == (
        "资料之间说法不一：《乙通知》（2025-02-01）写的是 950张，《甲通知》（2023-05-01）写的是 800张；"
        "以较新的资料为准，并请核对原文。"
    )


def test_a_document_without_a_date_comes_last_and_none_is_called_newer() -> None:
    undated = hit("丙", "全院编制床位共900张。")
    (conflict,) = conflicts([undated, BEDS_NEW])
    assert conflict.older.hit is undated
    other = hit("丁", "全院编制床位共850张。")
    (both,) = conflicts([undated, other])
    assert "较新" not in conflict_notice(both)
    assert "（无日期）" in conflict_notice(both)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("全院编制床位共800张。", "全院编制床位共800张。"),
        ("全院编制床位共800张。", "全院编制床位共八百张。"),
        ("全院编制床位共800张。", "儿科每月门诊量约800人次。"),
        ("成人每次口服10毫克。", "儿童每公斤体重口服10毫克。"),
        ("住院病历保存不少于30年。", "门诊病历保存不少于15年，住院病历保存不少于30年。"),
        ("一级预警须在400毫升时启动。", "三级预警须在1500毫升时启动，并呼叫院领导。"),
    ],
)
def test_no_conflict(one: str, other: str) -> None:
    assert conflicts([hit("甲", one, "2024"), hit("乙", other, "2025")]) == ()


def test_one_document_does_not_disagree_with_itself() -> None:
    text = "全院编制床位共800张。"
    again = "全院编制床位共950张。"
    passages = [hit("甲", text), Hit(Passage("甲", 40, 40 + len(again), again), "甲通知", 0.8)]
    assert conflicts(passages) == ()


MODELS = hit(
    "备案", "截至2024年底，共有302款生成式人工智能服务完成备案，其中医疗类较少。", "2025-01-08"
)


@pytest.mark.parametrize(
    ("question", "asked", "found"),
    [
        ("为什么有500款生成式人工智能服务完成备案？", "500款", "302款"),
        ("完成备案的500款生成式人工智能服务里有多少医疗类？", "500款", "302款"),
        ("截至2024年底，完成备案的生成式人工智能服务是三百款吗？", "三百款", "302款"),
    ],
)
def test_a_contradicted_number_gets_what_the_documents_say(
    question: str, asked: str, found: str
) -> None:
    (premise,) = contradicted_premises(question, [BEDS_NEW, MODELS])
    assert (premise.asked, premise.found.quantity) == (asked, found)
    notice = premise_notice(premise)
    assert notice.startswith(
        f"问题中的 {asked} 与资料不符，《备案通知》（2025-01-08）写的是 {found}"
    )
    assert premise.found.sentence in notice


@pytest.mark.parametrize(
    "question",
    [
        "302款生成式人工智能服务是什么时候完成备案的？",
        "三百零二款生成式人工智能服务完成备案了吗？",
        "生成式人工智能服务有多少款完成备案？",
        "500款手术器械怎样消毒？",
        "体温超过39℃怎么办？",
        "DeepSeek-V3 有哪些用处？",
        "完成备案的生成式人工智能服务 Llama 3 参数有多少？",
    ],
)
def test_a_question_is_left_alone(question: str) -> None:
    assert contradicted_premises(question, [BEDS_NEW, MODELS]) == ()
