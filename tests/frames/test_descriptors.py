"""Frames that come as file descriptors over a Unix socket: INDI 2.6, rows 35 and 37."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from indipyclient import events
from indipyclient.protocol import NewVector, OneBLOB
from indipyclient.state.snapshots import Snap
from tests.support.deadline import becomes_true
from tests.support.scripted import BLOB, NUMBER, PATIENCE, Client, Running, ScriptedServer, frame, moved

from .unix import UnixPeer, UnixServer, held, memory, running_client, unix_client
from .wire import FRAMES, attached, blobs, member, view

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="Linux has them")

PIXELS = bytes(range(256)) * 16


@pytest.fixture
def server() -> Iterator[UnixServer]:
    with UnixServer() as server:
        yield server


@pytest.fixture
def client(server: UnixServer) -> Client:
    return unix_client(server)


@pytest.fixture
def running(client: Client) -> Iterator[Running]:
    with running_client(client) as running:
        yield running


@pytest.fixture
def peer(server: UnixServer, running: Running) -> UnixPeer:
    return server.greet(FRAMES)


def content(snap: Snap, vector: str = "B", name: str = "b") -> bytes | None:
    return member(snap, vector, name).membervalue


def holds_more(than: int) -> bool:
    return len(held()) > than


@contextmanager
def standing_still(running: Running) -> Iterator[None]:
    """Keep the client's loop from reading, so that what is sent meanwhile is there all at once."""
    stands, go_on = threading.Event(), threading.Event()

    def stand() -> None:
        stands.set()
        go_on.wait(PATIENCE)

    running.loop.call_soon_threadsafe(stand)
    assert stands.wait(PATIENCE)
    try:
        yield
    finally:
        go_on.set()


# -- no copy ----------------------------------------------------------------------------------


def test_a_frame_is_the_servers_own_memory_and_read_only(running: Running, peer: UnixPeer) -> None:
    with memory(PIXELS) as (descriptor,):
        peer.hand(blobs(attached("b", len(PIXELS), ".fits")), [descriptor])
        frame = member(running.after(peer, ""))
        assert view(frame) == PIXELS
        assert (frame.blobsize, frame.blobformat, frame.error) == (len(PIXELS), ".fits", "")
        os.pwrite(descriptor, b"written later", 0)
        assert view(frame)[:13] == b"written later"
    assert frame.buffer is not None
    with pytest.raises(TypeError):
        frame.buffer[0] = 1


def test_bytes_are_made_when_they_are_asked_for_and_once(running: Running, peer: UnixPeer) -> None:
    with memory(PIXELS) as (descriptor,):
        peer.hand(blobs(attached("b", len(PIXELS))), [descriptor])
        frame = member(running.after(peer, ""))
        os.pwrite(descriptor, b"before", 0)
        copied = frame.membervalue
        os.pwrite(descriptor, b"behind", 0)
    assert copied == b"before" + PIXELS[6:]
    assert frame.membervalue is copied
    assert view(frame) == b"behind" + PIXELS[6:]


def test_an_event_and_a_live_member_show_the_frame_too(running: Running, peer: UnixPeer) -> None:
    peer.hand_frames(blobs(attached("b", len(PIXELS), ".bin")), PIXELS)
    event = running.wait_for("setBLOBVector").event
    assert dict(event) == {"b": PIXELS}
    assert event.sizeformat == {"b": (len(PIXELS), ".bin")}
    assert running.do(lambda: bytes(running.client["D"]["B"].member("b").buffer)) == PIXELS


def test_a_frame_outlives_its_connection(running: Running, server: UnixServer, peer: UnixPeer) -> None:
    peer.hand_frames(blobs(attached("b", len(PIXELS))), PIXELS)
    frame = member(running.after(peer, ""))
    peer.close()
    running.wait_for("ConnectionLost")
    assert frame.membervalue == PIXELS


def test_the_memory_is_longer_than_the_frame(running: Running, peer: UnixPeer) -> None:
    """indiserver rounds it up to whole MiB; ``len`` is what counts, as ``size`` is before any compression."""
    for attributes, length in (("", 4000), ('len="3000"', 3000)):
        peer.hand_frames(blobs(attached("b", 4000, ".fits.fz", attributes)), PIXELS)
        frame = member(running.after(peer, ""))
        assert (view(frame), frame.blobsize, frame.error) == (PIXELS[:length], 4000, "")


