"""The future of a command: `concurrent.futures.Future`, with what a client in a thread must add.

* Waiting in a client's own thread raises `WouldDeadlock`; nobody else would bring the result.
* ``await`` works in any loop. Giving up the waiting, by cancelling or a time limit, leaves the future alone.
* Callbacks run in the client's callback thread, so one that takes its time holds up nothing else.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import threading
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from ..bridge.lifecycle import in_client_thread
from ..bridge.slices import slices
from ..errors import ClientClosed, WaitTimeout, WouldDeadlock
from .callbacks import Callbacks

__all__ = ["Outcome"]

T = TypeVar("T")


class Outcome(concurrent.futures.Future[T]):
    """What becomes of a command, or the frame that is expected. Any thread may use it.

    `cancel` gives up the result; what was sent is not taken back.

    Args:
        what: what this is the outcome of, for messages.
        callbacks: where callbacks run.
    """

    def __init__(self, what: str, callbacks: Callbacks) -> None:
        super().__init__()
        self._what = what
        self._callbacks = callbacks
        self._pid = os.getpid()
        self._first_cancel = threading.Lock()

    def __repr__(self) -> str:
        how = "pending"
        if self.cancelled():
            how = "cancelled"
        elif self.done():
            error = super().exception(0)
            how = "done" if error is None else f"failed: {error!r}"
        return f"<Outcome of {self._what}, {how}>"

    def result(self, timeout: float | None = None) -> T:
        """The result, as soon as there is one. Ctrl-C interrupts the waiting, and only that.

        Args:
            timeout: seconds to wait at most; None for as long as it takes.

        Raises:
            WaitTimeout: there is none yet; the command goes on.
            WouldDeadlock: it would have to wait, and this is a client's own thread.
            Exception: whatever the command ended with.
        """
        self._wait(timeout)
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """The error it ended with, or None; waits and raises as `result`."""
        self._wait(timeout)
        return super().exception(0)

    def _wait(self, timeout: float | None) -> None:
        if self.done():
            return
        if in_client_thread():
            raise WouldDeadlock("a client's own thread cannot wait for what that client brings")
        if os.getpid() != self._pid:
            raise ClientClosed(f"the outcome of {self._what} comes to the process this one was forked from")
        for seconds in slices(timeout):
            with contextlib.suppress(concurrent.futures.TimeoutError):
                super().exception(seconds)
                return
        if not self.done():
            raise WaitTimeout(f"no outcome of {self._what} within {timeout:g} s; it may still come")

    def cancel(self) -> bool:
        """Give it up, if it is not done. What was commanded is not taken back."""
        cancelled = super().cancel()
        if cancelled and self._first_cancel.acquire(blocking=False):
            self.set_running_or_notify_cancel()
        return cancelled

    def add_done_callback(self, fn: Callable[[concurrent.futures.Future[T]], object]) -> None:
        """Have `fn(future)` called in the callback thread once it is done; at once if it is already."""

        def call(done: concurrent.futures.Future[T]) -> None:
            if in_client_thread():
                self._callbacks.call(fn, done)
            else:
                fn(done)

        self._callbacks.begin()
        super().add_done_callback(call)

    def __await__(self) -> Generator[Any, None, T]:
        """The result, in any asyncio loop, without blocking it."""
        if not self.done():
            loop = asyncio.get_running_loop()
            waiter: asyncio.Future[None] = loop.create_future()

            def release() -> None:
                if not waiter.done():
                    waiter.set_result(None)

            def wake(done: object) -> None:
                with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits any more
                    loop.call_soon_threadsafe(release)

            super().add_done_callback(wake)
            yield from waiter
        return super().result(0)

    def settle(self, result: T) -> None:
        """For the client: this is the result, unless it was cancelled."""
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            self.set_result(result)

    def fail(self, error: BaseException) -> None:
        """For the client: it ends with this error, unless it was cancelled or is done."""
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            self.set_exception(error)
