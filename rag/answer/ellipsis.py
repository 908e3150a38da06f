"""Questions that need the one before, and what they mean in full, by rule.

Three kinds are told apart: a fragment ("那英国呢？") puts another value or attribute into the last
question; a pronoun ("它的剂量是多少？") stands for what the last turn was about; a question of light
words alone ("什么时候发布的？") lacks its subject. Everything else stands alone and is left as it is:
a question changed wrongly does more harm than one that should have been and was not.

Where the last question has no place for what is asked, both are kept, one behind the other.
"""

import re
from collections.abc import Sequence

from rag.answer.light_words import ASKING, ATTRIBUTE_END, ATTRIBUTE_START, BODY_END, content
from rag.answer.slots import (
    GROUP,
    NAMES,
    ORDINAL,
    PLACE,
    TIME,
    kind_of,
    named,
    place_of,
    plain,
    slots,
    swapped,
)
from rag.answer.subject import Turn, antecedent, owners, pair, stem, subject

# Longer questions say what they are about.
_LONGEST = 40
_LONGEST_FRAGMENT = 16
_MARKS = re.compile(r"[\s?？。.!！,，~…]+$")
_LEAD = re.compile(
    "^(?:(?:那么?|哦|嗯|好的?|请问|另外|再问一?下|换成|换做|换|如果(?:是|换成)?|假如(?:是)?|要是|若是?|至于|关于|对于?|针对"
    "|而|同样|轮到|到了?)[,，、]?)+"
)
_POLITE = re.compile("^(?:(?:那么?|哦|嗯|好的?|请问|另外|再问一?下)[,，、]?)+")
_CONDITION = re.compile("^(?:那么?)?(?:如果|假如|要是|若|万一)")
_MORE = re.compile("(?:还有|其[他它]|别的|另外|剩下|其余|更多|除此)")
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
    "|[这那][两几三四五](?![年天周月日次]|个月|个?小时)|以上这些|两者|二者|这里面|其中(?=哪|的|有))"
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
# A value that says when or on which condition changes no subject.
_WHEN = re.compile("(?:以后|之后|之前|以前|期间|过程中|时候|[后前时中])$")
_IF = re.compile("超过|大于|小于|低于|高于|不足|不到|已经|没有|没|[了过]$|不")
_OUTLINE = re.compile("第[0-9一二两三四五六七八九十]+")
_STARTS_PREDICATE = re.compile(
    "什么时候|是|有|能|可|要|需|应|会|怎|如何|在|由|多久|多少|何时|哪|一[天日次]|每|属于|包|分|适|安全|贵|为|对|必须"
)
# What is asked of the whole last question and not of its subject.
_WHY = re.compile(
    "^(?:这|那|具体|详细|应该|请)*是?(?:为什么|为何|为啥|凭什么|怎么回事|什么原因|怎么[做办]|如何做|举|展开|继续|说明|解释|总结"
    "|真的|确定|[吗吧]|$)"
)


def depends(question: str) -> bool:
    """Whether a question cannot be understood without the one before it."""
    text = plain(question)
    bare = _MARKS.sub("", text)
    if not bare or len(bare) > _LONGEST:
        return False
    if _fragment(text) is not None or _pronoun(bare) is not None:
        return True
    if _WITH.match(_LEAD.sub("", bare)):
        return True
    if content(_LEAD.sub("", bare)) or _is_definition(bare):
        return False
    # "新加坡1974年公布了什么文件？" says enough.
    kinds = {slot.kind for slot in slots(bare)}
    return not kinds.issuperset((PLACE, TIME)) or _LEAD.match(bare) is not None


def rewritten(question: str, turns: Sequence[Turn]) -> str:
    """The question in full, ``question`` itself where it stands alone or nothing precedes it."""
    if not turns or not depends(question):
        return question
    text = plain(question)
    last = turns[-1]
    before = plain(last.question)
    fragment = _fragment(text)
    full: str | None
    if fragment is not None:
        full = _complete(fragment, text, before, turns)
    else:
        bare = _MARKS.sub("", text)
        pronoun = _pronoun(bare)
        full = (
            _resolve(bare, pronoun, before, turns)
            if pronoun is not None
            else _supply(_POLITE.sub("", bare) or bare, before, turns)
        )
    return (full or _together(text, before)) if stem(before) else question


