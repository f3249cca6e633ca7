"""How much a server may send."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Limits"]


class Limits(NamedTuple):
    """Bounds on everything that comes from outside. What is beyond them is left out and reported.

    The first ones bound one element, which is dropped as a whole, with a report, if it goes beyond; what
    comes after it is read on. Those that follow bound what is kept and what is told.

    Fields:
        tag: bytes of one tag (attributes included), comment or CDATA section.
        element: bytes of one element, BLOB text not counted.
        members: members of one vector.
        text: characters of one value that is no BLOB.
        blob: decoded bytes of the BLOBs of one element; the BLOB that goes beyond comes as an error.
        inflated: bytes that a compressed BLOB may inflate to; beyond it stays as it came, with an error.
        progress: not a limit: bytes of a BLOB after which a `BLOBProgress` is told; 0 for never.
        devices: devices known on one connection; definitions of further ones are not taken.
        vectors: vectors of one device, deleted ones included; definitions of further ones are not taken.
        messages: ``message`` elements in one second; further ones are left out.
        faults: reports on faults in one second; further ones are left out.
    """

    tag: int = 1 << 16
    element: int = 1 << 25
    members: int = 10_000
    text: int = 1 << 22
    blob: int = 1 << 30
    inflated: int = 1 << 30
    progress: int = 0
    devices: int = 1_000
    vectors: int = 10_000
    messages: int = 1_000
    faults: int = 20
