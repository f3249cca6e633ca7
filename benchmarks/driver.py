#!/usr/bin/env python3
"""A driver for indiserver that hands over frames as shared memory, as C++ drivers do.

Started by indiserver, with BENCH_BLOB bytes of a frame in the environment. Switching anything of CONTROL is
answered by a frame, whose format is the time at which it was sent: the monotonic clock in nanoseconds.
"""

from __future__ import annotations

import os
import socket
import time

from traffic import CONTROL

SIZE = int(os.environ["BENCH_BLOB"])
MEBIBYTE = 1 << 20  # libindi makes files of whole ones


def main() -> None:
    server = socket.socket(fileno=os.dup(0))  # indiserver talks to its drivers by a Unix socket
    memory = os.memfd_create("frame")
    os.truncate(memory, (SIZE + MEBIBYTE - 1) // MEBIBYTE * MEBIBYTE)
    with os.fdopen(os.dup(memory), "wb") as file:
        for _ in range(SIZE // 256):
            file.write(bytes(range(256)))
    while data := server.recv(65536):
        if b"<getProperties" in data:
            server.sendall(CONTROL.encode())
        for _ in range(data.count(b"</newSwitchVector>")):
            text = (
                '<setBLOBVector device="Bench" name="BLOB" state="Ok">'
                f'<oneBLOB name="FRAME" size="{SIZE}" len="{SIZE}" format=".{time.monotonic_ns()}"'
                ' attached="true"></oneBLOB></setBLOBVector>\n'
            )
            socket.send_fds(server, [text.encode()], [memory])


if __name__ == "__main__":
    main()
