"""Questions from the page: ``POST /chat/ask``, answered with server-sent events.

Each event is one `ui.chat_ask.Turn`. This is a stream of our own and not the framework's queue:
there a question that is sent while the stream of an earlier event closes is lost now and then, and
whoever knows another page's session hash can read or stop its answers. Here an answer belongs to
the request that asked: nobody else gets it, and it stops when the request is gone.
"""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from ui import texts
from ui.api_access import Authorize
from ui.api_ask import Text
from ui.api_errors import RETRY_SECONDS, ApiError
from ui.chat_ask import Handler, Turn, queued, refused
from ui.chat_desk import Wanted
from ui.language import say
from ui.runs import EventStream, Run, Seats

Name = Annotated[Text, Field(max_length=200)]


class Asked(BaseModel):
    """What the page sends; see `ui.chat_desk.Wanted`."""

    question: Text
    conversation: Name = ""
    replaces: Name = ""
    verbatim: bool = False
    collections: list[Name] = Field(default=[], max_length=100)


def add_ask(app: FastAPI, handler: Handler, seats: Seats, identify: Authorize) -> None:
    """Add ``POST /ask``; ``identify`` says who asks."""

    @app.post("/ask")
    async def ask(asked: Asked, request: Request) -> Response:
        person = identify(request)
        if person is None:
            raise ApiError(401, "no_person", say(texts.NO_PERSON))
        name = person.name
        wanted = Wanted(
            asked.conversation, asked.replaces, asked.verbatim, tuple(asked.collections)
        )
        run = Run(seats, lambda: handler(asked.question, wanted, name))
        return EventStream(run, _events(run, seats))


async def _events(run: Run[Turn], seats: Seats) -> AsyncIterator[str]:
    """The turns as they come; while there is none, the place in the line or a sign of life."""
    try:
        async for turn in run.values():
            if turn is not None:
                yield _event(turn)
            elif run.place:
                yield _event(queued(run.place, seats.expected_seconds(run.place)))
            else:
                yield ": …\n\n"
    except ApiError as error:
        is_full = error.code == "queue_full"
        line = say(texts.QUEUE_FULL, seconds=RETRY_SECONDS) if is_full else error.message
        yield _event(refused(line))


def _event(turn: Turn) -> str:
    return f"data: {json.dumps(turn, ensure_ascii=False)}\n\n"
