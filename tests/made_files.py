"""Files of every format, made by code: what the reading tests read."""

import io
import random
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FONTS = Path("/usr/share/fonts/opentype/noto")
REGULAR = FONTS / "NotoSansCJK-Regular.ttc"
SERIF = FONTS / "NotoSerifCJK-Regular.ttc"
SIMPLIFIED_FACE = 2

# (x, y, size, text); y grows upwards from the bottom of an A4 page of 595 x 842 points.
Placed = tuple[float, float, float, str]

_FONT_OBJECTS = (
    b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H"
    b" /DescendantFonts [4 0 R] >>",
    b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo"
    b" << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /FontDescriptor 5 0 R /DW 1000"
    b" /W [1 95 500 814 939 500] >>",
    b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880]"
    b" /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
)


def pdf(pages: Sequence[Sequence[Placed]], *, information: bytes = b"") -> bytes:
    """A PDF with a text layer in a standard Chinese font that is not embedded."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", *_FONT_OBJECTS]
    kids = []
    for page in pages:
        content = b"".join(
            b"BT /F1 %g Tf 1 0 0 1 %g %g Tm <%s> Tj ET\n"
            % (size, x, y, text.encode("utf-16-be").hex().encode())
            for x, y, size, text in page
        )
        objects.append(b"<< /Length %d >>\nstream\n%sendstream" % (len(content), content))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]"
            b" /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    objects.append(b"<< %s >>" % information)
    return assemble_pdf(objects, b"/Info %d 0 R" % len(objects))


def assemble_pdf(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """Numbered objects, cross-reference table and trailer; object 1 is the catalogue."""
    data = b"%PDF-1.7\n"
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return data + b"trailer << /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer,
        start,
    )


def set_paragraph(
    text: str, y: float, *, x: float = 72, columns: int = 36, indent: int = 2, size: float = 12
) -> tuple[list[Placed], float]:
    """A paragraph set in lines of ``columns`` characters, and where the next one may begin."""
    placed: list[Placed] = []
    while text:
        inset = 0 if placed else indent
        placed.append((x + inset * size, y, size, text[: columns - inset]))
        text = text[columns - inset :]
        y -= size * 5 / 3
    return placed, y


def scanned_page(
    lines: Sequence[str],
    *,
    font: Path = REGULAR,
    size: int = 38,
    angle: float = 0.7,
    noise: float = 12.0,
    seed: int = 7,
    left: int = 170,
    indents: Sequence[int] = (),
) -> Any:
    """A page as a scanner at 200 dpi would give it: tilted, grey, blurred, grainy (Pillow image)."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFilter, ImageFont

    face = ImageFont.truetype(str(font), size, index=SIMPLIFIED_FACE)
    image = Image.new("L", (1654, 2339), 246)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        inset = indents[number] if number < len(indents) else 0
        place = (left + inset * size, 200 + number * size * 1.7)
        draw.text(place, line, font=face, fill=40)
    image = image.rotate(angle, resample=Image.Resampling.BICUBIC, fillcolor=246)
    image = image.filter(ImageFilter.GaussianBlur(0.6))
    grain = np.random.default_rng(seed).normal(0, noise, (image.height, image.width))
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)).convert(
        "RGB"
    )


def image_pdf(images: Sequence[Any]) -> bytes:
    """A PDF of nothing but pictures, as a scanner saves it."""
    output = io.BytesIO()
    images[0].save(
        output, "PDF", resolution=200, save_all=True, append_images=list(images[1:]), quality=75
    )
    return output.getvalue()


def wrapped(text: str, columns: int) -> list[str]:
    """Cut into lines of ``columns`` Chinese characters; two ASCII characters take one."""
    lines, current, taken = [], "", 0.0
    for character in text:
        room = 0.5 if character < "\x7f" else 1.0
        if taken + room > columns:
            lines.append(current)
            current, taken = "", 0.0
        current += character
        taken += room
    return [*lines, current]


def edit_distance(first: str, second: str) -> int:
    """Insertions, deletions and replacements between two texts."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, start=1):
        previous, row[0] = row[0], i
        for j, b in enumerate(second, start=1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def zip_of(parts: dict[str, bytes]) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return output.getvalue()


def noise(length: int, seed: int = 3) -> bytes:
    return random.Random(seed).randbytes(length)
