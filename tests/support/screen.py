"""A screen that nobody sees: an X server with its pointer, its keyboard, and a look at what it shows."""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import subprocess

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

    def windows(self, title: str) -> list[int]:
        """The ids of the windows with this title that are to be seen."""
        command = ["xdotool", "search", "--onlyvisible", "--name", title]
        pipe = subprocess.PIPE
        found = subprocess.run(
            command, env=self.environment, stdout=pipe, stderr=pipe, timeout=20, check=False
        )
        return list(map(int, found.stdout.split()))

    def ask_to_close(self, title: str) -> None:
        """Do what a window manager does when the closing button of the window with this title is pressed."""
        for window in self.windows(title):
            _ask_to_close(self.display, window)


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


class _ClientMessage(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("rest_of_the_union", ctypes.c_long * 24),
    )


def _ask_to_close(display_name: str, window: int) -> None:
    """Send a window what a window manager sends when its closing button is pressed."""
    xlib = ctypes.CDLL("libX11.so.6")
    xlib.XOpenDisplay.restype = ctypes.c_void_p
    xlib.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(xlib.XOpenDisplay(display_name.encode()))
    assert display, f"no display {display_name}"
    protocols, delete = (
        xlib.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW")
    )
    message = _ClientMessage(33, 0, 1, None, window, protocols, 32, (delete, 0, 0, 0, 0))
    assert xlib.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))
    xlib.XCloseDisplay(display)
