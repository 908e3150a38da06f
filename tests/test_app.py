"""The web application from outside: what it answers, what it refuses, what it never fetches."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from rag.errors import RagError, ServeError
from rag.types import Answer, Document, State
from ui import texts
from ui.app import build_app, serve
from ui.chat_desk import ComplianceNotice
from ui.guard import CONTENT_SECURITY_POLICY, MAX_BODY_BYTES, Gate

HOST = "http://127.0.0.1:7860"


class SmallAssistant:
    """Answers every question with itself, in two steps."""

    model_label = "摘录式回答"

    def __init__(self, error: RagError | None = None) -> None:
        self.error = error
        self.asked: list[str] = []
        self.closed = 0

    def stream(self, question: str) -> Iterator[Answer]:
        self.asked.append(question)
        try:
            yield Answer(question, question, State.ANSWERED, "半", finished=False)
            if self.error is not None:
                raise self.error
            yield Answer(question, question, State.ANSWERED, f"答：{question}")
        finally:
            self.closed += 1

    def document(self, id: str) -> Document:
        raise RagError(f"没有资料 {id}。请运行 rag index")


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    notice = ComplianceNotice("通义千问", "Zhejiang-TongYi-20230901")
    app = build_app(SmallAssistant(), compliance=notice, examples=("甲`${1}`{{x}}是什么？",))
    with TestClient(app, base_url=HOST) as client:
        yield client


def page_config(client: TestClient) -> str:
    return client.get("/").text


def test_the_page_carries_the_exact_policy_and_its_companions(client: TestClient) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert texts.TITLE in response.text
    for path in ("/", "/healthz", "/no-such-page", "/yiwen/chat.js"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"


def test_health_is_answered(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_the_page_names_filing_and_examples(client: TestClient) -> None:
    config = page_config(client)
    for wanted in (texts.AI_LABEL, "通义千问", "Zhejiang-TongYi-20230901"):
        assert wanted in config
    assert "甲&#96;&#36;&#123;1&#125;&#96;" in config.replace("\\u0026", "&")
    assert "甲`${1}`" not in config


@pytest.mark.parametrize(
    "path",
    [
        "/docs",
        "/redoc",
        "/openapi.json",
        "/config",
        "/monitoring",
        "/monitoring/summary",
        "/gradio_api/info",
        "/gradio_api/openapi.json",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/proxy=http://evil.example/",
        "/gradio_api/upload_progress",
        "/gradio_api/runs",
        "/gradio_api/queue/data?session_hash=x",
        "/assets/../healthz/../config",
    ],
)
def test_what_the_page_does_not_need_is_not_there(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/gradio_api/upload", "/gradio_api/run/ask", "/gradio_api/call/ask", "/gradio_api/queue/join"],
)
def test_uploads_and_the_frameworks_events_are_closed(client: TestClient, path: str) -> None:
    assert client.post(path, json={"data": ["问"]}).status_code == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "", "127.0.0.1.evil.example"]
)
def test_a_foreign_host_is_refused(client: TestClient, host: str) -> None:
    response = client.get("/", headers={"host": host})
    assert response.status_code == 421
    assert response.text == texts.BAD_HOST


@pytest.mark.parametrize("host", ["localhost:7860", "LOCALHOST", "127.0.0.1"])
def test_our_own_names_are_served(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:7860", "x"]
)
def test_a_foreign_origin_is_refused(client: TestClient, origin: str) -> None:
    response = client.post("/chat/ask", headers={"origin": origin}, json={})
    assert response.status_code == 403
    assert "access-control-allow-origin" not in response.headers
    assert client.get("/", headers={"origin": origin}).status_code == 403


def test_the_pages_own_origin_may_ask(client: TestClient) -> None:
    assert client.get("/healthz", headers={"origin": HOST}).status_code == 200
    own = {"origin": "https://localhost", "host": "localhost:443"}
    assert client.get("/healthz", headers=own).status_code == 200


def test_a_large_body_is_refused_before_it_is_read(client: TestClient) -> None:
    body = b"x" * (MAX_BODY_BYTES + 1)
    assert client.post("/chat/ask", content=body).status_code == 413
    unsized = iter([b"x"])
    assert client.post("/chat/ask", content=unsized).status_code == 413


def test_a_forwarded_host_does_not_reach_the_page(client: TestClient) -> None:
    text = client.get("/", headers={"x-forwarded-host": "evil.example"}).text
    assert "evil.example" not in text


def test_a_web_socket_is_closed() -> None:
    async def unreachable(*_: object) -> None:
        raise AssertionError("the application was called")

    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    import asyncio

    gate = Gate(unreachable, ["localhost"], ["/"])  # type: ignore[arg-type]
    scope = {"type": "websocket", "path": "/", "headers": []}
    asyncio.run(gate(scope, unreachable, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServeError, match=f"端口 {port} 已被占用.*rag serve --port"):
            serve(SmallAssistant(), "127.0.0.1", port)


def test_an_address_of_another_machine_is_one_clear_line() -> None:
    with pytest.raises(ServeError, match="不能用于监听"):
        serve(SmallAssistant(), "192.0.2.1", 7860)


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[2])
from test_app import SmallAssistant
from ui.app import serve
serve(SmallAssistant(), "127.0.0.1", int(sys.argv[1]), on_ready=lambda url: print(url, flush=True))
print("closed", flush=True)
"""


def test_serve_says_when_it_answers_and_ends_on_an_interrupt() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(port), str(Path(__file__).parent)],
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ, HTTP_PROXY="http://127.0.0.1:9", http_proxy="http://127.0.0.1:9"),
    )
    try:
        assert program.stdout is not None
        assert program.stdout.readline().strip() == f"http://127.0.0.1:{port}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}/healthz", timeout=10) as response:
            assert json.load(response)["status"] == "ok"
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=30)
        assert out.strip() == "closed"
        assert err == ""
    finally:
        program.kill()
        program.communicate()


def test_importing_the_user_interface_loads_nothing_heavy() -> None:
    code = (
        "import sys, ui.app, ui.guard, ui.chat, ui.chat_ask; "
        "assert not {'gradio', 'fastapi', 'uvicorn', 'httpx', 'numpy'} & set(sys.modules)"
    )
    root = Path(__file__).parent.parent
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
