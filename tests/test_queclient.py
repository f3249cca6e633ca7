"""The queue client, used by its two queues only, against a scripted server.

The numbers in the docstrings are those of the defects that 0.9.4 was shown to have, and of the rows of
inputs that a client must survive. What differs between kinds of queues is in `test_queues`.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from indipyclient.net.link import Timing
from indipyclient.protocol import EnableBLOB, GetProperties, NewVector, OneBLOB, OneMember
from indipyclient.queclient import EventItem, QueClient, runqueclient
from indipyclient.state.snapshots import Snap, SnapDevice
from indipyclient.state.vectors import SnapNumberVector
from tests.support.deadline import becomes_true
from tests.support.ids import shown
from tests.support.scripted import (
    ALL,
    BLOB,
    NUMBER,
    PATIENCE,
    SOON,
    TEXT,
    Peer,
    ScriptedServer,
    frame,
    moved,
)
from tests.support.session import Item, QueueSession

END = '<message message="handled so far"/>'


@pytest.fixture
def session(server: ScriptedServer) -> Iterator[QueueSession]:
    with QueueSession(server.port, timing=Timing(reconnect_min=0.02)) as session:
        yield session


@pytest.fixture
def peer(server: ScriptedServer, session: QueueSession) -> Peer:
    """A server that has defined one vector of each kind."""
    peer = server.greet(ALL)
    assert peer.receive() == EnableBLOB("Never", "D", "B")
    session.wait_until(lambda snap: "R" in snap["D"])
    return peer


def _text(item: Item) -> str:
    """What a Message item says."""
    return str(item.snapshot.messages[0][1])


def _after(session: QueueSession, peer: Peer, data: str) -> tuple[list[Item], Snap]:
    """Have the server send something; the items that came of it, and the state after it."""
    items: list[Item] = []

    def last(item: Item) -> bool:
        items.append(item)
        return item.eventtype == "Message" and _text(item) == "handled so far"

    peer.send(data + END)
    return items, session.wait(last).snapshot


# -- what goes in -------------------------------------------------------------------------------


class Unprintable:
    """Has three parts, none of which can be shown."""

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Iterator[Unprintable]:
        return iter([self, self, self])

    def __repr__(self) -> str:
        raise RuntimeError("on purpose")


class Unreadable(Mapping[str, Any]):
    """A mapping that is none when it is looked into."""

    def __getitem__(self, key: str) -> Any:
        raise RuntimeError("on purpose")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("on purpose")

    def __len__(self) -> int:
        return 1


class Lengthless:
    def __len__(self) -> int:
        raise OSError("on purpose")


BAD: list[Any] = [
    # what ended the published client
    ("Nodevice", None, "snapshot"),
    ("D", "Novector", "snapshot"),
    5,
    ("D", "B", {"b": ("/nonexistent", 0, ".x")}),
    ("D", "B", {"b": (b"", 0, ".x")}),
    (["D"], "S", {"a": "On"}),
    # what it dropped, or sent all the same
    ("Nodevice", "S", {"a": "On"}),
    ("D", "Novector", {"a": "On"}),
    ("D", "L", {"l": "Ok"}),
    ("D", "R", {"r": "new"}),
    ("D", "T", {"t": 5}),
    ("D", "S", {"a": "Maybe"}),
    ("D", "S", {"a": "On", "b": "On"}),
    ("D", "S", {"nomember": "On"}),
    ("D", "S", {}),
    ("D", "N", {"x": "much"}),
    ("D", "N", {"x": float("nan")}),
    "snapshot",
    "",
    (),
    ("D", "S"),
    ("D", "S", {"a": "On"}, 4),
    ("D", "S", "Sometimes"),
    (None, None, "Also"),
    # and more
    ("D", "S", None),
    ("D", "S", 5),
    ("D", "S", ["a", "On"]),
    ("D", "S", {5: "On"}),
    ("D", "S", {("a",): "On"}),
    ("D", "S", {"a": ["On"]}),
    ("D", "N", {"x": 10**400}),
    ("D", "N", {"x": 1j}),
    ("D", "N", {"x": "1" * 10_000}),
    ("D", "T", {"t": object()}),
    ("D", "B", {"b": 5}),
    ("D", "B", {"b": ("only", "two")}),
    ("D", "B", {"b": (Path("/"), 0, "")}),
    ("D", "B", {"b": (b"x", "1", ".x")}),
    ("D", None, {"a": "On"}),
    (None, "S", {"a": "On"}),
    (None, None, {"a": "On"}),
    (5, "S", {"a": "On"}),
    ("D", 5, {"a": "On"}),
    ("D", ["S"], "snapshot"),
    (True, False, True),
    {"D": 1},
    {1, 2, 3},
    b"abc",
    3.5,
    object(),
    ValueError("as an item"),
    ValueError,
    (i for i in range(3)),
    lambda: None,
    Lengthless(),
    Unprintable(),
    ("D", "S", Unprintable()),
    ("D", "S", Unreadable()),
    ("D", "T", {"t": Unprintable()}),
    ("D", "B", {"b": b"x" * (1 << 24), "c": 1}),
]


@pytest.mark.parametrize("bad", BAD, ids=shown)
def test_a_bad_item_is_answered_by_a_message_and_hurts_nothing(
    session: QueueSession, peer: Peer, bad: Any
) -> None:
    """Defect 7: seven kinds of items ended the client's thread; defects 10 and 23."""
    session.txque.put(bad)
    item = session.wait(lambda item: item.eventtype == "Message")
    assert _text(item).startswith("not carried out")
    assert len(_text(item)) < 1000
    session.send("D", "S", {"b": "On"})
    # and it is the only thing that is sent
    assert peer.receive() == NewVector("Switch", "D", "S", _stamp(session), (OneMember("b", "On"),))


