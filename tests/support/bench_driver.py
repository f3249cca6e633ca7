"""An instrument for the tests, served by `indipyserver`: python bench_driver.py PORT.

The device "Bench" has a number, a text and a switch that take what they are sent, a BLOB that can be sent,
and another that carries the same bytes back.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from indipydriver import (
    BLOBMember,
    BLOBVector,
    Device,
    IPyDriver,
    NumberMember,
    NumberVector,
    SwitchMember,
    SwitchVector,
    TextMember,
    TextVector,
    newBLOBVector,
)
from indipyserver import IPyServer


class BenchDriver(IPyDriver):  # type: ignore[misc]  # indipydriver has no type hints
    """Does what it is told, and says so."""

    async def rxevent(self, event: Any) -> None:
        if isinstance(event, newBLOBVector):
            await self._return_blob(event)
            return
        for member, value in event.items():
            event.vector[member] = value
        await event.vector.send_setVector(state="Ok")

    async def _return_blob(self, event: newBLOBVector) -> None:
        echo = event.vector.device["DOWNLOAD"]
        echo["FRAME"] = event["FRAME"]
        echo.data["FRAME"].blobsize, echo.data["FRAME"].blobformat = event.sizeformat["FRAME"]
        await echo.send_setVectorMembers(state="Ok", members=["FRAME"])


def bench() -> Device:
    """Return the device: one property of each kind that can be written, and a BLOB to read."""
    level = NumberMember("LEVEL", "Level", "%6.2f", 0, 100, 0.01, 1)
    remark = TextMember("REMARK", "Remark", "none")
    on, off = SwitchMember("LAMP_ON", "On"), SwitchMember("LAMP_OFF", "Off", "On")
    return Device(
        "Bench",
        [
            NumberVector("LEVELS", "Levels", "Main", "rw", "Idle", [level]),
            TextVector("REMARKS", "Remarks", "Main", "rw", "Idle", [remark]),
            SwitchVector("LAMP", "Lamp", "Main", "rw", "OneOfMany", "Idle", [on, off]),
            BLOBVector("UPLOAD", "Upload", "Main", "wo", "Idle", [BLOBMember("FRAME")]),
            BLOBVector("DOWNLOAD", "Download", "Main", "ro", "Idle", [BLOBMember("FRAME")]),
        ],
    )


if __name__ == "__main__":
    server = IPyServer(BenchDriver(bench()), host="127.0.0.1", port=int(sys.argv[1]))
    asyncio.run(server.asyncrun())
