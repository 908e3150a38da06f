"""Repair of GBK text read one byte late: damage own sentences in both ways, repair them."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.ingest.byte_shift import repair_byte_shifts
from rag.ingest.fluency import chinese, simplify
from rag.offsets import apply

SENTENCES = [
    "患者入院后立即完成血常规检查，结果提示白细胞明显升高。",
    "医生建议每天按时服药，并在三个月后复查肝功能和肾功能。",
    "手术结束后护士会定时测量体温和血压，发现异常马上报告。",
    "这项研究说明，合理饮食和适当运动能够降低糖尿病的风险。",
    "对青霉素过敏的病人不能使用这种药物，应当选择其他抗生素。",
    "新生儿出生以后需要尽快接种疫苗，家长应当保存接种记录。",
    "人工智能可以帮助医生阅读影像，但最后的诊断仍由医生作出。",
    "医院信息系统必须每天备份数据，备份文件保存在另一个地点。",
    "老年人服用多种药物时容易出现不良反应，要注意观察和随访。",
    "发热病人先到预检分诊台登记，再由工作人员引导到发热门诊。",
    "如果胸痛持续超过十五分钟，应当立即拨打急救电话寻求帮助。",
    "本指南适用于各级医疗机构，由国家卫生健康部门负责解释。",
]
TRADITIONAL = [
    "病人出院後應當按時服藥，並且每個月到門診複查一次。",
    "這種藥物對於腎功能不全的患者需要減少劑量，並觀察反應。",
    "醫療機構應當建立完善的數據管理制度，確保信息安全。",
    "護士發現異常情況時，必須馬上報告醫生並詳細記錄過程。",
]


def damage(text, position, mark):
    """``text`` with the first GBK byte of the character at ``position`` lost, read to its end."""
    code = text[position:].encode("gbk")[1:]
    misread, index = "", 0
    while index < len(code):
        pair = code[index : index + 2]
        if pair[0] < 0x80:
            misread += chr(pair[0])
            index += 1
        elif len(pair) == 2 and pair[1] >= 0x40 and pair[1] != 0x7F:
            misread += pair.decode("gb18030")
            index += 2
        else:
            misread += "?"
            index += 1
    return text[:position] + mark + misread


def repair(text):
    return apply(text, repair_byte_shifts(text))[0]


def same_but_for_lost_characters(repaired, text):
    """Whether only characters that lost a byte are open, at most one at each end of the run."""
    return (
        len(repaired) == len(text)
        and repaired.count("\ufffd") <= 2
        and all(a in (b, "\ufffd") for a, b in zip(repaired, text, strict=True))
    )


@pytest.mark.parametrize(("mark", "floor"), [("?", 0.9), ("\ufffd", 0.9), ("", 0.8)])
def test_most_damage_is_repaired_and_little_is_repaired_wrongly(mark, floor):
    chance = random.Random(7)
    good = wrong = total = 0
    for text in SENTENCES:
        for position in chance.sample(range(1, len(text) - 5), 8):
            damaged = damage(text, position, mark)
            repaired = repair(damaged)
            total += 1
            if same_but_for_lost_characters(repaired, text):
                good += 1
            elif repaired != damaged:
                wrong += 1
    assert good / total >= floor
    assert wrong / total <= 0.05


@settings(deadline=None)
@given(st.sampled_from(SENTENCES + TRADITIONAL), st.sampled_from(SENTENCES + TRADITIONAL))
def test_undamaged_text_is_never_altered(first, second):
    for between in ("", "\n", "?", "?!", "1,000", "(AIGC)", "\ufffd"):
        assert repair_byte_shifts(first + between + second) == []


@pytest.mark.parametrize(
    "text",
    [
        "嘌呤、嘧啶、噻嗪、哌啶与吡啶类药物",
        "癫痫、痤疮、荨麻疹、蛲虫与疥疮",
        "饕餮、魑魅魍魉、龃龉、踟蹰",
        "真的?我不知道。为什么?因为没有!",
        "αβγδεζηθ与ξψω",
        "レントゲン検査は必要です",
        "┌──┬──┐│甲│乙│└──┴──┘",
        "①②③④⑤⑥⑦⑧",
        "ГОСТ Р 52249",
    ],
)
def test_rare_but_real_text_is_never_altered(text):
    assert repair_byte_shifts(text) == []


def test_a_gloss_remnant_says_which_byte_is_missing():
    # Two neighbours, the second of whose first byte a gloss for 驅 swallowed.
    text = "夠對未見過的情況"
    code = text.encode("gbk")
    assert code[1:3].decode("gbk") == "驅"
    damaged = "能夠?qū)" + code[3:10].decode("gbk") + text[5:]
    assert repair(damaged) == "能" + text


def test_a_run_may_hold_full_width_marks_made_half_width():
    text = "他说不会复发。”患者表示同意"
    position = text.index("。")
    damaged = damage(text, position, "?").replace("！", "!")
    assert "!" in damaged
    repaired = repair(damaged)
    assert repaired.startswith("他说不会复发。”患者表示同")


def test_two_damaged_lines_are_repaired_apart():
    first, second = SENTENCES[0], SENTENCES[1]
    damaged = damage(first, 5, "?") + "\n" + damage(second, 9, "?")
    repaired = repair(damaged).split("\n")
    assert same_but_for_lost_characters(repaired[0], first)
    assert same_but_for_lost_characters(repaired[1], second)


def test_what_cannot_be_told_is_left_alone():
    for text in ("非??卿", "三?", "?", "啊?吧", "价格?元"):
        assert repair_byte_shifts(text) == []


def test_the_model_prefers_chinese_to_a_misreading():
    model = chinese()
    for text in SENTENCES:
        assert model.score(text) > model.score(damage(text, 0, ""))


@given(st.text(max_size=30))
def test_simplifying_by_character_keeps_the_length(text):
    assert len(simplify(text)) == len(text)
