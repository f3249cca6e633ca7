"""Commands: from the program's ``txque``, of whatever kind, to the client's loop."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from ..mailbox import Mailbox
from .queues import SHUT_DOWN, AnyQueue

__all__ = ["Source", "make_source"]

_QUICK, _GENTLE = 0.001, 0.25  # seconds between looks at a deque in use, and at one at rest
_AT_ONCE = 100  # most items that are taken from a queue in one go
_PATIENCE = 1.0  # seconds without a command after which a deque is at rest


class Source(Protocol):
    """Brings commands to the client's loop."""

    async def run(self, accept: Callable[[Any], None]) -> None:
        """Call `accept` in the loop with each command, in order, until cancelled.

        Returns when the program has closed the queue, and nothing is left in it.
        """


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
        """Wait for an item, and return all that wait, up to `_AT_ONCE`; none after `stop` or a shutdown."""

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
            source.not_empty.wait_for(
                lambda: self._stopping or source._qsize() or getattr(source, "is_shutdown", False)
            )
            if self._stopping:
                return []
            items = [source._get() for _ in range(min(source._qsize(), _AT_ONCE))]
            source.not_full.notify(len(items))
        return items

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
        items = [self._queue.get()]
        with contextlib.suppress(queue.Empty):
            while items[-1] is not _WAKE and len(items) < _AT_ONCE:
                items.append(self._queue.get_nowait())
        if items[-1] is not _WAKE:
            return items
        items.pop()
        return [] if self._stopping else items or self.next()

    def stop(self) -> None:
        self._stopping = True
        self._queue.put(_WAKE)


_WAKE = object()


class _ThreadSource:
    """A thread waits for the queue and hands its items to the loop, which it wakes if it need be.

    Of a burst of commands many go over at once: a wake-up takes as long as a command.
    """

    def __init__(self, get: _Get) -> None:
        self._get = get
        self._taken: deque[Any] = deque()  # on their way to the loop

    async def run(self, accept: Callable[[Any], None]) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        thread = threading.Thread(
            target=self._carry, args=(loop, accept, ended.set), name="indipyclient-txque", daemon=True
        )
        thread.start()
        try:
            await ended.wait()
        finally:
            self._get.stop()
            thread.join(1)

    def _carry(
        self, loop: asyncio.AbstractEventLoop, accept: Callable[[Any], None], end: Callable[[], None]
    ) -> None:
        taken = self._taken

        def hand_over() -> None:
            while taken:
                accept(taken.popleft())

        with contextlib.suppress(RuntimeError):  # the loop has been closed
            while items := self._get.next():
                count = len(items)
                taken.extend(items)
                del items  # what the program put must not be held until it puts something else
                if len(taken) <= count:  # else what was there before has the loop come, or keeps it at it
                    loop.call_soon_threadsafe(hand_over)
            loop.call_soon_threadsafe(end)


class _HookSource:
    """A mailbox calls back when there is something in it. Its closing is the end of the commands."""

    def __init__(self, source: Mailbox[Any]) -> None:
        self._mailbox = source

    async def run(self, accept: Callable[[Any], None]) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def take() -> None:
            for item in self._mailbox.drain():
                accept(item)
            if self._mailbox.closed:
                ended.set()

        def hook() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(take)

        self._mailbox.set_hook(hook)
        try:
            await ended.wait()
        finally:
            self._mailbox.set_hook(None)


class _TaskSource:
    """An asyncio.Queue that belongs to the client's own loop."""

    def __init__(self, source: asyncio.Queue[Any]) -> None:
        self._queue = source

    async def run(self, accept: Callable[[Any], None]) -> None:
        with contextlib.suppress(*SHUT_DOWN):
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
            with contextlib.suppress(IndexError):  # it is empty, or the program has just cleared it
                while self._queue:
                    accept(self._queue.popleft())
                    last = loop.time()
            busy = loop.time() - last < _PATIENCE
            await asyncio.sleep(_QUICK if busy else _GENTLE)
