"""Commands that wait for their answer, each with its time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Answers"]


class Answers:
    """At most one time limit for each vector: that of the last command to it. For one event loop.

    One timer serves them all, set for the first limit that may pass: nearly all commands are answered long
    before, and a timer for each would cost more than all else that is noted of it.

    Args:
        expired: called with the device and vector names when no answer came in time.
    """

    def __init__(self, expired: Callable[[str, str], None]) -> None:
        self._expired = expired
        self._limits: dict[tuple[str, str], float] = {}  # in the loop's time
        self._timer: asyncio.TimerHandle | None = None

    def expect(self, devicename: str, vectorname: str, seconds: float) -> None:
        """A command was sent; begin its time."""
        loop = asyncio.get_running_loop()
        limit = self._limits[devicename, vectorname] = loop.time() + seconds
        if self._timer is None or self._timer.when() > limit:
            self._set_timer(loop, limit)

    def arrived(self, devicename: str, vectorname: str) -> None:
        """Something came from the vector, so its command is answered."""
        if self._limits:
            self._limits.pop((devicename, vectorname), None)

    def forget(self) -> None:
        """The connection is lost; nothing is expected any more."""
        self._limits.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self, loop: asyncio.AbstractEventLoop, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(when, self._expire, loop)

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        assert self._timer is not None
        now, self._timer = max(loop.time(), self._timer.when()), None
        passed = sorted((limit, names) for names, limit in self._limits.items() if limit <= now)
        for _, names in passed:
            del self._limits[names]
            self._expired(*names)
        if self._limits:
            self._set_timer(loop, min(self._limits.values()))
