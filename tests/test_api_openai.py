"""OpenAI's own client and LlamaIndex's ask a real server."""

import html
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import openai
import pytest
from api_server import ANSWER, DOWN, NOTICE, QUESTION, ProgramAssistant, assistant, served

from rag.errors import LanguageModelBroken
from ui import texts
from ui.api_text import escaped, pieces, without_footnotes
from ui.runs import Run

BODY = {"model": "yiwen", "messages": [{"role": "user", "content": QUESTION}]}


@pytest.fixture(scope="module")
def answering() -> ProgramAssistant:
    return assistant()


@pytest.fixture(scope="module")
def url(answering: ProgramAssistant) -> Iterator[str]:
    with served(answering, max_question_characters=100) as url:
        yield url


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[openai.OpenAI]:
    transport = httpx.Client(trust_env=False)
    with openai.OpenAI(
        base_url=f"{url}/v1", api_key="not-needed", http_client=transport, max_retries=0
    ) as client:
        yield client


def ask(client: openai.OpenAI, content: object = QUESTION, **options):
    messages = [{"role": "user", "content": content}]
    return client.chat.completions.create(
        **{"model": "yiwen", "messages": messages, **options}  # type: ignore[arg-type]
    )


def test_a_completion_has_text_footnotes_extra_usage_and_finish(client: openai.OpenAI) -> None:
    completion = ask(client)
    (choice,) = completion.choices
    content = choice.message.content
    assert content.startswith(f"{ANSWER.text}\n\n")
    assert (
        "\n\n资料来源\n"
        "[1] 《输液管理制度》，速度，第 3 页，2025-01-02：「输液速度为每分钟20~40滴」\n"
        "[2] 《输液管理制度》：「15~30分钟内输完」\n\n"
    ) in content
    assert f"提示：{texts.HINT_UNCERTAIN}\n提示：{NOTICE}\n" in content
    assert content.endswith(texts.AI_LABEL)
    assert choice.finish_reason == "stop"
    usage = completion.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (120, 30, 150)
    extra = choice.message.model_extra["yiwen"]
    assert extra["state"] == "uncertain"
    assert extra["label"] == texts.AI_LABEL
    assert extra["confidence"] == 0.71
    assert [one["mark"] for one in extra["citations"]] == [1, 2]
    assert [one["verdict"] for one in extra["sentences"]][-1] == "number_mismatch"
    assert len(extra["hits"]) == 2
    assert extra["notices"] == [NOTICE]
    assert extra["timings"] == {"total": 0.5}
    assert completion.model == "yiwen"


def test_a_stream_joins_to_the_same_text_and_ends_with_the_extra(client: openai.OpenAI) -> None:
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    texts_sent = [c.choices[0].delta.content or "" for c in chunks if c.choices]
    assert "".join(texts_sent) == ask(client).choices[0].message.content
    assert texts_sent[1:4] == [
        "输液速度为每分钟20~40滴。[1]",
        "15~30分钟内输完。[1][2]",
        "PLT<100时停用。",
    ]
    last = chunks[-2].choices[0]
    assert last.finish_reason == "stop"
    assert last.delta.model_extra["yiwen"]["state"] == "uncertain"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == 150
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_clients_own_accumulation_of_a_stream_works(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(
        model="yiwen", messages=[{"role": "user", "content": QUESTION}]
    ) as stream:
        completion = stream.get_final_completion()
    assert completion.choices[0].message.content.startswith(ANSWER.text)


def test_a_stream_never_holds_what_a_check_removed(monkeypatch) -> None:
    class Revised(ProgramAssistant):
        """Writes a sentence that does not survive its check."""

        def stream(self, question, *, collections=None):
            wrong = "每分钟200滴。"
            yield replace(ANSWER, text=wrong, sentences=(), citations=(), finished=False)
            time.sleep(1.2)
            yield replace(ANSWER, text=ANSWER.text + wrong, finished=False)
            yield ANSWER

    monkeypatch.setattr(Run.ended, "__defaults__", (0.1,))
    with served(Revised({})) as url, httpx.Client(trust_env=False) as plain:
        text = plain.post(f"{url}/v1/chat/completions", json={**BODY, "stream": True}).text
        assert "200滴" not in text
        assert "20~40滴" in text
        assert ": …\n\n" in text
        assert text.endswith("data: [DONE]\n\n")
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="x", http_client=plain)
        chunks = [chunk.choices[0].delta.content or "" for chunk in ask(client, stream=True)]
        assert "".join(chunks).startswith(ANSWER.text)


