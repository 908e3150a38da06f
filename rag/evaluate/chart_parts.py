"""What the report's charts are made of: scales, axes, labels and the SVG around them, as text."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.evaluate.report_markup import escape

Point = tuple[float, float]
WIDTH = 400
# The plotting area of charts with two axes.
LEFT, RIGHT, TOP, BOTTOM = 52, 380, 28, 196
HEIGHT = 246


@dataclass(frozen=True, slots=True)
class Scale:
    """Values ``low`` to ``high`` on coordinates ``start`` to ``end``; outside values are cut."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1)
        return round(self.start + min(1.0, max(0.0, share)) * (self.end - self.start), 1)


def svg(
    identity: str,
    title: str,
    text: str,
    height: float,
    parts: Iterable[str],
    *,
    style: str = "",
    extra: str = "",
) -> str:
    own = f"<style>{style}</style>" if style else ""
    space = ' xmlns="http://www.w3.org/2000/svg"' if style else ""
    return (
        f'<svg{space} class="chart" viewBox="0 0 {WIDTH} {height:g}"{extra} role="img" '
        f'aria-labelledby="{identity}-title {identity}-text">'
        f'<title id="{identity}-title">{escape(title)}</title>'
        f'<desc id="{identity}-text">{escape(text)}</desc>{own}{"".join(parts)}</svg>'
    )


def frame(
    across: Scale,
    up: Scale,
    x_ticks: Iterable[tuple[float, str]],
    y_ticks: Iterable[tuple[float, str]],
) -> str:
    """Grid lines with their values below and to the left of the plotting area."""
    parts = []
    for value, text in y_ticks:
        y = up(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(text_at(LEFT - 8, y + 4, text, "end", "tick"))
    parts += [
        text_at(across(value), BOTTOM + 18, text, "middle", "tick") for value, text in x_ticks
    ]
    return "".join(parts)


def axes(x_name: str, y_name: str) -> str:
    return text_at((LEFT + RIGHT) / 2, BOTTOM + 42, x_name, "middle", "axis") + text_at(
        4, 12, y_name, "start", "axis"
    )


def curve_line(kind: str, places: Sequence[Point]) -> str:
    return f'<polyline class="line {kind}" points="{" ".join(f"{x},{y}" for x, y in places)}"/>'


def text_at(x: float, y: float, text: str, anchor: str, kind: str = "", full: str = "") -> str:
    tip = f"<title>{escape(full)}</title>" if full and full != text else ""
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}{tip}</text>'


def round_values(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Two to seven round values from at most ``low`` to at least ``high``; ``whole``: integers."""
    spread = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(spread / 5))
    sizes = (1, 2, 5, 10) if whole else (1, 2, 2.5, 5, 10)
    step = next(size * power for size in sizes if spread / (size * power) <= 5.001)
    step = max(1.0, step) if whole else step
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, max(last, first + 1) + 1)]


def percents(values: Iterable[float]) -> list[tuple[float, str]]:
    return [(value, f"{100 * value:g}%") for value in values]


def rate(value: float) -> str:
    return f"{100 * value:.1f}%"


def shortened(name: str, most: float = 21) -> str:
    """Cut to ``most`` Chinese characters' width; others count as six tenths of one."""
    width = 0.0
    for number, character in enumerate(name):
        width += 1 if character > "\u2e80" else 0.6
        if width > most:
            return f"{name[: max(1, number - 1)]}…"
    return name