def _stamp(session: QueueSession) -> datetime:
    """The time of the command that was sent last."""
    stamp: datetime = session.wait(lambda item: item.eventtype == "State").timestamp
    return stamp


def test_a_burst_of_bad_items_is_answered_one_by_one(session: QueueSession, peer: Peer) -> None:
    """Defect 7."""
    bad = [item for item in BAD if not hasattr(item, "send")]  # a generator can be looked at once
    for item in bad:
        session.txque.put(item)
    session.send(None, None, "snapshot")
    items: list[Item] = []
    while len(items) < len(bad):
        items.append(session.wait(lambda item: item.eventtype == "Message"))
    assert all(_text(item).startswith("not carried out") for item in items)
    session.send("the", "end", "Get")
    assert peer.receive() == GetProperties("the", "end")


def test_a_request_before_the_device_is_known_is_no_harm(server: ScriptedServer) -> None:
    """Defect 7: a race at the start was enough to end the client."""
    with QueueSession(server.port) as session:
        session.send("D", None, "snapshot")
        item = session.wait(lambda item: item.eventtype == "Message" and "not carried" in _text(item))
        assert "'D'" in _text(item)
        server.greet(NUMBER)
        session.wait_event("Define", "D", "N")
        session.send("D", None, "snapshot")
        assert session.wait_event("snapshot", "D", None).snapshot.devicename == "D"


def test_names_that_are_nearly_right_are_suggested(session: QueueSession, peer: Peer) -> None:
    session.send("D", "T", {"tt": "x"})
    item = session.wait(lambda item: item.eventtype == "Message")
    assert "did you mean 't'" in _text(item)


def test_a_command_is_sent_and_answered_by_the_state_that_it_made(session: QueueSession, peer: Peer) -> None:
    before = datetime.now(timezone.utc)
    session.send("D", "N", {"x": 3})
    item = session.wait(lambda item: item.eventtype == "State")
    assert item[:3] == ("State", "D", "N")
    assert item.snapshot["D"]["N"].state == "Busy"
    assert item.snapshot["D"]["T"].state == "Ok"
    assert before <= item.timestamp <= datetime.now(timezone.utc)
    sent = peer.receive()
    assert sent == NewVector("Number", "D", "N", item.timestamp, (OneMember("x", "3"), OneMember("y", "2")))
    _, snap = _after(session, peer, moved(3))
    assert snap["D"]["N"].state == "Ok"


