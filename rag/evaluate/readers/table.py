"""Questions in a spreadsheet: .csv (UTF-8 or GB18030) or .xlsx, one question a row.

Columns: 问题 (needed), 参考答案, 关键词, and if wanted 编号, 类型, 可回答 (是/否), 文档. A row with
neither reference answer, keywords nor document is a question that the documents do not answer.
Keywords and documents are separated by ； ; 、 , ， or line breaks.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.evaluate.faults import DatasetError
from rag.evaluate.questions import Question
from rag.evaluate.readers.lines import Unique, read_bytes

_SEPARATORS = re.compile(r"[；;、,，\n]+")
_YES, _NO = frozenset({"是", "true", "1", "y", "yes"}), frozenset({"否", "false", "0", "n", "no"})
_KNOWN = ("编号", "问题", "参考答案", "关键词", "类型", "可回答", "文档")


def questions(path: Path) -> tuple[Question, ...]:
    """The questions of a table.

    Raises:
        DatasetError: unreadable, mixed encodings, no column 问题, or a bad row, with its number.
    """
    table = iter(_excel(path) if path.suffix.lower() == ".xlsx" else _csv(path))
    header = next(table, (1, []))[1]
    if "问题" not in header:
        raise DatasetError(path, "第一行没有列名“问题”", f"列名可用：{'、'.join(_KNOWN)}", line=1)
    seen = Unique(path)
    found = []
    for line, cells in table:
        row = {name: cell for name, cell in zip(header, cells, strict=False) if name in _KNOWN}
        if not any(row.values()):
            continue
        question = _question(path, line, row)
        seen.add(question.id, line)
        found.append(question)
    return tuple(found)


def _question(path: Path, line: int, row: dict[str, str]) -> Question:
    if not row["问题"]:
        raise DatasetError(path, "“问题”一格是空的", "请填写，或删去此行", line=line)
    reference = row.get("参考答案", "")
    facts, documents = _list(row.get("关键词", "")), _list(row.get("文档", ""))
    flag = row.get("可回答", "").lower()
    if flag and flag not in _YES | _NO:
        raise DatasetError(path, f"“可回答”是 {flag!r}", "请填 是 或 否", line=line)
    is_answerable = flag in _YES if flag else bool(reference or facts or documents)
    return Question(
        id=row.get("编号") or f"第{line}行",
        text=row["问题"],
        answers=(reference,) if reference and is_answerable else (),
        positives=frozenset(documents),
        is_answerable=is_answerable,
        kind=row.get("类型", ""),
        key_facts=facts if is_answerable else (),
        line=line,
    )


def _list(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in _SEPARATORS.split(cell) if part.strip())


def _csv(path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(_decoded(path), newline=""))
    before = 0
    try:
        for cells in reader:
            # A cell may hold line breaks: the row begins behind the line where the last one ended.
            yield before + 1, [cell.strip() for cell in cells]
            before = reader.line_num
    except csv.Error as error:
        raise DatasetError(
            path, f"不是有效的 CSV（{error}）", "请用表格软件另存一次", line=before + 1
        ) from error


def _decoded(path: Path) -> str:
    """UTF-8, or GB18030 as spreadsheets on Chinese systems write it; never some lines of each."""
    content = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    lines = content.split(b"\n")
    other = [
        number for number, line in enumerate(lines, 1) if not line.isascii() and not _is_utf8(line)
    ]
    if not other:
        return content.decode("utf-8")
    beyond_ascii = sum(not line.isascii() for line in lines)
    if len(other) < beyond_ascii:
        raise DatasetError(
            path,
            f"有 {len(other)} 行不是 UTF-8，其余是：编码混用",
            "请把整个文件另存为 UTF-8",
            line=other[0],
        )
    try:
        return content.decode("gb18030")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DatasetError(
            path, "既不是 UTF-8 也不是 GB18030", "请把整个文件另存为 UTF-8", line=line
        ) from error


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _excel(path: Path) -> Iterator[tuple[int, list[str]]]:
    import zipfile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, InvalidFileException) as error:
        raise DatasetError(path, f"不是有效的 Excel 文件（{error}）", "请另存为 .xlsx") from error
    try:
        sheet = book.worksheets[0]
        for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            yield number, _texts(cells)
    finally:
        book.close()


def _texts(cells: Sequence[object]) -> list[str]:
    return ["" if cell is None else str(cell).strip() for cell in cells]
