"""Are citations right? As ALCE asks it, and against gold passages and gold evidence.

ALCE (Gao et al., EMNLP 2023, "Enabling Large Language Models to Generate Text with Citations"):

- Citation recall: the share of statements that are supported by all their cited passages together;
  a statement without citation is not.
- Citation precision: the share of citations that are not irrelevant. A citation is irrelevant if
  its passage alone does not support the statement while the others together still do; where the
  statement is not supported at all, none of its citations counts.

ALCE's judge is an entailment model over English; ours is a callable, by default the product's own
checker (`rag.answer.verify`: quantities literally, words by overlap). It proves less than entailment,
so compare these numbers only with numbers made by the same checker. Statements that claim nothing
(advice to ask the doctor, openings) are left out; ALCE counts every sentence.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rag.answer.verify import verify
from rag.evaluate.questions import Question
from rag.evaluate.reading_comprehension import evidence_f1
from rag.types import Hit, Passage, Sentence, Verdict

Supports = Callable[[str, Sequence[Hit]], bool]
Json = Mapping[str, Any]


def supported_by_words(claim: str, passages: Sequence[Hit]) -> bool:
    """The product's own checker: the passages hold the claim's quantities and enough of its words."""
    if not passages:
        return False
    (checked,) = verify((Sentence(claim),), (), passages)
    return checked.verdict in (Verdict.SUPPORTED, Verdict.NOT_A_CLAIM)


def citation_metrics(
    answer: Json, question: Question, supports: Supports = supported_by_words
) -> dict[str, float]:
    """The metrics of an answer that was given (not of a refusal).

    Args:
        answer: the JSON of `rag.wire.answer_to_json`.
    """
    metrics = alce(answer, supports)
    cited = {citation["document"] for citation in answer["citations"]}
    if question.positives:
        right = sum(c["document"] in question.positives for c in answer["citations"])
        metrics["citation.gold_precision"] = right / max(len(answer["citations"]), 1)
        metrics["citation.gold_recall"] = len(cited & question.positives) / len(question.positives)
    if question.evidence:
        quotes = dict.fromkeys(citation["quote"] for citation in answer["citations"])
        metrics["citation.evidence_f1"] = evidence_f1(question.evidence, "".join(quotes))
    return metrics


def alce(answer: Json, supports: Supports) -> dict[str, float]:
    """ALCE's citation recall and precision; nothing for an answer that claims nothing."""
    passages = {c["mark"]: _passage(c, answer["hits"]) for c in answer["citations"]}
    claims = [s for s in answer["sentences"] if s["verdict"] != Verdict.NOT_A_CLAIM.value]
    if not claims:
        return {}
    supported = useful = total = 0
    for claim in claims:
        cited = [passages[mark] for mark in claim["citations"]]
        total += len(cited)
        if not cited or not supports(claim["text"], cited):
            continue
        supported += 1
        useful += sum(
            supports(claim["text"], [passage])
            or not supports(claim["text"], cited[:place] + cited[place + 1 :])
            for place, passage in enumerate(cited)
        )
    return {
        "citation.recall": supported / len(claims),
        "citation.precision": useful / total if total else 0.0,
    }


def _passage(citation: Json, hits: Sequence[Json]) -> Hit:
    """The retrieved passage that a citation lies in, or its quote where there is none."""
    for hit in hits:
        is_inside = hit["start"] <= citation["start"] and citation["end"] <= hit["end"]
        if hit["document"] == citation["document"] and is_inside:
            return _hit(hit, hit["text"], citation["date"])
    return _hit(citation, citation["quote"], citation["date"])


def _hit(place: Json, text: str, date: str) -> Hit:
    passage = Passage(place["document"], place["start"], place["end"], text, place["heading"])
    return Hit(passage, place["title"], 0.0, date=date)
