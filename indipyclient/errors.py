"""All errors of the package.

    INDIError
    ├── NotConnected (ConnectionError)      a command was given while there is no connection
    ├── UnknownName (KeyError)              no such thing, with near matches
    │   ├── UnknownDevice
    │   ├── UnknownVector
    │   └── UnknownMember
    ├── ReadOnly (PermissionError)          the vector takes no commands
    ├── InvalidValue (ValueError)           the value does not suit the member
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

__all__ = [
    "ConcurrentUse",
    "INDIError",
    "InvalidValue",
    "MailboxClosed",
    "MissingExtra",
    "NotConnected",
    "ReadOnly",
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
