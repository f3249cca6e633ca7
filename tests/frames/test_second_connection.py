"""BLOBs on a connection of their own, so that nothing else is behind a frame (`separate_blobs`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from indipyclient.protocol import EnableBLOB, GetProperties, Message, PingReply
from tests.support.deadline import becomes_true
from tests.support.scripted import BLOB, NUMBER, PATIENCE, Client, Peer, Running, ScriptedServer, moved

from .unix import UnixServer, running_client, unix_client
from .wire import FRAMES, TWO, attached, blobs, inline, member, view

ALSO_B, ALSO_P = EnableBLOB("Also", "D", "B"), EnableBLOB("Also", "D", "P")


class Two(NamedTuple):
    """The server's ends of the two connections."""

    control: Peer
    frames: Peer


def greet_both(server: ScriptedServer, definitions: str) -> Two:
    """Wait for both connections, which come in any order; only one of them asks for definitions."""
    peers = [server.accept(), server.accept()]
    assert becomes_true(lambda: any(begins_as_it_must(peer) for peer in peers), PATIENCE)
    control, frames = sorted(peers, key=begins_as_it_must, reverse=True)
    assert control.receive() == GetProperties()
    assert not begins_as_it_must(frames)
    control.send(definitions)
    return Two(control, frames)


def begins_as_it_must(peer: Peer) -> bool:
    """Whether the next that the client says on this connection is that it asks for definitions."""
    return asked(peer) and peer._messages[0] == GetProperties()


def asked(peer: Peer) -> bool:
    """Whether the client has said anything on this connection that was not received yet."""
    try:
        peer._messages.insert(0, peer.receive(0))
    except TimeoutError:
        return False
    return True


def asked_for(peer: Peer, number: int) -> list[Message]:
    """The next so many messages of the client, in alphabetical order."""
    return sorted((peer.receive() for _ in range(number)), key=str)


@pytest.fixture
def client(server: ScriptedServer) -> Client:
    client = Client(server.port)
    client.separate_blobs = True
    client.enableBLOBdefault = "Also"
    return client


@pytest.fixture
def running(client: Client) -> Iterator[Running]:
    with running_client(client) as running:
        yield running


def frames_told(running: Running) -> list[bytes]:
    return [seen.event["b"] for seen in running.seen if seen.kind == "setBLOBVector" and "b" in seen.event]


def test_blobs_are_asked_for_by_name_on_the_second_connection_alone(
    server: ScriptedServer, running: Running
) -> None:
    """INDI 4.2: a connection that says nothing else is sent these vectors and nothing else."""
    both = greet_both(server, BLOB + TWO + NUMBER)
    assert asked_for(both.frames, 2) == [ALSO_B, ALSO_P]
    running.after(both.control, moved(2))
    assert not asked(both.control)
    assert not asked(both.frames)


def test_frames_come_from_the_second_connection_and_all_else_from_the_first(
    server: ScriptedServer, running: Running
) -> None:
    both = greet_both(server, BLOB + NUMBER)
    assert both.frames.receive() == ALSO_B
    # indiserver tells a connection that asked for a vector all about that vector
    both.frames.send(BLOB.replace("Frame", "Another label") + moved(9) + blobs(inline("b", b"frame")))
    snap = running.wait_for("setBLOBVector").snap
    assert view(member(snap)) == b"frame"
    assert member(snap).label == "Frame"
    assert snap["D"]["N"]["x"] == "1"
    assert running.after(both.control, moved(3))["D"]["N"]["x"] == "3"


def test_updates_arrive_while_the_server_stalls_in_the_middle_of_a_frame(
    server: ScriptedServer, running: Running
) -> None:
    both = greet_both(server, BLOB + NUMBER)
    assert both.frames.receive() == ALSO_B
    element = blobs(inline("b", bytes(1_000_000)))
    both.frames.send(element[:700_000])
    for x in range(20):
        assert running.after(both.control, moved(x))["D"]["N"]["x"] == str(x)
    both.frames.send(element[700_000:])
    running.wait_for("setBLOBVector")
    assert frames_told(running) == [bytes(1_000_000)]


def test_a_server_that_sends_everything_on_both_gives_each_frame_once(
    server: ScriptedServer, client: Client
) -> None:
    client.limits = client.limits._replace(progress=10)
    with running_client(client) as running:
        both = greet_both(server, BLOB + NUMBER)
        for number in range(5):
            element = blobs(inline("b", b"frame %d" % number))
            cut = element.index("</oneBLOB>")
            for peer in (*both,):
                peer.send(element[:cut])
                peer.send(element[cut:])
        running.wait(lambda seen: seen.kind == "setBLOBVector" and seen.event["b"] == b"frame 4")
        running.after(both.control, "")
        assert frames_told(running) == [b"frame %d" % number for number in range(5)]


