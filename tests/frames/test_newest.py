"""A program that is slower than the frames: only the newest, and the count of the rest (row 45, INDI 4.3)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from indipyclient import events
from indipyclient.queclient import EventItem
from tests.bridge.bridged import KINDS, Bridged
from tests.support.deadline import becomes_true
from tests.support.scripted import BLOB, NUMBER, PATIENCE, Client, Peer, Running, ScriptedServer, moved

from .unix import UnixServer, held, running_client, unix_client
from .wire import FRAMES, TWO, attached, blobs, inline


@pytest.fixture
def client(server: ScriptedServer) -> Client:
    client = Client(server.port)
    client.newest_frames_only = True
    return client


@pytest.fixture
def running(client: Client) -> Iterator[Running]:
    with running_client(client) as running:
        yield running


@pytest.fixture
def peer(server: ScriptedServer, running: Running) -> Peer:
    return server.greet(FRAMES + TWO.replace('"D"', '"E"') + NUMBER)


@contextmanager
def busy_with_a_frame(running: Running, peer: Peer) -> Iterator[None]:
    """Have `rxevent` take its time over a frame; what is sent meanwhile has arrived at the end."""
    entered, go_on = running.do(asyncio.Event), running.do(asyncio.Event)

    async def hold(event: Any) -> None:
        if isinstance(event, events.setBLOBVector):
            entered.set()
            await go_on.wait()

    running.client.before = hold
    peer.send(blobs(inline("b", b"first")))
    running.call(entered.wait())
    yield
    peer.send('<pingRequest uid="arrived"/>')
    peer.receive_until(lambda message: getattr(message, "uid", None) == "arrived")
    running.client.before = None
    running.do(go_on.set)


def told(running: Running) -> list[dict[str, Any]]:
    """The updates that the program was told of, values by member."""
    return [dict(seen.event) for seen in running.seen if isinstance(seen.event, events.setVector)]


def frame(number: int) -> str:
    return blobs(inline("b", b"%d" % number))


def test_of_the_frames_that_wait_only_the_newest_is_told(
    running: Running, peer: Peer, client: Client
) -> None:
    with busy_with_a_frame(running, peer):
        for number in range(100):
            peer.send(frame(number))
    running.after(peer, "")
    assert told(running) == [{"b": b"first"}, {"b": b"99"}]
    assert client.frames_skipped == 99


def test_frames_that_arrive_together_are_told_as_one(running: Running, peer: Peer, client: Client) -> None:
    with busy_with_a_frame(running, peer):
        peer.send("".join(map(frame, range(100))))
    running.after(peer, frame(100))
    assert told(running) == [{"b": b"first"}, {"b": b"99"}, {"b": b"100"}]
    assert client.frames_skipped == 99


def test_a_program_that_keeps_up_gets_every_frame(running: Running, peer: Peer, client: Client) -> None:
    for number in range(20):
        running.after(peer, frame(number))
    assert told(running) == [{"b": b"%d" % number} for number in range(20)]
    assert client.frames_skipped == 0


def test_everything_else_comes_in_its_order(running: Running, peer: Peer, client: Client) -> None:
    with busy_with_a_frame(running, peer):
        for number in range(4):
            peer.send(moved(number) + frame(number))
        peer.send(moved(4))
    running.after(peer, "")
    values = [event.get("x") or event["b"] for event in told(running)]
    assert values == [b"first", "0", "1", "2", "3", b"3", "4"]


def test_each_vector_has_its_own_newest_frame(running: Running, peer: Peer, client: Client) -> None:
    others = [blobs(inline("left", b"other"), name="P"), blobs(inline("left", b"E"), name="P")]
    with busy_with_a_frame(running, peer):
        peer.send(others[0] + others[1].replace('"D"', '"E"') + frame(1) + frame(2))
    running.after(peer, "")
    assert told(running)[1:] == [{"left": b"other"}, {"left": b"E"}, {"b": b"2"}]
    assert client.frames_skipped == 1


def left(number: int) -> str:
    return blobs(inline("left", b"%d" % number), name="P")


def right(number: int) -> str:
    return blobs(inline("right", b"%d" % number), name="P")


def both(number: int) -> str:
    return blobs(inline("left", b"%d" % number), inline("right", b"%d" % number), name="P")


STAYS: dict[str, tuple[str, str]] = {
    "another member": (left(1), right(2)),
    "not all its members": (both(1), right(2)),
    "a state": (left(1), '<setBLOBVector device="D" name="P" state="Alert"/>'),
    "an empty frame": (left(1), blobs('<oneBLOB name="left" size="0" format=""/>', name="P")),
    "a damaged frame": (left(1), blobs('<oneBLOB name="left" size="9" format=".x">????</oneBLOB>', name="P")),
    "an update": (left(1), moved(3)),
}
GOES = {
    "its member": (left(1), left(2)),
    "all its members": (right(1), both(2)),
    "a pair": (both(1), both(2)),
}


@pytest.mark.parametrize("pair", STAYS.values(), ids=STAYS.keys())
def test_a_frame_waits_on_when_what_comes_has_no_content_for_all_of_its_members(
    running: Running, peer: Peer, client: Client, pair: tuple[str, str]
) -> None:
    with busy_with_a_frame(running, peer):
        peer.send(pair[0] + pair[1])
    running.after(peer, "")
    assert client.frames_skipped == 0
    assert len(told(running)) == 3


@pytest.mark.parametrize("pair", GOES.values(), ids=GOES.keys())
def test_a_frame_goes_when_what_comes_has_content_for_all_of_its_members(
    running: Running, peer: Peer, client: Client, pair: tuple[str, str]
) -> None:
    with busy_with_a_frame(running, peer):
        peer.send(pair[0] + pair[1])
    running.after(peer, "")
    assert client.frames_skipped == 1
    assert {value for event in told(running)[1:] for value in event.values()} == {b"2"}


def test_a_change_of_state_that_waits_is_told(running: Running, peer: Peer, client: Client) -> None:
    with busy_with_a_frame(running, peer):
        peer.send('<setBLOBVector device="D" name="B" state="Alert" message="hot"/>' + frame(1))
    running.after(peer, "")
    assert "hot" in [seen.text for seen in running.seen]
    assert client.frames_skipped == 0


def test_without_the_option_every_frame_is_told(server: ScriptedServer) -> None:
    client = Client(server.port)
    with running_client(client) as running:
        peer = server.greet(BLOB)
        with busy_with_a_frame(running, peer):
            peer.send("".join(map(frame, range(100))))
        running.after(peer, "")
        assert told(running)[1:] == [{"b": b"%d" % number} for number in range(100)]
        assert client.frames_skipped == 0


def test_a_slow_program_neither_stops_the_reading_nor_uses_up_the_memory(
    running: Running, peer: Peer, client: Client
) -> None:
    """Row 45: the server drops clients that do not read. 400 frames of 1 MB arrive, one is kept."""
    big = blobs(inline("b", bytes(1_000_000)))
    with busy_with_a_frame(running, peer):
        for _ in range(400):
            peer.send(big)
    running.after(peer, "")
    assert client.frames_skipped == 399
    assert len(told(running)) == 2


def test_frames_that_are_skipped_leave_no_descriptor() -> None:
    with UnixServer() as server:
        client = unix_client(server)
        client.newest_frames_only = True
        with running_client(client) as running:
            peer = server.greet(BLOB)
            with busy_with_a_frame(running, peer):
                for number in range(50):
                    peer.hand_frames(blobs(attached("b", 5)), b"%5d" % number)
            running.after(peer, "")
            assert told(running)[1:] == [{"b": b"   49"}]
            assert len(held()) == 1


def test_the_choice_may_be_made_while_the_client_runs(server: ScriptedServer) -> None:
    client = Client(server.port)
    with running_client(client) as running:
        peer = server.greet(BLOB)
        client.newest_frames_only = True
        with busy_with_a_frame(running, peer):
            peer.send(frame(1) + frame(2))
        running.after(peer, "")
        assert client.frames_skipped == 1


# -- a program behind the bridge ----------------------------------------------------------------------


@contextmanager
def a_program(server: ScriptedServer, kind: str = "queue.Queue", **options: Any) -> Iterator[Bridged]:
    """A program at rest, of whose frames one waits already in its queue."""
    with Bridged(server.port, rx=KINDS[kind](), **options) as bridged:
        bridged.client.newest_frames_only = True
        server.greet(FRAMES + TWO.replace('"D"', '"E"') + NUMBER)
        for _ in range(3):
            bridged.wait_for("DefineBLOB")
        bridged.wait_for("Define")
        send(server, bridged, blobs(inline("b", b"first")))
        yield bridged


def send(server: ScriptedServer, bridged: Bridged, data: str) -> None:
    """Send, and return once the client has handled it, whatever the program does."""
    mark = secrets.token_hex(4)
    server.peers[0].send(data + f'<message device="D" message="{mark}"/>')
    assert becomes_true(
        lambda: any(text == mark for _, text in bridged.client.snapshot()["D"].messages), PATIENCE
    )


def all_of(bridged: Bridged) -> list[EventItem]:
    """Everything that waits for the program; it has taken nothing since its first frame."""
    bridged.put((None, None, "snapshot"))
    items = [bridged.get()]
    while items[-1].eventtype != "snapshot":
        items.append(bridged.get())
    return items


def frames_of(items: list[EventItem]) -> list[bytes]:
    """The frames of B of which there are items."""
    taken = [item for item in items if item[:3] == ("SetBLOB", "D", "B")]
    return [bytes(item.snapshot["D"]["B"].member("b").buffer) for item in taken]


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_that_sleeps_gets_the_frame_in_its_queue_and_the_newest(
    server: ScriptedServer, kind: str
) -> None:
    with a_program(server, kind) as bridged:
        send(server, bridged, "".join(map(frame, range(100))))
        assert frames_of(all_of(bridged)) == [b"first", b"99"]
        assert bridged.client.frames_skipped == 99
        assert bridged.client.backlog.folded == 0


def test_a_program_behind_the_bridge_that_keeps_up_gets_every_frame(server: ScriptedServer) -> None:
    with a_program(server) as bridged:
        assert frames_of([bridged.wait_for("SetBLOB")]) == [b"first"]
        for number in range(20):
            server.peers[0].send(frame(number))
            assert frames_of([bridged.wait_for("SetBLOB")]) == [b"%d" % number]
        assert bridged.client.frames_skipped == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_that_sleeps_gets_everything_else_in_its_order(server: ScriptedServer, kind: str) -> None:
    with a_program(server, kind) as bridged:
        send(server, bridged, "".join(moved(number) + frame(number) for number in range(20)))
        items = all_of(bridged)
        updates = [item for item in items if item[:3] == ("Set", "D", "N")]
        assert [item.snapshot["D"]["N"]["x"] for item in updates] == [str(number) for number in range(20)]
        assert frames_of(items) == [b"first", b"19"]
        assert [item.snapshot.rev for item in items] == sorted(item.snapshot.rev for item in items)


def test_frames_that_are_skipped_count_as_long_as_what_is_behind_them_holds_them(
    server: ScriptedServer,
) -> None:
    """The snapshot of an update holds the frame before it: 40 frames of 1 MB, of which few may stay."""
    with a_program(server, backlog_blobs=4_000_000) as bridged:
        for number in range(40):
            send(server, bridged, blobs(inline("b", bytes([number]) * 1_000_000)) + moved(number))
        items = all_of(bridged)
        held = {bytes(item.snapshot["D"]["B"].member("b").buffer[:1]) for item in items[:-1]}
        assert len(held) <= 7
        assert items[-2].snapshot["D"]["N"]["x"] == "39"
        assert frames_of(items)[-1] == bytes([39]) * 1_000_000
        assert bridged.client.backlog.folded > 0


@pytest.mark.parametrize("pair", STAYS.values(), ids=STAYS.keys())
def test_a_frame_waits_on_for_a_program_behind_the_bridge(
    server: ScriptedServer, pair: tuple[str, str]
) -> None:
    with a_program(server) as bridged:
        send(server, bridged, pair[0] + pair[1])
        about = [item.vectorname for item in all_of(bridged) if item.eventtype in ("Set", "SetBLOB")]
        assert about[:2] == ["B", "P"] and len(about) == 3
        assert bridged.client.frames_skipped == 0


@pytest.mark.parametrize("pair", GOES.values(), ids=GOES.keys())
def test_a_frame_goes_for_a_program_behind_the_bridge(server: ScriptedServer, pair: tuple[str, str]) -> None:
    with a_program(server) as bridged:
        send(server, bridged, pair[0] + pair[1])
        about = [item.vectorname for item in all_of(bridged) if item.eventtype == "SetBLOB"]
        assert about == ["B", "P"]
        assert bridged.client.frames_skipped == 1
