"""The Qt panel with a real server, driven by pointer and keyboard, and looked at; test_qt.py runs this.

On a screen it is the real pointer and keyboard and what the screen shows; without one, offscreen, it is
Qt's own imitation of them and what the window draws.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import panel_model
import pytest
import qt_panel
from numpy.typing import NDArray
from PIL import Image

from tests.support.screen import SIZE, Screen
from tests.support.servers import CCD, TELESCOPE, IndiServer

from .qt_windows import core, delete, lives_until, testing, widgets

pytestmark = pytest.mark.real

Qt = core.Qt


class Driver:
    """Somebody who sits before the panel."""

    def __init__(self, port: int) -> None:
        self.observatory = panel_model.Observatory("127.0.0.1", port)
        self.window = qt_panel.Window(self.observatory)
        self.panel = self.window.panel
        self.window.resize(*SIZE)
        self.window.move(0, 0)
        self.window.show()
        assert testing.qWaitForWindowExposed(self.window)

    def close(self) -> None:
        self.window.close()
        self.observatory.close()
        self.window.darkroom.close()
        delete(self.window)
        vars(self).clear()  # pytest holds the driver a little longer

    def until(self, condition: Callable[[], Any]) -> None:
        """Let the window live until the condition holds."""
        assert lives_until(condition), self.panel.snapshot

    # -- the hand and the eye, offscreen

    def click(self, widget: Any, x: float = 0.5, y: float = 0.5) -> None:
        """Press the left button in a widget; `x` and `y` are parts of its size."""
        self.press(widget, core.QPoint(round(x * widget.width()), round(y * widget.height())))

    def press(self, widget: Any, place: Any) -> None:
        testing.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)

    def type(self, text: str) -> None:
        testing.keyClicks(self.window.focusWidget(), text)

    def key(self, name: str) -> None:
        """Press a key of this name, which is the same for Qt and X11."""
        # a list that a box has opened has the keys for itself
        window = widgets.QApplication.activePopupWidget() or self.window
        testing.keyClick(window.focusWidget(), getattr(Qt.Key, f"Key_{name}"))

    def seen(self, widget: Any) -> NDArray[np.uint8]:
        """What is drawn where a widget is."""
        buffer = core.QBuffer()
        buffer.open(core.QIODevice.OpenModeFlag.WriteOnly)
        assert self.window.grab(self._place(widget)).save(buffer, "PNG")
        return np.asarray(Image.open(io.BytesIO(bytes(buffer.data()))).convert("RGB"))

    def _place(self, widget: Any) -> Any:
        return core.QRect(widget.mapTo(self.window, core.QPoint(0, 0)), widget.size())

    # -- what is done and seen with them

    def choose(self, *key: str) -> None:
        """Click on a row of the tree, once it is there; again, if others came meanwhile and moved it."""
        tree = self.window.tree
        self.until(lambda: key in tree.items)

        def chosen() -> bool:
            return tree.currentItem() is tree.items.get(key)

        self.until(lambda: chosen() or self.press(tree.viewport(), self.row(*key).center()) or chosen())

    def row(self, *key: str) -> Any:
        """Where a row of the tree is, which it is scrolled to."""
        item = self.window.tree.items[key]
        self.window.tree.scrollToItem(item)
        self.until(lambda: not self.window.tree.visualItemRect(item).isEmpty())
        return self.window.tree.visualItemRect(item)

    def write(self, box: Any, text: str) -> None:
        """Put the cursor in a box with the pointer, and write something else there with the keyboard."""
        self.click(box, 0.3)
        self.until(box.hasFocus)
        box.selectAll()
        self.type(text)
        self.until(lambda: box.text() == text)

    def has_colour(self, widget: Any, state: str) -> bool:
        """Whether the colour of a state is to be seen in a widget."""
        return bool((self.seen(widget) == rgb(qt_panel.COLOURS[state])).all(axis=2).any())

    def row_has_colour(self, state: str, *key: str) -> bool:
        """Whether the colour of a state is to be seen in a row of the tree."""
        row = self.row(*key)
        seen = self.seen(self.window.tree.viewport())[row.top() : row.bottom()]
        return bool((seen == rgb(qt_panel.COLOURS[state])).all(axis=2).any())

    def value(self, *key: str) -> str:
        """What a row of the tree says."""
        items = self.window.tree.items
        return str(items[key].text(1)) if key in items else ""


class ScreenDriver(Driver):
    """The same with the real pointer and keyboard, and with the eye on the screen."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.screen = Screen()
        self.screen.display = os.environ["DISPLAY"]
        self._do("windowfocus", int(self.window.winId()))  # there is no window manager to do it
        self.until(self.window.isActiveWindow)

    def _do(self, *command: object) -> None:
        """Use pointer or keyboard, and let the window live meanwhile."""
        with self.screen.start(*command) as tool:
            self.until(lambda: tool.poll() is not None)
        assert tool.returncode == 0

    def press(self, widget: Any, place: Any) -> None:
        there = widget.mapToGlobal(place)
        # and away again: what is under the pointer looks different
        self._do("mousemove", there.x(), there.y(), "click", 1, "mousemove", 2, 2)

    def type(self, text: str) -> None:
        self._do("type", "--delay", "20", text)

    def key(self, name: str) -> None:
        self._do("key", name)

    def seen(self, widget: Any) -> NDArray[np.uint8]:
        place = self._place(widget)
        rows, columns = (
            slice(place.top(), place.bottom() + 1),
            slice(place.left(), place.right() + 1),
        )
        return self.screen.look()[rows, columns]


