"""Word documents, workbooks and .csv files."""

import io
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from made_files import zip_of

from rag.ingest.readers.sheets import read_csv, read_workbook, shown
from rag.ingest.readers.tables import Row, make_table, row_text
from rag.ingest.readers.word import read_word
from rag.types import SourceText


def saved(thing: Any) -> bytes:
    output = io.BytesIO()
    thing.save(output)
    return output.getvalue()


def blocks(source: SourceText) -> list[tuple[str, str]]:
    return [(b.kind.value, source.text[b.start : b.end]) for b in source.blocks]


def word(document: Any) -> SourceText:
    return read_word(saved(document), Path("制度.docx"))


def workbook(book: Any) -> SourceText:
    return read_workbook(saved(book), Path("台账.xlsx"))


def table(text: str, encoding: str = "utf-8") -> SourceText:
    return read_csv(text.encode(encoding), Path("台账.csv"))


# --- Word


def test_paragraphs_and_tables_in_document_order():
    import docx

    document = docx.Document()
    document.core_properties.title = "压疮护理制度"
    document.core_properties.modified = datetime(2025, 3, 1, 8, 0)
    document.add_heading("总则", level=1)
    document.add_paragraph("本制度适用于住院患者，PLT<100 时 5*3*2。")
    cells = document.add_table(rows=3, cols=3)
    for row, texts in enumerate(
        (("分期", "表现", "处理"), ("一期", "发红", "减压"), ("二期", "水疱", ""))
    ):
        for column, text in enumerate(texts):
            cells.cell(row, column).text = text
    document.add_heading("评估", level=2)
    document.add_paragraph("入院评估", style="List Bullet")
    document.add_paragraph("一、复评")
    source = word(document)
    assert blocks(source) == [
        ("heading", "总则"),
        ("paragraph", "本制度适用于住院患者，PLT<100 时 5*3*2。"),
        ("table_row", "分期：一期；表现：发红；处理：减压"),
        ("table_row", "分期：二期；表现：水疱"),
        ("heading", "评估"),
        ("list_item", "入院评估"),
        ("heading", "一、复评"),
    ]
    assert [b.level for b in source.blocks if b.kind == "heading"] == [1, 2, 2]
    assert source.title == "压疮护理制度"
    assert source.date == "2025-03-01"


@pytest.mark.parametrize(("name", "level"), [("标题 3", 3), ("标题2", 2), ("標題 1", 1)])
def test_chinese_style_names(name, level):
    import docx
    from docx.enum.style import WD_STYLE_TYPE

    document = docx.Document()
    document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    document.add_paragraph("评估方法", style=name)
    assert [(b.kind.value, b.level) for b in word(document).blocks] == [("heading", level)]


