"""From paths to texts: which files there are, and what each of them says.

`find_files` walks folders, `read_file` reads one file, by its content even where its name is
wrong. Every problem is a `DocumentError` that names the file and what to do about it; one file's
trouble never stops the others. The formats' own modules are in `rag.ingest.readers`.
"""

import logging
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag.errors import DocumentError, RagError
from rag.ingest.readers.builder import TextBuilder
from rag.ingest.readers.sniff import FORM_OF_SUFFIX, OLD_OFFICE, Form, form_of, unsupported
from rag.types import SourceText

logger = logging.getLogger(__name__)

SUPPORTED = frozenset(FORM_OF_SUFFIX)
_MEGABYTE = 1024 * 1024
_DESCRIPTION = "readme.md"
_IGNORED = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
_TEMPORARY_STARTS = ("~$", ".", "#")
_TEMPORARY_ENDS = ("~", ".tmp", ".part", ".crdownload", ".swp", ".bak")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\xad"), None)
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to read; ``name`` is its path below the folder it was found in, with "/"."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """What a search brought: files in a stable order, failures, and lines worth showing."""

    files: tuple[FoundFile, ...] = ()
    failures: tuple[DocumentError, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(slots=True)
class _Search:
    files: list[FoundFile] = field(default_factory=list)
    failures: list[DocumentError] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    seen: set[Path] = field(default_factory=set)


def find_files(paths: Sequence[Path]) -> FoundFiles:
    """The files that the paths name, folders searched to the bottom in order of names.

    Left out in folders: hidden and temporary files, and a README.md directly in a folder that was
    named. A file reached twice counts once, and links that lead in a circle end there. A type
    without a reader is a failure when its path was named and a notice in a folder.
    """
    search = _Search()
    for path in paths:
        try:
            is_folder = path.is_dir()
            exists = is_folder or path.exists()
        except OSError as error:
            search.failures.append(_cannot_open(path, error))
            continue
        if is_folder:
            before = len(search.files)
            skipped: dict[str, int] = {}
            _walk(path, path, search, skipped)
            search.notices.extend(_skipped_notices(path, skipped))
            if len(search.files) == before and not skipped:
                search.notices.append(f"{path}：目录里没有可以读取的文件")
        elif not exists:
            search.failures.append(_missing(path))
        elif path.suffix.lower() in SUPPORTED | OLD_OFFICE.keys():
            _add(path, path.name, search)
        else:
            search.failures.append(unsupported(path))
    return FoundFiles(tuple(search.files), tuple(search.failures), tuple(search.notices))


def is_passed_over(name: str) -> bool:
    """Whether `find_files` leaves a file out for its name, its path below the folder with "/":
    hidden, temporary, or the folder's own description."""
    return any(_is_left_out(part) for part in name.split("/")) or name.lower() == _DESCRIPTION


def read_file(
    path: Path,
    *,
    max_bytes: int,
    ocr: bool = True,
    progress: Callable[[str], None] | None = None,
) -> SourceText:
    """Read one file, by what its content is.

    Args:
        max_bytes: a larger file is refused before it is read.
        ocr: recognise the text on pictures and scanned pages.
        progress: told, in a short Chinese line, what takes long.

    Raises:
        DocumentError: the file cannot be read, or holds no text.
    """
    data = _bytes_of(path, max_bytes)
    suffix = path.suffix.lower()
    form = form_of(data, suffix, path)
    try:
        source = _read(form, data, path, ocr, progress)
    except RagError:
        raise
    except Exception as error:  # whatever a library makes of a file: the other files go on
        logger.exception("%s could not be read", path)
        raise DocumentError(
            path,
            f"读取时出错（{type(error).__name__}: {error}）".replace("\n", " "),
            "请用原来的程序打开确认，另存后重试",
        ) from error
    if not any(c.isalnum() for c in source.text.translate(_INVISIBLE).replace(_REPLACEMENT, "")):
        raise DocumentError(path, "文件里没有文字", "请确认内容；若是图片，请先转为文字")
    if form is not FORM_OF_SUFFIX.get(suffix):
        notice = f"后缀是 {suffix or '（无）'}，内容是{form.value}，已按内容读取"
        source = replace(source, notices=(notice, *source.notices))
    return source


def _read(
    form: Form, data: bytes, path: Path, ocr: bool, progress: Callable[[str], None] | None
) -> SourceText:
    # Each reader is imported when the first file of its kind comes: their libraries are slow.
    if form is Form.TEXT:
        from rag.ingest.readers.text import read_text

        return read_text(data, path)
    if form is Form.MARKDOWN:
        from rag.ingest.readers.markdown import read_markdown

        return read_markdown(data, path)
    if form is Form.WEB:
        from rag.ingest.readers.web import read_web_page

        return read_web_page(data, path)
    if form is Form.WORD:
        from rag.ingest.readers.word import read_word

        return read_word(data, path)
    if form is Form.PDF:
        from rag.ingest.readers.pdf import read_pdf

        return read_pdf(data, path, ocr=ocr, progress=progress)
    if form is Form.IMAGE:
        return _read_image(data, path, ocr, progress)
    from rag.ingest.readers.sheets import read_csv, read_workbook

    return read_workbook(data, path) if form is Form.WORKBOOK else read_csv(data, path)