def _fragment(text: str) -> str | None:
    """What a fragment asks about ("" in "还有呢"), None for a whole question."""
    bare = _MARKS.sub("", text)
    value = _LEAD.sub("", bare)
    if bare.endswith("呢"):
        value = value.removesuffix("呢").strip()
        if _pronoun(value) is None:
            is_short = len(value) <= _LONGEST_FRAGMENT and not ASKING.search(value)
            return value if is_short else None
        return value if re.fullmatch(f"(?:{_PRONOUN.pattern})(?:的.*)?", value) else None
    also = _ALSO.match(value)
    if also and content(also["value"] + "，") and not ASKING.search(also["value"]):
        is_bare = _pronoun(also["value"]) is None
        return also["value"] if is_bare else None
    kind = kind_of(value)
    is_value = kind is not None and (kind not in NAMES or value != bare)
    return value if is_value else None


def _pronoun(text: str) -> re.Match[str] | None:
    """The pronoun that stands for something outside of ``text``."""
    for match in _PRONOUN.finditer(text):
        ahead = _LEAD.sub("", text[: match.start()])
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


def _together(text: str, before: str) -> str:
    return f"{stem(before)}？{_MARKS.sub('', text)}？"


def _complete(value: str, text: str, before: str, turns: Sequence[Turn]) -> str:
    """The last question about ``value`` instead."""
    pronoun = _pronoun(value)
    if pronoun is not None:
        if pronoun[0] == value and pronoun.lastgroup != "plain":
            return _together(text, before)  # "后者呢" behind a comparison has nothing to swap
        resolved = _resolve(value, pronoun, before, turns)
        if resolved is None:
            return _together(text, before)
        resolved = _MARKS.sub("", resolved)
        is_attribute = value[pronoun.end() :].startswith("的")
        return _asked(resolved) if is_attribute else _about(resolved, before)
    if not value or (_MORE.match(value) and kind_of(value) is None):
        return _together(text, before)
    topic = stem(before)
    kind = kind_of(value)
    if kind is not None:
        exchanged = swapped(topic, value, kind)
        if exchanged is not None:
            return f"{exchanged}？"
        if place_of(kind, topic) is None and any(s.kind == kind for s in slots(topic)):
            return _together(text, before)  # several values: which one is meant is not said
        if kind == GROUP:
            return f"{value}，{topic}？" if len(value) > 4 else f"{value}{topic}？"
        if kind in (PLACE, TIME):
            return f"{value}，{topic}？"
        if kind not in NAMES:
            return _together(text, before)
    elif _CONDITION.search(text) or _IF.search(value):
        return f"{topic}，{_MARKS.sub('', text)}？"
    elif _WHEN.search(value) and content(value) and _alike(topic, value) is None:
        return _when(value, topic)
    if ATTRIBUTE_END.search(value) and not BODY_END.search(value):
        owner = antecedent(turns)
        ending = ATTRIBUTE_END.search(value)
        prefix = value[: ending.start()] if ending else ""
        if content(prefix) and "的" in value:
            return _asked(value)  # an attribute with its own subject
        return _asked(f"{owner}的{value}") if owner else _together(text, before)
    return _about(value, before)


def _when(value: str, topic: str) -> str:
    """The last question at another time: 输液过程中 for 输液前, else ahead of it."""
    start = topic.find(value[:2])
    end = re.compile("(?:以|之)?[后前时中]").search(topic, max(start, 0))
    if start >= 0 and end is not None and end.end() - start <= len(value) + 2:
        return f"{topic[:start]}{value}{topic[end.end() :]}？"
    return f"{value}，{topic}？"


def _about(value: str, before: str) -> str:
    """The last question with ``value`` as its subject."""
    topic = stem(before)
    alike = _alike(topic, value)
    if alike is not None:
        return f"{topic[: alike[0]]}{value}{topic[alike[1] :]}？"
    old = subject(before)
    said = re.sub("[是有的]", "", ASKING.sub("", topic.replace(old, "", 1)))
    if not said and not topic.startswith("什么"):
        return f"{topic}？{value}呢？"
    if old and old != value and topic.count(old) == 1 and len(old) <= 10:
        return f"{topic.replace(old, value)}？"
    return f"{topic}？{value}呢？"


