"""Headers of FITS images, for people and programs to read in whatever state they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .extra import from_extra, quietly
from .fitsfile import HDU
from .fitstiles import image_cards

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = ["read_header"]

_UNPRINTABLE = re.compile(rb"[^ -~]")


def read_header(hdu: HDU) -> Header:
    """The header as astropy has it. What breaks the standard is mended, or left out if it cannot be."""
    with from_extra():
        from astropy.io import fits
    cards = image_cards(hdu) if hdu.is_compressed else hdu.cards
    text = _UNPRINTABLE.sub(b"?", b"".join(cards)).decode("ascii")
    with quietly():
        mended = map(_mended, fits.Header.fromstring(text).cards)
        return fits.Header.fromstring("".join(mended))


def _mended(card: Any) -> str:
    """The text of a card, mended as far as astropy can; empty if it can still not be read."""
    try:
        card.verify("silentfix")
        _ = card.keyword, card.value, card.comment
        return str(card)
    except Exception:  # it has many kinds
        return ""
