"""Subscriptions and callbacks: who is told what, in which thread, and until when."""

from __future__ import annotations

import gc
import queue
import sys
import threading
import weakref
from typing import Any

import pytest

from indipyclient.errors import ClientClosed, InvalidValue, MailboxClosed
from indipyclient.queclient import EventItem
from tests.support.deadline import becomes_true
from tests.support.scripted import BLOB, NUMBER, PATIENCE, ScriptedServer, frame, moved

from .session import Session

UPDATES = (
    moved(3)
    + '<setNumberVector device="D" name="N"><oneNumber name="y">4</oneNumber></setNumberVector>'
    + '<setTextVector device="D" name="T" state="Ok"><oneText name="t">dale</oneText></setTextVector>'
    + '<message device="D" message="clouds"/>'
    + NUMBER
    + '<delProperty device="D" name="N"/><delProperty device="D"/>'
)


def told(items: list[EventItem]) -> list[str]:
    return [f"{item.eventtype} {item.vectorname}" for item in items if item.devicename is not None]


# -- subscriptions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (
            {"device": "D"},
            ["Set N", "Set N", "Set T", "Message None", "Define N", "Delete N", "Delete None"],
        ),
        ({"device": "D", "vector": "N"}, ["Set N", "Set N", "Define N", "Delete N", "Delete None"]),
        ({"vector": "N", "member": "y"}, ["Set N", "Define N", "Delete N", "Delete None"]),
        ({"vector": "N", "kinds": "Set"}, ["Set N", "Set N"]),
        ({"kinds": ["Message", "Delete"]}, ["Message None", "Delete N", "Delete None"]),
        ({"device": "X"}, []),
    ],
)
def test_a_mailbox_gets_what_was_asked_for(session: Session, wanted: Any, expected: list[str]) -> None:
    box = session.indi.subscribe(**wanted)
    session.send(UPDATES)
    assert told(box.drain()) == expected


def test_items_are_those_of_the_bridge_with_whole_snapshots(session: Session) -> None:
    box = session.indi.subscribe("D", "N")
    session.send(moved(3) + moved(4))
    first, second = box.drain()
    assert isinstance(first, EventItem)
    assert [one.snapshot["D"]["N"]["x"] for one in (first, second)] == ["3", "4"]
    assert first.snapshot["D"]["T"] is second.snapshot["D"]["T"]


def test_a_command_is_told_once_it_is_sent(session: Session) -> None:
    box = session.indi.subscribe(kinds="State")
    session.vector("N").put(x=5)
    item = box.get(PATIENCE)
    assert (item[:3], item.snapshot["D"]["N"].state) == (("State", "D", "N"), "Busy")


def test_the_loss_of_a_connection_and_the_next_one_are_told_in_order(session: Session) -> None:
    box = session.indi.subscribe(kinds=["ConnectionLost", "ConnectionMade", "Define"])
    session.peer.close()
    session.server.greet(NUMBER)
    kinds = [box.get(PATIENCE) for _ in range(3)]
    assert [(one.eventtype, one.snapshot.connected) for one in kinds] == [
        ("ConnectionLost", False),
        ("ConnectionMade", True),
        ("Define", True),
    ]


def test_a_slow_program_gets_the_newest_and_is_told_how_many_it_missed(session: Session) -> None:
    newest, some = session.indi.subscribe("D", "N", keep=1), session.indi.subscribe("D", "N", keep=3)
    session.send("".join(moved(x) for x in range(10)))
    assert [item.snapshot["D"]["N"]["x"] for item in newest.drain()] == ["9"]
    assert [item.snapshot["D"]["N"]["x"] for item in some.drain()] == ["7", "8", "9"]
    assert (newest.dropped, some.dropped) == (9, 7)


def test_frames_are_kept_up_to_a_limit_in_bytes(session: Session) -> None:
    box = session.indi.subscribe("D", "B", kinds="SetBLOB", blob_limit=250_000)
    for number in range(5):
        session.send(frame(bytes([number]) * 100_000))
        assert len(box) == min(number + 1, 2)
    kept = [item.snapshot["D"]["B"]["b"][0] for item in box.drain()]
    assert (kept, box.dropped) == ([3, 4], 3)


def test_a_frame_above_the_limit_comes_all_the_same(session: Session) -> None:
    box = session.indi.subscribe(kinds="SetBLOB", blob_limit=0)
    session.send(frame(b"stars"))
    assert len(box.drain()) == 1


def test_a_mailbox_that_is_forgotten_or_closed_is_unsubscribed(session: Session) -> None:
    """Row 10."""
    forgotten, closed = session.indi.subscribe(), session.indi.subscribe()
    subscriptions = session.indi._engine.subscriptions
    assert len(subscriptions) == 2
    gone = weakref.ref(forgotten)
    del forgotten
    gc.collect()
    assert gone() is None
    closed.close()
    session.peer.send(moved(3))
    assert becomes_true(lambda: len(subscriptions) == 0, PATIENCE)


@pytest.mark.parametrize(
    "wanted", [{"kinds": "set"}, {"kinds": ["Set", "Get"]}, {"device": "D", "member": "x"}]
)
def test_what_can_never_come_is_refused(session: Session, wanted: Any) -> None:
    with pytest.raises(InvalidValue):
        session.indi.subscribe(**wanted)


