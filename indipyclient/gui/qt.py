"""Delivery to Qt windows; see `indipyclient.gui` for what all toolkits have in common.

Of PySide6, PyQt6 and PyQt5 it uses the one that the window is made of.

A `QSocketNotifier` watches the mailbox's descriptor and a `QTimer` makes the pauses, both in the
window's thread; the client's thread knows nothing of Qt. They are children of the window: deleted with
it, and so before the descriptor can be closed. A window that is closed is not deleted, only hidden,
unless it has the attribute WA_DeleteOnClose; it goes on being told.
"""

from __future__ import annotations

import importlib
import sys
from contextlib import suppress
from typing import Any

from ..mailbox import Mailbox
from .batches import Batches, OnBatch

__all__ = ["Delivery", "deliver"]

_BINDINGS = ("PySide6", "PyQt6", "PyQt5")


def deliver(mailbox: Mailbox[Any], widget: Any, on_batch: OnBatch, rate: float = 25) -> Delivery:
    """Call ``on_batch(items, snapshot)`` in the thread of `widget` with what comes in `mailbox`.

    Args:
        mailbox: such as the `rxque` of a `QueClient`; nobody else may take from it meanwhile.
        widget: the window, or any QObject of its thread; the delivery ends when it is deleted.
        on_batch: what it raises goes to `sys.excepthook`, and so does not end a program of PyQt.
        rate: how often it is called at most, in 1/s.

    Raises:
        ValueError: `rate` is not above 0.
        TypeError: `widget` is no object of a Qt known here.
        RuntimeError: it has been deleted.
    """
    return Delivery(mailbox, widget, on_batch, rate)


class Delivery:
    """What `deliver` returns; only for the thread of the widget."""

    def __init__(self, mailbox: Mailbox[Any], widget: Any, on_batch: OnBatch, rate: float) -> None:
        core = _core(widget)
        self._batches = Batches(mailbox, on_batch, rate)
        self._stopped = False
        self._timer = core.QTimer(widget, singleShot=True)
        self._notifier = core.QSocketNotifier(mailbox.fileno(), core.QSocketNotifier.Type.Read, widget)
        # functions, which the connections hold: of a method they would not hold its object
        self._timer.timeout.connect(lambda: self._notifier.setEnabled(not self._stopped))
        self._notifier.activated.connect(lambda *_: self._turn())

    def stop(self) -> None:
        """Deliver no more. What waits stays in the mailbox. May be called again, and from the handler."""
        self._stopped = True
        with suppress(RuntimeError):  # deleted with the widget
            self._notifier.setEnabled(False)
            self._timer.stop()

    def _turn(self) -> None:
        self._notifier.setEnabled(False)  # until the pause is over, also in a loop that the handler runs
        try:
            self._batches.turn()
        except Exception:
            sys.excepthook(*sys.exc_info())
        if self._batches.ended:
            self.stop()
        elif not self._stopped:
            with suppress(RuntimeError):  # the handler has deleted the widget
                self._timer.start(max(1, round(1000 * self._batches.pause)))


def _core(widget: Any) -> Any:
    """The module QtCore of the Qt that made `widget`."""
    for kind in type(widget).__mro__:
        if (binding := kind.__module__.partition(".")[0]) in _BINDINGS:
            return importlib.import_module(f"{binding}.QtCore")
    raise TypeError(f"{widget!r} is no object of {', '.join(_BINDINGS)}")
