"""A real browser on a real server.

``chat_page(assistant)`` serves any assistant (the scripted one, or a real ``Assistant``) on a free
port and opens its page in Debian's chromium (``CHROMIUM`` names another). What the browser asks
for is recorded: `ChatPage.outside` must stay empty.
"""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from chat_page import ChatPage
from playwright.sync_api import Browser, expect, sync_playwright

from ui.app import build_app
from ui.chat_desk import ChatAssistant

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=45_000)


@contextmanager
def served(assistant: ChatAssistant, **options: Any) -> Iterator[str]:
    """The chat on a free port; gives its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        build_app(assistant, **options), log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive(), "the server stopped while starting"
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the whole session: while Playwright runs, this thread has a running event loop."""
    if not Path(CHROMIUM).exists():
        pytest.skip("no chromium on this machine (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def chat_page(browser: Browser) -> Iterator[Callable[..., ChatPage]]:
    """``chat_page(assistant, width=1440, height=900, dark=False, locale="zh-CN",
    **build_app_options)``."""
    with ExitStack() as stack:

        def open_page(
            assistant: ChatAssistant,
            *,
            width: int = 1440,
            height: int = 900,
            dark: bool = False,
            locale: str = "zh-CN",
            **options: Any,
        ) -> ChatPage:
            url = stack.enter_context(served(assistant, **options))
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if dark else "light",
                locale=locale,
                reduced_motion="reduce",
            )
            stack.callback(context.close)
            page = context.new_page()
            chat = ChatPage(page, url)
            page.on("request", lambda request: chat.requests.append(request.url))
            page.on("console", lambda message: chat.messages.append(message.text))
            page.goto(url)
            expect(page.locator("#yiwen-question textarea")).to_be_visible(timeout=60_000)
            page.wait_for_function("window.yiwen && window.yiwen.root")
            return chat

        yield open_page
