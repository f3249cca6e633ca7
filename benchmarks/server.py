"""A server for measuring: defines what it is told to, then sends as fast as the client takes it.

Usage: server.py NAME=NUMBER ...  (prints its port, serves one client, ends with it)

    vectors, members  the numbers it defines, 1 of 4
    updates           how many updates GO makes, in turn for each vector
    seconds           over which they are sent evenly, or later if the client does not take them
    blob, count       bytes of a frame; GO makes so many of them, ONE makes one
    repeat            serve the recording; GO makes its updates so often

Switching on GO or ONE of CONTROL starts what the arguments tell, followed by an update of CONTROL; END closes
the connection. A ``newNumberVector`` is answered at once by an update of V0. At the end it prints a line of
JSON: with `seconds`, how many updates were sent, and how much of them waited to be taken.
"""

from __future__ import annotations

import contextlib
import json
import re
import select
import socket
import statistics
import sys
import time
from pathlib import Path

from arguments import Arguments, parse
from traffic import CONTROL, DONE, define, frame, recorded, update

COMMAND = re.compile(rb"<getProperties[^>]*>|<new(Number|Switch)Vector.*?</new\w+>", re.S)
SWITCHED_ON = re.compile(rb"""name=["'](\w+)["'][^>]*>\s*On""")


class Script:
    """All that the server says, made before the client comes."""

    def __init__(self, arguments: Arguments) -> None:
        vectors, members, updates, seconds, repeat = (
            int(arguments.get(name, default))
            for name, default in (
                ("vectors", 1),
                ("members", 4),
                ("updates", 0),
                ("seconds", 0),
                ("repeat", 0),
            )
        )
        numbers = [update(number % vectors, members, number) for number in range(0 if repeat else updates)]
        self.start = ("".join(define(number, members) for number in range(vectors)) + CONTROL).encode()
        self.answer = update(0, members, 7).encode()
        self.flood = ["".join(numbers).encode()]
        self.one = b""
        self.seconds = seconds
        self.updates = updates
        if repeat:
            recording = recorded()
            self.start = recording.start + CONTROL.encode()
            self.flood = [recording.updates] * repeat
        elif blob := int(arguments.get("blob", 0)):
            self.one = frame(blob)
            self.flood = [self.one] * int(arguments.get("count", 1))


def waiting(port: int) -> int:
    """Bytes between the ends of a connection: sent, and not yet read by the other (Linux, as ss tells)."""
    total = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, here, there, _, queues, *_ = line.split()
        if f"{port:04X}" in (here[-4:], there[-4:]):
            total += sum(int(length, 16) for length in queues.split(":"))
    return total


def pace(connection: socket.socket, script: Script) -> dict[str, float]:
    """Send updates evenly over some seconds, as long as the client takes them; look every 100 ms."""
    port = connection.getpeername()[1]
    pending = memoryview(script.flood[0])
    done = due = 0
    behind: list[int] = []
    connection.setblocking(False)
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < script.seconds:
        if elapsed > 0.1 * len(behind):  # before more is due: what was, was sent or could not be
            behind.append(waiting(port) + due - done)
        due = int(len(pending) * elapsed / script.seconds)
        if select.select([], [connection], [], 0.005)[1]:
            done += connection.send(pending[done:due])
        time.sleep(0.005)
    connection.setblocking(True)
    return {
        "updates sent per s": done / len(pending) * script.updates / script.seconds,
        "median kB waiting": statistics.median(behind) / 1e3,
        "most kB waiting": max(behind) / 1e3,
    }


class Served:
    """One client, answered until it hangs up or is to be hung up on."""

    def __init__(self, connection: socket.socket, script: Script) -> None:
        self.account: dict[str, float] = {}
        self._connection = connection
        self._script = script

    def run(self) -> None:
        received = b""
        while data := self._connection.recv(65536):
            received += data
            end = 0
            for command in COMMAND.finditer(received):
                end = command.end()
                if not self._carry_out(command):
                    return
            received = received[end:]

    def _carry_out(self, command: re.Match[bytes]) -> bool:
        """False for the end."""
        if command[1] == b"Number":
            self._connection.sendall(self._script.answer)
        elif command[1] == b"Switch":
            return self._switch(set(SWITCHED_ON.findall(command[0])))
        else:
            self._connection.sendall(self._script.start)
        return True

    def _switch(self, on: set[bytes]) -> bool:
        if b"END" in on:
            return False
        if self._script.seconds:
            self.account = pace(self._connection, self._script)
        else:
            for piece in [self._script.one] if b"ONE" in on else self._script.flood:
                self._connection.sendall(piece)
        self._connection.sendall(DONE.encode())
        return True


def main() -> None:
    script = Script(parse(sys.argv[1:]))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    served = Served(connection, script)
    with connection, contextlib.suppress(OSError):  # the client hangs up when it has what it wanted
        served.run()
    print(json.dumps(served.account), flush=True)


if __name__ == "__main__":
    main()
