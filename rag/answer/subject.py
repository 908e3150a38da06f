"""What a conversation is about: the subject of a question, and what "它" stands for.

A subject is what stands before the first asking word, verb of wish or possession (大模型 of
"大模型有哪些特征？", 门诊病历 of "门诊病历要保存多久？"), without the attribute asked for.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answer.light_words import ASKING, ATTRIBUTE_END, BODY_END, content
from rag.answer.slots import GROUP, PLACE, TIME, TITLE, kind_of, named, plain, slots
from rag.sentences import sentence_spans

LONGEST_STEM = 120
_LONGEST_SUBJECT = 16
_OPENING = re.compile(
    "(?:那么|那(?![些个种里天时])|哦|嗯|好的|谢谢|明白了?|请问一?下?|我?想(?:问|知道|了解)一?下?|再问一?下|麻烦问一?下"
    "|请(?:介绍|说明|列出|告诉我|解释)一?下?|介绍一?下|根据资料|文中|资料里|[,，、。\\s])+"
)
_END = re.compile(r"[\s?？。.!！,，~…]+$")
# Behind a subject begins what is said of it.
_PREDICATE = re.compile(
    "有(?!效|机|害)|是(?!否)|指的|叫|要(?!求|点)|需要|(?<![适反])应(?!用|激|急|答)|必须|可(?!扩|靠|信|视)|能(?!力|量|源|效|谱|够)"
    "|会(?!议|诊|计)|由|在(?!线)|包[括含]|分(?:[为成]|(?=[几多]|[0-9一二三四五六七八九十]))|用(?=什么|哪|多|几|于)|最[多少长短大小高低早晚]|属于|适用|怎|如何|为什么|为何|是否|什么|哪|多少|多久|多长|多大|几(?!率|何)|何时"
    "|发布了?|出台了?|规定了?|对|于|把|将|被|一[天日次]|每[天日次]|通常|一般|主要|达到|超过|吃|服用|安全吗|贵吗|和.{1,12}(?:区别|不同|差别)"
)
_DEFINED = re.compile(
    "^(?:什么是|什么叫做?|何谓|何为|啥是|啥叫)(.{2,30})$|^(.{2,30})(?:是什么|是指什么)"
)
_ASKS_NAME = re.compile(
    "什么(?:文件|药|药物|法案|政策|模型|系统|报告|指南|办法|规定|名字|东西)|哪(?:一|几|两|些)?(?:个|款|种|部|份|篇|类)|叫什么"
    "|首选|(?:发布|出台|通过|推出|用|选用|吃|服用)了?什么|用哪"
)
_OBJECT = re.compile(
    "(?:可以|可否|能不能|能否|能|可|会|要|应该|应当|应|需要)(?:不能)?(?:服用|使用|注射|接种|应用|吃|用|喝|打|做)(.{2,12})$"
)
_TAKING = re.compile("^(?:服用|使用|注射|接种|吃|打)(?=..)")
# 国家卫健委什么时候发布的参考指引: what was published is spoken of, not who did it.
_MADE = re.compile("(?:发布|出台|印发|公布|通过|制定|推出|颁布)了?的?([^，,]{2,16})$")
_LEADING = re.compile("^(?:在|对于?|关于|如果|针对|给)")


@dataclass(frozen=True, slots=True)
class Turn:
    """A finished turn: the question as it was searched, and the answer's text."""

    question: str
    answer: str = ""


def stem(question: str) -> str:
    """A `plain` question without its opening words and its mark; of a long one its last sentence.

    Never longer than `LONGEST_STEM`.
    """
    text = _trimmed(question)
    if len(text) > LONGEST_STEM:
        start, end = sentence_spans(text)[-1]
        text = _trimmed(text[start:end])[-LONGEST_STEM:]
    return text


def _trimmed(question: str) -> str:
    text = _END.sub("", question.strip())
    opening = _OPENING.match(text)
    return text[opening.end() :] if opening and opening.end() < len(text) else text


def subject(question: str, *, qualified: bool = False) -> str:
    """The subject of a `plain` question that stands alone, "" where none is found.

    ``qualified`` keeps the place or year it is said of: 欧盟的法案.
    """
    text = stem(question)
    defined = _DEFINED.match(text)
    if defined and defined[1]:
        return defined[1]
    names = named(text)
    if names and text.startswith(names[0]):
        extended = _before_predicate(text[len(names[0]) :])
        # 《办法》 in "《办法》的目的", CT检查 in "CT检查要多久".
        tail = "" if "的" in extended or len(extended) > 4 else extended
        return names[0] + ("" if ATTRIBUTE_END.fullmatch(tail) else tail)
    before = _before_predicate(text)
    owner, of, attribute = before.rpartition("的")
    if of and owner and (ATTRIBUTE_END.search(attribute) or not attribute):
        before = owner
    else:
        ending = ATTRIBUTE_END.search(before)
        if ending and ending.start() >= 2 and not BODY_END.search(before):
            before = before[: ending.start()]
    kinds = (GROUP,) if qualified else (GROUP, PLACE, TIME)
    before = _TAKING.sub("", _without_qualifiers(before, kinds))
    if not content(before) and not kind_of(before + text[len(before) :]):
        wanted = _OBJECT.search(text.rstrip("吗呢么"))
        before = wanted[1] if wanted else before
    if 2 <= len(before) <= _LONGEST_SUBJECT and content(before) and not ASKING.search(before):
        return before
    return names[0] if names else ""


def _before_predicate(text: str) -> str:
    predicate = _PREDICATE.search(text)
    return _END.sub("", text[: predicate.start()]) if predicate else text


def _without_qualifiers(text: str, kinds: Sequence[str]) -> str:
    """``text`` without the place, year or group of people that it begins with."""
    text = _LEADING.sub("", text)
    for slot in slots(text):
        if slot.kind in kinds and slot.start == 0 and slot.end < len(text):
            text = text[slot.end :].lstrip("的，, ")
            break
    return text


def antecedent(turns: Sequence[Turn]) -> str:
    """What a pronoun behind ``turns`` most likely stands for, "" when nothing is likely.

    A question that asked for a name ("发布了什么文件？") made what its answer names the subject;
    otherwise it is the question's own.
    """
    last = turns[-1]
    asked = plain(last.question)
    if _ASKS_NAME.search(asked):
        answer = plain(last.answer)
        new = [name for name in named(answer, (TITLE,)) if name not in asked]
        new = new or [name for name in named(answer) if name not in asked]
        if len(new) == 1:
            return new[0]
    titles = named(asked, (TITLE,))
    if len(titles) == 1:
        return titles[0]
    made = _MADE.search(stem(asked))
    if made and content(made[1]) and not ASKING.search(made[1]):
        return made[1]
    return subject(asked, qualified=True)


def pair(question: str) -> tuple[str, str] | None:
    """The two things that a `plain` question compares, in order."""
    text = stem(question)
    found = re.search(
        "^(?:请?比较)?(.{1,16}?)(?:和|与|跟|还是|以及|、)(.{1,16}?)"
        "(?=有|的|哪|相比|之间|是|在|都|分别|应|可|能|，|谁|怎|如何|各|$)",
        text,
    )
    if not found:
        return None
    first, second = _LEADING.sub("", found[1]), found[2]
    return (first, second) if content(first) or kind_of(first) else None


def owners(turns: Sequence[Turn]) -> str:
    """The place that 该国 stands for, "" when there is not exactly one."""
    places = named(plain(turns[-1].question), (PLACE,))
    return places[0] if len(places) == 1 else ""
