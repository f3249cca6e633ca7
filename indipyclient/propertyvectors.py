"""Live vectors: the classes of the 0.9 interface over the client's one state (see `views`).

A vector is a mapping of member names to values. Its send methods give commands to the device; they
are for the client's loop, `IPyClient.send_newVector` says what they do.
"""

from __future__ import annotations

from collections import UserDict
from collections.abc import Container, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from .events import ClientEvent
from .live.views import Shown, one_of
from .propertymembers import (
    BLOBMember,
    LightMember,
    Member,
    NumberMember,
    SwitchMember,
    TextMember,
    changed,
)
from .protocol.messages import PERMISSIONS, RULES, STATES
from .state.apply import change_vector
from .state.vectors import SnapNumberVector, SnapVector, VectorInfo

if TYPE_CHECKING:
    from .live.devices import Device

__all__ = [
    "BLOBVector",
    "ClientEvent",
    "LightVector",
    "NumberVector",
    "PropertyVector",
    "SnapNumberVector",
    "SnapVector",
    "SwitchVector",
    "TextVector",
    "Vector",
]


class Vector(UserDict[str, Any]):
    """Parent of the live vectors: a mapping of member names to values."""

    def members(self) -> dict[str, Any]:
        """Member names to member objects, in the order of definition."""
        return self.data

    def member(self, membername: str) -> Any:
        """One member object. Raises KeyError if there is none of that name."""
        return self.data[membername]

    def memberlabel(self, membername: str) -> str:
        """One member's label. Raises KeyError if there is none of that name."""
        return str(self.data[membername].label)

    def __getitem__(self, membername: str) -> Any:
        return self.data[membername].membervalue


class PropertyVector(Vector):
    """A live vector. Made by the client; use from the client's loop only."""

    member_class: ClassVar[type[Member]] = Member

    def __init__(self, device: Device, name: str) -> None:
        # without that of the parent, which would make `data`
        self.device = device
        self.name = name
        self.devicename = device.devicename
        self._last: SnapVector | None = None  # once it is no longer in the state

    @cached_property
    def data(self) -> dict[str, Any]:  # type: ignore[override]
        """As `members`. Made when it is first asked for: few of thousands are ever looked at."""
        return {name: self.member_class(self, name) for name in self._node}

    def __copy__(self) -> PropertyVector:
        self.data  # noqa: B018 - or there would be nothing to copy yet
        return super().__copy__()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.devicename!r} {self.name!r} {self.state}>"

    def __setitem__(self, membername: str, value: Any) -> None:
        raise KeyError(f"a vector is changed by its send method, not by assigning to {membername!r}")

    __hash__ = object.__hash__

    @property
    def vectortype(self) -> str:
        """The name of the class, such as ``NumberVector``."""
        return type(self).__name__

    @property
    def _node(self) -> SnapVector:
        if self._last is not None:
            return self._last
        return self.device._client._indi_snap[self.devicename][self.name]

    label: Shown[str] = Shown("Text for people.")
    group: Shown[str] = Shown("The tab it belongs on.")
    state: Shown[str] = Shown("``Idle``, ``Ok``, ``Busy`` or ``Alert``.", one_of(STATES))
    timestamp: Shown[datetime] = Shown("When it was last defined or set (aware, UTC).")
    message: Shown[str] = Shown("The last text that came with it.")
    message_timestamp: Shown[datetime] = Shown("The time of `message`.")
    timeout: Shown[float | None] = Shown("Seconds announced as the worst time for a command.")
    perm: Shown[str] = Shown("``ro``, ``wo`` or ``rw``.", one_of(PERMISSIONS))
    rule: Shown[str | None] = Shown("Rule of a switch vector, else None.", one_of(RULES))
    enable: Shown[bool] = Shown("False once the server has deleted it.")
    user_string: Shown[str] = Shown("Whatever the program attached.")
    itemid: Shown[int] = Shown("The number `create_itemid` gave it.")

    def snapshot(self) -> SnapVector:
        """The vector as it is now; never changes, for any thread."""
        return self._node

    async def create_clientevent(self, eventtype: str = "ClientEvent", **payload: Any) -> None:
        """Have an event of the program's own go through `rxevent`, in turn with the others."""
        await self.device._client._indi_deliver(ClientEvent(eventtype, self.device, self, **payload))

    def _change(self, attribute: str, value: Any) -> None:
        """Assignment to an attribute: of the definition or of the node itself."""
        if attribute in VectorInfo._fields:
            self._replace(info=self._node._info._replace(**{attribute: value}))
        else:
            self._replace(**{attribute: value})

    def _change_member(self, name: str, attribute: str, value: Any) -> None:
        """Assignment to an attribute of one member."""
        old = self._node.member(name)
        self._replace(members=self._node._members._replacing(name, changed(old, attribute, value)))

    def _replace(self, **changed: Any) -> None:
        if self._last is not None:
            self._last = self._last._with(self._last.rev, **changed)
        else:
            client = self.device._client
            client._indi_snap = change_vector(client._indi_snap, self._node, **changed)

    def _leave(self, names: Container[str]) -> None:
        """A new definition has members of these names only: let go of the others."""
        for name, member in vars(self).get("data", {}).items():
            if name not in names:
                member._detach()

    def _follow(self) -> None:
        """Have a member object for each member there is now, the old ones where they were."""
        if "data" in vars(self):
            self.data = {name: self.data.get(name) or self.member_class(self, name) for name in self._node}

    def _detach(self) -> None:
        """Keep the last node, since the state goes on without this vector."""
        if self._last is None:
            self._last = self._node

    async def _send(self, timestamp: datetime | None, members: Mapping[str, Any]) -> None:
        await self.device._client.send_newVector(self.devicename, self.name, timestamp, members)


