"""One data set under every combination of some settings: an ablation table and a chart."""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import SettingsError
from rag.evaluate.metric_texts import describe, show
from rag.evaluate.results import write_json

TABLE, ROWS, CHART = "sweep.md", "sweep.json", "sweep.svg"
# What an ablation table shows, where the runs have it.
HEADLINES = (
    "outcome.correct",
    "answer.f1",
    "answer.exact_match",
    "answer.rouge_l",
    "answer.key_facts",
    "citation.precision",
    "citation.gold_precision",
    "abstain.f1",
    "abstain.false_answer_rate",
    "abstain.over_refusal_rate",
    "abstain.aurc",
    "retrieval.passage.recall@5",
    "retrieval.document.recall@1",
    "retrieval.document.recall@5",
    "retrieval.document.recall@10",
    "retrieval.document.mrr@10",
    "retrieval.document.ndcg@10",
)
_UNITS = {"document": "文档 ", "passage": "段落 "}
Overrides = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Variant:
    """One combination: ``settings`` by "section.name"."""

    settings: Mapping[str, str]

    @property
    def label(self) -> str:
        return "，".join(
            f"{name.partition('.')[2]}={value}" for name, value in self.settings.items()
        )

    @property
    def overrides(self) -> Overrides:
        return nested(self.settings)


def nested(settings: Mapping[str, str]) -> Overrides:
    """{"retrieve.mode": "dense"} as `Settings.load` takes it."""
    found: Overrides = {}
    for name, value in settings.items():
        section, _, field = name.partition(".")
        found.setdefault(section, {})[field] = value
    return found


def parse_assignments(texts: Sequence[str]) -> dict[str, list[str]]:
    """``retrieve.mode=dense,keyword`` as names and values.

    Raises:
        SettingsError: a text is no assignment, or a name is given twice.
    """
    found: dict[str, list[str]] = {}
    for text in texts:
        name, sign, values = text.partition("=")
        parts = [value.strip() for value in values.split(",") if value.strip()]
        section, dot, field = name.strip().partition(".")
        if not (sign and dot and section and field and parts):
            raise SettingsError(
                f"--set {text!r} 看不懂。请写成 节.名=值，例如 --set retrieve.mode=dense,keyword"
            )
        if name.strip() in found:
            raise SettingsError(f"--set {name.strip()} 给了两次。请把各个值写在一起，用逗号分开")
        found[name.strip()] = list(dict.fromkeys(parts))
    return found


def variants(assignments: Mapping[str, Sequence[str]]) -> Iterator[Variant]:
    """Every combination, the last name varying fastest."""
    for values in itertools.product(*assignments.values()):
        yield Variant(dict(zip(assignments, values, strict=True)))


def sweep_name(dataset: str, identities: Sequence[Mapping[str, Any]]) -> str:
    text = json.dumps(identities, ensure_ascii=False, sort_keys=True)
    return f"sweep-{dataset}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def row_of(variant: Variant, run: Path, summary: Mapping[str, Any], operation: Mapping[str, Any]) -> dict[str, Any]:  # fmt: skip
    return {
        "settings": dict(variant.settings),
        "label": variant.label,
        "run": str(run),
        "metrics": summary["metrics"],
        "questions": summary["questions"],
        "errors": summary["errors"],
        "seconds_per_question": operation["seconds_per_question"],
    }


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """An ablation table in Markdown; the best value of each metric is bold."""
    names = list(rows[0]["settings"])
    metrics = [name for name in HEADLINES if any(name in row["metrics"] for row in rows)]
    head = [*names, *map(title, metrics), "每题秒数"]
    lines = [head, ["---"] * len(names) + ["---:"] * (len(metrics) + 1)]
    best = {metric: _best(metric, rows) for metric in metrics}
    for row in rows:
        cells = [row["settings"][name] for name in names]
        for metric in metrics:
            entry = row["metrics"].get(metric)
            text = show(metric, entry["value"]) if entry else "—"
            cells.append(f"**{text}**" if entry and entry["value"] == best[metric] else text)
        seconds = row["seconds_per_question"]
        cells.append("—" if seconds is None else f"{seconds:.3f}")
        lines.append(cells)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def write_sweep(directory: Path, rows: Sequence[Mapping[str, Any]], metric: str) -> None:
    """sweep.json, sweep.md and sweep.svg."""
    from rag.evaluate.charts import sweep_chart

    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / ROWS, {"metric": metric, "rows": list(rows)})
    (directory / TABLE).write_text(table(rows), encoding="utf-8")
    (directory / CHART).write_text(
        sweep_chart([dict(row) for row in rows], metric), encoding="utf-8"
    )


def title(metric: str) -> str:
    """A column's head: what it is, and of what where two units share a name."""
    unit = next((name for key, name in _UNITS.items() if f".{key}." in metric), "")
    return f"{unit}{describe(metric).label}"


def _best(metric: str, rows: Sequence[Mapping[str, Any]]) -> float:
    values = [row["metrics"][metric]["value"] for row in rows if metric in row["metrics"]]
    return float((min if describe(metric).is_lower_better else max)(values))
