"""The mailbox as something that calls or is watched: the hook, the descriptor, asyncio."""

from __future__ import annotations

import asyncio
import os
import select
import selectors
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from indipyclient.errors import ConcurrentUse, MailboxClosed
from indipyclient.mailbox import Mailbox
from tests.support.deadline import becomes_true

from .threads import PATIENCE, elsewhere, start, start_waiting


class Calls:
    """A hook that counts its calls."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


# -- the hook ---------------------------------------------------------------------------------


def test_the_hook_is_called_when_something_comes_after_nothing_was_there() -> None:
    box = Mailbox[int]()
    calls = Calls()
    box.set_hook(calls)
    assert calls.count == 0
    for number in range(3):
        box.put(number)
    assert calls.count == 1
    box.get()
    box.put(3)
    assert calls.count == 1  # there was still something
    box.drain()
    box.put(4)
    assert calls.count == 2
    box.get()
    box.put(5)
    assert calls.count == 3


def test_the_hook_is_called_on_close() -> None:
    box = Mailbox[int]()
    calls = Calls()
    box.set_hook(calls)
    box.close()
    box.close()
    assert calls.count == 1


@pytest.mark.parametrize("act", [lambda box: box.put(1), lambda box: box.close()], ids=["put", "close"])
def test_a_hook_that_comes_late_is_called_at_once(act: Callable[[Mailbox[int]], None]) -> None:
    """GUI 8, row 5."""
    box = Mailbox[int]()
    act(box)
    calls = Calls()
    box.set_hook(calls)
    assert calls.count == 1


def test_the_hook_runs_in_the_thread_that_puts_and_without_the_lock() -> None:
    box = Mailbox[str]()
    taken: list[list[str]] = []
    box.set_hook(lambda: taken.append(elsewhere(box.drain)))  # another thread can get at the mailbox
    elsewhere(lambda: box.put("news"))
    assert taken == [["news"]]
    assert box.hook_errors == 0


def test_a_hook_that_was_removed_is_not_called() -> None:
    box = Mailbox[int]()
    calls = Calls()
    box.set_hook(calls)
    box.set_hook(None)
    box.put(1)
    box.close()
    assert calls.count == 0


def test_a_hook_removed_in_a_burst_is_called_no_more() -> None:
    """GUI 8, row 5."""
    box = Mailbox[int](keep=10)
    calls = Calls()
    box.set_hook(calls)
    enough = False

    def burst() -> None:
        while not enough:
            box.put(1)

    bursting = start(burst)
    while calls.count < 50:
        box.drain()
    box.set_hook(None)
    box.drain()
    # once this is through, the call that may have been under way has ended
    assert becomes_true(lambda: len(box) > 0, PATIENCE)
    seen = calls.count
    for _ in range(20):
        box.drain()
        assert becomes_true(lambda: len(box) > 0, PATIENCE)
    enough = True
    bursting.result(PATIENCE)
    assert calls.count == seen


def test_a_hook_that_raises_is_counted_and_hurts_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """GUI 8, row 5."""
    box = Mailbox[int]()

    def fail() -> None:
        raise LookupError("the window is gone")

    box.set_hook(fail)
    box.put(1)
    assert box.drain() == [1]
    box.put(2)
    assert (box.drain(), box.hook_errors) == ([2], 2)
    assert "the window is gone" in caplog.text


def test_a_hook_may_take_what_is_there() -> None:
    """GUI 8, row 5."""
    box = Mailbox[int]()
    taken: list[int] = []
    box.set_hook(lambda: taken.extend(box.drain()))
    for number in range(100):
        box.put(number)
    assert taken == list(range(100))


def test_a_hook_that_takes_while_another_waits_is_refused_and_the_other_served() -> None:
    box = Mailbox[int]()
    waiting = start_waiting(box, box.get)
    box.set_hook(box.drain)
    box.put(1)
    # whichever came first has it
    if box.hook_errors:
        assert waiting.result(PATIENCE) == 1
    else:
        box.set_hook(None)
        box.put(2)
        assert waiting.result(PATIENCE) in (1, 2)


def test_a_hook_may_put_and_close_and_remove_itself() -> None:
    """GUI 8, row 7: close inside a hook."""
    box = Mailbox[str]()

    def act() -> None:
        if not box.closed:
            box.put("from the hook")
            box.set_hook(None)
            box.close()

    box.set_hook(act)
    box.put("news")
    assert (list(box), box.closed, box.hook_errors) == (["news", "from the hook"], True, 0)


def test_a_bounded_mailbox_calls_the_hook_once_for_a_burst() -> None:
    box, calls = Mailbox[int](keep=1), Calls()
    box.set_hook(calls)
    for number in range(100):
        box.put(number)
    assert (calls.count, box.drain()) == (1, [99])


# -- the descriptor ---------------------------------------------------------------------------


def _with_select(box: Mailbox[Any]) -> bool:
    return bool(select.select([box], [], [], 0)[0])


def _with_poll(box: Mailbox[Any]) -> bool:
    poll = select.poll()
    poll.register(box, select.POLLIN)
    return bool(poll.poll(0))


def _with_selectors(box: Mailbox[Any]) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(box, selectors.EVENT_READ)
        return bool(selector.select(0))


@pytest.fixture(params=[_with_select, _with_poll, _with_selectors], ids=["select", "poll", "selectors"])
def readable(request: pytest.FixtureRequest) -> Callable[[Mailbox[Any]], bool]:
    function: Callable[[Mailbox[Any]], bool] = request.param
    return function


def test_it_is_readable_while_something_waits(readable: Callable[[Mailbox[int]], bool]) -> None:
    box = Mailbox[int]()
    assert not readable(box)
    for number in range(3):
        box.put(number)
    assert readable(box)
    assert box.get() == 0
    assert readable(box)
    assert box.drain() == [1, 2]
    assert not readable(box)
    box.put(3)
    assert readable(box)
    assert box.get() == 3
    assert not readable(box)


def test_it_stays_readable_after_the_close(readable: Callable[[Mailbox[int]], bool]) -> None:
    box = Mailbox[int]()
    box.fileno()
    box.put(1)
    box.close()
    assert readable(box)
    assert (box.drain(), box.drain()) == ([1], [])
    assert readable(box)


@pytest.mark.parametrize("act", [lambda box: box.put(1), lambda box: box.close()], ids=["put", "close"])
def test_a_descriptor_made_late_is_readable_at_once(
    readable: Callable[[Mailbox[int]], bool], act: Callable[[Mailbox[int]], None]
) -> None:
    box = Mailbox[int]()
    act(box)
    assert readable(box)


def test_there_is_one_descriptor_and_it_does_not_block() -> None:
    box = Mailbox[int]()
    assert box.fileno() == box.fileno() == elsewhere(box.fileno)
    assert not os.get_blocking(box.fileno())


class Overtaken(Mailbox[Any]):
    """Its consumer takes the item in the moment before the producer makes the descriptor readable."""

    def _wake(self) -> None:
        self.taken = self.drain()
        super()._wake()


def test_a_wake_up_for_nothing_does_no_harm(readable: Callable[[Mailbox[Any]], bool]) -> None:
    """GUI 8, row 2."""
    box = Overtaken()
    assert not readable(box)
    box.put("news")
    assert box.taken == ["news"]
    assert readable(box)
    assert box.drain() == []
    assert not readable(box)
    Mailbox._signal(box)  # what a producer does next, without the consumer in between
    box._items.append("more")
    Mailbox._wake(box)
    assert readable(box)
    assert box.drain() == ["more"]


def test_a_consumer_that_never_takes_does_not_block_the_producer() -> None:
    """GUI 8, row 4."""
    box = Mailbox[int]()
    box.fileno()

    def put_many() -> None:
        for number in range(20_000):
            box.put(number)

    elsewhere(put_many)
    assert len(box) == 20_000


def test_wake_ups_that_nobody_reads_do_not_block_the_producer() -> None:
    """GUI 8, row 4: more wake-ups than the pair of sockets can hold."""
    box = Mailbox[int]()
    box.fileno()

    def wake_often() -> None:
        for _ in range(2000):
            box._wake()

    elsewhere(wake_often)
    assert box._pair is not None
    with pytest.raises(BlockingIOError):  # it was full, so the last ones were not written
        box._pair[1].send(b"\0")


def test_a_loop_of_another_thread_can_watch_it() -> None:
    box = Mailbox[int]()

    async def watch() -> list[int]:
        taken: list[int] = []
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def pump() -> None:
            taken.extend(box.drain())
            if box.closed:
                loop.remove_reader(box)
                ended.set()

        loop.add_reader(box, pump)
        await asyncio.wait_for(ended.wait(), PATIENCE)
        return taken

    watching = start(lambda: asyncio.run(watch(), debug=True))
    for number in range(1000):
        box.put(number)
    box.close()
    assert watching.result(PATIENCE) == list(range(1000))


# -- async iteration --------------------------------------------------------------------------


async def _collect(box: Mailbox[Any]) -> list[Any]:
    return [item async for item in box]


def _start_collecting(box: Mailbox[Any]) -> Future[object]:
    return start_waiting(box, lambda: asyncio.run(_collect(box), debug=True))


def test_async_iteration_runs_in_any_loop_until_the_close() -> None:
    box = Mailbox[int]()
    collecting = _start_collecting(box)
    for number in range(1000):
        box.put(number)
    box.close()
    assert collecting.result(PATIENCE) == list(range(1000))


def test_async_iteration_ends_with_the_cause() -> None:
    box = Mailbox[int]()
    cause = OSError("the cable was pulled")
    collecting = _start_collecting(box)
    box.close(cause)
    with pytest.raises(MailboxClosed) as caught:
        collecting.result(PATIENCE)
    assert caught.value.__cause__ is cause


def test_async_iteration_of_a_closed_mailbox_takes_what_is_left() -> None:
    box = Mailbox[int]()
    box.put(1)
    box.close()
    assert asyncio.run(_collect(box)) == [1]


def test_leaving_async_iteration_loses_nothing() -> None:
    box = Mailbox[int]()

    async def take_one() -> int:
        async for item in box:
            return item
        raise AssertionError("nothing there")

    for number in range(3):
        box.put(number)
    assert [asyncio.run(take_one()), asyncio.run(take_one())] == [0, 1]
    assert box.drain() == [2]


def test_async_iteration_gives_the_loop_its_turn() -> None:
    """Even where the program does not, and more comes all the time."""
    box = Mailbox[int]()

    async def main() -> int:
        turns = 0

        def turn() -> None:
            nonlocal turns
            turns += 1
            loop.call_soon(turn)

        loop = asyncio.get_running_loop()
        loop.call_soon(turn)
        async for item in box:
            if item:
                box.put(item - 1)
            else:
                box.close()
        return turns

    box.put(10_000)
    assert asyncio.run(main()) >= 100


@pytest.mark.parametrize("act", [lambda box: box.put("news"), lambda box: box.close()], ids=["put", "close"])
def test_async_iteration_does_not_miss_what_comes_before_it_waits(
    act: Callable[[Mailbox[str]], None],
) -> None:
    class Hurried(Mailbox[str]):
        """Something happens in the moment between the look and the waiting."""

        async def _arrival(self) -> None:
            if not self.closed:
                act(self)
            await super()._arrival()

    async def main() -> object:
        return await asyncio.wait_for(anext(aiter(Hurried()), "the end"), PATIENCE)

    assert asyncio.run(main()) in ("news", "the end")


def test_a_cancelled_iteration_leaves_the_mailbox_free() -> None:
    box = Mailbox[str]()

    async def main() -> None:
        for _ in range(3):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(_collect(box), 0.01)

    asyncio.run(main())
    box.put("news")
    assert box.get(0) == "news"


@pytest.mark.parametrize("take", [Mailbox.get, Mailbox.drain])
def test_a_second_consumer_is_refused_while_async_iteration_waits(
    take: Callable[[Mailbox[str]], object],
) -> None:
    box = Mailbox[str]()
    collecting = _start_collecting(box)
    with pytest.raises(ConcurrentUse):
        take(box)
    with pytest.raises(ConcurrentUse):
        asyncio.run(_collect(box))
    box.put("news")
    box.close()
    assert collecting.result(PATIENCE) == ["news"]


def test_a_loop_that_was_closed_before_the_producer_does_not_matter() -> None:
    """GUI 8, row 23."""
    box = Mailbox[str]()
    loop = asyncio.new_event_loop()
    waiting: Any = loop.create_task(_collect(box))
    loop.run_until_complete(asyncio.sleep(0))
    with pytest.raises(ConcurrentUse):
        box.drain()
    loop.close()
    box.set_hook(lambda: loop.call_soon_threadsafe(print))  # raises RuntimeError from now on
    box.put("news")
    assert box.hook_errors == 1
    assert box.drain() == ["news"]
    waiting._log_destroy_pending = False  # as asked for


def test_a_consumer_is_free_once_the_loop_of_the_one_before_is_closed() -> None:
    box = Mailbox[str]()
    loop = asyncio.new_event_loop()
    waiting: Any = loop.create_task(_collect(box))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert box.drain() == []
    waiting._log_destroy_pending = False  # as asked for