def test_a_mailbox_ends_with_the_client(session: Session) -> None:
    box = session.indi.subscribe(kinds="Set")
    session.send(moved(3))
    session.indi.close()
    assert told(list(box)) == ["Set N"]
    with pytest.raises(MailboxClosed):
        box.get(0)
    with pytest.raises(ClientClosed):
        session.indi.subscribe()
    with pytest.raises(ClientClosed):
        session.indi.on_change(print)


# -- callbacks ------------------------------------------------------------------------------------


def test_callbacks_run_in_a_thread_of_their_own_in_order(session: Session) -> None:
    heard: queue.Queue[tuple[str, str]] = queue.Queue()
    session.indi.on_change(
        lambda item: heard.put((threading.current_thread().name, item.snapshot["D"]["N"]["x"])), "D", "N"
    )
    gc.collect()  # what on_change returns need not be kept
    session.send("".join(moved(x) for x in range(100)))
    name = f"indipyclient-callbacks-127.0.0.1:{session.server.port}"
    assert [heard.get(timeout=PATIENCE) for _ in range(100)] == [(name, f"{x}") for x in range(100)]


def test_callbacks_may_command_and_wait(session: Session) -> None:
    """Row 15."""
    result: queue.Queue[Any] = queue.Queue()

    def follow(item: EventItem) -> None:
        putting = session.vector("T").put(t="moved")
        session.indi.wait_for(lambda snap: snap["D"]["T"]["t"] == "moved", timeout=PATIENCE)
        result.put(putting.result(PATIENCE).state)

    session.indi.on_change(follow, "D", "N", kinds="Set")
    session.peer.send(moved(3))
    assert session.command().name == "T"
    session.peer.send(
        '<setTextVector device="D" name="T" state="Idle"><oneText name="t">moved</oneText></setTextVector>'
    )
    assert result.get(timeout=PATIENCE) == "Idle"


def test_a_callback_that_blocks_does_not_hold_up_the_client(session: Session) -> None:
    stuck, release = threading.Event(), threading.Event()

    def block(item: EventItem) -> None:
        stuck.set()
        release.wait(PATIENCE)

    session.indi.on_change(block, kinds="Set")
    session.peer.send(moved(3))
    assert stuck.wait(PATIENCE)
    try:
        putting = session.vector("N").put(x=5)
        session.command()
        session.peer.send(moved(5))
        assert putting.result(PATIENCE)["x"] == "5"
        assert not release.is_set()
    finally:
        release.set()


def test_what_a_callback_raises_is_logged_and_counted(
    session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    heard: queue.Queue[str] = queue.Queue()

    def fail(item: EventItem) -> None:
        heard.put(item.snapshot["D"]["N"]["x"])
        raise LookupError("on purpose")

    session.indi.on_change(fail, kinds="Set")
    session.send(moved(3) + moved(4))
    assert [heard.get(timeout=PATIENCE) for _ in range(2)] == ["3", "4"]
    assert becomes_true(lambda: session.indi.callback_errors == 2, PATIENCE)
    assert "LookupError: on purpose" in caplog.text


def test_a_callback_that_exits_does_not_end_the_others(session: Session) -> None:
    heard: queue.Queue[str] = queue.Queue()
    session.indi.on_change(lambda item: sys.exit(3), kinds="Set")
    session.indi.on_change(lambda item: heard.put(item.snapshot["D"]["N"]["x"]), kinds="Set")
    session.send(moved(3) + moved(4))
    assert [heard.get(timeout=PATIENCE) for _ in range(2)] == ["3", "4"]


def test_calls_end_when_the_mailbox_is_closed(session: Session) -> None:
    heard: list[str] = []
    box = session.indi.on_change(lambda item: heard.append(item.snapshot["D"]["N"]["x"]), kinds="Set")
    session.send(moved(3))
    assert becomes_true(lambda: heard == ["3"], PATIENCE)
    box.close()
    session.send(moved(4))
    done = threading.Event()
    session.indi._engine.callbacks.call(done.set)
    assert done.wait(PATIENCE)
    assert heard == ["3"]


def test_a_future_calls_back_in_the_callback_thread(session: Session) -> None:
    putting = session.vector("N").put(x=5)
    called: queue.Queue[tuple[str, Any]] = queue.Queue()
    putting.add_done_callback(lambda done: called.put((threading.current_thread().name, done.result())))
    session.command()
    session.send(moved(5))
    name, vector = called.get(timeout=PATIENCE)
    assert name.startswith("indipyclient-callbacks-")
    assert vector["x"] == "5"
    putting.add_done_callback(lambda done: called.put((threading.current_thread().name, done)))
    assert called.get(block=False) == (threading.current_thread().name, putting)


def test_a_frame_is_not_held_once_it_is_handed_over(server: ScriptedServer) -> None:
    with Session(server, BLOB + NUMBER) as session:
        expected = session.vector("B").expect_blob()
        session.carried_out()
        session.send(frame(b"1" * 1000))
        member = expected.result(PATIENCE)
        session.send(frame(b"2" * 1000))
        gone = weakref.ref(expected)
        del expected, member
        gc.collect()
        assert gone() is None
