"""Which language model answers now."""

import json
import time
from dataclasses import replace

import pytest
from ollama_server import Recording, recorded, recorded_server

from rag import language
from rag.errors import LanguageModelUnavailable, SettingsError
from rag.language import EXTRACTIVE, LanguageModelSource
from rag.settings import Settings

MODEL = "gemma3-270m"


def source(**sections):
    return LanguageModelSource(Settings.model_validate(sections))


def on_server(server, llm, model=MODEL):
    return source(answer={"llm": llm}, ollama={"base_url": server.url, "model": model})


def tags(*names):
    return Recording(
        200, "application/json", (json.dumps({"models": [{"name": name} for name in names]}),)
    )


def test_extractive_asks_nobody():
    with recorded_server() as server:
        chosen = on_server(server, "extractive")
        assert chosen.current() is None
        assert chosen.label() == EXTRACTIVE
        assert not chosen.is_fallback_allowed
        assert server.requests == []


def test_auto_uses_ollama_when_it_has_the_model():
    with recorded_server() as server:
        chosen = on_server(server, "auto")
        model = chosen.current()
        assert model is not None
        assert MODEL in model.name
        assert chosen.label() == model.name
        assert chosen.reason == ""
        assert chosen.is_fallback_allowed
        assert chosen.current() is model


def test_auto_says_why_there_is_no_model():
    with recorded_server() as server:
        chosen = on_server(server, "auto", "qwen3:8b")
        assert chosen.current() is None
        assert "ollama pull qwen3:8b" in chosen.reason
        assert chosen.label() == EXTRACTIVE
    chosen = on_server(replace(server, url="http://127.0.0.1:9"), "auto")
    assert chosen.current() is None
    assert "ollama serve" in chosen.reason


def test_the_server_is_asked_once_in_a_while_and_after_a_failure():
    with recorded_server() as server:
        chosen = on_server(server, "auto")
        for _ in range(5):
            chosen.current()
        probes = [path for path, _ in server.requests].count("/api/tags")
        assert probes == 1
        chosen.failed()
        chosen.current()
        assert [path for path, _ in server.requests].count("/api/tags") == 2


def test_a_model_that_appears_later_is_used_without_a_restart(monkeypatch):
    monkeypatch.setattr(language, "_PROBE_SECONDS", 0.05)
    with recorded_server(tags=tags()) as server:
        chosen = on_server(server, "auto")
        assert chosen.current() is None
        server.answers["/api/tags"] = recorded("tags")
        time.sleep(0.06)
        assert chosen.current() is not None
        assert chosen.reason == ""
        server.answers["/api/tags"] = tags("another:1b")
        time.sleep(0.06)
        assert chosen.current() is None
        assert "ollama pull" in chosen.reason


def test_a_chosen_ollama_is_given_whether_it_is_there_or_not():
    chosen = source(answer={"llm": "ollama"}, ollama={"base_url": "http://127.0.0.1:9"})
    assert chosen.current() is not None
    assert not chosen.is_fallback_allowed


@pytest.mark.parametrize(
    ("sections", "named"),
    [
        ({"answer": {"llm": "openai"}}, "[openai]"),
        ({"answer": {"llm": "openai"}, "openai": {"base_url": "http://gpu:8000/v1"}}, "model"),
        ({"answer": {"llm": "openai"}, "openai": {"model": "m"}}, "base_url"),
        ({"answer": {"llm": "llama_cpp"}}, "[llama_cpp] path"),
    ],
)
def test_incomplete_settings_are_refused_at_once(sections, named):
    with pytest.raises(SettingsError) as caught:
        source(**sections)
    assert named in str(caught.value)


def test_an_openai_compatible_model_is_named():
    chosen = source(
        answer={"llm": "openai"}, openai={"base_url": "http://127.0.0.1:9/v1", "model": "qwen3"}
    )
    assert "qwen3" in chosen.label()


def test_a_gguf_that_is_missing_is_an_error_that_names_it(tmp_path):
    chosen = source(answer={"llm": "llama_cpp"}, llama_cpp={"path": tmp_path / "no.gguf"})
    with pytest.raises(LanguageModelUnavailable, match=r"no\.gguf"):
        chosen.current()
