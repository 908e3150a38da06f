"""Conversations kept on disk: one person's own, whole, found again and really gone."""

import multiprocessing
import sqlite3
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rag.conversations.database import FILE, Database
from rag.conversations.faults import ConversationBusy, ConversationError, ConversationMissing
from rag.conversations.migrations import MIGRATIONS
from rag.conversations.store import ConversationStore
from rag.settings import Settings
from rag.types import Answer, Citation, Hit, Passage, Sentence, State, Verdict

WANG, LI = "person-wang", "person-li"


def answered(question: str, text: str = "每15~30分钟一次。[1]", **values) -> Answer:
    citation = Citation(
        1, "a.md", "制度", 4, 13, "每15~30分钟一次", 2, "每15~30分鐘(zhōng)一次", "院办", "2025-01-02",
        "巡视 > 频次", (5, 12),
    )  # fmt: skip
    return Answer(
        question=question,
        search_question=question,
        state=State.ANSWERED,
        text=text,
        sentences=(Sentence("每15~30分钟一次。", (1,), Verdict.SUPPORTED),),
        citations=(citation,),
        hits=(Hit(Passage("a.md", 0, 13, "巡视：每15~30分钟一次"), "制度", 0.5),),
        model="qwen3:8b",
        timings={"total": 1.5},
        **values,
    )


