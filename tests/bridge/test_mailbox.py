"""The mailbox as a queue: putting, taking, policies, closing, one consumer at a time."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from indipyclient.bridge import slices
from indipyclient.errors import ConcurrentUse, INDIError, MailboxClosed, WaitTimeout
from indipyclient.mailbox import Mailbox
from tests.support.deadline import becomes_true
from tests.support.leaks import Resources

from .threads import PATIENCE, elsewhere, someone_waits, start, start_waiting


@pytest.fixture
def box() -> Mailbox[object]:
    return Mailbox()


# -- taking -----------------------------------------------------------------------------------


def test_get_takes_the_items_in_the_order_they_were_put(box: Mailbox[int]) -> None:
    for number in range(3):
        box.put(number)
    assert [box.get(), box.get(0), box.get(5)] == [0, 1, 2]


def test_drain_takes_all_there_is_and_then_nothing(box: Mailbox[int]) -> None:
    for number in range(3):
        box.put(number)
    assert box.drain() == [0, 1, 2]
    assert box.drain() == []


@pytest.mark.parametrize("item", [None, 0, "", (), []])
def test_an_item_that_is_false_is_an_item(box: Mailbox[object], item: object) -> None:
    box.put(item)
    assert len(box) == 1
    assert box.get(0) == item


def test_get_waits_for_what_another_thread_puts(box: Mailbox[str]) -> None:
    waiting = start_waiting(box, box.get)
    box.put("news")
    assert waiting.result(PATIENCE) == "news"


@pytest.mark.parametrize("timeout", [0, -1, 0.01])
def test_get_gives_up_after_the_timeout(box: Mailbox[object], timeout: float) -> None:
    with pytest.raises(WaitTimeout, match="nothing came within"):
        box.get(timeout)


def test_the_timeout_of_get_is_an_error_of_the_package_and_a_timeout(box: Mailbox[object]) -> None:
    with pytest.raises(TimeoutError) as caught:
        box.get(0)
    assert isinstance(caught.value, INDIError)


def test_a_timeout_may_be_longer_than_a_lock_can_wait(box: Mailbox[str]) -> None:
    waiting = start_waiting(box, lambda: box.get(float("inf")))
    box.put("news")
    assert waiting.result(PATIENCE) == "news"


def test_iteration_takes_one_item_at_a_time(box: Mailbox[int]) -> None:
    for number in range(3):
        box.put(number)
    for item in box:
        assert item == 0
        break
    assert box.drain() == [1, 2]


def test_iteration_goes_on_until_the_mailbox_is_closed(box: Mailbox[int]) -> None:
    iterating = start_waiting(box, lambda: list(box))
    for number in range(3):
        box.put(number)
    box.close()
    assert iterating.result(PATIENCE) == [0, 1, 2]


# -- policies ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keep", "kept", "dropped"),
    [(None, [0, 1, 2, 3, 4], 0), (5, [0, 1, 2, 3, 4], 0), (3, [2, 3, 4], 2), (1, [4], 4)],
)
def test_the_newest_items_are_kept_and_the_others_counted(
    keep: int | None, kept: list[int], dropped: int
) -> None:
    box = Mailbox[int](keep)
    for number in range(5):
        box.put(number)
    assert (box.keep, len(box), box.latest, box.dropped) == (keep, len(kept), 4, dropped)
    assert box.drain() == kept


@pytest.mark.parametrize("keep", [0, -1])
def test_a_mailbox_that_keeps_nothing_is_refused(keep: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Mailbox(keep)


def test_dropped_counts_over_the_whole_life() -> None:
    box = Mailbox[int](keep=1)
    for number in range(6):
        box.put(number)
        if number == 2:
            assert box.drain() == [2]
    assert box.dropped == 2 + 2


def test_latest_stays_after_the_item_was_taken(box: Mailbox[str]) -> None:
    assert box.latest is None
    box.put("news")
    box.drain()
    assert box.latest == "news"


@pytest.mark.parametrize("take", ["get", "drain"])
def test_what_is_too_heavy_goes_the_oldest_first_but_never_the_newest(take: str) -> None:
    box = Mailbox[str](weigh=len, most=5)
    for item in ("aa", "bb", "c", "dd"):
        box.put(item)
    assert (len(box), box.dropped) == (3, 1)
    if take == "get":
        assert [box.get(0), box.get(0)] == ["bb", "c"]
        box.put("eee")
        assert box.drain() == ["dd", "eee"]
    else:
        assert box.drain() == ["bb", "c", "dd"]
    box.put("much too heavy")
    assert (box.drain(), box.dropped) == (["much too heavy"], 1)
    box.put("fffff")
    assert box.drain() == ["fffff"]


# -- closing ----------------------------------------------------------------------------------


def test_what_was_put_before_the_close_can_still_be_taken(box: Mailbox[int]) -> None:
    box.put(1)
    box.put(2)
    box.close()
    assert box.get() == 1
    assert box.drain() == [2]
    assert box.drain() == []
    with pytest.raises(MailboxClosed):
        box.get()


def test_closing_wakes_the_one_who_waits(box: Mailbox[int]) -> None:
    waiting = start_waiting(box, box.get)
    box.close()
    with pytest.raises(MailboxClosed):
        waiting.result(PATIENCE)


def test_the_cause_of_the_close_is_the_cause_of_the_error(box: Mailbox[int]) -> None:
    cause = OSError("the cable was pulled")
    box.close(cause)
    with pytest.raises(MailboxClosed) as caught:
        box.get()
    assert caught.value.__cause__ is cause


def test_iteration_ends_with_the_cause_after_the_last_item(box: Mailbox[int]) -> None:
    cause = OSError("the cable was pulled")
    box.put(1)
    box.close(cause)
    taken = []
    with pytest.raises(MailboxClosed) as caught:
        for item in box:
            taken.append(item)  # noqa: PERF402 - what was taken before the error counts
    assert taken == [1]
    assert caught.value.__cause__ is cause


def test_the_first_close_counts(box: Mailbox[int]) -> None:
    first = OSError("first")
    box.close(first)
    box.close(OSError("second"))
    box.close()
    with pytest.raises(MailboxClosed) as caught:
        box.get()
    assert caught.value.__cause__ is first
    assert box.closed


def test_many_threads_may_close_at_once(box: Mailbox[int]) -> None:
    """GUI 8, row 7."""
    gate = threading.Barrier(8)

    def close() -> None:
        gate.wait(PATIENCE)
        box.close()

    for closing in [start(close) for _ in range(8)]:
        closing.result(PATIENCE)
    assert box.closed


def test_nothing_can_be_put_after_the_close(box: Mailbox[int]) -> None:
    cause = OSError("the cable was pulled")
    box.close(cause)
    with pytest.raises(MailboxClosed) as caught:
        box.put(1)
    assert caught.value.__cause__ is cause
    assert (len(box), box.latest) == (0, None)


# -- one consumer -----------------------------------------------------------------------------


@pytest.mark.parametrize("take", [Mailbox.get, Mailbox.drain, lambda box: next(iter(box))])
def test_a_second_consumer_is_refused_and_the_first_is_served(
    box: Mailbox[str], take: Callable[[Mailbox[str]], object]
) -> None:
    waiting = start_waiting(box, box.get)
    with pytest.raises(ConcurrentUse):
        take(box)
    box.put("news")
    assert waiting.result(PATIENCE) == "news"


def test_consumers_may_take_turns(box: Mailbox[int]) -> None:
    with pytest.raises(WaitTimeout):
        elsewhere(lambda: box.get(0))
    for number in range(3):
        box.put(number)
    assert [elsewhere(box.get), box.get(), elsewhere(box.drain)] == [0, 1, [2]]


# -- what takes no lock -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "answer"),
    [
        (lambda box: box.latest, "news"),
        (lambda box: box.dropped, 1),
        (lambda box: box.hook_errors, 0),
        (lambda box: box.closed, False),
        (lambda box: box.keep, 1),
        (len, 1),
        (repr, "<Mailbox of 1 items, 1 dropped>"),
    ],
    ids=["latest", "dropped", "hook_errors", "closed", "keep", "len", "repr"],
)
def test_reading_does_not_wait_for_whoever_holds_the_lock(
    read: Callable[[Mailbox[str]], object], answer: object
) -> None:
    """GUI 8, row 16."""
    box = Mailbox[str](keep=1)
    box.put("old")
    box.put("news")
    with box._changed:
        assert elsewhere(lambda: read(box)) == answer


def test_the_repr_tells_of_the_close(box: Mailbox[int]) -> None:
    box.close()
    assert repr(box) == "<Mailbox of 0 items, 0 dropped, closed>"


# -- interrupts and clocks --------------------------------------------------------------------

_INTERRUPTED = """
import os, signal, sys, threading, time
from indipyclient import mailbox
from indipyclient.bridge import slices
from indipyclient.errors import ConcurrentUse

