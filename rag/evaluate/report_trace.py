"""What happened to one question, as HTML: the answer with its checks, what was found, what it took."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rag.evaluate.answer_metrics import comparable
from rag.evaluate.metric_texts import describe, ordered, show
from rag.evaluate.report_markup import badge, escape, passage, seconds, table, tree
from rag.evaluate.report_tables import STAGES, UNITS, opinion
from rag.types import State, Verdict

Json = Mapping[str, Any]
_STATES = {
    State.ANSWERED.value: "已回答",
    State.UNCERTAIN.value: "不确定",
    State.NOT_FOUND.value: "资料中未找到",
}
_VERDICTS = {
    Verdict.SUPPORTED.value: ("有依据", "✓", "good"),
    Verdict.NUMBER_MISMATCH.value: ("数字不符", "≠", "bad"),
    Verdict.UNSUPPORTED.value: ("无依据", "✕", "bad"),
    Verdict.NOT_A_CLAIM.value: ("非陈述", "−", "none"),
    Verdict.UNCHECKED.value: ("未核对", "?", "doubt"),
}
_ABILITIES = {
    "noise": "抗干扰",
    "rejection": "该拒则拒",
    "integration": "信息整合",
    "counterfactual": "抗谬误",
}
_SCORES = (("融合", "score", 3), ("稠密", "dense", 3), ("关键词", "keyword", 2))
# Passages further down are shown only if they are cited, marked as right, or hold the answer.
_HITS = 6


def trace(row: Json, most: int) -> str:
    """Everything known of a question; passages and quotes are cut to about ``most`` characters."""
    answer = row.get("answer") or {}
    failure = ""
    if row.get("error"):
        failure = f'<p class="failure"><b>运行出错：</b>{escape(row["error"])}</p>'
    judged = ""
    if row.get("judge"):
        judged = (
            f'<h4>模型评审 <span class="tag">不计入指标</span></h4>{tree(opinion(row["judge"]))}'
        )
    said = _answer(answer, most) + _gold(row, most) + _citations(answer, most)
    return (
        f'<p class="small">编号 <code>{escape(row.get("id", ""))}</code>{_asked(row, answer)}</p>'
        f'{failure}<div class="two"><div>{said}</div><aside>{_measures(row, answer)}</aside>'
        f"<div>{_hits(row, answer, most)}{judged}</div></div>"
    )


def _answer(answer: Json, most: int) -> str:
    if not answer:
        return ""
    state = _STATES.get(str(answer.get("state")), str(answer.get("state")))
    body = "".join(map(_sentence, answer.get("sentences") or ()))
    if not body:
        body = f'<p class="said">{escape(answer.get("text", ""))}</p>'
    if answer.get("span"):
        body += f'<p class="small">答案片段：<mark>{escape(answer["span"])}</mark></p>'
    notices = "".join(f'<p class="notice">{escape(one)}</p>' for one in answer.get("notices") or ())
    thought = ""
    if answer.get("thinking"):
        thought = (
            '<details class="more"><summary>模型的思考过程（不是回答）</summary>'
            f'<p class="said">{passage(answer["thinking"], (), 10 * most)}</p></details>'
        )
    return f'<h4>回答 <span class="tag">{escape(state)}</span></h4>{thought}{body}{notices}'


def _sentence(sentence: Json) -> str:
    verdict = str(sentence.get("verdict"))
    name, sign, colour = _VERDICTS.get(verdict, (verdict, "?", "none"))
    marks = "".join(f"[{mark}]" for mark in sentence.get("citations") or ())
    why = "；".join(map(str, sentence.get("reasons") or ()))
    if not why and sentence.get("mismatches"):
        why = f"引用中没有：{'、'.join(map(str, sentence['mismatches']))}"
    reason = f'<span class="reason">{escape(why)}</span>' if why else ""
    return (
        f'<p class="said {colour}">{badge(name, sign, colour)}<span>{escape(sentence.get("text", ""))}'
        f'</span><span class="marks">{escape(marks)}</span>{reason}</p>'
    )


def _gold(row: Json, most: int) -> str:
    answers = dict.fromkeys(row.get("answers") or ())
    parts = [("", text, 4 * most) for text in answers]
    parts += [("要点：", fact, most) for fact in row.get("key_facts") or () if fact not in answers]
    parts += [("依据：", text, most) for text in row.get("evidence") or ()]
    listed = "".join(
        f'<li class="gold">{label}{passage(str(text), (), longest)}</li>'
        for label, text, longest in parts
    )
    if not row.get("answerable", True):
        refuse = '<p class="small">资料中没有答案，应当拒答。</p>'
        return f"<h4>参考答案</h4>{refuse}<ul>{listed}</ul>"
    return f"<h4>参考答案</h4><ul>{listed}</ul>" if listed else ""


def _citations(answer: Json, most: int) -> str:
    said = {str(sentence.get("text")) for sentence in answer.get("sentences") or ()}
    parts = []
    for one in answer.get("citations") or ():
        quote = str(one.get("quote", ""))
        # An extract quotes itself: not printed twice.
        shown = "" if quote in said else f"<q>{passage(quote, (), 2 * most)}</q>"
        parts.append(f"<li><b>[{escape(one.get('mark', ''))}]</b> {_place(one)} {shown}</li>")
    return f'<h4>引用</h4><ul class="cited">{"".join(parts)}</ul>' if parts else ""


def _hits(row: Json, answer: Json, most: int) -> str:
    """What was found: a run that only retrieves keeps it beside the answer that it lacks."""
    hits: Sequence[Json] = answer.get("hits") or row.get("hits") or ()
    if not hits and row.get("error"):
        return ""
    gold = [str(text) for text in row.get("answers") or ()] if row.get("answerable", True) else []
    parts = []
    for rank, hit in enumerate(hits, 1):
        flags = list(_flags(hit, row, answer, gold))
        if rank > _HITS and not flags:
            continue
        scores = "".join(
            f"<span>{label} <b>{hit[key]:.{decimals}f}</b></span>"
            for label, key, decimals in _SCORES
            if hit.get(key) is not None
        )
        tags = "".join(f'<span class="tag">{flag}</span>' for flag in flags)
        parts.append(
            f'<li value="{rank}"><p class="at">{_place(hit)}{tags}<span class="scores">{scores}'
            f'</span></p><p class="said">{passage(str(hit.get("text", "")), gold, most)}</p></li>'
        )
    left = len(hits) - len(parts)
    note = f'<p class="small">另有 {left} 段排名靠后，未列出，见 results.jsonl。</p>'
    body = f'<ol class="hits">{"".join(parts)}</ol>{note if left else ""}'
    empty = '<p class="empty">没有检索到段落。</p>'
    return (
        f'<h4>检索到的段落 <span class="tag">{len(hits)} 段</span></h4>{body if parts else empty}'
    )


def _flags(hit: Json, row: Json, answer: Json, gold: Sequence[str]) -> Iterator[str]:
    if hit.get("document") in (row.get("positive_ids") or ()):
        yield "标准文档"
    text = str(hit.get("text", ""))
    if gold and any(one in text or comparable(one) in comparable(text) for one in gold if one):
        yield "含参考答案"
    for one in answer.get("citations") or ():
        is_same = one.get("document") == hit.get("document")
        if is_same and one["start"] < hit["end"] and hit["start"] < one["end"]:
            yield "被引用"
            return


def _measures(row: Json, answer: Json) -> str:
    metrics = row.get("metrics") or {}
    timings = answer.get("timings") or row.get("timings") or {}
    used: list[tuple[str, Any]] = []
    if answer:
        used = [
            ("把握", f"{100 * answer.get('confidence', 0):.0f}%"),
            ("提示词元", answer.get("prompt_tokens") or "未用模型"),
            ("未放入提示的段落", answer.get("trimmed", 0)),
            ("输出词元", answer.get("output_tokens", 0)),
            ("模型", answer.get("model", "")),
        ]
    used += [(STAGES.get(name, name), seconds(value)) for name, value in timings.items()]
    measured = [
        (describe(name).label, show(name, value))
        for name, value in ((name, metrics[name]) for name in ordered(metrics))
        if not name.startswith("retrieval.")
    ]
    return _pairs("用量与用时", used) + _pairs("本题指标", measured) + _retrieval(metrics)


def _pairs(title: str, pairs: Sequence[tuple[str, Any]]) -> str:
    items = "".join(f"<li>{escape(name)}<b>{escape(value)}</b></li>" for name, value in pairs)
    return f'<h4>{title}</h4><ul class="pairs">{items}</ul>' if pairs else ""


def _retrieval(metrics: Json) -> str:
    """The retrieval metrics, one column for documents and one for passages."""
    named = [name.split(".", 2) for name in ordered(metrics) if name.startswith("retrieval.")]
    units = [unit for unit in UNITS if any(one[1] == unit for one in named)]
    rows = (
        (
            escape(describe(measure).label),
            *(show(measure, metrics.get(f"retrieval.{unit}.{measure}")) for unit in units),
        )
        for measure in dict.fromkeys(one[2] for one in named)
    )
    return table(("检索", *(UNITS[unit] for unit in units)), rows, "found") if units else ""


def _asked(row: Json, answer: Json) -> str:
    searched = answer.get("search_question") or ""
    abilities = "、".join(_ABILITIES.get(one, one) for one in row.get("abilities") or ())
    asked = f"　检索用语：{escape(searched)}" if searched not in ("", row.get("question")) else ""
    return asked + (f"　考查：{escape(abilities)}" if abilities else "")


def _place(one: Json) -> str:
    title, heading = str(one.get("title") or one.get("document")), str(one.get("heading") or "")
    # A document's first heading is often its title.
    parts = [heading] if heading.startswith(title) else [title, heading]
    if one.get("page"):
        parts.append(f"第 {one['page']} 页")
    return f'<span class="place">{escape(" · ".join(filter(None, parts)))}</span>'
