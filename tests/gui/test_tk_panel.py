"""The Tkinter panel with a real server, driven by the real pointer and keyboard, and looked at."""

from __future__ import annotations

import gc
import threading
import tkinter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indipyclient.protocol import NewVector
from tests.support.screen import Screen
from tests.support.scripted import BLOB, NUMBER, ScriptedServer, frame, moved
from tests.support.servers import CCD, TELESCOPE, IndiServer

from .tk_windows import lives_until

pytestmark = pytest.mark.real


class Driver:
    """Somebody who sits before the panel."""

    def __init__(self, root: Any, screen: Screen, port: int) -> None:
        import panel_model
        import tk_panel

        self.program = tk_panel
        self.root, self.screen = root, screen
        self.observatory = panel_model.Observatory("127.0.0.1", port)
        self.window = tk_panel.Window(root, self.observatory)
        self.panel = self.window.panel

    def close(self) -> None:
        self.root.destroy()
        self.observatory.close()
        self.window.darkroom.close()

    def until(self, condition: Callable[[], Any]) -> None:
        """Let the window live until the condition holds."""
        assert lives_until(self.root, condition), self.panel.snapshot

    def _do(self, *command: object) -> None:
        """Use pointer or keyboard, and let the window live meanwhile."""
        with self.screen.start(*command) as tool:
            self.until(lambda: tool.poll() is not None)
        assert tool.returncode == 0

    def click(self, widget: Any, x: float = 0.5, y: float = 0.5) -> None:
        """Press the left button in a widget; `x` and `y` are parts of its size."""
        place = (
            widget.winfo_rootx() + x * widget.winfo_width(),
            widget.winfo_rooty() + y * widget.winfo_height(),
        )
        self.press(*place)

    def press(self, x: float, y: float) -> None:
        # and away again: what is under the pointer looks different
        self._do("mousemove", round(x), round(y), "click", 1, "mousemove", 2, 2)

    def choose(self, *key: str) -> None:
        """Click on a row of the tree, once it is there; again, if others came meanwhile and moved it."""
        tree = self.window.tree
        self.until(lambda: key in tree.items)

        def chosen() -> bool:
            return bool(tree.selection() == (tree.items.get(key),))

        self.until(lambda: chosen() or self._press_row(key) or chosen())

    def _press_row(self, key: tuple[str, ...]) -> None:
        tree = self.window.tree
        tree.see(tree.items[key])
        self.until(lambda: tree.bbox(tree.items[key]))
        x, y, width, height = tree.bbox(tree.items[key])
        self.press(tree.winfo_rootx() + x + width / 3, tree.winfo_rooty() + y + height / 2)

    def write(self, widget: Any, text: str) -> None:
        """Put the cursor in a box with the pointer, and write something else there with the keyboard."""
        self.root.focus_force()
        self.click(widget)
        self.until(lambda: self.root.focus_get() is widget)
        self._do("key", "ctrl+a", "Delete")  # Tk on X11: to the line's start, so clear it all the same
        self._do("key", "ctrl+k", "type", "--delay", "20", text)
        self.until(lambda: widget.get() == text)

    def key(self, name: str) -> None:
        self._do("key", name)

    def seen(self, widget: Any) -> NDArray[np.uint8]:
        """The part of the screen where a widget is."""
        x, y = widget.winfo_rootx(), widget.winfo_rooty()
        return self.screen.look()[y : y + widget.winfo_height(), x : x + widget.winfo_width()]

    def has_colour(self, widget: Any, state: str) -> bool:
        """Whether the colour of a state is to be seen in a widget."""
        colour = self.root.winfo_rgb(self.program.COLOURS[state])
        return bool((self.seen(widget) == [part >> 8 for part in colour]).all(axis=2).any())

    def row_has_colour(self, state: str, *key: str) -> bool:
        """Whether the colour of a state is to be seen in a row of the tree."""
        tree = self.window.tree
        tree.see(tree.items[key])
        self.root.update()
        x, y, width, height = tree.bbox(tree.items[key])
        colour = [part >> 8 for part in self.root.winfo_rgb(self.program.COLOURS[state])]
        return bool((self.seen(tree)[y : y + height, x : x + width] == colour).all(axis=2).any())

    def value(self, *key: str) -> str:
        """What a row of the tree says."""
        tree = self.window.tree
        return str(tree.set(tree.items[key], "value")) if key in tree.items else ""


