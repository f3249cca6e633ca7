"""indipyterm 0.1.8, driven by `drive_indipyterm.py` as a user with a keyboard and a mouse would."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from astropy.io import fits

from tests.apps.compare import agree, labels_by_group
from tests.support.servers import CCD, TELESCOPE, Server
from tests.support.session import QueueSession

# the first test here may wait for the environment to be made
pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

DRIVE = Path(__file__).with_name("drive_indipyterm.py")
RUN_SECONDS = 240.0  # it takes ten, and many times that on a busy machine


class Visit(NamedTuple):
    """What the screen showed while somebody used the application, and the folder that it put BLOBs in."""

    report: dict[str, Any]
    folder: Path


@pytest.fixture(scope="module")
def visit(observatory: Server, python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """Use the application once, for all the tests here."""
    folder = tmp_path_factory.mktemp("blobs")
    report = tmp_path_factory.mktemp("report") / "report.json"
    command = [python, "-I", str(DRIVE), str(observatory.port), str(folder), str(report)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS)
    assert run.returncode == 0, run.stderr
    # what goes wrong in rxevent is logged, and the application goes on
    assert "ERROR" not in run.stderr, run.stderr
    yield Visit(json.loads(report.read_text()), folder)


def test_the_first_screen_lists_the_devices(visit: Visit) -> None:
    assert visit.report["devices"] == [CCD, TELESCOPE]


def test_the_first_screen_shows_the_messages(visit: Visit, observatory: Server) -> None:
    server = f"127.0.0.1:{observatory.port}"
    shown = [line.partition("  ")[2] for line in visit.report["messages"]]
    assert shown == [f"Attempting to connect to {server}", f"Connected to {server}", "getProperties sent"]


def test_the_device_page_shows_every_property_in_its_group(visit: Visit, session: QueueSession) -> None:
    agree(lambda: labels_by_group(session, CCD), lambda: visit.report["groups"])


def test_every_group_can_be_opened(visit: Visit) -> None:
    assert visit.report["visited"] == sorted(visit.report["groups"])


def test_numbers_are_shown_in_their_format(visit: Visit, session: QueueSession) -> None:
    vector = session.snap[CCD]["CCD_INFO"]
    expected = {vector.memberlabel(name): vector.getformattedvalue(name) for name in vector}
    assert visit.report["numbers"] == expected


def test_an_empty_form_is_submitted_with_what_stands_there(visit: Visit) -> None:
    assert visit.report["empty form confirmed"] is True


def test_an_exposure_of_a_second_goes_busy_then_ok(visit: Visit) -> None:
    states = [state for state, _ in groupby(visit.report["exposure"], key=lambda seen: seen[0])]
    assert states[-2:] == ["Busy", "Ok"]


def test_the_time_left_is_shown_while_exposing(visit: Visit) -> None:
    shown = {number for state, number in visit.report["exposure"] if state == "Busy"}
    assert len(shown) > 1


def test_the_frame_is_in_the_folder_for_blobs(visit: Visit) -> None:
    (frame,) = visit.folder.iterdir()
    assert frame.name == visit.report["frame"]
    with fits.open(frame) as hdus:
        hdus.verify("exception")
        assert hdus[0].header["EXPTIME"] == 1


def test_quitting_ends_the_client_and_the_application(visit: Visit) -> None:
    assert visit.report["stopped"] is True
    assert visit.report["exit"] == 0
