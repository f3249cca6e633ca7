"""Waiting for states: none is missed, none from before a command counts, and it always ends."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from indipyclient.bridge import slices
from indipyclient.errors import (
    ClientClosed,
    INDIError,
    InvalidValue,
    PropertyAlert,
    UnknownMember,
    WaitTimeout,
    WouldDeadlock,
)
from indipyclient.protocol import NewVector, PingRequest
from indipyclient.state.snapshots import Snap
from tests.bridge.threads import start
from tests.support.deadline import becomes_true
from tests.support.scripted import ALL, NUMBER, PATIENCE, ScriptedServer, moved

from .session import Session


def waits(session: Session) -> bool:
    """Whether somebody waits for states."""
    return len(session.indi._engine.subscriptions) > 0


# -- wait_for -------------------------------------------------------------------------------------


def test_what_holds_already_is_not_waited_for(session: Session) -> None:
    snap = session.indi.wait_for(lambda snap: snap["D"]["N"]["x"] == "1", timeout=0)
    assert snap is session.indi.snapshot()


def test_every_state_is_looked_at_however_fast_they_follow(session: Session) -> None:
    seen: list[float] = []

    def is_last(snap: Snap) -> bool:
        seen.append(snap["D"]["N"].member("x").value)
        return seen[-1] == 9

    waiting = start(lambda: session.indi.wait_for(is_last, timeout=PATIENCE))
    assert becomes_true(lambda: bool(seen), PATIENCE)
    numbers = [random.Random(3).randrange(9) for _ in range(2000)] + [9]
    session.peer.send("".join(map(moved, numbers)))
    assert waiting.result(PATIENCE)["D"]["N"]["x"] == "9"
    assert seen == [1, *numbers]


def test_several_properties_at_one_moment(session: Session) -> None:
    waiting = start(
        lambda: session.indi.wait_for(
            lambda snap: snap["D"]["N"]["x"] == "5" and snap["D"]["T"].state == "Busy", timeout=PATIENCE
        )
    )
    session.send('<setTextVector device="D" name="T" state="Busy"/>')
    session.send(moved(5))
    assert waiting.result(PATIENCE)["D"]["T"].state == "Busy"


def test_what_is_not_known_is_not_yet(server: ScriptedServer) -> None:
    with Session(server, "") as session:
        waiting = start(lambda: session.indi.wait_for(lambda snap: snap["D"]["N"]["x"], timeout=PATIENCE))
        session.send(NUMBER)
        assert waiting.result(PATIENCE)["D"]["N"]["x"] == "1"


def test_what_else_the_predicate_raises_ends_the_waiting(session: Session) -> None:
    with pytest.raises(ZeroDivisionError):
        session.indi.wait_for(lambda snap: 1 / 0, timeout=PATIENCE)


@pytest.mark.parametrize(
    ("predicate", "words"),
    [
        (lambda snap: False, r"what was waited for did not hold within 0\.01 s$"),
        (lambda snap: snap["D"]["Nn"], r"did not hold within 0\.01 s: there is no 'Nn'$"),
    ],
)
def test_the_end_of_the_time_says_what_was_missing(
    session: Session, predicate: Callable[[Snap], Any], words: str
) -> None:
    with pytest.raises(WaitTimeout, match=words):
        session.indi.wait_for(predicate, timeout=0.01)


def test_the_end_of_the_time_says_if_there_is_no_connection(session: Session) -> None:
    session.server.refuse()
    session.peer.close()
    assert becomes_true(lambda: not session.indi.connected, PATIENCE)
    with pytest.raises(WaitTimeout, match="there is no connection to 127"):
        session.indi.wait_for(lambda snap: snap["D"], timeout=0.01)


def test_a_misspelt_name_is_told_when_the_time_is_over(session: Session) -> None:
    with pytest.raises(WaitTimeout, match="no device 'd'; did you mean 'D'"):
        session.indi.wait_for_device("d", timeout=0.01)
    with pytest.raises(WaitTimeout, match="no vector of 'D' 'n'; did you mean 'N'"):
        session.indi.wait_for_vector("D", "n", timeout=0.01)


def test_devices_and_vectors_are_waited_for(server: ScriptedServer) -> None:
    with Session(server, "") as session:
        device = start(lambda: session.indi.wait_for_device("D", timeout=PATIENCE))
        vector = start(lambda: session.indi.wait_for_vector("D", "R", timeout=PATIENCE))
        session.peer.send(ALL)
        assert device.result(PATIENCE).name == "D"
        assert vector.result(PATIENCE)["r"] == "fixed"


def test_waiting_goes_on_over_a_loss_of_connection(session: Session) -> None:
    waiting = start(lambda: session.indi.wait_for(lambda snap: snap["D"]["N"]["x"] == "5", timeout=PATIENCE))
    session.peer.close()
    session.server.greet(ALL + moved(5))
    assert waiting.result(PATIENCE).connected


@pytest.mark.parametrize(
    "wait",
    [
        lambda indi: indi.wait_for(lambda snap: False, timeout=None),
        lambda indi: indi["D"]["N"].wait(state="Alert", timeout=None),
        lambda indi: indi.wait_for_device("X", timeout=None),
        lambda indi: indi["D"]["B"].expect_blob().result(),
        lambda indi: indi["D"]["N"].put(x=1, timeout=None).result(),
    ],
)
def test_closing_ends_every_wait(session: Session, wait: Callable[[Any], Any]) -> None:
    waiting = start(lambda: wait(session.indi))
    assert becomes_true(lambda: waits(session) or session.indi._engine.orders.latest is not None, PATIENCE)
    session.indi.close()
    with pytest.raises(ClientClosed):
        waiting.result(PATIENCE)


# -- after a command ------------------------------------------------------------------------------


def test_a_state_from_before_a_command_does_not_count(session: Session) -> None:
    for round in range(200):
        value = round % 11
        session.vector("N").put(x=value)
        if round % 2:
            waiting = start(lambda: session.vector("N").wait(state="Ok", timeout=PATIENCE))
        else:
            waiting = start(
                lambda: session.indi.wait_for(lambda snap: snap["D"]["N"].state == "Ok", PATIENCE)["D"]["N"]
            )
        session.command()
        session.peer.send(moved(value))
        vector = waiting.result(PATIENCE)
        assert vector["x"] == f"{value}"


class Late(threading.Event):
    """An event that whoever waits for it hears of only once something else has happened too."""

    def __init__(self, condition: threading.Event) -> None:
        super().__init__()
        self._condition = condition

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(timeout) and self._condition.wait(timeout)


def test_a_state_that_lasts_for_a_moment_after_a_command_is_not_missed(session: Session) -> None:
    answered = threading.Event()
    with session.stuck():
        session.vector("N").put(x=1)
        order = session.indi._engine.orders.latest
        assert order is not None
        order.carried_out = Late(answered)
        before = len(session.indi._engine.subscriptions)
        waiting = start(lambda: session.vector("N").wait(state="Busy", timeout=PATIENCE))
        assert becomes_true(lambda: len(session.indi._engine.subscriptions) > before, PATIENCE)
    session.command()
    session.send(moved(5))
    answered.set()
    assert waiting.result(PATIENCE).state == "Busy"


def test_a_state_that_was_on_its_way_before_a_command_does_not_count(session: Session) -> None:
    first = session.peer.receive_until(lambda message: isinstance(message, PingRequest))[-1]
    assert isinstance(first, PingRequest)
    session.send(f'<pingReply uid="{first.uid}"/>')
    session.vector("N").put(x=5)
    *_, ping, _ = session.peer.receive_until(lambda message: isinstance(message, NewVector))
    assert isinstance(ping, PingRequest)
    waiting = start(lambda: session.vector("N").wait(state="Ok", timeout=PATIENCE))
    assert becomes_true(lambda: waits(session), PATIENCE)
    session.send(moved(1))
    assert not waiting.done()
    session.send(f'<pingReply uid="{ping.uid}"/>')
    assert session.vector("N").state == "Busy"
    session.send(moved(5))
    assert waiting.result(PATIENCE)["x"] == "5"


def test_a_command_that_cannot_be_sent_does_not_hold_up_waiting(session: Session) -> None:
    session.peer.send('<delProperty device="D" name="N"/>')
    with contextlib.suppress(INDIError):  # in case the deletion was seen in time
        session.vector("N").put(x=1)
    assert session.indi.wait_for(lambda snap: snap["D"]["T"]["t"] == "hill", timeout=PATIENCE)


# -- vector.wait ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vector", "options", "update"),
    [
        ("N", {"state": "Busy"}, moved(1, 'state="Busy"')),
        ("N", {"state": ["Idle", "Busy"]}, moved(1, 'state="Busy"')),
        ("N", {"state": "Alert"}, moved(1, 'state="Alert"')),
        ("N", {"member": {"x": 5}}, moved(5, 'state="Busy"')),
        ("N", {"member": {"x": "5:00"}, "tolerance": 0.1}, moved(5.09)),
        ("N", {"member": {"x": 5, "y": 2}, "state": "Ok"}, moved(5)),
        ("S", {"member": "b"}, '<setSwitchVector device="D" name="S"><oneSwitch name="b">On</oneSwitch>'),
        (
            "S",
            {"member": {"a": False}},
            '<setSwitchVector device="D" name="S"><oneSwitch name="a">Off</oneSwitch>',
        ),
        (
            "T",
            {"member": {"t": "dale"}},
            '<setTextVector device="D" name="T"><oneText name="t">dale</oneText>',
        ),
    ],
)
def test_a_vector_is_waited_for(session: Session, vector: str, options: Any, update: str) -> None:
    handle = session.vector(vector)
    with pytest.raises(WaitTimeout, match=f"'D' '{vector}', which is Ok, was not "):
        handle.wait(**options, timeout=0.01)
    waiting = start(lambda: handle.wait(**options, timeout=PATIENCE))
    tag = update[1 : update.index(" ")]
    session.send(moved(3) + update + ("" if update.endswith(f"</{tag}>") else f"</{tag}>"))
    assert waiting.result(PATIENCE).name == vector


def test_a_number_outside_of_the_tolerance_is_not_reached(session: Session) -> None:
    session.send(moved(5.2))
    with pytest.raises(WaitTimeout, match="with 'x' at 5"):
        session.vector("N").wait(member={"x": 5}, tolerance=0.1, timeout=0.01)


def test_an_alert_ends_the_waiting_for_another_state_with_the_reason(session: Session) -> None:
    session.send(moved(1, 'state="Alert" message="old news"'))
    waiting = start(lambda: session.vector("N").wait(state="Ok", timeout=PATIENCE))
    assert becomes_true(lambda: waits(session), PATIENCE)
    session.send('<message device="D" message="too low"/>' + moved(2, 'state="Alert"'))
    with pytest.raises(PropertyAlert) as caught:
        waiting.result(PATIENCE)
    assert (caught.value.message, caught.value.vector["x"]) == ("too low", "2")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({}, TypeError),
        ({"state": "Fine"}, InvalidValue),
        ({"member": {"z": 1}}, UnknownMember),
        ({"member": {"x": "far"}}, InvalidValue),
    ],
)
def test_what_can_never_be_is_refused(session: Session, options: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        session.vector("N").wait(**options, timeout=PATIENCE)


# -- where nobody may wait ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wait",
    [
        lambda indi: indi.wait_for(lambda snap: False, timeout=PATIENCE),
        lambda indi: indi["D"]["N"].wait(state="Alert", timeout=PATIENCE),
        lambda indi: indi["D"]["N"].put(x=1).result(PATIENCE),
        lambda indi: indi["D"]["N"].put(x=1).exception(PATIENCE),
        lambda indi: indi["D"]["B"].expect_blob().result(),
        lambda indi: (indi["D"]["N"].put(x=1), indi.wait_for(lambda snap: True, timeout=PATIENCE)),
        lambda indi: indi.subscribe().get(PATIENCE),
    ],
)
def test_in_the_clients_own_thread_waiting_raises(session: Session, wait: Callable[[Any], Any]) -> None:
    """Row 15: a hook is called there."""
    raised: list[BaseException] = []
    called = threading.Event()

    def hook() -> None:
        try:
            wait(session.indi)
        except BaseException as error:
            raised.append(error)
        called.set()

    box = session.indi.subscribe(kinds="Set")
    box.set_hook(hook)
    session.peer.send(moved(3))
    assert called.wait(PATIENCE)
    assert [type(error) for error in raised] == [WouldDeadlock]
    session.settle()


def test_in_the_clients_own_thread_what_does_not_wait_works(session: Session) -> None:
    results: list[Any] = []
    called = threading.Event()

    def hook() -> None:
        indi = session.indi
        results.extend([indi["D"]["N"]["x"], indi.wait_for(lambda snap: True, timeout=None).connected])
        indi["D"]["N"].put(x=1)
        called.set()

    box = session.indi.subscribe(kinds="Set")
    box.set_hook(hook)
    session.peer.send(moved(3))
    assert called.wait(PATIENCE)
    assert results == [3.0, True]
    assert session.command().name == "N"


# -- in slices, as on Windows ---------------------------------------------------------------------


def test_waiting_goes_in_slices_where_it_could_not_be_interrupted(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 14."""
    lengths: list[float] = []
    wait = threading.Condition.wait

    def note(self: threading.Condition, timeout: float | None = None) -> bool:
        if threading.current_thread() is threading.main_thread():
            lengths.append(float("inf") if timeout is None else timeout)
        return wait(self, timeout)

    monkeypatch.setattr(slices, "SLICE", 0.02)
    monkeypatch.setattr(threading.Condition, "wait", note)
    putting = session.vector("N").put(x=1)
    for waiting in (
        lambda: putting.result(0.1),
        lambda: session.indi.wait_for(lambda snap: False, timeout=0.1),
    ):
        lengths.clear()
        with pytest.raises(WaitTimeout):
            waiting()
        assert len(lengths) > 1 and max(lengths) <= 0.02
    lengths.clear()
    session.indi.close()
    assert not lengths or max(lengths) <= 0.02
