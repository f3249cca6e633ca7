"""Delivery to Tkinter windows; rows are those of the list of pitfalls the package was designed against."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from indipyclient.mailbox import Mailbox
from tests.support.screen import Screen
from tests.support.servers import CCD, TELESCOPE, IndiServer

from .delivery_cases import DeliveryCases, Seen, Watched
from .tk_windows import PATIENCE, lives_until, run_mainloop

try:
    import tkinter

    from indipyclient.gui.tk import deliver
except ImportError:  # the fixture `root` tells of it
    pass


def timers(root: Any) -> tuple[str, ...]:
    """What Tk is still going to call."""
    return root.tk.splitlist(root.tk.call("after", "info"))


class TestDelivery(DeliveryCases):
    @pytest.fixture
    def window(self, root: Any) -> Any:
        return root

    @pytest.fixture
    def reported(self, root: Any) -> list[BaseException]:
        """What came to the window's own hook for that."""
        errors: list[BaseException] = []
        root.report_callback_exception = lambda kind, error, trace: errors.append(error)
        return errors

    def deliver(self, box: Mailbox[Any], window: Any, show: Any, rate: float = 25) -> Any:
        return deliver(box, window, show, rate)

    def lives_until(self, window: Any, holds: Callable[[], object]) -> bool:
        return lives_until(window, holds)

    def ask_something(self, window: Any) -> None:
        dialog = tkinter.Toplevel(window)
        window.after(200, dialog.destroy)
        window.wait_window(dialog)


# -- row 18: the states a window can be in ------------------------------------------------------


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


def test_a_handler_that_stops_its_own_delivery_leaves_no_timer(root: Any) -> None:
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


def test_a_look_that_finds_nothing_calls_nobody(root: Any) -> None:
    """Row 2."""
    box, seen = Watched(), Seen()
    deliver(box, root, seen)
    assert lives_until(root, lambda: box.looks >= 5)
    assert seen.batches == []
    box.put(1)
    assert lives_until(root, lambda: seen.batches == [[1]])


# -- snapshots, and the end of the client --------------------------------------------------------


def test_the_last_items_of_a_client_that_ended_are_delivered_and_then_no_timer_is_left(root: Any) -> None:
    box, seen = Mailbox[int](), Seen()
    deliver(box, root, seen)
    box.put(1)
    box.close()
    assert lives_until(root, lambda: not timers(root))
    assert seen.items == [1]