{patch}
box = mailbox.Mailbox()

def interrupt():
    while True:
        try:
            box.drain()
        except ConcurrentUse:
            break
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt).start()
try:
    box.get({timeout})
except KeyboardInterrupt:
    box.put("still of use")
    print(box.get(0))
"""


@pytest.mark.parametrize("timeout", ["None", "60"])
@pytest.mark.parametrize("patch", ["", "slices.SLICE = 0.2"], ids=["posix", "windows"])
def test_ctrl_c_ends_the_waiting_and_not_the_mailbox(patch: str, timeout: str) -> None:
    """GUI 8, rows 13 and 14."""
    script = _INTERRUPTED.format(patch=patch, timeout=timeout)
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("still of use\n", "", 0)


def test_a_signal_handler_may_use_the_mailbox_whose_get_it_interrupts(box: Mailbox[str]) -> None:
    def handle(number: int, frame: object) -> None:
        assert box.drain() == []
        box.put("from the handler")

    def interrupt() -> None:
        assert becomes_true(lambda: someone_waits(box), PATIENCE)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        interrupting = start(interrupt)
        assert box.get(PATIENCE) == "from the handler"
        interrupting.result(PATIENCE)
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def waits(box: Mailbox[str], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The lengths of the waits in a mailbox, which go in slices as on Windows before Python 3.14."""
    lengths: list[float] = []
    wait = threading.Condition.wait

    def note(self: threading.Condition, timeout: float | None = None) -> bool:
        if self is box._changed:
            lengths.append(float("inf") if timeout is None else timeout)
        return wait(self, timeout)

    monkeypatch.setattr(slices, "SLICE", 0.02)
    monkeypatch.setattr(threading.Condition, "wait", note)
    return lengths


