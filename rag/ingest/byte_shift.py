"""Repair of GBK text that was read one byte late.

A GBK character is two bytes. When the first byte of a character is lost, every pair behind it is
read across the boundary, `。”再如` becomes `！痹偃` and a broken byte at each end, until the
reading falls back into step: at a byte that cannot be read (left as ``?`` or U+FFFD), or where a
second byte is itself ASCII. Two tools leave this behind:

- decoders that replace what they cannot read: ``?！痹偃?``;
- pinyin annotators that work on bytes and match across two characters. In `夠對` the bytes F28C
  between the two are also 驅, so ``(qū)`` was put there: 8C and the bracket could not be read,
  ``夠?qū)ξ…``. The gloss says which byte is missing.

The repair encodes the run, puts one byte back in front (and one behind, where the run ends in a
mark), and decodes. All characters but the first and the last follow from the bytes that are
there; nothing happens unless the whole run decodes and reads far better as Chinese than what
stands there (`rag.ingest.fluency`). The missing bytes themselves are chosen by the text around
them and by what else the document says. Where that does not decide clearly, U+FFFD stands for the
one character that is lost: a guess would put words into a clinical document.

Not covered: bytes lost from UTF-8 or Big5, more than one byte lost at one place, runs of which
fewer than three characters are certain when an end cannot be told.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rag.ingest.fluency import chinese, simplify
from rag.offsets import Edit

_LOST = "?？\ufffd"
_CONTEXT = 6
_WINDOW = 24
_LONGEST_RUN = 2000
_SHORTEST_CERTAIN = 3
_UNKNOWN = "\ufffd"
# In natural log odds: what a repair must gain over what stands there after paying for each byte
# it was free to choose; the lead of the best character over the next best (a gloss has already
# said most); what a pair of characters counts that the document holds elsewhere.
_GAIN = 8.0
_MARGIN = 3.0
_MARGIN_OF_A_GLOSS = 0.5
_MARGIN_OF_A_START = 2.0
# What the certain part must reach for each of its characters; running text has about -5.5.
_LEAST_LIKELY = -9.0
_PAIR = 1.5
# A line of prose ends in one of these far more often than in a comma.
_LINE_ENDS = {"。": 5.5, "！": 2.5, "？": 2.5, "；": 2.5, "”": 2.5}
_COST_OF_A_BYTE = 4.8
_TO_FULL_WIDTH = {mark: chr(ord(mark) + 0xFEE0) for mark in ",.:;?!()"}
_LEADS = tuple(bytes([byte]) for byte in range(0x81, 0xFF))
_TRAILS = tuple(bytes([byte]) for byte in range(0x40, 0xFF) if byte != 0x7F)

_MARKED = re.compile(rf"[{_LOST}](?=[^\s{_LOST}\x00-\x20])")
_GLOSS_REMNANT = re.compile(r"[?？\ufffd]([a-zāáǎàōóǒòēéěèīíǐìūúǔùüǖǘǚǜńňǹḿ]{1,7})[)）]")


@dataclass(frozen=True, slots=True)
class _Run:
    """One way to read on from ``start``: ``middle`` is certain, the two ends may miss a byte."""

    start: int
    end: int
    head_trail: bytes
    middle: str
    tail_lead: bytes


@dataclass(frozen=True, slots=True)
class _Repair:
    gain: float
    start: int
    end: int
    replacement: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a repair may begin: pairs (start of the edit, start of the misread text), and the
    bytes that can be missing there."""

    starts: tuple[tuple[int, int], ...]
    leads: tuple[bytes, ...]