@pytest.fixture(scope="module")
def server() -> Iterator[IndiServer]:
    with IndiServer(TELESCOPE, CCD) as server:
        yield server


@pytest.fixture
def driver(root: Any, tk_screen: Screen, server: IndiServer) -> Iterator[Driver]:
    driver = Driver(root, tk_screen, server.port)
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


def test_the_light_is_green_and_the_tree_fills_and_shows_states(driver: Driver) -> None:
    connect(driver)
    driver.until(lambda: driver.has_colour(driver.window.header.light, "connected"))
    driver.until(lambda: driver.value("device", TELESCOPE) == driver.value("device", CCD) == "connected")
    shown = {key[1:] for key in driver.window.tree.items if key[0] == "vector"}
    known = {(device, name) for device in (TELESCOPE, CCD) for name in driver.panel.snapshot[device]}
    driver.until(lambda: not list(driver.panel.rows()))
    assert shown <= known
    assert len(shown) > 20
    driver.until(lambda: driver.row_has_colour("Ok", "vector", TELESCOPE, "CONNECTION"))
    assert not driver.row_has_colour("Alert", "vector", TELESCOPE, "CONNECTION")


def test_a_value_that_is_written_and_sent_changes_in_the_tree(driver: Driver) -> None:
    connect(driver)
    key = "vector", CCD, "POLLING_PERIOD"
    driver.choose(*key)
    driver.write(driver.window.editor.entries["PERIOD_MS"], "75")
    driver.click(driver.window.editor.send)
    driver.until(lambda: driver.window.editor.outcome["text"].startswith("●  done"))
    driver.until(lambda: driver.value(*key) == "75")
    assert driver.has_colour(driver.window.editor.outcome, "Ok")


def test_return_sends_and_a_value_that_is_none_is_refused_with_the_reason(driver: Driver) -> None:
    connect(driver)
    driver.choose("vector", CCD, "POLLING_PERIOD")
    before = driver.value("vector", CCD, "POLLING_PERIOD")
    driver.write(driver.window.editor.entries["PERIOD_MS"], "soon")
    driver.key("Return")
    driver.until(lambda: "refused" in driver.window.editor.outcome["text"])
    assert "soon" in driver.window.editor.outcome["text"]
    driver.until(lambda: driver.has_colour(driver.window.editor.outcome, "refused"))
    assert driver.value("vector", CCD, "POLLING_PERIOD") == before


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
    import panel_model

    connect(driver)
    camera, fractions = driver.window.camera, set()
    driver.until(lambda: CCD in camera.name["values"])
    camera.name.set(CCD)
    driver.write(camera.seconds, "1.5")
    driver.click(camera.button)

    def shown() -> bool:
        fractions.add(float(camera.progress["value"]))
        return camera.picture is not None

    driver.until(shown)
    assert len(fractions) > 5
    assert all(0 <= fraction <= 1 for fraction in fractions)
    driver.until(lambda: camera.button["text"] == "Expose")
    assert f"{CCD}:  1280 x 1024" in camera.text["text"]
    member = driver.panel.snapshot[CCD]["CCD1"].member("CCD1")
    array = member.array() if member.header().get("ROWORDER") == "TOP-DOWN" else member.array()[::-1]
    expected, _, _ = panel_model.stretched(panel_model.fitted(array, driver.window.darkroom.size), "Soft")
    rows, columns = expected.shape
    assert expected.std() > 5
    view = driver.seen(camera.view)
    top, left = (view.shape[0] - rows) // 2, (view.shape[1] - columns) // 2
    frame = view[top : top + rows, left : left + columns].astype(int)
    assert (frame == frame[:, :, :1]).all()
    assert np.abs(frame[:, :, 0] - expected).max() <= 1


def test_a_stretch_that_is_chosen_changes_the_picture(driver: Driver) -> None:
    connect(driver)
    camera = driver.window.camera
    driver.until(lambda: CCD in camera.name["values"])
    camera.name.set(CCD)
    driver.panel.expose(CCD, 0.1)
    driver.until(lambda: camera.picture)
    soft = camera.picture
    driver.root.focus_force()
    driver.click(camera.stretch, 0.3)
    driver.key("Down")
    driver.key("Return")
    driver.until(lambda: camera.stretch.get() == "Linear")
    driver.until(lambda: camera.picture is not soft)
    assert camera.picture.pixels.mean() != soft.pixels.mean()


