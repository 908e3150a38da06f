"""The chat as a web application, and the server that runs it.

`build_app` gives a FastAPI application with the chat at ``/``, ``/healthz`` and the programs'
interface (`ui.api`) beside it. Nothing here opens a connection to another machine.
"""

import asyncio
import atexit
import contextlib
import errno
import hashlib
import http.client
import logging
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import ServeError
from ui import texts
from ui.chat import build_blocks
from ui.chat_desk import Abilities, ChatDesk, ComplianceNotice

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rag.library.library import Library
    from ui.api_access import Authorize
    from ui.api_ask import ApiAssistant, FollowUp
    from ui.browsers import Browsers

logger = logging.getLogger(__name__)

ASSETS = Path(__file__).parent / "assets"
LOCAL_HOST_NAMES = ("127.0.0.1", "localhost")
# What the page was seen to ask for; everything else of the framework stays closed.
SERVED_PATHS = (
    "/",
    "/healthz",
    "/favicon.ico",
    "/robots.txt",
    "/manifest.json",
    "/theme.css",
    "/yiwen/*",
    "/chat/*",
    "/assets/*",
    "/static/*",
    "/svelte/*",
    "/gradio_api/startup-events",
    "/gradio_api/heartbeat/*",
)
_FONTS = (
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "system-ui",
    "sans-serif",
)
_SCRIPTS = (
    "chat.js",
    "chat-head.js",
    "chat-stream.js",
    "chat-turns.js",
    "chat-kept.js",
    "chat-preview.js",
    "chat-page.js",
)
_STYLES = ("chat.css", "chat-kept.css")
_START_SECONDS = 60.0
# An answer waits so long for a database that another program holds, then goes unkept.
_KEEP_SECONDS = 3.0


def build_app(
    assistant: "ApiAssistant",
    *,
    host_names: Collection[str] = LOCAL_HOST_NAMES,
    concurrency: int = 4,
    queue: int = 32,
    max_question_characters: int = 2000,
    compliance: ComplianceNotice | None = None,
    examples: Sequence[str] = texts.EXAMPLES,
    api_keys: Collection[str] = (),
    authorize: "Authorize | None" = None,
    follow_up: "FollowUp | None" = None,
    abilities: Abilities | None = None,
    library: "Library | None" = None,
    data: Path | None = None,
    keep_days: int = 0,
    font: Path | None = None,
) -> "FastAPI":
    """The web application of one assistant.

    Args:
        host_names: names, without port, under which browsers may reach it.
        concurrency: answers written at the same time.
        queue: questions that may wait; further ones are refused.
        max_question_characters: longer questions are refused on the server.
        examples: questions offered as buttons.
        api_keys, authorize, follow_up: see `ui.api.mount_api`.
        abilities: what the page may offer beside answers.
        library: the documents that can be looked at and changed at ``/library``.
        data: where conversations and feedback are kept; None keeps them while the process runs.
        keep_days: how long after their last question, 0 for ever.
        font: for exported PDFs; None for a system font.

    Raises:
        ConversationError: ``data`` cannot be used.
    """
    from rag.conversations.database import Database
    from rag.conversations.faults import ConversationError
    from rag.conversations.feedback import FeedbackStore
    from rag.conversations.store import ConversationStore, purge_daily
    from ui.browsers import Browsers, load_key

    directory = _for_this_process() if data is None else data
    database = Database(directory, timeout=_KEEP_SECONDS)
    desk = ChatDesk(
        assistant,
        ConversationStore(database),
        FeedbackStore(database),
        replace(abilities or Abilities(), library=library is not None),
        compliance,
        font,
        examples,
    )
    browsers = Browsers(load_key(directory))
    purge_daily(desk.conversations, keep_days)
    # What was deleted just before the last process was killed may be in its copy yet.
    with contextlib.suppress(ConversationError):
        database.forget()
    atexit.register(database.close)

    def build() -> "FastAPI":
        return _build(
            assistant,
            host_names=host_names,
            concurrency=concurrency,
            queue=queue,
            max_question_characters=max_question_characters,
            api_keys=api_keys,
            authorize=authorize,
            follow_up=follow_up,
            library=library,
            desk=desk,
            browsers=browsers,
        )

    return _inside_event_loop(build)


