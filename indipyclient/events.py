"""The events that `IPyClient.rxevent` receives: thin views of one protocol message each.

Class names, attributes and the `eventtype` words are those of the 0.9 interface. Events are made
by the client after the state has changed, so ``event.vector`` already shows the new values.

``root`` and ``str(event)`` are built from the message when asked for; the wire is not kept.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import UserDict
from collections.abc import Callable
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .protocol import messages
from .protocol.timestamps import parse_timestamp
from .protocol.writer import encode

if TYPE_CHECKING:
    from .live.devices import Device
    from .propertyvectors import PropertyVector

__all__ = [
    "BLOBProgress",
    "ClientEvent",
    "ConnectionLost",
    "ConnectionMade",
    "Event",
    "Message",
    "VectorTimeOut",
    "defBLOBVector",
    "defLightVector",
    "defNumberVector",
    "defSwitchVector",
    "defTextVector",
    "defVector",
    "delProperty",
    "getProperties",
    "setBLOBVector",
    "setLightVector",
    "setNumberVector",
    "setSwitchVector",
    "setTextVector",
    "setVector",
]


def _parse_timestamp(timestamp_string: str | None) -> datetime:
    """A wire timestamp as an aware UTC datetime; now, if it is absent or unreadable."""
    return parse_timestamp(timestamp_string) or datetime.now(timezone.utc)


class Event:
    """Parent of all events but `ClientEvent`.

    Attributes:
        eventtype: a word for the kind of event.
        device, vector: the live objects it concerns, or None.
        devicename, vectorname: their names, given also where the objects are not known.
        timestamp: the server's time, or that of arrival (aware, UTC).
    """

    eventtype = ""

    def __init__(
        self,
        message: messages.Message | None,
        timestamp: datetime,
        device: Device | None = None,
        vector: PropertyVector | None = None,
    ) -> None:
        self._message = message
        self.timestamp = timestamp
        self.device = device
        self.vector = vector
        self.devicename: str | None = getattr(message, "device", None)
        self.vectorname: str | None = None

    @cached_property
    def root(self) -> ET.Element | None:
        """The element as an ElementTree, or None for an event that is not from the server."""
        if self._message is None:
            return None
        return ET.fromstring(encode(self._message))

    def __str__(self) -> str:
        return "" if self._message is None else encode(self._message).decode().strip()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.devicename!r} {self.vectorname!r}>"


class ConnectionMade(Event):
    """The client has connected."""

    eventtype = "ConnectionMade"


class ConnectionLost(Event):
    """The connection has ended, whoever ended it."""

    eventtype = "ConnectionLost"


class Message(Event):
    """A text for people, from a device or, with `devicename` None, from the site or the client itself.

    Attributes:
        message: the text.
    """

    eventtype = "Message"

    def __init__(self, message: messages.DeviceMessage, timestamp: datetime, device: Device | None) -> None:
        super().__init__(message, timestamp, device)
        self.message = message.message


class getProperties(Event):
    """A snooping driver's request that reached this client; for information."""

    eventtype = "getProperties"

    def __init__(self, message: messages.GetProperties, timestamp: datetime, device: Device | None) -> None:
        super().__init__(message, timestamp, device)
        self.vectorname = message.name


class delProperty(Event):
    """A vector, or with `vectorname` None a whole device, is no longer there.

    Attributes:
        message: a text that came with it, or empty.
    """

    eventtype = "Delete"

    def __init__(self, message: messages.DelProperty, timestamp: datetime, device: Device | None) -> None:
        super().__init__(message, timestamp, device)
        self.vectorname = message.name
        self.message = message.message


class BLOBProgress(Event):
    """Part of a BLOB has arrived; comes only if ``limits.progress`` of the client asks for it.

    Attributes:
        membername: the member.
        received: bytes so far.
        size: bytes announced, or None.
    """

    eventtype = "Progress"

    def __init__(self, message: messages.BLOBProgress, timestamp: datetime, device: Device | None) -> None:
        super().__init__(None, timestamp, device)
        self.devicename = message.device
        self.vectorname = message.name
        self.membername = message.member
        self.received = message.received
        self.size = message.size


class VectorTimeOut(Event):
    """A command was not answered in the time the server had announced for it."""

    eventtype = "TimeOut"

    def __init__(self, timestamp: datetime, device: Device, vector: PropertyVector) -> None:
        super().__init__(None, timestamp, device, vector)
        self.devicename = device.devicename
        self.vectorname = vector.name


class _VectorEvent(Event, UserDict[str, Any]):
    """A definition or an update: a mapping of member names to values, which refuses assignment."""

    # never None here; the vector is of the type that the event says
    device: Device
    vector: Any
    devicename: str
    vectorname: str

    def __init__(
        self,
        message: messages.DefVector | messages.SetVector,
        timestamp: datetime,
        device: Device,
        vector: PropertyVector,
    ) -> None:
        # UserDict's own constructor would make the mapping now; `data` makes it when it is looked at.
        self._message = message
        self.timestamp = timestamp
        self.device = device
        self.vector = vector
        self.devicename = message.device
        self.vectorname = message.name
        self.state = message.state
        self.message = message.message

    @cached_property
    def data(self) -> dict[str, Any]:  # type: ignore[override]
        """The mapping itself."""
        assert isinstance(self._message, messages.DefVector | messages.SetVector)
        members = self._message.members
        if isinstance(members, messages.OneMembers):
            return dict(zip(members.names, members.values, strict=True))
        return {member.name: _value(member) for member in members}

    def __setitem__(self, membername: str, value: Any) -> None:
        raise KeyError(f"an event cannot be changed: {membername!r}")

    __repr__ = Event.__repr__
    __hash__ = object.__hash__


