"""Which texts a checker is asked about, and that its answers reach the right ones."""

from rag.answer.verify import check_each
from rag.types import Verdict


class Reads:
    """Says what was set for each passage and notes what it was asked."""

    def __init__(self, chances):
        self.chances = chances
        self.asked = []

    def support(self, pairs):
        self.asked += [text for _, text in pairs]
        return [self.chances[text] for _, text in pairs]


def test_only_open_texts_are_read_and_in_their_order():
    claim = "首诊医师应当先安排患者做心电图检查。"
    other, wrong, good = (
        "首诊医师先给患者安排心电图。",
        "首诊医师不得先安排患者做心电图检查。",
        "患者到院后，首诊医师安排的第一项检查是心电图。",
    )
    checker = Reads({other: 0.01, good: 0.9})
    found = check_each(claim, [other, wrong, good, claim], checker=checker, threshold=0.1)
    assert checker.asked == [other, good]
    assert [each.verdict for each in found] == [
        Verdict.UNSUPPORTED,
        Verdict.UNSUPPORTED,
        Verdict.SUPPORTED,
        Verdict.SUPPORTED,
    ]


def test_one_thing_is_a_number_where_the_passage_counts_such_things():
    (counted,) = check_each("医院购置CT一台。", ["医院购置CT三台。"])
    (article,) = check_each("他们安排在同一间病房。", ["他们安排在同室病房。"])
    assert counted.verdict is Verdict.NUMBER_MISMATCH
    assert article.verdict is Verdict.SUPPORTED
