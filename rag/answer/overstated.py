"""Does a sentence say more than its passages: of everything, as proved, as done already?

不管几级事件都须报告, where the passage says so of two levels; 已证实, where it is suspected; 已建成, where
it is planned. A sentence that says so in so many words needs a word of that kind in the sentences
of the passages that are nearest to it. The words were chosen on the claims of
training/data/written.jsonl; DECISIONS.md says how often they are right elsewhere.

Not covered: 都 and 均 (they are plurals as often), 最 and comparisons, an overstatement without
one of the words.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.answer.clauses import comparable, grams
from rag.answer.polarity import denies
from rag.sentences import sentence_spans


@dataclass(frozen=True, slots=True)
class _Strength:
    """``said`` are the strong words, ``held`` those of a passage that says it as strongly;
    ``only_where`` limits the finding to passages that say it more weakly; ``nearest`` is how many
    sentences of the passages are looked at, the nearest first."""

    said: re.Pattern[str]
    held: re.Pattern[str]
    only_where: re.Pattern[str] | None = None
    nearest: int = 2


_UNIVERSAL = _Strength(
    re.compile(
        r"(?<![不没未非无别])(?:不管(?=[哪几是多谁什怎有])|无论|不论|任何|全都|一律|一概|无一例外|毫无例外|凡是|"
        r"(?<!为)所有(?![权者制])(?!$)|全部(?![^,，。;；]{0,8}(?:里|中|的一))|谁[^,，。;；]{0,4}[都也]|"
        r"(\w)没\1.{0,2}都|永远|从来(?![院诊源自])|一直不|唯一(?!标识|识别))"
    ),
    re.compile(
        r"(?<!平)均|都|(?<![安完健])全(?![身麻血科程名])|一律|一概|所有|任[何一]|各|无论|不论|不管|凡|皆|统一|一切|整个|始终|从未|不分|逐一|除.{1,20}外|严禁|禁止|不得|不准|不可|"
        r"每(?!人?每|[日天周月年晚]|公斤|千克|小时|分钟|[\d一二两三四五六七八九十])"
    ),
)
_PROVED = _Strength(
    re.compile(r"(?:已经?|被|得到|研究|试验)证[实明]|证[实明]了|查明|板上钉钉|毫无疑问"),
    re.compile(r"证实|证明|确认|确诊|确定|查明|证据|表明|显示|发现|认定"),
)
_DONE = _Strength(
    re.compile(r"已(?:经|于|全部|正式|被|在|[建完投获批启实上开取达通签])(?![^,]{0,8}的)"),
    re.compile(r"已|完成|业经|后来|随后"),
    re.compile(
        r"拟|计划|预计|打算|有望|力争|尚未|尚待|准备(?![时间])|将(?![军领士近])|目标|提议|建议|规划|草案"
    ),
    nearest=1,
)
_CLAUSE = re.compile("[,，。;；:：]")


def overstated(statement: str, evidence: Sequence[str]) -> Iterator[str]:
    """The words of the statement that are stronger than what the evidence says."""
    form = comparable(statement)
    sentences = _by_nearness(form, evidence)
    for strength in (_UNIVERSAL, _PROVED, _DONE):
        nearest = sentences[: strength.nearest]
        for clause in _CLAUSE.split(form):
            said = strength.said.search(clause)
            # 并非所有, 没有一概: what is denied of everything may hold of some.
            if said is None or denies(clause[: said.start()]):
                continue
            if any(said[0] in text or strength.held.search(text) for text in nearest):
                continue
            if strength.only_where is None or any(map(strength.only_where.search, nearest)):
                yield said[0]


def _by_nearness(form: str, evidence: Sequence[str]) -> list[str]:
    own = grams(form)
    sentences = [
        comparable(text[start:end]) for text in evidence for start, end in sentence_spans(text)
    ]
    return sorted(sentences, key=lambda each: -len(own & grams(each)))
