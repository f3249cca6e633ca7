"""A server for measuring: defines vectors, then sends updates as fast as the client takes them.

Usage: server.py VECTORS UPDATES BLOB_BYTES  (prints its port, serves one client, ends with it)

What it does is asked for by name: a ``newSwitchVector`` of ``CONTROL`` starts the updates or one
BLOB, a ``newNumberVector`` is answered at once by an update of the same vector.
"""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import sys

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


def serve(connection: socket.socket, vectors: int, updates: int, size: int) -> None:
    """Answer one client until it hangs up."""
    flood = "".join(update(n % vectors, n) for n in range(updates)).encode() + DONE.encode()
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
            elif element.startswith(b"<newSwitch"):
                connection.sendall(frame or flood)
            else:
                connection.sendall(update(0, 7).encode())


def main() -> None:
    vectors, updates, size = map(int, sys.argv[1:4])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, contextlib.suppress(OSError):  # the client hangs up when it has what it wanted
        serve(connection, vectors, updates, size)


if __name__ == "__main__":
    main()
