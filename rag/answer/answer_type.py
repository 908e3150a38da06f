"""Does what was found have the form that the question asks for: a number, a point in time?

"罚多少钱" is not answered by 《深度合成管理规定》, nor "截止到哪一天" by 2025年3月. The reader always finds
some span; one without a digit or a numeral, where a number is asked for, tells that there is none
in the passage.

Not covered: questions for persons, places or bodies, whether the number counts what was asked for,
and questions for two things at once (谁在什么时候), which are let through.
"""

import re

_COUNTED = "款例岁天次月年片分成亿万元台张粒支毫克米周倍级度期页章条楼层床间厘"  # 几 before these asks for a number
_NUMBER = re.compile(
    rf"多少|多(?:[长久大高远快深宽]|重(?!耐药|用药|感染|病|器官))|百分之几|(?<![哪好十])几(?:个(?:小时|月|星期|百分点)|小时|分钟|[{_COUNTED}])"
)
_TIME = re.compile(
    "哪一?[年天日]|哪个?月|何时|什么时[候间]|啥时候|几时|几月|几号(?!楼|线|院)|(?<!意)几点(?!建议|要求|意见|看法)"
)
_OTHER = re.compile(
    "谁|为什么|为何|怎么|如何|哪些|哪几|哪家|哪里|哪种|何处|何种|哪位|哪个(?!月)|是否|吗|什么(?!时)"
)
_NUMERAL = re.compile(
    "[0-9零一二三四五六七八九十百千万亿两半全无每]|没有|免费|自费|终身|永久|长期|立即|隔日|不[限收设]"
)
_DATE = re.compile(
    "[0-9一二三四五六七八九十〇零][年月日号点时:世周]|[0-9]{4}|星期|周[一二三四五六日末]|每[日天周月年]|"
    "[年月日天时周]|[前后]|世纪|上午|下午|晚|早|凌晨|期间|立即|马上|尽快|即刻|当|餐|空腹|术中|睡|[0-9]h|[<>≥≤]"
)
_DAY = re.compile("哪一?[天日]|几月几[日号]|[月年]几号")
_DAY_GIVEN = re.compile(r"[日号天周]|星期|[前后当]|月[初中底末]|\d[-./]\d")


def lacks_asked_type(question: str, found: str) -> bool:
    """Whether ``question`` asks for a number or a time and ``found`` holds none; simplified text."""
    if _OTHER.search(question):
        return False
    if _DAY.search(question):
        return not _DAY_GIVEN.search(found)
    if _TIME.search(question):
        return not _DATE.search(found)
    return bool(_NUMBER.search(question)) and not _NUMERAL.search(found)
