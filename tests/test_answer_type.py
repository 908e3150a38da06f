"""What a question asks for, against what was found."""

import pytest

from rag.answer.answer_type import lacks_asked_type


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("违反规定要罚多少钱", "深度合成管理规定"),
        ("准确率达到多少", "辅助专病决策"),
        ("这部法规是哪一年发布的", "互联网信息服务"),
        ("备案的服务里有几款是医疗类的", "生成式服务"),
        ("费用下降了百分之几", "付费金额"),
        ("手术什么时候开始", "手术室"),
        ("意见反馈截止到哪一天", "2025年3月"),  # asked for a day
        ("法案从哪天起适用", "2024年3月"),
    ],
)
def test_an_answer_without_the_number_or_time_asked_for(question, found):
    assert lacks_asked_type(question, found)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("违反规定要罚多少钱", "二百元"),
        ("违反规定要罚多少钱", "不收费用"),
        ("这部法规是哪一年发布的", "2022年3月"),
        ("什么时候吃药", "餐后"),
        ("由哪几个部门联合发布", "国家卫生健康委"),  # a list is asked for, not a number
        ("几个部门合力抓的重点是什么", "技术研发"),
        ("追问好几轮，答得了吗", "多轮问询"),
        ("是谁在什么时候发的", "国家卫生健康委"),  # two things at once
        ("这份文件叫什么名字", "参考指引"),
        ("阿卡波糖什么时候吃", "随餐"),
        ("华法林要吃多久", "终身"),
        ("多重耐药菌患者隔离在哪里", "单间病房"),
        ("要注意几点", "保持清洁"),
        ("危急值什么时候报告", "马上"),
        ("统计到哪天", "2024年12月31日"),
        ("法案从哪天起适用", "公布之日"),
        ("哪天复诊", "下周三"),
        ("意见反馈截止到哪天", "2025-03-07"),
    ],
)
def test_what_has_the_form_or_need_not_have_it(question, found):
    assert not lacks_asked_type(question, found)
