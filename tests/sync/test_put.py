"""What becomes of a command: decided by what arrives after it, and by nothing else."""

from __future__ import annotations

import threading

import pytest

import indipyclient
from indipyclient.errors import (
    ClientClosed,
    CommandTimeout,
    ConnectionLostError,
    NotConnected,
    PropertyAlert,
    PropertyDeleted,
    Superseded,
    WaitTimeout,
)
from indipyclient.protocol import EnableBLOB, NewVector, OneMember, PingRequest
from indipyclient.state.vectors import SnapVector
from indipyclient.sync.outcome import Outcome
from indipyclient.syncclient import SyncClient
from tests.bridge.threads import start
from tests.support.scripted import BLOB, NUMBER, PATIENCE, ScriptedServer, frame, moved

from .session import Session, pong


def message(text: str, device: str = 'device="D"') -> str:
    return f'<message {device} message="{text}"/>'


# -- done -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["Ok", "Idle"])
def test_ok_and_idle_give_the_vector_as_it_is_then(session: Session, state: str) -> None:
    putting = session.vector("N").put(x=5)
    assert session.command().members[0] == OneMember("x", "5")
    session.send(moved(4.5, f'state="{state}"'))
    vector = putting.result(PATIENCE)
    assert (vector.state, vector["x"], vector["y"]) == (state, "4.5", "2")


def test_a_late_answer_counts_as_long_as_there_is_time(session: Session) -> None:
    putting = session.vector("N").put(x=5)
    session.command()
    with pytest.raises(WaitTimeout):
        putting.result(0.05)
    assert not putting.done()
    session.send(moved(5))
    assert putting.result(PATIENCE)["x"] == "5"


def test_of_two_answers_the_first_one_counts(session: Session) -> None:
    putting = session.vector("N").put(x=5)
    session.command()
    session.send(moved(5) + moved(6, 'state="Alert"'))
    assert putting.result(PATIENCE)["x"] == "5"


def test_busy_is_waited_out_without_a_limit(server: ScriptedServer) -> None:
    with Session(server, timeout_max=0.05, timeout_min=0) as session:
        putting = session.vector("N").put(x=5)
        session.command()
        session.send(moved(2, 'state="Busy"'))
        with pytest.raises(WaitTimeout):
            putting.result(0.2)
        session.send(moved(5))
        assert putting.result(PATIENCE).state == "Ok"


def test_what_came_before_the_command_is_no_answer(session: Session) -> None:
    session.send(moved(9, 'state="Alert"') + moved(1))
    putting = session.vector("N").put(x=5)
    session.command()
    session.settle()
    assert not putting.done()
    assert session.vector("N").state == "Busy"
    session.send(moved(5))
    assert putting.result(PATIENCE)["x"] == "5"


def test_what_had_come_in_before_the_command_is_no_answer_even_if_it_is_handled_later(
    session: Session,
) -> None:
    stuck, release = threading.Event(), threading.Event()
    putting: list[Outcome[SnapVector]] = []

    def command() -> None:  # in the client's own thread, while all the rest waits to be read
        box.set_hook(None)
        stuck.set()
        release.wait(PATIENCE)
        putting.append(session.vector("N").put(x=5))

    box = session.indi.subscribe("D", "T")
    box.set_hook(command)
    session.peer.send('<setTextVector device="D" name="T" state="Ok"/>')
    assert stuck.wait(PATIENCE)
    session.peer.send("".join(moved(round % 9, 'state="Alert"') for round in range(200)))
    release.set()
    session.command()
    session.settle()
    assert not putting[0].done()
    session.send(moved(5))
    assert putting[0].result(PATIENCE)["x"] == "5"


# -- refused, failed ------------------------------------------------------------------------------


def test_alert_raises_with_the_text_that_came_with_it(session: Session) -> None:
    putting = session.vector("N").put(x=5)
    session.command()
    session.send(message("clouds") + moved(1, 'state="Alert" message="below the horizon"'))
    with pytest.raises(PropertyAlert, match="below the horizon") as caught:
        putting.result(PATIENCE)
    assert (caught.value.message, caught.value.vector["x"]) == ("below the horizon", "1")


