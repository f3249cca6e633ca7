"""An Ok or Idle that may be no answer to the command: a driver that is slow has not read it yet.

"At once" is shown with a doubt that would last an hour, waiting by what is not done once all is handled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from indipyclient.errors import (
    ClientClosed,
    CommandTimeout,
    ConnectionLostError,
    PropertyAlert,
    PropertyDeleted,
    Superseded,
)
from indipyclient.protocol import NewVector, PingRequest
from indipyclient.state.vectors import SnapVector
from indipyclient.sync.outcome import Outcome
from indipyclient.syncclient import SyncClient
from tests.bridge.threads import start
from tests.support.deadline import becomes_true
from tests.support.scripted import NUMBER, PATIENCE, TEXT, ScriptedServer, moved

from .session import Session, pong

HOUR = 3600.0


@pytest.fixture
def session(server: ScriptedServer) -> Iterator[Session]:
    with Session(server, doubt=HOUR) as session:
        yield session


def texts(value: str, attributes: str = 'state="Ok"') -> str:
    return (
        f'<setTextVector device="D" name="T" {attributes}><oneText name="t">{value}</oneText></setTextVector>'
    )


def both(x: str, y: str, attributes: str = 'state="Ok"') -> str:
    return (
        f'<setNumberVector device="D" name="N" {attributes}><oneNumber name="x">{x}</oneNumber>'
        f'<oneNumber name="y">{y}</oneNumber></setNumberVector>'
    )


def command(session: Session, vector: str, **values: Any) -> Outcome[SnapVector]:
    """Have the server get a command."""
    outcome = session.vector(vector).put(values)
    session.command()
    return outcome


def doubted(session: Session, outcome: Outcome[SnapVector]) -> bool:
    """Whether it goes on, and the vector is shown so, although the device has said Ok or Idle."""
    session.settle()
    return not outcome.done() and session.vector("N").state == "Busy"


# -- a report with the old values -------------------------------------------------------------------


@pytest.mark.parametrize("state", ["Ok", "Idle"])
def test_a_report_before_the_driver_has_read_the_command_is_no_answer(session: Session, state: str) -> None:
    """Found by the soak: the server answers the ping at once, and a busy machine lets the driver wait."""
    session.answer_first_ping()
    outcome = session.vector("N").put(x=5)
    *_, ping, _ = session.peer.receive_until(lambda message: isinstance(message, NewVector))
    assert isinstance(ping, PingRequest)
    session.send(pong(ping.uid) + moved(1, f'state="{state}"'))
    assert doubted(session, outcome)
    session.send(moved(1, 'state="Busy"') + moved(5))
    assert outcome.result(PATIENCE)["x"] == "5"


def test_an_answer_after_it_counts(session: Session) -> None:
    outcome = command(session, "N", x=5)
    session.send(moved(1) + moved(5, 'state="Idle"'))
    assert (outcome.result(PATIENCE)["x"], outcome.result().state) == ("5", "Idle")


def test_a_refusal_after_it_counts(session: Session) -> None:
    outcome = command(session, "N", x=5)
    session.send(moved(1) + moved(1, 'state="Alert" message="below the horizon"'))
    with pytest.raises(PropertyAlert, match="below the horizon"):
        outcome.result(PATIENCE)
    assert session.vector("N").state == "Alert"


def test_after_busy_the_old_values_are_an_answer(session: Session) -> None:
    """As of a slew that was aborted at once."""
    outcome = command(session, "N", x=5)
    session.send(moved(1) + moved(1, 'state="Busy"') + moved(1, 'state="Idle"'))
    assert (outcome.result(PATIENCE)["x"], outcome.result().state) == ("1", "Idle")


def test_old_values_alone_are_an_answer_after_a_moment(server: ScriptedServer) -> None:
    with Session(server, doubt=0.05) as session:
        outcome = command(session, "N", x=5)
        session.peer.send(moved(1, 'state="Idle"'))
        there = outcome.result(PATIENCE)
        assert (there["x"], there.state) == ("1", "Idle")
        assert there is session.vector("N").snapshot()


def test_reports_do_not_prolong_the_moment(server: ScriptedServer) -> None:
    """They go on until it is over."""
    with Session(server, doubt=0.1) as session:
        outcome = command(session, "N", x=5)

        def reported() -> bool:
            session.send(moved(1))
            return outcome.done()

        assert becomes_true(reported, PATIENCE)
        assert outcome.result(0)["x"] == "1"


def test_the_programs_limit_ends_the_moment_with_the_newest_values(session: Session) -> None:
    outcome = session.vector("N").put(x=5, timeout=1)
    session.command()
    session.peer.send(moved(1) + moved(1.5) + moved(2, 'state="Idle"') + moved(2.5, ""))
    there = outcome.result(PATIENCE)
    assert (there["x"], there.state) == ("2.5", "Idle")
    assert there is session.vector("N").snapshot()


def test_the_time_that_the_device_announced_is_for_the_first_answer(server: ScriptedServer) -> None:
    with Session(server, timeout_min=0, timeout_max=1, doubt=HOUR) as session:
        outcome = command(session, "N", x=5)
        session.send(moved(1))
        with pytest.raises(CommandTimeout):
            session.vector("T").put(t="peak").result(PATIENCE)
        assert doubted(session, outcome)


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (lambda session: session.peer.close(), ConnectionLostError),
        (lambda session: session.send('<delProperty device="D" name="N"/>'), PropertyDeleted),
        (lambda session: session.vector("N").put(x=6), Superseded),
        (lambda session: session.indi.close(), ClientClosed),
    ],
)
def test_whatever_ends_a_command_ends_it_in_doubt_too(
    session: Session, end: Callable[[Session], Any], error: type[Exception]
) -> None:
    outcome = command(session, "N", x=5)
    session.send(moved(1))
    end(session)
    with pytest.raises(error):
        outcome.result(PATIENCE)


def test_a_definition_in_doubt_is_judged_as_a_set(session: Session) -> None:
    outcome = command(session, "N", x=5)
    session.send(moved(1) + NUMBER)
    assert doubted(session, outcome)
    session.send(NUMBER.replace(">1<", ">5<"))
    assert outcome.result(PATIENCE)["x"] == "5"


# -- what is no such report ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ({"x": 5}, moved(4.9)),  # rounded
        ({"x": 5}, moved(3)),  # as near to the one as to the other
        ({"x": "1:00:00"}, moved(1)),  # it changes nothing
        ({"x": 1, "y": 2}, moved(1.5)),
        ({"x": 5, "y": 2}, both("5", "1.9")),  # y was not to change
        ({"x": 5}, both("5", "1.9")),  # y only came along
        ({"x": 5}, moved(1, 'state="Ok" message="not today"')),
        ({"x": 5}, '<setNumberVector device="D" name="N" state="Ok"/>'),
        ({"x": 5}, moved(float("nan"))),
        ({}, moved(1)),
    ],
)
def test_what_else_comes_is_an_answer_at_once(session: Session, values: dict[str, Any], answer: str) -> None:
    outcome = command(session, "N", **values)
    session.send(answer)
    assert outcome.result(PATIENCE).state == "Ok"


@pytest.mark.parametrize(
    ("values", "report"),
    [
        ({"x": 5}, moved(1.9)),  # it drifts
        ({"x": 5}, moved(0)),
        ({"x": "5:30:00"}, moved(1)),
        ({"x": 5, "y": 3}, moved(1)),
        ({"x": 1.001, "y": 8}, both("1.0005", "2")),  # how x jitters proves nothing
        ({"x": 5}, both("1:00:00.0", "2")),
    ],
)
def test_a_number_nearer_to_the_old_value_is_in_doubt(
    session: Session, values: dict[str, Any], report: str
) -> None:
    outcome = command(session, "N", **values)
    session.send(report)
    assert doubted(session, outcome)


def test_what_was_no_number_and_still_is_none_is_in_doubt(server: ScriptedServer) -> None:
    with Session(server, NUMBER + both("nan", "2"), doubt=HOUR) as session:
        outcome = command(session, "N", x=5)
        session.send(both("nan", "2"))
        assert doubted(session, outcome)
        session.send(both("4", "2"))
        assert outcome.result(PATIENCE)["x"] == "4"


def test_texts_are_old_or_not(session: Session) -> None:
    outcome = command(session, "T", t=" peak ")
    session.send(texts("hill"))
    session.settle()
    assert not outcome.done()
    session.send(texts("PEAK"))
    assert outcome.result(PATIENCE)["t"] == "PEAK"
    same = command(session, "T", t=" PEAK ")
    session.send(texts("PEAK"))
    assert same.result(PATIENCE).state == "Ok"


def test_a_momentary_switch_answers_at_once(session: Session) -> None:
    outcome = session.vector("S").put("b")
    session.command()
    session.send(
        '<setSwitchVector device="D" name="S" state="Ok"><oneSwitch name="a">On</oneSwitch>'
        '<oneSwitch name="b">Off</oneSwitch></setSwitchVector>'
    )
    assert dict(outcome.result(PATIENCE)) == {"a": "On", "b": "Off"}


def test_a_vector_that_has_become_another_is_not_compared(session: Session) -> None:
    outcome = command(session, "N", x=5)
    session.send(moved(1, 'state="Busy"') + moved(1))
    assert outcome.result(PATIENCE).state == "Ok"
    outcome = command(session, "N", x=6)
    session.send(moved(1) + TEXT.replace('"T"', '"N"').replace('"t"', '"x"'))
    assert outcome.result(PATIENCE)["x"] == "hill"


# -- the end of what was going on before ---------------------------------------------------------------


def at_work(session: Session) -> None:
    """The device says so, by itself."""
    session.send(moved(2, 'state="Busy"'))


def commanded(session: Session) -> None:
    """The device has got another command, and not answered it yet."""
    command(session, "N", x=8)


def alone(session: Session) -> None:
    """The client has given up waiting for the answer to another command."""
    with pytest.raises(CommandTimeout):
        session.vector("N").put({"x": 8}, timeout=0.01).result(PATIENCE)
    session.command()


@pytest.mark.parametrize("before", [at_work, commanded, alone])
def test_the_end_of_what_was_going_on_before_is_no_answer(
    session: Session, before: Callable[[Session], None]
) -> None:
    before(session)
    outcome = command(session, "N", x=5)
    session.send(moved(7, 'state="Busy"') + moved(8, 'state="Ok" message="arrived"'))
    assert doubted(session, outcome)
    session.send(moved(7, 'state="Busy"') + moved(6, 'state="Idle"'))
    assert outcome.result(PATIENCE)["x"] == "6"  # it has said Busy once more, so that is how it ended


def test_where_it_was_to_go_is_an_answer(session: Session) -> None:
    at_work(session)
    outcome = command(session, "N", x=5)
    session.send(moved(3, 'state="Busy"') + moved(4.99))
    assert outcome.result(PATIENCE)["x"] == "4.99"


def test_what_it_was_doing_before_is_known_from_what_was_held_up_too(session: Session) -> None:
    session.answer_first_ping()
    outcome = session.vector("N").put(x=5)
    *_, ping, _ = session.peer.receive_until(lambda message: isinstance(message, NewVector))
    assert isinstance(ping, PingRequest)
    session.send(moved(7, 'state="Busy"') + moved(7) + pong(ping.uid) + moved(5.5))
    assert doubted(session, outcome)


def test_a_command_before_it_is_one_also_if_a_report_says_ok_in_between(session: Session) -> None:
    session.answer_first_ping()
    first = command(session, "N", x=8)
    session.send(moved(1))
    assert session.vector("N").state == "Ok"
    second = command(session, "N", x=5)
    session.send("".join(map(pong, session.pings)) + moved(8))
    assert doubted(session, second) and first.done()


def test_the_answer_to_the_command_before_is_none(session: Session) -> None:
    first, second = command(session, "T", t="peak"), command(session, "T", t="hill")
    with pytest.raises(Superseded):
        first.result(PATIENCE)
    session.send(texts("peak"))
    session.settle()
    assert not second.done()
    session.send(texts("hill"))
    assert second.result(PATIENCE)["t"] == "hill"


# -- waiting for a state -------------------------------------------------------------------------------


def test_no_state_of_an_answer_in_doubt_is_waited_for(session: Session) -> None:
    outcome = command(session, "N", x=5)
    waiting = start(lambda: session.vector("N").wait(state=["Ok", "Idle"], timeout=PATIENCE))
    assert becomes_true(lambda: len(session.indi._engine.subscriptions) > 0, PATIENCE)
    session.send(moved(1) + moved(1, 'state="Idle"') + NUMBER)
    assert not waiting.done()
    session.send(moved(5))
    assert waiting.result(PATIENCE)["x"] == outcome.result(PATIENCE)["x"] == "5"


def test_the_state_is_waited_for_that_comes_of_it(server: ScriptedServer) -> None:
    with Session(server, doubt=0.05) as session:
        command(session, "N", x=5)
        waiting = start(lambda: session.vector("N").wait(state="Idle", timeout=PATIENCE))
        session.peer.send(moved(1, 'state="Idle"'))
        assert waiting.result(PATIENCE)["x"] == "1"


def test_no_state_of_a_definition_is_waited_for(session: Session) -> None:
    outcome = command(session, "N", x=5)
    waiting = start(lambda: session.vector("N").wait(state="Ok", timeout=PATIENCE))
    assert becomes_true(lambda: len(session.indi._engine.subscriptions) > 0, PATIENCE)
    session.send(NUMBER)
    assert doubted(session, outcome) and not waiting.done()
    session.send(moved(5))
    assert waiting.result(PATIENCE)["x"] == "5"


def test_the_state_of_a_definition_is_shown_once_nothing_more_is_waited_for(session: Session) -> None:
    outcome = session.vector("N").put({"x": 5}, timeout=0.2)
    session.command()
    session.peer.send(NUMBER)
    with pytest.raises(CommandTimeout):
        outcome.result(PATIENCE)
    session.settle()
    assert session.vector("N").state == "Ok"


@pytest.mark.parametrize("name", ["timeout_min", "timeout_max", "doubt"])
@pytest.mark.parametrize("seconds", [-1, math.nan, None, "2"])
def test_what_is_no_number_of_seconds_is_refused_where_it_is_given(name: str, seconds: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} is a number of seconds, not"):
        SyncClient("127.0.0.1", 1, **{name: seconds})
