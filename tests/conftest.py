"""Holds for every test: whatever it starts or opens, it ends or closes."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.deadline import becomes_true
from tests.support.leaks import Resources
from tests.support.scripted import ScriptedServer

SETTLE_SECONDS = 10.0  # on a busy machine too

# A shell has what it runs in the background ignore Ctrl-C, and with it every program that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No example is at fault when the machine is busy with something else.
settings.register_profile(
    "patient", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")


def pytest_collection_finish() -> None:
    """Have the garbage collector pass over all that was imported, or each collection takes a good while."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves threads, child processes, files or sockets behind."""
    before = Resources.now()
    yield
    if not Resources.now().beyond(before):
        return
    # what only waits for the garbage collector, or is about to end, is not left behind
    gc.collect()
    if not becomes_true(lambda: not Resources.now().beyond(before), SETTLE_SECONDS):
        pytest.fail("left behind: " + "; ".join(Resources.now().beyond(before)), pytrace=False)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server that says what the test has it say."""
    with ScriptedServer() as server:
        yield server
