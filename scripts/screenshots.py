"""Pictures of every state of the chat page: ``make screenshots``.

A real server and a real browser; only what is answered was written down (`screenshot_answers`).
All pictures go to ``--out``; the three that the README shows to docs/images. ``--scenes`` and
``--sizes`` take fewer of them (``--scenes answered,queue`` ``--sizes 390-light``) and leave the README
alone.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from screenshot_answers import (
    DOSE,
    ELDERLY,
    FAILING,
    FEVER,
    INFUSION,
    MISSING,
    SLOW_SEARCH,
    SPEED,
    WASHING,
    Scripted,
)
from screenshot_server import House, served

README_IMAGES = Path("docs/images")
SIZES = {
    f"{width}-{'dark' if is_dark else 'light'}": (width, height, is_dark)
    for width, height in ((1440, 900), (1024, 768), (390, 844))
    for is_dark in (False, True)
}
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")


@dataclass
class Camera:
    """One page of one size, and where its pictures go."""

    page: Any
    url: str
    folder: Path
    name: str
    assistant: Scripted

    @property
    def is_phone(self) -> bool:
        return SIZES[self.name][0] < 500

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
        """Bring the conversations up where they are a drawer."""
        if SIZES[self.name][0] < 1280:
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


def welcome(camera: Camera) -> None:
    camera.fresh()
    camera.take("01-welcome")


def growing(camera: Camera) -> None:
    """An answer on its way, and stopped."""
    camera.fresh()
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


def answered(camera: Camera) -> None:
    page = camera.page
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


def doubtful(camera: Camera) -> None:
    page = camera.page
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


def unanswered(camera: Camera) -> None:
    camera.fresh()
    camera.ask(MISSING)
    camera.take("17-not-found")
    camera.fresh()
    camera.ask(FAILING, "failed")
    camera.take("18-failed")


def conversations(camera: Camera) -> None:
    page = camera.page
    for question in (DOSE, WASHING, SPEED):
        camera.fresh()
        camera.ask(question)
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
    page.keyboard.press("Escape")
    page.locator(".kept .open").first.click()
    page.locator(".turn").first.wait_for()
    camera.panel()
    camera.take("22-conversation-opened")


def queue(camera: Camera) -> None:
    """Two people and one seat; how long an answer takes is known from the one before."""
    camera.assistant.lingers = "text"
    first = replace(camera, page=camera.page.context.new_page())
    first.fresh()
    if not camera.assistant.is_timed:
        first.ask(FEVER)
        camera.assistant.is_timed = True
    first.ask(FEVER, "streaming")
    camera.fresh()
    camera.ask(SPEED, "queued")
    camera.page.wait_for_timeout(900)
    camera.take("23-queue")
    first.stop()


def damaged(camera: Camera) -> None:
    """The file of conversations is damaged: answers come all the same."""
    camera.fresh()
    camera.ask(SPEED)
    camera.take("24-not-kept")


def documents(camera: Camera) -> None:
    """The library, and the page of a PDF from there and from an answer."""
    page = camera.page
    camera.fresh()
    turn = camera.ask(SPEED)
    turn.locator(".open-page").first.click()
    page.locator(".page-dialog img").wait_for()
    camera.take("25-page-of-a-source")
    page.goto(f"{camera.url}/library")
    page.locator(".documents tbody tr").first.wait_for()
    page.locator(".search .question").fill(SPEED)
    page.locator(".search .strong").click()
    page.locator(".passages li").first.wait_for()
    camera.take("26-library")
    page.locator(".documents").scroll_into_view_if_needed()
    page.locator(".documents tbody tr").last.scroll_into_view_if_needed()
    camera.take("27-library-documents")
    page.get_by_role("button", name=f"预览 {INFUSION.title}").or_(
        page.locator(".documents .acts button").first
    ).first.click()
    page.locator(".preview-image img").wait_for()
    camera.take("28-library-page")


def english(camera: Camera) -> None:
    camera.fresh()
    camera.take("29-english-welcome")
    camera.ask(DOSE)
    camera.take("30-english-answer")


@dataclass(frozen=True)
class Scene:
    """Pictures that are taken one after the other, and on what server."""

    take: Callable[[Camera], None]
    house: House = field(default_factory=House)


SCENES = {
    scene.take.__name__: scene
    for scene in (
        *(Scene(take) for take in (welcome, growing, answered, doubtful, unanswered)),
        Scene(conversations),
        Scene(queue, House(concurrency=1, is_filed=True)),
        Scene(damaged, House(concurrency=1, is_damaged=True)),
        Scene(documents, House(has_library=True)),
        Scene(english, House(locale="en-US")),
    )
}


def photograph(out: Path, scenes: Collection[str], sizes: Collection[str]) -> None:
    """Take the pictures of some scenes in some sizes, on a server for each kind of house."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for house in dict.fromkeys(SCENES[name].house for name in scenes):
            assistant = Scripted()
            with served(assistant, house) as url:
                for size in sizes:
                    for name in scenes:
                        if SCENES[name].house == house:
                            shoot(browser, SCENES[name], Camera(None, url, out, size, assistant))
                            print(size, name, flush=True)
        browser.close()


def shoot(browser: Any, scene: Scene, camera: Camera) -> None:
    """A scene in a browser that has seen nothing yet."""
    width, height, is_dark = SIZES[camera.name]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if is_dark else "light",
        locale=scene.house.locale,
        reduced_motion="reduce",
        has_touch=camera.is_phone,
        is_mobile=camera.is_phone,
    )
    camera.page = context.new_page()
    scene.take(camera)
    context.close()


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
    for name, known in (("scenes", SCENES), ("sizes", SIZES)):
        every = ",".join(known)
        parser.add_argument(f"--{name}", default=every, help=f"some of {every}")
    arguments = parser.parse_args()
    if not Path(CHROMIUM).exists():
        sys.exit("no chromium on this machine: apt-get install chromium fonts-noto-cjk")
    scenes, sizes = arguments.scenes.split(","), arguments.sizes.split(",")
    for wanted, known in ((scenes, SCENES), (sizes, SIZES)):
        if unknown := set(wanted) - set(known):
            sys.exit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    photograph(arguments.out, scenes, sizes)
    if len(scenes) == len(SCENES) and len(sizes) == len(SIZES):
        to_readme(arguments.out)
    print(f"{arguments.out}: {len(list(arguments.out.glob('*.png')))} pictures")


if __name__ == "__main__":
    main()
