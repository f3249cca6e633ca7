"""What delivery to windows promises whatever the toolkit; a class for each of them inherits these cases.

The rows are those of the list of pitfalls that this package was designed against.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from indipyclient.errors import MailboxClosed
from indipyclient.mailbox import Mailbox
from indipyclient.queclient import EventItem, runqueclient
from tests.support.scripted import NUMBER, ScriptedServer, moved


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
    """A mailbox that counts how often somebody took from it."""

    looks = 0

    def drain(self) -> list[Any]:
        self.looks += 1
        return super().drain()


@contextmanager
def burst(box: Mailbox[int]) -> Iterator[None]:
    """Another thread puts into the mailbox all the time."""
    stop = threading.Event()

    def put() -> None:
        while not stop.is_set():
            box.put(1)

    producer = threading.Thread(target=put)
    producer.start()
    try:
        yield
    finally:
        stop.set()
        producer.join()


class DeliveryCases:
    """Has the fixture `window`, and from those who inherit it how things are done with their toolkit."""

    def deliver(self, box: Mailbox[Any], window: Any, show: Any, rate: float = 25) -> Any:
        """Begin a delivery."""
        raise NotImplementedError

    def lives_until(self, window: Any, holds: Callable[[], object]) -> bool:
        """Let the window live until something holds; say whether it did in time."""
        raise NotImplementedError

    def ask_something(self, window: Any) -> None:
        """Open a dialog, and return once it has been closed, which is soon."""
        raise NotImplementedError

    @pytest.fixture
    def reported(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BaseException]]:
        """What came to `sys.excepthook`."""
        errors: list[BaseException] = []
        monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: errors.append(error))
        yield errors
        errors.clear()  # their tracebacks hold all that was there

    def lives_for(self, window: Any, seconds: float) -> None:
        until = time.monotonic() + seconds
        assert self.lives_until(window, lambda: time.monotonic() > until)

    # -- what is delivered -----------------------------------------------------------------------

    def test_what_came_before_the_loop_is_delivered_in_it(self, window: Any) -> None:
        box, seen = Mailbox[int](), Seen()
        box.put(0)
        self.deliver(box, window, seen)
        box.put(1)
        assert seen.batches == []
        assert self.lives_until(window, lambda: seen.items)
        assert seen.batches == [[0, 1]]

    def test_news_from_another_thread_comes_whole_and_in_the_windows_thread(self, window: Any) -> None:
        box, seen = Mailbox[int](), Seen()
        self.deliver(box, window, seen, rate=1000)
        producer = threading.Thread(target=lambda: [box.put(number) for number in range(5000)])
        producer.start()
        assert self.lives_until(window, lambda: len(seen.items) == 5000)
        producer.join()
        assert seen.items == list(range(5000))
        assert seen.threads == {threading.get_ident()}

    def test_the_snapshot_is_the_newest_of_everything(self, window: Any) -> None:
        box, commands, seen = Mailbox[Any](), Mailbox[Any](), Seen()
        box.put("no item of a client")
        self.deliver(box, window, seen)
        assert self.lives_until(window, lambda: seen.items)
        assert seen.snapshot is None
        with ScriptedServer() as server:
            client = threading.Thread(target=runqueclient, args=(commands, box, "127.0.0.1", server.port))
            client.start()
            server.greet(NUMBER).send("".join(moved(x) for x in range(10)))
            assert self.lives_until(window, lambda: seen.snapshot and _x(seen.snapshot) == "9")
            commands.put(("D", "N", "snapshot"))  # the answer is of this vector alone
            assert self.lives_until(window, lambda: _kind(seen.items[-1]) == "snapshot")
            assert seen.snapshot["D"]["N"] is seen.items[-1].snapshot
            commands.close()
            client.join()

    def test_the_last_value_of_a_burst_is_delivered_at_the_rate(self, window: Any) -> None:
        """Row 6."""
        box, seen = Mailbox[int](keep=10), Seen()
        self.deliver(box, window, seen, rate=20)
        done, given_up = threading.Event(), threading.Event()

        def put() -> None:
            number = 0
            while len(seen.batches) < 5 and not given_up.is_set():  # so long that the rate matters
                box.put(number)
                number += 1
            box.put(-1)
            done.set()

        producer = threading.Thread(target=put)
        producer.start()
        try:
            assert self.lives_until(window, lambda: done.is_set() and seen.items[-1] == -1)
        finally:
            given_up.set()  # or it would be in the way of all other tests
            producer.join()
        assert seen.items[:-1] == sorted(set(seen.items[:-1]))
        pauses = [after - before for before, after in zip(seen.times, seen.times[1:], strict=False)]
        assert min(pauses) > 0.045  # Qt's timers may be 5 % early

    # -- what goes wrong -------------------------------------------------------------------------

    def test_a_handler_that_opens_a_dialog_is_not_called_inside_itself(self, window: Any) -> None:
        box, seen, inside = Mailbox[int](), Seen(), []

        def show(items: list[int], snapshot: object) -> None:
            assert inside == []
            inside.append(1)
            if not seen.batches:
                box.put(2)
                self.ask_something(window)
            inside.pop()
            seen(items, snapshot)

        self.deliver(box, window, show)
        box.put(1)
        assert self.lives_until(window, lambda: len(seen.batches) == 2)
        assert seen.batches == [[1], [2]]

    def test_an_exception_of_the_handler_is_reported_and_delivery_goes_on(
        self, window: Any, reported: list[BaseException]
    ) -> None:
        box, seen = Mailbox[int](), Seen()

        def show(items: list[int], snapshot: object) -> None:
            seen(items, snapshot)
            if items == [1]:
                raise ValueError("one")

        self.deliver(box, window, show)
        box.put(1)
        assert self.lives_until(window, lambda: seen.items == [1])
        box.put(2)
        assert self.lives_until(window, lambda: seen.items == [1, 2])
        assert [str(error) for error in reported] == ["one"]

    def test_the_death_of_the_client_is_reported_after_its_last_items(
        self, window: Any, reported: list[BaseException]
    ) -> None:
        box, seen = Watched(), Seen()
        self.deliver(box, window, seen, rate=1000)
        box.put(1)
        cause = OSError("on purpose")
        box.close(cause)
        assert self.lives_until(window, lambda: reported)
        assert seen.items == [1]
        looks = box.looks
        self.lives_for(window, 0.05)
        assert box.looks == looks  # though its descriptor stays readable
        assert [(type(error), error.__cause__) for error in reported] == [(MailboxClosed, cause)]

    # -- its end ---------------------------------------------------------------------------------

    def test_stop_leaves_what_waits(self, window: Any) -> None:
        box, seen = Mailbox[int](), Seen()
        delivery = self.deliver(box, window, seen)
        box.put(1)
        delivery.stop()
        delivery.stop()
        self.lives_for(window, 0.05)
        assert (seen.items, box.drain()) == ([], [1])

    def test_a_handler_may_stop_its_own_delivery(self, window: Any) -> None:
        box, seen = Mailbox[int](), Seen()
        delivery = self.deliver(
            box, window, lambda items, snapshot: (seen(items, snapshot), delivery.stop()), 1000
        )
        box.put(1)
        assert self.lives_until(window, lambda: seen.items)
        box.put(2)
        self.lives_for(window, 0.05)
        assert seen.items == [1]

    @pytest.mark.parametrize("rate", [0, -1, float("nan")])
    def test_a_rate_must_be_above_0(self, window: Any, rate: float) -> None:
        with pytest.raises(ValueError, match="rate must be above 0"):
            self.deliver(Mailbox(), window, Seen(), rate)


def _x(snapshot: Any) -> str | None:
    value: str | None = snapshot.get("D", {}).get("N", {}).get("x")
    return value


def _kind(item: Any) -> str:
    return item.eventtype if isinstance(item, EventItem) else ""
