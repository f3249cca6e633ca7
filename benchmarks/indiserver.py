"""Debian's indiserver on a port, a Unix socket and with a home of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

__all__ = ["IndiServer", "installed"]


def installed() -> bool:
    """Whether there is one."""
    return shutil.which("indiserver") is not None


class IndiServer:
    """A context manager whose end is the end of the server and its drivers."""

    def __init__(self, *drivers: str | Path, **environment: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="indi-bench-")
        self._drivers = [str(driver) for driver in drivers]
        self._environment = {**os.environ, **environment, "HOME": self._folder.name}
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.unix = f"{self._folder.name}/socket"

    def __enter__(self) -> IndiServer:
        command = ["indiserver", "-p", str(self.port), "-u", self.unix, "-m", "1000", *self._drivers]
        with Path(self._folder.name, "log").open("wb") as log:
            self._process = subprocess.Popen(
                command, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + 10
        while not self._accepts():
            assert time.monotonic() < deadline, "indiserver does not start"
            time.sleep(0.05)
        return self

    def __exit__(self, *exc: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._folder.cleanup()

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
