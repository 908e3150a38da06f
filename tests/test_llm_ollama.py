"""Ollama's adapter against recorded answers on a real socket, and a real server when one is there."""

import os
import socket
import time
from collections.abc import Iterator

import pytest
from ollama_server import RecordedServer, chat, recorded, recorded_server

from rag.answer.llm import Delta, LanguageModel, Message, ollama, probe_ollama
from rag.errors import ContextOverflow, LanguageModelBroken, LanguageModelUnavailable

MODEL = "gemma3-270m"
QUESTION = [Message("system", "只根据资料回答。"), Message("user", "术后多久复查？")]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server() -> Iterator[RecordedServer]:
    with recorded_server() as running:
        yield running


def ask(
    model: LanguageModel, messages: list[Message] | None = None, max_tokens: int = 64
) -> list[Delta]:
    return list(model.stream(messages or QUESTION, max_tokens=max_tokens, temperature=0.0))


def text_of(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


def test_streams_the_recorded_answer_word_by_word(server: RecordedServer) -> None:
    deltas = ask(ollama(server.url, MODEL))
    assert text_of(deltas).startswith("The capital of France is devenue\nThe capital")
    assert len(deltas) == 25
    # The recording ended at num_predict, which the caller must be able to see.
    assert [delta.truncated for delta in deltas] == [False] * 24 + [True]


def test_sends_everything_that_the_framework_leaves_open(server: RecordedServer) -> None:
    model = ollama(server.url, MODEL, keep_alive="7m", thinking=False)
    list(model.stream(QUESTION, max_tokens=321, temperature=0.25))
    (request,) = server.bodies("/api/chat")
    assert request["options"] == {"temperature": 0.25, "num_ctx": 4096, "num_predict": 321}
    assert request["keep_alive"] == "7m"
    assert request["think"] is False
    assert request["truncate"] is False
    assert request["shift"] is False
    assert request["stream"] is True
    assert request["messages"] == [
        {"role": "system", "content": "只根据资料回答。"},
        {"role": "user", "content": "术后多久复查？"},
    ]


def test_name_digest_and_window_come_from_the_server(server: RecordedServer) -> None:
    model = ollama(server.url, MODEL, max_context=65536)
    assert model.name == "gemma3-270m（Ollama）"
    assert model.digest.startswith("e7a8035a92b6")
    assert model.context == 32768
    assert ollama(server.url, MODEL, max_context=8192).context == 8192


def test_num_ctx_grows_in_steps_and_never_shrinks(server: RecordedServer) -> None:
    server.answers["/api/chat"] = chat({"content": "好"})
    model = ollama(server.url, MODEL, max_context=10000)
    for size in (100, 5000, 100, 8700):
        ask(model, [Message("user", "药" * size)])
    sizes = [body["options"]["num_ctx"] for body in server.bodies("/api/chat")]
    assert sizes == [4096, 8192, 8192, 10000]


def test_prompt_larger_than_the_window_is_never_sent(server: RecordedServer) -> None:
    with pytest.raises(ContextOverflow, match="max_context"):
        ask(ollama(server.url, MODEL, max_context=4096), [Message("user", "药" * 4090)])
    assert server.bodies("/api/chat") == []


def test_server_that_refuses_a_long_prompt(server: RecordedServer) -> None:
    server.answers["/api/chat"] = recorded("of_single_chat_trunc_false_stream")
    with pytest.raises(ContextOverflow, match="max_context"):
        ask(ollama(server.url, MODEL))


def test_server_that_cut_the_prompt_silently_is_found_out(server: RecordedServer) -> None:
    # 7,400 tokens became 2,051 in the recording; a prompt of 7,400 characters is as long.
    server.answers["/api/chat"] = chat({"content": "好"}, done={"prompt_eval_count": 2051})
    model = ollama(server.url, MODEL)
    with pytest.raises(ContextOverflow, match="截断"):
        ask(model, [Message("user", "药" * 7400)])
    assert text_of(ask(model)) == "好"


def test_thinking_stays_apart(server: RecordedServer) -> None:
    server.answers["/api/chat"] = chat(
        {"thinking": "先看"},
        {"thinking": "资料。"},
        {"content": "两周"},
        {"content": "后复查。[1]"},
    )
    deltas = ask(ollama(server.url, MODEL, thinking=True))
    assert "".join(delta.thinking for delta in deltas) == "先看资料。"
    assert text_of(deltas) == "两周后复查。[1]"
    assert server.bodies("/api/chat")[0]["think"] is True


def test_inline_thinking_across_chunk_borders(server: RecordedServer) -> None:
    words = ["<th", "ink>先看资", "料。</thi", "nk>\n\n两周", "后复查。"]
    server.answers["/api/chat"] = chat(*({"content": word} for word in words))
    deltas = ask(ollama(server.url, MODEL))
    assert "".join(delta.thinking for delta in deltas) == "先看资料。"
    assert text_of(deltas) == "两周后复查。"


def test_thinking_that_used_up_every_token(server: RecordedServer) -> None:
    server.answers["/api/chat"] = chat({"thinking": "嗯"}, done={"done_reason": "length"})
    with pytest.raises(LanguageModelBroken, match="max_tokens"):
        ask(ollama(server.url, MODEL))


def test_model_that_cannot_think(server: RecordedServer) -> None:
    server.answers["/api/chat"] = recorded("err_think")
    with pytest.raises(LanguageModelUnavailable, match="thinking"):
        ask(ollama(server.url, MODEL, thinking=True))


def test_empty_answer_is_an_error(server: RecordedServer) -> None:
    server.answers["/api/chat"] = chat({"content": " "})
    with pytest.raises(LanguageModelBroken, match="空的回答"):
        ask(ollama(server.url, MODEL))


def broken(server: RecordedServer, match: str) -> str:
    """The text that came before the break."""
    text = ""
    with pytest.raises(LanguageModelBroken, match=match):
        for delta in ollama(server.url, MODEL).stream(QUESTION, max_tokens=64, temperature=0):
            text += delta.text
    return text


def test_stream_without_done_is_broken(server: RecordedServer) -> None:
    whole = recorded("chat_stream")
    server.answers["/api/chat"] = recorded("chat_stream", lines=whole.lines[:3])
    assert broken(server, "结束标记") == "The capital of"


def test_connection_cut_in_the_middle_is_broken(server: RecordedServer) -> None:
    whole = recorded("chat_stream")
    server.answers["/api/chat"] = recorded("chat_stream", lines=whole.lines[:2], cut=True)
    assert broken(server, "ollama serve") == "The capital"


def test_error_line_in_the_middle_is_broken(server: RecordedServer) -> None:
    server.answers["/api/chat"] = recorded("chat_runner_killed")
    assert broken(server, "unexpected EOF") == "A story"


def test_line_that_is_not_json_is_broken(server: RecordedServer) -> None:
    whole = recorded("chat_stream")
    server.answers["/api/chat"] = recorded("chat_stream", lines=(*whole.lines[:2], "<html>"))
    assert broken(server, "base_url") == "The capital"


def test_model_that_went_away(server: RecordedServer) -> None:
    server.answers["/api/chat"] = recorded("err_unknown_chat_stream")
    with pytest.raises(LanguageModelUnavailable, match=f"ollama pull {MODEL}"):
        ask(ollama(server.url, MODEL))


def test_model_that_was_never_there(server: RecordedServer) -> None:
    with pytest.raises(LanguageModelUnavailable, match="ollama pull qwen3:8b"):
        ask(ollama(server.url, "qwen3:8b"))
    assert server.bodies("/api/chat") == []


def test_busy_server(server: RecordedServer) -> None:
    server.answers["/api/chat"] = recorded("err_busy")
    with pytest.raises(LanguageModelUnavailable, match="正忙"):
        ask(ollama(server.url, MODEL))


def test_no_server() -> None:
    with pytest.raises(LanguageModelUnavailable, match="ollama serve"):
        ask(ollama(f"http://127.0.0.1:{free_port()}", MODEL))


def test_server_that_stopped_after_it_was_found() -> None:
    with recorded_server() as server:
        model = ollama(server.url, MODEL)
        assert model.context == 16384
    with pytest.raises(LanguageModelUnavailable, match="ollama serve"):
        ask(model)


def test_server_that_does_not_begin(server: RecordedServer) -> None:
    server.answers["/api/chat"] = recorded("chat_stream", wait=1.5)
    with pytest.raises(LanguageModelUnavailable, match=r"没有开始回答.*timeout"):
        ask(ollama(server.url, MODEL, timeout=0.3))


def test_server_that_never_finishes(server: RecordedServer) -> None:
    server.answers["/api/chat"] = recorded("chat_stream", pace=0.1)
    with pytest.raises(LanguageModelBroken, match="timeout"):
        ask(ollama(server.url, MODEL, timeout=0.5))


def test_closing_the_stream_hangs_up(server: RecordedServer) -> None:
    line = recorded("chat_stream").lines[0]
    server.answers["/api/chat"] = recorded("chat_stream", lines=(line,) * 500, pace=0.01)
    stream = ollama(server.url, MODEL).stream(QUESTION, max_tokens=64, temperature=0)
    assert next(stream).text == "The"
    stream.close()
    assert server.hung_up.wait(2.0)


def test_proxy_variables_are_ignored(
    server: RecordedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, dead)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert probe_ollama(server.url, MODEL).has_model
    assert text_of(ask(ollama(server.url, MODEL))).startswith("The capital")


def test_probe_reads_version_models_digest_and_window(server: RecordedServer) -> None:
    status = probe_ollama(server.url, MODEL)
    assert status.reachable
    assert status.has_model
    assert status.version == "0.32.15"
    assert status.models == ("gemma3-270m:latest",)
    assert status.digest.startswith("e7a8035a92b6")
    assert status.context == 32768
    assert status.error == ""


def test_probe_without_the_model(server: RecordedServer) -> None:
    status = probe_ollama(server.url, "qwen3:8b")
    assert status.reachable
    assert not status.has_model
    assert status.error.endswith("ollama pull qwen3:8b")


def test_probe_falls_back_on_the_window_in_the_list(server: RecordedServer) -> None:
    server.answers["/api/show"] = recorded("err_unknown_show")
    assert probe_ollama(server.url, MODEL).context == 32768


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://[", "[ 运行"),
        ("主机", "base_url"),
        ("http://x..y", "base_url"),
        ("http://127.0.0.1:1", "serve"),
    ],
)
def test_probe_never_raises(url: str, error: str) -> None:
    status = probe_ollama(url, MODEL)
    assert not status.reachable
    assert error in status.error


