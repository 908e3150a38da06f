"""PDF files, scanned pages and pictures."""

import io
import logging
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_files import (
    REGULAR,
    SERIF,
    assemble_pdf,
    edit_distance,
    image_pdf,
    pdf,
    scanned_page,
    set_paragraph,
    wrapped,
)

from rag.errors import DocumentError
from rag.ingest.read import read_file
from rag.ingest.readers.builder import Piece, TextBuilder
from rag.ingest.readers.layout import Line, paragraphs, reading_order
from rag.ingest.readers.pdf import read_pdf
from rag.types import BlockKind, SourceText

FIRST = (
    "静脉输液开始前，护士应当核对医嘱和患者身份，检查药液的名称、浓度、剂量和有效期。输液过程中每"
    "十五至三十分钟巡视一次，观察局部有无红肿、渗漏，并记录滴速。"
)
SECOND = (
    "患者主诉心慌、寒战时，应当立即停止输液，保留剩余药液和输液器，同时报告医师和护士长，并按照本院"
    "的规定填写不良事件报告单，在二十四小时以内上交护理部。"
)


def read(data: bytes, **options: Any) -> SourceText:
    return read_pdf(data, Path("规范.pdf"), **options)


def texts(source: SourceText) -> list[str]:
    return [source.text[b.start : b.end] for b in source.blocks]


def check_offsets(source: SourceText) -> None:
    """Blocks in order, apart and inside; pages in order and inside; no text outside blocks."""
    position = 0
    for block in source.blocks:
        assert position <= block.start < block.end <= len(source.text)
        assert not source.text[position : block.start].strip()
        position = block.end
    assert not source.text[position:].strip()
    assert [page.number for page in source.pages] == sorted({p.number for p in source.pages})
    starts = [page.start for page in source.pages]
    assert starts == sorted(starts)
    assert all(0 <= start <= len(source.text) for start in starts)


def report(pages: int = 3) -> bytes:
    """Running head, page number, a large title, paragraphs; the last runs on to the next page."""
    made = []
    for number in range(1, pages + 1):
        placed = [(72, 800, 9, "某院护理部 操作规范"), (290, 30, 9, f"- {number} -")]
        y = 740.0
        if number == 1:
            placed.append((200, y, 20, "输液操作规范"))
            y -= 50
        else:
            rest, y = set_paragraph(SECOND[70:], y, indent=0)
            placed += rest
        for text in (FIRST, SECOND):
            lines, y = set_paragraph(text, y)
            placed += lines
        if number < pages:
            placed += set_paragraph(SECOND[:70], y)[0]  # two full lines, no end
        made.append(placed)
    return pdf(made)


# --- text layers


def test_lines_become_paragraphs_and_margins_go():
    source = read(report())
    check_offsets(source)
    assert texts(source)[:3] == ["输液操作规范", FIRST, SECOND]
    assert source.blocks[0].kind is BlockKind.HEADING
    assert source.title == "输液操作规范"
    assert "护理部 操作规范" not in source.text
    assert "- 2 -" not in source.text
    assert any("6 行页眉" in notice for notice in source.notices)


def test_a_paragraph_runs_on_over_the_page():
    source = read(report())
    assert texts(source).count(SECOND) == 5
    assert [page.number for page in source.pages] == [1, 2, 3]
    second = source.pages[1].start
    assert source.text[second:].startswith(SECOND[70:])
    assert source.text[second - 1] != "\n"


def test_page_numbers_of_positions():
    pages = [[(72, 700, 12, f"这是第{word}页的内容。")] for word in "一二三"]
    source = read(pdf(pages))
    check_offsets(source)
    assert [source.text[p.start :][:5] for p in source.pages] == [
        "这是第一页",
        "这是第二页",
        "这是第三页",
    ]


def test_a_page_without_text_keeps_the_count():
    source = read(pdf([[(72, 700, 12, "第一页有字。")], [], [(72, 700, 12, "第三页有字。")]]))
    check_offsets(source)
    assert [page.number for page in source.pages] == [1, 2, 3]
    assert source.text[source.pages[2].start :] == "第三页有字。"


