"""Exact match and F1 as the scorers of two Chinese reading-comprehension sets define them.

- `exact_match` and `f1`: CMRC 2018 (Cui et al., EMNLP-IJCNLP 2019; cmrc2018_evaluate.py v5). A text
  becomes Chinese characters and the tokens of whatever stands between them (NLTK's word tokenizer);
  F1 is over the longest run of tokens that both texts share, so scattered agreement counts little.
- `evidence_f1`: ExpMRC (Cui et al., Heliyon 2022; eval_expmrc.py). The same tokens, compared as
  bags, as in SQuAD.

Scores are in [0, 1], the best over the references; the scripts print percentages. Of several
references the scripts take the best. Neither normalizes width or script: neither do we.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

# The scripts' own list; their "……" is two characters and so never equals one of them.
_PUNCTUATION = frozenset("-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")
_HAN = re.compile("[\u4e00-\u9fa5]")
_ARTICLES = frozenset({"a", "an", "the"})


def exact_match(answers: Sequence[str], prediction: str) -> float:
    """1.0 if the prediction equals an answer but for case, outer space and punctuation."""
    wanted = _without_punctuation(prediction)
    return float(any(_without_punctuation(answer) == wanted for answer in answers))


def f1(answers: Sequence[str], prediction: str) -> float:
    """Harmonic mean of the shared run's share of the prediction and of the answer."""
    said = _tokens(prediction.lower(), keep_punctuation=False)
    return max(
        (_run_f1(_tokens(a.lower(), keep_punctuation=False), said) for a in answers), default=0.0
    )


def evidence_f1(evidence: Sequence[str], prediction: str) -> float:
    """Bag-of-tokens F1 of the cited text and the best gold span."""
    said = _bare(prediction)
    return max((_bag_f1(_bare(span), said) for span in evidence), default=0.0)


def longest_shared_run(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest contiguous run of tokens that both hold."""
    places: dict[str, list[int]] = {}
    for index, token in enumerate(second):
        places.setdefault(token, []).append(index)
    best = 0
    ends: dict[int, int] = {}
    for token in first:
        ends = {index: ends.get(index - 1, 0) + 1 for index in places.get(token, ())}
        best = max(best, max(ends.values(), default=0))
    return best


def _run_f1(answer: Sequence[str], said: Sequence[str]) -> float:
    shared = longest_shared_run(answer, said)
    return _harmonic(shared, len(said), len(answer))


def _bag_f1(gold: Sequence[str], said: Sequence[str]) -> float:
    if not gold or not said:
        return float(gold == said)
    return _harmonic(sum((Counter(gold) & Counter(said)).values()), len(said), len(gold))


def _harmonic(shared: int, said: int, wanted: int) -> float:
    # 2pr / (p + r) with p = shared / said and r = shared / wanted
    return 2 * shared / (said + wanted) if shared else 0.0


def _without_punctuation(text: str) -> str:
    return "".join(c for c in text.lower().strip() if c not in _PUNCTUATION)


def _bare(text: str) -> list[str]:
    dropped = _PUNCTUATION | frozenset(string.punctuation) | _ARTICLES
    return [t.lower() for t in _tokens(text, keep_punctuation=True) if t not in dropped]


def _tokens(text: str, *, keep_punctuation: bool) -> list[str]:
    """Chinese characters one by one, and the words between them.

    Dropped punctuation does not part words (``10-20`` is ``1020``), as in the script.
    """
    tokens: list[str] = []
    between = ""
    for character in text.strip():
        is_punctuation = character in _PUNCTUATION
        if is_punctuation and not keep_punctuation:
            continue
        if is_punctuation or _HAN.match(character):
            tokens.extend(_words(between))
            tokens.append(character)
            between = ""
        else:
            between += character
    tokens.extend(_words(between))
    return tokens


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    if not text or text.isspace() or text.isdigit():
        return tuple(text.split())
    return tuple(_word_tokenizer()(text))


@lru_cache(maxsize=1)
def _word_tokenizer() -> Callable[[str], list[str]]:
    """``nltk.word_tokenize``, with the sentence model that llama-index brings: no download."""
    import nltk

    found = find_spec("llama_index.core")
    origin = found.origin if found is not None else None
    folder = str(Path(origin or "").parent / "_static" / "nltk_cache")
    if folder not in nltk.data.path:  # NLTK reads no other folders
        nltk.data.path.append(folder)
    tokenize: Callable[[str], list[str]] = nltk.word_tokenize
    return tokenize
