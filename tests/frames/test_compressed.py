"""Frames that come compressed: INDI 2.6, rows 33 and 34 of the inputs to survive."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator

import pytest

from tests.support.scripted import Client, Peer, Running, ScriptedServer

from .unix import UnixServer, running_client, unix_client
from .wire import FRAMES, attached, blobs, inline, member, view

CONTENT = b"SIMPLE  =" + bytes(range(256)) * 400
PACKED = zlib.compress(CONTENT)
ONE_MIB = 1 << 20


@pytest.fixture
def client(server: ScriptedServer) -> Client:
    return Client(server.port)


@pytest.fixture
def running(client: Client) -> Iterator[Running]:
    with running_client(client) as running:
        yield running


@pytest.fixture
def peer(server: ScriptedServer, running: Running) -> Peer:
    return server.greet(FRAMES)


@pytest.mark.parametrize(
    ("announced", "form"),
    [(".fits.z", ".fits"), (".z", ""), (".bin.Z", ".bin"), (".stream.z", ".stream"), (".z.z", ".z")],
)
@pytest.mark.parametrize("zeros", [0, 5, ONE_MIB])
def test_a_compressed_frame_comes_inflated_with_its_raw_form_beside(
    running: Running, peer: Peer, announced: str, form: str, zeros: int
) -> None:
    """indiserver puts zeros after it; ``size`` is that before compression, ``len`` that of what is sent."""
    sent = PACKED + bytes(zeros)
    snap = running.after(peer, blobs(inline("b", sent, announced, len(CONTENT))))
    frame = member(snap)
    assert (view(frame), frame.blobformat, frame.blobsize, frame.error) == (CONTENT, form, len(CONTENT), "")
    assert frame.buffer is not None and frame.buffer.readonly
    assert frame.raw is not None
    assert bytes(frame.raw) == sent
    assert frame.membervalue == CONTENT


def test_what_exceeds_len_is_no_part_of_the_raw_form(running: Running, peer: Peer) -> None:
    element = inline("b", PACKED + bytes(ONE_MIB), ".fits.z", len(CONTENT), f'len="{len(PACKED)}"')
    frame = member(running.after(peer, blobs(element)))
    assert (view(frame), frame.error) == (CONTENT, "")
    assert bytes(frame.raw or b"") == PACKED


def test_the_event_and_the_live_member_show_the_inflated_form(running: Running, peer: Peer) -> None:
    peer.send(blobs(inline("b", PACKED, ".fits.z", len(CONTENT))))
    event = running.wait_for("setBLOBVector").event
    assert dict(event) == {"b": CONTENT}
    assert event.sizeformat == {"b": (len(CONTENT), ".fits")}
    live = running.do(lambda: running.client["D"]["B"].member("b"))
    assert running.do(lambda: (live.membervalue, live.blobformat)) == (CONTENT, ".fits")


DAMAGED = {
    "truncated": (PACKED[:-20], "incomplete"),
    "not zlib": (CONTENT, "damaged"),
    "damaged": (PACKED[:30] + b"\0\0\0\0" + PACKED[34:], "damaged"),
    "a wrong checksum": (PACKED[:-1] + bytes([PACKED[-1] ^ 1]), "damaged"),
    "zeros": (bytes(100), "damaged"),
    "one byte": (b"x", "incomplete"),
}


@pytest.mark.parametrize(("sent", "reason"), DAMAGED.values(), ids=DAMAGED.keys())
def test_what_cannot_be_inflated_stays_as_it_came_with_an_error(
    running: Running, peer: Peer, sent: bytes, reason: str
) -> None:
    members = [inline("left", sent, ".fits.z", len(CONTENT)), inline("right", PACKED, ".fits.z")]
    snap = running.after(peer, blobs(*members, name="P"))
    frame = member(snap, "P", "left")
    assert (view(frame), frame.blobformat) == (sent, ".fits.z")
    assert frame.raw is frame.buffer
    assert reason in frame.error
    assert view(member(snap, "P", "right")) == CONTENT
    told = [place for place, seen in enumerate(running.seen) if reason in seen.text]
    frames = [place for place, seen in enumerate(running.seen) if seen.kind == "setBLOBVector"]
    assert told[0] < frames[0], "the event comes after the message that says what is wrong with it"


def test_a_bomb_is_not_inflated(server: ScriptedServer, client: Client) -> None:
    client.limits = client.limits._replace(inflated=100_000)
    bomb = zlib.compress(bytes(50 * ONE_MIB), 9)
    with running_client(client) as running:
        peer = server.greet(FRAMES)
        frame = member(running.after(peer, blobs(inline("b", bomb, ".bin.z", 50 * ONE_MIB))))
        assert (view(frame), frame.blobformat) == (bomb, ".bin.z")
        assert "more than 100000 bytes" in frame.error
        whole = member(
            running.after(peer, blobs(inline("b", zlib.compress(bytes(100_000)), ".bin.z", 100_000)))
        )
        assert (view(whole), whole.error) == (bytes(100_000), "")


@pytest.mark.parametrize("size", [len(CONTENT) - 1, len(CONTENT) + 1, 0, 10**15])
def test_another_size_than_announced_is_reported_and_the_frame_given(
    running: Running, peer: Peer, size: int
) -> None:
    frame = member(running.after(peer, blobs(inline("b", PACKED, ".fits.z", size))))
    assert (view(frame), frame.blobformat) == (CONTENT, ".fits")
    assert frame.error == f"{len(CONTENT)} bytes after inflating, {size} were announced"


@pytest.mark.parametrize("size", ["", "-1", "many"])
def test_a_size_that_says_nothing_is_no_fault(running: Running, peer: Peer, size: str) -> None:
    frame = member(running.after(peer, blobs(inline("b", PACKED, ".fits.z", size))))
    assert (view(frame), frame.blobsize, frame.error) == (CONTENT, len(CONTENT), "")


@pytest.mark.parametrize(
    "form", [".fits.fz", ".FITS.FZ", ".gz", ".xyz", "z", "", ".z.fits", ".stream", ".stream_jpg"]
)
def test_anything_else_passes_as_it_is(running: Running, peer: Peer, form: str) -> None:
    """Row 34."""
    frame = member(running.after(peer, blobs(inline("b", PACKED, form))))
    assert (view(frame), frame.blobformat, frame.error) == (PACKED, form, "")
    assert frame.raw is frame.buffer


def test_a_fits_file_of_compressed_tiles_announces_the_size_before(running: Running, peer: Peer) -> None:
    """It is a FITS file, and passes as it is."""
    frame = member(running.after(peer, blobs(inline("b", PACKED, ".fits.fz", 10 * len(CONTENT)))))
    assert (view(frame), frame.error) == (PACKED, "")


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="Linux has them")
def test_a_compressed_frame_in_shared_memory_is_inflated_too() -> None:
    with UnixServer() as server, running_client(unix_client(server)) as running:
        peer = server.greet(FRAMES)
        element = attached("b", len(CONTENT), ".fits.z", f'len="{len(PACKED)}"')
        peer.hand_frames(blobs(element), PACKED + bytes(ONE_MIB - len(PACKED)))
        frame = member(running.after(peer, ""))
        assert (view(frame), frame.blobformat, frame.error) == (CONTENT, ".fits", "")
        assert bytes(frame.raw or b"") == PACKED
