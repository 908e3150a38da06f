"""Who may call the API, and what the gate keeps out."""

import json
import os
from collections.abc import Iterator

import pytest
from api_server import CALLS, CHAT, HOST, KEY, LOCAL, PAGES, QUESTION, ProgramAssistant, assistant
from starlette.testclient import TestClient

from rag.errors import SettingsError
from rag.settings import Settings
from ui.api_access import Person
from ui.app import build_app
from ui.guard import CONTENT_SECURITY_POLICY, MAX_BODY_BYTES


@pytest.fixture(scope="module")
def answering() -> ProgramAssistant:
    return assistant(pause=0.0)


@pytest.fixture(scope="module")
def client(answering: ProgramAssistant) -> Iterator[TestClient]:
    app = build_app(answering, max_question_characters=100)
    with TestClient(app, base_url=HOST, client=LOCAL) as client:
        yield client


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


def test_keys_come_from_the_environment_and_a_bad_one_is_not_repeated() -> None:
    environment = {"RAG_API_KEYS": f"{KEY}{os.pathsep}{'b' * 16}"}
    assert Settings.load(environment=environment).api.keys == (KEY, "b" * 16)
    with pytest.raises(SettingsError, match="不少于 16 个字符") as caught:
        Settings.load(environment={"RAG_API_KEYS": "geheim"})
    assert "geheim" not in str(caught.value)


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
