"""A `QueClient` in its thread, with queues of any kind, used from the test's thread."""

from __future__ import annotations

import asyncio
import queue
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from indipyclient.bridge import lifecycle
from indipyclient.bridge.queues import AnyQueue
from indipyclient.mailbox import Mailbox
from indipyclient.queclient import EventItem, QueClient
from tests.support.deadline import becomes_true

from .threads import PATIENCE, start

KINDS: dict[str, Callable[[], AnyQueue]] = {
    "Mailbox": Mailbox,
    "queue.Queue": queue.Queue,
    "small queue.Queue": lambda: queue.Queue(maxsize=3),
    "SimpleQueue": queue.SimpleQueue,
    "asyncio.Queue": asyncio.Queue,
    "small asyncio.Queue": lambda: asyncio.Queue(maxsize=3),
    "deque": deque,
}


class Bridged:
    """A context manager whose end is the end of the client's thread."""

    def __init__(
        self, port: int, tx: AnyQueue | None = None, rx: AnyQueue | None = None, **options: Any
    ) -> None:
        self.txque: AnyQueue = queue.Queue() if tx is None else tx
        self.rxque: AnyQueue = queue.Queue() if rx is None else rx
        self.client = QueClient(self.txque, self.rxque, "127.0.0.1", port, **options)
        self.client.timing.reconnect_min = 0.02
        self.loop: asyncio.AbstractEventLoop | None = None
        self.ended = start(lambda: lifecycle.run(self._run))

    def __enter__(self) -> Bridged:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    async def _run(self) -> None:
        self.loop = asyncio.get_running_loop()
        await self.client.asyncrun()

    def close(self) -> None:
        """End the client from outside its queues, whatever state they are in."""
        self.client.shutdown()
        self.ended.result(PATIENCE)

    def put(self, item: Any) -> None:
        """Put an item on txque as its kind wants it."""
        if isinstance(self.txque, deque):
            self.txque.append(item)
        elif isinstance(self.txque, asyncio.Queue):
            self._in_loop(self.txque.put(item))
        else:
            self.txque.put(item)

    def get(self, timeout: float = PATIENCE) -> EventItem:
        """Take the next item from rxque."""
        item: EventItem
        if isinstance(self.rxque, deque):
            assert becomes_true(lambda: bool(self.rxque), timeout), "nothing came"
            item = self.rxque.popleft()
        elif isinstance(self.rxque, asyncio.Queue):
            item = self._in_loop(self.rxque.get())
        else:
            item = self.rxque.get(timeout=timeout)
        return item

    def wait_for(self, eventtype: str, vectorname: str | None = None) -> EventItem:
        """Take items up to the first of a type, and of a vector if one is given."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            item = self.get()
            if item.eventtype == eventtype and vectorname in (None, item.vectorname):
                return item
        raise AssertionError(f"no {eventtype} came")

    def _in_loop(self, coroutine: Any) -> Any:
        assert becomes_true(lambda: self.loop is not None, PATIENCE)
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE)
