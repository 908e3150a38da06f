"""Small pieces of safe HTML for the report, pure.

Everything that came from a dataset, a document or a model passes through `escape`; the only tags in
the page are the ones the report's modules write.
"""

import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rag.evaluate.metric_texts import describe

# Direction controls can show digits in another order than they were written; other controls and
# halves of characters cannot be written to a file or are dropped by browsers. All are named.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_DIGEST = re.compile(r"(?:[\w-]+:)?[0-9a-f]{16,}")
_GAP = "…"


def escape(value: object) -> str:
    """Text for element content and quoted attributes, to the character."""
    text = str(value).replace("\r\n", "\n")
    named = _UNSHOWABLE.sub(lambda found: f"[U+{ord(found.group()):04X}]", text)
    return html.escape(named, quote=True)


def seconds(value: float | None) -> str:
    """A duration as a person reads it: 8 毫秒, 0.35 秒, 12.4 秒, 3 分 20 秒."""
    if value is None or not math.isfinite(value):
        return "—"
    if value < 0.1:
        return f"{1000 * value:.0f} 毫秒"
    if value < 10:
        return f"{value:.2f} 秒"
    if value < 120:
        return f"{value:.1f} 秒"
    hours, rest = divmod(round(value), 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours} 小时 {minutes} 分" if hours else f"{minutes} 分 {rest} 秒"


def badge(name: str, sign: str, colour: str) -> str:
    """A name with a sign, so that colour is never all that tells."""
    return f'<span class="badge {colour}"><i aria-hidden="true">{sign}</i>{escape(name)}</span>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table of cells that are HTML already; the first cell of a row is its heading."""
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    return (
        f'<div class="scroll"><table class="{kind}"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def facts(pairs: Iterable[tuple[str, Any]]) -> str:
    """Names and values, both text; empty values are left out."""
    return '<dl class="facts">{}</dl>'.format(
        "".join(
            f"<div><dt>{escape(name)}</dt><dd>{_coded(value)}</dd></div>"
            for name, value in pairs
            if value not in (None, "", [], {})
        )
    )


def _coded(value: Any) -> str:
    return f"<code>{escape(value)}</code>" if _DIGEST.fullmatch(str(value)) else escape(value)


def tree(value: Any) -> str:
    """Any JSON value as nested names and values."""
    if isinstance(value, Mapping):
        if set(value) >= {"value", "low", "high"}:
            return escape(f"{value['value']:.3f}（{value['low']:.3f}–{value['high']:.3f}）")
        rows = "".join(
            f"<div><dt>{escape(describe(str(name)).label)}</dt><dd>{tree(one)}</dd></div>"
            for name, one in value.items()
        )
        return f'<dl class="facts">{rows}</dl>'
    if isinstance(value, list):
        return escape("、".join(map(str, value)) or "（空）")
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return escape(f"{value:.4g}")
    return escape("（未设）" if value in (None, "") else value)


def passage(text: str, wanted: Sequence[str], most: int) -> str:
    """At most ``most`` characters of a text, around the first of the ``wanted`` stretches that it
    holds; all of them are marked. What was cut off shows as …"""
    spans = _spans(text, wanted)
    start = 0
    if len(text) > most and spans:
        first = spans[0]
        start = max(0, min(len(text) - most, first[0] - max(0, most - (first[1] - first[0])) // 2))
    end = min(len(text), start + most)
    parts, at = [_GAP if start else ""], start
    for low, high in spans:
        low, high = max(low, at), min(high, end)
        if low < high:
            parts.append(f"{escape(text[at:low])}<mark>{escape(text[low:high])}</mark>")
            at = high
    parts.append(escape(text[at:end]))
    parts.append(_GAP if end < len(text) else "")
    return "".join(parts)


def _spans(text: str, wanted: Iterable[str]) -> list[tuple[int, int]]:
    """Where the wanted stretches stand, in order, overlapping ones joined."""
    found = sorted(
        match.span()
        for piece in set(wanted)
        if piece
        for match in re.finditer(re.escape(piece), text)
    )
    joined: list[tuple[int, int]] = []
    for start, end in found:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
