"""Programs in processes of their own, with a client in a thread, and how they end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.support.scripted import NUMBER, ScriptedServer

START_SECONDS = 20.0  # for the process to come to the point that matters
END_SECONDS = 5.0  # from there to its end: two at most, which a busy machine may stretch

START = """
import gc, logging, os, signal, sys, threading, time

# development mode also tells of every step of a loop that took long, which is the machine's affair
logging.getLogger("asyncio").setLevel(logging.ERROR)

def ready():
    print("ready", flush=True)

def ready_when_waiting(whose=None):
    # once the main thread stands still, in a function of that name: Python does not notice a signal that
    # comes just before it waits for a lock, and one that comes at the beginning can break a Condition
    def look():
        looks = before = 0
        while looks < 10:
            time.sleep(0.005)
            top = frame = sys._current_frames()[threading.main_thread().ident]
            here, names = (top, top.f_lasti), []
            while frame is not None:
                names.append(frame.f_code.co_name)
                frame = frame.f_back
            waits = here == before and "ready_when_waiting" not in names and (whose or names[0]) in names
            looks, before = (looks + 1 if waits else 0), here
        ready()
    threading.Thread(target=look, daemon=True).start()

port = int(sys.argv[1])
"""
PROLOGUE = f"""{START}
import asyncio, queue
from indipyclient.errors import MailboxClosed
from indipyclient.mailbox import Mailbox
from indipyclient.queclient import QueClient, runqueclient

def until(rxque, eventtype):
    while rxque.get(timeout=10).eventtype != eventtype:
        pass

txque, rxque = queue.Queue(), queue.Queue()
client = QueClient(txque, rxque, "127.0.0.1", port)
"""

RUNS = {
    "runqueclient": "target = lambda: runqueclient(txque, rxque, '127.0.0.1', port)\n",
    "asyncio.run": "target = lambda: asyncio.run(client.asyncrun())\n",
}
THREADS = {
    "daemon": "thread = threading.Thread(target=target, daemon=True)\nthread.start()\n",
    "no daemon": "thread = threading.Thread(target=target)\nthread.start()\n",
}

# Python 3.12 and newer refuse to start a thread while the interpreter exits; with this any version does
NO_MORE_THREADS = """
start = threading.Thread.start

def start_unless_exiting(self):
    if not threading.main_thread().is_alive():
        raise RuntimeError("can't create new thread at interpreter shutdown")
    start(self)

threading.Thread.start = start_unless_exiting
"""


def greet(server: ScriptedServer) -> None:
    """A server that defines something."""
    server.greet(NUMBER)


def fall_silent(server: ScriptedServer) -> None:
    """It accepts, says nothing and reads nothing."""
    server.accept()


def die(server: ScriptedServer) -> None:
    """It dies before the program does, and refuses connections from then on."""
    peer = server.greet(NUMBER)
    server.refuse()
    peer.reset()


class Ended(NamedTuple):
    """How a process has ended."""

    code: int
    out: str
    errors: str

    def assert_of(self, code: int, error: str) -> None:
        """It ended with this error, and said nothing else."""
        assert (self.code, self.errors.count("Traceback")) == (code, 1)
        assert self.errors.endswith(f"{error}\n")


class Program:
    """A process that runs Python code; a context manager that leaves none behind."""

    def __init__(self, code: str, *arguments: object) -> None:
        # in development mode whatever is not closed is said so, and a warning is an error;
        # from Python 3.12 on, a fork beside threads is warned of, which is what some tests are about
        options = ["-X", "dev", "-W", "error", "-W", "ignore:This process:DeprecationWarning"]
        command = [sys.executable, *options, "-c", code, *map(str, arguments)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *exc: object) -> None:
        self._kill()

    def wait_ready(self) -> None:
        """Wait until it says that it is ready."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line == "ready\n", line + self._process.communicate(timeout=START_SECONDS)[1]

    def interrupt(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self, within: float = END_SECONDS) -> Ended:
        """Wait for its end, which must come in time."""
        began = time.monotonic()
        try:
            out, errors = self._process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            out, errors = self._kill()
            waited = time.monotonic() - began
            raise AssertionError(f"still running after {waited:.1f} s: {out}{errors}") from None
        return Ended(self._process.returncode, out, errors)

    def _kill(self) -> tuple[str, str]:
        """End it, and what it may have forked."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.communicate()


def outcome(
    code: str,
    server: ScriptedServer | int,
    scene: Callable[[ScriptedServer], object] = greet,
    interrupt: signal.Signals | None = None,
) -> Ended:
    """Run a program until it is ready, interrupt it if asked to, and see it end by itself.

    Args:
        server: its server, or the port of one that is not played.
        scene: what the server does.
        interrupt: a signal to send to it.
    """
    with Program(code, server if isinstance(server, int) else server.port) as program:
        if isinstance(server, ScriptedServer):
            scene(server)
        program.wait_ready()
        if interrupt is not None:
            program.interrupt(interrupt)
        return program.end()
