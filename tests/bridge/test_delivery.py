"""From the network to a program that reads slowly, or not at all: order, bounds, counts."""

from __future__ import annotations

import asyncio
import queue
import sys
import time
from collections import deque
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from indipyclient.bridge.backlog import Backlog, EventItem
from indipyclient.bridge.sink import Sink
from indipyclient.errors import MailboxClosed
from indipyclient.mailbox import Mailbox
from indipyclient.protocol import NewVector
from indipyclient.queclient import QueClient
from tests.support.deadline import becomes_true
from tests.support.scripted import BLOB, NUMBER, ScriptedServer, frame, moved

from .bridged import KINDS, Bridged
from .threads import PATIENCE, start

STAMP = datetime(2026, 11, 23, tzinfo=timezone.utc)
MEGABYTE = 1 << 20


# -- the backlog by itself --------------------------------------------------------------------


def _item(eventtype: str, vectorname: str, number: int) -> EventItem:
    return EventItem(eventtype, "D", vectorname, STAMP, number)


def _left(backlog: Backlog) -> list[int]:
    return [backlog.popleft().snapshot for _ in range(len(backlog))]


def test_while_there_is_room_everything_waits_in_order() -> None:
    backlog = Backlog(limit=6, blob_limit=0)
    for number in range(6):
        backlog.append(_item("Set", "AB"[number % 2], number))
    assert backlog.first().snapshot == 0
    assert (backlog.folded, _left(backlog)) == (0, [0, 1, 2, 3, 4, 5])


def test_without_room_the_oldest_of_the_same_property_gives_way() -> None:
    backlog = Backlog(limit=4, blob_limit=0)
    for number, vector in enumerate("ABABABB"):
        backlog.append(_item("Set", vector, number))
    # A and B of 0 to 3, then 4 for 0, 5 for 1, 6 for 3
    assert (backlog.folded, _left(backlog)) == (3, [2, 4, 5, 6])


def test_items_of_different_kinds_do_not_fold_into_each_other() -> None:
    backlog = Backlog(limit=1, blob_limit=0)
    kinds = ("Define", "Set", "TimeOut", "Delete")
    for number, eventtype in enumerate(kinds):
        backlog.append(_item(eventtype, "A", number))
    assert (backlog.folded, _left(backlog)) == (0, [0, 1, 2, 3])


