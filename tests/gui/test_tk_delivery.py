"""Delivery to Tkinter windows; rows are those of the list of pitfalls the package was designed against."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from indipyclient.errors import MailboxClosed
from indipyclient.mailbox import Mailbox
from indipyclient.queclient import EventItem
from tests.support.screen import Screen
from tests.support.servers import CCD, TELESCOPE, IndiServer

from .tk_windows import PATIENCE, lives_until, run_mainloop

try:
    import tkinter

    from indipyclient.gui.tk import deliver
except ImportError:  # the fixture `root` tells of it
    pass


class Seen:
    """A handler that notes what it is given."""

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []
        self.snapshots: list[Any] = []

    def __call__(self, items: list[Any], snapshot: Any) -> None:
        self.batches.append(items)
        self.snapshots.append(snapshot)

    @property
    def items(self) -> list[Any]:
        return [item for batch in self.batches for item in batch]


def timers(root: Any) -> tuple[str, ...]:
    """What Tk is still going to call."""
    return root.tk.splitlist(root.tk.call("after", "info"))


# -- row 18: the states a window can be in ------------------------------------------------------


def test_what_came_before_the_mainloop_is_delivered_in_it(root: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    deliver(box, root, lambda items, snapshot: (seen(items, snapshot), root.quit()))
    for number in range(3):
        box.put(number)
    run_mainloop(root)
    assert seen.batches == [[0, 1, 2]]


def test_news_from_another_thread_reaches_the_mainloop(root: Any) -> None:
    box, seen, threads = Mailbox[int](), Seen(), set()

    def show(items: list[int], snapshot: object) -> None:
        threads.add(threading.get_ident())
        seen(items, snapshot)
        if items[-1] == 999:
            root.quit()

    deliver(box, root, show, rate=1000)
    producer = threading.Thread(target=lambda: [box.put(number) for number in range(1000)])
    root.after(10, producer.start)
    run_mainloop(root)
    producer.join()
    assert seen.items == list(range(1000))
    assert threads == {threading.get_ident()}


def test_after_destroy_nothing_is_delivered_and_nothing_is_left(root: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    delivery = deliver(box, root, seen)
    box.put(1)
    assert lives_until(root, lambda: seen.items)
    left = []
    root.bind("<Destroy>", lambda event: left.append(timers(root)), add=True)
    root.destroy()
    box.put(2)
    delivery.stop()
    assert left == [()]
    assert (seen.items, box.drain()) == ([1], [2])


def test_a_window_destroyed_by_its_handler_is_the_end_of_it(root: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    deliver(box, root, lambda items, snapshot: (seen(items, snapshot), root.destroy()))
    box.put(1)
    run_mainloop(root)  # returns, as there is no window any more
    assert seen.items == [1]


def test_a_delivery_can_only_begin_while_there_is_the_window(root: Any) -> None:
    root.destroy()
    with pytest.raises(tkinter.TclError):
        deliver(Mailbox(), root, Seen())


def test_a_modal_dialog_of_the_program_does_not_stop_delivery(root: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    deliver(box, root, seen)
    dialog = tkinter.Toplevel(root)
    dialog.grab_set()

    def produce() -> None:
        if len(seen.items) < 3:
            box.put(len(seen.items))
            root.after(20, produce)
        else:
            dialog.destroy()

    produce()
    too_long = root.after(round(1000 * PATIENCE), dialog.destroy)
    root.wait_window(dialog)
    root.after_cancel(too_long)
    assert len(seen.items) >= 3


def test_a_handler_that_opens_a_modal_dialog_is_not_called_inside_itself(root: Any) -> None:
    box, seen, depth = Mailbox[int](), Seen(), []

    def show(items: list[int], snapshot: object) -> None:
        assert depth == []
        depth.append(1)
        if not seen.batches:
            dialog = tkinter.Toplevel(root)
            box.put(2)
            root.after(200, dialog.destroy)
            root.wait_window(dialog)
        depth.pop()
        seen(items, snapshot)

    deliver(box, root, show)
    box.put(1)
    assert lives_until(root, lambda: len(seen.batches) == 2)
    assert seen.batches == [[1], [2]]


def test_two_roots_in_one_thread_have_each_their_own(root: Any, tk_screen: Screen) -> None:
    other = tkinter.Tk(screenName=tk_screen.display)
    boxes, seen = (Mailbox[int](), Mailbox[int]()), (Seen(), Seen())
    deliver(boxes[0], root, seen[0])
    deliver(boxes[1], other, seen[1])
    boxes[0].put(1)
    boxes[1].put(2)
    assert lives_until(root, lambda: seen[0].items and seen[1].items)
    other.destroy()
    boxes[1].put(3)
    boxes[0].put(4)
    assert lives_until(root, lambda: len(seen[0].items) == 2)
    assert (seen[0].items, seen[1].items) == ([1, 4], [2])


def test_an_exception_of_the_handler_is_reported_and_delivery_goes_on(root: Any) -> None:
    box, seen, reported = Mailbox[int](), Seen(), []
    root.report_callback_exception = lambda kind, error, trace: reported.append(error)

    def show(items: list[int], snapshot: object) -> None:
        seen(items, snapshot)
        if items == [1]:
            raise ValueError("one")

    deliver(box, root, show)
    box.put(1)
    assert lives_until(root, lambda: seen.items == [1])
    box.put(2)
    assert lives_until(root, lambda: seen.items == [1, 2])
    assert [str(error) for error in reported] == ["one"]


def test_stop_cancels_the_timer_and_leaves_what_waits(root: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    before = timers(root)
    delivery = deliver(box, root, seen)
    assert len(timers(root)) == len(before) + 1
    box.put(1)
    delivery.stop()
    delivery.stop()
    assert timers(root) == before
    assert box.drain() == [1]


def test_a_handler_may_stop_its_own_delivery(root: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    delivery = deliver(box, root, lambda items, snapshot: (seen(items, snapshot), delivery.stop()))
    box.put(1)
    assert lives_until(root, lambda: seen.items)
    assert timers(root) == ()


def test_it_ends_with_its_own_widget_and_not_with_one_inside(root: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    window = tkinter.Toplevel(root)
    inside = tkinter.Label(window, text="a part of it")
    inside.pack()
    deliver(box, window, seen)
    inside.destroy()
    box.put(1)
    assert lives_until(root, lambda: seen.items)
    window.destroy()
    assert timers(root) == ()


def test_a_window_closed_by_tk_itself_is_the_end_too(root: Any) -> None:
    # without a handler for WM_DELETE_WINDOW no method of Python's objects is called
    box = Mailbox[int]()
    window = tkinter.Toplevel(root)
    deliver(box, window, Seen())
    root.tk.call("destroy", str(window))
    assert timers(root) == ()


class TclCalls:
    """Stands between a root and its interpreter, and notes which threads come by."""

    def __init__(self, interpreter: Any, threads: set[int]) -> None:
        self._interpreter = interpreter
        self._threads = threads

    def __getattr__(self, name: str) -> Any:
        self._threads.add(threading.get_ident())
        return getattr(self._interpreter, name)


@pytest.mark.real
def test_the_clients_thread_never_calls_tk(root: Any) -> None:
    import panel_model
    import tk_panel

    threads: set[int] = set()
    with IndiServer(TELESCOPE, CCD) as server:
        root.tk = TclCalls(root.tk, threads)
        observatory = panel_model.Observatory("127.0.0.1", server.port)
        window = tk_panel.Window(root, observatory)
        panel = window.panel
        assert lives_until(root, lambda: panel.vector(TELESCOPE, "CONNECTION"))
        panel.connect_all()
        assert lives_until(root, lambda: panel.cameras() and panel.vector(TELESCOPE, "TELESCOPE_PARK"))
        panel.expose(CCD, 0.1)
        assert lives_until(root, lambda: window.camera.picture)
        root.destroy()
        observatory.close()
        window.darkroom.close()
    assert threads == {threading.get_ident()}
    asked = threading.Thread(target=lambda: root.tk.getint("1"))  # what notes them does see another one
    asked.start()
    asked.join()
    assert len(threads) == 2


def test_a_window_that_another_thread_collects_as_garbage_does_not_abort_the_program(
    tk_screen: Screen,
) -> None:
    program = """
