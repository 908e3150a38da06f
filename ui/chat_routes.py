"""What the page asks for beside answers, below ``/chat``: conversations, feedback, exports.

::

    GET  /chat/words.js                           the page's words, in the browser's language
    GET  /chat/start                              who asks, who answers, collections, newest
                                                  conversations; ``problem`` where these fail
    GET  /chat/conversations?after=               the list goes on
    GET  /chat/search?words=
    GET  /chat/conversations/{id}                 a whole conversation
    POST /chat/conversations/{id}/rename          {"title"}
    POST /chat/conversations/{id}/delete
    GET  /chat/conversations/{id}/export/{form}   md, docx or pdf
    POST /chat/turns/{id}/rate                    {"rating": "up" | "down" | "", "reason", "comment"}
    GET  /chat/turns/{id}/follow-ups              questions that can be asked next

The person is the one of the request (`ui.browsers`), never one that is sent; an id of somebody
else is answered like one that does not exist. The gate has refused other sites before.
"""

import logging
import threading
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from rag.conversations.faults import ConversationError, ConversationMissing, told
from rag.conversations.kept import Page, Rating, Reason
from rag.export.label import Provenance
from ui import render, texts
from ui.api_access import Authorize, Person
from ui.api_answers import NativeErrorBody
from ui.api_errors import ApiError, new_app, respond
from ui.chat_desk import ChatDesk
from ui.chat_kept import conversation_json, found_json, list_json, opened_json
from ui.chat_parts import words_script
from ui.language import say

logger = logging.getLogger(__name__)

WORDS: Final = "/chat/words.js"
_NO_STORE = {"Cache-Control": "no-store"}
# Suggestions are a courtesy: who cannot be served soon gets none.
_SUGGEST_WAIT_SECONDS = 4.0


class Renaming(BaseModel):
    title: str = Field(max_length=1000)


class Rated(BaseModel):
    rating: Rating | None = None
    reason: Reason | None = None
    comment: str = ""


def chat_app(desk: ChatDesk, identify: Authorize) -> FastAPI:
    """The routes; ``identify`` says who asks."""
    app = new_app(texts.TITLE, NativeErrorBody)
    suggesting = threading.Semaphore(1)

    def identified(request: Request) -> Person:
        person = identify(request)
        if person is None:
            raise ApiError(401, "no_person", say(texts.NO_PERSON))
        return person

    def name_of(person: Annotated[Person, Depends(identified)]) -> str:
        return person.name

    Who = Annotated[str, Depends(name_of)]  # noqa: N806  a type

    @app.get("/words.js")
    def words() -> Response:
        headers = {**_NO_STORE, "Vary": "Accept-Language"}
        return Response(words_script(desk), media_type="text/javascript", headers=headers)

    @app.get("/start")
    def start(person: Annotated[Person, Depends(identified)]) -> Response:
        # A database that fails costs the list, not who answers and in which collections.
        problem, page = "", Page(())
        try:
            page = desk.conversations.conversations(person.name)
        except ConversationError as error:
            logger.warning("conversations not listed: %s", error)
            problem = told(error)
        known = {
            "problem": problem,
            "person": person.title or say(texts.THIS_BROWSER),
            "model": render.model_name(desk.assistant.model_label),
            "digest": desk.abilities.digest(),
            "collections": list(desk.abilities.collections()),
        }
        return _json({**known, **list_json(page)})

    @app.get("/conversations")
    def conversations(person: Who, after: str = "") -> Response:
        return _json(list_json(desk.conversations.conversations(person, after=after)))

    @app.get("/search")
    def search(person: Who, words: str = "") -> Response:
        found = desk.conversations.search(person, words[:200])
        return _json({"conversations": [found_json(one) for one in found], "following": ""})

    @app.get("/conversations/{conversation}")
    def opened(person: Who, conversation: str) -> Response:
        return _json(opened_json(desk, person, conversation))

    @app.post("/conversations/{conversation}/rename")
    def rename(person: Who, conversation: str, wanted: Renaming) -> Response:
        return _json(
            conversation_json(desk.conversations.rename(person, conversation, wanted.title))
        )

    @app.post("/conversations/{conversation}/delete")
    def delete(person: Who, conversation: str) -> Response:
        desk.places.forget(person, conversation)
        desk.conversations.delete(person, conversation)
        return _json({})

    @app.get("/conversations/{conversation}/export/{form}")
    def export_file(person: Who, conversation: str, form: str) -> Response:
        return _exported(desk, person, conversation, form)

    @app.post("/turns/{turn}/rate")
    def rate(person: Who, turn: str, rated: Rated) -> Response:
        if rated.rating is None:
            desk.feedback.withdraw(person, turn)
            return _json({"rating": ""})
        given = desk.feedback.give(
            person, turn, rated.rating, reason=rated.reason, comment=rated.comment
        )
        return _json({"rating": given.rating.value})

    @app.get("/turns/{turn}/follow-ups")
    def follow_ups(person: Who, turn: str) -> Response:
        return _json({"questions": _follow_ups(desk, person, turn, suggesting)})

    def missing(request: Request, _: Exception) -> Response:
        return respond(request.url.path, ApiError(404, "not_found", say(texts.MISSING)))

    def refused(request: Request, error: Exception) -> Response:
        logger.warning("refused: %s", error)
        line = told(error) if isinstance(error, ConversationError) else str(error)
        return respond(request.url.path, ApiError(409, "refused", line))

    app.add_exception_handler(ConversationMissing, missing)
    app.add_exception_handler(ConversationError, refused)
    return app


def _json(values: dict[str, Any]) -> Response:
    return JSONResponse(values, headers=_NO_STORE)


def _follow_ups(
    desk: ChatDesk, person: str, turn: str, suggesting: threading.Semaphore
) -> list[str]:
    suggest = desk.abilities.follow_ups
    asked = desk.conversations.turn(person, turn)
    turns = desk.conversations.turns(person, asked.conversation)
    earlier = [one.answer.question for one in turns if one.id != turn]
    if suggest is None or not suggesting.acquire(timeout=_SUGGEST_WAIT_SECONDS):
        return []
    try:
        return list(suggest(asked.answer, earlier))
    finally:
        suggesting.release()


def _exported(desk: ChatDesk, person: str, conversation: str, form: str) -> Response:
    from rag.export.content import Entry, Exported
    from rag.export.files import Form, export

    try:
        wanted = Form(form)
    except ValueError:
        raise ApiError(404, "not_found", say(texts.NO_SUCH_FORM)) from None
    about = desk.conversations.get(person, conversation)
    turns = desk.conversations.turns(person, conversation)
    notice = desk.compliance
    exported = Exported(
        [Entry(turn.answer, turn.asked) for turn in turns],
        title=about.title,
        model_name=notice.model_name if notice else "",
        filing_number=notice.filing_number if notice else "",
        exported=datetime.now(UTC).isoformat(),
        provenance=Provenance(produce_id=conversation),
    )
    file = export(exported, wanted, font=desk.font)
    disposition = f"attachment; filename*=UTF-8''{quote(file.name)}"
    return Response(
        file.content,
        media_type=file.media_type,
        headers={**_NO_STORE, "Content-Disposition": disposition},
    )
