"""The demo: its physics and pictures, its instruments over a socket, and its programs as a user runs them."""

from __future__ import annotations

import io
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

if sys.version_info < (3, 11):
    pytest.skip("indipydriver and indipyserver need Python 3.11", allow_module_level=True)

from astropy.io import fits
from PIL import Image
from rich.console import Console

from indipyclient.__main__ import main
from indipyclient.demo import show as show_module
from indipyclient.demo.client import DemoError
from indipyclient.demo.frames import save_frame
from indipyclient.demo.instruments import DemoInstruments
from indipyclient.demo.report import Reporter
from indipyclient.demo.starfield import StarField
from indipyclient.demo.thermal import ThermalBody
from indipyclient.queclient import EventItem, runqueclient
from tests.support.servers import free_port

# indipyserver asks an element for its truth value, which Python 3.12 warns of
pytestmark = pytest.mark.filterwarnings("ignore:Testing an element's truth value:DeprecationWarning")

PATIENCE = 20.0
"""Seconds within which everything here happens on a slow machine."""

WITHOUT = """
import sys
sys.modules.update(dict.fromkeys({parts}))
from indipyclient.__main__ import main
sys.exit(main({arguments}))
"""
"""A program that runs the command line where some modules cannot be imported."""

EXAMPLE = Path(__file__).parents[1] / "examples" / "threaded" / "first.py"


class Talk:
    """A QueClient in its thread, and what it put on rxque so far."""

    def __init__(self, demo: DemoInstruments) -> None:
        self.txque: queue.Queue[Any] = queue.Queue()
        self.rxque: queue.Queue[EventItem] = queue.Queue()
        arguments = (self.txque, self.rxque, demo.host, demo.port)
        self.thread = threading.Thread(target=runqueclient, args=arguments, daemon=True)
        self.items: list[EventItem] = []

    def wait_for_item(self, condition: Callable[[EventItem], bool]) -> EventItem:
        deadline = time.monotonic() + PATIENCE
        while True:
            item = self.rxque.get(timeout=max(0.0, deadline - time.monotonic()))
            self.items.append(item)
            if condition(item):
                return item

    def wait_for(self, condition: Callable[[Any], bool]) -> None:
        """Wait for a snapshot, of an item that comes from now on, for which the condition holds."""
        self.wait_for_item(lambda item: condition(item.snapshot))

    def wait_for_vector(self, device: str, vector: str) -> None:
        self.wait_for(lambda snap: vector in snap.get(device, {}))

    def wait_for_state(self, device: str, vector: str, state: str) -> Any:
        """The vector, once the device itself says so: the client's own Busy comes with another event."""

        def says_so(item: EventItem) -> bool:
            if (item.eventtype, item.devicename, item.vectorname) != ("Set", device, vector):
                return False
            return bool(item.snapshot[device][vector].state == state)

        return self.wait_for_item(says_so).snapshot[device][vector]

    def connect_camera(self) -> None:
        self.wait_for_vector("Camera", "CONNECTION")
        self.txque.put(("Camera", "CONNECTION", {"CONNECT": "On"}))
        self.wait_for_item(lambda item: (item.eventtype, item.vectorname) == ("DefineBLOB", "CCD1"))
        self.txque.put(("Camera", "CCD1", "Also"))

    def expose(self, seconds: float) -> bytes:
        self.txque.put(("Camera", "CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": seconds}))
        self.wait_for_state("Camera", "CCD_EXPOSURE", "Busy")
        self.wait_for_state("Camera", "CCD_EXPOSURE", "Ok")
        return bytes(self.items[-1].snapshot["Camera"]["CCD1"]["CCD1"])


@pytest.fixture
def demo() -> Iterator[DemoInstruments]:
    with DemoInstruments(seed=1) as instruments:
        yield instruments


@pytest.fixture
def talk(demo: DemoInstruments) -> Iterator[Talk]:
    talk = Talk(demo)
    talk.thread.start()
    yield talk
    talk.txque.put(None)
    talk.thread.join(PATIENCE)
    assert not talk.thread.is_alive()


def answer(demo: DemoInstruments, *elements: bytes, expected: bytes) -> bytes:
    """What the server sends for these elements, up to and with what matches `expected`."""
    received = b""
    with socket.create_connection((demo.host, demo.port), timeout=PATIENCE) as connection:
        connection.sendall(b"".join(elements))
        while not re.search(expected, received, re.DOTALL):
            data = connection.recv(65536)
            assert data, f"the connection ended after {received!r}"
            received += data
    return received