import gc, threading, tkinter
from indipyclient.gui.tk import deliver
from indipyclient.mailbox import Mailbox

gc.disable()
root = tkinter.Tk()
root.itself = root
deliver(Mailbox(), root, print)
root.update()
root.destroy()
tkinter._default_root = root = None
collector = threading.Thread(target=gc.collect)
collector.start()
collector.join()
print("goes on")
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=tk_screen.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "goes on\n", "")


# -- rows 2 and 6: wake-ups and rates ------------------------------------------------------------


class Watched(Mailbox[Any]):
    """A mailbox that counts how often somebody looked."""

    looks = 0

    def drain(self) -> list[Any]:
        self.looks += 1
        return super().drain()


def test_a_look_that_finds_nothing_calls_nobody(root: Any) -> None:
    """Row 2."""
    box, seen = Watched(), Seen()
    deliver(box, root, seen)
    assert lives_until(root, lambda: box.looks >= 5)
    assert seen.batches == []
    box.put(1)
    assert lives_until(root, lambda: seen.batches == [[1]])


def test_the_last_value_of_a_burst_is_delivered(root: Any) -> None:
    """Row 6."""
    box, seen = Mailbox[int](keep=100), Seen()
    deliver(box, root, seen, rate=50)
    producer = threading.Thread(target=lambda: [box.put(number) for number in range(20_000)])
    producer.start()
    assert lives_until(root, lambda: seen.items and seen.items[-1] == 19_999)
    producer.join()
    assert seen.items == sorted(set(seen.items))
    assert len(seen.items) + box.dropped == 20_000


