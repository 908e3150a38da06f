"""Finding files, telling what they are, and refusing what cannot be read."""

import io
import os
import stat
from pathlib import Path

import pytest
from made_files import noise, pdf, zip_of

from rag.errors import DocumentError
from rag.ingest.read import SUPPORTED, find_files, read_file
from rag.types import SourceText

LIMIT = 20 * 1024 * 1024
SENTENCE = "护士每两小时为卧床患者翻身一次，并检查受压部位的皮肤。"


def read(path: Path, **options: bool) -> SourceText:
    return read_file(path, max_bytes=LIMIT, **options)


def write(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def word(text: str = SENTENCE) -> bytes:
    import docx

    document = docx.Document()
    document.add_paragraph(text)
    output = io.BytesIO()
    document.save(output)
    return output.getvalue()


def workbook() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["项目", "频次"])
    book.active.append(["翻身", "每两小时"])
    output = io.BytesIO()
    book.save(output)
    return output.getvalue()


def old_office(*streams: str) -> bytes:
    """An OLE container as far as its signature and the names of its streams."""
    names = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in streams)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + names


def one_page_pdf() -> bytes:
    return pdf([[(72, 700, 12, SENTENCE)]])


# --- which files there are


def test_folders_are_walked_in_order_of_names(tmp_path):
    for name in ("b.txt", "a/2.md", "a/1.csv", "c.PDF"):
        write(tmp_path, name, "x")
    found = find_files([tmp_path])
    assert [file.name for file in found.files] == ["a/1.csv", "a/2.md", "b.txt", "c.PDF"]
    assert found.files[0].path == tmp_path / "a" / "1.csv"
    assert not found.failures
    assert not found.notices


def test_hidden_temporary_and_descriptive_files_are_left_out(tmp_path):
    write(tmp_path, "keep.txt", "x")
    write(tmp_path, "sub/README.md", "x")
    for name in (
        "README.md",
        ".hidden.txt",
        ".git/config.txt",
        "~$keep.docx",
        "keep.txt~",
        "keep.tmp",
        "Thumbs.db",
        "__MACOSX/keep.txt",
    ):
        write(tmp_path, name, "x")
    found = find_files([tmp_path])
    assert [file.name for file in found.files] == ["keep.txt", "sub/README.md"]
    assert not found.notices


def test_readme_is_read_when_it_is_named(tmp_path):
    path = write(tmp_path, "README.md", "x")
    assert [file.path for file in find_files([path]).files] == [path]


def test_links_in_a_circle_end(tmp_path):
    write(tmp_path, "a/one.txt", "x")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a")
    assert [file.name for file in find_files([tmp_path]).files] == ["a/one.txt"]


def test_a_file_reached_twice_counts_once(tmp_path):
    path = write(tmp_path, "one.txt", "x")
    (tmp_path / "two.txt").symlink_to(path)
    assert len(find_files([tmp_path, path]).files) == 1


def test_a_broken_link_is_a_failure_and_the_rest_is_found(tmp_path):
    write(tmp_path, "z.txt", "x")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nothing")
    found = find_files([tmp_path])
    assert [file.name for file in found.files] == ["z.txt"]
    assert "gone.txt" in str(found.failures[0])


def test_unsupported_types_are_noticed_in_a_folder(tmp_path):
    for name in ("a.txt", "b.mp4", "c.mp4", "d.doc"):
        write(tmp_path, name, "x")
    found = find_files([tmp_path])
    assert [file.name for file in found.files] == ["a.txt"]
    assert not found.failures
    assert any("2 个 .mp4" in notice for notice in found.notices)
    assert any(".doc" in notice and "另存为" in notice for notice in found.notices)


def test_an_unsupported_type_is_a_failure_when_named(tmp_path):
    found = find_files([write(tmp_path, "film.mp4", "x"), tmp_path / "nowhere"])
    assert not found.files
    assert [failure.path for failure in found.failures] == [
        str(tmp_path / "film.mp4"),
        str(tmp_path / "nowhere"),
    ]
    assert all("。" in str(failure) for failure in found.failures)


