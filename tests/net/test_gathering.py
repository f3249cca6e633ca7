"""Small messages of one turn of the loop go out together, in order, and none of them late."""

from __future__ import annotations

import asyncio

import pytest

from indipyclient.net.transport import Connection
from indipyclient.protocol import Limits, Message


class Recorder(asyncio.Transport):
    """Stands where the socket would, and notes what is written at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        self.closed = True


class Nobody:
    """Is told what happens on a connection, and does not care."""

    def connection_made(self, connection: Connection) -> None:
        pass

    def messages_received(self, messages: list[Message]) -> None:
        pass

    def connection_lost(self, reason: Exception | None) -> None:
        pass


@pytest.fixture
def transport() -> Recorder:
    return Recorder()


@pytest.fixture
def connection(transport: Recorder) -> Connection:
    connection = Connection(Nobody(), Limits())
    connection.connection_made(transport)
    return connection


def test_one_message_goes_out_at_once(transport: Recorder, connection: Connection) -> None:
    async def send() -> list[bytes]:
        connection.send([b"one"])
        return list(transport.written)

    assert asyncio.run(send()) == [b"one"]


def test_a_burst_takes_two_writes(transport: Recorder, connection: Connection) -> None:
    pieces = [f"<{number}>".encode() for number in range(100)]

    async def send() -> None:
        for piece in pieces:
            connection.send([piece])
        assert connection.untaken == sum(map(len, pieces[1:]))
        await asyncio.sleep(0)
        assert connection.untaken == 0

    asyncio.run(send())
    assert transport.written == [pieces[0], b"".join(pieces[1:])]


def test_the_next_turn_begins_anew(transport: Recorder, connection: Connection) -> None:
    async def send() -> None:
        for _ in range(3):
            connection.send([b"a"])
            await asyncio.sleep(0)

    asyncio.run(send())
    assert transport.written == [b"a"] * 3


def test_long_pieces_do_not_wait(transport: Recorder, connection: Connection) -> None:
    async def send() -> list[int]:
        connection.send([b"<a>", *[bytes(100_000)] * 3, b"</a>"])
        return [len(data) for data in transport.written]

    assert asyncio.run(send()) == [3, 100_000, 100_000, 100_000]
    assert b"".join(transport.written).endswith(b"\x00</a>")


def test_what_waits_is_sent_before_the_connection_is_closed(
    transport: Recorder, connection: Connection
) -> None:
    async def send() -> None:
        connection.send([b"one", b"two", b"three"])
        connection.close()

    asyncio.run(send())
    assert transport.written == [b"one", b"twothree"]
    assert transport.closed


def test_nothing_is_sent_after_the_end(transport: Recorder, connection: Connection) -> None:
    async def send() -> None:
        connection.send([b"one", b"two"])
        connection.connection_lost(None)
        connection.send([b"three"])

    asyncio.run(send())
    assert transport.written == [b"one"]
