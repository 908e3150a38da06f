"""The CMRC2018 and ExpMRC scorers, on cases worked by hand from their published scripts."""

import pytest

from rag.evaluate.reading_comprehension import (
    evidence_f1,
    exact_match,
    f1,
    longest_shared_run,
)


@pytest.mark.parametrize(
    ("answers", "prediction", "expected"),
    [
        (["光荣和ω-force"], "光荣和ω-force", 1.0),
        # Punctuation of the script's list and outer space go, case does not count.
        (["光荣和ω-force"], " 光荣，和Ω force ", 0.0),  # an inner space stays
        (["光荣和ω-force"], "光荣和Ωforce。", 1.0),
        (["1963年"], "1963年", 1.0),
        (["1963年", "1964年"], "《1964年》", 1.0),
        (["1,260人"], "1260人", 0.0),  # the Latin comma is not in the list
        (["１９６３年"], "1963年", 0.0),  # width is not normalized
        (["甲"], "", 0.0),
    ],
)
def test_exact_match(answers, prediction, expected):
    assert exact_match(answers, prediction) == expected


@pytest.mark.parametrize(
    ("answers", "prediction", "expected"),
    [
        # 2 of 2 against 2 of 6 characters: 2·2 / (6 + 2).
        (["朝鲜"], "选择了朝鲜籍", 0.5),
        # 朝鲜国籍: the run 朝鲜 (2), not the three shared characters: 2·2 / (6 + 4).
        (["朝鲜国籍"], "选择了朝鲜籍", 0.4),
        # The best of the references: 国籍 has none of 朝鲜.
        (["朝鲜", "国籍"], "朝鲜", 1.0),
        # Words and numbers are one token each: 1963 年 against 在 1963 年 1 月: 2·2 / (5 + 2).
        (["1963年"], "在1963年1月", 4 / 7),
        # The hyphen goes before tokens are made, so ω-force is one token ωforce: 2·2 / (4 + 2).
        (["和ω-force"], "光荣和ωforce", 2 * 2 / (4 + 2)),
        # English words part at spaces: the cat sat / the cat: 2·2 / (3 + 2).
        (["the cat"], "The cat sat", 0.8),
        # A Latin comma is a token of its own: 3 , 5 against 3: 2·1 / (3 + 1).
        (["3, 5"], "3", 0.5),
        (["甲乙"], "丙丁", 0.0),
        (["甲乙"], "", 0.0),
        # Only punctuation leaves nothing to share.
        (["。"], "。", 0.0),
    ],
)
def test_f1_is_over_the_longest_shared_run(answers, prediction, expected):
    assert f1(answers, prediction) == pytest.approx(expected)


def test_a_run_has_no_gaps():
    assert longest_shared_run("abcde", "abxde") == 2
    assert longest_shared_run("aaab", "aab") == 3
    assert longest_shared_run("abc", "") == 0


@pytest.mark.parametrize(
    ("evidence", "prediction", "expected"),
    [
        # Bags: 甲乙丙 shares 3 of 4 with 乙甲丁丙: 2·3 / (4 + 3).
        (["甲乙丙"], "乙甲丁丙", 6 / 7),
        # A character counts as often as both have it: 甲甲 / 甲: 2·1 / (1 + 2).
        (["甲甲"], "甲", 2 / 3),
        # Punctuation of both lists goes, case does not count; articles go where they are small.
        (["the Heart, 心脏。"], "heart心脏", 1.0),
        (["The Heart, 心脏。"], "heart心脏", 6 / 7),
        (["不过由于伤病困扰", "伤病"], "伤病", 1.0),
        (["甲"], "", 0.0),
        (["，"], "。", 1.0),  # nothing and nothing agree, as in the script
    ],
)
def test_evidence_f1_is_over_bags(evidence, prediction, expected):
    assert evidence_f1(evidence, prediction) == pytest.approx(expected)


def test_words_between_chinese_are_taken_apart_as_nltk_does():
    # word_tokenize("can't") is ca, n't: 2·1 / (1 + 2)
    assert f1(["ca"], "can't") == pytest.approx(2 / 3)
    # "2.5%" is 2.5 and %: 2·1 / (2 + 1)
    assert f1(["2.5"], "约2.5%") == pytest.approx(2 / 4)