def rgb(colour: str) -> list[int]:
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def drive(port: int) -> Driver:
    return Driver(port) if os.environ["QT_QPA_PLATFORM"] == "offscreen" else ScreenDriver(port)


@pytest.fixture(scope="module")
def server() -> Iterator[IndiServer]:
    with IndiServer(TELESCOPE, CCD) as server:
        yield server


@pytest.fixture
def driver(app: Any, server: IndiServer) -> Iterator[Driver]:
    driver = drive(server.port)
    try:
        yield driver
    finally:
        driver.close()


def connect(driver: Driver) -> None:
    """Press the button that connects all, once there are the two devices."""
    for device in (TELESCOPE, CCD):
        driver.until(lambda device=device: driver.panel.vector(device, "CONNECTION"))
    driver.click(driver.window.header.connect)
    driver.until(lambda: driver.panel.cameras() and driver.panel.vector(TELESCOPE, "TELESCOPE_PARK"))


def take_frame(driver: Driver, seconds: str) -> Any:
    """Choose the camera, write how long, and press the button."""
    camera = driver.window.camera
    driver.until(lambda: camera.name.findText(CCD) >= 0)
    camera.name.setCurrentText(CCD)
    driver.write(camera.seconds, seconds)
    driver.click(camera.button)
    return camera


def test_the_light_is_green_and_the_tree_fills_and_shows_states(driver: Driver) -> None:
    connect(driver)
    driver.until(lambda: driver.has_colour(driver.window.header.light, "connected"))
    driver.until(lambda: driver.value("device", TELESCOPE) == driver.value("device", CCD) == "connected")
    known = {(device, name) for device in (TELESCOPE, CCD) for name in driver.panel.snapshot[device]}
    driver.until(lambda: {key[1:] for key in driver.window.tree.items if key[0] == "vector"} >= known)
    assert len(known) > 20
    driver.until(lambda: driver.row_has_colour("Ok", "vector", TELESCOPE, "CONNECTION"))
    assert not driver.row_has_colour("Alert", "vector", TELESCOPE, "CONNECTION")


def test_a_value_that_is_written_and_sent_changes_in_the_tree(driver: Driver) -> None:
    connect(driver)
    key = "vector", CCD, "POLLING_PERIOD"
    driver.choose(*key)
    driver.write(driver.window.editor.entries["PERIOD_MS"], "75")
    driver.click(driver.window.editor.send)
    driver.until(lambda: driver.window.editor.outcome.text().startswith("●  done"))
    driver.until(lambda: driver.value(*key) == "75")
    driver.until(lambda: driver.has_colour(driver.window.editor.outcome, "Ok"))


def test_only_what_was_written_is_sent(driver: Driver) -> None:
    connect(driver)
    driver.choose("vector", TELESCOPE, "GEOGRAPHIC_COORD")
    driver.write(driver.window.editor.entries["LAT"], "45")
    driver.click(driver.window.editor.send)
    driver.until(lambda: driver.window.editor.outcome.text().startswith("●  done"))
    assert driver.observatory.commands.latest == (TELESCOPE, "GEOGRAPHIC_COORD", {"LAT": "45"})
    assert driver.panel.vector(TELESCOPE, "GEOGRAPHIC_COORD").member("LAT").value == 45


def test_return_sends_and_a_value_that_is_none_is_refused_with_the_reason(driver: Driver) -> None:
    connect(driver)
    key = "vector", CCD, "POLLING_PERIOD"
    driver.choose(*key)
    before = driver.value(*key)
    driver.write(driver.window.editor.entries["PERIOD_MS"], "soon")
    driver.key("Return")
    driver.until(lambda: "refused" in driver.window.editor.outcome.text())
    assert "soon" in driver.window.editor.outcome.text()
    driver.until(lambda: driver.has_colour(driver.window.editor.outcome, "refused"))
    assert driver.value(*key) == before


