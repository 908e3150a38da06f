"""What an answer states: its sentences, list items and table rows as claims that stand alone.

A list item that is a fragment is read with the line that opens its list (不良反应包括：); a table
row with the heads of its columns. Refusals, advice to ask the doctor and connecting phrases state
nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.answer.numbers import quantities, without_quantities
from rag.sentences import sentence_spans

_SHORTEST_CLAIM = 4
_LONGEST_FRAGMENT = 24

# Kinds of clauses that state nothing; everything between commas that is none of them is content.
_REFUSAL = re.compile(
    r"(?:资料|文档|文件|材料|上下文|以上内容).{0,12}?(?:未能?|没有?|无|不)"
    r"(?:找到|查到|提到|提及|说明|涉及|包含|给出|提供|显示|回答|相关)"
    r"|^(?:抱歉)?(?:因此|所以|故|我|暂时?|目前)?无法(?:回答|确定|判断|给出|提供)"
    r"|^(?:目前|暂时?|均)?[未没无]能?有?(?:在资料中)?(?:找到|查到|提及|提到)?(?:相关|有关)(?:内容|信息|资料|说明)"
    r"|^(?:也|亦)?(?:未|没有)(?:提及|提到|说明)"
)
_ADVICE = re.compile(
    r"^(?:请|建议|如需|应)?您?(?:咨询|查阅|核对|联系|遵照|遵循|遵从).{0,16}$"
    r"|由医师(?:确认|作出|决定)|(?:不能|不可|不)(?:代替|替代)医"
)
_OPENER = re.compile(
    r"^(?:关于|对于|针对|根据|按照|很?抱歉|对不起|您好|如需|如有|在(?:以上|所给|现有))"
)
_TURN = re.compile(r"但|不过|然而|而是|应为")
LIST_NUMBER = re.compile(
    r"^\s*(?:[-*•·]\s*)?(?:[(（]?\d{1,2}[)）]\s*|\d{1,2}(?:[、．：]|[.:](?!\d))\s*|第[一二三四五六七八九十]+[，、：,:])?"
)
_ITEM = re.compile(
    r"^\s*(?:[-*•·]\s|[(（]?\d{1,2}[)）、．]|\d{1,2}\.(?!\d)|[①-⑳]|[一二三四五六七八九十]是)"
)
_ROW = re.compile(r"^\s*\|.*\|\s*$", re.DOTALL)
_RULE = re.compile(r"^[\s|:\-–—]+$")


@dataclass(frozen=True, slots=True)
class Claim:
    """``statement`` is what sentence number ``index`` of an answer states, "" when it states
    nothing; ``lead`` the number of the sentence it needs to be understood, None when it stands
    alone."""

    index: int
    statement: str
    lead: int | None = None


def claims(sentences: Sequence[str]) -> tuple[Claim, ...]:
    """One claim for each sentence of an answer, in order."""
    found = []
    lead: int | None = None
    heads: list[str] = []
    head: int | None = None
    for index, text in enumerate(sentences):
        if _ROW.match(text):
            cells = _cells(text)
            if head is None or not heads:
                heads, head = cells, index
                found.append(Claim(index, ""))
            elif _RULE.match(text):
                found.append(Claim(index, "", head))
            else:
                found.append(Claim(index, _row(heads, cells), head))
            continue
        heads, head = [], None
        plain = text.strip().strip("*# ")
        body = LIST_NUMBER.sub("", plain, count=1).strip("* ")
        is_item = bool(_ITEM.match(plain))
        if not is_item:
            lead = None
        if is_item and lead is not None and _is_fragment(body) and not _states_nothing(body):
            opening = LIST_NUMBER.sub("", sentences[lead].strip().strip("*# "), count=1)
            found.append(Claim(index, opening + body, lead))
        elif is_no_claim(body):
            found.append(Claim(index, "", lead))
        else:
            found.append(Claim(index, body, lead))
        if not is_item and plain.endswith(("：", ":")):
            lead = index
    return tuple(_without_count(claim, found) for claim in found)


def _without_count(claim: Claim, found: Sequence[Claim]) -> Claim:
    """An opening line that only counts the items it leads to (主要有三点：) states no number."""
    items = sum(other.lead == claim.index for other in found)
    counts = quantities(claim.statement)
    if not items or [q.values for q in counts if q.unit in ("", "条")] != [(Decimal(items),)]:
        return claim
    rest = without_quantities(claim.statement)
    return Claim(claim.index, "" if is_no_claim(rest) else rest, claim.lead)


def _cells(row: str) -> list[str]:
    return [cell.strip().strip("*") for cell in row.strip().strip("|").split("|")]


def _row(heads: Sequence[str], cells: Sequence[str]) -> str:
    """A row read aloud: 药品：阿司匹林，剂量：100mg。"""
    pairs = zip(heads, cells, strict=False)
    return "，".join(f"{head}：{cell}" if head else cell for head, cell in pairs if cell) + "。"


def _is_fragment(text: str) -> bool:
    return len(text) <= _LONGEST_FRAGMENT and not re.search("[，,。]", text.rstrip("。；;，, "))


def list_number(text: str) -> str:
    """The bullet or number that opens a list item, "" when none does."""
    found = _ITEM.match(text)
    return text[: LIST_NUMBER.match(text).end()] if found else ""  # type: ignore[union-attr]


def is_refusal(text: str) -> bool:
    """Says the whole answer only that the documents do not hold one?"""
    sentences = [text[start:end] for start, end in sentence_spans(text)]
    return any(map(_REFUSAL.search, sentences)) and all(map(_states_nothing, sentences))


def is_no_claim(text: str) -> bool:
    """Refusals, advice to ask the doctor, and connecting phrases ("具体如下：")."""
    if _states_nothing(text):
        return True
    if quantities(text):
        return False
    letters = sum(character.isalnum() for character in text)
    return letters < _SHORTEST_CLAIM or (text.rstrip().endswith(("：", ":")) and letters <= 20)


def _states_nothing(sentence: str) -> bool:
    """Is every clause a refusal, advice to ask the doctor, or the opening of one?"""
    clauses = [clause for clause in re.split(r"[，,；;。！!：:\s]", sentence) if clause]
    kinds = set()
    for clause in clauses:
        found = _REFUSAL.search(clause) or _ADVICE.search(clause)
        if found and not _TURN.search(clause, found.end()):
            kinds.add("nothing")
        elif _OPENER.search(clause):
            kinds.add("opener")
        else:
            return False
    return "nothing" in kinds
