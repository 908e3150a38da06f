"""An export as a file to hand out: its name, its type, its bytes."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rag.export import markdown, pdf, word
from rag.export.content import Exported
from rag.export.fonts import find_font

_NAME_LENGTH = 60


class Form(StrEnum):
    """The formats, named as their files end."""

    MARKDOWN = "md"
    WORD = "docx"
    PDF = "pdf"


_MEDIA_TYPES = {
    Form.MARKDOWN: "text/markdown; charset=utf-8",
    Form.WORD: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Form.PDF: "application/pdf",
}


@dataclass(frozen=True, slots=True)
class ExportFile:
    name: str
    media_type: str
    content: bytes


def export(exported: Exported, form: Form, *, font: Path | None = None) -> ExportFile:
    """Write a conversation or one answer.

    Args:
        font: a file with Chinese characters for PDF; None for a system font.

    Raises:
        FontMissing: PDF is wanted and there is no such font.
    """
    if form is Form.MARKDOWN:
        content = markdown.write(exported).encode()
    elif form is Form.WORD:
        content = word.write(exported)
    else:
        content = pdf.write(exported, find_font(font))
    return ExportFile(f"{_file_name(exported.heading)}.{form}", _MEDIA_TYPES[form], content)


def _file_name(title: str) -> str:
    """What every file system takes."""
    return re.sub(r'[\\/:*?"<>|\s.]+', "-", title)[:_NAME_LENGTH].strip("-") or "export"
