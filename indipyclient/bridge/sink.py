"""Items: from the client's loop to the program's ``rxque``, of whatever kind.

A queue is full when it holds as much as its own bound or the client's limits allow. SimpleQueue,
deque, and an asyncio.Queue at the client's limit and not its own, are looked at ever more seldom
while nothing is taken: then there are thousands of items or megabytes of BLOBs left to take.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from ..errors import MailboxClosed
from ..mailbox import Mailbox
from .backlog import Backlog, EventItem, blob_bytes
from .queues import SHUT_DOWN, AnyQueue

__all__ = ["Sink"]

_LOOK, _SELDOM = 0.02, 0.5  # seconds between looks at a full queue that cannot be waited on: first, most
_IN_A_ROW = 128  # items after which other threads have their turn
_PAUSE = 20e-6  # seconds, until a thread that waits for the interpreter has noticed that it is free
_UNWANTED: tuple[type[Exception], ...] = (MailboxClosed, *SHUT_DOWN)  # the program wants no more


class Sink:
    """Puts items on ``rxque``; what the queue cannot take waits in the backlog, in order.

    Args:
        rxque: the program's queue.
        backlog: where items wait that the queue cannot take.
        limit: most items that are put into a queue without a bound of its own; a program that
            never reads must not use up the memory.
        blob_limit: bytes of BLOBs in the queue above which no more is put into it. Not for a
            queue that drops its oldest items by itself.

    Attributes:
        one_frame: whether a frame waits in the backlog while there is another one in the queue.
    """

    def __init__(self, rxque: AnyQueue, backlog: Backlog, limit: int, blob_limit: int) -> None:
        self.one_frame = False
        self._queue = rxque
        self._length = _length_of(rxque)
        self._put = _put_into(rxque)
        self._mailbox = rxque if isinstance(rxque, Mailbox) else None
        self._newest_only = _is_newest_only(rxque)
        self._backlog = backlog
        self._limit = limit
        self._blob_limit = blob_limit
        self._blobs = _BLOBsGiven()
        self._in_a_row = 0
        self._watch_backlog()

    def _watch_backlog(self) -> None:
        """Make the events, which belong to one loop."""
        self._behind = asyncio.Event()  # set while items must go through the backlog, to keep their order
        self._empty = asyncio.Event()  # and the other way round
        (self._behind if self._backlog else self._empty).set()

    def put(self, item: EventItem) -> None:
        """Deliver an item, now or when there is room; from the loop. Never blocks."""
        if self._behind.is_set() or not self._offer(item):
            self._backlog.append(item)
            self._behind.set()
            self._empty.clear()
        self._in_a_row += 1
        if self._in_a_row >= _IN_A_ROW:
            self._give_way()

    def _give_way(self) -> None:
        """Let the program's thread have what waits in the queue.

        Python makes a thread give way to another after 5 ms, but not one that, like this, pauses for a moment
        now and then to look at the network. So under a flood the program would get its items late, thousands
        at once, and the processor's cache would not hold them any more.
        """
        self._in_a_row = 0
        if not isinstance(self._queue, asyncio.Queue) and self._length():
            time.sleep(_PAUSE)

    async def run(self) -> None:
        """Bring the backlog to the queue as room comes, until cancelled."""
        self._watch_backlog()
        wait = _make_wait(self._queue)
        try:
            while True:
                await self._behind.wait()
                length = self._length()
                full = isinstance(self._queue, asyncio.Queue) and self._queue.full()
                if full and not self._too_much(self._backlog.first(), length):
                    await self._put_waiting(self._queue)
                    continue
                # Tried once more now that the length is known, or taking everything between the last
                # try and here would leave nothing to wait for.
                if not self.flush() and self._behind.is_set():
                    await wait.shorter_than(length)
        finally:
            wait.stop()

    async def _put_waiting(self, target: AnyQueue) -> None:
        assert isinstance(target, asyncio.Queue)
        item = self._backlog.popleft()  # nothing shall be folded that comes through all the same
        try:
            with contextlib.suppress(*SHUT_DOWN):
                await target.put(item)
        except BaseException:
            self._backlog.prepend(item)
            raise
        self._blobs.given(item)
        self.flush()

    async def emptied(self, timeout: float) -> None:
        """Wait until nothing waits any more, but not longer than `timeout` seconds."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._empty.wait(), timeout)

    def flush(self) -> bool:
        """Deliver as much of the backlog as there is room for; from the loop. Say whether that was any."""
        before = len(self._backlog)
        while self._backlog and self._offer(self._backlog.first()):
            self._backlog.popleft()
        if not self._backlog:
            self._behind.clear()
            self._empty.set()
        return len(self._backlog) < before

    def close(self, cause: BaseException | None) -> None:
        """Nothing more will come: a mailbox tells whoever waits in it, and why."""
        if isinstance(self._queue, Mailbox):
            self._queue.close(None if isinstance(cause, asyncio.CancelledError) else cause)

    def _offer(self, item: EventItem) -> bool:
        """Put an item if there is room."""
        if not (self._newest_only or (self._mailbox is not None and self._mailbox.closed)):
            length = self._length()
            if length >= self._limit or self._too_much(item, length):
                return False
            self._blobs.given(item)
        try:
            self._put(item)
        except (queue.Full, asyncio.QueueFull):
            self._blobs.refused(item)
            return False
        except _UNWANTED:
            pass
        return True

    def _too_much(self, item: EventItem, length: int) -> bool:
        """Whether the BLOBs in a queue of that length are too many for an item to be put there too."""
        most = 1 if self.one_frame and blob_bytes(item) else self._blob_limit
        return self._blobs.waiting(length) >= most


