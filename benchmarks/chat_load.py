"""The chat under load: eight people at once, five hundred questions, and what the page itself costs.

A real server in a process of its own answers over real HTTP. What it asks is a scripted assistant
that writes at a steady pace and puts the moment of its first word into the text, so that what is
measured here is the page's own doing and neither retrieval's nor a model's.

- overhead: from the assistant's first word to the first turn with text at the client, beside the
  same assistant called directly, in turns
- eight at once: first text, largest gap between events, how long the page takes meanwhile
- four seats for eight: who waits is told the place in the queue
- five hundred questions, five to a conversation, one in ten left in mid-answer: resident memory,
  threads and open files of the server
- page: from opening it to a question box that can be written in, in a browser without a cache

Run: ``python -m benchmarks.chat_load [--quick]``
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from rag.offsets import OffsetMap
from rag.types import Answer, Citation, Document, Hit, State

PEOPLE = 8
OVERHEAD_SECONDS = 0.1  # what the page may cost, at the median
USABLE_SECONDS = 2.0
_STAMP = re.compile(r"⟦([\d.]+)⟧")
_PIECE = "滴速按医嘱调节[1]。"
_TEXT = "静脉输液时先核对医嘱，再按医嘱调节滴速，观察有无不适。" * 200
_DOCUMENT = Document("护理常规", "护理常规", _TEXT, _TEXT, OffsetMap.identity(len(_TEXT)))
_QUOTE = "再按医嘱调节滴速"


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds before the first piece, seconds between two, how many."""

    first: float
    between: float
    pieces: int


LONG, SHORT, QUICK = "输液要注意什么？", "输液前核对什么？", "滴速怎么调？"
PACES = {LONG: Pace(0.1, 0.05, 40), SHORT: Pace(0.1, 0.05, 4), QUICK: Pace(0, 0, 30)}


class Scripted:
    """Answers a question at its pace, with the moment of the first piece in the text."""

    model_label = "scripted"

    def stream(self, question: str, **wanted: object) -> Iterator[Answer]:
        del wanted
        pace = PACES[question]
        time.sleep(pace.first)
        text = f"⟦{time.time():.6f}⟧"
        for _ in range(pace.pieces):
            text += _PIECE
            yield Answer(question, question, State.ANSWERED, text, finished=False)
            time.sleep(pace.between)
        start = _TEXT.index(_QUOTE)
        cited = Citation(1, _DOCUMENT.id, _DOCUMENT.title, start, start + len(_QUOTE), _QUOTE)
        yield Answer(question, question, State.ANSWERED, text, citations=(cited,))

    def search(self, question: str, **_: object) -> tuple[Hit, ...]:
        del question
        return ()

    def document(self, id: str) -> Document:
        del id
        return _DOCUMENT


@dataclass
class Heard:
    """One question as a client hears it; seconds since it was asked, but ``overhead`` since the
    assistant's first piece."""

    first_event: float = 0.0
    first_text: float = 0.0
    last: float = 0.0
    overhead: float = 0.0
    gap: float = 0.0
    phases: list[str] = field(default_factory=list)
    conversation: str = ""


class Client:
    """A browser's part: its cookie, and one question at a time."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=120, trust_env=False)

    async def __aenter__(self) -> "Client":
        await self.seconds("/")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def seconds(self, path: str) -> float:
        """How long an answer to ``GET path`` takes."""
        started = time.perf_counter()
        (await self._client.get(path)).raise_for_status()
        return time.perf_counter() - started

    async def ask(self, question: str, conversation: str = "", *, leaves: bool = False) -> Heard:
        """``leaves``: gone as soon as there is text."""
        heard = Heard()
        asked = before = time.perf_counter()
        sent = {"question": question, "conversation": conversation}
        async with self._client.stream("POST", "/chat/ask", json=sent) as response:
            response.raise_for_status()
            async for turn in _turns(response):
                now = time.perf_counter()
                heard.first_event = heard.first_event or now - asked
                heard.gap = max(heard.gap, now - before)
                before = now
                heard.phases.append(turn["phase"])
                heard.conversation = turn["conversation"]
                stamp = _STAMP.search(turn["body"])
                if stamp and not heard.first_text:
                    heard.first_text = now - asked
                    heard.overhead = time.time() - float(stamp[1])
                    if leaves:
                        break
        heard.last = time.perf_counter() - asked
        return heard


async def _turns(response: httpx.Response) -> AsyncIterator[dict[str, str]]:
    async for line in response.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line[6:])


@contextmanager
def server(seats: int) -> Iterator[tuple[str, int]]:
    """A server with so many seats in a process of its own: (address, process id)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.chat_load", "--serve", str(port)]
        command += ["--seats", str(seats), "--data", folder]
        program = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            if program.stdout is None or not program.stdout.readline():
                sys.exit("the server did not start")
            yield f"http://127.0.0.1:{port}", program.pid
        finally:
            program.terminate()
            program.wait()


