"""What can be asked next: questions made from the cited documents, kept when they are answerable.

Around what an answer cites stand other headings, defined terms and named documents; each makes a
question by rule. No question is shown that was asked already or that the assistant, asked for the
probability of an answer, would not answer. The same answer over the same index gives the same
suggestions, unless time runs out.
"""

import re
import time
from collections.abc import Callable, Collection, Iterator

from rag.answer.ellipsis import depends
from rag.answer.entities import entities
from rag.answer.light_words import ASKING
from rag.answer.slots import PLACE, kind_of, named, plain, swapped
from rag.answer.subject import stem
from rag.chinese import match_form, tokenize
from rag.sentences import sentence_spans
from rag.types import Answer, BlockKind, Citation, Document

COUNT = 3
_MOST_TRIED = 6
_SECONDS = 3.0
# Questions that share more of their characters than this are one question.
_SAME = 0.72
_SHORTEST, _LONGEST = 4, 40
_NEAR = 1200
_NUMBERING = re.compile(
    r"^(?:第?[0-9一二三四五六七八九十]+(?:[章节条部分]+|[、.．)）])\s*|[（(][0-9一二三四五六七八九十]+[)）]\s*)+"
)
_ASKS = re.compile("怎样|如何|怎么|为什么|什么|谁|哪|多少")
_BRACKETS = re.compile(r"[（(][^（）()]*[）)]$")
# 特征一：资源需求大
_LABEL = re.compile(r"^[^：:]{1,6}[0-9一二三四五六七八九十]+[：:]\s*([^：:]{3,16})$")
_TITLE_END = re.compile(
    "(?:的?(?:情况|概况|介绍|(?:使用)?说明|简介|概述|要点|汇编|整理|资料|一览|综述|解读|进展|时间线|名词解释))+$"
)
_EMPTY_HEADING = re.compile(
    "^(?:总的情况|总体(?:情况|态势)|概述|概况|前言|引言|背景|目录|附录|附件|附则|总则|说明|小结|结语|结论|其他"
    "|参考文献|正文|摘要|.*(?:一览|时间线))$"
)
_HAN = re.compile("[\u4e00-\u9fff]{2}")
_DOCUMENT = re.compile(
    "(?:》|规定|办法|条例|指引|指南|公告|通知|意见|方案|报告|法案|规划|框架|细则|规范|章程)$"
)
_BODY = re.compile("[部委局院署]$|体系|机构|组织|[委协学]员?会$")
_COUNTED = re.compile("(?:数量|规模|比例|占比|人数|费用|价格|剂量|用量|期限|浓度|温度)$")
_LISTED = re.compile(
    "(?:特征|特点|要求|措施|步骤|条件|原则|职责|任务|内容|类型|分类|种类|优势|优点|缺点|风险|反应|禁忌|禁忌症|适应症"
    "|注意事项|症状|表现|方法|限度|领域|场景|目标|指标|政策|方向|问题|挑战)$"
)
_SIDE = re.compile(
    "(?:级别|等级|流程|依据|目的|背景|现状|趋势|前景|意义|作用|标准|范围|方式|时间|日期|机制|原理)$"
)
_POINTS = re.compile("[这那该它其]|本[文篇院规办条指]")
_DEFINED = re.compile(
    "^[“「]?([^，。；：、？“”（）()《》]{2,12})[”」]?(?:（[^）]*）)?(?:是指|指的是|，?是一[种类个套]|即指)"
)


def suggest(
    answer: Answer,
    *,
    document: Callable[[str], Document],
    can_answer: Callable[[str], float],
    threshold: float,
    asked: Collection[str] = (),
    count: int = COUNT,
    seconds: float = _SECONDS,
) -> tuple[str, ...]:
    """Up to ``count`` questions that the documents ``answer`` cites can answer, the nearest first.

    Args:
        document: gives a cited document by id.
        can_answer: the probability in [0, 1] that a question is answered; called at most six
            times, and no more once ``seconds`` have passed.
        threshold: the probability from which a question is shown.
        asked: earlier questions of the conversation, which are not suggested again.
    """
    seen = [answer.question, answer.search_question, *asked]
    kept: list[str] = []
    tried = 0
    deadline = time.monotonic() + seconds
    for question in candidates(answer, document):
        if len(kept) >= count or tried >= _MOST_TRIED or time.monotonic() > deadline:
            break
        if any(_is_same(question, other) for other in seen):
            continue
        seen.append(question)
        tried += 1
        if can_answer(question) >= threshold:
            kept.append(question)
    return tuple(kept)


def candidates(answer: Answer, document: Callable[[str], Document]) -> Iterator[str]:
    """Questions near what is cited: one from each document in turn, the nearest of each first."""
    groups: dict[str, list[Citation]] = {}
    for citation in answer.citations:
        groups.setdefault(citation.document, []).append(citation)
    sources = [
        _from_document(document(name), citations, answer.search_question or answer.question)
        for name, citations in groups.items()
    ]
    given: set[str] = set()
    while sources:
        for source in tuple(sources):
            question = next(source, None)
            if question is None:
                sources.remove(source)
            elif (
                question not in given
                and not depends(question)
                and _SHORTEST <= len(question) <= _LONGEST
            ):
                given.add(question)
                yield question


