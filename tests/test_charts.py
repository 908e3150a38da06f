"""Charts: the right numbers in the right places, readable without seeing them, and safe."""

import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluate.chart_parts import BOTTOM, LEFT, RIGHT, TOP, Scale, round_values, shortened
from rag.evaluate.charts import (
    Row,
    latency_chart,
    outcome_bar,
    recall_chart,
    risk_coverage_chart,
    share_chart,
    sweep_chart,
    type_chart,
)

SVG = "{http://www.w3.org/2000/svg}"


def tree(svg):
    """The chart as XML, which also proves that it is well formed."""
    root = ElementTree.fromstring(svg)  # noqa: S314  our own text
    for element in root.iter():
        element.tag = element.tag.removeprefix(SVG)
    return root


def points(root, kind):
    line = root.find(f".//polyline[@class='line {kind}']")
    return [tuple(map(float, place.split(","))) for place in line.get("points").split()]


def texts(root):
    return [element.text for element in root.iter("text")]


def test_risk_rises_from_left_to_right_on_its_axes():
    root = tree(risk_coverage_chart([[1.0, 0.4], [0.5, 0.1], [0.25, 0.0]], 0.15))
    assert points(root, "first") == [
        (LEFT + 0.25 * (RIGHT - LEFT), BOTTOM),
        (LEFT + 0.5 * (RIGHT - LEFT), BOTTOM - 0.25 * (BOTTOM - TOP)),
        (RIGHT, TOP),
    ]
    assert {"0%", "40%", "100%", "40.0%", "曲线下面积 0.150"} <= set(texts(root))


def test_a_chart_says_in_words_what_it_shows():
    root = tree(risk_coverage_chart([[0.25, 0.0], [0.5, 0.1], [1.0, 0.4]]))
    title, description = root.find("title"), root.find("desc")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert "覆盖率 50.0% 时风险 10.0%" in description.text
    assert "覆盖率 100.0% 时风险 40.0%" in description.text


def test_each_question_is_counted_in_one_column_of_the_latencies():
    durations = [0.2] * 30 + [1.5] * 15 + [3.0] * 5
    root = tree(latency_chart(durations, {"P50": 0.2, "P95": 3.0}))
    columns = [
        element for element in root.iter("rect") if element.get("class") == "column"
    ]  # as high as they hold questions
    heights = [float(column.get("height")) for column in columns]
    assert len(heights) == 3
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.2)
    assert heights[1] == pytest.approx(3 * heights[2], abs=0.2)
    assert {"P50 0.20 秒", "P95 3.00 秒", "每题总用时（秒）", "题数"} <= set(texts(root))
    assert "50 题，最短 0.20 秒，最长 3.00 秒" in root.find("desc").text


def test_no_column_stands_above_the_highest_tick():
    root = tree(latency_chart([0.5] * 12, {}))
    (column,) = (one for one in root.iter("rect") if one.get("class") == "column")
    assert float(column.get("y")) >= TOP


def test_one_very_slow_question_does_not_flatten_the_others():
    root = tree(latency_chart([1.0] * 300 + [900.0], {"P50": 1.0}))
    columns = [one for one in root.iter("rect") if one.get("class") == "column"]
    assert "900" not in texts(root)
    assert "最长 15 分 0 秒" in root.find("desc").text
    assert len(columns) == 1 or float(columns[0].get("x")) > LEFT + 10


def test_recall_names_its_lines_at_their_ends_without_overlap():
    root = tree(recall_chart({"按文档": [0.8, 0.9, 0.95], "按段落": [0.7, 0.85, 0.949]}))
    labels = [one for one in root.iter("text") if one.get("class") in ("first", "second")]
    assert [one.text for one in labels] == ["按文档 95.0%", "按段落 94.9%"]
    assert abs(float(labels[0].get("y")) - float(labels[1].get("y"))) >= 15
    heights = [y for _, y in points(root, "first")]
    assert heights == sorted(heights, reverse=True)  # up is smaller


