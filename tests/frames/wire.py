"""BLOB vectors of the device D as a server writes them: definitions and updates."""

from __future__ import annotations

import base64
from typing import Any

from indipyclient.state.members import SnapBLOBMember
from indipyclient.state.snapshots import Snap
from tests.support.scripted import BLOB

TWO = (
    '<defBLOBVector device="D" name="P" state="Ok" perm="ro">'
    '<defBLOB name="left"/><defBLOB name="right"/></defBLOBVector>'
)
MANY = (
    '<defBLOBVector device="D" name="M" state="Ok" perm="ro">'
    + "".join(f'<defBLOB name="m{number}"/>' for number in range(17))
    + "</defBLOBVector>"
)
FRAMES = BLOB + TWO + MANY


def attached(name: str, size: int, form: str = ".bin", attributes: str = "") -> str:
    """A member whose content travels beside the stream."""
    return f'<oneBLOB name="{name}" size="{size}" format="{form}" {attributes} attached="true"/>'


def blobs(*members: str, name: str = "B") -> str:
    """An update of a BLOB vector."""
    return f'<setBLOBVector device="D" name="{name}" state="Ok">{"".join(members)}</setBLOBVector>'


def inline(name: str, content: bytes, form: str = ".bin", size: Any = None, attributes: str = "") -> str:
    """A member whose content stands in the stream; `size` is that of the content if it is not given."""
    size = len(content) if size is None else size
    text = base64.b64encode(content).decode()
    return f'<oneBLOB name="{name}" size="{size}" format="{form}" {attributes}>{text}</oneBLOB>'


def member(snap: Snap, vector: str = "B", name: str = "b") -> SnapBLOBMember:
    """A BLOB member of D in a snapshot."""
    found = snap["D"][vector].member(name)
    assert isinstance(found, SnapBLOBMember)
    return found


def view(frame: SnapBLOBMember) -> bytes:
    """What stands in the memory of a frame now."""
    assert frame.buffer is not None
    return bytes(frame.buffer)
