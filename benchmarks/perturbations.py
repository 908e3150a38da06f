"""Sentences with one fact changed, and true ones said otherwise: what verification tells apart.

The set (benchmarks/sets/perturbations) was written by hand over passages of our own. A false
sentence is caught when its verdict is not ``supported``; a true one that is not ``supported`` is a
false alarm. Rules and thresholds were chosen on the development half (the first byte of the
SHA-256 of a claim's id is even); the other half is only reported.

Run: ``python -m benchmarks.perturbations [--half development|report] [--reader] [--wrong]``;
``--reader`` adds the trained reader, ``--wrong`` lists the development half's wrong verdicts.
"""

import argparse
import hashlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.answer.verify import SUPPORT, Finding, SupportChecker, check
from rag.errors import ModelError
from rag.reader.load import LazyReader
from rag.types import Verdict

FOLDER = Path(__file__).with_name("sets") / "perturbations"


@dataclass(frozen=True, slots=True)
class Case:
    """One claim about one passage, as a model would be shown it."""

    id: str
    claim: str
    evidence: str
    supported: bool
    kind: str


def cases(half: str, folder: Path = FOLDER) -> Iterator[Case]:
    """The claims of one half."""
    passages = {row["id"]: row for row in _rows(folder / "passages.jsonl")}
    for row in _rows(folder / "claims.jsonl"):
        is_development = hashlib.sha256(row["id"].encode()).digest()[0] % 2 == 0
        if is_development == (half == "development"):
            passage = passages[row["passage"]]
            evidence = f"{passage['title']}\n{passage['text']}"
            yield Case(row["id"], row["claim"], evidence, row["supported"], row["kind"])


def measure(
    half: str, checker: SupportChecker | None, threshold: float = SUPPORT
) -> tuple[dict[str, list[bool]], list[tuple[Case, Finding]]]:
    """For each kind whether each verdict is right, and the cases where it is not."""
    right: dict[str, list[bool]] = defaultdict(list)
    wrong = []
    for case in cases(half):
        finding = check(case.claim, [case.evidence], checker=checker, threshold=threshold)
        is_right = (finding.verdict is Verdict.SUPPORTED) == case.supported
        right["true: " + case.kind if case.supported else case.kind].append(is_right)
        if not is_right:
            wrong.append((case, finding))
    return right, wrong


def report(
    half: str, checker: SupportChecker | None, *, lists_wrong: bool, threshold: float = SUPPORT
) -> None:
    """Print the rates of one half, and the development half's wrong verdicts when asked."""
    started = time.perf_counter()
    right, wrong = measure(half, checker, threshold)
    count = sum(len(values) for values in right.values())
    each = (time.perf_counter() - started) / max(count, 1) * 1000
    name = "rules" if checker is None else f"rules + reader from {threshold:g}"
    print(f"\n{half} half, {name}: {count} claims, {each:.2f} ms each")
    for kind, values in sorted(right.items()):
        print(f"  {kind:20} {sum(values):3d} of {len(values):3d}  {sum(values) / len(values):.3f}")
    false = [value for kind, values in right.items() if "true" not in kind for value in values]
    true = [value for kind, values in right.items() if "true" in kind for value in values]
    print(f"  caught       {sum(false)} of {len(false)}  {sum(false) / max(len(false), 1):.3f}")
    alarms = len(true) - sum(true)
    print(f"  false alarms {alarms} of {len(true)}  {alarms / max(len(true), 1):.3f}")
    if lists_wrong and half == "development":
        for case, finding in wrong:
            print(f"{case.id} {case.kind} {'true' if case.supported else 'false'}: {case.claim}")
            print(f"    {finding.verdict} {finding.support:.2f} {'；'.join(finding.reasons)}")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def main(arguments: list[str]) -> int:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--half", choices=("development", "report"))
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("--reader", action="store_true", help="also with the trained reader")
    parser.add_argument("--threshold", type=float, default=SUPPORT)
    options = parser.parse_args(arguments)
    reader = None
    if options.reader:
        try:
            reader = LazyReader()
        except ModelError as error:
            print(error)
    for half in (options.half,) if options.half else ("development", "report"):
        report(half, None, lists_wrong=options.wrong)
        if reader is not None:
            report(half, reader, lists_wrong=options.wrong, threshold=options.threshold)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
