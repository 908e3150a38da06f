"""What .docx and .xlsx files have in common: a zip archive that may be broken or hostile."""

import zipfile
import zlib
from io import BytesIO

from rag.errors import DocumentError

_LARGEST_PART = 20 * 1024 * 1024
_MOST_UNPACKED = 1024 * 1024 * 1024
# Deflate packs office XML 10 to 50 times; a thousand times is a file made to fill the memory.
_DENSEST = 200
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError)


def open_package(data: bytes, path: object) -> zipfile.ZipFile:
    """The archive, after looking at how large it says it is unpacked.

    Raises:
        DocumentError: half-written, damaged, or a zip bomb.
    """
    try:
        archive = zipfile.ZipFile(BytesIO(data))
    except BROKEN_ZIP as error:
        raise broken_package(path) from error
    total = 0
    for part in archive.infolist():
        total += part.file_size
        dense = part.file_size > _DENSEST * max(part.compress_size, 1)
        if total > _MOST_UNPACKED or (part.file_size > _LARGEST_PART and dense):
            raise DocumentError(
                path, "解压后异常巨大，可能是恶意文件", "请核实来源；确需使用时另存为较小的文件"
            )
    return archive


def read_part(archive: zipfile.ZipFile, name: str, path: object) -> bytes:
    """One part of the archive, b"" when it has no such part.

    Raises:
        DocumentError: the part is damaged.
    """
    try:
        return archive.read(name)
    except KeyError:
        return b""
    except BROKEN_ZIP as error:
        raise broken_package(path) from error
    except RuntimeError as error:  # zipfile's way of saying "encrypted"
        raise DocumentError(path, "文件有密码", "请去掉密码后另存") from error


def check_package(archive: zipfile.ZipFile, path: object) -> None:
    """Read every part once, so that damage shows before a library stumbles over it.

    Raises:
        DocumentError: a part is damaged.
    """
    for part in archive.infolist():
        read_part(archive, part.filename, path)


def broken_package(path: object) -> DocumentError:
    """The error for an office file that is not whole."""
    return DocumentError(path, "文件不完整或已损坏", "请重新复制原文件，或用 Office/WPS 打开后另存")
