"""Language models: one small interface, and LlamaIndex's `LLM` classes behind it.

`LanguageModel.stream` is all that the assistant knows. `LlamaIndexModel` wraps any LlamaIndex
`LLM`; the builders below make the three we support out of plain values. Their modules are
imported when they are called, because the frameworks take seconds to import.

Foreign exceptions become `rag.errors` here: `LanguageModelUnavailable` before the first word,
`LanguageModelBroken` behind it (the caller keeps the text so far), `ContextOverflow` whenever the
prompt does not fit or was seen to have been cut.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from rag.answer.thinking import Piece, ThinkingSplitter
from rag.answer.tokens import estimate_messages
from rag.errors import (
    ContextOverflow,
    LanguageModelBroken,
    LanguageModelError,
    LanguageModelUnavailable,
)

if TYPE_CHECKING:
    from llama_index.core.llms import LLM


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Delta:
    """What came next; ``text`` and ``thinking`` may be empty.

    ``reset``: all text before this delta was thinking, not answer: move it there.
    ``truncated``: set on the last delta of an answer that was cut at ``max_tokens``.
    """

    text: str = ""
    thinking: str = ""
    reset: bool = False
    truncated: bool = False


class LanguageModel(Protocol):
    """``name`` is what people see, ``digest`` identifies the weights ("" when unknown),
    ``context`` is the largest prompt and answer together, in tokens."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str: ...

    @property
    def context(self) -> int: ...

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Generator[Delta, None, None]:
        """Generate; a generator whose ``close()`` stops the server.

        Raises:
            LanguageModelUnavailable: no server, no such model, busy, or nothing came in time.
            LanguageModelBroken: the answer stopped before its end, or there is none.
            ContextOverflow: the prompt does not fit.
        """
        ...


@dataclass(frozen=True, slots=True)
class OllamaStatus:
    """What `probe_ollama` found. ``models`` are the names on the server, ``context`` the model's
    own window in tokens (0 when unknown), ``error`` one Chinese line or ""."""

    reachable: bool = False
    version: str = ""
    has_model: bool = False
    models: tuple[str, ...] = ()
    digest: str = ""
    context: int = 0
    error: str = ""


