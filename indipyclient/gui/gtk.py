"""Delivery to windows of GTK 3 or 4; see `indipyclient.gui` for what all toolkits have in common.

The client's thread asks GLib to call us in the main loop (`GLib.idle_add`, the one thing that any thread
may call), and that only if nothing is asked for already. Idle calls come after drawing, so a flood of
news does not keep the window from being drawn.

Needs PyGObject; Debian has it in python3-gi, with gir1.2-gtk-4.0 or gir1.2-gtk-3.0.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from ..mailbox import Mailbox
from .batches import Batches, OnBatch

__all__ = ["Delivery", "deliver"]


def deliver(mailbox: Mailbox[Any], widget: Any, on_batch: OnBatch, rate: float = 25) -> Delivery:
    """Call ``on_batch(items, snapshot)`` in the thread of `widget` with what comes in `mailbox`.

    Args:
        mailbox: such as the `rxque` of a `QueClient`; nobody else may take from it
            meanwhile, or set its hook.
        widget: the window, or any widget; the delivery ends when it is destroyed.
        on_batch: what it raises goes to `sys.excepthook`.
        rate: how often it is called at most, in 1/s.

    Raises:
        ValueError: `rate` is not above 0.
    """
    return Delivery(mailbox, widget, on_batch, rate)


class Delivery:
    """What `deliver` returns; only for the thread of the widget."""

    def __init__(self, mailbox: Mailbox[Any], widget: Any, on_batch: OnBatch, rate: float) -> None:
        from gi.repository import GLib

        self._glib = GLib
        self._mailbox = mailbox
        self._batches: Batches | None = Batches(mailbox, on_batch, rate)
        self._shown = True
        self._asked = threading.Lock()  # held from the asking for a turn to the end of the pause after it
        widget.connect("destroy", lambda _: self.stop())
        # GTK 4 destroys a window only when nobody holds it any more, but unrealizes it when it is closed
        widget.connect("unrealize", self._on_shown, False)
        widget.connect("realize", self._on_shown, True)
        self._set_hook()

    def stop(self) -> None:
        """Deliver no more. What waits stays in the mailbox. May be called again, and from the handler."""
        self._batches = None  # lets go of the handler: the client's thread must not be the last to hold it
        self._set_hook()

    def _on_shown(self, _: Any, shown: bool) -> None:
        self._shown = shown
        self._set_hook()

    def _set_hook(self) -> None:
        """Calls the hook at once if something waits."""
        self._mailbox.set_hook(self._ask if self._shown and self._batches is not None else None)

    def _ask(self) -> None:
        """The hook, which any thread calls."""
        if self._asked.acquire(blocking=False):
            self._glib.idle_add(self._turn)

    def _turn(self) -> bool:
        batches = self._batches
        if batches is None or not self._shown:
            self._asked.release()
            return False
        try:
            batches.turn()
        except Exception:
            sys.excepthook(*sys.exc_info())
        if batches.ended:
            self.stop()
        self._glib.timeout_add(max(1, round(1000 * batches.pause)), self._listen)
        return False  # once

    def _listen(self) -> bool:
        """The pause is over."""
        self._asked.release()
        self._set_hook()
        return False