class Clock:
    """A second passes at every look, and days when told."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "data" / "conversations", timeout=2)
    yield database
    database.close()


@pytest.fixture
def store(database, clock):
    return ConversationStore(database, clock=clock)


def everything_on_disk(database: Database) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(database.path.parent.iterdir()))


def test_the_file_is_made_on_first_use_and_only_its_owner_may_read(database, store):
    assert not database.path.parent.exists()
    store.create(WANG)
    assert stat.S_IMODE(database.path.parent.stat().st_mode) == 0o700
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in database.path.parent.iterdir()
    }
    assert FILE in modes
    assert set(modes.values()) == {0o600}


def test_a_conversation_comes_back_whole_in_another_process_s_eyes(database, store):
    made = store.create(WANG)
    first = answered("巡视多久一次？")
    stopped = replace(answered("护士呢？", "每1"), finished=False, thinking="想", notices=("注意",))
    store.append(WANG, made.id, first)
    store.append(WANG, made.id, stopped)
    other = Database(database.path.parent)
    turns = ConversationStore(other).turns(WANG, made.id)
    other.close()
    assert [turn.answer for turn in turns] == [first, stopped]
    assert [turn.number for turn in turns] == [1, 2]
    assert turns[0].answer.citations[0].original == "每15~30分鐘(zhōng)一次"


@pytest.mark.parametrize(
    "text",
    ["5*3*2，PLT<100", "a\x00b\x07c\u202e", "😀👩‍⚕️", "資料裡沒有", "half \ud83d", "\r\n\t  end "],
)
def test_texts_come_back_to_the_character(store, text):
    made = store.create(WANG)
    store.append(WANG, made.id, answered(f"问{text}", text))
    (turn,) = store.turns(WANG, made.id)
    assert (turn.answer.question, turn.answer.text) == (f"问{text}", text)


def test_the_first_question_becomes_the_title_unless_there_is_one(store):
    unnamed, named = store.create(WANG), store.create(WANG, "  查房\n制度\x07\u202e ")
    store.append(WANG, unnamed.id, answered("问" * 100))
    store.append(WANG, unnamed.id, answered("后来的问题"))
    store.append(WANG, named.id, answered("巡视多久？"))
    assert store.get(WANG, unnamed.id).title == "问" * 59 + "…"
    assert store.get(WANG, named.id).title == "查房 制度"
    assert store.rename(WANG, named.id, "新名").title == store.get(WANG, named.id).title == "新名"
    with pytest.raises(ConversationError, match="名称是空的"):
        store.rename(WANG, named.id, " \n ")


def test_the_list_is_newest_first_and_pages_without_gap_or_repetition(store):
    made = [store.create(WANG, f"第{n}个") for n in range(7)]
    store.append(WANG, made[2].id, answered("又问"))
    store.create(LI, "别人的")
    seen, after = [], ""
    while True:
        page = store.conversations(WANG, count=3, after=after)
        assert len(page.conversations) <= 3
        seen += [(one.title, one.turns) for one in page.conversations]
        after = page.following
        if not after:
            break
    wanted = [(f"第{n}个", 0) for n in (6, 5, 4, 3, 1, 0)]
    assert seen == [("第2个", 1), *wanted]


def test_search_finds_both_scripts_any_width_and_short_words(store):
    first, second = store.create(WANG, "首个"), store.create(WANG, "Vancomycin 剂量")
    store.append(WANG, first.id, answered("血小板多少要輸注？", "第一句。PLT<100时请会诊。其他。"))
    store.append(WANG, first.id, answered("护士多久巡视？"))

    def found(query: str) -> list[tuple[str, int]]:
        return [(one.conversation.id, one.number) for one in store.search(WANG, query)]

    assert found("输注") == found("輸注") == [(first.id, 1)]
    assert found("ｐｌｔ＜100") == [(first.id, 1)]
    assert found("巡") == [(first.id, 2)]
    assert found("vancomycin") == [(second.id, 0)]
    assert found("巡视 会诊") == [(first.id, 2)]  # every word, in whichever turn
    assert found("巡视 没有的词") == found("  ") == found("%") == found("_") == []
    assert store.search(WANG, "会诊")[0].excerpt == "PLT<100时请会诊。"
    assert store.search(LI, "会诊") == ()


def test_renaming_and_editing_replace_what_is_found(store):
    made = store.create(WANG, "旧名称")
    turn = store.append(WANG, made.id, answered("旧问题"))
    store.rename(WANG, made.id, "新名称")
    edited = store.replace_last(WANG, made.id, turn.id, answered("改过的提问"))
    assert [turn.answer.question for turn in store.turns(WANG, made.id)] == ["改过的提问"]
    assert (edited.number, edited.id != turn.id) == (1, True)
    assert not store.search(WANG, "旧名称")
    assert not store.search(WANG, "旧问题")
    assert len(store.search(WANG, "新名称 改过")) == 1


def test_only_the_last_question_can_be_edited(store):
    made = store.create(WANG)
    first = store.append(WANG, made.id, answered("一"))
    store.append(WANG, made.id, answered("二"))
    with pytest.raises(ConversationError, match="不是最后一个问题"):
        store.replace_last(WANG, made.id, first.id, answered("三"))
    assert [turn.answer.question for turn in store.turns(WANG, made.id)] == ["一", "二"]


def test_a_forged_id_reaches_nothing_of_another_person(store):
    made = store.create(WANG, "私密")
    turn = store.append(WANG, made.id, answered("病人的问题"))
    attempts = (
        lambda: store.get(LI, made.id),
        lambda: store.turns(LI, made.id),
        lambda: store.turn(LI, turn.id),
        lambda: store.rename(LI, made.id, "改"),
        lambda: store.delete(LI, made.id),
        lambda: store.append(LI, made.id, answered("塞进去")),
        lambda: store.replace_last(LI, made.id, turn.id, answered("改掉")),
        lambda: store.get(f"{WANG}' OR '1'='1", made.id),
        lambda: store.get(WANG, "' OR 1=1 --"),
    )
    for attempt in attempts:
        with pytest.raises(ConversationMissing):
            attempt()
    assert store.conversations(LI).conversations == ()
    assert store.conversations(LI, after=f"9999/{made.id}").conversations == ()
    assert store.search(LI, "私密") == store.search("%", "病人") == ()
    assert store.delete_person(LI) == 0
    assert [turn.answer.question for turn in store.turns(WANG, made.id)] == ["病人的问题"]
    for attempt in (
        lambda: store.create(""),
        lambda: store.conversations(""),
        lambda: store.turn("", turn.id),
    ):
        with pytest.raises(ValueError, match="empty"):
            attempt()


def test_what_is_deleted_is_in_no_file_any_more(database, store):
    kept, gone, edited = (store.create(WANG) for _ in range(3))
    store.append(WANG, kept.id, answered("保留下来的问题"))
    store.append(WANG, gone.id, answered("张三的隐私问题" * 600))
    turn = store.append(WANG, edited.id, answered("李四的隐私问题"))
    written = everything_on_disk(database)
    assert "张三".encode() in written
    assert "李四".encode() in written
    store.replace_last(WANG, edited.id, turn.id, answered("没有名字"))
    store.rename(WANG, edited.id, "没有名字")
    store.delete(WANG, gone.id)
    written = everything_on_disk(database)
    assert "张三".encode() not in written
    assert "李四".encode() not in written
    assert "保留下来的问题".encode() in written
    assert store.search(WANG, "隐私") == ()
    with database.read() as connection:
        assert connection.execute("SELECT DISTINCT conversation FROM texts").fetchall() != []
        assert connection.execute(
            "SELECT count(*) FROM texts WHERE conversation = ?", (gone.id,)
        ).fetchone() == (0,)


def test_purging_removes_only_what_was_not_continued(store, clock):
    old, continued = store.create(WANG, "旧"), store.create(LI, "旧但继续")
    clock.time += timedelta(days=20)
    store.append(LI, continued.id, answered("又问"))
    clock.time += timedelta(days=20)
    store.create(WANG, "新")
    assert store.purge(0) == 0
    assert store.purge(30) == 1
    assert store.purge(30) == 0
    assert [one.title for one in store.conversations(WANG).conversations] == ["新"]
    assert [one.title for one in store.conversations(LI).conversations] == ["旧但继续"]
    with pytest.raises(ConversationMissing):
        store.turns(WANG, old.id)
    assert store.delete_person(LI) == 1


_APPEND_FOR_EVER = """
import sys
from pathlib import Path
from rag.conversations.database import Database
from rag.conversations.store import ConversationStore
from rag.types import Answer, State
store = ConversationStore(Database(Path(sys.argv[1])))
made = store.create("person-wang").id
print(made, flush=True)
while True:
    turn = store.append("person-wang", made, Answer("问", "问", State.ANSWERED, "答" * 20_000))
    print(turn.id, flush=True)