# physics and pictures


@pytest.mark.parametrize("target", [25.0, 12.0])
def test_a_driven_body_comes_to_its_target_and_stays(target: float) -> None:
    body = ThermalBody(temperature=18.0, ambient=18.0, time_constant=25.0, strength=1.5)
    body.advance(60, target)
    assert body.temperature == pytest.approx(target, abs=0.01)
    body.advance(60, target)
    assert body.temperature == pytest.approx(target, abs=0.01)


def test_a_body_left_alone_follows_newtons_law_of_cooling() -> None:
    body = ThermalBody(temperature=28.0, ambient=18.0, time_constant=25.0, strength=1.5)
    body.advance(25, None)
    assert body.temperature == pytest.approx(18 + 10 / np.e, abs=0.02)
    assert body.power == 0


def test_power_is_never_more_than_full() -> None:
    body = ThermalBody(temperature=18.0, ambient=18.0, time_constant=25.0, strength=1.5)
    body.advance(0.2, 1000.0)
    assert body.power == 1.0
    body.advance(0.2, -1000.0)
    assert body.power == -1.0


def test_the_same_seed_gives_the_same_frames_and_another_seed_others() -> None:
    one, same, other = StarField(7), StarField(7), StarField(8)
    assert np.array_equal(one.frame(3, 1.0), same.frame(3, 1.0))
    assert not np.array_equal(one.frame(3, 1.0), other.frame(3, 1.0))


def test_without_a_seed_every_field_is_another() -> None:
    assert not np.array_equal(StarField().frame(0, 1.0), StarField().frame(0, 1.0))


def test_the_stars_drift_from_frame_to_frame() -> None:
    """A hundred frames on, the field is the first one moved by 70 columns and 30 rows."""
    field = StarField(1)
    first, later = field.frame(0, 5.0).astype(float), field.frame(100, 5.0).astype(float)
    moved = np.corrcoef(first[:-30, :-70].ravel(), later[30:, 70:].ravel())[0, 1]
    unmoved = np.corrcoef(first.ravel(), later.ravel())[0, 1]
    assert moved > 0.9
    assert abs(unmoved) < 0.3


def test_a_longer_exposure_gathers_more_light() -> None:
    field = StarField(1)
    short, long = field.frame(0, 0.1), field.frame(0, 10.0)
    assert short.shape == (240, 320)
    assert short.dtype == np.uint16
    assert np.median(long) > np.median(short) + 300


# files


def fits_bytes(image: Any) -> bytes:
    file = io.BytesIO()
    fits.PrimaryHDU(image).writeto(file)
    return file.getvalue()


def test_two_frames_of_the_same_second_are_both_kept(tmp_path: Path) -> None:
    data = fits_bytes(StarField(1).frame(0, 1.0))
    paths = [path for _ in range(3) for path in save_frame(data, tmp_path)]
    assert len(set(paths)) == 6
    assert all(path.is_absolute() and path.stat().st_size for path in paths)


def test_the_picture_shows_the_first_row_at_the_bottom(tmp_path: Path) -> None:
    image = np.zeros((40, 60), np.uint16)
    image[:4] = 1000
    _, png = save_frame(fits_bytes(image), tmp_path)
    with Image.open(png) as opened:
        pixels = np.asarray(opened)
    assert pixels.shape == (80, 120)
    assert pixels[-1].min() > 200
    assert pixels[0].max() < 50


def test_bytes_that_are_no_fits_image_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        save_frame(b"no FITS at all" * 300, tmp_path)
    assert list(tmp_path.iterdir()) == []


# the instruments over a socket


def test_the_thermostat_heats_to_its_target_and_says_ok(talk: Talk) -> None:
    talk.wait_for_vector("Thermostat", "STATUS")
    talk.txque.put(("Thermostat", "TARGET", {"TARGET": 19.5}))
    talk.wait_for_state("Thermostat", "TARGET", "Busy")
    talk.wait_for(lambda snap: snap["Thermostat"]["STATUS"]["HEATING"] == "Busy")
    goal = talk.wait_for_state("Thermostat", "TARGET", "Ok")
    room = talk.items[-1].snapshot["Thermostat"]["TEMPERATURE"]
    assert goal.getfloatvalue("TARGET") == 19.5
    assert room.getfloatvalue("TEMPERATURE") == pytest.approx(19.5, abs=0.11)


