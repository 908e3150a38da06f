"""Pictures of every state of the chat page: ``make screenshots``.

A real server and a real browser; only what is answered was written down (`screenshot_answers`).
All pictures go to ``--out``; the three that the README shows to docs/images.
"""

import argparse
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from screenshot_answers import (
    DIGEST,
    DOSE,
    ELDERLY,
    FAILING,
    FEVER,
    MISSING,
    SLOW_SEARCH,
    SPEED,
    WASHING,
    Scripted,
    follow_ups,
    stand_alone,
)

README_IMAGES = Path("docs/images")
SIZES = (
    (1440, 900, False),
    (1440, 900, True),
    (1024, 768, False),
    (1024, 768, True),
    (390, 844, False),
    (390, 844, True),
)
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")


@contextmanager
def served(
    assistant: Scripted, concurrency: int, *, is_filed: bool, is_damaged: bool
) -> Iterator[str]:
    import uvicorn

    from rag.conversations.database import FILE
    from ui.app import build_app
    from ui.chat_desk import Abilities, ComplianceNotice

    filed = ComplianceNotice("示例模型", "示例备案号-0001") if is_filed else None

    with tempfile.TemporaryDirectory() as data, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if is_damaged:
            (Path(data) / FILE).write_bytes(b"\0" * 4096)
        app = build_app(
            assistant,
            concurrency=concurrency,
            data=Path(data),
            abilities=Abilities(
                stand_alone=stand_alone,
                follow_ups=follow_ups,
                collections=lambda: ("护理", "药品说明书", "制度"),
                digest=lambda: DIGEST,
            ),
            compliance=filed,
            examples=(SPEED, WASHING, DOSE, FEVER),
        )
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


@dataclass
class Camera:
    """One page of one size, and where its pictures go."""

    page: Any
    url: str
    folder: Path
    name: str
    has_panel: bool
    is_phone: bool
    assistant: Scripted

    def take(self, state: str) -> None:
        self.page.wait_for_timeout(350)
        self.page.screenshot(path=self.folder / f"{self.name}-{state}.png")

    def fresh(self) -> None:
        self.page.goto(self.url)
        self.page.locator("#yiwen-question textarea").wait_for()
        self.page.wait_for_timeout(500)

    def ask(self, question: str, phase: str = "finished") -> Any:
        self.page.locator("#yiwen-question textarea").fill(question)
        self.page.locator("#yiwen-send").click()
        turn = self.page.locator(".turn").last
        self.page.wait_for_function(
            "phase => [...document.querySelectorAll('.turn')].at(-1)?.dataset.phase === phase",
            arg=phase,
            timeout=30_000,
        )
        return turn

    def stop(self) -> None:
        self.page.locator("#yiwen-stop").click()

    def panel(self) -> None:
        if not self.has_panel:
            self.page.locator(".menu").click()

    def point(self, target: Any) -> None:
        """What a finger or a mouse does to see what is behind something."""
        if self.is_phone:
            target.tap()
        else:
            target.hover()

    def act(self, name: str) -> None:
        """Press a button of the newest conversation in the list."""
        entry = self.page.locator(".kept li").first
        if not self.is_phone:
            entry.hover()
        entry.locator(f".{name}").first.click()


