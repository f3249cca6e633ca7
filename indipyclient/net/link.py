"""Keeps one connection to the server up: connect, ask, keep alive, come back.

The life of a link, as its owner is told it through `Owner.tell`:

    Attempting -> Made -> Asked -> messages ... -> Lost -> Retrying -> Attempting ...
    Attempting -> Failed -> Retrying -> Attempting ...

The first bytes on every connection are the global ``getProperties``: indiserver restricts for good
a connection that names a device before that. It is repeated only while nothing is known, because
each one makes every driver define everything again to every client.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

from ..protocol import GetProperties, Limits, Message, PingRequest, encode
from .dial import Endpoint, connect
from .transport import Connection

__all__ = ["Asked", "Attempting", "Failed", "Link", "Lost", "Made", "News", "Retrying", "Timing"]


@dataclass
class Timing:
    """The times of a connection, in seconds. All may be changed while the client runs.

    Attributes:
        connect_timeout: for one attempt to connect.
        send_timeout: for the server to take anything of what was sent; then the connection is given up.
        reconnect_min: the pause before the first attempt after a loss; it doubles with each failure.
        reconnect_max: the longest pause. Each is shortened at random by up to a quarter, so that
            many clients do not come back in step.
        ask_interval: between requests for definitions while nothing is known.
        idle_timeout: silence after which the server is pinged.
        respond_timeout: silence after which the connection is given up, if the server is one that
            has answered a ping on it. Silence alone is no fault: instruments may have nothing to say.
            Nor is it while the server takes a long command.
        keepalive: within which the system itself shall find out, where it can, that the other end is
            gone, whether the server answers pings or not; 0 for never. For connections made after.
    """

    connect_timeout: float = 5.0
    send_timeout: float = 20.0
    reconnect_min: float = 0.5
    reconnect_max: float = 30.0
    ask_interval: float = 5.0
    idle_timeout: float = 20.0
    respond_timeout: float = 40.0
    keepalive: float = 60.0

    def pause(self, failures: int) -> float:
        """Seconds to wait before the next attempt, after `failures` of them in a row."""
        longest = min(self.reconnect_max, self.reconnect_min * 2.0 ** min(failures, 30))
        return longest * random.uniform(0.75, 1.0)


class Attempting(NamedTuple):
    """An attempt to connect begins."""


class Made(NamedTuple):
    """The connection stands."""


class Asked(NamedTuple):
    """Definitions of everything were asked for."""


class Failed(NamedTuple):
    """An attempt to connect failed."""

    reason: Exception


class Lost(NamedTuple):
    """The connection has ended; `reason` None if in an orderly way."""

    reason: Exception | None


class Retrying(NamedTuple):
    """The next attempt comes in `seconds`."""

    seconds: float


News: TypeAlias = Attempting | Made | Asked | Failed | Lost | Retrying


class Owner(Protocol):
    """Who has a link. Called in the loop, must not block."""

    def tell(self, news: News) -> None:
        """A step in the life of the link."""

    def messages_received(self, messages: list[Message]) -> None:
        """These came in."""

    def knows_something(self) -> bool:
        """Whether any definition has arrived on this connection."""


class Link:
    """One connection after another to the same server. Belongs to one event loop.

    Args:
        endpoint: of the server.
        timing: gives the times; asked each time they are needed.
        limits: gives the limits on what one element may take; asked for each connection.
        hello: the first message on every connection, if any.
    """

    def __init__(
        self,
        owner: Owner,
        endpoint: Endpoint,
        timing: Callable[[], Timing],
        limits: Callable[[], Limits],
        hello: Message | None = GetProperties(),  # noqa: B008 - immutable
    ) -> None:
        self._owner = owner
        self._endpoint = endpoint
        self._timing = timing
        self._limits = limits
        self._hello = hello
        self._connection: Connection | None = None
        self._failures = 0
        self._giving_up: Exception | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a connection, as far as is known. May be read from any thread."""
        connection = self._connection
        return connection is not None and connection.open

    @property
    def answers_pings(self) -> bool:
        """Whether the server has answered a ping on this connection."""
        return self._connection is not None and self._connection.answers_pings

    async def run(self) -> None:
        """Keep the connection up until cancelled. What stands then is left to `close`."""
        while True:
            if await self._connect():
                await self._attend()
            pause = self._timing().pause(self._failures)
            self._failures += 1
            self._owner.tell(Retrying(pause))
            await asyncio.sleep(pause)

    def answer(self, data: bytes) -> None:
        """Send without waiting for the server to take it; nothing happens without a connection."""
        if self._connection is not None:
            self._connection.answer(data)

    async def send(self, pieces: Iterable[bytes]) -> bool:
        """Send the bytes of one message and wait until the server takes them.

        Returns:
            False if there is no connection, or if it was given up because the server took nothing
            for `send_timeout`.
        """
        connection = self._connection
        if connection is None or not connection.open:
            return False
        connection.send(pieces)
        timeout = self._timing().send_timeout
        taken = connection.taken
        while not await connection.drained(timeout):
            if connection.taken == taken:
                self._give_up(connection, TimeoutError(f"the server took nothing for {timeout:g} s"))
                return False
            taken = connection.taken
        return connection.open

    async def close(self, timeout: float) -> None:
        """End the connection; what the server has not taken after `timeout` seconds is dropped."""
        connection = self._connection
        if connection is not None:
            connection.close()
            if not await connection.lost(timeout):
                connection.abort()
                await connection.lost(timeout)

    def pause(self, paused: bool) -> None:
        """Stop or go on reading."""
        if self._connection is not None:
            self._connection.pause(paused)

    # -- called by the connection -----------------------------------------------------------

    def connection_made(self, connection: Connection) -> None:
        self._connection = connection
        self._giving_up = None
        if self._hello is not None:
            connection.send([encode(self._hello)])
        self._owner.tell(Made())
        if self._hello is not None:
            self._owner.tell(Asked())

    def messages_received(self, messages: list[Message]) -> None:
        self._failures = 0
        self._owner.messages_received(messages)

    def connection_lost(self, reason: Exception | None) -> None:
        self._connection = None
        self._owner.tell(Lost(self._giving_up or reason))

    # -- the steps --------------------------------------------------------------------------

    async def _connect(self) -> bool:
        self._owner.tell(Attempting())
        try:
            timing = self._timing()
            times = timing.connect_timeout, timing.keepalive
            await connect(self._endpoint, lambda: Connection(self, self._limits()), *times)
        except (OSError, ValueError) as error:  # the last: a name or port that is none
            self._owner.tell(Failed(error))
            return False
        return True

    async def _attend(self) -> None:
        """Look after the connection until it ends."""
        connection = self._connection
        asked = pinged = taking = time.monotonic()
        taken = 0
        while connection is not None and not await connection.lost(self._next_look()):
            now, timing = time.monotonic(), self._timing()
            if connection.untaken and connection.taken > taken:
                taking = now  # while it takes a long command, no ping reaches it
            taken = connection.taken
            silence = 0.0 if connection.paused else now - max(connection.last_received, taking)
            if not self._owner.knows_something() and now - asked >= timing.ask_interval:
                asked = now
                connection.send([encode(GetProperties())])
                self._owner.tell(Asked())
            if connection.answers_pings and silence >= timing.respond_timeout:
                self._give_up(connection, TimeoutError(f"the server was silent for {silence:.0f} s"))
            elif min(silence, now - pinged) >= timing.idle_timeout:
                pinged = now
                connection.send([encode(PingRequest(f"idle-{now:.0f}"))])

    def _next_look(self) -> float:
        timing = self._timing()
        known = self._owner.knows_something()
        return min(timing.idle_timeout, timing.respond_timeout, 1e9 if known else timing.ask_interval) / 2

    def _give_up(self, connection: Connection, reason: Exception) -> None:
        self._giving_up = reason
        connection.abort()
