"""Ways to say less or the same: what a passage still supports afterwards.

Each rule takes a sentence and returns another text that the sentence entails, or None.
"""

import re
from functools import lru_cache
from random import Random
from typing import Any

from training.claim_numbers import DATE, apply_edits, rewrite_numbers
from training.claim_text import (
    clauses,
    has_class,
    is_balanced,
    read_sentence,
    table_matches,
    words_between,
)
from training.claim_words import CONNECTIVES, OPENINGS, PREFIXES, SUFFIXES, SYNONYMS

# A clause that opens or ends so says nothing alone.
_SUBORDINATE = re.compile(
    "^(?:如|若|假如|当|为了|为|由于|因|虽|尽管|即使|除|对于?|关于|随着|经|根据|按照|凡|无论|不论|不管|只要|只有|一旦|据|在|从|自|"
    "与|和|以|用|通过|作为|根据|每当|直到|至于|不仅|不但|不只|既|与其|但|而|则|却|并|又|也|还|就|才|其中|其|它|他|她|该|此|这|那|"
    "所以|因此|于是|使|令|让|或|及|即|包括|例如|比如|尤其|特别|甚至|否则|不然|第[一二三四五])"
)
_UNFINISHED = re.compile(
    "(?:时|后|前|中|下|上|里|间|者|的|地|得|之|和|与|及|或|是|为|在|以来|期间|的话|起|来说|而言|方面|方式|形式|条件|年|月|日|：|:|、)$"
)
DEPENDENT_NEXT = re.compile(
    "^(?:但|却|不过|然而|除|应|须|需|可|则|就|才|不得|不|立即|立刻|应当|必须|否则|而不|并非|未|只|仅|或|直到|以|方|使|令|让|由|由此|从而|"
    "其中|即|也|都|均|严禁|禁|改|要|暂|会|将|无|没)"
)
_EXCEPTION = re.compile("除|不|仅|限|非|未|无|只|可能|约|或|另|据|疑|存疑")
_SEQUENCE = re.compile(
    "先|然后|再|后|随|之前|最终|最后|于是|从而|因|使|以|将|才|便|其中|但|而|却|直|由|经|遂|接着|当"
)
_STATIVE = re.compile(
    "^(?:是|有|位于|属于|包括|拥有|设有|分为|具有|又称|含有|占|应|须|不得|不可|可|必须|需|适用于|隶属)"
)
_LIST_ITEM = re.compile(
    "(?<=、)[^、，。；：（）()“”《》和与及或等]{1,10}(?=、)|《[^《》]{1,20}》(?=、)|(?<=、)《[^《》]{1,20}》"
)
_ORDERED = re.compile(
    "依次|分别|先后|顺序|排名|从|由|按|前[一二三四五六七八九十]|第|对应|比|等级|方向"
)


def shorten(text: str, random: Random) -> str | None:
    """The sentence without its opening connective, a bracket, or one or more clauses."""
    candidates = [
        c
        for c in (_without_bracket(text), _fewer_clauses(text, random), _without_opening(text))
        if c
    ]
    return random.choice(candidates) if candidates else None


def _without_opening(text: str) -> str | None:
    for opening in OPENINGS:
        if text.startswith((opening + "，", opening + ",")):
            return text[len(opening) + 1 :]
    return None


def _without_bracket(text: str) -> str | None:
    match = re.search("（[^（）]{1,40}）", text)
    if not match or match.start() == 0 or _EXCEPTION.search(match[0]):
        return None
    return text[: match.start()] + text[match.end() :]


def _stands_alone(clause: str) -> bool:
    sentence = read_sentence(clause)
    return (
        len(clause) >= 8
        and not _SUBORDINATE.search(clause)
        and not _UNFINISHED.search(clause)
        and is_balanced(clause)
        and sentence.words[0].flag[:1] in "nr"
        and has_class(sentence.words[1:], "v")
        and not re.search(
            "如果|只要|一旦|不是|不仅|不但|不只|无论|可能|：|:|低于|高于|超过|≥|≤", clause
        )
    )


def _fewer_clauses(text: str, random: Random) -> str | None:
    parts = clauses(text)
    if len(parts) < 2 or not _stands_alone(parts[0]) or re.search("：|:|“", text):
        return None
    stops = [
        stop
        for stop in range(1, len(parts))
        if not DEPENDENT_NEXT.search(parts[stop])
        and not _UNFINISHED.search(parts[stop - 1])
        and (
            stop == 1
            or not _SUBORDINATE.search(parts[stop - 1])
            or parts[stop - 1][0] in "并也还又"
        )
        and "、" not in parts[stop][:6]
    ]
    ways = ["，".join(parts[:stop]) for stop in stops]
    ways += [
        "，".join(parts[:drop] + parts[drop + 1 :])
        for drop in range(1, len(parts) - 1)
        if _is_predicate(parts[drop]) and _is_predicate(parts[drop + 1])
    ]
    ways = [way for way in ways if is_balanced(way) and len(way) >= 8]
    return random.choice(ways) if ways else None


def _is_predicate(clause: str) -> bool:
    """A clause that begins with its verb, so that it speaks of the first clause's subject."""
    return bool(_STATIVE.match(clause)) and len(clause) >= 4 and not _UNFINISHED.search(clause)


def reorder(text: str, random: Random) -> str | None:
    """The sentence with its date, two of its predicates, or two items of its list moved."""
    ways = [
        way(text, random)
        for way in (_date_back, _date_front, _swap_predicates, _swap_items, _turn_identity)
    ]
    candidates = [way for way in ways if way]
    return random.choice(candidates) if candidates else None


