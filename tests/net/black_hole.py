"""A program for a network namespace of its own: its network begins to swallow everything (Linux).

Prints what the client says of it. Arguments: the client's `keepalive` and `idle_timeout`, in seconds.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import sys

from tests.support.scripted import NUMBER, Client, Running, ScriptedServer

SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def set_loopback(up: bool) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", IFF_UP if up else 0)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def main() -> None:
    keepalive, idle_timeout = map(float, sys.argv[1:])
    set_loopback(True)
    with (
        ScriptedServer() as server,
        Running(Client(server.port, keepalive=keepalive, idle_timeout=idle_timeout)) as running,
    ):
        running.after(server.greet(NUMBER), "")
        set_loopback(False)
        print(running.wait_text("Error: Connection timed out").text)
        running.wait_for("ConnectionLost")
        set_loopback(True)
        server.greet(NUMBER)
        running.wait_for("defNumberVector")
        print("and it is back")


if __name__ == "__main__":
    main()
