"""Commands that wait for their answer, each with its time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Answers"]


class Answers:
    """At most one time limit for each vector: that of the last command to it. For one event loop.

    Args:
        expired: called with the device and vector names when no answer came in time.
    """

    def __init__(self, expired: Callable[[str, str], None]) -> None:
        self._expired = expired
        self._timers: dict[tuple[str, str], asyncio.TimerHandle] = {}

    def expect(self, devicename: str, vectorname: str, seconds: float) -> None:
        """A command was sent; begin its time."""
        self.arrived(devicename, vectorname)
        loop = asyncio.get_running_loop()
        self._timers[devicename, vectorname] = loop.call_later(seconds, self._expire, devicename, vectorname)

    def arrived(self, devicename: str, vectorname: str) -> None:
        """Something came from the vector, so its command is answered."""
        if self._timers and (timer := self._timers.pop((devicename, vectorname), None)):
            timer.cancel()

    def forget(self) -> None:
        """The connection is lost; nothing is expected any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _expire(self, devicename: str, vectorname: str) -> None:
        del self._timers[devicename, vectorname]
        self._expired(devicename, vectorname)
