"""One screen for all tests of windows, root windows of Tkinter on it, and the example programs to import."""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator, Iterator
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Free here what is left of a window of Tkinter, before the garbage collector does it in another thread.

    Tk would have that thread wait, and complain. Only here the fixtures of the test have let go of it too.
    """
    result = yield
    if "tk_screen" in getattr(item, "fixturenames", ()):
        gc.collect()
    return result


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