def test_raised_digits_stay_raised():
    placed = [
        (72, 700, 12, "血小板低于100×10"),
        (72 + 12 * 5 + 6 * 5 + 12 + 0, 705, 7, "9"),
        (72 + 12 * 5 + 6 * 5 + 12 + 4, 700, 12, "/L 时应当复查。"),
    ]
    assert "10⁹/L" in read(pdf([placed])).text


def test_properties():
    information = b"/Title <%s> /CreationDate (D:20250301120000+08'00')" % (
        "\ufeff输液规范".encode("utf-16-be").hex().encode()
    )
    source = read(pdf([[(72, 700, 12, FIRST[:30])]], information=information))
    assert source.title == "输液规范"
    assert source.date == "2025-03-01"


def test_numbered_lines_begin_blocks():
    lines = ["一、评估", "1. 评估皮肤颜色。", "2. 评估皮肤温度。", "二、处理", "减压并记录。"]
    source = read(pdf([[(72, 700 - 20 * n, 12, line) for n, line in enumerate(lines)]]))
    assert texts(source) == lines
    assert [b.kind.value for b in source.blocks] == [
        "heading",
        "list_item",
        "list_item",
        "heading",
        "paragraph",
    ]


def test_a_password_is_asked_for():
    """An encrypted file whose user password is not empty."""
    encryption = (
        b"/Encrypt << /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <" + b"41" * 32 + b">"
        b" /U <" + b"42" * 32 + b"> >> /ID [<00> <00>]"
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    ]
    with pytest.raises(DocumentError, match="有密码"):
        read(assemble_pdf(objects, encryption))


# --- layout


def line(text: str, left: float, top: float, height: float = 12) -> Line:
    return Line(text, left, top, left + len(text) * 12, top + height)


def test_two_columns_are_read_one_after_the_other():
    left = [line("左" * 20, 50, 100 + 20 * n) for n in range(12)]
    right = [line("右" * 20, 320, 100 + 20 * n) for n in range(12)]
    title = line("题" * 30, 120, 60)
    mixed = [title, *(box for pair in zip(left, right, strict=True) for box in pair)]
    order = "".join(found.text[0] for found in reading_order(mixed))
    assert order == "题" + "左" * 12 + "右" * 12


def test_boxes_of_one_row_become_one_line():
    boxes = [line("二格", 300, 101), line("一格", 50, 100), line("次行", 50, 130)]
    assert [found.text for found in reading_order(boxes)] == ["一格 二格", "次行"]


def test_a_hanging_indent_stays_one_paragraph():
    lines = [
        line("1. " + "甲" * 28, 50, 100),
        line("乙" * 27, 74, 120),
        line("丙" * 10 + "。", 74, 140),
        line("2. " + "丁" * 20 + "。", 50, 160),
    ]
    assert [p.text[:4] for p in paragraphs(lines)] == ["1. 甲", "2. 丁"]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.text("甲乙，。a1 ", min_size=1, max_size=12),
            st.integers(0, 500),
            st.integers(0, 800),
            st.integers(6, 30),
        ),
        max_size=12,
    )
)
def test_no_line_is_lost_in_paragraphs(boxes):
    lines = [line(text, left, top, height) for text, left, top, height in boxes if text.strip()]
    joined = "".join(p.text for p in paragraphs(lines))
    assert joined.replace(" ", "") == "".join(found.text for found in lines).replace(" ", "")
    ordered = "".join(found.text for found in reading_order(lines))
    assert sorted(ordered.replace(" ", "")) == sorted(joined.replace(" ", ""))


@given(
    st.lists(
        st.tuples(st.booleans(), st.lists(st.text(" 甲\n", max_size=4), min_size=1, max_size=3)),
        max_size=8,
    )
)
def test_the_builder_keeps_its_offsets(steps):
    builder = TextBuilder()
    number = 0
    for new_page, parts in steps:
        if new_page:
            number += 1
            builder.start_page(number)
        pieces = [Piece(parts[0])]
        for part in parts[1:]:
            number += 1
            pieces.append(Piece(part, page=number))
        builder.add_pieces(BlockKind.PARAGRAPH, pieces)
    builder.finish()
    check_offsets(SourceText(builder.text, tuple(builder.blocks), tuple(builder.pages)))
    assert [page.number for page in builder.pages] == list(range(1, number + 1))


# --- scans

