"""What is kept when things go wrong: a killed server, a database that is locked or damaged, a full
disk.

Every server here is a process of its own, asked over HTTP.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from paths import ROOT

from rag.conversations.database import FILE, Database
from rag.conversations.faults import ConversationBusy
from ui import texts

COPY = "conversations.copy.sqlite3"
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


Visit = Callable[..., "Browser"]


@dataclass(frozen=True)
class Before:
    """What was kept: a folder, the conversation to be damaged, and the cookie of who asked."""

    data: Path
    broken: str
    cookies: httpx.Cookies

    def copy_to(self, folder: Path, *, has_safety_copy: bool = False) -> Path:
        """A copy in ``folder``; gives the database's path."""
        shutil.copytree(self.data, folder, dirs_exist_ok=True)
        if not has_safety_copy:
            (folder / COPY).unlink()
        return folder / FILE


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
    """``visit(port)`` comes with a new browser, ``visit(port, cookies)`` with a known one."""
    with ExitStack() as stack:

        def come(port: int, cookies: httpx.Cookies | None = None) -> Browser:
            browser = Browser(port, cookies)
            stack.callback(browser.client.close)
            return browser

        yield come


@contextmanager
def asked_once(data: Path, visit: Visit) -> Iterator["Browser"]:
    """A browser at a new server, where 先问？ was answered."""
    port = free_port()
    with server(data, port):
        browser = visit(port)
        browser.ask("先问？")
        yield browser


class Browser:
    """A browser with its cookie, which outlives the server."""

    def __init__(self, port: int, cookies: httpx.Cookies | None = None) -> None:
        self.port = port
        address = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=address, cookies=cookies, timeout=60, trust_env=False)
        assert self.client.get("/").is_success

    def turns(self, question: str, **wanted: str) -> Iterator[dict[str, Any]]:
        sent = {"question": question, **wanted}
        with self.client.stream("POST", "/chat/ask", json=sent) as stream:
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line[6:])

    def ask(self, question: str, **wanted: str) -> dict[str, Any]:
        return list(self.turns(question, **wanted))[-1]

    def listed(self) -> list[str]:
        """Ids of all conversations in the list."""
        told = self.client.get("/chat/start").json()
        found = told["conversations"]
        while told["following"]:
            after = {"after": told["following"]}
            told = self.client.get("/chat/conversations", params=after).json()
            found += told["conversations"]
        return [one["id"] for one in found]

    def questions(self, *, apart_from: str = "") -> set[str]:
        """The finished questions of all conversations, each with its whole answer and source."""
        opened = [
            self.client.get(f"/chat/conversations/{id}").json()
            for id in self.listed()
            if id != apart_from
        ]
        entries = [entry for one in opened for entry in one["entries"]]
        finished = [entry for entry in entries if entry["phase"] == "finished"]
        for entry in finished:
            assert f"答：{entry['question']}" in entry["body"]
            assert "用药手册" in entry["sources"]
        return {entry["question"] for entry in finished}


def test_a_server_killed_in_mid_answer_keeps_every_finished_one(
    tmp_path: Path, visit: Visit
) -> None:
    port = free_port()
    moments = random.Random(7)
    finished: set[str] = set()
    browser = None
    for number in range(3):
        with server(tmp_path, port) as program:
            browser = browser or visit(port)
            assert browser.questions() == finished
            first = browser.ask(f"第{number}次？")
            browser.ask(f"还有{number}？", conversation=first["conversation"])
            finished |= {f"第{number}次？", f"还有{number}？"}
            turns = browser.turns("慢？", conversation=first["conversation"])
            while next(turns)["phase"] != "streaming":
                pass
            time.sleep(moments.uniform(0, 0.3))
            program.send_signal(signal.SIGKILL)
            with pytest.raises(httpx.TransportError):
                list(turns)
    for number in range(2):
        with server(tmp_path, port) as program:
            assert browser is not None
            assert browser.questions() >= finished
            # At any moment, that of keeping too.
            threading.Timer(moments.uniform(0.1, 0.8), program.kill).start()
            with pytest.raises(httpx.TransportError):
                for question in (f"再问{number}之{count}？" for count in range(10_000)):
                    if browser.ask(question)["kept"]:
                        finished.add(question)
    with server(tmp_path, port):
        assert browser is not None
        assert browser.questions() >= finished
        assert browser.ask("又好了？")["phase"] == "finished"


