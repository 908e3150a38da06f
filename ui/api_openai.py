"""The protocol of OpenAI's chat completions, so that any of its clients can ask.

A streamed answer is sent sentence by sentence once it is finished: while a model writes, no
sentence is checked, and a later check may rewrite or remove any of them, which this protocol
cannot take back. Until then comment lines keep the connection alive.
"""

import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Literal

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from rag.errors import RagError
from rag.types import Answer
from rag.wire import answer_to_json
from ui import api_texts, texts
from ui.api_answers import CompletionBody, OpenAIErrorBody
from ui.api_ask import Desk, Exchange, Text
from ui.api_errors import ApiError, from_error, new_app, openai_body
from ui.api_text import escaped, footnotes, pieces, without_footnotes
from ui.runs import EventStream, Run

MODEL = "yiwen"
# Its text is escaped for interfaces that take every message for Markdown.
MARKDOWN_MODEL = "yiwen-markdown"
MODELS = (MODEL, MARKDOWN_MODEL)
_EXTRA = (
    "search_question",
    "state",
    "confidence",
    "span",
    "sentences",
    "citations",
    "hits",
    "notices",
    "thinking",
    "timings",
)
# The notice of rag.generate for an answer that its length limit cut off.
_CUT_OFF = "回答达到长度上限"


class Part(BaseModel):
    type: Text
    text: Text = ""


class ChatMessage(BaseModel):
    """``system`` and ``developer`` messages are accepted and ignored."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Text | list[Part] | None = None

    def text(self) -> str:
        """The message's text.

        Raises:
            ApiError: it holds a picture or anything else that is no text.
        """
        if isinstance(self.content, list):
            for part in self.content:
                if part.type != "text":
                    message = api_texts.TEXT_PARTS.format(kind=part.type)
                    raise ApiError(400, "unsupported_content", message, "messages")
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(BaseModel):
    include_usage: bool | None = Field(False, description="true：最后一块给出词元数")


class ResponseFormat(BaseModel):
    type: str = "text"


class ChatRequest(BaseModel):
    """Other fields of the protocol (temperature, max_tokens, tools, …) are ignored: how an
    answer is made is the server's configuration."""

    model: Text = Field(MODEL, description="任意名称；yiwen-markdown 输出按 Markdown 转义的文字")
    messages: list[ChatMessage] = Field(
        min_length=1, description="最后一条 user 消息是问题，之前的是上下文；system 消息被忽略"
    )
    stream: bool | None = Field(False, description="true：以 server-sent events 逐句返回")
    stream_options: StreamOptions | None = Field(None, description="流式时是否给出词元数")
    n: int | None = Field(None, description="只能是 1")
    response_format: ResponseFormat | None = Field(None, description="只能是 text")
    collections: list[Text] | None = Field(None, description="只在这些资料集中查找（扩展字段）")
    footnotes: bool = Field(True, description="正文末尾附提示、资料来源与 AI 标识（扩展字段）")

    def conversation(self) -> tuple[str, tuple[Exchange, ...]]:
        """The question and what was said before it.

        Raises:
            ApiError: something is asked for that is not supported, or nothing.
        """
        if self.n not in (None, 1):
            raise ApiError(400, "unsupported_value", api_texts.ONE_CHOICE, "n")
        if self.response_format is not None and self.response_format.type != "text":
            raise ApiError(400, "unsupported_value", api_texts.ONLY_TEXT, "response_format")
        asked: list[str] = []
        replies: list[str] = []
        for message in self.messages:
            if message.role == "user":
                asked.append(message.text())
                replies.append("")
            elif message.role == "assistant" and asked:
                replies[-1] = without_footnotes(message.text())
        if not asked:
            raise ApiError(400, "no_question", api_texts.NO_QUESTION, "messages")
        earlier = zip(asked[:-1], replies[:-1], strict=True)
        return asked[-1], tuple(Exchange(question, answer) for question, answer in earlier)


def openai_app(desk: Desk) -> FastAPI:
    """The routes below ``/v1``."""
    app = new_app(MODEL, OpenAIErrorBody)
    created = int(time.time())

    def described(name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": created, "owned_by": MODEL}

    @app.get("/models", summary="列出模型")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [described(name) for name in MODELS]}

    @app.get("/models/{model}", summary="一个模型")
    def model(model: str) -> dict[str, Any]:
        if model not in MODELS:
            message = api_texts.NO_MODEL.format(model=model)
            raise ApiError(404, "model_not_found", message, "model")
        return described(model)

    @app.post(
        "/chat/completions",
        summary="提问（OpenAI 协议）",
        responses={200: {"model": CompletionBody, "description": api_texts.ANSWER}},
    )
    async def complete(asked: ChatRequest, request: Request) -> Response:
        """回答附引用 [n]、资料来源与扩展字段 yiwen（状态、逐句核对结论、引用、段落、置信度、用时）。"""
        question, history = asked.conversation()
        question = desk.checked(question)
        run = Run(desk.seats, lambda: desk.answers(question, history, asked.collections))
        if not asked.stream:
            return JSONResponse(_completion(asked, await run.last(request)))
        await run.ended()
        return EventStream(run, _events(asked, run))

    return app


def _completion(asked: ChatRequest, answer: Answer) -> dict[str, Any]:
    message = {
        "role": "assistant",
        "content": "".join(_contents(asked, answer)),
        "refusal": None,
        "yiwen": _extra(answer),
    }
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": _finish_reason(answer),
    }
    return {
        **_head(asked, "chat.completion"),
        "choices": [choice],
        "usage": _usage(answer),
    }


async def _events(asked: ChatRequest, run: Run[Answer]) -> AsyncIterator[str]:
    head = _head(asked, "chat.completion.chunk")
    with_usage = asked.stream_options is not None and bool(asked.stream_options.include_usage)

    def event(choices: Sequence[dict[str, Any]], usage: dict[str, int] | None = None) -> str:
        body = {**head, "choices": choices}
        if with_usage:
            body["usage"] = usage
        return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"

    def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return event([choice])

    yield chunk({"role": "assistant", "content": ""})
    answer = None
    try:
        async for value in run.values():
            if value is None:
                yield ": …\n\n"
            else:
                answer = value
    except (ApiError, RagError) as error:
        failed = error if isinstance(error, ApiError) else from_error(error)
        yield f"data: {json.dumps(openai_body(failed), ensure_ascii=False)}\n\n"
        return
    if answer is None:
        return
    for text in _contents(asked, answer):
        yield chunk({"content": text})
    yield chunk({"yiwen": _extra(answer)}, _finish_reason(answer))
    if with_usage:
        yield event([], _usage(answer))
    yield "data: [DONE]\n\n"


def _contents(asked: ChatRequest, answer: Answer) -> Iterator[str]:
    """The message's text in pieces."""
    whole = [*pieces(answer), *([footnotes(answer)] if asked.footnotes else [])]
    yield from map(escaped, whole) if asked.model == MARKDOWN_MODEL else whole


def _head(asked: ChatRequest, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "object": kind,
        "created": int(time.time()),
        "model": asked.model,
    }


def _extra(answer: Answer) -> dict[str, Any]:
    """The documented extra field of a message."""
    body = answer_to_json(answer)
    return {**{name: body[name] for name in _EXTRA}, "model": answer.model, "label": texts.AI_LABEL}


def _usage(answer: Answer) -> dict[str, int]:
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.output_tokens,
        "total_tokens": answer.prompt_tokens + answer.output_tokens,
    }


def _finish_reason(answer: Answer) -> str:
    return "length" if any(_CUT_OFF in notice for notice in answer.notices) else "stop"
