"""From one row a question to summary.json: every metric with its interval, nothing that was timed.

The same results and seed give the same summary, whatever the order in which they were finished.

Abstention, over questions that were asked without error:

- precision: of the refusals, the share of unanswerable questions; recall: of the unanswerable
  questions, the share refused; f1: their harmonic mean.
- false_answer_rate: of the unanswerable questions, the share answered (1 - recall);
  over_refusal_rate: of the answerable ones, the share refused.
- aurc: area under the risk-coverage curve, by the confidence that the passages hold an answer. The
  loss of a question is 1 - ``outcome.correct`` if it is answerable and 1 if it is not (answering it
  is always wrong). What was refused has no answer to judge and counts as fully wrong when the curve
  reaches it: to the right of the share that was answered, the curve is an upper bound.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rag.evaluate.bootstrap import Array, Statistic, aurc, intervals, mean_of, ratio_of
from rag.evaluate.score import OUTCOME, is_refused

Row = Mapping[str, Any]
Statistics = dict[str, tuple[Statistic, int]]
UNTYPED = "（未分类）"
_CURVE_POINTS = 200
_KINDS = ("document", "passage")


def summarize(name: str, rows: Sequence[Row], *, seed: int) -> dict[str, Any]:
    """summary.json of a run.

    Args:
        rows: results in the order of the data set.
    """
    kinds: dict[str, list[Row]] = {}
    for row in rows:
        kinds.setdefault(row["type"] or UNTYPED, []).append(row)
    summary: dict[str, Any] = {
        "name": name,
        "questions": len(rows),
        "errors": sum(row["error"] is not None for row in rows),
        "seed": seed,
        "metrics": _metrics(rows, seed),
        "by_type": {kind: _metrics(kinds[kind], seed) for kind in sorted(kinds)},
        "curves": {"risk_coverage": _risk_coverage(rows), "recall_at_k": _recall_at_k(rows)},
    }
    judged = [row for row in rows if row.get("judge")]
    if judged:
        from rag.evaluate.judge import agreement

        summary["judge"] = agreement(judged)
    return summary


def statistics(rows: Sequence[Row]) -> Statistics:
    """Every metric of the rows as something the bootstrap can draw, with its number of questions."""
    names = sorted({name for row in rows for name in row["metrics"]})
    result: Statistics = {}
    for name in names:
        values = np.array([row["metrics"].get(name, np.nan) for row in rows], np.float64)
        result[name] = (mean_of(values), int((~np.isnan(values)).sum()))
    return result | _abstention(rows)


def _metrics(rows: Sequence[Row], seed: int) -> dict[str, dict[str, float | int]]:
    found = intervals(statistics(rows), len(rows), seed)
    return {name: interval.json() for name, interval in found.items()}


def _abstention(rows: Sequence[Row]) -> Statistics:
    asked = _flags(row["answer"] is not None for row in rows)
    if not asked.any():
        return {}
    refused = _flags(row["answer"] is not None and is_refused(row["answer"]) for row in rows)
    answerable = _flags(row["answerable"] for row in rows) * asked
    unanswerable = asked - answerable
    right = refused * unanswerable
    result: Statistics = {}
    if unanswerable.any():
        result["abstain.precision"] = (ratio_of(right, refused), int(refused.sum()))
        result["abstain.recall"] = (ratio_of(right, unanswerable), int(unanswerable.sum()))
        # 2 TP / (2 TP + FP + FN), and FP + TP = refused, FN + TP = unanswerable
        result["abstain.f1"] = (ratio_of(2 * right, refused + unanswerable), int(asked.sum()))
        result["abstain.false_answer_rate"] = (
            ratio_of(unanswerable - right, unanswerable),
            int(unanswerable.sum()),
        )
    if answerable.any():
        over = refused * answerable
        result["abstain.over_refusal_rate"] = (ratio_of(over, answerable), int(answerable.sum()))
    confidence, loss, judged = _losses(rows)
    if judged.any():  # a question without references has no loss
        result["abstain.aurc"] = (aurc(confidence, loss, judged), int(judged.sum()))
    return result


def _losses(rows: Sequence[Row]) -> tuple[Array, Array, Array]:
    """Confidence, loss, and whether there is one, each of shape (questions,)."""
    confidence = np.array([(row["answer"] or {}).get("confidence", 0.0) for row in rows])
    loss = np.array(
        [1.0 - row["metrics"].get(OUTCOME, 0.0) if row["answerable"] else 1.0 for row in rows]
    )
    return confidence, loss, _flags(OUTCOME in row["metrics"] for row in rows)


def _risk_coverage(rows: Sequence[Row]) -> list[list[float]]:
    if not any(row["answer"] is not None for row in rows):
        return []
    confidence, loss, judged = _losses(rows)
    kept = judged > 0
    confidence, loss = confidence[kept], loss[kept]
    if not len(loss):
        return []
    order = np.argsort(-confidence, kind="stable")
    taken = np.arange(1, len(loss) + 1)
    risk = np.cumsum(loss[order]) / taken
    places = np.unique(np.linspace(0, len(loss) - 1, _CURVE_POINTS).round().astype(int))
    return [
        [round(float(taken[i] / len(loss)), 6), round(float(risk[i]), 6)] for i in places.tolist()
    ]


def _recall_at_k(rows: Sequence[Row]) -> dict[str, list[float]]:
    curves = {}
    for kind in _KINDS:
        found = [row["recalls"][kind] for row in rows if kind in row.get("recalls", {})]
        if found:
            curves[kind] = [round(float(v), 6) for v in np.mean(np.array(found), axis=0)]
    return curves


def _flags(values: Any) -> Array:
    return np.fromiter((float(value) for value in values), np.float64)
