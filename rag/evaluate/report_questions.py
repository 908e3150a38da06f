"""The report's second half: every question, and the bar that filters them.

One closed ``<details>`` a question, so that thousands stay readable. What a person looks at first
(wrong, refused, failed) is decided here by `outcome`; the rule is printed on the page.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rag.evaluate.report_markup import badge, escape, seconds
from rag.evaluate.report_trace import trace
from rag.evaluate.score import OUTCOME, is_refused, is_right
from rag.evaluate.summarize import UNTYPED

Json = Mapping[str, Any]
# Name, sign and colour; signs and names tell them apart without colour.
OUTCOMES = {
    "right": ("答对", "✓", "good"),
    "partial": ("部分答对", "≈", "doubt"),
    "wrong": ("答错", "✕", "bad"),
    "right_refusal": ("正确拒答", "✓", "calm"),
    "over_refusal": ("误拒", "−", "doubt"),
    "false_answer": ("误答", "!", "bad"),
    "found": ("排第一", "✓", "good"),
    "missed": ("未排第一", "✕", "bad"),
    "error": ("出错", "⚠", "bad"),
    "ungraded": ("未评分", "·", "none"),
}
_WRONG = ("wrong", "over_refusal", "false_answer", "missed")
_REFUSED = ("right_refusal", "over_refusal")
RULE = (
    "每题以正确程度衡量：有要点的看要点覆盖；参考答案较长的看 ROUGE-L，或是否原样写出；其余看回答是否含有参考答案。"
    "满分为答对，一半以上为部分答对，不到一半为答错。误答：资料里没有却作了回答；误拒：资料里有却说没有找到。"
)
# Characters of a passage: whole ones in small runs, the part around the reference answer in large
# ones, so that 3,219 questions stay a file that a browser opens.
_WHOLE, _BRIEF = 1200, 110
_LARGE_RUN = 500


def outcome(row: Json) -> str:
    """The key in `OUTCOMES` of a row of results.jsonl."""
    if row.get("error"):
        return "error"
    answer, metrics = row.get("answer"), row.get("metrics") or {}
    if answer:
        refused = is_refused(answer)
        if not row.get("answerable", True):
            return "right_refusal" if refused else "false_answer"
        if refused:
            return "over_refusal"
    right = is_right(metrics)
    if right is None:
        return "ungraded"
    if not answer:  # a run that only retrieves
        return "found" if right else "missed"
    if not right:
        return "wrong"
    return "right" if metrics.get(OUTCOME, 0) >= 1 else "partial"


def type_of(row: Json) -> str:
    """The type of a row's question, named as in summary.json."""
    return str(row.get("type") or UNTYPED)


def outcome_counts(rows: Iterable[Json]) -> dict[str, tuple[str, int]]:
    """Name and number of rows by outcome, in the order of `OUTCOMES`."""
    counted = Counter(map(outcome, rows))
    return {kind: (OUTCOMES[kind][0], counted[kind]) for kind in OUTCOMES if counted[kind]}


def question_list(rows: Sequence[Json]) -> Iterable[str]:
    """Every question's HTML, in the rows' order."""
    most = _BRIEF if len(rows) > _LARGE_RUN else _WHOLE
    return (_question(number, row, most) for number, row in enumerate(rows, 1))


def filters(rows: Sequence[Json]) -> str:
    """The bar above the list; the page's script shows it, without a script it stays hidden."""
    groups = [_groups(row) for row in rows]
    choices = (("all", "全部"), ("wrong", "不对的"), ("refused", "拒答的"), ("error", "出错的"))
    buttons = "".join(
        f'<label><input type="radio" name="result" value="{value}"{" checked" * (value == "all")}>'
        f"<span>{label} <b>{sum(value in ('all', *group) for group in groups)}</b></span></label>"
        for value, label in choices
    )
    types = sorted({type_of(row) for row in rows})
    options = "".join(f'<option value="{escape(one)}">{escape(one)}</option>' for one in types)
    return (
        '<form id="filters" hidden role="search" aria-label="筛选题目">'
        f'<fieldset><legend class="unseen">按结果</legend>{buttons}</fieldset>'
        f'<select name="type" aria-label="按题型"><option value="">全部题型</option>{options}</select>'
        '<input type="search" name="words" placeholder="搜索题目、回答、资料" aria-label="搜索" '
        'autocomplete="off"><button type="button" name="open">展开所列</button>'
        f'<output name="shown">{len(rows)} 题</output></form>'
    )


def _question(number: int, row: Json, most: int) -> str:
    name, sign, colour = OUTCOMES[outcome(row)]
    total = total_seconds(row)
    time = "" if total is None else f"　{seconds(total)}"
    return (
        f'<details class="q" id="q-{number}" data-is="{" ".join(_groups(row))}" '
        f'data-type="{escape(type_of(row))}">'
        f'<summary><span class="no">{number}</span>{badge(name, sign, colour)}'
        f'<span class="asked">{escape(row.get("question", ""))}</span>'
        f'<span class="side">{escape(type_of(row))}{time}</span></summary>'
        f'<div class="body">{trace(row, most)}</div></details>\n'
    )


def total_seconds(row: Json) -> float | None:
    """How long a question took, None where that was not measured."""
    timings = (row.get("answer") or row).get("timings") or {}
    value: float | None = timings.get("total")
    return value


def _groups(row: Json) -> list[str]:
    """What the filters know a question by."""
    kind = outcome(row)
    members = (("wrong", _WRONG), ("refused", _REFUSED), ("error", ("error",)))
    return [group for group, kinds in members if kind in kinds]
