"""Programs ask the real assistant: extractive, with a model, and with one that is stopped."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest
from api_server import served
from hashed_encoder import HashedBigramEncoder
from scripted_model import ScriptedModel, ScriptedSource

from rag.answer.llm import Delta
from rag.assistant import AnswerOptions, Assistant, SearchOptions
from rag.indexer import Indexer
from rag.language import EXTRACTIVE
from rag.settings import CleanSettings

QUESTION = "手卫生培训多久组织一次？"
SENTENCE = "手卫生培训由感染管理科每季度组织一次。"
TEXTS = {
    "感染.md": f"---\ntitle: 手卫生培训制度\ncollection: 感染\n---\n\n{SENTENCE}各病区须登记名单。",
    "药事.md": "---\ntitle: 药事会议\ncollection: 药学\n---\n\n药事会每月第一周审查药品目录的变更。",
}


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory):
    """``make(model)`` gives an assistant over two documents; without a model it quotes."""
    folder: Path = tmp_path_factory.mktemp("api")
    (folder / "资料").mkdir()
    for name, text in TEXTS.items():
        (folder / "资料" / name).write_text(text, encoding="utf-8")
    encoder = HashedBigramEncoder()
    indexer = Indexer(
        folder / "index", encoder=encoder, split_size=240, split_overlap=40, steps=CleanSettings()
    )
    indexer.update([folder / "资料"])

    def make(model: ScriptedModel | None = None) -> Assistant:
        return Assistant(
            folder / "index",
            encoder=encoder,
            recipe=indexer.recipe,
            models=ScriptedSource(model),
            search=SearchOptions(),
            answer=AnswerOptions(0.0, 0.0),
        )

    return make


def client_of(url: str, transport: httpx.Client) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=f"{url}/v1", api_key="x", http_client=transport, max_retries=0, timeout=30
    )


def messages(question: str = QUESTION) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}]


@pytest.mark.parametrize("stream", [False, True])
def test_quotations_answer_without_a_model(make, stream: bool) -> None:
    with served(make()) as url, httpx.Client(trust_env=False) as transport:
        reply = client_of(url, transport).chat.completions.create(
            model="yiwen", messages=messages(), stream=stream
        )
        if stream:
            chunks = list(reply)
            content = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
            extra = chunks[-1].choices[0].delta.model_extra["yiwen"]
        else:
            content = reply.choices[0].message.content
            extra = reply.choices[0].message.model_extra["yiwen"]
            assert reply.usage.total_tokens == 0
    assert content.startswith(f"{SENTENCE}[1]")
    assert f"[1] 《手卫生培训制度》：「{SENTENCE}」" in content
    assert extra["model"] == EXTRACTIVE
    assert extra["citations"][0]["document"].endswith("感染.md")
    assert {"retrieve", "evidence", "total"} <= extra["timings"].keys()


def test_collections_bound_search_and_answer(make) -> None:
    with served(make()) as url, httpx.Client(trust_env=False, base_url=url) as plain:
        body = {"question": QUESTION, "collections": ["药学"]}
        passages = plain.post("/api/search", json=body).json()["passages"]
        assert [passage["title"] for passage in passages] == ["药事会议"]
        assert {hit["title"] for hit in plain.post("/api/ask", json=body).json()["hits"]} == {
            "药事会议"
        }


def test_a_cut_answer_and_its_tokens_are_told(make) -> None:
    model = ScriptedModel(f"{SENTENCE}[1]", Delta(truncated=True))
    with served(make(model)) as url, httpx.Client(trust_env=False) as transport:
        reply = client_of(url, transport).chat.completions.create(
            model="yiwen", messages=messages()
        )
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.prompt_tokens > 100
    assert reply.usage.completion_tokens > 5
    assert reply.choices[0].message.model_extra["yiwen"]["model"] == "剧本"


def test_a_client_that_leaves_closes_the_models_stream(make) -> None:
    class Slow(ScriptedModel):
        def _replay(self) -> Iterator[Delta]:  # type: ignore[override]
            try:
                while True:
                    self.given += 1
                    yield Delta(text="字")
                    time.sleep(0.05)
            finally:
                self.closed += 1

    for path, body in (
        ("/v1/chat/completions", {"messages": messages(), "stream": True}),
        ("/api/ask", {"question": QUESTION, "stream": True}),
        ("/api/ask", {"question": QUESTION}),
    ):
        model = Slow()
        with served(make(model)) as url, httpx.Client(trust_env=False, timeout=1.0) as plain:
            with (
                pytest.raises(httpx.ReadTimeout),
                plain.stream("POST", f"{url}{path}", json=body) as response,
            ):
                started = time.monotonic()
                for _ in response.iter_raw():
                    if time.monotonic() - started > 1:
                        raise httpx.ReadTimeout("enough")
            deadline = time.monotonic() + 5
            while not model.closed and time.monotonic() < deadline:
                time.sleep(0.02)
            assert model.closed == 1
            given = model.given
            time.sleep(0.2)
            assert model.given == given
