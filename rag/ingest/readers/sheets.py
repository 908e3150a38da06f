"""Workbooks (.xlsx) and .csv files: one block a row, with its column names.

Values come as a person sees them: 5 and not 5.0, 30% and not 0.3, 2025-03-01 and no serial
number. Formulas count with the result that was saved. Hidden sheets are not read.
"""

import csv
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from rag.errors import DocumentError
from rag.ingest.readers.builder import TextBuilder
from rag.ingest.readers.encoding import decode
from rag.ingest.readers.metadata import iso_date, real_title
from rag.ingest.readers.package import broken_package, check_package, open_package, read_part
from rag.ingest.readers.tables import Row, make_table, one_line, row_block
from rag.types import BlockKind, SourceText

_DELIMITERS = ",\t;|"
_SAMPLE_ROWS = 50
_LONGEST_TITLE = 60
_DEFAULT_SHEET = re.compile(r"^(?:sheet|工作表)\s*\d*$", re.IGNORECASE)
# Prefix, digits, decimals, percent and suffix of a number format such as 0.0"mg" or #,##0.00.
_FORMAT = re.compile(
    r'^((?:"[^"]*"|[¥$￥])?)([#0,]*[#0])(?:\.([0#]+))?(%?)((?:"[^"]*"|\\?[ a-zA-Z])*)$'
)
_FORMULA_WITHOUT_RESULT = re.compile(rb"</f>\s*(?:<v\s*/>|<v>\s*</v>|</c>)")


