"""The one composer: a question in, a cited answer out.

The chat, the command line and every measurement call `Assistant`; what evaluators measure is what
clinicians get. An `Assistant` may be used from several threads at once.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rag.answer import extract, spans
from rag.answer.conflicts import contradicted_amounts
from rag.answer.evidence import Features, judge, reading_features, similarity_features
from rag.answer.follow_up import Rewritten, Turn, stand_alone
from rag.answer.suggest import suggest
from rag.answer.verify import SupportChecker
from rag.errors import LanguageModelError, ModelError, QuestionError
from rag.extractive import correct, quote
from rag.generate import GenerateOptions, finish, generate, not_found
from rag.language import EXTRACTIVE, LanguageModelSource
from rag.reader.load import LazyReader
from rag.reader.rerank import ReaderReranker
from rag.retrieve.embed import Encoder, load_encoder
from rag.retrieve.generation import CURRENT, Recipe
from rag.retrieve.index import CorpusIndex
from rag.retrieve.rerank import Reranker
from rag.settings import Settings
from rag.types import Answer, Document, Hit, State

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How passages are found; see `rag.settings.RetrieveSettings`."""

    mode: str = "hybrid"
    top_k: int = 6
    candidates: int = 50
    weight: float = 0.5


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """How an answer is made; see `rag.settings.AnswerSettings` and `EvidenceSettings`."""

    answered: float
    uncertain: float | None
    max_question_characters: int = 2000
    max_tokens: int = 1024
    temperature: float = 0.0
    strict: bool = True
    regenerate: bool = True
    support: float = 0.5
    false_answers: float = 0.1


@dataclass(frozen=True, slots=True)
class Findings:
    """Passages and sentences found for a question, and the features of their evidence.

    ``ranking`` is what ``hits`` are the beginning of, as deep as was asked for.
    """

    asked: str
    question: str
    index: CorpusIndex
    hits: tuple[Hit, ...]
    ranked: tuple[extract.Candidate, ...]
    features: Features
    timings: dict[str, float]
    ranking: tuple[Hit, ...] = ()