def test_the_thermostat_cools_as_well(talk: Talk) -> None:
    talk.wait_for_vector("Thermostat", "STATUS")
    talk.txque.put(("Thermostat", "TARGET", {"TARGET": 17}))
    talk.wait_for(lambda snap: snap["Thermostat"]["STATUS"]["COOLING"] == "Busy")
    talk.wait_for_state("Thermostat", "TARGET", "Ok")


def test_without_regulation_the_room_is_left_alone(talk: Talk) -> None:
    talk.wait_for_vector("Thermostat", "STATUS")
    talk.txque.put(("Thermostat", "TARGET", {"TARGET": 30}))
    talk.wait_for(lambda snap: snap["Thermostat"]["STATUS"]["HEATING"] == "Busy")
    talk.txque.put(("Thermostat", "REGULATION", {"OFF": "On"}))
    talk.wait_for_state("Thermostat", "TARGET", "Idle")
    talk.wait_for(lambda snap: snap["Thermostat"]["STATUS"]["HEATING"] == "Idle")
    talk.txque.put(("Thermostat", "TARGET", {"TARGET": 30}))
    assert talk.wait_for_state("Thermostat", "TARGET", "Alert").message == "Regulation is off"
    talk.txque.put(("Thermostat", "REGULATION", {"ON": "On"}))
    talk.wait_for_state("Thermostat", "TARGET", "Busy")


@pytest.mark.parametrize("value", [b"1e9", b"-40", b"nan", b"warm"])
def test_a_target_that_cannot_be_had_is_refused_and_the_old_one_kept(
    demo: DemoInstruments, value: bytes
) -> None:
    request = b'<newNumberVector device="Thermostat" name="TARGET"><oneNumber name="TARGET">'
    sent = answer(
        demo, request + value + b"</oneNumber></newNumberVector>", expected=b'TARGET".*</setNumberVector>'
    )
    assert b'state="Alert"' in sent
    assert b'message="TARGET must be -5 to 40"' in sent
    assert b'<oneNumber name="TARGET">18.00<' in sent


def test_the_camera_has_only_connection_until_it_is_connected(talk: Talk) -> None:
    talk.connect_camera()
    defined = [
        item.vectorname
        for item in talk.items
        if item.devicename == "Camera" and item.eventtype.startswith("Define")
    ]
    connected = [(item.eventtype, item.vectorname) for item in talk.items].index(("Set", "CONNECTION"))
    known = list(talk.items[connected].snapshot["Camera"])
    assert known == ["CONNECTION"]
    assert defined[0] == "CONNECTION"
    assert set(defined[1:]) == {
        "CCD_EXPOSURE",
        "CCD_ABORT_EXPOSURE",
        "CCD_TEMPERATURE",
        "CCD_INFO",
        "FITS_HEADER",
        "CCD1",
    }


def test_exposures_go_busy_then_ok_and_bring_fits_frames_that_differ(talk: Talk) -> None:
    talk.connect_camera()
    frames = [fits.HDUList.fromstring(talk.expose(0.3)) for _ in range(2)]
    for number, frame in enumerate(frames, 1):
        header, image = frame[0].header, frame[0].data
        assert image.shape == (240, 320)
        assert image.dtype == np.uint16
        assert header["EXPTIME"] == 0.3
        assert header["FRAME"] == number
        assert header["INSTRUME"] == "indipyclient demo camera"
        begun = datetime.fromisoformat(header["DATE-OBS"]).replace(tzinfo=timezone.utc)
        assert 0 <= (datetime.now(timezone.utc) - begun).total_seconds() < PATIENCE
    assert not np.array_equal(frames[0][0].data, frames[1][0].data)


def test_the_countdown_falls_while_the_shutter_is_open(talk: Talk) -> None:
    talk.connect_camera()
    talk.expose(1.0)
    exposures = [
        item.snapshot["Camera"]["CCD_EXPOSURE"]
        for item in talk.items
        if (item.eventtype, item.vectorname) == ("Set", "CCD_EXPOSURE")
    ]
    left = [vector.getfloatvalue("CCD_EXPOSURE_VALUE") for vector in exposures]
    assert left == sorted(left, reverse=True)
    assert left[0] == 1.0
    assert left[-1] == 0.0
    assert len(left) > 3
    assert [vector.state for vector in exposures] == ["Busy"] * (len(left) - 1) + ["Ok"]


