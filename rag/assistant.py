"""The one composer: a question in, a cited answer out.

The chat, the command line and every measurement call `Assistant`; what evaluators measure is what
clinicians get. An `Assistant` may be used from several threads at once.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rag.answer import extract
from rag.answer.cite import citation, cite
from rag.answer.evidence import features, judge
from rag.answer.llm import LanguageModel
from rag.answer.prompt import NOT_FOUND, build_prompt
from rag.answer.verify import is_refusal, verify
from rag.errors import LanguageModelError, QuestionError
from rag.language import EXTRACTIVE, LanguageModelSource
from rag.retrieve.embed import Encoder, load_encoder
from rag.retrieve.generation import CURRENT, Recipe
from rag.retrieve.index import CorpusIndex
from rag.retrieve.rerank import Reranker
from rag.settings import Settings
from rag.types import Answer, Citation, Document, Hit, Sentence, State, Verdict

_FIRST_TIMING = "first_text"


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How passages are found; see `rag.settings.RetrieveSettings`."""

    mode: str = "hybrid"
    top_k: int = 6
    candidates: int = 50
    weight: float = 0.5


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """How an answer is made; see `rag.settings.AnswerSettings`."""

    answered: float
    uncertain: float
    max_question_characters: int = 2000
    max_tokens: int = 1024
    temperature: float = 0.0


@dataclass(frozen=True, slots=True)
class Findings:
    """Passages and sentences found for a question, and the features of their evidence."""

    question: str
    index: CorpusIndex
    hits: tuple[Hit, ...]
    ranked: tuple[extract.Candidate, ...]
    features: tuple[float, ...]
    timings: dict[str, float]


class Assistant:
    """Answers questions from one index.

    Args:
        directory: the index; a newer generation is taken up before the next question.
        recipe: what the index must have been made with.
        models: gives the language model to ask, or none for extractive answering.
        reranker: an optional second stage over the fused candidates.
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
    ) -> None:
        self._directory = directory
        self._encoder = encoder
        self._recipe = recipe
        self._models = models
        self._search = search
        self._answer = answer
        self._reranker = reranker
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
            ),
        )

    @property
    def model_label(self) -> str:
        """Who is answering now, for people."""
        return self._models.label()

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
        started = time.perf_counter()
        findings = self.examine(question, collections=collections)
        hits, timings = findings.hits, dict(findings.timings)
        evidence = judge(
            findings.features,
            answered=self._answer.answered,
            uncertain=self._answer.uncertain,
        )
        index = findings.index
        model = self._models.current() if evidence.state is not State.NOT_FOUND else None
        base = Answer(
            question=question,
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
            yield _finish(_not_found(base), started)
            return
        if model is not None:
            try:
                yield from self._generate(base, model, index, started)
                return
            except LanguageModelError as error:
                self._models.failed()
                if not self._models.is_fallback_allowed:
                    raise
                notice = f"大模型未能完成回答（{error}），以下改为摘录资料原文。"
                base = replace(base, model=EXTRACTIVE, notices=(*base.notices, notice))
        yield _finish(_extractive(base, index, extract.choose(findings.ranked)), started)

    def examine(self, question: str, *, collections: Collection[str] | None = None) -> "Findings":
        """What is found for a question before anything is answered.

        Raises:
            QuestionError: the question is empty or too long.
        """
        started = time.perf_counter()
        asked = self._checked(question)
        index = self.index
        hits = self._find(index, asked, None, collections)
        retrieved = time.perf_counter()
        weights = extract.token_weights(asked, index.keyword.document_share, len(index.keyword))
        ranked = extract.candidates(
            asked,
            hits,
            weights=weights,
            document=index.documents.document,
            encode_question=lambda text: self._encoder.encode_query([text])[0],
            encode_sentences=self._encoder.encode_document,
        )
        values = features(asked, hits, ranked, weights)
        timings = {"retrieve": retrieved - started, "evidence": time.perf_counter() - retrieved}
        return Findings(asked, index, hits, tuple(ranked), values, timings)

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

    def _generate(
        self, base: Answer, model: LanguageModel, index: CorpusIndex, started: float
    ) -> Iterator[Answer]:
        """Stream a language model's answer, cited as far as it has come, then check it."""
        options = self._answer
        budget = model.context - options.max_tokens
        prompt = build_prompt(base.search_question, base.hits, budget_tokens=budget)
        notices = list(base.notices)
        timings = dict(base.timings)
        text = thinking = ""
        deltas = model.stream(
            prompt.messages, max_tokens=options.max_tokens, temperature=options.temperature
        )
        try:
            for delta in deltas:
                if delta.reset:
                    text, thinking = "", thinking + text
                text += delta.text
                thinking += delta.thinking
                if text and _FIRST_TIMING not in timings:
                    timings[_FIRST_TIMING] = time.perf_counter() - started
                if delta.truncated:
                    notices.append("回答达到长度上限，可能没有说完。")
                cited = cite(text, prompt.passages, index.documents.document, partial=True)
                yield replace(
                    base,
                    text=cited.text,
                    sentences=cited.sentences,
                    citations=cited.citations,
                    thinking=thinking,
                    timings=dict(timings),
                )
        finally:
            deltas.close()
        cited = cite(text, prompt.passages, index.documents.document)
        answer = replace(
            base, text=cited.text, thinking=thinking, timings=timings, notices=tuple(notices)
        )
        if is_refusal("\n".join(sentence.text for sentence in cited.sentences)):  # without marks
            yield _finish(_not_found(answer), started)
            return
        sentences = verify(cited.sentences, cited.citations, prompt.passages)
        if not cited.citations:
            notices.append("模型的回答没有引用任何资料，不能作为依据，请查看下方检索到的原文。")
            answer = replace(answer, state=State.UNCERTAIN)
        wrong = [text for sentence in sentences for text in sentence.mismatches]
        if wrong:
            notices.append(
                f"数字或日期 {'、'.join(dict.fromkeys(wrong))} 未在引用资料中出现，请核对原文。"
            )
            answer = replace(answer, state=State.UNCERTAIN)
        yield _finish(
            replace(
                answer,
                sentences=sentences,
                citations=cited.citations,
                notices=tuple(notices),
            ),
            started,
        )


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


def _not_found(base: Answer) -> Answer:
    """No source is listed as if it were one; ``hits`` remain, for those who look into a refusal."""
    return replace(
        base,
        state=State.NOT_FOUND,
        text=NOT_FOUND,
        sentences=(Sentence(NOT_FOUND, (), Verdict.NOT_A_CLAIM),),
        citations=(),
    )


def _extractive(base: Answer, index: CorpusIndex, chosen: Sequence[extract.Candidate]) -> Answer:
    citations: list[Citation] = []
    sentences: list[Sentence] = []
    for mark, candidate in enumerate(chosen, 1):
        document = index.documents.document(candidate.hit.passage.document)
        citations.append(citation(mark, document, candidate.start, candidate.end, candidate.hit))
        sentences.append(Sentence(candidate.text, (mark,), Verdict.SUPPORTED))
    text = "\n".join(f"{s.text}[{s.citations[0]}]" for s in sentences)
    return replace(base, text=text, sentences=tuple(sentences), citations=tuple(citations))


def _finish(answer: Answer, started: float) -> Answer:
    timings = {**answer.timings, "total": time.perf_counter() - started}
    timings.setdefault(_FIRST_TIMING, timings["total"])
    return replace(answer, timings=timings, finished=True)
