"""Plain text: every line a block, kept to the character.

Only line ends are made "\\n" and the byte order mark goes. A file whose lines a mailer or an old
editor broke at a fixed width is put together again; there the line breaks inside paragraphs are
left out (nothing else changes).
"""

from pathlib import Path

from rag.ingest.readers.builder import TextBuilder
from rag.ingest.readers.encoding import decode
from rag.ingest.readers.lines import ENDS_SENTENCE, join_lines, kind_of_line, opens_block, width
from rag.ingest.readers.metadata import title_of
from rag.types import Block, BlockKind, SourceText

_FEWEST_LINES = 6
_NARROWEST = 40


def read_text(data: bytes, path: Path) -> SourceText:
    """Read a .txt file.

    Raises:
        DocumentError: not text, or in an unknown encoding.
    """
    decoded = decode(data, path)
    text, blocks = decoded.text, _blocks(decoded.text)
    notices = decoded.notices
    if _is_wrapped(text):
        text, blocks = _unwrapped(text)
        notices = (*notices, "文件的行在固定宽度处折断，已按段落接回")
    return SourceText(
        text=text,
        blocks=tuple(blocks),
        title=title_of(text, blocks, path.stem),
        notices=notices,
    )


def _blocks(text: str) -> list[Block]:
    blocks = []
    start = 0
    for line in text.split("\n"):
        body = line.strip()
        if body:
            inside = start + len(line) - len(line.lstrip())
            kind, level = kind_of_line(body)
            blocks.append(Block(kind, inside, inside + len(body), level))
        start += len(line) + 1
    return blocks


def _is_wrapped(text: str) -> bool:
    """Whether most lines stop at one width, in the middle of sentences."""
    lines = [line.rstrip() for line in text.split("\n") if line.strip()]
    if len(lines) < _FEWEST_LINES:
        return False
    widths = [width(line) for line in lines]
    widest = max(widths)
    if not _NARROWEST <= widest <= 160:
        return False
    full = [
        line for line, columns in zip(lines, widths, strict=True) if columns >= widest * 0.9 - 2
    ]
    broken = sum(ENDS_SENTENCE.search(line) is None for line in full)
    return len(full) >= 0.5 * len(lines) and broken >= 0.7 * len(full)


def _unwrapped(text: str) -> tuple[str, list[Block]]:
    """Paragraphs end at an empty line, before an indented or numbered line, after a short one."""
    builder = TextBuilder()
    lines = text.split("\n")
    widest = max(width(line.rstrip()) for line in lines)
    paragraph: list[str] = []

    def close() -> None:
        whole = join_lines(paragraph)
        kind, level = (
            kind_of_line(whole)
            if len(paragraph) == 1 or opens_block(whole)
            else (
                BlockKind.PARAGRAPH,
                0,
            )
        )
        builder.add(kind, whole, level=level)
        paragraph.clear()

    for line in lines:
        indented = line.startswith(("\u3000", "  ", "\t"))
        if paragraph and (not line.strip() or indented or opens_block(line)):
            close()
        if line.strip():
            paragraph.append(line)
            if width(line.rstrip()) < widest * 0.75:
                close()
    if paragraph:
        close()
    return builder.text, builder.blocks
