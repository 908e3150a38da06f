"""What each metric is called and what it means, in plain Chinese, and how its values are written.

Definitions and sources stand where the metrics are computed; this is for people who read results.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

_K = re.compile(r"^(?P<base>.+)@(?P<k>\d+)$")


@dataclass(frozen=True, slots=True)
class MetricText:
    """``is_rate``: a share, shown in per cent."""

    label: str
    explanation: str = ""
    is_lower_better: bool = False
    is_rate: bool = True


GROUPS = {
    "outcome": "总体",
    "answer": "回答",
    "abstain": "拒答",
    "citation": "引用",
    "retrieval.passage": "检索（按含答案的段落）",
    "retrieval.document": "检索（按文档）",
    "rgb": "RGB 四种能力",
    "": "其他",
}
_TEXTS = {
    "outcome.correct": MetricText(
        "正确率",
        "每题的正确程度的平均：应当拒答的题，拒答为对；其余按要点覆盖、ROUGE-L 或是否含有参考答案计；误拒和出错计 0。",
    ),
    "answer.contains": MetricText("含参考答案", "回答里一字不差地写出了某个参考答案的题所占比例。"),
    "answer.text_f1": MetricText(
        "全文字符 F1", "整段回答与参考答案的重合程度；字符 F1 只看其中的答案片段。"
    ),
    "answer.exact_match": MetricText(
        "完全一致", "去掉标点和空格后，回答与某个参考答案一字不差的题所占比例。"
    ),
    "answer.f1": MetricText(
        "字符 F1",
        "回答与参考答案最长公共片段的重合程度，按字计算（CMRC2018 的算法）；答得过长也会降低。",
    ),
    "answer.rouge_l": MetricText(
        "ROUGE-L", "回答与参考答案的最长公共子序列的重合程度，适合看较长的回答。"
    ),
    "answer.key_facts": MetricText("要点覆盖", "参考答案里的要点有多少写进了回答。"),
    "answer.numeric_accuracy": MetricText(
        "数值准确", "参考答案中的数字、剂量、日期，回答里写对了多少。"
    ),
    "citation.precision": MetricText(
        "引用精确率", "回答给出的引用中，确实支持所在句子的占多少（ALCE）。"
    ),
    "citation.recall": MetricText(
        "引用召回率", "回答的句子中，能被自己的引用完全支持的占多少（ALCE）。"
    ),
    "citation.gold_precision": MetricText("引用命中率", "回答引用的段落中，属于标准段落的占多少。"),
    "citation.gold_recall": MetricText("标准段落覆盖", "标准段落中，被回答引用到的占多少。"),
    "citation.evidence_f1": MetricText(
        "依据重合 F1", "引用的原文与人工标注的依据句子，按字计算的重合程度。"
    ),
    "abstain.precision": MetricText("拒答精确率", "所有拒答中，本就应当拒答的占多少。"),
    "abstain.recall": MetricText("拒答召回率", "应当拒答的题中，确实拒答的占多少。"),
    "abstain.f1": MetricText("拒答 F1", "拒答精确率与召回率的调和平均。"),
    "abstain.false_answer_rate": MetricText(
        "误答率", "资料里没有答案，却作了回答的题所占比例。", is_lower_better=True
    ),
    "abstain.over_refusal_rate": MetricText(
        "误拒率", "资料里有答案，却说没有找到的题所占比例。", is_lower_better=True
    ),
    "abstain.aurc": MetricText(
        "风险曲线下面积",
        "按把握从高到低逐题作答，一路上答错的比例的平均；越小，说明有把握的题越可信。",
        is_lower_better=True,
        is_rate=False,
    ),
    "recall": MetricText("召回率@{k}", "前 {k} 段里找到的标准答案出处占全部出处的多少。"),
    "hit": MetricText("命中率@{k}", "前 {k} 段里至少有一处标准出处的题所占比例。"),
    "mrr": MetricText(
        "MRR@{k}", "第一处标准出处排在第几位，取倒数再平均：总排第一为 100%，总排第二为 50%。"
    ),
    "ndcg": MetricText("nDCG@{k}", "前 {k} 段的排序质量：标准出处越靠前越高，排得最好为 100%。"),
    "rgb.noise_robustness": MetricText("抗干扰", "混入无关资料时仍能答对的比例。"),
    "rgb.negative_rejection": MetricText("该拒则拒", "资料里都没有答案时，确实拒答的比例。"),
    "rgb.information_integration": MetricText("信息整合", "答案分散在几份资料时能答对的比例。"),
    "rgb.counterfactual_robustness": MetricText(
        "抗谬误", "资料写错时，既指出错误又给出正确答案的比例。"
    ),
    "rgb.error_detection_rate": MetricText("发现错误", "资料写错时指出了错误的比例。"),
    "rgb.error_correction_rate": MetricText("纠正错误", "指出了错误的题中，又给出正确答案的比例。"),
}


def describe(metric: str) -> MetricText:
    """The texts of a metric; one that is not known keeps its own name."""
    if metric in _TEXTS:
        return _TEXTS[metric]
    if found := _K.match(metric):
        text = _TEXTS.get(found["base"].rpartition(".")[2])
        if text is not None:
            k = found["k"]
            return MetricText(text.label.format(k=k), text.explanation.format(k=k))
    return MetricText(metric)


def group_of(metric: str) -> str:
    """The key in `GROUPS` that a metric belongs to."""
    return next((group for group in GROUPS if group and metric.startswith(f"{group}.")), "")


def ordered(metrics: Iterable[str]) -> list[str]:
    """By group, then as the texts stand here, then by k; unknown ones last, by name."""
    groups, texts = list(GROUPS), list(_TEXTS)

    def place(metric: str) -> tuple[int, int, int, str]:
        found = _K.match(metric)
        known = found["base"].rpartition(".")[2] if found else metric
        rank = texts.index(known) if known in texts else len(texts)
        return groups.index(group_of(metric)), rank, int(found["k"]) if found else 0, metric

    return sorted(metrics, key=place)


def show(metric: str, value: float | None) -> str:
    """A value as a person reads it: rates in per cent, others with three decimals."""
    if value is None or not math.isfinite(value):
        return "—"
    if not describe(metric).is_rate:
        return f"{value:.3f}"
    return f"{100 * value:.1f}%"


def show_interval(metric: str, low: float | None, high: float | None) -> str:
    """``81.2%–87.0%``; "—" without an interval."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return "—"
    return f"{show(metric, low)}–{show(metric, high)}"