def test_the_handler_is_called_no_more_often_than_asked(root: Any) -> None:
    box, calls = Mailbox[int](), []
    deliver(box, root, lambda items, snapshot: calls.append(time.monotonic()), rate=10)

    def produce() -> None:
        box.put(0)
        root.after(1, produce)

    produce()
    assert lives_until(root, lambda: len(calls) >= 5)
    # a timer may come late, but not before its time
    assert calls[4] - calls[0] > 4 * 0.1 - 0.02


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_that_is_none_is_refused(root: Any, rate: float) -> None:
    with pytest.raises(ValueError, match="rate must be above 0"):
        deliver(Mailbox(), root, Seen(), rate=rate)


# -- snapshots, and the end of the client --------------------------------------------------------


def test_the_newest_snapshot_comes_with_every_batch(root: Any) -> None:
    from indipyclient.state.snapshots import Snap

    box, seen = Mailbox[Any](), Seen()
    deliver(box, root, seen)
    old, new = Snap("localhost", 7624), Snap("localhost", 7624)
    box.put("no item of a client")
    assert lives_until(root, lambda: len(seen.batches) == 1)
    box.put(EventItem("Message", None, None, None, old))
    box.put(EventItem("Message", None, None, None, new))
    box.put(EventItem("snapshot", "D", None, None, {"asked": "for one device"}))
    assert lives_until(root, lambda: len(seen.batches) == 2)
    box.put(EventItem("snapshot", "D", None, None, {"asked": "for one device"}))
    assert lives_until(root, lambda: len(seen.batches) == 3)
    assert seen.snapshots[0] is None
    assert seen.snapshots[1] is seen.snapshots[2] is new


def test_the_last_items_of_a_client_that_ended_are_delivered_and_then_no_timer_is_left(root: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    deliver(box, root, seen)
    box.put(1)
    box.close()
    assert lives_until(root, lambda: not timers(root))
    assert seen.items == [1]


def test_a_client_that_died_is_reported(root: Any) -> None:
    box, seen, reported = Mailbox[int](), Seen(), []
    root.report_callback_exception = lambda kind, error, trace: reported.append(error)
    deliver(box, root, seen)
    cause = RuntimeError("the queue of another loop")
    box.put(1)
    box.close(cause)
    assert lives_until(root, lambda: not timers(root))
    assert seen.items == [1]
    assert [type(error) for error in reported] == [MailboxClosed]
    assert reported[0].__cause__ is cause
