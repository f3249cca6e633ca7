"""A queue made for handing things from one thread to another, and to any kind of event loop.

Threads: any number of them `put`; one at a time takes, and a second one that tries meanwhile is
refused. One lock guards everything; no user code, no hook and no system call that could block
runs under it. `latest`, `dropped`, `len()` and `repr()` take no lock.

The order of steps that loses no wake-up: a producer appends and only then makes the descriptor
readable and calls the hook, which runs outside the lock; a consumer takes the items and empties the
descriptor under one hold of the lock. So a wake-up may be spurious, but none is ever missing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Generic, TypeVar

from .bridge import slices
from .bridge.lifecycle import in_client_thread
from .errors import ConcurrentUse, MailboxClosed, WaitTimeout, WouldDeadlock

__all__ = ["Mailbox"]

T = TypeVar("T")
logger = logging.getLogger(__name__)

_TURN = 64  # items after which async iteration gives the loop its turn, even if more are there


class Mailbox(Generic[T]):
    """A thread-safe queue that can be waited on in every way there is.

    Block in `get`, iterate (``for`` or ``async for``, until it is closed), poll `drain`, be called
    back through `set_hook`, or watch `fileno` with select, Qt, Tk, GLib or asyncio. All of them see
    the same state, so they may be mixed.

    Args:
        keep: None to keep everything that was put; N to keep only the newest N items, dropping the
            oldest and counting them in `dropped`; 1 is "only the latest".
        weigh, most: what an item weighs, and how much all of them may weigh: likewise the oldest are
            dropped, but never the newest. `weigh` must be quick and not use the mailbox.

    Attributes:
        latest: the newest item ever put, also after it was taken; None before the first.
        dropped: how many items were dropped to make room.
        hook_errors: how many times the hook raised an exception.

    Raises:
        ValueError: `keep` is less than 1.
    """

    def __init__(
        self, keep: int | None = None, *, weigh: Callable[[T], int] | None = None, most: int = 0
    ) -> None:
        if keep is not None and keep < 1:
            raise ValueError(f"keep must be at least 1, or None, not {keep}")
        self.latest: T | None = None
        self.dropped = 0
        self.hook_errors = 0
        self._keep = keep
        self._weigh = weigh
        self._most = most
        self._weight = 0
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._signalled = False  # whether the waiting things have been told since they were last taken
        self._closed = False
        self._cause: BaseException | None = None
        self._taker: int | None = None  # the thread that waits in get, if one does
        self._hook: Callable[[], object] | None = None
        self._pair: tuple[socket.socket, socket.socket] | None = None  # (to watch, to write)
        self._waker: _Waker | None = None  # of the async iteration that waits, if one does
        self._on_room: Callable[[], None] | None = None  # see call_when_room

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        closed = ", closed" if self._closed else ""
        return f"<Mailbox of {len(self)} items, {self.dropped} dropped{closed}>"

    @property
    def keep(self) -> int | None:
        """How many items are kept at most; None for all."""
        return self._keep

    @property
    def closed(self) -> bool:
        """Whether it has been closed; what is in it can still be taken."""
        return self._closed

    # -- giving ---------------------------------------------------------------------------------

    def put(self, item: T) -> None:
        """Add an item. Any thread; never blocks.

        Raises:
            MailboxClosed: it has been closed.
        """
        with self._changed:
            if self._closed:
                raise MailboxClosed("the mailbox is closed") from self._cause
            self._items.append(item)
            if self._weigh is not None:
                self._weight += self._weigh(item)
            while len(self._items) > 1 and self._too_many():
                self._pop()
                self.dropped += 1
            self.latest = item
            edge = self._signal()
            self._changed.notify()
        if edge:
            self._wake()

    def _too_many(self) -> bool:
        too_long = self._keep is not None and len(self._items) > self._keep
        return too_long or (self._weigh is not None and self._weight > self._most)

    def _pop(self) -> T:
        item = self._items.popleft()
        if self._weigh is not None:
            self._weight -= self._weigh(item)
        return item

    def close(self, cause: BaseException | None = None) -> None:
        """Take no more items. Any thread, any number of times.

        Whoever waits gets what is still there, and then MailboxClosed; iteration ends.

        Args:
            cause: why, if something went wrong: it becomes the cause of the MailboxClosed, and
                ends iteration with it too.
        """
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._cause = cause
            self._tell_room()
            self._signal()
            self._changed.notify_all()
        self._wake()

    def _signal(self) -> bool:
        """Under the lock: note that there is something; True if nobody has been told of it yet."""
        edge, self._signalled = not self._signalled, True
        return edge

    def _wake(self) -> None:
        """Outside the lock: tell whoever is not waiting in `get`."""
        with self._changed:
            hook, waker, self._waker = self._hook, self._waker, None
            if self._pair is not None:
                with contextlib.suppress(BlockingIOError):  # full of bytes: readable all the more
                    self._pair[1].send(b"\0")
        if waker is not None:
            waker.wake()
        if hook is not None:
            self._call(hook)

    def _call(self, hook: Callable[[], object]) -> None:
        try:
            hook()
        except Exception:
            self.hook_errors += 1
            logger.exception("the hook of a mailbox raised an exception")

    # -- taking ---------------------------------------------------------------------------------

    def get(self, timeout: float | None = None) -> T:
        """Take the oldest item, waiting for it if need be. Ctrl-C interrupts the waiting.

        Args:
            timeout: seconds to wait at most; None for as long as it takes, 0 not at all.

        Raises:
            WaitTimeout: nothing came in time.
            MailboxClosed: it is closed and empty.
            ConcurrentUse: another consumer is waiting.
            WouldDeadlock: it would have to wait, and this is the thread of a client, as in a hook.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed, self._alone():
            while not self._items:
                if self._closed:
                    raise MailboxClosed("the mailbox is closed") from self._cause
                left = slices.SLICE if deadline is None else deadline - time.monotonic()
                if left <= 0:
                    self._unsignal()
                    raise WaitTimeout(f"nothing came within {timeout:g} s")
                if in_client_thread():
                    raise WouldDeadlock("a client's own thread cannot wait for what that client brings")
                self._changed.wait(min(left, slices.SLICE))
            item = self._pop()
            if not self._items:
                self._unsignal()
            return item

    def drain(self) -> list[T]:
        """Take all there is, oldest first; an empty list if there is nothing. Never blocks.

        Raises:
            ConcurrentUse: another consumer is waiting.
        """
        with self._changed, self._alone():
            items = list(self._items)
            self._items.clear()
            self._weight = 0
            self._unsignal()
            return items

    def __iter__(self) -> Iterator[T]:
        """The items as they come, until the mailbox is closed (with a cause: until that is raised)."""
        while True:
            try:
                item = self.get()
            except MailboxClosed:
                if self._cause is not None:
                    raise
                return
            yield item

    async def __aiter__(self) -> AsyncIterator[T]:
        """As plain iteration, in any asyncio loop, without blocking it."""
        turn = 0
        while True:
            try:
                item = self.get(0)
            except WaitTimeout:
                await self._arrival()
                continue
            except MailboxClosed:
                if self._cause is not None:
                    raise
                return
            yield item
            turn += 1
            if turn % _TURN == 0:
                await asyncio.sleep(0)

    async def _arrival(self) -> None:
        """Wait until there is something to take, or the mailbox is closed."""
        waker = _Waker(asyncio.get_running_loop())
        with self._changed, self._alone():
            if self._items or self._closed:
                return
            self._waker = waker
        try:
            await waker.arrived.wait()
        finally:
            with self._changed:
                if self._waker is waker:  # cancelled
                    self._waker = None

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Under the lock: refuse a second consumer while the first one waits."""
        # A taker that is this very thread was interrupted, by a signal, and is past its waiting.
        mine = threading.get_ident()
        if self._taker not in (None, mine) or (self._waker is not None and self._waker.waits):
            raise ConcurrentUse("another consumer is waiting in this mailbox")
        self._taker = mine
        try:
            yield
        finally:
            self._taker = None

    def _unsignal(self) -> None:
        """Under the lock, with nothing left: the next item is news again. A closed box stays readable."""
        if self._closed:
            return
        self._signalled = False
        if self._pair is not None:
            with contextlib.suppress(BlockingIOError):
                while self._pair[0].recv(4096):
                    pass
        self._tell_room()

    def _tell_room(self) -> None:
        call, self._on_room = self._on_room, None
        if call is not None:
            call()

    # -- being told -----------------------------------------------------------------------------

    def set_hook(self, hook: Callable[[], object] | None) -> None:
        """Have `hook()` called when something is there to take after nothing was, and on close.

        It is called without arguments in the thread that puts, and must be quick: schedule
        something and return. What it raises is logged and counted in `hook_errors`. If something is
        there already it is called at once, in this thread. None removes it; a call that is under way
        in another thread may still end after that.
        """
        with self._changed:
            self._hook = hook
            pending = bool(self._items) or self._closed
        if hook is not None and pending:
            self._call(hook)

    def call_when_room(self, call: Callable[[], None] | None) -> None:
        """Have `call()` called once, when nothing is left to take or the mailbox is closed.

        For a producer that holds back what would be too much; None to call nothing after all. It is
        called under the lock, by whoever takes, or at once in this thread; it must not block, raise,
        or use the mailbox.
        """
        with self._changed:
            self._on_room = call
            if self._closed or not self._items:
                self._tell_room()

    def fileno(self) -> int:
        """A descriptor that is readable while there is something to take, or the mailbox is closed.

        Watch it, do not read it: `get` and `drain` do. It is made on the first call and lives as long
        as the mailbox. After the close, stop watching once everything is taken: it stays readable.
        """
        with self._changed:
            if self._pair is None:
                watched, written = socket.socketpair()
                self._pair = _End(fileno=watched.detach()), _End(fileno=written.detach())
                for end in self._pair:
                    end.setblocking(False)
                if self._items or self._closed:
                    self._pair[1].send(b"\0")
            return self._pair[0].fileno()


class _End(socket.socket):
    """Closes itself, in silence: the garbage collector may take it before its mailbox."""

    __slots__ = ()

    def __del__(self) -> None:
        self.close()


class _Waker:
    """Wakes an async iteration that waits in its loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.arrived = asyncio.Event()
        self._loop = loop

    @property
    def waits(self) -> bool:
        """Whether there is still a loop to wait in."""
        return not self._loop.is_closed()

    def wake(self) -> None:
        """From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits any more
            self._loop.call_soon_threadsafe(self.arrived.set)
