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


def read_picture(data: memoryview, suffix: str) -> NDArray[Any]:
    """The pixels, with the top row first. Raises InvalidValue if they cannot be read."""
    with from_extra():
        import numpy as np
        from PIL import Image
    try:
        with quietly(), Image.open(io.BytesIO(data), formats=[PICTURES[suffix]]) as picture:
            _check_size(picture, len(data))
            palette = picture.mode in ("1", "P", "PA")
            return np.asarray(picture.convert("L" if picture.mode == "1" else "RGB") if palette else picture)
    except InvalidValue:
        raise
    except Exception as error:  # it has many kinds
        raise InvalidValue(f"the {suffix} frame cannot be read: {error}") from error


def _check_size(picture: Image, size: int) -> None:
    """Raise InvalidValue if there can never be so many pixels in so few bytes."""
    pixels = picture.width * picture.height
    if pixels * 4 > max(_FREE, _MOST_GROWTH * size):
        raise InvalidValue(f"picture of {picture.width} x {picture.height} pixels in {size} bytes")
