"""Waiting for a state: the present one and every one after it, without gaps and without polling.

Commands that the program has given before are sent before anything is looked at; so after a `put`, no
state from before it is taken for its effect.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator

from ..bridge.backlog import EventItem, blob_bytes
from ..bridge.lifecycle import in_client_thread
from ..bridge.slices import slices
from ..errors import MailboxClosed, UnknownName, WaitTimeout, WouldDeadlock
from ..mailbox import Mailbox
from ..state.snapshots import Snap
from .engine import Engine
from .known import no_connection
from .subscriptions import Filter

__all__ = ["wait_for"]

# What waits for a predicate that is slow, in states and in bytes of frames; then the oldest are passed over.
_KEPT, _FRAMES = 10_000, 256 << 20


def wait_for(
    engine: Engine,
    holds: Callable[[Snap], object],
    timeout: float | None,
    what: Callable[[], str],
) -> Snap:
    """The first snapshot for which `holds` is true: the present one, or one that comes.

    Args:
        holds: called in this thread. A KeyError in it means "not yet".
        timeout: seconds; None for no limit.
        what: what is waited for, for the message.

    Raises:
        WaitTimeout: it did not come in time.
        WouldDeadlock: it would have to wait, and this is a client's own thread.
        ClientClosed, ClientDied: the client has ended.
    """
    missing: KeyError | None = None
    with contextlib.closing(_states(engine, timeout)) as states:
        try:
            for snap in states:
                try:
                    if holds(snap):
                        return snap
                    missing = None
                except KeyError as error:
                    missing = error
        except MailboxClosed:
            engine.raise_end()
    raise WaitTimeout(f"{what()} within {timeout:g} s{_why(engine, missing)}")


def _why(engine: Engine, missing: KeyError | None) -> str:
    if not engine.snapshot().connected:
        return f"; {no_connection(engine._indi_where)}"
    if missing is None:
        return ""
    return f": {missing}" if isinstance(missing, UnknownName) else f": there is no {missing}"


def _states(engine: Engine, timeout: float | None) -> Generator[Snap, None, None]:
    """The present snapshot and each one after it, until `timeout`."""
    deadline = None if timeout is None else time.monotonic() + timeout
    box: Mailbox[EventItem] = Mailbox(_KEPT, weigh=blob_bytes, most=_FRAMES)
    engine.subscriptions.add(box, Filter())
    with contextlib.closing(box):
        seen = -1
        for snap in _after_commands(engine, box, timeout):
            seen = snap.rev
            yield snap
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                snap = box.get(left).snapshot
            except WaitTimeout:
                return
            if snap.rev > seen:
                seen = snap.rev
                yield snap


def _after_commands(engine: Engine, box: Mailbox[EventItem], timeout: float | None) -> list[Snap]:
    """The states to begin with: the present one, or if a command had to be sent first, those since then."""
    order = engine.orders.latest
    if order is None or order.carried_out.is_set():
        return [engine.snapshot()]
    if in_client_thread():
        raise WouldDeadlock("a client's own thread cannot wait for what that client brings")
    if not any(order.carried_out.wait(seconds) for seconds in slices(timeout)):
        return []
    snaps = [item.snapshot for item in box.drain()]
    return [snap for snap in snaps if snap.rev >= order.rev] or [engine.snapshot()]
