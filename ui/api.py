"""The programs' interface, mounted beside the chat.

::

    /v1/chat/completions, /v1/models     OpenAI's protocol (ui.api_openai)
    /api/ask, /api/search                our own (ui.api_native)
    /api/docs, /api/openapi.json         what there is, for those who may call it

A request passes the gate (hosts, origin, size), then `ui.api_access` (who asks), then one of the
`Seats` (how many at once).
"""

from collections.abc import Collection
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse, RedirectResponse

from ui import api_texts
from ui.api_access import Access, Authorize, on_this_machine
from ui.api_ask import ApiAssistant, Desk, FollowUp
from ui.api_native import native_app
from ui.api_openai import openai_app
from ui.api_page import page_html
from ui.runs import Seats

SERVED_PATHS = ("/v1/*", "/api/*")


def mount_api(
    app: FastAPI,
    assistant: ApiAssistant,
    *,
    seats: Seats,
    max_question_characters: int,
    keys: Collection[str] = (),
    authorize: Authorize | None = None,
    follow_up: FollowUp | None = None,
) -> None:
    """Add the API's routes to ``app``.

    Args:
        seats: how many questions and searches are worked on at once and may wait; further ones
            get 429.
        keys: once there are any, every call needs one as its Bearer token.
        authorize: who asks, None for nobody; without it, programs on this machine.
        follow_up: makes a question that stands alone of one that leans on earlier ones.
    """
    desk = Desk(assistant, seats, max_question_characters, follow_up)
    openai, native = openai_app(desk), native_app(desk)
    document = _document({"/v1": openai, "/api": native}, with_keys=bool(keys))

    @native.get("/openapi.json", include_in_schema=False)
    def openapi() -> dict[str, Any]:
        return document

    @native.get("/docs", include_in_schema=False)
    def docs(request: Request) -> HTMLResponse:
        # The gate has let only our own names through as Host.
        address = f"{request.url.scheme}://{request.headers['host']}"
        return HTMLResponse(page_html(document, address))

    @native.get("/", include_in_schema=False)
    def start() -> RedirectResponse:
        return RedirectResponse("/api/docs")

    for prefix, part in (("/v1", openai), ("/api", native)):
        part.add_middleware(Access, authorize=authorize or on_this_machine, keys=keys)
        app.mount(prefix, part)


def _document(parts: dict[str, FastAPI], *, with_keys: bool) -> dict[str, Any]:
    """The OpenAPI document of all parts, each below its prefix."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for prefix, part in parts.items():
        own = get_openapi(title=api_texts.API_TITLE, version="1", routes=part.routes)
        for path, operations in own["paths"].items():
            for operation in operations.values():
                # A bad request is answered with 400 in the protocol's own shape.
                operation["responses"].pop("422", None)
            paths[prefix + path] = operations
        schemas |= own.get("components", {}).get("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": api_texts.API_TITLE,
            "version": "1",
            "description": api_texts.API_DESCRIPTION,
        },
        "paths": paths,
        "components": {"schemas": schemas},
    }
    if with_keys:
        document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"key": []}]
    return document
