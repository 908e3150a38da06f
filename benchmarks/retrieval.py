"""Recall of dense, keyword and hybrid retrieval on CMRC2018 dev and DRCD dev.

Passages of about 200 characters (the product's own split; the mean is printed), by default
without their articles' titles. A hit counts when the passage
comes from a positive document and holds one of the answers, compared in `rag.chinese.match_form`;
the few questions whose answers stand in no passage word for word count by document. DRCD
(traditional) is asked in simplified script. The last row lets the reader order what hybrid found.

Run: ``python -m benchmarks.retrieval [--titles] [--limit N] [--no-reader]``
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.calibrate import indexer_for
from benchmarks.datasets import Question, items, questions
from rag.chinese import match_form, to_simplified
from rag.reader.load import LazyReader
from rag.reader.rerank import ReaderReranker
from rag.retrieve.embed import Encoder, load_encoder
from rag.retrieve.index import CorpusIndex
from rag.retrieve.rerank import Reranker
from rag.settings import Settings
from rag.types import Hit

MODES = ("dense", "keyword", "hybrid")
READ = "hybrid, read"
DEPTH = 10


def build(name: str, directory: Path, encoder: Encoder, *, with_titles: bool) -> CorpusIndex:
    """Index a set; an index that is there already is reused."""
    indexer = indexer_for(directory, encoder)
    report = indexer.update_items(items(name, with_titles=with_titles))
    index = CorpusIndex.load(directory, indexer.recipe)
    ids = index.keyword.ids.tolist()
    spans = [index.documents.passages([number])[number] for number in ids]
    length = statistics.mean(len(passage.text) for passage in spans)
    print(
        f"{name}: {report.documents} documents, {report.passages} passages of {length:.0f}"
        f" characters on average, {report.seconds:.0f} s"
    )
    return index


def rank_of_answer(question: Question, hits: tuple[Hit, ...], in_passage: bool) -> int | None:
    """The rank, from 1, of the first passage that holds the answer."""
    answers = [match_form(answer).replace(" ", "") for answer in question.answers]
    for rank, hit in enumerate(hits, 1):
        if hit.passage.document not in question.positives:
            continue
        text = match_form(hit.passage.text).replace(" ", "")
        if not in_passage or any(answer in text for answer in answers):
            return rank
    return None


def measure(
    name: str,
    index: CorpusIndex,
    encoder: Encoder,
    limit: int | None,
    reranker: Reranker | None,
) -> None:
    """Print R@1, R@3, R@5, R@10 and MRR@10 for each mode."""
    asked = questions(name)[:limit]
    weight = Settings().retrieve.weight
    whole = {
        about.id: match_form(index.documents.document(about.id).text).replace(" ", "")
        for about in index.documents.abouts()
    }
    print(f"{'':24}{'R@1':>7}{'R@3':>7}{'R@5':>7}{'R@10':>7}{'MRR@10':>8}{'ms':>7}")
    for mode in (*MODES, READ) if reranker else MODES:
        ranks = []
        started = time.perf_counter()
        for question in asked:
            text = to_simplified(question.text)
            by = "hybrid" if mode == READ else mode
            hits = index.search(text, encoder, mode=by, count=2 * DEPTH, weight=weight)
            if mode == READ and reranker:
                hits = tuple(reranker.rerank(text, hits))
            hits = hits[:DEPTH]
            in_passage = any(
                match_form(answer).replace(" ", "") in whole[positive]
                for answer in question.answers
                for positive in question.positives
            )
            ranks.append(rank_of_answer(question, hits, in_passage))
        seconds = (time.perf_counter() - started) / len(asked)
        found = [rank for rank in ranks if rank is not None]
        recalls = [100 * sum(r <= k for r in found) / len(asked) for k in (1, 3, 5, 10)]
        mrr = sum(1 / rank for rank in found) / len(asked)
        cells = "".join(f"{recall:7.1f}" for recall in recalls)
        print(f"{name + ' ' + mode:24}{cells}{mrr:8.3f}{1000 * seconds:7.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--titles", action="store_true", help="index titles with the passages")
    parser.add_argument("--limit", type=int, help="ask only the first N questions")
    parser.add_argument("--cache", type=Path, help="keep the indexes here for the next run")
    parser.add_argument("--no-reader", action="store_true", help="leave the last row out")
    arguments = parser.parse_args()
    options = Settings().reader
    reranker = None
    if not arguments.no_reader:
        reranker = ReaderReranker(LazyReader(), depth=options.candidates, weight=options.weight)
    encoder = load_encoder(progress=print)
    with tempfile.TemporaryDirectory() as aside:
        for name in ("cmrc2018-dev", "drcd-dev"):
            directory = (arguments.cache or Path(aside)) / f"{name}-{arguments.titles}"
            index = build(name, directory, encoder, with_titles=arguments.titles)
            measure(name, index, encoder, arguments.limit, reranker)


if __name__ == "__main__":
    main()
