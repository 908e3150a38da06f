"""The page speaks the language that the browser asks for first, in every string."""

import re
import string
from collections.abc import Iterator, Mapping

import pytest
from chat_desks import SmallAssistant
from starlette.testclient import TestClient
from test_chat_routes import HOST, ask

from ui import texts
from ui.app import build_app
from ui.chat_desk import ComplianceNotice
from ui.language import Language, Text, language, preferred, say

HAN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff]")


def every_text(where: Mapping[str, object], path: str = "") -> Iterator[tuple[str, Text]]:
    for name, value in where.items():
        if isinstance(value, Text):
            yield f"{path}{name}", value
        elif isinstance(value, Mapping):
            yield from every_text(value, f"{path}{name}.")


TEXTS = dict(every_text({k: v for k, v in vars(texts).items() if k.isupper()}))


def fields(text: str) -> set[tuple[str, str]]:
    return {(name, form or "") for _, name, form, _ in string.Formatter().parse(text) if name}


def test_every_text_is_english_and_is_filled_with_the_same_things() -> None:
    assert len(TEXTS) > 120
    for name, text in TEXTS.items():
        assert text.english.strip(), name
        assert not HAN.search(text.english), name
        assert fields(text.english) == fields(text), name


def test_what_a_page_says_is_a_text() -> None:
    """A plain string would stay Chinese; these are said outside of the page."""
    plain = {name for name, value in vars(texts).items() if type(value) is str and name.isupper()}
    assert plain == {
        "BAD_HOST",
        "BAD_ORIGIN",
        "NOT_SERVED",
        "TOO_LARGE",
        "KEY_FAILED",
        "KEY_DAMAGED",
        "PORT_TAKEN",
        "PORT_FORBIDDEN",
        "HOST_UNKNOWN",
        "START_FAILED",
    }


@pytest.mark.parametrize(
    ("accepted", "wanted"),
    [
        ("", Language.CHINESE),
        ("*", Language.CHINESE),
        ("zh-CN,zh;q=0.9,en;q=0.8", Language.CHINESE),
        ("en-US,en;q=0.9,zh;q=0.8", Language.ENGLISH),
        ("EN-gb", Language.ENGLISH),
        ("zh;q=0.7, en;q=0.9", Language.ENGLISH),
        ("de-DE,en;q=0.9", Language.CHINESE),
        ("en;q=0", Language.CHINESE),
        ("en;q=much", Language.CHINESE),
        ("enm", Language.CHINESE),
    ],
)
def test_english_only_where_it_is_asked_for_first(accepted: str, wanted: Language) -> None:
    assert preferred(accepted) is wanted


def test_outside_of_a_request_it_is_chinese() -> None:
    assert language() is Language.CHINESE
    assert say(texts.QUEUED, place=3) == texts.QUEUED.format(place=3)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = build_app(SmallAssistant(), compliance=ComplianceNotice("通义千问"), examples=("几家？",))
    with TestClient(app, base_url=HOST) as client:
        client.get("/")
        yield client


def told(client: TestClient, accepted: str) -> str:
    response = client.get("/chat/words.js", headers={"accept-language": accepted})
    assert response.headers["content-type"].startswith("text/javascript")
    assert response.headers["vary"] == "Accept-Language"
    assert response.headers["cache-control"] == "no-store"
    return response.text


def test_the_words_come_in_the_browsers_language(client: TestClient) -> None:
    english, chinese = told(client, "en"), told(client, "zh-CN,en;q=0.5")
    own = english.replace("几家？", "").replace("通义千问", "")
    assert not HAN.search(own)
    assert '"language": "en"' in english
    assert texts.AI_LABEL.english in english
    assert '"language": "zh-CN"' in chinese
    assert '"fixed"' not in chinese
    assert '"send": "发送"' in chinese


def test_an_answers_thread_knows_its_readers_language(client: TestClient) -> None:
    answers: dict[str, dict[str, str]] = {}
    for accepted in ("en-GB", "zh-CN"):
        client.headers["accept-language"] = accepted
        answers[accepted] = ask(client, "每日几次？")
    assert texts.STATE_ANSWERED.english in answers["en-GB"]["body"]
    assert texts.BACK_TO_ANSWER.english in answers["en-GB"]["sources"]
    assert answers["en-GB"]["copy"].endswith(texts.AI_LABEL.english)
    assert texts.STATE_ANSWERED in answers["zh-CN"]["body"]


def test_refusals_are_said_in_it_too(client: TestClient) -> None:
    client.headers["accept-language"] = "en"
    assert ask(client, " ")["message"] == texts.EMPTY_QUESTION.english
    missing = client.get(f"/chat/conversations/{'0' * 32}").json()["error"]
    assert missing["message"] == texts.MISSING.english
    start = client.get("/chat/start").json()
    assert start["person"] == "This browser"
    del client.headers["accept-language"]
    assert client.get("/chat/start").json()["person"] == "本机浏览器"
