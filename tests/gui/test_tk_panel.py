"""The Tkinter panel, driven by the real pointer and keyboard, and looked at."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.screen import Screen
from tests.support.scripted import ScriptedServer
from tests.support.servers import CCD

from .panel_cases import Driver, PanelCases
from .tk_windows import lives_until

pytestmark = pytest.mark.real


class TkDriver(Driver):
    def __init__(self, root: Any, screen: Screen, port: int) -> None:
        import tk_panel

        super().__init__(port)
        self.program = tk_panel
        self.root, self.screen = root, screen
        self.show(tk_panel.Window(root, self.observatory))

    def close(self) -> None:
        self.root.destroy()
        super().close()

    def until(self, condition: Callable[[], Any]) -> None:
        assert lives_until(self.root, condition), self.panel.snapshot

    def click(self, widget: Any, x: float = 0.5, y: float = 0.5) -> None:
        place = (
            widget.winfo_rootx() + x * widget.winfo_width(),
            widget.winfo_rooty() + y * widget.winfo_height(),
        )
        self._press(*place)

    def _press(self, x: float, y: float) -> None:
        # and away again: what is under the pointer looks different
        self.use("mousemove", round(x), round(y), "click", 1, "mousemove", 2, 2)

    def click_row(self, key: tuple[str, ...]) -> None:
        tree = self.window.tree
        x, y, width, height = self._row(key)
        self._press(tree.winfo_rootx() + x + width / 3, tree.winfo_rooty() + y + height / 2)

    def _row(self, key: tuple[str, ...]) -> tuple[int, int, int, int]:
        """Where a row of the tree is, which it is scrolled to."""
        tree = self.window.tree
        tree.see(tree.items[key])
        self.until(lambda: tree.bbox(tree.items[key]))
        place: tuple[int, int, int, int] = tree.bbox(tree.items[key])
        return place

    def chosen(self, key: tuple[str, ...]) -> bool:
        tree = self.window.tree
        return bool(tree.selection() == (tree.items.get(key),))

    def write(self, widget: Any, text: str) -> None:
        self.root.focus_force()
        self.click(widget)
        self.until(lambda: self.root.focus_get() is widget)
        self.use("key", "ctrl+a", "Delete")  # Tk on X11: to the line's start, so clear it all the same
        self.use("key", "ctrl+k", "type", "--delay", "20", text)
        self.until(lambda: widget.get() == text)

    def choose_camera(self) -> None:
        name = self.window.camera.name
        self.until(lambda: CCD in name["values"])
        name.set(CCD)

    def open_stretches(self) -> None:
        self.root.focus_force()
        self.click(self.window.camera.stretch, 0.3)

    def seen(self, widget: Any) -> NDArray[np.uint8]:
        x, y = widget.winfo_rootx(), widget.winfo_rooty()
        return self.screen.look()[y : y + widget.winfo_height(), x : x + widget.winfo_width()]

    def row_seen(self, key: tuple[str, ...]) -> NDArray[np.uint8]:
        x, y, width, height = self._row(key)
        self.root.update()
        return self.seen(self.window.tree)[y : y + height, x : x + width]

    def text(self, widget: Any) -> str:
        return str(widget.get() if hasattr(widget, "get") else widget["text"])

    def value(self, *key: str) -> str:
        tree = self.window.tree
        return str(tree.set(tree.items[key], "value")) if key in tree.items else ""

    def messages(self) -> str:
        return str(self.window.messages.text.get("1.0", "end"))

    def progress(self) -> float:
        return float(self.window.camera.progress["value"])


class TestPanel(PanelCases):
    @pytest.fixture
    def drive(self, root: Any, tk_screen: Screen) -> Callable[[int], Driver]:
        return lambda port: TkDriver(root, tk_screen, port)

    def test_a_closed_window_leaves_no_image_to_the_garbage_collector(
        self, drive: Callable[[int], Driver]
    ) -> None:
        """The collector runs in any thread, and Tk makes all but its own wait for a second, then raises."""
        import panel_model

        with ScriptedServer() as server:
            gc.disable()
            try:
                with closing(drive(server.port)) as driver:
                    driver.window.camera.show(
                        [panel_model.Picture("D", np.zeros((2, 3), np.uint8), "")], None
                    )
                    assert len(images()) == 8
                left = images()
            finally:
                gc.enable()
        assert left == []


def images() -> list[str]:
    import tkinter

    return [thing.name for thing in gc.get_objects() if isinstance(thing, tkinter.Image)]
