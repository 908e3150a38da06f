"""A question on its way: rewritten where it leans on earlier ones, answered, kept.

What the page is told is one small object a step (`Turn`). An answer is kept when it is finished,
and as far as it came when it is stopped; a question that failed leaves nothing behind.
"""

import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypedDict

from rag.answer.subject import Turn as Exchange
from rag.conversations import kept
from rag.conversations.faults import ConversationError, ConversationMissing, told
from rag.conversations.kept import new_id
from rag.errors import RagError
from rag.types import Answer
from ui import render, render_sources, texts
from ui.chat_desk import ChatDesk, Wanted
from ui.chat_sources import Shown, shown_sources
from ui.language import say

logger = logging.getLogger(__name__)

# The page is redrawn at most this often while an answer streams.
_REDRAW_SECONDS = 0.08


class Turn(TypedDict):
    """What the server tells the page about the current turn; ``model`` only when it was asked for.

    ``phase``: queued, waiting, streaming, finished, failed (the question goes back into the box) or
    refused (nothing was asked; ``message`` stands under the box). ``conversation`` is where the
    turn is kept, ``kept`` its id there once it is.
    """

    turn: str
    phase: str
    body: str
    sources: str
    copy: str
    message: str
    model: str
    conversation: str
    kept: str


Handler = Callable[[str, Wanted, str], Iterator[Turn]]


def make_handler(
    desk: ChatDesk,
    *,
    max_question_characters: int,
    clock: Callable[[], float] = time.monotonic,
) -> Handler:
    """The function behind 「发送」: question, what is wanted of it, person → turns."""

    def ask(question: str, wanted: Wanted, person: str) -> Iterator[Turn]:
        question = question.strip()
        refusal = _refusal(question, max_question_characters)
        if refusal:
            yield refused(refusal)
            return
        turn = f"t{secrets.token_hex(6)}"
        yield _turn(turn, "waiting", body=render.progress_html(say(texts.PHASE_WAITING)))
        try:
            place = _find_place(desk, person, wanted)
            yield from _follow(desk, question, wanted, place, turn, clock)
        except RagError as error:
            logger.warning("question not answered: %s", type(error).__name__)
            yield _failed(desk, turn, str(error))

    return ask


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an answer will be kept: ``conversation`` is "" where that failed, as ``problem``
    says. A new conversation is written with its first answer, so that a question waits for no
    database, and one that comes to nothing leaves nothing behind."""

    person: str
    conversation: str
    asked: str = ""
    history: tuple[kept.Turn, ...] = ()
    replaces: str = ""
    is_new: bool = False
    problem: str = ""

    def keep_stopped(self, desk: ChatDesk, answer: Answer) -> None:
        """Keep what was written until the stop, unless something was asked here since."""
        if desk.places.is_last(self.person, self.conversation, self.asked):
            self.keep(desk, answer)

    def keep(self, desk: ChatDesk, answer: Answer) -> tuple[str, str]:
        """Keep the answer: (id of the turn, "") or ("", why it could not be kept)."""
        if self.problem:
            return "", self.problem
        origin = desk.abilities.origin()
        store, names = desk.conversations, (self.person, self.conversation)
        try:
            if self.replaces:
                made = store.replace_last(*names, self.replaces, answer, origin=origin)
            elif self.is_new:
                made = store.begin(*names, answer, origin=origin)
            else:
                made = store.append(*names, answer, origin=origin)
        except ConversationError as error:
            logger.warning("answer not kept: %s", error)
            return "", told(error)
        return made.id, ""


def _find_place(desk: ChatDesk, person: str, wanted: Wanted) -> _Place:
    """Where to keep the answer; a database that fails costs the keeping, not the answer.

    Raises:
        ConversationMissing: the conversation or the turn to replace is not (or no more) there.
    """
    conversation = wanted.conversation or new_id()
    is_new = not wanted.conversation
    history: tuple[kept.Turn, ...] = ()
    try:
        if not is_new:
            history = desk.conversations.turns(person, conversation)
    except ConversationMissing:
        is_new = desk.places.knows(person, conversation)
        if not is_new:
            raise
    except ConversationError as error:
        logger.warning("conversation not read: %s", error)
        return _Place(person, "", problem=told(error))
    if wanted.replaces and (not history or history[-1].id != wanted.replaces):
        raise ConversationMissing(say(texts.NOT_LAST))
    asked = desk.places.ask(person, conversation)
    if wanted.replaces:
        return _Place(person, conversation, asked, history[:-1], wanted.replaces)
    return _Place(person, conversation, asked, history, is_new=is_new)


def _searched(desk: ChatDesk, question: str, wanted: Wanted, place: _Place) -> str:
    """The question as it is searched: a follow-up stands alone, unless it is wanted verbatim."""
    stand_alone = desk.abilities.stand_alone
    exchanges = [
        Exchange(turn.answer.search_question or turn.answer.question, turn.answer.text)
        for turn in place.history
        if turn.answer.finished
    ]
    if stand_alone is None or wanted.verbatim or not exchanges:
        return question
    return stand_alone(exchanges, question).text


def _follow(
    desk: ChatDesk,
    question: str,
    wanted: Wanted,
    place: _Place,
    turn: str,
    clock: Callable[[], float],
) -> Iterator[Turn]:
    """The turns of one answer as it grows; a stop closes the assistant's stream."""
    cache: dict[tuple[str, int, int], Shown] = {}
    drawn = -_REDRAW_SECONDS
    newest: Answer | None = None
    is_shown = is_kept = is_stopped = False
    try:
        searched = _searched(desk, question, wanted, place)
        waiting = render.progress_html(say(texts.PHASE_WAITING), question, searched)
        yield _turn(turn, "waiting", body=waiting, conversation=place.conversation)
        answers = desk.answers(searched, wanted.collections)
        with contextlib.ExitStack() as stack:
            close = getattr(answers, "close", None)
            if close is not None:
                stack.callback(close)
            for answer in answers:
                newest = replace(answer, question=question)
                if answer.finished:
                    name, problem = place.keep(desk, newest)
                    is_kept = True
                    yield _finished(desk, newest, turn, cache, place.conversation, name, problem)
                elif clock() - drawn >= _REDRAW_SECONDS:
                    is_shown = is_shown or bool(newest.text.strip())
                    yield _streaming(desk, newest, turn, cache, place.conversation)
                    drawn = clock()
    except GeneratorExit:  # stopped, or the page was closed
        is_stopped = True
        raise
    finally:
        if newest is not None and is_stopped and is_shown and not is_kept:
            place.keep_stopped(desk, newest)


