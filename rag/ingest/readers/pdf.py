"""PDF files through PDFium: paragraphs with page numbers, scanned pages by recognition.

Lines that the page broke are put together; running heads, feet and page numbers go; a paragraph
may run on over a page's end. Raised digits become characters (10⁹). Limits: a table's cells stay
in one line in the order PDFium gives, and columns follow the order of the file.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import RLock
from typing import Any

from rag.errors import DocumentError
from rag.ingest.readers.builder import Piece, TextBuilder
from rag.ingest.readers.layout import Line, Paragraph, paragraphs
from rag.ingest.readers.lines import ENDS_SENTENCE, joint, kind_of_line
from rag.ingest.readers.margins import without_margins
from rag.ingest.readers.metadata import iso_date, real_title, title_of
from rag.ingest.readers.page_lines import page_lines
from rag.ingest.readers.recognise import NOTICE, recognise
from rag.types import BlockKind, SourceText

_DOTS_PER_INCH = 200
_LONGEST_SIDE = 3500
_FEW_CHARACTERS = 30
_LARGE_IMAGE = 0.4
_MOST_GARBLED = 0.3
_GARBLED = re.compile("[\ufffd\ue000-\uf8ff\x00-\x08\x0e-\x1f]")
_LARGER = 1.12
_LONGEST_HEADING = 45
_DEEPEST = 3
# PDFium may not be entered by two threads at once; held for a page at a time, never while text
# is recognised, so that pages can be shown meanwhile.
PDFIUM = RLock()

Recogniser = Callable[[Any, object], list[Line]]


@dataclass(frozen=True, slots=True)
class _Page:
    lines: list[Line]
    height: float
    scanned: bool = False


def read_pdf(
    data: bytes,
    path: Path,
    *,
    ocr: bool = True,
    progress: Callable[[str], None] | None = None,
) -> SourceText:
    """Read a .pdf file.

    Args:
        ocr: recognise pages that have no text of their own.
        progress: told about each page that is being recognised.

    Raises:
        DocumentError: damaged, half-written, with a password, without pages, or scanned while
            recognition is switched off.
    """
    _check_complete(data, path)
    with PDFIUM:
        document = open_pdf(data, path)
    try:
        with PDFIUM:
            properties = document.get_metadata_dict(skip_empty=True)
            count = len(document)
        pages, unread = _read_pages(document, count, path, ocr, progress)
    finally:
        with PDFIUM:
            document.close()
    lines, dropped = without_margins([page.lines for page in pages], [p.height for p in pages])
    if not any(lines):  # a document of nothing but short marginal lines, such as a slide
        lines, dropped = [page.lines for page in pages], 0
    scanned = [page.scanned for page in pages]
    builder = TextBuilder()
    _build(builder, [
        paragraphs(page, even_height=not was_scanned)
        for page, was_scanned in zip(lines, scanned, strict=True)
    ], scanned)  # fmt: skip
    text = builder.text
    if not text and unread:
        raise DocumentError(
            path, "是扫描件，没有文字层", "请设 [index] ocr = true 后重试，或先做文字识别"
        )
    date = properties.get("ModDate") or properties.get("CreationDate")
    return SourceText(
        text=text,
        blocks=tuple(builder.blocks),
        pages=tuple(builder.pages),
        title=real_title(properties.get("Title")) or title_of(text, builder.blocks, path.stem),
        date=iso_date(date),
        notices=tuple(_notices(scanned, unread, dropped)),
    )


def _check_complete(data: bytes, path: Path) -> None:
    """PDFium repairs what it can and silently leaves out the rest; a cut file is refused."""
    size = re.search(rb"/Linearized\b[^>]{0,200}?/L\s+(\d+)", data[:2048])
    if b"%%EOF" not in data or (size and int(size[1]) > len(data)):
        raise DocumentError(path, "PDF 文件不完整", "请重新下载或复制原文件")


def open_pdf(source: bytes | Path, path: Path) -> Any:
    """PDFium's document, which the caller closes; the caller holds `PDFIUM`.

    Raises:
        DocumentError: damaged, with a password, or without pages.
    """
    import pypdfium2
    from pypdfium2 import raw

    try:
        document = pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise DocumentError(path, "文件有密码", "请去掉密码后另存") from error
        if error.err_code == raw.FPDF_ERR_SUCCESS:  # opened, but no page in it
            raise DocumentError(path, "PDF 没有页面", "请重新导出 PDF") from error
        raise DocumentError(path, "PDF 文件已损坏", "请重新下载或复制原文件") from error
    return document


def _read_pages(
    document: Any, count: int, path: Path, ocr: bool, progress: Callable[[str], None] | None
) -> tuple[list[_Page], list[int]]:
    """All pages, and the numbers of those left unread because ``ocr`` is off."""
    pages: list[_Page] = []
    unread: list[int] = []
    for index in range(count):
        with PDFIUM:
            page = page_of(document, index + 1, path)
            try:
                lines, height = page_lines(page), page.get_height()
                is_scan = _is_scan(page, lines)
                drawn = _picture(page) if is_scan and ocr else None
            finally:
                page.close()
        if drawn is not None:
            if progress is not None:
                progress(f"{path.name}：识别第 {index + 1}/{count} 页的文字")
            picture, height = drawn
            pages.append(_Page(recognise(picture, path), height, scanned=True))
        elif is_scan:
            unread.append(index + 1)
            pages.append(_Page([], height))
        else:
            pages.append(_Page(lines, height))
    return pages, unread


def page_of(document: Any, number: int, path: Path) -> Any:
    """Page ``number`` (from 1) of PDFium's document, which the caller closes.

    Raises:
        DocumentError: the page is damaged.
    """
    import pypdfium2

    try:
        return document[number - 1]
    except pypdfium2.PdfiumError as error:
        raise DocumentError(path, f"第 {number} 页已损坏", "请重新下载或复制原文件") from error


def _is_scan(page: Any, lines: list[Line]) -> bool:
    """Whether a page shows text that it does not hold: a picture, outlines, private codes."""
    from pypdfium2 import raw

    text = "".join(line.text for line in lines)
    garbled = len(_GARBLED.findall(text))
    if garbled > _MOST_GARBLED * max(len(text), 1):
        return True
    if len(text) >= _FEW_CHARACTERS:
        return False
    area = page.get_width() * page.get_height()
    for item in page.get_objects(max_depth=3):
        if item.type in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING):
            left, bottom, right, top = item.get_bounds()
            if (right - left) * (top - bottom) >= _LARGE_IMAGE * area or not text:
                return True
        elif item.type == raw.FPDF_PAGEOBJ_PATH and not text:
            return True
    return False


def _picture(page: Any) -> tuple[Any, float]:
    """The page drawn for recognition, BGR, and its height in pixels."""
    scale = _DOTS_PER_INCH / 72
    longest = max(page.get_width(), page.get_height())
    bitmap = page.render(scale=min(scale, _LONGEST_SIDE / longest), rev_byteorder=False)
    picture = bitmap.to_numpy()[:, :, :3].copy()
    bitmap.close()
    return picture, float(picture.shape[0])


def _build(builder: TextBuilder, pages: list[list[Paragraph]], scanned: list[bool]) -> None:
    """Put the paragraphs of all pages together; one may go on behind a page's end."""
    levels = _heading_levels(pages, scanned)
    pending: tuple[Paragraph, list[Piece], bool] | None = None

    def close() -> None:
        nonlocal pending
        if pending is not None:
            paragraph, pieces, was_scanned = pending
            kind, level = _kind(paragraph, pieces, {} if was_scanned else levels)
            builder.add_pieces(kind, pieces, level=level)
            pending = None

    for number, (page, was_scanned) in enumerate(zip(pages, scanned, strict=True), start=1):
        first = page[0] if page else None
        if pending and first and not pending[0].closed and not first.opened:
            between = joint(pending[1][-1].text, first.text)
            pieces = [*pending[1], Piece(between), Piece(first.text, page=number)]
            pending = (first, pieces, was_scanned)
            rest = page[1:]
        else:
            close()
            builder.start_page(number)
            rest = page
        for paragraph in rest:
            close()
            pending = (paragraph, [Piece(paragraph.text)], was_scanned)
    close()
    builder.finish()


