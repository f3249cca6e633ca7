"""All errors of the package.

    INDIError
    ├── NotConnected (ConnectionError)      a command was given while there is no connection
    ├── ConnectionLostError (ConnectionError)   the connection was lost before the answer came
    ├── ClientClosed (RuntimeError)         the client has been closed
    ├── ClientDied (RuntimeError)           the client's thread has died; of what is chained
    ├── UnknownName (KeyError)              no such thing, with near matches
    │   ├── UnknownDevice
    │   ├── UnknownVector
    │   └── UnknownMember
    ├── ReadOnly (PermissionError)          the vector takes no commands
    ├── InvalidValue (ValueError)           the value does not suit the member
    ├── PropertyAlert                       the device refused a command, or failed to carry it out
    ├── PropertyDeleted                     the vector was deleted before the answer came
    ├── Superseded                          a later command to the same vector took the place of this one
    ├── CommandTimeout (TimeoutError)       the device did not answer a command in time
    ├── WaitTimeout (TimeoutError)          what was waited for did not come in time
    ├── MailboxClosed                       nothing more will come
    ├── MissingExtra (ImportError)          an optional package is not installed
    ├── ConcurrentUse (RuntimeError)        a second thread at what is for one at a time
    └── WouldDeadlock (RuntimeError)        waiting in the thread that would have to end the waiting

Each has the standard parent in brackets too, so that ``except KeyError`` and the like work.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .state.vectors import SnapVector

__all__ = [
    "ClientClosed",
    "ClientDied",
    "CommandTimeout",
    "ConcurrentUse",
    "ConnectionLostError",
    "INDIError",
    "InvalidValue",
    "MailboxClosed",
    "MissingExtra",
    "NotConnected",
    "PropertyAlert",
    "PropertyDeleted",
    "ReadOnly",
    "Superseded",
    "UnknownDevice",
    "UnknownMember",
    "UnknownName",
    "UnknownVector",
    "WaitTimeout",
    "WouldDeadlock",
]


class INDIError(Exception):
    """Parent of all errors that this package raises on purpose."""


class NotConnected(INDIError, ConnectionError):
    """There is no connection to the server at the moment."""


class ConnectionLostError(INDIError, ConnectionError):
    """The connection was lost after the command was sent: what became of it is not known."""


class ClientClosed(INDIError, RuntimeError):
    """The client has been closed, or belongs to the process that this one was forked from."""


class ClientDied(INDIError, RuntimeError):
    """The client's thread has ended by an exception, which is the `__cause__`."""


class UnknownName(INDIError, KeyError):
    """A name that is not known (yet).

    Args:
        what: what was looked for and where, such as ``vector of 'CCD Simulator'``.
        name: the name that was not found.
        known: the names there are, of which the nearest are suggested.
    """

    def __init__(self, what: str, name: object, known: Iterable[str]) -> None:
        self.what = what
        self.name = name
        self.known = tuple(known)
        super().__init__(what, name, self.known)

    def __str__(self) -> str:
        by_folded = {name.casefold(): name for name in self.known}
        near = difflib.get_close_matches(str(self.name).casefold(), by_folded, n=3)
        if near:
            hint = f"; did you mean {' or '.join(repr(by_folded[name]) for name in near)}?"
        elif self.known:
            hint = f"; known: {', '.join(map(repr, self.known[:10]))}{', ...' * (len(self.known) > 10)}"
        else:
            hint = "; none is known yet"
        return f"no {self.what} {self.name!r}{hint}"


class UnknownDevice(UnknownName):
    """No device of that name has been defined."""


class UnknownVector(UnknownName):
    """The device has no enabled vector of that name."""


class UnknownMember(UnknownName):
    """The vector has no member of that name."""


class ReadOnly(INDIError, PermissionError):
    """The vector takes no commands: it is read-only, or a light."""


class InvalidValue(INDIError, ValueError):
    """A value that the member, or the rule of its vector, does not allow."""


class PropertyAlert(INDIError):
    """The device has answered a command with the state Alert.

    Args:
        vector: the vector as it was then.
        message: what the device said about it, if anything.
    """

    def __init__(self, vector: SnapVector, message: str) -> None:
        self.vector = vector
        self.message = message
        super().__init__(vector, message)

    def __str__(self) -> str:
        said = f": {self.message}" if self.message else ", and the device does not say why"
        return f"{self.vector.devicename!r} {self.vector.name!r} is in state Alert{said}"


class PropertyDeleted(INDIError):
    """The server has deleted the vector, or its device, so nothing more will come of it."""


class Superseded(INDIError):
    """A later command to the same vector was sent before the device was done with this one."""


class CommandTimeout(INDIError, TimeoutError):
    """The device did not answer, or did not finish, in the time it was given; it still may."""


class WaitTimeout(INDIError, TimeoutError):
    """What was waited for did not come in time; it may still come."""


class MailboxClosed(INDIError):
    """The mailbox was closed and everything in it has been taken; the cause, if any, is chained."""


class MissingExtra(INDIError, ImportError):
    """An optional package is not installed: its `name`, and how to get it."""


class ConcurrentUse(INDIError, RuntimeError):
    """A second thread tried what only one at a time may do."""


class WouldDeadlock(INDIError, RuntimeError):
    """Waiting in a client's own thread, which would have to bring what is waited for."""
