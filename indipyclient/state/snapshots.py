"""The client's state as an immutable tree: ``Snap -> SnapDevice -> SnapVector -> SnapMember``.

A snapshot *is* the state, not a copy of it: each message makes new nodes on the path it touches
and shares all others with the tree before it. So taking one is free, it never changes, it shows
one moment, and ``old["Camera"] is new["Camera"]`` tells that nothing changed there. Every node
carries `rev`, the number of the change that made it, growing by one with each change applied.

All nodes may be read from any thread, kept for ever, and pickled. The mappings, attributes and
JSON are those of the 0.9 interface; assignment raises AttributeError or TypeError.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from .dumping import Dumps, Keys, with_ids
from .frozenmap import FrozenMap, replaced
from .vectors import SnapVector

__all__ = ["Change", "Messages", "Snap", "SnapDevice"]

Messages: TypeAlias = tuple[tuple[datetime, str], ...]
"""Times (aware, UTC) and texts, newest first, at most eight."""

_new = object.__new__


class SnapDevice(Dumps, Keys[SnapVector], FrozenMap[SnapVector]):
    """A device at one moment: a mapping of vector names to vector snapshots."""

    __slots__ = ("_devicename", "_itemid", "_messages", "_rev", "_user_string")

    def __init__(
        self,
        devicename: str,
        vectors: FrozenMap[SnapVector],
        messages: Messages,
        user_string: str,
        itemid: int,
        rev: int,
    ) -> None:
        self._take(vectors)
        self._devicename = devicename
        self._messages = messages
        self._user_string = user_string
        self._itemid = itemid
        self._rev = rev

    def _updated(self, vector: SnapVector) -> SnapDevice:
        """This device with one vector replaced or added: part of every update.

        Attribute by attribute, without the constructor, and without a function for what `Snap` has in common
        with it: Python is quick with attributes where it meets one type only.
        """
        name, rev, length = vector._info.name, vector._rev, self._length
        place = self._index.get(name, length)
        if place >= length:
            own = self._messages, self._user_string, self._itemid
            return SnapDevice(self._devicename, self._replacing(name, vector), *own, rev)
        made = _new(SnapDevice)
        made._index = self._index
        made._names = self._names
        made._root = replaced(self._root, self._shift, place, vector)
        made._shift = self._shift
        made._length = length
        made._devicename = self._devicename
        made._messages = self._messages
        made._user_string = self._user_string
        made._itemid = self._itemid
        made._rev = rev
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        vectors = FrozenMap(self.items())
        own = self._devicename, vectors, self._messages, self._user_string, self._itemid, self._rev
        return SnapDevice, own

    def __repr__(self) -> str:
        return f"<SnapDevice {self._devicename!r} with {len(self)} vectors>"

    def _repr_html_(self) -> str:
        from ..display import device_html

        return device_html(self)

    @property
    def devicename(self) -> str:
        """Unique within the client."""
        return self._devicename

    @property
    def messages(self) -> Messages:
        """The last eight messages of the device, newest first: (time, text)."""
        return self._messages

    @property
    def user_string(self) -> str:
        """Whatever the program attached with `set_user_string`."""
        return self._user_string

    @property
    def itemid(self) -> int:
        """The number that `create_itemid` gave this device."""
        return self._itemid

    @property
    def enable(self) -> bool:
        """True while any of its vectors is enabled."""
        return any(vector.enable for vector in self._in_order())

    @property
    def rev(self) -> int:
        """The number of the change that made this node."""
        return self._rev

    @property
    def data(self) -> Mapping[str, SnapVector]:
        """The mapping itself, under the name it has in the 0.9 interface."""
        return self

    def changes(self, older: SnapDevice) -> list[str]:
        """Names of the vectors that differ from those in `older`."""
        return list(self._differing(older))

    def dictdump(
        self, inc_blob: bool = False, inc_user_string: bool = False, inc_itemid: bool = False
    ) -> dict[str, Any]:
        arguments = inc_blob, inc_user_string, inc_itemid
        dump: dict[str, Any] = {
            "devicename": self._devicename,
            "enable": self.enable,
            "messages": _dump_messages(self._messages),
            "vectors": {name: vector.dictdump(*arguments) for name, vector in self.items()},
        }
        return with_ids(dump, self, inc_user_string, inc_itemid)


class Change(NamedTuple):
    """One difference between two snapshots.

    Fields:
        devicename: the device.
        vectorname: the vector, or None if what differs is the device as such (its messages, its user string).
        old, new: the nodes before and after; None where there was, or is, none.
    """

    devicename: str
    vectorname: str | None
    old: SnapDevice | SnapVector | None
    new: SnapDevice | SnapVector | None


class Snap(Dumps, Keys[SnapDevice], FrozenMap[SnapDevice]):
    """Everything a client knows at one moment: a mapping of device names to device snapshots."""

    __slots__ = ("_connected", "_indihost", "_indiport", "_messages", "_rev", "_user_string")

    def __init__(
        self,
        indihost: str,
        indiport: int,
        connected: bool = False,
        messages: Messages = (),
        user_string: str = "",
        devices: FrozenMap[SnapDevice] | None = None,
        rev: int = 0,
    ) -> None:
        self._take(FrozenMap() if devices is None else devices)
        self._indihost = indihost
        self._indiport = indiport
        self._connected = connected
        self._messages = messages
        self._user_string = user_string
        self._rev = rev

    def _updated(self, device: SnapDevice) -> Snap:
        """This snapshot with one device replaced or added; as `SnapDevice._updated`."""
        name, rev, length = device._devicename, device._rev, self._length
        place = self._index.get(name, length)
        if place >= length:
            return self._with(devices=self._replacing(name, device))
        made = _new(Snap)
        made._index = self._index
        made._names = self._names
        made._root = replaced(self._root, self._shift, place, device)
        made._shift = self._shift
        made._length = length
        made._indihost = self._indihost
        made._indiport = self._indiport
        made._connected = self._connected
        made._messages = self._messages
        made._user_string = self._user_string
        made._rev = rev
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        where = self._indihost, self._indiport, self._connected
        return Snap, (*where, self._messages, self._user_string, FrozenMap(self.items()), self._rev)

    def __repr__(self) -> str:
        how = "connected" if self._connected else "not connected"
        return f"<Snap {self._indihost}:{self._indiport} {how}, {len(self)} devices, rev {self._rev}>"

    def _repr_html_(self) -> str:
        from ..display import client_html

        return client_html(self)

    @property
    def indihost(self) -> str:
        """Host name or address of the server."""
        return self._indihost

    @property
    def indiport(self) -> int:
        """Port of the server."""
        return self._indiport

    @property
    def connected(self) -> bool:
        """Whether the client was connected at this moment."""
        return self._connected

    @property
    def messages(self) -> Messages:
        """The last eight messages of no device, newest first: (time, text)."""
        return self._messages

    @property
    def user_string(self) -> str:
        """The client's user string."""
        return self._user_string

    @property
    def rev(self) -> int:
        """The number of changes applied since the client was made."""
        return self._rev

    @property
    def data(self) -> Mapping[str, SnapDevice]:
        """The mapping itself, under the name it has in the 0.9 interface."""
        return self

    def enabledlen(self) -> int:
        """How many devices are enabled."""
        return sum(device.enable for device in self._in_order())

    def get_vector_state(self, devicename: str, vectorname: str) -> str | None:
        """A vector's state, also of a disabled one; None if it is not known."""
        device = self.get(devicename)
        vector = device.get(vectorname) if device is not None else None
        return None if vector is None else vector.state

    def changes(self, older: Snap) -> list[Change]:
        """What differs from `older`, which may be newer too: a row for each vector.

        A device that itself differs, or is new, has a row of its own, with `vectorname` None.
        Costs what has changed, not what there is.
        """
        rows = []
        for name in self._differing(older):
            rows += _device_changes(name, older.get(name), self.get(name))
        return rows

    def dictdump(
        self, inc_blob: bool = False, inc_user_string: bool = False, inc_itemid: bool = False
    ) -> dict[str, Any]:
        arguments = inc_blob, inc_user_string, inc_itemid
        dump: dict[str, Any] = {
            "indihost": self._indihost,
            "indiport": self._indiport,
            "connected": self._connected,
            "messages": _dump_messages(self._messages),
            "devices": {name: device.dictdump(*arguments) for name, device in self.items()},
        }
        if inc_user_string:
            dump["user_string"] = self._user_string
        return dump

    def _with(self, **changed: Any) -> Snap:
        """This snapshot with some of the constructor's arguments changed, one revision on."""
        return Snap(
            self._indihost,
            self._indiport,
            changed.get("connected", self._connected),
            changed.get("messages", self._messages),
            changed.get("user_string", self._user_string),
            changed.get("devices", self),
            self._rev + 1,
        )


def _device_changes(name: str, old: SnapDevice | None, new: SnapDevice | None) -> list[Change]:
    old_vectors = FrozenMap[SnapVector]() if old is None else old
    new_vectors = FrozenMap[SnapVector]() if new is None else new
    rows = [
        Change(name, vector, old_vectors.get(vector), new_vectors.get(vector))
        for vector in new_vectors._differing(old_vectors)
    ]
    if old is None or new is None or _own(old) != _own(new):
        rows.insert(0, Change(name, None, old, new))
    return rows


def _own(device: SnapDevice) -> tuple[Messages, str]:
    return device._messages, device._user_string


def _dump_messages(messages: Messages) -> list[list[str]]:
    return [[stamp.isoformat(sep="T"), text] for stamp, text in messages]