def test_system_prompts_and_earlier_turns_are_accepted(
    client: openai.OpenAI, answering: ProgramAssistant
) -> None:
    first = ask(client).choices[0].message.content
    messages = [
        {"role": "system", "content": "用英文回答"},
        {"role": "user", "content": "先前的问题"},
        {"role": "assistant", "content": first},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
    ]
    completion = client.chat.completions.create(
        model="any-name", messages=messages, temperature=1.5, extra_body={"collections": ["制度"]}
    )
    assert answering.asked[-1] == QUESTION
    assert answering.collections == ["制度"]
    assert completion.model == "any-name"
    assert completion.choices[0].message.content == first


def test_history_reaches_the_follow_up_seam_without_its_footnotes() -> None:
    seen = []

    def follow_up(history, question):
        seen.append((history, question))
        return QUESTION

    answering = assistant()
    with (
        served(answering, follow_up=follow_up) as url,
        httpx.Client(trust_env=False, base_url=url) as plain,
    ):
        first = plain.post("/v1/chat/completions", json=BODY).json()
        assert seen == []
        content = first["choices"][0]["message"]["content"]
        messages = [
            *BODY["messages"],
            {"role": "assistant", "content": content},
            {"role": "user", "content": "那速度呢？"},
        ]
        second = plain.post("/v1/chat/completions", json={"messages": messages}).json()
    ((history, question),) = seen
    assert question == "那速度呢？"
    assert [(one.question, one.answer) for one in history] == [
        (QUESTION, without_footnotes(content))
    ]
    assert history[0].answer.startswith(ANSWER.text)
    assert "资料来源" not in history[0].answer
    assert answering.asked == [QUESTION, QUESTION]
    assert second["choices"][0]["message"]["yiwen"]["search_question"] == QUESTION


def test_footnotes_can_be_left_out(client: openai.OpenAI) -> None:
    completion = ask(client, extra_body={"footnotes": False})
    assert completion.choices[0].message.content == ANSWER.text


def test_models_are_listed_and_one_is_shown(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["yiwen", "yiwen-markdown"]
    assert client.models.retrieve("yiwen").owned_by == "yiwen"
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("gpt-4o")
    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_is_down_is_503_before_and_in_a_stream(
    client: openai.OpenAI, stream: bool
) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        ask(client, DOWN, stream=stream)
    assert caught.value.status_code == 503
    assert caught.value.type == "server_error"
    assert caught.value.code == "model_unavailable"
    assert "ollama serve" in str(caught.value)


def test_a_model_that_breaks_off_late_is_an_error_in_the_stream(monkeypatch) -> None:
    class Late(ProgramAssistant):
        def stream(self, question, *, collections=None):
            time.sleep(0.5)
            yield ANSWER
            raise LanguageModelBroken("回答中途断了。请再问一次")

    monkeypatch.setattr(Run.ended, "__defaults__", (0.1,))
    with served(Late({})) as url, httpx.Client(trust_env=False) as transport:
        client = openai.OpenAI(
            base_url=f"{url}/v1", api_key="x", http_client=transport, max_retries=0
        )
        received = []
        with pytest.raises(openai.APIError, match="回答中途断了"):
            received.extend(ask(client, stream=True))
    assert not received[-1].choices[0].delta.content


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"messages": []}, 400, "invalid_request"),
        ({"messages": [{"role": "system", "content": "无"}]}, 400, "no_question"),
        ({"messages": [{"role": "user", "content": "  "}]}, 400, "empty_question"),
        ({"messages": [{"role": "user", "content": "问" * 101}]}, 413, "question_too_long"),
        ({"messages": [{"role": "robot", "content": "问"}]}, 400, "invalid_request"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            400,
            "unsupported_content",
        ),
        ({"n": 2}, 400, "unsupported_value"),
        ({"response_format": {"type": "json_object"}}, 400, "unsupported_value"),
    ],
)
def test_bad_requests_are_told_in_openais_shape(
    url: str, change: dict[str, object], status: int, code: str
) -> None:
    content = json.dumps({**BODY, **change})
    with httpx.Client(trust_env=False) as plain:
        response = plain.post(
            f"{url}/v1/chat/completions",
            content=content,
            headers={"content-type": "application/json"},
        )
    assert response.status_code == status
    error = response.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["type"], error["code"]) == ("invalid_request_error", code)


def test_half_a_character_is_a_question_like_any_other(url: str) -> None:
    body = {"model": "\ud800", "messages": [{"role": "user", "content": "\ud800几？"}]}
    content = json.dumps(body)
    with httpx.Client(trust_env=False, headers={"content-type": "application/json"}) as plain:
        response = plain.post(f"{url}/v1/chat/completions", content=content)
    assert response.status_code == 200
    assert response.json()["model"] == "?"


