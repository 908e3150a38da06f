"""Settings: what wins over what, and errors that say where to look."""

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paths import ROOT

from rag.errors import SettingsError
from rag.settings import Settings

# rag.toml states what the code does by default, but for these.
DIFFERENT = {("ollama", "thinking"): (None, False)}


def load(tmp_path, text="", *, environment=None, overrides=None):
    path = tmp_path / "rag.toml"
    path.write_text(text, encoding="utf-8")
    return Settings.load(path, environment=environment or {}, overrides=overrides)


def message(tmp_path, text="", **options):
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text, **options)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


# What wins


def test_an_empty_file_means_the_defaults(tmp_path):
    assert load(tmp_path) == Settings()


def test_no_file_means_the_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Settings.load(environment={}) == Settings()


def test_the_working_folders_file_is_read_without_being_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rag.toml").write_text("[retrieve]\ntop_k = 9\n", encoding="utf-8")
    assert Settings.load(environment={}).retrieve.top_k == 9


def test_arguments_win_over_the_environment_over_the_file(tmp_path):
    text = "[serve]\nport = 1001\nhost = '10.0.0.1'\nqueue = 5\n"
    environment = {"RAG_SERVE_PORT": "1002", "RAG_SERVE_HOST": "10.0.0.2"}
    overrides = {"serve": {"port": 1003, "host": None}}
    serve = load(tmp_path, text, environment=environment, overrides=overrides).serve
    assert (serve.port, serve.host, serve.queue) == (1003, "10.0.0.2", 5)


def test_environment_values_are_text_and_become_what_is_meant(tmp_path):
    environment = {
        "RAG_INDEX_CORPUS": os.pathsep.join(["a", "b c", ""]),
        "RAG_INDEX_OCR": "false",
        "RAG_RETRIEVE_WEIGHT": "0.25",
        "RAG_OLLAMA_THINKING": "true",
        "RAG_LLAMA_CPP_PATH": "m.gguf",
        "RAG_CLEAN_PINYIN_GLOSSES": "0",
    }
    settings = load(tmp_path, environment=environment)
    assert settings.index.corpus == (Path("a"), Path("b c"))
    assert settings.index.ocr is False
    assert settings.retrieve.weight == 0.25
    assert settings.ollama.thinking is True
    assert settings.llama_cpp.path == Path("m.gguf")
    assert settings.clean.enabled() == (
        "control_characters",
        "byte_shift",
        "punctuation",
        "boilerplate",
    )


def test_every_setting_has_an_environment_variable(tmp_path):
    for section, field in Settings.model_fields.items():
        for name, entry in field.annotation.model_fields.items():
            variable = f"RAG_{section}_{name}".upper()
            default = entry.default
            if default is None:
                continue
            text = os.pathsep.join(map(str, default)) if isinstance(default, tuple) else default
            settings = load(tmp_path, environment={variable: str(text)})
            assert getattr(getattr(settings, section), name) == default, variable


def test_settings_do_not_change(tmp_path):
    settings = load(tmp_path)
    with pytest.raises(ValueError, match="frozen"):
        settings.retrieve.top_k = 3


# OLLAMA_HOST, as Ollama's own client reads it


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("gpu", "http://gpu:11434"),
        ("gpu:8080", "http://gpu:8080"),
        ("gpu/", "http://gpu:11434"),
        ("gpu/proxy", "http://gpu:11434/proxy"),
        (":8080", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("10.0.0.0", "http://10.0.0.0:11434"),
        ("http://gpu", "http://gpu"),
        ("http://gpu:11434/", "http://gpu:11434"),
        ("https://gpu/ollama/", "https://gpu/ollama"),
        ("[::1]", "http://[::1]:11434"),
        ("::1", "http://[::1]:11434"),
        ("[::]:8080", "http://[::1]:8080"),
        ("  gpu  ", "http://gpu:11434"),
        ("", "http://127.0.0.1:11434"),
    ],
)
def test_forms_of_ollama_host(tmp_path, host, url):
    assert load(tmp_path, environment={"OLLAMA_HOST": host}).ollama.base_url == url


@pytest.mark.parametrize("host", ["gpu:port", "gpu:99999", "[gpu"])
def test_an_ollama_host_that_is_no_address(tmp_path, host):
    text = message(tmp_path, environment={"OLLAMA_HOST": host})
    assert "OLLAMA_HOST" in text
    assert host in text


