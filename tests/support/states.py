"""Whether two clients know the same."""

from __future__ import annotations

from typing import Any

from indipyclient.state.snapshots import Snap


def content(snap: Snap) -> dict[str, Any]:
    """All that a client knows of its server's properties, without when and in what order it was told.

    Deleted properties are left out: a client that came later has never heard of them.
    """
    return {
        name: {vector.name: _vector(vector) for vector in device.values() if vector.enable}
        for name, device in snap.items()
        if device.enable
    }


def _vector(vector: Any) -> tuple[Any, ...]:
    about = vector.vectortype, vector.label, vector.group, vector.state, getattr(vector, "perm", None)
    return *about, getattr(vector, "rule", None), {name: _member(vector, name) for name in vector}


def _member(vector: Any, name: str) -> Any:
    member = vector.member(name)
    if vector.vectortype == "BLOBVector":  # the last frame is not sent to those who come later
        return member.label
    limits = [getattr(member, limit, None) for limit in ("format", "min", "max", "step")]
    return member.label, member.membervalue, *limits
