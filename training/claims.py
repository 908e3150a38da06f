"""Claims about passages, true and false, made by rules: what the reader learns support from.

The idea is FactCC's (Kryściński et al. 2020, "Evaluating the Factual Consistency of Abstractive
Text Summarization"): a sentence of a passage, put otherwise, is supported by it; the same sentence
with one fact changed is not. A third of the wrong claims is also put otherwise, by the same rules
as the supported ones, so that odd wording tells nothing.

Not covered: what follows by reasoning or by general knowledge, conversion between units, and
claims that need more than one passage. Labels are right by rule, not read by a person.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from rag.answer.numbers import quantities
from rag.chinese import match_form
from rag.sentences import sentence_spans
from training.claim_errors import NUMBER_KINDS, WRONG_RULES
from training.claim_phrases import rephrase
from training.claim_rewrites import (
    change_notation,
    change_script,
    change_words,
    frame,
    merge,
    reorder,
    shorten,
)
from training.claim_text import Context, is_balanced, names

SUPPORTED_PER_PASSAGE = 3
WRONG_PER_PASSAGE = 4
_SHORTEST, _LONGEST = 10, 80
# A third of the wrong claims ends up put otherwise: not every one can be.
_PUT_OTHERWISE = 0.5
_POOL_PASSAGES = 300
_NEIGHBOURS = 4
_HAN = re.compile("[\u4e00-\u9fff]")
# Numerals with the character behind them: 一般 and 一次 are not the same.
_NUMERALS = re.compile(r"[\d零〇一二两三四五六七八九十百千万亿半%％‰.]+.?")

Rewrite = Callable[[str, Random], str | None]
_REWRITES: tuple[tuple[str, float, Rewrite], ...] = (
    ("shortened", 3.0, shorten),
    ("reordered", 4.0, reorder),
    ("notation", 2.0, change_notation),
    ("script", 0.1, change_script),
    ("synonym", 3.0, change_words),
    ("rephrased", 8.0, rephrase),
    ("framed", 0.5, frame),
)
# What is laid over another rewriting, or over an error.
_SURFACE: dict[str, Rewrite] = {
    "shortened": shorten,
    "notation": change_notation,
    "synonym": change_words,
    "rephrased": rephrase,
}


@dataclass(frozen=True, slots=True)
class ClaimPair:
    """A claim about a passage, whether the passage supports it, and the rule that made it."""

    claim: str
    passage: str
    supported: bool
    kind: str


def claim_pairs(passages: Sequence[str], *, seed: int) -> Iterator[ClaimPair]:
    """About three supported and four wrong claims for each passage, in the passages' order.

    The same passages and seed give the same pairs; each further seed gives other ones. Passages
    without a sentence of 10 to 80 characters give none. At least 300 pairs a second on one core,
    after two seconds to load the word list.
    """
    pool = _pool(passages)
    seen: Counter[str] = Counter()
    for index, passage in enumerate(passages):
        # A passage given twice gets other claims the second time.
        random = Random(f"{seed}:{seen[passage]}:{passage}")
        seen[passage] += 1
        sentences = _sentences(passage)
        if not sentences:
            continue
        random.shuffle(sentences)
        context = Context(
            passage, tuple(sentences), pool, _others(passages, index, passage, random)
        )
        yield from _supported(context, random)
        yield from _wrong(context, random)


class Spoiler:
    """Makes claims wrong, or puts them otherwise, that were not taken from their passage.

    ``passages`` are where other names and other facts come from.
    """

    def __init__(self, passages: Sequence[str]) -> None:
        self._passages = passages
        self._pool = _pool(passages)

    def wrong(self, claims: Sequence[str], index: int, random: Random) -> list[str]:
        """Up to `WRONG_PER_PASSAGE` of the ``claims`` about passage ``index`` with one fact
        changed each."""
        passage = self._passages[index]
        context = Context(
            passage,
            tuple(claim.rstrip("。；;") for claim in claims),
            self._pool,
            _others(self._passages, index, passage, random),
        )
        return [pair.claim for pair in _wrong(context, random)]

    def otherwise(self, claim: str, random: Random) -> str:
        """The claim after one more rewriting that applies, numbers kept."""
        return _put_otherwise(claim, random, but=())


def _sentences(passage: str) -> list[str]:
    """The passage's sentences that say something, without the mark that ends them."""
    found = []
    for start, end in sentence_spans(passage):
        text = passage[start:end].rstrip("。；;.").strip(" ，、；")
        if (
            _SHORTEST <= len(text) <= _LONGEST
            and len(_HAN.findall(text)) >= 6
            and not text.endswith(("？", "?", "：", ":", "，", "、"))
            and is_balanced(text)
        ):
            found.append(text)
    return found


