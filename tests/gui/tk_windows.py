"""Tkinter windows for tests are given their turns by the test itself."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 30.0  # seconds for anything that should happen, on a busy machine too


def lives_until(root: Any, condition: Callable[[], Any], timeout: float = PATIENCE) -> bool:
    """Let a window live until the condition holds; whether it did in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        root.update()
        time.sleep(0.002)
    return True


def run_mainloop(root: Any) -> None:
    """As ``root.mainloop()``, but not for ever: in there no time limit of the test would end it."""
    too_long = root.after(round(1000 * PATIENCE), root.quit)
    root.mainloop()
    with contextlib.suppress(Exception):  # the window has been destroyed meanwhile
        root.after_cancel(too_long)
