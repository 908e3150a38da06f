"""Files to an index: only what changed, nothing lost, killed at any moment."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hashed_encoder import HashedBigramEncoder

from rag.errors import CorpusIndexError, DocumentError, IndexBusyError
from rag.indexer import Indexer
from rag.retrieve.generation import CURRENT, read_manifest
from rag.retrieve.index import CorpusIndex
from rag.settings import CleanSettings

TEXTS = {
    "感染.txt": "感染管理科每季度组织一次手卫生培训。各病区须登记参训人员名单。",
    "门诊.md": "---\ntitle: 发热门诊流程\ndate: 2025-03-01\n---\n\n# 发热门诊流程\n\n发热门诊全天开放，先测体温再候诊。",
    "子目录/药事.txt": "药事委员会在每月第一周审查药品目录的变更申请。",
}


def write(folder, texts=TEXTS):
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "资料"
    write(folder)
    return folder


@pytest.fixture
def indexer(tmp_path):
    return make(tmp_path)


def make(tmp_path, **options):
    encoder = options.pop("encoder", HashedBigramEncoder())
    return Indexer(
        tmp_path / "index",
        encoder=encoder,
        split_size=options.pop("split_size", 240),
        split_overlap=40,
        steps=CleanSettings(),
        **options,
    )


def best(tmp_path, indexer, question):
    index = CorpusIndex.load(tmp_path / "index", indexer.recipe)
    hits = index.search(question, HashedBigramEncoder(), count=1)
    return hits[0].passage.document if hits else None


def test_a_folder_is_indexed_and_answers(tmp_path, folder, indexer):
    report = indexer.update([folder])
    assert report.documents == 3
    assert sorted(report.added) == ["资料/子目录/药事.txt", "资料/感染.txt", "资料/门诊.md"]
    assert report.failures == ()
    assert best(tmp_path, indexer, "谁审查药品目录") == "资料/子目录/药事.txt"
    index = CorpusIndex.load(tmp_path / "index", indexer.recipe)
    document = index.documents.document("资料/门诊.md")
    assert (document.title, document.date) == ("发热门诊流程", "2025-03-01")


def test_an_unchanged_file_is_not_embedded_again(folder, indexer):
    indexer.update([folder])
    encoded = indexer._encoder.encoded
    report = indexer.update()
    assert (report.unchanged, report.added, report.published) == (3, (), False)
    assert indexer._encoder.encoded == encoded
    os.utime(folder / "感染.txt")  # written again with the same content
    assert indexer.update().unchanged == 3
    assert indexer._encoder.encoded == encoded


def test_changed_added_and_deleted_files(tmp_path, folder, indexer):
    indexer.update([folder])
    (folder / "感染.txt").write_text("手术室每周进行一次空气培养。", encoding="utf-8")
    (folder / "新.txt").write_text("检验科负责危急值的电话通知。", encoding="utf-8")
    (folder / "门诊.md").unlink()
    report = indexer.update()
    assert report.added == ("资料/新.txt",)
    assert report.updated == ("资料/感染.txt",)
    assert report.removed == ("资料/门诊.md",)
    assert best(tmp_path, indexer, "危急值由谁通知") == "资料/新.txt"
    assert best(tmp_path, indexer, "空气培养") == "资料/感染.txt"
    index = CorpusIndex.load(tmp_path / "index", indexer.recipe)
    assert "手卫生" not in index.documents.document("资料/感染.txt").text
    assert "资料/门诊.md" not in index.documents


def test_passage_ids_never_repeat(tmp_path, folder, indexer):
    indexer.update([folder])
    first = set(CorpusIndex.load(tmp_path / "index", indexer.recipe).vectors.ids().tolist())
    for path in folder.rglob("*.*"):
        path.write_text(path.read_text(encoding="utf-8") + "补充说明一条。", encoding="utf-8")
    indexer.update()
    second = set(CorpusIndex.load(tmp_path / "index", indexer.recipe).vectors.ids().tolist())
    assert not first & second


def test_a_bad_file_is_named_and_the_others_are_indexed(folder, indexer):
    (folder / "空.txt").write_text("", encoding="utf-8")
    (folder / "坏.docx").write_bytes(b"PK\x03\x04 half written")
    report = indexer.update([folder])
    assert report.documents == 3
    assert sorted(Path(f.path).name for f in report.failures) == ["坏.docx", "空.txt"]
    assert all(f.reason and f.remedy for f in report.failures)


def test_a_file_that_breaks_later_keeps_its_indexed_version(tmp_path, folder, indexer):
    indexer.update([folder])
    (folder / "感染.txt").write_bytes(b"")
    report = indexer.update()
    assert [Path(f.path).name for f in report.failures] == ["感染.txt"]
    assert report.documents == 3
    assert best(tmp_path, indexer, "手卫生培训") == "资料/感染.txt"


def test_a_root_that_is_gone_keeps_its_documents_until_it_is_removed(tmp_path, folder, indexer):
    indexer.update([folder])
    folder.rename(tmp_path / "unmounted")
    report = indexer.update()
    assert report.documents == 3
    assert "保留" in report.notices[0]
    report = indexer.update(remove=[folder])
    assert report.documents == 0
    assert len(report.removed) == 3


def test_a_missing_path_is_refused_and_nothing_changes(tmp_path, folder, indexer):
    indexer.update([folder])
    with pytest.raises(DocumentError, match="不存在"):
        indexer.update([tmp_path / "nothing"])
    assert indexer.update().documents == 3


def test_removing_what_was_never_added_names_what_was(folder, indexer, tmp_path):
    indexer.update([folder])
    with pytest.raises(CorpusIndexError, match="资料"):
        indexer.update(remove=[tmp_path / "other"])


def test_two_files_of_one_name_are_two_documents(tmp_path, indexer):
    write(tmp_path / "a" / "手册", {"x.txt": "甲院区的门诊时间是上午。"})
    write(tmp_path / "b" / "手册", {"x.txt": "乙院区的门诊时间是下午。"})
    report = indexer.update([tmp_path / "a" / "手册", tmp_path / "b" / "手册"])
    assert report.documents == 2
    names = set(read_manifest(tmp_path / "index")["documents"])
    assert "手册/x.txt" in names
    assert indexer.update().unchanged == 2
    assert set(read_manifest(tmp_path / "index")["documents"]) == names


def test_another_model_or_size_makes_everything_anew(tmp_path, folder, indexer):
    indexer.update([folder])
    other = make(tmp_path, split_size=120)
    with pytest.raises(CorpusIndexError, match="rag index"):
        CorpusIndex.load(tmp_path / "index", other.recipe)
    report = other.update()
    assert len(report.updated) == 3
    assert best(tmp_path, other, "手卫生培训") == "资料/感染.txt"


def test_a_second_writer_waits_then_fails_clearly(tmp_path, folder, indexer):
    indexer.update([folder])
    with (tmp_path / "index" / "lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(IndexBusyError, match="另一个进程"):
            make(tmp_path, lock_timeout=0.3).update()
    assert indexer.update().unchanged == 3


def test_a_damaged_work_file_is_set_aside(tmp_path, folder, indexer):
    indexer.update([folder])
    for path in (tmp_path / "index").glob("work.sqlite3*"):
        path.write_bytes(b"this is not a database, not any more" * 40)
    report = indexer.update([folder])
    assert report.documents == 3
    assert (tmp_path / "index" / "work.sqlite3.damaged").exists()


def test_a_kill_between_the_last_file_and_the_publishing_is_made_good(tmp_path, folder, indexer):
    indexer.update([folder])
    (tmp_path / "index" / CURRENT).unlink()
    report = indexer.update()
    assert (report.unchanged, report.published) == (3, True)
    assert best(tmp_path, indexer, "手卫生培训") == "资料/感染.txt"


_CHILD = """
import json, sys, time
sys.path[:0] = {path!r}
from pathlib import Path
from hashed_encoder import HashedBigramEncoder
from rag.indexer import Indexer
from rag.settings import CleanSettings