def _from_document(document: Document, citations: list[Citation], question: str) -> Iterator[str]:
    place = citations[0].start
    found = [(distance, text) for distance, text in _headings(document, citations, question)]
    found += _sentences(document, place, question)
    for _, text in sorted(found, key=lambda entry: entry[0]):
        yield text


def _headings(
    document: Document, citations: list[Citation], question: str
) -> Iterator[tuple[int, str]]:
    """Each heading's distance from what is cited, and its question; a cited section's own is
    left out."""
    place = citations[0].start
    path: list[tuple[int, str]] = []
    sections: list[tuple[int, str, str]] = []
    for block in document.blocks:
        if block.kind is not BlockKind.HEADING:
            continue
        text = " ".join(_NUMBERING.sub("", document.text[block.start : block.end]).split())
        path = [entry for entry in path if entry[0] < max(block.level, 1)]
        parent = path[-1][1] if path else ""
        path.append((max(block.level, 1), text))
        sections.append((block.start, text, parent))
    for index, (start, text, parent) in enumerate(sections):
        end = sections[index + 1][0] if index + 1 < len(sections) else len(document.text)
        has_text = len(document.text[start:end].strip()) > len(text) + 12
        is_cited = any(start <= citation.start < end for citation in citations)
        if is_cited or not has_text or _is_title(text, document.title):
            continue
        made = _heading_question(
            text,
            document.title if _is_title(parent, document.title) else parent,
            document.title,
            question,
        )
        if made:
            yield abs(start - place), made


def _is_title(heading: str, title: str) -> bool:
    return not heading or match_form(heading) == match_form(title)


def _heading_question(heading: str, parent: str, title: str, question: str) -> str:
    """A question for a section, "" for a heading that names nothing."""
    heading = _BRACKETS.sub("", plain(heading)).strip("：:。. ")
    labelled = _LABEL.match(heading)
    if labelled:
        return f"{_about(title)}的“{labelled[1]}”指的是什么？"
    heading = heading.rpartition("：")[2]
    if not 2 <= len(heading) <= 24 or _EMPTY_HEADING.match(heading) or not _HAN.search(heading):
        return ""
    if _ASKS.search(heading):
        return f"{heading.rstrip('？?')}？"
    about = _about(parent or title)
    if kind_of(heading) == PLACE:
        exchanged = swapped(stem(plain(question)), heading, PLACE)
        return f"{exchanged}？" if exchanged else f"{heading}在{about}方面做了什么？"
    if _DOCUMENT.search(heading):
        return f"{heading}的主要内容是什么？"
    if entities(heading) and _BODY.search(heading):
        return f"{heading}在{about}方面做了什么？"
    if heading in about:
        return f"什么是{heading}？"
    if not about or entities(heading) or len(about) + len(heading) > 28:
        return f"关于“{heading}”，资料是怎么说的？"
    if _overlaps(about, heading) and _LISTED.search(heading):
        return _asking(heading)
    if not (_LISTED.search(heading) or _COUNTED.search(heading) or _SIDE.search(heading)):
        return f"关于{about}，“{heading}”是怎么说的？"
    if _COUNTED.fullmatch(heading, 2) and heading[:2] in about:
        heading = heading[2:]  # 医疗机构部署大模型的数量, not 的部署数量
    return _asking(f"{about}{'' if '的' in heading else '的'}{heading}")


def _about(title: str) -> str:
    """What a document or section is about: 大模型 of 大模型的概念与五项特征."""
    about = _TITLE_END.sub("", plain(title)).strip("《》")
    owner, of, sides = about.rpartition("的")
    return owner if of and ("与" in sides or "和" in sides) and _LISTED.search(sides) else about


def _asking(phrase: str) -> str:
    if _COUNTED.search(phrase):
        return f"{phrase}是多少？"
    if _LISTED.search(phrase):
        return f"{phrase}有哪些？"
    return f"{phrase}是怎样的？"


def _overlaps(first: str, second: str) -> bool:
    """Whether a heading already says what its parent is about."""
    common = set(tokenize(first)) & set(tokenize(second))
    return sum(len(token) == 2 for token in common) >= 2


def _sentences(document: Document, place: int, question: str) -> Iterator[tuple[int, str]]:
    """Defined terms and named documents of the sentences around a place."""
    start = max(place - _NEAR, 0)
    for first, last in sentence_spans(document.text[start : place + _NEAR]):
        sentence = document.text[start + first : start + last]
        distance = abs(start + first - place)
        defined = _DEFINED.match(plain(sentence))
        if defined and defined[1] not in question and not _POINTS.match(defined[1]):
            yield distance, f"什么是{defined[1]}？"
        for title in named(plain(sentence), ("title",))[:1]:
            if title not in plain(question):
                yield distance + 1, f"{title}的主要内容是什么？"


def _is_same(first: str, second: str) -> bool:
    """Whether two questions share nearly all of their tokens, without their asking words."""
    one, other = (set(tokenize(ASKING.sub(" ", plain(text)))) for text in (first, second))
    if entities(first) != entities(second):
        return False  # 英国 instead of 美国 is another question
    return len(one & other) >= _SAME * max(len(one | other), 1)
