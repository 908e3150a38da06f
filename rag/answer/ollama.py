"""Ollama through LlamaIndex's `Ollama` class, with everything set that it leaves open.

- ``num_ctx`` comes from the prompt, in few sizes and never shrinking, because another value makes
  the server reload the model (seconds); it never exceeds the model's own window.
- ``truncate: false`` and ``shift: false`` go into every request: by default Ollama cuts a prompt
  that is too long without a word. An older server ignores them, so ``prompt_eval_count`` is
  compared with what the prompt must have taken.
- Each request has a connection of its own, so that stopping really stops the server, and knows no
  proxies: ``HTTP_PROXY`` would send prompts for this machine elsewhere.
"""

import json
import ssl
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from rag.answer.llm import (
    Boundary,
    Delta,
    LlamaIndexModel,
    Message,
    OllamaStatus,
    check_fits,
)
from rag.answer.tokens import estimate_messages, least_tokens
from rag.errors import (
    ContextOverflow,
    LanguageModelBroken,
    LanguageModelError,
    LanguageModelUnavailable,
)

# 4096 is Ollama's own default: a model that somebody else already uses stays loaded.
CONTEXT_SIZES = (4096, 8192, 16384, 32768, 65536, 131072)
# The weights behind a name change when somebody pulls it again.
STATUS_SECONDS = 300.0


class OllamaModel:
    """One model on one Ollama server. Safe to use from several threads."""

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        keep_alive: str,
        max_context: int,
        timeout: float,
        connect_timeout: float,
        thinking: bool | None,
    ) -> None:
        self.name = f"{model}（Ollama）"
        self._base_url = base_url
        self._model = model
        self._keep_alive = keep_alive
        self._max_context = max_context
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._thinking = thinking
        self._lock = threading.Lock()
        self._status = OllamaStatus()
        self._status_until = 0.0
        self._num_ctx = 0

    @property
    def digest(self) -> str:
        return self._ask_status().digest

    @property
    def context(self) -> int:
        """The smaller of ``max_context`` and the model's window."""
        window = self._ask_status().context
        return min(self._max_context, window) if window else self._max_context

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Generator[Delta, None, None]:
        """See `rag.answer.llm.LanguageModel.stream`."""
        import httpx
        import ollama
        from llama_index.llms.ollama import Ollama  # type: ignore[import-untyped]

        status = self._ask_status()
        if not (status.reachable and status.has_model):
            raise LanguageModelUnavailable(status.error)
        context = self.context
        check_fits(messages, max_tokens, context)
        num_ctx = self._choose_num_ctx(estimate_messages(messages) + max_tokens, context)
        with ollama.Client(
            host=self._base_url,
            timeout=httpx.Timeout(self._timeout, connect=self._connect_timeout),
            trust_env=False,
            follow_redirects=False,
            transport=_never_truncating(),
        ) as client:
            llm = Ollama(
                model=self._model,
                base_url=self._base_url,
                client=client,
                temperature=temperature,
                context_window=num_ctx,
                request_timeout=self._timeout,
                keep_alive=self._keep_alive,
                thinking=self._thinking,
                additional_kwargs={"num_predict": max_tokens},
                is_function_calling_model=False,
            )
            model = LlamaIndexModel(
                llm,
                name=self.name,
                context=context,
                timeout=self._timeout,
                boundary=Boundary(
                    errors=(ollama.ResponseError, httpx.HTTPError, OSError, ValueError),
                    translate=self._translate,
                    finish_reason=_FinishReason(least_tokens(messages), num_ctx),
                ),
            )
            yield from model.stream(messages, max_tokens=max_tokens, temperature=temperature)

    def _ask_status(self) -> OllamaStatus:
        with self._lock:
            if time.monotonic() >= self._status_until:
                self._status = probe(self._base_url, self._model, self._connect_timeout)
                if self._status.has_model:
                    self._status_until = time.monotonic() + STATUS_SECONDS
            return self._status

    def _choose_num_ctx(self, needed: int, context: int) -> int:
        with self._lock:
            size = next((size for size in CONTEXT_SIZES if size >= needed), context)
            self._num_ctx = min(max(size, self._num_ctx), context)
            return self._num_ctx

    def _translate(self, error: Exception, started: bool) -> LanguageModelError:
        import httpx
        import ollama

        if isinstance(error, ollama.ResponseError):
            text = " ".join(str(error.error).split())[:300]
            return self._translate_response(text, error.status_code)
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | ConnectionError):
            return LanguageModelUnavailable(_unreachable(self._base_url))
        if isinstance(error, httpx.TimeoutException):
            return _out_of_time(self.name, self._timeout, started)
        if isinstance(error, httpx.HTTPError | OSError):
            return LanguageModelBroken(
                f"与 Ollama 的连接中断（{type(error).__name__}），回答不完整。"
                "请确认 ollama serve 仍在运行后重试"
            )
        return LanguageModelBroken(
            f"{self._base_url} 的回答不是 Ollama 的格式。请检查 [ollama] base_url"
        )

    def _translate_response(self, text: str, status: int) -> LanguageModelError:
        if "exceed_context_size" in text or "longer than the context" in text:
            return ContextOverflow(
                "提示超出了模型窗口，Ollama 拒绝了请求。"
                "请调大 [ollama] max_context，或调小 [retrieve] top_k"
            )
        if status == 404:
            return LanguageModelUnavailable(_no_model(self._model))
        if status == 503:
            return LanguageModelUnavailable(
                "Ollama 正忙，排队已满。请稍后再试，或调大 OLLAMA_MAX_QUEUE"
            )
        if "does not support thinking" in text:
            return LanguageModelUnavailable(
                f"模型 {self._model} 不支持思考模式。请删去 [ollama] thinking 或设为 false"
            )
        if status == -1:
            return LanguageModelBroken(f"Ollama 在回答中途出错（{text}）。请重试")
        return LanguageModelUnavailable(
            f"Ollama 拒绝了请求（{status}：{text}）。请查看 Ollama 的日志"
        )