def test_a_locked_database_costs_the_keeping_and_not_the_answer(
    tmp_path: Path, visit: Visit
) -> None:
    with asked_once(tmp_path, visit) as browser:
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


def wait_for_copy(folder: Path, turns: int) -> None:
    """Until the copy beside the database holds so many turns."""
    deadline = time.monotonic() + 30
    found = 0
    while found != turns:
        assert time.monotonic() < deadline, f"the copy holds {found} turns"
        time.sleep(0.1)
        if (folder / COPY).exists():
            with contextlib.closing(sqlite3.connect(folder / COPY)) as connection:
                (found,) = connection.execute("SELECT count(*) FROM turns").fetchone()


def test_the_first_words_do_not_wait_for_a_locked_database(tmp_path: Path, visit: Visit) -> None:
    with asked_once(tmp_path, visit) as browser:
        with contextlib.closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            turns = browser.turns("锁住时？")
            while next(turns)["phase"] != "streaming":
                pass
            other.rollback()
        *_, last = turns
        assert last["kept"], "nothing had waited until it gave up"
        assert browser.questions() == {"先问？", "锁住时？"}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Before:
    """A folder with three conversations, all of it in one file."""
    data = tmp_path_factory.mktemp("before")
    port = free_port()
    with server(data, port):
        browser = Browser(port)
        browser.ask("先问？")
        broken = browser.ask("很长的问题" * 300)["conversation"]
        browser.ask("后问？")
        browser.client.close()
        wait_for_copy(data, 3)
    connection = sqlite3.connect(data / FILE)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return Before(data, broken, browser.client.cookies)


def first_page_lost(content: bytes) -> bytes:
    return b"\0" * 4096 + content[4096:]


def letters_changed(content: bytes) -> bytes:
    """Inside the text of an answer, where SQLite itself notices nothing."""
    place = content.rindex("后问？".encode())
    return content[:place] + b"\xff" * 6 + content[place + 6 :]


def nothing_left(content: bytes) -> bytes:
    return content[:0]


@pytest.mark.parametrize("damage", [first_page_lost, letters_changed, nothing_left])
def test_a_damaged_file_is_restored_from_its_copy(
    damage: Callable[[bytes], bytes], before: Before, tmp_path: Path, visit: Visit
) -> None:
    file = before.copy_to(tmp_path, has_safety_copy=True)
    damaged = damage(file.read_bytes())
    file.write_bytes(damaged)
    port = free_port()
    with server(tmp_path, port):
        browser = visit(port, before.cookies)
        assert browser.client.get("/chat/start").json()["problem"] == ""
        assert browser.questions() == {"先问？", "很长的问题" * 300, "后问？"}
        assert browser.ask("又好了？")["kept"]
        wait_for_copy(tmp_path, 4)
    (aside,) = tmp_path.glob("*.damaged-*.sqlite3")
    assert aside.read_bytes() == damaged
    assert aside.stat().st_mode & 0o777 == 0o600


def test_a_damaged_write_ahead_log_is_a_damaged_database(tmp_path: Path, visit: Visit) -> None:
    """SQLite leaves out what stands in a damaged log and calls the rest whole."""
    port = free_port()
    asked = {"先问？", "再问？", "后问？"}
    with server(tmp_path, port) as program:
        browser = visit(port)
        for question in sorted(asked):
            browser.ask(question)
        wait_for_copy(tmp_path, 3)
        program.kill()
    log = tmp_path / f"{FILE}-wal"
    content = log.read_bytes()
    assert len(content) > 20_000, "all of it stands in the log yet"
    log.write_bytes(content[:8192] + b"\0" * 4096 + content[8192 + 4096 :])
    with server(tmp_path, port):
        assert browser.questions() == asked