def test_alert_raises_with_the_newest_message_since_the_command(session: Session) -> None:
    session.send(message("old news"))
    putting = session.vector("N").put(x=5)
    session.command()
    session.send(message("below the horizon") + moved(1, 'state="Alert"'))
    with pytest.raises(PropertyAlert) as caught:
        putting.result(PATIENCE)
    assert caught.value.message == "below the horizon"


def test_alert_does_not_raise_with_old_news(session: Session) -> None:
    session.send(message("old news"))
    putting = session.vector("N").put(x=5)
    session.command()
    session.send(moved(1, 'state="Alert"'))
    with pytest.raises(PropertyAlert, match="does not say why") as caught:
        putting.result(PATIENCE)
    assert caught.value.message == ""


def test_no_answer_is_a_time_out(server: ScriptedServer) -> None:
    with Session(server, timeout_min=0, timeout_max=0.05) as session:
        putting = session.vector("N").put(x=5)
        with pytest.raises(CommandTimeout, match="did not answer within"):
            putting.result(PATIENCE)


def test_a_limit_of_the_programs_own_is_for_all_of_it(session: Session) -> None:
    putting = session.vector("N").put(x=5, timeout=0.1)
    session.command()
    session.send(moved(2, 'state="Busy"'))
    with pytest.raises(CommandTimeout, match="did not finish within"):
        putting.result(PATIENCE)


def test_a_later_command_supersedes(session: Session) -> None:
    first, second = session.vector("N").put(x=5), session.vector("N").put(x=6)
    with pytest.raises(Superseded):
        first.result(PATIENCE)
    session.command(), session.command()
    session.send(moved(6))
    assert second.result(PATIENCE)["x"] == "6"


@pytest.mark.parametrize("name", ["", 'name="N"'])
def test_a_deletion_ends_it(session: Session, name: str) -> None:
    putting = session.vector("N").put(x=5)
    session.command()
    session.send(f'<delProperty device="D" {name} message="unplugged"/>')
    with pytest.raises(PropertyDeleted, match="unplugged"):
        putting.result(PATIENCE)


def test_the_loss_of_the_connection_ends_it(session: Session) -> None:
    putting = session.vector("N").put(x=5)
    session.command()
    session.peer.close()
    with pytest.raises(ConnectionLostError):
        putting.result(PATIENCE)


def test_closing_ends_it(session: Session) -> None:
    putting = session.vector("N").put(x=5)
    session.command()
    session.indi.close()
    with pytest.raises(ClientClosed):
        putting.result(PATIENCE)


# -- definitions ----------------------------------------------------------------------------------


def test_a_definition_is_no_answer_as_any_client_may_ask_for_it(session: Session) -> None:
    putting = session.vector("N").put(x=5)
    session.command()
    session.send(NUMBER)
    assert not putting.done()
    session.send(moved(5))
    assert putting.result(PATIENCE)["x"] == "5"


def test_a_definition_ends_what_was_busy(session: Session) -> None:
    putting = session.vector("N").put(x=5)
    session.command()
    session.send(moved(2, 'state="Busy"') + NUMBER)
    assert putting.result(PATIENCE).state == "Ok"


# -- frames ---------------------------------------------------------------------------------------


def test_the_next_frame_comes_and_was_asked_for_before_the_command(session: Session) -> None:
    expected = session.vector("B").expect_blob()
    session.vector("N").put(x=5)
    *_, asked, _ = session.peer.receive_until(lambda sent: isinstance(sent, NewVector))
    assert asked == EnableBLOB("Also", "D", "B")
    session.send(frame(b"stars"))
    assert expected.result(PATIENCE).membervalue == b"stars"


def test_a_frame_from_before_does_not_count(session: Session) -> None:
    session.send(frame(b"old"))
    expected = session.vector("B").expect_blob("b")
    session.carried_out()
    session.send('<setBLOBVector device="D" name="B" state="Busy"/>' + BLOB)
    assert not expected.done()
    session.send(frame(b"new") + frame(b"newer"))
    assert expected.result(PATIENCE).membervalue == b"new"


# -- many, and large ------------------------------------------------------------------------------


def test_an_answer_that_comes_while_the_command_is_still_on_its_way_counts(session: Session) -> None:
    putting = session.vector("B").put(b=b"\0" * 30_000_000)
    while b"<newBLOBVector" not in session.peer.raw:
        session.peer.read()
    session.send('<setBLOBVector device="D" name="B" state="Alert" message="too large"/>')
    with pytest.raises(PropertyAlert, match="too large"):
        putting.result(PATIENCE)


