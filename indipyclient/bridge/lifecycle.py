"""Clients in threads end with their program, however it ends.

Python waits for threads that are not daemons before it runs its exit handlers, and stops daemons in
the middle of whatever they do. So a client in a thread does two things while it runs: it looks
once in a while whether the main thread has ended, for the first kind, and an exit handler ends it and
waits for it, for the second kind. After a fork the child has no such threads and forgets them.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

__all__ = ["ends_with_program", "in_client_thread", "main_thread_ended", "run"]

_LOOK = 0.5  # seconds between looks at the main thread
_PATIENCE = 1.5  # seconds that the exit handler waits for all clients

_running: dict[threading.Event, Callable[[], None]] = {}
_threads: dict[threading.Event, int] = {}  # in which each of them runs


@contextlib.contextmanager
def ends_with_program(shutdown: Callable[[], None]) -> Iterator[None]:
    """While this holds, the exit of the interpreter calls `shutdown` and waits for the end of this."""
    done = threading.Event()
    _running[done] = shutdown
    _threads[done] = threading.get_ident()
    try:
        yield
    finally:
        _running.pop(done, None)
        _threads.pop(done, None)
        done.set()


def in_client_thread() -> bool:
    """Whether this is the thread of a client that runs: waiting here for what it brings would be for ever."""
    return threading.get_ident() in list(_threads.values())


async def main_thread_ended() -> None:
    """Wait until the main thread has ended; for ever if this is the main thread."""
    main = threading.main_thread()
    if threading.current_thread() is main:
        await asyncio.Event().wait()
    while main.is_alive():  # noqa: ASYNC110 - the end of a thread wakes no loop
        await asyncio.sleep(_LOOK)


def run(client_run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a client's `asyncrun` in a new event loop in this thread.

    Unlike asyncio.run this starts no thread at the end, which Python 3.12 and newer refuse while
    the interpreter exits, and waits for none.
    """
    loop = asyncio.new_event_loop()
    try:
        asyncio.set_event_loop(loop)
        running = loop.create_task(client_run())
        try:
            loop.run_until_complete(running)
        finally:
            # What breaks the loop itself, Ctrl-C for instance, leaves the client in the middle.
            if not running.done():
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    loop.run_until_complete(running)
    finally:
        asyncio.set_event_loop(None)
        loop.close()


@atexit.register
def _end_all() -> None:
    waiting = list(_running.items())
    for _, shutdown in waiting:
        shutdown()
    deadline = time.monotonic() + _PATIENCE
    for done, _ in waiting:
        done.wait(max(0.0, deadline - time.monotonic()))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_running.clear)
    os.register_at_fork(after_in_child=_threads.clear)
