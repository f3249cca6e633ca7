"""How much of a BLOB has arrived, told while it arrives."""

from __future__ import annotations

import base64

import pytest

from indipyclient.events import BLOBProgress
from tests.support.scripted import NUMBER, Client, Peer, Running, ScriptedServer, moved

from .unix import running_client
from .wire import FRAMES, blobs, inline

STEP = 10_000
CONTENT = bytes(range(250)) * 800  # 200 000 bytes


@pytest.fixture
def client(server: ScriptedServer) -> Client:
    client = Client(server.port)
    client.limits = client.limits._replace(progress=STEP)
    return client


def progress(running: Running) -> list[BLOBProgress]:
    """What was told so far."""
    return [seen.event for seen in running.seen if isinstance(seen.event, BLOBProgress)]


def test_progress_is_told_while_the_blob_arrives(server: ScriptedServer, client: Client) -> None:
    """Each step as soon as it is there: the server sends the next only when it has been seen."""
    element = blobs(inline("b", CONTENT, ".fits"))
    begin, end = element.index(">", element.index("<oneBLOB")) + 1, element.index("</oneBLOB>")
    with running_client(client) as running:
        peer = server.greet(FRAMES)
        peer.send(element[:begin])
        for place in range(begin, end, 40_000):
            peer.send(element[place : min(place + 40_000, end)])
            running.wait_for("BLOBProgress")
        running.after(peer, element[end:])
        told = progress(running)
        kinds = [seen.kind for seen in running.seen]
        assert "BLOBProgress" not in kinds[kinds.index("setBLOBVector") :]
    received = [event.received for event in told]
    assert received == sorted(set(received))
    assert all(after - before >= STEP for before, after in zip([0, *received], received, strict=False))
    assert received[-1] == len(CONTENT), "the last step is the whole, as the end tag came later"
    assert {(event.size, event.eventtype) for event in told} == {(len(CONTENT), "Progress")}
    assert {(event.devicename, event.vectorname, event.membername) for event in told} == {("D", "B", "b")}


def test_progress_counts_what_is_decoded_however_it_is_wrapped(
    server: ScriptedServer, client: Client
) -> None:
    text = base64.encodebytes(CONTENT).decode().replace("\n", "\r\n    ")
    element = blobs(inline("b", CONTENT)).replace(base64.b64encode(CONTENT).decode(), text)
    with running_client(client) as running:
        running.after(server.greet(FRAMES), element)
        told = progress(running)
        assert told
        assert all(event.received <= len(CONTENT) for event in told)


def test_no_progress_is_told_unless_it_is_asked_for(server: ScriptedServer) -> None:
    with running_client(Client(server.port)) as running:
        running.after(server.greet(FRAMES), blobs(inline("b", CONTENT)))
        assert progress(running) == []


def test_small_blobs_make_no_progress(server: ScriptedServer, client: Client) -> None:
    with running_client(client) as running:
        peer = server.greet(FRAMES)
        element = blobs(inline("b", bytes(STEP - 1)))
        peer.send(element[:-40])
        for _ in range(3):
            peer.send(element[-40:] + element[:-40])
        running.after(peer, element[-40:])
        assert progress(running) == []


def test_each_member_begins_anew(server: ScriptedServer, client: Client) -> None:
    with running_client(client) as running:
        peer = server.greet(FRAMES)
        for name, size in (("left", 50_000), ("right", 30_000)):
            _send_in_halves(peer, running, name, size)
        told = [(event.membername, event.received, event.size) for event in progress(running)]
    assert told == [("left", 49_998, 50_000), ("right", 29_997, 30_000)]


def _send_in_halves(peer: Peer, running: Running, name: str, size: int) -> None:
    """All but the last few characters, and, once they have been seen, the rest."""
    element = blobs(inline(name, bytes(size)), name="P")
    cut = element.index("</oneBLOB>") - 4
    peer.send(element[:cut])
    running.wait_for("BLOBProgress")
    running.after(peer, element[cut:])


@pytest.mark.parametrize(
    ("size", "shown"), [("", None), ("-1", None), ("many", None), ("7", 7), ("9" * 30, None)]
)
def test_the_announced_size_is_given_as_it_is(
    server: ScriptedServer, client: Client, size: str, shown: int | None
) -> None:
    """Row 32: it may lie, or be none."""
    element = blobs(inline("b", CONTENT, size=size))
    with running_client(client) as running:
        peer = server.greet(FRAMES)
        peer.send(element[:150_000])
        assert running.wait_for("BLOBProgress").event.size == shown
        running.after(peer, element[150_000:])


def test_progress_of_what_is_not_known_is_told_too(server: ScriptedServer, client: Client) -> None:
    """A program that shows it must cope with what it does not know, as with a frame that breaks off."""
    with running_client(client) as running:
        peer = server.greet(NUMBER)
        peer.send(blobs(inline("x", CONTENT), name="X")[:150_000].replace('"D"', '"E"'))
        event = running.wait_for("BLOBProgress").event
        assert (event.devicename, event.device, event.vectorname) == ("E", None, "X")
        assert running.after(peer, moved(5))["D"]["N"]["x"] == "5"
        assert "setBLOBVector" not in [seen.kind for seen in running.seen]
