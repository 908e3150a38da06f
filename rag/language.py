"""Which language model answers now.

``auto`` asks Ollama before a question, at most every few seconds, so that a model that is
started later is used without a restart, and one that is stopped does not stop the answers.
"""

import threading
import time

from rag.answer import llm
from rag.answer.llm import LanguageModel
from rag.errors import SettingsError
from rag.settings import Settings

EXTRACTIVE = "摘录式回答（不调用大模型，仅引用资料原文）"
_PROBE_SECONDS = 15.0


class LanguageModelSource:
    """Gives the language model to ask, or None for extractive answering.

    Raises:
        SettingsError: the chosen model's settings are incomplete.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._choice = settings.answer.llm
        self._lock = threading.Lock()
        self._model: LanguageModel | None = None
        self._probed = -_PROBE_SECONDS
        self._available = False
        self.reason = ""
        if self._choice == "openai" and not (settings.openai.base_url and settings.openai.model):
            raise SettingsError(
                "answer.llm 是 openai，但 [openai] 的 base_url 或 model 为空。请在 rag.toml 填写"
            )
        if self._choice == "llama_cpp" and settings.llama_cpp.path is None:
            raise SettingsError(
                "answer.llm 是 llama_cpp，但 [llama_cpp] path 为空。请写上本地 GGUF 文件的路径"
            )

    @property
    def is_fallback_allowed(self) -> bool:
        """Whether extractive answering may stand in when the model fails (``auto``)."""
        return self._choice == "auto"

    def current(self) -> LanguageModel | None:
        """The model to ask now; ``reason`` says, in Chinese, why there is none."""
        if self._choice == "extractive":
            return None
        with self._lock:
            if self._choice == "auto" and not self._is_available():
                return None
            if self._model is None:
                self._model = self._build()
            return self._model

    def label(self) -> str:
        """Who is answering, for people."""
        model = self.current()
        return model.name if model is not None else EXTRACTIVE

    def failed(self) -> None:
        """The model has just failed: ask again before the next question."""
        with self._lock:
            self._probed = -_PROBE_SECONDS

    def _is_available(self) -> bool:
        now = time.monotonic()
        if now - self._probed >= _PROBE_SECONDS:
            ollama = self._settings.ollama
            status = llm.probe_ollama(ollama.base_url, ollama.model, ollama.connect_timeout)
            self._probed = time.monotonic()
            self._available = status.reachable and status.has_model
            self.reason = status.error
        return self._available

    def _build(self) -> LanguageModel:
        settings = self._settings
        timeout = settings.answer.timeout
        if self._choice == "openai":
            o = settings.openai
            return llm.openai_compatible(o.base_url, o.model, o.api_key, o.context, timeout)
        if self._choice == "llama_cpp" and settings.llama_cpp.path is not None:
            local = settings.llama_cpp
            return llm.llama_cpp(settings.llama_cpp.path, local.context, local.threads, timeout)
        return llm.ollama(
            settings.ollama.base_url,
            settings.ollama.model,
            keep_alive=settings.ollama.keep_alive,
            max_context=settings.ollama.max_context,
            timeout=timeout,
            connect_timeout=settings.ollama.connect_timeout,
            thinking=settings.ollama.thinking,
        )
