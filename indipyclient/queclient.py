"""The bridge: the asyncio client in a thread, two queues to the program.

    rxque  <- an `EventItem` with a whole snapshot for everything that happens
    txque  -> commands, requests, and None to end the client

Any thread may use the queues. The client's thread never waits for the program: what a full ``rxque``
cannot take waits in a bounded backlog (see `backlog`), and the socket is read, commands are sent and
the client ends all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import reprlib
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timezone
from os import PathLike
from pathlib import Path
from typing import Any

from .bridge.backlog import Backlog, EventItem
from .bridge.lifecycle import ends_with_program, main_thread_ended, run
from .bridge.queues import AnyQueue, check_queue
from .bridge.sink import Sink
from .bridge.sources import make_source
from .errors import INDIError, UnknownDevice, UnknownVector
from .ipyclient import IPyClient
from .protocol.messages import BLOB_MODES

__all__ = ["EventItem", "QueClient", "runqueclient"]

logger = logging.getLogger(__name__)

_new = tuple.__new__  # the constructor of a named tuple, without the call through Python

_LAST_COMMANDS = 0.3  # seconds at the end for the server to take what was commanded before
_TURN = 32  # commands carried out before the loop gets its turn
_LAST_ITEMS = 0.3  # seconds after it for a slow program to take what waits for it


class QueClient(IPyClient):
    """An `IPyClient` that is used through two queues.

    On `txque` the program puts ``None``, which ends the client, or a sequence of three:

    | item                                        | effect                        | answer on rxque          |
    |---------------------------------------------|-------------------------------|--------------------------|
    | (None, None, "snapshot")                    |                               | "snapshot" with a `Snap` |
    | (device, None or vector, "snapshot")        |                               | "snapshot" with the node |
    | (device or None, vector or None, "Get")     | asks for definitions          | what the server says     |
    | (device, vector or None, "Never"/"Also"/"Only") | chooses BLOBs             |                          |
    | (device, vector, {member: value, ...})      | commands new values           | "State" once it is sent  |

    An item that cannot be carried out, whatever it is, is logged and answered by a ``"Message"``
    item that says what was wrong, and the next one follows.

    Args:
        txque, rxque: Mailbox, queue.Queue, queue.SimpleQueue, asyncio.Queue (of the loop that runs
            the client) or collections.deque, in any combination. A Mailbox that is `rxque` is
            closed when the client ends, one that is `txque` ends it by being closed.
        indihost, indiport: the server.
        blobfolder: folder into which every BLOB received is written, or None.
        rxque_limit, backlog_limit: most items that are put into an `rxque` without a bound of its
            own, and that wait for room in it before folding begins.
        rxque_blobs, backlog_blobs: most bytes of BLOBs in each of them, likewise; see `backlog`.

    Attributes:
        backlog: what waits for room in `rxque`. ``len(backlog)``, and how many items have been
            folded, ``backlog.folded``, may be read from any thread.

    Raises:
        TypeError: a queue is none of these.
        KeyError: `blobfolder` is not a folder.
    """

    def __init__(
        self,
        txque: AnyQueue,
        rxque: AnyQueue,
        indihost: str = "localhost",
        indiport: int = 7624,
        blobfolder: str | PathLike[str] | None = None,
        *,
        rxque_limit: int = 10_000,
        backlog_limit: int = 10_000,
        rxque_blobs: int = 256 << 20,
        backlog_blobs: int = 256 << 20,
    ) -> None:
        check_queue("txque", txque)
        check_queue("rxque", rxque)
        super().__init__(indihost, indiport, txque=txque, rxque=rxque)
        self.BLOBfolder = Path(blobfolder) if isinstance(blobfolder, PathLike) else blobfolder
        self.backlog = Backlog(backlog_limit, backlog_blobs)
        self._sink = Sink(rxque, self.backlog, rxque_limit, rxque_blobs)
        self._commands: deque[Any] = deque()
        self._commanded = asyncio.Event()
        self._ending: asyncio.TimerHandle | None = None  # set once the end of the commands has come

    async def rxevent(self, event: Any) -> None:
        """Put the event on `rxque` with the snapshot right after it."""
        item = _new(
            EventItem,
            (event.eventtype, event.devicename, event.vectorname, event.timestamp, self._indi_snap),
        )
        self._sink.one_frame = self.newest_frames_only
        if self.newest_frames_only and event.eventtype == "SetBLOB":
            self.frames_skipped += self.backlog.skip_frames(item)
        self._sink.put(item)

    async def asyncrun(self) -> None:
        """As `IPyClient.asyncrun`, with both queues attended to.

        Also ends when None comes on `txque`, when that is closed, and when the program ends.

        Raises:
            Exception: whatever a queue raises that cannot be used, such as one of another loop.
        """
        with ends_with_program(self.shutdown):
            cause: BaseException | None = None
            helpers = self._start_helpers()
            try:
                await super().asyncrun()
                await self._sink.emptied(_LAST_ITEMS)
                _raise_failure(helpers)
            except BaseException as error:
                # From Python 3.12 on no thread can be started once the main thread has ended: no news then.
                if threading.main_thread().is_alive() or not isinstance(error, RuntimeError):
                    cause = error
                    raise
            finally:
                for helper in helpers:
                    helper.cancel()
                await asyncio.gather(*helpers, return_exceptions=True)
                self._abandon_commands()
                self._sink.close(cause)

    def _start_helpers(self) -> list[asyncio.Task[None]]:
        self._commanded = asyncio.Event()  # of this loop, as the client may run again in another
        runs = (self._take_commands(), self._sink.run(), self._carry_out_all(), self._end_with_main())
        helpers = [asyncio.create_task(run) for run in runs]
        for helper in helpers:
            helper.add_done_callback(self._indi_on_end)
        return helpers

    async def _end_with_main(self) -> None:
        await main_thread_ended()
        self.shutdown()

    async def _take_commands(self) -> None:
        await make_source(self.clientdata["txque"]).run(self._accept)
        self._end_after_commands()

    def _accept(self, item: Any) -> None:
        """Called in the loop with each item of `txque`."""
        if item is None or self._ending is not None:
            self._done()
            self._end_after_commands()
        else:
            self._commands.append(item)
            self._commanded.set()

    def _end_after_commands(self) -> None:
        """End the client once what was put before this is carried out, or soon in any case."""
        if self._ending is None:
            self._ending = asyncio.get_running_loop().call_later(_LAST_COMMANDS, self.shutdown)
            self._commands.append(None)
            self._commanded.set()

    async def _carry_out_all(self) -> None:
        carried_out = 0
        while True:
            await self._commanded.wait()
            self._commanded.clear()
            while self._commands:
                if (item := self._commands.popleft()) is None:
                    self.shutdown()
                else:
                    await self._carry_out(item)
                    del item  # what the program put must not be held until it puts something else
                    carried_out += 1
                    if carried_out % _TURN == 0:
                        await asyncio.sleep(0)  # answers are to be read while there are more to carry out

    def _abandon_commands(self) -> None:
        """Nothing more is carried out; nobody shall wait for it in ``txque.join()``."""
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        while self._commands:
            if self._commands.popleft() is not None:
                self._done()

    async def _carry_out(self, item: Any) -> None:
        try:
            devicename, vectorname, value = _parts(item)
            action = self._action(value)
            await action(devicename or None, vectorname or None, value)
        except (INDIError, ValueError, TypeError) as error:
            await self.warning(f"not carried out, txque item {_shown(item)}: {error!s:.500}")
        except Exception as error:
            logger.exception("a txque item could not be carried out")
            await self.warning(f"not carried out, txque item {_shown(item)}: {_shown(error)}")
        finally:
            self._done()

    def _action(self, value: Any) -> Callable[[Any, Any, Any], Awaitable[None]]:
        if isinstance(value, Mapping):
            return self._command
        if isinstance(value, str):
            if value == "snapshot":
                return self._request
            if value == "Get":
                return self._get
            if value in BLOB_MODES:
                return self._enable_blob
        raise ValueError(f"{_shown(value)} is neither a request nor a mapping of members to values")

    async def _command(self, devicename: str, vectorname: str, members: Mapping[str, Any]) -> None:
        stamp = datetime.now(timezone.utc)
        await IPyClient.command(self, devicename, vectorname, stamp, members)
        self._answer("State", devicename, vectorname, stamp, self._indi_snap)

    async def _request(self, devicename: str | None, vectorname: str | None, value: str) -> None:
        node: Any = self._indi_snap
        if devicename is not None:
            if devicename not in node:
                raise UnknownDevice("device", devicename, node)
            node = node[devicename]
            if vectorname is not None:
                if vectorname not in node:
                    raise UnknownVector(f"vector of {devicename!r}", vectorname, node)
                node = node[vectorname]
        self._answer("snapshot", devicename, vectorname if devicename else None, None, node)

    async def _get(self, devicename: str | None, vectorname: str | None, value: str) -> None:
        await self.send_getProperties(devicename, vectorname)

    async def _enable_blob(self, devicename: str | None, vectorname: str | None, mode: str) -> None:
        if devicename is None:
            raise ValueError(f"{mode!r} is for a device, and none is given")
        await self.send_enableBLOB(mode, devicename, vectorname)

    def _answer(
        self, eventtype: str, devicename: str | None, vectorname: str | None, timestamp: Any, node: Any
    ) -> None:
        self._sink.put(EventItem(eventtype, devicename, vectorname, timestamp, node))

    def _done(self) -> None:
        """Tell the queue that an item of it is done with, for programs that wait in ``txque.join()``."""
        if (task_done := getattr(self.clientdata["txque"], "task_done", None)) is not None:
            with contextlib.suppress(ValueError):  # the program has emptied the queue and reset its count
                task_done()


def _raise_failure(helpers: list[asyncio.Task[None]]) -> None:
    for helper in helpers:
        if helper.done() and not helper.cancelled() and (error := helper.exception()):
            raise error


def _parts(item: Any) -> tuple[Any, Any, Any]:
    """The three parts of a txque item, names checked."""
    if isinstance(item, str) or not hasattr(item, "__len__") or len(item) != 3:
        raise ValueError(f"{_shown(item)} is not (device, vector, value)")
    devicename, vectorname, value = item
    for name in (devicename, vectorname):
        if name is not None and not isinstance(name, str):
            raise ValueError(f"{_shown(name)} is not a name")
    return devicename, vectorname, value


class _Short(reprlib.Repr):
    """Shows whatever a program may have put on a queue: in short, and also what has no working repr."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 60

    def repr_bytes(self, content: bytes, level: int) -> str:
        """As a str; the repr of a whole frame would take seconds."""
        return repr(content[: self.maxother]) + " ..." * (len(content) > self.maxother)


_shown = _Short().repr


def runqueclient(
    txque: AnyQueue,
    rxque: AnyQueue,
    indihost: str = "localhost",
    indiport: int = 7624,
    blobfolder: str | PathLike[str] | None = None,
) -> None:
    """Make a `QueClient` and run it until None is put on `txque`; for a thread's target.

    Arguments and errors are those of `QueClient` and its `asyncrun`. Blocks; the thread may be a
    daemon or not.
    """
    run(QueClient(txque, rxque, indihost, indiport, blobfolder).asyncrun)