def _streaming(
    desk: ChatDesk,
    answer: Answer,
    turn: str,
    cache: dict[tuple[str, int, int], Shown],
    conversation: str,
) -> Turn:
    shown = shown_sources(answer, desk.assistant.document, cache)
    return _turn(
        turn,
        "streaming",
        body=render.answer_html(answer, turn),
        sources=render_sources.sources_html(answer, turn, shown, with_pages=desk.abilities.library),
        conversation=conversation,
    )


def _finished(
    desk: ChatDesk,
    answer: Answer,
    turn: str,
    cache: dict[tuple[str, int, int], Shown],
    conversation: str,
    name: str,
    problem: str,
) -> Turn:
    body = render.answer_html(answer, turn)
    if problem:
        body += render.note_html(say(texts.NOT_KEPT, reason=problem))
    shown = shown_sources(answer, desk.assistant.document, cache)
    return _turn(
        turn,
        "finished",
        body=body,
        sources=render_sources.sources_html(answer, turn, shown, with_pages=desk.abilities.library),
        copy=render.clipboard_text(answer),
        message=render.announcement(answer),
        # Asking who answers may look for a server, so not while text streams.
        model=render.model_name(desk.assistant.model_label),
        conversation=conversation,
        kept=name,
    )


def _failed(desk: ChatDesk, turn: str, message: str) -> Turn:
    body = render.error_html(message)
    return _turn(
        turn,
        "failed",
        body=body,
        message=message,
        model=render.model_name(desk.assistant.model_label),
    )


def _refusal(question: str, limit: int) -> str:
    if not question:
        return say(texts.EMPTY_QUESTION)
    if len(question) > limit:
        return say(texts.LONG_QUESTION, length=len(question), limit=limit)
    return ""


def _turn(
    turn: str,
    phase: str,
    *,
    body: str = "",
    sources: str = "",
    copy: str = "",
    message: str = "",
    model: str = "",
    conversation: str = "",
    kept: str = "",
) -> Turn:
    return Turn(
        turn=turn,
        phase=phase,
        body=body,
        sources=sources,
        copy=copy,
        message=message,
        model=model,
        conversation=conversation,
        kept=kept,
    )


def refused(message: str) -> Turn:
    """Nothing was asked: ``message`` says why."""
    return _turn("", "refused", message=message)


def queued(place: int, seconds: float | None) -> Turn:
    """The question waits for others, and for about how long where that is known."""
    line = say(texts.QUEUED, place=place)
    if seconds is not None:
        line += say(texts.QUEUED_SECONDS, seconds=max(round(seconds), 1))
    return _turn("", "queued", body=render.progress_html(line), message=line)
