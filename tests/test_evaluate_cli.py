"""``rag eval`` from outside: the real embedding model, the real entry point."""

import json
import os
import subprocess
import sys

import pytest
from evaluation_sets import QUESTIONS, write_lines, write_set
from paths import ROOT

from rag import cli


@pytest.fixture
def bench(tmp_path, embedding_cache, monkeypatch, capsys):
    """Runs ``rag eval …`` in a folder with a set of its own; gives code, output and errors."""
    write_set(tmp_path / "set")
    # Thresholds of their own: these tests are about the commands, not about the evidence.
    (tmp_path / "rag.toml").write_text(
        '[answer]\nllm = "extractive"\nanswered = 0.02\nuncertain = 0.01\n'
        f"[embed]\ncache = {json.dumps(str(embedding_cache))}\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)

    def rag(*arguments):
        monkeypatch.setattr(sys, "argv", ["rag", "eval", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as exit_:
            code = exit_.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return rag


def test_run_report_gate_and_compare(bench, tmp_path):
    code, out, _ = bench("run", "set", "--limit", "6", "--report")
    assert code == 0
    assert "set：6 题，出错 0 题" in out
    page = out.split("报告：")[1].strip()
    assert page.endswith("report.html")
    (directory,) = (tmp_path / "runs").glob("set-*")
    assert json.loads((directory / "summary.json").read_text(encoding="utf-8"))["questions"] == 6

    code, out, _ = bench("report", directory)
    assert (code, out.strip()) == (0, page)
    assert bench("gate", directory, "--min", "retrieval.document.recall@5>=0.9")[0] == 0
    assert bench("gate", directory, "--min", "errors>=1")[0] == 1
    code, _, err = bench("gate", directory)
    assert code == 2
    assert "没有门槛" in err

    code, out, _ = bench("run", "set", "--limit", "6", "--set", "retrieve.top_k=1", "--json")
    other = json.loads(out)["run"]
    assert other != str(directory)
    code, out, _ = bench("compare", directory, other, "--json")
    assert json.loads(out)["questions"] == 6


def test_a_sweep_prints_its_table_and_keeps_its_chart(bench, tmp_path):
    code, out, _ = bench("sweep", "set", "--set", "retrieve.mode=dense,keyword", "--retrieval-only")
    assert code == 0
    assert out.startswith("| retrieve.mode |")
    assert "文档 召回率@1" in out
    (chart,) = (tmp_path / "runs").glob("sweep-set-*/sweep.svg")
    assert "nDCG" in chart.read_text(encoding="utf-8")


def test_a_faulty_set_is_told_in_one_line_before_anything_runs(bench, tmp_path):
    rows = [
        {"id": "q1", "question": "几年？", "answers": [], "positive_ids": [], "answerable": False}
    ]
    write_lines(tmp_path / "set" / "questions.jsonl", [*rows, *rows])
    code, out, err = bench("run", "set")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "questions.jsonl 第 2 行" in err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "set", "--set", "retrieve.mode=fast"), "retrieve"),
        (("run", "set", "--set", "retrieve.mode=dense,keyword"), "rag eval sweep"),
        (("run", "nowhere"), "评测集不存在"),
        (("run", "set", "--judge"), "没有可作评审的语言模型"),
        (("compare", "set", "set"), "rag eval run"),
    ],
)
def test_wrong_usage_ends_with_two(bench, arguments, message):
    code, _, err = bench(*arguments)
    assert code == 2
    assert message in err


def test_help_is_instant():
    script = "import sys, rag.cli; print(sorted(m for m in sys.modules if m.startswith(('numpy', 'rag.'))))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "numpy" not in done.stdout
    assert "rag.evaluate.run" not in done.stdout


def test_the_tables_three_columns_against_an_index(bench, tmp_path):
    from rag.evaluate.dataset import load

    lines = ["问题,参考答案,关键词"]
    lines += [
        f"{text},{';'.join(answers)},{';'.join(answers)}" for _, text, answers, *_ in QUESTIONS
    ]
    (tmp_path / "题.csv").write_bytes("\n".join(lines).encode("gb18030"))
    assert load(tmp_path / "题.csv").questions[7].is_answerable is False
    documents = tmp_path / "资料"
    documents.mkdir()
    for text in load(tmp_path / "set").texts:
        (documents / f"{text.title}.md").write_text(
            f"# {text.title}\n\n{text.text}", encoding="utf-8"
        )
    subprocess.run(
        [sys.executable, "-m", "rag.cli", "index", "资料", "--index", "indexes/mine"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )
    code, out, _ = bench("run", "题.csv", "--index", "mine", "--json")
    assert code == 0
    summary = json.loads(out)
    assert summary["questions"] == len(QUESTIONS)
    assert summary["metrics"]["answer.key_facts"]["n"] == 8
    assert not (tmp_path / "runs" / "indexes").exists()
