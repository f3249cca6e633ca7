"""Tells what became of commands, from what arrives after them.

INDI has no numbers for commands: an answer to one is whatever the device says of its vector afterwards.
With a server that answers pings, "after" is after the answer to a ping that was sent before the command;
with others it is what arrives after it was sent, which a slow network may have held up.

| what arrives of the vector after the command | becomes of it |
|---|---|
| a set with the state Ok or Idle | done: the result is the vector |
| the same, but in doubt (see `doubt`) | it goes on for a moment from the first such set on; then it is done |
| Busy | it goes on; from here on without a limit, unless the program has set one |
| Alert | `PropertyAlert`, with the text that came with it, or the newest of the device since the command |
| a set without a state | nothing, it goes on |
| a definition | nothing, as servers send them whenever any client asks; after Busy, or in doubt, as a set |
| its deletion | `PropertyDeleted` |
| the loss of the connection | `ConnectionLostError` |
| nothing, for as long as the device announced, within limits, or the program has set | `CommandTimeout` |

Once what arrives is newer than the command, the vector is shown as Busy as long as that goes on.
Belongs to the client's loop, and sees events in the order in which they change the state.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, TypeAlias

from .. import events
from ..errors import (
    CommandTimeout,
    ConnectionLostError,
    INDIError,
    InvalidValue,
    PropertyAlert,
    PropertyDeleted,
    Superseded,
)
from ..state.members import SnapBLOBMember
from ..state.snapshots import Snap
from ..state.vectors import SnapVector
from .messages import newest_message, said_since
from .orders import Awaited, Command, ExpectedBLOB

__all__ = ["Tracker"]

_Key: TypeAlias = "tuple[str | None, str | None]"


class Tracker:
    """All commands and expected BLOBs of a client that are under way.

    Args:
        where: what messages call the server.
        lowest, highest: seconds that bound the time that a device announced for its answers.
        doubt: seconds for which an answer in doubt is waited out.
        show: called to have the vector of a command in the state that was told last. Returns the vector,
            or None if the connection is gone.
    """

    def __init__(
        self,
        where: str,
        lowest: float,
        highest: float,
        doubt: float,
        show: Callable[[Command], SnapVector | None],
    ) -> None:
        self._where = where
        self._lowest = lowest
        self._highest = highest
        self._doubt = doubt
        self._show = show
        self._sent: set[Awaited[Any]] = set()  # what has come in before them is not yet handled
        self._commands: dict[_Key, Command] = {}
        self._blobs: dict[_Key, list[ExpectedBLOB]] = {}

    def sent(self, one: Awaited[Any]) -> None:
        """Something has been sent; see `begin` and `expect`."""
        self._sent.add(one)

    def begin(self, command: Command, snap: Snap) -> bool:
        """What arrives from here on has come in after the command was sent. Say whether it is under way."""
        self._sent.discard(command)
        former = self._commands.pop(command.key, None)
        if former is not None:
            command.doubt.overtaking = True
            former.fail(Superseded(f"a later command to {command.where} was sent before this one was done"))
        vector = _vector(snap, command.key)
        if not snap.connected:
            command.fail(self._lost(command.where))
        elif vector is None:
            command.fail(PropertyDeleted(f"{command.where} was deleted as it was commanded"))
        else:
            self._begin(command, vector, snap)
        return command.key in self._commands

    def _begin(self, command: Command, vector: SnapVector, snap: Snap) -> None:
        self._commands[command.key] = command
        command.said = newest_message(snap, command.key[0])
        self._start_timer(command, vector)

    def expect(self, blob: ExpectedBLOB) -> None:
        """The next BLOB that arrives is wanted."""
        self._sent.discard(blob)
        self._blobs.setdefault(blob.key, []).append(blob)

    def pinged(self, uid: str) -> Command | None:
        """A ping is answered: what arrives from here on is newer than the command returned."""
        for command in self._commands.values():
            if command.barrier == uid:
                command.barrier = ""
                return command
        return None

    def heard(self, event: events.Event, snap: Snap) -> bool:
        """Something has arrived; `snap` is the state after it.

        Say whether a command to that vector is under way although the device may have told otherwise.
        """
        if not self._commands and not self._blobs:
            return False
        key = event.devicename, event.vectorname
        if isinstance(event, events.setVector | events.defVector):
            if (command := self._commands.get(key)) is not None:
                self._answered(command, event, snap)
            if key in self._blobs and isinstance(event, events.setBLOBVector):
                self._frame(key, snap)
        elif isinstance(event, events.delProperty):
            self._deleted(event)
        elif isinstance(event, events.ConnectionLost):
            self._fail_begun(self._lost)
        return key in self._commands and self._commands[key].told != ""

    def end(self, error: Callable[[], INDIError]) -> None:
        """The client has ended, so nothing more arrives."""
        self._fail_begun(lambda what: error())
        while self._sent:
            self._sent.pop().fail(error())

    # -- commands ---------------------------------------------------------------------------

    def _start_timer(self, command: Command, vector: SnapVector) -> None:
        seconds = command.timeout
        if seconds is not None:
            if math.isnan(seconds):
                seconds = min(max(vector.timeout or 0.0, self._lowest), self._highest)
            loop = asyncio.get_running_loop()
            command.timer = loop.call_later(seconds, self._timed_out, command, seconds)

    def _timed_out(self, command: Command, seconds: float) -> None:
        if command.in_doubt:
            self._believe(command)
            return
        del self._commands[command.key]
        if command.told:
            self._show(command)
        how = "did not finish" if command.busy else "did not answer"
        command.fail(CommandTimeout(f"{command.where} {how} within {seconds:g} s"))

    def _answered(self, command: Command, event: events.setVector | events.defVector, snap: Snap) -> None:
        if command.barrier:
            command.doubt.overtaking |= event.state == "Busy"
            return
        if isinstance(event, events.defVector) and not (command.busy or command.in_doubt):
            command.told = event.state or ""
        elif event.state == "Busy":
            command.at_work()
        elif event.state == "Alert":
            del self._commands[command.key]
            said = event.message or said_since(command.said, snap, command.key[0])
            command.fail(PropertyAlert(snap[command.key[0]][command.key[1]], said))
        elif event.state is not None:
            self._done(command, event, snap[command.key[0]][command.key[1]])

    # -- done, or in doubt --------------------------------------------------------------------

    def _done(self, command: Command, event: events.setVector | events.defVector, vector: SnapVector) -> None:
        if not command.doubts(event, vector):
            del self._commands[command.key]
            command.settle(vector)
            return
        if not command.in_doubt:
            loop = asyncio.get_running_loop()
            command.wait_out(loop.call_later(self._doubt, self._believe, command))
        command.told = vector.state

    def _believe(self, command: Command) -> None:
        if (vector := self._show(command)) is not None:  # else the end is near
            del self._commands[command.key]
            command.settle(vector)

    # -- BLOBs ------------------------------------------------------------------------------

    def _frame(self, key: _Key, snap: Snap) -> None:
        vector = snap[key[0]][key[1]]  # type: ignore[index]  # a BLOB has both names
        new = [
            member
            for member in vector.members().values()
            if isinstance(member, SnapBLOBMember) and member.rev == vector.rev
        ]
        waiting = self._blobs.pop(key)
        for expected in waiting:
            wanted = (member for member in new if expected.membername in (None, member.name))
            if (member := next(wanted, None)) is None:
                self._blobs.setdefault(key, []).append(expected)
            elif member.error:
                expected.fail(InvalidValue(f"the BLOB {member.name!r} of {expected.where}: {member.error}"))
            else:
                expected.settle(member)

    # -- ends ---------------------------------------------------------------------------------

    def _deleted(self, event: events.delProperty) -> None:
        said = f": {event.message}" if event.message else ""
        for key in self._keys():
            if event.devicename == key[0] and event.vectorname in (None, key[1]):
                self._fail(key, lambda what: PropertyDeleted(f"the server has deleted {what}{said}"))

    def _fail_begun(self, error: Callable[[str], INDIError]) -> None:
        for key in self._keys():
            self._fail(key, error)

    def _lost(self, what: str) -> ConnectionLostError:
        return ConnectionLostError(f"the connection to {self._where} was lost while {what} was waited for")

    def _keys(self) -> list[_Key]:
        return list({**self._commands, **self._blobs})

    def _fail(self, key: _Key, error: Callable[[str], INDIError]) -> None:
        failing: list[Awaited[Any]] = [*self._blobs.pop(key, ())]
        if (command := self._commands.pop(key, None)) is not None:
            failing.append(command)
        for one in failing:
            one.fail(error(one.where))


def _vector(snap: Snap, key: tuple[str, str]) -> SnapVector | None:
    device = snap.get(key[0])
    vector = None if device is None else device.get(key[1])
    return vector if vector is not None and vector.enable else None
