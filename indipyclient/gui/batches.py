"""The part of the delivery to a window that is the same for every toolkit."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any, TypeAlias

from ..bridge.backlog import EventItem
from ..errors import MailboxClosed
from ..mailbox import Mailbox
from ..state.snapshots import Snap

__all__ = ["Batches", "OnBatch"]

_LONG = 1.0  # seconds

OnBatch: TypeAlias = Callable[[list[Any], "Snap | None"], object]


class Batches:
    """Takes what waits in a mailbox and hands it to a window's handler. For one thread, that of the window.

    Args:
        mailbox: of an `EventItem` each, or of anything.
        on_batch: the handler.
        rate: how often it is called at most, in 1/s.

    Attributes:
        ended: whether the mailbox has been closed and everything in it was delivered.
        pause: seconds until the next turn may come; at least as long as the last one took, but no more
            than a second because of that: it may have waited for somebody to answer a dialog.

    Raises:
        ValueError: `rate` is not above 0.
    """

    def __init__(self, mailbox: Mailbox[Any], on_batch: OnBatch, rate: float) -> None:
        if not rate > 0:
            raise ValueError(f"rate must be above 0, not {rate}")
        self.ended = False
        self.pause = self._period = 1 / rate
        self._mailbox = mailbox
        self._on_batch = on_batch
        self._snapshot: Snap | None = None

    def turn(self) -> bool:
        """Deliver all that waits in one call of the handler; say whether there was anything.

        Raises:
            MailboxClosed: the client has died; the error it died of is the cause.
            ConcurrentUse: somebody else waits in the mailbox.
            Exception: whatever the handler raises.
        """
        began = monotonic()
        self.ended = self._mailbox.closed  # asked before taking: what is put in between is not missed
        items = self._mailbox.drain()
        try:
            if items:
                self._snapshot = _newest(items, self._snapshot)
                self._on_batch(items, self._snapshot)
            if self.ended:
                self._raise_cause()
        finally:
            self.pause = max(self._period, min(monotonic() - began, _LONG))
        return bool(items)

    def _raise_cause(self) -> None:
        try:
            self._mailbox.get(0)
        except MailboxClosed as closed:
            if closed.__cause__ is not None:
                raise


def _newest(items: list[Any], before: Snap | None) -> Snap | None:
    """The newest snapshot of everything among these items, or else the one before them."""
    # what answers a request may be the snapshot of one device only
    snaps = (item.snapshot for item in reversed(items) if isinstance(item, EventItem))
    return next((snap for snap in snaps if isinstance(snap, Snap)), before)
