"""The user's queues, of whatever kind, as the two ends of the bridge.

A `Source` brings what the program put on ``txque`` to the client's loop; a `Sink` puts what the
client has to say on ``rxque``. Neither ever makes the loop wait for the program.

| queue                       | commands come by                     | a full one is waited on by |
|-----------------------------|--------------------------------------|----------------------------|
| Mailbox                     | its hook                             | looking again              |
| queue.Queue and subclasses  | a thread waiting on its condition    | a thread, likewise         |
| queue.SimpleQueue           | a thread waiting in get()            | looking again              |
| asyncio.Queue               | a task; the queue is of this loop    | looking again              |
| collections.deque           | looking, often while commands come   | looking again              |

The threads are daemons and end with the client. They hold the queue's own lock only as its own
methods do, and nothing is left behind in the queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from ..errors import MailboxClosed
from ..mailbox import Mailbox
from .backlog import Backlog, EventItem

__all__ = ["AnyQueue", "Sink", "Source", "check_queue", "make_source"]

AnyQueue: TypeAlias = (
    "Mailbox[Any] | queue.Queue[Any] | queue.SimpleQueue[Any] | asyncio.Queue[Any] | deque[Any]"
)

_QUICK, _GENTLE = 0.002, 0.25  # seconds between looks at a deque in use, and at one at rest
_PATIENCE = 1.0  # seconds without a command after which a deque is at rest
_LOOK = 0.05  # seconds between looks at a full queue that cannot be waited on


def check_queue(name: str, candidate: Any) -> None:
    """Raise TypeError, in the caller's thread, if `candidate` is no queue of a kind known here."""
    kinds = (Mailbox, queue.Queue, queue.SimpleQueue, asyncio.Queue, deque)
    if not isinstance(candidate, kinds):
        raise TypeError(
            f"{name} must be a Mailbox, queue.Queue, queue.SimpleQueue, asyncio.Queue or deque,"
            f" not {type(candidate).__name__}"
        )


# -- commands: from the program to the loop ---------------------------------------------------


class Source(Protocol):
    """Brings commands to the client's loop."""

    async def run(self, accept: Callable[[Any], None]) -> None:
        """Call `accept` in the loop with each command, in order, until cancelled."""


def make_source(txque: AnyQueue) -> Source:
    """The source for a queue of any kind."""
    if isinstance(txque, queue.Queue):
        return _ThreadSource(_WaitableGet(txque))
    if isinstance(txque, queue.SimpleQueue):
        return _ThreadSource(_SentinelGet(txque))
    if isinstance(txque, asyncio.Queue):
        return _TaskSource(txque)
    if isinstance(txque, Mailbox):
        return _HookSource(txque)
    return _LookingSource(txque)


class _Get(Protocol):
    """How a thread waits for the next item of a queue, so that it can be told to stop."""

    def next(self) -> list[Any]:
        """A list with the next item, or an empty one after `stop`."""

    def stop(self) -> None:
        """Make `next` return; from any thread."""


class _WaitableGet:
    """On a queue.Queue: waits on the queue's own condition, which `stop` can notify without an item."""

    def __init__(self, source: queue.Queue[Any]) -> None:
        self._queue = source
        self._stopping = False

    def next(self) -> list[Any]:
        source = self._queue
        with source.not_empty:
            source.not_empty.wait_for(lambda: self._stopping or source._qsize())
            if self._stopping:
                return []
            item = source._get()
            source.not_full.notify()
        return [item]

    def stop(self) -> None:
        with self._queue.not_empty:
            self._stopping = True
            self._queue.not_empty.notify_all()


class _SentinelGet:
    """On a SimpleQueue, which has no condition to wait on: an item of our own ends the waiting."""

    def __init__(self, source: queue.SimpleQueue[Any]) -> None:
        self._queue = source
        self._stopping = False

    def next(self) -> list[Any]:
        while (item := self._queue.get()) is _WAKE:
            if self._stopping:
                return []
        return [item]

    def stop(self) -> None:
        self._stopping = True
        self._queue.put(_WAKE)


_WAKE = object()


