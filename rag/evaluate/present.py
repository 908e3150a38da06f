"""Results as plain text for a terminal; columns line up though Chinese characters are wide."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rag.evaluate.compare import Comparison, Flip
from rag.evaluate.gate import Verdict
from rag.evaluate.metric_texts import describe, show, show_interval

_TEXT_SHOWN = 70


def summary_text(summary: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    """A run's metrics with their intervals, and what a question took."""
    rows = [
        (
            name,
            describe(name).label if describe(name).label != name else "",
            show(name, entry["value"]),
            show_interval(name, entry["low"], entry["high"]),
            str(entry["n"]),
        )
        for name, entry in summary["metrics"].items()
    ]
    lines = [
        f"{summary['name']}：{summary['questions']} 题，出错 {summary['errors']} 题",
        *aligned(("指标", "", "值", "95% 区间", "题数"), rows),
    ]
    if judged := summary.get("judge"):
        lines.append(
            f"模型评审（不计入指标）：{judged['model']}，平均 {judged['correctness']} 分，"
            f"与指标一致 {judged['agreement']}，kappa {judged['kappa']}"
        )
    if total := operation["timings"].get("total"):
        lines.append(
            f"每题 {total['mean']:.2f} 秒（p50 {total['p50']:.2f}，p95 {total['p95']:.2f}，"
            f"p99 {total['p99']:.2f}），内存最多 {operation['peak_memory_mb']:.0f} MB"
        )
    return "\n".join(lines)


def comparison_text(comparison: Comparison, most: int) -> str:
    """Flipped questions, at most ``most`` either way, then every metric."""
    worse = [flip for flip in comparison.flips if flip.became == "worse"]
    better = [flip for flip in comparison.flips if flip.became == "better"]
    rows = [
        (
            "*" if d.is_significant else "",
            name,
            f"{d.first:.4f}",
            f"{d.second:.4f}",
            f"{d.difference:+.4f}",
            f"{d.low:+.4f} … {d.high:+.4f}",
            f"{d.p:.4f}",
        )
        for name, d in comparison.metrics.items()
    ]
    return "\n".join(
        [
            *(f"提示：{notice}" for notice in comparison.notices),
            f"共同的 {comparison.common} 题中：由对变错 {len(worse)} 题，由错变对 {len(better)} 题",
            *_flips("由对变错", worse, most),
            *_flips("由错变对", better, most),
            "",
            *aligned(("", "指标", "前", "后", "差", "95% 区间", "p"), rows),
            "* p < 0.05（成对自助法，未作多重比较校正）",
        ]
    )


def gate_text(verdicts: Sequence[Verdict]) -> str:
    """Every condition with what the run has."""
    rows = [
        (
            "✓" if verdict.is_met else "✗",
            verdict.condition.metric,
            f"{verdict.condition.sign}{verdict.condition.bound:g}",
            "没有此指标" if verdict.value is None else f"{verdict.value:.4f}",
        )
        for verdict in verdicts
    ]
    return "\n".join(aligned(("", "指标", "门槛", "实际"), rows))


def aligned(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A table's lines."""
    from rich.cells import cell_len

    lines = [head, *rows]
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(head))]
    return [
        "  ".join(
            cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]


def _flips(name: str, flips: Sequence[Flip], most: int) -> list[str]:
    lines = []
    for flip in flips[:most]:
        lines += ["", f"{name} {flip.id}：{flip.question}"]
        lines += [f"  前：{_short(flip.first)}", f"  后：{_short(flip.second)}"]
    if len(flips) > most > 0:
        lines += ["", f"……另有 {len(flips) - most} 题{name}（--flips 可多列）"]
    return lines


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TEXT_SHOWN else line[:_TEXT_SHOWN] + "…"
