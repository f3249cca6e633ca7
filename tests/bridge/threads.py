"""Calling something in another thread, with a limit to how long a test waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

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
