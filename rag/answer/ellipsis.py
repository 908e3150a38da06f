"""Questions that need the one before, told from those that stand alone.

Three kinds are told apart: a fragment ("那英国呢？") puts another value or attribute into the last
question; a pronoun ("它的剂量是多少？") stands for what the last turn was about; a question of light
words alone ("什么时候发布的？") lacks its subject. Everything else stands alone and is left as it is:
a question changed wrongly does more harm than one that should have been and was not.

`rag.answer.complete` says what they mean in full.
"""

import re

from rag.answer.light_words import ASKING, content
from rag.answer.slots import NAMES, PLACE, TIME, kind_of, plain, slots

# Longer questions say what they are about.
_LONGEST = 40
_LONGEST_FRAGMENT = 16
MARKS = re.compile(r"[\s?？。.!！,，~…]+$")
LEAD = re.compile(
    "^(?:(?:那么?|哦|嗯|好的?|请问|另外|再问一?下|换成|换做|换|如果(?:是|换成)?|假如(?:是)?|要是|若是?|至于|关于|对于?|针对"
    "|而|同样|轮到|到了?)[,，、]?)+"
)
POLITE = re.compile("^(?:(?:那么?|哦|嗯|好的?|请问|另外|再问一?下)[,，、]?)+")
_THING = (
    "药物|药品|药|疫苗|文件|法案|法规|法|条例|指南|指引|政策|规划|框架|模型|系统|方案|手术|检查|机构|产品|疾病|病|标准"
    "|报告|平台|软件|设备|技术|制度|术语|疗法|措施|项目|工具"
)
_THIS = "这个|这种|这类|这款|这项|这部|这份|这篇|这家|那个|那种|那类|那款|那项|那部|那份|该|此"
# What follows 他 in the names of drugs (他汀, 他克莫司).
_DRUG = "(?![汀克莫达巴啶滨扎唑福])"
_PRONOUN = re.compile(
    "(?P<order>前者|后者|(?<![最之以])[前后]一[个种项款])"
    "|(?P<country>(?:该|这个)(?:国家?|地区))"
    f"|(?P<thing>(?<!应)(?<!活)(?<![因如从彼])(?:{_THIS})(?:{_THING}))"
    "|(?P<many>这些|那些|上述|上面(?:说的|提到的|这些)|前面(?:说的|提到的)|刚才(?:说的|提到的)?|刚刚(?:说的|提到的)"
    "|[这那][两几三四五](?![年天周月日次]|个月|个?小时)|以上这些|两者|二者|这里面|其中(?=哪|的|有)|^(?:其中|里面))"
    "|(?P<plain>(?<!其)它们?|(?:他|她)们|(?:^|(?<=[，,、让由是和跟叫被把向为给对]))[他她]"
    + _DRUG
    + ")"
    "|(?P<bare>^(?:那么?)?(?:这(?=[是有能可会要算样为怎对在安])|这(?:个|种|类)(?=是|有|能|可|会|要|怎|的)))"
    "|(?P<loose>这(?:个|种|一)(?:数字|数据|比例|结果|说法|结论|情况|问题|答案|意思|做法|时间|日期|规定|要求|特征|特点|原因|病例))"
)
# 利伐沙班需要吗, 电子病历也一样吗: the predicate is the last question's.
_ALSO = re.compile(
    "(?P<value>.{2,12}?)(?:也|同样|都)?(?:是)?(?:需要|可以|要|能|行|会|可|适用|一样|这样|如此)(?:这样|如此)?(?:吗|么|不)$"
)
_WITH = re.compile(
    "^(?:还|也)?(?:可以|能不能|可不可以|能否|能|可|不能)(?:和|跟|与|同).{1,12}(?:一起|同时|合用|联用|混合|并用)"
)
# Said to the assistant, about nothing that was asked.
_SMALL_TALK = re.compile(
    "(?:好的?|嗯|哦|对的?|是的?|行|可以|没有?了?|不用了?|谢|多|知道了?|明白了?|了解了?|收到|再见|你好|您好|[,，、吧啊呀哈\\s])+"
    "|[你您](?:是谁|是什么|叫什么|能做|会做|可以做|能干|会什么|有什么功能|好).*"
)


def depends(question: str) -> bool:
    """Whether a question cannot be understood without the one before it."""
    text = plain(question)
    bare = MARKS.sub("", text)
    if not bare or len(bare) > _LONGEST or _SMALL_TALK.fullmatch(bare):
        return False
    if fragment_of(text) is not None or pronoun_of(bare) is not None:
        return True
    if _WITH.match(LEAD.sub("", bare)):
        return True
    if content(LEAD.sub("", bare)) or _is_definition(bare):
        return False
    # "新加坡1974年公布了什么文件？" says enough.
    kinds = {slot.kind for slot in slots(bare)}
    return not kinds.issuperset((PLACE, TIME)) or LEAD.match(bare) is not None


def fragment_of(text: str) -> str | None:
    """What a fragment asks about ("" in "还有呢"), None for a whole question."""
    bare = MARKS.sub("", text)
    value = LEAD.sub("", bare)
    if bare.endswith("呢"):
        value = value.removesuffix("呢").strip()
        if pronoun_of(value) is None:
            value = value.removesuffix("的")
            is_short = len(value) <= _LONGEST_FRAGMENT and not ASKING.search(value)
            return value if is_short else None
        return value if re.fullmatch(f"(?:{_PRONOUN.pattern})(?:的.*)?", value) else None
    also = _ALSO.match(value)
    if also and content(also["value"] + "，") and not ASKING.search(also["value"]):
        is_bare = pronoun_of(also["value"]) is None
        return also["value"] if is_bare else None
    kind = kind_of(value)
    is_value = kind is not None and (kind not in NAMES or value != bare)
    return value if is_value else None


def pronoun_of(text: str) -> re.Match[str] | None:
    """The pronoun that stands for something outside of ``text``."""
    for match in _PRONOUN.finditer(text):
        ahead = LEAD.sub("", text[: match.start()])
        is_named = any(slot.end == match.start() for slot in slots(text))
        if ahead and (is_named or re.search(r"\d\S{0,4}$", ahead)):
            return None  # 加拿大那份报告, 700余家这个数字
        if len(content(ahead, persons=match.lastgroup == "plain" and match[0][0] in "他她")) < 2:
            return match
        return None
    return None


def _is_definition(text: str) -> bool:
    """Whether it asks what a word means ("什么是剂量"), which needs no subject."""
    defined = re.search(
        "^(?:什么是|什么叫|何谓|何为)(.{2,})|^([^是，, ]{2,})(?:是什么意思|指的是什么|是指什么)$",
        text,
    )
    return defined is not None and kind_of(defined[1] or defined[2]) is None
