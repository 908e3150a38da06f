"""Examples from what was written by hand for training: `data/written.jsonl`, `data/rephrased.jsonl`.

Each row of the first is a passage of our own with questions it answers (asked as doctors, nurses
and patients ask), questions on its subject that it does not answer, claims in other words that it
supports, and claims that sound alike and are not supported. The second holds training questions of
cmrc2018-train in other words. Rules cannot make either: with rules alone the reader took most true
paraphrases for unsupported, and doubted colloquial questions whose answer it had found.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rag.reader.inputs import Task
from training.claims import Spoiler
from training.examples import Example

FOLDER = Path("training/data")
_WITH_CONTEXT = 0.75
# A passage of the product's split often holds more than what a question is about.
_WITH_NEIGHBOUR = 0.15
# The wrong passage of a question: most often its own with a question that it does not answer.
_UNANSWERED = 0.75
# Claims are few beside an hour of training: rules vary them.
_SPOILED = 0.45
_OTHERWISE = 0.3


@dataclass(frozen=True, slots=True)
class Row:
    """One passage and what was written about it; ``asked`` are (question, answer)."""

    title: str
    passage: str
    asked: tuple[tuple[str, str], ...]
    unanswered: tuple[str, ...]
    supported: tuple[str, ...]
    unsupported: tuple[str, ...]


def written_rows(path: Path = FOLDER / "written.jsonl") -> list[Row]:
    """All rows.

    Raises:
        ValueError: an answer does not stand exactly once in its passage.
    """
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        values = json.loads(line)
        asked = tuple((question, answer) for question, answer in values["asked"])
        for _, answer in asked:
            if values["passage"].count(answer) != 1:
                raise ValueError(f"{values['title']}: {answer}")
        others = (tuple(values[name]) for name in ("unanswered", "supported", "unsupported"))
        rows.append(Row(values["title"], values["passage"], asked, *others))
    return rows


def rephrased_questions(path: Path = FOLDER / "rephrased.jsonl") -> dict[str, str]:
    """Questions in other words, by the id of the question they stand for."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {row["id"]: row["question"] for row in rows}


class Written:
    """Units of examples without end, the same for the same seed.

    Training that begins with trained weights knows the older rows: with ``newest`` given, an epoch
    holds that many of the last rows and a third of the others, drawn anew each time.
    """

    def __init__(self, rows: list[Row], *, seed: int, newest: int | None = None) -> None:
        self._rows = rows
        self._seed = seed
        self._older = 0 if newest is None else max(len(rows) - newest, 0)
        self._spoiler = Spoiler([row.passage for row in rows])

    def question_units(self) -> Iterator[list[Example]]:
        """A question with the passage that answers it, and a pair that holds no answer."""
        epoch = 0
        while True:
            generator = random.Random(f"{self._seed}:questions:{epoch}")
            drawn = self._epoch(generator)
            order = [
                (row, *pair) for row in map(self._rows.__getitem__, drawn) for pair in row.asked
            ]
            generator.shuffle(order)
            for row, question, answer in order:
                start = row.passage.index(answer)
                positive = self._example(Task.QUESTION, question, row, generator)
                shift = positive.passage.index(row.passage)
                span = (shift + start, shift + start + len(answer))
                positive = replace(positive, label=True, answer=span)
                if generator.random() < _UNANSWERED:
                    wrong = generator.choice(row.unanswered)
                    negative = self._example(Task.QUESTION, wrong, row, generator)
                else:
                    other = self._other(row, generator)
                    negative = self._example(Task.QUESTION, question, other, generator)
                yield [positive, negative]
            epoch += 1

    def claim_units(self) -> Iterator[list[Example]]:
        """Two supported and two unsupported claims on one passage."""
        epoch = 0
        while True:
            generator = random.Random(f"{self._seed}:claims:{epoch}")
            order = self._epoch(generator)
            generator.shuffle(order)
            for index in order:
                row = self._rows[index]
                right, wrong = self._claims(index, generator)
                unit = [self._example(Task.CLAIM, claim, row, generator) for claim in right + wrong]
                yield [replace(each, label=number < 2) for number, each in enumerate(unit)]
            epoch += 1

    def _epoch(self, generator: random.Random) -> list[int]:
        """The places of the rows of one epoch."""
        older = generator.sample(range(self._older), self._older // 3)
        return [*older, *range(self._older, len(self._rows))]

    def _claims(self, index: int, generator: random.Random) -> tuple[list[str], list[str]]:
        """Two supported and two unsupported claims, some of them varied by rules."""
        row = self._rows[index]
        right = generator.sample(row.supported, 2)
        wrong = generator.sample(row.unsupported, 2)
        spoiled = self._spoiler.wrong(row.supported, index, generator)
        generator.shuffle(spoiled)
        for place in range(2):
            if generator.random() < _OTHERWISE:
                right[place] = self._spoiler.otherwise(right[place], generator)
            if spoiled and generator.random() < _SPOILED:
                wrong[place] = spoiled.pop()
        return right, wrong

    def _example(self, task: Task, text: str, row: Row, generator: random.Random) -> Example:
        """Not labelled yet; a claim has no context, as when answers are verified."""
        passage = row.passage
        if generator.random() < _WITH_NEIGHBOUR:
            neighbour = self._other(row, generator).passage
            pair = [passage, neighbour]
            generator.shuffle(pair)
            passage = "\n".join(pair)
        has_context = task is Task.QUESTION and generator.random() < _WITH_CONTEXT
        return Example(task, text, passage, row.title if has_context else "", False)

    def _other(self, row: Row, generator: random.Random) -> Row:
        """Another passage, near by in the file and so of a like subject."""
        place = self._rows.index(row)
        near = [
            self._rows[index]
            for index in range(max(place - 12, 0), min(place + 13, len(self._rows)))
            if index != place
        ]
        return generator.choice(near)