HEADING = "输液护理常规"
SCANNED = (
    "成人滴速一般为每分钟40~60滴，老人和儿童应当减慢；血小板PLT<100时须复查，体温超过38.5度的，"
    "每4小时测量一次，直到连续3天正常为止。"
)


def scan_lines() -> list[str]:
    body = [*wrapped("　　" + FIRST, 32), *wrapped("　　" + SCANNED, 32)]
    return [HEADING, *body]


def accuracy(found: str, wanted: str) -> float:
    """Share of characters right, white space aside: one less the edit distance per character."""
    found, wanted = "".join(found.split()), "".join(wanted.split())
    return 1 - edit_distance(found, wanted) / len(wanted)


needs_fonts = pytest.mark.skipif(
    not (REGULAR.is_file() and SERIF.is_file()), reason="fonts-noto-cjk is not installed"
)


@needs_fonts
@pytest.mark.parametrize(("font", "angle", "noise"), [(REGULAR, 0.7, 12.0), (SERIF, -1.2, 18.0)])
def test_a_scanned_page_is_recognised(font, angle, noise, record_property):
    page = scanned_page(scan_lines(), font=font, angle=angle, noise=noise)
    heard: list[str] = []
    source = read(image_pdf([page]), progress=heard.append)
    check_offsets(source)
    share = accuracy(source.text, HEADING + FIRST + SCANNED)
    record_property("accuracy", round(share, 4))
    assert share >= 0.95
    assert len(source.blocks) == 3
    assert source.title == HEADING
    assert "核对原件" in source.notices[0]
    assert heard == ["规范.pdf：识别第 1/1 页的文字"]


@needs_fonts
def test_recognition_makes_no_connection_and_no_noise(monkeypatch, capfd, caplog):
    """Built anew with every socket refused; the package logs on import and while loading."""
    from rag.ingest.readers import recognise

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    recognise._engine.cache_clear()
    with caplog.at_level(logging.INFO):
        source = read(image_pdf([scanned_page([HEADING, "　　" + SCANNED[:20]])]))
    assert HEADING in source.text
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
    assert not [record for record in caplog.records if record.name.startswith("rag")]


@needs_fonts
def test_scanned_and_written_pages_in_one_file_keep_their_numbers():
    import pypdfium2

    document = pypdfium2.PdfDocument.new()
    for data in (pdf([[(72, 700, 12, FIRST[:36])]]), image_pdf([scanned_page([HEADING])])):
        part = pypdfium2.PdfDocument(data)
        document.import_pages(part)
        part.close()
    output = io.BytesIO()
    document.save(output)
    document.close()
    source = read(output.getvalue())
    check_offsets(source)
    assert source.text[source.pages[1].start :] == HEADING
    without = read(output.getvalue(), ocr=False)
    assert without.text == FIRST[:36]
    assert "第 2 页没有文字层" in without.notices[0]


@needs_fonts
def test_a_scan_is_refused_when_recognition_is_off():
    with pytest.raises(DocumentError, match="扫描件"):
        read(image_pdf([scanned_page([HEADING])]), ocr=False)


@needs_fonts
def test_pictures_and_their_pages(tmp_path):
    first, second = (
        scanned_page([text]).resize((827, 1170)).crop((0, 60, 827, 300))
        for text in (HEADING, "跌倒预防措施")
    )
    first.save(tmp_path / "双页.tif", save_all=True, append_images=[second])
    source = read_file(tmp_path / "双页.tif", max_bytes=50_000_000)
    check_offsets(source)
    assert texts(source) == [HEADING, "跌倒预防措施"]
    assert [page.number for page in source.pages] == [1, 2]

    first.convert("RGBA").save(tmp_path / "单页.png")
    single = read_file(tmp_path / "单页.png", max_bytes=50_000_000)
    assert (single.text, single.pages) == (HEADING, ())
    with pytest.raises(DocumentError, match="文字识别已关闭"):
        read_file(tmp_path / "单页.png", max_bytes=50_000_000, ocr=False)


@needs_fonts
def test_a_photo_lying_on_its_side_is_turned(tmp_path):
    from PIL import Image

    upright = scanned_page([HEADING]).crop((0, 120, 1654, 620))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees to stand upright
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "照片.jpg", exif=exif)
    assert read_file(tmp_path / "照片.jpg", max_bytes=50_000_000).text == HEADING