def test_an_aborted_exposure_goes_idle_and_brings_no_frame(talk: Talk) -> None:
    talk.connect_camera()
    talk.txque.put(("Camera", "CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": 0.5}))
    talk.wait_for_state("Camera", "CCD_EXPOSURE", "Busy")
    talk.txque.put(("Camera", "CCD_ABORT_EXPOSURE", {"ABORT": "On"}))
    aborted = talk.wait_for_state("Camera", "CCD_EXPOSURE", "Idle")
    assert aborted.getfloatvalue("CCD_EXPOSURE_VALUE") == 0
    talk.wait_for_state("Camera", "CCD_ABORT_EXPOSURE", "Ok")
    # longer than the rest of the exposure would have been
    talk.txque.put(("Thermostat", "TARGET", {"TARGET": 19}))
    talk.wait_for_state("Thermostat", "TARGET", "Ok")
    assert talk.items[-1].snapshot["Camera"]["CCD_EXPOSURE"].state == "Idle"
    assert "SetBLOB" not in [item.eventtype for item in talk.items]


def test_a_new_exposure_takes_the_place_of_one_under_way(talk: Talk) -> None:
    talk.connect_camera()
    talk.txque.put(("Camera", "CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": 3000}))
    talk.wait_for_state("Camera", "CCD_EXPOSURE", "Busy")
    header = fits.HDUList.fromstring(talk.expose(0.2))[0].header
    assert header["EXPTIME"] == 0.2


def test_the_sensor_is_cooled_to_the_degree_asked_for(talk: Talk) -> None:
    talk.connect_camera()
    talk.txque.put(("Camera", "CCD_TEMPERATURE", {"CCD_TEMPERATURE_VALUE": 16}))
    talk.wait_for_state("Camera", "CCD_TEMPERATURE", "Busy")
    cooled = talk.wait_for_state("Camera", "CCD_TEMPERATURE", "Ok")
    assert cooled.getfloatvalue("CCD_TEMPERATURE_VALUE") == pytest.approx(16, abs=0.2)


def test_the_object_a_user_names_is_in_the_frame(talk: Talk) -> None:
    talk.connect_camera()
    texts = {"FITS_OBSERVER": "Me", "FITS_OBJECT": "M 31"}
    talk.txque.put(("Camera", "FITS_HEADER", texts))
    talk.wait_for_state("Camera", "FITS_HEADER", "Ok")
    header = fits.HDUList.fromstring(talk.expose(0.1))[0].header
    assert (header["OBSERVER"], header["OBJECT"]) == ("Me", "M 31")


def test_a_text_that_fits_cannot_hold_is_refused(talk: Talk) -> None:
    talk.connect_camera()
    talk.txque.put(("Camera", "FITS_HEADER", {"FITS_OBSERVER": "Me", "FITS_OBJECT": "x" * 61}))
    refused = talk.wait_for_state("Camera", "FITS_HEADER", "Alert")
    assert refused["FITS_OBJECT"] == "Demo field"
    assert fits.HDUList.fromstring(talk.expose(0.1))[0].header["OBJECT"] == "Demo field"


def test_a_disconnected_camera_takes_its_vectors_away_and_brings_them_back(talk: Talk) -> None:
    talk.connect_camera()
    talk.txque.put(("Camera", "CONNECTION", {"DISCONNECT": "On"}))
    talk.wait_for_state("Camera", "CONNECTION", "Idle")
    talk.wait_for_item(lambda item: (item.eventtype, item.vectorname) == ("Delete", "CCD1"))
    talk.txque.put(("Camera", "CONNECTION", {"CONNECT": "On"}))
    talk.wait_for_item(lambda item: (item.eventtype, item.vectorname) == ("DefineBLOB", "CCD1"))
    talk.txque.put(("Camera", "CCD1", "Also"))
    assert talk.expose(0.1).startswith(b"SIMPLE")


# the server


def test_a_client_that_goes_makes_room_for_the_next(demo: DemoInstruments) -> None:
    """indipyserver takes five at a time and, by itself, reads on from those that have gone."""
    for _ in range(6):
        with socket.create_connection((demo.host, demo.port), timeout=PATIENCE) as connection:
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
    answer(demo, b'<getProperties version="1.7"/>', expected=b"defLightVector.*</defLightVector>")


