"""The user's queues, of whatever kind: which there are, and what is told apart of them.

A `Source` brings what the program put on ``txque`` to the client's loop (see `sources`); a `Sink` puts
what the client has to say on ``rxque`` (see `sink`). Neither ever makes the loop wait for the program.

| queue                       | commands come by                     | a full one is waited on by |
|-----------------------------|--------------------------------------|----------------------------|
| Mailbox                     | its hook                             | its call when emptied      |
| queue.Queue and subclasses  | a thread waiting on its condition    | a thread, likewise         |
| queue.SimpleQueue           | a thread waiting in get()            | looking again              |
| asyncio.Queue               | a task; the queue is of this loop    | a task in put()            |
| collections.deque           | looking, often while commands come   | looking again              |

The threads are daemons and end with the client. They hold the queue's own lock only as its own
methods do, and nothing is left behind in the queue.
"""

from __future__ import annotations

import asyncio
import queue
from collections import deque
from typing import Any, TypeAlias

from ..mailbox import Mailbox

__all__ = ["SHUT_DOWN", "AnyQueue", "check_queue"]

AnyQueue: TypeAlias = (
    "Mailbox[Any] | queue.Queue[Any] | queue.SimpleQueue[Any] | asyncio.Queue[Any] | deque[Any]"
)

# What a queue raises that the program has shut down; from Python 3.13 on.
SHUT_DOWN: tuple[type[Exception], ...] = tuple(
    getattr(module, name)
    for module, name in ((queue, "ShutDown"), (asyncio, "QueueShutDown"))
    if hasattr(module, name)
)


def check_queue(name: str, candidate: Any) -> None:
    """Raise TypeError, in the caller's thread, if `candidate` is no queue of a kind known here."""
    kinds = (Mailbox, queue.Queue, queue.SimpleQueue, asyncio.Queue, deque)
    if not isinstance(candidate, kinds):
        raise TypeError(
            f"{name} must be a Mailbox, queue.Queue, queue.SimpleQueue, asyncio.Queue or deque,"
            f" not {type(candidate).__name__}"
        )
    # A subclass may bring an order of its own.
    if name == "rxque" and type(candidate) in (queue.PriorityQueue, asyncio.PriorityQueue):
        raise TypeError("rxque cannot be a PriorityQueue: its items cannot be compared with each other")
