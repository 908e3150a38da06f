"""What a run cost: times, tokens, errors, memory. Measured, so never the same twice.

Percentiles are by linear interpolation. Tokens a second is what the language model wrote over the
time it had for it (from the end of the evidence check to the end), None without one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Row = Mapping[str, Any]
_STAGES = ("retrieve", "evidence", "first_text", "total")


def operation_of(rows: Sequence[Row], *, wall_seconds: float, memory: float) -> dict[str, Any]:
    """operation.json; times are seconds, ``memory`` MiB at most held, ``wall_seconds`` of the last
    start until the end."""
    timings = [_timings(row) for row in rows]
    stages = {}
    for stage in _STAGES:
        values = [timing[stage] for timing in timings if stage in timing]
        if values:
            p50, p95, p99 = np.percentile(values, [50, 95, 99]).tolist()
            found = {"mean": float(np.mean(values)), "p50": p50, "p95": p95, "p99": p99}
            stages[stage] = {name: round(value, 4) for name, value in found.items()}
    return {
        "timings": stages,
        "tokens_per_second": _tokens_per_second(rows),
        "errors": sum(row["error"] is not None for row in rows),
        "seconds_per_question": stages.get("total", {}).get("mean"),
        "wall_seconds": round(wall_seconds, 1),
        "peak_memory_mb": round(memory, 1),
    }


def _timings(row: Row) -> Mapping[str, float]:
    if row["answer"] is not None:
        timings: Mapping[str, float] = row["answer"]["timings"]
        return timings
    searched: Mapping[str, float] = row.get("timings", {})
    return searched


def _tokens_per_second(rows: Sequence[Row]) -> float | None:
    tokens = seconds = 0.0
    for row in rows:
        answer = row["answer"]
        if answer is not None and answer["output_tokens"]:
            timings = answer["timings"]
            tokens += answer["output_tokens"]
            seconds += (
                timings["total"] - timings.get("retrieve", 0.0) - timings.get("evidence", 0.0)
            )
    return round(tokens / seconds, 2) if seconds > 0 else None
