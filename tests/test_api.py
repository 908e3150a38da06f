"""Our own protocol, errors, and the documentation page."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from api_server import (
    ANSWER,
    CHAT,
    DOWN,
    HOST,
    LOCAL,
    QUESTION,
    TEXT,
    ProgramAssistant,
    assistant,
    served,
)
from starlette.testclient import TestClient

from rag.errors import LanguageModelBroken
from rag.wire import answer_to_json, hit_to_json
from ui import api_texts, texts
from ui.api_answers import (
    AnswerBody,
    CompletionBody,
    NativeErrorBody,
    OpenAIErrorBody,
    SearchBody,
)
from ui.api_errors import ApiError, native_body
from ui.app import build_app


@pytest.fixture(scope="module")
def answering() -> ProgramAssistant:
    return assistant(pause=0.0)


@pytest.fixture(scope="module")
def client(answering: ProgramAssistant) -> Iterator[TestClient]:
    app = build_app(answering, max_question_characters=100)
    with TestClient(app, base_url=HOST, client=LOCAL) as client:
        yield client


def events(text: str) -> list[tuple[str, dict]]:
    found = re.findall(r"^event: (\w+)\ndata: (.*)$", text, re.MULTILINE)
    return [(name, json.loads(data)) for name, data in found]


# Asking and searching


def test_an_answer_is_the_wire_json_with_its_label(client: TestClient) -> None:
    body = client.post("/api/ask", json={"question": f" {QUESTION}\n"}).json()
    assert body == {**answer_to_json(ANSWER), "label": texts.AI_LABEL}


def test_top_k_bounds_the_passages_and_collections_are_passed_on(
    client: TestClient, answering: ProgramAssistant
) -> None:
    asked = {"question": QUESTION, "top_k": 1, "collections": ["制度"]}
    body = client.post("/api/ask", json=asked).json()
    assert len(body["hits"]) == 1
    assert len(body["citations"]) == 2
    assert answering.collections == ["制度"]


def test_a_search_gives_passages_spans_scores_and_readings(
    client: TestClient, answering: ProgramAssistant
) -> None:
    asked = {"question": QUESTION, "top_k": 1, "collections": ["制度"]}
    body = client.post("/api/search", json=asked).json()
    (passage,) = body["passages"]
    assert passage == hit_to_json(ANSWER.hits[0])
    assert TEXT[passage["start"] : passage["end"]] == passage["text"]
    start, end, _ = passage["reading"]["spans"][0]
    assert passage["text"][start:end] == TEXT[6:14]
    assert passage["score"] == 0.9
    assert body["seconds"] >= 0
    assert answering.collections == ["制度"]


@pytest.mark.parametrize("way", ["field", "header"])
def test_events_grow_and_end_with_the_whole_answer(way: str) -> None:
    body = {"question": QUESTION, **({"stream": True} if way == "field" else {})}
    headers = {"accept": "text/event-stream"} if way == "header" else {}
    with (
        served(assistant(pause=0.15)) as url,
        httpx.Client(trust_env=False) as plain,
    ):
        response = plain.post(f"{url}/api/ask", json=body, headers=headers)
    assert response.headers["content-type"].startswith("text/event-stream")
    *partial, (name, done) = events(response.text)
    assert name == "done"
    assert done == {**answer_to_json(ANSWER), "label": texts.AI_LABEL}
    assert len(partial) >= 4
    assert {name for name, _ in partial} == {"answer"}
    lengths = [len(body["text"]) for _, body in partial]
    assert lengths == sorted(lengths)
    assert "hits" not in partial[0][1]


def test_an_error_after_the_first_words_is_an_event() -> None:
    class Breaks(ProgramAssistant):
        def stream(self, question, *, collections=None):
            yield replace(ANSWER, finished=False)
            time.sleep(0.5)
            raise LanguageModelBroken("回答中途断了。请再问一次")

    with served(Breaks({})) as url, httpx.Client(trust_env=False) as plain:
        text = plain.post(f"{url}/api/ask", json={"question": QUESTION, "stream": True}).text
    names = [name for name, _ in events(text)]
    assert names == ["answer", "error"]
    assert events(text)[-1][1] == {
        "error": {"code": "model_unavailable", "message": "回答中途断了", "remedy": "请再问一次"}
    }


def test_history_reaches_the_follow_up_seam() -> None:
    answering = assistant(pause=0.0)
    app = build_app(answering, follow_up=lambda history, asked: f"{history[-1].question}{asked}")
    with TestClient(app, base_url=HOST, client=LOCAL) as client:
        history = [{"question": "英国有几家？", "answer": "3家"}]
        body = client.post("/api/ask", json={"question": "法国呢？", "history": history}).json()
    assert answering.asked == ["英国有几家？法国呢？"]
    assert (body["question"], body["search_question"]) == ("法国呢？", "英国有几家？法国呢？")


# Errors


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/api/ask", {"question": " "}, 400, "empty_question"),
        ("/api/ask", {"question": "问" * 101}, 413, "question_too_long"),
        ("/api/ask", {}, 400, "invalid_request"),
        ("/api/ask", {"question": QUESTION, "top_k": 0}, 400, "invalid_request"),
        ("/api/ask", {"question": DOWN}, 503, "model_unavailable"),
        ("/api/ask", {"question": DOWN, "stream": True}, 503, "model_unavailable"),
        ("/api/search", {"question": "问" * 101}, 413, "question_too_long"),
        ("/api/nothing", {}, 404, "not_found"),
        ("/api/docs", {}, 405, "method_not_allowed"),
    ],
)
def test_our_own_errors_name_code_message_and_remedy(
    client: TestClient, path: str, body: dict[str, object], status: int, code: str
) -> None:
    response = client.post(path, json=body)
    assert response.status_code == status
    error = response.json()["error"]
    assert error.keys() == {"code", "message", "remedy"}
    assert error["code"] == code
    assert error["remedy"].startswith("请")
    assert "。请" not in error["message"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/ask"])
@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_json_is_told(client: TestClient, path: str, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    response = client.post(path, content=content, headers=headers)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_json"


def test_a_fault_of_the_server_is_500_without_its_details() -> None:
    class Faulty(ProgramAssistant):
        def stream(self, question, *, collections=None):
            raise ZeroDivisionError("secret")

    app = build_app(Faulty({}))
    with TestClient(app, base_url=HOST, client=LOCAL, raise_server_exceptions=False) as client:
        for path, body in (("/v1/chat/completions", CHAT), ("/api/ask", {"question": QUESTION})):
            response = client.post(path, json=body)
            assert response.status_code == 500
            assert response.json()["error"]["code"] == "server_error"
            assert "secret" not in response.text


def test_a_message_without_a_remedy_stays_whole() -> None:
    body = native_body(ApiError(500, "x", "坏了"))
    assert body == {"error": {"code": "x", "message": "坏了", "remedy": ""}}


PROGRAM = """
import sys
from api_server import assistant
from ui.app import serve
serve(
    assistant(never_ends=True),
    "127.0.0.1",
    int(sys.argv[1]),
    on_ready=lambda url: print(url, flush=True),
)
print("closed", flush=True)
"""


def test_an_interrupt_ends_a_server_that_is_answering() -> None:
    tests = Path(__file__).parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(port)],
        cwd=tests.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ, PYTHONPATH=f"{tests}{os.pathsep}{tests.parent}"),
    )
    try:
        assert program.stdout is not None
        url = program.stdout.readline().strip()
        body = {"question": QUESTION, "stream": True}
        with (
            httpx.Client(trust_env=False) as plain,
            plain.stream("POST", f"{url}/api/ask", json=body) as response,
        ):
            lines = response.iter_lines()
            assert next(lines) == "event: answer"
            program.send_signal(signal.SIGINT)
            out, err = program.communicate(timeout=30)
        assert out.strip() == "closed"
        assert "Traceback" not in err
    finally:
        program.kill()
        program.communicate()


# Documentation


def test_the_document_names_every_route_and_only_schemas_it_uses(client: TestClient) -> None:
    document = client.get("/api/openapi.json").json()
    assert set(document["paths"]) == {
        "/v1/models",
        "/v1/models/{model}",
        "/v1/chat/completions",
        "/api/ask",
        "/api/search",
    }
    used = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert used == set(document["components"]["schemas"])
    assert "security" not in document


def test_answers_are_what_the_document_says(client: TestClient) -> None:
    asked = {"question": QUESTION}
    SearchBody.model_validate(client.post("/api/search", json=asked).json())
    AnswerBody.model_validate(client.post("/api/ask", json=asked).json())
    CompletionBody.model_validate(client.post("/v1/chat/completions", json=CHAT).json())
    NativeErrorBody.model_validate(client.post("/api/ask", json={}).json())
    OpenAIErrorBody.model_validate(client.post("/v1/chat/completions", json={}).json())


def test_the_page_is_plain_and_loads_nothing(client: TestClient) -> None:
    page = client.get("/api/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert api_texts.PAGE_TITLE in page.text
    assert "<script" not in page.text
    assert not re.findall(r'(?:src|href)="(?!/api/openapi\.json)', page.text)
    for path in ("/v1/chat/completions", "/api/ask", "/api/search", "max_question_characters"):
        assert path in page.text
    assert client.get("/api/", follow_redirects=False).headers["location"] == "/api/docs"
