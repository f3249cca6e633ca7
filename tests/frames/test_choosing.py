"""Which BLOBs are asked for, how, and for how long (`send_enableBLOB`): INDI 4.2, defect 14."""

from __future__ import annotations

import pytest

from indipyclient.protocol import EnableBLOB, GetProperties, Message, NewVector
from tests.support.scripted import BLOB, NUMBER, Client, Peer, Running, ScriptedServer

from .unix import running_client
from .wire import TWO

OTHER = BLOB.replace('"D"', '"E"')


@pytest.fixture
def peer(server: ScriptedServer, running: Running) -> Peer:
    """A connection on which three BLOB vectors are defined and none is asked for."""
    return begun(server, running)


def begun(server: ScriptedServer, running: Running) -> Peer:
    peer = server.greet(BLOB + TWO + OTHER + NUMBER)
    running.wait_for("defNumberVector")
    asked(peer, running)
    return peer


def asked(peer: Peer, running: Running) -> list[tuple[str, str, str | None]]:
    """All that the client has sent so far and was not received yet: mode, device and vector."""
    running.call(running.client.send_newVector("D", "N", members={"x": 3}))
    messages = peer.receive_until(lambda message: isinstance(message, NewVector))
    return [(one.mode, one.device, one.name) for one in messages if isinstance(one, EnableBLOB)]


def choose(running: Running, mode: str, device: str, vector: str | None = None) -> None:
    running.call(running.client.send_enableBLOB(mode, device, vector))


@pytest.mark.parametrize("mode", ["Also", "Never"])
def test_a_device_is_asked_for_vector_by_vector(running: Running, peer: Peer, mode: str) -> None:
    """Without a name, indiserver takes it to be for the whole connection, whatever the device."""
    choose(running, mode, "D")
    assert asked(peer, running) == [(mode, "D", "B"), (mode, "D", "P")]


@pytest.mark.parametrize("mode", ["Also", "Never", "Only"])
def test_a_vector_is_asked_for_alone(running: Running, peer: Peer, mode: str) -> None:
    choose(running, mode, "D", "P")
    assert asked(peer, running) == [(mode, "D", "P")]


def test_only_is_for_the_connection_so_the_others_are_asked_for_after_it(
    running: Running, peer: Peer
) -> None:
    """It overwrites in indiserver what was chosen for them."""
    choose(running, "Also", "E", "B")
    asked(peer, running)
    choose(running, "Only", "D")
    assert asked(peer, running) == [
        ("Only", "D", None),
        ("Only", "D", "B"),
        ("Only", "D", "P"),
        ("Also", "E", "B"),
    ]


@pytest.mark.parametrize("mode", ["Also", "Never"])
def test_only_is_lifted_again(running: Running, peer: Peer, mode: str) -> None:
    """Else indiserver withholds all other traffic for as long as the connection lasts."""
    choose(running, "Only", "D")
    asked(peer, running)
    choose(running, mode, "D")
    assert asked(peer, running) == [
        ("Never", "D", None),
        (mode, "D", "B"),
        (mode, "D", "P"),
        ("Never", "E", "B"),
    ]
    choose(running, mode, "D")
    assert asked(peer, running) == [(mode, "D", "B"), (mode, "D", "P")]


@pytest.mark.parametrize(("mode", "device"), [("also", "D"), ("Always", "D"), ("", "D"), ("Also", "")])
def test_what_makes_no_sense_is_ignored(running: Running, peer: Peer, mode: str, device: str) -> None:
    choose(running, mode, device)
    assert asked(peer, running) == []


@pytest.mark.parametrize("vector", [None, "B"])
def test_the_choice_holds_after_a_reconnection(
    server: ScriptedServer, running: Running, peer: Peer, vector: str | None
) -> None:
    """Defect 14: the published client said Never."""
    choose(running, "Also", "D", vector)
    asked(peer, running)
    for _ in range(2):
        server.peers[-1].close()
        running.wait_for("ConnectionLost")
        again = server.accept()
        assert again.receive() == GetProperties()
        again.send(BLOB + TWO + OTHER + NUMBER)
        running.wait_for("defNumberVector")
        wanted = {("Also", "D", "B"), ("Never" if vector else "Also", "D", "P"), ("Never", "E", "B")}
        assert set(asked(again, running)) == wanted


def test_the_choice_for_a_vector_counts_more_than_that_for_its_device(running: Running, peer: Peer) -> None:
    choose(running, "Also", "D")
    choose(running, "Never", "D", "P")
    asked(peer, running)
    peer.send(TWO + BLOB)
    running.after(peer, "")
    assert asked(peer, running) == [("Never", "D", "P"), ("Also", "D", "B")]


def test_a_later_choice_for_the_device_replaces_those_for_its_vectors(running: Running, peer: Peer) -> None:
    choose(running, "Never", "D", "P")
    asked(peer, running)
    choose(running, "Also", "D")
    assert asked(peer, running) == [("Also", "D", "B"), ("Also", "D", "P")]


def test_a_choice_may_be_made_before_there_is_a_connection_or_a_device(server: ScriptedServer) -> None:
    with running_client(Client(server.port)) as running:
        choose(running, "Also", "D", "B")
        choose(running, "Also", "E")
        peer = server.accept()
        first = peer.receive()
        assert first == GetProperties(), "or indiserver restricts the connection to what is asked for"
        peer.send(BLOB + TWO + OTHER + NUMBER)
        running.wait_for("defNumberVector")
        assert asked(peer, running) == [("Also", "D", "B"), ("Never", "D", "P"), ("Also", "E", "B")]


def test_a_program_may_leave_the_answers_to_definitions_to_itself(server: ScriptedServer) -> None:
    client = Client(server.port)
    client.resend_enableBLOB_on_def = False
    with running_client(client) as running:
        peer = server.greet(BLOB + NUMBER)
        running.wait_for("defNumberVector")
        assert asked(peer, running) == []
        choose(running, "Also", "D")
        assert asked(peer, running) == [("Also", "D", "B")]


def test_the_default_is_for_what_was_not_chosen(server: ScriptedServer) -> None:
    client = Client(server.port)
    client.enableBLOBdefault = "Also"
    with running_client(client) as running:
        choose(running, "Never", "D", "P")
        peer = server.greet(BLOB + TWO + OTHER + NUMBER)
        running.wait_for("defNumberVector")
        assert asked(peer, running) == [("Also", "D", "B"), ("Never", "D", "P"), ("Also", "E", "B")]


def test_on_a_second_connection_only_comes_first_again(server: ScriptedServer) -> None:
    """Asked after the vectors it would overwrite what was chosen for them."""
    client = Client(server.port)
    client.separate_blobs = True
    with running_client(client) as running:
        peers = [server.accept(), server.accept()]
        control = next(peer for peer in peers if says_something(peer))
        (frames,) = (peer for peer in peers if peer is not control)
        control.send(BLOB + OTHER)
        assert frames.receive_until(is_of_e)
        choose(running, "Only", "D")
        frames.receive_until(is_of_e)
        frames.close()
        again = server.accept()
        messages = again.receive_until(is_of_e)
        assert messages == [
            EnableBLOB("Only", "D"),
            EnableBLOB("Only", "D", "B"),
            EnableBLOB("Never", "E", "B"),
        ]


def says_something(peer: Peer) -> bool:
    try:
        return peer.receive(0.5) == GetProperties()
    except TimeoutError:
        return False


def is_of_e(message: Message) -> bool:
    return getattr(message, "device", None) == "E"
