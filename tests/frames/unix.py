"""A scripted server on a Unix socket, which hands over frames as file descriptors, as indiserver does."""

from __future__ import annotations

import os
import queue
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from indipyclient.protocol import GetProperties
from tests.support.scripted import PATIENCE, Client, Peer, Running, ScriptedServer


@contextmanager
def memory(*contents: bytes) -> Iterator[list[int]]:
    """Descriptors of shared memory with these contents, closed at the end, as a server does that has sent."""
    descriptors = [os.memfd_create("frame", os.MFD_CLOEXEC) for _ in contents]
    try:
        for descriptor, content in zip(descriptors, contents, strict=True):
            os.write(descriptor, content)
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


class UnixPeer(Peer):
    """The server's end of one connection, which can send descriptors too."""

    def hand(self, data: str | bytes, descriptors: Sequence[int]) -> None:
        """Send bytes, and with the first of them descriptors."""
        data = data.encode() if isinstance(data, str) else data
        sent = socket.send_fds(self._socket, [data], descriptors)
        self.send(data[sent:])

    def hand_frames(self, data: str | bytes, *contents: bytes) -> None:
        """Send bytes, and with the first of them descriptors of shared memory with these contents."""
        with memory(*contents) as descriptors:
            self.hand(data, descriptors)


class UnixServer(ScriptedServer):
    """A listener on a Unix socket: with an abstract name, or at a path."""

    def __init__(self, path: Path | None = None) -> None:
        self._address = str(path) if path else f"\0indi-test-{secrets.token_hex(8)}"
        self.unix_peers: list[UnixPeer] = []
        super().__init__()

    def __enter__(self) -> UnixServer:
        return self

    @property
    def host(self) -> str:
        """What a client calls this server."""
        return f"unix:{self._address.replace(chr(0), '@')}"

    def listen(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self._address)
        self._listener.listen()
        self._listener.settimeout(PATIENCE)

    def refuse(self) -> None:
        super().refuse()
        if not self._address.startswith("\0"):
            Path(self._address).unlink(missing_ok=True)

    def accept(self, timeout: float = PATIENCE) -> UnixPeer:
        assert self._listener is not None
        self._listener.settimeout(timeout)
        peer = UnixPeer(self._listener.accept()[0])
        self.peers.append(peer)
        self.unix_peers.append(peer)
        return peer

    def greet(self, definitions: str = "") -> UnixPeer:
        peer = self.accept()
        assert peer.receive() == GetProperties()
        peer.send(definitions)
        return peer


def unix_client(server: UnixServer, **timing: float) -> Client:
    """A client of such a server."""
    client = Client(server.port, **timing)
    client.indihost = server.host
    return client


@contextmanager
def running_client(client: Client) -> Iterator[Running]:
    """Run a client, and forget in the end what it has seen: as long as a frame is seen it is mapped."""
    with Running(client) as running:
        yield running
    running.seen.clear()
    client.seen = queue.Queue()


def held() -> list[int]:
    """The descriptors of shared memory that this process has open (Linux)."""
    return [int(entry.name) for entry in Path("/proc/self/fd").iterdir() if _is_memory(entry)]


def _is_memory(entry: Path) -> bool:
    try:
        return str(entry.readlink()).startswith("/memfd:frame")
    except FileNotFoundError:  # that of the listing itself
        return False
