"""Training examples: right and wrong passages for questions, right and wrong claims for passages.

Everything is drawn with a generator seeded by (seed, epoch, question), so that a run can be
resumed and repeated. Unanswerable passages come in four kinds: what retrieval found instead
(hard), other passages of the same article, the right passage without its answering sentence, and
the right passage with a name or number of the question exchanged.
"""

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.datasets import data_folder, rows
from rag.chinese import match_form
from rag.ingest.split import split
from rag.offsets import OffsetMap
from rag.reader.inputs import Task
from rag.sentences import sentence_spans
from rag.settings import SplitSettings
from rag.types import Document
from training.claims import claim_pairs

NAME = "cmrc2018-train"
_WITH_CONTEXT = 0.75
_REPHRASED = 0.5
_LONG_WINDOW = 0.2
_LONG = (300, 450)
_NUMBER = re.compile(r"\d+")
_NAME_FLAGS = ("nr", "ns", "nt", "nz", "nrt", "nrfg")


@dataclass(frozen=True, slots=True)
class Example:
    """One sequence to train on. ``answer`` is a span of ``passage``; None where it holds none.

    For `Task.QUESTION` ``label`` says whether the passage answers, for `Task.CLAIM` whether it
    supports the claim.
    """

    task: Task
    text: str
    passage: str
    context: str
    label: bool
    answer: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class TrainingQuestion:
    id: str
    text: str
    document: str
    start: int
    end: int


class Material:
    """cmrc2018-train with its passages and what retrieval found (see `training.mine`).

    ``rephrased``: questions in other words, by id; they take the original's place half the time.
    """

    def __init__(self, hits: Path, rephrased: Mapping[str, str], *, seed: int) -> None:
        folder = data_folder(NAME)
        self._rephrased = rephrased
        self._seed = seed
        self._texts: dict[str, str] = {}
        self._titles: dict[str, str] = {}
        for row in rows(folder / "corpus.jsonl"):
            self._texts[row["id"]], self._titles[row["id"]] = row["text"], row["title"]
        sizes = SplitSettings()
        self._passages = {
            name: [
                (passage.start, passage.end)
                for passage in split(
                    Document(name, "", text, text, OffsetMap.identity(len(text))),
                    size=sizes.size,
                    overlap=sizes.overlap,
                )
            ]
            for name, text in self._texts.items()
        }
        self.questions = [
            TrainingQuestion(
                row["id"],
                row["question"],
                row["positive_ids"][0],
                row["answer_start"],
                row["answer_start"] + len(row["answers"][0]),
            )
            for row in rows(folder / "questions.jsonl")
        ]
        with hits.open(encoding="utf-8") as file:
            self._hits = {row["id"]: row["hits"] for row in map(json.loads, file)}
        self._names, self._pool = _names(self.questions)

    def passage_texts(self) -> list[str]:
        """Every passage of the training articles, for claims."""
        return [
            self._texts[name][start:end]
            for name, spans in self._passages.items()
            for start, end in spans
        ]

    def question_unit(self, question: TrainingQuestion, epoch: int) -> list[Example]:
        """The question with a passage that answers it, and with one that does not."""
        generator = random.Random(f"{self._seed}:{epoch}:{question.id}")
        if question.id in self._rephrased and generator.random() < _REPHRASED:
            question = replace(question, text=self._rephrased[question.id])
        positive = self._positive(question, generator)
        negative = None
        while negative is None:
            kind = generator.random()
            if kind < 0.40:
                negative = self._retrieved(question, generator)
            elif kind < 0.65:
                negative = self._same_article(question, generator)
            elif kind < 0.82:
                negative = self._without_answer(question, positive)
            else:
                negative = self._exchanged(question, positive, generator)
            if negative is None:
                negative = self._retrieved(question, generator) or self._random(generator)
        return [positive, replace(negative, text=negative.text or question.text)]

    def _example(
        self, text: str, document: str, start: int, end: int, use_context: bool
    ) -> Example:
        context = self._titles[document] if use_context else ""
        return Example(Task.QUESTION, text, self._texts[document][start:end], context, False)

    def _positive(self, question: TrainingQuestion, generator: random.Random) -> Example:
        text = self._texts[question.document]
        holding = [
            span
            for span in self._passages[question.document]
            if span[0] <= question.start and question.end <= span[1]
        ]
        if holding and generator.random() > _LONG_WINDOW:
            start, end = generator.choice(holding)
        else:
            room = max(generator.randint(*_LONG) - (question.end - question.start), 0)
            start = max(question.start - generator.randint(0, room), 0)
            end = min(start + room + question.end - question.start, len(text))
        example = self._example(
            question.text, question.document, start, end, generator.random() < _WITH_CONTEXT
        )
        return replace(example, label=True, answer=(question.start - start, question.end - start))

    def _retrieved(self, question: TrainingQuestion, generator: random.Random) -> Example | None:
        answer = self._answer(question)
        wrong = [
            hit
            for hit in self._hits.get(question.id, ())
            if answer not in match_form(self._texts[hit[0]][hit[1] : hit[2]])
        ]
        if not wrong:
            return None
        document, start, end = wrong[min(int(generator.expovariate(0.4)), len(wrong) - 1)]
        return self._example(
            question.text, document, start, end, generator.random() < _WITH_CONTEXT
        )

    def _same_article(self, question: TrainingQuestion, generator: random.Random) -> Example | None:
        answer, text = self._answer(question), self._texts[question.document]
        spans = [
            (start, end)
            for start, end in self._passages[question.document]
            if answer not in match_form(text[start:end])
        ]
        if not spans:
            return None
        start, end = generator.choice(spans)
        return self._example(
            question.text, question.document, start, end, generator.random() < _WITH_CONTEXT
        )

    def _without_answer(self, question: TrainingQuestion, positive: Example) -> Example | None:
        if positive.answer is None:
            return None
        first, last = positive.answer
        kept = "".join(
            positive.passage[start:end]
            for start, end in sentence_spans(positive.passage)
            if end <= first or start >= last
        )
        if len(kept) < 40 or self._answer(question) in match_form(kept):
            return None
        return replace(positive, passage=kept, label=False, answer=None)

    def _exchanged(
        self, question: TrainingQuestion, positive: Example, generator: random.Random
    ) -> Example | None:
        seen = positive.passage + positive.context
        choices = [
            (number, _other_number(number, generator))
            for number in _NUMBER.findall(question.text)
            if number in seen
        ]
        choices += [
            (name, generator.choice(self._pool[flag]))
            for name, flag in self._names[question.id]
            if name in seen and name in question.text
        ]
        choices = [(old, new) for old, new in choices if new not in seen and old != new]
        if not choices:
            return None
        old, new = generator.choice(choices)
        return replace(positive, text=question.text.replace(old, new), label=False, answer=None)

    def _random(self, generator: random.Random) -> Example:
        document = generator.choice(sorted(self._passages))
        start, end = generator.choice(self._passages[document])
        return self._example("", document, start, end, True)

    def _answer(self, question: TrainingQuestion) -> str:
        return match_form(self._texts[question.document][question.start : question.end])


