"""The synchronous client: plain calls that block, from any thread, with an asyncio client behind them.

    with indipyclient.connect("localhost") as indi:
        indi.wait_for_vector("CCD Simulator", "CONNECTION", timeout=10)
        ccd = indi["CCD Simulator"]
        ccd["CONNECTION"].put(CONNECT="On").result(timeout=10)
        frame = ccd["CCD1"].expect_blob()
        ccd["CCD_EXPOSURE"].put({"CCD_EXPOSURE_VALUE": 1.5})
        image = frame.result(timeout=30).array()

Threads: ``indipyclient-<host>:<port>`` runs the client's event loop and nothing of the program's;
``indipyclient-callbacks-<host>:<port>``, begun when first needed, runs the program's callbacks. Both are
daemons that end with the client.
"""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
import threading
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from numbers import Real
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from .bridge.backlog import EventItem, blob_bytes
from .bridge.lifecycle import in_client_thread
from .bridge.slices import slices
from .display import client_html
from .errors import (
    ClientClosed,
    MailboxClosed,
    NotConnected,
    UnknownName,
    WaitTimeout,
)
from .mailbox import Mailbox
from .state.commands import find_vector
from .state.snapshots import Snap
from .sync.cells import close_earlier, remember
from .sync.engine import Engine
from .sync.handles import DeviceHandle, VectorHandle
from .sync.known import enabled, find_device, no_connection
from .sync.orders import Order
from .sync.outcome import Outcome
from .sync.subscriptions import Filter
from .sync.waiting import wait_for

if TYPE_CHECKING:
    from .protocol import Limits

__all__ = ["SyncClient", "connect"]

logger = logging.getLogger(__name__)

T = TypeVar("T")


def connect(
    host: str = "localhost",
    port: int = 7624,
    *,
    timeout: float | None = 5,
    timeout_min: float = 2,
    timeout_max: float = 3600,
    doubt: float = 2,
    patience: float = 2,
    ssl_context: ssl.SSLContext | None = None,
    limits: Limits | None = None,
) -> SyncClient:
    """Connect to an INDI server; returns once the connection stands.

    The devices of the server come after that: wait for the ones you need. In a notebook, a cell that is run
    again closes the clients that it connected to the same server before.

    Args:
        host: name or address, or the Unix socket of a server on this machine; see docs/frames.md.
        port: its port.
        timeout: seconds for the server to take the connection, tried again and again; None for no limit.
        timeout_min, timeout_max: seconds that bound the time which devices announce for their answers.
        doubt: seconds for which an answer is waited out that may be none; see docs/sync.md.
        patience: seconds that ``indi[name]`` waits for a name that is not known yet.
        ssl_context: with what to speak TLS; see `IPyClient`.
        limits: on what the server may send; None for those of `protocol.Limits`.

    Raises:
        NotConnected: no server has taken the connection in time, and why.
        ValueError: `timeout_min`, `timeout_max` or `doubt` is no number of seconds.
    """
    close_earlier(host, port)
    client = SyncClient(
        host,
        port,
        timeout_min=timeout_min,
        timeout_max=timeout_max,
        doubt=doubt,
        patience=patience,
        ssl_context=ssl_context,
        limits=limits,
    )
    try:
        client.wait_connected(timeout)
    except BaseException:
        client.close()
        raise
    remember(client, host, port)
    return client


