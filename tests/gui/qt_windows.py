"""Windows of one of the Qts, which the environment names; a plugin of the run of pytest for each of them."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

PATIENCE = 20.0  # seconds for anything that should happen, on a busy machine too
NAMES = ("PySide6", "PyQt6", "PyQt5")
BINDING = os.environ["INDIPYCLIENT_TEST_QT"]

# the example programs take the first they find
for other in NAMES[: NAMES.index(BINDING)]:
    sys.modules[other] = None  # type: ignore[assignment]

core: Any = importlib.import_module(f"{BINDING}.QtCore")
widgets: Any = importlib.import_module(f"{BINDING}.QtWidgets")
testing: Any = importlib.import_module(f"{BINDING}.QtTest").QTest


@pytest.fixture(scope="session")
def app() -> Any:
    """The application: one for each process."""
    return widgets.QApplication.instance() or widgets.QApplication([])


@pytest.fixture(autouse=True)
def no_complaints(nothing_left_behind: None, app: Any) -> Iterator[None]:
    """Qt has nothing to print, as it prints what is used wrongly, and nothing to delete later."""
    said: list[str] = []
    before = core.qInstallMessageHandler(lambda kind, context, text: said.append(text))
    yield
    settle(app)
    core.qInstallMessageHandler(before)
    harmless = ("This plugin does not support", "XDG_RUNTIME_DIR", "QStandardPaths")
    assert [text for text in said if not text.startswith(harmless)] == []


@pytest.fixture
def window(app: Any) -> Iterator[Any]:
    """A window that is shown, and deleted afterwards."""
    window = widgets.QLabel("a window")
    window.show()
    yield window
    if alive(window):
        delete(window)


def settle(app: Any) -> None:
    """Delete now what is to be deleted later. PyQt lets go of what was connected in the loop only."""
    gc.collect()
    app.processEvents()
    app.sendPostedEvents(None, core.QEvent.Type.DeferredDelete)


def alive(thing: Any) -> bool:
    """Whether the object of Qt is still there."""
    if BINDING == "PySide6":
        return bool(importlib.import_module("shiboken6").isValid(thing))
    return not importlib.import_module(f"{BINDING}.sip").isdeleted(thing)


def delete(thing: Any) -> None:
    """Delete an object of Qt at once, as its parent does."""
    if BINDING == "PySide6":
        importlib.import_module("shiboken6").delete(thing)
    else:
        importlib.import_module(f"{BINDING}.sip").delete(thing)


def lives_until(holds: Callable[[], object], timeout: float = PATIENCE) -> bool:
    """Let Qt's loop run until something holds; say whether it did in time."""
    deadline = time.monotonic() + timeout
    waiter = core.QEventLoop()
    look = core.QTimer()
    look.timeout.connect(lambda: waiter.quit() if holds() or time.monotonic() > deadline else None)
    look.start(5)
    run(waiter)
    look.stop()
    return bool(holds())


def run(loop: Any) -> Any:
    """Run a loop or a dialog of any Qt."""
    return loop.exec() if hasattr(loop, "exec") else loop.exec_()
