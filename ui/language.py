"""The language of whoever asks: English where the browser asks for English first, else Chinese.

A `Text` is a plain string, in Chinese, that has its English beside it, so that no string can be
without one; `say` gives it in the language of the request at hand. Threads that anyio starts for a
request know its language too (they run in a copy of its context).
"""

from collections.abc import Mapping
from contextvars import ContextVar
from enum import StrEnum

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send


class Language(StrEnum):
    """As in a ``lang`` attribute."""

    CHINESE = "zh-CN"
    ENGLISH = "en"


class Text(str):
    """What the page says, in both languages."""

    __slots__ = ("english",)
    english: str

    def __new__(cls, chinese: str, english: str) -> "Text":
        text = super().__new__(cls, chinese)
        text.english = english
        return text


Texts = Mapping[str, "Text | Texts"]

_language: ContextVar[Language] = ContextVar("language", default=Language.CHINESE)


def language() -> Language:
    """The language of the request at hand; Chinese outside of requests."""
    return _language.get()


def say(text: Text, **values: object) -> str:
    """The text in the language of the request, its ``{…}`` filled by ``str.format``."""
    words = text.english if language() is Language.ENGLISH else str(text)
    return words.format(**values) if values else words


def say_all(texts: Texts) -> dict[str, object]:
    """Every text of a mapping, and of those in it, unfilled."""
    return {
        name: say(text) if isinstance(text, Text) else say_all(text) for name, text in texts.items()
    }


def preferred(accepted: str) -> Language:
    """The language for an Accept-Language header."""
    first, most = "", 0.0
    for part in accepted.split(","):
        tag, _, weight = part.partition(";")
        if _weight(weight) > most:
            first, most = tag.strip().lower(), _weight(weight)
    is_english = first == "en" or first.startswith("en-")
    return Language.ENGLISH if is_english else Language.CHINESE


def _weight(parameter: str) -> float:
    """The number in ``q=0.8``; 1 without one, 0 for what is none."""
    name, _, value = parameter.partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


class KnowsLanguage:
    """Notes the language of every request; pure ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            token = _language.set(preferred(Headers(scope=scope).get("accept-language", "")))
            try:
                await self.app(scope, receive, send)
            finally:
                _language.reset(token)
        else:
            await self.app(scope, receive, send)