def test_names_made_up_without_end_drop_the_oldest_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages and requests may name devices that do not exist, each a new one."""
    monkeypatch.setattr("indipyclient.bridge.backlog._MOST_PROPERTIES", 3)
    backlog = Backlog(limit=2, blob_limit=0)
    for number in range(9):
        backlog.append(_item("getProperties", f"made up {number}", number))
    assert (backlog.folded, _left(backlog)) == (4, [4, 5, 6, 7, 8])


def test_a_backlog_that_was_emptied_begins_anew() -> None:
    backlog = Backlog(limit=2, blob_limit=0)
    for round_ in range(3):
        for number in range(4):
            backlog.append(_item("Set", "A", number))
        assert (backlog.folded, _left(backlog)) == (2 * (round_ + 1), [2, 3])


# -- a program that sleeps --------------------------------------------------------------------


def _padded(x: float) -> str:
    """An update of the length that a server sends for a vector of four members."""
    return moved(x) + " " * 190


def test_nobody_reads_and_the_network_does_not_wait(server: ScriptedServer) -> None:
    """GUI 8, rows 3 and 4: 18 MB are far more than the system holds for a client that does not read."""
    count = 60_000
    with Bridged(server.port, rxque_limit=1000, backlog_limit=1000) as bridged:
        peer = server.greet(NUMBER)
        bridged.wait_for("Define")

        def flood() -> None:
            for first in range(0, count, 1000):
                peer.send("".join(map(_padded, range(first, first + 1000))))

        start(flood).result(60)
        assert becomes_true(lambda: bridged.client.snapshot()["D"]["N"]["x"] == str(count - 1), PATIENCE)
        assert bridged.rxque.qsize() == 1000  # type: ignore[union-attr]
        assert len(bridged.client.backlog) == 1000
        assert bridged.client.backlog.folded == count - 2000
        seen = [bridged.get().snapshot["D"]["N"].getfloatvalue("x") for _ in range(2000)]
        assert seen == [*range(1000), *range(count - 1000, count)]


def _in_the_system(port: int) -> int:
    """Bytes of the connections to a port that one side has sent and the other has not read (Linux)."""
    total = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, here, there, _, queues, *_ = line.split()
        if f"{port:04X}" in (here[-4:], there[-4:]):
            total += sum(int(length, 16) for length in queues.split(":"))
    return total


def test_a_burst_comes_whole_to_a_program_that_takes_it_in_batches(server: ScriptedServer) -> None:
    """GUI 8, row 3: 10 000 events a second, taken every 100 ms. And row 6: the last one comes."""
    box: Mailbox[EventItem] = Mailbox()
    with Bridged(server.port, rx=box) as bridged:
        peer = server.greet(NUMBER)
        bridged.wait_for("Define")

        def burst() -> None:
            began = time.monotonic()
            for step in range(150):
                time.sleep(max(0.0, began + step * 0.01 - time.monotonic()))
                peer.send("".join(map(_padded, range(100 * step, 100 * step + 100))))

        bursting = start(burst)
        seen: list[float] = []
        while not seen or seen[-1] < 14_999:
            time.sleep(0.1)  # what the program does instead of reading
            sets = [item for item in box.drain() if item.eventtype == "Set"]
            seen += [item.snapshot["D"]["N"].getfloatvalue("x") for item in sets]
        assert seen == list(range(15_000))
        assert bridged.client.backlog.folded == 0
        bursting.result(PATIENCE)
        assert becomes_true(lambda: _in_the_system(server.port) == 0, PATIENCE)


def test_who_wants_only_the_latest_gets_the_last_of_a_burst(server: ScriptedServer) -> None:
    """GUI 8, row 6."""
    box: Mailbox[EventItem] = Mailbox(keep=1)
    with Bridged(server.port, rx=box) as bridged:
        peer = server.greet(NUMBER)
        peer.send("".join(map(moved, range(1000))))

        def latest() -> object:
            box.drain()
            return box.latest and box.latest.snapshot.get("D", {}).get("N", {}).get("x")

        assert becomes_true(lambda: latest() == "999", PATIENCE)
        assert box.dropped + bridged.client.backlog.folded > 0
        assert len(bridged.client.backlog) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_frames_that_nobody_takes_are_bounded_in_bytes(server: ScriptedServer, kind: str) -> None:
    """Each of 40 frames of 1 MB is followed by an update, whose snapshot holds the frame too."""
    count = 40
    rxque = KINDS[kind]()
    options: dict[str, Any] = {"rxque_blobs": 4 * MEGABYTE, "backlog_blobs": 4 * MEGABYTE}
    with Bridged(server.port, rx=rxque, **options) as bridged:
        peer = server.greet(NUMBER + BLOB)
        bridged.wait_for("DefineBLOB")
        for number in range(count):
            peer.send(frame(bytes([number]) * MEGABYTE) + moved(number))
        assert becomes_true(lambda: bridged.client.snapshot()["D"]["N"]["x"] == str(count - 1), PATIENCE)
        assert bridged.client.backlog.folded > 0
        assert len(_frames(list(bridged.client.backlog._items.values()))) <= 6
        assert len(_frames(_inside(rxque))) <= 5
        items = [bridged.get()]
        while items[-1][:3] != ("Set", "D", "N") or items[-1].snapshot["D"]["N"]["x"] != str(count - 1):
            items.append(bridged.get())
        assert [item.snapshot.rev for item in items] == sorted({item.snapshot.rev for item in items})
        assert _frames(items)[-1] == count - 1
        # what was taken makes room again
        folded = bridged.client.backlog.folded
        for _ in range(4):
            peer.send(frame(bytes(MEGABYTE)))
            bridged.wait_for("SetBLOB")
        assert bridged.client.backlog.folded == folded


def _inside(rxque: Any) -> list[EventItem]:
    if isinstance(rxque, Mailbox):
        return list(rxque._items)
    if isinstance(rxque, deque):
        return list(rxque)
    if isinstance(rxque, queue.SimpleQueue):
        return []  # cannot be looked into; what comes out of it tells
    return list(getattr(rxque, "_queue" if isinstance(rxque, asyncio.Queue) else "queue"))


def _frames(items: list[EventItem]) -> list[int]:
    """The first bytes of the different frames that the snapshots hold."""
    held = [item.snapshot["D"]["B"].member("b").buffer for item in items if "D" in item.snapshot]
    return sorted({view[0] for view in held if view is not None})


def test_a_change_of_state_only_is_not_counted_as_a_frame(server: ScriptedServer) -> None:
    with Bridged(server.port, rxque_blobs=4 * MEGABYTE, backlog_blobs=4 * MEGABYTE) as bridged:
        peer = server.greet(BLOB)
        bridged.wait_for("DefineBLOB")
        peer.send(frame(bytes(3 * MEGABYTE)))
        for _ in range(50):
            peer.send('<setBLOBVector device="D" name="B" state="Busy"/>')
        for _ in range(51):
            bridged.wait_for("SetBLOB")
        assert bridged.client.backlog.folded == 0


def test_a_single_frame_above_every_limit_comes_all_the_same(server: ScriptedServer) -> None:
    with Bridged(server.port, rxque_blobs=1, backlog_blobs=1) as bridged:
        peer = server.greet(BLOB)
        for number in range(3):
            peer.send(frame(bytes([number]) * MEGABYTE))
            assert bridged.wait_for("SetBLOB").snapshot["D"]["B"].member("b").buffer[0] == number


@pytest.mark.parametrize("limit", ["items", "bytes"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_full_queue_is_not_tried_again_and_again(
    server: ScriptedServer, kind: str, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing is taken, a queue that can be waited on is left alone, others are seldom looked at."""
    options: dict[str, Any] = {"rxque_limit": 6} if limit == "items" else {"rxque_blobs": 1}
    with Bridged(server.port, rx=KINDS[kind](), **options) as bridged:
        peer = server.greet(BLOB)
        peer.send(frame(b"x") * 20)
        assert becomes_true(lambda: len(bridged.client.backlog) > 9, PATIENCE)
        tries = []
        offer = bridged.client._sink._offer
        monkeypatch.setattr(bridged.client._sink, "_offer", lambda item: tries.append(item) or offer(item))  # type: ignore[func-returns-value]
        time.sleep(0.3)  # nothing can be waited for: it is about what does not happen
        assert len(tries) <= 1
        monkeypatch.undo()
        for _ in range(20):
            bridged.wait_for("SetBLOB")


