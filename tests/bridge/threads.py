"""Calling something in another thread, with a limit to how long a test waits for it."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from indipyclient.errors import ConcurrentUse
from indipyclient.mailbox import Mailbox
from tests.support.deadline import becomes_true

PATIENCE = 20.0  # seconds for anything that should happen, on a busy machine too

T = TypeVar("T")


def start(function: Callable[[], T]) -> Future[T]:
    """Call a function in a new thread; its result or exception comes in the future."""
    result: Future[T] = Future()

    def work() -> None:
        try:
            result.set_result(function())
        except BaseException as error:
            result.set_exception(error)

    # a daemon, so that one that hangs fails its test and not the whole run
    threading.Thread(target=work, name="tests.bridge", daemon=True).start()
    return result


def elsewhere(function: Callable[[], T]) -> T:
    """Call a function in another thread, and return or raise what it does, soon."""
    return start(function).result(PATIENCE)


def someone_waits(box: Mailbox[T]) -> bool:
    """Whether a consumer waits in an empty mailbox, seen from outside: another one is refused."""
    try:
        assert box.drain() == []
    except ConcurrentUse:
        return True
    return False


def start_waiting(box: Mailbox[T], function: Callable[[], object]) -> Future[object]:
    """Call a function in a new thread, and return once it waits in the empty mailbox."""
    result = start(function)
    assert becomes_true(lambda: someone_waits(box), PATIENCE)
    return result


@contextmanager
def held_up(box: Mailbox[Any], cause: Callable[[], object]) -> Iterator[None]:
    """A client's thread is held up, by a hook, which must not block but does.

    Args:
        box: in which the client puts something.
        cause: makes it do so.
    """
    stuck, release, goes_on = threading.Event(), threading.Event(), threading.Event()

    def block() -> None:
        stuck.set()
        release.wait(PATIENCE)
        goes_on.set()

    box.set_hook(block)
    cause()
    assert stuck.wait(PATIENCE)
    try:
        yield
        assert not goes_on.is_set()
    finally:
        box.set_hook(None)
        release.set()


class Killed(Exception):
    """Injected into a thread."""


def kill(thread: int) -> None:
    """Have `Killed` raised in the thread of a loop, at its next step, once the loop has nothing to do.

    While it reads or writes, asyncio takes the exception for a fault of the connection.
    """
    looks: list[tuple[str, int]] = []

    def rests() -> bool:
        frame = sys._current_frames()[thread]
        looks.append((frame.f_code.co_name, frame.f_lasti))
        return looks[-1][0] in ("select", "_poll") and looks[-8:] == 8 * looks[-1:]

    assert becomes_true(rests, PATIENCE)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Killed))


class Dying:
    """Calls something when it is collected as garbage; it takes the collector, as it is a cycle."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call, self._me = call, self

    def __del__(self) -> None:
        self._call()
