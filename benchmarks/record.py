"""Records what a real indiserver says while six simulators are used, for the measuring server to say again.

Usage: python benchmarks/record.py [SECONDS]  (60; writes session.xml.gz beside this file)

Needs Debian's indi-bin. A client of this package connects the simulators and keeps them busy; what it is sent
passes through here.
"""

from __future__ import annotations

import contextlib
import gzip
import queue
import re
import socket
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from indiserver import IndiServer
from traffic import RECORDING, SPLIT

from indipyclient.queclient import EventItem, runqueclient

SIMULATORS = {
    "indi_simulator_telescope": "Telescope Simulator",
    "indi_simulator_ccd": "CCD Simulator",
    "indi_simulator_focus": "Focuser Simulator",
    "indi_simulator_wheel": "Filter Simulator",
    "indi_simulator_dome": "Dome Simulator",
    "indi_simulator_gps": "GPS Simulator",
}
BUSY = [  # in turn, one each second
    ("Telescope Simulator", "TELESCOPE_PARK", {"UNPARK": "On"}),
    ("Telescope Simulator", "EQUATORIAL_EOD_COORD", {"RA": 5, "DEC": 40}),
    ("CCD Simulator", "CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": 3}),
    ("Focuser Simulator", "ABS_FOCUS_POSITION", {"FOCUS_ABSOLUTE_POSITION": 60000}),
    ("Filter Simulator", "FILTER_SLOT", {"FILTER_SLOT_VALUE": 3}),
    ("Dome Simulator", "ABS_DOME_POSITION", {"DOME_ABSOLUTE_POSITION": 200}),
    ("GPS Simulator", "GPS_REFRESH", {"REFRESH": "On"}),
    ("CCD Simulator", "CCD_TEMPERATURE", {"CCD_TEMPERATURE_VALUE": -10}),
    ("Telescope Simulator", "EQUATORIAL_EOD_COORD", {"RA": 8, "DEC": 10}),
    ("Focuser Simulator", "ABS_FOCUS_POSITION", {"FOCUS_ABSOLUTE_POSITION": 20000}),
    ("Filter Simulator", "FILTER_SLOT", {"FILTER_SLOT_VALUE": 1}),
    ("Dome Simulator", "ABS_DOME_POSITION", {"DOME_ABSOLUTE_POSITION": 20}),
]


class Tap:
    """A port that passes everything on to a server and back, and keeps what the server says."""

    def __init__(self, port: int) -> None:
        self.heard = bytearray()
        self._server = socket.create_connection(("127.0.0.1", port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        client, _ = self._listener.accept()
        threading.Thread(target=self._pass_on, args=(client, self._server, None), daemon=True).start()
        self._pass_on(self._server, client, self.heard)

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket, copy: bytearray | None) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if copy is not None:
                    copy += data
                target.sendall(data)


def wait_for(rxque: queue.Queue[EventItem], device: str, vector: str, member: str, value: str) -> None:
    """Take items until a member has a value."""
    while True:
        snap = rxque.get(timeout=30).snapshot
        with contextlib.suppress(KeyError):
            if snap[device][vector][member] == value:
                return


def last_start(heard: bytes | bytearray) -> int:
    """Where the last element begins; it may not be whole."""
    return [found.start() for found in re.finditer(rb"^<\w", heard, re.M)][-1]


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    with IndiServer(*SIMULATORS) as server:
        tap = Tap(server.port)
        txque: queue.Queue[object] = queue.Queue()
        rxque: queue.Queue[EventItem] = queue.Queue()
        client = threading.Thread(target=runqueclient, args=(txque, rxque, "127.0.0.1", tap.port))
        client.start()
        for device in SIMULATORS.values():
            wait_for(rxque, device, "CONNECTION", "CONNECT", "Off")
            txque.put((device, "CONNECTION", {"CONNECT": "On"}))
            wait_for(rxque, device, "CONNECTION", "CONNECT", "On")
        time.sleep(3)  # nothing tells that all is defined
        end = last_start(tap.heard)
        for number in range(int(seconds)):
            txque.put(BUSY[number % len(BUSY)])
            time.sleep(1)
        txque.put(None)
        client.join()
    heard = bytes(tap.heard)
    whole = heard[end : last_start(heard)]
    RECORDING.write_bytes(gzip.compress(heard[:end] + SPLIT + whole, mtime=0))
    print(
        f"{len(heard)} bytes heard, {whole.count(b'<set')} updates, {RECORDING.stat().st_size} bytes written"
    )


if __name__ == "__main__":
    main()