def test_a_full_mailbox_that_the_program_closes_ends_the_delivery(server: ScriptedServer) -> None:
    box: Mailbox[EventItem] = Mailbox()
    with Bridged(server.port, rx=box, rxque_limit=10) as bridged:
        peer = server.greet(NUMBER)
        peer.send("".join(map(moved, range(100))))
        assert becomes_true(lambda: len(bridged.client.backlog) > 90, PATIENCE)
        box.close()
        assert becomes_true(lambda: len(bridged.client.backlog) == 0, PATIENCE)
        assert not bridged.ended.done()


@pytest.mark.parametrize("kind", [queue.PriorityQueue, asyncio.PriorityQueue])
def test_a_queue_that_compares_items_is_for_commands_only(kind: Any) -> None:
    """It would raise at the first two items of a type of which one has a device, and lose them."""
    with pytest.raises(TypeError, match="rxque cannot be a PriorityQueue"):
        QueClient(queue.Queue(), kind())
    QueClient(kind(), queue.Queue())


@pytest.mark.parametrize("kind", ["Mailbox", "queue.Queue", "SimpleQueue"])
def test_under_a_flood_the_program_gets_items_before_all_are_there(kind: str) -> None:
    """Also where Python itself does not make the client's thread give way to another."""
    rxque, most = KINDS[kind](), 100_000
    given = 0

    def take() -> int:
        rxque.get(timeout=PATIENCE)
        return given

    async def flood() -> int:
        nonlocal given
        sink = Sink(rxque, Backlog(most, MEGABYTE), most, MEGABYTE)
        first = start(take)
        while given < most and not first.done():
            sink.put(_item("Set", "A", given))
            given += 1
        return first.result(PATIENCE)

    usual = sys.getswitchinterval()
    sys.setswitchinterval(PATIENCE)
    try:
        assert asyncio.run(flood()) < most
    finally:
        sys.setswitchinterval(usual)