class _FinishReason:
    """Reads ``done_reason``, and notices a prompt that the server cut."""

    def __init__(self, least: int, num_ctx: int) -> None:
        self._least = least
        self._num_ctx = num_ctx

    def __call__(self, raw: object) -> str | None:
        if not isinstance(raw, Mapping) or not raw.get("done"):
            return None
        read = raw.get("prompt_eval_count")
        if isinstance(read, int) and read < self._least:
            raise ContextOverflow(
                f"Ollama 只读了 {read} 个词元，提示至少有 {self._least} 个：提示被截断，"
                f"回答不可信。请升级 Ollama，或调小 [retrieve] top_k（num_ctx = {self._num_ctx}）"
            )
        return str(raw.get("done_reason") or "stop")


def probe(base_url: str, model: str, connect_timeout: float) -> OllamaStatus:
    """See `rag.answer.llm.probe_ollama`."""
    import httpx

    deadline = time.monotonic() + connect_timeout
    try:
        with httpx.Client(
            base_url=base_url, trust_env=False, timeout=connect_timeout, verify=_ssl_context()
        ) as client:

            def ask(method: str, path: str, body: object = None) -> dict[str, Any]:
                left = max(deadline - time.monotonic(), 0.05)
                response = client.request(method, path, json=body, timeout=left)
                if response.status_code == 404 and path == "/api/show":
                    return {}
                answer = response.raise_for_status().json()
                return answer if isinstance(answer, dict) else {}

            version = str(ask("GET", "/api/version").get("version", ""))
            entries = [
                entry
                for entry in ask("GET", "/api/tags").get("models") or []
                if isinstance(entry, dict)
            ]
            names = tuple(str(entry.get("name", "")) for entry in entries)
            entry = next((e for e in entries if _same_model(str(e.get("name", "")), model)), None)
            if entry is None:
                return OllamaStatus(True, version, False, names, error=_no_model(model))
            # Loading a cold model's details takes longer than finding out that nobody is there.
            deadline = time.monotonic() + max(connect_timeout, 10.0)
            context = _window(ask("POST", "/api/show", {"model": model}), entry)
            return OllamaStatus(True, version, True, names, str(entry.get("digest", "")), context)
    except httpx.ConnectError:
        return OllamaStatus(error=_unreachable(base_url))
    except httpx.TimeoutException:
        return OllamaStatus(
            error=f"{base_url} 在 {connect_timeout:g} 秒内没有应答。请检查 Ollama 是否卡住，"
            "或调大 [ollama] connect_timeout"
        )
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return OllamaStatus(error=f"{base_url} 不像是 Ollama（{error}）。请检查 [ollama] base_url")


def _window(show: Mapping[str, Any], entry: Mapping[str, Any]) -> int:
    """The model's own window: ``*.context_length`` of /api/show, else of its /api/tags entry."""
    info = show.get("model_info")
    details = entry.get("details")
    for name, value in (info if isinstance(info, dict) else {}).items():
        if name.endswith(".context_length") and isinstance(value, int):
            return value
    value = details.get("context_length") if isinstance(details, dict) else None
    return value if isinstance(value, int) else 0


def _same_model(served: str, wanted: str) -> bool:
    """Ollama adds ``:latest`` to a name without a tag and ignores case."""

    def full(name: str) -> str:
        name = name.lower()
        return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"

    return full(served) == full(wanted)


def _never_truncating() -> Any:
    """A transport that adds what neither LlamaIndex nor Ollama's client can send."""
    import httpx

    class NeverTruncating(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/api/chat"):
                body = json.loads(request.read()) | {"truncate": False, "shift": False}
                headers = [
                    (name, value)
                    for name, value in request.headers.multi_items()
                    if name.lower() not in ("content-length", "transfer-encoding")
                ]
                request = httpx.Request(
                    request.method,
                    request.url,
                    headers=headers,
                    json=body,
                    extensions=request.extensions,
                )
            return super().handle_request(request)

    return NeverTruncating(verify=_ssl_context(), trust_env=False)


@lru_cache(maxsize=1)
def _ssl_context() -> ssl.SSLContext:
    """The system's certificates, where a hospital's own authority is installed; made once
    because reading them takes longer than a request."""
    return ssl.create_default_context()


def _out_of_time(name: str, timeout: float, started: bool) -> LanguageModelError:
    text = f"{name} 在 {timeout:g} 秒内没有{'答完' if started else '开始回答'}。"
    text += "请调大 [answer] timeout，或换用更小的模型"
    return LanguageModelBroken(text) if started else LanguageModelUnavailable(text)


def _unreachable(base_url: str) -> str:
    return f"Ollama 没有在 {base_url} 运行。请运行：ollama serve"


def _no_model(model: str) -> str:
    return f"Ollama 中没有模型 {model}。请运行：ollama pull {model}"