@pytest.mark.parametrize(
    "value", [b"ABC", (b"ABC", 0, ".x"), (bytearray(b"ABC"), 3, ".x"), (memoryview(b"ABC"), 0, "")], ids=shown
)
def test_a_blob_is_sent(session: QueueSession, peer: Peer, value: Any) -> None:
    """Defect 7: bytes alone ended the client."""
    session.send("D", "B", {"b": value})
    sent = peer.receive()
    assert isinstance(sent, NewVector)
    (blob,) = sent.members
    assert isinstance(blob, OneBLOB)
    assert blob.payload == memoryview(b"ABC")
    assert blob.size == 3


def test_a_blob_is_sent_from_a_file(session: QueueSession, peer: Peer, tmp_path: Path) -> None:
    path = tmp_path / "frame.fits.fz"
    path.write_bytes(b"ABC")
    values: list[Any] = [path, str(path), (path, 0, ""), (path.open("rb"), 0, ".fits.fz")]
    for value in values:
        session.send("D", "B", {"b": value})
        sent = peer.receive()
        assert isinstance(sent, NewVector)
        assert sent.members == (OneBLOB("b", memoryview(b"ABC"), 3, ".fits.fz"),)


def test_a_list_is_as_good_as_a_tuple(session: QueueSession, peer: Peer) -> None:
    """API 8."""
    session.txque.put(["D", "S", {"b": True}])
    assert isinstance(peer.receive(), NewVector)
    session.txque.put(["D", None, "snapshot"])
    session.wait_event("snapshot", "D", None)


def test_snapshots_are_given_of_everything_a_device_and_a_vector(session: QueueSession, peer: Peer) -> None:
    """API 8; their timestamp is None."""
    requests: list[tuple[Any, Any, type]] = [
        (None, None, Snap),
        ("", "ignored", Snap),
        ("D", None, SnapDevice),
        ("D", "", SnapDevice),
        ("D", "N", SnapNumberVector),
    ]
    for device, vector, kind in requests:
        session.send(device, vector, "snapshot")
        item = session.wait(lambda item: item.eventtype == "snapshot")
        whole = not device
        assert item[1:4] == (None if whole else device, None if whole else vector or None, None)
        assert isinstance(item.snapshot, kind)


def test_definitions_and_blobs_are_asked_for(session: QueueSession, peer: Peer) -> None:
    for device, vector in ((None, None), ("D", None), ("D", "N")):
        session.send(device, vector, "Get")
        assert peer.receive() == GetProperties(device, vector)
    session.send("D", "B", "Also")
    assert peer.receive() == EnableBLOB("Also", "D", "B")
    session.send("D", None, "Never")
    assert peer.receive() == EnableBLOB("Never", "D", "B")


def test_a_command_without_a_connection_says_so_and_is_not_sent_later(
    server: ScriptedServer, session: QueueSession, peer: Peer
) -> None:
    """Defect 23: "State" although nothing was sent."""
    server.refuse()
    peer.close()
    session.wait_event("ConnectionLost", None, None)
    session.send("D", "N", {"x": 3})
    session.wait(lambda item: item.eventtype == "Message" and "no connection" in _text(item))
    server.listen()
    peer = server.greet(NUMBER)
    session.wait_event("Define", "D", "N")
    session.send("the", "end", "Get")
    assert peer.receive() == GetProperties("the", "end")


def test_commands_are_sent_in_the_order_they_were_given(session: QueueSession, peer: Peer) -> None:
    """Defect 32."""
    for x in range(200):
        session.send("D", "N", {"x": x})
    for x in range(200):
        sent = peer.receive()
        assert isinstance(sent, NewVector)
        assert sent.members[0] == OneMember("x", str(x))


def test_what_is_put_before_none_is_still_sent(session: QueueSession, peer: Peer) -> None:
    """As 0.9 does; a program parks the mount and ends."""
    session.send("D", "T", {"t": "park"})
    session.send("D", "S", {"b": "On"})
    session.send("D", "B", {"b": bytes(1000)})
    session.txque.put(None)
    assert [message.name for message in peer.receive_end(SOON)] == ["T", "S", "B"]  # type: ignore[union-attr]


def test_what_is_put_after_none_is_not(session: QueueSession, peer: Peer) -> None:
    session.txque.put(None)
    session.send("D", "T", {"t": "too late"})
    assert peer.receive_end(SOON) == []


