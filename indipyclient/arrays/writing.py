"""Arrays as FITS files, for sending."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InvalidValue
from .extra import from_extra
from .fitsfile import BLOCK, CARD

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["to_fits"]

_BITPIX = {"u1": 8, "i1": 8, "i2": 16, "u2": 16, "i4": 32, "u4": 32, "i8": 64, "u8": 64, "f4": -32, "f8": -64}
_OFFSET = {"i1": -128, "u2": 1 << 15, "u4": 1 << 31, "u8": 1 << 63}  # FITS has the other sign only


def to_fits(array: NDArray[Any]) -> bytes:
    """An array as a FITS file with one image. Any thread may call it; `array` is not changed.

    Takes whole numbers, signed or not, and floats of 4 and 8 bytes, in either byte order. The shape
    is (rows, columns), or (planes, rows, columns) of a colour image. `to_array` gives the same numbers back.

    Raises:
        InvalidValue: FITS has no such type, or there is nothing in the array.
        MissingExtra: numpy is not installed.
    """
    with from_extra():
        import numpy as np
    kind = array.dtype.str[1:]
    if kind not in _BITPIX or not array.size or not array.ndim:
        raise InvalidValue(f"no FITS image can be made of {array.dtype} in shape {array.shape}")
    stored = array.astype(array.dtype.newbyteorder(">"), order="C")
    if kind in _OFFSET:  # adding half the range turns the sign bit
        bits = stored.view(f">u{stored.itemsize}")
        np.bitwise_xor(bits, bits.dtype.type(1 << (8 * stored.itemsize - 1)), out=bits)
    header = _header(array.shape, _BITPIX[kind], _OFFSET.get(kind))
    return b"".join([header, stored.data, bytes(-stored.nbytes % BLOCK)])


def _header(shape: tuple[int, ...], bitpix: int, offset: int | None) -> bytes:
    values: list[tuple[str, str | int]] = [("SIMPLE", "T"), ("BITPIX", bitpix), ("NAXIS", len(shape))]
    values += [(f"NAXIS{axis}", length) for axis, length in enumerate(reversed(shape), 1)]
    if offset is not None:
        values += [("BZERO", offset), ("BSCALE", 1)]
    text = "".join(f"{name:8}= {value:>20}".ljust(CARD) for name, value in values) + "END"
    return text.ljust(-(-len(text) // BLOCK) * BLOCK).encode("ascii")
