"""Who may call the API.

`Authorize` is the seam for sign-in: it gets the request and gives the person, or None. Without
sign-in `on_this_machine` stands there. Keys of ``[api] keys``, once there are any, are what a
call needs; the documentation page, which a browser opens without a header, stays with the seam.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Callable, Collection
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from ui import api_texts
from ui.api_errors import ApiError, respond

PAGES = ("/api/", "/api/docs", "/api/openapi.json")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, or some program, that may ask; ``title`` is what people call it, where known."""

    name: str
    title: str = ""


Authorize = Callable[[Request], Person | None]


def on_this_machine(request: Request) -> Person | None:
    """A program or browser on the machine that serves.

    Behind a proxy on the same machine everybody is: set keys there.
    """
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return Person("local") if (mapped or address).is_loopback else None


class Access:
    """Lets a request through to the API once it is known who asks; pure ASGI.

    The person stands in ``request.state.person``. Beside the gate's check of Origin, a browser's
    own word that another site sent a request (Sec-Fetch-Site) is enough to refuse it, and a body
    must say it is JSON, which a form of another site cannot.
    """

    def __init__(
        self, app: ASGIApp, authorize: Authorize = on_this_machine, keys: Collection[str] = ()
    ) -> None:
        self.app = app
        self.authorize = authorize
        self.keys = tuple(_digest(key) for key in keys)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        try:
            person = self._admit(request)
        except ApiError as error:
            await respond(scope["path"], error)(scope, receive, send)
            return
        scope.setdefault("state", {})["person"] = person
        await self.app(scope, receive, send)

    def _admit(self, request: Request) -> Person:
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise ApiError(403, "foreign_origin", api_texts.OTHER_SITE)
        person = self._person(request)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method == "POST" and kind != "application/json":
            raise ApiError(415, "unsupported_media_type", api_texts.NOT_JSON_TYPE)
        return person

    def _person(self, request: Request) -> Person:
        if self.keys:
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            digest = _digest(given.strip()) if scheme.lower() == "bearer" else b""
            # All are compared, so that the time taken says nothing.
            fits = [hmac.compare_digest(digest, key) for key in self.keys]
            if any(fits):
                return Person(f"key {fits.index(True) + 1}")
            if request.scope["path"] not in PAGES:
                message = api_texts.WRONG_KEY if digest else api_texts.NO_KEY
                raise ApiError(401, "invalid_api_key", message)
        person = self.authorize(request)
        if person is None:
            raise ApiError(401, "not_admitted", api_texts.NOT_ADMITTED)
        return person


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