def test_join_returns_once_everything_was_attended_to(session: QueueSession, peer: Peer) -> None:
    """Defect 6."""
    for item in (("D", "N", {"x": 1}), 5, (None, None, "snapshot"), ("D", "X", {"x": 1}), ("D", None, "Get")):
        session.txque.put(item)
    assert _joined(session.txque)
    assert isinstance(peer.receive(), NewVector)


def test_join_returns_when_the_client_ends(session: QueueSession, peer: Peer) -> None:
    """For all up to None; what is put after it may come when the client has left the queue alone."""
    session.txque.put(("D", "N", {"x": 1}))
    session.txque.put(None)
    assert _joined(session.txque)


def _joined(txque: queue.Queue[Any]) -> bool:
    waiting = threading.Thread(target=txque.join, daemon=True)
    waiting.start()
    waiting.join(PATIENCE)
    return not waiting.is_alive()


def test_a_program_may_reset_its_queue_while_an_item_is_being_carried_out(
    session: QueueSession, peer: Peer
) -> None:
    """`task_done` raises then, as the queue knows of no unfinished task."""
    session.send("D", "B", {"b": bytes(1 << 22)})  # takes a while
    assert becomes_true(lambda: not session.txque.qsize(), PATIENCE)
    with session.txque.mutex:
        session.txque.queue.clear()
        session.txque.unfinished_tasks = 0
        session.txque.all_tasks_done.notify_all()
    assert isinstance(peer.receive(), NewVector)
    session.send(None, None, "snapshot")
    session.wait_event("snapshot", None, None)


# -- what comes out -----------------------------------------------------------------------------


def test_everything_that_happens_comes_with_the_state_right_after_it(
    server: ScriptedServer, session: QueueSession
) -> None:
    """API 8; and 2.3, but that from the first sign of a loss on it says that there is no connection."""
    items: list[Item] = []

    def last(item: Item) -> bool:
        items.append(item)
        made = sum(item.eventtype == "ConnectionMade" for item in items)
        return made == 2 and bool(item.eventtype == "Message")

    peer = server.greet(NUMBER + BLOB + moved(3) + frame(b"ABC"))
    peer.send('<getProperties version="1.7" device="X"/><delProperty device="D" name="N"/>')
    peer.send('<delProperty device="D"/><message device="D" message="bye"/>')
    assert peer.receive() == EnableBLOB("Never", "D", "B")
    peer.close()
    server.greet()
    session.wait(last)
    assert [item[:3] for item in items] == [
        ("Message", None, None),
        ("Message", None, None),
        ("ConnectionMade", None, None),
        ("Message", None, None),
        ("Define", "D", "N"),
        ("DefineBLOB", "D", "B"),
        ("Set", "D", "N"),
        ("SetBLOB", "D", "B"),
        ("getProperties", "X", None),
        ("Delete", "D", "N"),
        ("Delete", "D", None),
        ("Message", "D", None),
        ("Message", None, None),
        ("ConnectionLost", None, None),
        ("Message", None, None),
        ("Message", None, None),
        ("Message", None, None),
        ("ConnectionMade", None, None),
        ("Message", None, None),
    ]
    assert [item.snapshot.connected for item in items] == [False] + [True] * 11 + [False] * 4 + [True] * 3
    assert [item.snapshot.enabledlen() for item in items] == [0] * 4 + [1] * 6 + [0] * 9
    revs = [item.snapshot.rev for item in items]
    assert revs == sorted(revs)
    assert items[6].snapshot["D"]["N"]["x"] == "3"
    assert items[7].snapshot["D"]["B"]["b"] == b"ABC"
    assert "D" in items[13].snapshot
    assert not items[14].snapshot
    assert all(isinstance(item, EventItem) for item in items)
    assert all(item.timestamp.tzinfo is timezone.utc for item in items)


def test_a_time_out_comes_with_its_state(session: QueueSession, peer: Peer) -> None:
    session.client.vector_timeout_min = session.client.vector_timeout_max = 0.01
    session.send("D", "N", {"x": 3})
    item = session.wait(lambda item: item.eventtype == "TimeOut")
    assert item[:3] == ("TimeOut", "D", "N")
    assert item.snapshot["D"]["N"].state == "Busy"


