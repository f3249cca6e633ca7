"""Delivery to Tkinter windows; see `indipyclient.gui` for what all toolkits have in common.

A timer of Tk itself looks into the mailbox: at the full rate while something comes, and a few
times a second at rest. That is the same on every system, goes on in modal dialogs and needs nothing
from the client's thread, which Tk might block for as long as the window is busy.
"""

from __future__ import annotations

import tkinter
from contextlib import suppress
from typing import Any

from ..mailbox import Mailbox
from .batches import Batches, OnBatch

__all__ = ["Delivery", "deliver"]

_REST = 0.1  # seconds between looks when nothing has come for a while

# A Tcl interpreter that the garbage collector frees in another thread aborts the whole process, and the
# collector runs in any thread, such as a client's. So the interpreters of windows stay until the end.
_interpreters: list[Any] = []


def deliver(mailbox: Mailbox[Any], widget: tkinter.Misc, on_batch: OnBatch, rate: float = 25) -> Delivery:
    """Call ``on_batch(items, snapshot)`` in the thread of `widget` with what comes in `mailbox`.

    Args:
        mailbox: such as the `rxque` of a `QueClient`; nobody else may take from it meanwhile.
        widget: the root, or any widget; the delivery ends when it is destroyed.
        on_batch: what it raises goes to the ``report_callback_exception`` of the root.
        rate: how often it is called at most, in 1/s.

    Raises:
        ValueError: `rate` is not above 0.
        TclError: the widget has been destroyed.
    """
    return Delivery(mailbox, widget, on_batch, rate)


class Delivery:
    """What `deliver` returns; only for the thread of the widget."""

    def __init__(self, mailbox: Mailbox[Any], widget: tkinter.Misc, on_batch: OnBatch, rate: float) -> None:
        self._batches = Batches(mailbox, on_batch, rate)
        self._widget = widget
        self._pause = self._batches.pause
        self._timer: str | None = None
        self._stopped = False
        widget.bind("<Destroy>", self._on_destroy, add=True)
        if widget.tk not in _interpreters:
            _interpreters.append(widget.tk)
        self._timer = widget.after(0, self._turn)

    def stop(self) -> None:
        """Deliver no more. What waits stays in the mailbox. May be called again, and from the handler."""
        self._stopped = True
        if self._timer is not None:
            with suppress(tkinter.TclError):
                self._widget.after_cancel(self._timer)
            self._timer = None

    def _on_destroy(self, event: tkinter.Event[Any]) -> None:
        if str(event.widget) == str(self._widget):  # the children of a window tell it too
            self.stop()

    def _turn(self) -> None:
        came = True
        self._timer = None
        try:
            came = self._batches.turn()
        finally:
            self._pause = (
                self._batches.pause if came else max(self._batches.pause, min(2 * self._pause, _REST))
            )
            if not (self._stopped or self._batches.ended):
                with suppress(tkinter.TclError):  # the interpreter has gone without a <Destroy>
                    self._timer = self._widget.after(max(1, round(1000 * self._pause)), self._turn)
