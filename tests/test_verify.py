"""Invented numbers are found, written ones are not, and what states nothing is left alone."""

import pytest

from rag.answer.claims import is_refusal
from rag.answer.compare import missing_quantities
from rag.answer.verify import verify
from rag.types import Citation, Hit, Passage, Sentence, Verdict

DRUG = "阿司匹林肠溶片每日一次，每次100毫克，餐前服用，疗程十四天，2024年3月起执行。"
CARE = "患者术后两周到门诊复查伤口，体温超过38.5℃时立即就诊，约百分之三十的患者需换药。"
HITS = (
    Hit(Passage("a", 0, len(DRUG), DRUG), "用药说明（第2版）", 0.9, date="2025-06-01"),
    Hit(Passage("b", 10, 10 + len(CARE), CARE), "出院须知", 0.8),
)
CITATIONS = (
    Citation(1, "a", "用药说明", 0, 12, DRUG[:12]),
    Citation(2, "b", "出院须知", 10, 20, CARE[:10]),
)


def check(text: str, *marks: int) -> Sentence:
    (sentence,) = verify([Sentence(text, marks)], CITATIONS, HITS)
    return sentence


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("阿司匹林每次服用100mg，每天1次。", 1),
        ("疗程为14天。", 1),
        ("术后2周复查伤口。", 2),
        ("30%的患者需要换药。", 2),
        ("用药说明第2版于2025年6月1日更新。", 1),
        ("1. 阿司匹林餐前服用。", 1),
        ("（2）阿司匹林餐前服用。", 1),
    ],
)
def test_supported(text: str, mark: int) -> None:
    assert check(text, mark).verdict is Verdict.SUPPORTED
    assert check(text, mark).mismatches == ()


@pytest.mark.parametrize(
    ("text", "mark", "mismatches"),
    [
        ("阿司匹林每次服用300毫克。", 1, ("300毫克",)),
        ("阿司匹林每日三次，每次100毫克。", 1, ("三次",)),
        ("阿司匹林每次100微克。", 1, ("100微克",)),
        ("疗程为两周。", 1, ("两周",)),
        ("术后14天复查伤口。", 2, ("14天",)),
        ("2025年3月起执行。", 1, ("2025年3月",)),
        ("2024年6月起执行。", 1, ("2024年6月",)),
        ("体温超过39℃、约四成的患者需换药。", 2, ("39℃", "四成")),
        ("每次100~200毫克。", 1, ("100~200毫克",)),
    ],
)
def test_number_mismatch(text: str, mark: int, mismatches: tuple[str, ...]) -> None:
    sentence = check(text, mark)
    assert sentence.verdict is Verdict.NUMBER_MISMATCH
    assert sentence.mismatches == mismatches


def test_number_of_another_passage_does_not_count() -> None:
    assert check("复查时体温超过38.5℃应就诊。", 1).verdict is Verdict.NUMBER_MISMATCH
    assert check("复查时体温超过38.5℃应就诊。", 1, 2).verdict is Verdict.SUPPORTED
    # Without a citation all passages are asked.
    assert check("体温超过38.5℃应立即就诊。").verdict is Verdict.SUPPORTED


def test_sentence_from_elsewhere_is_unsupported() -> None:
    assert check("哮喘发作时应使用支气管扩张剂雾化吸入。", 1).verdict is Verdict.UNSUPPORTED


@pytest.mark.parametrize(
    "text",
    [
        "资料中未找到相关内容。",
        "所给资料没有提到2019年的数据。",
        "关于儿童用量，资料中未说明。",
        "请咨询医师。",
        "以上内容须由医师确认。",
        "具体如下：",
        "综上，",
    ],
)
def test_what_states_nothing(text: str) -> None:
    assert check(text, 1).verdict is Verdict.NOT_A_CLAIM


@pytest.mark.parametrize(
    "text",
    [
        "资料中未提及禁忌，但可服用500毫克。",
        "资料中未提及禁忌但可服用500毫克。",
        "术中未找到出血点，输血800毫升。",
    ],
)
def test_a_refusal_hides_no_claim(text: str) -> None:
    assert check(text, 1).verdict is Verdict.NUMBER_MISMATCH


@pytest.mark.parametrize(
    "text",
    [
        "资料中未找到相关内容。",
        "抱歉，根据所给资料，资料中没有提到该药的价格。",
        "提供的资料未涉及儿童用量，无法回答。建议咨询医师。",
        "未找到相关内容。",
    ],
)
def test_refusal(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "术后两周复查。资料未提及饮食要求。",
        "术后两周复查，资料未提及饮食要求。",
        "请咨询医师。",
        "",
        "检查未找到病灶。",
    ],
)
def test_no_refusal(text: str) -> None:
    assert not is_refusal(text)


def test_year_of_one_date_does_not_vouch_for_the_month_of_another() -> None:
    evidence = ["2024年3月发布，2025年5月实施。"]
    assert missing_quantities("2025年3月", evidence) == ("2025年3月",)
    assert missing_quantities("2024年3月和2025年5月", evidence) == ()
    assert missing_quantities("3月发布", evidence) == ()
    assert missing_quantities("2025年3月5日", ["2025年发布，3月5日实施"]) == ()


def test_citation_whose_passage_is_gone_is_checked_by_its_quote() -> None:
    lost = Citation(1, "x", "旧文档", 0, 9, "每次服用50毫克。")
    (sentence,) = verify([Sentence("每次50毫克。", (1,))], [lost], HITS)
    assert sentence.verdict is Verdict.SUPPORTED


def test_nothing_to_check() -> None:
    assert verify([], (), ()) == ()
    (sentence,) = verify([Sentence("阿司匹林餐前服用。")], (), ())
    assert sentence.verdict is Verdict.UNSUPPORTED
