"""What a snapshot knows, and how to say that it does not."""

from __future__ import annotations

from ..errors import INDIError, NotConnected, UnknownDevice
from ..state.snapshots import Snap, SnapDevice

__all__ = ["enabled", "find_device", "no_connection"]


def enabled(snap: Snap) -> list[str]:
    """The names of the devices there are."""
    return [name for name, device in snap.items() if device.enable]


def find_device(snap: Snap, name: str) -> SnapDevice:
    """The enabled device of that name; see `state.commands.find_vector` for vectors.

    Raises:
        UnknownDevice: with the names that are near, or known.
    """
    device = snap.get(name)
    if device is None or not device.enable:
        raise UnknownDevice("device", name, enabled(snap))
    return device


def no_connection(where: str, error: INDIError | None = None) -> NotConnected:
    """Without a connection to the server nothing is known, which is a better reason than a name."""
    what = f"there is no connection to {where}"
    return NotConnected(what if error is None else f"{what} at the moment; {error}")
