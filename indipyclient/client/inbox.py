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
    """A queue without a bound, whose one consumer takes the oldest of `items` and waits if there are none.

    Attributes:
        items: what waits; to be taken from at the left.
    """

    def __init__(self) -> None:
        self.items: deque[T] = deque()
        self._waiting = asyncio.Event()

    def __len__(self) -> int:
        return len(self.items)

    def put(self, item: T) -> None:
        """Add an item; from the loop's thread."""
        self.items.append(item)
        self._waiting.set()

    def put_all(self, items: Iterable[T]) -> None:
        """Add items; from the loop's thread."""
        self.items.extend(items)
        self._waiting.set()

    def drop(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Take out the items for which `unwanted` holds, and return them; from the loop's thread."""
        dropped = [item for item in self.items if unwanted(item)]
        if dropped:
            kept = [item for item in self.items if not unwanted(item)]
            self.items.clear()
            self.items.extend(kept)
        return dropped

    async def filled(self) -> None:
        """Wait until there is an item."""
        while not self.items:
            self._waiting.clear()
            await self._waiting.wait()
