"""Is everything in place? Each check says what to do."""

import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from ollama_server import recorded_server

from rag.indexer import Indexer
from rag.operate.doctor import Status, examine
from rag.retrieve.generation import CURRENT, MANIFEST
from rag.settings import CleanSettings, Settings

NAMES = ["Python", "磁盘", "资料目录", "向量模型", "索引", "语言模型", "端口", "备案信息"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def place(tmp_path, encoder, embedding_cache):
    """A folder with one document and its index; gives what settings it needs."""
    (tmp_path / "资料").mkdir()
    (tmp_path / "资料" / "a.txt").write_text("值班表每周五公布在公告栏。", encoding="utf-8")
    Indexer(
        tmp_path / "index",
        encoder=encoder,
        split_size=240,
        split_overlap=40,
        steps=CleanSettings(),
    ).update([tmp_path / "资料"])
    return {
        "index": {"directory": tmp_path / "index", "corpus": (tmp_path / "资料",)},
        "embed": {"cache": embedding_cache},
        "answer": {"llm": "extractive"},
        "serve": {"port": free_port()},
    }


def checks(place, **sections):
    merged = {name: {**place.get(name, {}), **sections.get(name, {})} for name in place | sections}
    found = list(examine(Settings.model_validate(merged)))
    assert all("\n" not in check.detail + check.remedy for check in found)
    return {check.name: check for check in found}


def quick(**sections):
    """The checks that need neither model nor index."""
    nowhere = {"embed": {"model": "/没有/模型"}, "answer": {"llm": "extractive"}}
    return checks(nowhere | {"index": {"directory": "/没有/索引"}}, **sections)


def generation(place):
    directory = place["index"]["directory"]
    return directory / (directory / CURRENT).read_text().strip()


def test_everything_in_place(place):
    found = checks(place)
    assert list(found) == NAMES
    assert {name for name, check in found.items() if check.status is not Status.OK} == set()
    assert "1 个文档，1 个段落" in found["索引"].detail
    assert "384 维" in found["向量模型"].detail


def test_no_index(place, tmp_path):
    check = checks(place, index={"directory": tmp_path / "none"})["索引"]
    assert check.status is Status.FAILED
    assert "还没有索引" in check.detail
    assert "rag index" in check.detail
    assert not (tmp_path / "none").exists()  # looking changes nothing


def test_an_index_without_documents_is_a_warning(place, tmp_path, encoder):
    Indexer(
        tmp_path / "empty",
        encoder=encoder,
        split_size=240,
        split_overlap=40,
        steps=CleanSettings(),
    ).update()
    check = checks(place, index={"directory": tmp_path / "empty"})["索引"]
    assert check.status is Status.WARNING
    assert "rag index" in check.remedy


@pytest.mark.parametrize("name", ["documents.sqlite3", "vectors.faiss"])
@pytest.mark.parametrize("damage", ["flipped", "shorter", "gone"])
def test_a_damaged_file_is_named(place, name, damage):
    path = generation(place) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    if damage == "flipped":
        path.write_bytes(content)
    elif damage == "shorter":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.unlink()
    check = checks(place)["索引"]
    assert check.status is Status.FAILED
    assert name in check.detail
    assert "rag index" in check.remedy


@pytest.mark.parametrize("content", ["", "not json", "[]", '{"format": 99}'])
def test_a_damaged_manifest(place, content):
    (generation(place) / MANIFEST).write_text(content)
    check = checks(place)["索引"]
    assert check.status is Status.FAILED
    assert "rag index" in check.detail


def test_an_index_of_another_size_says_what_differs(place):
    check = checks(place, split={"size": 120})["索引"]
    assert check.status is Status.FAILED
    assert "切分长度是 240，当前配置是 120" in check.detail
    assert "rag index" in check.detail


def test_a_missing_embedding_model(place):
    found = checks(place, embed={"model": "/没有/模型"})
    assert found["向量模型"].status is Status.FAILED
    assert "[embed] model" in found["向量模型"].detail
    assert found["索引"].status is Status.OK  # the files are whole, whatever reads them


def test_a_missing_folder_of_documents_is_a_warning(place, tmp_path):
    check = checks(place, index={"corpus": (tmp_path / "没有",)})["资料目录"]
    assert check.status is Status.WARNING
    assert "不存在" in check.detail


def test_a_taken_port_is_a_warning():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        check = quick(serve={"port": port})["端口"]
    assert check.status is Status.WARNING
    assert str(port) in check.detail
    assert "--port" in check.remedy


@pytest.mark.parametrize("host", ["192.0.2.1", "a" * 80, "a..b"])
def test_a_host_that_is_not_this_machine(host):
    check = quick(serve={"host": host})["端口"]
    assert check.status is Status.FAILED
    assert host in check.detail
    assert "[serve]" in check.remedy


@pytest.mark.parametrize("host", ["0.0.0.0", ""])
def test_all_addresses_of_this_machine(host):
    check = quick(serve={"host": host, "port": free_port()})["端口"]
    assert check.status is Status.OK


@pytest.mark.parametrize(
    ("compliance", "status"),
    [
        ({"audience": "staff"}, Status.OK),
        ({"audience": "public"}, Status.FAILED),
        ({"audience": "public", "model_name": "医问"}, Status.FAILED),
        ({"audience": "public", "filing_number": "x"}, Status.FAILED),
        ({"audience": "public", "model_name": "医问", "filing_number": "x"}, Status.OK),
    ],
)
def test_the_public_needs_a_filing_number(compliance, status):
    check = quick(compliance=compliance)["备案信息"]
    assert check.status is status
    assert bool(check.remedy) is (status is Status.FAILED)


@pytest.mark.parametrize(("llm", "status"), [("auto", Status.WARNING), ("ollama", Status.FAILED)])
def test_no_ollama(llm, status):
    check = quick(answer={"llm": llm}, ollama={"base_url": "http://127.0.0.1:9"})["语言模型"]
    assert check.status is status
    assert "ollama serve" in check.detail
    assert ("摘录" in check.detail) is (llm == "auto")


def test_an_ollama_without_the_model():
    with recorded_server() as server:
        ollama = {"base_url": server.url, "model": "qwen3:8b"}
        check = quick(answer={"llm": "auto"}, ollama=ollama)["语言模型"]
    assert check.status is Status.WARNING
    assert "ollama pull qwen3:8b" in check.detail


def test_an_ollama_with_the_model_and_a_window_too_small():
    with recorded_server() as server:
        ollama = {"base_url": server.url, "model": "gemma3-270m"}
        good = quick(answer={"llm": "ollama"}, ollama=ollama)["语言模型"]
        small = {**ollama, "max_context": 2048}
        bad = quick(answer={"llm": "ollama"}, ollama=small)["语言模型"]
    assert good.status is Status.OK
    assert "gemma3-270m" in good.detail
    assert bad.status is Status.WARNING
    assert "max_context" in bad.remedy


def test_an_openai_compatible_server_must_be_named():
    check = quick(answer={"llm": "openai"}, openai={"model": "m"})["语言模型"]
    assert check.status is Status.FAILED
    assert "base_url" in check.detail
    openai = {"model": "m", "base_url": "http://gpu:8000/v1"}
    check = quick(answer={"llm": "openai"}, openai=openai)["语言模型"]
    assert check.status is Status.OK


@pytest.mark.parametrize("path", [None, Path("没有.gguf"), Path("x" * 300)])
def test_a_missing_gguf(path):
    check = quick(answer={"llm": "llama_cpp"}, llama_cpp={"path": path})["语言模型"]
    assert check.status is Status.FAILED
    assert "[llama_cpp] path" in check.remedy


ANY_PATH = (
    st.text(min_size=1, max_size=300)
    .filter(lambda text: "\0" not in text)
    .map(lambda text: Path(text.encode("utf-8", "replace").decode()))
)


@example(path=Path("很长" * 100), host="")
@given(path=ANY_PATH, host=st.sampled_from(["", "192.0.2.1", "a" * 80, "a..b"]))
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_setting_makes_it_raise(path, host, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings.model_validate(
        {
            "index": {"directory": path, "corpus": (path,)},
            "embed": {"model": str(path)},
            "answer": {"llm": "llama_cpp"},
            "llama_cpp": {"path": path},
            "serve": {"host": host, "port": 7999},
        }
    )
    found = list(examine(settings))
    assert [check.name for check in found] == NAMES
    assert all(check.detail for check in found)
