"""The demo's side of the bridge: a QueClient in a thread, and the two queues to it.

Threads: "demo-client" runs the client's loop; every method here is for the one thread that made it.
"""

from __future__ import annotations

import queue
import time
from threading import Thread
from types import TracebackType
from typing import Any

from ..queclient import EventItem, runqueclient

__all__ = ["ClientThread", "DemoError"]

_SLICE = 0.5  # seconds; some systems see Ctrl-C only between two waits
_LAST_WAIT = 3.0  # seconds for the client to close its connection


class DemoError(Exception):
    """Why the demo cannot go on, as one line for the person who started it."""


class ClientThread:
    """Runs a client of one server for the length of a `with` block."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._txque: queue.Queue[Any] = queue.Queue()
        self._rxque: queue.Queue[EventItem | None] = queue.Queue()
        self._failure: BaseException | None = None
        self._thread = Thread(target=self._run, name="demo-client", daemon=True)

    def __enter__(self) -> ClientThread:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._txque.put(None)
        self._thread.join(_LAST_WAIT)

    def send(self, device: str, vector: str, value: Any) -> None:
        """Put a command on `txque`: new values of members, or what is wanted of BLOBs."""
        self._txque.put((device, vector, value))

    def next(self, deadline: float) -> EventItem | None:
        """The next item of `rxque`; None when `deadline`, a monotonic time, comes first.

        Raises DemoError if the client has ended.
        """
        while True:
            left = deadline - time.monotonic()
            try:
                item = self._rxque.get(timeout=max(0.0, min(left, _SLICE)))
            except queue.Empty:
                if left <= 0:
                    return None
            else:
                if item is None:
                    raise DemoError(f"the client has ended: {self._failure or 'it was told to'}")
                return item

    def _run(self) -> None:
        try:
            runqueclient(self._txque, self._rxque, self.host, self.port)
        except BaseException as error:
            self._failure = error
        finally:
            self._rxque.put(None)
