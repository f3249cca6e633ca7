"""Debian's indiserver with its simulators, moved and read through txque and rxque alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.servers import CCD, FOCUSER, TELESCOPE, WHEEL, IndiServer, Server
from tests.support.session import Item, QueueSession
from tests.support.simulators import connect, connect_camera, expose

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with IndiServer(TELESCOPE, CCD, FOCUSER, WHEEL) as server:
        yield server


@pytest.fixture
def session(server: Server) -> Iterator[QueueSession]:
    with QueueSession(server.port) as session:
        yield session


@pytest.mark.parametrize(
    ("device", "vector"),
    [
        (TELESCOPE, "EQUATORIAL_EOD_COORD"),
        (CCD, "CCD_EXPOSURE"),
        (FOCUSER, "ABS_FOCUS_POSITION"),
        (WHEEL, "FILTER_SLOT"),
    ],
)
def test_a_simulator_connects_and_then_defines_what_it_does(
    session: QueueSession, device: str, vector: str
) -> None:
    connect(session, device)
    snap = session.wait_until(lambda snap: snap[device][vector].enable)
    assert snap[device]["CONNECTION"].state == "Ok"
    assert dict(snap[device]["CONNECTION"]) == {"CONNECT": "On", "DISCONNECT": "Off"}


def test_a_telescope_slews_to_its_target(session: QueueSession) -> None:
    connect(session, TELESCOPE)
    session.command(TELESCOPE, "ON_COORD_SET", {"TRACK": "On", "SLEW": "Off", "SYNC": "Off"})
    # the definition says 0, 0: the first report is where the telescope points
    here = session.wait(lambda item: coordinates_set(item)).snapshot[TELESCOPE]["EQUATORIAL_EOD_COORD"]
    target = {"RA": (here.getfloatvalue("RA") + 0.1) % 24, "DEC": here.getfloatvalue("DEC") - 2}
    session.send(TELESCOPE, "EQUATORIAL_EOD_COORD", target)
    session.wait(lambda item: coordinates_set(item, "Busy"))
    arrived = session.wait(lambda item: coordinates_set(item, "Ok"), timeout=30)
    there = arrived.snapshot[TELESCOPE]["EQUATORIAL_EOD_COORD"]
    assert {name: there.getfloatvalue(name) for name in target} == pytest.approx(target, abs=0.01)


def coordinates_set(item: Item, state: str | None = None) -> bool:
    """Say whether the telescope reports its coordinates, in this state if one is given."""
    if item[:3] != ("Set", TELESCOPE, "EQUATORIAL_EOD_COORD"):
        return False
    return state is None or item.snapshot[TELESCOPE]["EQUATORIAL_EOD_COORD"].state == state


def test_a_focuser_moves_to_an_absolute_position(session: QueueSession) -> None:
    connect(session, FOCUSER)
    answer = session.command(FOCUSER, "ABS_FOCUS_POSITION", {"FOCUS_ABSOLUTE_POSITION": 49000}, timeout=30)
    assert answer.snapshot[FOCUSER]["ABS_FOCUS_POSITION"].getfloatvalue("FOCUS_ABSOLUTE_POSITION") == 49000


def test_a_filter_wheel_turns_to_a_slot(session: QueueSession) -> None:
    connect(session, WHEEL)
    answer = session.command(WHEEL, "FILTER_SLOT", {"FILTER_SLOT_VALUE": 5}, timeout=30)
    assert answer.snapshot[WHEEL]["FILTER_SLOT"].getfloatvalue("FILTER_SLOT_VALUE") == 5


@pytest.mark.parametrize("name", ["Hβ", "20 °C", "Ågström & <Ödland>", "暗視野", "🔭"])
def test_text_that_is_not_ascii_comes_back_as_it_was_sent(session: QueueSession, name: str) -> None:
    connect(session, WHEEL)
    answer = session.command(WHEEL, "FILTER_NAME", {"FILTER_SLOT_NAME_3": name})
    assert answer.snapshot[WHEEL]["FILTER_NAME"]["FILTER_SLOT_NAME_3"] == name


def test_ten_exposures_bring_ten_whole_frames(session: QueueSession) -> None:
    connect_camera(session)
    session.send(CCD, "CCD1", "Also")
    exposures = [0.10 + 0.01 * number for number in range(10)]
    frames = [expose(session, seconds) for seconds in exposures]
    assert [frame.header["EXPTIME"] for frame in frames] == pytest.approx(exposures)
    assert {frame.data.shape for frame in frames} == {(1024, 1280)}
