"""Waiting that Ctrl-C can interrupt, on every system."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator

__all__ = ["SLICE", "slices"]

# On Windows before Python 3.14 a wait for a lock cannot be interrupted by Ctrl-C, so it goes in slices.
SLICE = 0.2 if sys.platform == "win32" and sys.version_info < (3, 14) else threading.TIMEOUT_MAX


def slices(timeout: float | None) -> Iterator[float]:
    """The seconds to wait for next, again and again until `timeout` seconds have passed.

    Args:
        timeout: seconds; None for no end.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        left = SLICE if deadline is None else deadline - time.monotonic()
        if left <= 0:
            return
        yield min(left, SLICE)
