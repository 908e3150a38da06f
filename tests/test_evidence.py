"""Do the passages hold an answer? What is measured, and the state that follows."""

import json
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.evidence import (
    COEFFICIENTS,
    READING,
    SIMILARITY,
    Features,
    _Model,
    _model,
    judge,
    reading_features,
    similarity_features,
)
from rag.answer.extract import Candidate, token_weights
from rag.types import Hit, Passage, Reading, Span, State

VALUES = st.tuples(*[st.floats(0, 1)] * len(SIMILARITY)).map(partial(Features, SIMILARITY))


def hit(text, title="", heading="", dense=0.9):
    return Hit(Passage("a.txt", 0, len(text), text, heading), title, 1.0, dense)


def measure(question, *hits, cosine=0.9):
    weights = token_weights(question, lambda _: 0.1, 10)
    ranked = [
        Candidate(found, 0, 1, found.passage.text, 0.5, cosine=cosine - number / 10)
        for number, found in enumerate(hits)
    ]
    return named(similarity_features(question, hits, ranked, weights))


def named(features):
    return dict(zip(features.names, features.values, strict=True))


def of(values):
    return Features(SIMILARITY, tuple(values[name] for name in SIMILARITY))


def read(question, *readings):
    hits = [replace(hit("发热门诊全天开放。"), reading=reading) for reading in readings]
    return reading_features(question, hits)


def probability(features):
    return judge(features, answered=0.5, uncertain=0.3).probability


# Features


def test_there_is_a_coefficient_for_each_feature_and_for_nothing_else():
    content = json.loads(COEFFICIENTS.read_text(encoding="utf-8"))
    assert content["similarity"]["coefficients"].keys() == set(SIMILARITY)
    assert content["reading"]["coefficients"].keys() == set(READING)


def test_a_passage_that_holds_every_word_of_the_question():
    found = measure("发热门诊几点开放", hit("发热门诊全天开放。"), hit("食堂在一楼。"))
    assert found["sentence_cosine"] == pytest.approx(0.9)
    missing = measure("发热门诊几点开放", hit("食堂在一楼。"))
    assert found["passage_coverage"] > 0.5 > missing["passage_coverage"]
    assert found["unseen_share"] < missing["unseen_share"]


def test_the_title_and_the_section_are_part_of_a_passage():
    bare = measure("放射科值班", hit("每周五公布。"))
    under = measure("放射科值班", hit("每周五公布。", "放射科", "值班"))
    assert under["passage_coverage"] > bare["passage_coverage"]
    assert under["unseen_share"] < bare["unseen_share"]


def test_names_and_numbers_that_no_passage_holds():
    assert measure("CT在2025年几台", hit("2025年有CT三台。"))["missing_entities"] == 0
    assert measure("CT在2025年几台", hit("有CT三台。"))["missing_entities"] == 0.5
    assert measure("CT在2025年几台", hit("有三台。"))["missing_entities"] == 1
    assert measure("门诊几点开放", hit("有三台。"))["missing_entities"] == 0
    best = measure("CT在2025年几台", hit("食堂在一楼。"), hit("2025年有CT三台。"))
    assert best["missing_entities"] == 0


def test_words_scattered_over_passages_are_seen_but_cover_none():
    together = measure("发热门诊", hit("发热门诊"))
    apart = measure("发热门诊", hit("发热"), hit("门诊"))
    assert apart["passage_coverage"] < together["passage_coverage"]


def test_a_question_of_asking_words_only_can_be_measured():
    values = measure("什么是多少？", hit("发热门诊全天开放。"))
    assert all(0 <= value <= 1 for value in values.values())


@given(
    st.text("发热门诊开放 CT2025？", max_size=20),
    st.lists(st.text("发热门诊开放 CT2025。", min_size=1, max_size=20), max_size=4),
)
def test_features_lie_between_0_and_1(question, texts):
    values = measure(question, *map(hit, texts))
    assert all(-1e-9 <= value <= 1 + 1e-9 for value in values.values())


# What the reader found


def test_the_passage_that_most_likely_answers_gives_the_reading_its_features():
    weak = Reading(2.0, -3.0, (Span(0, 2, 0.9),))
    strong = Reading(1.0, 4.0, (Span(2, 4, 0.7), Span(0, 2, 0.1)))
    found = named(read("发热门诊几点开放", weak, strong))
    assert found["answerable"] == 4.0
    assert found["relevance"] == 2.0
    assert found["span_probability"] == 0.7


