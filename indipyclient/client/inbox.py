"""The one line in which everything waits that the client has to tell its program, in order.

The transport's messages, time-outs and the client's own notices all go through it, so the state
changes in one place and `rxevent` is never entered twice at a time. It belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

__all__ = ["Inbox"]

T = TypeVar("T")


class Inbox(Generic[T]):
    """A queue without a bound whose consumer takes all there is at once."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._waiting = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Add an item; from the loop's thread."""
        self._items.append(item)
        self._waiting.set()

    def put_all(self, items: Iterable[T]) -> None:
        """Add items; from the loop's thread."""
        self._items.extend(items)
        self._waiting.set()

    def drop(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Take out the items for which `unwanted` holds, and return them; from the loop's thread."""
        dropped = [item for item in self._items if unwanted(item)]
        if dropped:
            self._items = deque(item for item in self._items if not unwanted(item))
        return dropped

    async def get(self) -> T:
        """The oldest item, as soon as there is one."""
        while not self._items:
            self._waiting.clear()
            await self._waiting.wait()
        return self._items.popleft()
