"""The schema of our sets: ``corpus.jsonl`` = {id, title, text, source}, ``questions.jsonl`` =
{id, question, answers, positive_ids, answerable, type}; optional ``evidence``, ``key_facts`` and
``abilities``. Either file may be gzipped."""

from pathlib import Path

from rag.evaluate.abilities import ABILITIES
from rag.evaluate.questions import CorpusText, Question
from rag.evaluate.readers.lines import Fields, Unique, rows


def corpus(path: Path) -> tuple[CorpusText, ...]:
    """The documents of a corpus file.

    Raises:
        DatasetError: the first fault, with its line.
    """
    seen = Unique(path)
    texts = []
    for line, row in rows(path):
        fields = Fields(path, line, row)
        identifier = fields.identifier("id")
        seen.add(identifier, line)
        title, source = fields.text("title", default=""), fields.text("source", default="")
        texts.append(CorpusText(identifier, title, fields.text("text"), source))
    return tuple(texts)


def questions(path: Path) -> tuple[Question, ...]:
    """The questions of a file.

    Raises:
        DatasetError: the first fault, with its line.
    """
    seen = Unique(path)
    found = []
    for line, row in rows(path):
        fields = Fields(path, line, row)
        question = _question(fields, line)
        seen.add(question.id, line)
        found.append(question)
    return tuple(found)


def _question(fields: Fields, line: int) -> Question:
    question = Question(
        id=fields.identifier("id"),
        text=fields.text("question"),
        answers=fields.texts("answers"),
        positives=fields.identifiers("positive_ids"),
        is_answerable=fields.flag("answerable"),
        kind=fields.text("type", default=""),
        evidence=fields.texts("evidence", required=False),
        key_facts=fields.texts("key_facts", required=False),
        abilities=fields.texts("abilities", required=False),
        line=line,
    )
    if question.is_answerable and not (
        question.answers or question.positives or question.key_facts
    ):
        raise fields.fault(
            "标为可回答，但 answers、positive_ids 与 key_facts 都为空",
            "请补上其一，或改为 answerable: false",
        )
    for ability in question.abilities:
        if ability not in ABILITIES:
            raise fields.fault(
                f"abilities 中的 {ability!r} 不认识", f"可用：{'、'.join(ABILITIES)}"
            )
    return question
