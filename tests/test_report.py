"""The report of a run: complete, exact, safe to open, and the same for the same run."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from made_run import ERROR, HOSTILE, make_run, read_rows, write_rows

from rag.evaluate.faults import RunError
from rag.evaluate.metric_texts import describe, group_of, ordered, show, show_interval
from rag.evaluate.report import write_report
from rag.evaluate.report_markup import escape, passage, seconds
from rag.evaluate.report_questions import OUTCOMES, outcome

# What a browser is asked to show of the hostile text: controls by name, all else to the character.
SHOWN = (
    HOSTILE.replace("\u202e", "[U+202E]")
    .replace("\u202c", "[U+202C]")
    .replace("\x00", "[U+0000]")
    .replace("\ud800", "[U+D800]")
)
VOID = {"meta", "input", "br"}


class Page(HTMLParser):
    """Elements, and the text of each question, of the tables and of the page."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.questions, self.rows = [], [], []
        self.text = ""
        self._open = []
        self.feed(text)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append((tag, attributes))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "details" and attributes.get("class") == "q":
            self.questions.append("")
        if tag == "tr":
            self.rows.append("")

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if self.questions:
            self.questions[-1] += data
        elif self.rows:
            self.rows[-1] += data


def page_of(run):
    return Page(write_report(run).read_text("utf-8"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "run", 24, with_judge=True)


@pytest.fixture(scope="module")
def page(run):
    return page_of(run)


def test_every_question_is_there_with_its_answer_and_references(run, page):
    rows = read_rows(run)
    assert len(page.questions) == len(rows) == 24
    for row, shown in zip(rows, page.questions, strict=True):
        assert row["id"] in shown
        assert OUTCOMES[outcome(row)][0] in shown
        for text in row["answers"]:
            assert text in shown
        if row["error"]:
            assert ERROR in shown
            continue
        for sentence in row["answer"]["sentences"]:
            assert sentence["text"].replace(HOSTILE, SHOWN) in shown
        assert f"提示词元{row['answer']['prompt_tokens']}" in shown
        assert f"未放入提示的段落{row['answer']['trimmed']}" in shown
        assert f"合计{seconds(row['answer']['timings']['total'])}" in shown


def test_every_sentence_carries_its_verdict_in_words(run, page):
    names = {"supported": "有依据", "unsupported": "无依据", "number_mismatch": "数字不符"}
    for row, shown in zip(read_rows(run), page.questions, strict=True):
        for sentence in (row["answer"] or {}).get("sentences", ()):
            name = names.get(sentence["verdict"])
            if name:
                assert re.search(rf"{name}\s*{re.escape(sentence['text'][:12])}", shown)
            if sentence["verdict"] == "number_mismatch":
                assert "500 mg" in shown.replace(sentence["text"], "")


def test_passages_show_all_three_scores_and_why_they_matter(run, page):
    row = read_rows(run)[0]
    first = row["answer"]["hits"][0]
    shown = page.questions[0]
    assert (
        f"融合 {first['score']:.3f}稠密 {first['dense']:.3f}关键词 {first['keyword']:.2f}" in shown
    )
    assert "标准文档含参考答案被引用" in shown
    assert first["text"] in shown


def test_every_metric_has_its_interval_count_and_explanation(run, page):
    summary = json.loads((run / "summary.json").read_text("utf-8"))
    assert len(summary["metrics"]) > 20
    for name, entry in summary["metrics"].items():
        (shown,) = (
            row for row in page.rows if re.search(rf" {re.escape(name)}(?![a-z0-9_@])", row)
        )
        assert show(name, entry["value"]) in shown
        interval = show_interval(name, entry["low"], entry["high"])
        assert re.search(rf"{re.escape(interval)}{entry['n']}(?!\d)", shown)
        assert describe(name).explanation
        assert describe(name).explanation in shown


def test_both_abstention_errors_stand_side_by_side_even_without_values(tmp_path):
    run = make_run(tmp_path / "run", 4, only_errors=True)
    text = page_of(run).text
    assert re.search(r"两种拒答错误误答率—.*?误拒率—", text, re.DOTALL)


def test_hostile_text_is_shown_and_never_runs(run, page):
    assert SHOWN in page.questions[2]
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == 1
    assert not {"img", "iframe", "object", "a[href^=http]", "link", "base"} & set(tags)
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]


