"""The asyncio client that a `SyncClient` runs in a thread of its own.

    program --orders--> Engine --commands--> server
    server --events--> Engine --> tracker (outcomes), subscriptions (mailboxes)

The engine does not know the `SyncClient`, so a client that nobody refers to any more can be ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from typing import Any, NoReturn

from .. import events
from ..bridge.backlog import EventItem
from ..bridge.lifecycle import ends_with_program, run
from ..errors import ClientClosed, ClientDied, INDIError, MailboxClosed, NotConnected
from ..ipyclient import IPyClient
from ..mailbox import Mailbox
from ..protocol.messages import NewVector, PingRequest
from ..state import apply as state
from ..state.commands import find_vector
from ..state.vectors import SnapVector
from .callbacks import Callbacks
from .orders import Command, ExpectedBLOB, Order
from .subscriptions import Subscriptions
from .tracker import Tracker

__all__ = ["Engine"]

logger = logging.getLogger(__name__)

_LAST_ORDERS = 0.3  # seconds at the end for the server to take what was asked for before


class Engine(IPyClient):
    """Everything but `asyncrun` and what it calls may be used from any thread.

    Args:
        indihost, indiport: the server.
        lowest, highest, doubt: see `Tracker`.

    Attributes:
        subscriptions: who is told of events.
        callbacks: the thread for the program's callbacks.
        orders: what is to be carried out; its `latest` is what was asked for last.
        ended: whether the thread has ended, or is about to: nothing more will come.
    """

    def __init__(self, indihost: str, indiport: int, lowest: float, highest: float, doubt: float) -> None:
        super().__init__(indihost, indiport)
        self.subscriptions = Subscriptions()
        self.callbacks = Callbacks(f"indipyclient-callbacks-{indihost}:{indiport}")
        self.orders: Mailbox[Order] = Mailbox()
        self.ended = False
        self.vector_timeout_min, self.vector_timeout_max = lowest, highest
        self._cause: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tracker = Tracker(self._indi_where, lowest, highest, doubt, self._as_told)
        self._pings = 0

    # -- for any thread -----------------------------------------------------------------------

    def submit(self, order: Order) -> None:
        """Have something carried out.

        Raises:
            ClientClosed, ClientDied: the client has ended.
        """
        try:
            self.orders.put(order)
        except MailboxClosed:
            self.raise_end()

    def finish(self) -> None:
        """End once what was asked for before this has been sent, or soon in any case."""
        self.orders.close()
        if (loop := self._loop) is not None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed in the meantime
                loop.call_soon_threadsafe(loop.call_later, _LAST_ORDERS, self.shutdown)

    def end_error(self) -> INDIError:
        """A new error that says how the client has ended."""
        whose = f"the client of {self._indi_where}"
        if self._cause is None:
            return ClientClosed(f"{whose} {self.how_ended()}")
        error = ClientDied(f"{whose} {self.how_ended()}")
        error.__cause__ = self._cause
        return error

    def how_ended(self) -> str:
        """How the client has ended, in words."""
        cause = self._cause
        return "has been closed" if cause is None else f"died of {type(cause).__name__}: {cause}"

    def raise_end(self) -> NoReturn:
        """Raise what `end_error` returns."""
        raise self.end_error() from self._cause

    def check(self) -> None:
        """Raise what `end_error` returns if the client has ended, or is about to."""
        if self.ended or self.orders.closed:
            self.raise_end()

    # -- the thread ---------------------------------------------------------------------------

    def run(self) -> None:
        """Connect and stay connected until `finish` or `shutdown`; for a thread's target."""
        with ends_with_program(self.finish):
            cause: BaseException | None = None
            try:
                run(self.asyncrun)
            except BaseException as error:
                cause = error
                logger.exception("the client of %s:%s died", self.indihost, self.indiport)
            finally:
                self._end(cause)

    def _end(self, cause: BaseException | None) -> None:
        self._cause, self.ended = cause, True
        self.orders.close()
        for order in self.orders.drain():
            order.fail(self.end_error())
        self._tracker.end(self.end_error)
        self.subscriptions.close(None if cause is None else self.end_error())
        self.callbacks.close()

    async def asyncrun(self) -> None:
        """As `IPyClient.asyncrun`, with orders carried out."""
        self._loop = asyncio.get_running_loop()
        pump = asyncio.create_task(self._carry_out_all())
        pump.add_done_callback(self._indi_on_end)
        try:
            await super().asyncrun()
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
        if not pump.cancelled() and (error := pump.exception()):
            raise error

    async def _carry_out_all(self) -> None:
        async for order in self.orders:
            try:
                await order.carry_out(self)
            except Exception as error:
                order.fail(self.end_error() if self.stop else error)
            except asyncio.CancelledError:
                order.fail(self.end_error())
                raise
            del order
        self.shutdown()

    # -- carrying out ---------------------------------------------------------------------------

    async def send_command(self, command: Command, message: NewVector) -> None:
        """Send a command, and follow what becomes of it."""
        sent = False
        command.doubt.overtaking = self._indi_snap.get_vector_state(*command.key) == "Busy"
        ping = self._barrier(command)

        def now_sent() -> None:
            nonlocal sent
            sent = True
            self._tracker.sent(command)
            self._indi_in_line(partial(self._begin, command))

        try:
            await self._indi_command(message, now_sent, ping)
        except NotConnected:
            if not sent:  # else the loss of the connection is on its way, and ends it
                raise

    def _barrier(self, command: Command) -> PingRequest | None:
        """What is sent before a command so that nothing older is taken for its answer, if the server can.

        Devices report by themselves, and after a stall many such reports may still be on their way.
        """
        if not self._indi_answers_pings:
            return None
        self._pings += 1
        command.barrier = f"before-{self._pings}"
        return PingRequest(command.barrier)

    def _indi_pinged(self, uid: str) -> None:
        if (command := self._tracker.pinged(uid)) is not None:
            self._follow(command)

    def _begin(self, command: Command) -> None:
        """What came in before the command was sent has been handled."""
        if self._tracker.begin(command, self._indi_snap) and not command.barrier:
            self._follow(command)

    def _follow(self, command: Command) -> None:
        """From here on all is newer than the command. Busy once more, as older news may have changed that."""
        command.doubt.begin(self._show(command.key, "Busy"))
        self._publish("State", *command.key, command.stamp)
        command.done_at(self._indi_snap.rev)

    def _as_told(self, command: Command) -> SnapVector | None:
        """The vector of a command, no longer Busy on account of that; None if the connection is gone."""
        if not self._indi_snap.connected:
            return None
        vector = self._show(command.key, command.told)
        self._publish("State", *command.key, command.stamp)
        return vector

    def _show(self, key: tuple[str, str], shown: str) -> SnapVector:
        """The vector, in that state from here on."""
        vector = find_vector(self._indi_snap, *key)
        if vector.state != shown:
            self._indi_snap = state.change_vector(self._indi_snap, vector, state=shown)
            vector = find_vector(self._indi_snap, *key)
        return vector

    async def expect(self, blob: ExpectedBLOB) -> None:
        """Ask for the BLOBs of a vector, and wait for the next one that comes in."""
        if self._indi_blob_mode(*blob.key) == "Never":
            await self.send_enableBLOB("Also", *blob.key)
        self._tracker.sent(blob)
        self._indi_in_line(partial(self._begin_to_expect, blob))

    def _begin_to_expect(self, blob: ExpectedBLOB) -> None:
        self._tracker.expect(blob)
        blob.done_at(self._indi_snap.rev)

    async def rxevent(self, event: Any) -> None:
        """Tell what was asked for, and whoever has subscribed."""
        if isinstance(event, events.ConnectionMade):
            self._indi_ping()
        end = self.stop and isinstance(event, events.ConnectionLost)  # which is not a loss
        if not end and self._tracker.heard(event, self._indi_snap):
            self._show((event.devicename, event.vectorname), "Busy")
        self._publish(event.eventtype, event.devicename, event.vectorname, event.timestamp)

    def _publish(self, eventtype: str, devicename: str | None, vectorname: str | None, stamp: Any) -> None:
        if self.subscriptions:
            self.subscriptions.publish(EventItem(eventtype, devicename, vectorname, stamp, self._indi_snap))
