"""Fit the evidence models (rag/answer/evidence.json) on development questions only.

The even-hashed halves of cmrc2018-dev-abstain and drcd-dev-abstain, and the development questions
about corpus/ and about the article that corpus/ took its facts from. A logistic regression on
standardized features, regularized (Platt scaling where there is one feature); each set weighs the
same, answerable and unanswerable questions too. Prints the leave-one-set-out AUC, so that a fit
to one set's manner would show, and both errors at several thresholds.

Run: ``python -m benchmarks.calibrate [--model reading|similarity] [--cache DIR] [--write]``
"""

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.datasets import Question, items, questions, rows
from rag.answer.evidence import COEFFICIENTS, READING, SIMILARITY
from rag.assistant import Assistant
from rag.chinese import to_simplified
from rag.indexer import Indexer
from rag.retrieve.embed import Encoder, load_encoder
from rag.settings import Settings

SETS = ("cmrc2018-dev-abstain", "drcd-dev-abstain")
ARTICLE = Path("../shared/seed")
OWN_QUESTIONS = Path("tests/data/development_questions.jsonl")
# Reported on in the first release, read since: now development questions.
ARTICLE_QUESTIONS = Path("tests/data/article_questions.jsonl")
# Written to weigh refusals against answers: everyday wording, and questions that almost fit.
ARTICLE_DEVELOPMENT = Path("tests/data/article_development_questions.jsonl")
# These documents are about the product itself: the article does not hold their facts.
NOT_IN_ARTICLE = ("using-yiwen.md", "data-safety.md", "glossary.md")
SHARES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
NAMES = {"reading": READING, "similarity": SIMILARITY}

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Features, shape (questions, features), and whether each question is answerable."""

    name: str
    features: Array
    labels: Array


def assistant_for(directory: Path, encoder: Encoder, **sections: dict[str, Any]) -> Assistant:
    """The product's own extractive assistant over an index that was just made."""
    settings = Settings.model_validate(
        {"index": {"directory": directory}, "answer": {"llm": "extractive"}, **sections}
    )
    return Assistant.from_settings(settings, encoder=encoder)


def indexer_for(directory: Path, encoder: Encoder) -> Indexer:
    """The product's own sizes and cleaning."""
    settings = Settings()
    return Indexer(
        directory,
        encoder=encoder,
        split_size=settings.split.size,
        split_overlap=settings.split.overlap,
        steps=settings.clean,
    )


def own_questions(*paths: Path, of_article: bool = False) -> list[Question]:
    """The development questions; with ``of_article`` those whose facts the article holds or that
    neither answers."""
    return [
        Question(
            row["id"],
            row["question"],
            tuple(row["answers"]),
            frozenset(),
            row["answerable"],
            row["kind"],
        )
        for path in paths
        for row in rows(path)
        if not (of_article and row.get("document") in NOT_IN_ARTICLE)
    ]


def development_sets(base: Path, encoder: Encoder, limit: int) -> dict[str, list[Question]]:
    """Index every development set under ``base``; its questions by the index's folder name."""
    found: dict[str, list[Question]] = {}
    for name in SETS:
        indexer_for(base / name, encoder).update_items(items(name, with_titles=True))
        found[name] = [q for q in questions(name) if q.is_development][:limit]
    indexer_for(base / "corpus", encoder).update([Path("corpus")])
    found["corpus"] = own_questions(OWN_QUESTIONS)
    if ARTICLE.is_dir():
        indexer_for(base / "article", encoder).update([ARTICLE])
        found["article"] = own_questions(
            OWN_QUESTIONS, ARTICLE_QUESTIONS, ARTICLE_DEVELOPMENT, of_article=True
        )
    return found


def sample(name: str, assistant: Assistant, asked: list[Question]) -> Sample:
    values = [assistant.examine(to_simplified(q.text)).features.values for q in asked]
    labels = [float(q.is_answerable) for q in asked]
    return Sample(name, np.array(values), np.array(labels))


