"""Running heads, feet and page numbers: what stands at the edge of many pages."""

import re
from collections import Counter
from collections.abc import Sequence

from rag.ingest.readers.layout import Line
from rag.ingest.readers.lines import opens_block

_PAGE_NUMBER = re.compile(
    r"^[\s\-—–·~|]*(?:第\s*|page\s*|p\.?\s*)?(\d{1,4})\s*页?(?:[\s/／|,，]*(?:共|of)?\s*\d{1,4}\s*页?)?[\s\-—–·~|]*$",
    re.IGNORECASE,
)
_MARGIN = 0.12
_DIGITS = re.compile(r"\d+")


def without_margins(
    pages: Sequence[Sequence[Line]], heights: Sequence[float]
) -> tuple[list[list[Line]], int]:
    """Pages without running heads, feet and page numbers, and how many lines went.

    A line in the outer eighth of its page goes when it stands there on a third of the pages (at
    least two), digits aside, or when it is a page number.
    """
    marginal = [
        [line for line in page if _is_marginal(line, height)]
        for page, height in zip(pages, heights, strict=True)
    ]
    seen = Counter(
        key
        for page, height in zip(marginal, heights, strict=True)
        for key in {_margin_key(line, height) for line in page}
    )
    enough = max(2, len(pages) / 3)
    shifts = Counter(
        int(match[1]) - number
        for number, page in enumerate(marginal)
        for line in page
        if (match := _PAGE_NUMBER.match(line.text))
    )
    kept: list[list[Line]] = []
    dropped = 0
    for number, (page, height) in enumerate(zip(pages, heights, strict=True)):
        rest = []
        for line in page:
            match = _PAGE_NUMBER.match(line.text) if _is_marginal(line, height) else None
            is_number = match is not None and (
                shifts[int(match[1]) - number] > 1 or not line.text.strip().isdecimal()
            )
            repeated = _is_marginal(line, height) and seen[_margin_key(line, height)] >= enough
            if is_number or (repeated and not opens_block(line.text)):
                dropped += 1
            else:
                rest.append(line)
        kept.append(rest)
    return kept, dropped


def _is_marginal(line: Line, height: float) -> bool:
    return line.bottom < height * _MARGIN or line.top > height * (1 - _MARGIN)


def _margin_key(line: Line, height: float) -> tuple[str, bool]:
    text = _DIGITS.sub("#", re.sub(r"\s+", "", line.text))
    return text, line.top < height / 2
