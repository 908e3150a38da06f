"""What is kept when things go wrong: a killed server, a locked database, a full disk."""

import json
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from paths import ROOT

from rag.conversations.database import FILE
from ui import texts

PROGRAM = """
import sys, time
from pathlib import Path
sys.path.insert(0, "tests")
from chat_desks import SmallAssistant
from rag.types import Answer, State
from ui.app import serve

class Answering(SmallAssistant):
    def stream(self, question, **wanted):
        if "慢" in question:
            for count in range(1, 400):
                yield Answer(question, question, State.ANSWERED, "慢" * count, finished=False)
                time.sleep(0.02)
        yield from super().stream(question, **wanted)

serve(Answering(), "127.0.0.1", int(sys.argv[1]), data=Path(sys.argv[2]))
"""


Visit = Callable[[int], "Browser"]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def server(
    data: Path, port: int, *prefix: str, before: str = ""
) -> Iterator[subprocess.Popen[bytes]]:
    """A server process of its own; killed at the end, if it still runs."""
    command = [sys.executable, "-c", PROGRAM, str(port), str(data)]
    if prefix:
        command = [*prefix, f'{before} && exec "$@"', "sh", *command]
    program = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            assert program.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server did not start"
            try:
                if httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).is_success:
                    break
            except httpx.TransportError:
                time.sleep(0.05)
        yield program
    finally:
        program.send_signal(signal.SIGKILL)
        program.wait()


@pytest.fixture
def visit() -> Iterator[Visit]:
    """``visit(port)`` comes with a new browser."""
    with ExitStack() as stack:

        def come(port: int) -> Browser:
            browser = Browser(port)
            stack.callback(browser.client.close)
            return browser

        yield come


class Browser:
    """A browser with its cookie, which outlives the server."""

    def __init__(self, port: int) -> None:
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
        assert self.client.get("/").is_success

    def turns(self, question: str, **wanted: str) -> Iterator[dict[str, Any]]:
        sent = {"question": question, **wanted}
        with self.client.stream("POST", "/chat/ask", json=sent) as stream:
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line[6:])

    def ask(self, question: str, **wanted: str) -> dict[str, Any]:
        return list(self.turns(question, **wanted))[-1]

    def questions(self) -> set[str]:
        """The finished questions of all conversations."""
        listed = self.client.get("/chat/start").json()["conversations"]
        opened = [self.client.get(f"/chat/conversations/{one['id']}").json() for one in listed]
        entries = [entry for one in opened for entry in one["entries"]]
        assert all(entry["body"] for entry in entries)
        return {entry["question"] for entry in entries if entry["phase"] == "finished"}


def test_a_server_killed_in_mid_answer_keeps_every_finished_one(
    tmp_path: Path, visit: Visit
) -> None:
    port = free_port()
    moments = random.Random(7)
    finished: set[str] = set()
    browser = None
    for round_number in range(3):
        with server(tmp_path, port) as program:
            browser = browser or visit(port)
            assert browser.questions() == finished
            first = browser.ask(f"第{round_number}次？")
            browser.ask("还有？", conversation=first["conversation"])
            finished |= {f"第{round_number}次？", "还有？"}
            turns = browser.turns("慢？", conversation=first["conversation"])
            while next(turns)["phase"] != "streaming":
                pass
            time.sleep(moments.uniform(0, 0.4))
            program.send_signal(signal.SIGKILL)
            with pytest.raises(httpx.TransportError):
                list(turns)
    with server(tmp_path, port):
        assert browser is not None
        assert browser.questions() == finished
        assert browser.ask("又好了？")["phase"] == "finished"


def test_a_locked_database_costs_the_keeping_and_not_the_answer(
    tmp_path: Path, visit: Visit
) -> None:
    port = free_port()
    with server(tmp_path, port):
        browser = visit(port)
        browser.ask("先问？")
        other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        turn = browser.ask("锁住时？")
        other.rollback()
        other.close()
        assert (turn["phase"], turn["kept"]) == ("finished", "")
        assert "答：锁住时？" in turn["body"]
        assert texts.NOT_KEPT.split("{")[0] in turn["body"]
        assert browser.ask("之后？")["kept"]
        assert browser.questions() == {"先问？", "之后？"}


def test_a_full_disk_costs_the_keeping_and_not_the_answer(tmp_path: Path, visit: Visit) -> None:
    own_file_system = ("unshare", "--mount", "--map-root-user", "sh", "-c")
    if not shutil.which("unshare"):
        pytest.skip("needs unshare (util-linux)")
    small = tmp_path / "small"
    small.mkdir()
    mount = f"mount -t tmpfs -o size=400k tmpfs {small}"
    probe = subprocess.run([*own_file_system, mount], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("no file systems can be mounted here")
    port = free_port()
    with server(small, port, *own_file_system, before=mount):
        browser = visit(port)
        kept = 0
        while (turn := browser.ask("满了吗？" * 400 + str(kept)))["kept"]:
            kept += 1
            assert kept < 400, "the disk never filled"
        assert turn["phase"] == "finished"
        assert texts.NOT_KEPT.split("{")[0] in turn["body"]
        assert kept > 0
