"""The whole application on a free port, and the assistant that programs ask in the tests."""

import socket
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn
from e2e.scripted import ScriptedAssistant, citation, document

from rag.errors import LanguageModelUnavailable
from rag.types import Answer, Hit, Passage, Reading, Sentence, Span, State, Verdict
from ui.app import build_app

TEXT = "输液速度为每分钟20~40滴，15~30分钟内输完。血小板低于100时停用。"
RULES = document("输液.md", TEXT, title="输液管理制度")
QUESTION = "输液速度是多少？"
NOTICE = "100 与引用的资料不一致，请核对原文。"
ANSWER = Answer(
    question=QUESTION,
    search_question=QUESTION,
    state=State.UNCERTAIN,
    text="输液速度为每分钟20~40滴。[1]15~30分钟内输完。[1][2]PLT<100时停用。",
    sentences=(
        Sentence("输液速度为每分钟20~40滴。", (1,), Verdict.SUPPORTED),
        Sentence("15~30分钟内输完。", (1, 2), Verdict.SUPPORTED),
        Sentence("PLT<100时停用。", (), Verdict.NUMBER_MISMATCH, ("100",)),
    ),
    citations=(
        citation(1, RULES, "输液速度为每分钟20~40滴", heading="速度", page=3, date="2025-01-02"),
        citation(2, RULES, "15~30分钟内输完"),
    ),
    hits=(
        Hit(
            Passage("输液.md", 0, 28, TEXT[:28], id=1),
            "输液管理制度",
            0.9,
            0.8,
            4.0,
            reading=Reading(1.0, 2.0, (Span(6, 14, 0.9),)),
        ),
        Hit(Passage("输液.md", 28, len(TEXT), TEXT[28:], id=2), "输液管理制度", 0.4),
    ),
    model="qwen3:8b",
    notices=(NOTICE,),
    confidence=0.71,
    timings={"total": 0.5},
    prompt_tokens=120,
    output_tokens=30,
)
DOWN = "模型没有应答"
SCRIPT = {
    QUESTION: ANSWER,
    DOWN: LanguageModelUnavailable("Ollama 没有应答（127.0.0.1:11434）。请运行 ollama serve"),
}


HOST = "http://127.0.0.1:7860"
LOCAL = ("127.0.0.1", 50_000)
KEY = "k" * 16
CHAT = {"messages": [{"role": "user", "content": QUESTION}]}
# Every route that works, with a body that is right.
CALLS = [
    ("POST", "/v1/chat/completions", CHAT),
    ("GET", "/v1/models", None),
    ("GET", "/v1/models/yiwen", None),
    ("POST", "/api/ask", {"question": QUESTION}),
    ("POST", "/api/search", {"question": QUESTION}),
]
PAGES = [("GET", "/api/docs", None), ("GET", "/api/openapi.json", None)]


class ProgramAssistant(ScriptedAssistant):
    """The scripted assistant with search and collections."""

    collections: Collection[str] | None = None

    def stream(
        self, question: str, *, collections: Collection[str] | None = None
    ) -> Iterator[Answer]:
        self.collections = collections
        return super().stream(question)

    def search(
        self,
        question: str,
        *,
        top_k: int | None = None,
        collections: Collection[str] | None = None,
    ) -> Sequence[Hit]:
        self.asked.append(question)
        self.collections = collections
        return ANSWER.hits[:top_k]


def assistant(**fields: Any) -> ProgramAssistant:
    return ProgramAssistant(SCRIPT, [RULES], **{"pause": 0.01, **fields})


@contextmanager
def served(answering: Any, **options: Any) -> Iterator[str]:
    """The application under uvicorn; gives its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        build_app(answering, **options), log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive(), "the server stopped while starting"
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()