class _BLOBsGiven:
    """Reckons the bytes of BLOBs that wait in the program's queue, from how long it is."""

    def __init__(self) -> None:
        self._items = 0
        self._sizes: deque[tuple[int, int]] = deque()  # number of the item and bytes, oldest first
        self._bytes = 0

    def given(self, item: EventItem) -> None:
        """This is put into the queue."""
        self._items += 1
        if item.eventtype == "SetBLOB" and (size := blob_bytes(item)):
            self._sizes.append((self._items, size))
            self._bytes += size

    def refused(self, item: EventItem) -> None:
        """It was not, after all."""
        self._items -= 1
        if size := blob_bytes(item):
            self._sizes.pop()
            self._bytes -= size

    def waiting(self, length: int) -> int:
        """Bytes in the queue, if it is that long."""
        taken = self._items - length
        while self._sizes and self._sizes[0][0] <= taken:
            self._bytes -= self._sizes.popleft()[1]
        return self._bytes


def _is_newest_only(target: AnyQueue) -> bool:
    """Whether a queue is never full, as it drops its oldest items by itself."""
    if isinstance(target, Mailbox):
        return target.keep is not None
    return isinstance(target, deque) and target.maxlen is not None


def _length_of(target: AnyQueue) -> Callable[[], int]:
    """What tells how long a queue is."""
    if isinstance(target, queue.Queue):
        return target._qsize  # without its lock: it may be more or less a moment later in any case
    return target.__len__ if isinstance(target, Mailbox | deque) else target.qsize


def _put_into(target: AnyQueue) -> Callable[[EventItem], None]:
    """What puts an item into a queue without waiting."""
    if isinstance(target, deque):
        return target.append
    return target.put if isinstance(target, Mailbox) else target.put_nowait


class _Wait(Protocol):
    """How to wait until the program has taken something from a full queue."""

    async def shorter_than(self, length: int) -> None:
        """Wait until fewer items than that are in the queue."""

    def stop(self) -> None:
        """Wait no more."""


def _make_wait(target: AnyQueue) -> _Wait:
    if isinstance(target, queue.Queue):
        return _WaitInThread(target)
    if isinstance(target, Mailbox):
        return _WaitForCall(target)
    return _WaitLooking(target)


class _WaitLooking:
    """A queue that cannot be waited on is looked at again and again, ever more seldom."""

    def __init__(self, target: AnyQueue) -> None:
        self._length = _length_of(target)

    async def shorter_than(self, length: int) -> None:
        pause = _LOOK
        while self._length() >= length:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _SELDOM)

    def stop(self) -> None:
        pass


class _WaitForCall:
    """A mailbox calls when it is empty: what is left in it until then keeps the program busy."""

    def __init__(self, target: Mailbox[Any]) -> None:
        self._mailbox = target

    async def shorter_than(self, length: int) -> None:
        loop, emptied = asyncio.get_running_loop(), asyncio.Event()

        def call() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(emptied.set)

        self._mailbox.call_when_room(call)
        await emptied.wait()

    def stop(self) -> None:
        self._mailbox.call_when_room(None)


class _WaitInThread:
    """A thread that waits on the condition of a full queue.Queue and tells the loop of room in it."""

    def __init__(self, target: queue.Queue[Any]) -> None:
        self._queue = target
        self._length = 0
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Event()
        self._wanted = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._watch, name="indipyclient-rxque", daemon=True)

    async def shorter_than(self, length: int) -> None:
        if not self._thread.ident:
            self._thread.start()
        self._room.clear()
        self._length = length
        self._wanted.set()
        await self._room.wait()

    def stop(self) -> None:
        self._stopping = True
        self._wanted.set()
        if self._thread.ident:
            with self._queue.not_full:
                self._queue.not_full.notify_all()
            self._thread.join(1)

    def _watch(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has been closed
            while not self._stopping:
                self._wanted.wait()
                self._wanted.clear()
                with self._queue.not_full:
                    # In slices, because a program may empty the queue behind its back: q.queue.clear()
                    while not (self._stopping or self._queue._qsize() < self._length):
                        self._queue.not_full.wait(0.5)
                self._loop.call_soon_threadsafe(self._room.set)
