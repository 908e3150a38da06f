"""What makes two runs the same run, and what a run's manifest says."""

import hashlib
import json
import random
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rag.answer.llm import probe_ollama
from rag.errors import LanguageModelUnavailable
from rag.evaluate.questions import Dataset, Question, digest
from rag.settings import Settings

# Sections that change where things are and who may see them, never what is answered.
_PLACES = frozenset({"index", "serve", "compliance", "eval"})
_SECRETS = frozenset({"api_key", "password", "secret", "token"})
# Parts of the program that show and judge results but do not make them.
_SHOWING = (
    "cli.py",
    "evaluate_cli.py",
    "progress.py",
    "operate/",
    "evaluate/report",
    "evaluate/charts.py",
    "evaluate/metric_texts.py",
    "evaluate/present.py",
    "evaluate/compare.py",
    "evaluate/gate.py",
    "evaluate/sweep.py",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """A run as it was asked for.

    Args:
        limit: how many questions, drawn with ``seed``; None for all.
        index: an index that exists, instead of one made from the data set's documents.
    """

    dataset: Dataset
    settings: Settings
    seed: int = 7
    limit: int | None = None
    retrieval_only: bool = False
    with_judge: bool = False
    index: Path | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that may change a result, as JSON."""
        return {
            "dataset": self.dataset.sha256,
            "settings": answering_settings(self.settings),
            "seed": self.seed,
            "limit": self.limit,
            "retrieval_only": self.retrieval_only,
            "judge": self.with_judge,
            "index": str(self.index) if self.index is not None else None,
            "code": code_digest(),
        }

    @property
    def name(self) -> str:
        """The run directory's name: the data set's and a digest of the rest."""
        text = json.dumps(self.identity, ensure_ascii=False, sort_keys=True)
        return f"{self.dataset.name}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"

    def questions(self) -> tuple[Question, ...]:
        """What is asked, in the data set's order."""
        questions = self.dataset.questions
        if self.limit is None or self.limit >= len(questions):
            return questions
        drawn = random.Random(self.seed).sample(range(len(questions)), self.limit)  # noqa: S311
        return tuple(questions[number] for number in sorted(drawn))


@lru_cache(maxsize=1)
def code_digest() -> str:
    """A digest of the program and its models: results of two versions are not one run's."""
    root = Path(__file__).parent.parent
    total = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and path.suffix != ".pyc" and not name.startswith(_SHOWING):
            total.update(f"{name}\n{digest(path)}\n".encode())
    return total.hexdigest()[:12]


def answering_settings(settings: Settings) -> dict[str, Any]:
    """The sections that may change an answer, without secrets."""
    content = settings.model_dump(mode="json")
    return {name: without_secrets(content[name]) for name in sorted(content) if name not in _PLACES}


def resolve(settings: Settings, *, asks_model: bool = True) -> Settings:
    """``auto`` made definite: a run must not change over to quoting when its model dies."""
    choice: str = settings.answer.llm
    if not asks_model:
        choice = "extractive"
    elif choice == "auto":
        ollama = settings.ollama
        status = probe_ollama(ollama.base_url, ollama.model, ollama.connect_timeout)
        choice = "ollama" if status.reachable and status.has_model else "extractive"
    answer = settings.answer.model_copy(update={"llm": choice})
    return settings.model_copy(update={"answer": answer})


def model_of(settings: Settings) -> dict[str, Any]:
    """Name and digest of who answers, for a manifest.

    Raises:
        LanguageModelUnavailable: Ollama was asked for and is not there or lacks the model.
    """
    choice = settings.answer.llm
    if choice == "ollama":
        ollama = settings.ollama
        status = probe_ollama(ollama.base_url, ollama.model, ollama.connect_timeout)
        if not (status.reachable and status.has_model):
            raise LanguageModelUnavailable(
                status.error or f"Ollama 上没有 {ollama.model}。请先运行 ollama pull {ollama.model}"
            )
        return {"name": ollama.model, "digest": status.digest or None}
    if choice == "llama_cpp":
        return {"name": Path(str(settings.llama_cpp.path)).name, "digest": _weights(settings)}
    if choice == "openai":
        return {"name": settings.openai.model, "digest": None}
    return {"name": "extractive", "digest": None}


def without_secrets(content: Any) -> Any:
    """JSON without secrets, which no run directory needs."""
    if not isinstance(content, dict):
        return content
    return {
        name: "***" if name in _SECRETS and value else without_secrets(value)
        for name, value in content.items()
    }


def _weights(settings: Settings) -> str | None:
    path = settings.llama_cpp.path
    if path is None or not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