class _ThreadSource:
    """A thread waits for the queue and hands each item to the loop, which need not be awake."""

    def __init__(self, get: _Get) -> None:
        self._get = get

    async def run(self, accept: Callable[[Any], None]) -> None:
        loop = asyncio.get_running_loop()
        thread = threading.Thread(
            target=self._carry, args=(loop, accept), name="indipyclient-txque", daemon=True
        )
        thread.start()
        try:
            await asyncio.Event().wait()
        finally:
            self._get.stop()
            thread.join(1)

    def _carry(self, loop: asyncio.AbstractEventLoop, accept: Callable[[Any], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has been closed
            while item := self._get.next():
                loop.call_soon_threadsafe(accept, item[0])


class _HookSource:
    """A mailbox calls back when there is something in it. Its closing is the end of the commands."""

    def __init__(self, source: Mailbox[Any]) -> None:
        self._mailbox = source

    async def run(self, accept: Callable[[Any], None]) -> None:
        loop = asyncio.get_running_loop()

        def take() -> None:
            for item in self._mailbox.drain():
                accept(item)
            if self._mailbox.closed:
                accept(None)

        def hook() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(take)

        self._mailbox.set_hook(hook)
        try:
            await asyncio.Event().wait()
        finally:
            self._mailbox.set_hook(None)


class _TaskSource:
    """An asyncio.Queue that belongs to the client's own loop."""

    def __init__(self, source: asyncio.Queue[Any]) -> None:
        self._queue = source

    async def run(self, accept: Callable[[Any], None]) -> None:
        while True:
            accept(await self._queue.get())


class _LookingSource:
    """A bare deque cannot be waited on: looked at often while commands come, seldom at rest."""

    def __init__(self, source: deque[Any]) -> None:
        self._queue = source

    async def run(self, accept: Callable[[Any], None]) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            while self._queue:
                accept(self._queue.popleft())
                last = loop.time()
            busy = loop.time() - last < _PATIENCE
            await asyncio.sleep(_QUICK if busy else _GENTLE)


# -- items: from the loop to the program ------------------------------------------------------


class Sink:
    """Puts items on ``rxque``; what the queue cannot take waits in the backlog, in order.

    Args:
        rxque: the program's queue.
        backlog: where items wait that the queue cannot take.
        limit: most items that are put into a queue without a bound of its own; a program that
            never reads must not use up the memory.
    """

    def __init__(self, rxque: AnyQueue, backlog: Backlog, limit: int) -> None:
        self._queue = rxque
        self._backlog = backlog
        self._limit = limit
        self._waiting = asyncio.Event()  # set while the backlog is not empty
        self._empty = asyncio.Event()  # and the other way round
        self._empty.set()

    def put(self, item: EventItem) -> None:
        """Deliver an item, now or when there is room; from the loop. Never blocks."""
        if self._backlog or not self._offer(item):
            self._backlog.append(item)
            self._waiting.set()
            self._empty.clear()

    async def run(self) -> None:
        """Bring the backlog to the queue as room comes, until cancelled."""
        wait = _RoomWatch(self._queue, self._limit) if isinstance(self._queue, queue.Queue) else _Looking()
        try:
            while True:
                await self._waiting.wait()
                await wait.for_room()
                self.flush()
        finally:
            wait.stop()

    async def emptied(self, timeout: float) -> None:
        """Wait until nothing waits any more, but not longer than `timeout` seconds."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._empty.wait(), timeout)

    def flush(self) -> None:
        """Deliver as much of the backlog as there is room for; from the loop."""
        while self._backlog and self._offer(self._backlog.first()):
            self._backlog.popleft()
        if not self._backlog:
            self._waiting.clear()
            self._empty.set()

    def close(self, cause: BaseException | None) -> None:
        """Nothing more will come: a mailbox tells whoever waits in it, and why."""
        if isinstance(self._queue, Mailbox):
            self._queue.close(None if isinstance(cause, asyncio.CancelledError) else cause)

    def _offer(self, item: EventItem) -> bool:
        """Put an item if there is room."""
        target = self._queue
        if isinstance(target, Mailbox):
            return _offer_mailbox(target, item, self._limit)
        if isinstance(target, deque):
            # A bounded deque is the program's own way to say "the newest only".
            if target.maxlen is None and len(target) >= self._limit:
                return False
            target.append(item)
            return True
        if target.qsize() >= self._limit:
            return False
        try:
            target.put_nowait(item)
        except (queue.Full, asyncio.QueueFull):
            return False
        return True


def _offer_mailbox(target: Mailbox[EventItem], item: EventItem, limit: int) -> bool:
    if target.keep is None and len(target) >= limit:
        return False
    with contextlib.suppress(MailboxClosed):  # the program wants no more
        target.put(item)
    return True


class _Looking:
    """A full queue of a kind that cannot be waited on is looked at again after a while."""

    async def for_room(self) -> None:
        await asyncio.sleep(_LOOK)

    def stop(self) -> None:
        pass


class _RoomWatch:
    """A thread that waits on the condition of a full queue.Queue and tells the loop of room in it."""

    def __init__(self, target: queue.Queue[Any], limit: int) -> None:
        self._queue = target
        self._limit = min(limit, target.maxsize) if target.maxsize > 0 else limit
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Event()
        self._wanted = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._watch, name="indipyclient-rxque", daemon=True)

    async def for_room(self) -> None:
        if not self._thread.ident:
            self._thread.start()
        self._room.clear()
        self._wanted.set()
        await self._room.wait()

    def stop(self) -> None:
        self._stopping = True
        self._wanted.set()
        with self._queue.not_full:
            self._queue.not_full.notify_all()
        if self._thread.ident:
            self._thread.join(1)

    def _watch(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has been closed
            while not self._stopping:
                self._wanted.wait()
                self._wanted.clear()
                with self._queue.not_full:
                    # In slices, because a program may empty the queue behind its back: q.queue.clear()
                    while not (self._stopping or self._queue._qsize() < self._limit):
                        self._queue.not_full.wait(0.5)
                self._loop.call_soon_threadsafe(self._room.set)