def _read_image(
    data: bytes, path: Path, ocr: bool, progress: Callable[[str], None] | None
) -> SourceText:
    """A photographed or scanned page, or a .tif of several."""
    from rag.ingest.readers.layout import paragraphs
    from rag.ingest.readers.lines import kind_of_line
    from rag.ingest.readers.metadata import title_of
    from rag.ingest.readers.recognise import NOTICE, pictures_of, recognise

    if not ocr:
        raise DocumentError(path, "是图片，而文字识别已关闭", "请设 [index] ocr = true 后重试")
    builder = TextBuilder()
    pictures = pictures_of(data, path)
    for number, picture in enumerate(pictures, start=1):
        if progress is not None:
            progress(f"{path.name}：识别第 {number}/{len(pictures)} 页的文字")
        builder.start_page(number)
        for paragraph in paragraphs(recognise(picture, path), even_height=False):
            kind, level = kind_of_line(paragraph.text)
            builder.add(kind, paragraph.text, level=level)
    builder.finish()
    several = len(pictures) > 1
    return SourceText(
        text=builder.text,
        blocks=tuple(builder.blocks),
        pages=tuple(builder.pages) if several else (),
        title=title_of(builder.text, builder.blocks, path.stem),
        notices=(NOTICE,),
    )


def _bytes_of(path: Path, max_bytes: int) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise DocumentError(path, "是目录，不是文件", "请直接索引这个目录")
        if not stat.S_ISREG(status.st_mode):  # a pipe would wait for ever
            raise DocumentError(path, "不是普通文件", "请换成普通文件")
        if status.st_size == 0:
            raise DocumentError(path, "文件是空的", "请检查文件是否复制完整")
        if status.st_size > max_bytes:
            raise _too_large(path, status.st_size, max_bytes)
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise _cannot_open(path, error) from error
    if len(data) > max_bytes:  # it grew since
        raise _too_large(path, len(data), max_bytes)
    if not data.strip():
        raise DocumentError(path, "文件里只有空白", "请检查文件是否复制完整")
    return data


def _walk(folder: Path, root: Path, search: _Search, skipped: dict[str, int]) -> None:
    try:
        real = folder.resolve()
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        search.failures.append(_cannot_open(folder, error))
        return
    if real in search.seen:
        return
    search.seen.add(real)
    for entry in entries:
        if _is_left_out(entry.name) or (folder == root and entry.name.lower() == _DESCRIPTION):
            continue
        try:
            if entry.is_dir():
                _walk(entry, root, search, skipped)
                continue
            missing = not entry.exists()
        except OSError as error:
            search.failures.append(_cannot_open(entry, error))
            continue
        suffix = entry.suffix.lower()
        if suffix not in SUPPORTED:
            skipped[suffix] = skipped.get(suffix, 0) + 1
        elif missing:
            search.failures.append(DocumentError(entry, "链接指向的文件不存在", "请修复或删除链接"))
        else:
            _add(entry, entry.relative_to(root).as_posix(), search)


def _add(path: Path, name: str, search: _Search) -> None:
    real = path.resolve()
    if real not in search.seen:
        search.seen.add(real)
        search.files.append(FoundFile(path, name))


def _is_left_out(name: str) -> bool:
    lower = name.lower()
    return (
        lower in _IGNORED or lower.startswith(_TEMPORARY_STARTS) or lower.endswith(_TEMPORARY_ENDS)
    )


def _skipped_notices(root: Path, skipped: dict[str, int]) -> Iterator[str]:
    for suffix, count in sorted(skipped.items()):
        name = OLD_OFFICE.get(suffix)
        remedy = f"是{name}，请另存为 .docx、.xlsx 或 .pdf" if name else "不支持这种文件"
        yield f"{root}：跳过 {count} 个 {suffix or '无后缀'} 文件，{remedy}"


def _missing(path: Path) -> DocumentError:
    return DocumentError(path, "文件或目录不存在", "请检查路径")


def _too_large(path: Path, size: int, limit: int) -> DocumentError:
    return DocumentError(
        path,
        f"文件有 {size / _MEGABYTE:.1f} MB，超过上限 {limit / _MEGABYTE:g} MB",
        "请拆分文件，或调大 [index] max_file_megabytes",
    )


def _cannot_open(path: Path, error: OSError) -> DocumentError:
    if isinstance(error, FileNotFoundError):
        return _missing(path)
    if isinstance(error, PermissionError):
        return DocumentError(path, "没有读取权限", "请用 chmod 或管理员账号开放读取权限")
    return DocumentError(path, f"无法读取（{error.strerror}）", "请检查磁盘和路径")
