"""A queue client in a thread, and how a program uses it; queues of every kind, the process's memory."""

from __future__ import annotations

import asyncio
import collections
import gc
import queue
import threading
import time
from pathlib import Path
from typing import Any

from arguments import Arguments

from indipyclient.queclient import QueClient

__all__ = ["LONG", "Session", "make_queue", "memory", "peak_memory", "reset_peak_memory"]

LONG = 120.0  # seconds after which a measurement is given up


def make_queue(kind: str) -> Any:
    """A queue by the name of its class."""
    if kind == "Mailbox":
        from indipyclient.mailbox import Mailbox

        return Mailbox()
    return {"queue.Queue": queue.Queue, "SimpleQueue": queue.SimpleQueue, "deque": collections.deque}[kind]()


class Session:
    """A queue client in a thread; its end is the end of that."""

    def __init__(self, arguments: Arguments, txque: Any = None, rxque: Any = None) -> None:
        self.txque = queue.Queue() if txque is None else txque
        self.rxque = queue.Queue() if rxque is None else rxque
        client = QueClient(self.txque, self.rxque, arguments["host"], arguments["port"])
        self._thread = threading.Thread(target=lambda: asyncio.run(client.asyncrun()), daemon=True)
        self._thread.start()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: object) -> None:
        self.put(None)
        self._thread.join(10)

    def get(self) -> Any:
        """The next item."""
        if not isinstance(self.rxque, collections.deque):
            return self.rxque.get(timeout=LONG)
        while not self.rxque:
            time.sleep(0.0002)
        return self.rxque.popleft()

    def until(self, eventtype: str, vectorname: str | None = None) -> Any:
        """The next item of a type, and of a vector if one is given."""
        while True:
            item = self.get()
            if item.eventtype == eventtype and vectorname in (None, item.vectorname):
                return item

    def put(self, item: Any) -> None:
        """A command."""
        (self.txque.append if isinstance(self.txque, collections.deque) else self.txque.put)(item)

    def switch_on(self, member: str) -> None:
        """Have the measuring server do something."""
        self.put(("Bench", "CONTROL", {member: "On"}))

    def ready(self) -> None:
        """Wait until all is defined."""
        self.until("DefineBLOB")


def memory() -> int:
    """Bytes of memory in use by this process (Linux)."""
    gc.collect()
    return _status("VmRSS")


def peak_memory() -> int:
    """The most since it was reset."""
    return _status("VmHWM")


def reset_peak_memory() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