# -- commands ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_commanded_before_the_end_is_sent(server: ScriptedServer, kind: str) -> None:
    with Bridged(server.port, tx=KINDS[kind]()) as bridged:
        peer = server.greet(NUMBER + BLOB)
        bridged.wait_for("DefineBLOB")
        bridged.put(("D", "B", {"b": (bytes(MEGABYTE), MEGABYTE, ".bin")}))  # takes a while
        for number in range(20):
            bridged.put(("D", "N", {"x": number / 10}))
        bridged.put(None)
        sent = start(peer.receive_end).result(PATIENCE)
        assert len([message for message in sent if isinstance(message, NewVector)]) == 21
        assert bridged.ended.exception(PATIENCE) is None


def test_what_was_put_before_a_mailbox_was_closed_is_sent(server: ScriptedServer) -> None:
    box: Mailbox[Any] = Mailbox()
    with Bridged(server.port, tx=box) as bridged:
        peer = server.greet(NUMBER)
        bridged.wait_for("Define")
        for number in range(20):
            box.put(("D", "N", {"x": number / 10}))
        box.close()
        assert len(start(peer.receive_end).result(PATIENCE)) == 20
        assert bridged.ended.exception(PATIENCE) is None


def test_the_end_does_not_wait_for_a_server_that_takes_nothing(server: ScriptedServer) -> None:
    """And whoever waits in join() is not left there, whatever became of the commands."""
    txque: queue.Queue[Any] = queue.Queue()
    with Bridged(server.port, tx=txque) as bridged:
        server.greet(NUMBER + BLOB)
        bridged.wait_for("DefineBLOB")
        for _ in range(3):
            bridged.put(("D", "B", {"b": (bytes(16 * MEGABYTE), 16 * MEGABYTE, ".bin")}))
        joining = start(txque.join)
        bridged.put(None)
        bridged.put(("D", "N", {"x": 1}))  # after the end: not carried out
        joining.result(PATIENCE)
        assert bridged.ended.exception(PATIENCE) is None


def test_a_txque_of_another_loop_ends_the_client_with_the_reason(server: ScriptedServer) -> None:
    """Nothing can come by it, not even the end: whoever waits for items must be told."""
    foreign: asyncio.Queue[Any] = asyncio.Queue()
    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(asyncio.wait_for(foreign.get(), 0.01))
    box: Mailbox[EventItem] = Mailbox()
    bridged = Bridged(server.port, tx=foreign, rx=box)
    with pytest.raises(RuntimeError, match="different event loop"):
        bridged.ended.result(PATIENCE)
    with pytest.raises(MailboxClosed) as caught:
        while True:
            box.get(PATIENCE)
    assert caught.value.__cause__ is bridged.ended.exception()


def test_what_waits_for_room_when_the_client_ends_comes_first_when_it_runs_again(
    server: ScriptedServer,
) -> None:
    async def run_twice() -> list[str]:
        rxque: asyncio.Queue[EventItem] = asyncio.Queue(1)
        client = QueClient(queue.Queue(), rxque, "127.0.0.1", server.port)
        running = asyncio.create_task(client.asyncrun())
        peer = await asyncio.to_thread(server.greet, NUMBER)
        while (await asyncio.wait_for(rxque.get(), PATIENCE)).eventtype != "Define":
            pass
        peer.send("".join(map(moved, range(10))))

        def all_has_come() -> bool:
            return bool(client.snapshot().get("D", {}).get("N", {}).get("x") == "9")

        assert await asyncio.to_thread(becomes_true, all_has_come, PATIENCE)
        client.shutdown()
        await running
        running = asyncio.create_task(client.asyncrun())
        taken: list[str] = []
        while len(taken) < 10:
            item = await asyncio.wait_for(rxque.get(), PATIENCE)
            if item.eventtype == "Set":
                taken.append(item.snapshot["D"]["N"]["x"])
        client.shutdown()
        await running
        return taken

    assert asyncio.run(run_twice()) == [str(number) for number in range(10)]
