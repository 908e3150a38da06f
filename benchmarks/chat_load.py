"""The chat under load: eight people at once, five hundred questions, and what the page itself costs.

A real server in a process of its own answers over real HTTP. What it asks is a scripted assistant
that writes a piece every `_PIECE_SECONDS` and puts the moment of writing into its text, so that
everything measured here is the page's own doing and not retrieval's or a model's.

- overhead: from the assistant's first piece to the first turn with text at the client, beside the
  same assistant called directly, in turns
- eight at once: first text, largest gap between events, how long the page's start takes meanwhile
- four seats for eight: who waits is told so
- memory: resident size after questions by the hundred
- page: from opening it to a question box that can be written in, in a browser

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
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from rag.offsets import OffsetMap
from rag.types import Answer, Document, Hit, State

_FIRST_SECONDS = 0.1
_PIECE_SECONDS = 0.05
_PIECES = 40
_STAMP = re.compile(r"⟦([\d.]+)⟧")
PEOPLE = 8


class Scripted:
    """Answers at a steady pace; a question with 快 in it at once."""

    model_label = "scripted"

    def stream(self, question: str, **wanted: object) -> Iterator[Answer]:
        del wanted
        is_quick = "快" in question
        time.sleep(0 if is_quick else _FIRST_SECONDS)
        text = f"⟦{time.time():.6f}⟧"
        for _ in range(2 if is_quick else _PIECES):
            text += "按规定执行。"
            yield Answer(question, question, State.ANSWERED, text, finished=False)
            time.sleep(0 if is_quick else _PIECE_SECONDS)
        yield Answer(question, question, State.ANSWERED, text)

    def search(self, question: str, **_: object) -> tuple[Hit, ...]:
        del question
        return ()

    def document(self, id: str) -> Document:
        return Document(id, id, "", "", OffsetMap.identity(0))


@dataclass
class Heard:
    """One question as a client hears it; seconds since it was asked."""

    first_text: float = 0.0
    last: float = 0.0
    overhead: float = 0.0
    gap: float = 0.0
    phases: list[str] = field(default_factory=list)


class Client:
    """A browser's part: its cookie, and one question at a time."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=120, trust_env=False)

    async def __aenter__(self) -> "Client":
        await self._client.get("/chat/start")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def start(self) -> float:
        """Seconds that the page's first request takes."""
        started = time.perf_counter()
        (await self._client.get("/chat/start")).raise_for_status()
        return time.perf_counter() - started

    async def ask(self, question: str) -> Heard:
        heard = Heard()
        asked = before = time.perf_counter()
        async for turn in self._turns(question):
            now = time.perf_counter()
            heard.phases.append(turn["phase"])
            stamp = _STAMP.search(turn["body"])
            if stamp and not heard.first_text:
                heard.first_text = now - asked
                heard.overhead = time.time() - float(stamp[1])
            elif heard.first_text:
                heard.gap = max(heard.gap, now - before)
            before = now
        heard.last = time.perf_counter() - asked
        return heard

    async def _turns(self, question: str) -> AsyncIterator[dict[str, str]]:
        sent = {"question": question}
        async with self._client.stream("POST", "/chat/ask", json=sent) as response:
            response.raise_for_status()
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
    next(Scripted().stream("问"))
    return time.perf_counter() - started


async def overhead(url: str, rounds: int) -> None:
    pages, alone, own = [], [], []
    async with Client(url) as client:
        for _ in range(rounds):
            alone.append(direct())
            heard = await client.ask("输液要注意什么？")
            pages.append(heard.first_text)
            own.append(heard.overhead)
    print(
        f"first text, {rounds} questions in turns: assistant alone {_ms(alone)}, by the page "
        f"{_ms(pages)}; from the assistant's first piece to the client {_ms(own)}"
    )


async def together(url: str, seats: int) -> None:
    async def asking(client: Client) -> Heard:
        return await client.ask("输液要注意什么？")

    async def opening(client: Client) -> list[float]:
        seconds = []
        for _ in range(10):
            seconds.append(await client.start())
            await asyncio.sleep(0.1)
        return seconds

    clients = [Client(url) for _ in range(PEOPLE + 1)]
    for client in clients:
        await client.__aenter__()
    asks = asyncio.gather(*map(asking, clients[:-1]))
    opened = await opening(clients[-1])
    heard = await asks
    for client in clients:
        await client.__aexit__()
    finished = sum("finished" in each.phases for each in heard)
    first = sorted(each.first_text for each in heard)
    queued = sum("queued" in each.phases for each in heard)
    everybody = "everybody" if first[-1] < min(each.last for each in heard) else "not everybody"
    print(
        f"{PEOPLE} people, {seats} seats: {finished} answered, first text after {first[0]:.2f} to "
        f"{first[-1]:.2f} s ({everybody} reads before anybody is done), {queued} told their place "
        f"in the queue, largest gap between events {max(each.gap for each in heard):.2f} s, the "
        f"page's start meanwhile {_ms(opened)}"
    )


async def memory(url: str, process: int, steps: list[int]) -> None:
    done = 0
    sizes = []
    async with Client(url) as client:
        for step in steps:
            while done < step:
                await client.ask("快")
                done += 1
            sizes.append(f"{_resident(process):.0f} MB after {done}")
    print(f"resident memory of the server: {', '.join(sizes)} questions")


def _resident(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


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
            opened = browser.new_page()
            started = time.perf_counter()
            opened.goto(url, wait_until="commit")
            opened.locator("#yiwen-question textarea").fill("问")
            seconds.append(time.perf_counter() - started)
            opened.close()
        browser.close()
    print(f"page usable, {rounds} openings after the first: {_ms(seconds[1:])}")


def _ms(seconds: list[float]) -> str:
    return f"{1000 * statistics.median(seconds):.0f} ms (up to {1000 * max(seconds):.0f})"


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
        asyncio.run(overhead(url, 5 if arguments.quick else 50))
        asyncio.run(together(url, PEOPLE))
        steps = [10, 20] if arguments.quick else [50, 250, 500]
        asyncio.run(memory(url, process, steps))
        if not arguments.quick:
            page(url, 5)
    with server(PEOPLE // 2) as (url, _):
        asyncio.run(together(url, PEOPLE // 2))


if __name__ == "__main__":
    main()