class Slow(HashedBigramEncoder):
    def encode_document(self, texts):
        time.sleep(0.05)
        return super().encode_document(texts)

indexer = Indexer(Path({index!r}), encoder=Slow(), split_size=240, split_overlap=40,
                  steps=CleanSettings(), progress=lambda text, done, total: print(done, flush=True))
report = indexer.update([Path({folder!r})])
print(json.dumps({{"added": len(report.added), "unchanged": report.unchanged}}))
"""


@pytest.mark.parametrize("files_before_kill", [1, 7, 15])
def test_killed_while_indexing_the_old_answers_and_the_next_run_resumes(
    tmp_path, indexer, files_before_kill
):
    old = tmp_path / "旧"
    write(old, {"旧.txt": "旧制度规定值班表每周五公布。"})
    indexer.update([old])
    new = tmp_path / "新"
    write(new, {f"{i:02}.txt": f"第{i}号制度：编号{i}的流程由{i}号科室负责。" for i in range(20)})
    root = Path(__file__).parent
    code = _CHILD.format(
        path=[str(root.parent), str(root)], index=str(tmp_path / "index"), folder=str(new)
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root.parent
    )
    assert child.stdout is not None
    for line in child.stdout:
        if line.strip() == str(files_before_kill):
            child.send_signal(signal.SIGKILL)
            break
    assert child.wait(30) == -signal.SIGKILL
    child.stdout.close()
    assert best(tmp_path, indexer, "值班表什么时候公布") == "旧/旧.txt"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root.parent
    )
    report = json.loads(done.stdout.strip().splitlines()[-1])
    assert report["unchanged"] >= files_before_kill  # the old file and those before the kill
    assert report["added"] + report["unchanged"] == 21
    assert best(tmp_path, indexer, "编号13的流程") == "新/13.txt"


def test_progress_is_told(tmp_path, folder):
    told = []
    make(tmp_path, progress=lambda _text, done, total: told.append((done, total))).update([folder])
    assert (0, 3) in told
    assert (3, 3) in told


def test_an_index_folder_that_cannot_be_made_is_one_clear_error(tmp_path, folder):
    (tmp_path / "file").write_text("x")
    indexer = Indexer(
        tmp_path / "file" / "index",
        encoder=HashedBigramEncoder(),
        split_size=240,
        split_overlap=40,
        steps=CleanSettings(),
    )
    started = time.monotonic()
    with pytest.raises(CorpusIndexError, match="无法写入索引目录"):
        indexer.update([folder])
    assert time.monotonic() - started < 5