def _value(member: messages.DefMember | messages.OneMember | messages.OneBLOB) -> Any:
    if isinstance(member, messages.OneBLOB):
        return None if member.payload is None else bytes(member.payload)
    return member.value


class defVector(_VectorEvent):
    """Parent of the events that bring a vector into being or describe it anew.

    Attributes:
        label, group, state, perm, rule, timeout, message: as defined.
        memberlabels: member names to labels; for numbers to (label, format, min, max, step).
    """

    eventtype = "Define"

    def __init__(
        self,
        message: messages.DefVector,
        timestamp: datetime,
        device: Device,
        vector: PropertyVector,
    ) -> None:
        super().__init__(message, timestamp, device, vector)
        self.label = message.label or message.name
        self.group = message.group or vector.group
        if message.kind != "Light":
            self.perm = message.perm
            self.timeout = message.timeout
        if message.kind == "Switch":
            self.rule = message.rule
        self.memberlabels = {member.name: self._memberlabel(member) for member in message.members}

    def _memberlabel(self, member: messages.DefMember) -> Any:
        return member.label or member.name


class defSwitchVector(defVector):
    """A switch vector is defined."""


class defTextVector(defVector):
    """A text vector is defined."""


class defNumberVector(defVector):
    """A number vector is defined."""

    def _memberlabel(self, member: messages.DefMember) -> Any:
        return (member.label or member.name, member.format, member.min, member.max, member.step)


class defLightVector(defVector):
    """A light vector is defined."""


class defBLOBVector(defVector):
    """A BLOB vector is defined; the mapping is empty, as definitions carry no BLOB."""

    eventtype = "DefineBLOB"

    @cached_property
    def data(self) -> dict[str, Any]:  # type: ignore[override]
        """Always empty."""
        return {}


class setVector(_VectorEvent):
    """Parent of the events that bring new values; the mapping has the members received.

    Attributes:
        state: the new state, or None if it is unchanged.
        timeout: seconds, or None if it is unchanged or the vector is a light.
        message: a text that came with it, or empty.
    """

    eventtype = "Set"

    def __init__(
        self,
        message: messages.SetVector,
        timestamp: datetime,
        device: Device,
        vector: PropertyVector,
    ) -> None:
        # All by itself: it is made for each update.
        self._message = message
        self.timestamp = timestamp
        self.device = device
        self.vector = vector
        kind, self.devicename, self.vectorname, self.state, timeout, _, self.message, _ = message
        self.timeout = None if kind == "Light" else timeout


class setSwitchVector(setVector):
    """Switches have changed."""


class setTextVector(setVector):
    """Texts have changed."""


class setNumberVector(setVector):
    """Numbers have changed."""


class setLightVector(setVector):
    """Lights have changed."""


class setBLOBVector(setVector):
    """BLOBs have arrived; the values are bytes.

    Attributes:
        sizeformat: member names to (size after decompression, format).
    """

    eventtype = "SetBLOB"

    @cached_property
    def sizeformat(self) -> dict[str, tuple[int, str]]:
        assert isinstance(self._message, messages.SetVector)
        return {
            blob.name: (len(blob.payload or b"") if blob.size is None else blob.size, blob.format)
            for blob in self._message.members
            if isinstance(blob, messages.OneBLOB)
        }


class ClientEvent(UserDict[str, Any]):
    """An event that the program itself makes with `create_clientevent`.

    Attributes:
        eventtype: any word.
        payload: the keyword arguments it was made with.
        device, devicename, vector, vectorname, timestamp: of the vector it was made from.

    It is a mapping of the vector's member names to their present values, and may be changed.
    """

    def __init__(self, eventtype: str, device: Device, vector: PropertyVector, **payload: Any) -> None:
        super().__init__(dict(vector.items()))
        self.eventtype = eventtype
        self.device = device
        self.vector = vector
        self.devicename = device.devicename
        self.vectorname = vector.name
        self.timestamp = datetime.now(timezone.utc)
        self.payload = payload
        self.root = None

    __hash__ = object.__hash__


DEFINITIONS: dict[str, type[defVector]] = {
    "Text": defTextVector,
    "Number": defNumberVector,
    "Switch": defSwitchVector,
    "Light": defLightVector,
    "BLOB": defBLOBVector,
}
UPDATES: dict[str, Callable[..., setVector]] = {
    "Text": setTextVector,
    "Number": setNumberVector,
    "Switch": setSwitchVector,
    "Light": setLightVector,
    "BLOB": setBLOBVector,
}