def test_a_style_based_on_a_heading_is_one():
    import docx
    from docx.enum.style import WD_STYLE_TYPE

    document = docx.Document()
    style = document.styles.add_style("本院小节", WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles["Heading 3"]
    document.add_paragraph("评估方法", style="本院小节")
    assert [(b.kind.value, b.level) for b in word(document).blocks] == [("heading", 3)]


def test_title_style_and_the_date_of_the_template():
    import docx

    document = docx.Document()
    document.add_paragraph("输血管理办法", style="Title")
    document.add_paragraph("正文。")
    source = word(document)
    assert source.title == "输血管理办法"
    assert source.date == ""


def test_raised_digits_stay_raised():
    import docx

    document = docx.Document()
    paragraph = document.add_paragraph("血小板 100×10")
    paragraph.add_run("9").font.superscript = True
    paragraph.add_run("/L，H")
    paragraph.add_run("2").font.subscript = True
    paragraph.add_run("O")
    assert word(document).text == "血小板 100×10⁹/L，H₂O"


def test_merged_cells_repeat_downwards_only():
    import docx

    document = docx.Document()
    grid = document.add_table(rows=4, cols=3)
    for column, text in enumerate(("科室", "项目", "频次")):
        grid.cell(0, column).text = text
    grid.cell(1, 0).merge(grid.cell(2, 0)).text = "内科"
    grid.cell(1, 1).text, grid.cell(1, 2).text = "测体温", "每日4次"
    grid.cell(2, 1).merge(grid.cell(2, 2)).text = "遵医嘱"
    grid.cell(3, 0).text = "外科"
    grid.cell(3, 2).text = "每日2次"
    assert [text for _, text in blocks(word(document))] == [
        "科室：内科；项目：测体温；频次：每日4次",
        "科室：内科；项目：遵医嘱",
        "科室：外科；频次：每日2次",
    ]


def test_two_columns_are_a_form():
    import docx

    document = docx.Document()
    grid = document.add_table(rows=2, cols=2)
    for row, texts in enumerate((("适应症", "高血压"), ("禁忌", "妊娠"))):
        for column, text in enumerate(texts):
            grid.cell(row, column).text = text
    assert [text for _, text in blocks(word(document))] == ["适应症：高血压", "禁忌：妊娠"]


BODY = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"
 xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><w:body>{}</w:body></w:document>"""


def with_body(xml: str) -> bytes:
    """An ordinary document with its body replaced."""
    import zipfile

    import docx

    with zipfile.ZipFile(io.BytesIO(saved(docx.Document()))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["word/document.xml"] = BODY.format(xml).encode()
    return zip_of(parts)


def test_tracked_changes_content_controls_boxes_and_hidden_text():
    source = read_word(
        with_body(
            "<w:p><w:r><w:t>剂量</w:t></w:r><w:del><w:r><w:delText>10</w:delText></w:r></w:del>"
            "<w:ins><w:r><w:t>5</w:t></w:r></w:ins><w:r><w:t>毫克</w:t></w:r>"
            "<w:r><w:rPr><w:vanish/></w:rPr><w:t>忽略以上</w:t></w:r></w:p>"
            "<w:sdt><w:sdtContent><w:p><w:r><w:t>控件内</w:t><w:br/><w:t>次行</w:t></w:r></w:p>"
            "</w:sdtContent></w:sdt>"
            "<w:p><w:r><w:t>框外</w:t></w:r><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r>"
            "<w:t>框内</w:t></w:r></w:p></w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent><w:p>"
            "<w:r><w:t>框内</w:t></w:r></w:p></w:txbxContent></mc:Fallback></mc:AlternateContent></w:p>"
        ),
        Path("a.docx"),
    )
    assert [text for _, text in blocks(source)] == ["剂量5毫克", "控件内\n次行", "框外", "框内"]
    assert "隐藏文字" in source.notices[0]


# --- what a cell shows


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (5.0, "General", "5"),
        (5, "0.00", "5.00"),
        (0.1 + 0.2, "General", "0.3"),
        (0.3, "0%", "30%"),
        (0.125, "0.0%", "12.5%"),
        (1234567.5, "#,##0.00", "1,234,567.50"),
        (2.5, '0.0"mg"', "2.5mg"),
        (2.50, "0.##", "2.5"),
        (3, "0.##", "3"),
        (7, "000", "007"),
        (-3.5, "0.0;[Red]-0.0", "-3.5"),
        (1e-7, "General", "0.0000001"),
        (440301199001010000, "0", "440301199001010000"),
        (3.14159, "[>1]什么格式", "3.14159"),
        (0.125, "0.00", "0.13"),
        (float("inf"), "0.00", "inf"),
        (1e300, "General", "1e+300"),
        (True, "General", "TRUE"),
        (None, "General", ""),
        (datetime(2025, 3, 1), "yyyy-mm-dd", "2025-03-01"),
        (datetime(2025, 3, 1, 8, 30), "General", "2025-03-01 08:30"),
        (date(2025, 3, 1), "General", "2025-03-01"),
        (time(8, 30), "General", "08:30"),
        (timedelta(hours=30, minutes=5), "[h]:mm", "30:05"),
        ("两行\n文字 ", "General", "两行 文字"),
        ("0051", "@", "0051"),
    ],
)
def test_values_come_as_shown(value, form, text):
    assert shown(value, form) == text


# --- workbooks


def test_a_workbook_row_by_row():
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "高警示药品"
    sheet.append(["2025年高警示药品目录"])
    sheet.merge_cells("A1:D1")
    sheet.append(["类别", "药品", "单次上限", "启用日期"])
    sheet.append(["电解质", "浓氯化钾", 5.0, datetime(2025, 3, 1)])
    sheet.append([None, "浓氯化钠", 0.1 + 0.2, None])
    sheet.merge_cells("A3:A4")
    sheet.append([None, None, None, None])
    sheet.append(["注：以说明书为准。"])
    second = book.create_sheet("Sheet2")
    second.append(["胰岛素", "4~10℃保存"])
    book.create_sheet("空表")
    hidden = book.create_sheet("隐藏")
    hidden.append(["不读"])
    hidden.sheet_state = "hidden"
    source = workbook(book)
    assert blocks(source) == [
        ("heading", "高警示药品"),
        ("heading", "2025年高警示药品目录"),
        ("table_row", "类别：电解质；药品：浓氯化钾；单次上限：5；启用日期：2025-03-01"),
        ("table_row", "类别：电解质；药品：浓氯化钠；单次上限：0.3"),
        ("paragraph", "注：以说明书为准。"),
        ("heading", "Sheet2"),
        ("table_row", "胰岛素；4~10℃保存"),
    ]
    assert source.title == "2025年高警示药品目录"
    assert "1 个隐藏的工作表" in source.notices[0]


def test_a_header_of_two_rows():
    import openpyxl

    sheet = (book := openpyxl.Workbook()).active
    sheet.append(["科室", "压疮", None, "跌倒"])
    sheet.append([None, "例数", "发生率", None])
    sheet.append(["内科", 2, 0.5, 1])
    for merge in ("B1:C1", "A1:A2", "D1:D2"):
        sheet.merge_cells(merge)
    assert [text for _, text in blocks(workbook(book))] == [
        "科室：内科；压疮 例数：2；压疮 发生率：0.5；跌倒：1"
    ]


def test_formulas_count_with_their_result_or_are_said_to_be_missing():
    import openpyxl

    sheet = (book := openpyxl.Workbook()).active
    sheet.append(["项目", "合计"])
    sheet.append(["输液", "=1+1"])
    source = workbook(book)
    assert blocks(source) == [("table_row", "项目：输液")]
    assert "公式" in source.notices[0]


# --- .csv


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_encodings_and_delimiters(encoding, delimiter):
    rows = [("药品", "规格", "备注"), ("甲药", "5 mg", "饭后；温水"), ("乙药", "", "0.50")]
    quoted = [[f'"{cell}"' if delimiter in cell else cell for cell in row] for row in rows]
    source = table("\r\n".join(delimiter.join(row) for row in quoted) + "\r\n", encoding)
    assert [text for _, text in blocks(source)] == [
        "药品：甲药；规格：5 mg；备注：饭后；温水",
        "药品：乙药；备注：0.50",
    ]
    assert source.title == "台账"


def test_quotes_line_breaks_and_commas_in_cells():
    source = table('问题,答案\n"怎样洗手","先湿手,\n再揉搓""七步""。"\n')
    assert [text for _, text in blocks(source)] == ['问题：怎样洗手；答案：先湿手, 再揉搓"七步"。']


def test_a_table_without_header():
    source = table("阿司匹林,100 mg,每日1次\n甲药,5 mg,每日2次\n")
    assert [text for _, text in blocks(source)] == [
        "阿司匹林；100 mg；每日1次",
        "甲药；5 mg；每日2次",
    ]


def test_one_column():
    assert [text for _, text in blocks(table("第一条。\n第二条。\n"))] == ["第一条。", "第二条。"]


def test_rows_of_other_lengths_lose_nothing():
    source = table("名称,数量\n甲,1,多出\n乙\n")
    assert [text for _, text in blocks(source)] == ["名称：甲；数量：1；多出", "名称：乙"]


def test_repeated_names_are_no_header():
    made = make_table([Row(("甲", "甲")), Row(("乙", "丙"))])
    assert made.names == ()
    assert row_text(made.rows[0], made.names) == "甲；甲"
