"""A thousand conversations put together at random, with a server that speaks whenever it likes."""

from __future__ import annotations

import itertools
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
SHOWN = {"no state": 3, "busy": 2, "define": 1, "ok": 5, "idle": 5, "alert": 1}  # of x


def shown(script: Sequence[str], x: int) -> int:
    """What x is after that."""
    return next((SHOWN[step] for step in reversed(script) if step in SHOWN), x)


def comes_to(script: Sequence[str], before: int, wanted: int, overtaking: bool) -> str:
    """What the rules say: decided by the first step that decides.

    Args:
        script: what arrives after the command.
        before, wanted: what x was, and what was commanded.
        overtaking: whether the device was at work, or another command was not done, when it was sent.
    """
    busy = doubted = False
    for number, step in enumerate(script):
        x = shown(script[: number + 1], before)
        if step in ("alert", "delete", "hang up"):
            return step
        if step == "busy":
            overtaking &= not doubted
            busy, doubted = True, False
        elif step in ("ok", "idle") or (step == "define" and (busy or doubted)):
            if overtaking:
                doubted = abs(x - wanted) > abs(before - wanted) / 100
            else:
                doubted = not busy and before != wanted and abs(x - before) < abs(x - wanted)
            if not doubted:
                return "done"
    return "in doubt" if doubted else "time-out"


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


def held_up(session: Session, scripts: Sequence[Sequence[str]]) -> str:
    """What was on its way before each of the commands, and then the answer to its ping."""
    assert len(session.pings) == len(scripts)
    return "".join(spoken(script) + pong(session.pings.pop(0)) for script in scripts)


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
    script, wanted = make_script(chance), chance.randrange(10)
    commands = 1 + (chance.random() < 0.2)  # there is another one before the server has said anything
    past = chance.choices(["ok", "idle", "alert", "busy"], k=2)
    old = ["ok", "idle", "alert", "busy", "define", *NOISE]
    held = [chance.choices(old, k=chance.randrange(3)) for _ in range(commands * answering)]
    known = [*past, *itertools.chain(*held)]
    overtaking = commands > 1 or past[-1] == "busy" or "busy" in known[2:]
    comes = comes_to(script, shown(known, 1), wanted, overtaking)
    limit: dict[str, Any] = {"timeout": 0.02} if comes == "time-out" else {}
    session.send(spoken(past))
    puttings = [session.vector("N").put(y=1) for _ in range(commands - 1)]
    puttings.append(session.vector("N").put(x=wanted, **limit))
    for _ in puttings:
        session.command()
    data = (held_up(session, held) if answering else "") + spoken(script)
    speaking = start(lambda: say(session.peer, data, script[-1:] == ["hang up"], chance))
    if chance.random() < 0.5:
        speaking.result(PATIENCE)
    found = [outcome_of(putting) for putting in puttings[: None if comes != "in doubt" else -1]]
    speaking.result(PATIENCE)
    if comes == "in doubt":
        found.append(still_in_doubt(session, puttings[-1], wanted))
    return ["superseded"] * (commands - 1) + [comes], found


def still_in_doubt(session: Session, putting: Outcome[SnapVector], wanted: int) -> str:
    """What has become of it although the answers so far were in doubt; then answer without doubt."""
    session.settle()
    if putting.done():
        return outcome_of(putting)
    assert session.vector("N").state == "Busy"
    session.send(moved(wanted))
    assert putting.result(PATIENCE)["x"] == f"{wanted}"
    return "in doubt"


@pytest.mark.parametrize("answering", [False, True], ids=["no pings", "pings"])
@pytest.mark.parametrize("share", range(5))
def test_a_thousand_conversations_come_to_what_the_rules_say(
    server: ScriptedServer, share: int, answering: bool
) -> None:
    with Session(server, timeout_min=PATIENCE, doubt=3600) as session:
        if answering:
            session.answer_first_ping()
        for seed in range(share * 100, share * 100 + 100):
            restore(session, answering)
            expected, found = converse(session, answering, random.Random(seed))
            assert found == expected, f"seed {seed}"
