"""What an indiserver can do to its client: lose a driver, go away, come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.servers import CCD, WHEEL, IndiServer, Server
from tests.support.session import Item, QueueSession
from tests.support.simulators import connect, connect_camera, expose

pytestmark = pytest.mark.real


@pytest.fixture
def server() -> Iterator[Server]:
    with IndiServer(CCD, WHEEL, restarts=3) as server:
        yield server


@pytest.fixture
def session(server: Server) -> Iterator[QueueSession]:
    with QueueSession(server.port) as session:
        session.wait_until(lambda snap: "CONNECTION" in snap[CCD] and "CONNECTION" in snap[WHEEL])
        yield session


def test_a_crashed_driver_is_deleted_and_defined_again(session: QueueSession) -> None:
    connect(session, CCD)
    session.wait_until(lambda snap: snap[CCD]["CCD_SIMULATE_CRASH"].enable)
    session.send(CCD, "CCD_SIMULATE_CRASH", {"CRASH": "On"})
    deleted = session.wait_event("Delete", CCD, None).snapshot
    assert not deleted[CCD].enable
    assert deleted[WHEEL].enable
    again = session.wait_event("Define", CCD, "CONNECTION").snapshot
    assert again[CCD].enable
    assert again[CCD]["CONNECTION"]["CONNECT"] == "Off"


def test_the_loss_of_the_server_is_seen_within_a_second(server: Server, session: QueueSession) -> None:
    server.kill()
    session.wait_event("ConnectionLost", None, None, timeout=1)
    after = session.wait_event("Message", None, None).snapshot
    assert not after.connected
    assert not after


def test_a_server_that_comes_back_is_used_again(server: Server, session: QueueSession) -> None:
    server.kill()
    session.wait_event("ConnectionLost", None, None, timeout=1)
    server.start()
    session.wait_event("ConnectionMade", None, None)
    session.wait_until(lambda snap: snap.connected and snap[CCD].enable and snap[WHEEL].enable)
    connect(session, WHEEL)


@pytest.mark.parametrize("asked_for", [None, "CCD1"], ids=["the device", "the vector"])
def test_blobs_asked_for_once_come_from_the_restarted_server_too(
    server: Server, session: QueueSession, asked_for: str | None
) -> None:
    connect_camera(session)
    session.send(CCD, asked_for, "Also")
    expose(session, 0.1)
    server.restart()
    session.wait_event("ConnectionMade", None, None)
    session.wait_until(lambda snap: snap.connected and snap[CCD].enable)
    connect_camera(session)
    expose(session, 0.1)


def test_a_silent_server_is_kept_and_not_asked_for_everything_again(server: Server) -> None:
    """In 0.9 each spell of silence made every driver define everything again, to every client."""
    defined: Counter[str] = Counter()

    def lost(item: Item) -> bool:
        defined[item.devicename] += item.eventtype == "Define" and item.vectorname == "CONNECTION"
        return bool(item.eventtype == "ConnectionLost")

    # nothing is to happen: simulators that are not connected say nothing for twelve spells of silence
    with (
        QueueSession(server.port, idle_timeout=0.25, respond_timeout=1.0) as session,
        pytest.raises(AssertionError, match="no such item"),
    ):
        session.wait(lost, timeout=3)
    # a server that has just been started tells what it has before it is asked, and then once more
    assert defined[CCD] in (1, 2)
    assert defined[WHEEL] in (1, 2)