class Assistant:
    """Answers questions from one index.

    Args:
        directory: the index; a newer generation is taken up before the next question.
        recipe: what the index must have been made with.
        models: gives the language model to ask, or none for extractive answering.
        reranker: an optional second stage over the fused candidates.
        checker: says whether a passage supports a claim; without one, shared words decide.
    """

    def __init__(
        self,
        directory: Path,
        *,
        encoder: Encoder,
        recipe: Recipe,
        models: LanguageModelSource,
        search: SearchOptions,
        answer: AnswerOptions,
        reranker: Reranker | None = None,
        checker: SupportChecker | None = None,
    ) -> None:
        self._directory = directory
        self._encoder = encoder
        self._recipe = recipe
        self._models = models
        self._search = search
        self._answer = answer
        self._reranker = reranker
        self._checker = checker
        self._generate = GenerateOptions(
            answer.max_tokens, answer.temperature, answer.strict, answer.regenerate, answer.support
        )
        self._lock = threading.Lock()
        self._index = CorpusIndex.load(directory, recipe)

    @classmethod
    def from_settings(cls, settings: Settings, *, encoder: Encoder | None = None) -> "Assistant":
        """Load the index and, unless one is given, the encoder that the settings name.

        Raises:
            ModelError: the embedding model is missing or damaged.
            CorpusIndexError: there is no index, or it was made with other settings.
            SettingsError: the language model's settings are incomplete.
        """
        models = LanguageModelSource(settings)
        encoder = encoder or encoder_of(settings)
        reader = reader_of(settings)
        recipe = Recipe.of(
            encoder,
            split_size=settings.split.size,
            split_overlap=settings.split.overlap,
            clean=settings.clean.enabled(),
        )
        retrieve, answer = settings.retrieve, settings.answer
        return cls(
            settings.index.directory,
            encoder=encoder,
            recipe=recipe,
            models=models,
            search=SearchOptions(
                retrieve.mode, retrieve.top_k, retrieve.candidates, retrieve.weight
            ),
            answer=AnswerOptions(
                answer.answered,
                answer.uncertain,
                answer.max_question_characters,
                answer.max_tokens,
                answer.temperature,
                settings.evidence.strict,
                settings.evidence.regenerate,
                settings.evidence.support,
                answer.false_answers,
            ),
            reranker=None
            if reader is None
            else ReaderReranker(
                reader, depth=settings.reader.candidates, weight=settings.reader.weight
            ),
            checker=reader,
        )

    @property
    def model_label(self) -> str:
        """Who is answering now, for people."""
        return self._models.label()

    @property
    def model_digest(self) -> str:
        """What identifies the weights of the model that answers now, "" where nothing does."""
        model = self._models.current()
        return model.digest if model is not None else ""

    @property
    def index(self) -> CorpusIndex:
        """The current generation of the index."""
        with self._lock:
            try:
                name = (self._directory / CURRENT).read_text(encoding="utf-8").strip()
            except OSError:
                return self._index  # being replaced or gone: what is loaded still answers
            if name != self._index.generation:
                self._index = CorpusIndex.load(self._directory, self._recipe)
            return self._index

    def document(self, document: str) -> Document:
        """A document by id, whole.

        Raises:
            CorpusIndexError: the index has no such document.
        """
        return self.index.documents.document(document)

    def stand_alone(self, history: Sequence[Turn], question: str) -> Rewritten:
        """A follow-up question as it is to be searched; see `rag.answer.follow_up.stand_alone`."""
        return stand_alone(question, history, model=self._models.current())

    @property
    def collections(self) -> tuple[str, ...]:
        """The names of the index's collections; documents without one count as none."""
        named = {about.collection for about in self.index.documents.abouts()}
        return tuple(sorted(named - {""}))

    def follow_ups(self, answer: Answer, asked: Collection[str] = ()) -> tuple[str, ...]:
        """Questions that can be asked next and that would be answered; see
        `rag.answer.suggest.suggest`."""
        options = self._answer

        def can_answer(question: str) -> float:
            features = self.examine(question).features
            evidence = judge(features, answered=options.answered)
            return evidence.probability

        return suggest(
            answer,
            document=self.document,
            can_answer=can_answer,
            threshold=options.answered,
            asked=asked,
        )

    def search(
        self,
        question: str,
        *,
        top_k: int | None = None,
        collections: Collection[str] | None = None,
    ) -> tuple[Hit, ...]:
        """The best passages, best first, without an answer.

        Raises:
            QuestionError: the question is empty or too long.
        """
        return self._find(self.index, self._checked(question), top_k, collections)

    def ask(self, question: str, *, collections: Collection[str] | None = None) -> Answer:
        """The finished answer; see `stream`."""
        *_, answer = self.stream(question, collections=collections)
        return answer

    def stream(
        self, question: str, *, collections: Collection[str] | None = None
    ) -> Iterator[Answer]:
        """Answers, each with all text so far; the last one is finished.

        Closing the iterator stops the language model.

        Raises:
            QuestionError: the question is empty or too long.
            LanguageModelError: the model failed and `auto` does not allow another to stand in.
        """
        yield from self.answer(self.examine(question, collections=collections))

    def answer(self, findings: Findings) -> Iterator[Answer]:
        """See `stream`; times count from when the question was examined."""
        hits, timings = findings.hits, dict(findings.timings)
        started = time.perf_counter() - sum(timings.values())
        evidence = judge(
            findings.features,
            answered=self._answer.answered,
            uncertain=self._answer.uncertain,
            false_answers=self._answer.false_answers,
        )
        document = findings.index.documents.document
        model = self._models.current() if evidence.state is not State.NOT_FOUND else None
        base = Answer(
            question=findings.asked,
            search_question=findings.question,
            state=evidence.state,
            text="",
            hits=hits,
            model=model.name if model is not None else EXTRACTIVE,
            timings=timings,
            finished=False,
            confidence=evidence.probability,
        )
        if evidence.state is State.NOT_FOUND:
            premises = contradicted_amounts(findings.question, hits)
            answer = correct(base, premises, document) if premises else not_found(base)
            yield finish(answer, started)
            return
        if model is not None:
            try:
                yield from generate(
                    base,
                    model,
                    document=document,
                    extractive=partial(quote, ranked=findings.ranked, document=document),
                    options=self._generate,
                    checker=self._checker,
                    started=started,
                )
                return
            except LanguageModelError as error:
                self._models.failed()
                if not self._models.is_fallback_allowed:
                    raise
                notice = f"大模型未能完成回答（{error}），以下改为摘录资料原文。"
                base = replace(base, model=EXTRACTIVE, notices=(*base.notices, notice))
        yield finish(quote(base, findings.ranked, document), started)

    def examine(
        self, question: str, *, collections: Collection[str] | None = None, depth: int = 0
    ) -> Findings:
        """What is found for a question before anything is answered.

        ``depth`` asks for a longer ``ranking`` than the answer is made from.

        Raises:
            QuestionError: the question is empty or too long.
        """
        started = time.perf_counter()
        asked = self._checked(question)
        index = self.index
        count = self._search.top_k
        ranking = self._find(index, asked, max(count, depth), collections)
        hits = ranking[:count]
        retrieved = time.perf_counter()
        weights = extract.token_weights(asked, index.keyword.document_share, len(index.keyword))
        document = index.documents.document
        is_read = any(hit.reading is not None for hit in hits)
        sentences = extract.candidates(
            asked,
            hits,
            weights=weights,
            document=document,
            encode_question=lambda text: self._encoder.encode_query([text])[0],
            encode_sentences=self._encoder.encode_document,
        )
        if is_read:
            ranked = spans.combine(spans.candidates(asked, hits, document), sentences)
            values = reading_features(asked, hits)
        else:
            ranked = sentences
            values = similarity_features(asked, hits, ranked, weights)
        timings = {"retrieve": retrieved - started, "evidence": time.perf_counter() - retrieved}
        return Findings(question, asked, index, hits, tuple(ranked), values, timings, ranking)

    def _checked(self, question: str) -> str:
        # A terminal or JSON may pass on half a character, which no library takes.
        text = " ".join(question.encode("utf-8", "replace").decode().split())
        if not any(character.isalnum() for character in text):
            raise QuestionError(
                "问题是空的。请输入要查询的内容，例如“医疗机构部署大模型的数量是多少？”"
            )
        most = self._answer.max_question_characters
        if len(text) > most:
            raise QuestionError(
                f"问题有 {len(text)} 个字，超过上限 {most} 个字。请缩短后再问，长文请先存为文档并建立索引"
            )
        return text

    def _find(
        self,
        index: CorpusIndex,
        question: str,
        top_k: int | None,
        collections: Collection[str] | None,
    ) -> tuple[Hit, ...]:
        count = top_k or self._search.top_k
        options = self._search
        hits = index.search(
            question,
            self._encoder,
            mode=options.mode,
            count=options.candidates if self._reranker else count,
            candidates=max(options.candidates, count),
            weight=options.weight,
            collections=collections,
        )
        if self._reranker is not None:
            hits = tuple(self._reranker.rerank(question, hits))[:count]
        return hits


def encoder_of(settings: Settings, progress: Callable[[str], None] | None = None) -> Encoder:
    """The embedding model that the settings name; see `rag.retrieve.embed.load_encoder`."""
    embed = settings.embed
    return load_encoder(
        embed.model,
        backend=embed.backend,
        threads=embed.threads,
        batch_size=embed.batch_size,
        cache=embed.cache,
        query_prompt=embed.query_prompt,
        document_prompt=embed.document_prompt,
        progress=progress,
    )


def reader_of(settings: Settings) -> LazyReader | None:
    """The reader that the settings want; None, and a line in the log, where there is none."""
    if not settings.reader.enabled:
        return None
    try:
        return LazyReader(cache=settings.embed.cache, threads=settings.embed.threads)
    except ModelError as error:
        logger.warning("%s", error)
        return None