# -- which descriptor is for what -----------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2, 16])
def test_descriptors_are_for_the_members_in_their_order(
    running: Running, peer: UnixPeer, number: int
) -> None:
    contents = [f"content {place}".encode() for place in range(number)]
    members = [attached(f"m{place}", len(contents[place])) for place in range(number)]
    peer.hand_frames(blobs(*members, name="M"), *contents)
    snap = running.after(peer, "")
    assert [content(snap, "M", f"m{place}") for place in range(number)] == contents
    assert [content(snap, "M", f"m{place}") for place in range(number, 17)] == [None] * (17 - number)


def test_members_within_the_stream_take_none(running: Running, peer: UnixPeer) -> None:
    inline = '<oneBLOB name="m0" size="3" format=".x">QUJD</oneBLOB>'
    empty = '<oneBLOB name="m1" size="0" format=""/>'
    members = [inline, attached("m2", 4), empty.replace("m1", "m3"), attached("m4", 4)]
    peer.hand_frames(blobs(*members, name="M"), b"two.", b"four")
    snap = running.after(peer, "")
    assert [content(snap, "M", f"m{place}") for place in range(5)] == [b"ABC", None, b"two.", None, b"four"]


def test_members_without_a_descriptor_have_an_error_and_their_siblings_none(
    running: Running, peer: UnixPeer
) -> None:
    members = [attached(f"m{place}", 5) for place in range(3)]
    peer.hand_frames(blobs(*members, name="M"), b"first")
    snap = running.after(peer, "")
    assert content(snap, "M", "m0") == b"first"
    assert not member(snap, "M", "m0").error
    for name in ("m1", "m2"):
        assert content(snap, "M", name) is None
        assert "none came" in member(snap, "M", name).error
    assert [seen.text for seen in running.seen if "none came" in seen.text] != []
    assert running.client.connected


def test_a_member_without_a_descriptor_keeps_the_frame_before(running: Running, peer: UnixPeer) -> None:
    peer.hand_frames(blobs(attached("b", 5)), b"first")
    running.after(peer, "")
    peer.send(blobs(attached("b", 6)))
    frame = member(running.after(peer, ""))
    assert frame.membervalue == b"first"
    assert "none came" in frame.error


def test_descriptors_too_many_are_closed_and_not_kept_for_the_next(running: Running, peer: UnixPeer) -> None:
    peer.hand_frames(blobs(attached("b", 5)), b"first", b"extra", b"extra")
    running.after(peer, "")
    peer.hand_frames(blobs(attached("b", 6)), b"second")
    assert content(running.after(peer, "")) == b"second"
    peer.send(blobs(attached("b", 6)))
    assert "none came" in member(running.after(peer, "")).error


def test_more_descriptors_than_one_message_may_have_are_no_harm(running: Running, peer: UnixPeer) -> None:
    """The 17th is dropped by the system: a server sends 16 at most."""
    contents = [f"content {place:2}".encode() for place in range(17)]
    members = [attached(f"m{place}", 10) for place in range(17)]
    peer.hand_frames(blobs(*members, name="M"), *contents)
    snap = running.after(peer, "")
    assert [content(snap, "M", f"m{place}") for place in range(17)] == [*contents[:16], None]
    assert "none came" in member(snap, "M", "m16").error
    peer.hand_frames(blobs(attached("b", 6)), b"second")
    assert content(running.after(peer, "")) == b"second"


DROPPED = {
    "a bad end tag": '<setBLOBVector device="D" name="B"><oneBLOB name="b" attached="true" size="4"/></setX>',
    "no device": f"<setBLOBVector name='B'>{attached('b', 4)}</setBLOBVector>",
    "cut short": f'<setBLOBVector device="D" name="B">{attached("b", 4)}',
    "an unknown device": blobs(attached("b", 4)).replace('"D"', '"X"'),
    "an unknown vector": blobs(attached("b", 4), name="X"),
    "a member without a name": blobs(attached("", 4)),
    "not a BLOB": moved(3),
    "not an element": "rubbish",
    "an element that nobody knows": "<unknown/>",
}


