"""The notebook among the examples, run as a user runs it."""

from __future__ import annotations

import base64
import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.display.page import Page
from tests.support.servers import CCD, IndiServer

from .running import Ran, formats, run

NOTEBOOK = Path(__file__).parents[2] / "examples" / "threaded" / "notebook.ipynb"


def run_example(folder: Path, **environment: str) -> Ran:
    with NOTEBOOK.open(encoding="utf-8") as file:
        notebook = formats().read(file, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "it is kept without outputs"
    ran = run(notebook, folder, **environment)
    assert "Error" not in ran.faults
    return ran


def thumbnail(page: Page) -> tuple[tuple[int, int], float, int]:
    """Size, median and brightest pixel of the picture on a page."""
    (source,) = page.attribute("img", "src")
    assert source is not None
    with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as picture:
        pixels = np.asarray(picture)
        return picture.size, float(np.median(pixels)), int(pixels.max())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the demo's instruments need Python 3.11")
def test_it_runs_as_it_is(tmp_path: Path) -> None:
    ran = run_example(tmp_path, INDI_SERVER="")
    client = Page(ran.shown("connect"))
    assert re.match(r"127\.0\.0\.1:\d+ connected 2 devices", client.text)
    assert client.row("CONNECTION")[1:] == ["Ok", "CONNECT"]
    device = Page(ran.shown("device"))
    assert device.text.startswith("Camera 7 properties ")
    assert device.row("CCD_TEMPERATURE_VALUE") == [
        "CCD_TEMPERATURE_VALUE Sensor",
        "18.00 C",
        "-30 … 30, step 1",
    ]
    frame = Page(ran.shown("frame"))
    assert "CCD1 Image .fits 158 kB" in frame.text
    size, sky, brightest = thumbnail(frame)
    assert size == (256, 192)
    assert sky < 40 < 240 < brightest
    statistics = re.fullmatch(
        r"240 x 320 pixels of uint16\nsky (\d+), brightest (\d+)\n", ran.text("statistics")
    )
    assert statistics
    assert 500 < int(statistics[1]) < 560  # 400 and twice 60, and faint stars
    assert int(statistics[2]) > 20_000
    assert "CCD_EXPOSURE_VALUE Duration" in Page(ran.shown("await")).text
    assert "Ok" in Page(ran.shown("await")).text
    assert "did you mean 'CCD_EXPOSURE_VALUE'?" in ran.text("refused")
    assert "takes 0.01 to 3600, not 1000000000.0" in ran.text("refused")
    assert "has been closed" in Page(ran.shown("close")).text
    for cell in ("connect", "device", "frame", "await", "close"):
        assert ran.shown(cell, "text/plain").startswith("<")  # plain text beside each page
        assert len(ran.shown(cell)) < 60_000


@pytest.mark.real
def test_it_runs_with_a_real_server(tmp_path: Path) -> None:
    with IndiServer(CCD) as server:
        ran = run_example(tmp_path, INDI_SERVER=f"127.0.0.1:{server.port}", INDI_CAMERA=CCD)
    assert f"127.0.0.1:{server.port} connected 1 device" in Page(ran.shown("connect")).text
    device = Page(ran.shown("device"))
    assert device.row("CCD_EXPOSURE_VALUE") == [
        "CCD_EXPOSURE_VALUE Duration",
        "1.00 s",
        "0.01 … 3600, step 1",
    ]
    assert thumbnail(Page(ran.shown("frame")))[0] == (256, 205)
    assert ran.text("statistics").startswith("1024 x 1280 pixels of uint16\n")
