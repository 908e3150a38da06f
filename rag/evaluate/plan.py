"""What makes two runs the same run, and what a run's manifest says."""

import hashlib
import json
import os
import platform
import random
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rag.answer.llm import probe_ollama
from rag.errors import LanguageModelUnavailable
from rag.evaluate.faults import RunError
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
    "evaluate/compare.py",
    "evaluate/gate.py",
    "evaluate/sweep.py",
)
_LIBRARIES = ("llama-index-core", "faiss-cpu", "bm25s", "onnxruntime", "numpy", "ir-measures")


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
    return {name: _open(content[name]) for name in sorted(content) if name not in _PLACES}


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


def manifest_of(
    plan: Plan,
    *,
    answering: str,
    model: Mapping[str, Any],
    index: Mapping[str, Any],
    documents: int,
) -> dict[str, Any]:
    """A manifest of a run that begins now."""
    dataset = plan.dataset
    return {
        "dataset": {
            "name": dataset.name,
            "path": str(dataset.path),
            "sha256": dataset.sha256,
            "questions": len(dataset.questions),
            "documents": documents,
        },
        "settings": _open(plan.settings.model_dump(mode="json")),
        "seed": plan.seed,
        "limit": plan.limit,
        "retrieval_only": plan.retrieval_only,
        "judge": plan.with_judge,
        "answering": answering,
        "model": dict(model),
        "index": dict(index),
        "versions": {"yiwen": _version("yiwen"), "python": platform.python_version()}
        | {name: _version(name) for name in _LIBRARIES},
        "git_commit": _git_commit(),
        "machine": _machine(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "identity": plan.identity,
    }


def refuse_other_run(directory: Path, stored: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Two manifests must be of one run.

    Raises:
        RunError: naming what differs.
    """
    before, now = _flat(stored.get("identity", {})), _flat(new["identity"])
    before |= _flat({name: stored.get(name) for name in ("answering", "model")})
    now |= _flat({name: new[name] for name in ("answering", "model")})
    before["yiwen"] = stored.get("versions", {}).get("yiwen")
    now["yiwen"] = new["versions"]["yiwen"]
    if new["identity"]["index"] is not None:
        before |= _flat({"generation": stored.get("index", {}).get("generation")})
        now |= _flat({"generation": new["index"]["generation"]})
    differing = [name for name in sorted(before | now) if before.get(name) != now.get(name)]
    if differing:
        shown = "，".join(f"{name}：{before.get(name)} → {now.get(name)}" for name in differing[:4])
        more = f" 等 {len(differing)} 处" if len(differing) > 4 else ""
        raise RunError(
            f"{directory} 是用其他设置跑的（{shown}{more}），不能接着跑。"
            "请改回原设置，或用 --out 另选目录"
        )


def _open(content: Any) -> Any:
    """JSON without secrets, which no run directory needs."""
    if not isinstance(content, dict):
        return content
    return {
        name: "***" if name in _SECRETS and value else _open(value)
        for name, value in content.items()
    }


def _flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _weights(settings: Settings) -> str | None:
    path = settings.llama_cpp.path
    if path is None or not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git_commit() -> str | None:
    return _output(["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"])


def _output(command: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  a fixed command
            command, capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def _machine() -> dict[str, Any]:
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.is_file():
        names = [
            line.partition(":")[2].strip()
            for line in information.read_text(errors="replace").splitlines()
            if line.startswith("model name")
        ]
        processor = names[0] if names else processor
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return {
        "system": platform.system(),
        "processor": processor,
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
    }