def test_logits_beyond_eight_say_nothing_more():
    assert read("发热", Reading(99.0, 99.0)).values[:3] == (8.0, 8.0, 0.0)


def test_a_passage_that_answers_is_more_probable_than_one_that_does_not():
    yes = Reading(4.0, 4.0, (Span(0, 4, 0.9),))
    no = Reading(-4.0, -4.0, (Span(0, 4, 0.2),))
    assert probability(read("发热门诊开放", yes, no)) > probability(read("发热门诊开放", no, no))


def test_nothing_read_is_not_found():
    features = reading_features("发热", ())
    assert judge(features, answered=0.5, uncertain=0.35).state is State.NOT_FOUND


# The judgement


def test_nothing_found_is_not_found():
    values = similarity_features("发热", (), (), {"发热": 1.0})
    assert judge(values, answered=0.5, uncertain=0.35).state is State.NOT_FOUND


def test_a_passage_in_the_questions_own_words_beats_one_of_another_subject():
    same = measure("发热门诊全天开放吗", hit("发热门诊全天开放。"), cosine=0.95)
    other = measure("发热门诊全天开放吗", hit("食堂在一楼。"), cosine=0.75)
    assert probability(of(same)) > probability(of(other))


def test_more_evidence_is_never_less_probable():
    """The sign of each feature, whatever its size."""
    better = {
        "sentence_cosine": 1,
        "passage_coverage": 1,
        "unseen_share": -1,
        "missing_entities": -1,
    }
    middle = {"sentence_cosine": 0.88} | dict.fromkeys(list(better)[1:], 0.5)
    for name, sign in better.items():
        changed = middle | {name: middle[name] + 0.05 * sign}
        assert probability(of(changed)) > probability(of(middle))


@given(VALUES)
def test_a_probability_makes_one_of_three_states(values):
    found = judge(values, answered=0.6, uncertain=0.3)
    assert 0 <= found.probability <= 1
    expected = (
        State.ANSWERED
        if found.probability >= 0.6
        else State.UNCERTAIN
        if found.probability >= 0.3
        else State.NOT_FOUND
    )
    assert found.state is expected


@given(VALUES)
def test_the_thresholds_themselves_belong_to_the_better_state(values):
    exact = probability(values)
    assert judge(values, answered=exact, uncertain=exact).state is State.ANSWERED
    assert judge(values, answered=2.0, uncertain=exact).state is State.UNCERTAIN


@pytest.mark.parametrize("value", [1e9, -1e9])
def test_extreme_values_do_not_overflow(value):
    assert 0 <= probability(Features(SIMILARITY, (value,) * len(SIMILARITY))) <= 1


def test_a_value_too_many_is_an_error():
    with pytest.raises(ValueError, match="zip"):
        judge(Features(SIMILARITY, (0.5,) * (len(SIMILARITY) + 1)), answered=0.5, uncertain=0.3)


# The threshold that a share of false answers asks for


@pytest.mark.parametrize("names", [SIMILARITY, READING])
def test_fewer_false_answers_need_a_higher_probability(names):
    model = _model(Features(names, ()).model)
    shares = [0.001, 0.01, 0.03, 0.07, 0.1, 0.2, 0.5]
    chances = [model.threshold(share) for share in shares]
    assert chances == sorted(chances, reverse=True)
    assert 0 < chances[-1] < chances[0] < 1


def test_between_two_measured_shares_the_threshold_lies_on_a_line():
    model = _Model({}, 0.0, ((0.1, 0.4), (0.2, 0.2)))
    assert model.threshold(0.1) == 0.4
    assert model.threshold(0.15) == pytest.approx(0.3)
    assert model.threshold(0.01) == 0.4
    assert model.threshold(0.9) == 0.2


def test_the_share_of_false_answers_decides_where_no_probability_is_given():
    values = Features(SIMILARITY, (0.9, 0.5, 0.2, 0.0))
    chance = probability(values)
    model = _model("similarity")
    strict = judge(values, answered=0.0, false_answers=1e-9)
    assert (strict.state is State.NOT_FOUND) == (chance < model.threshold(1e-9))
    assert judge(values, answered=0.0, uncertain=chance).state is State.ANSWERED
