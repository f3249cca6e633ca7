"""RICE_1, the coding of libindi's compressed FITS images, undone for many rows of an image at a time.

A row is its first number and then the differences from one to the next, in blocks. A block begins with how
many low bits its differences have (`low`). Of each comes first what is above them, as so many zeros and a
one, and then the low bits. Two kinds of block are otherwise: all differences are zero, and nothing
follows; or they are so wild that they come as they are. (FITS standard 4.0, section 10.4.1.)

astropy has it in C, which trusts what it decodes: 50 kB of zeros in the place of a row make it read on until
the process is killed. Here nothing outside of the buffer is read, whatever is in it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ..errors import InvalidValue

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["decode_rows"]

_ROWS = 2048  # decoded at a time: their numbers stay in the processor's cache
_CODE_BITS = {1: 3, 2: 4, 4: 5}  # of the code a block begins with, by bytes of a number
_WILD = {1: 7, 2: 15, 4: 26}  # that code in a block of differences as they are
_LONGEST_RUN = 256  # zeros; encoders choose `low` so that there are at most 81
_PADDING = 4096  # bytes; more than a block can have from where it begins


def decode_rows(
    data: memoryview, starts: NDArray[Any], lengths: NDArray[Any], columns: int, size: int, block: int
) -> NDArray[Any]:
    """The rows of an image, as unsigned numbers.

    Args:
        data: all rows, coded.
        starts, lengths: where in `data` each row is, in bytes; must be inside.
        columns: how many numbers a row has.
        size: bytes of a number: 1, 2 or 4.
        block: how many differences a block has.

    Raises:
        InvalidValue: a row is damaged.
    """
    import numpy as np

    padded = b"".join((data, b"\xff" * _PADDING))
    windows = np.ndarray(len(padded) - 7, ">u8", padded, strides=(1,))  # the eight bytes from each byte on
    rows = np.empty((len(starts), columns), f"u{size}")
    for first in range(0, len(starts), _ROWS):
        part = slice(first, first + _ROWS)
        bits = _Bits(windows, starts[part], lengths[part])
        rows[part] = _undone(bits.take(8 * size), _differences(bits, columns, size, block)).T
    return rows


class _Bits:
    """A place in each of many rows, from which they are read, all of them at once."""

    def __init__(self, windows: NDArray[Any], starts: NDArray[Any], lengths: NDArray[Any]) -> None:
        self._windows = windows
        self.place = starts.astype("u8") * 8  # in bits
        self._ends = self.place + lengths.astype("u8") * 8

    def peek(self) -> NDArray[Any]:
        """The next 57 bits, on the left of 64."""
        window: NDArray[Any] = self._windows[self.place >> 3].astype("u8") << (self.place & 7)
        return window

    def take(self, count: int) -> NDArray[Any]:
        """The number in the next bits, at most 57."""
        number: NDArray[Any] = self.peek() >> (64 - count)
        self.place += count
        return number

    def check(self) -> None:
        """Raise InvalidValue if any row has been read beyond its end."""
        if (self.place > self._ends).any():
            raise InvalidValue("the compressed FITS image is damaged: a row of pixels is cut short")


def _undone(first: NDArray[Any], differences: NDArray[Any]) -> NDArray[Any]:
    """Numbers from differences, which are in the order 0, -1, 1, -2, ...; both are one row in a column."""
    import numpy as np

    differences = (differences >> 1) ^ (0 - (differences & 1))
    differences[0] += first.astype(differences.dtype)
    numbers: NDArray[Any] = np.cumsum(differences, axis=0, dtype=differences.dtype)
    return numbers


def _differences(bits: _Bits, columns: int, size: int, block: int) -> NDArray[Any]:
    import numpy as np

    differences = np.zeros((columns, len(bits.place)), f"u{size}")
    for first in range(0, columns, block):
        code = bits.take(_CODE_BITS[size])
        if code.any():  # else all are zero
            if code.max() > _WILD[size]:
                raise InvalidValue("the compressed FITS image is damaged: there is no such block of pixels")
            _read_block(bits, code, size, differences[first : first + block])
        bits.check()
    return differences


def _read_block(bits: _Bits, code: NDArray[Any], size: int, differences: NDArray[Any]) -> None:
    """Fill in a block, which may be of another kind in each row."""
    import numpy as np

    wild = code == _WILD[size]
    split = ((code > 0) & ~wild).astype("u8")  # whether there are zeros and a one
    low = np.where(wild, np.uint64(8 * size), code - split)
    step, rest = low + split, 64 - low
    leading = _leading_zeros()
    for one in differences:
        window = bits.peek()
        zeros = leading[window >> 48] * split
        high = zeros
        if zeros.max() == 16:
            high = _long_runs(bits, window, zeros)
        one[:] = (high << low) | ((window << (zeros + split)) >> rest)
        bits.place += zeros + step


def _long_runs(bits: _Bits, window: NDArray[Any], zeros: NDArray[Any]) -> NDArray[Any]:
    """Go on where a run of zeros is longer than 16, in steps of 16; how long all the runs are."""
    import numpy as np

    before = np.zeros_like(zeros)
    leading = _leading_zeros()
    while (long := zeros == 16).any():
        before[long] += 16
        if before.max() > _LONGEST_RUN:
            raise InvalidValue("the compressed FITS image is damaged: there is no such pixel")
        bits.place[long] += 16
        window[long] = bits.peek()[long]
        zeros[long] = leading[window[long] >> 48]
    whole: NDArray[Any] = before + zeros
    return whole


@cache
def _leading_zeros() -> NDArray[Any]:
    """How many zeros each number of 16 bits begins with."""
    import numpy as np

    return np.array([16 - number.bit_length() for number in range(1 << 16)], np.uint64)
