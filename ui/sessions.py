"""Each browser's sessions are its own, whatever session hash it sends.

Gradio files everything under a session hash that the page chooses: who sends somebody else's
hash reads that stream and stops that answer. Here the hash is mixed with the browser's number
(`ui.browsers`) before Gradio sees it, so the same hash from another browser is another session.
"""

import hashlib
import json
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FIELD: Final = "session_hash"
_PREFIX = "/gradio_api/"
_HEARTBEAT = "/gradio_api/heartbeat/"


def own(session: str, browser: str) -> str:
    """What a session hash of one browser is called inside."""
    return hashlib.sha256(f"{browser}/{session}".encode("utf-8", "replace")).hexdigest()[:32]


class OwnSessions:
    """Renames session hashes in the path, the query and the JSON body; pure ASGI, inside
    `ui.browsers.KnowsBrowser`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX):
            await self.app(scope, receive, send)
            return
        browser = scope["state"]["browser"]
        scope = dict(scope)
        if scope["path"].startswith(_HEARTBEAT):
            session = scope["path"].removeprefix(_HEARTBEAT)
            scope["path"] = _HEARTBEAT + own(session, browser)
            scope["raw_path"] = scope["path"].encode()
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        scope["query_string"] = urlencode(
            [(name, own(value, browser) if name == FIELD else value) for name, value in pairs]
        ).encode()
        if scope["method"] == "POST":
            body = _renamed(await _whole(receive), browser)
            scope["headers"] = [
                (name, str(len(body)).encode() if name == b"content-length" else value)
                for name, value in scope["headers"]
            ]
            receive = _replay(body, receive)
        await self.app(scope, receive, send)


async def _whole(receive: Receive) -> bytes:
    """The body, which the gate has limited."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _renamed(body: bytes, browser: str) -> bytes:
    """The body with its session hash renamed; what is no JSON object stays for Gradio to refuse."""
    try:
        values: Any = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not isinstance(values, dict) or not isinstance(values.get(FIELD), str):
        return body
    return json.dumps({**values, FIELD: own(values[FIELD], browser)}).encode()


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives the body once, then what else arrives."""
    is_given = False

    async def replayed() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
