"""What ``indi[device]`` and ``indi[device][vector]`` are: names that show the newest state and take commands.

A handle holds no state of its own, so it goes on working when the connection was lost and is back. It
keeps its client from being forgotten. Any thread may use it.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from ..display import handle_html
from ..errors import (
    INDIError,
    InvalidValue,
    PropertyAlert,
    UnknownDevice,
    UnknownMember,
    UnknownVector,
)
from ..protocol.messages import BLOB_MODES
from ..state.commands import check_values, find_vector, new_vector
from ..state.members import SnapBLOBMember, SnapMember
from ..state.snapshots import Snap, SnapDevice
from ..state.vectors import SnapVector
from .goal import Goal
from .known import find_device, no_connection
from .messages import newest_message, said_since
from .orders import Command, ExpectedBLOB, Request
from .outcome import Outcome

if TYPE_CHECKING:
    from ..syncclient import SyncClient

__all__ = ["ANNOUNCED", "DeviceHandle", "VectorHandle"]

ANNOUNCED = math.nan
"""As a time limit: the one that the device has announced, within the client's limits."""

S = TypeVar("S")
T = TypeVar("T")


class _Handle(Mapping[str, T]):
    """What handles have in common: they are equal if they are of the same thing of the same client."""

    def __init__(self, client: SyncClient, *path: str) -> None:
        self._client = client
        self._path = path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Handle) and (self._client, self._path) == (other._client, other._path)

    def __hash__(self) -> int:
        return hash((self._client, self._path))

    def get(self, name: str, default: Any = None) -> Any:
        """As ``self[name]``, but without waiting: `default` if it is not known now."""
        return self[name] if name in self else default  # noqa: SIM401 - it would call itself

    def _found(self, snap: Snap, find: Callable[[Snap], S]) -> S:
        """What `find` returns; if it raises without a connection, that is the reason."""
        try:
            return find(snap)
        except INDIError as error:
            if snap.connected:
                raise
            raise no_connection(self._client._engine._indi_where, error) from None

    def _repr_html_(self) -> str:
        client = self._client
        return handle_html(client._engine.snapshot(), client._how(), *self._path)

    def _ipython_key_completions_(self) -> list[str]:
        with contextlib.suppress(INDIError):
            return list(self)
        return []


class DeviceHandle(_Handle["VectorHandle"]):
    """A device: a mapping of vector names to `VectorHandle`."""

    def __repr__(self) -> str:
        device = self._client.snapshot().get(self.name) if self._client.running else None
        known = "not known now" if device is None else f"{len(self)} vectors"
        return f"<device {self.name!r} of {self._client!r}, {known}>"

    @property
    def name(self) -> str:
        """The device's name."""
        return self._path[0]

    def snapshot(self) -> SnapDevice:
        """The device as it is now.

        Raises:
            UnknownDevice: it is not known now; NotConnected, if for want of a connection.
        """
        return self._found(self._client.snapshot(), lambda snap: find_device(snap, self.name))

    def __getitem__(self, name: str) -> VectorHandle:
        """A vector; if it is not known it is waited for a moment, see `SyncClient`.

        Raises:
            UnknownDevice, UnknownVector: with near matches.
        """
        self._client._known(lambda snap: find_vector(snap, self.name, name))
        return VectorHandle(self._client, self.name, name)

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def __iter__(self) -> Iterator[str]:
        device = self._client.snapshot().get(self.name)
        return iter([name for name, vector in device.items() if vector.enable] if device else ())

    def __len__(self) -> int:
        return sum(1 for _ in self)


