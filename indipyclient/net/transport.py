"""One connection to a server: bytes in, messages out, and the other way.

What must not wait for the program happens here, in the loop's own callbacks: bytes go through the
scanner as they arrive, pings are answered, and the end of the stream is seen at once. Everything
else is handed on, in order.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterable
from typing import Protocol

from ..protocol import Limits, Message, PingReply, PingRequest, Scanner, SetVector, encode
from .shared import Descriptors

__all__ = ["Connection", "Receiver"]

_CHUNK = 1 << 18  # bytes read at a time from a Unix socket
_MOST_DESCRIPTORS = 16  # that indiserver sends with one element
_GATHERED = 1 << 14  # bytes that are too many to wait for the end of a turn
_MOST_ANSWERS = 1 << 20  # bytes that may wait for a server which asks and does not read
_CLOSE_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class Receiver(Protocol):
    """Who is told what happens on a connection. Called in the loop, must not block."""

    def connection_made(self, connection: Connection) -> None:
        """The connection stands; nothing has been sent or received."""

    def messages_received(self, messages: list[Message]) -> None:
        """These came in."""

    def connection_lost(self, reason: Exception | None) -> None:
        """It is over; None if the stream ended in an orderly way, or was closed from here."""


class Connection(asyncio.Protocol):
    """A connection, as an asyncio protocol: made by `dial.connect`, ended by either side or `abort`.

    Attributes:
        last_received: time.monotonic() of the last bytes from the server.
        answers_pings: whether the server has answered a ping on this connection.
        paused: whether reading is paused because the program is behind.
    """

    def __init__(self, receiver: Receiver, limits: Limits) -> None:
        self._receiver = receiver
        self._scanner = Scanner(limits)
        self._descriptors = Descriptors()
        self._unix: socket.socket | None = None  # what is read from here, where asyncio does not read
        self._transport: asyncio.Transport | None = None
        self._lost = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._sent = 0  # bytes that were to be sent
        self._gathered: bytearray | None = None  # those that wait for the end of a turn; None: send at once
        self._unread = 0  # bytes of answers since the server last took something
        self._fault: Exception | None = None
        self.last_received = time.monotonic()
        self.answers_pings = False
        self.paused = False

    # -- called by asyncio ------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._receiver.connection_made(self)

    def data_received(self, data: bytes) -> None:
        self.last_received = time.monotonic()
        received = self._scanner.feed(data)
        for place, message in enumerate(received):
            if isinstance(message, SetVector):
                if message.kind == "BLOB":
                    received[place] = self._descriptors.fill(message)
            elif isinstance(message, PingRequest):
                self.answer(encode(PingReply(message.uid)))
            elif isinstance(message, PingReply):
                self.answers_pings = True
        if received:
            self._receiver.messages_received(received)

    def eof_received(self) -> None:
        # Returning nothing closes our side too: an INDI server that ends the stream is gone.
        if report := self._scanner.eof():
            self._receiver.messages_received(report)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._stop_reading()
        self._descriptors.close()
        self._lost.set()
        self._writable.set()
        self._receiver.connection_lost(exc or self._fault)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._unread = 0
        self._writable.set()

    # -- reading a Unix socket ---------------------------------------------------------------

    def read_with_descriptors(self, unix: socket.socket) -> None:
        """Read from here on through `unix`, a second handle on the socket, which is closed at the end."""
        if self._transport is None:  # it was lost at once
            unix.close()
            return
        self._transport.pause_reading()
        self._unix = unix
        self._watch(unix)

    def _watch(self, unix: socket.socket) -> None:
        asyncio.get_running_loop().add_reader(unix, self._readable, unix)

    def _stop_watching(self, unix: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(unix)

    def _stop_reading(self) -> None:
        unix, self._unix = self._unix, None
        if unix is not None:
            self._stop_watching(unix)
            unix.close()

    def _readable(self, unix: socket.socket) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(unix, _CHUNK, _MOST_DESCRIPTORS, _CLOSE_ON_EXEC)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.abort()
            return
        self._descriptors.arrived(descriptors)
        if data:
            self.data_received(data)
        else:
            self.eof_received()
            self._stop_reading()
            self.close()

    # -- called by the client, in the loop --------------------------------------------------

    @property
    def open(self) -> bool:
        """Whether it still stands, as far as is known."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def untaken(self) -> int:
        """Bytes of what was sent that wait for the server to take what was before them."""
        if self._transport is None:
            return 0
        return self._transport.get_write_buffer_size() + len(self._gathered or b"")

    @property
    def taken(self) -> int:
        """Bytes of what was sent that do not wait any more."""
        return self._sent - self.untaken

    def send(self, pieces: Iterable[bytes]) -> None:
        """Queue the bytes of one message; nothing if the connection is over. Never blocks.

        The first in a turn of the loop goes out at once, small ones that follow it in the same turn go
        together when that ends: each time that the system is asked costs more than making a command.
        """
        for piece in pieces:
            transport = self._transport
            if transport is None or transport.is_closing():
                return
            self._sent += len(piece)
            if self._gathered is None:
                self._gathered = bytearray()
                asyncio.get_running_loop().call_soon(self._turn_ends)
                # one by one: writelines never says that the server is slow, in Python 3.12 and 3.13.0
                transport.write(piece)
                continue
            self._gathered += piece
            if len(self._gathered) >= _GATHERED:
                self._send_gathered()

    def _turn_ends(self) -> None:
        self._send_gathered()
        self._gathered = None

    def _send_gathered(self) -> None:
        if self._gathered and self._transport is not None:
            gathered, self._gathered = self._gathered, bytearray()
            self._transport.write(gathered)

    def answer(self, data: bytes) -> None:
        """As `send`, for what the server makes us send: there is a bound to how much of it may wait."""
        self._unread += 0 if self._writable.is_set() else len(data)
        if self._unread > _MOST_ANSWERS:
            self._fault = BufferError("the server asks on and on and reads no answer")
            self.abort()
        else:
            self.send([data])

    async def drained(self, timeout: float) -> bool:
        """Wait until the server has taken most of what was sent; False after `timeout` seconds."""
        return await _happens(self._writable, timeout)

    async def lost(self, timeout: float) -> bool:
        """Wait for the end of the connection; False after `timeout` seconds."""
        return await _happens(self._lost, timeout)

    def pause(self, paused: bool) -> None:
        """Stop or go on reading."""
        if self._transport is not None and paused is not self.paused:
            self.paused = paused
            self.last_received = time.monotonic()
            if self._unix is not None:
                (self._stop_watching if paused else self._watch)(self._unix)
            elif paused:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def close(self) -> None:
        """End it once the server has taken what was sent."""
        self._send_gathered()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End it at once, without waiting for what the server has not taken."""
        if self._transport is not None:
            self._transport.abort()


async def _happens(event: asyncio.Event, timeout: float) -> bool:
    if event.is_set():
        return True
    try:
        await asyncio.wait_for(event.wait(), timeout)
    except asyncio.TimeoutError:
        return False
    return True
