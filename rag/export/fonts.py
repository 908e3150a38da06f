"""Where a font with Chinese characters is, for files that embed one.

The product ships none: a complete one has 16 MB. Debian's fonts-noto-cjk is what the browser
tests use as well; a subset of the characters used is embedded, a few kilobytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from rag.errors import RagError

# (file, number of the face in a collection): simplified first, in the order tried.
SYSTEM_FONTS: Final = (
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", 0),
    ("/usr/share/fonts/wqy-microhei/wqy-microhei.ttc", 0),
    ("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf", 0),
    ("/System/Library/Fonts/Supplemental/Songti.ttc", 6),
    ("C:/Windows/Fonts/msyh.ttc", 0),
    ("C:/Windows/Fonts/simhei.ttf", 0),
)


class FontMissing(RagError):
    """No font with Chinese characters is on this machine, or it cannot be read."""

    exit_code = 7


@dataclass(frozen=True, slots=True)
class Font:
    """A font file; ``face`` is the number in a collection (.ttc)."""

    path: Path
    face: int = 0


def find_font(wanted: Path | None = None, system: Sequence[tuple[str, int]] = SYSTEM_FONTS) -> Font:
    """The font that the settings want, otherwise the first of the system's.

    Raises:
        FontMissing: there is none.
    """
    if wanted is not None:
        if not wanted.is_file():
            raise FontMissing(
                f"[conversations] font 指定的字体 {wanted} 不存在。请改正路径，或删去该项以使用系统字体"
            )
        faces = {Path(path).name: face for path, face in SYSTEM_FONTS}
        return Font(wanted, faces.get(wanted.name, 0))
    for path, face in system:
        if Path(path).is_file():
            return Font(Path(path), face)
    raise FontMissing(
        "没有可嵌入 PDF 的中文字体。请安装 Noto CJK（Debian/Ubuntu：sudo apt-get install fonts-noto-cjk），"
        "或在 [conversations] font 写上字体文件；也可先导出 Word 或 Markdown"
    )


@lru_cache(maxsize=8)
def check_font(font: Font, needed: str) -> None:
    """Refuse a file that is no font, and a font without these characters.

    Raises:
        FontMissing: which of the two, and what to do.
    """
    from fontTools.ttLib import TTFont, TTLibError

    remedy = "请安装 fonts-noto-cjk，或在 [conversations] font 换一个字体文件"
    try:
        with font.path.open("rb") as file:
            known = TTFont(file, fontNumber=font.face, lazy=True).getBestCmap() or {}
    except (OSError, TTLibError) as error:
        raise FontMissing(f"字体 {font.path} 无法读取（{error}）。{remedy}") from error
    if any(ord(one) not in known for one in needed):
        raise FontMissing(f"字体 {font.path} 没有中文字符。{remedy}")