def test_probe_of_something_else(server: RecordedServer) -> None:
    server.answers["/api/version"] = recorded("version", lines=("<html>",))
    assert "不像是 Ollama" in probe_ollama(server.url, MODEL).error
    server.answers["/api/version"] = recorded("version", lines=("[]",))
    server.answers["/api/tags"] = recorded("version", lines=('{"models": [1, null]}',))
    assert not probe_ollama(server.url, MODEL).has_model


def test_probe_gives_up_in_time(server: RecordedServer) -> None:
    server.answers["/api/tags"] = recorded("tags", wait=3.0)
    began = time.monotonic()
    status = probe_ollama(server.url, MODEL, connect_timeout=0.3)
    assert time.monotonic() - began < 1.5
    assert not status.reachable
    assert "connect_timeout" in status.error


def test_against_a_real_ollama() -> None:
    url = os.environ.get("OLLAMA_HOST", "")
    if not url:
        pytest.skip("OLLAMA_HOST is not set: no real Ollama to ask")
    url = url if "://" in url else f"http://{url}"
    wanted = os.environ.get("RAG_OLLAMA_MODEL", "qwen3:8b")
    status = probe_ollama(url, wanted)
    if not status.reachable or not status.models:
        pytest.skip(f"no Ollama with a model at {url}: {status.error}")
    model = ollama(url, wanted if status.has_model else status.models[0], thinking=False)
    assert text_of(ask(model, [Message("user", "用一句话介绍高血压。")], max_tokens=32))
    with pytest.raises(ContextOverflow):
        ask(model, [Message("user", "药" * 200000)])
