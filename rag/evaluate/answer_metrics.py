"""What an answer's words are worth beside its references: containment, ROUGE-L, facts, numbers.

All compare in `rag.chinese.match_form` without white space, so that width, case and script do not
count, and all are in [0, 1]. Exact match and F1 as published are in
`rag.evaluate.reading_comprehension`.
"""

from collections.abc import Mapping, Sequence

from rag.answer.numbers import quantities, without_quantities
from rag.answer.verify import missing_quantities
from rag.chinese import match_form
from rag.evaluate import reading_comprehension

# From how many characters on a reference is an explanation, to be scored by ROUGE-L.
LONG_REFERENCE = 30
ALTERNATIVE = "|"


def answer_metrics(
    text: str,
    *,
    answers: Sequence[str],
    key_facts: Sequence[str],
    span: str = "",
) -> dict[str, float]:
    """Every metric that applies to a question with these references.

    Args:
        text: the answer without marks; "" for one that was refused or failed, which scores 0.
        span: the words that answer, where the assistant names them: exact match and F1 are of
            them then, and ``answer.text_f1`` of the whole text.
    """
    metrics: dict[str, float] = {}
    if answers:
        prediction = span or text
        metrics["answer.exact_match"] = reading_comprehension.exact_match(answers, prediction)
        metrics["answer.f1"] = reading_comprehension.f1(answers, prediction)
        metrics["answer.text_f1"] = (
            reading_comprehension.f1(answers, text) if span else metrics["answer.f1"]
        )
        metrics["answer.contains"] = contains(answers, text)
        if max(map(len, answers)) >= LONG_REFERENCE:
            metrics["answer.rouge_l"] = rouge_l(answers, text)
        numeric = numeric_accuracy(answers, text)
        if numeric is not None:
            metrics["answer.numeric_accuracy"] = numeric
    if key_facts:
        metrics["answer.key_facts"] = key_fact_coverage(key_facts, text)
    return metrics


def correctness(metrics: Mapping[str, float]) -> float | None:
    """How right an answer is, by the measure that fits its references best; None without any.

    Key facts where there are some; ROUGE-L for long references that do not stand in the answer
    word for word; else whether the answer holds one.
    """
    if "answer.key_facts" in metrics:
        return metrics["answer.key_facts"]
    if "answer.rouge_l" in metrics:
        return max(metrics["answer.rouge_l"], metrics["answer.contains"])
    return metrics.get("answer.contains")


def contains(answers: Sequence[str], text: str) -> float:
    """1.0 if the text holds an answer word for word (RGB's accuracy, Chen et al. 2024)."""
    said = comparable(text)
    return float(any(comparable(answer) in said for answer in answers))


def rouge_l(answers: Sequence[str], text: str) -> float:
    """ROUGE-L (Lin 2004) over characters, F with beta 1, the best of the references.

    With L the length of the longest common subsequence: F = 2 L / (len(answer) + len(text)).
    """
    said = comparable(text)
    best = 0.0
    for answer in map(comparable, answers):
        if answer and said:
            shared = longest_common_subsequence(answer, said)
            best = max(best, 2 * shared / (len(answer) + len(said)))
    return best


def longest_common_subsequence(first: str, second: str) -> int:
    """Its length, in one step a character of ``second``: the row of the table is one integer.

    Hyyrö (2004), "Bit-parallel LCS-length computation revisited".
    """
    places: dict[str, int] = {}
    for index, character in enumerate(first):
        places[character] = places.get(character, 0) | 1 << index
    full = (1 << len(first)) - 1
    row = full
    for character in second:
        found = row & places.get(character, 0)
        row = ((row + found) | (row - found)) & full
    return len(first) - row.bit_count()


def key_fact_coverage(key_facts: Sequence[str], text: str) -> float:
    """The share of facts that the text states: word for word, or with the same quantities in
    another spelling (六千七百一十亿 for 6710亿). ``a|b`` is one fact in two wordings."""
    said = comparable(text)
    stated = [
        any(_states(wording, said, text) for wording in fact.split(ALTERNATIVE) if wording.strip())
        for fact in key_facts
    ]
    return sum(stated) / len(stated)


def numeric_accuracy(answers: Sequence[str], text: str) -> float | None:
    """The share of a reference's quantities that the text has (`rag.answer.numbers`), the best of
    the references; None when no reference holds one."""
    best: float | None = None
    for answer in answers:
        wanted = dict.fromkeys(quantity.text for quantity in quantities(answer))
        if wanted:
            share = 1 - len(missing_quantities(answer, [text])) / len(wanted)
            best = max(share, best or 0.0)
    return best


def comparable(text: str) -> str:
    """The form in which texts are compared here."""
    return "".join(match_form(text).split())


def _states(fact: str, said: str, text: str) -> bool:
    if comparable(fact) in said:
        return True
    if not quantities(fact) or missing_quantities(fact, [text]):
        return False
    return all(comparable(words) in said for words in without_quantities(fact).split())