def fit(samples: list[Sample]) -> tuple[Array, float]:
    """Coefficients and intercept on the features as they are."""
    from sklearn.linear_model import LogisticRegression

    features = np.concatenate([s.features for s in samples])
    labels = np.concatenate([s.labels for s in samples])
    weights = np.concatenate(
        [np.where(s.labels == 1, 0.5 / s.labels.sum(), 0.5 / (1 - s.labels).sum()) for s in samples]
    )
    weights *= len(labels) / weights.sum()
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    model = LogisticRegression(C=1.0, max_iter=1000)
    model.fit((features - mean) / spread, labels, sample_weight=weights)
    coefficients = model.coef_[0] / spread
    return coefficients, float(model.intercept_[0] - (coefficients * mean).sum())


def probabilities(sample: Sample, coefficients: Array, intercept: float) -> Array:
    result: Array = 1 / (1 + np.exp(-(sample.features @ coefficients + intercept)))
    return result


def thresholds(samples: list[Sample], coefficients: Array, intercept: float) -> list[list[float]]:
    """For each share of `SHARES` the probability over which it of the unanswerable questions
    comes; every set weighs the same."""
    chances: list[Array] = []
    weights: list[Array] = []
    for each in samples:
        unanswerable = probabilities(each, coefficients, intercept)[each.labels == 0]
        chances.append(unanswerable)
        weights.append(np.full(len(unanswerable), 1.0 / len(unanswerable)))
    ordered = np.argsort(-np.concatenate(chances))
    chance = np.concatenate(chances)[ordered]
    share = np.cumsum(np.concatenate(weights)[ordered]) / len(samples)
    return [
        [wanted, round(float(chance[min(int(np.searchsorted(share, wanted)), len(chance) - 1)]), 4)]
        for wanted in SHARES
    ]


def print_quality(sample: Sample, chances: Array) -> None:
    """AUC, and both errors together at several thresholds."""
    from sklearn.metrics import roc_auc_score

    print(
        f"{sample.name}: {len(sample.labels)} questions, AUC {roc_auc_score(sample.labels, chances):.3f}"
    )
    for threshold in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
        refused = chances < threshold
        right = 100 * refused[sample.labels == 0].mean()
        wrong = 100 * refused[sample.labels == 1].mean()
        print(
            f"  threshold {threshold}: refused of unanswerable {right:5.1f} %, of answerable {wrong:5.1f} %"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=sorted(NAMES), default="reading")
    parser.add_argument("--cache", type=Path, help="keep the indexes here for the next run")
    parser.add_argument("--limit", type=int, default=200, help="questions of each public set")
    parser.add_argument("--write", action="store_true", help="write the coefficients")
    arguments = parser.parse_args()
    names = NAMES[arguments.model]
    encoder = load_encoder(progress=print)
    with tempfile.TemporaryDirectory() as aside:
        base = arguments.cache or Path(aside)
        samples = [
            sample(
                name,
                assistant_for(
                    base / name, encoder, reader={"enabled": arguments.model == "reading"}
                ),
                asked,
            )
            for name, asked in development_sets(base, encoder, arguments.limit).items()
        ]
    print("Leave one set out:")
    for held in samples:
        model = fit([s for s in samples if s is not held])
        print_quality(held, probabilities(held, *model))
    coefficients, intercept = fit(samples)
    print("All sets (what is written):")
    for each in samples:
        print_quality(each, probabilities(each, coefficients, intercept))
    content = {
        "made_by": f"python -m benchmarks.calibrate --model {arguments.model} --write",
        "questions": {s.name: len(s.labels) for s in samples},
        "coefficients": {
            name: round(float(value), 4) for name, value in zip(names, coefficients, strict=True)
        },
        "intercept": round(intercept, 4),
        "thresholds": thresholds(samples, coefficients, intercept),
    }
    print(json.dumps(content, ensure_ascii=False, indent=2))
    if arguments.write:
        models = json.loads(COEFFICIENTS.read_text(encoding="utf-8"))
        models[arguments.model] = content
        COEFFICIENTS.write_text(
            json.dumps(models, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
