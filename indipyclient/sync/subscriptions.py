"""Who is to be told what: mailboxes of the program, each with a filter.

The client holds them weakly. A mailbox that nobody keeps, or that was closed, is a subscription ended.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Collection
from typing import NamedTuple

from ..bridge.backlog import EventItem
from ..errors import InvalidValue, MailboxClosed
from ..mailbox import Mailbox

__all__ = ["KINDS", "Filter", "Subscriptions"]

KINDS = frozenset(
    {
        *("Message", "Define", "DefineBLOB", "Set", "SetBLOB", "Delete", "State", "TimeOut"),
        *("ConnectionMade", "ConnectionLost", "getProperties", "Progress"),
    }
)
"""The words of `EventItem.eventtype`."""


class Filter:
    """Which items are wanted; None for all.

    Args:
        device, vector: what an item is about. The deletion of a whole device is about its vectors too.
        member: of updates, those that name this member.
        kinds: words of `EventItem.eventtype`, or one of them.

    Raises:
        InvalidValue: a kind is none, or there is a member without a vector.
    """

    def __init__(
        self,
        device: str | None = None,
        vector: str | None = None,
        member: str | None = None,
        kinds: str | Collection[str] | None = None,
    ) -> None:
        if member is not None and vector is None:
            raise InvalidValue(f"a member is one of a vector, and none is given with {member!r}")
        if isinstance(kinds, str):
            kinds = (kinds,)
        for kind in kinds or ():
            if kind not in KINDS:
                raise InvalidValue(f"{kind!r} is no kind of event; there are {', '.join(sorted(KINDS))}")
        self._device, self._vector, self._member = device, vector, member
        self._kinds = None if kinds is None else frozenset(kinds)

    def wants(self, item: EventItem) -> bool:
        """Whether an item passes."""
        if self._kinds is not None and item.eventtype not in self._kinds:
            return False
        if self._device is not None and item.devicename != self._device:
            return False
        if self._vector is None or (item.vectorname is None and item.eventtype == "Delete"):
            return True
        return item.vectorname == self._vector and (self._member is None or self._names_member(item))

    def _names_member(self, item: EventItem) -> bool:
        if item.eventtype not in ("Set", "SetBLOB"):
            return True
        vector = item.snapshot[item.devicename].data[item.vectorname]
        member = vector.data.get(self._member)
        return member is not None and member.rev == vector.rev


class _Subscription(NamedTuple):
    box: weakref.ref[Mailbox[EventItem]]
    filter: Filter

    @property
    def lives(self) -> bool:
        box = self.box()
        return box is not None and not box.closed


class Subscriptions:
    """All subscriptions of a client. Any thread adds, the client's thread publishes."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._all: tuple[_Subscription, ...] = ()
        self._closed = False

    def __len__(self) -> int:
        return len(self._all)

    def add(self, box: Mailbox[EventItem], wanted: Filter) -> None:
        """Put what is wanted into a mailbox, from now on.

        Raises:
            MailboxClosed: nothing more will come.
        """
        with self._changing:
            if self._closed:
                raise MailboxClosed("the client has ended")
            living = (one for one in self._all if one.lives)
            self._all = (*living, _Subscription(weakref.ref(box), wanted))

    def publish(self, item: EventItem) -> None:
        """Tell whoever wants it."""
        ended = False
        for box, wanted in self._all:
            if wanted.wants(item):
                ended |= not _put(box(), item)
        if ended:
            with self._changing:
                self._all = tuple(one for one in self._all if one.lives)

    def close(self, cause: BaseException | None) -> None:
        """Nothing more will come; tell whoever waits, and why."""
        with self._changing:
            self._closed = True
            ending, self._all = self._all, ()
        for box, _ in ending:
            if (mailbox := box()) is not None:
                mailbox.close(cause)


def _put(box: Mailbox[EventItem] | None, item: EventItem) -> bool:
    if box is not None:
        try:
            box.put(item)
        except MailboxClosed:
            return False
    return box is not None
