"""How late a panel's window ever is, with 2000 updates a second and a 16 MB frame every second.

Usage: python benchmarks/gui.py [--toolkit tk|qt] [--seconds 15] [--json FILE]

The example panel runs as a user runs it, every part of it shown, on Xvfb if there is no display. A timer
in the window is due every 5 ms, and how much later it comes is the lateness: first with nothing to do,
which is what the machine does by itself, then with the traffic. "handler" is the processor time that one
delivery took. On a machine with other work to do, give it the processor first: chrt -r 5 python ...
"""

from __future__ import annotations

import argparse
import base64
import faulthandler
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "examples" / "threaded"), str(HERE)]

from traffic import define, update  # noqa: E402

VECTORS, MEMBERS = 100, 4
RATE = 2000  # updates per second
FRAME = 2896  # pixels in each direction: 16.8 MB of 16 bits
EVERY = 5  # ms between the ticks of the timer
QUIET = 4.0  # seconds with nothing to do
LAST = 424242


# -- the server, in a process of its own ------------------------------------------------------


def fits_frames() -> list[bytes]:
    """Two frames that differ, as elements ready to be sent."""
    from astropy.io import fits

    noise = np.random.default_rng(1)
    elements = []
    for level in (1000, 3000):
        file = io.BytesIO()
        fits.PrimaryHDU(noise.poisson(level, (FRAME, FRAME)).astype(np.uint16)).writeto(file)
        text = base64.b64encode(file.getvalue())
        one = f'<oneBLOB name="CCD1" size="{file.tell()}" format=".fits">\n'
        head = f'<setBLOBVector device="Bench" name="CCD1" state="Ok">\n{one}'
        elements.append(head.encode() + text + b"\n</oneBLOB>\n</setBLOBVector>\n")
    return elements


def serve(seconds: float) -> None:
    """Say the port, define the vectors for one client, be quiet for a while, then send all there is."""
    frames = fits_frames()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        connection, _ = listener.accept()
    definitions = "".join(define(number, MEMBERS) for number in range(VECTORS))
    blob = '<defBLOBVector device="Bench" name="CCD1" label="Image" group="G" state="Ok" perm="ro">'
    connection.sendall(f'{definitions}{blob}<defBLOB name="CCD1"/></defBLOBVector>\n'.encode())
    received = b""
    while b"enableBLOB" not in received:
        received += connection.recv(65536)
    time.sleep(QUIET)
    began, sent, shown = time.monotonic(), 0, 0
    while (elapsed := time.monotonic() - began) < seconds:
        if elapsed > shown:
            connection.sendall(frames[shown % 2])
            shown += 1
        due = int(elapsed * RATE)
        connection.sendall(
            "".join(update(n % VECTORS, MEMBERS, n % 10_000) for n in range(sent, due)).encode()
        )
        sent = due
        time.sleep(0.005)
    connection.sendall(update(VECTORS - 1, MEMBERS, LAST).encode())
    print(json.dumps({"updates": sent, "frames": shown}), flush=True)
    sys.stdin.read()  # the connection is lost when this process is killed


# -- the windows -------------------------------------------------------------------------------


class TkWindow:
    """The Tkinter panel."""

    def __init__(self, observatory: Any) -> None:
        import tkinter

        import tk_panel

        self.root = tkinter.Tk()
        self.window = tk_panel.Window(self.root, observatory)
        self.run, self.quit = self.root.mainloop, self.root.destroy

    def after(self, milliseconds: int, call: Any) -> None:
        self.root.after(milliseconds, call)

    def shown(self, *key: str) -> str:
        """The value that a row of the tree shows."""
        tree = self.window.tree
        return str(tree.set(tree.items[key], "value")) if key in tree.items else ""

    @property
    def header(self) -> str:
        return str(self.window.header.text["text"])


