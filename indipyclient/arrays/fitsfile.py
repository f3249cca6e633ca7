"""FITS files: where the image is in one, and its pixels without a copy.

Only the few keywords are read that say where the pixels are and what they mean, and so that nothing in
them leads out of the buffer or asks for memory. (FITS standard 4.0, sections 3 and 4.)
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import InvalidValue
from .extra import from_extra

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BLOCK", "CARD", "HDU", "check_complete", "find_image", "scaled", "view_pixels"]

CARD = 80
BLOCK = 2880
_MOST_HEADERS = 1000 * BLOCK  # bytes of all the headers in front of the pixels
_MOST_AXES = 8
_DTYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
"""numpy's types by BITPIX."""


class HDU(NamedTuple):
    """A header, and the data after it.

    Fields:
        cards: lines of the header, 80 bytes each, without the last (END).
        values: texts of the values by keyword; the first one if it is there twice, as in astropy.
        data: where the data begins, up to the end of the file.
    """

    cards: list[bytes]
    values: dict[str, str]
    data: memoryview

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number. Raises InvalidValue if it is none, or not there and without a default."""
        text = self.values.get(name, default)
        try:
            return int(text)  # type: ignore[arg-type]  # None is a TypeError
        except (TypeError, ValueError):
            raise InvalidValue(f"damaged FITS header: {name} is {text!r:.30}") from None

    def real(self, name: str, default: float) -> float:
        """A number. Raises InvalidValue if it is none."""
        text = self.values.get(name, default)
        try:
            return float(text if isinstance(text, float) else text.upper().replace("D", "E"))
        except ValueError:
            raise InvalidValue(f"damaged FITS header: {name} is {text!r:.30}") from None

    def text(self, name: str) -> str:
        """A text without its quotes; empty if it is not there."""
        return self.values.get(name, "").strip("'").strip()

    def axes(self, prefix: str = "") -> list[int]:
        """Lengths of the axes in the order of FITS; of the unpacked image if the prefix is Z."""
        number = self.integer(f"{prefix}NAXIS")
        if not 0 <= number <= _MOST_AXES:
            raise InvalidValue(f"FITS image with {number} axes")
        lengths = [self.integer(f"{prefix}NAXIS{axis}") for axis in range(1, number + 1)]
        if any(length < 0 for length in lengths):
            raise InvalidValue(f"FITS image of {lengths} pixels")
        return lengths

    def bitpix(self, prefix: str = "") -> int:
        """Bits of a pixel, negative for floats."""
        bits = self.integer(f"{prefix}BITPIX")
        if bits not in _DTYPES:
            raise InvalidValue(f"damaged FITS header: BITPIX is {bits}")
        return bits

    @property
    def is_image(self) -> bool:
        axes = self.axes()
        return (self.text("XTENSION") or "IMAGE") == "IMAGE" and bool(axes) and 0 not in axes

    @property
    def is_compressed(self) -> bool:
        return self.text("XTENSION") == "BINTABLE" and self.values.get("ZIMAGE") == "T"

    @property
    def data_size(self) -> int:
        """Bytes of the data, without what fills its last block."""
        axes, extra, groups = self.axes(), self.integer("PCOUNT", 0), self.integer("GCOUNT", 1)
        if extra < 0 or groups < 0:
            raise InvalidValue("damaged FITS header: negative size")
        return abs(self.bitpix()) // 8 * groups * (extra + math.prod(axes)) if axes else 0


def find_image(buffer: memoryview) -> HDU:
    """The first image in a FITS file, compressed or not. Raises InvalidValue if there is none."""
    if bytes(buffer[:9]) != b"SIMPLE  =":
        raise InvalidValue("this is no FITS file")
    start, left = 0, _MOST_HEADERS
    while start == 0 or bytes(buffer[start : start + 9]) == b"XTENSION=":
        cards = _read_cards(buffer, start, left)
        size = _whole_blocks((len(cards) + 1) * CARD)
        start, left = start + size, left - size
        hdu = HDU(cards, _read_values(cards), buffer[start:])
        if hdu.is_image or hdu.is_compressed:
            return hdu
        start += _whole_blocks(hdu.data_size)
    raise InvalidValue("there is no image in this FITS file")


def _whole_blocks(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _read_cards(buffer: memoryview, start: int, most: int) -> list[bytes]:
    cards: list[bytes] = []
    for place in range(start, min(len(buffer), start + most), CARD):
        card = bytes(buffer[place : place + CARD])
        if card.rstrip() == b"END":
            return cards
        cards.append(card)
    raise InvalidValue("the FITS headers have no end")


def _read_values(cards: Iterable[bytes]) -> dict[str, str]:
    values: dict[str, str] = {}
    for card in cards:
        if card[8:10] == b"= ":
            value = card[10:].partition(b"/")[0]  # a slash in quotes is in none of the values needed
            values.setdefault(card[:8].decode("latin-1").rstrip(), value.decode("latin-1").strip())
    return values


def view_pixels(hdu: HDU) -> NDArray[Any]:
    """The pixels as they are in the file, without a copy. Raises InvalidValue if some are missing."""
    with from_extra():
        import numpy as np
    axes, dtype = hdu.axes(), np.dtype(_DTYPES[hdu.bitpix()])
    count = math.prod(axes)
    check_complete(hdu, count * dtype.itemsize)
    return np.frombuffer(hdu.data, dtype, count).reshape(axes[::-1])


def check_complete(hdu: HDU, size: int) -> None:
    """Raise InvalidValue if there are less than `size` bytes of data."""
    if len(hdu.data) < size:
        raise InvalidValue(f"the FITS file is cut short: {len(hdu.data)} of {size} bytes of data are there")


def scaled(raw: NDArray[Any], hdu: HDU) -> NDArray[Any]:
    """What the stored numbers mean, as in astropy; `raw` itself if they mean themselves."""
    zero, scale, whole = hdu.real("BZERO", 0.0), hdu.real("BSCALE", 1.0), raw.dtype.kind in "iu"
    blank = hdu.integer("BLANK") if "BLANK" in hdu.values and whole else None
    size = raw.itemsize
    if whole and scale == 1 and zero == (-128 if size == 1 else 1 << (8 * size - 1)):
        return _other_sign(raw)
    if zero == 0 and scale == 1 and blank is None:
        return raw
    return _as_floats(raw, zero, scale, blank)


def _other_sign(raw: NDArray[Any]) -> NDArray[Any]:
    """Signed as unsigned numbers, or the other way: adding half the range turns the sign bit."""
    import numpy as np

    size = raw.itemsize
    native = np.dtype(f"u{size}")
    bits = raw.view(native.newbyteorder(raw.dtype.byteorder))
    turned: NDArray[Any] = np.bitwise_xor(bits, native.type(1 << (8 * size - 1)), dtype=native)
    return turned.view("i1") if size == 1 else turned


def _as_floats(raw: NDArray[Any], zero: float, scale: float, blank: int | None) -> NDArray[Any]:
    import numpy as np

    floats: NDArray[Any] = raw.astype(np.float32 if raw.dtype.str[1:] in ("u1", "i2", "f4") else np.float64)
    with np.errstate(all="ignore"):
        floats *= scale
        floats += zero
    if blank is not None:
        floats[raw == blank] = np.nan
    return floats