def test_our_own_variable_wins_over_ollama_host(tmp_path):
    environment = {"OLLAMA_HOST": "one", "RAG_OLLAMA_BASE_URL": "http://two:1"}
    settings = load(tmp_path, "[ollama]\nbase_url = 'http://three'", environment=environment)
    assert settings.ollama.base_url == "http://two:1"
    del environment["RAG_OLLAMA_BASE_URL"]
    settings = load(tmp_path, "[ollama]\nbase_url = 'http://three'", environment=environment)
    assert settings.ollama.base_url == "http://one:11434"


# Errors


def test_an_unknown_setting_is_named(tmp_path):
    assert "[ollama] modle 不认识" in message(tmp_path, "[ollama]\nmodle = 'x'")


def test_an_unknown_section_is_named(tmp_path):
    assert "[olama] 不认识" in message(tmp_path, "[olama]\nmodel = 'x'")


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [
        ("[serve]\nport = 0", "[serve] port", "不小于 1"),
        ("[serve]\nport = 70000", "[serve] port", "不大于 65535"),
        ("[serve]\nport = 'no'", "[serve] port", "整数"),
        ("[answer]\ntimeout = 0", "[answer] timeout", "大于 0"),
        ("[answer]\nllm = 'gpt'", "[answer] llm", "'extractive'"),
        ("[retrieve]\nweight = 1.5", "[retrieve] weight", "不大于 1"),
        ("[index]\ncorpus = 'corpus'", "[index] corpus", "列表"),
        ("[index]\nocr = 'maybe'", "[index] ocr", "true 或 false"),
        ("[ollama]\nmodel = 3", "[ollama] model", "文字"),
        ("index = 3", "[index]", "一节"),
    ],
)
def test_a_bad_value_is_named_with_what_it_must_be(tmp_path, text, name, reason):
    # As the command line calls it: with an argument for the index, given or not.
    line = message(tmp_path, text, overrides={"index": {"directory": None}})
    assert name in line
    assert reason in line
    assert "rag.toml" in line


def test_a_bad_value_of_the_environment_is_sought_there(tmp_path):
    line = message(tmp_path, environment={"RAG_SERVE_PORT": "abc"})
    assert "环境变量 RAG_SERVE_PORT" in line
    assert "rag.toml" not in line


def test_a_file_that_is_no_toml_names_the_line(tmp_path):
    line = message(tmp_path, "[serve]\nport = \n")
    assert "TOML" in line
    assert "line 2" in line


def test_a_file_in_another_encoding(tmp_path):
    path = tmp_path / "rag.toml"
    path.write_bytes("[compliance]\nmodel_name = '医问'".encode("gb18030"))
    with pytest.raises(SettingsError, match="TOML"):
        Settings.load(path, environment={})


def test_a_named_file_that_is_missing(tmp_path):
    with pytest.raises(SettingsError, match=r"不存在.*--config"):
        Settings.load(tmp_path / "no.toml", environment={})


def test_a_folder_in_the_place_of_the_file(tmp_path):
    with pytest.raises(SettingsError, match="无法读取"):
        Settings.load(tmp_path, environment={})


@given(st.text(max_size=40))
def test_any_text_is_settings_or_a_clear_error(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text.encode("utf-8", "replace").decode(), encoding="utf-8")
    try:
        Settings.load(path, environment={}, overrides={"index": {"directory": "x"}})
    except SettingsError as error:
        assert str(error)


# The file that ships


def test_rag_toml_holds_known_settings_and_the_defaults():
    path = ROOT / "rag.toml"
    loaded = Settings.load(path, environment={})
    stated = tomllib.loads(path.read_text(encoding="utf-8"))
    different = {
        (section, name): (getattr(getattr(Settings(), section), name), value)
        for section, entries in stated.items()
        for name in entries
        if (value := getattr(getattr(loaded, section), name))
        != getattr(getattr(Settings(), section), name)
    }
    assert different == DIFFERENT


def test_rag_toml_names_every_section():
    stated = tomllib.loads((ROOT / "rag.toml").read_text(encoding="utf-8"))
    assert stated.keys() == Settings.model_fields.keys()
