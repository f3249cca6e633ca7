"""Real INDI servers, each in a process group, on a port and with a home folder of its own.

`IndiServer` is Debian's `indiserver` with libindi's simulators, `IndiPyServer` is `indipyserver` with the
driver of `bench_driver.py`. Where one is not installed its tests are skipped, but in CI they fail.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from .deadline import becomes_true

START_SECONDS = 15.0
STOP_SECONDS = 10.0

TELESCOPE, CCD, FOCUSER, WHEEL = (
    "Telescope Simulator",
    "CCD Simulator",
    "Focuser Simulator",
    "Filter Simulator",
)
_SIMULATORS = {
    TELESCOPE: "indi_simulator_telescope",
    CCD: "indi_simulator_ccd",
    FOCUSER: "indi_simulator_focus",
    WHEEL: "indi_simulator_wheel",
}


def require(installed: bool, what: str) -> None:
    """Skip the test when `what` is not installed; in CI, where nothing may be skipped, fail it."""
    if installed:
        return
    if os.environ.get("CI") in ("true", "1"):
        pytest.fail(f"{what} is not installed, and CI must not go without it", pytrace=False)
    pytest.skip(f"{what} is not installed")


def free_port() -> int:
    """Return a TCP port that nobody listens on.

    It lies below the ports that systems hand to outgoing connections (32768 on Linux). Above that line
    another program's connection could take it while a server restarts, and a client that retries on loopback
    can even be connected to itself.
    """
    for _ in range(100):
        port = 20000 + secrets.randbelow(10000)
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port found")


class Server:
    """A server that can be killed and started again on its port; a context manager that leaves nothing."""

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="indi-test-")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def command(self) -> list[str]:
        raise NotImplementedError

    @property
    def log(self) -> str:
        """What the server and its drivers have printed so far."""
        return self._logfile.read_text(errors="replace")

    def __enter__(self) -> Server:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the server, and return once it accepts connections."""
        # libindi's drivers keep settings in ~/.indi: a home of its own keeps runs from influencing each other
        environment = {**os.environ, "HOME": self._folder.name}
        with self._logfile.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                env=environment,
                cwd=self._folder.name,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if not becomes_true(lambda: self._ended() or self._accepts(), START_SECONDS) or self._ended():
            raise RuntimeError(f"{self.command[0]} did not start on port {self.port}:\n{self.log}")

    def kill(self) -> None:
        """End the server and its drivers at once, as a crash or a power cut would."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        gone = becomes_true(lambda: not _running_in_group(process.pid), STOP_SECONDS)
        process.wait(STOP_SECONDS)
        if not gone:
            raise RuntimeError(f"{self.command[0]} left processes: {_running_in_group(process.pid)}")

    def restart(self) -> None:
        """Kill the server if it still runs, and start it again on the same port."""
        self.kill()
        self.start()

    def close(self) -> None:
        """End the server, and remove its folder."""
        self.kill()
        self._folder.cleanup()

    @property
    def _logfile(self) -> Path:
        return Path(self._folder.name, "server.log")

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


class IndiServer(Server):
    """Debian's `indiserver` with the simulators of the given devices."""

    def __init__(self, *devices: str, restarts: int = 0) -> None:
        """`restarts` is how often the server starts a driver again that ended."""
        programs = [_SIMULATORS[device] for device in devices]
        for program in ("indiserver", *programs):
            require(shutil.which(program) is not None, program)
        super().__init__()
        self._programs = programs
        self._restarts = restarts

    @property
    def command(self) -> list[str]:
        options = ["-p", str(self.port), "-u", self._socket, "-r", str(self._restarts)]
        return ["indiserver", *options, *self._programs]

    @property
    def unix_host(self) -> str:
        """What a client calls the server's Unix socket, by which frames come as file descriptors."""
        return f"localhost:{self._socket}"

    @property
    def _socket(self) -> str:
        # two servers on one machine must not share this name either
        return f"{self._folder.name}/socket"


class IndiPyServer(Server):
    """`indipyserver` with the driver of `bench_driver.py`."""

    def __init__(self) -> None:
        for package in ("indipydriver", "indipyserver"):
            require(importlib.util.find_spec(package) is not None, package)
        super().__init__()

    @property
    def command(self) -> list[str]:
        script = Path(__file__).with_name("bench_driver.py")
        return [sys.executable, str(script), str(self.port)]


def _running_in_group(group: int) -> list[str]:
    """Describe the processes of a group that still run; a zombie does not, it only waits for its parent."""
    return [
        f"{process.pid} {process.info['name']}"
        for process in psutil.process_iter(["name", "status"])
        if process.info["status"] != psutil.STATUS_ZOMBIE and _group_of(process.pid) == group
    ]


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
