"""Delivery to windows of Qt; test_qt.py runs this for each of them.

The rows are those of the list of pitfalls that this package was designed against.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from indipyclient.errors import MailboxClosed
from indipyclient.gui.qt import deliver
from indipyclient.mailbox import Mailbox
from indipyclient.queclient import EventItem, runqueclient
from tests.support.scripted import NUMBER, ScriptedServer, moved

from .qt_windows import BINDING, PATIENCE, alive, core, delete, lives_until, run, widgets


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


class Watched(Mailbox[Any]):
    """A mailbox that counts how often somebody took from it, and tells of its end."""

    looks = 0

    def drain(self) -> list[Any]:
        self.looks += 1
        return super().drain()


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BaseException]]:
    """What came to `sys.excepthook`."""
    errors: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: errors.append(error))
    yield errors
    errors.clear()  # their tracebacks hold all that was there


def later(call: Any, milliseconds: int = 0) -> None:
    core.QTimer.singleShot(milliseconds, call)


# -- what is delivered ---------------------------------------------------------------------------


def test_what_came_before_the_loop_is_delivered_in_it(window: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    box.put(0)
    deliver(box, window, seen)
    box.put(1)
    assert seen.batches == []
    assert lives_until(lambda: seen.items)
    assert seen.batches == [[0, 1]]


def test_news_from_another_thread_comes_whole_and_in_the_windows_thread(window: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    deliver(box, window, seen, rate=1000)
    producer = threading.Thread(target=lambda: [box.put(number) for number in range(5000)])
    later(producer.start)
    assert lives_until(lambda: len(seen.items) == 5000)
    producer.join()
    assert seen.items == list(range(5000))
    assert seen.threads == {threading.get_ident()}


def test_the_snapshot_is_the_newest_of_everything(window: Any) -> None:
    box, seen = Mailbox[Any](), Seen()
    deliver(box, window, seen)
    with ScriptedServer() as server:
        commands = Mailbox[Any]()
        client = threading.Thread(target=runqueclient, args=(commands, box, "127.0.0.1", server.port))
        client.start()
        server.greet(NUMBER).send("".join(moved(x) for x in range(10)))
        assert lives_until(lambda: seen.snapshot and seen.snapshot.get("D", {}).get("N", {}).get("x") == "9")
        commands.put(("D", "N", "snapshot"))  # the answer is of this vector alone
        assert lives_until(lambda: seen.items[-1].eventtype == "snapshot")
        assert seen.snapshot["D"]["N"] is seen.items[-1].snapshot
        commands.close()
        client.join()
    assert isinstance(seen.items[0], EventItem)


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
    later(producer.start)
    try:
        assert lives_until(lambda: done.is_set() and seen.items[-1] == -1)
    finally:
        given_up.set()  # or it would be in the way of all other tests
        producer.join()
    pauses = [after - before for before, after in zip(seen.times, seen.times[1:], strict=False)]
    assert min(pauses) > 0.045  # Qt's timers may be 5 % early


def test_at_rest_nothing_is_looked_at(window: Any) -> None:
    box, seen = Watched(), Seen()
    deliver(box, window, seen, rate=1000)
    box.put(1)
    assert lives_until(lambda: seen.items)
    looks, began = box.looks, time.monotonic()
    assert lives_until(lambda: time.monotonic() > began + 0.1)
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


def test_a_handler_that_opens_a_dialog_is_not_called_inside_itself(window: Any) -> None:
    box, seen, inside = Mailbox[int](), Seen(), []

    def show(items: list[int], snapshot: object) -> None:
        assert inside == []
        inside.append(1)
        if not seen.batches:
            dialog = widgets.QDialog(window)
            box.put(2)
            later(dialog.accept, 200)
            run(dialog)
        inside.pop()
        seen(items, snapshot)

    deliver(box, window, show)
    box.put(1)
    assert lives_until(lambda: len(seen.batches) == 2)
    assert seen.batches == [[1], [2]]


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
    box, seen = Watched(), Seen()
    deliver(box, window, seen, rate=1000)
    box.put(1)
    cause = OSError("on purpose")
    box.close(cause)
    assert lives_until(lambda: reported)
    assert seen.items == [1]
    assert [(type(error), error.__cause__) for error in reported] == [(MailboxClosed, cause)]
    looks, began = box.looks, time.monotonic()
    assert lives_until(lambda: time.monotonic() > began + 0.05)
    assert box.looks == looks  # though the descriptor stays readable


@pytest.mark.parametrize("how", ["closed", "deleted"])
def test_a_window_that_ends_during_a_burst_is_the_end_of_it(window: Any, how: str) -> None:
    box, seen = Mailbox[int](keep=100), Seen()
    window.setAttribute(core.Qt.WidgetAttribute.WA_DeleteOnClose)
    delivery = deliver(box, window, seen, rate=1000)
    stop = threading.Event()

    def burst() -> None:
        while not stop.is_set():
            box.put(1)

    producer = threading.Thread(target=burst)
    producer.start()
    try:
        assert lives_until(lambda: len(seen.batches) > 5)
        window.close() if how == "closed" else delete(window)
        assert lives_until(lambda: not alive(window))
        count, began = len(seen.batches), time.monotonic()
        assert lives_until(lambda: time.monotonic() > began + 0.05)
        assert len(seen.batches) == count
        delivery.stop()
    finally:
        stop.set()
        producer.join()


def test_a_handler_may_delete_its_own_window(window: Any, reported: list[BaseException]) -> None:
    box, seen = Mailbox[int](), Seen()
    deliver(box, window, lambda items, snapshot: (seen(items, snapshot), delete(window)))
    box.put(1)
    assert lives_until(lambda: not alive(window))
    box.put(2)
    began = time.monotonic()
    assert lives_until(lambda: time.monotonic() > began + 0.05)
    assert (seen.items, reported) == ([1], [])


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
    began = time.monotonic()
    assert lives_until(lambda: time.monotonic() > began + 0.05)
    assert (seen.items, box.drain()) == ([], [1])


def test_stop_leaves_what_waits(window: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    delivery = deliver(box, window, seen)
    box.put(1)
    delivery.stop()
    delivery.stop()
    began = time.monotonic()
    assert lives_until(lambda: time.monotonic() > began + 0.05)
    assert (seen.items, box.drain()) == ([], [1])


def test_a_handler_may_stop_its_own_delivery(window: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    delivery = deliver(box, window, lambda items, snapshot: (seen(items, snapshot), delivery.stop()), 1000)
    box.put(1)
    assert lives_until(lambda: seen.items)
    box.put(2)
    began = time.monotonic()
    assert lives_until(lambda: time.monotonic() > began + 0.05)
    assert seen.items == [1]


# -- what is refused -------------------------------------------------------------------------------


def test_only_a_window_of_qt_will_do() -> None:
    with pytest.raises(TypeError, match="PySide6, PyQt6, PyQt5"):
        deliver(Mailbox(), object(), Seen())


def test_a_rate_must_be_above_0(window: Any) -> None:
    with pytest.raises(ValueError, match="rate"):
        deliver(Mailbox(), window, Seen(), rate=0)


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