def read_workbook(data: bytes, path: Path) -> SourceText:
    """Read an .xlsx file.

    Raises:
        DocumentError: damaged, half-written, a zip bomb, or no workbook.
    """
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    with open_package(data, path) as archive:
        check_package(archive, path)
        unsaved = any(
            _FORMULA_WITHOUT_RESULT.search(read_part(archive, name, path))
            for name in archive.namelist()
            if name.startswith("xl/worksheets/")
        )
    builder = TextBuilder()
    notices = ["有公式没有保存计算结果，请用 Excel/WPS 打开后保存再重试"] if unsaved else []
    try:
        with warnings.catch_warnings():
            # What openpyxl does not know (print settings, validation lists) is no text.
            warnings.simplefilter("ignore", UserWarning)
            book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
        visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        hidden = len(book.worksheets) - len(visible)
        title = ""
        for sheet in visible:
            rows = list(_sheet_rows(sheet))
            if not any(row.filled for row in rows):
                continue
            if len(visible) > 1 or not _DEFAULT_SHEET.match(sheet.title):
                builder.add(BlockKind.HEADING, sheet.title, level=1)
            first = _add_table(builder, rows)
            title = title or first
        properties = book.properties
        title = real_title(properties.title) or title or path.stem
        day = iso_date(properties.modified or properties.created)
        book.close()
    except (
        InvalidFileException,
        ParseError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:
        raise broken_package(path) from error
    if hidden:
        notices.append(f"有 {hidden} 个隐藏的工作表，未读取")
    return SourceText(
        text=builder.text,
        blocks=tuple(builder.blocks),
        title=title,
        date=day,
        notices=tuple(notices),
    )


def read_csv(data: bytes, path: Path) -> SourceText:
    """Read a .csv file; its delimiter is the one that cuts the rows most evenly.

    Raises:
        DocumentError: not text, in an unknown encoding, or no table.
    """
    decoded = decode(data, path)
    text = decoded.text
    delimiter = _delimiter(text)
    try:
        rows = [
            Row(tuple(one_line(cell) for cell in cells))
            for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        ]
    except csv.Error as error:
        raise DocumentError(
            path, "表格的引号不配对或单元格过长", "请用 Excel/WPS 打开，另存为 .xlsx"
        ) from error
    builder = TextBuilder()
    title = _add_table(builder, rows)
    return SourceText(
        text=builder.text,
        blocks=tuple(builder.blocks),
        title=title or path.stem,
        notices=decoded.notices,
    )


def shown(value: object, number_format: str = "General") -> str:
    """A cell's value as the workbook shows it; a format not known here shows the plain number."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, number_format)
    if isinstance(value, datetime):
        if value.time() == time():
            return value.date().isoformat()
        return value.isoformat(sep=" ", timespec="seconds" if value.second else "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="seconds" if value.second else "minutes")
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        text = f"{minutes // 60}:{minutes % 60:02}"
        return f"{text}:{seconds:02}" if seconds else text
    return one_line(str(value))


def _number(value: float, number_format: str) -> str:
    form = _FORMAT.match(re.sub(r"\[[^\]]*\]", "", number_format.split(";")[0]))
    if form is None:
        return _general(value)
    before, digits, decimals, percent, after = form.groups()
    exact = Decimal(repr(value)) * (100 if percent else 1)
    places = len(decimals or "")
    try:
        exact = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    except InvalidOperation:  # infinite, or too long to round
        return _general(value)
    text = f"{exact:{',' if ',' in digits else ''}f}"
    optional = len(decimals or "") - len((decimals or "").rstrip("#"))
    while optional and text.endswith("0"):
        text, optional = text[:-1], optional - 1
    text = text.removesuffix(".")
    width = digits.count("0")
    if width > 1 and value >= 0 and "," not in digits:
        whole, point, rest = text.partition(".")
        text = whole.zfill(width) + point + rest
    return re.sub(r"[\"\\]", "", before) + text + percent + re.sub(r"[\"\\]", "", after)


def _general(value: float) -> str:
    """As Excel's General: 15 significant digits, which hides binary noise."""
    if isinstance(value, int) or value.is_integer():
        return str(int(value)) if abs(value) < 1e21 else f"{value:.15g}"
    text = f"{value:.15g}"
    if "e" in text and abs(value) >= 1e-12:
        text = f"{value:.20f}".rstrip("0")
    return text


def _sheet_rows(sheet: Any) -> Iterator[Row]:
    """Rows with merged cells filled downwards."""
    covered: dict[tuple[int, int], tuple[int, int]] = {}
    beside: dict[int, set[int]] = {}
    for merge in sheet.merged_cells.ranges:
        for row in range(merge.min_row, merge.max_row + 1):
            if merge.max_col > merge.min_col:
                columns = range(merge.min_col, merge.max_col)
                beside.setdefault(row, set()).update(columns)  # from 0, so one to the right
            if row > merge.min_row:
                covered[row, merge.min_col] = (merge.min_row, merge.min_col)
    for cells in sheet.iter_rows():
        texts = []
        number = cells[0].row if cells else 0
        for column, cell in enumerate(cells, start=1):
            source = covered.get((number, column))
            origin = sheet.cell(*source) if source else cell
            texts.append(shown(origin.value, origin.number_format or "General"))
        while texts and not texts[-1]:
            texts.pop()
        merged = beside.get(number, set())
        yield Row(tuple(texts), frozenset(column for column in merged if column < len(texts)))


def _add_table(builder: TextBuilder, rows: Sequence[Row]) -> str:
    """Add the rows; the title above them, "" without one."""
    made = make_table(rows)
    for position, line in enumerate(made.before):
        if position == 0 and len(line) <= _LONGEST_TITLE:
            builder.add(BlockKind.HEADING, line, level=2)
        else:
            builder.add(BlockKind.PARAGRAPH, line)
    for row in made.rows:
        builder.add(*row_block(row, made.names))
    title = made.before[0] if made.before else ""
    return title if len(title) <= _LONGEST_TITLE else ""


def _delimiter(text: str) -> str:
    """The candidate under which most of the first rows have the same number of columns."""
    sample = text[:100_000]

    def evenness(delimiter: str) -> tuple[float, int]:
        widths: list[int] = []
        try:
            for cells in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
                if cells:
                    widths.append(len(cells))
                if len(widths) == _SAMPLE_ROWS:
                    break
        except csv.Error:
            return 0.0, 0
        common = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
        return (widths.count(common) / len(widths), common) if common > 1 else (0.0, 0)

    return max(_DELIMITERS, key=evenness)
