"""A Tkinter panel that is closed ends its process within two seconds, whatever goes on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from tests.support.deadline import becomes_true
from tests.support.screen import Screen
from tests.support.scripted import BLOB, NUMBER, Peer, ScriptedServer, dead_address, frame, moved
from tests.support.servers import free_port

from .conftest import EXAMPLES
from .tk_windows import PATIENCE

END_SECONDS = 2.0
NOISE = np.random.default_rng(1).integers(0, 255, 8_000_000, np.uint8).tobytes()


@contextmanager
def panel(screen: Screen, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """The program, once its window is there."""
    command = [sys.executable, str(EXAMPLES / "tk_panel.py"), *map(str, arguments)]
    pipe = subprocess.PIPE
    program = subprocess.Popen(command, env=screen.environment, stdout=pipe, stderr=pipe, text=True)
    try:
        assert becomes_true(lambda: screen.windows("^Observatory$") != [], PATIENCE)
        yield program
    finally:
        program.kill()
        program.communicate()


def assert_ends(screen: Screen, program: subprocess.Popen[str]) -> None:
    """Press the window's closing button, and see the process end in time, in silence and in good order."""
    screen.ask_to_close("^Observatory$")
    out, errors = program.communicate(timeout=END_SECONDS)
    assert (program.returncode, out, errors) == (0, "", "")


def test_with_the_demos_instruments(tk_screen: Screen) -> None:
    with panel(tk_screen) as program:
        assert_ends(tk_screen, program)


def test_while_it_connects(tk_screen: Screen) -> None:
    with dead_address() as port, panel(tk_screen, "--host", "127.0.0.1", "--port", port) as program:
        assert_ends(tk_screen, program)


def test_while_nobody_listens(tk_screen: Screen) -> None:
    with panel(tk_screen, "--host", "127.0.0.1", "--port", free_port()) as program:
        assert_ends(tk_screen, program)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


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
def test_with_a_server(tk_screen: Screen, server: ScriptedServer, happens: Callable[[Peer], Any]) -> None:
    with panel(tk_screen, "--host", "127.0.0.1", "--port", server.port) as program:
        peer = server.greet(NUMBER + BLOB)
        happens(peer)
        assert_ends(tk_screen, program)


def test_the_first_window_too(tk_screen: Screen) -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, str(EXAMPLES / "tk_first.py")]
    with subprocess.Popen(command, env=tk_screen.environment, stdout=pipe, stderr=pipe, text=True) as program:
        assert becomes_true(lambda: tk_screen.windows("^Thermostat$") != [], PATIENCE)
        tk_screen.ask_to_close("^Thermostat$")
        out, errors = program.communicate(timeout=END_SECONDS)
    assert (program.returncode, out, errors) == (0, "", "")
