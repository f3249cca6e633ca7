"""Frames as arrays: which part reads which format, and frames that are pixels only."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..errors import InvalidValue
from .extra import from_extra
from .fitsfile import find_image, scaled, view_pixels
from .fitstiles import unpack
from .header import read_header
from .pictures import PICTURES, read_picture

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from numpy.typing import NDArray

__all__ = ["FITS", "to_array", "to_header"]

FITS = (".fits", ".fit", ".fts", ".fits.fz", ".fit.fz", ".fz")
"""Formats that are read as FITS."""
_RAW = (".stream", ".bin")


def to_array(buffer: memoryview, form: str, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
    """A frame as a read-only array.

    Any thread may call it. The array keeps the frame's memory where it is a view of it.

    Args:
        buffer: the frame's bytes.
        form: its format: the suffix that INDI gives, upper or lower case.
        shape: (rows, columns) of a frame that is pixels only; `stream_shape` tells it of ``.stream``.

    Returns:
        (rows, columns), or (rows, columns, colours) of pictures and raw colour, or (planes, rows, columns) of
        FITS: the axes of FITS in reverse, as astropy has them.

        * FITS whose numbers mean themselves: a view of `buffer` in the type they have there, of which
          all but bytes are big-endian. Unsigned numbers (BZERO) and scaled ones (BSCALE, BLANK) as
          astropy has them, in the machine's byte order. Rows are in the file's order. By convention they
          run upwards; libindi's cameras send the top row first and say so: ROWORDER is TOP-DOWN.
        * Pictures: uint8 as a rule; the top row first.
        * Pixels only: a view; by bytes for each pixel of uint8, of uint16 (little-endian), or of three uint8
          for its colours. libindi's ``.stream`` has 8 bits whatever the camera has.

    Raises:
        InvalidValue: the frame is damaged, of a format that is not known, or does not have this shape.
        MissingExtra: a package that is needed is not installed.
    """
    data, suffix = memoryview(buffer).cast("B"), form.lower()
    if suffix in FITS:
        array = _read_fits(data)
    elif suffix in PICTURES:
        array = read_picture(data, suffix)
    elif suffix in _RAW:
        array = _read_raw(data, suffix, shape)
    else:
        known = " ".join([*FITS, *PICTURES, *_RAW])
        raise InvalidValue(f"frames of format {form!r:.40} cannot be read as arrays; those that can: {known}")
    array.flags.writeable = False
    return array


def to_header(buffer: memoryview, form: str) -> Header:
    """The header of a FITS frame: that of its first image. Any thread may call it.

    Cards that break the standard are mended, and left out where they cannot be. The header of a
    compressed image is that of the image, not of the table it is in.

    Args:
        buffer: the frame's bytes.
        form: its format: the suffix that INDI gives, upper or lower case.

    Raises:
        InvalidValue: the frame is no FITS, or its header is damaged.
        MissingExtra: astropy is not installed.
    """
    if form.lower() not in FITS:
        raise InvalidValue(f"frames of format {form!r:.40} have no header; FITS has: {' '.join(FITS)}")
    return read_header(find_image(memoryview(buffer).cast("B")))


def _read_fits(data: memoryview) -> NDArray[Any]:
    hdu = find_image(data)
    return scaled(unpack(hdu) if hdu.is_compressed else view_pixels(hdu), hdu)


def _read_raw(data: memoryview, suffix: str, shape: tuple[int, ...] | None) -> NDArray[Any]:
    """INDI says how many pixels there are in properties beside the frame, and what one is nowhere."""
    with from_extra():
        import numpy as np
    if shape is None or not shape or min(shape) < 1:
        raise InvalidValue(
            f"a {suffix} frame is pixels only: its shape (rows, columns) is needed, not {shape}"
        )
    each, rest = divmod(len(data), math.prod(shape))
    if rest or each not in (1, 2, 3):
        raise InvalidValue(f"{len(data)} bytes are no frame of {' x '.join(map(str, shape))} pixels")
    colours = (3,) if each == 3 else ()
    return np.frombuffer(data, "<u2" if each == 2 else "u1").reshape(*shape, *colours)
