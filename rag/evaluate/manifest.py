"""What a run says of itself: on what, with what, by which program, on which machine."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rag.evaluate.faults import RunError
from rag.evaluate.plan import Plan, without_secrets

_LIBRARIES = ("llama-index-core", "faiss-cpu", "bm25s", "onnxruntime", "numpy", "ir-measures")


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
        "settings": without_secrets(plan.settings.model_dump(mode="json")),
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


def _flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


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
