"""Measurements of BLOBs, as they reach a program through a queue."""

from __future__ import annotations

import statistics
import threading
import time
from typing import Any

from arguments import Arguments
from session import Session, memory, peak_memory, reset_peak_memory


class _Ticker:
    """Another thread of the program, that wants to run each millisecond; how long at most it could not."""

    def __enter__(self) -> _Ticker:
        self.longest = 0.0
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop = True
        self._thread.join()

    def _run(self) -> None:
        last = time.perf_counter()
        while not self._stop:
            time.sleep(0.001)
            now = time.perf_counter()
            self.longest = max(self.longest, now - last - 0.001)
            last = now


def blobs(arguments: Arguments) -> dict[str, float]:
    """BLOBs over TCP: memory for the first, the rate of some, what another thread notices of more."""
    size, count = int(arguments["blob"]), int(arguments["count"])
    with Session(arguments) as session:
        session.ready()
        session.put(("Bench", "BLOB", "Also"))
        before = memory()
        reset_peak_memory()
        session.switch_on("ONE")
        session.until("SetBLOB")
        peak = peak_memory() - before
        session.until("Set", "CONTROL")
        start, cpu = time.perf_counter(), time.process_time()
        _take(session, count)
        taken, cpu = time.perf_counter() - start, time.process_time() - cpu
        with _Ticker() as ticker:
            _take(session, count)
    return {
        "MB per s": size * count / taken / 1e6,
        "longest stop ms": ticker.longest * 1e3,
        "payloads of memory": peak / size,
        "processor s per GB": cpu / (size * count) * 1e9,
    }


def _take(session: Session, count: int) -> None:
    session.switch_on("GO")
    for _ in range(count):
        session.until("SetBLOB")


def shared(arguments: Arguments) -> dict[str, float]:
    """BLOBs of a real server's Unix socket: from the driver's sending to a memoryview in the program."""
    taken = []
    with Session(arguments) as session:
        session.ready()
        session.put(("Bench", "BLOB", "Also"))
        for _ in range(int(arguments["count"])):
            session.switch_on("GO")
            member: Any = session.until("SetBLOB").snapshot["Bench"]["BLOB"].member("FRAME")
            assert len(member.buffer) == arguments["blob"] and member.buffer[-1] == 255
            # the driver writes the time into the format
            taken.append((time.monotonic_ns() - int(member.blobformat[1:])) / 1e6)
    return {"ms from driver to program": statistics.median(taken)}
