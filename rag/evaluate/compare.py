"""Two runs over the same questions: which metrics differ, and which questions flipped.

Paired bootstrap: each replicate draws questions, the same for both runs, and takes the difference
of every metric. ``low`` and ``high`` hold 95 % of the differences; p is two-sided, twice the smaller
share of replicates on one side of zero, with the +1 correction of Davison & Hinkley (1997). Of many
metrics about one in twenty comes out below 0.05 by chance: decide on the metric chosen beforehand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag.evaluate.bootstrap import Array, point, replicates
from rag.evaluate.faults import RunError
from rag.evaluate.results import MANIFEST, RESULTS, SUMMARY, Row, read_json, read_results
from rag.evaluate.score import is_right
from rag.evaluate.summarize import statistics

REPLICATES = 5000
SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """A metric in both runs; ``difference`` is second minus first."""

    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float

    @property
    def is_significant(self) -> bool:
        return self.p < SIGNIFICANT


@dataclass(frozen=True, slots=True)
class Flip:
    """A question that one run answered rightly and the other did not."""

    id: str
    question: str
    became: str  # "worse" or "better"
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """``only_one`` counts questions that one of the runs did not ask."""

    first: Path
    second: Path
    common: int
    only_one: int
    flips: tuple[Flip, ...]
    metrics: dict[str, Difference]
    notices: tuple[str, ...] = ()

    def json(self) -> dict[str, Any]:
        return {
            "first": str(self.first),
            "second": str(self.second),
            "questions": self.common,
            "only_one": self.only_one,
            "notices": list(self.notices),
            "flips": [
                {"id": f.id, "question": f.question, "became": f.became,
                 "first": f.first, "second": f.second}
                for f in self.flips
            ],
            "metrics": {
                name: {"first": d.first, "second": d.second, "difference": d.difference,
                       "low": d.low, "high": d.high, "p": d.p, "significant": d.is_significant}
                for name, d in self.metrics.items()
            },
        }  # fmt: skip


def compare(first: Path, second: Path, *, seed: int = 7) -> Comparison:
    """Compare two finished runs.

    Raises:
        RunError: one is not finished, or they share no question.
    """
    before, after = _rows(first), _rows(second)
    shared = [name for name in before if name in after]
    if not shared:
        raise RunError(f"{first} 与 {second} 没有相同的问题，不能比较。请用同一评测集各跑一次")
    rows_before = [before[name] for name in shared]
    rows_after = [after[name] for name in shared]
    return Comparison(
        first=first,
        second=second,
        common=len(shared),
        only_one=len(before) + len(after) - 2 * len(shared),
        flips=_flips(rows_before, rows_after),
        metrics=_differences(rows_before, rows_after, seed),
        notices=_notices(first, second),
    )


def _rows(directory: Path) -> dict[str, Row]:
    read_json(directory / SUMMARY)  # says plainly when a run is not finished
    return read_results(directory / RESULTS)


def _notices(first: Path, second: Path) -> tuple[str, ...]:
    sets = [read_json(path / MANIFEST).get("dataset", {}).get("sha256") for path in (first, second)]
    if sets[0] != sets[1]:
        return ("两次评测所用的评测集内容不同，只比较了编号相同的问题",)
    return ()


def _flips(before: Sequence[Row], after: Sequence[Row]) -> tuple[Flip, ...]:
    """Questions that became worse first."""
    flips = []
    for old, new in zip(before, after, strict=True):
        was, now = is_right(old["metrics"]), is_right(new["metrics"])
        if was is None or now is None or was == now:
            continue
        became = "worse" if was else "better"
        flips.append(Flip(old["id"], old["question"], became, _said(old), _said(new)))
    return tuple(sorted(flips, key=lambda flip: flip.became != "worse"))


def _said(row: Row) -> str:
    if row["error"] is not None:
        return f"（出错）{row['error']}"
    if row["answer"] is not None:
        return str(row["answer"]["text"])
    hits = row.get("hits", [])
    return f"（检索第一）{hits[0]['document']}" if hits else "（没有检索到）"


def _differences(before: Sequence[Row], after: Sequence[Row], seed: int) -> dict[str, Difference]:
    old, new = statistics(before), statistics(after)
    names = [name for name in old if name in new]
    questions = len(before)
    drawn: dict[str, list[Array]] = {name: [] for name in names}
    for counts in replicates(questions, seed, REPLICATES):
        for name in names:
            drawn[name].append(new[name][0](counts) - old[name][0](counts))
    result = {}
    for name in names:
        values = point(old[name][0], questions), point(new[name][0], questions)
        sample = np.concatenate(drawn[name])
        sample = sample[~np.isnan(sample)]
        if np.isnan(values).any() or not len(sample):
            continue
        sample = np.round(sample, 9)  # sums in another order are no difference
        low, high = np.percentile(sample, [2.5, 97.5]).tolist()
        tail = min(int((sample <= 0).sum()), int((sample >= 0).sum()))
        p = min(1.0, 2 * (tail + 1) / (len(sample) + 1))
        figures = (*values, values[1] - values[0], low, high, p)
        result[name] = Difference(*(round(float(figure), 6) for figure in figures))
    return result
