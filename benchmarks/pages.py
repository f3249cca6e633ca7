"""Measures what the pages of notebooks cost, and thumbnails of frames.

    python benchmarks/pages.py

Prints the processor's time, the first and the median of later ones, and the size of what is made. Needs the
extra fits.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from indipyclient.arrays import to_fits, to_thumbnail
from indipyclient.protocol.scanner import Scanner
from indipyclient.state.apply import apply
from indipyclient.state.snapshots import Snap

ROUNDS = 9


def snap_of(devices: int, vectors: int, members: int) -> Snap:
    """So many number vectors with so many members in each of so many devices."""
    snap, now = Snap("localhost", 7624, True), datetime.now(timezone.utc)
    facts = 'label="Temperature (C)" format="%6.2f" min="-20" max="40" step="1"'
    inside = "".join(f'<defNumber name="N{one}" {facts}>7</defNumber>' for one in range(members))
    for device in range(devices):
        for vector in range(vectors):
            about = f'device="D{device}" name="V{vector}" label="Sensors" state="Ok" perm="rw"'
            element = f"<defNumberVector {about}>{inside}</defNumberVector>"
            for message in Scanner().feed(element.encode()):
                snap = apply(snap, message, now, lambda *names: ("", 0))
    return snap


def timed(name: str, make: Callable[[], Any]) -> None:
    """Print what it costs to make something, and how large it is."""
    times = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        made = make()
        times.append(1000 * (time.process_time() - begun))
    size = len(made.encode() if isinstance(made, str) else made)
    later = statistics.median(times[1:])
    print(f"{name:44} {times[0]:9.1f} ms first {later:9.1f} ms later {size / 1000:9.1f} kB")


def pages() -> None:
    """5000 members, all in one vector, in 1000 vectors, and in 5000 devices."""
    for devices, vectors, members in ((1, 1, 5000), (1, 1000, 5), (5000, 1, 1)):
        snap = snap_of(devices, vectors, members)
        device = snap["D0"]
        nodes = {"client": snap, "device": device, "vector": device["V0"]}
        for kind, node in nodes.items():
            timed(f"{kind}, {devices} x {vectors} x {members}", node._repr_html_)


def thumbnails() -> None:
    """Frames of 1 and of 60 million pixels, and pictures, which must be unpacked."""
    random = np.random.default_rng(1)
    for rows, columns in ((1024, 1280), (6400, 9600)):
        frame = memoryview(to_fits(random.normal(1000, 20, (rows, columns)).astype(np.uint16)))
        timed(f"FITS of {columns} x {rows} pixels", lambda frame=frame: to_thumbnail(frame, ".fits"))
    file = io.BytesIO()
    Image.fromarray(random.integers(0, 256, (3000, 3000, 3), np.uint8)).save(file, "JPEG")
    data = memoryview(file.getvalue())
    timed("JPEG of 3000 x 3000 pixels", lambda: to_thumbnail(data, ".jpg"))


if __name__ == "__main__":
    pages()
    thumbnails()
