"""Intervals, abstention and curves; comparing, gating and sweeping."""

import json

import numpy as np
import pytest
import typer
from evaluation_sets import E5LikeEncoder, settings_in, write_set
from typer.testing import CliRunner

from rag.errors import SettingsError
from rag.evaluate import bootstrap
from rag.evaluate.bootstrap import aurc, intervals, mean_of, point, ratio_of
from rag.evaluate.compare import compare
from rag.evaluate.dataset import load
from rag.evaluate.faults import RunError
from rag.evaluate.gate import check, parse_conditions
from rag.evaluate.plan import Plan
from rag.evaluate.run import run
from rag.evaluate.summarize import summarize
from rag.evaluate.sweep import parse_assignments, row_of, table, variants, write_sweep
from rag.evaluate_cli import app


def row(name, *, answerable=True, state="answered", confidence=0.9, correct=1.0, kind="fact"):
    return {
        "id": name,
        "type": kind,
        "answerable": answerable,
        "error": None,
        "answer": {"state": state, "confidence": confidence},
        "metrics": {"outcome.correct": correct},
    }


def test_the_interval_of_a_mean_is_near_the_normal_one():
    values = np.random.default_rng(1).normal(0.6, 0.1, 400)
    found = intervals({"m": (mean_of(values), 400)}, 400, seed=7)["m"]
    spread = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean(), abs=1e-6)
    assert found.low == pytest.approx(values.mean() - spread, abs=0.002)
    assert found.high == pytest.approx(values.mean() + spread, abs=0.002)


def test_the_same_seed_draws_the_same_and_another_does_not():
    values = np.random.default_rng(1).random(50)
    statistics = {"m": (mean_of(values), 50)}
    assert intervals(statistics, 50, seed=7) == intervals(statistics, 50, seed=7)
    assert intervals(statistics, 50, seed=7) != intervals(statistics, 50, seed=8)


def test_every_replicate_draws_as_many_questions_as_there_are(monkeypatch):
    monkeypatch.setattr(bootstrap, "_CHUNK_CELLS", 70)
    drawn = np.concatenate(list(bootstrap.replicates(10, seed=3, count=25)))
    assert drawn.shape == (25, 10)
    assert set(drawn.sum(axis=1)) == {10.0}
    assert len({tuple(line) for line in drawn.tolist()}) > 20


def test_questions_that_a_metric_does_not_fit_are_left_out():
    values = np.array([1.0, np.nan, 0.0, np.nan])
    assert point(mean_of(values), 4) == 0.5
    assert "empty" not in intervals({"empty": (mean_of(np.full(4, np.nan)), 0)}, 4, seed=7)
    assert np.isnan(point(ratio_of(np.zeros(3), np.zeros(3)), 3))


def test_aurc_by_hand():
    confidence = np.array([0.9, 0.2, 0.6, 0.4])
    loss = np.array([0.0, 1.0, 1.0, 0.0])
    # by falling confidence: 0, 1, 0, 1: risks 0, 1/2, 1/3, 2/4
    assert point(aurc(confidence, loss, np.ones(4)), 4) == pytest.approx((0.5 + 1 / 3 + 0.5) / 4)
    # without the third question: 0, 0, 1: risks 0, 0, 1/3
    applies = np.array([1.0, 1.0, 0.0, 1.0])
    assert point(aurc(confidence, loss, applies), 4) == pytest.approx(1 / 9)


