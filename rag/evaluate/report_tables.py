"""The report's tables: every metric, question types, times, and what was run.

Functions take the parsed files of a run (see `rag.evaluate.report`) and give HTML; what is missing
in them is left out or shown as "—", never an error.
"""

from collections.abc import Mapping
from typing import Any

from rag.evaluate.metric_texts import GROUPS, describe, group_of, ordered, show, show_interval
from rag.evaluate.report_markup import escape, facts, seconds, table, tree

Json = Mapping[str, Any]
UNITS = {"document": "按文档", "passage": "按段落"}
# As `rag.evaluate.judge` writes them.
_JUDGE = {
    "model": "评审模型",
    "judged": "评审题数",
    "failed": "评审失败",
    "correctness": "正确性（1–5 分）",
    "feedback": "理由",
    "faithful": "忠于引用",
    "agreement": "与正确率一致的比例",
    "kappa": "一致性（Cohen’s κ，0 为偶然）",
    "compared": "对照题数",
    "error": "评审出错",
}
STAGES = {
    "retrieve": "检索",
    "evidence": "判断依据",
    "thinking": "思考",
    "first_text": "首字",
    "total": "合计",
}


def metric_tables(summary: Json) -> str:
    """Every metric with its interval, its count and what it means."""
    metrics = summary.get("metrics", {})
    parts = []
    for group, title in GROUPS.items():
        members = [name for name in ordered(metrics) if group_of(name) == group]
        if not members:
            continue
        rows = [_metric_row(name, metrics[name] or {}) for name in members]
        head = ("指标", "数值", "95% 区间", '<span class="unseen">图示</span>', "题数")
        parts.append(f"<h3>{escape(title)}</h3>{table(head, rows, 'metrics')}")
    return "".join(parts) or '<p class="empty">这次运行没有可汇总的指标。</p>'


def type_table(summary: Json) -> str:
    """Every metric by question type, values only; intervals are in summary.json."""
    by_type = summary.get("by_type", {})
    names = [
        name
        for name in ordered(summary.get("metrics", {}))
        if any(name in row for row in by_type.values())
    ]
    if not names:
        return ""
    head = ("指标", *map(escape, by_type))
    rows = [
        (
            escape(describe(name).label + unit_note(name)),
            *(_cell(name, row.get(name)) for row in by_type.values()),
        )
        for name in names
    ]
    return f"<details><summary>按题型的全部指标</summary>{table(head, rows, 'matrix')}</details>"


def stages(operation: Json) -> str:
    """The stages' times as a table."""
    timings = operation.get("timings", {})
    return table(
        ("阶段（秒）", "平均", "P50", "P95", "P99"),
        (
            (name, *(_decimal(timings[stage].get(key)) for key in ("mean", "p50", "p95", "p99")))
            for stage, name in STAGES.items()
            if timings.get(stage)
        ),
    )


def judge_section(summary: Json) -> str:
    """What a model judged, kept apart from the metrics; "" without a judge."""
    judge = summary.get("judge")
    if not judge:
        return ""
    return (
        '<section id="judge"><h2>模型评审 <span class="tag">由模型打分，不计入上面的指标</span></h2>'
        f'<div class="panel">{tree(opinion(judge))}</div></section>'
    )


def opinion(judge: Json) -> Json:
    """What the judge said, of a run or of a question, under names that people read."""
    return {_JUDGE.get(name, name): value for name, value in judge.items() if value is not None}


def manifest_section(manifest: Json, operation: Json) -> str:
    """What was run, with what, where, and what it took."""
    dataset, index = manifest.get("dataset", {}), manifest.get("index", {})
    model, machine = manifest.get("model", {}), manifest.get("machine", {})
    memory, peak = machine.get("memory_gib"), operation.get("peak_memory_mb")
    blocks = {
        "数据集": [
            ("名称", dataset.get("name")),
            ("位置", dataset.get("path")),
            ("题数", dataset.get("questions")),
            ("文档数", dataset.get("documents")),
            ("只抽取", manifest.get("limit")),
            ("SHA-256", dataset.get("sha256")),
        ],
        "模型与索引": [
            ("模型", model.get("name")),
            ("模型摘要", model.get("digest")),
            ("索引版本", index.get("generation")),
            ("索引指纹", index.get("fingerprint")),
        ],
        "运行": [
            ("开始时间", manifest.get("started")),
            ("随机种子", manifest.get("seed")),
            ("并发数", manifest.get("concurrency")),
            ("代码版本（git）", manifest.get("git_commit")),
            ("总用时", seconds(operation.get("wall_seconds"))),
            ("平均每题", seconds(operation.get("seconds_per_question"))),
            ("内存峰值", f"{peak:,.0f} MB" if peak else None),
        ],
        "机器": [
            ("系统", machine.get("system")),
            ("处理器", machine.get("processor")),
            ("核数", machine.get("cores")),
            ("内存", f"{memory:g} GiB" if memory else None),
        ],
        "软件版本": list(manifest.get("versions", {}).items()),
    }
    panels = "".join(
        f'<div class="panel"><h3>{title}</h3>{facts(pairs)}</div>'
        for title, pairs in blocks.items()
    )
    settings = manifest.get("settings", {})
    return (
        f'<div class="panels">{panels}</div>'
        f'<details class="panel"><summary>全部设置</summary>{tree(settings)}</details>'
        if settings
        else f'<div class="panels">{panels}</div>'
    )


def range_bar(value: float, low: float, high: float) -> str:
    """An interval on the scale from 0 to 1; the numbers stand beside it."""
    left, right, at = (100 * min(1.0, max(0.0, number)) for number in (low, high, value))
    return (
        '<svg class="range" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="base" y="3" width="100" height="2"/>'
        f'<rect class="spread" x="{left:.1f}" y="1" width="{max(0.6, right - left):.1f}" height="6"/>'
        f'<rect class="at" x="{min(99.0, at):.1f}" width="1" height="8"/></svg>'
    )


def bounds(entry: Json) -> tuple[float, float]:
    value = entry.get("value")
    low, high = entry.get("low"), entry.get("high")
    return (value if low is None else low), (value if high is None else high)  # type: ignore[return-value]


def unit_note(metric: str) -> str:
    return next((f"（{name}）" for unit, name in UNITS.items() if f".{unit}." in metric), "")


def _metric_row(metric: str, entry: Json) -> tuple[str, ...]:
    text = describe(metric)
    value = entry.get("value")
    better = '<span class="tag">越低越好</span>' if text.is_lower_better else ""
    return (
        f'<span class="name">{escape(text.label)}</span> <code>{escape(metric)}</code>{better}'
        f'<p class="small">{escape(text.explanation)}</p>',
        f"<strong>{show(metric, value)}</strong>",
        show_interval(metric, entry.get("low"), entry.get("high")),
        range_bar(value, *bounds(entry)) if value is not None and text.is_rate else "",
        escape(entry.get("n", "—")),
    )


def _decimal(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}" if value < 10 else f"{value:.1f}"


def _cell(metric: str, entry: Json | None) -> str:
    return show(metric, (entry or {}).get("value"))
