"""A screen that nobody sees: an X server with its pointer, its keyboard, and a look at what it shows."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageGrab

from .servers import require

START_SECONDS = 30.0
SIZE = (1240, 800)


class Screen:
    """Xvfb on a display of its own; a context manager that ends it. `display` is its name, such as ``:7``."""

    def __init__(self, size: tuple[int, int] = SIZE) -> None:
        for program in ("Xvfb", "xdotool"):
            require(shutil.which(program) is not None, program)
        self.display = ""
        self._size = size
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Screen:
        told, tells = os.pipe()
        screen = f"{self._size[0]}x{self._size[1]}x24"
        command = ["Xvfb", "-displayfd", str(tells), "-screen", "0", screen, "-nolisten", "tcp", "-noreset"]
        try:
            self._server = subprocess.Popen(command, pass_fds=[tells], stderr=subprocess.DEVNULL)
            os.close(tells)
            self.display = f":{_line(told)}"
        except BaseException:
            self.__exit__()
            raise
        finally:
            os.close(told)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.wait(START_SECONDS)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a program whose windows shall be on this screen."""
        return {**os.environ, "DISPLAY": self.display}

    def look(self) -> NDArray[np.uint8]:
        """What is on the screen: (rows, columns, red green blue)."""
        return np.asarray(ImageGrab.grab(xdisplay=self.display).convert("RGB"))

    def start(self, *command: object) -> subprocess.Popen[bytes]:
        """Start ``xdotool``, as in ``start("click", 1)``; does not wait for the program to see it."""
        return subprocess.Popen(["xdotool", *map(str, command)], env=self.environment)

    def click(self, x: float, y: float) -> subprocess.Popen[bytes]:
        """Press the left button at a place, with the real pointer."""
        return self.start("mousemove", round(x), round(y), "click", 1)

    def windows(self, title: str) -> list[str]:
        """The ids of the windows with this title."""
        found: Any = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", title],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return list(found.stdout.split())


def _line(descriptor: int) -> str:
    """The line that Xvfb writes in two parts; closing the pipe between them would end it."""
    line = b""
    while not line.endswith(b"\n"):
        ready = select.select([descriptor], [], [], START_SECONDS)[0]
        part = os.read(descriptor, 16) if ready else b""
        if not part:
            raise RuntimeError("Xvfb did not start")
        line += part
    return line.decode().strip()
