"""What a question that needs the one before means in full, by rule.

Another value (英国 behind a question about 美国) takes the place of the one of its kind, another
subject the place of the last one, another attribute is asked of the last subject, a pronoun gives
way to what it stands for. Where the last question has no place for what is asked, both are kept,
one behind the other: longer, but nothing is lost and nothing is guessed.
"""

import re
from collections.abc import Sequence

from rag.answer.ellipsis import MARKS, POLITE, depends, fragment_of, pronoun_of
from rag.answer.light_words import (
    ASKING,
    ASPECT_END,
    ATTRIBUTE_END,
    ATTRIBUTE_START,
    BODY_END,
    content,
)
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
    swapped_all,
)
from rag.answer.subject import Turn, antecedent, owners, pair, stem, subject

_CONDITION = re.compile("^(?:那么?)?(?:如果|假如|要是|若|万一)")
_MORE = re.compile("(?:还有|其[他它]|别的|另外|剩下|其余|更多|除此)")
# A value that says when or on which condition changes no subject.
_WHEN = re.compile("(?:以后|之后|之前|以前|期间|过程中|时候|[后前时中])$")
_IF = re.compile("超过|大于|小于|低于|高于|不足|不到|已经|没有|没|[了过]$|不|^.了")
_PATIENTS = re.compile("患者|病人|人群")
_ILLNESS = re.compile(
    "(?:[病症炎癌瘤]|血[压糖脂]|中风|卒中|哮喘|不全|衰竭|感染|过敏|骨折|痛风|贫血|肥胖|结石)$"
)
_OUTLINE = re.compile("第[0-9一二两三四五六七八九十]+")
_STARTS_PREDICATE = re.compile(
    "什么时候|是|有|能|可|要|需|应|会|怎|如何|在|由|多久|多少|何时|哪|一[天日次]|每|属于|包|分|适|安全|贵|为|对|必须"
)
# What is asked of the whole last question and not of its subject.
_WHY = re.compile(
    "^(?:这|那|具体|详细|应该|请)*是?(?:为什么|为何|为啥|凭什么|怎么回事|什么原因|怎么[做办]|如何做|举|展开|继续|说明|解释|总结"
    "|真的|确定|[吗吧]|$)"
)


def rewritten(question: str, turns: Sequence[Turn]) -> str:
    """The question in full, ``question`` itself where it stands alone or nothing precedes it."""
    if not turns or not depends(question):
        return question
    text = plain(question)
    last = turns[-1]
    before = plain(last.question)
    fragment = fragment_of(text)
    full: str | None
    if fragment is not None:
        full = _complete(fragment, text, before, turns)
    else:
        bare = MARKS.sub("", text)
        pronoun = pronoun_of(bare)
        full = (
            _resolve(bare, pronoun, before, turns)
            if pronoun is not None
            else _supply(POLITE.sub("", bare) or bare, before, turns)
        )
    return (full or _together(text, before)) if stem(before) else question


def _together(text: str, before: str) -> str:
    return f"{stem(before)}？{MARKS.sub('', text)}？"


def _complete(value: str, text: str, before: str, turns: Sequence[Turn]) -> str:
    """The last question about ``value`` instead."""
    pronoun = pronoun_of(value)
    if pronoun is not None:
        if pronoun[0] == value and pronoun.lastgroup != "plain":
            return _together(text, before)  # "后者呢" behind a comparison has nothing to swap
        resolved = _resolve(value, pronoun, before, turns)
        if resolved is None:
            return _together(text, before)
        resolved = MARKS.sub("", resolved)
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
        return f"{topic}，{POLITE.sub('', MARKS.sub('', text))}？"
    elif _ILLNESS.search(value) and _alike(topic, value) is None:
        patients = _PATIENTS.search(topic)
        if patients and (exchanged := swapped(topic, value + patients[0], GROUP)):
            return f"{exchanged}？"
    elif _WHEN.search(value) and content(value) and _alike(topic, value) is None:
        return _when(value, topic)
    if value.endswith("方面"):
        owner = antecedent(turns)
        return f"{owner}在{value}是怎样的？" if owner else _together(text, before)
    exchanged = swapped_all(topic, value)
    if exchanged is not None:
        return f"{exchanged}？"
    is_side = ATTRIBUTE_END.search(value) and not BODY_END.search(value)
    if is_side and not (ASPECT_END.search(value) and _alike(topic, value)):
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
    shared = {slot.kind for slot in slots(value)} & {slot.kind for slot in slots(topic)}
    said = re.sub("[是有的]", "", ASKING.sub("", topic.replace(old, "", 1)))
    if (len(said) < 2 and not topic.startswith("什么")) or PLACE in shared:
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
    opening = POLITE.match(text[: pronoun.start()])
    start = opening.end() if opening and kind != "bare" else 0
    ahead = "" if kind == "bare" else text[start : pronoun.start()]
    if kind == "thing" and rest.startswith("的的"):
        rest = rest[1:]
    return f"{ahead}{name}{rest}？"


def _supply(text: str, before: str, turns: Sequence[Turn]) -> str | None:
    """``text``, which is all light words, with the subject it lacks."""
    if _WHY.match(text) or _MORE.search(text) or not MARKS.sub("", text):
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
