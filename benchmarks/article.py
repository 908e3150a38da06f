"""The article of ../shared/seed: questions on its facts, and questions that it does not answer.

``report``: 60 and 30 questions that nobody who tunes has read; counts alone are printed.
``first``: the 40 and 20 of the first release; read since, so development questions now.
``second``: 40 and 42 written for development, in everyday words, the latter near misses.
``corpus``: the development questions, asked of corpus/.

Retrieval counts a question when a passage in
the top 3 holds its evidence; an extractive answer counts when it is not refused, holds one of the
expected facts, and a citation whose quote holds the evidence or that fact. A refusal is the state
``not_found``; ``uncertain`` counts as an answer.

Run: ``python -m benchmarks.article [--questions report|first|second|corpus] [--verbose] [--no-reader]``
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.calibrate import (
    ARTICLE_DEVELOPMENT,
    ARTICLE_QUESTIONS,
    OWN_QUESTIONS,
    assistant_for,
    indexer_for,
)
from benchmarks.datasets import rows
from rag.assistant import Assistant
from rag.chinese import match_form
from rag.retrieve.embed import load_encoder
from rag.types import Answer, State

ARTICLE = Path("../shared/seed")
QUESTIONS = {
    "report": (ARTICLE, Path("tests/data/article_report_questions.jsonl")),
    "first": (ARTICLE, ARTICLE_QUESTIONS),
    "second": (ARTICLE, ARTICLE_DEVELOPMENT),
    "corpus": (Path("corpus"), OWN_QUESTIONS),
}
TOP = 3


def plain(text: str) -> str:
    """Match form without spaces, as the question files compare."""
    return "".join(match_form(text).split())


def holds(text: str, wanted: list[str]) -> bool:
    return any(plain(each) in plain(text) for each in wanted)


def has_cited_fact(answer: Answer, answers: list[str], evidence: str) -> bool:
    """Whether the answer holds the fact and a citation stands where the fact is."""
    return holds(answer.text, answers) and any(
        holds(citation.quote, [evidence, *answers]) for citation in answer.citations
    )


def measure(
    assistant: Assistant, questions: Path, *, is_verbose: bool
) -> dict[str, tuple[int, int]]:
    """Counts ``(met, of)`` by what is measured."""
    found = answered = refused = answerable = unanswerable = 0
    for row in rows(questions):
        answer = assistant.ask(row["question"])
        if row["answerable"]:
            answerable += 1
            evidence = [row["evidence"]]
            is_found = any(holds(hit.passage.text, evidence) for hit in answer.hits[:TOP])
            is_met = has_cited_fact(answer, row["answers"], row["evidence"])
            found += is_found
            answered += is_met
            note = f"top {TOP} {'yes' if is_found else 'NO'}, fact {'yes' if is_met else 'NO'}"
        else:
            unanswerable += 1
            is_met = answer.state is State.NOT_FOUND
            refused += is_met
            note = "refused" if is_met else "ANSWERED"
        if is_verbose:
            chance = f"{answer.state.value:9}"
            print(f"{row['id']:14} {row['kind']:13} {chance} {note:22} {row['question']}")
    return {
        f"passage in the top {TOP}": (found, answerable),
        "answer holds the fact, rightly cited": (answered, answerable),
        "unanswerable questions refused": (refused, unanswerable),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", choices=sorted(QUESTIONS), default="report")
    parser.add_argument("--verbose", action="store_true", help="one line a question")
    parser.add_argument("--no-reader", action="store_true", help="similarity alone")
    arguments = parser.parse_args()
    if arguments.verbose and arguments.questions == "report":
        parser.error("the report's questions stay unread: no --verbose")
    source, questions = QUESTIONS[arguments.questions]
    if not source.is_dir():
        sys.exit(f"{source} is not there: put the article beside the repository")
    encoder = load_encoder(progress=print)
    with tempfile.TemporaryDirectory() as aside:
        directory = Path(aside) / "index"
        indexer = indexer_for(directory, encoder)
        report = indexer.update([source])
        print(f"{source}: {report.documents} documents, {report.passages} passages")
        reader = {"enabled": not arguments.no_reader}
        assistant = assistant_for(directory, encoder, reader=reader)
        counts = measure(assistant, questions, is_verbose=arguments.verbose)
    for name, (met, total) in counts.items():
        print(f"{name:40}{met:4} of {total}")


if __name__ == "__main__":
    main()
