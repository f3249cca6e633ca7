"""The harness itself: a test that leaves something, or lacks its server, does not pass."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable

import psutil
import pytest

from tests.support.leaks import Resources
from tests.support.servers import WHEEL, IndiPyServer, IndiServer, Server, require


def test_a_missing_server_skips_a_test_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="indiserver is not installed"):
        require(False, "indiserver")


@pytest.mark.parametrize("value", ["true", "1"])
def test_a_missing_server_fails_a_test_in_ci(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CI", value)
    with pytest.raises(pytest.fail.Exception, match="indiserver is not installed"):
        require(False, "indiserver")


def test_a_program_that_ends_at_once_is_no_server() -> None:
    class Ended(Server):
        command = property(lambda self: [sys.executable, "-c", "print('cannot serve')"])

    with pytest.raises(RuntimeError, match="cannot serve"), Ended():
        pass


@pytest.mark.real
@pytest.mark.parametrize("start", [lambda: IndiServer(WHEEL), IndiPyServer], ids=["libindi", "Python"])
def test_a_killed_server_leaves_no_process_and_starts_again_on_its_port(start: Callable[[], Server]) -> None:
    others = set(psutil.Process().children(recursive=True))  # servers that other tests keep for the session
    with start() as server:
        port, first = server.port, set(psutil.Process().children(recursive=True)) - others
        server.restart()
        assert server.port == port
        assert first.isdisjoint(psutil.Process().children(recursive=True))


def test_a_thread_a_process_and_a_socket_left_behind_are_named() -> None:
    before = Resources.now()
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="forgotten")
    thread.start()
    with socket.socket(), subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE):
        left = Resources.now().beyond(before)
    end.set()
    thread.join()
    assert "thread forgotten" in left
    assert any(line.startswith("process ") for line in left)
    assert any("socket:" in line for line in left)
