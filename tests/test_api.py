"""Our own protocol, who may call, what the gate keeps out, and the documentation page."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from api_server import ANSWER, DOWN, QUESTION, TEXT, ProgramAssistant, assistant, served
from starlette.testclient import TestClient

from rag.wire import answer_to_json, hit_to_json
from ui import api_texts, texts
from ui.api_access import Person
from ui.api_errors import ApiError, native_body
from ui.app import build_app
from ui.guard import CONTENT_SECURITY_POLICY, MAX_BODY_BYTES

HOST = "http://127.0.0.1:7860"
LOCAL = ("127.0.0.1", 50_000)
KEY = "k" * 16
CHAT = {"messages": [{"role": "user", "content": QUESTION}]}
# Every route that works, with a body that is right.
CALLS = [
    ("POST", "/v1/chat/completions", CHAT),
    ("GET", "/v1/models", None),
    ("GET", "/v1/models/yiwen", None),
    ("POST", "/api/ask", {"question": QUESTION}),
    ("POST", "/api/search", {"question": QUESTION}),
]
PAGES = [("GET", "/api/docs", None), ("GET", "/api/openapi.json", None)]


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
    from rag.errors import LanguageModelBroken

    class Breaks(ProgramAssistant):
        def stream(self, question, *, collections=None):
            import time

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


# Who may call


@pytest.mark.parametrize(("method", "path", "body"), CALLS + PAGES)
def test_a_program_on_this_machine_needs_nothing(
    client: TestClient, method: str, path: str, body: object
) -> None:
    response = client.request(method, path, json=body)
    assert response.status_code == 200
    assert response.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("address", ["10.0.0.7", "::ffff:10.0.0.7", "testclient"])
def test_another_machine_is_refused_without_a_key(
    answering: ProgramAssistant, address: str
) -> None:
    app = build_app(answering)
    with TestClient(app, base_url=HOST, client=(address, 50_000)) as client:
        for method, path, body in CALLS + PAGES:
            response = client.request(method, path, json=body)
            assert response.status_code == 401
            assert response.json()["error"]["code"] == "not_admitted"
            assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("address", ["::1", "::ffff:127.0.0.1"])
def test_this_machine_has_other_names(answering: ProgramAssistant, address: str) -> None:
    with TestClient(build_app(answering), base_url=HOST, client=(address, 50_000)) as client:
        assert client.get("/v1/models").status_code == 200


def test_with_keys_every_call_needs_one(answering: ProgramAssistant) -> None:
    app = build_app(answering, api_keys=["a" * 16, KEY])
    for address in ("127.0.0.1", "10.0.0.7"):
        with TestClient(app, base_url=HOST, client=(address, 50_000)) as client:
            for method, path, body in CALLS:
                refused = client.request(method, path, json=body)
                assert refused.status_code == 401
                assert refused.json()["error"]["code"] == "invalid_api_key"
                for wrong in (f"Bearer {KEY}x", f"Basic {KEY}", "Bearer", "Bearer é"):
                    headers = {"authorization": wrong.encode()}
                    refused = client.request(method, path, json=body, headers=headers)
                    assert refused.status_code == 401
                headers = {"authorization": f"Bearer {KEY}"}
                assert client.request(method, path, json=body, headers=headers).is_success
    with TestClient(app, base_url=HOST, client=LOCAL) as client:
        assert "Bearer $YIWEN_API_KEY" in client.get("/api/docs").text
        document = client.get("/api/openapi.json").json()
        assert document["security"] == [{"key": []}]


def test_sign_in_decides_where_it_is_given(answering: ProgramAssistant) -> None:
    def authorize(request):
        name = request.cookies.get("session")
        return Person(name) if name == "李医生" or name == "li" else None

    app = build_app(answering, authorize=authorize)
    with TestClient(app, base_url=HOST, client=LOCAL) as client:
        for method, path, body in CALLS + PAGES:
            assert client.request(method, path, json=body).status_code == 401
        client.cookies.set("session", "li")
        for method, path, body in CALLS + PAGES:
            assert client.request(method, path, json=body).status_code == 200


# What the gate keeps out


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"origin": "http://evil.example"}, 403, "foreign_origin"),
        ({"origin": "null"}, 403, "foreign_origin"),
        ({"origin": "http://127.0.0.1:9999"}, 403, "foreign_origin"),
        ({"sec-fetch-site": "cross-site"}, 403, "foreign_origin"),
        ({"sec-fetch-site": "same-site"}, 403, "foreign_origin"),
        ({"host": "evil.example"}, 421, "unknown_host"),
        ({"content-type": "text/plain"}, 415, "unsupported_media_type"),
        ({"content-type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/ask", "/api/search"])
def test_a_page_of_another_site_cannot_ask(
    client: TestClient,
    answering: ProgramAssistant,
    path: str,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    asked = len(answering.asked)
    content = json.dumps({"question": QUESTION, **CHAT}).encode()
    response = client.post(
        path, content=content, headers={"content-type": "application/json", **headers}
    )
    assert response.status_code == status
    assert response.json()["error"]["code"] == code
    assert "access-control-allow-origin" not in response.headers
    assert len(answering.asked) == asked


def test_a_preflight_of_another_site_is_refused(client: TestClient) -> None:
    headers = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    assert client.options("/v1/chat/completions", headers=headers).status_code == 403


def test_our_own_page_may_ask(client: TestClient) -> None:
    headers = {"origin": HOST, "sec-fetch-site": "same-origin"}
    assert client.post("/api/ask", json={"question": QUESTION}, headers=headers).is_success


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/chat/completions", {"message", "type", "param", "code"}),
        ("/api/ask", {"code", "message", "remedy"}),
    ],
)
def test_a_large_or_unsized_body_is_refused_in_shape(
    client: TestClient, path: str, fields: set[str]
) -> None:
    headers = {"content-type": "application/json"}
    for content in (b"x" * (MAX_BODY_BYTES + 1), iter([b"{}"])):
        response = client.post(path, content=content, headers=headers)
        assert response.status_code == 413
        assert response.json()["error"].keys() == fields
        assert response.json()["error"]["code"] == "request_too_large"


@pytest.mark.parametrize("path", ["/api/run/ask", "/api/", "/v1/", "/v1/completions", "/api/info"])
def test_nothing_of_the_framework_is_behind_the_prefixes(client: TestClient, path: str) -> None:
    response = client.post(path, json={"data": ["问"]})
    assert response.status_code in (404, 405)
    assert "error" in response.json()


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


def test_the_page_is_plain_and_loads_nothing(client: TestClient) -> None:
    page = client.get("/api/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert api_texts.PAGE_TITLE in page.text
    assert "<script" not in page.text
    assert not re.findall(r'(?:src|href)="(?!/api/openapi\.json)', page.text)
    for path in ("/v1/chat/completions", "/api/ask", "/api/search", "max_question_characters"):
        assert path in page.text
    assert client.get("/api/", follow_redirects=False).headers["location"] == "/api/docs"
