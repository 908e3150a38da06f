"""Minimums that a run must reach: ``answer.f1>=0.80,abstain.false_answer_rate<=0.05``.

A metric that the run does not have fails its gate: what was not measured was not reached.
``errors`` and ``questions`` count as metrics too.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.errors import SettingsError

_CONDITION = re.compile(r"([\w.@-]+)\s*(>=|<=|>|<)\s*([-+]?\d+(?:\.\d+)?(?:[eE]-?\d+)?)")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_COUNTS = ("errors", "questions")


@dataclass(frozen=True, slots=True)
class Condition:
    metric: str
    sign: str
    bound: float

    def __str__(self) -> str:
        return f"{self.metric}{self.sign}{self.bound:g}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``value`` is None when the run has no such metric."""

    condition: Condition
    value: float | None
    is_met: bool

    def json(self) -> dict[str, Any]:
        return {
            "metric": self.condition.metric,
            "condition": f"{self.condition.sign}{self.condition.bound:g}",
            "value": self.value,
            "met": self.is_met,
        }


def parse_conditions(texts: Sequence[str]) -> tuple[Condition, ...]:
    """Conditions from texts that each hold one or, separated by commas, several.

    Raises:
        SettingsError: a text is no condition, or there are none.
    """
    parts = [part.strip() for text in texts for part in re.split("[,，]", text) if part.strip()]
    if not parts:
        raise SettingsError(
            "没有门槛。请用 --min 给出，例如 --min 'answer.f1>=0.80'，或写在 rag.toml 的 [eval] minimum"
        )
    conditions = []
    for part in parts:
        found = _CONDITION.fullmatch(part)
        if found is None:
            raise SettingsError(
                f"门槛 {part!r} 看不懂。请写成 指标>=数值 或 指标<=数值，例如 answer.f1>=0.80"
            )
        conditions.append(Condition(found[1], found[2], float(found[3])))
    return tuple(conditions)


def check(summary: Mapping[str, Any], conditions: Sequence[Condition]) -> tuple[Verdict, ...]:
    """Each condition against a run's summary."""
    verdicts = []
    for condition in conditions:
        value = _value(summary, condition.metric)
        is_met = value is not None and _COMPARE[condition.sign](value, condition.bound)
        verdicts.append(Verdict(condition, value, is_met))
    return tuple(verdicts)


def _value(summary: Mapping[str, Any], metric: str) -> float | None:
    if metric in _COUNTS:
        return float(summary[metric])
    entry = summary["metrics"].get(metric)
    return None if entry is None else float(entry["value"])