def test_intervals_stand_around_their_values():
    rows = [Row("数值", 0.5, 0.4, 0.7, 12), Row("定义", 0.9, 0.8, 1.0, None)]
    root = tree(type_chart(rows, "answer.f1"))
    whiskers = [one for one in root.iter("line") if one.get("class") == "whisker"]
    dots = [float(one.get("cx")) for one in root.iter("circle")]
    assert [float(whiskers[0].get(side)) for side in ("x1", "x2")] == [161.6, 276.8]
    assert dots[0] == 200.0
    assert {"数值（12 题）", "50.0%（40.0%–70.0%）", "定义"} <= set(texts(root))


def sweep_rows(*values):
    return [
        {
            "settings": {"retrieve.mode": f"m{number}"},
            "metrics": {"abstain.aurc": {"value": value, "low": value, "high": value, "n": 9}},
        }
        for number, value in enumerate(values)
    ]


def test_a_sweep_stands_alone_and_marks_the_best():
    root = tree(sweep_chart(sweep_rows(0.3, 0.1, 0.2), "abstain.aurc"))
    (best,) = (one for one in root.iter("g") if one.get("class") == "row best")
    assert best.find("text").text == "retrieve.mode=m1（9 题）"  # lower is better here
    assert root.find("style") is not None
    assert "各组设置：风险曲线下面积" in texts(root)


def test_a_sweep_leaves_out_runs_without_the_metric():
    rows = [*sweep_rows(0.3), {"label": "无", "settings": {}, "metrics": {}}]
    assert "无" not in "".join(filter(None, texts(tree(sweep_chart(rows, "abstain.aurc")))))
    assert sweep_chart(rows, "answer.f1") == ""


def test_shares_fill_the_whole_bar_in_proportion():
    counts = {"right": ("答对", 3), "wrong": ("答错", 1), "error": ("出错", 0)}
    bar = list(tree(outcome_bar(counts)).iter("rect"))
    assert [float(one.get("width")) for one in bar] == [300.0, 100.0]
    root = tree(share_chart([("数值", counts)]))
    assert {"数值（4 题）", "答对 3，答错 1"} <= set(texts(root))


@pytest.mark.parametrize(
    "chart",
    [
        risk_coverage_chart([]),
        latency_chart([], {}),
        latency_chart([float("nan")], {}),
        recall_chart({"按文档": []}),
        type_chart([], "answer.f1"),
        sweep_chart([], "answer.f1"),
        outcome_bar({}),
        share_chart([]),
    ],
)
def test_nothing_to_draw_is_nothing(chart):
    assert chart == ""


def test_names_from_data_cannot_bring_elements():
    hostile = '"><script>alert(1)</script>'
    root = tree(type_chart([Row(hostile, 0.5, 0.4, 0.6)], "answer.f1"))
    assert not list(root.iter("script"))
    assert hostile in texts(root) or hostile in [one.text for one in root.iter("title")]


@given(st.floats(0, 1e4), st.floats(1e-3, 1e4), st.booleans())
def test_ticks_are_few_even_and_hold_the_range(low, spread, whole):
    high = low + spread
    ticks = round_values(low, high, whole=whole)
    assert 2 <= len(ticks) <= 7
    assert ticks[0] <= low * (1 + 1e-9)
    assert ticks[-1] >= high * (1 - 1e-9)
    steps = {round(second - first, 6) for first, second in pairwise(ticks)}
    assert max(steps) - min(steps) <= 2e-6
    assert not whole or all(tick == int(tick) for tick in ticks)


def test_values_outside_the_axis_are_cut_to_its_ends():
    scale = Scale(0, 10, 50, 100)
    assert [scale(value) for value in (-5, 0, 5, 10, 99)] == [50, 50, 75, 100, 100]
    assert Scale(3, 3, 0, 10)(3) == 0


def test_long_names_are_cut_by_their_width():
    assert shortened("检索" * 20) == "检索" * 10 + "…"
    assert shortened("top_k=3") == "top_k=3"