def test_a_folder_without_documents_is_noticed(tmp_path):
    assert "没有可以读取的文件" in find_files([tmp_path]).notices[0]


# --- what cannot be read

BAD = {
    "empty.txt": (b"", "空的"),
    "blank.txt": (b" \n\t\r\n ", "空白"),
    "invisible.txt": ("\ufeff\u200b\n\u3000\n".encode(), "没有文字"),
    "noise.txt": (noise(4000), "字节"),
    "garbage.txt": (noise(4000).replace(b"\0", b"\1"), "不是文字"),
    "nulls.txt": (SENTENCE.encode() + b"\0\0\0" + SENTENCE.encode(), "空字节"),
    "noise.docx": (noise(4000), "不是有效的 docx 文件"),
    "noise.pdf": (noise(4000), "不是有效的 pdf 文件"),
    "noise.png": (noise(4000), "不是有效的 png 文件"),
    "half.docx": (word()[: len(word()) // 2], "不完整"),
    "half.xlsx": (workbook()[:-400], "不完整"),
    "half.pdf": (one_page_pdf()[:700], "不完整"),
    "half.png": (b"\x89PNG\r\n\x1a\n" + noise(50), "图片不完整"),
    "zip.docx": (zip_of({"a.txt": b"x"}), "不完整或已损坏"),
    "hollow.docx": (
        zip_of({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w"}),
        "已损坏",
    ),
    "hollow.xlsx": (zip_of({"xl/workbook.xml": b"<workbook"}), "已损坏"),
    "bomb.docx": (
        zip_of({"word/document.xml": b"<w/>", "word/media/a.bin": bytes(40_000_000)}),
        "异常巨大",
    ),
    "locked.docx": (old_office("EncryptionInfo", "EncryptedPackage"), "有密码"),
    "locked.xlsx": (old_office("EncryptionInfo", "EncryptedPackage"), "有密码"),
    "old.doc": (old_office("WordDocument"), "旧格式的 Word"),
    "renamed.docx": (old_office("WordDocument"), "旧格式的 Word"),
    "old.xls": (old_office("Workbook"), "旧格式的 Excel"),
    "old.ppt": (old_office("PowerPoint Document"), "旧格式的 PowerPoint"),
    "slides.pptx": (zip_of({"ppt/presentation.xml": b"<p/>"}), "PowerPoint"),
    "rich.doc": (b"{\\rtf1\\ansi hello}", "RTF"),
    "pack.txt": (zip_of({"a.txt": b"x"}), "压缩包"),
    "pack.docx": (b"7z\xbc\xaf\x27\x1c" + noise(50), "压缩包"),
    "no-pages.pdf": (pdf([]), "没有页面"),
    "broken.pdf": (b"%PDF-1.7\n" + b"x" * 500 + b"\n%%EOF\n", "已损坏"),
    "blank.pdf": (pdf([[]]), "没有文字"),
    "empty.html": (b"<html><body><script>var a = 1;</script></body></html>", "没有文字"),
    "film.mp4": (noise(100), "不支持"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_say_what_is_wrong_and_what_to_do(tmp_path, name):
    content, reason = BAD[name]
    path = write(tmp_path, name, content)
    with pytest.raises(DocumentError) as caught:
        read(path)
    message = str(caught.value)
    assert str(path) in message
    assert reason in caught.value.reason
    assert len(caught.value.remedy) > 4
    assert "\n" not in message


def test_whatever_a_library_fails_with_is_one_line_about_the_file(tmp_path, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RecursionError("too deep\nby far")

    path = write(tmp_path, "深.docx", word())
    monkeypatch.setattr("docx.Document", fail)
    with pytest.raises(
        DocumentError, match=r"深\.docx：读取时出错（RecursionError: too deep by far）"
    ):
        read(path)


def test_old_formats_say_how_to_save_them(tmp_path):
    for name, suffix in (("old.doc", ".docx"), ("old.xls", ".xlsx")):
        with pytest.raises(DocumentError, match=f"另存为 {suffix}"):
            read(write(tmp_path, name, BAD[name][0]))


def test_a_missing_file(tmp_path):
    with pytest.raises(DocumentError, match="不存在"):
        read(tmp_path / "nothing.txt")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(DocumentError, match="是目录"):
        read(tmp_path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    path = tmp_path / "pipe.txt"
    os.mkfifo(path)
    with pytest.raises(DocumentError, match="不是普通文件"):
        read(path)


def test_a_large_file_is_refused_by_its_size(tmp_path):
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)  # sparse: takes no room and would take long to read
    with pytest.raises(DocumentError, match=r"200\.0 MB，超过上限 20 MB"):
        read(path)


def test_no_permission(tmp_path):
    path = write(tmp_path, "secret.txt", SENTENCE)
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read anything
    try:
        with pytest.raises(DocumentError, match="没有读取权限"):
            read(path)
        failures = find_files([tmp_path]).failures if user == 0 else ()
    finally:
        os.seteuid(user)
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    assert all("没有读取权限" in str(failure) for failure in failures)


# --- wrong names


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.docx", one_page_pdf(), "PDF"),
        ("a.doc", word(), "Word 文档"),
        ("a.txt", word(), "Word 文档"),
        ("a.doc", f"<html><body><p>{SENTENCE}</p></body></html>".encode(), "网页"),
        ("a.docx", SENTENCE.encode("gb18030"), "纯文本"),
        ("a.xls", "项目,频次\n翻身,每两小时\n".encode("gb18030"), "CSV 表格"),
        ("a", one_page_pdf(), "PDF"),
    ],
)
def test_a_wrong_name_is_read_by_content_and_said(tmp_path, name, content, kind):
    source = read(write(tmp_path, name, content))
    assert "两小时" in source.text
    assert kind in source.notices[0]
    assert "后缀" in source.notices[0]


@pytest.mark.parametrize("suffix", sorted(SUPPORTED))
def test_every_supported_suffix_has_a_reader(tmp_path, suffix):
    """Plain text under any name is read or refused with a reason, never a crash."""
    path = write(tmp_path, f"文件{suffix.upper()}", SENTENCE)
    assert "翻身" in read(path).text


@pytest.mark.parametrize(
    ("name", "content"),
    [("cut.docx", word()), ("cut.xlsx", workbook()), ("cut.pdf", one_page_pdf())],
)
def test_a_file_cut_anywhere_never_crashes(tmp_path, name, content):
    """Whatever a broken copy left is read whole or refused."""
    path = tmp_path / name
    for length in range(8, len(content) - 1, max(1, len(content) // 40)):
        path.write_bytes(content[:length])
        with pytest.raises(DocumentError):
            read(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [("hurt.docx", word()), ("hurt.xlsx", workbook()), ("hurt.pdf", one_page_pdf())],
)
def test_a_file_with_damaged_bytes_never_crashes(tmp_path, name, content):
    import random

    chance = random.Random(5)
    path = tmp_path / name
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(20):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            source = read(path, ocr=False)
        except DocumentError:
            continue
        assert all(0 <= block.start < block.end <= len(source.text) for block in source.blocks)


def test_the_article_reads(tmp_path):
    folder = Path(__file__).parents[2] / "shared" / "seed"
    files = sorted(folder.glob("*.txt"))
    if not files:
        pytest.skip("shared/seed is not beside this checkout")
    for path in files:
        source = read(path)
        assert source.text == path.read_text(encoding="utf-8-sig")
        assert sum(b.end - b.start for b in source.blocks) > 0.95 * len(source.text)
        assert not source.notices
