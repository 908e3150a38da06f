"""Exports read back by the programs that open them: every character, mark, source and label."""

import io
import json
import re
import zipfile
from dataclasses import replace
from itertools import pairwise

import defusedxml.ElementTree as ElementTree
import docx
import pypdfium2
import pytest
from fontTools.subset import Subsetter
from fontTools.ttLib import TTFont
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.export import markdown, word
from rag.export.characters import shown
from rag.export.content import Entry, Exported, blocks
from rag.export.files import Form, export
from rag.export.fonts import Font, FontMissing, find_font
from rag.export.label import Provenance, metadata
from rag.export.pdf import line_spans, write
from rag.export.texts import ExportTexts
from rag.types import Answer, Citation, Sentence, State, Verdict


def _has_font() -> bool:
    try:
        find_font()
    except FontMissing:
        return False
    return True


needs_font = pytest.mark.skipif(not _has_font(), reason="needs a Chinese font: fonts-noto-cjk")

LABEL = "内容由人工智能生成，须由医师确认"
CLINICAL = (
    "输液15~30分钟…20~40滴；5*3*2；PLT<100且WBC>3；a_b_c；{nb}；1:100:2；&amp;；`x`；資料裡沒有"
)
QUOTE = "每15~30分钟巡视一次，PLT<100时加强"
ANSWER = Answer(
    question="多久巡视？\n血小板PLT<100呢？",
    search_question="多久巡视",
    state=State.ANSWERED,
    text=f"{CLINICAL}[1]\n2. 第二行**照写**[2]\n---\n> 引用符号\n# 井号",
    sentences=(
        Sentence(f"{CLINICAL}", (1,), Verdict.SUPPORTED),
        Sentence("第二行**照写**", (2,), Verdict.UNSUPPORTED),
        Sentence("30mg", (2,), Verdict.NUMBER_MISMATCH, ("30mg", "2次")),
    ),
    citations=(
        Citation(
            1, "a.md", "护理制度", 10, 10 + len(QUOTE), QUOTE, 3, "每15~30分鐘(zhōng)巡视", "护理部",
            "2025-01-02", "护理制度 > 巡视", (11, 18),
        ),
        Citation(2, "b.md", "", 0, 4, "第二条。"),
    ),
    model="qwen3:8b",
    notices=("有更新的资料。",),
)  # fmt: skip
PROVENANCE = Provenance(producer='某医院"医问" --> <x>', produce_id="turn-1", producer_code="abc")
EXPORTED = Exported(
    (Entry(ANSWER, "2026-01-01T12:00:00.000000+00:00"),),
    title="巡视\n制度",
    model_name="通义千问",
    filing_number="备案-123",
    exported="2026-01-02T12:00:00.000000+00:00",
    provenance=PROVENANCE,
)


def lines_wanted(exported: Exported) -> list[str]:
    return [line for block in blocks(exported) for line in block.text.split("\n")]


