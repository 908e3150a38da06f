"""Refusal with open retrieval, extractive: both errors together, on the two abstain sets.

A refusal is the state ``not_found``. Printed by half of the question ids: thresholds and
coefficients were chosen on the even half, the odd half is the report. Unanswerable questions come
easy (the article was removed) and hard (a passage was removed, the article is there).

Run: ``python -m benchmarks.abstain [--cache DIR] [--no-reader]``
"""

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.calibrate import SETS, assistant_for, indexer_for
from benchmarks.datasets import items, questions
from rag.answer.evidence import judge
from rag.assistant import Assistant
from rag.retrieve.embed import load_encoder
from rag.settings import Settings
from rag.types import State

HARD = "removed-passage"


def measure(name: str, assistant: Assistant) -> None:
    """Print refusal and over-refusal of each half, AUC and the area under risk and coverage."""
    from sklearn.metrics import roc_auc_score

    answer = Settings().answer
    found: dict[str, list[tuple[float, bool, bool, bool]]] = defaultdict(list)
    for question in questions(name):
        features = assistant.examine(question.text).features
        evidence = judge(
            features,
            answered=answer.answered,
            uncertain=answer.uncertain,
            false_answers=answer.false_answers,
        )
        row = (
            evidence.probability,
            evidence.state is State.NOT_FOUND,
            question.is_answerable,
            question.kind == HARD,
        )
        found["even" if question.is_development else "odd"].append(row)
    for half, rows in sorted(found.items()):
        chance, refused, answerable, hard = (np.array(column) for column in zip(*rows, strict=True))
        easy = ~answerable & ~hard
        order = np.argsort(-chance, kind="stable")
        risk = np.cumsum(~answerable[order]) / np.arange(1, len(order) + 1)
        cells = [
            f"refused of easy {refused[easy].mean():.3f} ({easy.sum()})",
            f"of hard {refused[hard].mean():.3f} ({hard.sum()})" if hard.any() else "",
            f"of answerable {refused[answerable].mean():.3f} ({answerable.sum()})",
            f"AUC {roc_auc_score(answerable, chance):.3f}",
            f"area under risk-coverage {risk.mean():.3f}",
        ]
        print(f"{name:22}{half:5}", ", ".join(filter(None, cells)), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, help="keep the indexes here for the next run")
    parser.add_argument("--no-reader", action="store_true", help="similarity alone")
    arguments = parser.parse_args()
    encoder = load_encoder(progress=print)
    with tempfile.TemporaryDirectory() as aside:
        base = arguments.cache or Path(aside)
        for name in SETS:
            indexer_for(base / name, encoder).update_items(items(name, with_titles=True))
            reader = {"enabled": not arguments.no_reader}
            measure(name, assistant_for(base / name, encoder, reader=reader))


if __name__ == "__main__":
    main()