def test_thousands_of_commands_from_many_threads_each_get_their_own_answer(server: ScriptedServer) -> None:
    threads, rounds = 8, 50
    vectors = "".join(NUMBER.replace('name="N"', f'name="N{one}"') for one in range(threads))
    with Session(server, vectors) as session:

        def command(one: int) -> list[str]:
            number = session.vector(f"N{one}")
            values = [f"{round % 11}" for round in range(rounds)]
            return [number.put(x=value).result(PATIENCE)["x"] for value in values]

        running = [start(lambda one=one: command(one)) for one in range(threads)]  # type: ignore[misc]
        for _ in range(threads * rounds):
            sent = session.command()
            value = {member.name: member.value for member in sent.members if isinstance(member, OneMember)}[
                "x"
            ]
            session.peer.send(moved(float(value)).replace('name="N"', f'name="{sent.name}"'))
        expected = [f"{round % 11}" for round in range(rounds)]
        assert [one.result(PATIENCE) for one in running] == [expected] * threads


def test_commands_go_out_in_the_order_in_which_they_were_given(session: Session) -> None:
    puttings = [session.vector("T").put(t=f"{number}", timeout=None) for number in range(1000)]
    for number in range(1000):
        assert session.command().members[0] == OneMember("t", f"{number}")
    session.send(
        '<setTextVector device="D" name="T" state="Ok"><oneText name="t">999</oneText></setTextVector>'
    )
    assert puttings[-1].result(PATIENCE).state == "Ok"
    assert {type(one.exception(PATIENCE)) for one in puttings[:-1]} == {Superseded}


# -- connecting -----------------------------------------------------------------------------------


def test_connect_returns_once_connected(server: ScriptedServer) -> None:
    with indipyclient.connect("127.0.0.1", server.port, timeout=PATIENCE) as indi:
        assert indi.connected
        server.greet(NUMBER)
        assert indi.wait_for_vector("D", "N", timeout=PATIENCE)["x"] == 1.0
        assert indi["D"]["N"]["y"] == 2.0


def test_connect_says_that_there_is_no_server(server: ScriptedServer) -> None:
    server.refuse()
    with pytest.raises(NotConnected, match=f"no INDI server at 127.0.0.1:{server.port} within 0.1 s"):
        indipyclient.connect("127.0.0.1", server.port, timeout=0.1)


def test_a_unix_socket_has_no_port_in_messages() -> None:
    with pytest.raises(NotConnected, match="no INDI server at unix:/nowhere within"):
        indipyclient.connect("unix:/nowhere", timeout=0.1)
    with SyncClient("unix:/nowhere", patience=0) as indi:
        assert repr(indi) == "<SyncClient unix:/nowhere not connected, 0 devices>"
        with pytest.raises(NotConnected, match=r"no connection to unix:/nowhere$"):
            indi["D"]
    with pytest.raises(ClientClosed, match="the client of unix:/nowhere has been closed"):
        indi.snapshot()


def test_what_was_on_its_way_before_the_command_is_no_answer(session: Session) -> None:
    """Found by the soak: a telescope reports once a second, and a stalled network holds such reports up.

    A ping goes out before the command, to servers that have answered one, so what comes before its answer
    is older than the command. True answers come after it: servers take what they get in order.
    """
    session.answer_first_ping()
    outcome = session.vector("N").put(x=5)
    *_, ping, _ = session.peer.receive_until(lambda message: isinstance(message, NewVector))
    assert isinstance(ping, PingRequest)
    for state in ("Ok", "Busy", "Alert"):
        session.send(moved(1, f'state="{state}" message="from before"'))
    assert not outcome.done()
    session.send(pong("another") + moved(2))
    assert not outcome.done()
    session.send(pong(ping.uid) + moved(5))
    assert outcome.result(PATIENCE)["x"] == "5"


def test_a_command_held_up_behind_its_ping_has_its_time_limit(session: Session) -> None:
    session.answer_first_ping()
    outcome = session.vector("N").put({"x": 5}, timeout=0.2)
    with pytest.raises(CommandTimeout):
        outcome.result(PATIENCE)
