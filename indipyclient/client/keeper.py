"""Keeps the books: the present state, the live objects that show it, and the event for each change.

Everything is a plain call from the client's loop: a message goes in, the state and the live objects
change, the event to tell the program comes out. Nothing here waits, and times come as arguments.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from .. import events
from ..live.devices import Device
from ..protocol import (
    BLOBProgress,
    DefVector,
    DelProperty,
    DeviceMessage,
    GetProperties,
    Limits,
    Message,
    SetVector,
)
from ..state import apply as state
from ..state.frozenmap import FrozenMap
from ..state.snapshots import Snap

__all__ = ["Keeper"]

logger = logging.getLogger(__name__)


class Keeper:
    """The state of one client and its live devices. For the thread of the client's loop.

    Args:
        snap: the state to begin with.
        devices: the client's mapping of live devices, which is kept up to date here.
        new_device: makes a live device of a name.
        identify: see `state.apply.Identify`.

    Attributes:
        snap: the present state; one reference, so any thread may read it.
    """

    def __init__(
        self,
        snap: Snap,
        devices: dict[str, Device],
        new_device: Callable[[str], Device],
        identify: state.Identify,
    ) -> None:
        self.snap = snap
        self._devices = devices
        self._new_device = new_device
        self._identify = identify

    def absorb(
        self, message: Message, now: datetime, filenames: dict[str, str] | None = None
    ) -> events.Event | None:
        """Change the state by a message; return the event of it, or None if there is nothing to tell.

        Args:
            now: the time to take where the server sent none (aware, UTC).
            filenames: where the BLOBs in the message were saved, by member.
        """
        if isinstance(message, SetVector):
            return self.update(message, message.timestamp or now, filenames)
        if isinstance(message, DefVector):
            return self._define(message, now)
        if isinstance(message, DelProperty):
            return self._delete(message, now)
        if isinstance(message, DeviceMessage):
            self.snap = state.apply(self.snap, message, now, self._identify)
            return events.Message(message, message.timestamp or now, self._device(message.device))
        if isinstance(message, BLOBProgress):
            return events.BLOBProgress(message, now, self._device(message.device))
        if isinstance(message, GetProperties):
            return events.getProperties(message, now, self._device(message.device))
        return None

    def refusal(self, message: DefVector, limits: Limits) -> str:
        """Why a definition must not be taken, as there is too much already; empty if it may.

        Args:
            limits: how many devices there may be, and vectors of each.
        """
        vectors = self.snap.data.get(message.device)
        if vectors is None and len(self.snap) >= limits.devices:
            return f"device {message.device!r} is not taken: there are {len(self.snap)} already"
        if vectors is None or message.name in vectors or len(vectors) < limits.vectors:
            return ""
        return f"vector {message.name!r} is not taken: {message.device!r} has {len(vectors)} already"

    def update(
        self, message: SetVector, stamp: datetime, filenames: dict[str, str] | None = None
    ) -> events.setVector | None:
        """As `absorb`, for an update.

        Args:
            stamp: its time, that of arrival if the server sent none.
        """
        snap = state.update(self.snap, message, stamp, filenames)
        if snap is self.snap:
            logger.debug("ignored: set%sVector %r of %r", message.kind, message.name, message.device)
            return None
        self.snap = snap
        try:
            device = self._devices[message.device]
            vector = device.data[message.name]
        except KeyError:  # the program has taken it out, and is told no more until it is defined anew
            return None
        return events.UPDATES[message.kind](message, stamp, device, vector)

    def notice(self, text: str, now: datetime) -> events.Message:
        """Note a text of the client's own, as if the site had sent it."""
        self.snap = state.log(self.snap, now, text)
        return events.Message(DeviceMessage(None, now, text), now, None)

    def connected(self, connected: bool) -> None:
        """Note that the connection was made or lost; the devices stay for the moment."""
        if self.snap.connected is not connected:
            self.snap = self.snap._with(connected=connected)

    def forget_device(self, name: str) -> None:
        """Drop one device until it is defined again.

        Raises:
            KeyError: there is none of that name.
        """
        self._devices[name]._detach()
        del self._devices[name]
        devices = FrozenMap((other, device) for other, device in self.snap.items() if other != name)
        self.snap = self.snap._with(devices=devices)

    def forget(self) -> None:
        """Drop all devices and messages. Objects that the program holds keep what they show."""
        for device in self._devices.values():
            device._detach()
        self._devices.clear()
        self.snap = state.blank(self.snap)

    def _device(self, name: str | None) -> Device | None:
        return self._devices.get(name) if name else None

    def _define(self, message: DefVector, now: datetime) -> events.Event:
        device = self._devices.get(message.device)
        if device is not None:
            device._leave(message.name, message.kind, {member.name for member in message.members})
        self.snap = state.apply(self.snap, message, now, self._identify)
        if device is None:
            device = self._devices[message.device] = self._new_device(message.device)
        vector = device._follow(message.name, message.kind)
        return events.DEFINITIONS[message.kind](message, message.timestamp or now, device, vector)

    def _delete(self, message: DelProperty, now: datetime) -> events.Event | None:
        snap = state.apply(self.snap, message, now, self._identify)
        if snap is self.snap:
            logger.debug("ignored: delProperty %r of %r", message.name, message.device)
            return None
        self.snap = snap
        return events.delProperty(message, message.timestamp or now, self._device(message.device))