def test_nothing_is_fetched_from_anywhere(run, page):
    for tag, attributes in page.elements:
        for name in ("src", "href", "action", "data", "poster", "xlink:href"):
            assert attributes.get(name, "#").startswith("#"), (tag, attributes)
    source = (run / "report.html").read_text("utf-8")
    (style,) = re.findall(r"<style>(.*?)</style>", source, re.DOTALL)
    assert not re.search(r"url\(|@import|https?:", style)


def test_the_policy_allows_this_style_and_script_and_nothing_else(run, page):
    source = (run / "report.html").read_text("utf-8")
    (policy,) = (
        attributes["content"]
        for tag, attributes in page.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for kind in ("style", "script"):
        (content,) = re.findall(rf"<{kind}>(.*?)</{kind}>", source, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_the_same_run_gives_the_same_bytes(run):
    first = write_report(run).read_bytes()
    assert write_report(run).read_bytes() == first
    assert not list(run.glob("*.partial"))


def test_what_was_run_is_all_there(run, page):
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    expected = [
        *manifest["versions"].values(),
        manifest["model"]["name"],
        manifest["model"]["digest"],
        manifest["index"]["fingerprint"],
        manifest["git_commit"],
        manifest["machine"]["processor"],
        manifest["dataset"]["sha256"],
        "随机种子7",
        "candidates50",
    ]
    assert [text for text in expected if str(text) not in page.text] == []


def test_a_judge_is_kept_apart_and_only_shown_where_there_is_one(run, page, tmp_path):
    assert "由模型打分，不计入上面的指标" in page.text
    assert "一致性（Cohen" in page.text
    without = page_of(make_run(tmp_path / "run", 6))
    assert "模型评审" not in without.text


def test_a_run_of_errors_only_still_makes_a_page(tmp_path):
    page = page_of(make_run(tmp_path / "run", 5, only_errors=True))
    assert len(page.questions) == 5
    assert all(ERROR in shown for shown in page.questions)
    assert "有 5 题运行出错" in page.text
    assert "没有可画的数据" in page.text


def test_a_run_without_metrics_or_questions_still_makes_a_page(tmp_path):
    page = page_of(make_run(tmp_path / "plain", 6, with_metrics=False))
    assert len(page.questions) == 6
    assert "未评分" in page.text
    empty = page_of(make_run(tmp_path / "empty", 0))
    assert "这次运行还没有任何一题的结果" in empty.text
    assert "这次运行没有可汇总的指标" in empty.text


def test_a_run_that_only_retrieves_shows_what_it_found(tmp_path):
    run = make_run(tmp_path / "run", 4)
    rows = read_rows(run)
    for row in rows:
        answer = row["answer"]
        row.update(answer=None, hits=answer["hits"], timings={"retrieve": 0.05, "total": 0.05})
        row["metrics"] = {"retrieval.document.hit@1": float(row["id"] != "made-0002")}
    write_rows(run, rows)
    page = page_of(run)
    assert "未排第一" in page.questions[1]
    assert rows[0]["answer"] is None
    assert "融合" in page.questions[0]
    assert "50 毫秒" in page.questions[0]
    assert "提示词元" not in page.questions[0]


def test_a_large_run_stays_small_and_keeps_the_answer_in_sight(tmp_path):
    run = make_run(tmp_path / "run", 520)
    path = write_report(run)
    assert path.stat().st_size * 3219 / 520 < 25_000_000
    page = Page(path.read_text("utf-8"))
    assert len(page.questions) == 520
    row = read_rows(run)[0]
    assert row["answers"][0] in page.questions[0]
    assert row["answer"]["hits"][0]["text"] not in page.questions[0]


def test_filters_count_what_they_list(run, page):
    kinds = [
        attributes["data-is"].split() for _, attributes in page.elements if "data-is" in attributes
    ]
    for label, group in (("不对的", "wrong"), ("拒答的", "refused"), ("出错的", "error")):
        assert f"{label} {sum(group in kind for kind in kinds)}" in page.text
    types = {
        attributes["data-type"] for _, attributes in page.elements if "data-type" in attributes
    }
    options = {attributes["value"] for tag, attributes in page.elements if tag == "option"}
    assert options == types | {""}


def test_ids_in_the_page_are_unique(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [a["href"][1:] for tag, a in page.elements if tag == "a"]
    assert set(targets) <= set(ids)


@pytest.mark.parametrize("name", ["manifest.json", "summary.json", "operation.json"])
def test_a_missing_file_is_named_with_what_to_do(tmp_path, name):
    run = make_run(tmp_path / "run", 2)
    (run / name).unlink()
    with pytest.raises(RunError, match=rf"{name}.*rag eval run"):
        write_report(run)
    assert not (run / "report.html").exists()


def test_a_folder_in_the_way_is_said_clearly(tmp_path):
    run = make_run(tmp_path / "run", 2)
    (run / "report.html").mkdir()
    with pytest.raises(RunError, match="报告无法写入"):
        write_report(run)


def answered(state="answered", **metrics):
    return {"answerable": True, "answer": {"state": state}, "metrics": metrics, "error": None}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({**answered(), "error": "坏了"}, "error"),
        (answered(**{"outcome.correct": 1.0}), "right"),
        (answered("uncertain", **{"outcome.correct": 0.6}), "partial"),
        (answered(**{"outcome.correct": 0.4}), "wrong"),
        (answered("not_found", **{"outcome.correct": 0.0}), "over_refusal"),
        ({**answered("not_found"), "answerable": False}, "right_refusal"),
        ({**answered("uncertain"), "answerable": False}, "false_answer"),
        (answered(), "ungraded"),
        ({**answered(), "answer": None, "metrics": {"retrieval.document.hit@1": 1.0}}, "found"),
        ({**answered(), "answer": None, "metrics": {"retrieval.document.hit@1": 0.0}}, "missed"),
    ],
)
def test_outcomes(row, expected):
    assert outcome(row) == expected


def test_an_excerpt_shows_the_wanted_words_marked():
    text = "前" * 200 + "剂量<5 mg" + "后" * 200
    shown = passage(text, ["剂量<5 mg"], 40)
    assert "<mark>剂量&lt;5 mg</mark>" in shown
    assert shown.startswith("…前")
    assert shown.endswith("后…")
    plain = re.sub("<.*?>", "", shown).replace("&lt;", "<")
    assert len(plain) == 42


def test_an_excerpt_without_wanted_words_is_the_beginning():
    assert passage("输液前核对医嘱", ["没有"], 3) == "输液前…"
    assert passage("输液前", [], 3) == "输液前"
    assert passage("重叠叠字", ["重叠", "叠叠字"], 99) == "<mark>重叠叠字</mark>"


def test_escape_keeps_clinical_text_to_the_character():
    text = "PLT<100×10⁹/L，5*3*2 **粗** ~40~60滴/分 &amp; 'a' \"b\"\n第二行\t制表"
    shown = escape(text)
    assert "<" not in shown.replace("&lt;", "")
    unescaped = Page(f"<p>{shown}</p>").text
    assert unescaped == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "—"), (0.0083, "8 毫秒"), (0.35, "0.35 秒"), (12.44, "12.4 秒"), (200, "3 分 20 秒"), (7260, "2 小时 1 分")],
)  # fmt: skip
def test_durations_as_people_read_them(value, text):
    assert seconds(value) == text


def test_metrics_stand_in_a_readable_order():
    names = ["retrieval.document.recall@10", "rgb.new", "retrieval.document.recall@3", "zeta",
             "retrieval.document.mrr@10", "outcome.correct", "abstain.f1"]  # fmt: skip
    assert ordered(names) == [
        "outcome.correct",
        "abstain.f1",
        "retrieval.document.recall@3",
        "retrieval.document.recall@10",
        "retrieval.document.mrr@10",
        "rgb.new",
        "zeta",
    ]
    assert group_of("zeta") == ""
    assert describe("zeta").label == "zeta"


def test_rates_are_in_percent_and_areas_are_not():
    assert show("answer.f1", 0.876) == "87.6%"
    assert show("abstain.aurc", 0.0914) == "0.091"
    assert show("answer.f1", float("nan")) == "—"
    assert show_interval("answer.f1", 0.5, None) == "—"