def test_abstention_by_hand():
    refused = {"state": "not_found", "confidence": 0.1}
    rows = [
        row("a"),
        row("b", **refused, correct=0.0),
        row("c", answerable=False, **refused, correct=1.0),
        row("d", answerable=False, **refused, correct=1.0),
        row("e", answerable=False, confidence=0.7, correct=0.0),
    ]
    found = summarize("set", rows, seed=7)["metrics"]
    assert found["abstain.precision"]["value"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["abstain.recall"]["value"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["abstain.f1"]["value"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["abstain.false_answer_rate"]["value"] == pytest.approx(1 / 3, abs=1e-6)
    assert found["abstain.over_refusal_rate"]["value"] == 0.5
    assert found["abstain.precision"]["n"] == 3
    assert found["outcome.correct"]["value"] == 0.6
    # losses by falling confidence: a 0, e 1, then b, c, d 1 each
    assert found["abstain.aurc"]["value"] == pytest.approx(
        (0 + 1 / 2 + 2 / 3 + 3 / 4 + 4 / 5) / 5, abs=1e-6
    )


def test_a_set_without_unanswerable_questions_has_no_abstention_recall():
    found = summarize("set", [row("a"), row("b", state="uncertain")], seed=7)
    assert "abstain.recall" not in found["metrics"]
    assert found["metrics"]["abstain.over_refusal_rate"]["value"] == 0.0
    assert found["curves"]["risk_coverage"] == [[0.5, 0.0], [1.0, 0.0]]
    assert found["curves"]["recall_at_k"] == {}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run, the same again, and one that refuses nearly everything."""
    folder = tmp_path_factory.mktemp("bench")
    dataset = load(write_set(folder / "set"))
    encoder = E5LikeEncoder()
    strict = settings_in(folder, answer={"answered": 0.999, "uncertain": 0.99})
    return {
        name: run(Plan(dataset, settings), encoder=encoder, out=folder / name).directory
        for name, settings in {
            "good": settings_in(folder),
            "same": settings_in(folder),
            "strict": strict,
        }.items()
    }


def test_equal_settings_do_not_differ(runs):
    found = compare(runs["good"], runs["same"])
    assert found.flips == ()
    assert {d.p for d in found.metrics.values()} == {1.0}
    assert {d.difference for d in found.metrics.values()} == {0.0}


def test_worse_settings_are_significant_and_their_questions_listed_first(runs):
    found = compare(runs["good"], runs["strict"])
    worse = found.metrics["outcome.correct"]
    assert worse.difference < 0
    assert worse.high < 0
    assert worse.is_significant
    assert {flip.became for flip in found.flips} == {"worse"}
    assert [flip.id for flip in found.flips] == ["q1", "q2", "q3", "q4", "q5", "q6", "q7", "q10"]
    back = compare(runs["strict"], runs["good"]).metrics["outcome.correct"]
    assert back.difference == -worse.difference


def test_what_cannot_be_compared_is_said(runs, tmp_path):
    with pytest.raises(RunError, match=r"没有 summary\.json"):
        compare(runs["good"], tmp_path)


def test_gates():
    summary = {"errors": 1, "questions": 5, "metrics": {"answer.f1": {"value": 0.8}}}
    texts = ["answer.f1>=0.80, answer.f1<0.9", "errors<=0", "abstain.recall>=0.1"]
    verdicts = check(summary, parse_conditions(texts))
    assert [v.is_met for v in verdicts] == [True, True, False, False]
    assert verdicts[3].value is None


@pytest.mark.parametrize("text", ["answer.f1=0.8", "answer.f1>=good", ">=0.8", "f1"])
def test_a_gate_that_cannot_be_read(text):
    with pytest.raises(SettingsError, match="看不懂"):
        parse_conditions([text])


def cli(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_gate_ends_with_its_exit_code(runs, tmp_path):
    passed = cli("gate", runs["good"], "--min", "outcome.correct>=0.9,errors<=0")
    assert (passed.exit_code, "通过" in passed.output) == (0, True)
    failed = cli("gate", runs["strict"], "--min", "outcome.correct>=0.9", "--json")
    assert failed.exit_code == 1
    assert json.loads(failed.output)["passed"] is False
    config = tmp_path / "rag.toml"
    config.write_text('[eval]\nminimum = ["abstain.recall>=1.0"]\n', encoding="utf-8")
    assert cli("gate", runs["good"], "--config", config).exit_code == 0


def test_compare_prints_flipped_questions_before_metrics(runs):
    output = cli("compare", runs["good"], runs["strict"]).output
    assert output.index("由对变错 q1") < output.index("outcome.correct")
    assert "由对变错 8 题" in output
    found = json.loads(cli("compare", runs["good"], runs["strict"], "--json").output)
    assert found["metrics"]["outcome.correct"]["significant"] is True


def test_every_combination_is_swept():
    found = list(
        variants(parse_assignments(["retrieve.mode=dense, keyword", "retrieve.top_k=3,5"]))
    )
    assert [variant.label for variant in found] == [
        "mode=dense，top_k=3",
        "mode=dense，top_k=5",
        "mode=keyword，top_k=3",
        "mode=keyword，top_k=5",
    ]
    assert found[0].overrides == {"retrieve": {"mode": "dense", "top_k": "3"}}


@pytest.mark.parametrize("text", ["mode=dense", "retrieve.mode", "retrieve.mode=", "=dense"])
def test_an_assignment_that_cannot_be_read(text):
    with pytest.raises(SettingsError, match="看不懂"):
        parse_assignments([text])


def test_a_sweep_writes_table_rows_and_chart(runs, tmp_path):
    rows = []
    for variant, name in zip(
        variants(parse_assignments(["answer.answered=0.6,0.999"])), ("good", "strict"), strict=True
    ):
        directory = runs[name]
        summary, operation = (
            json.loads((directory / f"{part}.json").read_text(encoding="utf-8"))
            for part in ("summary", "operation")
        )
        rows.append(row_of(variant, directory, summary, operation))
    assert "| 0.6 | **100.0%** |" in table(rows)
    write_sweep(tmp_path / "sweep", rows, "outcome.correct")
    assert (tmp_path / "sweep" / "sweep.svg").read_text(encoding="utf-8").startswith("<svg")
    stored = json.loads((tmp_path / "sweep" / "sweep.json").read_text(encoding="utf-8"))
    assert [entry["settings"] for entry in stored["rows"]] == [
        {"answer.answered": "0.6"},
        {"answer.answered": "0.999"},
    ]


def test_every_command_has_help():
    commands = typer.main.get_command(app).commands
    assert sorted(commands) == ["compare", "gate", "report", "run", "sweep"]
    assert all(command.help for command in commands.values())
