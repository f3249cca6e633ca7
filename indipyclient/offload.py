"""Work that takes long, beside the event loop, in a thread that no exit of the program waits for.

The loop's own executor is not used for it: Python joins its threads at exit, and a name server or a
disk may hang for longer than a program wants to live.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["offload"]

T = TypeVar("T")


async def offload(name: str, function: Callable[[], T]) -> T:
    """Call a function in a daemon thread and wait for what it returns or raises.

    Args:
        name: of the thread, after ``indipyclient-``.
        function: what to call; if the waiting is cancelled it goes on, and nobody hears of it.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def tell(value: T | None, error: Exception | None) -> None:
        if not result.done():
            result.set_exception(error) if error else result.set_result(value)  # type: ignore[arg-type]

    def work() -> None:
        value, failure = None, None
        try:
            value = function()
        except Exception as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop has been closed
            loop.call_soon_threadsafe(tell, value, failure)

    threading.Thread(target=work, name=f"indipyclient-{name}", daemon=True).start()
    return await result