@pytest.mark.parametrize("dropped", DROPPED.values(), ids=DROPPED.keys())
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one by one"])
def test_the_descriptor_of_what_is_dropped_does_not_shift_to_the_next(
    running: Running, peer: UnixPeer, dropped: str, at_once: bool
) -> None:
    if at_once:
        with standing_still(running):
            peer.hand_frames(dropped, b"lost")
            peer.hand_frames(blobs(attached("b", 5)), b"right")
    else:
        peer.hand_frames(dropped, b"lost")
        assert becomes_true(lambda: len(held()) == 1, PATIENCE), "it has not been read"
        peer.hand_frames(blobs(attached("b", 5)), b"right")
    snap = running.after(peer, "")
    assert content(snap) == b"right"


def test_an_element_may_be_cut_anywhere(running: Running, peer: UnixPeer) -> None:
    """Row 1: the descriptor has come with the first part."""
    element = blobs(attached("b", 5))
    for cut in range(1, len(element)):
        before = len(held())
        peer.hand_frames(element[:cut], b"%5d" % cut)
        assert becomes_true(partial(holds_more, before), PATIENCE), "it has not been read"
        assert content(running.after(peer, element[cut:])) == b"%5d" % cut
        running.seen.clear()


def test_updates_before_a_frame_leave_its_descriptor_alone(running: Running, peer: UnixPeer) -> None:
    with standing_still(running):
        peer.send(NUMBER + moved(3))
        peer.send(frame(b"within the stream"))
        peer.hand_frames(blobs(attached("left", 6), name="P"), b"beside")
        peer.send(moved(4))
    snap = running.after(peer, "")
    assert (content(snap), content(snap, "P", "left")) == (b"within the stream", b"beside")
    assert snap["D"]["N"]["x"] == "4"


def test_two_elements_may_share_one_delivery(running: Running, peer: UnixPeer) -> None:
    both = blobs(attached("b", 5)) + blobs(attached("left", 6), name="P")
    peer.hand_frames(both, b"first", b"second")
    snap = running.after(peer, "")
    assert (content(snap), content(snap, "P", "left")) == (b"first", b"second")


# -- what cannot be mapped ------------------------------------------------------------------------


def test_memory_that_is_too_short_is_an_error_on_its_member_alone(running: Running, peer: UnixPeer) -> None:
    """libindi's own client dies of it (bus error)."""
    members = [attached("left", 6), attached("right", 5)]
    peer.hand_frames(blobs(*members, name="P"), b"short", b"whole")
    snap = running.after(peer, "")
    assert content(snap, "P", "left") is None
    assert "5 of 6 bytes" in member(snap, "P", "left").error
    assert (content(snap, "P", "right"), member(snap, "P", "right").error) == (b"whole", "")
    assert any("5 of 6 bytes" in seen.text for seen in running.seen)


@pytest.mark.parametrize("form", [".fits.z", ".fits.fz", ".bin.Z"])
def test_a_compressed_frame_may_be_shorter_than_announced(
    running: Running, peer: UnixPeer, form: str
) -> None:
    """Without ``len``, which not every driver sends, just the size after inflating is known."""
    there = zlib.compress(PIXELS) + bytes(90)
    peer.hand_frames(blobs(attached("b", len(PIXELS), form)), there)
    frame = member(running.after(peer, ""))
    assert frame.raw is not None
    assert bytes(frame.raw) == there
    assert view(frame) == (there if form.endswith(".fz") else PIXELS)
    assert frame.error == ""


@pytest.mark.parametrize("attributes", ["", 'len="0"'])
def test_no_size_is_no_frame(running: Running, peer: UnixPeer, attributes: str) -> None:
    """Row 30: a change of state; what came with it is closed."""
    peer.hand_frames(blobs(attached("b", 5)), b"first")
    running.after(peer, "")
    peer.hand_frames(blobs(attached("b", 0, "", attributes)), b"")
    frame = member(running.after(peer, ""))
    assert (frame.membervalue, frame.error) == (b"first", "")
    peer.hand_frames(blobs(attached("b", 6)), b"second")
    assert content(running.after(peer, "")) == b"second"


