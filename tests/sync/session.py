"""A `SyncClient` and the server's end of its connection, both driven from the test's thread."""

from __future__ import annotations

import itertools
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from indipyclient.protocol import EnableBLOB, NewVector, PingRequest
from indipyclient.sync.handles import VectorHandle
from indipyclient.syncclient import SyncClient
from tests.bridge.threads import held_up
from tests.support.scripted import ALL, PATIENCE, Peer, ScriptedServer


class Session:
    """Connected, and all of `ALL` defined; a context manager that ends the client."""

    def __init__(self, server: ScriptedServer, definitions: str = ALL, **options: Any) -> None:
        self.server = server
        self._count = itertools.count()
        self.pings: list[str] = []  # of those that came with commands, and are not answered
        self.indi = SyncClient("127.0.0.1", server.port, **{"patience": 0, **options})
        self.indi._engine.timing.reconnect_min = 0.02
        self.peer: Peer = server.greet(definitions)
        self.settle()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.indi.close()
        assert not self.indi._thread.is_alive()

    def vector(self, name: str) -> VectorHandle:
        """A handle of a vector of the device D."""
        return self.indi["D"][name]

    def send(self, data: str) -> None:
        """Have the server send something, and wait until the client has handled it."""
        self.peer.send(data)
        self.settle()

    def settle(self) -> None:
        """Wait until the client has handled all that the server has sent."""
        box = self.indi.subscribe(kinds="Message")
        text = f"handled so far: {next(self._count)}"
        self.peer.send(f'<message message="{text}"/>')
        while not (messages := box.get(PATIENCE).snapshot.messages) or messages[0][1] != text:
            pass

    def stuck(self) -> AbstractContextManager[None]:
        """The client's thread is held up."""
        box = self.indi.subscribe(kinds="Message")
        return held_up(box, lambda: self.peer.send('<message message="this takes its time"/>'))

    def answer_first_ping(self) -> None:
        """From here on the client knows that the server answers pings, and sends one with each command."""
        *_, ping = self.peer.receive_until(lambda message: isinstance(message, PingRequest))
        assert isinstance(ping, PingRequest)
        self.send(pong(ping.uid))

    def carried_out(self) -> None:
        """Wait until the client has sent whatever it was asked for."""
        self.indi.wait_for(lambda snap: True, timeout=PATIENCE)

    def command(self) -> NewVector:
        """The next command that the server gets."""
        message = self.peer.receive()
        while isinstance(message, EnableBLOB | PingRequest):
            if isinstance(message, PingRequest):
                self.pings.append(message.uid)
            message = self.peer.receive()
        assert isinstance(message, NewVector)
        return message


def pong(uid: str) -> str:
    """The answer to a ping."""
    return f'<pingReply uid="{uid}"/>'
