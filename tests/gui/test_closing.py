"""A window that is closed ends its process within two seconds, whatever goes on."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.deadline import becomes_true
from tests.support.screen import Screen
from tests.support.scripted import BLOB, NUMBER, Peer, ScriptedServer, dead_address, frame, moved
from tests.support.servers import free_port, require

from .cases import gtk_python, has_qt, with_packages
from .conftest import EXAMPLES
from .tk_windows import PATIENCE

END_SECONDS = 2.0
NOISE = np.random.default_rng(1).integers(0, 255, 8_000_000, np.uint8).tobytes()


class Desk:
    """Where the programs of one toolkit are started and closed."""

    def __init__(self, toolkit: str, screen: Screen, folder: Path) -> None:
        self._toolkit, self._screen = toolkit, screen
        self._python = gtk_python() if toolkit == "gtk" else sys.executable
        # without such a folder Qt says so
        self._environment = {**with_packages(screen.environment), "XDG_RUNTIME_DIR": str(folder)}

    @contextmanager
    def program(self, name: str, title: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
        """One of the examples, once its window is there."""
        command = [self._python, str(EXAMPLES / f"{self._toolkit}_{name}.py"), *map(str, arguments)]
        pipe = subprocess.PIPE
        program = subprocess.Popen(command, env=self._environment, stdout=pipe, stderr=pipe, text=True)
        try:
            assert becomes_true(lambda: self._screen.windows(title) != [], PATIENCE)
            yield program
        finally:
            program.kill()
            program.communicate()

    def panel(self, *arguments: object) -> AbstractContextManager[subprocess.Popen[str]]:
        return self.program("panel", "^Observatory$", *arguments)

    def assert_ends(self, program: subprocess.Popen[str], title: str = "^Observatory$") -> None:
        """Press the window's closing button, and see the process end in time, and in good order."""
        self._screen.ask_to_close(title)
        out, errors = program.communicate(timeout=END_SECONDS)
        assert (program.returncode, out) == (0, "")
        # GTK may have something to say about the desktop, which is not there
        assert errors == "" or (self._toolkit == "gtk" and "Traceback" not in errors)


def desk_of(toolkit: str, screen: Screen, folder: Path) -> Desk:
    """The desk of a toolkit that is installed."""
    there: dict[str, Callable[[], object]] = {
        "tk": lambda: importlib.util.find_spec("tkinter"),
        "qt": lambda: has_qt("PySide6", "xcb", screen.display),
        "gtk": gtk_python,
    }
    require(bool(there[toolkit]()), toolkit)
    folder.chmod(0o700)
    return Desk(toolkit, screen, folder)


@pytest.fixture(params=["tk", "qt"])
def desk(request: pytest.FixtureRequest, screen: Screen, tmp_path: Path) -> Desk:
    return desk_of(request.param, screen, tmp_path)


def test_with_the_demos_instruments(desk: Desk) -> None:
    with desk.panel() as program:
        desk.assert_ends(program)


def test_while_it_connects(desk: Desk) -> None:
    with dead_address() as port, desk.panel("--host", "127.0.0.1", "--port", port) as program:
        desk.assert_ends(program)


def test_while_nobody_listens(desk: Desk) -> None:
    with desk.panel("--host", "127.0.0.1", "--port", free_port()) as program:
        desk.assert_ends(program)


def _idle(peer: Peer) -> None:
    """The server says nothing."""


def _dead(peer: Peer) -> None:
    peer.reset()


def _half_a_frame(peer: Peer) -> None:
    text = frame(NOISE).encode()
    peer.send(text[: len(text) // 2])


def _frames(peer: Peer) -> None:
    for _ in range(3):
        peer.send(frame(NOISE))


def _updates(peer: Peer) -> None:
    peer.send("".join(moved(number % 10) for number in range(20_000)))


@pytest.mark.parametrize("happens", [_idle, _dead, _half_a_frame, _frames, _updates])
def test_with_a_server(desk: Desk, server: ScriptedServer, happens: Callable[[Peer], Any]) -> None:
    with desk.panel("--host", "127.0.0.1", "--port", server.port) as program:
        peer = server.greet(NUMBER + BLOB)
        happens(peer)
        desk.assert_ends(program)


@pytest.mark.parametrize("toolkit", ["tk", "qt", "gtk"])
def test_the_first_window_too(toolkit: str, screen: Screen, tmp_path: Path) -> None:
    desk = desk_of(toolkit, screen, tmp_path)
    with desk.program("first", "^Thermostat$") as program:
        desk.assert_ends(program, "^Thermostat$")
