"""Compressed FITS images (``.fits.fz``), as libindi makes them: whole numbers, by RICE_1, row by row.

Such an image is a table, with a row for each row of the image that says where its bytes are in what follows
the table. (FITS standard 4.0, section 10.)
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from ..errors import InvalidValue
from .extra import from_extra
from .fitsfile import HDU, check_complete
from .rice import decode_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["image_cards", "unpack"]

_MOST_GROWTH = 256  # at best, RICE_1 makes 32 numbers of 4 bytes from 5 bits
_MOST_PIXELS = 1 << 29  # no camera has as many, in three colours
_COLUMN = re.compile(r"1?([PQ])B(\(\d*\))?")

# keywords of the table that holds the image, and of the image as it was
_OF_TABLE = re.compile(
    rb"(XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|TFIELDS|TTYPE1|TFORM1|CHECKSUM|DATASUM"
    rb"|ZIMAGE|ZCMPTYPE|ZTILE\d+|ZNAME\d+|ZVAL\d+|ZHECKSUM|ZDATASUM|ZQUANTIZ|ZBLANK) *"
)
_OF_IMAGE = re.compile(rb"Z(SIMPLE|TENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|EXTEND) *")


def unpack(hdu: HDU, every: int = 1) -> NDArray[Any]:
    """The stored numbers of a compressed image; of all its rows or the first of every so many.

    Raises InvalidValue if it is damaged or of another kind.
    """
    with from_extra():
        import numpy as np
    _check_kind(hdu)
    axes, size = hdu.axes("Z"), hdu.bitpix("Z") // 8
    lengths, starts, coded = _rows(hdu, axes, size)
    wanted = np.arange(len(starts)).reshape(-1, *axes[1:2])[..., ::every]
    starts, lengths = starts[wanted.ravel()], lengths[wanted.ravel()]
    rows = decode_rows(coded, starts, lengths, axes[0], size, _setting(hdu, "BLOCKSIZE", 32))
    stored = rows if size == 1 else rows.view(np.dtype(f"i{size}"))
    return stored.reshape(*axes[:1:-1], *wanted.shape[1:], axes[0])


def _check_kind(hdu: HDU) -> None:
    kind, bits, axes = hdu.text("ZCMPTYPE"), hdu.bitpix("Z"), hdu.axes("Z")
    tile = [hdu.integer(f"ZTILE{axis}", 1 if axis > 1 else length) for axis, length in enumerate(axes, 1)]
    if kind not in ("RICE_1", "RICE_ONE") or bits not in (8, 16, 32) or tile[1:] != [1] * len(axes[1:]):
        raise InvalidValue(
            f"this FITS image is compressed by {kind:.20} with BITPIX {bits} in tiles of {tile}; only whole "
            "numbers by RICE_1 row by row are read, as libindi sends them; astropy may read it"
        )
    coding = _setting(hdu, "BYTEPIX", 4) * 8 == bits and _setting(hdu, "BLOCKSIZE", 32) in (16, 32)
    column = (hdu.integer("TFIELDS"), hdu.text("TTYPE1")) == (1, "COMPRESSED_DATA")
    if not axes or 0 in axes or tile[0] != axes[0] or not coding or not column or "THEAP" in hdu.values:
        raise InvalidValue("the compressed FITS image is damaged: its header is absurd")


def _setting(hdu: HDU, name: str, default: int) -> int:
    for number in range(1, 10):
        if hdu.text(f"ZNAME{number}") == name:
            return hdu.integer(f"ZVAL{number}")
    return default


def _rows(hdu: HDU, axes: list[int], size: int) -> tuple[NDArray[Any], NDArray[Any], memoryview]:
    """Length and start of each row, and the bytes they are in. Raises InvalidValue if they are not inside."""
    import numpy as np

    number, heap_size = math.prod(axes[1:]), hdu.integer("PCOUNT")
    column = _COLUMN.fullmatch(hdu.text("TFORM1"))
    dtype = np.dtype(">i8" if column and column[1] == "Q" else ">i4")
    table_size = 2 * dtype.itemsize * number
    if column is None or hdu.integer("NAXIS2") != number or hdu.data_size != table_size + heap_size:
        raise InvalidValue("the compressed FITS image is damaged: its table has another size")
    check_complete(hdu, table_size + heap_size)
    if math.prod(axes) > min(_MOST_PIXELS, _MOST_GROWTH * heap_size // size):
        raise InvalidValue(f"FITS image of {axes} pixels in {heap_size} compressed bytes")
    lengths, starts = np.frombuffer(hdu.data, dtype, 2 * number).astype(np.int64).reshape(-1, 2).T
    inside = (lengths > size) & (lengths <= heap_size) & (starts >= 0) & (starts <= heap_size - lengths)
    if not inside.all() or lengths.sum() > heap_size:
        raise InvalidValue("the compressed FITS image is damaged: rows are not where they should be")
    return lengths, starts, hdu.data[table_size : table_size + heap_size]


def image_cards(hdu: HDU) -> list[bytes]:
    """The header of the image as it was before it was compressed."""
    named = hdu.text("EXTNAME") != "COMPRESSED_IMAGE"
    return [
        _image_card(card)
        for card in hdu.cards
        if not _OF_TABLE.fullmatch(card[:8]) and (named or not card.startswith(b"EXTNAME "))
    ]


def _image_card(card: bytes) -> bytes:
    renamed = _OF_IMAGE.fullmatch(card[:8])
    if renamed is None:
        return card
    return renamed[1].replace(b"TENSION", b"XTENSION").ljust(8) + card[8:]
