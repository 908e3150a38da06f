"""Which names of files and collections are taken, as they are or not at all.

A name is one component of a path. It keeps its characters, composed (NFC) so that one name is not
two; what the indexer would pass over is refused at the door.
"""

import unicodedata
from pathlib import PurePosixPath
from typing import Final

from rag.ingest.read import SUPPORTED, is_passed_over
from rag.ingest.readers.sniff import unsupported
from rag.library.faults import FileRefused

_LONGEST_NAME: Final = 200  # bytes; what most file systems hold is 255
_LONGEST_COLLECTION: Final = 60  # characters
# They would show a name in another order than it is written.
_DIRECTIONS: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def checked_collection(name: str) -> str:
    """A collection's name, "" for none.

    Raises:
        FileRefused: it cannot be a folder's name.
    """
    name = unicodedata.normalize("NFC", name.strip())
    if name:
        _check(name, "分类")
        if len(name) > _LONGEST_COLLECTION:
            raise FileRefused(f"分类名超过 {_LONGEST_COLLECTION} 个字。请缩短")
    return name


def checked_file(collection: str, name: str) -> str:
    """A file's path below the library, "/" between collection and name.

    Raises:
        FileRefused: the collection or the name is not taken, or no reader knows the type.
    """
    collection = checked_collection(collection)
    name = unicodedata.normalize("NFC", name)
    _check(name, "文件名")
    if len(name.encode("utf-8", "replace")) > _LONGEST_NAME:
        raise FileRefused(f"文件名超过 {_LONGEST_NAME} 字节（约 66 个汉字）。请缩短后再上传")
    if PurePosixPath(name).suffix.lower() not in SUPPORTED:
        raise FileRefused(str(unsupported(name)))
    path = f"{collection}/{name}" if collection else name
    if is_passed_over(path):
        raise FileRefused(f"{name} 是建立索引时跳过的文件名（说明文件或临时文件）。请改名后再上传")
    return path


def checked_path(path: str) -> str:
    """A path that `checked_file` may have given, checked again.

    Raises:
        FileRefused: it is none.
    """
    collection, _, name = path.rpartition("/")
    return checked_file(collection, name)


def _check(name: str, what: str) -> None:
    if not name:
        raise FileRefused(f"{what}是空的。请改名后再上传")
    if "/" in name or "\\" in name:
        raise FileRefused(f"{what}里不能有斜线。请改名后再上传")
    if any(_is_treacherous(character) for character in name):
        raise FileRefused(f"{what}里有看不见的控制字符。请改名后再上传")
    if name.startswith(".") or is_passed_over(f"{name}/"):
        raise FileRefused(f"{what} {name} 属于隐藏或临时文件。请改名后再上传")


def _is_treacherous(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Cc", "Cs")
        or unicodedata.bidirectional(character) in _DIRECTIONS
    )
