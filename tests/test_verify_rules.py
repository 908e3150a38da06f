"""What is compared literally: bounds, rates, what a number is said of, denials, names."""

import pytest

from rag.answer.claims import claims
from rag.answer.names import missing_names
from rag.answer.polarity import contradictions
from rag.answer.verify import check
from rag.types import Verdict

PASSAGE = (
    "降压药物管理。缬沙坦胶囊起始剂量为每次80mg，每日1次，餐前餐后均可；硝苯地平控释片每次30mg，"
    "每日1次，须整片吞服，不得嚼碎。收缩压低于90mmHg时暂停给药并报告医师。妊娠患者禁用缬沙坦。"
    "用药后2周内复查血钾，目标血压不超过140/90mmHg。药品存放于2~8℃的冷藏柜，每月盘点2次，"
    "由药学部抽查，合格率不低于95%。65岁及以上患者起始剂量减半。"
)


def verdict(claim: str) -> Verdict:
    return check(claim, [PASSAGE]).verdict


@pytest.mark.parametrize(
    "claim",
    [
        "缬沙坦胶囊每次80毫克，一日一次。",
        "缬沙坦的起始剂量是80mg/次，1次/日。",
        "硝苯地平控释片每次用三十毫克，一天1次。",
        "收缩压不足90mmHg时应暂停给药。",
        "合格率至少应达到百分之九十五。",
        "血压目标最高不超过140/90mmHg。",
        "药品放在2至8摄氏度的冷藏柜，一个月盘点两次。",
        "满65岁的患者，起始剂量要减半。",
        "孕妇不能用缬沙坦。",
        "硝苯地平控释片不可嚼碎，要整片吞服。",
        "嚼碎硝苯地平控释片是不允许的。",
        "用药两周内要复查血钾。",
        "缬沙坦每次80mg，硝苯地平每次30mg。",
        "硝苯地平控释片每次30mg，缬沙坦胶囊每次80mg。",
        "孕婦禁用纈沙坦。",
    ],
)
def test_said_otherwise_and_still_true(claim: str) -> None:
    assert verdict(claim) is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("claim", "wrong"),
    [
        ("缬沙坦胶囊每次160mg。", "160mg"),
        ("缬沙坦胶囊每次80μg。", "80μg"),
        ("缬沙坦胶囊每日3次。", "3次"),
        ("缬沙坦胶囊每次80mg，每周1次。", "1次"),
        ("药品存放于2~10℃的冷藏柜。", "2~10℃"),
        ("用药后14天内复查血钾。", "14天"),
        ("缬沙坦胶囊起始剂量为每次30mg。", "30mg"),
        ("硝苯地平控释片每次80mg。", "80mg"),
        ("收缩压高于90mmHg时暂停给药。", "90mmhg"),
        ("合格率不超过95%。", "95%"),
        ("65岁以下患者起始剂量减半。", "65岁"),
        ("药品存放于零下2℃的冷藏柜。", "2℃"),
        ("药品每周盘点2次。", "2次"),
    ],
)
def test_wrong_quantities(claim: str, wrong: str) -> None:
    found = check(claim, [PASSAGE])
    assert found.verdict is Verdict.NUMBER_MISMATCH
    assert wrong in [text.lower() for text in found.mismatches]
    assert wrong in found.reasons[0].lower()


@pytest.mark.parametrize(
    "claim",
    [
        "硝苯地平控释片可以嚼碎。",
        "妊娠患者可使用缬沙坦。",
        "收缩压低于90mmHg时不必暂停给药。",
        "缬沙坦胶囊须在餐前服用，硝苯地平控释片无须整片吞服。",
    ],
)
def test_denials_turned_round(claim: str) -> None:
    found = check(claim, [PASSAGE])
    assert found.verdict is Verdict.UNSUPPORTED
    assert found.reasons[0].startswith("资料写的是“")


