"""Runs: what is recorded, what is asked again, what is refused."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from evaluation_sets import QUESTIONS, E5LikeEncoder, settings_in, write_lines, write_set
from ollama_server import chat, recorded, recorded_server
from paths import ROOT

from rag.errors import LanguageModelUnavailable
from rag.evaluate.dataset import load
from rag.evaluate.faults import DatasetError, RunError
from rag.evaluate.plan import Plan
from rag.evaluate.results import RESULTS, held, read_results
from rag.evaluate.run import run
from rag.indexer import Indexer


@pytest.fixture
def encoder():
    return E5LikeEncoder()


@pytest.fixture
def plan(tmp_path):
    return Plan(load(write_set(tmp_path / "set")), settings_in(tmp_path))


def lines(directory):
    return (directory / RESULTS).read_text(encoding="utf-8").splitlines()


def test_a_run_records_every_question_with_what_it_was_measured_by(plan, encoder):
    done = run(plan, encoder=encoder)
    rows = [json.loads(line) for line in lines(done.directory)]
    assert [row["id"] for row in rows] == [name for name, *_ in QUESTIONS]
    first = rows[0]
    assert first["answer"]["text"].startswith("手卫生培训由感染管理科每季度组织一次。[1]")
    assert first["metrics"]["answer.contains"] == 1.0
    assert first["metrics"]["retrieval.document.recall@1"] == 1.0
    assert first["metrics"]["retrieval.passage.hit@1"] == 1.0
    assert first["recalls"]["document"] == [1.0] * 10
    assert "retrieval.document.recall@1" not in rows[7]["metrics"]  # no positive, no recall
    assert done.summary["questions"] == 10
    assert done.summary["errors"] == 0
    assert done.summary["metrics"]["retrieval.document.recall@1"]["n"] == 8
    assert set(done.summary["by_type"]) == {"fact", "number", "absent"}
    assert done.summary["by_type"]["number"]["answer.contains"]["n"] == 4
    assert done.operation["timings"]["total"]["p50"] > 0
    manifest = json.loads((done.directory / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["dataset"]["questions"] == 10
    assert manifest["dataset"]["documents"] == 4
    assert manifest["index"]["fingerprint"] == "hashed-1"
    assert manifest["machine"]["cores"] >= 1
    assert manifest["settings"]["openai"]["api_key"] == "***"


def test_many_at_once_give_the_same_summary_as_one_by_one(plan, encoder, tmp_path):
    one = run(plan, encoder=encoder, out=tmp_path / "one")
    four = run(plan, encoder=encoder, out=tmp_path / "four", concurrency=4)
    assert four.summary == one.summary
    assert [json.loads(line)["id"] for line in lines(four.directory)] == [
        json.loads(line)["id"] for line in lines(one.directory)
    ]


def test_runs_that_differ_in_search_only_share_one_index(tmp_path, encoder):
    dataset = load(write_set(tmp_path / "set"))
    run(Plan(dataset, settings_in(tmp_path)), encoder=encoder)
    embedded = encoder.encoded
    other = settings_in(tmp_path, retrieve={"mode": "keyword"})
    run(Plan(dataset, other, retrieval_only=True), encoder=encoder)
    assert encoder.encoded == embedded
    assert len(list((tmp_path / "runs" / "indexes").iterdir())) == 1


def test_search_alone_measures_retrieval_and_asks_nothing(plan, encoder):
    done = run(replace(plan, retrieval_only=True), encoder=encoder)
    row = json.loads(lines(done.directory)[0])
    assert row["answer"] is None
    assert row["hits"][0]["document"] == "d1"
    assert row["timings"]["retrieve"] > 0
    assert {name.split(".")[0] for name in done.summary["metrics"]} == {"retrieval"}


def test_recall_at_ten_sees_deeper_than_the_answer(tmp_path, encoder):
    documents = {f"d{n}": ("", f"第{n}号药柜存放感冒药。") for n in range(8)}
    questions = [("q", "感冒药存放在第7号药柜吗？", ["感冒药"], list(documents), "fact")]
    dataset = load(write_set(tmp_path / "set", questions, documents))
    done = run(Plan(dataset, settings_in(tmp_path)), encoder=encoder)
    (row,) = map(json.loads, lines(done.directory))
    assert len(row["answer"]["hits"]) == 2
    assert row["metrics"]["retrieval.document.recall@10"] == 1.0
    assert row["metrics"]["retrieval.document.recall@3"] == 0.375


def test_a_seeded_sample_is_the_same_each_time_and_in_order(plan):
    drawn = replace(plan, limit=4).questions()
    assert drawn == replace(plan, limit=4).questions()
    assert [q.id for q in drawn] == [q.id for q in plan.dataset.questions if q in drawn]
    assert drawn != replace(plan, limit=4, seed=8).questions()
    assert replace(plan, limit=400).questions() == plan.dataset.questions


def test_nothing_that_has_a_result_is_asked_again(plan, encoder, tmp_path):
    out = tmp_path / "out"
    run(plan, encoder=encoder, out=out)
    before = lines(out)
    rows = [json.loads(line) for line in before]
    rows[3]["answer"]["text"] = "留下的标记"
    write_lines(out / RESULTS, rows[:5])
    with (out / RESULTS).open("a", encoding="utf-8") as file:
        file.write('{"id": "q6", "quest')  # killed while it wrote
    run(plan, encoder=encoder, out=out)
    after = [json.loads(line) for line in lines(out)]
    assert [row["id"] for row in after] == [name for name, *_ in QUESTIONS]
    assert after[3]["answer"]["text"] == "留下的标记"
    assert after[5]["answer"]["text"] == json.loads(before[5])["answer"]["text"]


def test_other_settings_are_refused_and_named(plan, encoder, tmp_path):
    out = tmp_path / "out"
    run(plan, encoder=encoder, out=out)
    other = replace(plan, settings=settings_in(tmp_path, retrieve={"top_k": 3}))
    with pytest.raises(RunError, match=r"settings\.retrieve\.top_k：2 → 3"):
        run(other, encoder=encoder, out=out)
    with pytest.raises(RunError, match=r"seed：7 → 9"):
        run(replace(plan, seed=9), encoder=encoder, out=out)
    assert run(other, encoder=encoder).directory != run(plan, encoder=encoder).directory


def test_another_version_of_the_program_does_not_go_on(plan, encoder, tmp_path, monkeypatch):
    run(plan, encoder=encoder, out=tmp_path / "out")
    name = plan.name
    monkeypatch.setattr("rag.evaluate.plan.code_digest", lambda: "newer")
    assert plan.name != name
    with pytest.raises(RunError, match=r"code：\w+ → newer"):
        run(plan, encoder=encoder, out=tmp_path / "out")


def test_two_processes_do_not_run_the_same_run(plan, encoder, tmp_path):
    with held(tmp_path / "out"), pytest.raises(RunError, match="另一个进程正在跑"):
        run(plan, encoder=encoder, out=tmp_path / "out")


def test_a_damaged_line_in_the_middle_is_named(tmp_path):
    path = tmp_path / RESULTS
    path.write_text('{"id": "q1"}\n{"id": \n{"id": "q3"}\n', encoding="utf-8")
    with pytest.raises(RunError, match="第 2 行已损坏"):
        read_results(path)


def test_a_question_that_cannot_be_asked_is_recorded_and_counted(tmp_path, encoder):
    questions = [*QUESTIONS[:2], ("long", "问" * 60, ["答"], ["d1"], "fact")]
    settings = settings_in(tmp_path, answer={"max_question_characters": 50})
    done = run(Plan(load(write_set(tmp_path / "set", questions)), settings), encoder=encoder)
    row = json.loads(lines(done.directory)[2])
    assert row["error"].startswith("问题有 60 个字")
    assert row["metrics"]["answer.f1"] == 0.0  # silence is not dropped from the mean
    assert done.summary["errors"] == 1
    assert done.summary["metrics"]["answer.f1"]["n"] == 3


def test_a_model_that_dies_stops_the_run_and_is_asked_again_when_it_is_back(tmp_path, encoder):
    answer = chat({"content": "手卫生培训由感染管理科组织。[1]"})
    dataset = load(write_set(tmp_path / "set"))
    with recorded_server(chat=answer) as server:

        def settings():
            return settings_in(
                tmp_path,
                answer={"llm": "ollama"},
                ollama={"base_url": server.url, "model": "gemma3-270m"},
            )

        def dies_after_four(text, done, total):
            if text.startswith("提问") and done == 4:
                server.answers["/api/chat"] = recorded("err_busy")

        plan = Plan(dataset, settings())
        with pytest.raises(LanguageModelUnavailable, match=r"连续 3 题.*已有 4 题的结果"):
            run(plan, encoder=encoder, progress=dies_after_four, out=tmp_path / "out")
        rows = read_results(tmp_path / "out" / RESULTS)
        assert [name for name, row in rows.items() if row["error"]] == ["q5", "q6", "q7"]
        assert not (tmp_path / "out" / "summary.json").exists()

        server.answers["/api/chat"] = answer
        server.requests.clear()
        done = run(plan, encoder=encoder, out=tmp_path / "out")
        assert len(server.bodies("/api/chat")) == 6
        assert done.summary["errors"] == 0
        manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["model"]["name"] == "gemma3-270m"
        assert manifest["model"]["digest"]
        uninterrupted = run(plan, encoder=encoder, out=tmp_path / "whole")
        assert done.summary == uninterrupted.summary


def test_answers_that_break_off_do_not_stop_a_run_and_are_asked_again(tmp_path, encoder):
    broken = chat({"content": "手卫生"})
    broken = replace(broken, lines=broken.lines[:-1])  # no end mark
    with recorded_server(chat=broken) as server:
        ollama = {"base_url": server.url, "model": "gemma3-270m"}
        settings = settings_in(tmp_path, answer={"llm": "ollama"}, ollama=ollama)
        plan = Plan(load(write_set(tmp_path / "set")), settings)
        assert run(plan, encoder=encoder).summary["errors"] == 8
        server.answers["/api/chat"] = chat({"content": "由感染管理科组织。[1]"})
        done = run(plan, encoder=encoder)
        assert done.summary["errors"] == 0
        assert len(lines(done.directory)) == len(QUESTIONS)


def test_a_run_never_changes_over_to_quoting(tmp_path, encoder):
    plan = Plan(load(write_set(tmp_path / "set")), settings_in(tmp_path, answer={"llm": "auto"}))
    with recorded_server(chat=chat({"content": "由感染管理科组织。[1]"})) as server:
        ollama = {"base_url": server.url, "model": "gemma3-270m"}
        plan = replace(plan, settings=settings_in(tmp_path, answer={"llm": "auto"}, ollama=ollama))
        run(plan, encoder=encoder, out=tmp_path / "out")
    with pytest.raises(RunError, match="answering：ollama → extractive"):
        run(plan, encoder=encoder, out=tmp_path / "out")
    named = replace(plan, settings=settings_in(tmp_path, answer={"llm": "ollama"}, ollama=ollama))
    with pytest.raises(LanguageModelUnavailable):
        run(named, encoder=encoder, out=tmp_path / "other")


def test_an_index_that_exists_can_be_asked(tmp_path, encoder):
    folder = write_set(tmp_path / "set")
    settings = settings_in(tmp_path)
    indexer = Indexer(
        tmp_path / "mine",
        encoder=encoder,
        split_size=settings.split.size,
        split_overlap=settings.split.overlap,
        steps=settings.clean,
    )
    indexer.update_items([text.item() for text in load(folder).texts])
    (folder / "corpus.jsonl").unlink()
    alone = Plan(load(folder), settings)
    with pytest.raises(DatasetError, match="不带文档"):
        run(alone, encoder=encoder)
    done = run(replace(alone, index=tmp_path / "mine"), encoder=encoder)
    assert done.summary["metrics"]["retrieval.document.recall@1"]["value"] == 1.0


def test_a_positive_that_the_index_lacks_stops_before_the_first_question(tmp_path, encoder):
    questions = [*QUESTIONS, ("q11", "哪里？", ["那里"], ["d9"], "fact")]
    with pytest.raises(DatasetError, match=r"questions\.jsonl 第 11 行：.*不存在的文档 'd9'"):
        load(write_set(tmp_path / "set", questions))
    assert not (tmp_path / "runs").exists()


def start(folder, out, seconds):
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("evaluation_sets.py")), folder, out, seconds],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def finished_lines(out):
    path = Path(out) / RESULTS
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_killed_twice_and_continued_it_gives_the_same_summary(tmp_path):
    folder, out = str(write_set(tmp_path / "set")), str(tmp_path / "killed")
    for kill_after in (2, 6):
        process = start(folder, out, "0.2")
        deadline = time.monotonic() + 60
        while finished_lines(out) < kill_after:
            assert process.poll() is None, "it ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert kill_after <= finished_lines(out) < len(QUESTIONS)
        assert not (Path(out) / "summary.json").exists()
    assert start(folder, out, "0").wait() == 0
    assert start(folder, str(tmp_path / "whole"), "0").wait() == 0
    summaries = [(tmp_path / name / "summary.json").read_bytes() for name in ("killed", "whole")]
    assert summaries[0] == summaries[1]
    assert json.loads(summaries[0])["questions"] == len(QUESTIONS)
