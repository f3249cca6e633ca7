"""Records the seeds: what a real indiserver with simulators says to a client that uses it.

    python -m tests.fuzz.record

writes `seeds/*.xml`, one file for each stage of a session. Only needed again for another server.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path

from indipyclient.protocol import DefVector, Message, Scanner, SetVector
from tests.support.servers import CCD, FOCUSER, TELESCOPE, WHEEL, IndiServer

SEEDS = Path(__file__).with_name("seeds")
PATIENCE = 20.0
DEVICES = (TELESCOPE, CCD, FOCUSER, WHEEL)
_TEMPORARY = re.compile(rb"/tmp/[\w./-]*")


def command(kind: str, device: str, vector: str, **members: object) -> bytes:
    inner = "".join(f'<one{kind} name="{name}">{value}</one{kind}>' for name, value in members.items())
    return f'<new{kind}Vector device="{device}" name="{vector}">{inner}</new{kind}Vector>\n'.encode()


def is_set(vector: str, state: str = "Ok") -> Callable[[Message], bool]:
    return lambda message: (
        isinstance(message, SetVector) and message.name == vector and message.state == state
    )


def are_defined(vector: str, *devices: str) -> Callable[[Message], bool]:
    missing = set(devices)

    def defined(message: Message) -> bool:
        if isinstance(message, DefVector) and message.name == vector:
            missing.discard(message.device)
        return not missing

    return defined


class Session:
    """A connection whose traffic is written down, stage by stage."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.settimeout(PATIENCE)

    def record(self, stage: str, *commands: bytes, until: Callable[[Message], bool]) -> None:
        """Send commands, and write down what comes until a message for which `until` holds."""
        self._socket.sendall(b"".join(commands))
        scanner, heard, said = Scanner(), b"", False
        while not said:
            data = self._socket.recv(1 << 16)
            heard += data
            said = any(map(until, scanner.feed(data)))
        SEEDS.joinpath(f"{stage}.xml").write_bytes(_TEMPORARY.sub(b"/tmp", heard))

    def close(self) -> None:
        self._socket.close()


def main() -> None:
    SEEDS.mkdir(exist_ok=True)
    with IndiServer(*DEVICES) as server:
        session = Session(server.port)
        ask = b'<getProperties version="1.7"/>\n'
        session.record("definitions", ask, until=are_defined("CONNECTION", *DEVICES))
        for device in DEVICES:
            stage = "connecting-" + device.split()[0].lower()
            connect = command("Switch", device, "CONNECTION", CONNECT="On")
            session.record(stage, connect, until=is_set("CONNECTION"))
        small = command("Number", CCD, "CCD_FRAME", X=0, Y=0, WIDTH=24, HEIGHT=16)
        session.record("frame-size", small, until=is_set("CCD_FRAME"))
        enable = f'<enableBLOB device="{CCD}" name="CCD1">Also</enableBLOB>\n'.encode()
        expose = command("Number", CCD, "CCD_EXPOSURE", CCD_EXPOSURE_VALUE=0.2)
        session.record("frame", enable, expose, until=is_set("CCD1"))
        move = command("Number", FOCUSER, "ABS_FOCUS_POSITION", FOCUS_ABSOLUTE_POSITION=49000)
        session.record("focusing", move, until=is_set("ABS_FOCUS_POSITION"))
        slew = command("Number", TELESCOPE, "EQUATORIAL_EOD_COORD", RA=5, DEC=80)
        unpark = command("Switch", TELESCOPE, "TELESCOPE_PARK", UNPARK="On")
        session.record("slewing", unpark, slew, until=is_set("EQUATORIAL_EOD_COORD", "Busy"))
        crash = command("Switch", CCD, "CCD_SIMULATE_CRASH", CRASH="On")
        session.record("crash", crash, until=lambda message: getattr(message, "device", "") == CCD)
        session.close()


if __name__ == "__main__":
    main()
