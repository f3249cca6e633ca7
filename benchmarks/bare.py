"""What receiving alone allows: a loop that reads a socket, and looks at nothing but the end.

Usage: bare.py NAME host=HOST port=PORT NAME=VALUE ...  (prints a JSON object)
"""

from __future__ import annotations

import json
import mmap
import os
import re
import socket
import statistics
import sys
import time

from arguments import Arguments, parse
from traffic import DONE

CHUNK = 1 << 18  # as asyncio reads


def say(connection: socket.socket, text: str) -> None:
    connection.sendall(text.encode())


def switch_on(connection: socket.socket, member: str) -> None:
    """Have the server do something."""
    say(
        connection,
        '<newSwitchVector device="Bench" name="CONTROL">'
        f'<oneSwitch name="{member}">On</oneSwitch></newSwitchVector>',
    )


def read_to(connection: socket.socket, end: bytes) -> int:
    """Read until this has come; how many bytes that was."""
    buffer = memoryview(bytearray(CHUNK))
    tail, total = b"", 0
    while not tail.endswith(end):
        length = connection.recv_into(buffer)
        assert length, "the server is gone"
        total += length
        tail = (tail + bytes(buffer[max(0, length - len(end)) : length]))[-len(end) :]
    return total


def blobs(arguments: Arguments) -> dict[str, float]:
    """The rate of BLOBs over TCP that are dropped as they come."""
    with socket.create_connection((arguments["host"], arguments["port"])) as connection:
        say(connection, "<getProperties version='1.7'/>")
        read_to(connection, b"</defBLOBVector>\n")
        start = time.perf_counter()
        switch_on(connection, "GO")
        read_to(connection, DONE.encode())
        taken = time.perf_counter() - start
    return {"MB per s": int(arguments["blob"]) * int(arguments["count"]) / taken / 1e6}


def shared(arguments: Arguments) -> dict[str, float]:
    """From the driver's sending until the frame is mapped."""
    taken = []
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect("\0" + str(arguments["host"]).partition(":")[2])
        say(connection, "<getProperties version='1.7'/>")
        read_to(connection, b"</defBLOBVector>\n")
        say(connection, "<enableBLOB device='Bench' name='BLOB'>Also</enableBLOB>")
        for _ in range(int(arguments["count"])):
            switch_on(connection, "GO")
            taken.append(_frame(connection, int(arguments["blob"])))
    return {"ms from driver to program": statistics.median(taken)}


def _frame(connection: socket.socket, size: int) -> float:
    text, descriptors = b"", []
    while b"</setBLOBVector>" not in text:
        data, more, _, _ = socket.recv_fds(connection, CHUNK, 16)
        assert data, "the server is gone"
        text += data
        descriptors += more
    with mmap.mmap(descriptors[0], size, access=mmap.ACCESS_READ) as content:
        assert content[-1] == 255
        now = time.monotonic_ns()
    os.close(descriptors[0])
    stamp = re.search(rb'format="\.(\d+)"', text)
    assert stamp
    return (now - int(stamp[1])) / 1e6


if __name__ == "__main__":
    print(json.dumps({"blobs": blobs, "shared": shared}[sys.argv[1]](parse(sys.argv[2:]))))
