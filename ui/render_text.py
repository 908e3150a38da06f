"""An answer's text with links for its marks and each sentence's verdict; pure.

Text is shown to the character: no Markdown is interpreted, except that a pair of ``**`` around a
stretch of one line is shown as bold type (language models write it everywhere); ``5**3`` and
``A**3 B**2`` stay as they are. Signs and flags are drawn by the style sheet, so that selected and
copied text holds nothing but the answer; it also keeps them, and marks, on the line of what stands
before.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from rag.types import Answer, Sentence, Verdict
from ui import texts
from ui.escape import escape
from ui.language import say

_MARK = re.compile(r"\[(\d{1,3})\]")
# Opening ** not behind a letter or digit and closing ** not before one: 5**3**2 is arithmetic.
_BOLD = re.compile(r"(?<![A-Za-z0-9*])\*\*(?=[^\s*])([^\n*]+?)(?<=[^\s*])\*\*(?![A-Za-z0-9*])")

_VERDICTS = {
    Verdict.SUPPORTED: "supported",
    Verdict.NUMBER_MISMATCH: "number",
    Verdict.UNSUPPORTED: "unsupported",
    Verdict.UNCHECKED: "unchecked",
}


@dataclass(frozen=True, slots=True)
class _Style:
    """How one character of an answer is shown; equal neighbours share their tags.

    ``mark`` and ``number`` are 1 + the start of their span, so that two in a row stay two;
    ``sentence`` counts the verdicts that stand before.
    """

    hidden: bool = False
    bold: bool = False
    unsupported: bool = False
    number: int = 0
    mark: int = 0
    sentence: int = 0


def marked_text(answer: Answer, turn: str) -> str:
    """The answer's text with links for its marks, flags on its unsupported parts, and a sign behind
    each sentence that was checked."""
    text = answer.text
    titles = {citation.mark: citation.title or say(texts.UNTITLED) for citation in answer.citations}
    marks = {found.start(): found for found in _MARK.finditer(text) if int(found[1]) in titles}
    size = len(text)
    mark, number, passed = [0] * size, [0] * size, [0] * size
    signs: list[str] = []
    hidden, bold, unsupported = [False] * size, [False] * size, [False] * size
    for found in marks.values():
        mark[found.start() : found.end()] = [found.start() + 1] * len(found[0])
    for found in _BOLD.finditer(text):
        for start, end in ((found.start(), found.start(1)), (found.end(1), found.end())):
            hidden[start:end] = [True] * (end - start)
        bold[found.start(1) : found.end(1)] = [True] * len(found[1])
    for sentence, start, end in _sentence_places(text, answer.sentences):
        if sentence.verdict is Verdict.UNSUPPORTED:
            unsupported[start:end] = [True] * (end - start)
        for first, last in _occurrences(text, sentence.mismatches, start, end):
            number[first:last] = [first + 1] * (last - first)
        sign = _sign(sentence) if answer.finished else ""
        if sign:
            place = end
            while place < size and mark[place]:
                place += 1
            signs.append(sign)
            passed[place:] = [len(signs)] * (size - place)
    styles = [
        _Style(*values)
        for values in zip(hidden, bold, unsupported, number, mark, passed, strict=True)
    ]
    parts: list[str] = []
    shown = 0
    used: set[int] = set()
    for style, positions in groupby(range(size), key=styles.__getitem__):
        run = list(positions)
        parts.extend(signs[shown : style.sentence])
        shown = style.sentence
        if style.hidden:
            continue
        content = escape(text[run[0] : run[-1] + 1])
        if style.mark:
            value = int(marks[style.mark - 1][1])
            anchor = "" if value in used else f' id="{turn}-mark-{value}"'
            used.add(value)
            label = escape(say(texts.MARK_LABEL, mark=value, title=titles[value]))
            parts.append(
                f'<a class="mark"{anchor} href="#{turn}-source-{value}" aria-label="{label}">'
                f"{content}</a>"
            )
            continue
        parts.append(_decorate(content, style))
    return "".join([*parts, *signs[shown:]])


def _sign(sentence: Sentence) -> str:
    """The verdict on a sentence as a small sign that says in words what it means, "" for a
    sentence that claims nothing."""
    name = _VERDICTS.get(sentence.verdict)
    if name is None:
        return ""
    label = say(texts.VERDICTS[name])
    why = say(texts.LIST_SEPARATOR).join([*sentence.mismatches, *sentence.reasons])
    if why:
        label = say(texts.VERDICT_REASON, verdict=label, reasons=why)
    return f'<span class="verdict verdict-{name}" role="img" aria-label="{escape(label)}"></span>'


def _decorate(content: str, style: _Style) -> str:
    if style.number:
        tooltip = escape(say(texts.NUMBER_TOOLTIP))
        content = (
            f'<span class="number" title="{tooltip}">{content}'
            f'<span class="flag" role="img" aria-label="{tooltip}"></span></span>'
        )
    if style.bold:
        content = f"<strong>{content}</strong>"
    if style.unsupported:
        tooltip = escape(say(texts.UNSUPPORTED_TOOLTIP))
        content = f'<span class="unsupported" title="{tooltip}">{content}</span>'
    return content


def _sentence_places(
    text: str, sentences: Sequence[Sentence]
) -> Iterable[tuple[Sentence, int, int]]:
    """Where each sentence, which carries no marks, stands in the text, which does."""
    plain: list[str] = []
    pieces: list[tuple[int, int]] = []  # start in the plain text, start in the text
    position = length = 0
    for found in [*_MARK.finditer(text), None]:
        end = len(text) if found is None else found.start()
        pieces.append((length, position))
        plain.append(text[position:end])
        length += end - position
        position = end if found is None else found.end()
    joined = "".join(plain)

    def place(index: int) -> int:
        piece = pieces[bisect_right(pieces, index, key=lambda one: one[0]) - 1]
        return piece[1] + index - piece[0]

    cursor = 0
    for sentence in sentences:
        wanted = sentence.text.strip()
        start = joined.find(wanted, cursor) if wanted else -1
        if start >= 0:
            cursor = start + len(wanted)
            yield sentence, place(start), place(cursor - 1) + 1


def _occurrences(
    text: str, wanted: Sequence[str], start: int, end: int
) -> Iterable[tuple[int, int]]:
    """Every place of the wanted strings in ``text[start:end]``; 5 is not found inside 15."""
    for value in wanted:
        if not value:
            continue
        pattern = re.escape(value)
        if value[0].isdigit():
            pattern = r"(?<![\d.])" + pattern
        if value[-1].isdigit():
            pattern += r"(?!\.?\d)"
        for found in re.compile(pattern).finditer(text, start, end):
            yield found.start(), found.end()