def direct() -> float:
    """Seconds to the first piece of the assistant itself."""
    started = time.perf_counter()
    next(Scripted().stream(SHORT))
    return time.perf_counter() - started


async def overhead(url: str, rounds: int) -> None:
    pages, alone, own = [], [], []
    async with Client(url) as client:
        for _ in range(rounds):
            alone.append(direct())
            heard = await client.ask(SHORT)
            pages.append(heard.first_text)
            own.append(heard.overhead)
    print(
        f"first text, {rounds} questions in turns: assistant alone {_ms(alone)}, by the page "
        f"{_ms(pages)}; from the assistant's first piece to the client {_ms(own)}, "
        f"{_held(own, OVERHEAD_SECONDS)}"
    )


async def together(url: str, seats: int) -> None:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Client(url)) for _ in range(PEOPLE + 1)]
        asks = asyncio.gather(*(client.ask(LONG) for client in clients[:-1]))
        pages, starts = [], []
        while not asks.done():
            pages.append(await clients[-1].seconds("/"))
            starts.append(await clients[-1].seconds("/chat/start"))
            await asyncio.sleep(0.1)
        heard = await asks
    finished = sum("finished" in each.phases for each in heard)
    queued = sum("queued" in each.phases for each in heard)
    first = sorted(each.first_text for each in heard)
    done = min(each.last for each in heard)
    print(
        f"{PEOPLE} people, {seats} seats: {finished} answered, {queued} told their place in the "
        f"queue; first event after at most {max(each.first_event for each in heard):.2f} s, first "
        f"text after {first[0]:.2f} to {first[-1]:.2f} s, {sum(one < done for one in first)} read "
        f"before anybody is done; page's cost {_ms([each.overhead for each in heard])}; largest "
        f"gap between events {max(each.gap for each in heard):.2f} s; meanwhile GET / "
        f"{_ms(pages)}, /chat/start {_ms(starts)}"
    )


async def memory(url: str, process: int, steps: Sequence[int]) -> None:
    done = 0
    sizes = []
    started = time.perf_counter()
    async with Client(url) as client:
        conversation = ""
        for step in steps:
            while done < step:
                if done % 10 == 9:
                    await client.ask(LONG, leaves=True)
                    conversation = ""
                else:
                    heard = await client.ask(QUICK, "" if done % 5 == 0 else conversation)
                    conversation = heard.conversation
                done += 1
            await asyncio.sleep(1)  # what was left ends at its next piece
            sizes.append(f"after {done} {_load(process)}")
    print(f"server after questions: {'; '.join(sizes)} ({time.perf_counter() - started:.0f} s)")


def _load(process: int) -> str:
    folder = Path(f"/proc/{process}")
    pages = int((folder / "statm").read_text().split()[1])
    size = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    threads = len(list((folder / "task").iterdir()))
    return f"{size:.0f} MB, {threads} threads, {len(list((folder / 'fd').iterdir()))} files"


def page(url: str, rounds: int) -> None:
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        print("no chromium: the page was not opened")
        return
    seconds = []
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        for _ in range(rounds + 1):
            opened = browser.new_page()  # in a context of its own: nothing is cached
            started = time.perf_counter()
            opened.goto(url, wait_until="commit")
            opened.wait_for_function("window.yiwen?.root")
            opened.locator("#yiwen-question textarea").fill("问")
            seconds.append(time.perf_counter() - started)
            opened.close()
        browser.close()
    print(
        f"page usable, {rounds} openings after the first: {_ms(seconds[1:])}, "
        f"{_held(seconds[1:], USABLE_SECONDS)}"
    )


def _ms(seconds: Sequence[float]) -> str:
    return f"{1000 * statistics.median(seconds):.0f} ms (up to {1000 * max(seconds):.0f})"


def _held(seconds: Sequence[float], most: float) -> str:
    is_held = statistics.median(seconds) <= most
    return f"{'within' if is_held else 'NOT within'} {1000 * most:.0f} ms"


def serve(port: int, seats: int, data: Path) -> None:
    from ui.app import serve as serve_page

    serve_page(
        Scripted(),
        port=port,
        concurrency=seats,
        queue=64,
        data=data,
        on_ready=lambda url: print(url, flush=True),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few questions, no browser")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--seats", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.seats, arguments.data)
        return
    with server(PEOPLE) as (url, process):
        asyncio.run(overhead(url, 5 if arguments.quick else 100))
        asyncio.run(together(url, PEOPLE))
        asyncio.run(memory(url, process, [10, 20] if arguments.quick else [50, 250, 500]))
        if not arguments.quick:
            page(url, 5)
    with server(PEOPLE // 2) as (url, _):
        asyncio.run(together(url, PEOPLE // 2))


if __name__ == "__main__":
    main()
