"""indipyconsole 0.0.4 in a terminal; the copy of indipyclient that it carries is replaced by this package."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.apps.terminal import Terminal
from tests.support.servers import CCD, TELESCOPE, Server

# the first test here may wait for the environment to be made
pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

TIME = r"\d\d:\d\d:\d\d\.\d\d"


@pytest.fixture
def terminal(observatory: Server, python: str) -> Iterator[Terminal]:
    where = ["--host", "127.0.0.1", "--port", str(observatory.port)]
    with Terminal([python, "-I", "-m", "indipyconsole", *where]) as terminal:
        terminal.waits_for("getProperties sent")
        yield terminal


def test_it_starts_with_its_messages_and_quits(terminal: Terminal, observatory: Server) -> None:
    terminal.waits_for(f"{TIME}  Connected to 127.0.0.1:{observatory.port}")
    terminal.choose("Quit")
    assert terminal.waits_for_end() == "0"


def _show_devices(terminal: Terminal) -> None:
    terminal.choose("Devices")
    terminal.waits_for(CCD)
    terminal.waits_for(TELESCOPE)


def test_it_lists_the_devices(terminal: Terminal) -> None:
    _show_devices(terminal)
    terminal.choose("Quit")
    assert terminal.waits_for_end() == "0"


def test_a_property_is_shown_sent_and_confirmed(terminal: Terminal) -> None:
    _show_devices(terminal)
    # Tab goes through the devices that were known when the page was opened, so it is opened once more
    terminal.choose("Messages")
    terminal.waits_for("Enable/Disable Received BLOB")
    _show_devices(terminal)
    terminal.choose(CCD)
    terminal.waits_for(f"Device: {CCD}")
    terminal.choose("Filter Wheel")
    terminal.waits_for(r"FILTER_SLOT *\] +Filter Slot +Idle")
    terminal.choose("FILTER_SLOT")
    terminal.waits_for(r"FILTER_SLOT_VALUE\] +1\s")
    terminal.choose("Submit")
    terminal.waits_for(f"{TIME} +OK")
    terminal.choose("Quit")
    assert terminal.waits_for_end() == "0"
