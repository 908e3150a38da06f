"""The OpenAI-compatible adapter against a real socket that speaks server-sent events."""

import json
from collections.abc import Iterator

import pytest
from ollama_server import RecordedServer, Recording, recorded_server

from rag.answer.llm import Delta, Message, openai_compatible
from rag.errors import (
    ContextOverflow,
    LanguageModelBroken,
    LanguageModelUnavailable,
    SettingsError,
)

PATH = "/v1/chat/completions"
QUESTION = [Message("user", "术后多久复查？")]


@pytest.fixture
def server() -> Iterator[RecordedServer]:
    with recorded_server() as running:
        yield running


def events(*deltas: dict[str, str], finish: str | None = "stop", pace: float = 0.0) -> Recording:
    def line(delta: dict[str, str], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        body = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        return f"data: {json.dumps(body | {'choices': [choice]})}\n"

    lines = [line(delta) for delta in deltas]
    if finish is not None:
        lines += [line({}, finish), "data: [DONE]\n"]
    return Recording(200, "text/event-stream", tuple(lines), chunked=True, pace=pace)


def failure(status: int, message: str) -> Recording:
    body = json.dumps({"error": {"message": message, "type": "t", "param": None, "code": status}})
    return Recording(status, "application/json", (body,))


def ask(server: RecordedServer, model: str = "qwen3", **options: float) -> list[Delta]:
    language_model = openai_compatible(f"{server.url}/v1", model, "key", 8192, **options)
    return list(language_model.stream(QUESTION, max_tokens=64, temperature=0.2))


def joined(deltas: list[Delta]) -> tuple[str, str]:
    """Text and thinking as a caller puts them together."""
    text = thinking = ""
    for delta in deltas:
        if delta.reset:
            text, thinking = "", thinking + text
        text += delta.text
        thinking += delta.thinking
    return text, thinking


def test_streams_and_sends_what_was_asked(server: RecordedServer) -> None:
    server.answers[PATH] = events({"content": "两周"}, {"content": "后复查。[1]"})
    assert joined(ask(server)) == ("两周后复查。[1]", "")
    (request,) = server.bodies(PATH)
    assert request["model"] == "qwen3"
    assert request["max_tokens"] == 64
    assert request["temperature"] == 0.2
    assert request["messages"] == [{"role": "user", "content": "术后多久复查？"}]


def test_thinking_in_its_own_field(server: RecordedServer) -> None:
    server.answers[PATH] = events({"reasoning_content": "先看资料。"}, {"content": "两周。"})
    assert joined(ask(server, "deepseek-r1")) == ("两周。", "先看资料。")


def test_thinking_without_an_opening_tag(server: RecordedServer) -> None:
    server.answers[PATH] = events({"content": "先看资料。</th"}, {"content": "ink>两周。"})
    assert joined(ask(server, "DeepSeek-R1-Distill-Qwen-7B")) == ("两周。", "先看资料。")
    # A model nobody knows to be one of those: the text is taken back when the tag arrives.
    deltas = ask(server, "our-model")
    assert any(delta.reset for delta in deltas)
    assert joined(deltas) == ("两周。", "先看资料。")


def test_answer_cut_at_max_tokens_says_so(server: RecordedServer) -> None:
    server.answers[PATH] = events({"content": "两周"}, finish="length")
    assert ask(server)[-1].truncated


def test_stream_without_an_end_is_broken(server: RecordedServer) -> None:
    server.answers[PATH] = events({"content": "两周"}, finish=None)
    with pytest.raises(LanguageModelBroken, match="结束标记"):
        ask(server)


def test_error_in_the_middle_is_broken(server: RecordedServer) -> None:
    whole = events({"content": "两周"}, finish=None)
    lines = (*whole.lines, 'data: {"error": {"message": "engine died"}}\n')
    server.answers[PATH] = Recording(200, "text/event-stream", lines, chunked=True)
    with pytest.raises(LanguageModelBroken, match="engine died"):
        ask(server)


@pytest.mark.parametrize("cut", [True])
def test_connection_cut_in_the_middle_is_broken(server: RecordedServer, cut: bool) -> None:
    whole = events({"content": "两周"}, finish=None)
    server.answers[PATH] = Recording(200, "text/event-stream", whole.lines, chunked=True, cut=cut)
    with pytest.raises(LanguageModelBroken, match="中途停止"):
        ask(server)


@pytest.mark.parametrize(
    ("status", "message", "error", "match"),
    [
        (
            400,
            "This model's maximum context length is 4096 tokens.",
            ContextOverflow,
            r"\[openai\] context",
        ),
        (401, "Unauthorized", LanguageModelUnavailable, "api_key"),
        (404, "The model `x` does not exist.", LanguageModelUnavailable, r"\[openai\] model"),
        (429, "Too many requests", LanguageModelUnavailable, "正忙"),
        (503, "Overloaded", LanguageModelUnavailable, "正忙"),
        (500, "Internal", LanguageModelUnavailable, "日志"),
    ],
)
def test_refusals(
    server: RecordedServer, status: int, message: str, error: type[Exception], match: str
) -> None:
    server.answers[PATH] = failure(status, message)
    with pytest.raises(error, match=match):
        ask(server)
    assert len(server.bodies(PATH)) == 1


def test_no_server(server: RecordedServer) -> None:
    model = openai_compatible("http://127.0.0.1:1/v1", "m", "", 8192)
    with pytest.raises(LanguageModelUnavailable, match="base_url"):
        list(model.stream(QUESTION, max_tokens=8, temperature=0))


def test_slow_server(server: RecordedServer) -> None:
    server.answers[PATH] = Recording(200, "text/event-stream", (), chunked=True, wait=1.5)
    with pytest.raises(LanguageModelUnavailable, match="timeout"):
        ask(server, timeout=0.3)


def test_closing_the_stream_hangs_up(server: RecordedServer) -> None:
    server.answers[PATH] = events(*[{"content": "词"}] * 500, pace=0.01)
    model = openai_compatible(f"{server.url}/v1", "m", "", 8192)
    stream = model.stream(QUESTION, max_tokens=64, temperature=0)
    assert next(stream).text == "词"
    stream.close()
    assert server.hung_up.wait(2.0)


def test_proxies_and_openai_variables_are_ignored(
    server: RecordedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:1/v1")
    server.answers[PATH] = events({"content": "两周。"})
    assert joined(ask(server)) == ("两周。", "")


def test_empty_settings_are_refused() -> None:
    with pytest.raises(SettingsError, match="base_url"):
        openai_compatible("", "m", "", 8192)
    with pytest.raises(SettingsError, match="model"):
        openai_compatible("http://127.0.0.1:8000/v1", "", "", 8192)


def test_prompt_larger_than_the_window_is_never_sent(server: RecordedServer) -> None:
    model = openai_compatible(f"{server.url}/v1", "m", "", 1024)
    with pytest.raises(ContextOverflow):
        list(model.stream([Message("user", "药" * 1000)], max_tokens=64, temperature=0))
    assert server.requests == []
