"""Speed: embedding against PyTorch fp32, a warm search, a cold `rag ask`, `rag --help`.

Ratios come from interleaved rounds on the same passages, medians of all rounds: the machine may
be busy, and then both sides are. The passages are our own corpus/, repeated where many are needed.

Run: ``python -m benchmarks.speed [--rounds N]``
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rag.chinese import tokenize
from rag.ingest.clean import clean
from rag.ingest.read import read_file
from rag.offsets import OffsetMap
from rag.retrieve.embed import Encoder, load_encoder
from rag.retrieve.generation import Recipe, write_generation
from rag.retrieve.index import CorpusIndex
from rag.types import Document, Passage

PASSAGES = 32
LENGTH = 200
INDEX_SIZE = 10_000
QUESTION = "截至2024年底，完成备案的生成式人工智能服务有多少款？"


def seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def passages() -> list[str]:
    """Pieces of 200 characters of corpus/."""
    texts = [
        clean(read_file(path, max_bytes=1 << 24)).text
        for path in sorted(Path("corpus").glob("*.md"))
    ]
    everything = "".join("".join(text.split()) for text in texts)
    return [everything[i : i + LENGTH] for i in range(0, len(everything) - LENGTH, LENGTH)]


def compare_encoders(fast: Encoder, texts: list[str], rounds: int) -> None:
    torch_encoder = load_encoder(backend="torch")
    sides = {"ONNX int8 (the product)": fast, "PyTorch fp32": torch_encoder}
    documents: dict[str, list[float]] = {name: [] for name in sides}
    queries: dict[str, list[float]] = {name: [] for name in sides}
    for encoder in sides.values():
        encoder.encode_document(texts)
    for _ in range(rounds):
        for name, encoder in sides.items():
            documents[name].append(seconds(lambda e=encoder: e.encode_document(texts)))  # type: ignore[misc]
            queries[name].append(seconds(lambda e=encoder: e.encode_query([QUESTION])))  # type: ignore[misc]
    cosines = (fast.encode_document(texts) * torch_encoder.encode_document(texts)).sum(axis=1)
    for name in sides:
        speed = len(texts) / statistics.median(documents[name])
        query = 1000 * statistics.median(queries[name])
        print(f"{name:26}{speed:7.1f} passages/s{query:9.1f} ms a query")
    ratios = [b / a for a, b in zip(*documents.values(), strict=True)]
    print(
        f"ratio on passages: median {statistics.median(ratios):.2f}"
        f" (rounds {min(ratios):.2f} to {max(ratios):.2f});"
        f" cosine between them at least {cosines.min():.4f}"
    )


def warm_search(encoder: Encoder, texts: list[str], rounds: int) -> None:
    """Search in 10,000 passages: real texts and vectors, shuffled into new ones."""
    random = np.random.default_rng(7)
    vectors = encoder.encode_document(texts)
    mixed, stored = [], []
    for _ in range(INDEX_SIZE):
        first, second = random.integers(len(texts), size=2)
        mixed.append(texts[first][:100] + texts[second][100:])
        vector = vectors[first] + vectors[second] + random.normal(0, 0.01, encoder.dimension)
        stored.append(vector / np.linalg.norm(vector))
    text = "".join(mixed)
    document = Document("mixed", "", text, text, OffsetMap.identity(len(text)))
    spans = [
        Passage("mixed", i * LENGTH, (i + 1) * LENGTH, mixed[i], id=i + 1)
        for i in range(INDEX_SIZE)
    ]
    recipe = Recipe.of(encoder, split_size=LENGTH, split_overlap=0, clean=())
    with tempfile.TemporaryDirectory() as aside:
        write_generation(Path(aside), recipe, [document], spans, np.array(stored, np.float32))
        loading = seconds(lambda: CorpusIndex.load(Path(aside), recipe))
        index = CorpusIndex.load(Path(aside), recipe)
        index.search(QUESTION, encoder)
        times = [seconds(lambda: index.search(QUESTION, encoder)) for _ in range(10 * rounds)]
    print(
        f"search in {INDEX_SIZE:,} passages, warm: median {1000 * statistics.median(times):.1f} ms,"
        f" 95th percentile {1000 * float(np.percentile(times, 95)):.1f} ms"
        f" ({len(tokenize(QUESTION))} question tokens); loading {loading:.2f} s"
    )


def command(name: str, arguments: list[str], rounds: int) -> None:
    """Wall time of a whole process of the command line."""
    rag = str(Path(sys.executable).parent / "rag")
    times = [
        seconds(lambda: subprocess.run([rag, *arguments], check=True, capture_output=True))
        for _ in range(rounds)
    ]
    print(f"{name}: median {statistics.median(times):.2f} s (fastest {min(times):.2f} s)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    encoder = load_encoder(progress=print)
    texts = passages()
    compare_encoders(encoder, texts[:PASSAGES], rounds)
    warm_search(encoder, texts, rounds)
    command("rag --help", ["--help"], rounds)
    with tempfile.TemporaryDirectory() as aside:
        subprocess.run(
            [str(Path(sys.executable).parent / "rag"), "index", "--index", f"{aside}/index"],
            check=True,
            capture_output=True,
        )
        command("rag ask, cold", ["ask", QUESTION, "--index", f"{aside}/index"], rounds)


if __name__ == "__main__":
    main()
