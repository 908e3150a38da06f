"""The command line: shapes, exit codes, messages."""

import io
import json
import os
import re
import subprocess
import sys

import pytest
import typer
from ollama_server import chat, recorded, recorded_server
from paths import ROOT

from rag import cli
from rag.settings import Settings

COMMANDS = sorted(typer.main.get_command(cli.app).commands)
ANSWER = {
    "question",
    "search_question",
    "state",
    "text",
    "sentences",
    "citations",
    "hits",
    "model",
    "thinking",
    "notices",
    "confidence",
    "prompt_tokens",
    "trimmed",
    "output_tokens",
    "span",
    "finished",
    "timings",
}
SENTENCE = {"text", "citations", "verdict", "mismatches", "reasons"}
CITATION = {
    "mark",
    "document",
    "title",
    "start",
    "end",
    "quote",
    "page",
    "original",
    "heading",
    "source",
    "date",
    "focus",
}
HIT = {
    "document",
    "title",
    "start",
    "end",
    "page",
    "heading",
    "source",
    "date",
    "score",
    "dense",
    "keyword",
    "text",
    "reading",
}
TEXTS = {
    "培训.md": "---\ntitle: 手卫生培训制度\nsource: 感染管理科\ndate: 2025-01-02\n---\n\n"
    "手卫生培训由感染管理科每季度组织一次。2025年共培训医务人员1260人。",
    "值班.txt": "值班表每周五公布在公告栏，由医务科负责。",
}
TRAINING = "手卫生培训由哪个科室组织？"
NOWHERE = "火星探测器的燃料配方是什么？"


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory, embedding_cache):
    """A folder with its own rag.toml, documents and index."""
    folder = tmp_path_factory.mktemp("医院")
    (folder / "资料").mkdir()
    for name, text in TEXTS.items():
        (folder / "资料" / name).write_text(text, encoding="utf-8")
    # Thresholds of their own: these tests are about shapes, not about the evidence.
    (folder / "rag.toml").write_text(
        '[index]\ndirectory = "索引"\ncorpus = ["资料"]\n'
        '[answer]\nllm = "extractive"\nanswered = 0.02\nuncertain = 0.01\n'
        f"[embed]\ncache = {json.dumps(str(embedding_cache))}\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "rag.cli", "index"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"索引 索引：2 个文档，\d+ 个段落（新增 2），用时 [\d.]+ 秒", done.stdout)
    return folder


@pytest.fixture
def rag(indexed, monkeypatch, capsys):
    """Runs ``rag`` with the entry point's own function, in the folder that is indexed."""
    monkeypatch.chdir(indexed)
    return runner(monkeypatch, capsys)


@pytest.fixture
def fresh(tmp_path, embedding_cache, monkeypatch, capsys):
    """Runs ``rag`` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_EMBED_CACHE", str(embedding_cache))
    monkeypatch.setenv("RAG_ANSWER_LLM", "extractive")
    return runner(monkeypatch, capsys)


def runner(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["rag", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as exit_:
            code = exit_.code or 0
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return run


def assert_answer(answer):
    assert answer.keys() == ANSWER
    assert answer["state"] in ("answered", "uncertain", "not_found")
    assert all(sentence.keys() == SENTENCE for sentence in answer["sentences"])
    assert all(citation.keys() == CITATION for citation in answer["citations"])
    assert all(hit.keys() == HIT for hit in answer["hits"])
    assert {"retrieve", "evidence", "first_text", "total"} <= answer["timings"].keys()


# Help


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_says_what_it_does(rag, command):
    shown = rag(command, "--help")
    assert shown.code == 0
    assert re.search("[\u4e00-\u9fff]{4}", shown.out)
    for option in typer.main.get_command(cli.app).commands[command].params:
        assert option.help or option.name == "help", f"{command} {option.name}"


def test_the_commands_are_the_contract_and_stand_in_the_readme():
    assert {"index", "ask", "search", "serve", "doctor"} <= set(COMMANDS)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f"`rag {command}" in readme


def test_exit_codes_of_the_readme_are_those_of_the_errors():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for text in ("3 向量模型", "4 索引", "5 语言模型", "6 网页服务"):
        assert text in readme


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['rag', '--help']\n"
        "from rag.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('\\nmodules', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    text, _, modules = done.stdout.partition("\nmodules ")
    assert "医问" in text
    heavy = {"torch", "llama_index", "gradio", "faiss", "sentence_transformers", "numpy"}
    heavy |= {"transformers", "onnxruntime", "bm25s", "pydantic", "opencc", "fastapi"}
    assert heavy & set(modules.split()) == set()


def test_no_command_shows_the_help(rag):
    shown = rag()
    assert "Usage" in shown.out + shown.err
    assert shown.code == 2


# Asking


def test_an_answer_for_people(rag):
    shown = rag("ask", TRAINING)
    assert shown.code == 0
    assert "【已回答】" in shown.out
    assert "手卫生培训由感染管理科每季度组织一次。[1]" in shown.out
    assert "[1] 手卫生培训制度（资料/培训.md，2025-01-02）：" in shown.out
    assert "摘录式回答" in shown.out  # who answered
    assert "人工智能生成" in shown.out
    assert shown.err == ""


def test_an_answer_as_json(rag):
    shown = rag("ask", TRAINING, "--json")
    assert shown.code == 0
    answer = shown.json
    assert_answer(answer)
    assert answer["question"] == TRAINING
    assert answer["state"] == "answered"
    citation = answer["citations"][0]
    assert citation["quote"] == "手卫生培训由感染管理科每季度组织一次。"
    assert citation["end"] - citation["start"] == len(citation["quote"])
    assert (citation["source"], citation["date"]) == ("感染管理科", "2025-01-02")
    assert answer["sentences"][0]["citations"] == [1]
    hit = answer["hits"][0]
    assert hit["end"] - hit["start"] == len(hit["text"])


def test_what_the_documents_do_not_say(rag, monkeypatch):
    monkeypatch.setenv("RAG_ANSWER_ANSWERED", "1")
    monkeypatch.setenv("RAG_ANSWER_UNCERTAIN", "1")
    shown = rag("ask", NOWHERE)
    assert shown.code == 0
    assert "【资料中未找到】资料中未找到相关内容。" in shown.out
    assert "[1]" not in shown.out
    answer = rag("ask", NOWHERE, "--json").json
    assert_answer(answer)
    assert (answer["state"], answer["citations"]) == ("not_found", [])


def test_many_questions_from_one_process(rag, tmp_path):
    entries = [
        {"id": "甲", "question": TRAINING},
        {"id": 2, "question": "  ", "note": "不带走"},
        {"question": "值班表哪天公布？"},
        {"id": "丁", "question": "值班表\u2028由谁负责？"},
    ]
    file = tmp_path / "questions.jsonl"
    lines = [json.dumps(entry, ensure_ascii=False) for entry in entries]
    file.write_text("\ufeff" + "\n\n".join(lines) + "\r\n", encoding="utf-8")
    shown = rag("ask", "--file", file, "--json")
    assert shown.code == 1
    first, bad, third, fourth = (json.loads(line) for line in shown.out.strip().split("\n"))
    assert first["id"] == "甲"
    assert_answer({name: value for name, value in first.items() if name != "id"})
    assert bad.keys() == {"id", "question", "error"}
    assert (bad["id"], bad["question"]) == (2, "  ")
    assert "问题是空的" in bad["error"]
    assert_answer(third)
    assert third["citations"][0]["document"] == "资料/值班.txt"
    assert (fourth["id"], fourth["question"]) == ("丁", "值班表\u2028由谁负责？")


def test_many_questions_for_people(rag, tmp_path):
    file = tmp_path / "q.jsonl"
    file.write_text(
        f'{{"question": "{TRAINING}"}}\n{{"question": "？"}}\n{{"question": "值班表哪天公布？"}}\n',
        encoding="utf-8",
    )
    shown = rag("ask", "--file", file)
    assert shown.code == 1
    assert shown.out.index(f"问：{TRAINING}") < shown.out.index("每季度组织一次")
    assert "错误：问题是空的" in shown.out
    assert "每周五公布" in shown.out
    assert "{" not in shown.out


def test_a_file_without_bad_questions_exits_with_0(rag, tmp_path):
    file = tmp_path / "q.jsonl"
    file.write_text(f'{{"id": 7, "question": "{TRAINING}"}}', encoding="utf-8")
    shown = rag("ask", "--file", file, "--json")
    assert (shown.code, shown.lines[0]["id"]) == (0, 7)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"question": "a"}\n{"question": ', ["第 2 行", "JSON"]),
        (b'{"frage": "a"}', ["第 1 行", "question"]),
        (b'["question"]', ["第 1 行", "question"]),
        (b'{"question": 3}', ["第 1 行", "question"]),
        ('{"question": "值班"}'.encode("gb18030"), ["UTF-8"]),
        (None, ["无法读取", "检查路径"]),
    ],
)
def test_a_question_file_that_cannot_be_used(rag, tmp_path, content, words):
    file = tmp_path / "q.jsonl"
    if content is not None:
        file.write_bytes(content)
    shown = rag("ask", "--file", file, "--json")
    assert shown.code == 2
    assert shown.out == ""
    assert shown.err.startswith("错误：")
    assert all(word in shown.err for word in [*words, "q.jsonl"])


@pytest.mark.parametrize("arguments", [[], ["问题", "--file", "q.jsonl"]])
def test_one_question_or_a_file(rag, arguments):
    shown = rag("ask", *arguments)
    assert shown.code == 2
    assert "--file" in shown.err


@pytest.mark.parametrize("question", ["", " ", "？", "手卫生" * 7000])
def test_a_question_that_cannot_be_asked(rag, question):
    for command in ("ask", "search"):
        shown = rag(command, question, "--json")
        assert shown.code == 2
        assert re.search("问题是空的|超过上限", shown.err)
        assert shown.err.count("\n") == 1
        assert shown.out == ""


def test_a_question_in_another_encoding_does_no_harm(rag):
    shown = rag(
        "ask", os.fsdecode("手卫生培训".encode("gb18030") + "手卫生培训".encode()), "--json"
    )
    assert shown.code == 0
    assert shown.json["citations"]


# Searching


def test_passages_for_people_and_as_json(rag):
    shown = rag("search", TRAINING)
    assert shown.code == 0
    assert shown.out.startswith("1. 手卫生培训制度（资料/培训.md，")
    found = rag("search", TRAINING, "--json", "--top-k", "1").json
    assert found.keys() == {"question", "hits"}
    assert found["question"] == TRAINING
    (hit,) = found["hits"]
    assert hit.keys() == HIT
    assert hit["document"] == "资料/培训.md"


def test_a_number_of_passages_that_makes_no_sense(rag):
    assert rag("search", TRAINING, "--top-k", "0").code == 2


# Indexing


def test_an_index_grows_follows_and_shrinks(fresh, tmp_path):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text(TEXTS["值班.txt"], encoding="utf-8")
    report = fresh("index", "--json").json
    assert report.keys() == {
        "added",
        "updated",
        "removed",
        "unchanged",
        "failures",
        "notices",
        "documents",
        "passages",
        "published",
        "seconds",
    }
    assert (report["added"], report["documents"], report["published"]) == (
        ["corpus/a.txt"],
        1,
        True,
    )
    more = tmp_path / "更多"
    more.mkdir()
    (more / "b.txt").write_text("疫苗冷链温度每日记录两次。", encoding="utf-8")
    (more / "空.txt").write_text("", encoding="utf-8")
    shown = fresh("index", more)
    assert shown.code == 1  # one file could not be read; the other was indexed
    assert "空.txt" in shown.err
    assert "新增 1，未变 1，失败 1" in shown.out
    (more / "空.txt").unlink()
    assert fresh("index", "--json").json["unchanged"] == 2
    report = fresh("index", "--remove", more, "--json").json
    assert (report["removed"], report["documents"]) == (["更多/b.txt"], 1)


def test_an_index_of_its_own_holds_what_it_was_given(fresh, tmp_path):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text(TEXTS["值班.txt"], encoding="utf-8")
    (tmp_path / "b.txt").write_text("疫苗冷链温度每日记录两次。", encoding="utf-8")
    report = fresh("index", "b.txt", "--index", "另一个", "--json").json
    assert report["added"] == ["b.txt"]
    assert fresh("index", "--index", "另一个", "--json").json["documents"] == 1
    hits = fresh("search", "冷链温度", "--index", "另一个", "--json").json["hits"]
    assert {hit["document"] for hit in hits} == {"b.txt"}


def test_removing_what_the_configuration_names_says_that_it_comes_back(fresh, tmp_path):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text(TEXTS["值班.txt"], encoding="utf-8")
    fresh("index")
    shown = fresh("index", "--remove", "corpus")
    assert "0 个文档" in shown.out
    assert (
        "corpus 写在 rag.toml 的 [index] corpus 或 [library] directory 中，下次更新会再加入"
        in shown.err
    )
    assert fresh("index", "--json").json["documents"] == 1
    (tmp_path / "rag.toml").write_text("[index]\ncorpus = []\n", encoding="utf-8")
    shown = fresh("index", "--remove", "corpus", "--json")
    assert (shown.json["documents"], shown.json["notices"]) == (0, [])
    assert fresh("index", "--json").json["documents"] == 0


def test_nothing_to_index_is_no_error_and_nothing_is_found(fresh):
    shown = fresh("index")
    assert shown.code == 0
    assert "0 个文档" in shown.out
    assert "没有相关的段落" in fresh("search", "值班表").out


def test_a_path_that_does_not_exist(fresh):
    shown = fresh("index", "没有这个目录")
    assert shown.code == 1
    assert shown.err.startswith("错误：没有这个目录")


# The doctor


def test_the_doctor_for_people_and_as_json(rag):
    shown = rag("doctor", "--json")
    assert shown.code == 0
    checks = shown.json["checks"]
    assert all(check.keys() == {"name", "status", "detail", "remedy"} for check in checks)
    assert {check["status"] for check in checks} <= {"ok", "warning"}
    assert {"向量模型", "索引", "语言模型"} <= {check["name"] for check in checks}
    shown = rag("doctor")
    assert shown.code == 0
    assert len(shown.out.strip().splitlines()) == len(checks)
    assert "✓ 索引：" in shown.out


def test_the_doctor_finds_what_is_missing(fresh):
    shown = fresh("doctor")
    assert shown.code == 1
    assert "✗ 索引：还没有索引" in shown.out
    assert "rag index" in shown.out


# Exit codes


def test_a_bad_configuration_is_2(rag, monkeypatch):
    shown = rag("ask", TRAINING, "--config", "没有.toml")
    assert (shown.code, shown.err.count("\n")) == (2, 1)
    assert "没有.toml" in shown.err
    monkeypatch.setenv("RAG_RETRIEVE_TOP_K", "many")
    shown = rag("search", TRAINING)
    assert shown.code == 2
    assert "RAG_RETRIEVE_TOP_K" in shown.err


def test_an_embedding_model_that_is_missing_is_3(rag, monkeypatch):
    monkeypatch.setenv("RAG_EMBED_MODEL", "/没有/模型")
    for command in (["ask", TRAINING], ["search", TRAINING], ["index"]):
        shown = rag(*command)
        assert shown.code == 3
        assert "/没有/模型" in shown.err
        assert "[embed] model" in shown.err


def test_no_index_is_4(rag):
    for command in ("ask", "search"):
        shown = rag(command, TRAINING, "--index", "没有")
        assert shown.code == 4
        assert "rag index" in shown.err


def test_an_index_of_another_split_size_is_4_and_says_what_mends_it(rag, monkeypatch):
    monkeypatch.setenv("RAG_SPLIT_SIZE", "120")
    shown = rag("ask", TRAINING)
    assert shown.code == 4
    assert "切分长度" in shown.err
    assert "rag index" in shown.err


def test_a_language_model_that_is_not_there_is_5(rag, monkeypatch):
    monkeypatch.setenv("RAG_ANSWER_LLM", "ollama")
    monkeypatch.setenv("RAG_OLLAMA_BASE_URL", "http://127.0.0.1:9")
    shown = rag("ask", TRAINING)
    assert shown.code == 5
    assert "ollama serve" in shown.err
    assert shown.out == ""


def test_public_service_without_a_filing_number_is_2(rag, monkeypatch):
    monkeypatch.setenv("RAG_COMPLIANCE_AUDIENCE", "public")
    shown = rag("serve")
    assert shown.code == 2
    assert "备案号" in shown.err


def test_an_interrupt_is_130_and_says_that_nothing_is_lost(rag, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(Settings, "load", interrupt)
    shown = rag("ask", TRAINING)
    assert shown.code == 130
    assert "不会丢失" in shown.err


def test_a_terminal_that_lacks_a_character_does_not_end_the_command(rag, monkeypatch):
    screen = io.TextIOWrapper(io.BytesIO(), encoding="gbk")
    monkeypatch.setattr(sys, "stdout", screen)
    assert rag("doctor").code == 0
    screen.flush()
    assert "索引：" in screen.buffer.getvalue().decode("gbk")


# A language model


def test_an_answer_by_ollama(rag, monkeypatch):
    reply = chat({"content": "手卫生培训由感染管理科组织。[1]"})
    with recorded_server(chat=reply) as server:
        monkeypatch.setenv("RAG_ANSWER_LLM", "auto")
        monkeypatch.setenv("RAG_OLLAMA_MODEL", "gemma3-270m")
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        answer = rag("ask", TRAINING, "--json").json
        assert_answer(answer)
        assert answer["text"] == "手卫生培训由感染管理科组织。[1]"
        assert "gemma3-270m" in answer["model"]
        assert answer["sentences"][0]["verdict"] == "supported"
        (body,) = server.bodies("/api/chat")
        assert TRAINING in body["messages"][-1]["content"]
        # The server refuses: extraction stands in, and the notice says why.
        server.answers["/api/chat"] = recorded("err_busy")
        shown = rag("ask", TRAINING)
        assert shown.code == 0
        assert "手卫生培训由感染管理科每季度组织一次。[1]" in shown.out
        assert re.search("提示：大模型未能完成回答（.+），以下改为摘录", shown.out)
