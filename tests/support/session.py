"""A `QueClient` in its thread, used as a synchronous program uses it: through its two queues only."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from indipyclient.queclient import QueClient

STOP_SECONDS = 5.0

Item = Any  # an EventItem
Snap = Any


class _Seen(NamedTuple):
    """A line of the account of what was seen: the newest of some items that read the same."""

    seconds: float
    text: str
    times: int

    def __str__(self) -> str:
        return f"{self.seconds:7.2f} s  {self.text}" + (f"  ({self.times} times)" if self.times > 1 else "")


class QueueSession:
    """A client of the server on a loopback port; a context manager whose end is the end of the thread."""

    def __init__(self, port: int, **attributes: Any) -> None:
        """`attributes` are set on the client before it runs."""
        self.txque: queue.Queue[Any] = queue.Queue()
        self.rxque: queue.Queue[Item] = queue.Queue()
        self.client = QueClient(self.txque, self.rxque, "127.0.0.1", port)
        for name, value in attributes.items():
            setattr(self.client, name, value)
        self.snap: Snap = None
        self._seen: deque[_Seen] = deque(maxlen=40)
        self._started = time.monotonic()
        # a daemon, so that a client that never ends fails its test and not the whole run
        self._thread = threading.Thread(target=self._run, name="QueueSession", daemon=True)
        self._thread.start()

    def __enter__(self) -> QueueSession:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def send(self, device: str | None, vector: str | None, members: Mapping[str, Any] | str) -> None:
        """Put a command on txque."""
        self.txque.put((device, vector, members))

    def wait(self, predicate: Callable[[Item], bool], timeout: float = 10) -> Item:
        """Take items from rxque, and return the first one for which `predicate` holds."""
        deadline = time.monotonic() + timeout
        while True:
            item = self._next(deadline)
            if item is None:
                raise AssertionError(self._account(f"no such item within {timeout} s"))
            if _holds(predicate, item):
                return item

    def wait_event(self, eventtype: str, device: str | None, vector: str | None, timeout: float = 10) -> Item:
        """Return the next item of this type for this device and vector."""
        return self.wait(lambda item: item[:3] == (eventtype, device, vector), timeout)

    def wait_until(self, predicate: Callable[[Snap], bool], timeout: float = 10) -> Snap:
        """Return the first snapshot for which `predicate` holds, beginning with the newest that has come."""
        if not _holds(predicate, self.snap):
            self.wait(lambda item: _holds(predicate, self.snap), timeout)
        return self.snap

    def command(self, device: str, vector: str, members: Mapping[str, Any], timeout: float = 10) -> Item:
        """Send new values once the vector is there, and return the item in which the device answers Ok.

        The item "State" says that the command has been sent: what comes after it is newer than the command.
        """
        self.wait_until(lambda snap: snap[device][vector].enable, timeout)
        self.send(device, vector, members)
        self.wait_event("State", device, vector, timeout)

        def answers(item: Item) -> bool:
            return bool(item[:3] == ("Set", device, vector) and item.snapshot[device][vector].state == "Ok")

        return self.wait(answers, timeout)

    def close(self) -> None:
        """Ask the client to end, and fail if its thread does not."""
        self.txque.put(None)
        self._thread.join(STOP_SECONDS)
        assert not self._thread.is_alive(), self._account(f"the thread runs {STOP_SECONDS} s after None")

    def _run(self) -> None:
        asyncio.run(self.client.asyncrun())

    def _next(self, deadline: float) -> Item | None:
        try:
            item = self.rxque.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None
        if item.snapshot is not None and hasattr(item.snapshot, "connected"):
            self.snap = item.snapshot
        self._note(item)
        return item

    def _note(self, item: Item) -> None:
        """Add an item to the account of what was seen; what is the same again is counted."""
        text = _describe(item)
        times = self._seen.pop().times + 1 if self._seen and self._seen[-1].text == text else 1
        self._seen.append(_Seen(time.monotonic() - self._started, text, times))

    def _account(self, what: str) -> str:
        ended = "" if self._thread.is_alive() else ", and the client's thread has ended"
        return "\n".join([f"{what}{ended}; the last of what was seen:", *map(str, self._seen)])


def _holds(predicate: Callable[[Any], bool], subject: Any) -> bool:
    """Say whether the predicate holds; what is not defined yet does not."""
    try:
        return subject is not None and predicate(subject)
    except KeyError:
        return False


def _describe(item: Item) -> str:
    if item.eventtype == "Define":
        # there are hundreds
        return f"Define {item.devicename}"
    about = "/".join(filter(None, (item.devicename, item.vectorname)))
    return f"{item.eventtype} {about} {_detail(item)}".rstrip()


def _detail(item: Item) -> str:
    """Return the message of a message, and the state of anything about a vector."""
    snap = item.snapshot
    if item.eventtype == "Message":
        messages = snap[item.devicename].messages if item.devicename in snap else snap.messages
        return messages[0][1] if messages else ""
    device = snap.get(item.devicename, {})
    return device[item.vectorname].state if item.vectorname in device else ""
