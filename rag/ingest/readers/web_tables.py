"""Tables of a web page, written out row by row before the page is looked at any further."""

import re
from collections.abc import Iterator
from typing import Any

from rag.ingest.readers.tables import Row, make_table, one_line, row_text

# Stands before a written-out row, so that it is known as one afterwards.
ROW_MARK = "▦row▦"
_LONGEST_CELL = 400
_MOST_SPAN = 200


def write_out_tables(tree: Any) -> None:
    """Replace tables of data by one paragraph a row; tables for layout and menus stay."""
    for table in list(tree.iter("table")):
        rows = list(_rows(table))
        if not _holds_data(table, rows):
            continue
        header = all(cell.tag == "th" for row in table.iter("tr") for cell in _cells(row))
        marked = 0 if header else _header_rows(table)
        made = make_table(rows, header_rows=marked or None)
        container = table.makeelement("div")
        for line in (*made.before, *(row_text(row, made.names) for row in made.rows)):
            paragraph = table.makeelement("p")
            paragraph.text = ROW_MARK + line
            container.append(paragraph)
        container.tail = table.tail
        if table.getparent() is not None:
            table.getparent().replace(table, container)


def _rows(table: Any) -> Iterator[Row]:
    """Rows with spans filled: downwards by the text, to the right by nothing."""
    hanging: dict[int, tuple[int, str]] = {}
    for element in table.iter("tr"):
        cells: list[str] = []
        merged: set[int] = set()

        def fill(cells: list[str] = cells) -> None:
            while (above := hanging.get(len(cells))) is not None:
                left, text = above
                if left > 1:
                    hanging[len(cells)] = (left - 1, text)
                else:
                    del hanging[len(cells)]
                cells.append(text)

        for cell in _cells(element):
            fill()
            text = one_line(" ".join(part.strip() for part in cell.itertext() if part.strip()))
            text = re.sub(r"\s+", " ", text)
            for offset in range(_span(cell, "colspan")):
                shown = text if offset == 0 else ""
                if _span(cell, "rowspan") > 1:
                    hanging[len(cells)] = (_span(cell, "rowspan") - 1, shown)
                if offset:
                    merged.add(len(cells))
                cells.append(shown)
        fill()
        yield Row(tuple(cells), frozenset(merged))


def _cells(row: Any) -> list[Any]:
    return [child for child in row if child.tag in ("td", "th")]


def _span(cell: Any, name: str) -> int:
    value = (cell.get(name) or "").strip()
    return min(max(int(value), 1), _MOST_SPAN) if value.isdecimal() else 1


def _header_rows(table: Any) -> int:
    """Rows at the top made of <th> only, or inside <thead>."""
    count = 0
    for row in table.iter("tr"):
        cells = _cells(row)
        if not cells or not (
            row.getparent().tag == "thead" or all(cell.tag == "th" for cell in cells)
        ):
            break
        count += 1
    return count


def _holds_data(table: Any, rows: list[Row]) -> bool:
    if len(rows) < 2 or max(len(row.filled) for row in rows) < 2 or _has_inner_table(table):
        return False
    text = sum(len(cell) for row in rows for cell in row.cells)
    links = sum(len("".join(link.itertext())) for link in table.iter("a"))
    longest = max(len(cell) for row in rows for cell in row.cells)
    return text > 0 and links < text / 2 and longest <= _LONGEST_CELL


def _has_inner_table(table: Any) -> bool:
    return next(table.iterdescendants("table"), None) is not None
