"""One screen for all tests of windows, root windows of Tkinter on it, and the example programs to import."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.screen import Screen
from tests.support.servers import require

try:
    import tkinter
except ImportError:  # a Python without it
    tkinter = None  # type: ignore[assignment]

EXAMPLES = Path(__file__).parents[2] / "examples" / "threaded"
sys.path.append(str(EXAMPLES))


@pytest.fixture(scope="session")
def screen() -> Iterator[Screen]:
    with Screen() as screen:
        yield screen


@pytest.fixture(scope="session")
def tk_screen(screen: Screen) -> Screen:
    """The screen, once Tk has opened there what it keeps for the rest of the process."""
    require(tkinter is not None, "tkinter")
    root = tkinter.Tk(screenName=screen.display)
    root.after(10, root.destroy)
    root.mainloop()
    return screen


@pytest.fixture
def root(tk_screen: Screen) -> Iterator[tkinter.Tk]:
    """A root window in which an error of a handler fails the test, unless that takes it over."""
    gc.collect()  # what is left of the window before, here and not in the thread of a client
    root = tkinter.Tk(screenName=tk_screen.display)
    errors: list[BaseException] = []
    root.report_callback_exception = lambda kind, error, trace: errors.append(error)  # type: ignore[method-assign]
    yield root
    if not _is_gone(root):
        root.destroy()
    assert errors == []


def _is_gone(root: tkinter.Tk) -> bool:
    try:
        return not root.winfo_exists()
    except tkinter.TclError:
        return True
