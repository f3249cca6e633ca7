"""Many commands at once: handed over together, in order, and the loop has its turns between them."""

from __future__ import annotations

import asyncio
import queue
from typing import Any

import pytest

from indipyclient.bridge.sources import make_source
from indipyclient.client.answers import Answers
from indipyclient.queclient import QueClient

COUNT = 1000


@pytest.mark.parametrize("kind", [queue.Queue, queue.SimpleQueue, queue.LifoQueue])
def test_a_burst_wakes_the_loop_a_few_times(kind: type[Any]) -> None:
    txque = kind()
    for number in range(COUNT):
        txque.put(number)
    accepted: list[int] = []
    wakes = 0

    async def take() -> None:
        nonlocal wakes
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        wake = loop.call_soon_threadsafe

        def counted(*args: Any) -> asyncio.Handle:
            nonlocal wakes
            wakes += 1
            return wake(*args)

        def accept(item: int) -> None:
            accepted.append(item)
            if len(accepted) == COUNT:
                done.set()

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign, assignment]
        running = asyncio.create_task(make_source(txque).run(accept))
        await asyncio.wait_for(done.wait(), 30)
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(take())
    assert sorted(accepted) == list(range(COUNT))
    assert accepted == sorted(accepted, reverse=kind is queue.LifoQueue)
    assert wakes <= COUNT / 50


def test_room_in_a_bounded_queue_is_told_to_all_who_wait_for_it() -> None:
    """Eight threads wait to put; what is taken at once makes room for as many of them."""
    txque: queue.Queue[int] = queue.Queue(8)
    accepted: list[int] = []

    async def take() -> None:
        done = asyncio.Event()

        def accept(item: int) -> None:
            accepted.append(item)
            if len(accepted) == 24:
                done.set()

        for number in range(8):
            txque.put(number)
        putting = [
            asyncio.create_task(asyncio.to_thread(_put_two, txque, 10 * number)) for number in range(1, 9)
        ]
        running = asyncio.create_task(make_source(txque).run(accept))
        await asyncio.wait_for(asyncio.gather(done.wait(), *putting), 30)
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(take())
    assert accepted[:8] == list(range(8))
    assert sorted(accepted[8:]) == sorted(10 * number + second for number in range(1, 9) for second in (0, 1))


def _put_two(txque: queue.Queue[int], number: int) -> None:
    txque.put(number)
    txque.put(number + 1)


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
