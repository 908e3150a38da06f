"""The page's own routes: each browser sees its own conversations and nobody else's."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_desks import MANUAL, SmallAssistant
from starlette.testclient import TestClient

from rag.conversations.database import Database
from rag.conversations.feedback import FeedbackStore
from rag.conversations.kept import Origin
from rag.types import Answer
from ui import texts
from ui.app import build_app
from ui.browsers import COOKIE, KEY_FILE
from ui.chat_desk import Abilities, ComplianceNotice

HOST = "http://127.0.0.1:7860"


class Server:
    """An application on one folder, and browsers that come to it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.assistant = SmallAssistant()
        self.portal: Any = None
        self.suggested: list[tuple[Answer, list[str]]] = []
        self.app = build_app(
            self.assistant,
            data=data,
            compliance=ComplianceNotice("通义千问", "Z-1"),
            abilities=Abilities(
                follow_ups=self._suggest,
                collections=lambda: ("政策", "指南"),
                origin=lambda: Origin("d1", "g1"),
            ),
        )

    def _suggest(self, answer: Answer, asked: list[str]) -> tuple[str, ...]:
        self.suggested.append((answer, list(asked)))
        return ("还有几家？",)

    def browser(self) -> TestClient:
        client = TestClient(self.app, base_url=HOST)
        client.portal = self.portal  # one event loop for all, as in a real server
        assert client.get("/").status_code == 200
        return client


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("data"))
    with TestClient(server.app, base_url=HOST) as client:
        server.portal = client.portal
        yield server


def ask(client: TestClient, question: str, **wanted: object) -> dict[str, str]:
    """Ask over the page's own wire; the last turn."""
    with client.stream("POST", "/chat/ask", json={"question": question, **wanted}) as stream:
        assert stream.status_code == 200
        lines = [line for line in stream.iter_lines() if line.startswith("data: ")]
    last: dict[str, str] = json.loads(lines[-1][6:])
    return last


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(server: Server) -> None:
    client = TestClient(server.app, base_url=HOST)
    given = client.get("/").headers["set-cookie"]
    assert given.startswith(f"{COOKIE}=")
    for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="):
        assert part in given
    assert "set-cookie" not in client.get("/healthz").headers
    mode = (server.data / KEY_FILE).stat().st_mode & 0o777
    assert mode == 0o600


def test_a_page_opened_from_another_site_does_not_replace_the_cookie(server: Server) -> None:
    client = TestClient(server.app, base_url=HOST)
    arrived = client.get("/", headers={"sec-fetch-site": "cross-site"})
    assert arrived.status_code == 200
    assert "set-cookie" not in arrived.headers
    started = client.get("/chat/start", headers={"sec-fetch-site": "same-origin"})
    assert started.status_code == 200
    assert COOKIE in started.headers["set-cookie"]


@pytest.mark.parametrize("change", ["a{}", "{}0", "x.y", "", "é.é", '"', ";"])
def test_a_cookie_that_was_not_signed_here_is_nobodys(server: Server, change: str) -> None:
    real = server.browser().cookies[COOKIE]
    client = TestClient(server.app, base_url=HOST)
    header = {"cookie": f"{COOKIE}={change.format(real)}".encode()}
    response = client.get("/chat/conversations", headers=header)
    assert response.status_code == 401
    assert "Cookie" in response.json()["error"]["message"]


def test_a_conversation_is_listed_reopened_renamed_found_and_deleted(server: Server) -> None:
    client = server.browser()
    turn = ask(client, "法国几家？")
    about = client.get("/chat/start").json()
    assert about["collections"] == ["政策", "指南"]
    (listed,) = about["conversations"]
    assert (listed["id"], listed["title"]) == (turn["conversation"], "法国几家？")
    path = f"/chat/conversations/{turn['conversation']}"
    (entry,) = client.get(path).json()["entries"]
    assert entry["kept"] == turn["kept"]
    assert "答：法国几家？" in entry["body"]
    assert f'id="t{turn["kept"]}-source-1"' in entry["sources"]
    assert f'href="#t{turn["kept"]}-source-1"' in entry["body"]
    assert client.post(f"{path}/rename", json={"title": "欧洲"}).json()["title"] == "欧洲"
    found = client.get("/chat/search", params={"words": "歐洲"}).json()["conversations"]
    assert [one["id"] for one in found] == [turn["conversation"]]
    assert client.post(f"{path}/delete", json={}).status_code == 200
    assert client.get(path).status_code == 404
    assert client.get("/chat/conversations").json()["conversations"] == []


