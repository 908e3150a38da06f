"""The two sets that are reported on: the article's report questions, and our own set for corpus/.

Both say where their answers stand, and that is held against the documents themselves. How the
article is repaired by hand, and what a run of it is, stands in test_corpus.py.
"""

import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hashed_encoder import HashedBigramEncoder
from paths import ROOT
from test_corpus import KINDS, OFFICIAL_TITLES, RUN, article, runs, sentence_with

from rag.chinese import match_form, to_simplified
from rag.indexer import Indexer
from rag.settings import Settings

DATA = ROOT / "tests" / "data"
REPORT_SET = DATA / "article_report_questions.jsonl"
OLDER_SETS = (DATA / "article_questions.jsonl", DATA / "development_questions.jsonl")
OWN_SET = ROOT / "benchmarks" / "sets" / "corpus"

REFUSED_KINDS = {"near_miss", "off_topic", "traditional", "false_premise"}
TYPES = {
    "fact",
    "list",
    "definition",
    "number",
    "date",
    "colloquial",
    "traditional",
    "false-premise",
    "integration",
    "near-miss",
    "off-topic",
}
REFUSED_TYPES = {"near-miss", "off-topic", "traditional"}
# RGB's fourth, counterfactual, needs documents that err; ours do not.
ABILITIES = {"noise", "rejection", "integration"}


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def plain(text: str) -> str:
    """As the benchmarks compare: matching form without spaces."""
    return "".join(match_form(text).split())


def is_traditional(row: dict[str, Any]) -> bool:
    return bool(row["question"] != to_simplified(row["question"]))


REPORT = read(REPORT_SET)
OWN = read(OWN_SET / "questions.jsonl")
MANIFEST = tomllib.loads((OWN_SET / "dataset.toml").read_text(encoding="utf-8"))
DOCUMENTS = {
    f"{folder.name}/{path.name}": path.read_text(encoding="utf-8")
    for folder in ((OWN_SET / name).resolve() for name in MANIFEST["documents"])
    for path in folder.glob("*.md")
    if path.name != "README.md"
}


def by_id(rows: list[dict[str, Any]], *, answerable: bool) -> Any:
    chosen = [row for row in rows if row["answerable"] == answerable]
    return pytest.mark.parametrize("row", chosen, ids=lambda row: row["id"])


def test_no_question_is_asked_twice_in_any_set() -> None:
    older = [row for path in OLDER_SETS for row in read(path)]
    rows = [*older, *REPORT, *OWN]
    assert [
        text for text, n in Counter(plain(row["question"]) for row in rows).items() if n > 1
    ] == []
    assert len({row["id"] for row in rows}) == len(rows)


def test_the_report_set_keeps_its_size_and_schema() -> None:
    assert Counter(row["answerable"] for row in REPORT) == {True: 60, False: 30}
    assert [row["id"] for row in REPORT] == [f"article-report-{n:02}" for n in range(1, 91)]
    for row in REPORT:
        assert set(row) == {"id", "question", "answers", "evidence", "answerable", "kind"}
        assert row["kind"] in (KINDS if row["answerable"] else REFUSED_KINDS)
        assert (row["kind"] == "traditional") == is_traditional(row)
    assert sum(row["kind"] == "traditional" for row in REPORT) >= 8
    assert {row["kind"] for row in REPORT} == KINDS


@by_id(REPORT, answerable=False)
def test_the_report_set_expects_nothing_where_the_article_is_silent(row: dict[str, Any]) -> None:
    assert (row["answers"], row["evidence"]) == ([], "")


@by_id(REPORT, answerable=True)
def test_the_article_answers_the_report_question(row: dict[str, Any]) -> None:
    assert 8 <= len(row["evidence"]) < RUN
    sentence = plain(sentence_with(article(), row["evidence"]))
    assert all(answer == to_simplified(answer) for answer in row["answers"])
    assert all(plain(answer) in plain(article()) for answer in row["answers"])
    assert any(plain(answer) in sentence for answer in row["answers"])


@pytest.mark.parametrize("path", [REPORT_SET, *OWN_SET.iterdir()], ids=lambda path: path.name)
def test_nothing_of_the_article_stands_word_for_word(path: Path) -> None:
    shared = runs(match_form(path.read_text(encoding="utf-8"))) & runs(article())
    assert {run for run in shared if not any(run in title for title in OFFICIAL_TITLES)} == set()


def test_our_own_set_keeps_its_size_and_schema() -> None:
    answerable = Counter(row["answerable"] for row in OWN)
    assert answerable[True] >= 80
    assert answerable[False] >= 40
    required = {"id", "question", "answers", "positive_ids", "answerable", "type"}
    required |= {"key_facts", "evidence"}
    for row in OWN:
        assert required <= set(row) <= required | {"document", "abilities"}
        assert row["question"].strip() == row["question"] != ""
        assert row["type"] in (TYPES if row["answerable"] else REFUSED_TYPES)
        assert set(row.get("abilities", [])) <= ABILITIES
        assert ("rejection" in row.get("abilities", [])) == (not row["answerable"])
        assert ("integration" in row.get("abilities", [])) == (row["type"] == "integration")
        if row["type"] == "traditional":
            assert is_traditional(row)
    assert {row["type"] for row in OWN} == TYPES


@by_id(OWN, answerable=False)
def test_our_own_set_expects_nothing_where_the_documents_are_silent(row: dict[str, Any]) -> None:
    assert row["answers"] == row["positive_ids"] == row["key_facts"] == row["evidence"] == []
    assert "document" not in row


@by_id(OWN, answerable=True)
def test_the_documents_answer_our_own_question(row: dict[str, Any]) -> None:
    holders = [[d for d in row["positive_ids"] if span in DOCUMENTS[d]] for span in row["evidence"]]
    assert all(len(found) == 1 for found in holders)
    assert {document for found in holders for document in found} == set(row["positive_ids"])
    if "document" in row:
        assert [row["document"]] == row["positive_ids"]
    assert row["answers"]
    assert row["key_facts"]
    facts = [fact.split("|")[0] for fact in row["key_facts"]]  # other wordings follow
    for text in (*row["answers"], *facts):
        assert any(plain(text) in plain(span) for span in row["evidence"])
    if row["type"] == "integration":
        assert len(row["evidence"]) == len(row["key_facts"]) == 2


def test_our_own_set_asks_about_every_document() -> None:
    assert {document for row in OWN for document in row["positive_ids"]} == set(DOCUMENTS)


def test_positive_ids_are_the_ids_of_indexed_documents(tmp_path: Path) -> None:
    defaults = Settings()
    indexer = Indexer(
        tmp_path / "index",
        encoder=HashedBigramEncoder(),
        split_size=defaults.split.size,
        split_overlap=defaults.split.overlap,
        steps=defaults.clean,
    )
    report = indexer.update([OWN_SET / name for name in MANIFEST["documents"]])
    assert set(report.added) == set(DOCUMENTS)


def test_the_manifest_and_the_readme_count_as_the_file_does() -> None:
    assert (OWN_SET / MANIFEST["questions"]).samefile(OWN_SET / "questions.jsonl")
    counted = Counter(row["answerable"] for row in OWN)
    for number in (len(OWN), counted[True], counted[False]):
        assert f"{number} 个" in MANIFEST["description"]
    readme = (OWN_SET / "README.md").read_text(encoding="utf-8")
    listed = {name: int(n) for name, n in re.findall(r"^\| ([a-z-]+) \| (\d+) \|", readme, re.M)}
    assert listed == Counter(row["type"] for row in OWN)
