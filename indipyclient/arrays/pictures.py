"""Pictures in the formats of cameras and webcams, read by pillow."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ..errors import InvalidValue
from .extra import from_extra, quietly

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

__all__ = ["PICTURES", "read_picture"]

PICTURES = {
    ".stream_jpg": "JPEG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
"""pillow's formats by suffix. It may try no other: it has some that start programs."""

_FREE = 64 << 20  # bytes of pixels that any picture may have
_MOST_GROWTH = 1032  # what deflate makes of a byte at best; JPEG makes less


def read_picture(data: memoryview, suffix: str, most: int | None = None) -> NDArray[Any]:
    """The pixels, with the top row first. Raises InvalidValue if they cannot be read, or are too many."""
    with from_extra():
        import numpy as np
        from PIL import Image
    try:
        with quietly(), Image.open(io.BytesIO(data), formats=[PICTURES[suffix]]) as picture:
            _check_size(picture, len(data), most)
            palette = picture.mode in ("1", "P", "PA")
            return np.asarray(picture.convert("L" if picture.mode == "1" else "RGB") if palette else picture)
    except InvalidValue:
        raise
    except Exception as error:  # it has many kinds
        raise InvalidValue(f"the {suffix} frame cannot be read: {error}") from error


def _check_size(picture: Image, size: int, most: int | None) -> None:
    """Raise InvalidValue if there are more pixels than wanted, or can never be so many in so few bytes."""
    pixels = picture.width * picture.height
    if most is not None and pixels > most:
        raise InvalidValue(f"the picture is too large: {picture.width} x {picture.height} pixels")
    if pixels * 4 > max(_FREE, _MOST_GROWTH * size):
        raise InvalidValue(f"picture of {picture.width} x {picture.height} pixels in {size} bytes")