def _build(
    assistant: "ApiAssistant",
    *,
    host_names: Collection[str],
    concurrency: int,
    queue: int,
    max_question_characters: int,
    api_keys: Collection[str],
    authorize: "Authorize | None",
    follow_up: "FollowUp | None",
    library: "Library | None",
    desk: ChatDesk,
    browsers: "Browsers",
) -> "FastAPI":
    gradio = _import_gradio()
    from fastapi import FastAPI
    from fastapi.staticfiles import StaticFiles

    from ui import api
    from ui.api_errors import NO_TELEMETRY, ApiGate
    from ui.browsers import KnowsBrowser, browser_of
    from ui.chat_ask import make_handler
    from ui.chat_routes import WORDS, chat_app
    from ui.chat_stream import add_ask
    from ui.guard import SecurityHeaders
    from ui.language import KnowsLanguage
    from ui.library_routes import SERVED_PATHS as LIBRARY_PATHS
    from ui.library_routes import body_limits, mount_library
    from ui.runs import Seats

    app = FastAPI(
        title=texts.TITLE, openapi_url=None, docs_url=None, redoc_url=None, telemetry=NO_TELEMETRY
    )

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    seats = Seats(concurrency, queue)  # of the page and of programs together
    api.mount_api(
        app,
        assistant,
        seats=seats,
        max_question_characters=max_question_characters,
        keys=api_keys,
        authorize=authorize,
        follow_up=follow_up,
    )
    chat = chat_app(desk, browser_of)
    handler = make_handler(desk, max_question_characters=max_question_characters)
    add_ask(chat, handler, seats, browser_of)
    app.mount("/chat", chat)
    if library is not None:
        mount_library(app, library, assistant, seats=seats)
        library.start()
    app.mount("/yiwen", StaticFiles(directory=ASSETS), name="assets")
    scripts = "".join(f'<script src="{_asset(name)}"></script>' for name in _SCRIPTS)
    styles = "".join(f'<link rel="stylesheet" href="{_asset(name)}">' for name in _STYLES)
    blocks = build_blocks(desk, head=scripts)
    gradio.mount_gradio_app(
        app,
        blocks,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size="1kb",
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        favicon_path=str(ASSETS / "icon.svg"),
        theme=gradio.themes.Base(primary_hue="teal", font=list(_FONTS), font_mono=["monospace"]),
        head=f'{styles}<script src="{WORDS}"></script>',
    )
    app.add_middleware(KnowsBrowser, browsers=browsers)
    app.add_middleware(KnowsLanguage)
    app.add_middleware(
        ApiGate,
        host_names=host_names,
        paths=(*SERVED_PATHS, *api.SERVED_PATHS, *(LIBRARY_PATHS if library else ())),
        body_limits=body_limits(library) if library else {},
    )
    app.add_middleware(SecurityHeaders)
    return app


def serve(
    assistant: "ApiAssistant",
    host: str = "127.0.0.1",
    port: int = 7860,
    *,
    host_names: Collection[str] = (),
    on_ready: Callable[[str], None] | None = None,
    **options: Any,
) -> None:
    """Serve the chat until interrupted; ``options`` go to `build_app`.

    Browsers reach it as 127.0.0.1, localhost, ``host``, and under ``host_names``.

    ``on_ready`` is called with the page's address, from another thread, once the page answers.

    Raises:
        ServeError: the port is taken or forbidden, or the host is not one of this machine.
    """
    listener = _listen(host, port)
    with contextlib.closing(listener):
        import uvicorn

        reachable = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104
        shown = f"[{reachable}]" if ":" in reachable else reachable
        names = {*LOCAL_HOST_NAMES, reachable, *host_names}
        app = build_app(assistant, host_names=names, **options)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
        server = uvicorn.Server(config)
        logging.getLogger("uvicorn.error").addFilter(_is_worth_a_line)
        if on_ready is not None:
            threading.Thread(
                target=_wait_until_ready,
                args=(reachable, port, f"http://{shown}:{port}", on_ready, server),
                daemon=True,
            ).start()
        # A second Ctrl+C, or the first one while starting, reaches us as KeyboardInterrupt.
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Whether the server's log says more than that answers were cut off when it was stopped."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _inside_event_loop(build: "Callable[[], FastAPI]") -> "FastAPI":
    """Call ``build`` while an event loop runs.

    Without one, gradio makes a new loop for each of its locks and leaves it open; the locks
    themselves bind to a loop only when used.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:

        async def run() -> "FastAPI":
            return build()

        return asyncio.run(run())
    return build()


def _for_this_process() -> Path:
    """A folder that goes when the process ends."""
    directory = Path(tempfile.mkdtemp(prefix="yiwen-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


def _import_gradio() -> Any:
    """Gradio without its statistics. Its events, which would fetch any address that is sent as a
    value, are not served (`SERVED_PATHS`)."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_RUN_HISTORY"] = "False"
    import gradio

    return gradio


def _asset(name: str) -> str:
    """An asset's address, with a version so that a browser never keeps an old one."""
    version = hashlib.sha256((ASSETS / name).read_bytes()).hexdigest()[:12]
    return f"/yiwen/{name}?v={version}"


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything slow is loaded.

    Raises:
        ServeError: in words that say what to do.
    """
    other = port + 1 if 1024 <= port < 65535 else 7861
    try:
        family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0][0]
        # Named, or asyncio leaves TCP_NODELAY off: 40 ms a response on a kept-alive connection.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(128)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = texts.PORT_TAKEN.format(port=port, other=other)
        elif error.errno == errno.EACCES:
            message = texts.PORT_FORBIDDEN.format(port=port, other=other)
        else:
            message = texts.HOST_UNKNOWN.format(host=host, reason=error.strerror)
        raise ServeError(message) from error
    return listener


def _wait_until_ready(
    host: str, port: int, url: str, on_ready: Callable[[str], None], server: Any
) -> None:
    """Call ``on_ready`` once ``/healthz`` answers; log when it never does."""
    for _ in _until(time.monotonic() + _START_SECONDS):
        if server.should_exit:
            return
        connection = http.client.HTTPConnection(host, port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                on_ready(url)
                return
        except OSError:
            continue
        finally:
            connection.close()
    logger.error(texts.START_FAILED.format(url=url))


def _until(deadline: float) -> Iterator[None]:
    while time.monotonic() < deadline:
        yield
        time.sleep(0.05)