class QtWindow:
    """The Qt panel."""

    def __init__(self, observatory: Any) -> None:
        import qt_panel

        self._app = qt_panel.QtWidgets.QApplication([])
        self.window = qt_panel.Window(observatory)
        self.window.show()
        self._call: Any = None
        self._timer = qt_panel.QtCore.QTimer(self.window, singleShot=True)
        self._timer.setTimerType(qt_panel.Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(lambda: self._call())
        self.run, self.quit = self._app.exec, self.window.close

    def after(self, milliseconds: int, call: Any) -> None:
        self._call = call
        self._timer.start(milliseconds)

    def shown(self, *key: str) -> str:
        """The value that a row of the tree shows."""
        item = self.window.tree.items.get(key)
        return "" if item is None else str(item.text(1))

    @property
    def header(self) -> str:
        return str(self.window.header.text.text())


WINDOWS = {"tk": TkWindow, "qt": QtWindow}


class Watch:
    """Measures one run of a panel."""

    def __init__(self, window: Any, server: subprocess.Popen[str]) -> None:
        self._window, self._server = window, server
        self._late: dict[str, list[float]] = {"quiet": [], "busy": []}
        self._last = ("member", "Bench", f"V{VECTORS - 1}", "M0")
        self._process = psutil.Process()
        self._memory: list[int] = []
        self._handler: list[float] = []
        self._due = 0.0
        self._busy_since = self._killed = 0.0
        self.result: dict[str, Any] = {}

    def timed(self, handler: Any) -> Any:
        """A handler whose processor time is noted."""

        def call(items: list[Any], snapshot: Any) -> None:
            began = time.thread_time()
            handler(items, snapshot)
            self._handler.append(time.thread_time() - began)

        return call

    def tick(self) -> None:
        """Called by the window's timer, sooner or later."""
        now = time.monotonic()
        panel = self._window.window.panel
        if not self._busy_since and panel.vector("Bench", f"V{VECTORS - 1}") is not None:
            self._look_for_the_beginning(panel, now)
        elif self._killed:
            self._look_for_the_loss(now)
            return
        if self._due:
            self._late["busy" if self._busy_since else "quiet"].append((now - self._due) * 1e3)
        if self._window.shown(*self._last) == f"{LAST}":
            self._end(now)
        if len(self._late["busy"]) % 20 == 0:
            self._memory.append(self._process.memory_info().rss)
        self._due = time.monotonic() + EVERY / 1e3
        self._window.after(EVERY, self.tick)

    def _look_for_the_beginning(self, panel: Any, now: float) -> None:
        if panel.vector("Bench", "V0")["M0"] != "1":
            self._busy_since = now
            self._handler.clear()
        elif not self._late["quiet"]:
            self._memory.append(self._process.memory_info().rss)

    def _end(self, now: float) -> None:
        """The last value is shown: say what was measured, and take the server away."""
        self.result = {
            "lateness ms, quiet": self._percentiles(self._late["quiet"]),
            "lateness ms": self._percentiles(self._late["busy"]),
            "handler ms": self._percentiles([1e3 * seconds for seconds in self._handler]),
            "seconds": now - self._busy_since,
            "MB more memory at most": (max(self._memory) - self._memory[0]) / 1e6,
            "MB more memory at the end": (self._memory[-1] - self._memory[0]) / 1e6,
            "pictures": self._window.window.camera.picture is not None,
        }
        self._server.kill()
        self._killed = time.monotonic()

    @staticmethod
    def _percentiles(values: list[float]) -> dict[str, float]:
        names = {"median": 50, "99 %": 99, "99.9 %": 99.9, "most": 100}
        return {name: round(float(np.percentile(values, part)), 2) for name, part in names.items()}

    def _look_for_the_loss(self, now: float) -> None:
        if "lost" in self._window.header:
            self.result["ms until the loss is shown"] = (now - self._killed) * 1e3
            self._window.quit()
        else:
            self._window.after(EVERY, self.tick)


def measure(toolkit: str, seconds: float) -> dict[str, Any]:
    """Run a panel against the server."""
    from panel_model import Observatory, keep_window_quick

    command = [sys.executable, str(HERE / "gui.py"), "--serve", "--seconds", str(seconds)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdout is not None
        observatory = Observatory("127.0.0.1", int(server.stdout.readline()))
        window = WINDOWS[toolkit](observatory)
        keep_window_quick()
        watch = Watch(window, server)
        part = window.window
        for delivery in part.deliveries:
            delivery._batches._on_batch = watch.timed(delivery._batches._on_batch)
        window.after(EVERY, watch.tick)
        window.run()
        observatory.close()
        part.darkroom.close()
        sent = re.search(r"\{.*\}", server.stdout.read())
    return {"toolkit": toolkit, **watch.result, **json.loads(sent[0] if sent else "{}")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--toolkit", choices=WINDOWS, default="tk")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.seconds)
    elif "DISPLAY" not in os.environ and shutil.which("xvfb-run"):
        screen = ["xvfb-run", "-a", "-s", "-screen 0 1300x850x24"]
        raise SystemExit(subprocess.run([*screen, sys.executable, *sys.argv], check=False).returncode)
    else:
        faulthandler.dump_traceback_later(options.seconds + 60, exit=True)
        result = measure(options.toolkit, options.seconds)
        text = json.dumps(result, indent=2)
        print(text)
        if options.json:
            options.json.write_text(text)


if __name__ == "__main__":
    main()
