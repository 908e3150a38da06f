"""Who sits at a browser, until there is sign-in: an opaque number in a signed cookie of our own.

The number names nobody; whoever has the cookie has its conversations, so the page's script cannot
read it (HttpOnly) and no other site can send it (SameSite=Strict). It is signed with a key kept
beside the conversations, so a number that was not given out here is nobody. `browser_of` is an
`ui.api_access.Authorize`: sign-in puts another one in its place.
"""

import hashlib
import hmac
import os
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.conversations.faults import ConversationError
from ui import texts

if TYPE_CHECKING:
    from starlette.requests import Request

    from ui.api_access import Person

COOKIE: Final = "yiwen_browser"
KEY_FILE: Final = "browsers.key"
START: Final = "/chat/start"
_KEY_BYTES = 32
_SECONDS = 365 * 24 * 3600


def load_key(directory: Path) -> bytes:
    """The key that signs cookies, made on first use (mode 0600).

    Raises:
        ConversationError: it can be neither read nor written.
    """
    path = directory / KEY_FILE
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            key = path.read_bytes()
        else:
            key = secrets.token_bytes(_KEY_BYTES)
            with os.fdopen(handle, "wb") as file:
                file.write(key)
    except OSError as error:
        raise ConversationError(
            texts.KEY_FAILED.format(path=path, reason=error.strerror)
        ) from error
    if len(key) != _KEY_BYTES:
        raise ConversationError(texts.KEY_DAMAGED.format(path=path))
    return key


class Browsers:
    """Gives numbers out and knows its own again."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def name(self, header: str) -> str:
        """The number in a Cookie header, "" when there is none or its signature is not ours."""
        try:
            found = SimpleCookie(header).get(COOKIE)
        except CookieError:
            return ""
        name, _, signature = (found.value if found else "").partition(".")
        is_ours = hmac.compare_digest(signature.encode(), self._sign(name).encode())
        return name if name and is_ours else ""

    def new_name(self) -> str:
        return secrets.token_hex(16)

    def cookie(self, name: str, *, is_secure: bool) -> str:
        """The Set-Cookie header of a number."""
        secure = "; Secure" if is_secure else ""
        return (
            f"{COOKIE}={name}.{self._sign(name)}; Max-Age={_SECONDS}; Path=/; HttpOnly; "
            f"SameSite=Strict{secure}"
        )

    def _sign(self, name: str) -> str:
        return hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()


def browser_of(request: "Request") -> "Person | None":
    """The person of a request that passed `KnowsBrowser`, None without a cookie of ours."""
    from ui.api_access import Person

    name = request.scope.get("state", {}).get("browser", "")
    return Person(name) if name else None


class KnowsBrowser:
    """Puts the browser's number into ``scope["state"]["browser"]`` ("" for none); pure ASGI.

    A new one is given with the page, but not where another site led there: such a request comes
    without the cookie that the browser has. The page's own first request (`START`) has it, and
    gives one where there is none.
    """

    def __init__(self, app: ASGIApp, browsers: Browsers) -> None:
        self.app = app
        self.browsers = browsers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        name = self.browsers.name(headers.get("cookie", ""))
        is_own = headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        gives = scope["method"] == "GET" and scope["path"] in ("/", START) and is_own
        if gives and not name:
            name = self.browsers.new_name()
        scope.setdefault("state", {})["browser"] = name
        if not gives:
            await self.app(scope, receive, send)
            return
        cookie = self.browsers.cookie(name, is_secure=scope.get("scheme") == "https")

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        await self.app(scope, receive, send_with_cookie)