def test_a_client_that_talks_nonsense_disturbs_nobody(demo: DemoInstruments) -> None:
    with socket.create_connection((demo.host, demo.port), timeout=PATIENCE) as connection:
        connection.sendall(b"<<<&&& no XML </at><all")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
    answer(demo, b'<getProperties version="1.7"/>', expected=b"defLightVector")


def test_a_port_in_use_is_an_error_and_leaves_no_thread(demo: DemoInstruments) -> None:
    second = DemoInstruments(port=demo.port)
    with pytest.raises(OSError, match=f"127.0.0.1:{demo.port}"):
        second.start()
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("demo-instruments") == 1


def test_stopping_ends_connections_and_the_thread_and_can_be_repeated() -> None:
    demo = DemoInstruments()
    demo.start()
    with socket.create_connection((demo.host, demo.port), timeout=PATIENCE) as connection:
        connection.sendall(b'<getProperties version="1.7"/>')
        assert connection.recv(1)
        demo.stop()
        while connection.recv(65536):
            pass
    demo.stop()
    assert "demo-instruments" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((demo.host, demo.port), timeout=PATIENCE)


# printing


def test_a_servers_text_cannot_steer_the_terminal() -> None:
    output = io.StringIO()
    now = datetime.now(timezone.utc)
    snapshot = SimpleNamespace(messages=[(now, "\x1b[2Jgone\r\n[red]" + "x" * 500)])
    Reporter(Console(file=output)).show(EventItem("Message", None, None, now, snapshot))
    assert "?[2Jgone??[red]xxx" in output.getvalue()
    assert len(output.getvalue().splitlines()) == 1
    assert "x" * 200 in output.getvalue()  # the reason of a fault may be long
    assert len(output.getvalue()) < 400


# the programs


def run(*command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


def one_line(stderr: str) -> str:
    lines = stderr.splitlines()
    assert len(lines) == 1, stderr
    return lines[0]


def test_the_demo_runs_by_itself_and_leaves_a_frame_and_its_picture(tmp_path: Path) -> None:
    done = run("-m", "indipyclient", "demo", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    folder = tmp_path.resolve() / "demo-frames"
    fits_path, png_path = sorted(folder.iterdir())
    assert f"{fits_path}\n" in done.stdout
    assert f"{png_path}\n" in done.stdout
    with fits.open(fits_path) as hdus:
        assert hdus[0].data.shape == (240, 320)
        assert hdus[0].header["EXPTIME"] == 2.5
    with Image.open(png_path) as png:
        assert png.size == (640, 480)
    assert re.search(r"Thermostat +TARGET +Busy +TARGET=21\.00", done.stdout)
    assert re.search(r"Thermostat +TARGET +Ok +21 degrees reached", done.stdout)
    assert re.search(r"Camera +CCD1 +Ok +CCD1=\d+ bytes \.fits", done.stdout)


def test_what_goes_to_a_file_has_no_control_characters_and_lines_for_progress(tmp_path: Path) -> None:
    done = run("-m", "indipyclient", "demo", "--folder", "frames", cwd=tmp_path)
    assert all(line.isprintable() for line in done.stdout.splitlines())
    assert len(re.findall(r"CCD_EXPOSURE +Busy +CCD_EXPOSURE_VALUE=", done.stdout)) > 3
    assert len(list((tmp_path / "frames").iterdir())) == 2


def test_a_folder_that_cannot_be_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    done = run("-m", "indipyclient", "demo", "--folder", "taken", cwd=tmp_path)
    assert done.returncode == 1
    assert one_line(done.stderr) == "indipyclient: taken: File exists"


def test_no_server_is_one_line_and_exit_code_1() -> None:
    port = free_port()
    done = run("-m", "indipyclient", "demo", "--host", "127.0.0.1", "--port", str(port), "--seconds", "1")
    assert done.returncode == 1
    assert one_line(done.stderr) == f"indipyclient: no INDI server at 127.0.0.1:{port}"


@pytest.mark.parametrize("module", ["rich", "numpy", "astropy", "PIL", "indipydriver", "indipyserver"])
def test_a_missing_part_is_one_line_that_says_how_to_get_it(module: str) -> None:
    done = run("-c", WITHOUT.format(parts=[module], arguments=["demo"]))
    assert done.returncode == 2
    assert one_line(done.stderr) == f'indipyclient: {module} is missing: pip install "indipyclient[demo]"'


def test_a_system_that_cannot_run_the_instruments_is_told_so_in_one_line() -> None:
    """indipydriver needs fcntl, which Windows has not."""
    done = run("-c", WITHOUT.format(parts=["fcntl"], arguments=["demo"]))
    assert done.returncode == 2
    assert "Linux or macOS" in one_line(done.stderr)


def test_watching_needs_only_rich(demo: DemoInstruments) -> None:
    parts = ["numpy", "astropy", "PIL", "indipydriver", "indipyserver"]
    watch = ["demo", "--port", str(demo.port), "--seconds", "1"]
    done = run("-c", WITHOUT.format(parts=parts, arguments=watch))
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"\+  Thermostat +TARGET +Ok +TARGET=18\.00", done.stdout)


@pytest.mark.parametrize("port", ["0", "-1", "65536", "7624.5", "indi"])
def test_a_port_that_is_none_is_wrong_use(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["demo", f"--port={port}", "--seconds=1"])
    assert capsys.readouterr().err.endswith(f"argument --port: {port!r} is no port: 1 to 65535\n")


@pytest.mark.parametrize("seconds", ["0", "-4", "nan", "long"])
def test_a_time_that_is_none_is_wrong_use(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["demo", "--port=7624", f"--seconds={seconds}"])
    assert capsys.readouterr().err.endswith(f"argument --seconds: {seconds!r} is no time: more than 0\n")


def test_seconds_without_a_server_to_watch_is_wrong_use() -> None:
    done = run("-m", "indipyclient", "demo", "--seconds", "3")
    assert done.returncode == 2
    assert "--seconds needs --host or --port" in done.stderr


def test_an_alert_ends_the_demo_with_the_devices_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show_module, "_TARGET", 99.0)
    with pytest.raises(DemoError, match="Thermostat TARGET: TARGET must be -5 to 40"):
        show_module.show(Console(file=io.StringIO()), tmp_path)


