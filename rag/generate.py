"""A language model's answer: streamed, cited as far as it has come, then checked."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from rag.answer.cite import cite
from rag.answer.claims import is_refusal
from rag.answer.llm import LanguageModel
from rag.answer.prompt import NOT_FOUND, build_prompt
from rag.answer.verify import SupportChecker, verify
from rag.types import Answer, Document, Sentence, State, Verdict

_FIRST_TIMING = "first_text"


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """How a model writes and what becomes of what it wrote; see `rag.settings.EvidenceSettings`."""

    max_tokens: int = 1024
    temperature: float = 0.0
    strict: bool = True
    regenerate: bool = True
    support: float = 0.5


def generate(
    base: Answer,
    model: LanguageModel,
    *,
    document: Callable[[str], Document],
    extractive: Callable[[Answer], Answer],
    options: GenerateOptions,
    checker: SupportChecker | None,
    started: float,
) -> Iterator[Answer]:
    """Stream a language model's answer to ``base.search_question`` from ``base.hits``.

    ``document`` gives a document by id; ``extractive`` what quoting alone would answer, for an
    answer of which nothing stands; ``started`` is the clock when the question was asked.

    Raises:
        LanguageModelError: the model failed or no passage fits into its window.
    """
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
            cited = cite(text, prompt.passages, document, partial=True)
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
    cited = cite(text, prompt.passages, document)
    answer = replace(
        base, text=cited.text, thinking=thinking, timings=timings, notices=tuple(notices)
    )
    if is_refusal("\n".join(sentence.text for sentence in cited.sentences)):  # without marks
        yield finish(not_found(answer), started)
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
    yield finish(
        replace(answer, sentences=sentences, citations=cited.citations, notices=tuple(notices)),
        started,
    )


def not_found(base: Answer) -> Answer:
    """That the documents hold no answer; ``hits`` remain, for those who look into a refusal."""
    return replace(
        base,
        state=State.NOT_FOUND,
        text=NOT_FOUND,
        sentences=(Sentence(NOT_FOUND, (), Verdict.NOT_A_CLAIM),),
        citations=(),
    )


def finish(answer: Answer, started: float) -> Answer:
    """The finished answer with the seconds it took in all."""
    timings = {**answer.timings, "total": time.perf_counter() - started}
    timings.setdefault(_FIRST_TIMING, timings["total"])
    return replace(answer, timings=timings, finished=True)
