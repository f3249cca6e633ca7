"""One measurement of whichever indipyclient this interpreter has; prints a JSON object.

Usage: measure.py NAME ARGUMENT  where NAME is a key of `MEASUREMENTS`.

Written for the interface that 0.9 and this package share, so both run the very same code.
"""

from __future__ import annotations

import asyncio
import collections
import json
import queue
import resource
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import indipyclient
from indipyclient.queclient import QueClient

SERVER = Path(__file__).parent / "server.py"


class Server:
    """The measuring server in its own process."""

    def __init__(self, vectors: int, updates: int = 0, blob: int = 0, seconds: float = 0) -> None:
        arguments = [sys.executable, str(SERVER), *map(str, (vectors, updates, blob, seconds))]
        self._process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        self.port = int(self.line())

    def line(self) -> str:
        """The next line that it prints."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Flooded(indipyclient.IPyClient):
    """Counts the updates between the start and the end of a flood, and takes their time."""

    defined = 0
    count = 0
    started = finished = cpu = 0.0

    async def rxevent(self, event) -> None:  # type: ignore[no-untyped-def]
        if event.eventtype == "DefineBLOB":
            self.started, self.cpu = time.perf_counter(), time.process_time()
            await self.send_newVector("Bench", "CONTROL", members={"GO": "On"})
        elif event.eventtype == "Set" and event.vectorname != "CONTROL":
            self.count += 1
        elif event.eventtype == "Set":
            self.finished, self.cpu = time.perf_counter(), time.process_time() - self.cpu
            self.shutdown()


def events(vectors: int) -> dict[str, float]:
    """Updates of four numbers applied and told per second, by the asyncio client."""
    updates = 30_000
    with Server(vectors, updates) as server:
        client = Flooded("127.0.0.1", server.port)
        asyncio.run(client.asyncrun())
    assert client.count == updates, client.count
    return {
        "events per s": updates / (client.finished - client.started),
        "processor us per event": client.cpu / updates * 1e6,
    }


class Session:
    """A queue client in a thread."""

    def __init__(self, port: int, txque: object, rxque: object) -> None:
        self.txque, self.rxque = txque, rxque
        self._client = QueClient(txque, rxque, "127.0.0.1", port)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._client.asyncrun()), daemon=True)
        self._thread.start()

    def until(self, eventtype: str, vectorname: str | None = None) -> object:
        while True:
            item = self.get()
            if item.eventtype == eventtype and vectorname in (None, item.vectorname):
                return item

    def get(self):  # type: ignore[no-untyped-def]
        if not isinstance(self.rxque, collections.deque):
            return self.rxque.get(timeout=300)  # type: ignore[attr-defined]
        while not self.rxque:
            time.sleep(0.0002)
        return self.rxque.popleft()

    def put(self, item: object) -> None:
        add = self.txque.append if isinstance(self.txque, collections.deque) else self.txque.put  # type: ignore[attr-defined]
        add(item)

    def close(self) -> None:
        self.put(None)
        self._thread.join(10)


def snapshots(vectors: int) -> dict[str, float]:
    """Updates per second delivered on a queue, each with a full snapshot."""
    old = indipyclient.version.startswith("0.")
    updates = (max(100, 200_000 // vectors // 10) if vectors > 10 else 5000) if old else 20_000
    with Server(vectors, updates) as server:
        session = Session(server.port, queue.Queue(), queue.Queue())
        session.until("DefineBLOB")
        session.put(("Bench", "CONTROL", {"GO": "On"}))
        session.until("Set")
        start = time.perf_counter()
        session.until("Set", "CONTROL")
        taken = time.perf_counter() - start
        session.close()
    return {"snapshots per s": (updates - 1) / taken}


def make_queue(kind: str) -> object:
    """A queue by the name of its class."""
    if kind == "Mailbox":
        from indipyclient.mailbox import Mailbox

        return Mailbox()
    return {"queue.Queue": queue.Queue, "SimpleQueue": queue.SimpleQueue, "deque": collections.deque}[kind]()


TRIPS = 300


def round_trip(kind: str) -> dict[str, float]:
    """From putting a command to getting the server's answer, in milliseconds."""
    with Server(10) as server:
        taken = (asyncio.run if kind == "asyncio.Queue" else _trips)(*_trip_arguments(kind, server.port))
    taken.sort()
    return {"median ms": statistics.median(taken), "99th percentile ms": taken[int(len(taken) * 0.99)]}


