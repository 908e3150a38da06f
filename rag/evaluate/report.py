"""A run as one HTML file that opens anywhere: no outside resource, and no script needed to read it.

The page's style and script are in it, and a content security policy allows those two (by digest)
and nothing else, whatever a document or an answer may contain. The same run gives the same bytes.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from rag.evaluate.charts import outcome_bar
from rag.evaluate.faults import RunError
from rag.evaluate.report_markup import escape
from rag.evaluate.report_overview import cards, figures
from rag.evaluate.report_questions import (
    RULE,
    filters,
    outcome_counts,
    question_list,
    total_seconds,
    type_of,
)
from rag.evaluate.report_tables import judge_section, manifest_section, metric_tables, type_table
from rag.evaluate.results import MANIFEST, OPERATION, RESULTS, SUMMARY, read_json, read_results

NAME = "report.html"


def write_report(run_directory: Path) -> Path:
    """Write ``report.html`` into a run's folder from its four files; gives its path.

    Raises:
        RunError: a file of the run is missing or damaged, or the report cannot be written.
    """
    manifest, summary, operation = (
        read_json(run_directory / name) for name in (MANIFEST, SUMMARY, OPERATION)
    )
    rows = list(read_results(run_directory / RESULTS).values())
    path = run_directory / NAME
    partial = path.with_suffix(".html.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(_page(manifest, summary, operation, rows))
        partial.replace(path)
    except OSError as error:
        raise RunError(
            f"报告无法写入 {path}（{error.strerror}）。请检查磁盘空间和权限后重试"
        ) from error
    return path


def _page(
    manifest: Mapping[str, Any],
    summary: Mapping[str, Any],
    operation: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
) -> Iterator[str]:
    style, script = _asset("report.css"), _asset("report.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    name = summary.get("name") or manifest.get("dataset", {}).get("name") or "未命名"
    yield (
        '<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(name)} · 医问评测报告</title>\n<style>{style}</style></head><body>\n"
    )
    yield _head(name, manifest, summary, rows)
    by_type = [
        (kind, outcome_counts([row for row in rows if type_of(row) == kind]))
        for kind in dict.fromkeys(sorted(map(type_of, rows)))
    ]
    durations = [total for row in rows if (total := total_seconds(row)) is not None]
    yield (
        f'<section id="overview"><h2 class="unseen">概览</h2>{_outcomes(rows)}{cards(summary, operation)}'
        f'</section>\n<section id="charts"><h2>图表</h2><div class="figures">'
        f"{figures(summary, operation, durations, by_type)}</div></section>\n"
        f'<section id="metrics"><h2>全部指标</h2><div class="panel">{metric_tables(summary)}'
        f"{type_table(summary)}</div></section>\n{judge_section(summary)}"
        f'<section id="run"><h2>运行环境</h2>{manifest_section(manifest, operation)}</section>\n'
        f'<section id="questions"><h2>逐题</h2><p class="small">{escape(RULE)}</p>{filters(rows)}\n'
        '<div class="list">\n'
    )
    yield from question_list(rows)
    empty = "" if rows else '<p class="empty">这次运行还没有任何一题的结果。</p>'
    yield (
        f'{empty}<p class="empty" id="nothing" hidden>没有符合条件的题。</p></div></section></main>\n'
        "<footer><p>回答由人工智能生成，仅供评测；用于诊疗须由医师确认。</p></footer>\n"
        f"<script>{script}</script>\n</body></html>\n"
    )


def _head(
    name: str,
    manifest: Mapping[str, Any],
    summary: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
) -> str:
    settings = manifest.get("settings", {})
    mode = {"hybrid": "混合检索", "dense": "稠密检索", "keyword": "关键词检索"}
    model = manifest.get("model", {}).get("name")
    chips = (
        f"{len(rows)} 题",
        {"extractive": "摘录作答，不用大模型", "retrieval": "只检索，不作答"}.get(model, model),
        mode.get(settings.get("retrieve", {}).get("mode", ""), ""),
        f"随机种子 {manifest['seed']}" if manifest.get("seed") is not None else "",
        str(manifest.get("started") or "").replace("T", " ")[:16],
    )
    warnings = []
    if errors := sum(bool(row.get("error")) for row in rows):
        warnings.append(f"有 {errors} 题运行出错，已如数列出，请先查看原因。")
    if manifest.get("limit"):
        warnings.append(f"只抽取了 {manifest['limit']} 题，不代表整个数据集。")
    wanted = summary.get("questions")
    if isinstance(wanted, int) and wanted != len(rows):
        warnings.append(f"汇总为 {wanted} 题，逐题记录有 {len(rows)} 题，请重新运行以补齐。")
    items = "".join(f"<li>{escape(chip)}</li>" for chip in chips if chip)
    notes = "".join(
        f'<p class="warning"><b aria-hidden="true">⚠</b>{escape(w)}</p>' for w in warnings
    )
    links = "".join(
        f'<a href="#{target}">{label}</a>'
        for target, label in (
            ("overview", "概览"),
            ("charts", "图表"),
            ("metrics", "指标"),
            ("run", "运行环境"),
            ("questions", "逐题"),
        )
    )
    return (
        f'<header><div class="bar"><strong>医问</strong><span>评测报告</span><nav aria-label="章节">{links}'
        f'</nav></div></header>\n<main><div class="title"><h1>{escape(name)}</h1><ul class="chips">{items}'
        f"</ul>{notes}</div>\n"
    )


def _outcomes(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many questions ended how, as one bar with its legend."""
    counts = outcome_counts(rows)
    if not counts:
        return ""
    legend = "".join(
        f'<li><i class="key {kind}" aria-hidden="true"></i>{label} <b>{count}</b>'
        f" <span>{100 * count / len(rows):.1f}%</span></li>"
        for kind, (label, count) in counts.items()
    )
    return f'<div class="panel outcomes">{outcome_bar(counts)}<ul>{legend}</ul></div>'


def _asset(name: str) -> str:
    return (files("rag.evaluate") / "report_assets" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
