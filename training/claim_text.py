"""A sentence as the claim rules see it: words with their classes, clauses, names.

Words come from jieba's part-of-speech tagger. Its word list is read directly: asking jieba to
load it would leave a cache file in the machine's shared temporary folder.
"""

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple


class Word(NamedTuple):
    """One word of a sentence: its text, jieba's word class, where it starts."""

    text: str
    flag: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class Name(NamedTuple):
    """A name in a text: its text, its kind (person, place, organisation, …), where it starts."""

    text: str
    kind: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence without its closing mark, its words and the offsets where words begin or end."""

    text: str
    words: tuple[Word, ...]
    borders: frozenset[int]


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule may borrow from: the passage, its sentences, names and clauses of others."""

    passage: str
    sentences: tuple[str, ...]
    pool: Mapping[str, tuple[str, ...]]
    other_sentences: tuple[str, ...]


@lru_cache(maxsize=1)
def _tagger() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jieba still asks for pkg_resources
        import jieba
        from jieba.posseg import POSTokenizer

    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return POSTokenizer(tokenizer)


@lru_cache(maxsize=4096)
def read_sentence(text: str) -> Sentence:
    """Splits a sentence into tagged words; about 1 ms for 70 characters."""
    words = []
    start = 0
    for pair in _tagger().cut(text):
        words.append(Word(pair.word, pair.flag, start))
        start += len(pair.word)
    borders = frozenset([0, *(word.end for word in words)])
    return Sentence(text, tuple(words), borders)


def clauses(text: str) -> list[str]:
    """The parts between commas, brackets and quotes kept whole.

    >>> clauses("甲（乙，丙），丁")
    ['甲（乙，丙）', '丁']
    """
    parts = []
    start = depth = 0
    for index, character in enumerate(text):
        if character in "（(《“「『【[":
            depth += 1
        elif character in "）)》”」』】]":
            depth = max(depth - 1, 0)
        elif (
            character in "，,"
            and not depth
            and not (character == "," and text[index - 1 : index].isdigit())
        ):
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def is_balanced(text: str) -> bool:
    """Whether every bracket and quote that opens also closes."""
    pairs = ("（）", "()", "《》", "“”", "「」", "『』", "【】", "[]")
    return all(text.count(pair[0]) == text.count(pair[1]) for pair in pairs)


def has_class(words: Sequence[Word], classes: str) -> bool:
    """Whether any word's class begins with one of the letters."""
    return any(word.flag[:1] in classes for word in words)


def words_between(sentence: Sentence, start: int, end: int) -> list[Word]:
    return [word for word in sentence.words if word.start >= start and word.end <= end]


def table_matches(
    sentence: Sentence, table: Mapping[str, tuple[str, ...]], longest: int = 7
) -> Iterator[tuple[int, str]]:
    """``(start, word)`` of the table's words that begin and end at borders; the longest wins."""
    borders = sorted(sentence.borders)
    after = 0
    for position, start in enumerate(borders):
        if start < after:
            continue
        ends = [end for end in borders[position + 1 : position + 8] if end - start <= longest]
        for end in reversed(ends):
            word = sentence.text[start:end]
            if word in table:
                yield start, word
                after = end
                break


_TITLE = re.compile("《[^《》]{1,20}》")
_QUOTED = re.compile("“[^“”，。]{2,10}”|「[^「」，。]{2,10}」")
_LATIN = re.compile(r"(?<![A-Za-z0-9])[A-Z][A-Za-z]{2,}(?:[ \-][A-Z][A-Za-z]+)*(?![A-Za-z0-9])")
_ORGANISATION = re.compile(
    "(?:公司|大学|学院|集团|银行|委员会|部队|政府|协会|研究所|电视台|俱乐部|出版社|医院|学会|局|党|报社)$"
)
_TRANSLITERATED = re.compile("[\u4e00-\u9fff]{1,6}(?:·[\u4e00-\u9fff]{1,8})+")
_SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严金魏陶姜谢邹苏潘葛范彭鲁马方俞任袁柳史唐费廉薛雷贺倪汤罗"
    "毕郝安傅齐康伍余顾孟黄穆萧尹姚邵汪毛戴宋庞熊纪舒屈项祝董梁杜阮蓝闵席贾江童颜郭梅林钟徐邱骆高夏蔡田樊胡凌霍"
    "万卢莫房丁邓洪左石崔龚程陆甄段侯宁刘叶白蒲赖卓乔曾沙关查曲岳温庄晏阎温司欧"
)
_KINDS = {"nr": "person", "nrt": "person", "ns": "place", "nt": "organisation", "nz": "other"}


@lru_cache(maxsize=4096)
def names(text: str) -> tuple[Name, ...]:
    """The names of a sentence in order, none inside another."""
    found: list[Name] = []
    for pattern, kind in (
        (_TITLE, "title"),
        (_QUOTED, "quoted"),
        (_TRANSLITERATED, "foreign person"),
        (_LATIN, "latin"),
    ):
        found += [Name(match[0], kind, match.start()) for match in pattern.finditer(text)]
    for word in read_sentence(text).words:
        kind = _KINDS.get(word.flag, "")
        if not kind or len(word.text) < 2 or not word.text.isalpha() or word.text.isascii():
            continue
        if word.flag == "nr" and word.text[0] not in _SURNAMES:
            continue
        if _ORGANISATION.search(word.text):
            kind = "organisation"
        found.append(Name(word.text, kind, word.start))
    found.sort(key=lambda name: (name.start, -name.end))
    kept: list[Name] = []
    for name in found:
        if not kept or name.start >= kept[-1].end:
            kept.append(name)
    return tuple(kept)
