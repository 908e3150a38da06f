"""Half-width punctuation in Chinese sentences to full width.

A mark changes only where a Chinese character or Chinese punctuation stands beside it and it can be
nothing else: not inside numbers (``1,000``), times and ratios (``12:30``, ``1:5000``), addresses,
HTML entities, English or formulas. Brackets change as a pair, when they hold Chinese text or one
of the two is full width already; a bracket around Latin text or numbers alone (``(AIGC)``,
``(1)``) belongs to what it holds and stays.

Full-width digits and letters stay as the author wrote them: matching folds them anyway
(`rag.chinese.match_form`), so changing the text would gain nothing.
"""

import re

from rag.offsets import Edit

_CHINESE = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff〇々"
_BESIDE = rf"{_CHINESE}、。，；：？！（）《》〈〉「」『』【】“”‘’％"
_WIDE = {mark: chr(ord(mark) + 0xFEE0) for mark in ",;:?!()"}

# Left alone as a whole: addresses, mail addresses, HTML entities and tags, `code`.
_LITERAL = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://[\x21-\x7e]+|www\.[\x21-\x7e]+|[\w.+-]+@[\w-]+\.[\w.-]+"
    r"|&#?\w{1,8};|</?[A-Za-z][^<>\n]*>|`[^`\n]+`",
    re.ASCII,
)
_MARK = re.compile(
    # , ; : with Chinese on one side at least
    rf"(?<=[{_BESIDE}])[,;:]|[,;:](?=\(?[{_CHINESE}《「『【（“])"
    # ? ! behind Chinese, unless they open a query string (?key=) or negate (!=)
    rf"|(?<=[{_BESIDE}])(?:\?(?!\w+=)|!(?!=))(?:[?!]+)?|(?<=[{_BESIDE}][)])[,;:?!]"
)
_RATIO = re.compile(rf"(?<=[{_CHINESE}]):(?=[{_CHINESE}]{{1,6}}\s*[=＝≈])")
_FACE = re.compile(r"[:;](?=-?[()DP](?![A-Za-z]))")
_BRACKET = re.compile(r"[()（）\n]")
_ANY_CHINESE = re.compile(rf"[{_BESIDE}]")


def widen_punctuation(text: str) -> list[Edit]:
    """Edits that turn half-width punctuation of Chinese sentences into full width."""
    if text.isascii():
        return []
    protected = _protected(text)
    places = {}
    for match in _MARK.finditer(text):
        if match.start() in protected:
            continue
        if _RATIO.match(text, match.start()) or _FACE.match(text, match.start()):
            continue
        for index in range(match.start(), match.end()):
            places[index] = _WIDE[text[index]]
    for index in _brackets(text, protected):
        places[index] = _WIDE[text[index]]
    return [Edit(index, index + 1, wide) for index, wide in sorted(places.items())]


def _protected(text: str) -> set[int]:
    """Positions inside addresses and other literals; a mark that ends an address is outside."""
    inside: set[int] = set()
    for match in _LITERAL.finditer(text):
        end = match.end()
        if "://" in match[0] or match[0].startswith("www."):
            end = match.start() + len(match[0].rstrip(",.;:!?)"))
        inside.update(range(match.start(), end))
    return inside


def _brackets(text: str, protected: set[int]) -> list[int]:
    """The half-width brackets whose pair belongs to the Chinese text."""
    found = []
    open_at: list[int] = []
    for match in _BRACKET.finditer(text):
        mark = match[0]
        if mark == "\n":
            open_at.clear()
        elif mark in "(（":
            open_at.append(match.start())
        elif open_at:
            start = open_at.pop()
            pair = [start, match.start()]
            if start in protected or match.start() in protected:
                continue
            half = [index for index in pair if text[index] in _WIDE]
            if len(half) == 1 or (half and _ANY_CHINESE.search(text, start + 1, match.start())):
                found.extend(half)
    return found
