"""What is measured: for each work the function (see `measurements`), its arguments, and who does it."""

from __future__ import annotations

from dataclasses import dataclass, field

from arguments import Arguments
from traffic import recorded

__all__ = ["ALL", "COLOURS", "CPP", "OLD", "OURS", "PEERS", "RECEIVING", "WORKS", "Work"]

OURS, OLD, CPP, RECEIVING = "ours", "0.9.4", "C++", "receiving alone"
PEERS = (OURS, OLD, CPP, RECEIVING)
COLOURS = {OURS: "#0b6e4f", OLD: "#c1440e", CPP: "#3066be", RECEIVING: "#888888"}
ALL = frozenset({OURS, OLD, CPP})
PYTHON = frozenset({OURS, OLD})
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Work:
    """One row of the table, or some that are measured together.

    Fields:
        name: the function.
        case: what tells it from others of that function, for people.
        arguments: for server and client.
        peers: who does it.
        less: arguments that are others for 0.9.4, which would take minutes.
        once: whether one round is enough.
        quick: whether it is among the few of a quick run.
        real: whether the server is a real indiserver, which hands over shared memory.
    """

    name: str
    case: str
    arguments: Arguments
    peers: frozenset[str] = ALL
    less: Arguments = field(default_factory=dict)
    once: bool = False
    quick: bool = False
    real: bool = False

    def arguments_for(self, peer: str) -> Arguments:
        """What this peer is to do."""
        return {**self.arguments, **(self.less if peer == OLD else {})}


def _events() -> list[Work]:
    cases = [(4, 10), (4, 100), (4, 1000), (4, 10_000), (1, 1000), (32, 1000)]
    return [
        Work(
            "events",
            f"{members} members, {vectors} known",
            {"members": members, "vectors": vectors, "updates": 6_000 if members > 4 else 30_000},
            less={"updates": 3_000 if members > 4 else 15_000},
            quick=(members, vectors) == (4, 1000),
        )
        for members, vectors in cases
    ]


def _replay() -> Work:
    repeat = 40
    updates = recorded().count
    return Work(
        "events",
        "recorded, six simulators",
        {"repeat": repeat, "updates": repeat * updates},
        less={"repeat": repeat // 4, "updates": repeat // 4 * updates},
        quick=True,
    )


def _snapshots() -> list[Work]:
    less = {10: 5_000, 100: 2_000, 1000: 150}
    return [
        Work(
            "snapshots",
            f"{vectors} known",
            {"vectors": vectors, "updates": 20_000},
            # from 5000 on, definitions alone would take 0.9.4 minutes: each with a copy of all before it
            peers=PYTHON if vectors in less else frozenset({OURS}),
            less={"updates": less.get(vectors, 0)},
            quick=vectors in (10, 1000),
        )
        for vectors in (10, 100, 1000, 5000, 10_000)
    ]


def _blobs() -> list[Work]:
    return [
        Work(
            "blobs",
            f"{size} MiB",
            {"blob": size * MEBIBYTE, "count": count},
            peers=ALL | {RECEIVING},
            quick=size == 16,
        )
        for size, count in ((1, 64), (16, 8), (64, 3), (128, 2))
    ]


def _queues() -> list[Work]:
    kinds = ("queue.Queue", "SimpleQueue", "asyncio.Queue", "Mailbox", "deque")
    only_ours = ("SimpleQueue", "Mailbox")

    def peers(kind: str) -> frozenset[str]:
        return frozenset({OURS}) if kind in only_ours else ALL if kind == "queue.Queue" else PYTHON

    trips = [
        Work(
            "round_trip",
            kind,
            {"vectors": 10, "trips": 300, "queue": kind},
            peers=peers(kind),
            less={"trips": 100},
            quick=kind == "queue.Queue",
        )
        for kind in kinds
    ]
    idle = [
        Work("idle", kind, {"vectors": 100, "length": 5, "queue": kind}, peers(kind), once=True)
        for kind in kinds
        if kind != "asyncio.Queue"
    ]
    return trips + idle


WORKS: list[Work] = [
    *_events(),
    _replay(),
    *_snapshots(),
    Work("start_up", "5000 properties", {"vectors": 5000}),
    Work("queue_start_up", "1000 properties", {"vectors": 1000}, PYTHON),
    Work("queue_start_up", "5000 properties", {"vectors": 5000}, frozenset({OURS})),
    *_queues(),
    Work("commands", "at once", {"commands": 5000}, less={"commands": 300}, quick=True),
    Work("kept", "100 known", {"vectors": 100, "updates": 1000}, PYTHON, once=True),
    *(
        Work(
            "asleep",
            f"maxsize {size}",
            {"vectors": 10, "updates": 100_000, "seconds": 10, "maxsize": size},
            PYTHON,
            once=True,
        )
        for size in (0, 100)
    ),
    *_blobs(),
    Work(
        "shared",
        "64 MiB, Unix socket",
        {"blob": 64 * MEBIBYTE, "count": 30},
        peers=frozenset({OURS, CPP, RECEIVING}),
        quick=True,
        real=True,
    ),
    Work("end_of_stream", "closed", {}, once=True),
]
