"""Reaches a server: by TCP on each address of its name, with TLS if asked for, or by a Unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from ..offload import offload
from .address import unix_address
from .transport import Connection

__all__ = ["Endpoint", "connect", "keep_alive"]

# Seconds before the next address is tried beside the one that has not answered yet (RFC 8305).
_HEAD_START = 0.25
_PROBES = 4  # unanswered ones after which the system takes the other end for gone
_LONGEST = 50_000.0  # seconds; Linux takes 32767 for each of its times

_Address: TypeAlias = tuple[socket.AddressFamily, Any]


class Endpoint(NamedTuple):
    """Where a server is, and how it is spoken to.

    Fields:
        host: a name or address, or a Unix socket; see `address`.
        port: of TCP.
        tls: with what to speak TLS, or None for plain text.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None


async def connect(
    endpoint: Endpoint, make: Callable[[], Connection], timeout: float, patience: float
) -> Connection:
    """Connect to a Unix socket, or by TCP to whichever address of the host answers first.

    Args:
        make: makes the connection that then stands.
        timeout: seconds for the whole attempt, TLS included.
        patience: see `keep_alive`.

    Raises:
        OSError: no address could be connected to, in time (then TimeoutError), or the server's
            certificate is not what it has to be (ssl.SSLError).
        ValueError: a name or port that is none.
    """
    try:
        return await asyncio.wait_for(_connect(endpoint, make, patience), timeout)
    except asyncio.TimeoutError:  # before Python 3.11 not the built-in one
        with_tls = ", or none in TLS," if endpoint.tls is not None else ""
        raise TimeoutError(f"no answer{with_tls} within {timeout:g} s") from None


async def _connect(endpoint: Endpoint, make: Callable[[], Connection], patience: float) -> Connection:
    unix = unix_address(endpoint.host)
    if unix is not None and endpoint.tls is not None:
        raise ValueError(f"{endpoint.host} is a Unix socket, which has no TLS")
    if unix is not None:
        return await _connect_unix(unix, make())
    tcp = await _first_to_answer(await _addresses(endpoint.host, endpoint.port))
    # or a command waits, up to 40 ms, for the server to acknowledge the one before
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    keep_alive(tcp, patience)
    name = endpoint.host if endpoint.tls is not None else None
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(make, sock=tcp, ssl=endpoint.tls, server_hostname=name)
    return connection


async def _connect_unix(address: str, connection: Connection) -> Connection:
    """By a Unix socket, with descriptors. asyncio writes to it; it would lose them, so it does not read."""
    unix = await _open((socket.AF_UNIX, address))
    await asyncio.get_running_loop().create_unix_connection(lambda: connection, sock=unix)
    connection.read_with_descriptors(unix.dup())
    return connection


async def _addresses(host: str, port: int) -> list[_Address]:
    """The addresses of a host, each once."""
    if not 0 < port < 1 << 16:  # looking up takes it modulo that
        raise ValueError(f"{port} is not a port")
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((entry[0], entry[4]) for entry in await offload("lookup", look_up)))


async def _first_to_answer(addresses: Sequence[_Address]) -> socket.socket:
    """A socket connected to one of the addresses.

    indiserver listens on IPv4 only, and names may have addresses of both kinds, or dead ones: an
    address that refuses is followed by the next at once, and one that is silent soon.
    """
    attempts: list[asyncio.Task[socket.socket]] = []
    refusals: list[BaseException] = []
    try:
        while len(refusals) < len(addresses):
            more = len(attempts) < len(addresses)
            if more:
                attempts.append(asyncio.create_task(_open(addresses[len(attempts)])))
            waiting = [attempt for attempt in attempts if not attempt.done()]
            head_start = _HEAD_START if len(attempts) < len(addresses) else None
            done, _ = await asyncio.wait(waiting, timeout=head_start, return_when=asyncio.FIRST_COMPLETED)
            refusals += [refusal for attempt in done if (refusal := attempt.exception())]
            if winner := next((attempt for attempt in done if not attempt.exception()), None):
                attempts.remove(winner)
                return winner.result()
    finally:
        for attempt in attempts:
            attempt.cancel()
            attempt.add_done_callback(_discard)
    raise refusals[0] if refusals else OSError("the host has no address")


async def _open(address: _Address) -> socket.socket:
    family, place = address
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        await asyncio.get_running_loop().sock_connect(opened, place)
    except BaseException:
        opened.close()
        raise
    return opened


def _discard(attempt: asyncio.Task[socket.socket]) -> None:
    """Close what was connected too late."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


def keep_alive(tcp: socket.socket, patience: float) -> None:
    """Have the system itself find out that the other end is gone, as far as it can.

    So a connection into a network that swallows everything ends also with a server that has never
    answered a ping. A server that merely has nothing to say answers the system's probes.

    Args:
        patience: seconds until the connection is given up; 0 for never. Rounded to what systems take.
    """
    if patience <= 0:
        return
    patience = min(patience, _LONGEST)
    idle, between = max(1, round(patience / 2)), max(1, round(patience / 2 / _PROBES))
    options = {
        "TCP_KEEPIDLE": idle,
        "TCP_KEEPALIVE": idle,  # the same on macOS
        "TCP_KEEPINTVL": between,
        "TCP_KEEPCNT": _PROBES,
        "TCP_USER_TIMEOUT": max(1, round(patience * 1000)),  # for what is sent and not acknowledged
    }
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in options.items():
        if (option := getattr(socket, name, None)) is not None:
            with contextlib.suppress(OSError):  # a value that this system does not take
                tcp.setsockopt(socket.IPPROTO_TCP, option, value)
