"""Waiting for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable


def becomes_true(condition: Callable[[], bool], timeout: float) -> bool:
    """Ask `condition` again and again; say whether it held within `timeout` seconds."""
    deadline, pause = time.monotonic() + timeout, 0.0005
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(2 * pause, 0.01)  # most of what is waited for comes within a few milliseconds
    return True