"""


def test_a_server_killed_while_it_writes_has_kept_all_it_acknowledged(tmp_path):
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", _APPEND_FOR_EVER, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        made, *turns = [writer.stdout.readline().strip() for _ in range(8)]
        writer.kill()
        turns += writer.stdout.read().split()
        writer.stdout.close()
        writer.wait()
        database = Database(tmp_path)
        kept = ConversationStore(database).turns(WANG, made)
        assert [turn.id for turn in kept][: len(turns)] == turns
        assert len(kept) - len(turns) in (0, 1)  # the last one perhaps not yet printed
        with database.read() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database.close()


def _write_many(directory, person, count):
    database = Database(directory, timeout=30)
    store = ConversationStore(database)
    for number in range(count):
        made = store.create(person)
        store.append(person, made.id, answered(f"{person}的第{number}问"))
    database.close()


def test_processes_and_threads_write_at_once_from_the_first_moment(tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_write_many, args=(tmp_path, f"process-{n}", 15)) for n in range(2)
    ]
    database = Database(tmp_path, timeout=30)
    store = ConversationStore(database)
    shared = store.create("everybody").id
    threads = [
        threading.Thread(
            target=lambda n=n: [
                store.append("everybody", shared, answered(f"{n}")) for _ in range(10)
            ]
        )
        for n in range(4)
    ]
    for worker in (*workers, *threads):
        worker.start()
    for worker in (*workers, *threads):
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    for n in range(2):
        assert len(store.conversations(f"process-{n}", count=100).conversations) == 15
    assert [turn.number for turn in store.turns("everybody", shared)] == list(range(1, 41))
    database.close()


def test_threads_that_open_a_new_file_at_once_all_find_the_schema(tmp_path):
    databases = [Database(tmp_path / "new", timeout=30) for _ in range(6)]
    barrier, failures = threading.Barrier(6), []

    def first_use(database: Database) -> None:
        barrier.wait()
        try:
            ConversationStore(database).create(WANG)
        except (ConversationError, sqlite3.Error) as error:
            failures.append(error)

    threads = [threading.Thread(target=first_use, args=(one,)) for one in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(ConversationStore(databases[0]).conversations(WANG).conversations) == 6
    for database in databases:
        database.close()


def test_an_exception_inside_keeps_nothing(database, store):
    made = store.create(WANG, "原名")
    with pytest.raises(RuntimeError), database.write() as connection:
        connection.execute("DELETE FROM conversations")
        raise RuntimeError("stopped half-way")
    assert store.get(WANG, made.id).title == "原名"


def test_a_held_database_is_reported_as_busy_and_works_afterwards(tmp_path):
    database = Database(tmp_path, timeout=0.1)
    store = ConversationStore(database)
    made = store.create(WANG)
    holder = sqlite3.connect(database.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(ConversationBusy, match="稍后重试"):
        store.append(WANG, made.id, answered("问"))
    assert store.get(WANG, made.id).turns == 0  # reading goes on
    holder.execute("ROLLBACK")
    holder.close()
    assert store.append(WANG, made.id, answered("问")).number == 1
    database.close()


def test_a_damaged_file_is_one_clear_line(tmp_path):
    (tmp_path / FILE).write_bytes(b"not a database at all" * 100)
    with pytest.raises(ConversationError, match=r"已损坏.*从备份恢复") as caught:
        ConversationStore(Database(tmp_path)).create(WANG)
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_said_and_loses_nothing_that_was_kept(database, store):
    made = store.create(WANG)
    store.append(WANG, made.id, answered("第一问"))
    with pytest.raises(ConversationError, match="磁盘已满"), database.write() as connection:
        connection.execute("PRAGMA max_page_count=1")  # SQLite's own way to be full
        connection.execute("INSERT INTO texts VALUES (?, 9, ?, ?)", (WANG, made.id, "字" * 100_000))
    assert [turn.answer.question for turn in store.turns(WANG, made.id)] == ["第一问"]


def test_a_directory_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConversationError, match=r"\[conversations\] directory"):
        ConversationStore(Database(tmp_path / "file" / "deeper")).create(WANG)


def test_a_database_of_a_newer_program_is_refused_untouched(tmp_path):
    connection = sqlite3.connect(tmp_path / FILE)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(ConversationError, match=r"由更新的程序写成.*升级程序") as caught:
        ConversationStore(Database(tmp_path)).create(WANG)
    assert "\n" not in str(caught.value)
    connection = sqlite3.connect(tmp_path / FILE)
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()


def test_each_step_brings_an_older_file_up_to_date_and_a_failing_one_changes_nothing(tmp_path):
    older = Database(tmp_path, migrations=MIGRATIONS[:1])
    made = ConversationStore(older).create(WANG, "旧版写的")
    older.close()
    broken = Database(
        tmp_path, migrations=(*MIGRATIONS, ("CREATE TABLE extra (a)", "SELECT nothing"))
    )
    with pytest.raises(sqlite3.OperationalError):
        ConversationStore(broken).create(WANG)
    connection = sqlite3.connect(tmp_path / FILE)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    assert "extra" not in names
    assert "feedback" not in names
    newer = Database(tmp_path)
    assert ConversationStore(newer).get(WANG, made.id).title == "旧版写的"
    with newer.read() as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("SELECT count(*) FROM feedback").fetchone() == (0,)
    newer.close()


def test_the_settings_name_the_directory_and_the_days(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    settings = Settings.load(environment={"RAG_CONVERSATIONS_KEEP_DAYS": "180"}).conversations
    assert (str(settings.directory), settings.keep_days) == ("data/conversations", 180)
