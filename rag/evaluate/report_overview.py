"""The report's first screen: the headline numbers and the charts.

Functions take the parsed files of a run (see `rag.evaluate.report`) and give HTML; what is missing
in them is left out or shown as "—", never an error.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rag.evaluate import charts
from rag.evaluate.metric_texts import describe, show, show_interval
from rag.evaluate.report_markup import escape, seconds, table
from rag.evaluate.report_tables import UNITS, bounds, range_bar, stages, unit_note

Json = Mapping[str, Any]
# The first one of each line that a run has becomes a card.
_HEADLINES = (
    ("outcome.correct",),
    ("answer.f1", "answer.rouge_l", "answer.key_facts"),
    ("answer.numeric_accuracy", "answer.key_facts"),
    ("retrieval.passage.recall@5", "retrieval.document.recall@5", "retrieval.document.recall@1"),
    ("citation.precision", "citation.gold_precision", "citation.evidence_f1"),
    ("citation.recall", "citation.gold_recall"),
)
_BOTH_ERRORS = ("abstain.false_answer_rate", "abstain.over_refusal_rate")
_BY_TYPE = ("outcome.correct", "answer.f1", "retrieval.document.recall@5")


def cards(summary: Json, operation: Json) -> str:
    """The headline metrics, both abstention errors side by side, and the time a question takes."""
    metrics = summary.get("metrics", {})
    shown = [next((m for m in line if _value(metrics, m) is not None), None) for line in _HEADLINES]
    body = "".join(_card(metric, metrics[metric]) for metric in dict.fromkeys(shown) if metric)
    pair = "".join(_half(metric, metrics.get(metric) or {}) for metric in _BOTH_ERRORS)
    total = operation.get("timings", {}).get("total", {})
    speed = operation.get("tokens_per_second")
    first = operation.get("timings", {}).get("first_text", {}).get("p50")
    notes = [f"首字 {seconds(first)}（中位数）"] if first is not None else []
    notes += [f"每秒 {speed:.1f} 个词元"] if speed else []
    times = "".join(
        f'<div><h4>{name}</h4><p class="value">{seconds(total.get(key))}</p>'
        f'<p class="small">{note}</p></div>'
        for name, key, note in (
            ("中位数", "p50", "<br>".join(map(escape, notes))),
            ("P95", "p95", "95% 的题不超过这一用时"),
        )
    )
    return (
        f'<div class="cards">{body}'
        f'<section class="card pair"><h3>两种拒答错误</h3><div class="halves">{pair}</div></section>'
        f'<section class="card pair"><h3>每题用时</h3><div class="halves">{times}</div></section></div>'
    )


def figures(
    summary: Json,
    operation: Json,
    durations: Sequence[float],
    by_type: Sequence[tuple[str, Mapping[str, tuple[str, int]]]],
) -> str:
    """The charts, each with its data as a table; ``by_type`` are outcomes for `share_chart`."""
    curves = summary.get("curves", {})
    metrics = summary.get("metrics", {})
    risk = curves.get("risk_coverage", [])
    recall = {
        name: curves["recall_at_k"][unit]
        for unit, name in UNITS.items()
        if curves.get("recall_at_k", {}).get(unit)
    }
    total = operation.get("timings", {}).get("total", {})
    marks = {name: total[name.lower()] for name in ("P50", "P95") if total.get(name.lower())}
    rows, metric = type_rows(summary)
    return "".join(
        (
            _figure(
                "把握与风险",
                charts.risk_coverage_chart(risk, _value(metrics, "abstain.aurc")),
                "从最有把握的题开始逐题作答，答错的比例怎样上升。曲线越低、越平，把握越可信。",
                table(
                    ("覆盖率", "风险"),
                    ((_percent(x), _percent(y)) for x, y in _tenths(sorted(risk))),
                ),
            ),
            _figure(
                "每题用时",
                charts.latency_chart(durations, marks),
                "P50、P95：一半、95% 的题不超过这一用时。最慢的 1% 计入最后一栏。",
                "",
                stages(operation),
            ),
            _figure(
                "召回率随 k 的变化",
                charts.recall_chart(recall),
                "只看前 k 段时，标准答案的出处找到了多少。",
                table(
                    ("k", *recall),
                    (
                        (
                            str(k),
                            *(_percent(v[k - 1]) if k <= len(v) else "—" for v in recall.values()),
                        )
                        for k in range(1, max(map(len, recall.values()), default=0) + 1)
                    ),
                ),
            ),
            _figure(
                "各题型的结果",
                charts.share_chart(by_type),
                "颜色与页首的图例相同。",
                "",
            ),
            _figure(
                f"各题型的{describe(metric).label}",
                charts.type_chart(rows, metric),
                "圆点为数值，横线为 95% 区间；没有这项指标的题型不列。",
                "",
            ),
        )
    )


def type_rows(summary: Json) -> tuple[list[charts.Row], str]:
    """The rows of the chart by type, and the answer metric that most types have."""
    by_type = summary.get("by_type", {})
    metric = max(
        _BY_TYPE, key=lambda one: sum(_value(row, one) is not None for row in by_type.values())
    )
    rows = [
        charts.Row(str(name), entry["value"], *bounds(entry), entry.get("n"))
        for name, metrics in by_type.items()
        if (entry := metrics.get(metric)) and entry.get("value") is not None
    ]
    return rows, metric


def _card(metric: str, entry: Json) -> str:
    text = describe(metric)
    return (
        f'<section class="card" title="{escape(text.explanation)}"><h3>{escape(text.label + unit_note(metric))}'
        f"</h3>{_number(metric, entry)}</section>"
    )


def _half(metric: str, entry: Json) -> str:
    text = describe(metric)
    return (
        f"<div><h4>{escape(text.label)}</h4>{_number(metric, entry)}"
        f'<p class="small">{escape(text.explanation)}</p></div>'
    )


def _number(metric: str, entry: Json) -> str:
    if entry.get("value") is None:
        return '<p class="value none">—</p><p class="small">没有这类题，或尚未评出</p>'
    low, high = bounds(entry)
    return (
        f'<p class="value">{show(metric, entry["value"])}</p>{range_bar(entry["value"], low, high)}'
        f'<p class="small"><span>95% 区间</span> '
        f"<span>{show_interval(metric, entry.get('low'), entry.get('high'))}</span> "
        f'<span class="count">{escape(entry.get("n", "—"))} 题</span></p>'
    )


def _figure(title: str, chart: str, note: str, data: str, below: str = "") -> str:
    """``data`` can be opened, ``below`` is always shown."""
    if not chart:
        body = '<p class="empty">没有可画的数据。</p>'
    else:
        more = f"<details><summary>数据表</summary>{data}</details>" if data else ""
        body = f"{chart}<figcaption>{escape(note)}</figcaption>{below}{more}"
    return f'<figure class="panel"><h3>{escape(title)}</h3>{body}</figure>'


def _value(metrics: Json, metric: str) -> float | None:
    value: float | None = (metrics.get(metric) or {}).get("value")
    return value


def _percent(value: float) -> str:
    return f"{100 * value:.1f}%"


def _tenths(curve: Sequence[Sequence[float]]) -> Iterable[tuple[float, float]]:
    """The curve's points nearest behind 10 %, 20 %, … of coverage."""
    chosen: dict[float, tuple[float, float]] = {}
    for number in range(1, 11):
        point = next((p for p in curve if p[0] >= number / 10 - 1e-9), None)
        if point is not None:
            chosen[point[0]] = (point[0], point[1])
    return chosen.values()
