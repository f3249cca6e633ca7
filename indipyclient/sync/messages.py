"""What a device has said since a moment: the likely reason for an Alert that comes without one."""

from __future__ import annotations

from ..state.snapshots import Snap

__all__ = ["newest_message", "said_since"]


def newest_message(snap: Snap, devicename: str) -> object:
    """The newest message of a device, to be given to `said_since` later."""
    device = snap.get(devicename)
    return device.messages[0] if device is not None and device.messages else None


def said_since(newest: object, snap: Snap, devicename: str) -> str:
    """The text of the newest message of a device, if there is one that came after `newest`; else empty."""
    messages = snap[devicename].messages
    return messages[0][1] if messages and messages[0] is not newest else ""
