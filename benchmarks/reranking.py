"""What reading adds to hybrid retrieval: the same questions with and without the reader's order.

Two runs of `rag.evaluate` that only search, over all questions of each set, and the difference of
hit@1 and nDCG@10 by document with its 95 % interval and p (paired bootstrap, `rag.evaluate.compare`).
Nothing of these sets is trained on and nothing is chosen on them.

Run: ``python -m benchmarks.reranking [--only NAME …] [--limit N] [--runs DIR]``
"""

import argparse
from pathlib import Path

from benchmarks.datasets import dataset
from rag.assistant import encoder_of
from rag.evaluate.compare import compare
from rag.evaluate.plan import Plan
from rag.evaluate.run import run
from rag.progress import ProgressBar
from rag.settings import Settings

SETS = ("med-dialogue-internal", "dureader-demo", "cmrc2018-dev", "drcd-dev")
METRICS = ("retrieval.document.hit@1", "retrieval.document.ndcg@10")


def measure(name: str, settings: Settings, limit: int | None) -> None:
    """Print both runs of one set and how they differ."""
    off = settings.reader.model_copy(update={"enabled": False})
    encoder = encoder_of(settings)
    runs = []
    for chosen in (settings.model_copy(update={"reader": off}), settings):
        plan = Plan(dataset(name), chosen, limit=limit, retrieval_only=True)
        with ProgressBar() as progress:
            runs.append(run(plan, encoder=encoder, progress=progress))
    compared = compare(runs[0].directory, runs[1].directory)
    for metric in METRICS:
        found = compared.metrics[metric]
        print(
            f"{name:24}{metric.rpartition('.')[2]:9}{compared.common:6} questions"
            f"  hybrid {found.first:.3f}  read {found.second:.3f}"
            f"  {found.difference:+.3f} [{found.low:+.3f}, {found.high:+.3f}]  p {found.p:.4f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=SETS, default=SETS[:2])
    parser.add_argument("--limit", type=int, help="a seeded sample of each set")
    parser.add_argument("--runs", type=Path, default=Path("runs/reranking"))
    arguments = parser.parse_args()
    settings = Settings()
    where = settings.eval.model_copy(update={"directory": arguments.runs})
    for name in arguments.only:
        measure(name, settings.model_copy(update={"eval": where}), arguments.limit)


if __name__ == "__main__":
    main()
