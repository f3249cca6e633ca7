"""Delivery to windows of Qt; test_qt.py runs this for each of them.

The rows are those of the list of pitfalls that this package was designed against.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from indipyclient.gui.qt import deliver
from indipyclient.mailbox import Mailbox
from indipyclient.queclient import runqueclient
from tests.support.scripted import NUMBER, ScriptedServer, moved

from .delivery_cases import DeliveryCases, Seen, Watched, burst
from .qt_windows import BINDING, PATIENCE, alive, core, delete, lives_until, run, widgets


def later(call: Any, milliseconds: int = 0) -> None:
    core.QTimer.singleShot(milliseconds, call)


def lives_for(seconds: float) -> None:
    until = time.monotonic() + seconds
    assert lives_until(lambda: time.monotonic() > until)


class TestDelivery(DeliveryCases):
    def deliver(self, box: Mailbox[Any], window: Any, show: Any, rate: float = 25) -> Any:
        return deliver(box, window, show, rate)

    def lives_until(self, window: Any, holds: Callable[[], object]) -> bool:
        return lives_until(holds)

    def ask_something(self, window: Any) -> None:
        dialog = widgets.QDialog(window)
        later(dialog.accept, 200)
        run(dialog)

    def test_a_handler_may_delete_its_own_window(self, window: Any, reported: list[BaseException]) -> None:
        box, seen = Mailbox[int](), Seen()
        deliver(box, window, lambda items, snapshot: (seen(items, snapshot), delete(window)))
        box.put(1)
        assert lives_until(lambda: not alive(window))
        box.put(2)
        lives_for(0.05)
        assert (seen.items, reported) == ([1], [])


def test_a_wake_up_for_nothing_calls_nobody(window: Any) -> None:
    """Row 2."""
    box, seen = Watched(), Seen()
    deliver(box, window, seen)
    assert box._pair is not None
    box._pair[1].send(b"\0")
    assert lives_until(lambda: box.looks)
    assert seen.batches == []
    box.put(1)
    assert lives_until(lambda: seen.items == [1])


def test_at_rest_nothing_is_looked_at(window: Any) -> None:
    box, seen = Watched(), Seen()
    deliver(box, window, seen, rate=1000)
    box.put(1)
    assert lives_until(lambda: seen.items)
    looks = box.looks
    lives_for(0.1)
    assert box.looks == looks


# -- row 19: the states a window can be in -------------------------------------------------------


def test_a_nested_loop_keeps_receiving(window: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    deliver(box, window, seen)
    dialog = widgets.QDialog(window)
    deadline = time.monotonic() + PATIENCE

    def produce() -> None:
        assert dialog.isVisible()
        box.put(1)
        if len(seen.batches) < 3 and time.monotonic() < deadline:
            later(produce, 20)
        else:
            dialog.accept()

    later(produce)
    run(dialog)
    assert len(seen.batches) >= 3


@pytest.mark.parametrize("how", ["closed", "deleted"])
def test_a_window_that_ends_during_a_burst_is_the_end_of_it(window: Any, how: str) -> None:
    box, seen = Mailbox[int](keep=100), Seen()
    window.setAttribute(core.Qt.WidgetAttribute.WA_DeleteOnClose)
    delivery = deliver(box, window, seen, rate=1000)
    with burst(box):
        assert lives_until(lambda: len(seen.batches) > 5)
        window.close() if how == "closed" else delete(window)
        assert lives_until(lambda: not alive(window))
        count = len(seen.batches)
        lives_for(0.05)
        assert len(seen.batches) == count
        delivery.stop()


def test_the_notifier_is_deleted_before_the_descriptor_is_closed(window: Any) -> None:
    order: list[str] = []
    box = Mailbox[int]()
    weakref.finalize(box, order.append, "mailbox")  # the descriptor is closed then
    deliver(box, window, lambda items, snapshot: None)
    del box
    (notifier,) = window.findChildren(core.QSocketNotifier)
    notifier.destroyed.connect(lambda *_: order.append("notifier"))
    del notifier
    delete(window)
    assert lives_until(lambda: len(order) == 2)  # PyQt lets go of what was connected in the loop only
    assert order == ["notifier", "mailbox"]


def test_nothing_of_the_handler_outlives_the_window(window: Any) -> None:
    seen = Seen()
    box = Mailbox[int]()
    deliver(box, window, seen)
    handler = weakref.ref(seen)
    del seen
    delete(window)
    assert lives_until(lambda: handler() is None)


def test_it_ends_with_its_own_widget(window: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    inside = widgets.QLabel("inside", window)
    deliver(box, inside, seen)
    delete(inside)
    box.put(1)
    lives_for(0.05)
    assert (seen.items, box.drain()) == ([], [1])


# -- what is refused -------------------------------------------------------------------------------


def test_only_a_window_of_qt_will_do() -> None:
    with pytest.raises(TypeError, match="PySide6, PyQt6, PyQt5"):
        deliver(Mailbox(), object(), Seen())


def test_a_deleted_window_is_refused(window: Any) -> None:
    delete(window)
    with pytest.raises(RuntimeError):
        deliver(Mailbox(), window, Seen())


# -- the client's thread ---------------------------------------------------------------------------


def test_the_clients_thread_never_calls_qt(window: Any) -> None:
    box, commands, seen = Mailbox[Any](), Mailbox[Any](), Seen()
    called: set[str] = set()

    def profile(frame: Any, event: str, argument: Any) -> None:
        if event == "c_call":
            called.add(str(getattr(argument, "__module__", None) or type(argument.__self__).__module__))
        elif event == "call":
            called.add(frame.f_globals.get("__name__", ""))

    def in_thread() -> None:
        sys.setprofile(profile)
        runqueclient(commands, box, "127.0.0.1", server.port)

    deliver(box, window, seen)
    with ScriptedServer() as server:
        client = threading.Thread(target=in_thread)
        client.start()
        server.greet(NUMBER).send("".join(moved(x) for x in range(100)))
        assert lives_until(lambda: seen.snapshot and seen.snapshot.get("D", {}).get("N", {}).get("x") == "99")
        commands.close()
        client.join()
    foreign = (BINDING, "shiboken", "indipyclient.gui")
    assert "indipyclient.mailbox" in called
    assert [name for name in called if name.startswith(foreign)] == []
