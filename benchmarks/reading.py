"""The reader by itself: spans with the passage given, and the sentences that prove them.

- cmrc2018-dev with its gold passage: exact match and F1 of the best span, scored as the official
  script scores. Long passages are read in windows of `WINDOW` characters, the best one counts.
- expmrc-cmrc2018-dev: F1 of the sentences around that span against the gold evidence, as the
  ExpMRC scorer defines it.

Nothing of either set is trained on. The windows' size is that of training. Both halves of the
question ids are printed: what was chosen was chosen on the even half, the odd half is the report.

Run: ``python -m benchmarks.reading [--limit N]``
"""

import argparse
import random
import statistics
from collections import defaultdict

from benchmarks.datasets import data_folder, questions, rows
from rag.answer import spans
from rag.evaluate.reading_comprehension import evidence_f1, exact_match, f1
from rag.offsets import OffsetMap
from rag.reader.load import LazyReader
from rag.reader.model import Text
from rag.types import Document, Hit, Passage

WINDOW, STEP = 400, 200


def windows(text: str) -> list[tuple[int, int]]:
    """Overlapping windows over a text, the last one whole."""
    if len(text) <= WINDOW:
        return [(0, len(text))]
    starts = [*range(0, len(text) - WINDOW, STEP), len(text) - WINDOW]
    return [(start, start + WINDOW) for start in starts]


def read_whole(reader: LazyReader, question: str, title: str, text: str) -> tuple[str, str]:
    """The words that answer a question in a text, and the sentence or sentences around them."""
    document = Document("d", title, text, text, OffsetMap.identity(len(text)))
    passages = [Passage("d", start, end, text[start:end]) for start, end in windows(text)]
    readings = reader.read(question, [Text(passage.text, (title,)) for passage in passages])
    hits = [
        Hit(passage, title, 1.0, reading=reading)
        for passage, reading in zip(passages, readings, strict=True)
    ]
    ranked = spans.candidates(question, hits, lambda _: document)
    return (spans.focus_text(ranked[0]), ranked[0].text) if ranked else ("", "")


def measure(name: str, reader: LazyReader, limit: int | None) -> None:
    """Print means by half of the question ids, and of all."""
    texts = {row["id"]: row for row in rows(data_folder(name) / "corpus.jsonl")}
    asked = questions(name)
    if limit:
        asked = random.Random(7).sample(asked, min(limit, len(asked)))
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for question in asked:
        row = texts[min(question.positives)]
        span, evidence = read_whole(reader, question.text, row["title"], row["text"])
        scores = {"EM": exact_match(question.answers, span), "F1": f1(question.answers, span)}
        if question.evidence:
            scores["evidence F1"] = evidence_f1(question.evidence, evidence)
        for half in ("even" if question.is_development else "odd", "all"):
            for metric, score in scores.items():
                found[half][metric].append(score)
    for half in ("even", "odd", "all"):
        cells = "  ".join(
            f"{metric} {100 * statistics.mean(scores):5.1f}"
            for metric, scores in found[half].items()
        )
        print(f"{name:24}{half:6}{len(found[half]['F1']):6}  {cells}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, help="a seeded sample of each set")
    arguments = parser.parse_args()
    reader = LazyReader()
    for name in ("cmrc2018-dev", "expmrc-cmrc2018-dev"):
        measure(name, reader, arguments.limit)


if __name__ == "__main__":
    main()
