"""A page of a PDF drawn as a picture, for people to look at."""

import io
from pathlib import Path
from typing import Final

from rag.errors import DocumentError
from rag.ingest.readers.pdf import PDFIUM, open_pdf, page_of

# An A4 page at 150 dpi is 1240 x 1754; a wall chart gets no more than that.
_WIDEST: Final = 1240
_HIGHEST: Final = 1754
_LARGEST_SCALE: Final = 4.0


def draw_page(path: Path, number: int) -> bytes:
    """Page ``number`` (from 1) as a PNG, at most 1754 pixels on its longer side.

    Raises:
        DocumentError: not a readable PDF, or no such page.
    """
    with PDFIUM:
        document = open_pdf(path, path)
        try:
            count = len(document)
            if not 1 <= number <= count:
                raise DocumentError(path, f"没有第 {number} 页", f"请选择 1 到 {count} 页")
            page = page_of(document, number, path)
            try:
                width, height = page.get_size()
                sides = (_WIDEST, _HIGHEST) if width <= height else (_HIGHEST, _WIDEST)
                scale = min(sides[0] / max(width, 1), sides[1] / max(height, 1), _LARGEST_SCALE)
                bitmap = page.render(scale=scale)
                picture = bitmap.to_pil().copy()
                bitmap.close()
            finally:
                page.close()
        finally:
            document.close()
    output = io.BytesIO()
    picture.convert("RGB").save(output, "PNG", compress_level=3)
    return output.getvalue()
