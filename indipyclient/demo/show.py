"""The demo itself: the thermostat is set, an exposure taken, and all that happens is printed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from .client import ClientThread, DemoError
from .frames import save_frame
from .instruments import DemoInstruments
from .report import Reporter
from .watch import connect

__all__ = ["show"]

_PATIENCE = 5.0  # seconds for what should happen at once
_TARGET = 21.0  # degrees Celsius
_EXPOSURE = 2.5  # seconds


def show(console: Console, folder: Path) -> None:
    """Start the instruments, run the demo against them and leave the frame in `folder`.

    Raises DemoError or OSError when a step fails; every step has its time limit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with DemoInstruments() as instruments, ClientThread(instruments.host, instruments.port) as client:
        console.print(f"A thermostat and a camera, served on {client.host}:{client.port}\n")
        _Demo(console, client, folder).run()


class _Demo:
    def __init__(self, console: Console, client: ClientThread, folder: Path) -> None:
        self._console = console
        self._client = client
        self._folder = folder
        self._reporter = Reporter(console)
        self._snapshot: Any = {}

    def run(self) -> None:
        connect(self._client, self._reporter, time.monotonic() + _PATIENCE)
        self._switch_camera_on()
        self._wait_for(lambda: self._vector("Thermostat", "TARGET") is not None, _PATIENCE, "a thermostat")
        self._command("Thermostat", "TARGET", {"TARGET": _TARGET})
        fits_path, png_path = save_frame(self._expose(_EXPOSURE), self._folder)
        self._wait_for(self._is_warm, 20, f"{_TARGET:g} degrees")
        self._console.print(f"\nThe room is at {_TARGET:g} degrees, and the camera's frame is here:")
        self._console.print(f"  {fits_path}\n  {png_path}", markup=False, soft_wrap=True)

    def _switch_camera_on(self) -> None:
        self._wait_for(lambda: self._vector("Camera", "CONNECTION") is not None, _PATIENCE, "a camera")
        self._command("Camera", "CONNECTION", {"CONNECT": "On"})
        self._wait_for(lambda: self._vector("Camera", "CCD1") is not None, _PATIENCE, "the camera's vectors")
        self._client.send("Camera", "CCD1", "Also")  # without this a server sends no BLOBs

    def _expose(self, seconds: float) -> bytes:
        """The frame of an exposure; a terminal shows a bar in place of the countdown's lines."""
        self._command("Camera", "CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": seconds})
        if self._console.is_terminal:
            self._reporter.hidden = ("Camera", "CCD_EXPOSURE")
        with _progress(self._console) as progress:
            bar = progress.add_task("", total=seconds)
            deadline = time.monotonic() + seconds + _PATIENCE
            while not self._frame_is_here():
                self._take_next(deadline, "a frame")
                progress.update(bar, completed=self._exposed(seconds))
            progress.update(bar, completed=seconds)
        self._reporter.hidden = None
        return bytes(self._vector("Camera", "CCD1")["CCD1"])

    def _exposed(self, seconds: float) -> float:
        """How long the shutter has been open."""
        exposure = self._vector("Camera", "CCD_EXPOSURE")
        left = exposure.getfloatvalue("CCD_EXPOSURE_VALUE")
        return seconds - left if exposure.state == "Busy" and left > 0 else 0.0

    def _frame_is_here(self) -> bool:
        done = self._vector("Camera", "CCD_EXPOSURE").state == "Ok"
        return done and self._vector("Camera", "CCD1")["CCD1"] is not None

    def _is_warm(self) -> bool:
        goal = self._vector("Thermostat", "TARGET")
        return bool(goal.state == "Ok" and goal.getfloatvalue("TARGET") == _TARGET)

    def _command(self, device: str, vector: str, members: dict[str, Any]) -> None:
        self._reporter.show_command(device, vector, members)
        self._client.send(device, vector, members)

    def _vector(self, device: str | None, vector: str | None) -> Any:
        """A vector of the newest snapshot, or None."""
        return self._snapshot.get(device, {}).get(vector)

    def _wait_for(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            self._take_next(deadline, what)

    def _take_next(self, deadline: float, what: str) -> None:
        """Show the next item and keep its snapshot. Raises DemoError if it is late or bad news."""
        item = self._client.next(deadline)
        if item is None:
            raise DemoError(f"waited in vain for {what}")
        self._reporter.show(item)
        self._snapshot = item.snapshot
        if item.eventtype == "ConnectionLost":
            raise DemoError("the connection to the instruments was lost")
        if item.eventtype == "Set" and self._vector(item.devicename, item.vectorname).state == "Alert":
            message = self._vector(item.devicename, item.vectorname).message
            raise DemoError(f"{item.devicename} {item.vectorname}: {message or 'Alert'}")


def _progress(console: Console) -> Progress:
    """A bar, on a terminal."""
    seen = TextColumn("{task.completed:.1f} of {task.total:.1f} s")
    bar = BarColumn(complete_style="yellow", finished_style="green")
    return Progress(TextColumn("Exposing"), bar, seen, console=console, disable=not console.is_terminal)
