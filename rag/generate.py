"""A language model's answer: streamed, checked, asked once more where it is wrong, repaired.

What streams is shown as unchecked. When the text is complete every sentence is judged; the model
is told once which sentences are not supported and why; what is still not supported is removed
(``strict``) or marked. An answer of which nothing stands becomes a quotation.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from rag.answer.cite import Marked, cite, mark, resolve
from rag.answer.claims import is_refusal, list_number
from rag.answer.conflicts import (
    conflict_notice,
    conflicts,
    contradicted_premises,
    premise_notice,
)
from rag.answer.llm import LanguageModel, Message
from rag.answer.prompt import NOT_FOUND, Prompt, build_prompt
from rag.answer.repair import Judged, judge, without
from rag.answer.revise import revised, revision
from rag.answer.tokens import estimate_messages, estimate_tokens
from rag.answer.verify import SupportChecker
from rag.errors import LanguageModelError
from rag.language import EXTRACTIVE
from rag.types import Answer, Document, Sentence, State, Verdict

_FIRST_TIMING = "first_text"
_THINKING_TIMING = "thinking"


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """How a model writes and what becomes of what it wrote; see `rag.settings.EvidenceSettings`."""

    max_tokens: int = 1024
    temperature: float = 0.0
    strict: bool = True
    regenerate: bool = True
    support: float = 0.5


@dataclass(slots=True)
class _Written:
    """What a model has written so far, in one call or two; ``thought`` are the seconds between the
    first and the last piece of its thinking."""

    text: str = ""
    thinking: str = ""
    thought: float = 0.0
    output_tokens: int = 0
    prompt_tokens: int = 0
    notices: list[str] = field(default_factory=list)

    def stream(
        self, model: LanguageModel, messages: Sequence[Message], options: GenerateOptions
    ) -> Generator[None, None, None]:
        """Take up the model's text, a step for each piece; closing it stops the model."""
        self.text = ""
        self.prompt_tokens += estimate_messages(messages)
        deltas = model.stream(
            messages, max_tokens=options.max_tokens, temperature=options.temperature
        )
        earlier, began = self.thought, None
        try:
            for delta in deltas:
                now = time.perf_counter()
                began = now if began is None else began
                if delta.thinking or delta.reset:
                    self.thought = earlier + now - began
                if delta.reset:
                    self.text, self.thinking = "", self.thinking + self.text
                self.text += delta.text
                self.thinking += delta.thinking
                self.output_tokens += estimate_tokens(delta.text + delta.thinking)
                if delta.truncated:
                    self.notices.append("回答达到长度上限，可能没有说完。")
                yield
        finally:
            deltas.close()


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
    passages = prompt.passages
    timings = dict(base.timings)
    written = _Written(notices=list(base.notices))
    with closing(written.stream(model, prompt.messages, options)) as steps:
        for _ in steps:
            if written.text and _FIRST_TIMING not in timings:
                timings[_FIRST_TIMING] = time.perf_counter() - started
            if written.thinking:
                timings[_THINKING_TIMING] = written.thought
            cited = cite(written.text, passages, document, partial=True)
            yield replace(
                base,
                text=cited.text,
                sentences=cited.sentences,
                citations=cited.citations,
                thinking=written.thinking,
                timings=dict(timings),
            )

    def judged_from(marked: Marked) -> Judged:
        return judge(marked, passages, checker=checker, threshold=options.support)

    def answer_from(judged: Judged) -> Answer:
        if written.thinking:
            timings[_THINKING_TIMING] = written.thought
        cited = resolve(judged.marked, passages, document)
        return replace(
            base,
            text=cited.text,
            sentences=tuple(
                replace(s, verdict=f.verdict, mismatches=f.mismatches, reasons=f.reasons)
                for s, f in zip(cited.sentences, judged.findings, strict=True)
            ),
            citations=cited.citations,
            thinking=written.thinking,
            notices=tuple(written.notices),
            timings=dict(timings),
            prompt_tokens=written.prompt_tokens,
            trimmed=prompt.dropped,
            output_tokens=written.output_tokens,
        )

    marked = mark(written.text, len(passages))
    if is_refusal("\n".join(marked.sentences)):
        empty = Judged(Marked(""), (), ())
        yield finish(not_found(answer_from(empty)), started)
        return
    checking = time.perf_counter()
    judged = judged_from(marked)
    timings["verify"] = time.perf_counter() - checking
    request = _request(judged, prompt, written.text) if options.regenerate else ()
    if request and estimate_messages(request) + options.max_tokens <= model.context:
        try:
            with closing(written.stream(model, request, options)) as steps:
                for _ in steps:
                    yield answer_from(judged)
        except LanguageModelError as error:
            written.notices.append(f"大模型未能改写没有依据的句子（{error}）。")
        else:
            judged = judged_from(_with_replies(judged, written.text, len(passages)))
    judged = without(judged, judged.repeated)
    faulty = judged.faulty
    if options.strict:
        judged = without(judged, faulty)
        if not judged.has_support:
            written.notices.append("大模型的回答没有得到资料支持，以下改为摘录资料原文。")
            answer = replace(answer_from(judged), model=EXTRACTIVE)
            yield finish(extractive(answer), started)
            return
        if faulty:
            written.notices.append(f"已删去 {len(faulty)} 句没有得到资料支持的话。")
    answer = answer_from(judged)
    yield finish(_with_doubts(answer), started)


