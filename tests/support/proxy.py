"""A proxy between a client and a real server that does to the connection what bad networks do.

It runs in a thread of its own, and its faults are switched from the test's thread. What is left to
chance comes from a seeded generator. Bytes are cut, held up, spoilt or lost, but never change places.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from .servers import free_port

PATIENCE = 20.0

T = TypeVar("T")


class Way:
    """One direction through the proxy, and what is wrong with it; may be changed at any time.

    Attributes:
        piece: most bytes that are passed on at a time; 0 for as they come.
        delay: seconds before each piece.
        flip: the probability of one bit of a byte being turned.
        drop: the probability of a byte being lost.
        swallowed: whether everything is taken and nothing passed on: the far end is a black hole.
        passed: how many bytes have been passed on.
    """

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.go = asyncio.Event()  # cleared while this way is stalled: then nothing is even taken
        self.go.set()
        self.passed = 0
        self.heal()

    def heal(self) -> None:
        """All is well, but for a stall."""
        self.piece, self.delay, self.flip, self.drop, self.swallowed = 0, 0.0, 0.0, 0.0, False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What becomes of bytes that came in."""
        if self.swallowed:
            return
        if self.flip or self.drop:
            data = self._spoil(data)
        step = self.piece or len(data)
        for start in range(0, len(data), step or 1):
            yield data[start : start + step]

    def _spoil(self, data: bytes) -> bytes:
        spoilt = bytearray()
        for byte in data:
            if self._dice.random() < self.flip:
                byte ^= 1 << self._dice.randrange(8)
            if self._dice.random() >= self.drop:
                spoilt.append(byte)
        return bytes(spoilt)


class Proxy:
    """Listens on a loopback port and passes each connection on; a context manager.

    Args:
        target: the server's port on this machine.
        seed: of what is left to chance.
        tls: with what to meet the client, if not in plain text.
        host: the address to listen on.

    Attributes:
        port: to connect to.
        down, up: the ways from server to client and from client to server.
        accepted: how many connections there have been.
    """

    def __init__(
        self, target: int, seed: int = 0, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> None:
        self.port = free_port()
        self.accepted = 0
        dice = random.Random(seed)
        self.down, self.up = Way(dice), Way(dice)
        self._target = target
        self._tls = tls
        self._host = host
        self._server: asyncio.Server | None = None
        self._writers: dict[asyncio.StreamWriter, asyncio.StreamWriter] = {}  # client's side: server's side
        self._muted: set[asyncio.StreamWriter] = set()  # to these nothing is sent any more
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="Proxy", daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        self.listen()
        return self

    def __exit__(self, *exc: object) -> None:
        self.refuse()
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    # -- faults -----------------------------------------------------------------------------

    def listen(self) -> None:
        """Accept connections (again)."""
        self._do(self._listen())

    def refuse(self) -> None:
        """Accept no more connections; those there are stay."""
        self._call(self._stop_listening)

    def cut(self) -> None:
        """End all connections in an orderly way, both sides of them."""
        self._call(lambda: [writer.close() for pair in self._writers.items() for writer in pair])

    def reset(self) -> None:
        """End all connections with RST, to both sides."""
        self._call(lambda: [_reset(writer) for pair in self._writers.items() for writer in pair])

    def half_close(self) -> None:
        """Send the client no more, but go on taking from it."""
        self._call(lambda: [self._mute(client) for client in self._writers])

    def stall(self, *ways: Way) -> None:
        """Take nothing any more on these ways, as a peer does that hangs."""
        self._call(lambda: [way.go.clear() for way in ways])

    def go_on(self) -> None:
        """End all stalls."""
        self._call(lambda: [way.go.set() for way in (self.down, self.up)])

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return self._call(lambda: len(self._writers))

    # -- in the thread of the proxy ---------------------------------------------------------

    def _call(self, function: Callable[[], T]) -> T:
        async def call() -> T:
            return function()

        return self._do(call())

    def _do(self, coroutine: object) -> T:  # type: ignore[type-var]
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)  # type: ignore[arg-type]

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, self._host, self.port, ssl=self._tls)

    def _mute(self, client: asyncio.StreamWriter) -> None:
        self._muted.add(client)
        client.write_eof()

    def _stop_listening(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    async def _end(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # for the transports to close what they were told to

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        self._writers[writer] = to_server
        try:
            pumps = self._pump(reader, to_server, self.up), self._pump(from_server, writer, self.down)
            await asyncio.gather(*pumps)
        finally:
            del self._writers[writer]
            self._muted.discard(writer)
            for side in (writer, to_server):
                side.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        """Pass on what comes until it ends, then end the other side in the same way."""
        with contextlib.suppress(OSError):  # reset, by either side
            while True:
                await way.go.wait()
                data = await reader.read(1 << 16)
                if not data:
                    break
                for piece in way.pieces(data):
                    await way.go.wait()
                    if way.delay:
                        await asyncio.sleep(way.delay)
                    if writer not in self._muted:
                        writer.write(piece)
                        way.passed += len(piece)
                        await writer.drain()
            if writer.can_write_eof():
                if writer not in self._muted:
                    writer.write_eof()
                return
        writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