def _translate_anything(error: Exception, started: bool) -> LanguageModelError:
    if started:
        return LanguageModelBroken(f"语言模型的回答中途停止（{error}）。请重试")
    return LanguageModelUnavailable(f"语言模型没有回答（{error}）。请检查它的服务和配置")


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where one library's world ends.

    ``errors`` are what its calls raise; ``translate(error, started)`` makes ours of them.
    ``finish_reason(raw)`` reads the reason from a raw chunk, None while there is none; where the
    function itself is None the end of the stream cannot be told from a break.
    """

    errors: tuple[type[Exception], ...] = (OSError, RuntimeError, ValueError)
    translate: Callable[[Exception, bool], LanguageModelError] = _translate_anything
    finish_reason: Callable[[object], str | None] | None = None


class LlamaIndexModel:
    """Any LlamaIndex `LLM` as a `LanguageModel`.

    Args:
        llm: asked by ``stream_chat(messages, max_tokens=…, temperature=…)``.
        name: what people see.
        context: tokens of prompt and answer together.
        timeout: seconds for one whole answer.
        opened_thinking: the model's template opens the thinking itself (see `ThinkingSplitter`).
    """

    def __init__(
        self,
        llm: "LLM",
        *,
        name: str,
        context: int,
        digest: str = "",
        boundary: Boundary | None = None,
        timeout: float = 300.0,
        opened_thinking: bool = False,
    ) -> None:
        self.name = name
        self.context = context
        self.digest = digest
        self._llm = llm
        self._boundary = boundary or Boundary()
        self._timeout = timeout
        self._opened_thinking = opened_thinking

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Generator[Delta, None, None]:
        """See `LanguageModel.stream`."""
        from llama_index.core.llms import ChatMessage

        check_fits(messages, max_tokens, self.context)
        boundary = self._boundary
        splitter = ThinkingSplitter(opened=self._opened_thinking)
        deadline = time.monotonic() + self._timeout
        started = has_text = False
        reason: str | None = None
        chat = [ChatMessage(role=message.role, content=message.content) for message in messages]
        responses = None
        try:
            while True:
                try:
                    if responses is None:
                        responses = self._llm.stream_chat(
                            chat, max_tokens=max_tokens, temperature=temperature
                        )
                    response = next(responses, None)
                except boundary.errors as error:
                    raise boundary.translate(error, started) from error
                if response is None:
                    break
                if boundary.finish_reason is not None:
                    reason = boundary.finish_reason(response.raw) or reason
                thinking = response.additional_kwargs.get("thinking_delta") or ""
                if thinking:
                    splitter.thinks_elsewhere()
                    started = True
                    yield Delta(thinking=thinking)
                for delta in _deltas(splitter.feed(response.delta or "")):
                    started = True
                    has_text = (has_text and not delta.reset) or bool(delta.text.strip())
                    yield delta
                if time.monotonic() > deadline:
                    raise LanguageModelBroken(
                        f"{self.name} 在 {self._timeout:g} 秒内没有答完。"
                        "请调大 [answer] timeout，或换用更小的模型"
                    )
        finally:
            if responses is not None and hasattr(responses, "close"):
                responses.close()
        if boundary.finish_reason is not None and reason is None:
            raise LanguageModelBroken(
                f"{self.name} 的回答中途停止（没有结束标记），可能不完整。请重试，"
                "若反复出现请检查模型服务的日志"
            )
        truncated = reason == "length"
        for delta in _deltas(splitter.finish()):
            # Cut off inside the thinking: a wrong guess cannot be told, so it is not an answer.
            if delta.text and truncated and not has_text:
                continue
            has_text = has_text or bool(delta.text.strip())
            yield delta
        if not has_text:
            raise LanguageModelBroken(
                f"{self.name} 在思考阶段就用完了 {max_tokens} 个词元，没有给出回答。"
                "请调大 [answer] max_tokens，或设 [ollama] thinking = false"
                if truncated
                else f"{self.name} 返回了空的回答。请重试，或换用其他模型"
            )
        if truncated:
            yield Delta(truncated=True)


def check_fits(messages: Sequence[Message], max_tokens: int, context: int) -> None:
    """Refuse a prompt that may not fit, before anything is sent.

    Raises:
        ContextOverflow: estimated prompt and ``max_tokens`` together exceed ``context``.
    """
    prompt = estimate_messages(messages)
    if prompt + max_tokens > context:
        raise ContextOverflow(
            f"提示约 {prompt} 个词元，加上回答的 {max_tokens} 个超出了模型窗口 {context}。"
            "请调大 [ollama] max_context（或所用模型的 context），"
            "或调小 [retrieve] top_k、[answer] max_tokens"
        )


def _deltas(pieces: Sequence[Piece]) -> Iterator[Delta]:
    for piece in pieces:
        yield Delta(text=piece.text, thinking=piece.thinking, reset=piece.reset)


def ollama(
    base_url: str,
    model: str,
    *,
    keep_alive: str = "30m",
    max_context: int = 16384,
    timeout: float = 300.0,
    connect_timeout: float = 2.0,
    thinking: bool | None = None,
) -> LanguageModel:
    """A model served by Ollama; nothing is asked of the server before the first use."""
    from rag.answer.ollama import OllamaModel

    return OllamaModel(
        base_url,
        model,
        keep_alive=keep_alive,
        max_context=max_context,
        timeout=timeout,
        connect_timeout=connect_timeout,
        thinking=thinking,
    )


def probe_ollama(base_url: str, model: str, connect_timeout: float = 2.0) -> OllamaStatus:
    """Is Ollama there, has it the model, how large is its window? Never raises; at most
    ``connect_timeout`` seconds when nothing answers."""
    from rag.answer.ollama import probe

    return probe(base_url, model, connect_timeout)


def openai_compatible(
    base_url: str, model: str, api_key: str, context: int, timeout: float = 300.0
) -> LanguageModel:
    """A model behind any OpenAI-compatible server (vLLM, SGLang, llama.cpp).

    Raises:
        SettingsError: ``base_url`` or ``model`` is empty (the library would call openai.com).
    """
    from rag.answer.openai_compatible import build

    return build(base_url, model, api_key, context, timeout)


def llama_cpp(path: Path, context: int, threads: int = 0, timeout: float = 300.0) -> LanguageModel:
    """A local GGUF run in this process by llama.cpp; loads it, which takes seconds.

    Raises:
        LanguageModelUnavailable: the file is missing or no model.
    """
    from rag.answer.llama_cpp import build

    return build(path, context, threads, timeout)
