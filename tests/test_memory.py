"""How much memory a client takes of what a server sends: in a process of its own, which reads nothing.

Defect 31: 300 MB of garbage took 400 MB, each item that nobody read 105 kB.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from indipyclient.protocol import EnableBLOB
from tests.support.deadline import becomes_true
from tests.support.scripted import BLOB, NUMBER, Peer, ScriptedServer, frame, moved

MB = 1 << 20
MOST = 100 * MB

# The client, its two queues of which nothing is read, and on each line of input the state as JSON.
PROGRAM = """
    import queue, sys, threading
    from indipyclient.queclient import QueClient
    from indipyclient.bridge.lifecycle import run

    txque, rxque = queue.Queue(), queue.Queue()
    limits = dict(rxque_blobs=1 << 24, backlog_blobs=1 << 24)
    client = QueClient(txque, rxque, "127.0.0.1", int(sys.argv[1]), **limits)
    thread = threading.Thread(target=run, args=[client.asyncrun])
    thread.start()
    for line in sys.stdin:
        print(client.snapshot().dumps(), flush=True)
    txque.put(None)
    thread.join()
"""


class Watched:
    """A client in a process, with a server of its own, and the memory that it takes."""

    def __init__(self, server: ScriptedServer, definitions: str) -> None:
        command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(server.port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.peer: Peer = server.greet(definitions)
        self._memory = psutil.Process(self._process.pid)
        self._most = self._marks = 0
        self.wait_until_handled()
        self._start = self._most

    @property
    def grown(self) -> int:
        """How many bytes more than at the start it has taken, at most."""
        return self._most - self._start

    def send(self, data: bytes, times: int) -> None:
        """Send the same again and again, and look at the memory in between."""
        for _ in range(times):
            self.peer.send(data)
            self._look()

    def wait_until_handled(self) -> dict[str, dict[str, str]]:
        """Wait until all that was sent was handled; the values of the device, by vector and member."""
        self._marks += 1
        self.peer.send(f'<message message="mark {self._marks}"/>')
        assert becomes_true(lambda: self._last_message() == f"mark {self._marks}", 30)
        self._look()
        state = self._state()
        vectors = state["devices"]["D"]["vectors"]
        return {
            name: {member: values["value"] for member, values in vector["members"].items()}
            for name, vector in vectors.items()
        }

    def end(self) -> None:
        """End the process as a program ends it: by None on the queue."""
        try:
            self._process.communicate(timeout=5)
        finally:
            self._process.kill()
            self._process.wait()

    def _last_message(self) -> str:
        messages = self._state()["messages"]
        return messages[0][1] if messages else ""

    def _state(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        state: dict[str, Any] = json.loads(self._process.stdout.readline())
        return state

    def _look(self) -> None:
        self._most = max(self._most, self._memory.memory_info().rss)


@pytest.fixture
def watched() -> Iterator[Watched]:
    with ScriptedServer() as server:
        watched = Watched(server, NUMBER + BLOB)
        yield watched
        watched.end()


@pytest.mark.parametrize(
    ("opening", "repeated"),
    [
        ("", b"garbage "),
        ("", bytes(64)),
        ('<setTextVector device="D" name="T"><oneText name="t">', b"on and on "),
        ('<message message="', b"without an end "),
        ("<!-- ", b"without an end "),
        ("<unknown>", b"\xff\xfe\x00&\"'>"),
    ],
    ids=["text", "zeros", "a text", "an attribute", "a comment", "an unknown element"],
)
def test_garbage_without_end_takes_little_and_the_next_update_is_read(
    watched: Watched, opening: str, repeated: bytes
) -> None:
    """Defect 31, row 36."""
    watched.peer.send(opening)
    watched.send(repeated * (MB // len(repeated)), 300)
    watched.peer.send(moved(7))
    assert watched.wait_until_handled()["N"] == {"x": "7", "y": "2"}
    assert watched.grown < MOST


def test_a_hundred_thousand_updates_that_nobody_reads_take_little_and_the_last_is_known(
    watched: Watched,
) -> None:
    """Defects 27 and 31."""
    numbers = ('<defNumberVector device="D" name="M" state="Ok" perm="ro">{}</defNumberVector>').format(
        "".join(f'<defNumber name="{name}" format="%g">0</defNumber>' for name in "abcd")
    )
    watched.peer.send(numbers)
    for count in range(100):
        updates = (_update(1000 * count + n) for n in range(1000))
        watched.send("".join(updates).encode(), 1)
    last = watched.wait_until_handled()["M"]
    assert last == {name: f"{99_999 + place}.25" for place, name in enumerate("abcd")}
    assert watched.grown < MOST


def _update(number: int) -> str:
    ones = (f'<oneNumber name="{name}">{number + place}.25</oneNumber>' for place, name in enumerate("abcd"))
    return f'<setNumberVector device="D" name="M" state="Ok">{"".join(ones)}</setNumberVector>'


def test_frames_that_nobody_reads_take_what_is_allowed_for_them(watched: Watched) -> None:
    """Defect 31: 50 frames of 4 MB took 218 MB, and so on without end."""
    assert watched.peer.receive() == EnableBLOB("Never", "D", "B")
    watched.send(frame(bytes(4 * MB)).encode(), 100)
    watched.wait_until_handled()
    assert watched.grown < MOST