class _Evidence:
    """What a choice rests on: the model of Chinese and the pairs of characters in the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pairs: Counter[str] | None = None

    def score(self, text: str) -> float:
        return chinese().score(text)

    def choose(self, before: str, characters: list[str], after: str) -> tuple[str, float]:
        """The most likely character between two contexts, and its lead over the next best."""
        if self._pairs is None:
            simple = simplify(self._text) + "\n"
            self._pairs = Counter(map("".join, pairwise(simple)))
        last, following = simplify(before[-1:] or "\n"), simplify(after[:1] or "\n")
        scored = []
        for character in characters:
            simple = simplify(character)
            pairs = math.log1p(self._pairs[last + simple]) + math.log1p(
                self._pairs[simple + following]
            )
            likely = self.score(before + character + after) + _PAIR * pairs
            if not after.strip():
                likely += _LINE_ENDS.get(character, 0.0)
            scored.append((likely, character))
        scored.sort(reverse=True)
        margin = scored[0][0] - scored[1][0] if len(scored) > 1 else math.inf
        return scored[0][1], margin


def repair_byte_shifts(text: str) -> list[Edit]:
    """Edits that repair runs of GBK text read one byte late; see the module's description.

    Only lines that look damaged are read closely: a gloss without its character, a lost-byte mark
    beside rare characters, or rare characters crowded together.
    """
    evidence = _Evidence(text)
    edits: list[Edit] = []
    for match in re.finditer(r"[^\n]{4,}", text):
        if not match[0].isascii():
            edits.extend(_repair_line(evidence, match[0], match.start()))
    return edits


def _repair_line(evidence: _Evidence, line: str, shift: int) -> list[Edit]:
    """The repairs of a line, in order. A place inside a repair made before is not tried again;
    places that say more about what is missing come first."""
    chosen: list[_Repair] = []
    for place in _suspects(line):
        begin = place.starts[-1][0]
        if any(repair.start <= begin < repair.end for repair in chosen):
            continue
        repair = _best_repair(evidence, line, place)
        if repair is not None and all(
            repair.end <= other.start or repair.start >= other.end for other in chosen
        ):
            chosen.append(repair)
    chosen.sort(key=lambda repair: repair.start)
    return [Edit(shift + each.start, shift + each.end, each.replacement) for each in chosen]


def _suspects(line: str) -> Iterator[_Place]:
    """Places to try: glosses without their character, lost-byte marks, crowds of rare
    characters."""
    for match in _GLOSS_REMNANT.finditer(line):
        leads = _leads_for(line[match.start() - 1 : match.start()], match[1])
        if leads:
            yield _Place(((match.start(), match.end()),), leads)
    rare = [_is_rare(character) for character in line]
    if not any(rare):
        return
    for match in _MARKED.finditer(line):
        begin = match.start()
        if any(rare[begin + 1 : begin + 9]):
            yield _Place(((begin, begin + 1),), _LEADS)
    previous = -_WINDOW
    for index, is_rare in enumerate(rare):
        if is_rare and index >= previous + 4 and sum(rare[index : index + 8]) >= 3:
            first = index
            while first > max(0, index - 8) and _is_wide(line[first - 1]):
                first -= 1
            starts = [(start, start) for start in range(first, index + 1)]
            if first and line[first - 1] in _LOST:
                starts.insert(0, (first - 1, first))
            yield _Place(tuple(starts), _LEADS)
            previous = index


def _is_wide(character: str) -> bool:
    return not character.isascii() and character not in _LOST


@lru_cache(maxsize=32768)
def _is_rare(character: str) -> bool:
    """Whether running Chinese text seldom holds this character: not among the 3,755 common
    ones of GB 2312 (in either script), not ASCII, not Japanese kana, not a common mark."""
    if character.isascii() or character in _COMMON_MARKS or "\u3040" <= character <= "\u30ff":
        return False
    try:
        lead = simplify(character).encode("gb2312")[0]
    except UnicodeEncodeError:
        return True
    return not 0xB0 <= lead <= 0xD7


_COMMON_MARKS = (
    "，。、；：？！“”‘’（）《》〈〉【】「」『』…—·～％　\u2022°×～－／０１２３４５６７８９"
)


def _leads_for(before: str, gloss: str) -> tuple[bytes, ...]:
    """The bytes that make a character read ``gloss`` with the last byte of ``before``."""
    from pypinyin.constants import PINYIN_DICT

    code = _encode(before)
    if len(code) != 2:
        return ()
    return tuple(
        lead
        for lead in _LEADS
        if (character := _decode(code[1:] + lead))
        and gloss in PINYIN_DICT.get(ord(character), "").split(",")
    )


def _best_repair(evidence: _Evidence, line: str, place: _Place) -> _Repair | None:
    """The best repair that starts at ``place``, None when none is clearly better."""
    origin = max(0, place.starts[0][0] - _CONTEXT)
    best: tuple[float, int, _Run, str, float] | None = None
    gains: list[float] = []
    for begin, first in place.starts:
        gains.append(-math.inf)
        for run in _runs(line, first):
            heads = [c for lead in place.leads if (c := _decode(lead + run.head_trail))]
            if not heads:
                continue
            before = line[origin:begin]
            after = (run.middle + line[run.end : run.end + _CONTEXT])[:_CONTEXT]
            head, margin = evidence.choose(before, heads, after)
            # All starts of a place are judged on the same stretch of the line.
            stretch = min(run.end, place.starts[-1][1] + _WINDOW)
            shown = run.middle[: max(0, stretch - first - 1)]
            gain = evidence.score(before + head + shown) - evidence.score(line[origin:stretch])
            # A longer run explains more: between ways to end, the longest that decodes.
            gain += 0.001 * (run.end - first)
            gains[-1] = max(gains[-1], gain)
            if best is None or gain > best[0]:
                best = gain, begin, run, head, margin
    if best is None or best[0] <= 0:
        return None
    if len(gains) > 1 and best[0] - sorted(gains)[-2] < _MARGIN_OF_A_START:
        return None
    _, begin, run, head, margin = best
    wanted = _MARGIN if place.leads is _LEADS else _MARGIN_OF_A_GLOSS
    return _finish(evidence, line, begin, run, head if margin >= wanted else _UNKNOWN)


def _finish(evidence: _Evidence, line: str, begin: int, run: _Run, head: str) -> _Repair | None:
    before = line[max(0, begin - _CONTEXT) : begin]
    after = line[run.end : run.end + _CONTEXT]
    tail = ""
    if run.tail_lead:
        tails = [c for trail in _TRAILS if (c := _decode(run.tail_lead + trail))]
        if not tails:
            return None
        known = (before + head + run.middle)[-_CONTEXT:]
        tail, margin = evidence.choose(known, tails, after)
        if margin < _MARGIN:
            tail = _UNKNOWN
    if _UNKNOWN in (head, tail) and len(run.middle) < _SHORTEST_CERTAIN:
        return None
    replacement = head + run.middle + tail
    gain = evidence.score(before + replacement + after)
    gain -= evidence.score(before + line[begin : run.end] + after)
    gain -= _COST_OF_A_BYTE * (1 + bool(tail))
    # Tables of symbols decode to rare characters: better than nothing is not yet Chinese.
    if gain < _GAIN or evidence.score(run.middle) < _LEAST_LIKELY * len(run.middle):
        return None
    return _Repair(gain, begin, run.end, replacement)


def _runs(line: str, first: int) -> Iterator[_Run]:
    """All ways to read ``line`` on from ``first`` in step with one byte put in front."""
    open_paths: list[tuple[bytes, bytes, str]] = [(b"", b"", "")]  # head trail, pending, middle
    for index in range(first, min(len(line), first + _LONGEST_RUN)):
        character = line[index]
        next_paths = []
        for head, pending, middle in open_paths:
            if head:
                if character in _LOST:
                    yield _Run(first, index + 1, head, middle, pending)
                if character.isascii():
                    joined = _decode(pending + character.encode())
                    if joined:
                        yield _Run(first, index + 1, head, middle + joined, b"")
                    elif character in "\r\n":
                        yield _Run(first, index, head, middle, pending)
            wide = _TO_FULL_WIDTH.get(character, character)
            code = _encode(wide)
            if len(code) != 2:
                continue
            if not head:
                next_paths.append((code[:1], code[1:], ""))
                continue
            joined = _decode(pending + code[:1])
            if not joined:
                continue
            middle += joined
            if code[1] < 0x80:
                yield _Run(first, index + 1, head, middle + chr(code[1]), b"")
            next_paths.append((head, code[1:], middle))
        open_paths = next_paths
        if not open_paths:
            return
    for head, pending, middle in open_paths:
        if head and first + _LONGEST_RUN >= len(line):
            yield _Run(first, len(line), head, middle, pending)


def _encode(character: str) -> bytes:
    try:
        return character.encode("gb18030") if character else b""
    except UnicodeEncodeError:  # a lone surrogate
        return b""


@lru_cache(maxsize=65536)
def _decode(code: bytes) -> str:
    """The character of two bytes, empty when they are none (private use counts as none)."""
    try:
        character = code.decode("gbk")
    except UnicodeDecodeError:
        return ""
    return character if len(character) == 1 else ""
