"""Asking from the page: who may, what is refused, who waits for whom."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.testclient import TestClient

from rag.types import Answer, State
from ui import texts
from ui.api_access import Person
from ui.api_answers import NativeErrorBody
from ui.api_errors import new_app
from ui.chat_ask import Turn, queued
from ui.chat_desk import Wanted
from ui.chat_stream import add_ask
from ui.runs import Seats

DONE: dict[str, Any] = {"phase": "finished"}


class Answering:
    """A handler that answers when `go` is set, and remembers who asked what."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked: list[tuple[str, Wanted, str]] = []

    def __call__(self, question: str, wanted: Wanted, person: str) -> Iterator[Turn]:
        self.asked.append((question, wanted, person))
        assert self.go.wait(20)
        yield DONE  # type: ignore[misc]


def client_of(handler: Answering, seats: Seats | None = None) -> TestClient:
    def identify(request: Request) -> Person | None:
        name = request.headers.get("person")
        return Person(name) if name else None

    app: FastAPI = new_app("test", NativeErrorBody)
    add_ask(app, handler, seats or Seats(1, 8), identify)
    return TestClient(app)


def turns(client: TestClient, **sent: object) -> list[dict[str, Any]]:
    with client.stream("POST", "/ask", json=sent, headers={"person": "li"}) as stream:
        return [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]


def test_what_the_browser_sends_reaches_the_handler() -> None:
    handler = Answering()
    handler.go.set()
    sent = {"conversation": "c", "replaces": "r", "verbatim": True, "collections": ["指南"]}
    with client_of(handler) as client:
        assert turns(client, question="几家？", **sent) == [DONE]
    assert handler.asked == [("几家？", Wanted("c", "r", True, ("指南",)), "li")]


def test_nobody_is_not_answered() -> None:
    handler = Answering()
    with client_of(handler) as client:
        response = client.post("/ask", json={"question": "几家？"})
    assert response.status_code == 401
    message = response.json()["error"]
    assert f"{message['message']}。{message['remedy']}" == texts.NO_PERSON
    assert handler.asked == []


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"question": 7},
        {"question": "几家？", "conversation": "c" * 201},
        {"question": "几家？", "collections": ["x"] * 101},
        {"question": "几家？", "collections": "指南"},
    ],
)
def test_what_is_not_understood_is_refused(sent: dict[str, object]) -> None:
    with client_of(Answering()) as client:
        response = client.post("/ask", json=sent, headers={"person": "li"})
    assert response.status_code == 400


def test_who_waits_learns_the_place_in_the_line_and_who_finds_it_full_is_refused() -> None:
    handler = Answering()
    seats = Seats(running=1, waiting=1)
    with client_of(handler, seats) as client, ThreadPoolExecutor(2) as pool:
        first = pool.submit(turns, client, question="一")
        wait_for(lambda: len(handler.asked) == 1)
        second = pool.submit(turns, client, question="二")
        wait_for(lambda: seats.waiting == 1)
        (told,) = turns(client, question="三")
        threading.Timer(1.2, handler.go.set).start()
        assert first.result() == [DONE]
        assert [turn["phase"] for turn in second.result()][-1] == "finished"
        waited = second.result()[0]
    assert (waited["phase"], waited["message"]) == ("queued", texts.QUEUED.format(place=1))
    assert (told["phase"], "请" in told["message"]) == ("refused", True)


def wait_for(holds: Callable[[], bool]) -> None:
    for _ in range(200):
        if holds():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it never held")


def test_the_wait_is_told_in_seconds_once_runs_have_been_timed() -> None:
    seats = Seats(2, 8)
    assert seats.expected_seconds(1) is None
    for seconds in (4.0, 6.0, 20.0):
        seats.give(seconds)
    assert seats.expected_seconds(3) == 9.0  # three medians of six seconds over two seats
    assert "约 9 秒" in queued(3, 9.0)["body"]


def test_half_a_character_is_no_error() -> None:
    handler = Answering()
    handler.go.set()
    with client_of(handler) as client:
        response = client.post(
            "/ask",
            content=b'{"question": "\\ud800?"}',
            headers={"person": "li", "content-type": "application/json"},
        )
    assert response.status_code == 200
    assert Answer(handler.asked[0][0], "", State.ANSWERED, "").question.encode()
