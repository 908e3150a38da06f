"""What stands between the network and the chat: pure ASGI middleware.

A request passes when its Host is one of ours, its Origin (browsers send one with every request
that changes something) is the page itself, its path is one the page needs, and its body is small.
Every response carries the headers that keep a hostile answer from reaching another host. The
framework's other routes (uploads, proxying, file serving, its API) are simply not there.
"""

from collections.abc import Collection, Iterable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import texts, texts_library

# Measured with gradio 6.31: blocked every external load and left the chat working. Its front end
# needs 'unsafe-inline' and 'unsafe-eval', so escaping (ui.render) is the first wall and this the
# second.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; media-src 'self' blob:; object-src 'none'; frame-src 'none'; "
    "frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)
# For pages of our own: no script and no style but our files.
STRICT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
# Set by a browser only when a stranger's proxy stands in front; the framework would build the
# page's own addresses from them.
_FORWARDED = (b"forwarded", b"x-forwarded-")
_DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_BODY_BYTES = 256 * 1024


class SecurityHeaders:
    """Adds the fixed headers to every response, those of refusals included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                own_policy = headers.get("content-security-policy")
                for name, value in _HEADERS.items():
                    headers[name] = value
                if own_policy == STRICT_POLICY:  # of a page of our own, without the framework
                    headers["Content-Security-Policy"] = own_policy
                del headers["access-control-allow-origin"]
                del headers["access-control-allow-credentials"]
            await send(message)

        await self.app(scope, receive, send_with_headers)


class Gate:
    """Refuses requests with a foreign Host or Origin, of an unneeded path, or too large.

    Args:
        host_names: names, without port, under which the chat may be reached.
        paths: exact paths that are served; one ending in ``/*`` serves everything below it.
        body_limits: exact paths whose bodies may have more than `MAX_BODY_BYTES`, and how many.
    """

    def __init__(
        self,
        app: ASGIApp,
        host_names: Collection[str],
        paths: Iterable[str],
        body_limits: Mapping[str, int] | None = None,
    ) -> None:
        self.app = app
        self.body_limits = dict(body_limits or {})
        self.host_names = frozenset(name.lower() for name in host_names)
        wanted = tuple(paths)
        self.exact = frozenset(path for path in wanted if not path.endswith("/*"))
        self.below = tuple(path[:-1] for path in wanted if path.endswith("/*"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # the chat has no WebSocket
            await send({"type": "websocket.close", "code": 1008})
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        scope = dict(scope)
        scope["headers"] = [
            (name, value) for name, value in scope["headers"] if not name.startswith(_FORWARDED)
        ]
        await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _host_name(host) not in self.host_names:
            return PlainTextResponse(texts.BAD_HOST, status_code=421)
        origin = headers.get("origin")
        if origin is not None and not _same_place(origin, host):
            return PlainTextResponse(texts.BAD_ORIGIN, status_code=403)
        path: str = scope["path"]
        if path not in self.exact and not path.startswith(self.below):
            return PlainTextResponse(texts.NOT_SERVED, status_code=404)
        if scope["method"] == "POST":
            length = headers.get("content-length", "")
            most = self.body_limits.get(path, MAX_BODY_BYTES)
            if not length.isascii() or not length.isdigit() or int(length) > most:
                return PlainTextResponse(self._too_large(path), status_code=413)
        return None

    def _too_large(self, path: str) -> str:
        return texts_library.TOO_LARGE if path in self.body_limits else texts.TOO_LARGE


def _host_name(host: str) -> str:
    """The name in a Host header, without port and brackets; "" when it is not one."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _same_place(origin: str, host: str) -> bool:
    """Whether an Origin header names the host and port that the request was sent to."""
    try:
        page = urlsplit(origin)
        here = urlsplit(f"//{host}")
        default = _DEFAULT_PORTS.get(page.scheme)
        return (
            default is not None
            and page.hostname == here.hostname
            and (page.port or default) == (here.port or default)
        )
    except ValueError:
        return False