@pytest.mark.parametrize(
    ("claim", "name"),
    [
        ("由护理部抽查，合格率不低于95%。", "护理部"),
        ("用药后2周内复查血钠。", "血钠"),
        ("氨氯地平每次30mg，每日1次。", "氯地平"),
        ("妊娠患者禁用Valsartan。", "valsartan"),
        ("按照《处方管理办法》，妊娠患者禁用缬沙坦。", "处方管理办法"),
        ("上海的妊娠患者禁用缬沙坦。", "上海"),
    ],
)
def test_names_that_no_passage_holds(claim: str, name: str) -> None:
    found = check(claim, [PASSAGE])
    assert found.verdict is Verdict.UNSUPPORTED
    assert f"“{name}”" in found.reasons[0]


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("该药有不良反应。", "该药常见不良反应为头痛。"),
        ("操作须无菌。", "全程须保持无菌操作。"),
        ("可用非甾体抗炎药。", "疼痛时可用非甾体抗炎药止痛。"),
        ("未成年患者由监护人陪同。", "未成年患者须由监护人陪同就诊。"),
        ("术前禁食8小时。", "术前须禁食8小时。"),
        ("不锈钢器械可以高压灭菌。", "不锈钢器械可高压灭菌。"),
        ("不得不停药。", "必须停药。"),
        ("无不良反应者可以继续用药。", "没有不良反应者可继续用药。"),
        ("酒精擦浴也不采用。", "不用酒精擦浴降温。"),
        ("现场挂号不受影响。", "爽约不影响现场挂号。"),
        ("并非所有患者都要停药。", "并非所有患者均需停药。"),
        ("经审批才能使用。", "经审批后方可使用。"),
        ("人工审核照样要做。", "不取消人工审核。"),
    ],
)
def test_terms_and_turns_of_phrase_deny_nothing(claim: str, passage: str) -> None:
    assert list(contradictions(claim, [passage])) == []


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("节假日值班表于节后5天备案。", "节假日值班表于节前5天备案。"),
        ("血压下降时加量。", "血压升高时加量。"),
        ("儿童可使用该药。", "儿童禁用该药。"),
        ("患者术后避免提重物，可以热敷。", "患者术后避免提重物，不得热敷。"),
        ("标本可再次冷冻。", "标本不可再次冷冻。"),
        ("高浓度氧疗适用于该患者。", "低浓度氧疗适用于该患者。"),
        ("手术之前12小时给药。", "术后12小时给药。"),
        ("只有双人操作时才须核对标签。", "操作时须核对标签，双人或单人均可。"),
        ("门诊也能开具该药。", "门诊不得开具该药。"),
    ],
)
def test_contradictions(claim: str, passage: str) -> None:
    assert list(contradictions(claim, [passage]))


def test_a_clause_that_another_one_affirms_is_no_contradiction() -> None:
    passage = "普通患者可以骑车。术后6周内不得骑车。"
    assert list(contradictions("患者可以骑车。", [passage])) == []


@pytest.mark.parametrize(
    "claim",
    [
        "由药学部每月盘点。",
        "由该部门抽查。",
        "血钾要复查。",
        "病人可以去看医生。",
        "这样做的好处是安全。",
    ],
)
def test_no_name_is_missing(claim: str) -> None:
    assert missing_names(claim, [PASSAGE]) == ()


# Claims


def test_a_fragment_in_a_list_is_read_with_its_opening_line() -> None:
    first, second, third = claims(["缬沙坦的禁忌包括：", "- 妊娠", "- 双侧肾动脉狭窄者，须停药。"])
    assert first.statement == ""
    assert (second.statement, second.lead) == ("缬沙坦的禁忌包括：妊娠", 0)
    assert (third.statement, third.lead) == ("双侧肾动脉狭窄者，须停药。", 0)


@pytest.mark.parametrize("opening", ["主要有以下两点：", "须注意的有2项："])
def test_an_opening_line_may_count_its_items(opening: str) -> None:
    assert claims([opening, "1. 餐前服用。", "2. 不得嚼碎。"])[0].statement == ""
    assert claims([opening, "1. 餐前服用。"])[0].statement == opening


def test_a_table_row_is_read_with_the_heads_of_its_columns() -> None:
    rows = ["| 药品 | 剂量 |", "|---|:-:|", "| 缬沙坦 | **80mg** |", "结束语说明停药时间。"]
    head, rule, row, sentence = claims(rows)
    assert (head.statement, rule.statement) == ("", "")
    assert (row.statement, row.lead) == ("药品：缬沙坦，剂量：80mg。", 0)
    assert (sentence.statement, sentence.lead) == ("结束语说明停药时间。", None)
