"""Documents kept in the browser: what is taken, what is indexed, what is left when things fail."""

import io
import threading

import pytest
from libraries import LEAFLET, Served, two_pages

from rag.errors import IndexBusyError, RagError
from rag.indexer import IndexReport
from rag.library.faults import DocumentMissing, FileRefused, LibraryError, NameTaken
from rag.library.folder import LibraryFolder
from rag.library.library import Status
from rag.library.names import checked_file
from rag.library.worker import IndexWorker


@pytest.fixture
def served(tmp_path):
    return Served(tmp_path)


# Names


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".隐藏.md",
        "../逃出.md",
        "a/b.md",
        "a\\b.md",
        "~$临时.docx",
        "看不见\u0000.md",
        "反向\u202edm.exe.md",
        "程序.exe",
        "没有类型",
        "长" * 80 + ".md",
        "README.md",
    ],
)
def test_a_name_that_is_no_plain_file_is_refused_in_one_line(name):
    with pytest.raises(FileRefused) as refused:
        checked_file("", name)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("collection", ["..", ".隐藏", "a/b", "长" * 61])
def test_a_collection_that_is_no_plain_folder_is_refused(collection):
    with pytest.raises(FileRefused):
        checked_file(collection, "指南.md")


@pytest.mark.parametrize(
    "name", ["静脉输液（2025版）.pdf", "<img src=x onerror=alert(1)>.md", "a b&c'\".txt"]
)
def test_unusual_characters_of_a_name_are_kept(name):
    assert checked_file("指南", name) == f"指南/{name}"


# The folder


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    folder = LibraryFolder(tmp_path / "library", max_bytes=100)

    class Broken:
        def read(self, size):
            raise OSError(28, "No space left on device")

    for content, expected in (
        (Broken(), LibraryError),
        (io.BytesIO(b"x" * 101), FileRefused),
        (io.BytesIO(b""), FileRefused),
    ):
        with pytest.raises(expected):
            folder.add("", "指南.md", content)
        assert list(folder.root.rglob("*")) == []


def test_a_name_that_is_taken_is_replaced_only_when_asked(tmp_path):
    folder = LibraryFolder(tmp_path / "library", max_bytes=100)
    path = folder.add("", "指南.md", io.BytesIO(b"1"))
    with pytest.raises(NameTaken):
        folder.add("", "指南.md", io.BytesIO(b"2"))
    assert path.read_bytes() == b"1"
    folder.add("", "指南.md", io.BytesIO(b"2"), replace=True)
    assert path.read_bytes() == b"2"
    with pytest.raises(FileRefused, match="类型"):
        folder.replace("指南.md", "指南.pdf", io.BytesIO(b"3"))


@pytest.mark.parametrize("file", ["../outside.md", "没有.md", "a/b/c.md"])
def test_nothing_outside_the_library_is_deleted(tmp_path, file):
    outside = tmp_path / "outside.md"
    outside.write_text("x", encoding="utf-8")
    folder = LibraryFolder(tmp_path / "library", max_bytes=100)
    folder.add("", "指南.md", io.BytesIO(b"1"))
    with pytest.raises(LibraryError):
        folder.delete(file)
    assert outside.exists()


# The library


def test_what_is_uploaded_is_answered_from_and_what_is_deleted_is_not(served):
    before = served.assistant.index.generation
    file = served.add("阿莫西林.md", LEAFLET, "药品说明书")
    row = served.row("阿莫西林")
    assert (row.status, row.collection, file) == (
        Status.INDEXED,
        "药品说明书",
        "药品说明书/阿莫西林.md",
    )
    assert row.passages >= 1
    assert served.assistant.index.generation != before
    assert "药品说明书" in served.assistant.collections
    (hit, *_) = served.assistant.search("阿莫西林成人每次多少克")
    assert hit.passage.document == row.id
    served.library.delete(file)
    assert served.library.wait(60)
    hits = served.assistant.search("阿莫西林成人每次多少克")
    assert all(hit.passage.document != row.id for hit in hits)
    assert not (served.settings.library.directory / "药品说明书").exists()


