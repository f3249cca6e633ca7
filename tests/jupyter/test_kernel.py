"""The synchronous client in a kernel, in which a loop runs all the time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.version_info < (3, 11):
    pytest.skip("the demo's instruments need Python 3.11", allow_module_level=True)

from indipyclient.demo.instruments import DemoInstruments
from tests.display.page import Page

from .running import cells, run

# indipyserver asks an element for its truth value, which Python 3.12 warns of
pytestmark = pytest.mark.filterwarnings("ignore:Testing an element's truth value:DeprecationWarning")

CONNECT = """
import os, indipyclient
indi = indipyclient.connect("127.0.0.1", int(os.environ["PORT"]))
indi.wait_for_device("Camera", timeout=20)
indi
"""
RUNNING = """
import threading
print(sorted(one.name.partition(":")[0] for one in threading.enumerate() if "indipyclient" in one.name))
"""


@pytest.fixture
def demo() -> Iterator[DemoInstruments]:
    with DemoInstruments(seed=1) as instruments:
        yield instruments


@pytest.mark.parametrize("told", ["", "a1b2"], ids=["by its text", "by what the front end says"])
def test_a_cell_that_is_run_again_closes_what_it_connected(
    demo: DemoInstruments, tmp_path: Path, told: str
) -> None:
    """Out[1] still has the first client, so it is not forgotten."""
    again = CONNECT if not told else CONNECT.replace("=20", "=21")  # as a user changes it
    look = "first, second = Out[1], Out[2]\nprint(first.running, second.running, indi is second, list(indi))"
    port = "int(os.environ['PORT'])"
    both = f"other = indipyclient.connect('127.0.0.1', {port})\nprint(indi.running, other.running)"
    ran = run(cells(CONNECT, again, look, RUNNING, both, told=told), tmp_path, PORT=str(demo.port))
    assert ran.text("2") == "False True True ['Thermostat', 'Camera']\n"
    assert ran.text("3") == "['indipyclient-127.0.0.1']\n"
    # another cell may have a client of its own
    assert ran.text("4") == ("True True\n" if not told else "False True\n")


def test_cells_may_block_and_await_and_complete_names_and_be_interrupted(
    demo: DemoInstruments, tmp_path: Path
) -> None:
    blocking = """
        import asyncio
        assert asyncio.get_running_loop().is_running()
        camera = indi["Camera"]
        camera["CONNECTION"].put("CONNECT").result(timeout=20)
        print(indi.wait_for_vector("Camera", "CCD1", timeout=20).state)
    """
    awaiting = """
        ticks = 0
        async def tick():
            global ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.01)
        ticking = asyncio.create_task(tick())
        exposure, target = await asyncio.gather(
            camera["CCD_EXPOSURE"].put(CCD_EXPOSURE_VALUE=0.5), indi["Thermostat"]["TARGET"].put(TARGET=18.5)
        )
        ticking.cancel()
        print(exposure.state, target.state, ticks > 10)
    """
    completing = """
        def completed(text):
            return get_ipython().Completer.complete(line_buffer=text, cursor_pos=len(text))[1]
        snap = indi.snapshot()
        exposure = camera["CCD_EXPOSURE"]
        print(completed('indi["Ca'), completed('snap["T'))
        print(completed('camera["CCD_E'), completed('exposure["'))
    """
    interrupting = """
        import os, signal, threading, time
        before = len(indi._engine.subscriptions)
        def press():
            while len(indi._engine.subscriptions) == before:
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)  # as the button does
        threading.Thread(target=press).start()
        try:
            indi.wait_for(lambda snap: False, timeout=None)
        except KeyboardInterrupt:
            print("interrupted", indi["Thermostat"]["TARGET"].put(TARGET=18.5).result(timeout=20).state)
    """
    closing = "indi.close()\ncamera"
    sources = (CONNECT, blocking, awaiting, completing, interrupting, closing)
    ran = run(cells(*sources), tmp_path, PORT=str(demo.port))
    assert ran.text("1") == "Idle\n"
    assert ran.text("2") == "Ok Ok True\n"
    assert ran.text("3") == "['Camera'] ['Thermostat']\n['CCD_EXPOSURE'] ['CCD_EXPOSURE_VALUE']\n"
    assert ran.text("4") == "interrupted Ok\n"
    assert "has been closed" in Page(ran.shown("5")).text


def test_a_kernel_ends_by_itself_with_a_client_that_nobody_closed(
    demo: DemoInstruments, tmp_path: Path
) -> None:
    ran = run(cells(CONNECT, RUNNING), tmp_path, PORT=str(demo.port))
    assert ran.text("1") == "['indipyclient-127.0.0.1']\n"
