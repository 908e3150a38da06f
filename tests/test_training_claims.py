"""Claim pairs made by rules: the same for a seed, every kind, labels that hold."""

import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from rag.answer.numbers import quantities
from rag.chinese import to_simplified
from training.claim_errors import WRONG_RULES, wrong_negation, wrong_unit
from training.claim_mixups import exchanged_roles, wrong_entity
from training.claim_numbers import change_date, change_range, rewrite_numbers, to_chinese
from training.claim_phrases import rephrase
from training.claim_rewrites import change_words, reorder, shorten
from training.claim_text import Context, clauses, names, read_sentence
from training.claims import ClaimPair, claim_pairs

WRITTEN = Path(__file__).parents[1] / "training/data/passages.txt"
ARTICLES = (
    "林远舟是中国江苏省南京市的一位建筑师，1978年3月出生于苏州。1999年，林远舟毕业于东南大学。2006年9月，"
    "林远舟出任上海市规划局局长，主持修建了三座图书馆，面积共12.5万平方米。他著有《江南旧屋》、《木构札记》、"
    "《桥与河》和《城墙之外》四本书，其中《江南旧屋》首次出版时只印了两千册。",
    "青河铁路位于山西省北部，全长186公里，由大同通往朔州。工程于1958年5月开工，1961年12月全部通车，约有65%的"
    "路段穿过山地。因此，青河铁路的隧道多于桥梁。1970年代，太原铁路局收购了这条铁路，北京的一家公司在1992年之后"
    "负责运营。陈立民比张大海早两年担任站长，陈立民后来打败了王国强。",
    "本园先建温室后种兰花，早期只有6～8个品种。游客须先登记再入园，儿童至少由一名成人陪同，所有宠物均不得入内。"
    "开放时间从每天上午8时到下午5时，最高可容纳3000人。张建国在2010年3月5日把门票从30元提高到50元，目前已经不再涨价。",
)


@pytest.fixture(scope="module")
def passages() -> list[str]:
    return [*ARTICLES, *WRITTEN.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def pairs(passages) -> list[ClaimPair]:
    return [pair for seed in range(3) for pair in claim_pairs(passages, seed=seed)]


def _values(text: str) -> Counter:
    return Counter((q.kind, q.values, q.unit) for q in quantities(text))


def _bare(text: str) -> str:
    return re.sub(r"[。\s]", "", text)


def test_a_seed_gives_the_same_pairs_and_another_gives_others(passages):
    first, again = (list(claim_pairs(passages[:30], seed=7)) for _ in range(2))
    other = list(claim_pairs(passages[:30], seed=8))
    assert first == again
    assert len(set(first) & set(other)) < len(first) / 2


def test_a_passage_given_twice_gets_other_claims():
    twice = [p.claim for p in claim_pairs([ARTICLES[0], ARTICLES[0]], seed=1)]
    half = len(twice) // 2
    assert set(twice[:half]) != set(twice[half:])


def test_every_kind_occurs_on_both_sides(pairs):
    wrong = {pair.kind for pair in pairs if not pair.supported}
    supported = {pair.kind for pair in pairs if pair.supported}
    assert wrong == {kind for kind, _, _ in WRONG_RULES}
    assert supported == {
        "untouched", "shortened", "reordered", "notation", "script", "synonym", "merged",
        "rephrased", "framed",
    }  # fmt: skip


def test_about_three_supported_and_four_wrong_claims_a_passage(pairs, passages):
    count = Counter(pair.supported for pair in pairs)
    assert 2.5 <= count[True] / (3 * len(passages)) <= 3.5
    assert 3.5 <= count[False] / (3 * len(passages)) <= 4.0


def test_no_wrong_claim_stands_in_its_passage(pairs):
    for pair in pairs:
        if not pair.supported:
            assert _bare(to_simplified(pair.claim)) not in _bare(pair.passage), pair


def test_untouched_claims_stand_in_their_passage(pairs):
    untouched = [pair for pair in pairs if pair.kind == "untouched"]
    assert untouched
    assert all(pair.claim.rstrip("。") in pair.passage for pair in untouched)


def test_notation_and_synonyms_keep_every_quantity(pairs):
    checked = 0
    for pair in pairs:
        if pair.kind in ("notation", "synonym", "script") and "1. " not in pair.claim:
            claim = re.sub(r"\[1\]|【1】", "", pair.claim)
            assert not _values(claim) - _values(pair.passage), pair
            checked += 1
    assert checked > 200


def test_wrong_numbers_are_seen_by_the_comparison_of_quantities(pairs):
    for pair in pairs:
        if pair.kind in ("dose", "percentage", "range"):
            source = max(pair.passage.split("。"), key=lambda s: len(set(s) & set(pair.claim)))
            assert _values(pair.claim) != _values(source), pair


def test_surface_rewritings_lie_over_wrong_claims_too(pairs):
    wrong = [pair for pair in pairs if not pair.supported]
    framed = sum(bool(re.search("资料|^答|规定，|\\[1\\]", pair.claim)) for pair in wrong)
    traditional = sum(to_simplified(pair.claim) != pair.claim for pair in wrong)
    assert framed > len(wrong) / 50
    assert traditional > len(wrong) / 100


@pytest.mark.parametrize(
    "passage",
    [
        "",
        "   ",
        "好。",
        "Only English stands here. It has 20 mg in it.",
        "😀😀😀。🎉🎉",
        "《《“（",
        "第一条",
        "，，，。。。",
        "一二三四五六七八九十。",
        "a" * 300,
        "啊" * 300,
        "1.2.3.4-5~6%％百分之",
    ],
)
def test_odd_passages_raise_nothing(passage):
    for pair in claim_pairs([passage, ARTICLES[0]], seed=3):
        assert pair.claim


def test_no_passages_give_no_claims():
    assert list(claim_pairs([], seed=1)) == []


def _all_ways(rule, *arguments) -> set[str]:
    ways = {rule(*arguments, Random(seed)) for seed in range(60)}
    return {way for way in ways if way is not None}


def _context(passage: str, **pool: tuple[str, ...]) -> Context:
    sentences = tuple(part for part in passage.split("。") if part)
    return Context(passage, sentences, pool, ())


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("肾功能不全者不得使用本品", "肾功能不全者可以使用本品"),
        ("青河铁路是一条支线", "青河铁路不是一条支线"),
        ("该药可与食物同服", "该药不可与食物同服"),
        ("标本无需冷藏", "标本需要冷藏"),
    ],
)
def test_negation_turns_polarity_round(sentence, expected):
    assert expected in _all_ways(wrong_negation, sentence, _context(sentence))


