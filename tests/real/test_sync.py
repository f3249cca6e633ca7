"""Debian's indiserver with its simulators, moved and read through a `SyncClient`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import indipyclient
from indipyclient.errors import (
    ConnectionLostError,
    InvalidValue,
    PropertyAlert,
    UnknownDevice,
    UnknownMember,
    UnknownVector,
)
from indipyclient.sync.handles import DeviceHandle
from indipyclient.syncclient import SyncClient
from tests.support.deadline import becomes_true
from tests.support.servers import CCD, FOCUSER, TELESCOPE, WHEEL, IndiPyServer, IndiServer, Server

pytestmark = pytest.mark.real

SECONDS = 60.0  # for whatever a simulator does


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with IndiServer(TELESCOPE, CCD, FOCUSER, WHEEL) as server:
        yield server


@pytest.fixture
def indi(server: Server) -> Iterator[SyncClient]:
    with indipyclient.connect("127.0.0.1", server.port, timeout=SECONDS, patience=10) as indi:
        yield indi


def connected(indi: SyncClient, name: str) -> DeviceHandle:
    indi.wait_for_vector(name, "CONNECTION", timeout=SECONDS).put("CONNECT").result(SECONDS)
    return indi[name]


def test_a_slew_is_done_when_the_telescope_is_there(indi: SyncClient) -> None:
    telescope = connected(indi, TELESCOPE)
    telescope["TELESCOPE_PARK"].put("UNPARK").result(SECONDS)
    telescope["POLLING_PERIOD"].put(PERIOD_MS=50).result(SECONDS)
    position = telescope["EQUATORIAL_EOD_COORD"]
    # it may take wherever it points for a place near the first one: so it has no long way to go
    telescope["ON_COORD_SET"].put("SYNC").result(SECONDS)
    position.put(RA=5, DEC=80).result(SECONDS)
    telescope["ON_COORD_SET"].put("TRACK").result(SECONDS)
    for hours in (5.1, 5.3, 5.2):
        there = position.put(RA=hours, DEC="80:00:00").result(SECONDS)
        assert there.state == "Ok"
        assert there.member("RA").value == pytest.approx(hours, abs=0.01)
        assert position["DEC"] == pytest.approx(80, abs=0.1)


def test_a_slew_can_be_waited_for_as_a_state_or_a_place(indi: SyncClient) -> None:
    telescope = connected(indi, TELESCOPE)
    telescope["TELESCOPE_PARK"].put("UNPARK").result(SECONDS)
    position = telescope["EQUATORIAL_EOD_COORD"]
    position.put(RA=5.4, DEC=80)
    snap = indi.wait_for(lambda snap: snap[TELESCOPE]["EQUATORIAL_EOD_COORD"].state == "Ok", timeout=SECONDS)
    assert snap[TELESCOPE]["EQUATORIAL_EOD_COORD"].member("RA").value == pytest.approx(5.4, abs=0.01)
    position.put(RA=5.5, DEC=80)
    position.wait(member={"RA": 5.5}, tolerance=0.01, state="Ok", timeout=SECONDS)


def test_an_aborted_slew_is_over(indi: SyncClient) -> None:
    telescope = connected(indi, TELESCOPE)
    telescope["TELESCOPE_PARK"].put("UNPARK").result(SECONDS)
    slew = telescope["EQUATORIAL_EOD_COORD"].put(RA=12, DEC=-20)
    telescope["EQUATORIAL_EOD_COORD"].wait(state="Busy", timeout=SECONDS)
    telescope["TELESCOPE_ABORT_MOTION"].put("ABORT").result(SECONDS)
    assert slew.result(SECONDS).state == "Idle"


def test_a_filter_wheel_turns(indi: SyncClient) -> None:
    wheel = connected(indi, WHEEL)
    for slot in (3, 1):
        assert wheel["FILTER_SLOT"].put(FILTER_SLOT_VALUE=slot).result(SECONDS).state == "Ok"
        assert wheel["FILTER_SLOT"]["FILTER_SLOT_VALUE"] == slot


def test_a_focuser_moves(indi: SyncClient) -> None:
    focuser = connected(indi, FOCUSER)
    for position in (51000, 50000):
        moved = focuser["ABS_FOCUS_POSITION"].put(FOCUS_ABSOLUTE_POSITION=position).result(SECONDS)
        assert moved.member("FOCUS_ABSOLUTE_POSITION").value == position


def test_exposures_become_arrays(indi: SyncClient) -> None:
    camera = connected(indi, CCD)
    camera["POLLING_PERIOD"].put(PERIOD_MS=50).result(SECONDS)
    for seconds in (0.1, 0.2):
        frame = camera["CCD1"].expect_blob()
        exposure = camera["CCD_EXPOSURE"].put(CCD_EXPOSURE_VALUE=seconds)
        member = frame.result(SECONDS)
        assert member.array().shape == (1024, 1280)
        assert member.header()["EXPTIME"] == pytest.approx(seconds)
        assert exposure.result(SECONDS).state == "Ok"


def test_what_is_wrong_is_said_at_once(indi: SyncClient) -> None:
    camera = connected(indi, CCD)
    exposure = camera["CCD_EXPOSURE"]
    indi.patience = 0
    with pytest.raises(UnknownDevice, match="no device 'CCD Simulater'; did you mean 'CCD Simulator'"):
        indi["CCD Simulater"]
    with pytest.raises(
        UnknownVector, match="no vector of 'CCD Simulator' 'CCD_EXPOSUR'; did you mean 'CCD_EXPOSURE'"
    ):
        camera["CCD_EXPOSUR"]
    with pytest.raises(UnknownMember, match="'CCD_EXPOSURE_VALEU'; did you mean 'CCD_EXPOSURE_VALUE'"):
        exposure.put(CCD_EXPOSURE_VALEU=1)
    with pytest.raises(InvalidValue, match=r"number 'CCD_EXPOSURE_VALUE' .* takes 0\.01 to 3600, not 4000"):
        exposure.put(CCD_EXPOSURE_VALUE=4000)


def test_a_refusal_has_the_devices_own_words(indi: SyncClient) -> None:
    binning = connected(indi, CCD)["CCD_BINNING"]
    with pytest.raises(PropertyAlert, match="3x4 binning is not supported") as caught:
        binning.put(HOR_BIN=3, VER_BIN=4).result(SECONDS)
    assert caught.value.vector.state == "Alert"


def test_a_parked_telescope_says_idle_and_stays_where_it_is(indi: SyncClient) -> None:
    """libindi's way to refuse: no Alert, so there is only the value to tell, and a message."""
    telescope = connected(indi, TELESCOPE)
    telescope["POLLING_PERIOD"].put(PERIOD_MS=50).result(SECONDS)
    # parked where it stands, it has no way to go
    telescope["TELESCOPE_PARK"].put("UNPARK").result(SECONDS)
    telescope["TELESCOPE_PARK_OPTION"].put("PARK_CURRENT").result(SECONDS)
    telescope["TELESCOPE_PARK"].put("PARK").result(SECONDS)
    there = telescope["EQUATORIAL_EOD_COORD"].put(RA=5, DEC=80).result(SECONDS)
    assert (there.state, there.member("DEC").value) != ("Ok", 80)
    assert "unpark" in telescope.snapshot().messages[0][1]


