"""A deterministic assistant for the browser tests: what it says is written down beforehand."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rag.errors import CorpusIndexError, RagError
from rag.offsets import OffsetMap
from rag.types import Answer, Citation, Document, State


def document(id: str, text: str, *, title: str = "", original: str | None = None) -> Document:
    original = text if original is None else original
    return Document(
        id=id,
        title=title or id,
        text=text,
        original=original,
        offsets=OffsetMap.identity(len(text)),
    )


def citation(mark: int, cited: Document, quote: str, **fields: object) -> Citation:
    start = cited.text.index(quote)
    plain = Citation(
        mark=mark,
        document=cited.id,
        title=cited.title,
        start=start,
        end=start + len(quote),
        quote=quote,
        original=quote,
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


@dataclass
class ScriptedAssistant:
    """Answers by question; a `RagError` in place of an answer is raised.

    Text streams in ``steps`` pieces with ``pause`` seconds between them; ``never_ends`` goes on
    with dots until it is stopped. ``stopped`` is set when a stream ends, whichever way.
    """

    script: Mapping[str, Answer | RagError]
    documents: Sequence[Document] = ()
    model_label: str = "qwen3:8b（Ollama）"
    steps: int = 6
    pause: float = 0.05
    never_ends: bool = False
    asked: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def stream(self, question: str) -> Iterator[Answer]:
        self.asked.append(question)
        entry = self.script.get(question)
        if entry is None:
            entry = Answer(question, question, State.NOT_FOUND, "资料中未找到相关内容。")
        if isinstance(entry, RagError):
            time.sleep(self.pause)
            raise entry
        try:
            for step in range(1, self.steps + 1):
                text = entry.text[: len(entry.text) * step // self.steps]
                yield replace(
                    entry, text=text, citations=(), sentences=(), notices=(), finished=False
                )
                time.sleep(self.pause)
            text = entry.text
            while self.never_ends:
                text += "…"
                yield replace(entry, text=text, citations=(), sentences=(), finished=False)
                time.sleep(self.pause)
            yield entry
        finally:
            self.stopped.set()

    def document(self, id: str) -> Document:
        for one in self.documents:
            if one.id == id:
                return one
        raise CorpusIndexError(f"索引中没有资料 {id}。请重新运行 rag index")
