"""Does a clause deny what the passage affirms, or the reverse? By its negations, literally.

Each clause of the claim is laid beside the clauses of the passages that are nearest to it; when
the nearest say the opposite (one denies, the other does not; 增加 against 减少; 所有 against
部分), that is a contradiction.

Not covered: a contradiction without a negation or a pair of `rag.answer.opposites`, irony, questions.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rag.answer.clauses import Clause, clauses, comparable, grams
from rag.answer.opposites import are_opposite

# Words that hold a negating character and deny nothing.
_TERMS = re.compile(
    r"不良|不适|不全|不孕|不育|不稳定|不锈钢|不等|不断|不仅|不但|不只|不同|不明|不久|不妨|不管|不论|不过(?!\d)|"
    r"不少|差不多|不可或缺|不受限制?|不限|不受影响|不影响|不妨碍|不在话下|不由得|不宁|不齐|不均|不规则|不耐受|"
    r"无菌|无创|无痛|无线|无障碍|无机|无症状|无水|无纺|无影灯|无论|无疑|无偿|无针|无接触|无人|"
    r"非甾体|非处方|非洲|非典|非小细胞|非感染|非手术|非编码|非常|非法|非公|非限制|非蛋白|非结构|非急|非抢救|"
    r"未成年|未婚|未来|未知|未病|禁食|禁饮|禁忌|是否|能否|可否|与否|有无|"
    r"个别|特别|级别|性别|识别|分别|区别|类别|鉴别|辨别|差别|免疫|免费|避免不了|难免|以免|"
    r"可不可|是不是|有没有|能不能|要不要|会不会"
)
_DOUBLE = re.compile(
    r"不能不|不得不|不可不|不会不|无不|并非不|没有不|不是不|非(?=[^、]{1,8}不可)|未尝不|不(?=取消|停止|中断|间断|放弃|豁免)|不无|不可避免|不是(?=[^、]{1,12}禁忌)"
)
# Bounds of a quantity are compared with it, by rag.answer.qualify.
_BOUND = re.compile(
    r"(?:不|未|没有?|勿)(?:得|可|应|宜|要|会)?(?:超过|超出|超|低于|少于|高于|大于|小于|多于|短于|长于|晚于|早于|迟于|亚于|(?:足|到|满|及)(?=[\d一二三四五六七八九十百两半]))"
)
_MODAL = r"(?:得|可|应|宜|要|会|须|必|用|予|曾|再|是|建议|推荐|主张|适合|适宜|许|敢|该|准)?"
_NEGATION = re.compile(
    rf"(?:并|绝|决|毫|从|切|请)?(?:不{_MODAL}|未{_MODAL}|没有?|无{_MODAL}|非|勿|莫|毋)|"
    r"禁止|严禁|禁(?=用|服|吸|戴|带|入|烟|酒)|忌(?=用|服|食|酒)|杜绝|拒绝|避免|避开|防止|谢绝|不再"
)
# Neither denial nor its absence: a clause with one of them is not judged.
_UNCLEAR = re.compile(r"除非|除外|以外|之外|仅限|只限|只有|才|难以|罕见|少见|否则|而不是|而非")
# A clause that permits what its nearest forbids contradicts it, whatever its verb is.
_PERMISSION = re.compile(r"可(?![见疑靠])|也行|就行|照|仍|无妨|没关系|也算|继续|都要|该|须")
# Exclusiveness that the passage must hold too.
_ONLY = re.compile("只有|(?<!然后)(?<!最多)才(?![可算行])")
_RESTRICTS = re.compile("[只仅才方限唯]|除非|否则|前提")
# Denials of use that are words of their own: 停用 affirms no 用.
_WEAK = re.compile("[停慎忌]用|[停慎忌]药")
_MODALS = re.compile(r"[应须可得宜要会必]|建议|推荐|方")

_NEAR, _NEAR_PERMITTED = 0.12, 0.04  # clauses this much less similar than the nearest count as near
# How similar a clause and its nearest must be to contradict each other, by a denial or by a pair
# of opposites.
_LEAST_DENIED, _LEAST_OPPOSITE, _LEAST_PERMITTED = 0.5, 0.35, 0.25
_SAME_THINGS = 0.7  # share of a clause's words in a sentence about the same things


@dataclass(frozen=True, slots=True)
class Contradiction:
    """``claim`` and ``evidence`` are the clauses that cannot both hold."""

    claim: str
    evidence: str


@dataclass(frozen=True, slots=True)
class _Read:
    """A clause as far as polarity goes: ``content`` without negations and modals, ``targets`` the
    two characters behind each negation, ``denies`` None where it cannot be told, ``context`` the
    bigrams of its whole sentence."""

    content: str
    grams: frozenset[str]
    targets: frozenset[str]
    denies: bool | None
    clause: Clause
    permits: bool = False
    context: frozenset[str] = frozenset()


def contradictions(claim: str, evidence: Sequence[str]) -> Iterator[Contradiction]:
    """The clauses of ``claim`` that say the opposite of the evidence that is nearest to them."""
    read = [each for text in evidence for each in _reads(text)]
    for own in _reads(claim):
        opposite = (
            _nearest_says_otherwise(own, read)
            or _said_otherwise(own, read)
            or _unrestricted(own, evidence)
        )
        if opposite is not None:
            yield Contradiction(own.clause.text, opposite.clause.text)


def _nearest_says_otherwise(own: _Read, read: Sequence[_Read]) -> _Read | None:
    scored = [(_similarity(own, other), other) for other in read if own.grams and other.grams]
    best = max((score for score, _ in scored), default=0.0)
    margin = _NEAR_PERMITTED if own.permits else _NEAR
    near = [other for score, other in scored if score >= best - margin]
    if best < _LEAST_PERMITTED or not all(_contradict(own, other, best) for other in near):
        return None
    return near[0]


def _said_otherwise(own: _Read, read: Sequence[_Read]) -> _Read | None:
    """A clause that denies a word which ``own`` affirms, or the reverse, in a sentence about the
    same things; None when a sentence as near agrees."""
    if own.denies is None or not own.grams:
        return None
    against, agreeing = [], []
    for other in read:
        if other.denies is None or (own.denies and other.denies):
            continue
        if len(own.grams & other.context) < _SAME_THINGS * len(own.grams):
            continue
        denying, affirming = (own, other) if own.denies else (other, own)
        if own.denies == other.denies or not _affirms_target(denying, affirming):
            continue
        against.append(other)
    if not against:
        return None
    best = max(against, key=lambda other: len(own.context & other.context))
    words = own.targets if own.denies else best.targets
    agreeing = [
        len(own.context & other.context)
        for other in read
        if other.denies == own.denies and any(word in other.content for word in words)
    ]
    return best if len(own.context & best.context) > max(agreeing, default=-1) else None


def _unrestricted(own: _Read, evidence: Sequence[str]) -> _Read | None:
    """What the nearest passage says of a clause that calls it the only one (只有, 才), where that
    passage restricts nothing."""
    if not own.grams or not _ONLY.search(own.clause.text):
        return None
    scored = [
        (_similarity(own, other), other, text)
        for text in evidence
        for other in _reads(text)
        if other.grams
    ]
    best, nearest, text = max(scored, key=lambda each: each[0], default=(0.0, None, ""))
    if best < _LEAST_PERMITTED or _RESTRICTS.search(comparable(text)):
        return None
    return nearest


def _affirms_target(denying: _Read, affirming: _Read) -> bool:
    return any(
        target in affirming.content and not _WEAK.search(affirming.content)
        for target in denying.targets
    )


def _similarity(own: _Read, other: _Read) -> float:
    shared = len(own.grams & other.grams)
    return 0.6 * shared / len(own.grams) + 0.4 * shared / len(other.grams)


def _contradict(own: _Read, other: _Read, similarity: float) -> bool:
    if own.denies == other.denies:
        return similarity >= _LEAST_OPPOSITE and are_opposite(own.content, other.content)
    if own.permits and other.denies:
        return similarity >= _LEAST_PERMITTED
    if own.denies is None or other.denies is None or similarity < _LEAST_DENIED:
        return False
    denying, affirming = (own, other) if own.denies else (other, own)
    return _affirms_target(denying, affirming)


def denies(text: str) -> bool:
    """Whether a stretch of text in `comparable` form holds a negation, bounds (不超过) aside."""
    return bool(_NEGATION.search(_BOUND.sub(" ", _TERMS.sub(" ", text))))


@lru_cache(maxsize=1024)
def _reads(text: str) -> tuple[_Read, ...]:
    read = [_read(clause) for clause in clauses(text)]
    contexts: dict[int, frozenset[str]] = {}
    for each in read:
        number = each.clause.sentence
        contexts[number] = contexts.get(number, frozenset()) | each.grams
    return tuple(replace(each, context=contexts[each.clause.sentence]) for each in read)


def _read(clause: Clause) -> _Read:
    text = _BOUND.sub(" ", _DOUBLE.sub(" ", _TERMS.sub(lambda m: "□" * len(m[0]), clause.text)))
    negations = list(_NEGATION.finditer(text))
    targets = set()
    for found in negations:
        behind = _MODALS.sub("", text[found.end() : found.end() + 4])
        targets.add(behind[:2])
    denies = None if _UNCLEAR.search(text) else bool(negations)
    content = _MODALS.sub("", _NEGATION.sub("", clause.text))
    return _Read(
        content,
        grams(content),
        frozenset(
            target
            for target in targets
            if (len(target) == 2 and "□" not in target) or target == "用"
        ),
        denies,
        clause,
        denies is False and bool(_PERMISSION.search(text)),
    )
