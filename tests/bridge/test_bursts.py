"""Many commands at once: handed over together, in order, and the loop has its turns between them."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable
from typing import Any

import pytest

from indipyclient.bridge.sources import _SentinelGet, _WaitableGet, make_source
from indipyclient.client.answers import Answers
from indipyclient.queclient import QueClient
from tests.support.deadline import becomes_true

from .threads import PATIENCE, start

COUNT = 1000


async def take(
    txque: Any, count: int, while_busy: Callable[[], None] = lambda: None
) -> tuple[list[int], int]:
    """Have a source bring so many items to the loop, and say how often it was woken for that.

    Args:
        while_busy: holds the loop up, once the source has begun.
    """
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    wake, wakes, accepted = loop.call_soon_threadsafe, 0, []

    def counted(*args: Any) -> asyncio.Handle:
        nonlocal wakes
        wakes += 1
        return wake(*args)

    def accept(item: int) -> None:
        accepted.append(item)
        if len(accepted) == count:
            done.set()

    loop.call_soon_threadsafe = counted  # type: ignore[method-assign, assignment]
    running = asyncio.create_task(make_source(txque).run(accept))
    await asyncio.sleep(0)
    while_busy()
    await asyncio.wait_for(done.wait(), PATIENCE)
    running.cancel()
    await asyncio.wait([running])
    return accepted, wakes


@pytest.mark.parametrize("kind", [queue.Queue, queue.SimpleQueue, queue.LifoQueue])
def test_a_burst_wakes_the_loop_a_few_times(kind: type[Any]) -> None:
    txque = kind()
    for number in range(COUNT):
        txque.put(number)
    accepted, wakes = asyncio.run(take(txque, COUNT))
    assert accepted == sorted(range(COUNT), reverse=kind is queue.LifoQueue)
    assert wakes <= COUNT / 50


def test_what_comes_while_the_loop_is_busy_wakes_it_once() -> None:
    txque: queue.Queue[int] = queue.Queue()

    def put_one_by_one() -> None:
        for number in range(20):
            txque.put(number)
            assert becomes_true(txque.empty, PATIENCE)

    accepted, wakes = asyncio.run(take(txque, 20, put_one_by_one))
    assert accepted == list(range(20))
    assert wakes <= 2  # the other is for the end


def test_room_in_a_bounded_queue_is_told_to_all_who_wait_for_it() -> None:
    txque: queue.Queue[int] = queue.Queue(8)
    for number in range(8):
        txque.put(number)
    putting = [start(lambda number=number: txque.put(number)) for number in range(8, 16)]  # type: ignore[misc]
    assert becomes_true(lambda: len(txque.not_full._waiters) == 8, PATIENCE)  # type: ignore[attr-defined]
    assert _WaitableGet(txque).next() == list(range(8))
    for one in putting:
        one.result(PATIENCE)
    assert sorted(txque.queue) == list(range(8, 16))


def test_a_wake_up_that_was_for_a_former_run_is_passed_over() -> None:
    txque: queue.SimpleQueue[int] = queue.SimpleQueue()
    _SentinelGet(txque).stop()
    txque.put(1)
    assert _SentinelGet(txque).next() == [1]


class _Noting(queue.Queue[Any]):
    """Notes in which turn of a loop each of its items was done with."""

    turn = 0

    def __init__(self) -> None:
        super().__init__()
        self.turns: list[int] = []

    def task_done(self) -> None:
        super().task_done()
        self.turns.append(self.turn)


def test_the_loop_has_its_turns_while_a_burst_is_carried_out() -> None:
    """Else nothing that the server says would be read meanwhile."""
    txque = _Noting()
    for number in range(320):
        txque.put(("Device", "Vector", {"Member": number}))

    class Ticking(QueClient):
        async def hardware(self) -> None:
            while len(txque.turns) < 320:
                txque.turn += 1
                await asyncio.sleep(0)
            self.shutdown()

    client = Ticking(txque, queue.SimpleQueue(), "localhost", 9)
    asyncio.run(asyncio.wait_for(client.asyncrun(), 60))
    assert len(set(txque.turns)) >= 9


def test_each_time_limit_passes_in_its_turn_and_one_timer_serves_them() -> None:
    expired: list[str] = []

    async def expect() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        answers = Answers(lambda _, name: (expired.append(name), done.set() if name == "last" else None))  # type: ignore[func-returns-value]
        answers.expect("D", "last of all", 3600)
        for number in range(100):
            answers.expect("D", f"answered {number}", 0.01)
        for name, seconds in (("last", 0.06), ("first", 0.02), ("again", 0.01), ("second", 0.04)):
            answers.expect("D", name, seconds)
        answers.expect("D", "again", 3600)
        for number in range(100):
            answers.arrived("D", f"answered {number}")
        assert sum(not timer.cancelled() for timer in loop._scheduled) == 1  # type: ignore[attr-defined]
        await asyncio.wait_for(done.wait(), 30)
        answers.forget()
        assert all(timer.cancelled() for timer in loop._scheduled)  # type: ignore[attr-defined]

    asyncio.run(expect())
    assert expired == ["first", "second", "last"]