def test_items_share_what_did_not_change_between_them(session: QueueSession, peer: Peer) -> None:
    """Defect 27: each held a copy of everything."""
    items, _ = _after(session, peer, TEXT.replace('"D"', '"E"') + moved(1) + moved(2))
    old, new = (item.snapshot for item in items if item.eventtype == "Set")
    assert new["E"] is old["E"]
    assert new["D"]["T"] is old["D"]["T"]
    assert (old["D"]["N"]["x"], new["D"]["N"]["x"]) == ("1", "2")


# -- a program that does not read -----------------------------------------------------------------


def test_the_end_comes_at_once_while_the_program_reads_nothing(server: ScriptedServer) -> None:
    """Defect 6: alive 10 s after None."""
    txque: queue.Queue[Any] = queue.Queue()
    rxque: queue.Queue[Any] = queue.Queue(2)
    client = QueClient(txque, rxque, "127.0.0.1", server.port)
    thread = _run(client.asyncrun)
    peer = server.greet(NUMBER + "".join(map(moved, range(1000))))
    assert becomes_true(lambda: len(client.backlog) > 900, PATIENCE)
    txque.put(None)
    thread.join(SOON)
    assert not thread.is_alive()
    assert peer.receive_end(SOON) == []


def test_a_server_that_does_not_read_holds_up_neither_items_nor_the_end(
    session: QueueSession, peer: Peer
) -> None:
    """Defect 8."""
    session.send("D", "B", {"b": (bytes(1 << 24), 0, ".bin")})
    session.send("D", "N", {"x": 3})  # waits for its turn
    _, snap = _after(session, peer, moved(5))
    assert snap["D"]["N"]["x"] == "5"
    session.txque.put(None)
    session._thread.join(SOON)
    assert not session._thread.is_alive()


def _run(asyncrun: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=lambda: asyncio.run(asyncrun()), daemon=True)
    thread.start()
    return thread


# -- the ways to run it -----------------------------------------------------------------------------


@pytest.mark.parametrize("as_keywords", [True, False], ids=["keywords", "positions"])
def test_runqueclient_runs_until_none(server: ScriptedServer, tmp_path: Path, as_keywords: bool) -> None:
    """API 8; MountWizzard4 gives keywords."""
    txque: queue.Queue[Any] = queue.Queue()
    rxque: queue.Queue[Any] = queue.Queue()
    names = ("txque", "rxque", "indihost", "indiport", "blobfolder")
    values = (txque, rxque, "127.0.0.1", server.port, tmp_path)
    arguments: dict[str, Any] = (
        {"kwargs": dict(zip(names, values, strict=True))} if as_keywords else {"args": values}
    )
    thread = threading.Thread(target=runqueclient, daemon=True, **arguments)
    thread.start()
    peer = server.greet(BLOB)
    assert peer.receive() == EnableBLOB("Also", "D", "B")
    txque.put(None)
    thread.join(SOON)
    assert not thread.is_alive()
    last = [rxque.get_nowait() for _ in range(rxque.qsize())][-1]
    assert last.eventtype == "ConnectionLost"
    assert not last.snapshot.connected


def test_a_client_may_run_again_in_another_loop(server: ScriptedServer) -> None:
    txque: queue.Queue[Any] = queue.Queue()
    rxque: queue.Queue[Any] = queue.Queue(1)
    client = QueClient(txque, rxque, "127.0.0.1", server.port)
    for x in ("1", "2"):
        thread = _run(client.asyncrun)
        peer = server.greet(NUMBER)
        while rxque.get(timeout=PATIENCE).eventtype != "Define":
            pass
        txque.put(("D", "N", {"x": x}))
        sent = peer.receive()
        assert isinstance(sent, NewVector)
        assert sent.members[0] == OneMember("x", x)
        txque.put(None)
        while rxque.get(timeout=PATIENCE).eventtype != "ConnectionLost":
            pass
        thread.join(SOON)
        assert not thread.is_alive()


@pytest.mark.parametrize("folder", ["/no/such/folder", Path("/no/such/folder")])
def test_a_folder_that_is_none_is_refused_in_the_callers_thread(folder: Any) -> None:
    with pytest.raises(KeyError):
        QueClient(queue.Queue(), queue.Queue(), blobfolder=folder)
