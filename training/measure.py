"""What weights know of written passages that they were not trained on (`data/held_out.jsonl`).

For choosing between weights: how well answered questions are told from near misses and supported
claims from unsupported ones (area under the ROC curve), and the spans (exact match, F1).

Run: ``python -m training.measure [WEIGHTS …]``
"""

import argparse
import statistics
from pathlib import Path

from rag.evaluate.reading_comprehension import exact_match, f1
from rag.reader.load import LazyReader
from rag.reader.model import WEIGHTS, Text
from training.written import FOLDER, Row, written_rows

HELD_OUT = FOLDER / "held_out.jsonl"


def measure(reader: LazyReader, rows: list[Row]) -> dict[str, float]:
    """The areas and the means over all rows, each in [0, 1]."""
    from sklearn.metrics import roc_auc_score

    answerable: list[tuple[bool, float]] = []
    supported: list[tuple[bool, float]] = []
    exact, overlap = [], []
    for row in rows:
        text = Text(row.passage, (row.title,))
        for question, answer in row.asked:
            (reading,) = reader.read(question, [text])
            answerable.append((True, reading.answerable))
            best = reading.spans[0] if reading.spans else None
            found = row.passage[best.start : best.end] if best else ""
            exact.append(exact_match((answer,), found))
            overlap.append(f1((answer,), found))
        answerable += [
            (False, reader.read(question, [text])[0].answerable) for question in row.unanswered
        ]
        claims = [(claim, True) for claim in row.supported]
        claims += [(claim, False) for claim in row.unsupported]
        evidence = f"{row.title}\n{row.passage}"
        chances = reader.support([(claim, evidence) for claim, _ in claims])
        supported += [(label, chance) for (_, label), chance in zip(claims, chances, strict=True)]
    return {
        "near misses": float(roc_auc_score(*zip(*answerable, strict=True))),
        "claims": float(roc_auc_score(*zip(*supported, strict=True))),
        "exact match": statistics.mean(exact),
        "F1": statistics.mean(overlap),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path, nargs="*", default=[WEIGHTS])
    arguments = parser.parse_args()
    rows = written_rows(HELD_OUT)
    for weights in arguments.weights:
        found = measure(LazyReader(weights=weights), rows)
        cells = "  ".join(f"{name} {value:.3f}" for name, value in found.items())
        print(f"{weights}: {len(rows)} passages  {cells}", flush=True)


if __name__ == "__main__":
    main()
