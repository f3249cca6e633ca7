"""Delivery to windows of GTK; test_gtk.py runs this with a Python that has GTK.

The rows are those of the list of pitfalls that this package was designed against.
"""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import gi
import pytest

gi.require_version("Gtk", "4.0")
from gi.repository import GLib, Gtk

from indipyclient.gui.gtk import deliver
from indipyclient.mailbox import Mailbox

from .delivery_cases import DeliveryCases, Seen, burst

PATIENCE = 20.0  # seconds for anything that should happen, on a busy machine too


class CountedGLib:
    """GLib, which notes what a delivery asks of it: by whom, how much of it waits, what the calls return."""

    def __init__(self, delivery: Any) -> None:
        delivery._glib = self
        self.waiting = self.most = 0
        self.returned: list[object] = []
        self.calls: dict[str, set[int]] = {"idle_add": set(), "timeout_add": set()}
        self._lock = threading.Lock()

    def idle_add(self, call: Callable[[], bool]) -> int:
        return int(GLib.idle_add(self._counted("idle_add", call)))

    def timeout_add(self, milliseconds: int, call: Callable[[], bool]) -> int:
        return int(GLib.timeout_add(milliseconds, self._counted("timeout_add", call)))

    def _counted(self, name: str, call: Callable[[], bool]) -> Callable[[], bool]:
        self.calls[name].add(threading.get_ident())
        with self._lock:
            self.waiting += 1
            self.most = max(self.most, self.waiting)

        def run() -> bool:
            with self._lock:
                self.waiting -= 1
            self.returned.append(call())
            return bool(self.returned[-1])

        return run


@pytest.fixture
def window() -> Iterator[Any]:
    window = Gtk.Window(child=Gtk.Label(label="a window"))
    window.present()
    yield window
    window.destroy()
    del window
    gc.collect()
    lives_until(lambda: not GLib.MainContext.default().pending())


def lives_until(holds: Callable[[], object], timeout: float = PATIENCE) -> bool:
    """Let the main loop run until something holds; say whether it did in time."""
    deadline = time.monotonic() + timeout
    loop = GLib.MainLoop()

    def look() -> bool:
        if holds() or time.monotonic() > deadline:
            loop.quit()
            return False
        return True

    GLib.timeout_add(5, look)
    loop.run()
    return bool(holds())


class TestDelivery(DeliveryCases):
    def deliver(self, box: Mailbox[Any], window: Any, show: Any, rate: float = 25) -> Any:
        return deliver(box, window, show, rate)

    def lives_until(self, window: Any, holds: Callable[[], object]) -> bool:
        return lives_until(holds)

    def ask_something(self, window: Any) -> None:
        self.lives_for(window, 0.1)  # GTK 4 has no dialogs that wait, but programs run loops


def lives_for(seconds: float) -> None:
    until = time.monotonic() + seconds
    assert lives_until(lambda: time.monotonic() > until)


def test_one_source_waits_at_most_and_each_runs_once(window: Any) -> None:
    """Row 20."""
    box, seen = Mailbox[int](), Seen()
    glib = CountedGLib(deliver(box, window, seen, rate=1000))
    producers = [
        threading.Thread(target=lambda: [box.put(number) for number in range(3000)]) for _ in range(3)
    ]
    for producer in producers:
        producer.start()
    assert lives_until(lambda: len(seen.items) == 9000)
    for producer in producers:
        producer.join()
    lives_for(0.05)
    assert sorted(seen.items) == sorted(3 * list(range(3000)))
    assert seen.threads == glib.calls["timeout_add"] == {threading.get_ident()}
    assert (glib.most, glib.waiting, set(glib.returned)) == (1, 0, {False})


def test_at_rest_nothing_is_called(window: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    glib = CountedGLib(deliver(box, window, seen, rate=1000))
    box.put(1)
    assert lives_until(lambda: seen.items and not glib.waiting)
    calls = len(glib.returned)
    lives_for(0.1)
    assert len(glib.returned) == calls


def test_a_wake_up_for_nothing_calls_nobody(window: Any) -> None:
    """Row 2."""
    box, seen = Mailbox[int](), Seen()
    glib = CountedGLib(deliver(box, window, seen))
    box.put(1)
    assert box.drain() == [1]
    assert glib.waiting == 1
    assert lives_until(lambda: not glib.waiting)
    assert seen.batches == []
    box.put(2)
    assert lives_until(lambda: seen.items == [2])


@pytest.mark.parametrize("how", ["close", "destroy"])
def test_a_window_that_ends_during_a_burst_is_the_end_of_it(window: Any, how: str) -> None:
    box, seen = Mailbox[int](keep=100), Seen()
    delivery = deliver(box, window, seen, rate=1000)
    glib = CountedGLib(delivery)
    with burst(box):
        assert lives_until(lambda: len(seen.batches) > 5)
        getattr(window, how)()
        count = len(seen.batches)
        assert lives_until(lambda: not glib.waiting)
        assert len(seen.batches) == count
        delivery.stop()


def test_a_widget_that_is_moved_to_another_place_goes_on(window: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    places, widget = Gtk.Box(), Gtk.Label()
    window.set_child(places)
    places.append(widget)
    deliver(box, widget, seen)
    places.remove(widget)
    box.put(1)
    lives_for(0.05)
    assert seen.items == []
    places.append(widget)
    assert lives_until(lambda: seen.items == [1])


def test_nothing_of_the_handler_outlives_the_window(window: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    delivery = deliver(box, window, seen)
    handler = weakref.ref(seen)
    box.put(1)
    del seen
    assert lives_until(lambda: handler().items)
    delivery.stop()
    assert lives_until(lambda: handler() is None)