def test_a_reopened_citation_says_when_its_document_has_changed_or_gone(server: Server) -> None:
    client = server.browser()
    path = f"/chat/conversations/{ask(client, '几家？')['conversation']}"
    documents = server.assistant.documents
    server.assistant.documents = {}
    try:
        assert texts.SOURCE_GONE in client.get(path).json()["entries"][0]["sources"]
    finally:
        server.assistant.documents = documents
    assert MANUAL.text in client.get(path).json()["entries"][0]["sources"].replace(
        "<mark>", ""
    ).replace("</mark>", "")


def test_nobody_reaches_another_persons_conversation_by_any_route(server: Server) -> None:
    mine, theirs = server.browser(), server.browser()
    turn = ask(mine, "秘密？")
    path = f"/chat/conversations/{turn['conversation']}"
    answers = [
        theirs.get(path),
        theirs.post(f"{path}/rename", json={"title": "x"}),
        theirs.post(f"{path}/delete", json={}),
        theirs.get(f"{path}/export/md"),
        theirs.post(f"/chat/turns/{turn['kept']}/rate", json={"rating": "up"}),
        theirs.get(f"/chat/turns/{turn['kept']}/follow-ups"),
    ]
    nowhere = theirs.get(f"/chat/conversations/{'0' * 32}")
    for answer in answers:
        assert answer.status_code == 404
        assert answer.json() == nowhere.json()
    assert theirs.get("/chat/search", params={"words": "秘密"}).json()["conversations"] == []
    assert "秘密" not in json.dumps(ask(theirs, "那呢？", conversation=turn["conversation"]))
    assert len(mine.get(path).json()["entries"]) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/chat/conversations"),
        ("GET", "/chat/search"),
        ("GET", f"/chat/conversations/{'0' * 32}"),
        ("POST", f"/chat/conversations/{'0' * 32}/delete"),
        ("GET", f"/chat/conversations/{'0' * 32}/export/md"),
    ],
)
def test_without_a_cookie_there_is_nothing(server: Server, method: str, path: str) -> None:
    response = TestClient(server.app, base_url=HOST).request(method, path, json={})
    assert response.status_code == 401


def test_another_site_cannot_delete(server: Server) -> None:
    client = server.browser()
    path = f"/chat/conversations/{ask(client, '几家？')['conversation']}"
    foreign = client.post(f"{path}/delete", json={}, headers={"origin": "http://evil.example"})
    assert foreign.status_code == 403
    assert client.get(path).status_code == 200


def test_feedback_is_kept_with_its_origin_and_can_be_taken_back(server: Server) -> None:
    client = server.browser()
    turn = ask(client, "几家？")
    path = f"/chat/turns/{turn['kept']}/rate"
    body = {"rating": "down", "reason": "wrong_citation", "comment": "第二条不对"}
    assert client.post(path, json=body).json() == {"rating": "down"}
    store = FeedbackStore(Database(server.data))
    given = store.all(count=1)[0]
    assert (given.turn, given.reason, given.comment) == (
        turn["kept"],
        "wrong_citation",
        "第二条不对",
    )
    assert given.origin == Origin("d1", "g1")
    entry = client.get(f"/chat/conversations/{turn['conversation']}").json()["entries"][0]
    assert entry["rating"] == "down"
    assert client.post(path, json={"rating": "down"}).status_code == 409
    assert client.post(path, json={"rating": "down", "reason": "x"}).status_code == 400
    assert client.post(path, json={"rating": None}).json() == {"rating": ""}
    assert all(one.turn != turn["kept"] for one in store.all())


@pytest.mark.parametrize("form", ["md", "docx"])
def test_an_export_is_a_file_with_the_label(server: Server, form: str) -> None:
    client = server.browser()
    path = f"/chat/conversations/{ask(client, '几家？')['conversation']}"
    response = client.get(f"{path}/export/{form}")
    assert response.status_code == 200
    assert response.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert response.headers["cache-control"] == "no-store"
    if form == "md":
        assert texts.AI_LABEL in response.text
        assert '"ContentProducer"' in response.text
        assert "Z-1" in response.text
    assert client.get(f"{path}/export/exe").status_code == 404


def test_what_can_be_asked_next_is_told(server: Server) -> None:
    client = server.browser()
    first = ask(client, "法国几家？")
    second = ask(client, "德国几家？", conversation=first["conversation"])
    told = client.get(f"/chat/turns/{second['kept']}/follow-ups").json()
    assert told == {"questions": ["还有几家？"]}
    answer, earlier = server.suggested[-1]
    assert (answer.question, earlier) == ("德国几家？", ["法国几家？"])


def test_a_restarted_server_knows_its_browsers(server: Server) -> None:
    client = server.browser()
    turn = ask(client, "几家？")
    again = TestClient(Server(server.data).app, base_url=HOST)
    again.cookies.set(COOKIE, client.cookies[COOKIE])
    (listed,) = again.get("/chat/start").json()["conversations"]
    assert listed["id"] == turn["conversation"]
