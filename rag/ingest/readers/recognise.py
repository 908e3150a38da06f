"""Characters on pictures of pages, with the models the rapidocr package brings along.

The models' paths are given explicitly, so nothing is ever fetched; when a model file is missing
this says so at once. Raised digits (10⁹) come back as plain ones or not at all, so every
recognised text carries a notice to check figures against the page.
"""

import logging
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import DocumentError
from rag.ingest.readers.layout import Line, reading_order

Picture = npt.NDArray[np.uint8]
NOTICE = "文字由图像识别得到，数字、上下标和单位请核对原件"
_MODELS = {"Det": "*_det_*.onnx", "Cls": "*_cls_*.onnx", "Rec": "*_rec_*.onnx"}
_LONGEST_SIDE = 3000
_MOST_PIXELS = 120_000_000
_LEAST_SCORE = 0.5
_lock = Lock()


def recognise(picture: Picture, path: object) -> list[Line]:
    """Lines of a page in reading order.

    Args:
        picture: height x width x 3, BGR.
        path: the file, named in errors.

    Raises:
        DocumentError: the models are not where the package should have them.
    """
    try:
        with _lock:
            result = _engine()(picture)
    except FileNotFoundError as error:
        raise DocumentError(
            path, "文字识别模型不在安装目录中", "请重新安装 rapidocr，或设 [index] ocr = false"
        ) from error
    if result.txts is None or result.boxes is None:
        return []
    lines = []
    for text, box in zip(result.txts, result.boxes, strict=True):
        if text.strip():
            points = np.asarray(box, dtype=float)
            # Averaged edges: on a tilted scan the outer corners of a box overlap its neighbours.
            lines.append(
                Line(
                    text=text.strip(),
                    left=float(points[[0, 3], 0].mean()),
                    top=float(points[[0, 1], 1].mean()),
                    right=float(points[[1, 2], 0].mean()),
                    bottom=float(points[[2, 3], 1].mean()),
                )
            )
    return reading_order(lines)


def pictures_of(data: bytes, path: object) -> list[Picture]:
    """The pages of an image file, upright, as BGR arrays.

    Raises:
        DocumentError: half-written, damaged, or larger than any page.
    """
    from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

    try:
        with Image.open(BytesIO(data)) as image:
            pages = []
            for frame in ImageSequence.Iterator(image):
                if frame.width * frame.height > _MOST_PIXELS:
                    raise DocumentError(path, "图片过大", "请缩小到每边一万像素以内后重试")
                upright = ImageOps.exif_transpose(frame.copy())
                upright.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
                pages.append(_bgr(upright))
            return pages
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
    ) as error:
        raise DocumentError(path, "图片不完整或已损坏", "请重新扫描或导出后重试") from error


def _bgr(image: Any) -> Picture:
    """Transparent parts become white paper."""
    from PIL import Image

    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    array = np.asarray(image.convert("RGB"), dtype=np.uint8)
    return np.ascontiguousarray(array[:, :, ::-1])


@lru_cache(maxsize=1)
def _engine() -> Any:
    import rapidocr

    folder = Path(rapidocr.__file__).parent / "models"
    parameters: dict[str, object] = {
        "Global.log_level": "critical",
        "Global.max_side_len": _LONGEST_SIDE,
        "Global.text_score": _LEAST_SCORE,
    }
    for part, pattern in _MODELS.items():
        found = sorted(folder.glob(pattern))
        if not found:
            raise FileNotFoundError(folder / pattern)
        parameters[f"{part}.model_path"] = str(found[0])
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    return rapidocr.RapidOCR(params=parameters)