def test_a_change_of_state_of_a_blob_vector_comes_once_too(server: ScriptedServer, running: Running) -> None:
    both = greet_both(server, BLOB + NUMBER)
    for peer in both:
        peer.send('<setBLOBVector device="D" name="B" state="Busy"/>')
    running.wait_for("setBLOBVector")
    running.after(both.control, "")
    assert [seen.kind for seen in running.seen].count("setBLOBVector") == 1


def test_what_was_chosen_is_asked_for_again_when_the_second_connection_comes_back(
    server: ScriptedServer, running: Running
) -> None:
    both = greet_both(server, BLOB + TWO + NUMBER)
    assert asked_for(both.frames, 2) == [ALSO_B, ALSO_P]
    running.call(running.client.send_enableBLOB("Never", "D", "P"))
    assert both.frames.receive() == EnableBLOB("Never", "D", "P")
    both.frames.send(blobs(inline("b", bytes(9000)))[:5000])
    both.frames.close()
    again = server.accept()
    assert asked_for(again, 2) == [ALSO_B, EnableBLOB("Never", "D", "P")]
    again.send(blobs(inline("b", b"frame")))
    running.wait_for("setBLOBVector")
    assert frames_told(running) == [b"frame"]
    assert "ConnectionLost" not in [seen.kind for seen in running.seen]
    assert running.after(both.control, moved(4))["D"]["N"]["x"] == "4"
    assert not asked(both.control)


def test_the_loss_of_the_second_connection_is_told(server: ScriptedServer, running: Running) -> None:
    both = greet_both(server, BLOB)
    both.frames.close()
    running.wait_text("connection for BLOBs")
    server.accept()


def test_what_was_chosen_is_asked_for_again_when_both_come_back(
    server: ScriptedServer, running: Running
) -> None:
    for _ in range(2):
        both = greet_both(server, BLOB)
        assert both.frames.receive() == ALSO_B
        for peer in both:
            peer.close()


def test_frames_go_on_when_the_first_connection_comes_back(server: ScriptedServer, running: Running) -> None:
    both = greet_both(server, BLOB)
    assert both.frames.receive() == ALSO_B
    both.control.close()
    running.wait_for("ConnectionLost")
    control = server.greet(BLOB)
    assert both.frames.receive() == ALSO_B
    both.frames.send(blobs(inline("b", b"frame")))
    running.wait_for("setBLOBVector")
    assert frames_told(running) == [b"frame"]
    assert not asked(control)


def test_a_frame_of_what_is_not_defined_is_no_harm(server: ScriptedServer, running: Running) -> None:
    """It may come between the two connections' returns."""
    both = greet_both(server, NUMBER)
    both.frames.send(blobs(inline("b", b"early")) + '<pingRequest uid="early"/>')
    assert both.frames.receive() == PingReply("early")
    running.after(both.control, BLOB)
    assert both.frames.receive() == ALSO_B
    both.frames.send(blobs(inline("b", b"frame")))
    running.wait_for("setBLOBVector")
    assert frames_told(running) == [b"frame"]


def test_without_the_option_there_is_one_connection(server: ScriptedServer) -> None:
    client = Client(server.port)
    client.enableBLOBdefault = "Also"
    with running_client(client) as running:
        peer = server.greet(BLOB)
        assert peer.receive() == ALSO_B
        running.after(peer, blobs(inline("b", b"frame")))
        assert frames_told(running) == [b"frame"]
        assert len(server.peers) == 1


def test_both_connections_are_closed_in_the_end(server: ScriptedServer, client: Client) -> None:
    with running_client(client):
        both = greet_both(server, BLOB)
        assert both.frames.receive() == ALSO_B
    assert both.control.receive_end() == []
    assert both.frames.receive_end() == []


def test_the_second_connection_answers_pings(server: ScriptedServer, running: Running) -> None:
    both = greet_both(server, BLOB)
    assert both.frames.receive() == ALSO_B
    both.frames.send('<pingRequest uid="SetBLOB/1"/>')
    assert both.frames.receive() == PingReply("SetBLOB/1")


def test_descriptors_come_on_the_second_connection_too() -> None:
    with UnixServer() as server:
        client = unix_client(server)
        client.separate_blobs = True
        client.enableBLOBdefault = "Also"
        with running_client(client) as running:
            both = greet_both(server, FRAMES)
            (frames,) = (peer for peer in server.unix_peers if peer is both.frames)
            frames.hand_frames(blobs(attached("b", 5)), b"frame")
            assert view(member(running.wait_for("setBLOBVector").snap)) == b"frame"
