"""Retrieval metrics through ir-measures, by document and by answer-bearing passage.

- recall@k: relevant ones among the first k, as a share of all relevant ones.
- hit@k: 1 if any of the first k is relevant (Success@k in TREC's terms).
- mrr@10: 1 / rank of the first relevant one, 0 beyond rank 10 (Voorhees 1999).
- ndcg@10: discounted gain over that of the ideal order (Järvelin & Kekäläinen 2002), binary gain.

By document, documents are ranked by their best passage and ``positive_ids`` are relevant. By
passage, a passage is relevant if its document is and it holds one of the answers in
`rag.chinese.match_form`; a question whose answers stand in no passage word for word has no passage
metrics. Both rankings come from the search alone, deeper than what the answer is made from.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from rag.evaluate.answer_metrics import comparable
from rag.retrieve.index import CorpusIndex

DEPTH = 10
CUTOFFS = (1, 3, 5, 10)
_BATCH = 500


class AnswerPassages:
    """Finds, in one index, the passages of given documents that hold a text."""

    def __init__(self, index: CorpusIndex, documents: Collection[str]) -> None:
        self._passages: dict[str, list[tuple[str, str]]] = {name: [] for name in documents}
        ids = index.keyword.ids.tolist()
        for start in range(0, len(ids), _BATCH):
            found = index.documents.passages(ids[start : start + _BATCH])
            for number, passage in found.items():
                if passage.document in self._passages:
                    kept = (str(number), comparable(passage.text))
                    self._passages[passage.document].append(kept)

    def holding(self, answers: Sequence[str], documents: Collection[str]) -> set[str]:
        """Ids of the passages of ``documents`` that hold one of ``answers``."""
        wanted = [form for answer in answers if (form := comparable(answer))]
        return {
            number
            for name in documents
            for number, text in self._passages.get(name, ())
            if any(form in text for form in wanted)
        }


def ranking_metrics(
    unit: str, relevant: Collection[str], ranking: Sequence[str]
) -> dict[str, float]:
    """``retrieval.<unit>.…`` of one question.

    Args:
        relevant: what should be found, at least one.
        ranking: what was found, best first, each once.
    """
    import ir_measures

    wanted: Mapping[str, int] = dict.fromkeys(relevant, 1)
    # Scores only carry the order.
    scores = {name: float(len(ranking) - place) for place, name in enumerate(ranking)}
    measures = _measures()
    found = ir_measures.calc_aggregate(list(measures), {"q": wanted}, {"q": scores})
    return {f"retrieval.{unit}.{name}": float(found[measure]) for measure, name in measures.items()}


def recalls(relevant: Collection[str], ranking: Sequence[str]) -> list[float]:
    """recall@1 to recall@10, for the curve."""
    found = 0
    curve = []
    for place in range(DEPTH):
        found += place < len(ranking) and ranking[place] in relevant
        curve.append(round(found / len(relevant), 6))
    return curve


@lru_cache(maxsize=1)
def _measures() -> dict[Any, str]:
    from ir_measures import RR, R, Success, nDCG

    measures = {R @ k: f"recall@{k}" for k in CUTOFFS}
    measures |= {Success @ k: f"hit@{k}" for k in CUTOFFS}
    return measures | {RR @ DEPTH: f"mrr@{DEPTH}", nDCG @ DEPTH: f"ndcg@{DEPTH}"}
