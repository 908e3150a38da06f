"""The product's own protocol: the wire JSON of `rag.wire`, whole or as server-sent events.

Events: ``answer`` (the text so far, which replaces what came before; its sentences may still be
unchecked), ``done`` (the whole answer), ``error``.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from rag.errors import RagError
from rag.types import Answer
from rag.wire import answer_to_json, hit_to_json
from ui import api_texts, texts
from ui.api_answers import AnswerBody, NativeErrorBody, SearchBody
from ui.api_ask import Desk, Exchange, Text
from ui.api_errors import ApiError, from_error, native_body, new_app
from ui.runs import EventStream, Run

# A partial answer is sent at most this often; the passages travel with the last one only.
_EVENT_SECONDS = 0.1
_PARTIAL = ("search_question", "state", "text", "sentences", "citations", "thinking", "notices")


class Earlier(BaseModel):
    question: Text
    answer: Text = ""


class SearchRequest(BaseModel):
    question: Text = Field(description="问题，不超过 [answer] max_question_characters 个字符")
    collections: list[Text] | None = Field(None, description="只在这些资料集中查找")
    top_k: int | None = Field(None, ge=1, le=50, description="最多返回多少段落")


class AskRequest(SearchRequest):
    history: list[Earlier] = Field([], description="先前的问答，供追问改写使用")
    stream: bool = Field(False, description="true：以 server-sent events 返回")


def native_app(desk: Desk) -> FastAPI:
    """The routes below ``/api``."""
    app = new_app(api_texts.API_TITLE, NativeErrorBody)

    @app.post(
        "/ask",
        summary="提问",
        responses={200: {"model": AnswerBody, "description": api_texts.ANSWER}},
    )
    async def ask(asked: AskRequest, request: Request) -> Response:
        """完整回答：正文、逐句核对结论、引用、段落与用时；stream 为 true 时依次发送 answer、done 或 error 事件。"""
        question = desk.checked(asked.question)
        history = [Exchange(earlier.question, earlier.answer) for earlier in asked.history]
        run = Run(desk.seats, lambda: desk.answers(question, history, asked.collections))
        if asked.stream or "text/event-stream" in request.headers.get("accept", ""):
            await run.opened()
            return EventStream(run, _events(asked, run))
        return JSONResponse(_answer(asked, await run.last(request)))

    @app.post(
        "/search",
        summary="检索段落，不生成回答",
        responses={200: {"model": SearchBody, "description": api_texts.ANSWER}},
    )
    async def search(asked: SearchRequest, request: Request) -> Response:
        """段落按得分排列，附在资料中的位置、各项得分与阅读模型找到的答案位置。"""
        question = desk.checked(asked.question)

        def found() -> Iterator[dict[str, Any]]:
            started = time.perf_counter()
            hits = desk.assistant.search(question, top_k=asked.top_k, collections=asked.collections)
            seconds = round(time.perf_counter() - started, 4)
            passages = [hit_to_json(hit) for hit in hits]
            yield {"question": question, "passages": passages, "seconds": seconds}

        return JSONResponse(await Run(desk.seats, found).last(request))

    return app


async def _events(asked: AskRequest, run: Run[Answer]) -> AsyncIterator[str]:
    try:
        async for answer in run.values():
            if answer is None:
                yield ": …\n\n"
            elif answer.finished:
                yield _event("done", _answer(asked, answer))
            else:
                body = answer_to_json(answer)
                yield _event("answer", {name: body[name] for name in _PARTIAL})
                await asyncio.sleep(_EVENT_SECONDS)
    except (ApiError, RagError) as error:
        failed = error if isinstance(error, ApiError) else from_error(error)
        yield _event("error", native_body(failed))


def _answer(asked: AskRequest, answer: Answer) -> dict[str, Any]:
    body = answer_to_json(answer)
    return {**body, "hits": body["hits"][: asked.top_k], "label": texts.AI_LABEL}


def _event(name: str, body: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n"