def test_a_file_that_is_emptied_under_a_running_server_keeps_nothing_and_says_so(
    tmp_path: Path, visit: Visit
) -> None:
    with asked_once(tmp_path, visit) as browser:
        wait_for_copy(tmp_path, 1)
        os.truncate(tmp_path / FILE, 0)
        turn = browser.ask("清空以后？")
        assert (turn["phase"], turn["kept"]) == ("finished", "")
        assert texts.NOT_KEPT.split("{")[0] in turn["body"]
    with server(tmp_path, browser.port):
        assert browser.questions() == {"先问？"}


def test_a_lost_file_is_restored_and_a_killed_server_loses_nothing_of_it(
    before: Before, tmp_path: Path, visit: Visit
) -> None:
    before.copy_to(tmp_path, has_safety_copy=True).unlink()
    port = free_port()
    for number in range(2):
        with server(tmp_path, port) as program:
            browser = visit(port, before.cookies)
            asked = {f"第{count}次？" for count in range(number)}
            assert browser.questions() == {"先问？", "很长的问题" * 300, "后问？", *asked}
            assert browser.ask(f"第{number}次？")["kept"]
            program.kill()


def test_a_damaged_file_without_a_copy_costs_the_keeping_and_stays_as_it_is(
    before: Before, tmp_path: Path, visit: Visit
) -> None:
    file = before.copy_to(tmp_path)
    damaged = first_page_lost(file.read_bytes())
    file.write_bytes(damaged)
    port = free_port()
    with server(tmp_path, port):
        browser = visit(port, before.cookies)
        told = browser.client.get("/chat/start").json()
        assert "已损坏" in told["problem"]
        assert told["conversations"] == []
        assert told["model"], "who answers is told all the same"
        turn = browser.ask("损坏时？")
        assert (turn["phase"], turn["kept"]) == ("finished", "")
        assert "答：损坏时？" in turn["body"]
        assert "已损坏" in turn["body"]
        assert FILE not in told["problem"] + turn["body"], "a path is for the log"
    assert file.read_bytes() == damaged
    file.rename(tmp_path / "damaged")  # as the log's line says
    with server(tmp_path, port):
        assert browser.questions() == set()
        assert browser.ask("又好了？")["kept"]
        assert browser.questions() == {"又好了？"}


@pytest.mark.parametrize(
    "size",
    [
        4096,
        64,
    ],
)
def test_what_is_whole_in_a_damaged_file_can_still_be_read(
    size: int, before: Before, tmp_path: Path, visit: Visit
) -> None:
    file = before.copy_to(tmp_path)
    content = bytearray(file.read_bytes())
    place = content.rindex(b'"search_question"')  # of the long one: it fills pages of its own
    start = place // 4096 * 4096 if size == 4096 else place
    content[start : start + size] = b"\xff" * size
    file.write_bytes(content)
    port = free_port()
    with server(tmp_path, port):
        browser = visit(port, before.cookies)
        assert len(browser.listed()) == 3
        opened = browser.client.get(f"/chat/conversations/{before.broken}")
        assert opened.status_code == 409
        assert "已损坏" in opened.json()["error"]["message"]
        assert browser.questions(apart_from=before.broken) == {"先问？", "后问？"}
        assert browser.ask("还能问？", conversation=before.broken)["phase"] == "finished"


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


def test_a_locked_database_is_waited_for_by_everybody_at_once(
    before: Before, tmp_path: Path
) -> None:
    file = before.copy_to(tmp_path)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    database = Database(tmp_path, timeout=0.5)
    waited: list[float] = []

    def wait() -> None:
        started = time.monotonic()
        with contextlib.suppress(ConversationBusy), database.write():
            pass
        waited.append(time.monotonic() - started)

    people = [threading.Thread(target=wait) for _ in range(4)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    other.close()
    assert min(waited) > 0.3
    assert max(waited) < 1.2
