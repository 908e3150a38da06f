"""Any OpenAI-compatible server (vLLM, SGLang, llama.cpp) through LlamaIndex's `OpenAILike`.

Each request has a connection of its own: OpenAI's stream object sits in a reference cycle, so
dropping it would let the server generate on until the garbage collector comes by.
"""

import re
import ssl
from collections.abc import Generator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.answer.llm import Boundary, Delta, LanguageModel, LlamaIndexModel, Message, check_fits
from rag.errors import (
    ContextOverflow,
    LanguageModelBroken,
    LanguageModelError,
    LanguageModelUnavailable,
    SettingsError,
)

if TYPE_CHECKING:
    from openai import APIStatusError

# Their templates write "<think>" into the prompt; without a reasoning parser the server sends
# the thinking as text with nothing but "</think>" at its end.
_OPENED_THINKING = re.compile(r"deepseek[-_]?r1|\br1\b|qwq|thinking", re.IGNORECASE)
_OVERFLOW = re.compile(r"context (length|size|window)|exceed_context_size|maximum context", re.I)


def build(base_url: str, model: str, api_key: str, context: int, timeout: float) -> LanguageModel:
    """See `rag.answer.llm.openai_compatible`."""
    if not base_url or not model:
        missing = "base_url" if not base_url else "model"
        raise SettingsError(f"没有设置 [openai] {missing}。请在 rag.toml 中填写服务的地址和模型名")
    return OpenAICompatibleModel(base_url, model, api_key or "not-needed", context, timeout)


class OpenAICompatibleModel:
    """One model on one server. Safe to use from several threads."""

    digest = ""

    def __init__(
        self, base_url: str, model: str, api_key: str, context: int, timeout: float
    ) -> None:
        self.name = f"{model}（OpenAI 兼容服务）"
        self.context = context
        self._base_url = base_url
        self._model = model
        self._api_key = api_key
        self._timeout = timeout

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Generator[Delta, None, None]:
        """See `rag.answer.llm.LanguageModel.stream`."""
        check_fits(messages, max_tokens, self.context)
        import httpx
        import openai
        from llama_index.llms.openai_like import OpenAILike  # type: ignore[import-untyped]

        timeout = httpx.Timeout(self._timeout, connect=min(self._timeout, 5.0))
        with httpx.Client(trust_env=False, timeout=timeout, verify=_ssl_context()) as client:
            llm = OpenAILike(
                model=self._model,
                api_base=self._base_url,
                api_key=self._api_key,
                is_chat_model=True,
                is_function_calling_model=False,
                context_window=self.context,
                timeout=self._timeout,
                max_retries=0,
                http_client=client,
            )
            model = LlamaIndexModel(
                llm,
                name=self.name,
                context=self.context,
                timeout=self._timeout,
                opened_thinking=_OPENED_THINKING.search(self._model) is not None,
                boundary=Boundary(
                    errors=(openai.OpenAIError, httpx.HTTPError, OSError, ValueError),
                    translate=self._translate,
                    finish_reason=_finish_reason,
                ),
            )
            yield from model.stream(messages, max_tokens=max_tokens, temperature=temperature)

    def _translate(self, error: Exception, started: bool) -> LanguageModelError:
        import httpx
        import openai

        if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
            text = f"{self.name} 在 {self._timeout:g} 秒内没有{'答完' if started else '开始回答'}。"
            text += "请调大 [answer] timeout，或检查服务的负载"
            return LanguageModelBroken(text) if started else LanguageModelUnavailable(text)
        if started:
            return LanguageModelBroken(f"{self.name} 的回答中途停止（{_line(error)}）。请重试")
        if isinstance(error, openai.APIStatusError):
            return self._translate_status(error)
        if isinstance(error, openai.APIConnectionError | httpx.HTTPError | OSError):
            return LanguageModelUnavailable(
                f"{self._base_url} 没有应答。请启动模型服务，或检查 [openai] base_url"
            )
        return LanguageModelUnavailable(
            f"{self._base_url} 的回答无法解读（{_line(error)}）。请检查 [openai] base_url"
        )

    def _translate_status(self, error: "APIStatusError") -> LanguageModelError:
        status, text = error.status_code, _line(error)
        if status == 400 and _OVERFLOW.search(text):
            return ContextOverflow(
                f"提示超出了模型窗口（{text}）。请把 [openai] context 改成服务的实际窗口，"
                "或调小 [retrieve] top_k"
            )
        if status in (401, 403):
            return LanguageModelUnavailable(
                f"{self._base_url} 拒绝了密钥（{status}）。请检查 [openai] api_key"
            )
        if status == 404:
            return LanguageModelUnavailable(
                f"{self._base_url} 没有模型 {self._model}。请检查 [openai] model 和 base_url（多以 /v1 结尾）"
            )
        if status in (429, 503):
            return LanguageModelUnavailable(f"{self._base_url} 正忙（{status}）。请稍后再试")
        return LanguageModelUnavailable(
            f"{self._base_url} 拒绝了请求（{status}：{text}）。请查看模型服务的日志"
        )


def _finish_reason(raw: object) -> str | None:
    choices = getattr(raw, "choices", None)
    return getattr(choices[0], "finish_reason", None) if choices else None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


@lru_cache(maxsize=1)
def _ssl_context() -> ssl.SSLContext:
    """The system's certificates, where a hospital's own authority is installed."""
    return ssl.create_default_context()
