"""What the live objects of the 0.9 interface have in common: they show the state, they hold none.

A live device, vector or member finds its node in the client's present snapshot each time it is
looked at, and an assignment to it makes a new snapshot. So there is one state, and nothing to
drift. After its connection has ended, or its property was defined anew with another type or
without this member, an object is no longer in the state; it then keeps the last node it had.

Live objects belong to the thread of the client's event loop. Other threads use snapshots.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, MutableSequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Generic, TypeVar, overload

from ..state.apply import KEPT_MESSAGES
from ..state.snapshots import Messages

__all__ = ["MessageLog", "ParseException", "Shown", "one_of"]

T = TypeVar("T")


class ParseException(Exception):
    """A value outside the protocol's list was assigned to a live object (0.9)."""


class Shown(Generic[T]):
    """An attribute of a live object that is the attribute of the same name of its node.

    Assigning calls the owner's ``_change(name, value)``, after `check` if there is one.
    """

    def __init__(self, doc: str, check: Callable[[Any], Any] | None = None) -> None:
        self.__doc__ = doc
        self._check = check

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Shown[T]: ...
    @overload
    def __get__(self, instance: Any, owner: type) -> T: ...
    def __get__(self, instance: Any, owner: type) -> Shown[T] | T:
        if instance is None:
            return self
        value: T = getattr(instance._node, self._name)
        return value

    def __set__(self, instance: Any, value: T) -> None:
        if self._check is not None:
            value = self._check(value)
        instance._change(self._name, value)


def one_of(words: frozenset[str]) -> Callable[[Any], str]:
    """A check that a value is one of `words`; it raises `ParseException`."""

    def check(value: Any) -> str:
        if value not in words:
            raise ParseException(f"{value!r} is not one of {', '.join(sorted(words))}")
        return str(value)

    return check


class MessageLog(MutableSequence[tuple[datetime, str]]):
    """The last eight messages of the client or a device, newest first: what 0.9 had as a deque.

    Args:
        read: gives the present messages.
        write: replaces them.
    """

    maxlen = KEPT_MESSAGES

    def __init__(self, read: Callable[[], Messages], write: Callable[[Messages], None]) -> None:
        self._read = read
        self._write = write

    @overload
    def __getitem__(self, index: int) -> tuple[datetime, str]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[datetime, str]]: ...
    def __getitem__(self, index: int | slice) -> tuple[datetime, str] | list[tuple[datetime, str]]:
        return list(self._read())[index]

    def __setitem__(self, index: Any, message: Any) -> None:
        with self._as_deque() as messages:
            messages[index] = message

    def __delitem__(self, index: Any) -> None:
        with self._as_deque() as messages:
            del messages[index]

    def __len__(self) -> int:
        return len(self._read())

    def __iter__(self) -> Iterator[tuple[datetime, str]]:
        return iter(self._read())

    def __repr__(self) -> str:
        return f"MessageLog({list(self)})"

    def insert(self, index: int, message: tuple[datetime, str]) -> None:
        """Add a message: (aware UTC datetime, text). Raises IndexError if there are eight."""
        with self._as_deque() as messages:
            messages.insert(index, message)

    def append(self, message: tuple[datetime, str]) -> None:
        """Add a message as the oldest; if there are eight, the newest goes."""
        with self._as_deque() as messages:
            messages.append(message)

    def appendleft(self, message: tuple[datetime, str]) -> None:
        """Add a message as the newest; if there are eight, the oldest goes."""
        with self._as_deque() as messages:
            messages.appendleft(message)

    def popleft(self) -> tuple[datetime, str]:
        """Take the newest message away. Raises IndexError if there is none."""
        return self.pop(0)

    @contextmanager
    def _as_deque(self) -> Iterator[deque[tuple[datetime, str]]]:
        """The messages as a deque; what is done to it is done to them."""
        messages = deque(self._read(), self.maxlen)
        yield messages
        self._write(tuple(messages))
