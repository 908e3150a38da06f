"""Plain text, Markdown and web pages; encodings, titles, dates."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_files import wrapped

from rag.errors import DocumentError
from rag.ingest.readers.encoding import decode
from rag.ingest.readers.lines import join_lines, kind_of_line
from rag.ingest.readers.markdown import plain, read_markdown
from rag.ingest.readers.metadata import iso_date, real_title
from rag.ingest.readers.text import read_text
from rag.ingest.readers.web import read_web_page
from rag.types import BlockKind, SourceText

DATA = Path(__file__).parents[2] / "shared" / "data"
SIMPLIFIED = (
    "术后第一天，患者体温37.8℃，切口敷料干燥，引流量约80毫升，护士协助其在床边坐起活动。",
    "高血压患者每天盐的摄入量不宜超过5克，应当少吃腌制食品，并坚持每周至少五次的步行锻炼。",
    "采血前请空腹八小时，可以少量饮水；正在服用抗凝药物的，请提前告诉护士。",
)
TRADITIONAL = (
    "手術後第一天，病人體溫37.8℃，傷口敷料乾燥，引流量約80毫升，護理師協助其在床邊坐起活動。",
    "高血壓病人每天鹽的攝取量不宜超過5公克，應當少吃醃製食品，並堅持每週至少五次的步行鍛鍊。",
    "採血前請空腹八小時，可以少量飲水；正在服用抗凝藥物的，請提前告訴護理師。",
)


def shown(source: SourceText) -> list[tuple[str, str]]:
    return [(b.kind.value, source.text[b.start : b.end]) for b in source.blocks]


def markdown(text: str) -> SourceText:
    return read_markdown(text.encode(), Path("笔记.md"))


def web(html: str, encoding: str = "utf-8") -> SourceText:
    return read_web_page(html.encode(encoding), Path("页面.html"))


# --- encodings


@pytest.mark.parametrize("text", SIMPLIFIED)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_simplified_text_in_every_encoding(text, encoding):
    assert decode(text.encode(encoding), "x").text == text


@pytest.mark.parametrize("text", TRADITIONAL)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "big5", "cp950"])
def test_traditional_text_in_every_encoding(text, encoding):
    text = text.replace("℃", "度")  # not in Python's Big5
    assert decode(text.encode(encoding), "x").text == text


@pytest.mark.parametrize("byte_order", ["utf-16-le", "utf-16-be"])
def test_utf16_without_its_mark(byte_order):
    text = "\n".join(SIMPLIFIED)
    assert decode(text.encode(byte_order), "x").text == text


def paragraphs_of(name: str) -> list[str]:
    path = DATA / name / "corpus.jsonl"
    if not path.is_file():
        pytest.skip("shared/data is not beside this checkout")
    with path.open(encoding="utf-8") as file:
        entries = [json.loads(line) for line in file]
    return [max((v for v in e.values() if isinstance(v, str)), key=len) for e in entries]


@pytest.mark.parametrize(
    ("name", "encoding", "least"),
    [
        ("cmrc2018-dev", "gb18030", 0.99),
        ("drcd-dev", "gb18030", 0.99),
        ("drcd-dev", "cp950", 0.99),
    ],
)
def test_fifty_characters_of_real_text_are_enough(name, encoding, least):
    right = tried = 0
    for text in paragraphs_of(name):
        for start in range(0, min(len(text), 400) - 50, 50):
            piece = text[start : start + 50].replace("\r", "")
            try:
                data = piece.encode(encoding)
            except UnicodeEncodeError:
                continue
            tried += 1
            try:
                right += decode(data, "x").text == piece
            except DocumentError:
                continue
    assert tried > 1000
    assert right >= least * tried


def test_western_signs_in_english_text():
    text = "Store below 25 °C and protect from light; 5 µg per dose, ± 10 % at most.\n" * 3
    assert decode(text.encode("cp1252"), "x").text == text


def test_a_few_broken_bytes_are_shown_and_said():
    text = "".join(SIMPLIFIED) * 4
    data = bytearray(text.encode("utf-8"))
    data[30] = 0xFF
    decoded = decode(bytes(data), "x")
    assert decoded.broken >= 1
    assert decoded.text.endswith(SIMPLIFIED[-1])
    assert "无法识别" in decoded.notices[0]


@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_are_text_or_refused(data):
    try:
        decoded = decode(data, "x")
    except DocumentError:
        return
    assert "\0" not in decoded.text
    assert "\r" not in decoded.text


# --- plain text


def test_text_is_kept_to_the_character():
    text = "输液15~30分钟，5*3*2，PLT<100。\n\n　　第二段：_不变_，**也不变**。\n"
    source = read_text(text.encode(), Path("a.txt"))
    assert source.text == text
    assert shown(source) == [
        ("paragraph", "输液15~30分钟，5*3*2，PLT<100。"),
        ("paragraph", "第二段：_不变_，**也不变**。"),
    ]


def test_line_ends_become_one_kind():
    assert read_text("甲。\r\n乙。\r丙。".encode(), Path("a.txt")).text == "甲。\n乙。\n丙。"


def test_numbered_headings_and_items():
    text = "压疮预防规范\n第一章 总则\n一、评估\n（一）评估时机\n1. 入院两小时内评估。\n正文在这里。\n2.1 复评"
    source = read_text(text.encode(), Path("规范.txt"))
    assert [(b.kind.value, b.level) for b in source.blocks] == [
        ("paragraph", 0),
        ("heading", 1),
        ("heading", 2),
        ("heading", 3),
        ("list_item", 0),
        ("paragraph", 0),
        ("heading", 2),
    ]
    assert source.title == "压疮预防规范"


@pytest.mark.parametrize(
    "line", ["2.5倍以上的患者", "一、患者应当禁食；禁水。", "3.5 mmol/L", "第五天出院", "12.5"]
)
def test_lines_that_only_look_like_headings(line):
    assert kind_of_line(line)[0] is not BlockKind.HEADING


def test_lines_broken_at_a_fixed_width_are_joined():
    paragraphs = ["　　" + "".join(SIMPLIFIED), "　　" + SIMPLIFIED[1] + SIMPLIFIED[0] + "完。"]
    text = "\n".join("\n".join(wrapped(paragraph, 24)) for paragraph in paragraphs)
    source = read_text(text.encode(), Path("a.txt"))
    assert [words for _, words in shown(source)] == [p.strip() for p in paragraphs]
    assert "接回" in source.notices[0]


def test_chinese_lines_join_without_a_space_and_english_with_one():
    assert join_lines(["体温在", "三十七度", "The normal", "range is"]) == (
        "体温在三十七度The normal range is"
    )


# --- titles and dates


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2025-03-01", "2025-03-01"),
        ("2025年3月1日", "2025-03-01"),
        ("发布于 2025/3/1 08:00", "2025-03-01"),
        ("2025.3.1", "2025-03-01"),
        ("20250301", "2025-03-01"),
        ("D:20250301080000+08'00'", "2025-03-01"),
        ("2025年3月", "2025-03"),
        ("2025", "2025"),
        ("2025-13-40", ""),
        ("无日期", ""),
        (None, ""),
    ],
)
def test_dates(text, iso):
    assert iso_date(text) == iso


@pytest.mark.parametrize(
    "title", ["Microsoft Word - 通知.doc", "untitled", "文档1", "Sheet1", "a.pdf"]
)
def test_titles_nobody_meant(title):
    assert real_title(title) == ""
    assert real_title(" 输液  护理常规 ") == "输液 护理常规"


# --- Markdown


def test_front_matter_is_not_text():
    source = markdown(
        '---\ntitle: "护理常规"\nsource: 护理部\ndate: 2025年3月1日\ncollection: 制度\n---\n\n正文。\n'
    )
    assert (source.title, source.source, source.date, source.collection) == (
        "护理常规",
        "护理部",
        "2025-03-01",
        "制度",
    )
    assert source.text == "正文。"


@pytest.mark.parametrize(
    "text", ["---\n正文。\n---\n后文。", "---\ntitle: 没有结尾\n正文。", "---\n\n---\n正文。"]
)
def test_lines_that_are_no_front_matter_stay(text):
    assert "正文。" in markdown(text).text
    assert markdown(text).source == ""


def test_markdown_blocks():
    source = markdown(
        "# 总则\n\n第一行\n接着的一行。\n\n小标题\n---\n\n- 甲\n  续甲\n* 乙\n1. 丙\n\n"
        "> 引文\n\n| 药品 | 剂量 |\n|---|---:|\n| 甲药 | 5~10 mg |\n| 乙药 | |\n\n"
        "```\ncode  *x*\n```\n<!-- 隐去 -->\n---\n尾。"
    )
    assert shown(source) == [
        ("heading", "总则"),
        ("paragraph", "第一行接着的一行。"),
        ("heading", "小标题"),
        ("list_item", "甲续甲"),
        ("list_item", "乙"),
        ("list_item", "1. 丙"),
        ("paragraph", "引文"),
        ("table_row", "药品：甲药；剂量：5~10 mg"),
        ("table_row", "药品：乙药"),
        ("paragraph", "code  *x*"),
        ("paragraph", "尾。"),
    ]
    assert [b.level for b in source.blocks if b.kind is BlockKind.HEADING] == [1, 2]
    assert source.title == "总则"


@pytest.mark.parametrize(
    "text",
    [
        "输液15~30分钟…20~40滴",
        "5*3*2",
        "PLT<100",
        "体温>38.5，心率<60",
        "2**3**4",
        "a_b_c",
        "剂量*2次*",
        "~~不删~~",
        "P<0.05且n>30",
    ],
)
def test_clinical_characters_survive(text):
    assert plain(text) == text
    assert markdown(f"{text}\n").text == text
    assert shown(markdown(f"|列|\n|--|\n|{text}|\n"))[0][1] == f"列：{text}"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("**重点**：见[说明](a.md)", "重点：见说明"),
        ("剂量**5 mg**每日", "剂量5 mg每日"),
        ("15\\~30，a\\*b", "15~30，a*b"),
        ("`x*y` 与 ``a`b``", "x*y 与 a`b"),
        ("![图一](a.png)后", "图一后"),
        ("PLT&lt;100&nbsp;时", "PLT<100 时"),
        ("__注意__隔离", "__注意__隔离"),
        ("__注意__ 隔离", "注意 隔离"),
    ],
)
def test_markup_that_can_be_nothing_else_goes(text, read):
    assert plain(text) == read


def test_a_comparison_at_a_line_start_is_no_quotation():
    assert markdown("血压\n> 140/90 为高。").text == "血压> 140/90 为高。"


@settings(max_examples=60)
@given(st.text(alphabet="甲乙1*_~<>#-|`[]() \n\\", max_size=120))
def test_markdown_keeps_all_letters_and_its_offsets(text):
    source = markdown(text)
    kept = [c for c in source.text if c in "甲乙"]
    links = "(" in text and "[" in text  # an address goes with its letters
    if not links:
        assert kept == [c for c in text if c in "甲乙"]
    position = 0
    for block in source.blocks:
        assert position <= block.start < block.end <= len(source.text)
        assert source.text[block.start : block.end].strip() == source.text[block.start : block.end]
        position = block.end


# --- web pages

PAGE = """<!DOCTYPE html><html><head><meta charset="{charset}"><title>输液护理常规 - 某某医院</title>
<meta property="article:published_time" content="2025-03-02T08:00:00+08:00"></head><body>
<nav><a href="/">网站首页</a> <a href="/a">科室导航</a></nav>
<div class="main"><h1>输液护理常规</h1>
<p>成人滴速一般为40~60滴/分，血小板 PLT&lt;100×10<sup>9</sup>/L 时<b>应当</b>复查，5*3*2。</p>
<h2>观察要点</h2><ul><li>局部有无外渗<ul><li>每小时一次</li></ul></li><li>体温</li></ul>
<table><tr><th>分级</th><th>表现</th><th>处理</th></tr>
<tr><td rowspan="2">一级</td><td>发红</td><td>热敷</td></tr><tr><td></td><td>抬高</td></tr></table>
<p>第一行<br>第二行</p></div>
<footer>版权所有 备案号 0000</footer><script>var 不是正文 = 1;</script></body></html>"""


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [("utf-8", "utf-8"), ("gb2312", "gb18030"), ("gbk", "utf-8"), ("", "gb18030")],
)
def test_a_web_page(charset, encoding):
    source = web(PAGE.format(charset=charset), encoding)
    assert shown(source) == [
        ("heading", "输液护理常规"),
        (
            "paragraph",
            "成人滴速一般为40~60滴/分，血小板 PLT<100×10⁹/L 时应当复查，5*3*2。",
        ),
        ("heading", "观察要点"),
        ("list_item", "局部有无外渗"),
        ("list_item", "每小时一次"),
        ("list_item", "体温"),
        ("table_row", "分级：一级；表现：发红；处理：热敷"),
        ("table_row", "分级：一级；处理：抬高"),
        ("paragraph", "第一行"),
        ("paragraph", "第二行"),
    ]
    assert source.title == "输液护理常规"
    assert source.date == "2025-03-02"


def test_a_declared_xml_encoding():
    text = '<?xml version="1.0" encoding="gb2312"?><html><body><p>%s</p></body></html>'
    assert SIMPLIFIED[2] in web(text % SIMPLIFIED[2], "gb18030").text


def test_a_page_of_one_sentence():
    assert web("<html><body><p>禁食八小时。</p></body></html>").text == "禁食八小时。"


def test_a_table_for_layout_keeps_its_paragraphs():
    page = f"<html><body><table><tr><td>{SIMPLIFIED[0] * 5}</td><td>{SIMPLIFIED[1]}</td></tr></table></body></html>"
    assert SIMPLIFIED[0] in web(page).text


def test_text_without_tags_is_not_lost():
    source = web("第一段没有标签，也要读到<br>第二段<!-- 不读 --><p>第<b>三</b>段</p>尾巴")
    assert [words for _, words in shown(source)] == [
        "第一段没有标签，也要读到",
        "第二段",
        "第三段",
        "尾巴",
    ]


def test_a_short_list_stays_a_list():
    source = web("<html><body><ul><li>空腹八小时</li><li>停用抗凝药</li></ul></body></html>")
    assert shown(source) == [("list_item", "空腹八小时"), ("list_item", "停用抗凝药")]


def test_an_export_that_is_one_table():
    rows = "".join(f"<tr><td>内科{n}</td><td>{n}</td><td>38</td></tr>" for n in range(3))
    source = web(f"<table><tr><td>科室</td><td>床位</td><td>在院</td></tr>{rows}</table>")
    assert shown(source)[1] == ("table_row", "科室：内科1；床位：1；在院：38")


def test_a_long_menu_is_not_the_text():
    menu = "".join(f'<li><a href="/{n}">栏目导航条目{n}</a></li>' for n in range(60))
    page = (
        f"<html><body><div class='menu'><ul>{menu}</ul></div><p>{SIMPLIFIED[0]}</p></body></html>"
    )
    assert web(page).text == SIMPLIFIED[0]