def subject_end(text: str) -> int | None:
    """Where the leading nouns end; None when the sentence does not open with a clear subject."""
    end = 0
    for word in read_sentence(text).words:
        plain_noun = word.flag[:1] in "n" or word.flag in ("eng", "j", "l")
        if not plain_noun and word.text not in ("的", "·", "《", "》"):
            break
        end = word.end
    subject = text[:end]
    return end if 2 <= end <= 16 and is_balanced(subject) and not subject.endswith("的") else None


def _date_back(text: str, random: Random) -> str | None:
    match = DATE.match(text)
    if not match or not match["year"] or match["iso"]:
        return None
    rest = text[match.end() :]
    if not rest.startswith(("，", ",")):
        return None
    rest = rest[1:]
    end = subject_end(rest)
    if end is None or DATE.search(rest.split("，")[0]):
        return None
    after = words_between(read_sentence(rest), end, len(rest))
    if not after or after[0].flag[:1] not in "vdp" or after[0].text in ("于", "在"):
        return None
    return rest[:end] + random.choice(("于", "在")) + match[0] + rest[end:]


def _date_front(text: str, random: Random) -> str | None:
    end = subject_end(text)
    if end is None:
        return None
    match = DATE.match(text, end + 1) if text[end : end + 1] in "于在" else DATE.match(text, end)
    if not match or not match["year"] or match["iso"]:
        return None
    rest = text[match.end() :].removeprefix("，")
    words = read_sentence(rest).words
    if len(rest) < 3 or not words or words[0].flag[:1] != "v" or rest[0] in "的至到前后起":
        return None
    comma = random.choice(("，", "，", ""))
    return match[0] + comma + text[:end] + rest


def _swap_predicates(text: str, _random: Random) -> str | None:
    parts = clauses(text)
    end = subject_end(text)
    if len(parts) != 2 or end is None or end >= len(parts[0]) or _SEQUENCE.search(text[end:]):
        return None
    first, second = parts[0][end:], parts[1]
    if not (_STATIVE.match(first) and _STATIVE.match(second)) or not (
        is_balanced(first) and is_balanced(second)
    ):
        return None
    return text[:end] + second + "，" + first


def _swap_items(text: str, random: Random) -> str | None:
    if _ORDERED.search(text):
        return None
    items = list(_LIST_ITEM.finditer(text))
    if len(items) < 2:
        return None
    first, second = random.sample(items, 2)
    if "，" in text[min(first.start(), second.start()) : max(first.end(), second.end())]:
        return None
    return apply_edits(text, [(*first.span(), second[0]), (*second.span(), first[0])])


def _turn_identity(text: str, random: Random) -> str | None:
    match = re.fullmatch("([^，、。；：的不也都就并]{2,14})是([^，、。；：]{2,24})", text)
    if (
        not match
        or not re.search("首都|省会|最|唯一|第一", match[2])
        or re.search("一[种个座位名所]|之一|其中|不|的$", match[2])
    ):
        return None
    end = subject_end(text)
    if end != match.end(1):
        return None
    return f"{match[2]}{random.choice(('就是', '是'))}{match[1]}"


def change_notation(text: str, random: Random) -> str | None:
    """The same numbers, units, dates, or marks, written in another way."""
    if random.random() < 0.85:
        return rewrite_numbers(text, random)
    ways = [
        text.translate({c: c + 0xFEE0 for c in range(ord("0"), ord("9") + 1)}),
        text.translate(
            {
                c: c + 0xFEE0
                for c in (*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1))
            }
        ),
        text.replace("，", ","),
        text.replace("“", "「").replace("”", "」"),
        text.replace("（", "(").replace("）", ")"),
        re.sub(r"(?<=\d)(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])(?=\d)", " ", text),
    ]
    ways = [way for way in ways if way != text]
    return random.choice(ways) if ways else None


@lru_cache(maxsize=1)
def _traditional() -> Any:
    from opencc import OpenCC

    return OpenCC("s2t")


def change_script(text: str, _random: Random) -> str | None:
    """The text in traditional characters (OpenCC s2t)."""
    changed: str = _traditional().convert(text)
    return changed if changed != text else None


def change_words(text: str, random: Random) -> str | None:
    """Up to four words of the sentence replaced by synonyms of the hand-made table."""
    sentence = read_sentence(text)
    matches = list(table_matches(sentence, SYNONYMS))
    if not matches:
        return None
    chosen = random.sample(matches, random.randint(1, min(len(matches), 4)))
    edits = []
    for start, word in chosen:
        after = words_between(sentence, start + len(word), len(text))
        if word in CONNECTIVES and text[start - 1 : start] not in ("", "，", "；", "。"):
            continue
        classes = "vdpa" if word in ("应", "可", "须", "需") else "vmadnp"
        if len(word) == 1 and (not after or after[0].flag[:1] not in classes):
            continue
        edits.append((start, start + len(word), random.choice(SYNONYMS[word])))
    return apply_edits(text, edits)


def frame(text: str, random: Random) -> str | None:
    """The sentence with what an answer says around a fact."""
    if random.random() < 0.8:
        return random.choice(PREFIXES) + text
    return text + random.choice(SUFFIXES)


def merge(first: str, second: str, random: Random) -> str:
    """Two sentences that follow each other in the passage as one."""
    return (
        first
        + random.choice(("，", "，", "；", "。", "，并且"))
        + (_without_opening(second) or second)
    )
