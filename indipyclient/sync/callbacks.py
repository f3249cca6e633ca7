"""The thread in which a program's callbacks run: never the network's, so they may block."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from ..bridge.slices import slices
from ..errors import MailboxClosed
from ..mailbox import Mailbox

__all__ = ["Callbacks"]

logger = logging.getLogger(__name__)

T = TypeVar("T")
_Job: TypeAlias = tuple[Callable[..., object], tuple[Any, ...]]


class Callbacks:
    """One thread that calls one thing after the other, begun when it is first needed.

    Args:
        name: of the thread.

    Attributes:
        errors: how many calls have raised an exception; each is logged.
    """

    def __init__(self, name: str) -> None:
        self.errors = 0
        self._jobs: Mailbox[_Job] = Mailbox()
        self._served: set[Mailbox[Any]] = set()  # which nobody else may keep
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._beginning = threading.Lock()

    def begin(self) -> None:
        """Start the thread, if it has not been started. For the program's threads."""
        with self._beginning:
            if self._thread.ident is None:
                self._thread.start()

    def call(self, function: Callable[..., object], *arguments: Any) -> None:
        """Have a function called, after all that were put in line before. Any thread; never blocks."""
        try:
            self._jobs.put((function, arguments))
        except MailboxClosed:
            logger.warning("not called, as the client has ended: %r", function)

    def serve(self, box: Mailbox[T], function: Callable[[T], object]) -> None:
        """Have a function called with each item that comes into a mailbox, until that is closed."""
        self.begin()
        self._served.add(box)
        box.set_hook(lambda: self.call(self._empty, box, function))

    def _empty(self, box: Mailbox[T], function: Callable[[T], object]) -> None:
        for item in box.drain():
            self._guard(function, item)
        if box.closed:
            self._served.discard(box)

    def close(self) -> None:
        """Take no more; what is in line is still called."""
        self._jobs.close()

    def join(self, timeout: float) -> bool:
        """Wait for the end of the thread; say whether it came. Not from the thread itself."""
        if self._thread.ident is None or self._thread is threading.current_thread():
            return True
        for seconds in slices(timeout):
            self._thread.join(seconds)
            if not self._thread.is_alive():
                break
        return not self._thread.is_alive()

    def _run(self) -> None:
        for function, arguments in self._jobs:
            self._guard(function, *arguments)
            # what the program gave must not be held until something else comes
            del function, arguments
            self._jobs.latest = None

    def _guard(self, function: Callable[..., object], *arguments: Any) -> None:
        try:
            function(*arguments)
        except BaseException:  # a callback that calls sys.exit must not end all the others
            self.errors += 1
            logger.exception("a callback raised an exception: %r", function)
