"""Measurements of the queue client, used by its queues from another thread."""

from __future__ import annotations

import asyncio
import queue
import resource
import statistics
import time
from typing import Any

from arguments import Arguments
from session import Session, make_queue, memory

from indipyclient.queclient import QueClient


def snapshots(arguments: Arguments) -> dict[str, float]:
    """Updates per second delivered on a queue, each with a full snapshot."""
    with Session(arguments) as session:
        session.ready()
        session.switch_on("GO")
        session.until("Set")
        start, cpu = time.perf_counter(), time.process_time()
        session.until("Set", "CONTROL")
        taken, cpu = time.perf_counter() - start, time.process_time() - cpu
    updates = int(arguments["updates"]) - 1
    return {"snapshots per s": updates / taken, "processor us per snapshot": cpu / updates * 1e6}


def queue_start_up(arguments: Arguments) -> dict[str, float]:
    """From nothing to a snapshot with every property."""
    start = time.perf_counter()
    with Session(arguments) as session:
        session.ready()
        return {"ms until all is known": (time.perf_counter() - start) * 1e3}


def kept(arguments: Arguments) -> dict[str, float]:
    """Memory of snapshots that a program keeps, each one update after the other."""
    with Session(arguments) as session:
        session.ready()
        before = memory()
        session.switch_on("GO")
        items = [session.get() for _ in range(int(arguments["updates"]))]
        grown = memory() - before
        assert len({id(item.snapshot) for item in items}) == len(items)
    return {"kB per kept snapshot": grown / len(items) / 1e3}


def commands(arguments: Arguments) -> dict[str, float]:
    """Commands per second, sent and answered, by a program that puts them all at once."""
    count = int(arguments["commands"])
    with Session(arguments) as session:
        session.ready()
        start, cpu = time.perf_counter(), time.process_time()
        for number in range(count):
            session.put(("Bench", "V0", {"M0": number}))
        for _ in range(count):
            session.until("Set", "V0")
        taken, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {"commands per s": count / taken, "processor us per command": cpu / count * 1e6}


def round_trip(arguments: Arguments) -> dict[str, float]:
    """From putting a command to getting the server's answer, in milliseconds."""
    taken = (
        asyncio.run(_async_trips(arguments)) if arguments["queue"] == "asyncio.Queue" else _trips(arguments)
    )
    taken.sort()
    return {"median ms": statistics.median(taken), "99th percentile ms": taken[int(len(taken) * 0.99)]}


def _trips(arguments: Arguments) -> list[float]:
    taken = []
    with Session(arguments, *(make_queue(str(arguments["queue"])) for _ in range(2))) as session:
        session.ready()
        for _ in range(int(arguments["trips"])):
            start = time.perf_counter()
            session.put(("Bench", "V0", {"M0": 1}))
            session.until("Set", "V0")
            taken.append((time.perf_counter() - start) * 1e3)
    return taken


async def _async_trips(arguments: Arguments) -> list[float]:
    """The same for a program in the client's own loop."""
    taken = []
    txque: asyncio.Queue[Any] = asyncio.Queue()
    rxque: asyncio.Queue[Any] = asyncio.Queue()
    running = asyncio.create_task(QueClient(txque, rxque, arguments["host"], arguments["port"]).asyncrun())

    async def until(eventtype: str, vectorname: str | None = None) -> None:
        while (item := await rxque.get()).eventtype != eventtype or vectorname not in (None, item.vectorname):
            pass

    await until("DefineBLOB")
    for _ in range(int(arguments["trips"])):
        start = time.perf_counter()
        await txque.put(("Bench", "V0", {"M0": 1}))
        await until("Set", "V0")
        taken.append((time.perf_counter() - start) * 1e3)
    await txque.put(None)
    await asyncio.wait([running], timeout=10)
    return taken


def idle(arguments: Arguments) -> dict[str, float]:
    """Wake-ups and processor time per second of a connected client with nothing to do."""
    length = float(arguments["length"])
    with Session(arguments, *(make_queue(str(arguments["queue"])) for _ in range(2))) as session:
        session.ready()
        time.sleep(2)
        before = resource.getrusage(resource.RUSAGE_SELF)
        time.sleep(length)
        after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "wake-ups per s": (after.ru_nvcsw - before.ru_nvcsw - 1) / length,  # the one is our own
        "processor ms per s": spent / length * 1e3,
    }


def asleep(arguments: Arguments) -> dict[str, float]:
    """What a program that sleeps costs: the server says how much waits for it, this how much memory."""
    with Session(arguments, rxque=queue.Queue(int(arguments["maxsize"]))) as session:
        session.ready()
        before = memory()
        session.switch_on("GO")
        time.sleep(float(arguments["seconds"]) + 1)
        return {"MB more memory": (memory() - before) / 1e6}


def end_of_stream(arguments: Arguments) -> dict[str, float]:
    """From the moment in which the server closes the connection to the item that tells it."""
    with Session(arguments) as session:
        session.ready()
        start = time.perf_counter()
        session.switch_on("END")
        session.until("ConnectionLost")
        return {"s until it is seen": time.perf_counter() - start}
