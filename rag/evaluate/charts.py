"""Charts as inline SVG, written by hand: no library, text stays text, colours follow the page.

Every chart is 400 units wide and as high as it needs; the page scales it. Each has a title and a
description for those who cannot see it, and is "" where there is nothing to draw. Rates are
fractions in [0, 1] and shown in per cent, times are seconds. Colours and type sizes come from
classes (`report_assets/report.css`); `sweep_chart` brings its own, so it may also stand alone in
a file.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.evaluate.chart_parts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Point,
    Scale,
    axes,
    curve_line,
    frame,
    percents,
    rate,
    round_values,
    shortened,
    svg,
    text_at,
)
from rag.evaluate.metric_texts import describe, show, show_interval
from rag.evaluate.report_markup import escape, seconds

_NAMES = 304  # where lines end that have their names behind them
_ROW = 46
_STANDALONE_STYLE = """
svg{background:#fff;font-family:"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
text{font-size:11px;fill:#15252b}.tick,.axis{fill:#566870}.grid{stroke:#dbe4e6}
.track{stroke:#dbe4e6;stroke-width:2}.whisker{stroke:#0b6e6e;stroke-width:2}.dot{fill:#0b6e6e}
.heading{font-size:13px;font-weight:700}.best .name{font-weight:700}
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an interval chart: a value in [0, 1] with its 95 % interval and count."""

    name: str
    value: float
    low: float
    high: float
    count: int | None = None


def risk_coverage_chart(points: Sequence[Sequence[float]], area: float | None = None) -> str:
    """Share of answers that are wrong (risk) by share of questions answered (coverage), both in
    [0, 1], the most confident answers first; ``area`` is the area under the curve (AURC)."""
    curve = sorted((float(coverage), float(risk)) for coverage, risk in points)
    if not curve:
        return ""
    ticks = round_values(0, max(0.05, max(risk for _, risk in curve)))
    across, up = Scale(0, 1, LEFT, RIGHT), Scale(0, ticks[-1], BOTTOM, TOP)
    coverage, risk = curve[-1]
    parts = [
        frame(across, up, percents((0, 0.25, 0.5, 0.75, 1)), percents(ticks)),
        axes("覆盖率：作答的题所占比例", "风险：答错的比例"),
        curve_line("first", [(across(x), up(y)) for x, y in curve]),
        f'<circle class="dot first" cx="{across(coverage)}" cy="{up(risk)}" r="3.5"/>',
        text_at(RIGHT - 8, up(risk) - 6, rate(risk), "end"),
    ]
    if area is not None:
        parts.append(text_at(RIGHT + 8, 12, f"曲线下面积 {area:.3f}", "end"))
    text = f"覆盖率 {rate(coverage)} 时风险 {rate(risk)}。" + "".join(
        f"覆盖率 {rate(share)} 时风险 {rate(_risk_at(curve, share))}。"
        for share in (0.25, 0.5, 0.75)
    )
    return svg("risk", "风险与覆盖率曲线", text, HEIGHT, parts)


def latency_chart(durations: Iterable[float], marks: Mapping[str, float]) -> str:
    """How many questions took how long (seconds); ``marks`` are named vertical lines.

    The axis ends after the 99th percentile: what took longer is counted in the last column.
    """
    values = sorted(float(value) for value in durations if math.isfinite(value))
    if not values:
        return ""
    late = values[min(len(values) - 1, math.ceil(0.99 * len(values)))]
    ticks = round_values(0, max(late, 0.001, *marks.values()))
    columns = min(28, max(6, math.isqrt(len(values)) * 2))
    counts = [0] * columns
    for value in values:
        counts[min(columns - 1, int(value / ticks[-1] * columns))] += 1
    heights = round_values(0, max(counts), whole=True)
    across, up = Scale(0, ticks[-1], LEFT, RIGHT), Scale(0, heights[-1], BOTTOM, TOP + 24)
    width = (RIGHT - LEFT) / columns
    numbers = [(tick, f"{tick:g}") for tick in ticks], [(tick, f"{tick:g}") for tick in heights]
    parts = [frame(across, up, *numbers), axes("每题总用时（秒）", "题数")]
    parts += [
        f'<rect class="column" x="{LEFT + number * width + 0.75:.1f}" y="{up(count)}" '
        f'width="{width - 1.5:.1f}" height="{BOTTOM - up(count):.1f}"/>'
        for number, count in enumerate(counts)
        if count
    ]
    for number, (name, value) in enumerate(marks.items()):
        x, y = across(value), TOP - 6 + 16 * number
        is_late = x > RIGHT - 80
        parts.append(f'<line class="mark" x1="{x}" x2="{x}" y1="{y - 9}" y2="{BOTTOM}"/>')
        place, anchor = (x - 5, "end") if is_late else (x + 5, "start")
        parts.append(text_at(place, y, f"{name} {seconds(value)}", anchor))
    text = f"{len(values)} 题，最短 {seconds(values[0])}，最长 {seconds(values[-1])}。" + "".join(
        f"{name} 为 {seconds(value)}。" for name, value in marks.items()
    )
    return svg("latency", "用时分布", text, HEIGHT, parts)


def recall_chart(curves: Mapping[str, Sequence[float]]) -> str:
    """Recall in [0, 1] at 1, 2, … by name of the unit looked for."""
    drawn = {name: [float(value) for value in values] for name, values in curves.items() if values}
    if not drawn:
        return ""
    most = max(map(len, drawn.values()))
    lowest = min(min(values) for values in drawn.values())
    ticks = round_values(min(0.9, math.floor(lowest * 10) / 10), 1)
    across = Scale(1, max(2, most), LEFT + 8, _NAMES)
    up = Scale(ticks[0], ticks[-1], BOTTOM, TOP)
    places_of_k = [(number, str(number)) for number in range(1, most + 1)]
    parts = [frame(across, up, places_of_k, percents(ticks)), axes("k：看前几段", "召回率")]
    ends: list[float] = []
    for kind, (name, values) in zip(("first", "second", "third"), drawn.items(), strict=False):
        places = [(across(number), up(value)) for number, value in enumerate(values, 1)]
        parts.append(curve_line(kind, places))
        parts += [f'<circle class="dot {kind}" cx="{x}" cy="{y}" r="2.5"/>' for x, y in places]
        x, y = places[-1]
        while any(abs(y - other) < 15 for other in ends):
            y += 15
        ends.append(y)
        parts.append(text_at(x + 7, y + 4, f"{name} {rate(values[-1])}", "start", kind))
    text = "".join(
        f"{name}：前 1 段 {rate(values[0])}，前 {len(values)} 段 {rate(values[-1])}。"
        for name, values in drawn.items()
    )
    return svg("recall", "召回率随 k 的变化", text, HEIGHT, parts)


def type_chart(rows: Sequence[Row], metric: str) -> str:
    """One metric by question type, with intervals, on the whole scale from 0 to 1."""
    title = f"各题型的{describe(metric).label}"
    return _intervals("types", title, rows, Scale(0, 1, 8, 392), metric)


def sweep_chart(rows: list[dict[str, Any]], metric: str) -> str:
    """One metric of every run of a sweep, the best one in bold; may stand alone in a file.

    Args:
        rows: ``{"settings": {"retrieve.mode": "dense", …}, "metrics": {metric: {"value", "low",
            "high", "n"}}}``; a ``"label"`` is used instead of the settings if there is one. Rows
            without the metric are left out.
        metric: the name as in summary.json.
    """
    drawn = [
        Row(_sweep_name(row), *_interval(row["metrics"][metric]))
        for row in rows
        if row.get("metrics", {}).get(metric) is not None
    ]
    if not drawn:
        return ""
    ticks = round_values(min(row.low for row in drawn), max(row.high for row in drawn))
    best = (min if describe(metric).is_lower_better else max)(row.value for row in drawn)
    title = f"各组设置：{describe(metric).label}"
    scale = Scale(ticks[0], ticks[-1], 8, 392)
    return _intervals(
        f"sweep-{metric}", title, drawn, scale, metric, best=best, style=_STANDALONE_STYLE
    )


def outcome_bar(counts: Mapping[str, tuple[str, int]]) -> str:
    """One bar of shares; ``counts`` are (Chinese name, count) by CSS class."""
    total = sum(count for _, count in counts.values())
    if not total:
        return ""
    parts = [_shares(counts, Scale(0, total, 0, WIDTH), 0, 14)]
    text = "，".join(f"{name} {count} 题" for name, count in counts.values())
    return svg("outcomes", "各种结果的题数", text, 14, parts, extra=' preserveAspectRatio="none"')


def share_chart(rows: Sequence[tuple[str, Mapping[str, tuple[str, int]]]]) -> str:
    """A bar of shares for each name; counts as in `outcome_bar`."""
    parts, texts = [], []
    for number, (name, counts) in enumerate(rows):
        y = number * _ROW + 34
        total = sum(count for _, count in counts.values())
        text = "，".join(f"{label} {count}" for label, count in counts.values() if count)
        full = f"{name}（{total} 题）"
        parts.append(text_at(8, y - 14, shortened(full), "start", "name", full=full))
        parts.append(text_at(392, y - 14, shortened(text, 20), "end", "tick", full=text))
        parts.append(_shares(counts, Scale(0, total, 8, 392), y - 6, 12))
        texts.append(f"{name}：{text}。")
    if not parts:
        return ""
    return svg("by-type", "按题型的结果", "".join(texts), _ROW * len(rows) + 2, parts)


def _shares(counts: Mapping[str, tuple[str, int]], scale: Scale, y: float, height: float) -> str:
    parts, before = [], 0
    for kind, (label, count) in counts.items():
        if count:
            x, width = scale(before), scale(before + count) - scale(before)
            parts.append(
                f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:.1f}" height="{height:g}">'
                f"<title>{escape(label)} {count}</title></rect>"
            )
        before += count
    return "".join(parts)


def _intervals(
    identity: str,
    title: str,
    rows: Sequence[Row],
    scale: Scale,
    metric: str,
    *,
    best: float | None = None,
    style: str = "",
) -> str:
    if not rows:
        return ""
    # In a file of its own the chart says itself what it shows.
    top = 30 if style else 0
    bottom = _ROW * len(rows) + 4 + top
    parts = [text_at(8, 18, title, "start", "heading")] if style else []
    for tick in round_values(scale.low, scale.high):
        x = scale(tick)
        anchor = "start" if x < 20 else "end" if x > WIDTH - 20 else "middle"
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>')
        parts.append(text_at(x, bottom + 16, _tick_text(metric, tick), anchor, "tick"))
    for number, row in enumerate(rows):
        y = number * _ROW + 34 + top
        low, middle, high = scale(row.low), scale(row.value), scale(row.high)
        name = row.name if row.count is None else f"{row.name}（{row.count} 题）"
        value = f"{show(metric, row.value)}（{show_interval(metric, row.low, row.high)}）"
        parts.append(
            f'<g class="row{" best" if row.value == best else ""}">'
            f"{text_at(8, y - 14, shortened(name), 'start', 'name', full=name)}"
            f"{text_at(392, y - 14, value, 'end', 'amount')}"
            f'<line class="track" x1="8" x2="392" y1="{y}" y2="{y}"/>'
            f'<line class="whisker" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>'
            f'<circle class="dot first" cx="{middle}" cy="{y}" r="4.5"/></g>'
        )
    text = "".join(
        f"{row.name}：{show(metric, row.value)}，95% 区间 {show_interval(metric, row.low, row.high)}。"
        for row in rows
    )
    return svg(identity, title, text, bottom + 26, parts, style=style)


def _tick_text(metric: str, value: float) -> str:
    return f"{100 * value:g}%" if describe(metric).is_rate else f"{value:g}"


def _risk_at(curve: Sequence[Point], share: float) -> float:
    """The risk of answering the most confident ``share`` of questions."""
    return next((risk for coverage, risk in curve if coverage >= share), curve[-1][1])


def _sweep_name(row: Mapping[str, Any]) -> str:
    return str(
        row.get("label") or "，".join(f"{k}={v}" for k, v in row.get("settings", {}).items())
    )


def _interval(entry: Mapping[str, Any]) -> tuple[float, float, float, int | None]:
    value = float(entry["value"])
    low, high = entry.get("low"), entry.get("high")
    return (
        value,
        value if low is None else float(low),
        value if high is None else float(high),
        entry.get("n"),
    )
