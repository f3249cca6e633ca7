"""The same sessions with the published 0.9.4 and with this package: what differs is meant to.

`differences.txt` lists the differences, session by session, below the reason for them. A reason is a row
of docs/coming-from-0.9.md, by its first column, with the number of the defect of 0.9.4 if it is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from .page import rows_of_page
from .sessions import BRIDGE_SESSIONS, CLIENT_SESSIONS, FATAL_ITEMS, fatal_item
from .side_by_side import Package, Run, compare

LIST = Path(__file__).with_name("differences.txt")
EVERYWHERE = "everywhere"


class Intended(NamedTuple):
    """A line of the list, with the session it is for and the reason above it."""

    session: str
    reason: str
    line: str


def read_list() -> Iterator[Intended]:
    session = reason = ""
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            session, reason = line[3:], ""
        elif line.startswith("# "):
            reason = line[2:]
        elif line:
            yield Intended(session, reason, line)


SESSIONS: dict[str, tuple[Callable[[Run], None], str]] = {
    **{session.__name__: (session, "IPyClient") for session in CLIENT_SESSIONS},
    **{f"{session.__name__} by {kind}": (session, kind) for session, kind in BRIDGE_SESSIONS},
    **{f"item: {what}": (fatal_item(item), "queue.Queue") for what, item in FATAL_ITEMS.items()},
}


@pytest.fixture(scope="module")
def found(published: Package, present: Package) -> dict[str, list[str]]:
    """What differs, by session. Mostly they wait, so some run at a time."""
    with ThreadPoolExecutor(4) as some:
        lines = some.map(
            lambda session: compare(session[0], published, present, session[1]), SESSIONS.values()
        )
        return dict(zip(SESSIONS, lines, strict=True))


@pytest.mark.parametrize("session", SESSIONS)
def test_nothing_differs_but_what_is_meant_to(session: str, found: dict[str, list[str]]) -> None:
    everywhere = tuple(intended.line for intended in read_list() if intended.session == EVERYWHERE)
    lines = {line for line in found[session] if not line.endswith(everywhere)}
    assert lines == {intended.line for intended in read_list() if intended.session == session}


def test_what_differs_everywhere_does_so_somewhere(found: dict[str, list[str]]) -> None:
    lines = [line for session in found.values() for line in session]
    everywhere = [intended.line for intended in read_list() if intended.session == EVERYWHERE]
    assert [line for line in everywhere if not any(found.endswith(line) for found in lines)] == []


def test_every_difference_is_of_a_session_and_has_a_reason_on_the_page() -> None:
    rows = rows_of_page()
    assert {intended.session for intended in read_list()} <= {*SESSIONS, EVERYWHERE}
    reasons = {intended.reason for intended in read_list()}
    assert {reason for reason in reasons if reason.partition(": ")[2] not in rows} == set()
    for reason in reasons:
        kind, _, number = reason.partition(": ")[0].partition(" ")
        assert kind in ("defect", "choice")
        assert number.isdigit() == (kind == "defect")
