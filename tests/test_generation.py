"""Index generations: written whole, replaced by name, refused when they do not fit."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hashed_encoder import HashedBigramEncoder

from rag.errors import CorpusIndexError
from rag.offsets import OffsetMap
from rag.retrieve.generation import (
    CURRENT,
    Recipe,
    damaged_files,
    index_text,
    is_published,
    read_manifest,
    write_generation,
)
from rag.retrieve.index import CorpusIndex
from rag.types import Block, BlockKind, Document, PageStart, Passage

ENCODER = HashedBigramEncoder()
RECIPE = Recipe.of(ENCODER, split_size=240, split_overlap=40, clean=("punctuation",))


def document(name, text, collection="政策"):
    return Document(
        id=name,
        title=f"{name}的标题",
        text=text,
        original=text,
        offsets=OffsetMap.identity(len(text)),
        blocks=(Block(BlockKind.PARAGRAPH, 0, len(text)),),
        pages=(PageStart(1, 0),),
        date="2025-03-01",
        collection=collection,
        sha256=f"sha-{name}-{len(text)}",
    )


DOCUMENTS = [
    document("甲", "院内感染防控由感染管理科负责，每季度培训一次。"),
    document("乙", "發熱門診二十四小時開放，須先測量體溫。", collection="流程"),
    document("丙", "药品不良反应应在发现后及时上报。"),
]


def write(directory, documents=DOCUMENTS, recipe=RECIPE, first=1):
    passages = [
        Passage(d.id, 0, len(d.text), d.text, "", 1, first + i) for i, d in enumerate(documents)
    ]
    by_id = {d.id: d for d in documents}
    vectors = ENCODER.encode_document([index_text(by_id[p.document], p) for p in passages])
    vectors = vectors.reshape(-1, ENCODER.dimension)
    return write_generation(directory, recipe, documents, passages, vectors), passages


def best(index, question, **options):
    return [hit.passage.document for hit in index.search(question, ENCODER, **options)]


@pytest.mark.parametrize("mode", ["hybrid", "dense", "keyword"])
def test_written_index_answers_from_the_right_document(tmp_path, mode):
    write(tmp_path)
    index = CorpusIndex.load(tmp_path, RECIPE)
    assert best(index, "发热门诊几点开放", mode=mode)[0] == "乙"
    assert best(index, "谁负责感染防控？", mode=mode)[0] == "甲"


def test_hits_are_spans_of_their_documents(tmp_path):
    write(tmp_path)
    index = CorpusIndex.load(tmp_path, RECIPE)
    hits = index.search("药品不良反应", ENCODER)
    for hit in hits:
        text = index.documents.document(hit.passage.document).text
        assert text[hit.passage.start : hit.passage.end] == hit.passage.text
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[0].title == "丙的标题"
    assert hits[0].date == "2025-03-01"


@pytest.mark.parametrize("mode", ["hybrid", "dense", "keyword"])
def test_collections_restrict_the_search(tmp_path, mode):
    write(tmp_path)
    index = CorpusIndex.load(tmp_path, RECIPE)
    assert best(index, "感染防控", mode=mode, collections={"流程"}) in (["乙"], [])
    assert best(index, "感染防控", mode=mode, collections={"没有"}) == []


def test_documents_come_back_whole(tmp_path):
    write(tmp_path)
    index = CorpusIndex.load(tmp_path, RECIPE)
    assert index.documents.document("乙") == DOCUMENTS[1]
    assert [about.id for about in index.documents.abouts()] == sorted(d.id for d in DOCUMENTS)


def test_a_new_generation_replaces_the_old_while_it_is_read(tmp_path):
    write(tmp_path)
    old = CorpusIndex.load(tmp_path, RECIPE)
    write(tmp_path, DOCUMENTS[:1], first=9)
    assert best(CorpusIndex.load(tmp_path, RECIPE), "发热门诊") == ["甲"]
    assert best(old, "发热门诊")[0] == "乙"  # the loaded one goes on
    assert old.documents.document("丙").text == DOCUMENTS[2].text
    generations = [p for p in tmp_path.iterdir() if p.name.startswith("g-")]
    assert len(generations) == 1


def test_empty_index_finds_nothing(tmp_path):
    write(tmp_path, [])
    assert CorpusIndex.load(tmp_path, RECIPE).search("问题", ENCODER) == ()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"embedding_fingerprint": "other"}, "向量模型"),
        ({"split_size": 120}, "切分长度"),
        ({"clean": ()}, "清洗步骤"),
    ],
)
def test_an_index_made_otherwise_is_refused_with_the_command_that_mends_it(tmp_path, change, word):
    write(tmp_path)
    with pytest.raises(CorpusIndexError, match=f"{word}.*rag index"):
        CorpusIndex.load(tmp_path, replace(RECIPE, **change))


def test_no_index_says_which_command_makes_one(tmp_path):
    with pytest.raises(CorpusIndexError, match="rag index"):
        CorpusIndex.load(tmp_path / "nothing", RECIPE)


@pytest.mark.parametrize("name", ["documents.sqlite3", "vectors.faiss", "keyword/ids.npy"])
def test_cut_files_are_refused(tmp_path, name):
    folder, _ = write(tmp_path)
    path = folder / name
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(CorpusIndexError, match="rag index"):
        CorpusIndex.load(tmp_path, RECIPE)


def test_damage_of_the_same_length_is_found_by_its_digest(tmp_path):
    folder, _ = write(tmp_path)
    manifest = read_manifest(tmp_path)
    assert damaged_files(tmp_path, manifest) == []
    content = bytearray((folder / "vectors.faiss").read_bytes())
    content[-3] ^= 0xFF
    (folder / "vectors.faiss").write_bytes(content)
    assert damaged_files(tmp_path, manifest) == ["vectors.faiss"]
    with pytest.raises(CorpusIndexError, match=r"vectors\.faiss.*rag index"):
        CorpusIndex.load(tmp_path, RECIPE)


def test_other_format_is_refused(tmp_path):
    folder, _ = write(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format": 999}))
    with pytest.raises(CorpusIndexError, match="其他版本"):
        read_manifest(tmp_path)


def test_what_a_killed_writer_left_is_swept_and_the_old_index_answers(tmp_path):
    write(tmp_path)
    left = tmp_path / ".writing-killed"
    left.mkdir()
    (left / "vectors.faiss").write_bytes(b"half")
    assert best(CorpusIndex.load(tmp_path, RECIPE), "发热门诊")[0] == "乙"
    write(tmp_path, DOCUMENTS[:2], first=5)
    assert not left.exists()


def test_a_folder_that_cannot_be_written_keeps_the_old_index(tmp_path):
    folder, _ = write(tmp_path)
    blocker = tmp_path / f".{CURRENT}"
    blocker.mkdir()  # the pointer's new content cannot be written
    with pytest.raises(CorpusIndexError, match="原索引未受影响"):
        write(tmp_path, DOCUMENTS[:1], first=9)
    assert (tmp_path / CURRENT).read_text().strip() == folder.name
    assert best(CorpusIndex.load(tmp_path, RECIPE), "发热门诊")[0] == "乙"


def test_is_published_tells_contents_apart(tmp_path):
    _, passages = write(tmp_path)
    assert is_published(tmp_path, RECIPE, DOCUMENTS, passages)
    assert not is_published(tmp_path, RECIPE, DOCUMENTS[:2], passages[:2])
    moved = [replace(p, id=p.id + 10) for p in passages]
    assert not is_published(tmp_path, RECIPE, DOCUMENTS, moved)
    assert not is_published(tmp_path / "nothing", RECIPE, DOCUMENTS, passages)


def test_vectors_must_fit_their_passages(tmp_path):
    passages = [Passage("甲", 0, 2, "院内", "", None, 1)]
    with pytest.raises(ValueError, match="ids"):
        write_generation(tmp_path, RECIPE, DOCUMENTS, passages, np.zeros((2, 256), np.float32))
    assert not (tmp_path / CURRENT).exists()
