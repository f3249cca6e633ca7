"""Measurements of the asyncio client."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from arguments import Arguments

import indipyclient


class _Flooded(indipyclient.IPyClient):
    """Counts the events between the start and the end of a flood, and takes their time."""

    count = 0
    started = taken = cpu = 0.0

    async def rxevent(self, event: Any) -> None:
        if event.eventtype == "DefineBLOB" and event.devicename == "Bench":
            self.started, self.cpu = time.perf_counter(), time.process_time()
            await self.send_newVector("Bench", "CONTROL", members={"GO": "On"})
        elif event.eventtype == "Set" and event.vectorname == "CONTROL":
            self.taken, self.cpu = time.perf_counter() - self.started, time.process_time() - self.cpu
            self.shutdown()
        else:
            self.count += self.started > 0


def events(arguments: Arguments) -> dict[str, float]:
    """Updates applied and told per second."""
    client = _Flooded(arguments["host"], arguments["port"])
    if hasattr(client, "limits"):  # 0.9.4 has none; a recording played fast is a flood of messages
        client.limits = type(client.limits)(messages=1_000_000)
    asyncio.run(client.asyncrun())
    updates = int(arguments["updates"])
    assert client.count >= updates, (client.count, updates)  # more: texts that come with an update
    return {"events per s": updates / client.taken, "processor us per event": client.cpu / updates * 1e6}


class _Starting(indipyclient.IPyClient):
    """Ends when all is defined."""

    async def rxevent(self, event: Any) -> None:
        if event.eventtype == "DefineBLOB" and event.devicename == "Bench":
            self.shutdown()


def start_up(arguments: Arguments) -> dict[str, float]:
    """From nothing to knowing every property."""
    client = _Starting(arguments["host"], arguments["port"])
    started, cpu, end = time.perf_counter(), time.process_time(), 0.0

    async def run() -> None:
        nonlocal end
        running = asyncio.create_task(client.asyncrun())
        while not client.stop:  # noqa: ASYNC110 - what both have; 0.9.4 takes seconds to end
            await asyncio.sleep(0.001)
        end = time.perf_counter()
        await running

    asyncio.run(run())
    return {"ms until all is known": (end - started) * 1e3, "processor ms": (time.process_time() - cpu) * 1e3}
