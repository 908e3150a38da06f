"""What a file really is, by its first bytes, whatever its name says."""

import re
import zipfile
from enum import StrEnum
from io import BytesIO

from rag.errors import DocumentError
from rag.ingest.readers.encoding import decode
from rag.ingest.readers.package import BROKEN_ZIP, broken_package


class Form(StrEnum):
    """Kinds of content there is a reader for."""

    TEXT = "纯文本"
    MARKDOWN = "Markdown"
    WEB = "网页"
    WORD = "Word 文档"
    WORKBOOK = "Excel 表格"
    CSV = "CSV 表格"
    PDF = "PDF"
    IMAGE = "图片"


FORM_OF_SUFFIX = {
    ".txt": Form.TEXT,
    ".md": Form.MARKDOWN,
    ".html": Form.WEB,
    ".htm": Form.WEB,
    ".docx": Form.WORD,
    ".pdf": Form.PDF,
    ".csv": Form.CSV,
    ".xlsx": Form.WORKBOOK,
    ".png": Form.IMAGE,
    ".jpg": Form.IMAGE,
    ".jpeg": Form.IMAGE,
    ".tif": Form.IMAGE,
    ".tiff": Form.IMAGE,
}
OLD_OFFICE = {
    ".doc": "Word 97-2003 文档",
    ".xls": "Excel 97-2003 表格",
    ".ppt": "PowerPoint 演示文稿",
    ".pptx": "PowerPoint 演示文稿",
    ".wps": "WPS 文档",
    ".et": "WPS 表格",
    ".rtf": "RTF 文档",
}
_SAVE_AS = {
    ".xls": "请用 Excel/WPS 另存为 .xlsx 后重试",
    ".et": "请用 Excel/WPS 另存为 .xlsx 后重试",
    ".ppt": "请用 PowerPoint/WPS 另存为 .pdf 后重试",
    ".pptx": "请用 PowerPoint/WPS 另存为 .pdf 后重试",
}
_SAVE_AS_WORD = "请用 Word/WPS 另存为 .docx 后重试"

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ARCHIVES = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_WEB = re.compile(
    rb"^[\s\xef\xbb\xbf]*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table)\b",
    re.I | re.S,
)
_TAG = re.compile(rb"<\0?[/!]?\0?[a-zA-Z]")
_PACKAGES = (".docx", ".xlsx")
_PDF_MARK_WITHIN = 1024
_TEXTUAL = (Form.TEXT, Form.MARKDOWN, Form.WEB, Form.CSV)


def form_of(data: bytes, suffix: str, path: object) -> Form:
    """The reader for these bytes.

    Args:
        data: the whole file.
        suffix: the name's suffix, lower case; it decides between kinds of text.

    Raises:
        DocumentError: a format there is no reader for, or an office file with a password.
    """
    if b"%PDF-" in data[:_PDF_MARK_WITHIN] and not _WEB.match(data):
        return Form.PDF
    if data.startswith(_IMAGES):
        return Form.IMAGE
    if data.startswith(_OLE):
        raise _ole_error(data, suffix, path)
    if data.startswith(_ZIP) or (data.startswith(b"PK") and suffix in _PACKAGES):
        return _package_form(data, suffix, path)
    if data.startswith(_ARCHIVES):
        raise DocumentError(path, "是压缩包", "请解压后再加入其中的文件")
    if data.startswith(b"{\\rtf"):
        raise DocumentError(path, "是 RTF 文档，不能直接读取", _SAVE_AS_WORD)
    named = FORM_OF_SUFFIX.get(suffix)
    if named is Form.WEB and not _TAG.search(data):
        return Form.TEXT
    if named in _TEXTUAL:
        return named
    if _WEB.match(data):
        return Form.WEB
    if named is not None or suffix in OLD_OFFICE:
        return _text_or_broken(data, suffix, path)
    raise unsupported(path)


def unsupported(path: object) -> DocumentError:
    """The error for a type of file there is no reader for."""
    return DocumentError(
        path, "不支持这种文件", f"请转换为以下格式之一：{'、'.join(sorted(FORM_OF_SUFFIX))}"
    )


def _text_or_broken(data: bytes, suffix: str, path: object) -> Form:
    """Plain text under the name of another format (exports called .xls), or a damaged file."""
    name = suffix.removeprefix(".")
    try:
        decode(data, path)
    except DocumentError as error:
        raise DocumentError(
            path,
            f"不是有效的 {name} 文件，可能已损坏",
            "请重新复制原文件，或用原来的程序打开后另存",
        ) from error
    return Form.CSV if suffix in (".xls", ".xlsx", ".et") else Form.TEXT


def _package_form(data: bytes, suffix: str, path: object) -> Form:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = archive.namelist()
    except BROKEN_ZIP as error:
        raise broken_package(path) from error
    for prefix, form in (("word/", Form.WORD), ("xl/", Form.WORKBOOK)):
        if any(name.startswith(prefix) for name in names):
            if form is Form.WORKBOOK and "xl/workbook.bin" in names:
                raise DocumentError(path, "是二进制 Excel 表格（.xlsb）", _SAVE_AS[".xls"])
            return form
    if any(name.startswith("ppt/") for name in names):
        raise DocumentError(path, "是 PowerPoint 演示文稿，不能直接读取", _SAVE_AS[".ppt"])
    if suffix in _PACKAGES:
        raise broken_package(path)
    raise DocumentError(path, "是压缩包", "请解压后再加入其中的文件")


def _ole_error(data: bytes, suffix: str, path: object) -> DocumentError:
    """Old office files and new ones with a password share one container."""

    def holds(stream: str) -> bool:
        return stream.encode("utf-16-le") in data

    if holds("EncryptedPackage"):
        return DocumentError(path, "文件有密码", "请用 Office/WPS 打开，去掉密码后另存")
    streams = (
        ("WordDocument", ".doc"),
        ("Workbook", ".xls"),
        ("Book", ".xls"),
        ("PowerPoint Document", ".ppt"),
    )
    old = next((old for stream, old in streams if holds(stream)), suffix)
    name = OLD_OFFICE.get(old, "旧版 Office 文件")
    return DocumentError(path, f"是旧格式的 {name}，不能直接读取", _SAVE_AS.get(old, _SAVE_AS_WORD))
