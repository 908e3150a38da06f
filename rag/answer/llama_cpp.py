"""llama.cpp in this process: a LlamaIndex `LLM` over `xllamacpp`, for a local GGUF file.

Requests go through a function call, not through HTTP. `xllamacpp` starts llama.cpp's web server
all the same and by default listens on a random loopback port without a key; here it listens on a
socket file in a private folder, with a random key and every page switched off.

Imported only by `rag.answer.llm.llama_cpp`, because LlamaIndex takes seconds to import.
"""

import os
import queue
import secrets
import shutil
import tempfile
import threading
import weakref
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    LLMMetadata,
)
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms import CustomLLM

from rag.answer.llm import Boundary, LanguageModel, LlamaIndexModel
from rag.errors import (
    ContextOverflow,
    LanguageModelBroken,
    LanguageModelError,
    LanguageModelUnavailable,
)

_END = object()


class LlamaCppError(Exception):
    """llama.cpp refused or failed; ``type`` is its own name for the reason."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(str(error.get("message", error)))
        self.type = str(error.get("type", ""))


class LlamaCpp(CustomLLM):
    """LlamaIndex's view of a `xllamacpp.Server`; stream_chat is what we use."""

    context_window: int
    model_name: str
    timeout: float
    _server: Any = PrivateAttr()

    def __init__(self, server: Any, **fields: Any) -> None:
        super().__init__(**fields)
        self._server = server

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(
            context_window=self.context_window, model_name=self.model_name, is_chat_model=True
        )

    def stream_chat(
        self, messages: Sequence[ChatMessage], **options: Any
    ) -> Generator[ChatResponse, None, None]:
        """Yield what llama.cpp generates; closing the generator stops it at its next token."""
        request = {
            "messages": [
                {"role": message.role.value, "content": message.content or ""}
                for message in messages
            ],
            "stream": True,
            **options,
        }
        chunks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        stopped = threading.Event()

        def receive(chunk: Any) -> bool:
            chunks.put(chunk)
            return stopped.is_set()

        def generate() -> None:
            try:
                self._server.handle_chat_completions(request, receive)
            except (RuntimeError, ValueError) as error:
                chunks.put({"error": {"message": str(error)}})
            finally:
                chunks.put(_END)

        # Not a daemon: the interpreter must not end while native code calls back into it.
        worker = threading.Thread(target=generate, name="llama.cpp")
        worker.start()
        text = ""
        try:
            while (chunk := chunks.get(timeout=self.timeout)) is not _END:
                if "error" in chunk:
                    raise LlamaCppError(chunk["error"])
                delta = (chunk.get("choices") or [{}])[0].get("delta") or {}
                content = delta.get("content") or ""
                text += content
                yield ChatResponse(
                    message=ChatMessage(role="assistant", content=text),
                    delta=content,
                    raw=chunk,
                    additional_kwargs={"thinking_delta": delta.get("reasoning_content")},
                )
        finally:
            stopped.set()

    def chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponse:
        """The whole answer at once."""
        last = ChatResponse(message=ChatMessage(role="assistant", content=""))
        for response in self.stream_chat(messages, **options):
            last = response
        return last

    def complete(
        self,
        prompt: str,
        formatted: bool = False,  # noqa: ARG002
        **options: Any,
    ) -> CompletionResponse:
        """The prompt as one user message."""
        response = self.chat([ChatMessage(role="user", content=prompt)], **options)
        return CompletionResponse(text=response.message.content or "", raw=response.raw)

    def stream_complete(
        self,
        prompt: str,
        formatted: bool = False,  # noqa: ARG002
        **options: Any,
    ) -> Generator[CompletionResponse, None, None]:
        """The prompt as one user message."""
        for response in self.stream_chat([ChatMessage(role="user", content=prompt)], **options):
            yield CompletionResponse(
                text=response.message.content or "", delta=response.delta, raw=response.raw
            )


def build(path: Path, context: int, threads: int, timeout: float) -> LanguageModel:
    """See `rag.answer.llm.llama_cpp`."""
    import xllamacpp

    if not path.is_file():
        raise LanguageModelUnavailable(
            f"模型文件 {path} 不存在。请把 GGUF 文件放到该处，或修改 [llama_cpp] path"
        )
    folder = Path(tempfile.mkdtemp(prefix="yiwen-"))
    # Threads beyond the idle cores spin: on two busy cores two threads were 40 times slower.
    threads = threads or max(1, len(os.sched_getaffinity(0)) - 1)
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = context
    parameters.n_parallel = 1
    parameters.ctx_shift = False
    parameters.offline = True
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.cache_ram_mib = 0
    parameters.verbosity = -1
    parameters.hostnames = [str(folder / "llama.sock")]
    parameters.api_keys = [secrets.token_hex(32)]
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.endpoint_props = False
    parameters.endpoint_metrics = False
    parameters.cors_origins = ""
    try:
        server = xllamacpp.Server(parameters)
    except RuntimeError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise LanguageModelUnavailable(
            f"模型文件 {path} 无法载入。请确认它是完整的 GGUF 文件，且内存足够"
        ) from error
    llm = LlamaCpp(server, context_window=context, model_name=path.stem, timeout=timeout)
    weakref.finalize(llm, shutil.rmtree, folder, ignore_errors=True)
    return LlamaIndexModel(
        llm,
        name=f"{path.stem}（llama.cpp）",
        context=context,
        timeout=timeout,
        boundary=Boundary(
            errors=(LlamaCppError, queue.Empty),
            translate=_translate,
            finish_reason=_finish_reason,
        ),
    )


def _finish_reason(raw: object) -> str | None:
    choices = raw.get("choices") if isinstance(raw, dict) else None
    reason = choices[0].get("finish_reason") if choices else None
    return str(reason) if reason else None


def _translate(error: Exception, started: bool) -> LanguageModelError:
    if isinstance(error, queue.Empty):
        text = "模型在规定时间内没有生成。请调大 [answer] timeout，或换用更小的模型"
        return LanguageModelBroken(text) if started else LanguageModelUnavailable(text)
    if isinstance(error, LlamaCppError) and error.type == "exceed_context_size_error":
        return ContextOverflow(
            f"提示超出了模型窗口（{error}）。请调大 [llama_cpp] context，或调小 [retrieve] top_k"
        )
    if started:
        return LanguageModelBroken(f"llama.cpp 在回答中途出错（{error}）。请重试")
    return LanguageModelUnavailable(f"llama.cpp 拒绝了请求（{error}）。请检查模型文件")
