"""The Qt panel, driven by pointer and keyboard, and looked at; test_qt.py runs this.

On a screen it is the real pointer and keyboard and what the screen shows; without one, offscreen, it is
Qt's own imitation of them and what the window draws.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import qt_panel
from numpy.typing import NDArray
from PIL import Image

from tests.support.screen import SIZE, Screen
from tests.support.servers import CCD

from .panel_cases import Driver, PanelCases
from .qt_windows import core, delete, lives_until, testing, widgets

pytestmark = pytest.mark.real

Qt = core.Qt


class QtDriver(Driver):
    program = qt_panel

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.show(qt_panel.Window(self.observatory))
        self.window.resize(*SIZE)
        self.window.move(0, 0)
        self.window.show()
        assert testing.qWaitForWindowExposed(self.window)

    def close(self) -> None:
        self.window.close()
        super().close()
        delete(self.window)
        vars(self).clear()  # pytest holds the driver a little longer

    def until(self, condition: Callable[[], Any]) -> None:
        assert lives_until(condition), self.panel.snapshot

    # -- the hand and the eye, offscreen

    def click(self, widget: Any, x: float = 0.5, y: float = 0.5) -> None:
        self.press(widget, core.QPoint(round(x * widget.width()), round(y * widget.height())))

    def press(self, widget: Any, place: Any) -> None:
        testing.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)

    def type(self, text: str) -> None:
        testing.keyClicks(self.window.focusWidget(), text)

    def key(self, name: str) -> None:
        # a list that a box has opened has the keys for itself
        window = widgets.QApplication.activePopupWidget() or self.window
        testing.keyClick(window.focusWidget(), getattr(Qt.Key, f"Key_{name}"))

    def seen(self, widget: Any) -> NDArray[np.uint8]:
        buffer = core.QBuffer()
        buffer.open(core.QIODevice.OpenModeFlag.WriteOnly)
        assert self.window.grab(self._place(widget)).save(buffer, "PNG")
        return np.asarray(Image.open(io.BytesIO(bytes(buffer.data()))).convert("RGB"))

    def _place(self, widget: Any) -> Any:
        return core.QRect(widget.mapTo(self.window, core.QPoint(0, 0)), widget.size())

    # -- what is done and seen with them

    def click_row(self, key: tuple[str, ...]) -> None:
        self.press(self.window.tree.viewport(), self._row(key).center())

    def chosen(self, key: tuple[str, ...]) -> bool:
        return self.window.tree.currentItem() is self.window.tree.items.get(key)

    def _row(self, key: tuple[str, ...]) -> Any:
        """Where a row of the tree is, which it is scrolled to."""
        item = self.window.tree.items[key]
        self.window.tree.scrollToItem(item)
        self.until(lambda: not self.window.tree.visualItemRect(item).isEmpty())
        return self.window.tree.visualItemRect(item)

    def write(self, widget: Any, text: str) -> None:
        self.click(widget, 0.3)
        self.until(widget.hasFocus)
        widget.selectAll()
        self.type(text)
        self.until(lambda: widget.text() == text)

    def choose_camera(self) -> None:
        name = self.window.camera.name
        self.until(lambda: name.findText(CCD) >= 0)
        name.setCurrentText(CCD)

    def open_stretches(self) -> None:
        self.click(self.window.camera.stretch, 0.3)
        self.until(widgets.QApplication.activePopupWidget)

    def row_seen(self, key: tuple[str, ...]) -> NDArray[np.uint8]:
        row = self._row(key)
        return self.seen(self.window.tree.viewport())[row.top() : row.bottom()]

    def text(self, widget: Any) -> str:
        return str(widget.currentText() if hasattr(widget, "currentText") else widget.text())

    def value(self, *key: str) -> str:
        items = self.window.tree.items
        return str(items[key].text(1)) if key in items else ""

    def messages(self) -> str:
        return str(self.window.messages.text.toPlainText())

    def progress(self) -> float:
        return float(self.window.camera.progress.value())


class ScreenDriver(QtDriver):
    """The same with the real pointer and keyboard, and with the eye on the screen."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.screen = Screen()
        self.screen.display = os.environ["DISPLAY"]
        self.use("windowfocus", int(self.window.winId()))  # there is no window manager to do it
        self.until(self.window.isActiveWindow)

    def press(self, widget: Any, place: Any) -> None:
        there = widget.mapToGlobal(place)
        # and away again: what is under the pointer looks different
        self.use("mousemove", there.x(), there.y(), "click", 1, "mousemove", 2, 2)

    def type(self, text: str) -> None:
        self.use("type", "--delay", "20", text)

    def key(self, name: str) -> None:
        self.use("key", name)

    def seen(self, widget: Any) -> NDArray[np.uint8]:
        place = self._place(widget)
        rows, columns = (
            slice(place.top(), place.bottom() + 1),
            slice(place.left(), place.right() + 1),
        )
        return self.screen.look()[rows, columns]


class TestPanel(PanelCases):
    @pytest.fixture
    def drive(self, app: Any) -> Callable[[int], Driver]:
        return QtDriver if os.environ["QT_QPA_PLATFORM"] == "offscreen" else ScreenDriver
