"""The synchronous client where a loop runs in the main thread, as in notebooks: GUI.md, section 8, row 21."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from indipyclient.state.vectors import SnapVector
from indipyclient.sync.orders import Request
from tests.display.page import Page
from tests.support.deadline import becomes_true
from tests.support.scripted import ALL, PATIENCE, ScriptedServer, moved
from tests.sync.session import Session


@pytest.fixture
def session() -> Iterator[Session]:
    with ScriptedServer() as server, Session(server) as session:
        yield session


def test_a_worker_of_a_running_loop_may_block(session: Session) -> None:
    """Cells that block, and commands that are awaited, are in tests/sync/test_futures.py."""

    def work() -> SnapVector:
        outcome = session.vector("N").put(x=5)
        session.command()
        session.peer.send(moved(5, 'state="Busy"') + moved(5))
        done = outcome.result(PATIENCE)
        assert session.indi.wait_for(lambda snap: snap["D"]["N"].state == "Ok", PATIENCE)["D"]["N"] is done
        return done

    async def main() -> SnapVector:
        return await asyncio.to_thread(work)

    assert asyncio.run(main()).member("x").value == 5


# -- pages ------------------------------------------------------------------------------------


def pages(session: Session, device: Any, *vectors: Any) -> list[Page]:
    """Pages of the client and of handles."""
    return [Page(one._repr_html_()) for one in (session.indi, device, *vectors)]


def test_handles_and_client_have_the_pages_of_what_is_there_now(session: Session) -> None:
    device, number = session.indi["D"], session.vector("N")
    session.send(moved(7.25, 'state="Busy"'))
    client, whole, one = pages(session, device, number)
    assert "connected 1 device" in client.text
    assert client.row("N")[1:] == ["Busy", "x 7.25 · y 2.00"]
    assert whole.row("N")[1:4] == ["Busy", "x X", "7.25"]
    assert one.row("x") == ["x X", "7.25", "0 … 10, step 1"]
    assert device._ipython_key_completions_() == ["T", "N", "S", "L", "B", "R"]
    assert (session.indi._ipython_key_completions_(), number._ipython_key_completions_()) == (
        ["D"],
        ["x", "y"],
    )


def test_what_is_not_there_any_more_has_a_page_too(session: Session) -> None:
    device, number = session.indi["D"], session.vector("N")
    session.send('<delProperty device="D" name="N"/>')
    assert "deleted" in pages(session, device, number)[2].text
    session.send('<delProperty device="D"/>')
    assert "D deleted" in pages(session, device)[1].text


def test_pages_while_the_connection_is_lost_and_made_again(session: Session) -> None:
    """They are made all the time, and not one of them raises."""
    device, number = session.indi["D"], session.vector("N")

    def state(of: int) -> str:
        return pages(session, device, number)[of].text

    session.server.refuse()
    session.peer.close()
    assert becomes_true(lambda: "not connected" in state(0), PATIENCE)
    assert state(1).startswith("not connected")
    assert state(2).startswith("not connected")
    assert device._ipython_key_completions_() == list(device)
    session.server.listen()
    session.peer = session.server.greet(ALL)
    assert becomes_true(lambda: " connected 1 device" in state(0), PATIENCE)
    assert becomes_true(lambda: state(2).startswith("D N Place"), PATIENCE)


def test_pages_after_the_end_tell_how_it_ended(session: Session) -> None:
    device, number = session.indi["D"], session.vector("N")
    session.indi.close()
    for page in pages(session, device, number):
        assert "has been closed" in page.text
    assert (device._ipython_key_completions_(), session.indi._ipython_key_completions_()) == ([], [])


class Fatal(BaseException):
    """Ends a thread whatever it does."""


def test_the_page_of_a_client_that_died_has_the_reason(session: Session) -> None:
    def fail(engine: object) -> Any:
        raise Fatal("<b>bold</b>")

    session.indi._submit(Request(fail))
    reason = "died of Fatal: <b>bold</b>"
    assert becomes_true(lambda: reason in Page(session.indi._repr_html_()).text, PATIENCE)
    page = Page(session.indi._repr_html_())
    assert page.colour_of("died of Fatal: &lt;b&gt;bold&lt;/b&gt;") == "#cf222e"


def test_the_page_of_5000_members_is_small(session: Session) -> None:
    members = "".join(
        f'<defNumber name="n{one}" format="%g" min="0" max="1" step="0">1</defNumber>' for one in range(5000)
    )
    session.send(f'<defNumberVector device="D" name="Many" state="Ok" perm="rw">{members}</defNumberVector>')
    for page in pages(session, session.indi["D"], session.vector("Many")):
        assert page.size < 200_000
        assert len(page.rows) <= 200