class VectorHandle(_Handle[Any]):
    """A vector: a mapping of member names to their newest typed values, see `SnapMember.value`."""

    def __repr__(self) -> str:
        try:
            return f"<handle of {self.snapshot()!r}>"
        except INDIError as error:
            return f"<handle of {self.devicename!r} {self.name!r}: {error}>"

    @property
    def devicename(self) -> str:
        """The device's name."""
        return self._path[0]

    @property
    def name(self) -> str:
        """The vector's name."""
        return self._path[1]

    @property
    def state(self) -> str:
        """``Idle``, ``Ok``, ``Busy`` or ``Alert``. Raises as `snapshot`."""
        return self.snapshot().state

    def snapshot(self) -> SnapVector:
        """The vector as it is now.

        Raises:
            UnknownDevice, UnknownVector: it is not known now; NotConnected, if for want of a connection.
            ClientClosed, ClientDied: the client has ended.
        """
        return self._find(self._client.snapshot())

    def _find(self, snap: Snap) -> SnapVector:
        return self._found(snap, lambda snap: find_vector(snap, *self._path))

    def member(self, name: str) -> SnapMember:
        """The snapshot of a member, with its label, limits, format and more.

        Raises:
            UnknownMember: with near matches; else as `snapshot`.
        """
        vector = self.snapshot()
        if name not in vector:
            raise UnknownMember(f"member of {self.devicename!r} {self.name!r}", name, vector)
        return vector.member(name)

    def __getitem__(self, name: str) -> Any:
        return self.member(name).value

    def __iter__(self) -> Iterator[str]:
        return iter(self.snapshot())

    def __len__(self) -> int:
        return len(self.snapshot())

    def __contains__(self, name: object) -> bool:
        return name in self.snapshot()

    # -- commands -----------------------------------------------------------------------------

    def put(
        self,
        members: Mapping[str, Any] | str | None = None,
        /,
        *,
        timeout: float | None = ANNOUNCED,
        **more: Any,
    ) -> Outcome[SnapVector]:
        """Command new values. Never blocks; what is wrong is raised here, and nothing is sent.

        Args:
            members: member names to values; of a switch vector also the name of the one switch that is to be
                On. What values there are is told at `state.commands.new_vector`.
            timeout: seconds in which the device must be done; None for no limit. If it is not given, the
                device must *answer* in the time that it announced, and if the answer is Busy it may take
                as long as it likes.
            more: members whose names are Python names; others, and one called ``timeout``, go in `members`.

        Returns:
            A future of the vector's snapshot as it is once the device is done: its state is Ok or Idle. It
            raises `PropertyAlert`, `CommandTimeout`, `Superseded`, `PropertyDeleted`, `ConnectionLostError`,
            `NotConnected`, `ClientClosed` or `ClientDied`.

        Raises:
            NotConnected: there is no connection now.
            UnknownDevice, UnknownVector, UnknownMember: with near matches.
            ReadOnly: the vector takes no commands.
            InvalidValue: a value does not suit its member, is out of its limits, or breaks the switch rule.
        """
        limit = None if timeout is None else float(timeout)
        snap = self._client.snapshot()
        vector = self._find(snap)
        values = _values(vector, members, more)
        message = new_vector(snap, self.devicename, self.name, values, datetime.now(timezone.utc))
        check_values(vector, message, values)
        if not snap.connected:
            raise no_connection(self._client._engine._indi_where)
        outcome: Outcome[SnapVector] = self._client._outcome(f"the command to {_where(vector)}")
        self._client._submit(Command(message, limit, outcome, values))
        return outcome

    def expect_blob(self, member: str | None = None) -> Outcome[SnapBLOBMember]:
        """Have the next frame of this BLOB vector come as a future. Never blocks.

        The server is asked for the vector's BLOBs before any command that is given after this, and goes on
        sending them. Call it before the command that makes the frame.

        Args:
            member: the member's name; None for whichever comes first.

        Returns:
            A future of the member's snapshot, with `buffer`, `array()`, `header()` and `save()`. It raises
            `InvalidValue` for a damaged frame, and what the future of `put` raises for ends of all kinds.

        Raises:
            InvalidValue: this is no BLOB vector.
            UnknownDevice, UnknownVector, UnknownMember: with near matches.
        """
        vector = self.snapshot()
        if vector.vectortype != "BLOBVector":
            raise InvalidValue(f"{_where(vector)} is a {vector.vectortype} and brings no BLOBs")
        if member is not None:
            self.member(member)
        outcome: Outcome[SnapBLOBMember] = self._client._outcome(f"the next BLOB of {_where(vector)}")
        self._client._submit(ExpectedBLOB((self.devicename, self.name), member, outcome))
        return outcome

    def enable_blobs(self, mode: str = "Also") -> None:
        """Choose whether the server sends this vector's BLOBs; remembered for every connection to come.

        Args:
            mode: ``Also``, ``Only`` or ``Never``; see docs/frames.md.

        Raises:
            InvalidValue: another word.
            ClientClosed, ClientDied: the client has ended.
        """
        if mode not in BLOB_MODES:
            raise InvalidValue(f"BLOBs are enabled by Also, Only or Never, not {mode!r:.60}")
        path = self.devicename, self.name
        self._client._submit(Request(lambda engine: engine.send_enableBLOB(mode, *path)))

    # -- waiting ------------------------------------------------------------------------------

    def wait(
        self,
        *,
        timeout: float | None,
        state: str | Collection[str] | None = None,
        member: Mapping[str, Any] | str | None = None,
        tolerance: float = 0.0,
    ) -> SnapVector:
        """Wait until the vector has a state, or members have values, or both at once.

        A command that was given before is sent first: the state from before it does not count.

        Args:
            timeout: seconds; None for no limit.
            state: a state, or several of them.
            member: names to the values they are to have; the name alone of a switch that is to be On.
            tolerance: how far a number may be from the value.

        Returns:
            The vector as it was when that held.

        Raises:
            WaitTimeout: that did not come in time.
            PropertyAlert: the state became Alert, while another one was waited for.
            UnknownMember, InvalidValue: `member` does not suit the vector.
        """
        goal = Goal(state, member, tolerance)
        with contextlib.suppress(UnknownDevice, UnknownVector):
            goal.check(find_vector(self._client.snapshot(), *self._path))
        seen: SnapVector | None = None
        said: object = None

        def reached(snap: Snap) -> bool:
            nonlocal seen, said
            before, seen = seen, find_vector(snap, *self._path)
            if before is None:
                said = newest_message(snap, self.devicename)
            elif seen is before:
                return False
            elif goal.failed(seen):
                came_with_it = seen.message if seen.message_timestamp is seen.timestamp else ""
                raise PropertyAlert(seen, came_with_it or said_since(said, snap, self.devicename))
            return goal.reached(seen)

        def what() -> str:
            now = "" if seen is None else f", which is {seen.state},"
            return f"{self.devicename!r} {self.name!r}{now} {goal}"

        snap = self._client._wait(reached, timeout, what)
        return find_vector(snap, *self._path)


def _where(vector: SnapVector) -> str:
    return f"{vector.devicename!r} {vector.name!r}"


def _values(
    vector: SnapVector, members: Mapping[str, Any] | str | None, more: dict[str, Any]
) -> dict[str, Any]:
    """Names as the vector has them to values, of all the forms in which `put` takes them."""
    if isinstance(members, Enum):
        members = members.value
    if isinstance(members, str):
        members = _one_on(vector, members)
    elif members is not None and not isinstance(members, Mapping):
        kind = type(members).__name__
        raise TypeError(f"members is a mapping of names to values, or the name of a switch, not {kind}")
    named = {**(members or {}), **more}
    return {_plain(name): _plain(value) for name, value in named.items()}


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _one_on(vector: SnapVector, name: str) -> dict[str, Any]:
    """One switch On, and the others Off where only one may be On."""
    if vector.vectortype != "SwitchVector":
        raise InvalidValue(
            f"{_where(vector)} is a {vector.vectortype}: give its members values, as in {{{name!r}: ...}}"
        )
    if name not in vector:
        raise UnknownMember(f"switch of {_where(vector)}", name, vector)
    others = () if vector.rule == "AnyOfMany" else vector
    return {**dict.fromkeys(others, False), name: True}
