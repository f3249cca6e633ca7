"""Delivery to windows of GTK; test_gtk.py runs this with a Python that has GTK.

The rows are those of the list of pitfalls that this package was designed against.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import gi
import pytest

gi.require_version("Gtk", "4.0")
from gi.repository import GLib, Gtk

from indipyclient.errors import MailboxClosed
from indipyclient.gui.gtk import deliver
from indipyclient.mailbox import Mailbox
from indipyclient.queclient import runqueclient
from tests.support.scripted import NUMBER, ScriptedServer, moved

PATIENCE = 20.0  # seconds for anything that should happen, on a busy machine too


class Seen:
    """A handler that notes what it is given."""

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []
        self.times: list[float] = []
        self.threads: set[int] = set()
        self.snapshot: Any = None

    def __call__(self, items: list[Any], snapshot: Any) -> None:
        self.batches.append(items)
        self.times.append(time.monotonic())
        self.threads.add(threading.get_ident())
        self.snapshot = snapshot

    @property
    def items(self) -> list[Any]:
        return [item for batch in self.batches for item in batch]


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


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BaseException]]:
    """What came to `sys.excepthook`."""
    errors: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: errors.append(error))
    yield errors
    errors.clear()  # their tracebacks hold all that was there


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


def lives_for(seconds: float) -> None:
    until = time.monotonic() + seconds
    assert lives_until(lambda: time.monotonic() > until)


def test_what_came_before_the_loop_is_delivered_in_it(window: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    box.put(0)
    deliver(box, window, seen)
    box.put(1)
    assert seen.batches == []
    assert lives_until(lambda: seen.items)
    assert seen.batches == [[0, 1]]


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


def test_the_last_value_of_a_burst_is_delivered_at_the_rate(window: Any) -> None:
    """Row 6."""
    box, seen = Mailbox[int](keep=10), Seen()
    deliver(box, window, seen, rate=20)
    done, given_up = threading.Event(), threading.Event()

    def burst() -> None:
        number = 0
        while len(seen.batches) < 5 and not given_up.is_set():  # so long that the rate matters
            box.put(number)
            number += 1
        box.put(-1)
        done.set()

    producer = threading.Thread(target=burst)
    producer.start()
    try:
        assert lives_until(lambda: done.is_set() and seen.items[-1] == -1)
    finally:
        given_up.set()  # or it would be in the way of all other tests
        producer.join()
    pauses = [after - before for before, after in zip(seen.times, seen.times[1:], strict=False)]
    assert min(pauses) > 0.045


def test_the_snapshot_is_the_newest_and_the_client_ends_with_the_window(window: Any) -> None:
    box, commands, seen = Mailbox[Any](), Mailbox[Any](), Seen()
    deliver(box, window, seen)
    with ScriptedServer() as server:
        client = threading.Thread(target=runqueclient, args=(commands, box, "127.0.0.1", server.port))
        client.start()
        server.greet(NUMBER).send("".join(moved(x) for x in range(10)))
        assert lives_until(lambda: seen.snapshot and seen.snapshot.get("D", {}).get("N", {}).get("x") == "9")
        window.close()
        commands.close()
        client.join()


def test_an_exception_of_the_handler_is_reported_and_delivery_goes_on(
    window: Any, reported: list[BaseException]
) -> None:
    box, seen = Mailbox[int](), Seen()

    def show(items: list[int], snapshot: object) -> None:
        seen(items, snapshot)
        if items == [1]:
            raise ValueError("one")

    deliver(box, window, show)
    box.put(1)
    assert lives_until(lambda: seen.items == [1])
    box.put(2)
    assert lives_until(lambda: seen.items == [1, 2])
    assert [str(error) for error in reported] == ["one"]


def test_the_death_of_the_client_is_reported_after_its_last_items(
    window: Any, reported: list[BaseException]
) -> None:
    box, seen = Mailbox[int](), Seen()
    deliver(box, window, seen, rate=1000)
    box.put(1)
    cause = OSError("on purpose")
    box.close(cause)
    assert lives_until(lambda: reported)
    lives_for(0.05)
    assert seen.items == [1]
    assert [(type(error), error.__cause__) for error in reported] == [(MailboxClosed, cause)]


def test_a_handler_that_runs_a_loop_is_not_called_inside_itself(window: Any) -> None:
    box, seen, inside = Mailbox[int](), Seen(), []

    def show(items: list[int], snapshot: object) -> None:
        assert inside == []
        inside.append(1)
        if not seen.batches:
            box.put(2)
            lives_for(0.1)
        inside.pop()
        seen(items, snapshot)

    deliver(box, window, show)
    box.put(1)
    assert lives_until(lambda: len(seen.batches) == 2)
    assert seen.batches == [[1], [2]]


@pytest.mark.parametrize("how", ["close", "destroy"])
def test_a_window_that_ends_during_a_burst_is_the_end_of_it(window: Any, how: str) -> None:
    box, seen = Mailbox[int](keep=100), Seen()
    delivery = deliver(box, window, seen, rate=1000)
    glib = CountedGLib(delivery)
    stop = threading.Event()

    def burst() -> None:
        while not stop.is_set():
            box.put(1)

    producer = threading.Thread(target=burst)
    producer.start()
    try:
        assert lives_until(lambda: len(seen.batches) > 5)
        getattr(window, how)()
        count = len(seen.batches)
        assert lives_until(lambda: not glib.waiting)
        assert len(seen.batches) == count
        delivery.stop()
    finally:
        stop.set()
        producer.join()


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


def test_stop_leaves_what_waits(window: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    delivery = deliver(box, window, seen)
    box.put(1)
    delivery.stop()
    delivery.stop()
    lives_for(0.05)
    assert (seen.items, box.drain()) == ([], [1])


def test_a_handler_may_stop_its_own_delivery(window: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    delivery = deliver(box, window, lambda items, snapshot: (seen(items, snapshot), delivery.stop()), 1000)
    box.put(1)
    assert lives_until(lambda: seen.items)
    box.put(2)
    lives_for(0.05)
    assert seen.items == [1]


def test_a_rate_must_be_above_0(window: Any) -> None:
    with pytest.raises(ValueError, match="rate"):
        deliver(Mailbox(), window, Seen(), rate=0)