def test_a_client_that_leaves_stops_the_model() -> None:
    for stream in (True, False):
        answering = assistant(never_ends=True)
        with (
            served(answering) as url,
            httpx.Client(trust_env=False, timeout=1.0) as plain,
        ):
            with pytest.raises(httpx.ReadTimeout):
                plain.post(f"{url}/v1/chat/completions", json={**BODY, "stream": stream})
            assert answering.stopped.wait(5)


def test_a_full_queue_is_429_and_a_left_one_serves_again() -> None:
    answering = assistant(never_ends=True)
    with (
        served(answering, concurrency=1, queue=1) as url,
        httpx.Client(trust_env=False, base_url=url) as plain,
    ):

        def leave_after(seconds: float) -> None:
            with (
                httpx.Client(trust_env=False, timeout=seconds) as other,
                pytest.raises(httpx.ReadTimeout),
            ):
                other.post(f"{url}/v1/chat/completions", json=BODY)

        # The first holds the only seat, the second waits and leaves without one.
        threads = [threading.Thread(target=leave_after, args=(wait,)) for wait in (3.0, 1.5)]
        for thread in threads:
            thread.start()
            time.sleep(0.3)
        refused = plain.post("/v1/chat/completions", json=BODY)
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "5"
        assert refused.json()["error"]["type"] == "rate_limit_error"
        for thread in threads:
            thread.join()
        assert answering.asked == [QUESTION]
        answering.never_ends = False
        assert plain.post("/v1/chat/completions", json=BODY, timeout=10).status_code == 200


def test_eight_at_once_are_all_answered_and_all_streams_advance() -> None:
    answering = assistant(pause=0.1)
    ends: list[tuple[float, str]] = []
    with served(answering, concurrency=8, queue=1) as url:

        def stream() -> None:
            with httpx.Client(trust_env=False, timeout=30) as plain:
                body = {"question": QUESTION, "stream": True}
                text = plain.post(f"{url}/api/ask", json=body).text
            ends.append((time.monotonic(), text))

        threads = [threading.Thread(target=stream) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(ends) == 8
    assert all(text.count("event: done") == 1 for _, text in ends)
    assert all(text.count("event: answer") >= 3 for _, text in ends)
    # Six pauses of 0.1 s each, side by side and not one after the other (4.8 s).
    times = [end for end, _ in ends]
    assert max(times) - min(times) < 2.0


@pytest.mark.parametrize("stream", [False, True])
def test_llama_index_asks(url: str, stream: bool) -> None:
    from llama_index.core.base.llms.types import ChatMessage
    from llama_index.llms.openai_like import OpenAILike

    transport = httpx.Client(trust_env=False)
    model = OpenAILike(
        model="yiwen",
        api_base=f"{url}/v1",
        api_key="not-needed",
        is_chat_model=True,
        http_client=transport,
        max_retries=0,
    )
    messages = [
        ChatMessage(role="system", content="无"),
        ChatMessage(role="user", content=QUESTION),
    ]
    if stream:
        *_, response = model.stream_chat(messages)
        extra = response.raw.choices[0].delta.model_extra["yiwen"]
    else:
        response = model.chat(messages)
        extra = response.raw.choices[0].message.model_extra["yiwen"]
    assert response.message.content.startswith(ANSWER.text)
    assert "资料来源" in response.message.content
    assert extra["state"] == "uncertain"
    transport.close()


def test_markdown_text_is_escaped_piece_by_piece(client: openai.OpenAI) -> None:
    plain = ask(client).choices[0].message.content
    completion = ask(client, model="yiwen-markdown")
    assert completion.choices[0].message.content == escaped(plain)
    assert "20\\~40滴。\\[1\\]" in completion.choices[0].message.content
    assert "PLT&lt;100" in completion.choices[0].message.content


@pytest.mark.parametrize(
    "text",
    [
        "输液15~30分钟，20~40滴",
        "5*3*2 与 2**3",
        "PLT<b>100 & INR>1",
        "![图](http://203.0.113.9/x.png)",
        "1. 先\n2) 后\n# 题\n- 项\n甲\n\n乙\n===",
        "a_b_c `x` $y$ |z| \\n",
    ],
)
def test_escaped_text_is_shown_to_the_character_by_a_markdown_renderer(text: str) -> None:
    markdown = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("strikethrough")
    page = markdown.enable("table").render(escaped(text))
    assert not set(re.findall(r"<(\w+)", page)) - {"p", "br"}
    shown = html.unescape(page.replace("<p>", "").replace("</p>\n", "\n\n").replace("<br />", ""))
    assert shown.strip() == text


@pytest.mark.parametrize(
    "text", ["", "\n", "甲。[1]\n\n乙 [2] [3]\n", "无句号[1]", "一。二！\n| a | b |"]
)
def test_pieces_join_to_the_text(text: str) -> None:
    assert "".join(pieces(replace(ANSWER, text=text))) == text