def test_a_replaced_file_answers_with_its_new_content(served):
    file = served.add("阿莫西林.md", LEAFLET)
    served.library.replace(file, "新.md", io.BytesIO(LEAFLET.replace("7天", "5天").encode()))
    assert served.library.wait(60)
    (hit, *_) = served.assistant.search("阿莫西林疗程几天")
    assert "疗程5天" in hit.passage.text


def test_documents_of_the_configured_folders_are_listed_and_read_only(served):
    rows = served.library.documents()
    assert sorted(row.title for row in rows) == ["探视规定", "静脉输液常规"]
    assert {row.file for row in rows} == {""}
    with pytest.raises(DocumentMissing):
        served.library.delete("guide.md")


def test_a_file_that_cannot_be_read_says_why_and_costs_the_others_nothing(served):
    served.add("坏.pdf", b"%PDF-1.7 broken", "指南")
    row = served.row("坏")
    assert row.status is Status.FAILED
    assert "请" in row.reason and "\n" not in row.reason
    served.add("阿莫西林.md", LEAFLET)
    assert served.row("阿莫西林").status is Status.INDEXED
    assert served.row("坏").status is Status.FAILED


def test_a_start_clears_up_and_indexes_what_a_killed_process_left(served):
    root = served.settings.library.directory
    root.mkdir()
    (root / ".incoming-1").write_bytes(b"half")
    (root / "阿莫西林.md").write_text(LEAFLET, encoding="utf-8")
    library = served.again()
    assert [row.status for row in library.documents() if row.file] == [Status.WAITING]
    library.start()
    assert library.wait(60)
    assert not (root / ".incoming-1").exists()
    assert served.row("阿莫西林").status is Status.INDEXED
    generation = served.assistant.index.generation
    served.again().start()  # nothing waits: nothing is done
    assert served.assistant.index.generation == generation


def test_a_page_of_a_pdf_is_drawn_as_long_as_it_is_the_file_that_was_indexed(served):
    file = served.add("手册.pdf", two_pages())
    row = served.row("手册")
    assert row.has_page_images and row.pages == 2
    png = served.library.page_image(row.id, 2)
    assert png.startswith(b"\x89PNG")
    for document, number in ((row.id, 3), (row.id, 0), ("没有", 1)):
        with pytest.raises(DocumentMissing):
            served.library.page_image(document, number)
    markdown = next(row for row in served.library.documents() if row.title == "探视规定")
    with pytest.raises(DocumentMissing, match="PDF"):
        served.library.page_image(markdown.id, 1)
    path = served.settings.library.directory / file
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(DocumentMissing, match="改动"):
        served.library.page_image(row.id, 1)
    path.unlink()
    with pytest.raises(DocumentMissing, match="不在原处"):
        served.library.page_image(row.id, 1)


# The worker


def test_what_comes_while_the_index_is_written_is_indexed_in_a_second_run(tmp_path):
    going, go, runs = threading.Event(), threading.Event(), []

    def update(progress):
        runs.append(progress)
        going.set()
        assert go.wait(20)
        return IndexReport()

    worker = IndexWorker(update, documents=dict)
    worker.wake(tmp_path / "一.md")
    assert going.wait(20)
    worker.wake(tmp_path / "二.md")
    assert worker.work().pending == {tmp_path / "一.md", tmp_path / "二.md"}
    go.set()
    assert worker.wait(20)
    assert len(runs) == 2
    assert worker.work().pending == frozenset()


def test_another_writer_is_waited_for(monkeypatch):
    monkeypatch.setattr("rag.library.worker._BUSY_SECONDS", 0.01)
    attempts = []

    def update(progress):
        attempts.append(progress)
        if len(attempts) < 3:
            raise IndexBusyError("索引正在更新。请稍后再试")
        return IndexReport()

    worker = IndexWorker(update, documents=dict)
    worker.wake()
    assert worker.wait(20)
    assert (len(attempts), worker.work().error) == (3, "")


def test_a_run_that_failed_says_so_and_keeps_what_waits(tmp_path):
    def update(progress):
        raise RagError("磁盘已满。请清理后重试")

    worker = IndexWorker(update, documents=dict)
    worker.wake(tmp_path / "一.md")
    assert worker.wait(20)
    work = worker.work()
    assert work.error == "磁盘已满。请清理后重试"
    assert work.pending == {tmp_path / "一.md"}
