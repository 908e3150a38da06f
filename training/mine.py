"""What the product's own retrieval finds for every training question: the hard negatives.

Indexes cmrc2018-train as it stands (no cleaning, so that answer offsets hold) with the product's
split, and writes one line a question: the spans of its best passages.

Run: ``python -m training.mine FILE``; about five minutes on two cores, once.
"""

import json
import sys
import tempfile
from pathlib import Path

from benchmarks.datasets import items, questions
from rag.indexer import Indexer
from rag.retrieve.embed import load_encoder
from rag.retrieve.index import CorpusIndex
from rag.settings import CleanSettings, SplitSettings

NAME = "cmrc2018-train"
DEPTH = 16
AS_IT_STANDS = CleanSettings(
    control_characters=False,
    byte_shift=False,
    pinyin_glosses=False,
    punctuation=False,
    boilerplate=False,
)


def mine(target: Path) -> None:
    """Write ``{"id", "hits": [[document, start, end], ...]}`` for every training question."""
    encoder = load_encoder(progress=print)
    sizes = SplitSettings()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as aside:
        directory = Path(aside) / "index"
        indexer = Indexer(
            directory,
            encoder=encoder,
            split_size=sizes.size,
            split_overlap=sizes.overlap,
            steps=AS_IT_STANDS,
        )
        report = indexer.update_items(items(NAME, with_titles=True))
        print(f"{report.documents} documents, {report.passages} passages", flush=True)
        index = CorpusIndex.load(directory, indexer.recipe)
        part = target.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            for number, question in enumerate(questions(NAME), 1):
                hits = index.search(question.text, encoder, count=DEPTH)
                spans = [(hit.passage.document, hit.passage.start, hit.passage.end) for hit in hits]
                file.write(json.dumps({"id": question.id, "hits": spans}) + "\n")
                if number % 1000 == 0:
                    print(f"{number} questions", flush=True)
        part.replace(target)


if __name__ == "__main__":
    mine(Path(sys.argv[1]))