def _kind(
    paragraph: Paragraph, pieces: list[Piece], levels: dict[int, int]
) -> tuple[BlockKind, int]:
    text = "".join(piece.text for piece in pieces)
    kind, level = kind_of_line(text)
    if (
        kind is not BlockKind.HEADING
        and len(pieces) == 1
        and round(paragraph.height) in levels
        and _reads_like_heading(paragraph)
    ):
        return BlockKind.HEADING, levels[round(paragraph.height)]
    return kind, level


def _heading_levels(pages: list[list[Paragraph]], scanned: list[bool]) -> dict[int, int]:
    """Heading level by line height: what is larger than the body, the largest first."""
    everything = list(_of_text_pages(pages, scanned))
    if not everything:
        return {}
    body = median([p.height for p in everything for _ in range(p.lines)])
    sizes = {
        round(p.height) for p in everything if p.height > body * _LARGER and _reads_like_heading(p)
    }
    return {size: min(rank, _DEEPEST) for rank, size in enumerate(sorted(sizes, reverse=True), 1)}


def _of_text_pages(pages: list[list[Paragraph]], scanned: list[bool]) -> Iterator[Paragraph]:
    for page, was_scanned in zip(pages, scanned, strict=True):
        if not was_scanned:
            yield from page


def _reads_like_heading(paragraph: Paragraph) -> bool:
    return len(paragraph.text) <= _LONGEST_HEADING and not ENDS_SENTENCE.search(paragraph.text)


def _notices(scanned: list[bool], unread: list[int], dropped: int) -> Iterator[str]:
    if any(scanned):
        yield f"有 {sum(scanned)} 页是扫描页。{NOTICE}"
    if unread:
        shown = "、".join(map(str, unread[:10])) + ("…" if len(unread) > 10 else "")
        yield f"第 {shown} 页没有文字层，文字识别已关闭，未读取"
    if dropped:
        yield f"去掉了 {dropped} 行页眉、页脚和页码"