@pytest.mark.parametrize(
    "sentence", ["医生会问是否发热", "本品可能引起不良反应", "功能区的所有门窗", "无论谁来都是一样"]
)
def test_words_that_only_hold_a_negation_stay(sentence):
    for claim in _all_ways(wrong_negation, sentence, _context(sentence)):
        assert "不不" not in claim
        assert "可能" in claim or "可能" not in sentence
        assert "不良反应" in claim or "不良反应" not in sentence
        assert "是否" not in sentence and "无论" not in sentence


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "零"),
        (2, "二"),
        (10, "十"),
        (15, "十五"),
        (105, "一百零五"),
        (6710, "六千七百一十"),
        (10_000, "一万"),
        (100_500, "十万零五百"),
        (671_000_000_000, "六千七百一十亿"),
    ],
)
def test_chinese_numerals(value, text):
    assert to_chinese(value) == text


def test_numbers_are_written_otherwise_with_equal_quantities():
    text = "2025年3月5日投入6710亿元，占30%，每次服5毫克，共3次"
    ways = _all_ways(rewrite_numbers, text)
    assert any("2025-03-05" in way for way in ways)
    assert any("六千七百一十亿" in way for way in ways)
    assert any("百分之三十" in way for way in ways)
    assert any("5mg" in way for way in ways)
    assert all(_values(way) == _values(text) for way in ways)


def test_units_dates_and_ranges_are_changed_one_at_a_time():
    assert "每次5克" in _all_ways(wrong_unit, "每次5毫克", _context("每次5毫克"))
    assert all(way != "2008年" for way in _all_ways(change_date, "2008年"))
    assert all(way.endswith("天") and way != "3～5天" for way in _all_ways(change_range, "3～5天"))


def test_entities_come_from_the_passage_first_and_roles_are_exchanged():
    passage = "陈立民在山西省击败了王国强。张大海住在江苏省。"
    swapped = _all_ways(wrong_entity, "陈立民在山西省击败了王国强", _context(passage))
    assert "陈立民在江苏省击败了王国强" in swapped
    assert _all_ways(exchanged_roles, "陈立民击败了王国强", _context(passage)) == {
        "王国强击败了陈立民"
    }
    assert not _all_ways(exchanged_roles, "陈立民和王国强互相认识", _context(passage))


def test_shortening_never_keeps_a_bare_condition():
    sentence = "体温低于36℃，应使用暖风机"
    assert not _all_ways(shorten, sentence)
    assert _all_ways(shorten, "库房设在地下一层（共三间），由两人看守") >= {
        "库房设在地下一层，由两人看守"
    }


def test_rewritings_of_a_sentence():
    moved = _all_ways(reorder, "1998年3月，林远舟出任上海市规划局局长")
    assert moved == {
        "林远舟于1998年3月出任上海市规划局局长",
        "林远舟在1998年3月出任上海市规划局局长",
    }
    assert "住院医师填写申请单" in _all_ways(rephrase, "申请单由住院医师填写")
    words = _all_ways(change_words, "患者不得自行加量")
    assert {"病人不得自行加量", "患者不允许自行加量"} <= words


def test_clauses_keep_brackets_and_numbers_whole():
    assert clauses("甲（乙，丙），共1,200人，丁") == ["甲（乙，丙）", "共1,200人", "丁"]


def test_words_cover_the_sentence():
    sentence = read_sentence("林远舟著有《江南旧屋》，get 3 books")
    assert "".join(word.text for word in sentence.words) == sentence.text
    assert [name.text for name in names(sentence.text)][-1] == "《江南旧屋》"