def _faulty_prose(judged: Judged) -> list[int]:
    """The faulty sentences that a model may write anew; a table row is only removed or marked."""
    return [i for i in judged.faulty if not judged.marked.sentences[i].startswith("|")]


def _request(judged: Judged, prompt: Prompt, text: str) -> tuple[Message, ...]:
    """The chat that asks for the faulty sentences of ``text`` once more, () when there is none."""
    faulty = [
        (judged.marked.sentences[i], judged.findings[i].reasons) for i in _faulty_prose(judged)
    ]
    return revision(prompt.messages, text, faulty) if faulty else ()


def _with_replies(judged: Judged, text: str, passages: int) -> Marked:
    """The answer with what the model replied in the place of its faulty sentences; those that it
    withdrew stay, to be removed or marked."""
    faulty = _faulty_prose(judged)
    replies = dict(zip(faulty, revised(text, len(faulty)), strict=True))
    own = judged.marked
    parts, position = [], 0
    for index, ((start, end), numbers) in enumerate(zip(own.spans, own.numbers, strict=True)):
        parts.append(own.text[position:start])
        position = end
        if reply := replies.get(index):
            opening = "" if list_number(reply) else list_number(own.text[start:end])
            parts.append(opening + reply)
        else:
            parts.append(own.text[start:end] + "".join(f"[{number}]" for number in numbers))
    parts.append(own.text[position:])
    return mark("".join(parts), passages)


def _with_doubts(answer: Answer) -> Answer:
    """The answer with notices on what a reader should not trust."""
    notices = list(answer.notices)
    state = answer.state
    if not answer.citations:
        notices.append("模型的回答没有引用任何资料，不能作为依据，请查看下方检索到的原文。")
        state = State.UNCERTAIN
    wrong = [text for sentence in answer.sentences for text in sentence.mismatches]
    if wrong:
        notices.append(f"{'、'.join(dict.fromkeys(wrong))} 与引用的资料不一致，请核对原文。")
    if any(s.verdict in (Verdict.UNSUPPORTED, Verdict.NUMBER_MISMATCH) for s in answer.sentences):
        state = State.UNCERTAIN
    return replace(answer, state=state, notices=tuple(notices))


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
    """The finished answer: what its sources dispute, and the seconds it took in all."""
    notices = [*answer.notices, *_disputes(answer)] if answer.citations else answer.notices
    timings = {**answer.timings, "total": time.perf_counter() - started}
    timings.setdefault(_FIRST_TIMING, timings["total"])
    return replace(answer, notices=tuple(notices), timings=timings, finished=True)


def _disputes(answer: Answer) -> Iterator[str]:
    """What the documents say against the question, and against what the answer quotes."""
    for premise in contradicted_premises(answer.search_question, answer.hits):
        yield premise_notice(premise)
    for conflict in conflicts(answer.hits):
        if any(
            statement.sentence in citation.quote or citation.quote in statement.sentence
            for statement in (conflict.newer, conflict.older)
            for citation in answer.citations
        ):
            yield conflict_notice(conflict)
