"""Edits and the way back, against plain reference models."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.offsets import Edit, OffsetMap, Segment, apply

texts = st.text(alphabet="甲乙丙丁ab，\n", max_size=40)


@st.composite
def edits_of(draw, text):
    """Edits in order, without overlap, with replacements that the alphabet of texts lacks."""
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return [
        Edit(start, end, draw(st.text(alphabet="XYZ", max_size=3)))
        for start, end in zip(places[::2], places[1::2], strict=False)
    ]


@st.composite
def edited(draw):
    text = draw(texts)
    edits = draw(edits_of(text))
    return text, edits


@given(edited())
def test_apply_matches_replacing_from_the_back(case):
    text, edits = case
    expected = text
    for edit in reversed(edits):
        expected = expected[: edit.start] + edit.replacement + expected[edit.end :]
    assert apply(text, edits)[0] == expected


@given(edited())
def test_every_copied_character_maps_to_an_equal_one(case):
    text, edits = case
    result, offsets = apply(text, edits)
    for index, character in enumerate(result):
        if character not in "XYZ":
            start, end = offsets.to_original(index, index + 1)
            assert text[start:end] == character


@given(edited(), st.data())
def test_two_steps_compose(case, data):
    text, edits = case
    middle, first = apply(text, edits)
    result, second = apply(middle, data.draw(edits_of(middle)))
    both = first.then(second)
    previous = 0
    for index, character in enumerate(result):
        start, end = both.to_original(index, index + 1)
        assert 0 <= start <= end <= len(text)
        assert start >= previous
        previous = start
        if character not in "XYZ":
            assert text[start:end] == character


@given(edited(), st.data())
def test_a_wider_span_has_a_wider_original(case, data):
    text, edits = case
    result, offsets = apply(text, edits)
    start = data.draw(st.integers(0, len(result)))
    end = data.draw(st.integers(start, len(result)))
    inner = offsets.to_original(start, end)
    outer = offsets.to_original(max(0, start - 1), min(len(result), end + 1))
    assert inner[0] <= inner[1]
    if start < end:
        assert outer[0] <= inner[0] <= inner[1] <= outer[1]


@given(edited())
def test_places_move_forward_in_order_and_stay_inside(case):
    text, edits = case
    result, offsets = apply(text, edits)
    moved = [offsets.to_edited(position) for position in range(len(text) + 1)]
    assert moved == sorted(moved)
    assert all(0 <= place <= len(result) for place in moved)
    for index, character in enumerate(result):
        if character not in "XYZ":
            assert offsets.to_edited(offsets.to_original(index, index + 1)[0]) == index


def test_what_was_deleted_beside_a_span_is_not_part_of_it():
    result, offsets = apply("世紀(jì)末", [Edit(2, 6, "")])
    assert result == "世紀末"
    assert offsets.to_original(0, 2) == (0, 2)
    assert offsets.to_original(0, 3) == (0, 7)
    assert offsets.to_original(2, 3) == (6, 7)


def test_a_rewritten_stretch_maps_as_a_whole():
    result, offsets = apply("前?错?后", [Edit(1, 4, "两字")])
    assert result == "前两字后"
    assert offsets.to_original(1, 2) == (1, 4)
    assert offsets.to_original(2, 4) == (1, 5)


def test_a_deleted_beginning_moves_to_the_first_character():
    _, offsets = apply("广告正文", [Edit(0, 2, "")])
    assert [offsets.to_edited(position) for position in range(5)] == [0, 0, 0, 1, 2]


def test_a_text_deleted_as_a_whole():
    result, offsets = apply("全部", [Edit(0, 2, "")])
    assert result == ""
    assert offsets.to_original(0, 0) == (0, 0)
    assert offsets.to_edited(1) == 0


@pytest.mark.parametrize(
    "edits", [[Edit(2, 3, ""), Edit(0, 1, "")], [Edit(0, 2, ""), Edit(1, 3, "")], [Edit(0, 9, "")]]
)
def test_edits_out_of_order_are_refused(edits):
    with pytest.raises(ValueError, match="out of order"):
        apply("四个字符", edits)


def test_identity_and_merged_copies_stay_one_segment():
    offsets = OffsetMap.identity(5)
    _, nothing = apply("五个字符长", [])
    assert offsets.then(nothing).segments == (Segment(0, 5, 0, 5),)


def test_composing_many_edits_takes_linear_time():
    text = "字," * 100_000
    edits = [Edit(index, index + 1, "") for index in range(1, len(text), 2)]
    _, first = apply(text, edits)
    assert len(OffsetMap.identity(len(text)).then(first).segments) == 100_000
    assert len(first.then(OffsetMap.identity(100_000)).segments) == 100_000


def test_an_insertion_before_rewritten_text_is_not_taken_for_a_copy():
    middle, first = apply("aaaaaaaa", [Edit(0, 6, ""), Edit(6, 8, "XXX")])
    result, second = apply(middle, [Edit(0, 0, "YY")])
    both = first.then(second)
    assert [both.to_original(i, i + 1) for i in range(len(result))] == [(6, 8)] * 5