def claim_units(passages: Sequence[str], *, seed: int) -> Iterator[list[Example]]:
    """Claims about one passage after another, four at a time, half of them supported."""
    right: list[Example] = []
    wrong: list[Example] = []
    for pair in claim_pairs(passages, seed=seed):
        example = Example(Task.CLAIM, pair.claim, pair.passage, "", pair.supported)
        (right if pair.supported else wrong).append(example)
        if len(right) >= 2 and len(wrong) >= 2:
            yield [right.pop(0), right.pop(0), wrong.pop(0), wrong.pop(0)]
            if max(len(right), len(wrong)) > 64:  # a surplus of one side is dropped
                right.clear()
                wrong.clear()


def _other_number(number: str, generator: random.Random) -> str:
    if len(number) == 4 and number[:2] in ("18", "19", "20"):
        return str(int(number) + generator.choice([-11, -7, -3, -2, -1, 1, 2, 3, 6, 12]))
    return str(max(int(number) + generator.choice([-3, -2, -1, 1, 2, 3, 5]), 0))


def _names(
    questions: Iterable[TrainingQuestion],
) -> tuple[dict[str, list[tuple[str, str]]], dict[str, list[str]]]:
    """Names in each question with their part of speech, and all names of each."""
    import jieba
    import jieba.posseg

    jieba.setLogLevel(60)
    found: dict[str, list[tuple[str, str]]] = {}
    pool: dict[str, set[str]] = defaultdict(set)
    for question in questions:
        names = [
            (pair.word, pair.flag[:2])
            for pair in jieba.posseg.cut(question.text)
            if pair.flag in _NAME_FLAGS and len(pair.word) > 1
        ]
        found[question.id] = names
        for name, flag in names:
            pool[flag].add(name)
    return found, {flag: sorted(names) for flag, names in pool.items()}