@pytest.mark.parametrize("size", ["-5", "many", "1e3", "9" * 30])
def test_a_size_that_is_none_is_no_frame(running: Running, peer: UnixPeer, size: str) -> None:
    """Row 32."""
    element = blobs(attached("b", 5)).replace('size="5"', f'size="{size}"')
    peer.hand_frames(element, b"first")
    assert content(running.after(peer, "")) is None
    assert running.client.connected


def test_what_is_no_memory_is_an_error_on_its_member(
    running: Running, peer: UnixPeer, tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    with socket.socket() as sock, Path("/dev/null").open() as device:
        folder = os.open(tmp_path, os.O_RDONLY)
        descriptors = [reading, writing, sock.fileno(), device.fileno(), folder]
        members = [attached(f"m{place}", 5) for place in range(len(descriptors))]
        peer.hand(blobs(*members, name="M"), descriptors)
        for descriptor in (reading, writing, folder):
            os.close(descriptor)
    snap = running.after(peer, "")
    for place in range(len(descriptors)):
        assert content(snap, "M", f"m{place}") is None
        assert member(snap, "M", f"m{place}").error
    assert running.client.connected


def test_a_file_that_may_not_be_read_is_an_error_on_its_member(
    running: Running, peer: UnixPeer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(PIXELS)
    descriptor = os.open(tmp_path / "file", os.O_WRONLY)
    peer.hand(blobs(attached("b", len(PIXELS))), [descriptor])
    os.close(descriptor)
    frame = member(running.after(peer, ""))
    assert frame.buffer is None
    assert "cannot be read" in frame.error


# -- nothing is left open ---------------------------------------------------------------------------


class Forgetful(Client):
    """A client that counts the frames and keeps none."""

    frames = faults = 0

    async def rxevent(self, event: Any) -> None:
        if isinstance(event, events.setBLOBVector):
            self.frames += 1
            self.faults += content(self.snapshot()) != b"%5d" % self.frames
        elif "handled so far" in getattr(event, "message", ""):
            await super().rxevent(event)


def test_ten_thousand_frames_leave_nothing_open(server: UnixServer) -> None:
    """Row 35."""
    client = Forgetful(server.port)
    client.indihost = server.host
    element = blobs(attached("b", 5))
    with running_client(client) as running:
        running.do(lambda: running.loop.set_debug(False))  # five times as fast
        peer = server.greet(BLOB)
        for number in range(1, 10_001):
            peer.hand_frames(element, b"%5d" % number)
        running.after(peer, "")
        assert (client.frames, client.faults) == (10_000, 0)
        assert len(held()) <= 1, "only the newest frame is still to be seen"


def test_a_program_may_keep_more_frames_than_it_may_have_files_open(running: Running, peer: UnixPeer) -> None:
    """Before Python 3.13 each mapping keeps a descriptor of its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        for number in range(300):
            peer.hand_frames(blobs(attached("b", 5)), b"%5d" % number)
        running.after(peer, "")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    kept = [member(seen.snap) for seen in running.seen if seen.kind == "setBLOBVector"]
    assert [view(frame) for frame in kept] == [b"%5d" % number for number in range(300)]
    assert all(frame.buffer is not None and frame.buffer.readonly for frame in kept)


def test_descriptors_are_closed_when_a_program_is_started(running: Running, peer: UnixPeer) -> None:
    """Those that wait for their element, and those of mappings."""
    peer.hand_frames(blobs(attached("left", 5), name="P"), b"first")
    running.after(peer, "")
    peer.hand_frames(blobs(attached("b", 5))[:-9], b"other")
    assert becomes_true(lambda: len(held()) == 2, PATIENCE)
    assert [os.get_inheritable(descriptor) for descriptor in held()] == [False, False]


@pytest.mark.parametrize("cut", [60, len(blobs(attached("b", 5))) - 1])
def test_the_descriptors_of_an_unfinished_element_are_closed_with_the_connection(
    running: Running, server: UnixServer, peer: UnixPeer, cut: int
) -> None:
    """Row 37."""
    peer.hand_frames(blobs(attached("b", 5))[:cut], b"first")
    assert becomes_true(lambda: len(held()) == 1, PATIENCE)
    peer.close()
    running.wait_for("ConnectionLost")
    assert held() == []
    again = server.greet(FRAMES)
    again.hand_frames(blobs(attached("b", 5)), b"again")
    assert content(running.after(again, "")) == b"again"


@pytest.mark.parametrize("cut", [60, None])
def test_the_end_of_the_client_closes_everything(server: UnixServer, cut: int | None) -> None:
    client = unix_client(server)
    with running_client(client) as running:
        peer = server.greet(FRAMES)
        peer.hand_frames(blobs(attached("b", 5))[:cut], b"first")
        assert becomes_true(lambda: len(held()) == 1, PATIENCE)
        client.shutdown()
        assert running.ended(PATIENCE)
    gc.collect()  # live objects refer to each other
    assert held() == []


# -- the connection itself ---------------------------------------------------------------------------


def test_what_the_server_says_at_once_is_not_lost(server: UnixServer) -> None:
    """The descriptors of what is there before the client has had a look at the connection."""
    client = unix_client(server)
    with running_client(client) as running:
        peer = server.accept()
        peer.send(FRAMES)
        peer.hand_frames(blobs(attached("b", 5)), b"first")
        assert content(running.after(peer, "")) == b"first"


def test_the_end_of_the_stream_is_seen_at_once(running: Running, server: UnixServer, peer: UnixPeer) -> None:
    for lose in (UnixPeer.half_close, UnixPeer.close):
        lose(peer)
        running.wait_for("ConnectionLost", 1)
        peer = server.greet()


def test_a_program_that_falls_behind_gets_everything_in_order(
    server: UnixServer, client: Client, running: Running, peer: UnixPeer
) -> None:
    """Row 45: reading pauses once thousands of messages wait, and goes on."""
    release = running.do(asyncio.Event)

    async def hold(event: Any) -> None:
        await release.wait()

    def send() -> None:
        for x in range(100):
            peer.send("".join(moved(100 * x + y) for y in range(100)))
            peer.hand_frames(blobs(attached("b", 5)), b"%5d" % x)

    peer.send(NUMBER)
    running.wait_for("defNumberVector")
    client.before = hold
    sending = threading.Thread(target=send)
    sending.start()
    sending.join(0.3)
    assert sending.is_alive(), "reading does not pause"
    running.do(release.set)
    running.wait(lambda seen: seen.kind == "setBLOBVector" and content(seen.snap) == b"   99", 30)
    sending.join()
    told = [seen for seen in running.seen if seen.kind in ("setNumberVector", "setBLOBVector")]
    assert [seen.event["x"] for seen in told if "x" in seen.event] == [str(x) for x in range(10_000)]
    assert [content(seen.snap) for seen in told if "b" in seen.event] == [b"%5d" % x for x in range(100)]
    places = [place for place, seen in enumerate(told) if "b" in seen.event]
    assert places == [101 * x + 100 for x in range(100)]


def test_commands_and_content_go_out_over_the_unix_socket_too(running: Running, peer: UnixPeer) -> None:
    running.wait(lambda seen: seen.kind == "defBLOBVector" and seen.event.vectorname == "M")
    running.call(running.client.send_newVector("D", "B", members={"b": PIXELS}))
    sent = peer.receive_until(lambda message: isinstance(message, NewVector))[-1]
    assert isinstance(sent, NewVector)
    (blob,) = sent.members
    assert isinstance(blob, OneBLOB)
    assert bytes(blob.payload or b"") == PIXELS


def test_attached_content_on_tcp_is_an_error_on_its_member_alone() -> None:
    """Row 35."""
    with ScriptedServer() as server, running_client(Client(server.port)) as running:
        peer = server.greet(FRAMES)
        inline = '<oneBLOB name="right" size="3" format=".x">QUJD</oneBLOB>'
        snap = running.after(peer, blobs(attached("left", 5), inline, name="P"))
        assert content(snap, "P", "left") is None
        assert "file descriptor" in member(snap, "P", "left").error
        assert (content(snap, "P", "right"), member(snap, "P", "right").error) == (b"ABC", "")
        assert running.client.connected