def markdown_text(source: str) -> str:
    """What a reader of the rendered Markdown sees, hard breaks as line feeds."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    parts = []
    for token in parser.parse(source):
        parts.extend(
            "\n" if child.type in ("hardbreak", "softbreak") else child.content
            for child in token.children or ()
        )
        if token.type == "inline":
            parts.append("\n")
    return "".join(parts)


def word_lines(content: bytes) -> list[str]:
    document = docx.Document(io.BytesIO(content))
    return [line for paragraph in document.paragraphs for line in paragraph.text.split("\n")]


def pdf_text(content: bytes) -> str:
    document = pypdfium2.PdfDocument(content)
    text = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return text


def squeezed(text: str) -> str:
    """Without the white space and line ends, which a PDF does not keep."""
    return re.sub(r"\s+", "", text)


def test_the_blocks_say_everything_in_order():
    lines = lines_wanted(EXPORTED)
    assert lines[:2] == ["巡视 制度", LABEL]
    assert lines[2:4] == ["模型：通义千问", "备案号：备案-123"]
    assert "回答（已回答，qwen3:8b）" in lines
    assert "[1] 护理制度，巡视，第 3 页，2025-01-02" in lines
    assert "[2] 未命名资料" in lines
    assert "文件原文：每15~30分鐘(zhōng)巡视" in lines
    assert "来源：护理部" in lines
    assert "⚠ 未得到引用资料支持：第二行**照写**" in lines
    assert "⚠ 数字未在引用资料中出现：30mg、2次" in lines
    assert "有更新的资料。" in lines
    (quote,) = (block for block in blocks(EXPORTED) if block.text == QUOTE)
    assert quote.text[slice(*quote.strong)] == "15~30分钟"
    stopped = Exported((Entry(replace(ANSWER, finished=False)),))
    assert "回答未完成，以上内容不完整。" in lines_wanted(stopped)


def test_rendered_markdown_shows_every_character():
    source = export(EXPORTED, Form.MARKDOWN).content.decode()
    rendered = markdown_text(source).split("\n")
    position = 0
    for line in [*lines_wanted(EXPORTED), LABEL]:
        position = rendered.index(line, position) + 1
    html = MarkdownIt("commonmark").render(source)
    assert "<strong>15~30分钟</strong>" in html
    assert "<hr" not in html
    assert "<ol" not in html
    assert "<code" not in html


@pytest.mark.parametrize(
    "line",
    ["1. a", "10) a", "- a", "+ a", "* a", "# a", "===", "---", "~~a~~", "[a](http://x)", "![a](b)",
     "<script>x</script>", "&lt;", "a|b", "|-|-|", "\\*", "  两个空格 ", "\t制表", "http://x.cn", "$a$",
     "***a***", "__a__", "<b>100", "```", "    code", "> a", "[1]: http://x", "a  "],
)  # fmt: skip
def test_any_line_stays_that_line_in_markdown(line):
    exported = Exported((Entry(replace(ANSWER, text=f"前\n{line}\n后", sentences=())),))
    rendered = markdown_text(markdown.write(exported))
    assert f"\n前\n{line}\n后\n" in rendered
    alone = Exported((Entry(replace(ANSWER, text=line, sentences=())),))
    html = MarkdownIt("commonmark").render(markdown.write(alone))
    assert not re.search("<(a|img|script|hr|ol|ul|code|em)[ />]", html)


# Letters, digits and what Markdown, XML and PDF give a meaning, mixed.
HOSTILE = st.text(
    st.sampled_from(
        [*"*_~`<>&|\\[]()#+-=.:!$^{}@'\"/ \n\t1a鐘，。。（〔", "\x00", "\u202e", "😀", "\ud83d"]
    ),
    max_size=40,
)


def exported_of(text: str) -> Exported:
    return Exported(
        (Entry(replace(ANSWER, text=text, sentences=(), citations=(), notices=())),), title=text
    )


@settings(max_examples=300, deadline=None)
@given(HOSTILE)
def test_any_text_stays_itself_in_markdown(text):
    rendered = markdown_text(markdown.write(exported_of(text)))
    # An empty line separates paragraphs, so how many there were is not kept.
    wanted = "\n".join(line for line in shown(text).split("\n") if line)
    body = rendered[rendered.index("qwen3:8b）") + len("qwen3:8b）") :].removesuffix(f"{LABEL}\n")
    assert "\n".join(line for line in body.split("\n") if line) == wanted


@settings(max_examples=30, deadline=None)
@given(HOSTILE)
def test_any_text_stays_itself_in_word(text):
    lines = word_lines(word.write(exported_of(text)))
    place = lines.index("回答（已回答，qwen3:8b）") + 1
    assert lines[place:-1] == shown(text).split("\n")


@needs_font
@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(HOSTILE)
def test_any_text_stays_itself_in_pdf(text):
    content = export(exported_of(text), Form.PDF).content
    wanted = squeezed(shown(text)).replace("😀", "〔U+1F600〕")
    read = squeezed(pdf_text(content))
    body = read[read.index("qwen3:8b）") + len("qwen3:8b）") : read.rindex(LABEL)]
    assert body.replace("〕〔", "").replace("U+", "") == wanted.replace("〕〔", "").replace(
        "U+", ""
    )


def test_word_has_every_character_and_the_label_on_each_page():
    content = export(EXPORTED, Form.WORD).content
    lines = word_lines(content)
    assert lines == [*lines_wanted(EXPORTED), LABEL]
    document = docx.Document(io.BytesIO(content))
    assert document.sections[0].footer.paragraphs[0].text == LABEL
    (strong,) = (
        run for p in document.paragraphs if p.style.name == "Quote" for run in p.runs if run.bold
    )
    assert strong.text == "15~30分钟"
    assert document.core_properties.title == "巡视 制度"


@needs_font
@pytest.mark.parametrize("exported", [EXPORTED, Exported((Entry(ANSWER), Entry(ANSWER)))])
def test_pdf_has_every_character_and_the_label_on_each_page(exported):
    content = export(exported, Form.PDF).content
    text = squeezed(pdf_text(content))
    position = 0
    for line in lines_wanted(exported):
        position = text.index(squeezed(line), position) + 1
    document = pypdfium2.PdfDocument(content)
    for page in document:
        assert LABEL in page.get_textpage().get_text_range()
    document.close()
    assert len(content) < 120_000  # a subset of the font, not 16 MB


@needs_font
def test_a_long_conversation_has_the_label_on_every_pdf_page():
    content = export(Exported((Entry(ANSWER),) * 12), Form.PDF).content
    document = pypdfium2.PdfDocument(content)
    pages = [page.get_textpage().get_text_range() for page in document]
    document.close()
    assert len(pages) >= 3
    assert all(LABEL in page for page in pages)


@needs_font
def test_the_metadata_is_one_string_of_strings_in_each_format():
    wanted = {
        "AIGC": {
            "Label": "1",
            "ContentProducer": PROVENANCE.producer,
            "ProduceID": "turn-1",
            "ReservedCode1": "abc",
            "ContentPropagator": "",
            "PropagateID": "",
            "ReservedCode2": "",
        }
    }
    assert json.loads(metadata(PROVENANCE)) == wanted
    first = export(EXPORTED, Form.MARKDOWN).content.decode().split("\n")[0]
    assert first.count("-->") == 1
    assert json.loads(first.removeprefix("<!-- ").removesuffix(" -->")) == wanted

    package = zipfile.ZipFile(io.BytesIO(export(EXPORTED, Form.WORD).content))
    root = ElementTree.fromstring(package.read("docProps/custom.xml"))
    (entry,) = root
    assert entry.get("name") == "AIGC"
    assert json.loads(entry[0].text) == wanted
    assert b"custom-properties" in package.read("_rels/.rels")
    assert b"/docProps/custom.xml" in package.read("[Content_Types].xml")

    content = export(EXPORTED, Form.PDF).content
    document = pypdfium2.PdfDocument(content)
    assert json.loads(document.get_metadata_value("AIGC")) == wanted
    assert document.get_metadata_value("Title") == "巡视 制度"
    document.close()
    packet = re.search(rb"<x:xmpmeta.*?</x:xmpmeta>", content, re.DOTALL)[0]
    assert json.loads("".join(ElementTree.fromstring(packet).itertext())) == wanted


@needs_font
def test_what_cannot_be_written_is_named_and_nothing_vanishes():
    text = "甲\x00\x07乙\x1b丙\u202e100<TLP\u202c丁\ud83d戊\r\n己\u2028庚\ufffe"
    assert shown(text) == (
        "甲〔U+0000 U+0007〕乙〔U+001B〕丙〔U+202E〕100<TLP〔U+202C〕丁〔U+D83D〕戊\n己〔U+2028〕庚〔U+FFFE〕"
    )
    exported = Exported((Entry(replace(ANSWER, text=text, question="问\x00", sentences=())),))
    assert "甲〔U+0000 U+0007〕乙" in markdown_text(markdown.write(exported))
    assert "己〔U+2028〕庚〔U+FFFE〕" in word_lines(export(exported, Form.WORD).content)
    assert "丙〔U+202E〕100<TLP〔U+202C〕丁" in squeezed(
        pdf_text(export(exported, Form.PDF).content)
    )


@needs_font
def test_emoji_and_rare_characters():
    text = "好😀👍，⚠️注意，𠮷，㎎，α≤β，①℃"
    exported = Exported((Entry(replace(ANSWER, text=text, sentences=())),))
    assert text in word_lines(export(exported, Form.WORD).content)
    assert text in markdown_text(markdown.write(exported))
    # The font has no emoji: named, not dropped.
    pdf = squeezed(pdf_text(export(exported, Form.PDF).content))
    assert "好〔U+1F600U+1F44D〕，⚠注意，𠮷，㎎，α≤β，①℃" in pdf


def test_lines_never_break_inside_a_number_or_before_closing_punctuation():
    text = "每次100mg/kg，15~30分钟（成人）。PLT<100×10^9/L[1][2]，见第2条。" * 4
    for width in range(24, 50):
        spans = list(line_spans(text, width, len))
        lines = [text[start:end] for start, end in spans]
        assert "".join(lines) == text
        assert all(len(line) <= width for line in lines)
        for line in lines[1:]:
            assert line[0] not in "，。）"
            assert not line.startswith("[1]")
        for before, after in pairwise(lines):
            assert not (before[-1].isascii() and after[0].isascii() and before[-1] != "]")
            assert before[-1] != "（"


def test_a_word_wider_than_a_line_is_cut_and_spaces_hang():
    spans = list(line_spans("甲" + "x" * 25 + "乙", 10, len))
    assert [end - start for start, end in spans] == [1, 10, 10, 6]
    assert list(line_spans("", 10, len)) == [(0, 0)]
    assert list(line_spans("甲" * 10 + " " * 30 + "乙", 10, len)) == [(0, 40), (40, 41)]


@needs_font
def test_without_a_font_it_is_said_what_to_install(tmp_path):
    with pytest.raises(FontMissing, match="fonts-noto-cjk") as caught:
        find_font(None, [(str(tmp_path / "none.ttc"), 0)])
    assert "\n" not in str(caught.value)
    with pytest.raises(FontMissing, match=r"不存在"):
        export(EXPORTED, Form.PDF, font=tmp_path / "none.ttf")
    (tmp_path / "bad.ttf").write_bytes(b"no font")
    with pytest.raises(FontMissing, match="无法读取"):
        write(EXPORTED, Font(tmp_path / "bad.ttf"))
    face = find_font()
    latin = TTFont(face.path, fontNumber=face.face)
    subset = Subsetter()
    subset.populate(text="only Latin")
    subset.subset(latin)
    latin.save(tmp_path / "latin.otf")
    latin.close()
    with pytest.raises(FontMissing, match="没有中文字符"):
        export(EXPORTED, Form.PDF, font=tmp_path / "latin.otf")


def test_texts_are_the_caller_s_and_names_are_safe():
    texts = ExportTexts(label="AI-generated, to be confirmed by a physician", sources="Sources")
    exported = Exported((Entry(ANSWER),), title="../a/b: c?\x00", texts=texts)
    lines = word_lines(export(exported, Form.WORD).content)
    assert lines[1] == lines[-1] == texts.label
    assert "Sources" in lines
    assert export(exported, Form.WORD).name == "a-b-c-〔U+0000〕.docx"
    assert export(Exported(()), Form.MARKDOWN).name == "医问对话记录.md"
