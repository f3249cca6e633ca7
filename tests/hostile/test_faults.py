"""A real indiserver behind a network that does what networks do, fault by fault.

After each the client must know what a client knows that never had a fault.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from indipyclient.state.snapshots import Snap
from tests.support.deadline import becomes_true
from tests.support.proxy import Proxy
from tests.support.scripted import Client, Running, Seen
from tests.support.servers import CCD, TELESCOPE, WHEEL, IndiServer, Server
from tests.support.session import QueueSession
from tests.support.simulators import connect
from tests.support.states import content

pytestmark = pytest.mark.real

PATIENCE = 20.0
DEVICES = {TELESCOPE, CCD, WHEEL}
# Silence counts a hundredth of what it does by default: 0.2 s to a ping, 0.4 s to the end.
QUICK = {"idle_timeout": 0.2, "respond_timeout": 0.4}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with IndiServer(TELESCOPE, CCD, WHEEL) as server:
        yield server


@pytest.fixture(scope="module")
def expected(server: Server) -> dict[str, Any]:
    """What a client knows that has a good connection."""
    with Running(Client(server.port)) as running:
        return content(settled(running))


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with Proxy(server.port, seed=9) as proxy:
        yield proxy


def settled(running: Running) -> Snap:
    """The state once everything has been defined: when a while after the last definition nothing is new."""
    client = running.client

    def complete() -> bool:
        snap = client.snapshot()
        return snap.keys() >= DEVICES and all("CONNECTION" in snap[name] for name in DEVICES)

    assert becomes_true(complete, PATIENCE)
    # each driver answers in order: what it is asked for after the definitions comes after them
    for name in DEVICES:
        running.call(client.send_getProperties(name, "CONNECTION"))
    defined = Counter[str]()

    def answered(seen: Seen) -> bool:
        if seen.event.vectorname == "CONNECTION":
            defined[seen.event.devicename] += 1
        return all(defined[name] >= 2 for name in DEVICES)

    running.wait(answered)
    return client.snapshot()


def knows(running: Running, expected: dict[str, Any]) -> bool:
    return becomes_true(lambda: content(running.client.snapshot()) == expected, PATIENCE)


def answers(running: Running) -> Callable[[], bool]:
    """Whether the server has answered a ping on the present connection."""
    link = running.client.inner("link")
    return lambda: getattr(link._connection, "answers_pings", False)


def is_lost(seen: Seen) -> bool:
    return seen.kind == "ConnectionLost"


@pytest.mark.parametrize("fault", [Proxy.cut, Proxy.reset, Proxy.half_close])
def test_a_connection_that_ends_is_seen_at_once_and_made_again(
    proxy: Proxy, expected: dict[str, Any], fault: Callable[[Proxy], None]
) -> None:
    with Running(Client(proxy.port)) as running:
        assert knows(running, expected)
        begun = time.monotonic()
        fault(proxy)
        running.wait(is_lost)
        assert time.monotonic() - begun < 5  # 0.9: 39 s; here some milliseconds
        # only now: until all have heard of the loss, the client knows what it knew
        assert becomes_true(lambda: proxy.accepted == 2, PATIENCE)
        assert knows(running, expected)


def test_a_server_that_refuses_is_tried_until_it_does_not(proxy: Proxy, expected: dict[str, Any]) -> None:
    with Running(Client(proxy.port, reconnect_max=0.1)) as running:
        assert knows(running, expected)
        proxy.refuse()
        proxy.reset()
        for _ in range(3):
            running.wait_text("Connection refused")
        proxy.listen()
        running.wait_for("ConnectionMade")
        assert knows(running, expected)


@pytest.mark.parametrize("ways", [("down",), ("up",), ("down", "up")], ids="+".join)
def test_a_connection_that_hangs_is_found_by_pings_and_made_again(
    proxy: Proxy, expected: dict[str, Any], ways: tuple[str, ...]
) -> None:
    """Half-open: nothing comes any more, and nothing says so. By default within 40 to 50 s."""
    with Running(Client(proxy.port, **QUICK)) as running:
        assert knows(running, expected)
        assert becomes_true(answers(running), PATIENCE)
        proxy.stall(*(getattr(proxy, way) for way in ways))
        running.wait_text("Connection timed out")
        running.wait(is_lost)
        assert not running.client.snapshot().connected
        proxy.go_on()
        assert knows(running, expected)


def test_a_black_hole_is_found_by_pings_and_left(proxy: Proxy, expected: dict[str, Any]) -> None:
    """Everything is taken and nothing comes of it: not even a command that is sent meets an error."""
    with Running(Client(proxy.port, **QUICK)) as running:
        assert knows(running, expected)
        assert becomes_true(answers(running), PATIENCE)
        proxy.down.swallowed = proxy.up.swallowed = True
        running.call(running.client.send_newVector(WHEEL, "CONNECTION", members={"CONNECT": "On"}))
        running.wait_text("Connection timed out")
        running.wait(is_lost)
        proxy.down.heal()
        proxy.up.heal()
        proxy.cut()  # what was swallowed before is lost; the client would only ask again after 5 s
        assert knows(running, expected)


@pytest.mark.parametrize("length", [1, 7])
def test_a_stream_in_pieces_is_the_same_stream(proxy: Proxy, expected: dict[str, Any], length: int) -> None:
    proxy.up.piece = proxy.down.piece = length
    with Running(Client(proxy.port)) as running:
        assert knows(running, expected)
        assert not [seen for seen in running.seen if is_lost(seen)]


def test_a_slow_network_only_takes_its_time(proxy: Proxy, expected: dict[str, Any]) -> None:
    """Each piece 5 ms late: it takes longer than the silence that is allowed, but it is no silence."""
    proxy.up.delay = proxy.down.delay = 0.005
    proxy.down.piece = 200
    with Running(Client(proxy.port, **QUICK)) as running:
        assert knows(running, expected)
        assert proxy.accepted == 1


@pytest.mark.parametrize(
    ("fault", "probability"), [("flip", 1e-4), ("flip", 0.01), ("drop", 1e-4), ("drop", 0.01)]
)
def test_spoilt_bytes_end_nothing_and_leave_nothing(
    proxy: Proxy, expected: dict[str, Any], fault: str, probability: float
) -> None:
    """While it lasts the connection stays, and what is whole is taken; the next one has it all."""
    setattr(proxy.down, fault, probability)
    with Running(Client(proxy.port)) as running:
        for _ in range(10):
            running.call(running.client.send_getProperties())
        assert becomes_true(lambda: proxy.down.passed > 50_000, PATIENCE)
        proxy.down.heal()
        assert running.client.connected and proxy.accepted == 1
        running.call(running.client.send_getProperties())
        assert becomes_true(lambda: content(running.client.snapshot()).keys() >= DEVICES, PATIENCE)
        proxy.cut()
        running.wait(is_lost)
        assert knows(running, expected)


def test_commands_go_on_after_each_loss(proxy: Proxy) -> None:
    with QueueSession(proxy.port) as session:
        for lose in (proxy.cut, proxy.reset, proxy.half_close):
            connect(session, WHEEL)
            session.command(WHEEL, "FILTER_SLOT", {"FILTER_SLOT_VALUE": 2}, timeout=30)
            lose()
            session.wait_event("ConnectionLost", None, None)
            session.wait_event("ConnectionMade", None, None)
