"""The examples, run as a user runs them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.servers import CCD, FOCUSER, TELESCOPE, WHEEL, IndiServer

EXAMPLES = Path(__file__).parents[1] / "examples" / "threaded"
PIPELINE, OBSERVE = EXAMPLES / "pipeline.py", EXAMPLES / "observe.py"
LINE = re.compile(r" +(\d) +([\d.]+) s +([\d.]+) +([\d.]+) +(\d+) +(\d+) +([\d.]+)")

needs_demo = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="indipydriver and indipyserver need Python 3.11"
)


def run(*arguments: str, script: Path = PIPELINE) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)


@needs_demo
def test_the_pipeline_averages_frames_of_the_demos_camera(tmp_path: Path) -> None:
    output = tmp_path / "mean.png"
    done = run("--frames", "3", "--exposure", "0.2", "--output", str(output))
    assert (done.returncode, done.stderr) == (0, "")
    _, *lines, last = done.stdout.splitlines()
    frames = [LINE.fullmatch(line) for line in lines]
    assert [frame and frame.group(1, 2) for frame in frames] == [("1", "0.20"), ("2", "0.20"), ("3", "0.20")]
    stars, noise = ([float(frame[field]) for frame in frames if frame] for field in (6, 7))
    assert min(stars) > 50
    assert noise[0] > noise[1] > noise[2]
    assert last == f"the mean of 3 frames is in {output}"
    with Image.open(output) as picture:
        pixels = np.asarray(picture)
    assert pixels.shape == (240, 320)
    assert np.median(pixels) < 30
    assert pixels.max() == 255


@needs_demo
def test_an_exposure_that_the_camera_refuses_ends_the_pipeline_with_the_reason(tmp_path: Path) -> None:
    done = run("--exposure", "99999", "--output", str(tmp_path / "mean.png"))
    assert done.returncode == 1
    assert done.stderr.startswith("Camera: CCD_EXPOSURE_VALUE must be")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real
def test_the_pipeline_takes_frames_from_a_real_server(tmp_path: Path) -> None:
    with IndiServer(CCD) as server:
        place = ["--host", "127.0.0.1", "--port", str(server.port), "--device", CCD]
        done = run(*place, "--frames", "2", "--exposure", "0.1", "--output", str(tmp_path / "mean.png"))
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list(filter(LINE.fullmatch, done.stdout.splitlines()))) == 2
    with Image.open(tmp_path / "mean.png") as picture:
        assert picture.size == (1280, 1024)


@needs_demo
def test_the_first_observation_is_with_the_demos_instruments() -> None:
    done = run(script=OBSERVE)
    assert (done.returncode, done.stderr) == (0, "")
    target, connection, frame = done.stdout.splitlines()
    assert target.split() == ["Thermostat", "TARGET", "Ok", "{'TARGET':", "18.5}"]
    assert connection.split()[:3] == ["Camera", "CONNECTION", "Ok"]
    assert re.fullmatch(r"Camera +320 x 240 pixels, from \d+ to \d{4,}", frame)


def test_an_observation_takes_25_lines() -> None:
    _, _, code = OBSERVE.read_text(encoding="utf-8").split('"""')
    assert len(list(filter(str.strip, code.splitlines()))) <= 25


README = (EXAMPLES.parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.real
def test_the_first_script_of_the_readme_takes_a_frame(tmp_path: Path) -> None:
    code = next(block for block in README.split("```python\n")[1:] if 'connect("localhost")' in block)
    script = tmp_path / "script.py"
    with IndiServer(CCD) as server:
        script.write_text(code.partition("```")[0].replace('"localhost"', f'"127.0.0.1", {server.port}'))
        done = run(script=script)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("(1024, 1280) ")


def test_an_observation_with_a_server_needs_nothing_of_the_demo() -> None:
    """Who installed the extra "fits", as the README says, has no indipydriver."""
    hidden = "import sys; sys.modules.update(indipyserver=None, indipydriver=None); del sys.argv[0]; "
    code = hidden + "import runpy; runpy.run_path(sys.argv[0])"
    command = [sys.executable, "-c", code, str(OBSERVE), "127.0.0.1", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert "NotConnected: no INDI server at 127.0.0.1:1" in done.stderr


@pytest.mark.real
def test_an_observation_with_a_real_server_is_what_the_readme_shows() -> None:
    with IndiServer(TELESCOPE, CCD, FOCUSER, WHEEL) as server:
        done = run("127.0.0.1", str(server.port), script=OBSERVE)
    assert (done.returncode, done.stderr) == (0, "")
    shown = README[README.index("Telescope Simulator CONNECTION") :].partition("```")[0]
    assert _rounded(done.stdout) == _rounded(shown)


def _rounded(output: str) -> list[str]:
    """Lines, with what differs from one run to the next left out: the last digits of numbers, the noise."""
    return [re.sub(r"(\.\d)\d+|from \d+ to \d+", r"\1", line).rstrip() for line in output.splitlines()]