def test_where_a_wait_cannot_be_interrupted_it_goes_in_slices(box: Mailbox[str], waits: list[float]) -> None:
    """GUI 8, row 14."""
    with pytest.raises(WaitTimeout):
        box.get(0.1)
    assert len(waits) >= 2
    assert max(waits) <= 0.02


def test_a_wait_in_slices_without_a_timeout_goes_on_for_ever(box: Mailbox[str], waits: list[float]) -> None:
    def put_after_many_slices() -> None:
        while len(waits) < 5:
            time.sleep(0.001)
        box.put("news")

    putting = start(put_after_many_slices)
    assert box.get() == "news"
    putting.result(PATIENCE)
    assert max(waits) <= 0.02


@pytest.mark.parametrize("jump", [-1e6, 1e6])
def test_a_jump_of_the_clock_changes_no_timeout(
    box: Mailbox[str], monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    """GUI 8, row 25."""
    now = time.time
    long, short = start_waiting(box, lambda: box.get(60)), Mailbox[str]()
    ending = start_waiting(short, lambda: short.get(0.2))
    monkeypatch.setattr(time, "time", lambda: now() + jump)
    with pytest.raises(WaitTimeout):
        ending.result(PATIENCE)
    assert not long.done()
    box.put("news")
    assert long.result(PATIENCE) == "news"


# -- nothing left behind ----------------------------------------------------------------------


def test_a_forgotten_mailbox_is_gone_with_its_descriptors() -> None:
    """GUI 8, rows 9 and 10: pytest makes an error of a ResourceWarning."""
    before = Resources.now()
    for _ in range(20):
        box = Mailbox[object]()
        box.fileno()
        box.put(box)  # a cycle
        box.set_hook(box.drain)
    assert len(Resources.now().files - before.files) >= 2
    del box
    gc.collect()
    assert Resources.now().beyond(before) == []


def test_a_mailbox_may_be_collected_after_its_descriptors() -> None:
    """In a cycle the garbage collector takes things in any order: here, by age, the descriptors first."""
    before = Resources.now()
    older = Mailbox[object]()
    older.fileno()
    newer = Mailbox[object]()
    newer._pair, older._pair = older._pair, None
    newer.put(newer)
    del older, newer
    gc.collect()
    assert Resources.now().beyond(before) == []