def test_a_number_that_is_chosen_is_plotted(driver: Driver) -> None:
    connect(driver)
    driver.choose("vector", CCD, "POLLING_PERIOD")
    period = driver.panel.vector(CCD, "POLLING_PERIOD")["PERIOD_MS"]
    driver.until(lambda: driver.window.plot.now["text"] == f"{float(period):g}")
    for value in (100, 300, 200):
        driver.panel.send(CCD, "POLLING_PERIOD", {"PERIOD_MS": value})
        driver.until(lambda value=value: driver.window.plot.now["text"] == str(value))
    line = driver.root.winfo_rgb(driver.program.ACCENT)
    view = driver.seen(driver.window.plot.canvas)
    assert (view == [part >> 8 for part in line]).all(axis=2).sum() > 20
    assert [value for _, value in driver.panel.history.points][-1] == 200


def test_messages_of_instruments_are_shown(driver: Driver) -> None:
    connect(driver)
    driver.until(lambda: "Connected to 127.0.0.1" in driver.window.messages.text.get("1.0", "end"))
    driver.panel.send(TELESCOPE, "TELESCOPE_PARK", {"UNPARK": "On"})
    driver.panel.send(TELESCOPE, "EQUATORIAL_EOD_COORD", {"RA": 5.5, "DEC": 60})
    driver.until(lambda: f"{TELESCOPE}: " in driver.window.messages.text.get("1.0", "end"))


def test_a_server_that_is_killed_is_shown_as_lost_and_the_window_recovers(
    root: Any, tk_screen: Screen
) -> None:
    with IndiServer(TELESCOPE, CCD) as server:
        driver = Driver(root, tk_screen, server.port)
        try:
            for losses in (1, 2):
                connect(driver)
                driver.until(lambda: driver.has_colour(driver.window.header.light, "connected"))
                server.kill()
                driver.until(lambda: driver.has_colour(driver.window.header.light, "lost"))
                driver.until(lambda: driver.window.tree.items == {})
                assert f"connection lost {losses} time" in driver.window.header.text["text"]
                server.start()
        finally:
            driver.close()


def test_after_a_flood_and_frames_the_tree_shows_the_last_value_sent(root: Any, tk_screen: Screen) -> None:
    content = bytes(4_000_000)
    with ScriptedServer() as server:
        driver = Driver(root, tk_screen, server.port)
        try:
            peer = server.greet(NUMBER + BLOB)
            flood = "".join(moved(number % 10) for number in range(2000))
            words = [flood + frame(content)] * 3 + [moved(9.75)]
            sending = threading.Thread(target=lambda: [peer.send(one) for one in words])
            sending.start()
            driver.until(lambda: driver.value("member", "D", "N", "x") == "9.75")
            sending.join()
            driver.until(lambda: driver.value("vector", "D", "B") == "4.0 MB .bin")
            driver.until(lambda: "cannot be shown" in driver.window.camera.text["text"])
        finally:
            driver.close()


def test_a_closed_window_leaves_no_image_to_the_garbage_collector(root: Any, tk_screen: Screen) -> None:
    """The collector runs in any thread, and Tk makes all but its own wait for a second, then raises."""
    import panel_model

    with ScriptedServer() as server:
        driver = Driver(root, tk_screen, server.port)
        gc.disable()
        try:
            driver.window.camera.show([panel_model.Picture("D", np.zeros((2, 3), np.uint8), "")], None)
            assert len(images()) == 8
        finally:
            driver.close()
            left = images()
            gc.enable()
    assert left == []


def images() -> list[str]:
    return [thing.name for thing in gc.get_objects() if isinstance(thing, tkinter.Image)]


def test_only_what_was_written_is_sent_and_the_rest_as_precisely_as_it_is_known(
    root: Any, tk_screen: Screen
) -> None:
    with ScriptedServer() as server:
        driver = Driver(root, tk_screen, server.port)
        try:
            peer = server.greet(NUMBER.replace(">2<", ">2.123456789<"))
            driver.choose("vector", "D", "N")
            driver.write(driver.window.editor.entries["x"], "5")
            driver.click(driver.window.editor.send)
            command = peer.receive_until(lambda message: isinstance(message, NewVector))[-1]
        finally:
            driver.close()
    assert {member.name: float(member.value) for member in command.members} == {"x": 5, "y": 2.123456789}
