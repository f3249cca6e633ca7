"""A thousand conversations put together at random, with a server that speaks whenever it likes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from indipyclient.errors import (
    CommandTimeout,
    ConnectionLostError,
    PropertyAlert,
    PropertyDeleted,
    Superseded,
)
from indipyclient.state.vectors import SnapVector
from indipyclient.sync.outcome import Outcome
from tests.bridge.threads import start
from tests.support.scripted import ALL, NUMBER, PATIENCE, Peer, ScriptedServer, moved

from .session import Session, pong

NOISE = {
    "message": '<message device="D" message="clouds"/>',
    "other": '<setTextVector device="D" name="T" state="Alert"><oneText name="t">x</oneText></setTextVector>',
    "no state": moved(3, ""),
    "echo": '<newNumberVector device="D" name="N"><oneNumber name="x">7</oneNumber></newNumberVector>',
}
STEPS = {
    **NOISE,
    "busy": moved(2, 'state="Busy"'),
    "define": NUMBER,
    "ok": moved(5),
    "idle": moved(5, 'state="Idle"'),
    "alert": moved(1, 'state="Alert" message="too low"'),
    "delete": '<delProperty device="D" name="N"/>',
    "hang up": "",
}
DECISIVE = ("ok", "idle", "alert", "delete", "hang up")


def comes_to(script: Sequence[str]) -> str:
    """What the rules say: decided by the first step that decides."""
    busy = False
    for step in script:
        if step in DECISIVE:
            return "done" if step in ("ok", "idle") else step
        if step == "define" and busy:
            return "done"
        busy |= step == "busy"
    return "time-out"


ERRORS = {
    "alert": PropertyAlert,
    "delete": PropertyDeleted,
    "hang up": ConnectionLostError,
    "time-out": CommandTimeout,
    "superseded": Superseded,
}


def outcome_of(putting: Outcome[SnapVector]) -> str:
    error = putting.exception(PATIENCE)
    if error is None:
        return "done"
    return next(name for name, kind in ERRORS.items() if type(error) is kind)


def make_script(chance: random.Random) -> list[str]:
    often = [0.2 if step == "hang up" else 1 for step in STEPS]  # as connecting anew takes its time
    script = chance.choices(list(STEPS), often, k=chance.randrange(8))
    if "hang up" in script:  # after that there is nothing to say
        script = script[: script.index("hang up") + 1]
    return script


def say(peer: Peer, data: str, hang_up: bool, chance: random.Random) -> None:
    """Say it in pieces of any length, whatever the client does meanwhile."""
    rest = data.encode()
    while rest:
        cut = chance.randrange(1, len(rest) + 1)
        peer.send(rest[:cut])
        rest = rest[cut:]
    if hang_up:
        peer.close()


def spoken(script: Sequence[str]) -> str:
    return "".join(STEPS[step] for step in script)


def held_up(session: Session, chance: random.Random) -> str:
    """What was on its way before the commands, and then the answers to their pings."""
    data = ""
    while session.pings:
        data += spoken(
            chance.choices(["ok", "idle", "alert", "busy", "define", *NOISE], k=chance.randrange(3))
        )
        data += pong(session.pings.pop(0))
    return data


def restore(session: Session, answering: bool) -> None:
    """As it was at first, and with a connection again."""
    if session.peer.fileno() < 0:  # it has hung up
        session.peer = session.server.greet(ALL)
        session.pings.clear()
        if answering:
            session.answer_first_ping()
    session.send(NUMBER + moved(1))
    assert session.vector("N").state == "Ok"


def converse(session: Session, answering: bool, chance: random.Random) -> tuple[list[str], list[str]]:
    """One conversation: what the rules say of each command, and what became of it."""
    script = make_script(chance)
    expected = [comes_to(script)]
    limit: dict[str, Any] = {"timeout": 0.02} if expected[0] == "time-out" else {}
    session.send(spoken(chance.choices(["ok", "idle", "alert", "busy"], k=2)))
    puttings = []
    if chance.random() < 0.2:  # there is another command before the server has said anything
        expected.insert(0, "superseded")
        puttings.append(session.vector("N").put(y=1))
    puttings.append(session.vector("N").put(x=chance.randrange(10), **limit))
    for _ in puttings:
        session.command()
    data = (held_up(session, chance) if answering else "") + spoken(script)
    speaking = start(lambda: say(session.peer, data, script[-1:] == ["hang up"], chance))
    if chance.random() < 0.5:
        speaking.result(PATIENCE)
    found = [outcome_of(putting) for putting in puttings]
    speaking.result(PATIENCE)
    return expected, found


@pytest.mark.parametrize("answering", [False, True], ids=["no pings", "pings"])
@pytest.mark.parametrize("share", range(5))
def test_a_thousand_conversations_come_to_what_the_rules_say(
    server: ScriptedServer, share: int, answering: bool
) -> None:
    with Session(server, timeout_min=PATIENCE) as session:
        if answering:
            session.answer_first_ping()
        for seed in range(share * 100, share * 100 + 100):
            restore(session, answering)
            expected, found = converse(session, answering, random.Random(seed))
            assert found == expected, f"seed {seed}"
