"""What was written by hand for training: whole, labelled as it says, and apart from what we report on."""

import json
from itertools import islice
from pathlib import Path

import pytest

from rag.reader.inputs import Task
from training.measure import HELD_OUT
from training.written import FOLDER, Row, Written, rephrased_questions, written_rows

ROOT = Path(__file__).parent.parent
REPORTED = (
    "benchmarks/sets/perturbations",
    "benchmarks/sets/corpus",
    "tests/data",
)
RUN = 16


@pytest.fixture(scope="module")
def rows():
    return written_rows(ROOT / FOLDER / "written.jsonl")


def runs(text):
    return {text[i : i + RUN] for i in range(len(text) - RUN + 1)}


def test_every_row_has_enough_of_each_kind_and_says_nothing_twice(rows):
    assert len(rows) >= 200
    assert len({row.passage for row in rows}) == len(rows)
    for row in rows:
        assert len(row.asked) >= 2
        assert min(map(len, (row.unanswered, row.supported, row.unsupported))) >= 2
        questions = [question for question, _ in row.asked] + list(row.unanswered)
        assert len(set(questions)) == len(questions), row.title
        assert not set(row.supported) & set(row.unsupported), row.title


def test_nothing_of_what_is_reported_on_was_written_into_the_training_data(rows):
    written = set().union(*(runs(row.passage) for row in rows))
    for folder in REPORTED:
        for path in sorted((ROOT / folder).rglob("*.jsonl")):
            reported = runs(path.read_text(encoding="utf-8"))
            assert not {run for run in written & reported if run.isalnum()}, path


def test_what_is_held_out_was_not_trained_on(rows):
    held_out = written_rows(ROOT / HELD_OUT)
    assert len(held_out) >= 90
    trained = set().union(*(runs(row.passage) for row in rows))
    for row in held_out:
        assert not {run for run in runs(row.passage) & trained if run.isalnum()}, row.title


def test_an_answer_that_does_not_stand_exactly_once_is_refused(tmp_path):
    row = {"title": "t", "passage": "三次，三次。", "asked": [["几次", "三次"]]}
    path = tmp_path / "written.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(ValueError, match="三次"):
        written_rows(path)


def test_newest_rows_come_whole_in_every_epoch_and_a_third_of_the_others():
    few = [Row(f"t{n}", f"第{n}条。", ((f"问{n}", f"{n}"),), ("无",), (), ()) for n in range(60)]
    units = Written(few, seed=3, newest=30).question_units()
    first, second = ({right.text for right, _ in islice(units, 30 + 10)} for _ in range(2))
    newest = {row.asked[0][0] for row in few[30:]}
    for epoch in (first, second):
        assert newest < epoch
        assert len(epoch) == 30 + 10
    assert first != second


def test_a_question_unit_holds_the_answer_once_and_once_not(rows):
    answers = {question: answer for row in rows for question, answer in row.asked}
    unanswered = {question for row in rows for question in row.unanswered}
    kinds = set()
    for right, wrong in islice(Written(rows, seed=3).question_units(), 400):
        assert right.label and right.passage[slice(*right.answer)] == answers[right.text]
        assert not wrong.label and wrong.answer is None
        kinds.add(wrong.text in unanswered)
        assert right.task is wrong.task is Task.QUESTION
    assert kinds == {True, False}


def test_a_claim_unit_holds_two_supported_and_two_unsupported_claims(rows):
    supported = {claim for row in rows for claim in row.supported}
    unsupported = {claim for row in rows for claim in row.unsupported}
    varied = 0
    for unit in islice(Written(rows, seed=3).claim_units(), 100):
        assert [each.label for each in unit] == [True, True, False, False]
        for each in unit:
            assert each.text not in (unsupported if each.label else supported)
            varied += each.text not in supported | unsupported
        assert {each.context for each in unit} == {""}
    assert 40 < varied < 240


def test_the_same_seed_gives_the_same_units(rows):
    first, again, other = (
        list(islice(Written(rows, seed=seed).question_units(), 20)) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_rephrased_questions_stand_for_questions_of_the_training_set():
    rephrased = rephrased_questions(ROOT / FOLDER / "rephrased.jsonl")
    assert len(rephrased) > 3000
    assert all(name.startswith("TRAIN_") and question for name, question in rephrased.items())