class SwitchVector(PropertyVector):
    """A live switch vector."""

    member_class = SwitchMember

    async def send_newSwitchVector(
        self, timestamp: datetime | None = None, members: Mapping[str, Any] = {}
    ) -> None:
        """Command the members given, ``"On"``, ``"Off"`` or bool each; see `IPyClient.send_newVector`."""
        await self._send(timestamp, members)


class LightVector(PropertyVector):
    """A live light vector; it takes no commands."""

    member_class = LightMember


class TextVector(PropertyVector):
    """A live text vector."""

    member_class = TextMember

    async def send_newTextVector(
        self, timestamp: datetime | None = None, members: Mapping[str, Any] = {}
    ) -> None:
        """Command texts; see `IPyClient.send_newVector`."""
        await self._send(timestamp, members)


class NumberVector(PropertyVector):
    """A live number vector."""

    member_class = NumberMember

    def getfloatvalue(self, membername: str) -> float:
        """One member as a float. Raises KeyError if there is none of that name."""
        value: float = self.data[membername].getfloatvalue()
        return value

    def getformattedvalue(self, membername: str) -> str:
        """One member as its format shows it. Raises KeyError if there is none of that name."""
        text: str = self.data[membername].getformattedvalue()
        return text

    async def send_newNumberVector(
        self, timestamp: datetime | None = None, members: Mapping[str, Any] = {}
    ) -> None:
        """Command numbers: real numbers, or texts; see `IPyClient.send_newVector`."""
        await self._send(timestamp, members)


class BLOBVector(PropertyVector):
    """A live BLOB vector."""

    member_class = BLOBMember

    async def send_newBLOBVector(
        self, timestamp: datetime | None = None, members: Mapping[str, Any] = {}
    ) -> None:
        """Send BLOBs: (content, size, format) each; see `IPyClient.send_newVector`."""
        await self._send(timestamp, members)

    def set_blobsize(self, membername: str, blobsize: int) -> None:
        """Change the size shown for a member. Nothing happens without that member, or for no int (0.9)."""
        if membername in self.data and isinstance(blobsize, int):
            self.data[membername].blobsize = blobsize

    def set_blobformat(self, membername: str, blobformat: str) -> None:
        """Change the format shown for a member. Nothing happens if there is none of that name (0.9)."""
        if membername in self.data:
            self.data[membername].blobformat = blobformat


VECTORS: dict[str, type[PropertyVector]] = {
    "Text": TextVector,
    "Number": NumberVector,
    "Switch": SwitchVector,
    "Light": LightVector,
    "BLOB": BLOBVector,
}
