"""What this package promises to reach, in terms of the rows that are measured, and what limits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from results import Results, Row
from works import OURS, RECEIVING

__all__ = ["BUDGETS", "Budget"]


@dataclass(frozen=True)
class Budget:
    """One promise.

    Fields:
        what: for people.
        row: work, case and figure of the row that shows it.
        must: what is promised, for people.
        reached: whether a row, of some results, keeps it; a figure that it needs may be missing, then not.
        limits: what keeps it from being better.
        shown: what of the row is shown as ours, if it is not the figure itself.
    """

    what: str
    row: tuple[str, str, str]
    must: str
    reached: Callable[[Row, Results], bool]
    limits: str
    shown: Callable[[Row, Results], float | None] | None = None


def at_most(limit: float) -> Callable[[Row, Results], bool]:
    """Ours is at most this."""
    return lambda row, _: (ours := row.medians[OURS]) is not None and ours <= limit


def at_least(limit: float) -> Callable[[Row, Results], bool]:
    """Ours is at least this."""
    return lambda row, _: (row.medians[OURS] or 0) >= limit


def times_better(times: float) -> Callable[[Row, Results], bool]:
    """Ours is so many times better than 0.9.4."""
    return lambda row, _: (row.ratio or 0) >= times


def _growth(row: Row, results: Results) -> float | None:
    """How many times as much as at the smallest size."""
    smallest = results.find("snapshots", "10 known", row.what)
    ours, least = row.medians[OURS], smallest.medians[OURS] if smallest else None
    return ours / least if ours and least else None


def _beyond_receiving(row: Row, results: Results) -> bool:
    ours, alone = row.medians[OURS], row.medians[RECEIVING]
    return ours is not None and alone is not None and ours - alone < 1


_WAKE_UP = "Four wake-ups of threads and processes, one of them the server's."

BUDGETS = [
    Budget(
        "updates of four numbers applied per s, 1000 properties known",
        ("events", "4 members, 1000 known", "events per s"),
        "3 x 0.9.4",
        times_better(3),
        "The interpreter: reading, checking and telling an update is some 100 function calls.",
    ),
    *(
        Budget(
            f"snapshots delivered per s, {size} properties known",
            ("snapshots", f"{size} known", "snapshots per s"),
            "20 000",
            at_least(20_000),
            "As for updates, and two threads that take turns in the interpreter.",
        )
        for size in (10, 1000, 5000)
    ),
    Budget(
        "growth of the processor time of one, from 10 to 5000 properties",
        ("snapshots", "5000 known", "processor us per snapshot"),
        "under 1.5 x",
        lambda row, results: (_growth(row, results) or 2) < 1.5,
        "The processor's cache, as each update touches another property, and Python's garbage collector.",
        _growth,
    ),
    *(
        Budget(
            f"command to answer, {kind}, median in ms",
            ("round_trip", kind, "median ms"),
            f"under {limit}",
            at_most(limit),
            limits,
        )
        for kind, limit, limits in (
            ("queue.Queue", 1, _WAKE_UP),
            ("SimpleQueue", 1, _WAKE_UP),
            ("asyncio.Queue", 1, "One thread and the server's process."),
            ("Mailbox", 1, _WAKE_UP),
            ("deque", 4, "A bare deque cannot be waited on: it is looked at every millisecond."),
        )
    ),
    Budget(
        "wake-ups per s at rest",
        ("idle", "queue.Queue", "wake-ups per s"),
        "under 3",
        at_most(3),
        "The look at whether the program's main thread has ended, twice a second.",
    ),
    *(
        Budget(
            f"{size} MiB BLOBs over TCP, payload in MB per s",
            ("blobs", f"{size} MiB", "MB per s"),
            "4 x 0.9.4",
            times_better(4),
            "The kernel's copying and decoding, each about half of the client's processor time, and the "
            "server.",
        )
        for size in (16, 64)
    ),
    Budget(
        "longest stop of another thread while 64 MiB BLOBs arrive, in ms",
        ("blobs", "64 MiB", "longest stop ms"),
        "under 15",
        at_most(15),
        "The interpreter's switch interval (5 ms), and whoever else needs the two cores.",
    ),
    Budget(
        "memory while a 64 MiB BLOB is received, in payloads",
        ("blobs", "64 MiB", "payloads of memory"),
        "1 and a little",
        at_most(1.15),
        "The payload itself.",
    ),
    Budget(
        "64 MiB BLOB over the Unix socket, from the driver to the program, in ms",
        ("shared", "64 MiB, Unix socket", "ms from driver to program"),
        "under 1 beyond the server",
        _beyond_receiving,
        "Wake-ups; no byte of the frame is touched.",
    ),
    Budget(
        "end of stream seen, in s",
        ("end_of_stream", "closed", "s until it is seen"),
        "at once",
        at_most(0.1),
        "Nothing.",
    ),
]