def states(camera: Camera) -> None:
    """Every state, one after the other."""
    page = camera.page
    camera.fresh()
    camera.take("01-welcome")
    camera.ask(SLOW_SEARCH, "waiting")
    camera.take("02-waiting")
    camera.stop()
    for lingers, state in (("thinking", "03-thinking-now"), ("text", "04-streaming")):
        camera.fresh()
        camera.assistant.lingers = lingers
        camera.ask(SPEED, "streaming")
        camera.take(state)
        camera.stop()
    camera.take("05-stopped")
    camera.assistant.lingers = ""
    camera.fresh()
    turn = camera.ask(SPEED)
    turn.locator(".next-question").first.wait_for()
    camera.take("06-suggestions")
    turn.locator("a.mark").first.click()
    camera.take("07-source-opened")
    page.evaluate("window.scrollTo(0, 0)")
    camera.point(turn.locator("a.mark").last)
    page.locator(".preview").wait_for()
    camera.take("08-preview")
    page.mouse.move(0, 0)
    turn.locator(".thinking summary").click()
    camera.take("09-thinking-opened")
    turn = camera.ask(ELDERLY)
    turn.locator(".next-question").first.wait_for()
    camera.take("10-follow-up")
    turn.locator(".edit").click()
    camera.take("11-editing")
    for state, question in (("12-conflict", WASHING), ("13-doubtful-sentences", DOSE)):
        camera.fresh()
        camera.ask(question)
        camera.take(state)
    page.locator(".rate-down").click()
    page.locator(".why input").nth(1).check()
    camera.take("14-feedback")
    camera.fresh()
    turn = camera.ask(FEVER)
    camera.take("15-uncertain")
    turn.locator(".original summary").click()
    camera.take("16-original")
    camera.fresh()
    camera.ask(MISSING)
    camera.take("17-not-found")
    camera.fresh()
    camera.ask(FAILING, "failed")
    camera.take("18-failed")
    camera.fresh()
    camera.panel()
    camera.take("19-conversations")
    for button in ("export", "delete"):
        camera.act(button)
        camera.take(f"20-{button}")
    page.locator(".find").fill("滴速")
    page.wait_for_timeout(600)
    camera.act("rename")
    camera.take("21-search-and-rename")


def queue(camera: Camera, other: Any) -> None:
    """Two people and one seat; how long an answer takes is known from the one before."""
    camera.assistant.lingers = "text"
    first = replace(camera, page=other)
    first.fresh()
    if not camera.assistant.is_timed:
        first.ask(FEVER)
        camera.assistant.is_timed = True
    first.ask(FEVER, "streaming")
    camera.fresh()
    camera.ask(SPEED, "queued")
    camera.page.wait_for_timeout(900)
    camera.take("22-queue")


def damaged(camera: Camera) -> None:
    """The file of conversations is damaged: answers come all the same."""
    camera.fresh()
    camera.ask(SPEED)
    camera.take("23-not-kept")


def photograph(
    out: Path,
    take: Callable[[Camera, Any], None],
    concurrency: int,
    *,
    is_filed: bool = False,
    is_damaged: bool = False,
) -> None:
    from playwright.sync_api import sync_playwright

    assistant = Scripted()
    with (
        sync_playwright() as playwright,
        served(assistant, concurrency, is_filed=is_filed, is_damaged=is_damaged) as url,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for width, height, is_dark in SIZES:
            is_phone = width < 500
            name = f"{width}-{'dark' if is_dark else 'light'}"
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if is_dark else "light",
                locale="zh-CN",
                reduced_motion="reduce",
                has_touch=is_phone,
                is_mobile=is_phone,
            )
            page = context.new_page()
            camera = Camera(page, url, out, name, width >= 1280, is_phone, assistant)
            take(camera, context)
            context.close()
            print(name, flush=True)
        browser.close()


def to_readme(out: Path) -> None:
    """The three pictures of the README, in few colours."""
    from PIL import Image

    README_IMAGES.mkdir(parents=True, exist_ok=True)
    for source, target in (
        ("1440-light-07-source-opened", "answered"),
        ("1440-dark-13-doubtful-sentences", "checked"),
        ("390-light-17-not-found", "phone"),
    ):
        picture = Image.open(out / f"{source}.png").convert("RGB")
        reduced = picture.quantize(128, dither=Image.Dither.NONE)
        reduced.save(README_IMAGES / f"{target}.png", optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/screenshots"))
    arguments = parser.parse_args()
    if not Path(CHROMIUM).exists():
        sys.exit("no chromium on this machine: apt-get install chromium fonts-noto-cjk")
    arguments.out.mkdir(parents=True, exist_ok=True)
    photograph(arguments.out, lambda camera, _: states(camera), concurrency=4)
    photograph(
        arguments.out, lambda camera, context: queue(camera, context.new_page()), 1, is_filed=True
    )
    photograph(arguments.out, lambda camera, _: damaged(camera), 1, is_damaged=True)
    to_readme(arguments.out)
    print(f"{arguments.out}: {len(list(arguments.out.glob('*.png')))} pictures")


if __name__ == "__main__":
    main()
