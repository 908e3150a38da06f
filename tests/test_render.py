"""What a person reads: exact, escaped, and with nothing in it that an answer brought along."""

import html
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.conversations.standing import Standing
from rag.errors import CorpusIndexError
from rag.offsets import OffsetMap
from rag.types import Answer, Citation, Document, Sentence, State, Verdict
from ui import texts
from ui.chat_sources import Shown, shown_sources
from ui.escape import escape, template_escape
from ui.excerpt import Excerpt, excerpt
from ui.render import (
    announcement,
    answer_html,
    clipboard_text,
    error_html,
    progress_html,
    stopped_html,
)
from ui.render_sources import sources_html

ALLOWED = {
    "div": {"class", "lang"},
    "span": {"class", "title", "role", "aria-label", "aria-hidden"},
    "i": {"aria-hidden"},
    "p": {"class"},
    "a": {"class", "id", "href", "aria-label", "title"},
    "strong": set(),
    "button": {"type", "class"},
    "details": {"class"},
    "summary": set(),
    "section": {"class", "id", "tabindex", "aria-label"},
    "h3": {"class"},
    "h4": {"lang"},
    "blockquote": {"class", "lang"},
    "mark": set(),
}


class Reader(HTMLParser):
    """The text and elements of some HTML, refusing any element or attribute not written by us."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.answer = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        assert tag in ALLOWED, tag
        assert set(attributes) <= ALLOWED[tag], (tag, attributes)
        if "href" in attributes:
            assert re.fullmatch(r"#t1-(source|mark)-\d+", attributes["href"] or "")
        self.elements.append((tag, attributes))
        self.open.append((tag, attributes))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1][0] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data
        classes = " ".join(attributes.get("class") or "" for _, attributes in self.open)
        if "answer-text" in classes and "flag" not in classes:
            self.answer += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")

    def having(self, name: str) -> list[dict[str, str | None]]:
        """Attributes of the elements of one class."""
        return [found for _, found in self.elements if name in (found.get("class") or "").split()]


def read(source: str) -> Reader:
    reader = Reader()
    reader.feed(source)
    reader.close()
    assert not reader.open
    return reader


def answer(text: str, **fields: object) -> Answer:
    return replace(Answer("问题", "问题", State.ANSWERED, text), **fields)  # type: ignore[arg-type]


def cite(mark: int, quote: str = "原句", **fields: object) -> Citation:
    plain = Citation(mark, "d", "静脉输液护理常规", 0, len(quote), quote, original=quote)
    return replace(plain, **fields)  # type: ignore[arg-type]


CLINICAL = [
    "输液15~30分钟内观察，20~40滴/分",
    "按5*3*2方案，A**3 与 B**2，__不是粗体__",
    "PLT<100×10⁹/L，Hb>60 g/L，ALT≥3×ULN",
    "剂量 <b>5 mg</b> & 10&nbsp;mg，&lt;不是小于号",
    "# 5 床\n- 第一项\n1. 第二项\n\n| 表 | 格 |\n> 引文 `代码` ~~删除~~",
    "温度 37.5℃ → 38.2℃ 😀 𠮷",
    "反斜杠 \\ 美元 $5$ 花括号 {{value}} ${value} 反引号 `",
    "[7] 与 [x](y) 与 [1]",
]


@pytest.mark.parametrize("text", CLINICAL)
def test_clinical_text_is_shown_to_the_character(text: str) -> None:
    assert read(answer_html(answer(text), "t1")).answer == text


HOSTILE = [
    '<img src="http://evil.example/x.png" onerror=alert(1)>',
    "![图](http://evil.example/x.png)",
    "<script>fetch('http://evil.example')</script>",
    "[点这里](javascript:alert(1))",
    '<p style="background:url(http://evil.example/)">x</p>',
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "<!-- --><!DOCTYPE x><![CDATA[x]]>",
    "</div></article><form action=http://evil.example>",
    "&#60;script&#62;",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_wherever_it_comes_from(text: str) -> None:
    cited = cite(1, text, title=text, heading=text, date=text, source=text, original=text + "。")
    sentence = Sentence(text, (1,), Verdict.NUMBER_MISMATCH, (text,))
    whole = answer(
        text + "[1]",
        citations=(cited,),
        sentences=(sentence,),
        thinking=text,
        notices=(text,),
        model=text,
        timings={text: 1.0},
    )
    shown = read(answer_html(whole, "t1"))
    assert shown.answer == text + "[1]"
    assert shown.text.count(text) >= 3
    key = (cited.document, cited.start, cited.end)
    shown_excerpt = Excerpt(text, text, text)
    panel = sources_html(whole, "t1", {key: Shown(Standing.SAME, shown_excerpt)})
    assert read(panel).text.count(text) >= 5
    assert read(error_html(text)).text.endswith(text)


@given(st.text())
def test_any_text_comes_out_as_it_went_in_or_with_named_direction_controls(text: str) -> None:
    shown = html.unescape(escape(text))
    if not re.search("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", text):
        assert shown == text
    assert "<" not in escape(text)
    assert '"' not in escape(text)


@given(st.text(alphabet="**5[1] 家A\n<&~_`", max_size=30))
def test_markup_characters_are_kept_except_those_of_bold(text: str) -> None:
    shown = read(answer_html(answer(text, citations=(cite(1),)), "t1")).answer
    assert shown.replace("*", "") == text.replace("*", "")
    assert (text.count("*") - shown.count("*")) % 4 == 0


def test_bold_is_shown_as_bold_around_words_only() -> None:
    shown = answer_html(answer("共**755家**，按5**3**2"), "t1")
    assert "共<strong>755家</strong>，按5**3**2" in shown


def test_direction_controls_are_named() -> None:
    assert read(answer_html(answer("5\u202e01 mg"), "t1")).answer == "5[U+202E]01 mg"


def test_template_text_cannot_reach_the_template_engines() -> None:
    text = "`${alert(1)}` {{value}} \\"
    assert not re.search(r"[{}$`\\]", template_escape(text))
    assert html.unescape(template_escape(text)) == text


def test_marks_link_to_their_source_and_unknown_marks_stay_text() -> None:
    shown = read(
        answer_html(answer("甲[1]。乙[1][2]。丙[3]。", citations=(cite(1), cite(2))), "t1")
    )
    marks = shown.having("mark")
    assert [mark["href"] for mark in marks] == ["#t1-source-1", "#t1-source-1", "#t1-source-2"]
    assert [mark.get("id") for mark in marks] == ["t1-mark-1", None, "t1-mark-2"]
    assert marks[0]["aria-label"] == "引用 1：静脉输液护理常规"
    assert shown.answer == "甲[1]。乙[1][2]。丙[3]。"


def test_mismatched_numbers_are_flagged_where_they_stand_and_named_below() -> None:
    sentence = Sentence("新增5款，共15款", (1,), Verdict.NUMBER_MISMATCH, ("5",))
    text = "共5家[1]。新增5款[1]，共15款[1]。"
    shown = answer_html(answer(text, sentences=(sentence,), citations=(cite(1),)), "t1")
    reader = read(shown)
    assert [found["title"] for found in reader.having("number")] == [texts.NUMBER_TOOLTIP]
    assert '新增<span class="number"' in shown
    assert "数字未在引用资料中出现：5。" in reader.text
    assert reader.answer == text


def test_a_mismatch_whose_sentence_cannot_be_found_is_still_named() -> None:
    sentence = Sentence("改写过的句子", (1,), Verdict.NUMBER_MISMATCH, ("30%",))
    reader = read(answer_html(answer("别的话。", sentences=(sentence,)), "t1"))
    assert reader.having("number") == []
    assert "数字未在引用资料中出现：30%" in reader.text


def test_unsupported_sentences_are_marked_without_their_neighbours() -> None:
    sentences = (Sentence("有据。", (1,)), Sentence("无据。", (), Verdict.UNSUPPORTED))
    shown = answer_html(answer("有据[1]。无据。", sentences=sentences, citations=(cite(1),)), "t1")
    assert f'title="{texts.UNSUPPORTED_TOOLTIP}">无据。</span>' in shown
    assert shown.count('class="unsupported"') == 1


def test_the_three_states_differ_in_words_and_icon() -> None:
    chips = {}
    for state in State:
        shown = read(answer_html(answer("文", state=state), "t1"))
        chips[state] = re.match(r"(\W)(\w+?)AI", shown.text)
    words = {state: found and found[2] for state, found in chips.items()}
    assert words == {
        State.ANSWERED: "已回答",
        State.UNCERTAIN: "不确定",
        State.NOT_FOUND: "资料中未找到",
    }
    assert len({found and found[1] for found in chips.values()}) == 3


def test_a_growing_answer_shows_no_verdict_yet_but_always_the_ai_label() -> None:
    shown = read(answer_html(answer("共755", finished=False), "t1"))
    assert texts.PHASE_STREAMING in shown.text
    assert texts.STATE_ANSWERED not in shown.text
    assert shown.having("copy") == []
    assert shown.having("tag")[0]["title"] == texts.AI_LABEL


def test_thinking_is_folded_and_no_part_of_the_answer() -> None:
    shown = answer_html(answer("答案", thinking="想一想"), "t1")
    assert '<details class="thinking">' in shown
    assert read(shown).answer == "答案"


def test_timings_are_named_and_unknown_ones_left_out() -> None:
    shown = read(answer_html(answer("文", timings={"search": 0.031, "x": 9.0}, model="m"), "t1"))
    assert "m\u00a0· 检索\u00a00.03\u00a0秒" in shown.text
    assert "9.0" not in shown.text


def test_a_source_names_its_document_section_page_and_date() -> None:
    cited = cite(1, heading="总则 > 第二节", page=3, date="2025-05-20", source="护理部")
    shown = read(sources_html(answer("文[1]", citations=(cited,)), "t1", {}))
    assert "静脉输液护理常规总则 › 第二节 · 第 3 页 · 2025-05-20" in shown.text
    assert "来源：护理部" in shown.text
    assert texts.EXCERPT_UNAVAILABLE in shown.text
    assert shown.having("source")[0]["id"] == "t1-source-1"


def test_a_section_does_not_repeat_the_title() -> None:
    cited = cite(1, heading="静脉输液护理常规 > 第二节")
    lines = clipboard_text(answer("文[1]", citations=(cited,))).splitlines()
    assert "[1] 静脉输液护理常规，第二节" in lines


def test_the_original_is_offered_only_where_it_differs() -> None:
    same, other = cite(1), cite(2, original="原(yuán)句", start=5, end=7)
    shown = sources_html(answer("文", citations=(same, other)), "t1", {})
    assert shown.count(texts.SHOW_ORIGINAL) == 1
    assert "原(yuán)句" in shown


def test_two_spans_of_one_mark_share_its_anchor() -> None:
    whole = answer("文[1]", citations=(cite(1), cite(1, start=9, end=11)))
    sections = read(sources_html(whole, "t1", {})).having("source")
    assert [section.get("id") for section in sections] == ["t1-source-1", None]


def test_an_answer_without_sources_says_so_when_finished() -> None:
    nothing = answer("资料中未找到", state=State.NOT_FOUND)
    assert texts.SOURCES_NONE in sources_html(nothing, "t1", {})
    assert sources_html(replace(nothing, finished=False), "t1", {}) == ""


def test_the_clipboard_gets_clean_text_sources_and_the_label() -> None:
    sentence = Sentence("PLT<100", (1,), Verdict.NUMBER_MISMATCH, ("100",))
    whole = answer(
        "PLT<100[1]", citations=(cite(1, page=2),), sentences=(sentence,), model="qwen3:8b"
    )
    assert clipboard_text(whole).splitlines() == [
        "问：问题",
        "[已回答] PLT<100[1]",
        "⚠ 数字未在引用资料中出现：100。请勿直接使用，先核对原文。",
        "引用资料：",
        "[1] 静脉输液护理常规，第 2 页",
        "内容由人工智能生成，须由医师确认（qwen3:8b）",
    ]


def test_the_announcement_says_state_and_number_of_sources() -> None:
    assert announcement(answer("文", citations=(cite(1),))) == "回答完成：已回答，引用 1 处资料"


PARAGRAPHS = (
    "第一段开头。" + "甲" * 40 + "。这里是引用的原句。" + "乙" * 60 + "。\n第二段。" + "丙" * 400
)


def test_an_excerpt_keeps_to_whole_sentences_of_its_paragraph() -> None:
    start = PARAGRAPHS.index("引用")
    shown = excerpt(PARAGRAPHS, start, start + 5)
    assert shown.quote == "引用的原句"
    assert shown.before == PARAGRAPHS[:start]
    assert shown.after == "。" + "乙" * 60 + "。"
    assert not shown.clipped_before
    assert not shown.clipped_after


def test_an_excerpt_of_a_text_without_sentences_is_cut() -> None:
    shown = excerpt("字" * 5000, 2000, 2050)
    assert shown.clipped_before
    assert shown.clipped_after
    assert 50 < len(shown.before + shown.quote + shown.after) <= 300


def test_a_short_paragraph_borrows_from_its_neighbours() -> None:
    text = "禁忌。\n过敏者禁用。\n慎用：老人。"
    start = text.index("过敏")
    assert excerpt(text, start, start + 6).before == "禁忌。\n"


@given(st.text(alphabet="甲乙。\n，5 ", max_size=700), st.data())
def test_an_excerpt_is_always_the_text_around_its_quote(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    shown = excerpt(text, start, end)
    assert shown.quote == text[start:end]
    whole = shown.before + shown.quote + shown.after
    left = start - len(shown.before)
    assert text[left : left + len(whole)] == whole
    assert len(whole) <= max(300, end - start + 150)


def test_a_span_outside_the_text_is_an_error() -> None:
    with pytest.raises(ValueError, match="outside"):
        excerpt("短", 0, 9)


def held(text: str, cited: Citation) -> Shown:
    """How a citation is shown when its document reads ``text`` today."""
    document = Document("d", "d", text, text, OffsetMap.identity(len(text)))
    (shown,) = shown_sources(answer("文", citations=(cited,)), lambda _: document, {}).values()
    return shown


def test_a_citation_is_shown_where_its_words_stand_today() -> None:
    same, moved = held("原句在此。", cite(1)), held("前面加了一句。原句在此。", cite(1))
    assert (same.standing, moved.standing) == (Standing.SAME, Standing.MOVED)
    assert moved.excerpt is not None
    assert (moved.excerpt.before, moved.excerpt.quote) == ("前面加了一句。", "原句")


def test_a_citation_whose_words_are_gone_says_so_and_keeps_its_quote() -> None:
    def gone(id: str) -> Document:
        raise CorpusIndexError(f"索引中没有文档 {id}。请刷新后重试")

    whole = answer("文[1]", citations=(cite(1),))
    changed = {("d", 0, 2): held("改过的文。", cite(1))}
    for shown, line in (
        (changed, texts.SOURCE_CHANGED),
        (shown_sources(whole, gone, {}), texts.SOURCE_GONE),
    ):
        panel = read(sources_html(whole, "t1", shown)).text
        assert line in panel
        assert "原句" in panel


def test_the_words_that_answer_are_emphasized_inside_the_quote():
    cited = Citation(1, "d", "制度", 10, 18, "每日2次<随餐>", focus=(12, 14))
    shown = sources_html(answer("每日2次[1]", citations=(cited,)), "t1", {})
    assert "<mark>每日<strong>2次</strong>&lt;随餐&gt;</mark>" in shown


def test_each_checked_sentence_carries_its_verdict_in_words_behind_its_marks() -> None:
    sentences = (
        Sentence("有据。", (1,), Verdict.SUPPORTED),
        Sentence("每日7次。", (1,), Verdict.NUMBER_MISMATCH, ("7次",)),
        Sentence("无据。", (), Verdict.UNSUPPORTED, (), ("资料没有说这件事",)),
        Sentence("请看下文。", (), Verdict.NOT_A_CLAIM),
    )
    text = "有据。[1]每日7次[1]。无据。请看下文。"
    shown = answer_html(answer(text, sentences=sentences, citations=(cite(1),)), "t1")
    reader = read(shown)
    assert reader.answer == text
    assert [found["aria-label"] for found in reader.having("verdict")] == [
        texts.VERDICTS["supported"],
        f"{texts.VERDICTS['number']}：7次",
        f"{texts.VERDICTS['unsupported']}：资料没有说这件事",
    ]
    assert re.search(r'\[1\]</a><span class="verdict verdict-supported"', shown)
    assert "「无据。」资料没有说这件事" in reader.text
    growing = read(answer_html(answer(text, sentences=sentences, finished=False), "t1"))
    assert growing.having("verdict") == []
    assert texts.UNCHECKED_LINE in growing.text


def test_a_rewritten_question_is_shown_and_can_be_taken_back() -> None:
    rewritten = answer("文", question="那英国呢？", search_question="英国有哪些<政策>？")
    for shown in (
        answer_html(rewritten, "t1"),
        stopped_html(rewritten, "t1"),
        progress_html("查", "那英国呢？", "英国有哪些<政策>？"),
    ):
        assert "按“英国有哪些<政策>？”查找" in read(shown).text
        assert read(shown).having("verbatim")
    same = answer("文", question=" 英国 有 ", search_question="英国 有")
    assert read(answer_html(same, "t1")).having("verbatim") == []


@pytest.mark.parametrize(
    ("document", "page", "with_pages", "offered"),
    [
        ("护理/手册.PDF", 2, True, True),
        ("护理/手册.pdf", 2, False, False),
        ("护理/手册.pdf", None, True, False),
        ("护理/手册.docx", 2, True, False),
    ],
)
def test_a_page_is_offered_where_there_is_one(document, page, with_pages, offered):
    cited = Citation(1, document, "手册", 0, 1, "句", original="句", page=page)
    key = (cited.document, cited.start, cited.end)
    shown = {key: Shown(Standing.SAME, Excerpt("", "句", ""))}
    whole = answer("文[1]", citations=(cited,))
    assert ("open-page" in sources_html(whole, "t1", shown, with_pages=with_pages)) is offered


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"finished": False, "text": "", "timings": {"thinking": 3.2}}, "正在思考"),
        ({"finished": False, "timings": {"thinking": 3.2}}, "思考了 3 秒"),
        ({"timings": {"thinking": 61.8}}, "思考了 62 秒"),
        ({"timings": {"thinking": 0.1}}, "思考了 1 秒"),
        ({}, "模型的思考过程"),
    ],
)
def test_thinking_is_folded_under_its_duration(fields: dict[str, object], said: str) -> None:
    shown = answer_html(replace(answer("文"), thinking="先看资料", **fields), "t1")
    summary = shown.partition("<summary>")[2].partition("</summary>")[0]
    assert summary.startswith(said)
    assert "未经核对" in summary
