"""A server for measuring: defines vectors, then sends updates as fast as the client takes them.

Usage: server.py VECTORS UPDATES BLOB_BYTES [SECONDS]  (prints its port, serves one client, ends with it)

What it does is asked for by name: a ``newSwitchVector`` of ``CONTROL`` starts the updates or one
BLOB, a ``newNumberVector`` is answered at once by an update of the same vector. With SECONDS, the
updates are sent evenly over that time, or later if the client does not take them; then a line of JSON
tells how many were, and how much of them waited to be taken.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import select
import socket
import statistics
import sys
import time
from pathlib import Path

STAMP = "2026-11-23T20:00:00"
MEMBERS = "ABCD"


def define(number: int) -> str:
    """The definition of one number vector of four members."""
    members = "".join(
        f'<defNumber name="{name}" label="{name}" format="%g" min="0" max="0" step="0">1</defNumber>\n'
        for name in MEMBERS
    )
    head = f'device="Bench" name="V{number}" label="V" group="G" state="Ok" perm="rw" timeout="60"'
    return f'<defNumberVector {head} timestamp="{STAMP}">\n{members}</defNumberVector>\n'


def update(number: int, value: int) -> str:
    """An update of it, in the layout of indiserver (about 290 bytes)."""
    members = "".join(
        f'    <oneNumber name="{name}">\n{value}.{place}\n    </oneNumber>\n'
        for place, name in enumerate(MEMBERS)
    )
    head = f'device="Bench" name="V{number}" state="Ok" timeout="60" timestamp="{STAMP}"'
    return f"<setNumberVector {head}>\n{members}</setNumberVector>\n"


CONTROL = (
    '<defSwitchVector device="Bench" name="CONTROL" label="C" group="G" state="Ok" perm="rw" rule="AnyOfMany"'
    f' timeout="60" timestamp="{STAMP}"><defSwitch name="GO">Off</defSwitch></defSwitchVector>\n'
    f'<defBLOBVector device="Bench" name="BLOB" label="B" group="G" state="Ok" perm="ro" timestamp="{STAMP}">'
    '<defBLOB name="FRAME"/></defBLOBVector>\n'
)
DONE = f'<setSwitchVector device="Bench" name="CONTROL" state="Ok" timestamp="{STAMP}"></setSwitchVector>\n'


def blob(size: int) -> bytes:
    """One frame."""
    text = base64.b64encode(bytes(range(256)) * (size // 256))
    head = f'<setBLOBVector device="Bench" name="BLOB" state="Ok" timestamp="{STAMP}">\n'
    one = f'<oneBLOB name="FRAME" size="{size // 256 * 256}" format=".bin">\n'
    return (head + one).encode() + text + b"\n</oneBLOB>\n</setBLOBVector>\n"


def waiting(port: int) -> int:
    """Bytes between the ends of a connection: sent, and not yet read by the other (Linux, as ss tells)."""
    total = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, here, there, _, queues, *_ = line.split()
        if f"{port:04X}" in (here[-4:], there[-4:]):
            total += sum(int(length, 16) for length in queues.split(":"))
    return total


def pace(connection: socket.socket, vectors: int, updates: int, seconds: float) -> dict[str, float]:
    """Send updates evenly over some seconds, as long as the client takes them; look every 100 ms."""
    port = connection.getpeername()[1]
    pending = memoryview(b"".join(update(n % vectors, n).encode() for n in range(updates)))
    done = due = 0
    behind: list[int] = []
    connection.setblocking(False)
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < seconds:
        if elapsed > 0.1 * len(behind):  # before more is due: what was, was sent or could not be
            behind.append(waiting(port) + due - done)
        due = int(len(pending) * elapsed / seconds)
        if select.select([], [connection], [], 0.005)[1]:
            done += connection.send(pending[done:due])
        time.sleep(0.005)
    connection.setblocking(True)
    return {
        "updates sent per s": done / len(pending) * updates / seconds,
        "median kB waiting": statistics.median(behind) / 1e3,
        "most kB waiting": max(behind) / 1e3,
    }


def serve(connection: socket.socket, vectors: int, updates: int, size: int, seconds: float) -> None:
    """Answer one client until it hangs up."""
    flood = (
        b"" if seconds else "".join(update(n % vectors, n) for n in range(updates)).encode() + DONE.encode()
    )
    frame = blob(size) + DONE.encode() if size else b""
    received = b""
    while data := connection.recv(65536):
        received += data
        for element in re.findall(
            rb"<getProperties[^>]*>|<new(?:Number|Switch)Vector.*?</new\w+>", received, re.S
        ):
            received = received[received.index(element) + len(element) :]
            if element.startswith(b"<getProperties"):
                connection.sendall(("".join(map(define, range(vectors))) + CONTROL).encode())
            elif element.startswith(b"<newSwitch") and seconds:
                print(json.dumps(pace(connection, vectors, updates, seconds)), flush=True)
            elif element.startswith(b"<newSwitch"):
                connection.sendall(frame or flood)
            else:
                connection.sendall(update(0, 7).encode())


def main() -> None:
    vectors, updates, size = map(int, sys.argv[1:4])
    seconds = float(sys.argv[4]) if len(sys.argv) > 4 else 0.0
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, contextlib.suppress(OSError):  # the client hangs up when it has what it wanted
        serve(connection, vectors, updates, size, seconds)


if __name__ == "__main__":
    main()
