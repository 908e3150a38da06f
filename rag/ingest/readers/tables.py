"""Table rows as text that stands alone: ``列名：值；列名：值``.

A row that is found by search has lost its table, so it carries its column names. Cells arrive as
the strings a person sees.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.types import BlockKind

# A number, a date or a dose: what stands in a cell, not over a column.
_VALUE = re.compile(
    r"^[<>≤≥＜＞±+\-~≈]?\s*\d[\d,，.:：/\-~～—–\s×x*^%‰°℃⁰¹²³⁴⁵⁶⁷⁸⁹⁻]*"
    r"(?:[a-zA-Zμµ%‰°℃/·.]+\d*[a-zA-Zμµ/·.]*|[年月日时点分秒个例人次元万亿岁])*\s*$"
)
_LONGEST_NAME = 30
_SENTENCE = re.compile(r"[。；！？;!?]")
_NOTE = re.compile(r"^[（(]?(?:注|备注|说明|来源|资料来源|附注)\s*[:：]")


@dataclass(frozen=True, slots=True)
class Row:
    """``cells`` of one row, "" for an empty one; ``merged`` columns that a merged cell covers
    to the right of its first (their text is ""), ``repeated`` those filled from a merge above."""

    cells: tuple[str, ...]
    merged: frozenset[int] = frozenset()

    @property
    def filled(self) -> list[str]:
        return [cell for cell in self.cells if cell]


@dataclass(frozen=True, slots=True)
class Table:
    """``before``: single cells above the header (a title, a remark); ``names``: column names, ()
    without a header; ``rows``: what is left."""

    before: tuple[str, ...]
    names: tuple[str, ...]
    rows: tuple[Row, ...]


def one_line(text: str) -> str:
    """A cell's text without line breaks."""
    return re.sub(r"\s*\n\s*", " ", text.strip())


def make_table(rows: Sequence[Row], *, header_rows: int | None = None) -> Table:
    """Find titles and header of a table.

    Args:
        header_rows: how many rows at the top the file itself marks as header; None when it
            does not say.
    """
    rest = [row for row in rows if row.filled]
    if header_rows:
        return Table((), _names(rest[:header_rows]), tuple(rest[header_rows:]))
    columns = max((len(row.filled) for row in rest), default=0)
    before = []
    while columns > 1 and len(rest) > 1 and len(rest[0].filled) == 1:
        before.append(rest.pop(0).filled[0])
    if len(rest) < 2 or columns < 2 or not _is_header(rest[0]):
        return Table(tuple(before), (), tuple(rest))
    depth = 2 if rest[0].merged and len(rest) > 2 and _completes(rest[0], rest[1]) else 1
    return Table(tuple(before), _names(rest[:depth]), tuple(rest[depth:]))


def row_text(row: Row, names: Sequence[str]) -> str:
    """The row as ``列名：值；列名：值``; empty cells are left out."""
    parts = []
    for column, cell in enumerate(row.cells):
        if not cell:
            continue
        name = names[column] if column < len(names) else ""
        parts.append(f"{name}：{cell}" if name and name != cell else cell)
    return "；".join(parts)


def row_block(row: Row, names: Sequence[str]) -> tuple[BlockKind, str]:
    """Kind and text of a row: a record, or a remark under the table (注：…)."""
    filled = row.filled
    if len(filled) == 1 and _NOTE.match(filled[0]):
        return BlockKind.PARAGRAPH, filled[0]
    return BlockKind.TABLE_ROW, row_text(row, names)


def _is_header(row: Row) -> bool:
    """Names: distinct, short, not values; an empty cell is allowed, but most must be there."""
    filled = row.filled
    width = len(row.cells) - len(row.merged)
    return (
        len(filled) >= 2
        and len(filled) * 2 >= width
        and len(set(filled)) == len(filled)
        and all(
            len(cell) <= _LONGEST_NAME and not _VALUE.match(cell) and not _SENTENCE.search(cell)
            for cell in filled
        )
    )


def _completes(upper: Row, lower: Row) -> bool:
    """Whether the second row names the columns under the merged cells of the first."""
    under = {column for column in upper.merged if column < len(lower.cells)}
    return (
        bool(under)
        and all(lower.cells[column] for column in under)
        and all(not _VALUE.match(cell) for cell in lower.filled)
    )


def _names(rows: Sequence[Row]) -> tuple[str, ...]:
    """Column names; a merged upper name stands before each of the names under it."""
    width = max(len(row.cells) for row in rows)
    names = [""] * width
    for depth, row in enumerate(rows):
        current = ""
        for column in range(width):
            cell = row.cells[column] if column < len(row.cells) else ""
            if column in row.merged and depth + 1 < len(rows):
                cell = current
            current = cell
            if cell and cell != names[column]:
                names[column] = f"{names[column]} {cell}".strip()
    return tuple(names)
