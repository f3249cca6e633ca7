"""Live devices: mappings of vector names to live vectors (see `views`)."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Container
from typing import TYPE_CHECKING, Any

from ..propertyvectors import VECTORS, PropertyVector
from ..state.apply import change_device
from ..state.snapshots import Messages, SnapDevice
from .views import MessageLog, Shown

if TYPE_CHECKING:
    from ..ipyclient import IPyClient

__all__ = ["Device"]


class _ParentDevice(UserDict[str, PropertyVector]):
    """A mapping of vector names to vectors (0.9)."""

    devicename: str

    @property
    def enable(self) -> bool:
        """True while any of its vectors is enabled."""
        return any(vector.enable for vector in self.data.values())

    def disable(self) -> None:
        """Set every vector disabled."""
        for vector in self.data.values():
            vector.enable = False


class Device(_ParentDevice):
    """A live device. Made by the client; use from the client's loop only."""

    def __init__(self, devicename: str, client: IPyClient) -> None:
        super().__init__()
        self.devicename = devicename
        self._client = client
        self._last: SnapDevice | None = None  # once it is no longer in the state

    def __repr__(self) -> str:
        return f"<Device {self.devicename!r} with {len(self)} vectors>"

    def __setitem__(self, propertyname: str, propertyvector: Any) -> None:
        raise KeyError(f"vectors come from the server; {propertyname!r} cannot be assigned")

    __hash__ = object.__hash__

    @property
    def _node(self) -> SnapDevice:
        return self._client._indi_snap[self.devicename] if self._last is None else self._last

    user_string: Shown[str] = Shown("Whatever the program attached.")
    itemid: Shown[int] = Shown("The number `create_itemid` gave it.")

    @property
    def messages(self) -> MessageLog:
        """The last eight messages of the device, newest first: (time, text)."""
        return MessageLog(lambda: self._node.messages, lambda messages: self._change("messages", messages))

    def snapshot(self) -> SnapDevice:
        """The device as it is now; never changes, for any thread."""
        return self._node

    def _change(self, attribute: str, value: str | int | Messages) -> None:
        if self._last is None:
            self._client._indi_snap = change_device(self._client._indi_snap, self._node, **{attribute: value})

    def _leave(self, name: str, kind: str, members: Container[str]) -> None:
        """A vector is about to be defined: let go of what will not be in the state then."""
        vector = self.data.get(name)
        if vector is None:
            return
        if type(vector) is VECTORS[kind]:
            vector._leave(members)
        else:
            vector._detach()

    def _follow(self, name: str, kind: str) -> PropertyVector:
        """The live vector for a definition: the one there is, or a new one if there is none of its type."""
        vector = self.data.get(name)
        if vector is None or type(vector) is not VECTORS[kind]:
            vector = self.data[name] = VECTORS[kind](self, name)
        else:
            vector._follow()
        return vector

    def _detach(self) -> None:
        """Keep the last nodes, since the state goes on without this device."""
        for vector in self.data.values():
            vector._detach()
        self._last = self._node
