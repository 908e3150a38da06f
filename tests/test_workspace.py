"""What each file became, kept between runs."""

import sqlite3

import numpy as np
import pytest

from rag.errors import CorpusIndexError
from rag.offsets import OffsetMap
from rag.types import Document, Passage
from rag.workspace import NAME, Entry, Workspace

TEXT = "值班表每周五公布。"


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(tmp_path)
    yield workspace
    workspace.close()


def put(workspace, name="a.txt", *, text=TEXT, passages=((0, 3), (3, 9)), sha256="s"):
    document = Document(name, "题", text, text, OffsetMap(()), sha256=sha256)
    spans = [Passage(name, start, end, text[start:end], "节", 4) for start, end in passages]
    vectors = np.arange(len(spans) * 2, dtype=np.float32).reshape(-1, 2)
    entry = Entry(f"/d/{name}", name, "9:1", sha256, "recipe")
    workspace.put(entry, document, spans, vectors)
    return entry


def test_an_empty_workspace_has_rows_of_the_right_width(workspace):
    documents, passages, vectors = workspace.contents(7)
    assert (documents, passages, vectors.shape) == ([], [], (0, 7))
    assert (workspace.roots(), workspace.entries()) == ([], {})


def test_what_was_put_comes_back_after_the_process_ends(tmp_path):
    first = Workspace(tmp_path)
    entry = put(first)
    first.set_roots(["/乙", "/甲"])
    first.close()
    second = Workspace(tmp_path)
    assert second.entries() == {entry.key: entry}
    assert second.roots() == ["/乙", "/甲"]  # in the order in which they were given
    documents, passages, vectors = second.contents(2)
    assert documents[0].text == TEXT
    assert [(p.start, p.end, p.text, p.heading, p.page) for p in passages] == [
        (0, 3, "值班表", "节", 4),
        (3, 9, "每周五公布。", "节", 4),
    ]
    assert vectors.tolist() == [[0, 1], [2, 3]]
    second.close()


def test_a_vector_stands_in_the_row_of_its_passage(workspace):
    put(workspace, "b.txt", passages=((0, 9),))
    put(workspace, "a.txt")
    documents, passages, vectors = workspace.contents(2)
    assert [document.id for document in documents] == ["a.txt", "b.txt"]
    assert [passage.document for passage in passages] == ["a.txt", "a.txt", "b.txt"]
    assert vectors.tolist() == [[0, 1], [2, 3], [0, 1]]


def test_ids_never_come_again(tmp_path, workspace):
    seen = set()
    for _ in range(3):
        put(workspace)
        ids = {passage.id for passage in workspace.contents(2)[1]}
        assert len(ids) == 2
        assert not ids & seen
        seen |= ids
    workspace.remove(["/d/a.txt"])
    workspace.close()
    again = Workspace(tmp_path)
    put(again)
    assert min(passage.id for passage in again.contents(2)[1]) > max(seen)
    again.close()


def test_touching_changes_the_stamp_only(workspace):
    entry = put(workspace)
    workspace.touch(entry.key, "9:2")
    assert workspace.entries() == {
        entry.key: Entry(entry.key, "a.txt", "9:2", entry.sha256, entry.recipe)
    }


def test_removing_a_file_removes_its_passages(workspace):
    put(workspace, "a.txt")
    put(workspace, "b.txt")
    workspace.remove(["/d/a.txt", "/d/unknown.txt"])
    documents, passages, vectors = workspace.contents(2)
    assert [document.id for document in documents] == ["b.txt"]
    assert {passage.document for passage in passages} == {"b.txt"}
    assert len(vectors) == len(passages) == 2


def test_a_put_that_fails_leaves_what_was_there(workspace):
    put(workspace)
    with pytest.raises(CorpusIndexError):  # another file, the same document
        workspace.put(
            Entry("/other/a.txt", "a.txt", "1:1", "t", "recipe"),
            Document("a.txt", "", "x", "x", OffsetMap(())),
            [],
            np.zeros((0, 2), np.float32),
        )
    assert list(workspace.entries()) == ["/d/a.txt"]
    assert len(workspace.contents(2)[1]) == 2


def test_a_file_that_is_no_database_is_set_aside(tmp_path):
    (tmp_path / NAME).write_bytes(b"no database " * 400)
    workspace = Workspace(tmp_path)
    put(workspace)
    assert (tmp_path / f"{NAME}.damaged").read_bytes().startswith(b"no database")
    assert len(workspace.entries()) == 1
    workspace.close()


def test_a_database_damaged_within_is_an_error_that_says_what_to_do(tmp_path):
    workspace = Workspace(tmp_path)
    for number in range(40):
        put(workspace, f"{number}.txt", text=TEXT * 400)
    workspace.close()
    path = tmp_path / NAME
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)  # the first page, with the schema, is whole
    path.write_bytes(content)
    with pytest.raises(CorpusIndexError, match="请删除此文件"):
        damaged = Workspace(tmp_path)
        try:
            damaged.entries()
        finally:
            damaged.close()


def test_a_place_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / NAME).mkdir()
    with pytest.raises(CorpusIndexError, match=r"无法写入.*磁盘空间与权限"):
        Workspace(tmp_path)


def test_a_folder_made_by_an_older_program_with_other_tables(tmp_path):
    connection = sqlite3.connect(tmp_path / NAME)
    connection.execute("CREATE TABLE files (something TEXT)")
    connection.close()
    workspace = Workspace(tmp_path)
    with pytest.raises(CorpusIndexError):
        workspace.entries()
    workspace.close()