def _alike(topic: str, value: str) -> tuple[int, int] | None:
    """The phrase of ``topic`` with the head of ``value``: 门诊病历 for 住院病历."""
    for length in (4, 3, 2):
        head = value[-length:]
        if len(value) < length or topic.count(head) != 1:
            continue
        end = topic.index(head) + length
        start = end - length
        most = max(len(value) - length, 1)
        while start and end - length - start < most and _belongs(topic[start - 1]):
            start -= 1
        if 0 < start <= 2 and all(map(_belongs, topic[:start])):
            start = 0
        in_title = topic.rfind("《", 0, start) > topic.rfind("》", 0, start)
        if not in_title and topic[start:end] != value and value not in topic:
            return start, end
    return None


def _belongs(character: str) -> bool:
    return character not in "的了在对用是和与及或有要吃打做把被给为，、：；“”（）《》 "


def _asked(phrase: str) -> str:
    """A question for an attribute: 剂量 is how much, 副作用 are which."""
    if re.search(
        "(?:量|数|人数|规模|比例|占比|率|价格|费用|浓度|温度|速度|期限|疗程|有效期)$", phrase
    ):
        return f"{phrase}是多少？"
    if re.search("(?:时间|日期)$", phrase):
        return f"{phrase}是什么时候？"
    if re.search(
        "(?:反应|作用|禁忌[症证]?|事项|特[征点]|[优缺]点|要求|措施|步骤|条件|类型|种类|风险|症状|表现)$",
        phrase,
    ):
        return f"{phrase}有哪些？"
    return f"{phrase}是什么？"


def _resolve(text: str, pronoun: re.Match[str], before: str, turns: Sequence[Turn]) -> str | None:
    """``text`` with its pronoun replaced, None where what it stands for is not clear."""
    kind, name = pronoun.lastgroup, ""
    if kind == "order":
        both = pair(before)
        name = "" if both is None else both[0 if pronoun[0][0] == "前" else 1]
    elif kind == "country":
        name = owners(turns)
    elif kind == "plain" and pronoun[0][-1] == "们" and pair(before):
        name = "和".join(pair(before) or ())
    elif kind in ("thing", "plain", "bare"):
        name = antecedent(turns)
        if not name and pronoun[0][0] in "他她":
            groups = named(before, (GROUP,))
            name = groups[0] if len(groups) == 1 else ""
    if not name:
        return None
    rest = text[pronoun.end() :]
    opening = _POLITE.match(text[: pronoun.start()])
    start = opening.end() if opening and kind != "bare" else 0
    ahead = "" if kind == "bare" else text[start : pronoun.start()]
    if kind == "thing" and rest.startswith("的的"):
        rest = rest[1:]
    return f"{ahead}{name}{rest}？"


def _supply(text: str, before: str, turns: Sequence[Turn]) -> str | None:
    """``text``, which is all light words, with the subject it lacks."""
    if _WHY.match(text) or _MORE.search(text) or not _MARKS.sub("", text):
        return None
    owner = antecedent(turns)
    found = slots(text)
    ordinal = next((slot for slot in found if slot.kind == ORDINAL), None)
    if ordinal is not None:
        rest = _OUTLINE.sub("", text)
        exchanged = swapped(stem(before), ordinal.text, ORDINAL) if len(rest) <= 8 else None
        return f"{exchanged}？" if exchanged else None
    if found and found[0].start == 0 and found[0].kind in (PLACE, TIME, GROUP):
        rest = text[found[0].end :].lstrip("的")
        if ATTRIBUTE_START.match(rest) and owner and found[0].kind == GROUP:
            return f"{owner}的{text}？"
        if owner and found[0].kind == GROUP:
            return f"{owner}，{text}？"
        exchanged = swapped(stem(before), found[0].text, found[0].kind)
        return f"{exchanged}？{text}？" if exchanged else None
    if not owner or (pair(before) and "哪" in text):
        return None
    if ATTRIBUTE_START.match(text):
        return f"{owner}的{text}？"
    return f"{owner}{text}？" if _STARTS_PREDICATE.match(text) else f"{owner}，{text}？"