def _trip_arguments(kind: str, port: int) -> tuple[object, ...]:
    return (_async_trips(port),) if kind == "asyncio.Queue" else (kind, port)


def _trips(kind: str, port: int) -> list[float]:
    taken = []
    session = Session(port, make_queue(kind), make_queue(kind))
    session.until("DefineBLOB")
    for _ in range(TRIPS):
        start = time.perf_counter()
        session.put(("Bench", "V0", {"A": 1}))
        session.until("Set", "V0")
        taken.append((time.perf_counter() - start) * 1e3)
    session.close()
    return taken


async def _async_trips(port: int) -> list[float]:
    """The same for a program in the client's own loop."""
    taken = []
    txque, rxque = asyncio.Queue(), asyncio.Queue()  # type: ignore[var-annotated]
    running = asyncio.create_task(QueClient(txque, rxque, "127.0.0.1", port).asyncrun())

    async def until(eventtype: str, vectorname: str | None = None) -> None:
        while (item := await rxque.get()).eventtype != eventtype or vectorname not in (None, item.vectorname):
            pass

    await until("DefineBLOB")
    for _ in range(TRIPS):
        start = time.perf_counter()
        await txque.put(("Bench", "V0", {"A": 1}))
        await until("Set", "V0")
        taken.append((time.perf_counter() - start) * 1e3)
    await txque.put(None)
    await asyncio.wait([running], timeout=10)
    return taken


def idle(kind: str) -> dict[str, float]:
    """Wake-ups and processor time per second of a connected client with nothing to do."""
    seconds = 5
    with Server(100) as server:
        session = Session(server.port, make_queue(kind), make_queue(kind))
        session.until("DefineBLOB")
        time.sleep(2)
        before = resource.getrusage(resource.RUSAGE_SELF)
        time.sleep(seconds)
        after = resource.getrusage(resource.RUSAGE_SELF)
        session.close()
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "wake-ups per s": (after.ru_nvcsw - before.ru_nvcsw - 1) / seconds,
        "processor ms per s": spent / seconds * 1e3,
    }


def asleep(maxsize: int) -> dict[str, float]:
    """What a program that sleeps for 10 s costs a server with 10 000 updates to send a second."""
    seconds = 10
    with Server(10, 10_000 * seconds, seconds=seconds) as server:
        session = Session(server.port, queue.Queue(), queue.Queue(maxsize))
        session.until("DefineBLOB")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        session.put(("Bench", "CONTROL", {"GO": "On"}))
        result: dict[str, float] = json.loads(server.line())
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {**result, "MB more memory": grown / 1e3}


def frames(megabytes: int) -> dict[str, float]:
    """One BLOB over TCP, payload per second from the first byte asked for to the event."""
    rates = []
    for _ in range(3):
        with Server(1, blob=megabytes << 20) as server:
            session = Session(server.port, queue.Queue(), queue.Queue())
            session.until("DefineBLOB")
            session.put(("Bench", "BLOB", "Also"))
            start = time.perf_counter()
            session.put(("Bench", "CONTROL", {"GO": "On"}))
            session.until("SetBLOB")
            rates.append(megabytes * 1.048576 / (time.perf_counter() - start))
            session.close()
    return {"MB per s": statistics.median(rates)}


MEASUREMENTS = {
    "events": events,
    "snapshots": snapshots,
    "round trip": round_trip,
    "idle": idle,
    "asleep": asleep,
    "frames": frames,
}


def main() -> None:
    name, argument = sys.argv[1:3]
    result = MEASUREMENTS[name](int(argument) if argument.isdigit() else argument)  # type: ignore[operator]
    print(json.dumps({"version": indipyclient.version, **result}))


if __name__ == "__main__":
    main()
