"""What `put` returns: a future for threads and for any event loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import Any

import pytest

from indipyclient.errors import PropertyAlert, WaitTimeout
from tests.bridge.threads import start
from tests.support.scripted import PATIENCE, moved

from .session import Session


def test_it_is_a_future_like_any_other(session: Session) -> None:
    first, second = session.vector("N").put(x=5), session.vector("T").put(t="x")
    assert isinstance(first, concurrent.futures.Future)
    session.command(), session.command()
    session.send(moved(5))
    done, pending = concurrent.futures.wait([first, second], PATIENCE, concurrent.futures.FIRST_COMPLETED)
    assert (done, pending) == ({first}, {second})
    assert next(concurrent.futures.as_completed([first], PATIENCE)) is first
    assert first.exception() is None
    assert "done" in repr(first) and "'D' 'N'" in repr(first)


def test_giving_up_waiting_is_not_the_end_of_the_command(session: Session) -> None:
    putting = session.vector("N").put(x=5)
    with pytest.raises(WaitTimeout, match="it may still come"):
        putting.result(0)
    with pytest.raises(TimeoutError):
        putting.exception(0.01)
    assert "pending" in repr(putting)


def test_a_future_that_was_cancelled_gets_no_result(session: Session) -> None:
    putting = session.vector("N").put(x=5)
    waiting = start(lambda: putting.result(PATIENCE))
    assert putting.cancel() and putting.cancel()
    assert "cancelled" in repr(putting)
    with pytest.raises(concurrent.futures.CancelledError):
        waiting.result(PATIENCE)
    session.command()
    session.send(moved(5))
    assert concurrent.futures.wait([putting], PATIENCE).done == {putting}
    later = session.vector("N").put(x=6)
    session.command()
    session.send(moved(6))
    assert later.result(PATIENCE)["x"] == "6"
    assert not later.cancel()


# -- in event loops: row 21 -----------------------------------------------------------------------


def test_it_can_be_awaited_in_any_loop_and_more_than_once(session: Session) -> None:
    putting = session.vector("N").put(x=5)
    session.command()

    async def wait() -> Any:
        asyncio.get_running_loop().call_later(0.05, session.peer.send, moved(5))
        return await putting

    async def again() -> Any:
        return await putting

    assert asyncio.run(wait()) is asyncio.run(again()) is putting.result(0)


REFUSAL = '<setTextVector device="D" name="T" state="Alert" message="no"><oneText name="t"/></setTextVector>'


def test_many_can_be_awaited_together(session: Session) -> None:
    puttings = session.vector("N").put(x=5), session.vector("T").put(t="x")
    session.command(), session.command()
    session.peer.send(moved(5) + REFUSAL)

    async def both() -> Any:
        return await asyncio.gather(*puttings, return_exceptions=True)

    vector, error = asyncio.run(both())
    assert vector["x"] == "5"
    assert isinstance(error, PropertyAlert)


def test_giving_up_awaiting_leaves_the_future_alone(session: Session) -> None:
    putting = session.vector("N").put(x=5)
    session.command()

    async def give_up() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(putting, 0.01)

    asyncio.run(give_up())
    assert not putting.cancelled()
    session.send(moved(5))
    assert putting.result(PATIENCE)["x"] == "5"


def test_a_loop_that_is_closed_does_not_mind(session: Session) -> None:
    putting = session.vector("N").put(x=5)
    session.command()
    loop = asyncio.new_event_loop()
    task = loop.create_task(asyncio.wait_for(putting, PATIENCE))
    loop.run_until_complete(asyncio.sleep(0.01))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()
    session.send(moved(5))
    assert putting.result(PATIENCE)["x"] == "5"


def test_the_client_works_in_a_thread_with_a_running_loop(session: Session) -> None:
    """As in the cell of a notebook."""

    async def cell() -> Any:
        putting = session.vector("N").put(x=5)
        session.command()
        session.peer.send(moved(5))
        blocking = putting.result(PATIENCE)
        session.indi.wait_for(lambda snap: snap["D"]["N"]["x"] == "5", timeout=PATIENCE)
        return blocking, await putting

    blocking, awaited = asyncio.run(cell())
    assert blocking is awaited


def test_asyncios_own_wrapping_works_too(session: Session) -> None:
    async def wrapped() -> Any:
        putting = session.vector("N").put(x=5)
        session.command()
        session.peer.send(moved(5))
        return await asyncio.wrap_future(putting)

    assert asyncio.run(wrapped())["x"] == "5"


def test_a_mailbox_can_be_iterated_in_any_loop(session: Session) -> None:
    box = session.indi.subscribe(kinds="Set")

    async def first() -> Any:
        session.peer.send(moved(7))
        return await anext(aiter(box))

    assert asyncio.run(first()).snapshot["D"]["N"]["x"] == "7"
