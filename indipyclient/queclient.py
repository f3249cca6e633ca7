"""The bridge: the asyncio client in a thread, two queues to the program.

    rxque  <- an `EventItem` with a whole snapshot for everything that happens
    txque  -> commands, requests, and None to end the client

Any thread may use the queues. The client's thread never waits for the program: what a full ``rxque``
cannot take waits in a bounded backlog (see `backlog`), and the socket is read, commands are sent and
the client ends all the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timezone
from os import PathLike
from pathlib import Path
from typing import Any

from .bridge.backlog import Backlog, EventItem
from .bridge.lifecycle import ends_with_program, main_thread_ended, run
from .bridge.queues import AnyQueue, Sink, check_queue, make_source
from .errors import INDIError, UnknownDevice, UnknownVector
from .ipyclient import IPyClient
from .protocol.messages import BLOB_MODES

__all__ = ["EventItem", "QueClient", "runqueclient"]

logger = logging.getLogger(__name__)

_LAST_ITEMS = 0.3  # seconds at the end for a slow program to take what waits for it


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

    Attributes:
        rxque_limit: most items that are put into an `rxque` without a bound of its own.
        backlog: what waits for room in `rxque`; ``backlog.folded`` counts what was folded.

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
    ) -> None:
        check_queue("txque", txque)
        check_queue("rxque", rxque)
        super().__init__(indihost, indiport, txque=txque, rxque=rxque)
        self.BLOBfolder = Path(blobfolder) if isinstance(blobfolder, PathLike) else blobfolder
        self.rxque_limit = rxque_limit
        self.backlog = Backlog(backlog_limit)
        self._sink = Sink(rxque, self.backlog, rxque_limit)
        self._commands: deque[Any] = deque()
        self._commanded = asyncio.Event()

    async def rxevent(self, event: Any) -> None:
        """Put the event on `rxque` with the snapshot right after it."""
        self._answer(event.eventtype, event.devicename, event.vectorname, event.timestamp, self._snap)

    async def asyncrun(self) -> None:
        """As `IPyClient.asyncrun`, with both queues attended to.

        Also ends when None comes on `txque`, and when the program ends.
        """
        with ends_with_program(self.shutdown):
            cause: BaseException | None = None
            helpers = self._start_helpers()
            try:
                await super().asyncrun()
                await self._sink.emptied(_LAST_ITEMS)
            except BaseException as error:
                cause = error
                raise
            finally:
                for helper in helpers:
                    helper.cancel()
                await asyncio.gather(*helpers, return_exceptions=True)
                self._sink.close(cause)

    def _start_helpers(self) -> list[asyncio.Task[None]]:
        source = make_source(self.clientdata["txque"])
        runs = (source.run(self._accept), self._sink.run(), self._carry_out_all(), self._end_with_main())
        helpers = [asyncio.create_task(run) for run in runs]
        for helper in helpers:
            helper.add_done_callback(self._on_end)
        return helpers

    async def _end_with_main(self) -> None:
        await main_thread_ended()
        self.shutdown()

    def _accept(self, item: Any) -> None:
        """Called in the loop with each item of `txque`. None is acted on at once, whatever is before it."""
        if item is None:
            self.shutdown()
            self._done()
        elif not self._stop:
            self._commands.append(item)
            self._commanded.set()

    async def _carry_out_all(self) -> None:
        while True:
            await self._commanded.wait()
            self._commanded.clear()
            while self._commands:
                await self._carry_out(self._commands.popleft())

    async def _carry_out(self, item: Any) -> None:
        try:
            devicename, vectorname, value = _parts(item)
            action = self._action(value)
            await action(devicename or None, vectorname or None, value)
        except (INDIError, ValueError, TypeError) as error:
            await self.warning(f"not carried out, txque item {item!r:.100}: {error}")
        except Exception as error:
            logger.exception("a txque item could not be carried out")
            await self.warning(f"not carried out, txque item {item!r:.100}: {error!r}")
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
        raise ValueError(f"{value!r:.60} is neither a request nor a mapping of members to values")

    async def _command(self, devicename: str, vectorname: str, members: Mapping[str, Any]) -> None:
        stamp = datetime.now(timezone.utc)
        await self.command(devicename, vectorname, stamp, members)
        self._answer("State", devicename, vectorname, stamp, self._snap)

    async def _request(self, devicename: str | None, vectorname: str | None, value: str) -> None:
        node: Any = self._snap
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
        txque = self.clientdata["txque"]
        if hasattr(txque, "task_done"):
            txque.task_done()


def _parts(item: Any) -> tuple[Any, Any, Any]:
    """The three parts of a txque item, names checked."""
    if isinstance(item, str) or not hasattr(item, "__len__") or len(item) != 3:
        raise ValueError(f"{item!r:.60} is not (device, vector, value)")
    devicename, vectorname, value = item
    for name in (devicename, vectorname):
        if name is not None and not isinstance(name, str):
            raise ValueError(f"{name!r:.60} is not a name")
    return devicename, vectorname, value


def runqueclient(
    txque: AnyQueue,
    rxque: AnyQueue,
    indihost: str = "localhost",
    indiport: int = 7624,
    blobfolder: str | PathLike[str] | None = None,
) -> None:
    """Make a `QueClient` and run it until None is put on `txque`; for a thread's target.

    Arguments and errors are those of `QueClient`. Blocks; the thread may be a daemon or not.
    """
    run(QueClient(txque, rxque, indihost, indiport, blobfolder).asyncrun)
