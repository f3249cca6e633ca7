"""Watching any INDI server: what it says is printed, nothing is sent to its instruments."""

from __future__ import annotations

import math
import time

from rich.console import Console

from .client import ClientThread, DemoError
from .report import Reporter

__all__ = ["connect", "watch"]

_PATIENCE = 5.0  # seconds for a server to be there


def watch(console: Console, host: str, port: int, seconds: float | None = None) -> None:
    """Print what changes until `seconds` have passed; without them until Ctrl-C.

    A connection that is lost is shown, and so is its return. Raises DemoError if there is no
    server at first.
    """
    begun = time.monotonic()
    deadline = math.inf if seconds is None else begun + seconds
    reporter = Reporter(console)
    with ClientThread(host, port) as client:
        connect(client, reporter, min(deadline, begun + _PATIENCE))
        while (item := client.next(deadline)) is not None:
            reporter.show(item)


def connect(client: ClientThread, reporter: Reporter, deadline: float) -> None:
    """Wait for the connection. Raises DemoError if there is none in time."""
    while (item := client.next(deadline)) is not None:
        reporter.show(item)
        if item.eventtype == "ConnectionMade":
            return
    raise DemoError(f"no INDI server at {client.host}:{client.port}")
