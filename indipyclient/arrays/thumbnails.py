"""Small pictures of frames, to see what is on them, in a time that does not grow with the frame."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import InvalidValue
from .extra import from_extra
from .fitsfile import HDU, find_image, scaled, view_pixels
from .fitstiles import unpack
from .pictures import PICTURES, read_picture
from .reading import FITS, to_array

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

__all__ = ["to_thumbnail"]

_MOST_LINES = 1000  # rows or columns that are looked at; the others are skipped
_MOST_UNPACKED = 10_000_000  # pixels of a frame that must be unpacked to be looked at
_MOST_STEPS = 10_000  # from black to white, each of three times the noise
_GREYS = 0xFC  # 64 of them: more cannot be told apart, and noise takes fewer bytes


def to_thumbnail(
    buffer: memoryview, form: str, shape: tuple[int, ...] | None = None, size: int = 256
) -> bytes:
    """A frame as a small picture: the bytes of a PNG, with the top of the frame at the top.

    Any thread may call it. FITS, and pixels of more than 8 bits, are stretched so that faint and bright are
    both seen. Of large frames only as many rows and columns are looked at as the picture needs.

    Args:
        buffer: the frame's bytes.
        form: its format: the suffix that INDI gives, upper or lower case.
        shape: (rows, columns) of a frame that is pixels only, as for `to_array`.
        size: pixels of the longer side at most. A smaller frame is not enlarged.

    Raises:
        InvalidValue: as `to_array`; or too many pixels, more than 10 million, would have to be unpacked.
        MissingExtra: numpy or pillow is not installed.
    """
    with from_extra():
        import numpy as np
        import PIL.Image
    data, suffix = memoryview(buffer).cast("B"), form.lower()
    planes = _read_fits(find_image(data)) if suffix in FITS else _read_other(data, suffix, shape)
    as_it_is = planes.dtype == np.uint8 and suffix not in FITS
    scale = min(1.0, size / max(planes.shape[1:]))
    rows, columns = (max(1, round(length * scale)) for length in planes.shape[1:])
    small = [(_shrunk if as_it_is else _stretched)(plane, columns, rows) for plane in planes]
    return _png(PIL.Image.merge("RGB", small) if len(small) == 3 else small[0])


def _read_fits(hdu: HDU) -> NDArray[Any]:
    """Some of the pixels, as (1 or 3 colours, rows, columns), the top row first."""
    some = _unpack_some(hdu) if hdu.is_compressed else _thinned(view_pixels(hdu))
    planes = some.reshape(-1, *some.shape[-2:])
    few = scaled(planes[:3] if len(planes) == 3 else planes[:1], hdu)
    return few if hdu.text("ROWORDER") == "TOP-DOWN" else few[:, ::-1]


def _unpack_some(hdu: HDU) -> NDArray[Any]:
    axes = hdu.axes("Z")
    every = _step(axes[:2])
    if math.prod(axes) // every > _MOST_UNPACKED:
        raise InvalidValue(f"the packed image is too large: {' x '.join(map(str, axes))} pixels")
    return unpack(hdu, every)[..., ::every]


def _read_other(data: memoryview, suffix: str, shape: tuple[int, ...] | None) -> NDArray[Any]:
    """As `_read_fits`."""
    if suffix in PICTURES:
        array = read_picture(data, suffix, _MOST_UNPACKED)
    else:
        array = to_array(data, suffix, shape)
    if array.ndim == 3:
        array = array.transpose(2, 0, 1)
        array = array[:3] if len(array) > 2 else array[:1]  # what is beside grey or colours is transparency
    return _thinned(array.reshape(-1, *array.shape[-2:]))


def _thinned(array: NDArray[Any]) -> NDArray[Any]:
    """A view of every so many rows and columns, which are the last two axes."""
    array = array if array.ndim > 1 else array.reshape(1, -1)
    step = _step(array.shape[-2:])
    return array[..., ::step, ::step]


def _step(lengths: Sequence[int]) -> int:
    return max(1, -(-max(lengths) // _MOST_LINES))


def _shrunk(plane: NDArray[Any], columns: int, rows: int) -> Image:
    """Each pixel of it is the mean of those in its place."""
    import PIL.Image

    return PIL.Image.fromarray(plane.copy()).resize((columns, rows), PIL.Image.Resampling.BOX)


def _stretched(plane: NDArray[Any], columns: int, rows: int) -> Image:
    """As `_shrunk`, grey from the sky up on a curve that shows faint and bright at once."""
    import numpy as np
    import PIL.Image

    with np.errstate(all="ignore"):
        numbers = np.clip(np.nan_to_num(plane.astype(np.float64)), -1e30, 1e30).astype(np.float32)
        light = np.asarray(_shrunk(numbers, columns, rows), dtype=np.float64)
        sky = np.median(light)  # most of a frame is sky, and stars do not move the median
        noise = 1.4826 * np.median(np.abs(light - sky))
        black = max(light.min(), sky - 1.5 * noise)
        steps = (light - black) / max(3 * noise, (light.max() - black) / _MOST_STEPS, 1e-30)
        grey = np.arcsinh(np.clip(steps, 0, None)) / np.arcsinh(max(steps.max(), 1e-30))
    return PIL.Image.fromarray((255 * grey).astype(np.uint8) & _GREYS)


def _png(image: Image) -> bytes:
    import PIL.Image

    if image.mode == "RGB":  # with a table of 256 colours a pixel takes one byte
        image = image.convert("P", palette=PIL.Image.Palette.ADAPTIVE)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()
