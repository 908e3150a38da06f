"""The four abilities of RGB (Chen et al., AAAI 2024, "Benchmarking Large Language Models in
Retrieval-Augmented Generation"), as marks that a question of any set can carry.

========================  =============================================================
noise                     accuracy: the answer holds a reference though noise stands beside it
rejection                 rejection rate: nothing is answered where only noise is there
integration               accuracy: the answer holds every part (``key_facts``)
counterfactual            error detection rate: the answer says that the documents err; error
                          correction rate: of those, the share that hold the true answer; and
                          (ours) the share of all that do both
========================  =============================================================

The paper asks with the passages given; here they come from the index, so the set's corpus has to
hold the noise or the false statements. A rejection is our state 资料中未找到 (the paper looks for
the phrase 信息不足). The paper finds detections by the phrase 事实性错误; `says_documents_err`
takes other wordings of it too.
"""

import re
from collections.abc import Iterable

NOISE, REJECTION, INTEGRATION, COUNTERFACTUAL = (
    "noise",
    "rejection",
    "integration",
    "counterfactual",
)
ABILITIES = (NOISE, REJECTION, INTEGRATION, COUNTERFACTUAL)

_ERRS = re.compile(
    r"事实性?错误|与事实不[符一]|(?:资料|文档|文中|原文|内容|记载|说法|数据).{0,12}?"
    r"(?:有误|错误|不正确|不准确|不符|相互?矛盾|自相矛盾|不一致)"
)


def abilities_of(kind: str, marked: Iterable[str]) -> tuple[str, ...]:
    """The abilities a question tests: those it is marked with, and its type where it is one."""
    return tuple(ability for ability in ABILITIES if ability == kind or ability in marked)


def says_documents_err(text: str) -> bool:
    """Does an answer say that the documents are wrong or contradict each other?"""
    return _ERRS.search(text) is not None


def ability_metrics(
    abilities: Iterable[str], *, text: str, is_refused: bool, is_correct: bool
) -> dict[str, float]:
    """The paper's metrics for one question, each 0 or 1; their means are the paper's rates.

    Args:
        is_correct: the answer holds a reference, or every part of one.
    """
    metrics = {}
    for ability in abilities:
        if ability == NOISE:
            metrics["rgb.noise_robustness"] = float(is_correct)
        elif ability == REJECTION:
            metrics["rgb.negative_rejection"] = float(is_refused)
        elif ability == INTEGRATION:
            metrics["rgb.information_integration"] = float(is_correct)
        else:
            is_detected = not is_refused and says_documents_err(text)
            metrics["rgb.error_detection_rate"] = float(is_detected)
            metrics["rgb.counterfactual_robustness"] = float(is_detected and is_correct)
            if is_detected:
                metrics["rgb.error_correction_rate"] = float(is_correct)
    return metrics