def _pool(passages: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Names by kind, from passages spread over all of them."""
    step = max(1, len(passages) // _POOL_PASSAGES)
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for passage in passages[::step]:
        for sentence in _sentences(passage):
            for name in names(sentence):
                found[name.kind][name.text] = None
    return {kind: tuple(texts) for kind, texts in found.items()}


def _others(passages: Sequence[str], index: int, passage: str, random: Random) -> tuple[str, ...]:
    """Sentences of passages near by (often of the same document) and far away, not in this one."""
    near = [index + offset for offset in (-2, -1, 1, 2) if 0 <= index + offset < len(passages)]
    far = [random.randrange(len(passages)) for _ in range(_NEIGHBOURS)]
    found = []
    for other in random.sample(near, min(len(near), 1)) + far[:2]:
        found += [text for text in _sentences(passages[other]) if text not in passage]
    return tuple(found)


def _first_by_weight(weights: Sequence[float], random: Random) -> list[int]:
    """All indices in a random order in which heavier ones tend to come first."""
    keys = [random.random() ** (1 / weight) for weight in weights]
    return sorted(range(len(weights)), key=lambda i: -keys[i])


def _supported(context: Context, random: Random) -> Iterator[ClaimPair]:
    passage = context.passage
    kinds = ["untouched"] if random.random() < 0.45 else []
    if len(context.sentences) > 1 and random.random() < 0.25:
        kinds.append("merged")
    order = _first_by_weight([weight for _, weight, _ in _REWRITES], random)
    made: set[str] = set()
    for kind in kinds:
        claim = context.sentences[0] if kind == "untouched" else _merged(context, random)
        if claim is None:
            continue
        made.add(claim)
        yield ClaimPair(_finish(claim, random, kind), passage, True, kind)
    for index in order:
        kind, _, rewrite = _REWRITES[index]
        for sentence in context.sentences:
            rewritten = rewrite(sentence, random)
            if rewritten is None or not _same_quantities(rewritten, sentence, kind):
                continue
            claim = rewritten
            for chance in (0.45, 0.25):
                if random.random() < chance:
                    claim = _put_otherwise(claim, random, but=(kind,))
            if claim in made:
                continue
            made.add(claim)
            yield ClaimPair(_finish(claim, random, kind), passage, True, kind)
            break
        if len(made) >= SUPPORTED_PER_PASSAGE:
            return


def _merged(context: Context, random: Random) -> str | None:
    """Two sentences that stand next to each other in the passage, as one claim."""
    starts = sorted((context.passage.find(text), text) for text in context.sentences)
    pairs = [
        (first, second)
        for (start, first), (after, second) in pairwise(starts)
        if start + len(first) <= after <= start + len(first) + 2
    ]
    return merge(*random.choice(pairs), random) if pairs else None


def _wrong(context: Context, random: Random) -> Iterator[ClaimPair]:
    plain = _plain(context.passage)
    made = 0
    for index in _first_by_weight([weight for _, weight, _ in WRONG_RULES], random):
        kind, _, rule = WRONG_RULES[index]
        for sentence in context.sentences:
            claim = rule(sentence, context, random)
            if claim is None or claim == sentence or not is_balanced(claim):
                continue
            if random.random() < _PUT_OTHERWISE:
                claim = _on_top(sentence, claim, random)
            if _plain(claim) in plain:
                continue
            if kind in NUMBER_KINDS and not _number_is_wrong(claim, sentence, context.passage):
                continue
            yield ClaimPair(_finish(claim, random, kind), context.passage, False, kind)
            made += 1
            break
        if made >= WRONG_PER_PASSAGE:
            return


def _put_otherwise(claim: str, random: Random, but: tuple[str, ...]) -> str:
    """The claim after one more rewriting that applies, numbers kept."""
    names_of_rewrites = [name for name in _SURFACE if name not in but]
    random.shuffle(names_of_rewrites)
    for name in names_of_rewrites:
        changed = _SURFACE[name](claim, random)
        if changed is not None and _same_quantities(changed, claim, name):
            return changed
    return claim


def _on_top(sentence: str, claim: str, random: Random) -> str:
    """A wrong claim put otherwise; only where the error stays in it."""
    changed = _put_otherwise(claim, random, but=("shortened", "rephrased"))
    shorter = random.choice((shorten, rephrase, rephrase)) if random.random() < 0.6 else None
    shortened = shorter(changed, random) if shorter else None
    # What shortening took away may have been the error: the rest must not be a rest of the truth.
    if shortened is not None and not _is_subsequence(_plain(shortened), _plain(sentence)):
        kept = [part for part in re.split("[，,]", claim) if part not in sentence]
        if all(part in shortened for part in kept):
            return shortened
    return changed


def _is_subsequence(short: str, long: str) -> bool:
    characters = iter(long)
    return all(character in characters for character in short)


def _finish(claim: str, random: Random, kind: str) -> str:
    """What right and wrong claims get alike: an answer's phrasing, another script, a full stop."""
    if kind not in ("framed", "untouched") and random.random() < 0.15:
        claim = frame(claim, random) or claim
    if kind not in ("script", "untouched") and random.random() < 0.05:
        claim = change_script(claim, random) or claim
    return claim + "。" if claim[-1] not in "。]】？！?!" and random.random() < 0.75 else claim


def _plain(text: str) -> str:
    return re.sub(r"[\s。；;，,]", "", match_form(text))


def _keys(text: str) -> Counter[tuple[object, ...]]:
    """The quantities of a text, their places and their wording aside."""
    return Counter((q.kind, q.values, q.unit) for q in quantities(text))


def _same_quantities(claim: str, sentence: str, kind: str) -> bool:
    """Whether no quantity was lost or won; a shorter claim may have fewer."""
    if kind == "framed" or _NUMERALS.findall(claim) == _NUMERALS.findall(sentence):
        return True
    after, before = _keys(claim), _keys(sentence)
    return after <= before if kind in ("shortened", "rephrased") else after == before


def _number_is_wrong(claim: str, sentence: str, passage: str) -> bool:
    """Whether a change of a number is one that the comparison of quantities sees."""
    after, before = _keys(claim), _keys(sentence)
    new = after - before
    # Where all its numbers stand in the passage they must at least stand for something else.
    return bool(new) and (bool(new - _keys(passage)) or len(new) <= len(before - after))
