"""Bytes of a text file to characters: UTF-8, UTF-16, GB18030, Big5, and Western ASCII relatives.

A byte order mark decides; then strict UTF-8; then the reading that looks most like Chinese.
GB18030 and Big5 use the same bytes for different characters, and either reads nearly any bytes as
*some* characters; but only the right one yields everyday ones. So each candidate is judged by the
share of its characters, after conversion to simplified script, that stand in the first level of
GB 2312 (the 3,755 everyday characters) or are Chinese punctuation. Limits: other East Asian
encodings are not tried; a text with fewer than about ten Chinese characters can be misjudged.
"""

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.chinese import to_simplified
from rag.errors import DocumentError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CANDIDATES = ("gb18030", "cp950", "big5hkscs")
_SAMPLE = 200_000
_PUNCTUATION = frozenset("　、。·，；：？！“”‘’（）《》【】「」『』〈〉…—～％℃①②③④⑤⑥⑦⑧⑨⑩×≥≤")
_LATIN = frozenset("°±µ²³¹·×÷–—‘’“”•…éèüöäçñß®™©\xa0")
_GOOD = 0.6
_MOST_BROKEN = 0.01
# Never in a text: control characters but tab, line ends, form feed and the old end-of-file mark.
_CONTROL = re.compile("[\x01-\x08\x0b\x0e-\x19\x1b-\x1f]")
_BROKEN = "\ufffd"


@dataclass(frozen=True, slots=True)
class Decoded:
    """``text`` without its byte order mark, line ends as "\\n"; ``broken`` counts bytes or
    characters that no reading explained (shown as U+FFFD)."""

    text: str
    encoding: str
    broken: int = 0

    @property
    def notices(self) -> tuple[str, ...]:
        if not self.broken:
            return ()
        return (f"有 {self.broken} 处字节无法识别，显示为 {_BROKEN}，请核对原文件",)


def decode(data: bytes, path: object, *, declared: Sequence[str] = ()) -> Decoded:
    """Read bytes as text.

    Args:
        path: named in errors.
        declared: encodings the file itself names; tried first, when they fit.

    Raises:
        DocumentError: the bytes are not text, or in no encoding known here.
    """
    decoded = _decode(data, path, declared)
    control = len(_CONTROL.findall(decoded.text))
    if control > max(3, len(decoded.text) // 500):
        raise _not_text(path)
    text = decoded.text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\x1a")
    return Decoded(text, decoded.encoding, decoded.broken)


def _decode(data: bytes, path: object, declared: Sequence[str]) -> Decoded:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding, errors="replace")
            if "\0" in text:
                raise _null_bytes(path)
            return _tolerable(Decoded(text, encoding, text.count(_BROKEN)), path)
    if b"\0" in data:
        return _without_mark(data, path)
    for encoding in ("utf-8", *filter(None, map(_known, declared))):
        try:
            return Decoded(data.decode(encoding), encoding)
        except UnicodeDecodeError:
            continue
    return _most_chinese(data, path)


def _without_mark(data: bytes, path: object) -> Decoded:
    """UTF-16 without its mark, which only null bytes (of line ends, of digits) give away."""
    if len(data) % 2 == 0:
        for encoding in ("utf-16-le", "utf-16-be"):
            text = data.decode(encoding, errors="replace")
            if "\0" not in text and _BROKEN not in text and _plausible(text) >= _GOOD:
                return Decoded(text, encoding)
    raise _null_bytes(path)


def _most_chinese(data: bytes, path: object) -> Decoded:
    """The candidate with the most everyday characters and the fewest bytes unexplained."""
    best: tuple[float, Decoded] | None = None
    for encoding in ("utf-8", *_CANDIDATES):
        text = data.decode(encoding, errors="replace")
        broken = text.count(_BROKEN)
        score = _plausible(text[:_SAMPLE]) - 5 * broken / max(1, _foreign(text))
        if best is None or score > best[0]:
            best = score, Decoded(text, encoding, broken)
    western = data.decode("cp1252", errors="replace")
    if _foreign(western) * 20 < len(western) and _western(western) > max(
        best[0] if best else 0, 0.5
    ):
        return Decoded(western, "cp1252", western.count(_BROKEN))
    if best is None or best[0] < _GOOD:
        raise _not_text(path)
    return _tolerable(best[1], path)


def _tolerable(decoded: Decoded, path: object) -> Decoded:
    if decoded.broken > max(2, len(decoded.text) * _MOST_BROKEN):
        raise _not_text(path)
    return decoded


def _foreign(text: str) -> int:
    return sum(character > "\x7f" for character in text)


def _plausible(text: str) -> float:
    """Share of everyday characters among all beyond ASCII (of ASCII alone: all)."""
    foreign = "".join(character for character in text if character > "\x7f")
    if not foreign:
        return 1.0
    everyday = sum(c in _PUNCTUATION or _is_everyday(c) for c in to_simplified(foreign))
    return everyday / len(foreign)


def _western(text: str) -> float:
    foreign = [character for character in text if character > "\x7f"]
    return sum(c in _LATIN for c in foreign) / len(foreign) if foreign else 1.0


@lru_cache(maxsize=8192)
def _is_everyday(character: str) -> bool:
    """First level of GB 2312: rows 16 to 55, lead bytes B0 to D7."""
    try:
        code = character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return len(code) == 2 and 0xB0 <= code[0] <= 0xD7


def _known(name: str) -> str | None:
    """The codec for a declared name; GB 2312 and GBK are read as GB18030, which holds both."""
    name = name.strip().lower().replace("_", "-")
    if name in {"gb2312", "gbk", "x-gbk", "gb-2312", "cp936"}:
        return "gb18030"
    if name in {"big5", "big-5", "x-x-big5"}:
        return "cp950"
    try:
        b"".decode(name)
    except LookupError:  # unknown, or a codec that does not make text (such as zlib)
        return None
    return name


def _null_bytes(path: object) -> DocumentError:
    return DocumentError(
        path, "含有空字节，不是完整的文本文件", "请用原来的程序打开，另存为 UTF-8 文本后重试"
    )


def _not_text(path: object) -> DocumentError:
    return DocumentError(
        path, "内容不是文字，或编码无法识别", "请确认文件没有损坏，并另存为 UTF-8 文本后重试"
    )
