"""What waits between the network and a program that is slow to read: in order, and bounded.

While there is room nothing is lost. When it is full, a new item takes the place of the oldest one
waiting for the same property (the same event type, device and vector): the program then sees fewer
steps of that property, but always its newest state, since each item carries a whole snapshot. An
item of a property of which nothing waits is taken all the same, so the bound is the limit plus the
number of properties there are; should a server have made up names without end, the oldest item of all goes.

BLOBs have a limit of their own, in bytes. Any item that comes after a frame holds it too, in its
snapshot, so above this limit everything that waits is folded: of each property only the newest item
stays, and with it few frames.

A program that wants only the newest frames has those that wait dropped as soon as they are old news.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any, NamedTuple, TypeAlias

from ..state.members import SnapBLOBMember

__all__ = ["Backlog", "EventItem", "blob_bytes"]

_MOST_PROPERTIES = 100_000  # of which an item each may wait when there is no room


class EventItem(NamedTuple):
    """What a queue client puts on ``rxque``.

    Fields:
        eventtype: ``Message``, ``getProperties``, ``Delete``, ``Define``, ``DefineBLOB``, ``Set``,
            ``SetBLOB``, ``TimeOut``, ``ConnectionMade``, ``ConnectionLost`` or the word of a
            ClientEvent; ``State`` after a command was sent; ``snapshot`` in answer to a request.
        devicename, vectorname: what it is about, or None.
        timestamp: of the event, aware and UTC; None with a ``snapshot``.
        snapshot: the client's whole state right after the event (`Snap`); with ``snapshot`` what
            was asked for.
    """

    eventtype: str
    devicename: str | None
    vectorname: str | None
    timestamp: Any
    snapshot: Any


_Key: TypeAlias = tuple[str, "str | None", "str | None"]


def blob_bytes(item: EventItem) -> int:
    """The bytes of the BLOBs that came with an item; 0 for all but ``SetBLOB``."""
    if item.eventtype != "SetBLOB":
        return 0
    views = {id(view): view for member in _changed(item) for view in (member.buffer, member.raw)}
    return sum(view.nbytes for view in views.values() if view is not None)


def _changed(item: EventItem) -> list[SnapBLOBMember]:
    """The members that came with a ``SetBLOB`` item; none if it is but a change of state."""
    vector = item.snapshot[item.devicename].data[item.vectorname]
    return [member for member in vector.data.values() if member.rev == vector.rev]


def _content(item: EventItem) -> set[str]:
    """The members for which a ``SetBLOB`` item has content; none if there is anything wrong with it."""
    changed = _changed(item)
    if any(member.error for member in changed):
        return set()
    return {member.name for member in changed if member.buffer is not None}


class Backlog:
    """A queue of `EventItem` that folds instead of growing. For one thread.

    Args:
        limit: how many items wait before folding begins.
        blob_limit: how many bytes of BLOBs wait before everything is folded.

    Attributes:
        folded: how many items have been folded into newer ones so far; any thread may read it, and
            ask for the length.
    """

    def __init__(self, limit: int, blob_limit: int) -> None:
        self.folded = 0
        self._limit = limit
        self._blob_limit = blob_limit
        self._items: OrderedDict[int, EventItem] = OrderedDict()
        self._places: dict[_Key, deque[int]] = {}
        self._count = 0
        self._blob_bytes = 0

    def __len__(self) -> int:
        return len(self._items)

    def append(self, item: EventItem) -> None:
        """Add an item at the end, in the place of an older one if there is no room."""
        places = self._places.setdefault(item[:3], deque())
        if len(self._items) >= self._limit:
            if places:
                self._fold(places)
            elif len(self._items) >= self._limit + _MOST_PROPERTIES:
                self.popleft()
                self.folded += 1
        places.append(self._count)
        self._items[self._count] = item
        self._count += 1
        size = blob_bytes(item)
        self._blob_bytes += size
        if size and self._blob_bytes > self._blob_limit:
            self._fold_all()

    def prepend(self, item: EventItem) -> None:
        """Put back the item that was taken last."""
        number = next(iter(self._items), self._count) - 1
        self._places.setdefault(item[:3], deque()).appendleft(number)
        self._items[number] = item
        self._items.move_to_end(number, last=False)
        self._blob_bytes += blob_bytes(item)

    def skip_frames(self, newer: EventItem) -> int:
        """Drop the frames that wait and that a newer one, not added yet, makes old news; say how many.

        So it is if that has content for all the members for which the older one has it.
        """
        places = self._places.get(newer[:3], deque())
        content = _content(newer) if places else set()
        old = [place for place in places if (had := _content(self._items[place])) and had <= content]
        for place in old:
            places.remove(place)
            # What stands behind a frame holds it too, so it counts until all that is gone.
            if place == next(reversed(self._items)):
                self._blob_bytes -= blob_bytes(self._items[place])
            del self._items[place]
        if not places:
            self._places.pop(newer[:3], None)
        return len(old)

    def first(self) -> EventItem:
        """The oldest item. Raises StopIteration if there is none."""
        return next(iter(self._items.values()))

    def popleft(self) -> EventItem:
        """Take the oldest item. Raises KeyError if there is none."""
        _, item = self._items.popitem(last=False)
        self._blob_bytes = self._blob_bytes - blob_bytes(item) if self._items else 0
        places = self._places[item[:3]]
        places.popleft()
        if not places:
            del self._places[item[:3]]
        return item

    def _fold_all(self) -> None:
        for places in self._places.values():
            while len(places) > 1:
                self._fold(places)
        self._blob_bytes = sum(map(blob_bytes, self._items.values()))

    def _fold(self, places: deque[int]) -> None:
        """Drop the oldest item of a property."""
        self._blob_bytes -= blob_bytes(self._items.pop(places.popleft()))
        self.folded += 1
