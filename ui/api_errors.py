"""Errors of the API, each in the shape of its protocol.

OpenAI's clients expect ``{"error": {"message", "type", "param", "code"}}``; our own protocol says
``{"error": {"code", "message", "remedy"}}``. One `ApiError` knows enough for both, and every error
(the product's, a bad request, an unknown route, a refusal at the gate) becomes one first.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import Scope

from rag.errors import (
    ContextOverflow,
    CorpusIndexError,
    LanguageModelError,
    ModelError,
    QuestionError,
    RagError,
)
from ui import api_texts
from ui.guard import Gate

logger = logging.getLogger(__name__)

RETRY_SECONDS = 5
OPENAI_PREFIX = "/v1/"
NATIVE_PREFIX = "/api/"
LIBRARY_PREFIX = "/library/"
Body = dict[str, Any]
# FastAPI sends requests with their bodies to a collector that the environment names.
NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "auto_configure": False,
}
# The first class that fits decides; what is not here is a fault of the server.
_STATUS: tuple[tuple[type[RagError], int, str], ...] = (
    (QuestionError, 400, "bad_question"),
    (ContextOverflow, 400, "context_length_exceeded"),
    (LanguageModelError, 503, "model_unavailable"),
    (CorpusIndexError, 503, "index_unavailable"),
    (ModelError, 503, "model_unavailable"),
)
_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_GATE_CODES = {
    403: "foreign_origin",
    404: "not_found",
    413: "request_too_large",
    421: "unknown_host",
}


class ApiError(Exception):
    """What went wrong with a request.

    Args:
        message: one Chinese line, what happened and then 「。请…」, what to do.
        parameter: the request's field that is at fault, where there is one.
    """

    def __init__(self, status: int, code: str, message: str, parameter: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.parameter = parameter


def from_error(error: RagError) -> ApiError:
    """An error of the product as one of the API."""
    for kind, status, code in _STATUS:
        if isinstance(error, kind):
            return ApiError(status, code, str(error))
    return ApiError(500, "server_error", str(error))


def openai_body(error: ApiError) -> Body:
    kind = "server_error" if error.status >= 500 else "invalid_request_error"
    return {
        "error": {
            "message": error.message,
            "type": _OPENAI_TYPES.get(error.status, kind),
            "param": error.parameter,
            "code": error.code,
        }
    }


def native_body(error: ApiError) -> Body:
    message, separator, remedy = error.message.rpartition("。请")
    if not separator:
        message, remedy = error.message, ""
    return {
        "error": {
            "code": error.code,
            "message": message,
            "remedy": f"请{remedy}" if remedy else "",
        }
    }


def body_of(path: str, error: ApiError) -> Body:
    """The error in the shape of the protocol that ``path`` belongs to."""
    return (openai_body if path.startswith(OPENAI_PREFIX) else native_body)(error)


def respond(path: str, error: ApiError) -> JSONResponse:
    headers = {}
    if error.status in (429, 503):
        headers["Retry-After"] = str(RETRY_SECONDS)
    elif error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body_of(path, error), error.status, headers)


class ApiGate(Gate):
    """The chat's gate, whose refusals a program can read where it was a program that asked."""

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        refusal = super()._refusal(scope)
        path: str = scope["path"]
        if refusal is None or not path.startswith((OPENAI_PREFIX, NATIVE_PREFIX, LIBRARY_PREFIX)):
            return refusal
        status = refusal.status_code
        text = bytes(refusal.body).decode().removesuffix("。")
        body = body_of(path, ApiError(status, _GATE_CODES[status], text))
        return PlainTextResponse(
            json.dumps(body, ensure_ascii=False), status, media_type="application/json"
        )


def new_app(title: str, error: type[BaseModel]) -> FastAPI:
    """An application without pages of its own that answers every error in its protocol's shape,
    which ``error`` describes."""
    app = FastAPI(
        title=title,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        telemetry=NO_TELEMETRY,
        responses={"default": {"model": error, "description": api_texts.ERROR}},
    )

    def answer(translate: Callable[[Request, Any], ApiError]) -> Callable[..., JSONResponse]:
        def handle(request: Request, error: Exception) -> JSONResponse:
            return respond(request.url.path, translate(request, error))

        return handle

    app.add_exception_handler(ApiError, answer(lambda _, error: error))
    app.add_exception_handler(RagError, answer(lambda _, error: from_error(error)))
    app.add_exception_handler(RequestValidationError, answer(_invalid))
    app.add_exception_handler(HTTPException, answer(_http))
    # Logged by the server, which sees the exception after this answer is sent.
    app.add_exception_handler(
        Exception, answer(lambda _, __: ApiError(500, "server_error", api_texts.INTERNAL))
    )
    return app


def _invalid(_: Request, error: RequestValidationError) -> ApiError:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return ApiError(400, "invalid_json", api_texts.BAD_JSON)
    where = ".".join(str(part) for part in first["loc"][1:])
    message = api_texts.BAD_FIELD.format(where=where or "（正文）", reason=first["msg"])
    return ApiError(400, "invalid_request", message, where or None)


def _http(request: Request, error: HTTPException) -> ApiError:
    if error.status_code == 405:
        message = api_texts.NO_METHOD.format(method=request.method)
        return ApiError(405, "method_not_allowed", message)
    if error.status_code == 404:
        return ApiError(404, "not_found", api_texts.NO_ROUTE)
    if error.status_code == 400:  # what the framework says of a body nested too deeply
        return ApiError(400, "invalid_json", api_texts.BAD_JSON)
    return ApiError(error.status_code, "invalid_request", str(error.detail))