class Watching:
    """`python -m indipyclient demo --port ...` and the lines it prints."""

    def __init__(self, port: int) -> None:
        command = [sys.executable, "-m", "indipyclient", "demo", "--host", "127.0.0.1", "--port", str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    def wait_for(self, pattern: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.lines.get(timeout=max(0.0, deadline - time.monotonic()))):
            pass

    def interrupt(self) -> tuple[int, str]:
        """Ctrl-C, and how it ended."""
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def end(self) -> tuple[int, str]:
        assert self.process.stdout is not None and self.process.stderr is not None
        code = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        with self.process.stdout, self.process.stderr as stderr:
            return code, stderr.read()


@pytest.fixture
def watch() -> Iterator[Callable[[int], Watching]]:
    """Starts a watching program, which ends with the test at the latest."""
    started: list[Watching] = []

    def start(port: int) -> Watching:
        started.append(Watching(port))
        return started[-1]

    yield start
    for watching in started:
        if watching.process.poll() is None:
            watching.process.kill()
            watching.end()


def test_watching_shows_changes_loss_and_return_and_ends_with_ctrl_c(
    watch: Callable[[int], Watching],
) -> None:
    with DemoInstruments() as demo:
        watching = watch(demo.port)
        watching.wait_for(r"\+  Thermostat +TEMPERATURE +Ok +TEMPERATURE=18.00")
        request = (
            b'<newNumberVector device="Thermostat" name="TARGET"><oneNumber name="TARGET">25</oneNumber>'
        )
        answer(demo, request + b"</newNumberVector>", expected=b"Busy")
        watching.wait_for(r"[0-9]     Thermostat +TARGET +Busy +TARGET=25\.00")
        watching.wait_for(r"[0-9]     Thermostat +STATUS +Ok +HEATING=Busy$")
    watching.wait_for("connection lost")
    with DemoInstruments(port=demo.port):
        watching.wait_for(r"\*  Connected to")
        watching.wait_for(r"\+  Thermostat +TEMPERATURE +Ok +TEMPERATURE=18.00")
        assert watching.interrupt() == (130, "")


def test_ctrl_c_ends_the_demo_at_once_without_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "indipyclient", "demo", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        while "CCD_EXPOSURE_VALUE=2.50" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert process.stderr.read() == ""
    assert list(tmp_path.iterdir()) == []


def test_the_first_example_sets_the_thermostat_and_ends() -> None:
    done = run(str(EXAMPLE))
    assert done.returncode == 0, done.stderr
    assert "Set Thermostat TARGET Ok {'TARGET': '20.00'}" in done.stdout
    assert done.stderr == ""
