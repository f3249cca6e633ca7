"""What a panel does with a real server, driven by pointer and keyboard, and looked at.

A class for each toolkit inherits these cases, and has a driver of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indipyclient.protocol import NewVector
from tests.support.screen import Screen
from tests.support.scripted import BLOB, NUMBER, ScriptedServer, frame, moved
from tests.support.servers import CCD, TELESCOPE, IndiServer

PERIOD = "vector", CCD, "POLLING_PERIOD"


class Driver:
    """Somebody who sits before the panel; what depends on the toolkit is in the classes that inherit it."""

    screen: Screen
    program: Any  # the module of the panel

    def __init__(self, port: int) -> None:
        import panel_model

        self.observatory = panel_model.Observatory("127.0.0.1", port)

    def show(self, window: Any) -> None:
        self.window = window
        self.panel = window.panel

    def close(self) -> None:
        self.observatory.close()
        self.window.darkroom.close()

    def until(self, condition: Callable[[], Any]) -> None:
        """Let the window live until the condition holds."""
        raise NotImplementedError

    # -- the hand

    def use(self, *command: object) -> None:
        """Use the real pointer or keyboard, and let the window live meanwhile."""
        with self.screen.start(*command) as tool:
            self.until(lambda: tool.poll() is not None)
        assert tool.returncode == 0

    def click(self, widget: Any, x: float = 0.5, y: float = 0.5) -> None:
        """Press the left button in a widget; `x` and `y` are parts of its size."""
        raise NotImplementedError

    def click_row(self, key: tuple[str, ...]) -> None:
        """Press the left button in a row of the tree."""
        raise NotImplementedError

    def chosen(self, key: tuple[str, ...]) -> bool:
        """Whether a row of the tree is the chosen one."""
        raise NotImplementedError

    def write(self, widget: Any, text: str) -> None:
        """Put the cursor in a box with the pointer, and write something else there with the keyboard."""
        raise NotImplementedError

    def key(self, name: str) -> None:
        """Press a key of this name, which is the same for Qt and X11."""
        self.use("key", name)

    def choose(self, *key: str) -> None:
        """Click on a row of the tree, once it is there; again, if others came meanwhile and moved it."""
        self.until(lambda: key in self.window.tree.items)
        self.until(lambda: self.chosen(key) or self.click_row(key) or self.chosen(key))

    def connect(self) -> None:
        """Press the button that connects all, once there are the two devices."""
        for device in (TELESCOPE, CCD):
            self.until(lambda device=device: self.panel.vector(device, "CONNECTION"))
        self.click(self.window.header.connect)
        self.until(lambda: self.panel.cameras() and self.panel.vector(TELESCOPE, "TELESCOPE_PARK"))

    def choose_camera(self) -> None:
        """Choose the camera, once it is there."""
        raise NotImplementedError

    def open_stretches(self) -> None:
        """Open the list of the ways to stretch."""
        raise NotImplementedError

    def send(self, name: str, text: str) -> None:
        """Write a value in the editor, and press the button."""
        self.write(self.window.editor.entries[name], text)
        self.click(self.window.editor.send)

    # -- the eye

    def seen(self, widget: Any) -> NDArray[np.uint8]:
        """What is to be seen where a widget is."""
        raise NotImplementedError

    def row_seen(self, key: tuple[str, ...]) -> NDArray[np.uint8]:
        """What is to be seen of a row of the tree, which is scrolled to."""
        raise NotImplementedError

    def text(self, widget: Any) -> str:
        """What a label, a button or a box says."""
        raise NotImplementedError

    def value(self, *key: str) -> str:
        """What a row of the tree says."""
        raise NotImplementedError

    def messages(self) -> str:
        """All that instruments and client have said."""
        raise NotImplementedError

    def progress(self) -> float:
        """How far the bar has come."""
        raise NotImplementedError

    def has_colour(self, widget: Any, state: str) -> bool:
        """Whether the colour of a state is to be seen in a widget."""
        return bool(count(self.seen(widget), self.program.COLOURS[state]))

    def row_has_colour(self, state: str, *key: str) -> bool:
        """Whether the colour of a state is to be seen in a row of the tree."""
        return bool(count(self.row_seen(key), self.program.COLOURS[state]))


def count(pixels: NDArray[np.uint8], colour: str) -> int:
    """How many of the pixels have a colour."""
    rgb = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return int((pixels == rgb).all(axis=2).sum())


class PanelCases:
    """Has a fixture `drive`, which makes a driver for a server's port."""

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls) -> Iterator[IndiServer]:
        with IndiServer(TELESCOPE, CCD) as server:
            yield server

    @pytest.fixture
    def driver(self, drive: Callable[[int], Driver], server: IndiServer) -> Iterator[Driver]:
        with closing(drive(server.port)) as driver:
            driver.connect()
            yield driver

    def test_the_light_is_green_and_the_tree_fills_and_shows_states(self, driver: Driver) -> None:
        driver.until(lambda: driver.has_colour(driver.window.header.light, "connected"))
        driver.until(lambda: driver.value("device", TELESCOPE) == driver.value("device", CCD) == "connected")
        known = {(device, name) for device in (TELESCOPE, CCD) for name in driver.panel.snapshot[device]}
        driver.until(lambda: {key[1:] for key in driver.window.tree.items if key[0] == "vector"} >= known)
        assert len(known) > 20
        driver.until(lambda: driver.row_has_colour("Ok", "vector", TELESCOPE, "CONNECTION"))
        assert not driver.row_has_colour("Alert", "vector", TELESCOPE, "CONNECTION")

    def test_a_value_that_is_written_and_sent_changes_in_the_tree(self, driver: Driver) -> None:
        driver.choose(*PERIOD)
        driver.send("PERIOD_MS", "75")
        outcome = driver.window.editor.outcome
        driver.until(lambda: driver.text(outcome).startswith("●  done"))
        driver.until(lambda: driver.value(*PERIOD) == "75")
        driver.until(lambda: driver.has_colour(outcome, "Ok"))

    def test_return_sends_and_a_value_that_is_none_is_refused_with_the_reason(self, driver: Driver) -> None:
        driver.choose(*PERIOD)
        before = driver.value(*PERIOD)
        driver.write(driver.window.editor.entries["PERIOD_MS"], "soon")
        driver.key("Return")
        outcome = driver.window.editor.outcome
        driver.until(lambda: "refused" in driver.text(outcome))
        assert "soon" in driver.text(outcome)
        driver.until(lambda: driver.has_colour(outcome, "refused"))
        assert driver.value(*PERIOD) == before

    def test_a_switch_is_pressed_and_turns_green(self, driver: Driver) -> None:
        driver.choose("vector", CCD, "DEBUG")
        for name, other in (("ENABLE", "DISABLE"), ("DISABLE", "ENABLE")):
            driver.click(driver.window.editor.values[name])
            driver.until(lambda name=name: driver.panel.vector(CCD, "DEBUG")[name] == "On")
            buttons = driver.window.editor.values
            driver.until(lambda button=buttons[name]: driver.has_colour(button, "Ok"))
            assert not driver.has_colour(buttons[other], "Ok")

    def test_an_exposure_moves_the_bar_and_shows_the_frame_as_it_is(self, driver: Driver) -> None:
        camera, progress = driver.window.camera, set()
        driver.choose_camera()
        driver.write(camera.seconds, "1.5")
        driver.click(camera.button)

        def shown() -> bool:
            progress.add(driver.progress())
            return camera.picture is not None

        driver.until(shown)
        assert len(progress) > 5
        driver.until(lambda: driver.text(camera.button) == "Expose")
        assert f"{CCD}:  1280 x 1024" in driver.text(camera.text)
        expected = expected_picture(driver)
        assert expected.std() > 5
        driver.until(lambda: shows(driver.seen(camera.view), expected))

    def test_a_stretch_that_is_chosen_changes_the_picture(self, driver: Driver) -> None:
        camera = driver.window.camera
        driver.choose_camera()
        driver.panel.expose(CCD, 0.1)
        driver.until(lambda: camera.picture)
        soft = camera.picture
        driver.open_stretches()
        driver.key("Down")
        driver.key("Return")
        driver.until(lambda: driver.text(camera.stretch) == "Linear")
        driver.until(lambda: camera.picture is not soft)
        assert camera.picture.pixels.mean() != soft.pixels.mean()

    def test_a_number_that_is_chosen_is_plotted(self, driver: Driver) -> None:
        driver.choose(*PERIOD)
        plot, period = driver.window.plot, driver.panel.vector(*PERIOD[1:])["PERIOD_MS"]
        driver.until(lambda: driver.text(plot.now) == f"{float(period):g}")
        for value in (100, 300, 200):
            driver.panel.send(*PERIOD[1:], {"PERIOD_MS": value})
            driver.until(lambda value=value: driver.text(plot.now) == str(value))
        assert driver.panel.history.points[-1][1] == 200
        driver.until(lambda: count(driver.seen(plot), driver.program.ACCENT) > 20)

    def test_messages_of_instruments_are_shown(self, driver: Driver) -> None:
        driver.until(lambda: "Connected to 127.0.0.1" in driver.messages())
        driver.panel.send(TELESCOPE, "TELESCOPE_PARK", {"UNPARK": "On"})
        driver.panel.send(TELESCOPE, "EQUATORIAL_EOD_COORD", {"RA": 5.5, "DEC": 60})
        driver.until(lambda: f"{TELESCOPE}: " in driver.messages().replace("\xa0", " "))

    def test_a_server_that_is_killed_is_shown_as_lost_and_the_window_recovers(
        self, drive: Callable[[int], Driver]
    ) -> None:
        with IndiServer(TELESCOPE, CCD) as server, closing(drive(server.port)) as driver:
            header = driver.window.header
            for losses in (1, 2):
                driver.connect()
                driver.until(lambda: driver.has_colour(header.light, "connected"))
                server.kill()
                driver.until(lambda: driver.has_colour(header.light, "lost"))
                driver.until(lambda: driver.window.tree.items == {})
                assert f"connection lost {losses} time" in driver.text(header.text)
                server.start()

    def test_after_a_flood_and_frames_the_tree_shows_the_last_value_sent(
        self, drive: Callable[[int], Driver]
    ) -> None:
        content = bytes(4_000_000)
        with ScriptedServer() as server, closing(drive(server.port)) as driver:
            peer = server.greet(NUMBER + BLOB)
            flood = "".join(moved(number % 10) for number in range(2000))
            words = [flood + frame(content)] * 3 + [moved(9.75)]
            sending = threading.Thread(target=lambda: [peer.send(one) for one in words])
            sending.start()
            driver.until(lambda: driver.value("member", "D", "N", "x") == "9.75")
            sending.join()
            driver.until(lambda: driver.value("vector", "D", "B") == "4.0 MB .bin")
            driver.until(lambda: "cannot be shown" in driver.text(driver.window.camera.text))

    def test_only_what_was_written_is_sent_and_the_rest_as_precisely_as_it_is_known(
        self, drive: Callable[[int], Driver]
    ) -> None:
        with ScriptedServer() as server, closing(drive(server.port)) as driver:
            peer = server.greet(NUMBER.replace(">2<", ">2.123456789<"))

            def commanded() -> dict[str, float]:
                command = peer.receive_until(lambda message: isinstance(message, NewVector))[-1]
                return {member.name: float(member.value) for member in command.members}

            driver.choose("vector", "D", "N")
            driver.click(driver.window.editor.send)
            assert commanded() == {"x": 1, "y": 2.123456789}
            driver.send("x", "5")
            assert commanded() == {"x": 5, "y": 2.123456789}
            peer.send(moved(7))
            driver.until(lambda: driver.text(driver.window.editor.values["x"]).startswith("7"))
            driver.click(driver.window.editor.send)  # once more the same
            assert commanded() == {"x": 5, "y": 2.123456789}


def expected_picture(driver: Driver) -> NDArray[np.uint8]:
    """The camera's last frame as it is to be shown."""
    import panel_model

    member = driver.panel.snapshot[CCD]["CCD1"].member("CCD1")
    array = member.array() if member.header().get("ROWORDER") == "TOP-DOWN" else member.array()[::-1]
    expected, _, _ = panel_model.stretched(panel_model.fitted(array, driver.window.darkroom.size), "Soft")
    return expected


def shows(view: NDArray[np.uint8], picture: NDArray[np.uint8]) -> bool:
    """Whether a grey picture is to be seen in the middle."""
    rows, columns = picture.shape
    top, left = round((view.shape[0] - rows) / 2), round((view.shape[1] - columns) / 2)
    middle = view[top : top + rows, left : left + columns].astype(int)
    return bool((np.abs(middle - picture[:, :, None]) <= 1).all())