def test_indipyserver_and_its_drivers_serve_it_too() -> None:
    content = bytes(number % 251 for number in range(1_000_000))
    with IndiPyServer() as server, indipyclient.connect("127.0.0.1", server.port, timeout=SECONDS) as indi:
        bench = indi.wait_for_device("Bench", timeout=SECONDS)
        assert bench["LEVELS"].put(LEVEL=42.5).result(SECONDS).member("LEVEL").value == 42.5
        assert dict(bench["LAMP"]) == {"LAMP_ON": False, "LAMP_OFF": True}
        bench["LAMP"].put("LAMP_ON").result(SECONDS)
        assert bench["LAMP"]["LAMP_ON"] is True
        frame = bench["DOWNLOAD"].expect_blob("FRAME")
        bench["UPLOAD"].put(FRAME=(content, 0, ".raw"), timeout=None)
        assert frame.result(SECONDS).membervalue == content


def test_a_server_that_is_killed_is_told_and_handles_go_on_with_the_next_one() -> None:
    with IndiServer(CCD) as server, indipyclient.connect("127.0.0.1", server.port, timeout=SECONDS) as indi:
        camera = connected(indi, CCD)
        exposure = indi.wait_for_vector(CCD, "CCD_EXPOSURE", timeout=SECONDS)
        exposing = exposure.put(CCD_EXPOSURE_VALUE=100)
        exposure.wait(state="Busy", timeout=SECONDS)
        server.kill()
        with pytest.raises(ConnectionLostError):
            exposing.result(SECONDS)
        server.start()
        assert becomes_true(lambda: CCD in indi and "CONNECTION" in camera, SECONDS)
        camera["CONNECTION"].put("CONNECT").result(SECONDS)
        indi.wait_for_vector(CCD, "CCD_EXPOSURE", timeout=SECONDS)
        assert exposure.put(CCD_EXPOSURE_VALUE=0.1).result(SECONDS).state == "Ok"