class SyncClient(Mapping[str, DeviceHandle]):
    """A client of one INDI server, which connects, stays connected, and comes back after a loss.

    A mapping of device names to `DeviceHandle`, these of vector names to `VectorHandle`, and these of member
    names to their newest typed values. Any thread may use it; what blocks raises `WouldDeadlock` in the
    client's own thread, where there would be nobody to end the waiting.

    ``indi[device]`` and ``indi[device][vector]`` wait `patience` seconds for a name that is not known yet,
    because the definitions of a device follow its connecting by moments, and then raise UnknownDevice
    or UnknownVector with near matches. ``name in indi`` does not wait.

    It ends with `close`, with the ``with`` block, with the program, and when nothing refers to it any more;
    its futures do not, its handles do.

    Args:
        host, port, timeout_min, timeout_max, doubt, patience, ssl_context, limits: as for `connect`.

    Raises:
        ValueError: as `connect`.
    """

    def __init__(
        self,
        host: str = "localhost",
        port: int = 7624,
        *,
        timeout_min: float = 2,
        timeout_max: float = 3600,
        doubt: float = 2,
        patience: float = 2,
        ssl_context: ssl.SSLContext | None = None,
        limits: Limits | None = None,
    ) -> None:
        for name, seconds in {"timeout_min": timeout_min, "timeout_max": timeout_max, "doubt": doubt}.items():
            if not isinstance(seconds, Real) or not seconds >= 0:  # as nan is not
                raise ValueError(f"{name} is a number of seconds, not {seconds!r:.60}")
        self.patience = patience
        self._pid = os.getpid()
        self._engine = Engine(host, port, timeout_min, timeout_max, doubt)
        self._engine.ssl_context = ssl_context
        if limits is not None:
            self._engine.limits = limits
        name = f"indipyclient-{host}:{port}"
        self._thread = threading.Thread(target=self._engine.run, name=name, daemon=True)
        # the exit of the interpreter is taken care of by bridge.lifecycle
        self._finalizer = weakref.finalize(self, _forgotten, self._engine, self._pid)
        self._finalizer.atexit = False
        try:
            self._thread.start()
        except BaseException:  # Ctrl-C, while the thread begins: it would run for nobody
            self._engine.finish()
            raise

    def __enter__(self) -> SyncClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        engine = self._engine
        return f"<SyncClient {engine._indi_where} {self._how()}, {len(enabled(engine.snapshot()))} devices>"

    def _how(self) -> str:
        """What it does, in words."""
        engine = self._engine
        if engine.ended:
            return engine.how_ended()
        if not self.running:
            return "is closing"
        return "connected" if engine.connected else "not connected"

    def _repr_html_(self) -> str:
        return client_html(self._engine.snapshot(), self._how())

    def _ipython_key_completions_(self) -> list[str]:
        return enabled(self._engine.snapshot())

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    # -- the state ------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether it has not ended, and was not told to."""
        return not (self._engine.ended or self._engine.orders.closed) and os.getpid() == self._pid

    @property
    def connected(self) -> bool:
        """Whether there is a connection now. Never blocks."""
        return self._engine.connected

    @property
    def callback_errors(self) -> int:
        """How many times a callback of the program has raised an exception; each was logged."""
        return self._engine.callbacks.errors

    def snapshot(self) -> Snap:
        """Everything known, as it is now: immutable, and free at any size. Never blocks.

        Raises:
            ClientClosed, ClientDied: the client has ended.
        """
        self._check()
        return self._engine.snapshot()

    def __getitem__(self, name: str) -> DeviceHandle:
        self._known(lambda snap: find_device(snap, name))
        return DeviceHandle(self, name)

    def __contains__(self, name: object) -> bool:
        return name in enabled(self.snapshot())

    def __iter__(self) -> Iterator[str]:
        return iter(enabled(self.snapshot()))

    def __len__(self) -> int:
        return len(enabled(self.snapshot()))

    def get(self, name: str, default: Any = None) -> Any:
        """As ``self[name]``, but without waiting: `default` if it is not known now."""
        return self[name] if name in self else default  # noqa: SIM401 - it would call itself

    # -- waiting --------------------------------------------------------------------------------

    def wait_connected(self, timeout: float | None) -> None:
        """Wait until there is a connection.

        Args:
            timeout: seconds; None for no limit.

        Raises:
            NotConnected: there is none in time, and why.
        """
        engine = self._engine
        try:
            self._wait(lambda snap: snap.connected, timeout, lambda: "")
        except WaitTimeout:
            fault = engine._indi_fault
            why = "it does not answer" if fault is None else f"{fault}"
            text = f"no INDI server at {engine._indi_where} within {timeout:g} s: {why}"
            raise NotConnected(text) from fault

    def wait_for(self, predicate: Callable[[Snap], object], timeout: float | None) -> Snap:
        """Wait until `predicate` holds of a snapshot; return that snapshot.

        It is asked of the present snapshot and of every one that comes, in this thread. Commands that were
        given before are sent first, so no state from before them counts. Ctrl-C interrupts the waiting,
        and only that.

        Args:
            predicate: takes a snapshot. A KeyError in it, for what is not known yet, means "not yet".
            timeout: seconds; None for no limit.

        Raises:
            WaitTimeout: it did not hold in time; the text says what was missing.
            WouldDeadlock: it would have to wait, and this is a client's own thread.
            ClientClosed, ClientDied: the client has ended.
        """
        return self._wait(predicate, timeout, lambda: "what was waited for did not hold")

    def wait_for_device(self, name: str, timeout: float | None) -> DeviceHandle:
        """Wait until a device is known; return its handle. Arguments and errors are those of `wait_for`."""
        self._wait(lambda snap: find_device(snap, name) is not None, timeout, lambda: "not known")
        return DeviceHandle(self, name)

    def wait_for_vector(self, device: str, vector: str, timeout: float | None) -> VectorHandle:
        """Wait until a vector is known; return its handle. Arguments and errors are those of `wait_for`."""
        self._wait(lambda snap: find_vector(snap, device, vector) is not None, timeout, lambda: "not known")
        return VectorHandle(self, device, vector)

    def _wait(self, holds: Callable[[Snap], object], timeout: float | None, what: Callable[[], str]) -> Snap:
        self._check()
        try:
            return wait_for(self._engine, holds, timeout, what)
        except MailboxClosed:
            self._engine.raise_end()

    def _known(self, find: Callable[[Snap], object]) -> None:
        """Return once `find` raises no UnknownName; after `patience` seconds raise that."""
        try:
            find(self.snapshot())
        except UnknownName:
            if in_client_thread():
                raise
            with contextlib.suppress(WaitTimeout):
                self._wait(lambda snap: find(snap) or True, self.patience, lambda: "")
            snap = self.snapshot()
            if not snap.connected:
                raise no_connection(self._engine._indi_where) from None
            find(snap)

    # -- being told -----------------------------------------------------------------------------

    def subscribe(
        self,
        device: str | None = None,
        vector: str | None = None,
        member: str | None = None,
        kinds: str | Collection[str] | None = None,
        *,
        keep: int | None = 10_000,
        blob_limit: int = 256 << 20,
    ) -> Mailbox[EventItem]:
        """Have everything that happens from now on put in a mailbox, or what is wanted of it.

        The client holds the mailbox weakly: it is a subscription as long as you keep it and do not close it.

        Args:
            device, vector: what it is about; None for all.
            member: of updates of a vector, only those that name this member.
            kinds: a word of `EventItem.eventtype`, or several; None for all.
            keep: how many items are kept for a program that is slow, the newest; 1 is "only the latest",
                None is without a bound. What was dropped is counted in ``dropped`` of the mailbox.
            blob_limit: how many bytes of frames are kept, likewise.

        Raises:
            InvalidValue: a word of `kinds` is none, or there is a member without a vector.
            ClientClosed, ClientDied: the client has ended.
        """
        self._check()
        wanted = Filter(device, vector, member, kinds)
        box: Mailbox[EventItem] = Mailbox(keep, weigh=blob_bytes, most=blob_limit)
        try:
            self._engine.subscriptions.add(box, wanted)
        except MailboxClosed:
            self._engine.raise_end()
        return box

    def on_change(
        self,
        callback: Callable[[EventItem], object],
        device: str | None = None,
        vector: str | None = None,
        member: str | None = None,
        kinds: str | Collection[str] | None = None,
        *,
        keep: int | None = 10_000,
        blob_limit: int = 256 << 20,
    ) -> Mailbox[EventItem]:
        """Have `callback(item)` called for what happens from now on, or what is wanted of it.

        Callbacks run one after the other in a thread of their own, where they may block, wait and command.
        What they raise is logged and counted in `callback_errors`.

        Args:
            callback: called with an `EventItem`.
            device, vector, member, kinds, keep, blob_limit: as for `subscribe`.

        Returns:
            The mailbox in which items wait for the callback; ``close()`` ends the calls. It need not be kept.

        Raises:
            ClientClosed, ClientDied: the client has ended.
        """
        box = self.subscribe(device, vector, member, kinds, keep=keep, blob_limit=blob_limit)
        self._engine.callbacks.serve(box, callback)
        return box

    # -- the end --------------------------------------------------------------------------------

    def close(self, timeout: float = 5) -> None:
        """End the connection and the threads. Any thread may call it, any number of times.

        Commands given before this are sent, if the server takes them at once; whoever still waits gets
        `ClientClosed`. Returns after `timeout` seconds in any case. In the client's own threads it does
        not wait.
        """
        if os.getpid() != self._pid:
            return
        self._engine.finish()
        if in_client_thread():
            return
        for seconds in slices(timeout):
            self._thread.join(seconds)
            if not self._thread.is_alive():
                break
        else:
            logger.warning("the thread %s has not ended within %g s", self._thread.name, timeout)
        self._engine.callbacks.join(timeout)

    # -- for handles ------------------------------------------------------------------------------

    def _check(self) -> None:
        """Raise if this client is of no use any more."""
        if os.getpid() != self._pid:
            raise ClientClosed("a client does not live on in a forked process: connect again there")
        self._engine.check()

    def _submit(self, order: Order) -> None:
        self._check()
        self._engine.submit(order)

    def _outcome(self, what: str) -> Outcome[Any]:
        return Outcome(what, self._engine.callbacks)


def _forgotten(engine: Engine, pid: int) -> None:
    """Nothing refers to the client any more."""
    if os.getpid() == pid:
        engine.finish()