def test_a_switch_is_pressed_and_turns_green(driver: Driver) -> None:
    connect(driver)
    driver.choose("vector", CCD, "DEBUG")
    for name, other in (("ENABLE", "DISABLE"), ("DISABLE", "ENABLE")):
        driver.click(driver.window.editor.values[name])
        driver.until(lambda name=name: driver.panel.vector(CCD, "DEBUG")[name] == "On")
        buttons = driver.window.editor.values
        driver.until(lambda button=buttons[name]: driver.has_colour(button, "Ok"))
        assert not driver.has_colour(buttons[other], "Ok")


def test_an_exposure_moves_the_bar_and_shows_the_frame_as_it_is(driver: Driver) -> None:
    connect(driver)
    camera, progress = take_frame(driver, "1.5"), set()

    def shown() -> bool:
        progress.add(camera.progress.value())
        return camera.picture is not None

    driver.until(shown)
    assert len(progress) > 5
    driver.until(lambda: camera.button.text() == "Expose")
    assert f"{CCD}:  1280 x 1024" in camera.text.text()
    member = driver.panel.snapshot[CCD]["CCD1"].member("CCD1")
    array = member.array() if member.header().get("ROWORDER") == "TOP-DOWN" else member.array()[::-1]
    expected, _, _ = panel_model.stretched(panel_model.fitted(array, driver.window.darkroom.size), "Soft")
    rows, columns = expected.shape
    assert expected.std() > 5

    def as_it_is() -> bool:
        view = driver.seen(camera.view).astype(int)
        top, left = round((view.shape[0] - rows) / 2), round((view.shape[1] - columns) / 2)
        frame = view[top : top + rows, left : left + columns]
        return bool((np.abs(frame - expected[:, :, None]) <= 1).all())

    driver.until(as_it_is)


def test_a_stretch_that_is_chosen_changes_the_picture(driver: Driver) -> None:
    connect(driver)
    camera = take_frame(driver, "0.1")
    driver.until(lambda: camera.picture)
    soft = camera.picture
    driver.click(camera.stretch, 0.3)
    driver.until(widgets.QApplication.activePopupWidget)
    driver.key("Down")
    driver.key("Return")
    driver.until(lambda: camera.stretch.currentText() == "Linear")
    driver.until(lambda: camera.picture is not soft)
    assert camera.picture.pixels.mean() != soft.pixels.mean()


def test_a_number_that_is_chosen_is_plotted(driver: Driver) -> None:
    connect(driver)
    driver.choose("vector", CCD, "POLLING_PERIOD")
    period = driver.panel.vector(CCD, "POLLING_PERIOD")["PERIOD_MS"]
    driver.until(lambda: driver.window.plot.now.text() == f"{float(period):g}")
    for value in (100, 300, 200):
        driver.panel.send(CCD, "POLLING_PERIOD", {"PERIOD_MS": value})
        driver.until(lambda value=value: driver.window.plot.now.text() == str(value))
    assert driver.panel.history.points[-1][1] == 200
    driver.until(lambda: (driver.seen(driver.window.plot) == rgb(qt_panel.ACCENT)).all(axis=2).sum() > 20)


def test_messages_of_instruments_are_shown(driver: Driver) -> None:
    connect(driver)
    messages = driver.window.messages.text
    driver.until(lambda: "Connected to 127.0.0.1" in messages.toPlainText())
    driver.panel.send(TELESCOPE, "TELESCOPE_PARK", {"UNPARK": "On"})
    driver.panel.send(TELESCOPE, "EQUATORIAL_EOD_COORD", {"RA": 5.5, "DEC": 60})
    driver.until(lambda: f"{TELESCOPE}:" in messages.toPlainText())


def test_a_server_that_is_killed_is_shown_as_lost_and_the_window_recovers(app: Any) -> None:
    with IndiServer(TELESCOPE, CCD) as server:
        driver = drive(server.port)
        try:
            for losses in (1, 2):
                connect(driver)
                driver.until(lambda: driver.has_colour(driver.window.header.light, "connected"))
                server.kill()
                driver.until(lambda: driver.has_colour(driver.window.header.light, "lost"))
                driver.until(lambda: driver.window.tree.items == {})
                assert driver.window.tree.topLevelItemCount() == 0
                assert f"connection lost {losses} time" in driver.window.header.text.text()
                server.start()
        finally:
            driver.close()
