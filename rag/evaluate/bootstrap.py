"""Bootstrap intervals (Efron & Tibshirani 1993, percentile method) for every metric of a run at once.

A replicate draws as many questions as there are, with replacement; it is kept as how often each
question was drawn, so that a metric of all replicates is one matrix product. `Statistic` covers
means, ratios and F1; `aurc` needs the order of the questions and stands apart. The same seed draws
the same questions, and two runs over the same questions are drawn alike (paired bootstrap).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Statistic = Callable[[Array], Array]
REPLICATES = 2000
_CHUNK_CELLS = 4_000_000
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Interval:
    """A metric's value, its 95 % interval, and over how many questions it was taken."""

    value: float
    low: float
    high: float
    n: int

    def json(self) -> dict[str, float | int]:
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


def mean_of(values: Array) -> Statistic:
    """Mean of ``values``, shape (questions,), over those that are not NaN."""
    applies = ~np.isnan(values)
    return ratio_of(np.where(applies, values, 0.0), applies.astype(np.float64))


def ratio_of(numerator: Array, denominator: Array) -> Statistic:
    """Sum of one over the sum of the other; NaN where the latter is 0."""
    both = np.stack([numerator, denominator], axis=1)

    def statistic(counts: Array) -> Array:
        above, below = (counts @ both).T
        return _divided(above, below)

    return statistic


def aurc(confidence: Array, loss: Array, applies: Array) -> Statistic:
    """Area under the risk-coverage curve (Geifman & El-Yaniv 2017), in [0, 1], lower is better.

    Questions are taken in order of falling confidence; the risk at coverage c is the mean loss of
    the share c taken first, and the area is the mean risk over all coverages. Questions whose
    ``applies`` is 0 do not count.
    """
    order = np.argsort(-confidence, kind="stable")
    sorted_loss = loss[order]

    def statistic(counts: Array) -> Array:
        taken = (counts * applies)[:, order]
        covered = np.cumsum(taken, axis=1)
        risk = np.cumsum(taken * sorted_loss, axis=1) / np.maximum(covered, 1.0)
        return _divided((risk * taken).sum(axis=1), covered[:, -1])

    return statistic


def _divided(above: Array, below: Array) -> Array:
    result = np.full_like(above, np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result


def replicates(questions: int, seed: int, count: int = REPLICATES) -> Iterator[Array]:
    """Blocks of shape (some, questions): how often each question was drawn, ``count`` rows in all."""
    generator = np.random.default_rng(seed)
    rows = max(1, min(count, _CHUNK_CELLS // max(questions, 1)))
    for start in range(0, count, rows):
        size = min(rows, count - start)
        drawn = generator.integers(0, questions, (size, questions))
        flat = (drawn + np.arange(size)[:, None] * questions).ravel()
        yield np.bincount(flat, minlength=size * questions).reshape(size, -1).astype(np.float64)


def point(statistic: Statistic, questions: int) -> float:
    """The statistic on the questions as they are."""
    return float(statistic(np.ones((1, questions)))[0])


def intervals(
    statistics: dict[str, tuple[Statistic, int]], questions: int, seed: int
) -> dict[str, Interval]:
    """Values and 95 % intervals by name; a statistic without value is left out.

    Args:
        statistics: each with the number of questions it is taken over.
    """
    values = {name: point(statistic, questions) for name, (statistic, _) in statistics.items()}
    drawn: dict[str, list[Array]] = {name: [] for name in statistics}
    for counts in replicates(questions, seed):
        for name, (statistic, _) in statistics.items():
            drawn[name].append(statistic(counts))
    result = {}
    for name, (_, n) in statistics.items():
        if np.isnan(values[name]):
            continue
        sample = np.concatenate(drawn[name])
        low, high = np.nanpercentile(sample, [2.5, 97.5])
        # Rounded: the last digits depend on how many threads multiplied.
        result[name] = Interval(
            round(values[name], _DIGITS), round(float(low), _DIGITS), round(float(high), _DIGITS), n
        )
    return result
