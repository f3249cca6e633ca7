"""The asyncio client: keeps the state up to date and tells the program through `rxevent`.

    link (transport) --messages--> inbox --_handle--> state --event--> rxevent
    send_... --check against the state--> link

Everything here runs in the one event loop that runs `asyncrun`, except where a docstring says that
any thread may call it. Events are handled one at a time, in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import xml.etree.ElementTree as ET
from collections import UserDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, NamedTuple, TypeAlias

from . import events
from .client.answers import Answers
from .client.blobchoice import BLOBChoice
from .client.frames import Frames, Prepared, supersedes
from .client.inbox import Inbox
from .client.keeper import Keeper
from .client.throttle import Throttle, Verdict
from .client.wirelog import WireLog
from .errors import INDIError, InvalidValue, NotConnected
from .live.devices import Device, _ParentDevice
from .live.views import MessageLog, ParseException
from .net.address import server_name
from .net.blobline import BLOBLine, without_blobs
from .net.dial import Endpoint
from .net.link import Asked, Attempting, Failed, Link, Lost, Made, News, Retrying, Timing
from .offload import offload
from .propertyvectors import BLOBVector
from .protocol import (
    BLOBProgress,
    DefMember,
    DefVector,
    DelProperty,
    DeviceMessage,
    EnableBLOB,
    GetProperties,
    Limits,
    Malformed,
    Message,
    NewVector,
    OneBLOB,
    OneMember,
    PingReply,
    PingRequest,
    SetVector,
    encode,
    encode_pieces,
)
from .protocol.messages import BLOB_MODES, OneMembers
from .state import apply as state
from .state.commands import find_vector, new_vector
from .state.snapshots import Messages, Snap, SnapDevice
from .state.vectors import SnapVector

__all__ = [
    "DEFTAGS",
    "Device",
    "IPyClient",
    "ParseException",
    "Snap",
    "SnapDevice",
    "_ParentDevice",
    "events",
    "logger",
]

logger = logging.getLogger(__name__)

DEFTAGS = ("defSwitchVector", "defLightVector", "defTextVector", "defNumberVector", "defBLOBVector")


class _Notice(NamedTuple):
    """A text of the client's own."""

    text: str


class _Heavy(NamedTuple):
    """A message that takes much memory while it waits, though there is no BLOB in it."""

    message: Message
    weight: int


class _TimedOut(NamedTuple):
    """A command was not answered in time."""

    device: str
    name: str


class _Call(NamedTuple):
    """Something to be called in its turn."""

    function: Callable[[], None]


_Item: TypeAlias = Message | News | _Notice | _TimedOut | _Heavy | _Call | events.ClientEvent | None
_FROM_SERVER = (SetVector, DefVector, DelProperty, DeviceMessage, GetProperties, BLOBProgress)
_LOCAL = (Lost, _Notice, events.ClientEvent)

# Reading pauses above the first and goes on below the second number of what waits for rxevent (or, as
# BLOBs are saved before that, for the disk): messages, and bytes in those that have many of them. The loop
# has to get its turn, when that is looked at, while there are fewer messages than the second.
_BEHIND, _CAUGHT_UP = 2000, 500
_BLOBS_BEHIND, _BLOBS_CAUGHT_UP = 256 << 20, 128 << 20
_PER_MEMBER = 200  # bytes of names and the like
_LIGHT = 1 << 16  # bytes that a message may have without being one of those
_TURN = 64  # messages handled before the loop gets its turn; fewer than _CAUGHT_UP


class _Ears(NamedTuple):
    """What a link tells, without names of its own on the client, which programs subclass."""

    tell: Callable[[News], None]
    messages_received: Callable[[list[Message]], None]
    knows_something: Callable[[], bool]


class IPyClient(UserDict[str, Device]):
    """An INDI client: a mapping of device names to live devices.

    Override `rxevent` to be told what happens and `hardware` to have something run beside it, then
    await `asyncrun`, which connects, reconnects, and returns after `shutdown`.

    Args:
        indihost: name or address of the server, or its Unix socket; see `net.address`.
        indiport: its port.
        clientdata: kept as the dictionary `clientdata` for the program.

    Attributes:
        timing: the times of the connection; see `Timing`. A new one counts from then on.
        limits: on what the server may send; see `protocol.Limits`. New ones count from then on, and
            those on the parts of one element from the next connection on.
        enable_reports: whether `report` makes a Message event.
        resend_enableBLOB_on_def: whether each definition of a BLOB vector is answered with the
            ``enableBLOB`` chosen for it.
        timeout_enable: whether commands that are not answered make a VectorTimeOut event.
        vector_timeout_min, vector_timeout_max: seconds between which the time that the server
            announced for a vector is taken.
        ssl_context: with what to speak TLS to the server, such as ``ssl.create_default_context()``, or None
            for plain text. INDI servers have no TLS: it is for a proxy before them. A server that
            cannot prove to be `indihost` is not connected to. Read when `asyncrun` starts.
        separate_blobs: whether BLOBs come on a second connection, so that nothing else waits behind
            a frame. Read when `asyncrun` starts.
        newest_frames_only: whether a frame that still waits for the program is dropped when the
            next one of its vector comes.
        frames_skipped: how many frames were dropped so; any thread may read it.
        stopped: an asyncio.Event, set while `asyncrun` does not run after it has run.
    """

    # here, as programs may set them before they call `__init__`
    limits: Limits = Limits()
    timing: Timing

    def __init__(self, indihost: str = "localhost", indiport: int = 7624, **clientdata: Any) -> None:
        super().__init__()
        self.indihost = indihost
        self.indiport = indiport
        self.clientdata = clientdata
        self.__default_timing = Timing()
        if not hasattr(self, "timing"):
            self.timing = self.__default_timing
        self.enable_reports = True
        self.resend_enableBLOB_on_def = True
        self.timeout_enable = True
        self.ssl_context: ssl.SSLContext | None = None
        self.separate_blobs = False
        self.newest_frames_only = False
        self.frames_skipped = 0
        self._indi_fault: Exception | None = None  # of the last attempt to connect, or of the connection
        self.vector_timeout_min: float = 2
        self.vector_timeout_max: float = 3600
        self.user_string_dict: dict[tuple[str, str | None, str | None], str] = {}
        self.stopped = asyncio.Event()
        self._stop = False
        self._itemid = 0
        self.__keeper = Keeper(Snap(indihost, int(indiport)), self.data, self.__new_device, self.__identify)
        self.__answers = Answers(lambda *names: self.__inbox.put(_TimedOut(*names)))
        self.__blob_choice = BLOBChoice()
        self.__frames = Frames()
        self.__messages_told, self.__faults_told = Throttle(), Throttle()
        self._enableBLOBdefault = "Never"
        self._BLOBfolder: Path | None = None
        self.__wirelog = WireLog(logger)
        self.__inbox: Inbox[_Item] = Inbox()
        self.__blobs_waiting = 0  # bytes of BLOBs in it
        self.__link: Link | None = None
        self.__blob_line: BLOBLine | None = None
        self.__loop: asyncio.AbstractEventLoop | None = None
        self.__stopping = asyncio.Event()

    def __repr__(self) -> str:
        how = "connected" if self.connected else "not connected"
        return f"<{type(self).__name__} {self._indi_where} {how}, {len(self)} devices>"

    def __setitem__(self, devicename: str, device: Any) -> None:
        raise KeyError(f"devices come from the server; {devicename!r} cannot be assigned")

    def __delitem__(self, devicename: str) -> None:
        """Forget a device until the server defines it again, in snapshots too. For the client's loop."""
        self.__keeper.forget_device(devicename)

    __hash__ = object.__hash__

    # -- for the program to override ----------------------------------------------------------

    async def rxevent(self, event: Any) -> None:
        """Override this to be told of each event; the state has already changed.

        Awaited for one event at a time. An exception is logged and the next event follows. While
        it takes its time, the client goes on reading and answering the server, up to a bound.
        """

    async def hardware(self) -> None:
        """Override this to run something beside the client; loop until ``self._stop`` is True.

        An exception ends `asyncrun` and is raised there.
        """

    def create_itemid(
        self, devicename: str = "", vectorname: str = "", membername: str = "", **kwargs: Any
    ) -> int:
        """Override this to number devices, vectors and members differently; called for each new one."""
        self._itemid += 1
        return self._itemid

    # -- running ------------------------------------------------------------------------------

    async def asyncrun(self) -> None:
        """Connect, stay connected and handle events until `shutdown`, from any thread, ends it.

        Ends within a second of that, whatever the server does. Cancelling it is another way to end
        it; either way the program gets its ConnectionLost. It may be run again afterwards.

        Raises:
            Exception: whatever `hardware` raises.
        """
        if self.stopped.is_set():  # the shutdown of the run before is done with
            self._stop = False
        self.stopped.clear()
        self.__inbox, self.__blobs_waiting, self.__stopping = Inbox(), 0, asyncio.Event()
        self.__loop = asyncio.get_running_loop()
        if self._stop:  # in this order, as `shutdown` sets it and then looks for the loop
            self.__stopping.set()
        links = self.__make_links()
        comms = [asyncio.create_task(link.run()) for link in links]
        dispatch, hardware = asyncio.create_task(self.__dispatch()), asyncio.create_task(self.hardware())
        tasks = [*comms, dispatch, hardware]
        for task in tasks:
            task.add_done_callback(self._indi_on_end)
        try:
            await self.__stopping.wait()
        finally:
            self._stop = True
            try:
                await self.__finish(links, comms, dispatch, hardware)
            finally:
                self.__loop = self.__link = self.__blob_line = None
                self.stopped.set()
        for task in tasks:
            if not task.cancelled() and (error := task.exception()):
                raise error

    def __make_links(self) -> list[Link]:
        """The connection, and the one for BLOBs if that is wanted."""
        for name, kind in (("timing", Timing), ("limits", Limits)):
            if not isinstance(getattr(self, name), kind):
                logger.warning("%s is no %s, so it is the program's own: defaults hold", name, kind.__name__)
        endpoint = Endpoint(self.indihost, int(self.indiport), self.ssl_context)
        where = (endpoint, self.__times, self.__bounds)
        ears = _Ears(self.__tell_news, self.__messages_received, self.__knows_something)
        self.__link = Link(ears, *where)
        if not self.separate_blobs:
            return [self.__link]
        self.__blob_line = BLOBLine(self.__take, self.__blob_line_failed, *where)
        return [self.__link, self.__blob_line.link]

    def shutdown(self) -> None:
        """Make `asyncrun` end. Any thread may call it, at any time: before the run it ends that at once."""
        if self.stopped.is_set():
            return  # it has ended already
        self._stop = True
        if (loop := self.__loop) is not None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed in the meantime
                loop.call_soon_threadsafe(self.__stopping.set)

    def _indi_on_end(self, task: asyncio.Task[None]) -> None:
        """A task of the run that fails ends the run."""
        if not task.cancelled() and task.exception() is not None:
            self.__stopping.set()

    async def __finish(
        self,
        links: list[Link],
        comms: list[asyncio.Task[None]],
        dispatch: asyncio.Task[None],
        hardware: asyncio.Task[None],
    ) -> None:
        """End the tasks: the connection first, so that its end is still told."""
        await _end_tasks(comms, 0)
        await asyncio.gather(*(link.close(0.2) for link in links))
        self.__inbox.put(None)
        await _end_tasks([dispatch], 0.2)
        # in case the program kept dispatch from getting there
        self.__answers.forget()
        self.__keeper.connected(False)
        await _end_tasks([hardware], _HARDWARE_GRACE)

    async def __dispatch(self) -> None:
        """Handle what comes through the inbox, in order, until None does.

        Nearly all of it is updates: these are handled here, without a call for each step.
        """
        items, keeper, wirelog = self.__inbox.items, self.__keeper, self.__wirelog
        turn = 0
        while True:
            if not items:
                await self.__inbox.filled()
            if (item := items.popleft()) is None:
                return
            if self._stop and not isinstance(item, _LOCAL):
                continue
            try:
                if type(item) is not SetVector or item.kind == "BLOB":
                    await self.__handle(item)
                elif (event := keeper.update(item, item.timestamp or datetime.now(timezone.utc))) is not None:
                    self.__answers.arrived(event.devicename, event.vectorname)
                    try:
                        await self.rxevent(event)
                    except (Exception, asyncio.CancelledError):
                        _log_fault(event)
                    wirelog.received(item)
            except Exception:
                logger.exception("a message could not be handled")
            turn += 1
            if turn % _TURN == 0:
                self.__read_on()
                await asyncio.sleep(0)

    # -- what a link tells its owner ----------------------------------------------------------

    def __tell_news(self, news: News) -> None:
        """Called by the link."""
        self.__inbox.put(news)

    def __messages_received(self, messages: list[Message]) -> None:
        """Called by the link."""
        self.__take(messages if self.__blob_line is None else without_blobs(messages))

    def __take(self, messages: list[Message]) -> None:
        """Put what the server sent in line; read no more if too much waits."""
        for place, message in enumerate(messages):
            if type(message) is SetVector and type(message.members) is OneMembers:
                continue  # a plain update, which is short
            self.__blobs_waiting += _blob_bytes(message)
            if (weight := _weight(message)) > _LIGHT:
                messages[place] = _Heavy(message, weight)  # type: ignore[call-overload]
                self.__blobs_waiting += weight
        if self.newest_frames_only:
            for message in messages:
                self.__skip_frames(message)
                self.__inbox.put(message)
        else:
            self.__inbox.put_all(messages)
        if len(self.__inbox) > _BEHIND or self.__blobs_waiting > _BLOBS_BEHIND:
            self.__pause_reading(True)

    def __skip_frames(self, message: Message) -> None:
        """Drop what waits and is old news once `message` has come."""
        for old in self.__inbox.drop(partial(supersedes, message)) if _blob_bytes(message) else ():
            assert isinstance(old, SetVector)
            self.__blobs_waiting -= _blob_bytes(old)
            self.frames_skipped += 1

    def __blob_line_failed(self) -> None:
        """Called by the second connection."""
        text = f"The connection for BLOBs to {self._indi_where} failed, re-trying..."
        logger.warning(text)
        self.__inbox.put(_Notice(text))

    def __knows_something(self) -> bool:
        """Called by the link."""
        return bool(self.data)

    def __read_on(self) -> None:
        """Go on reading if there is little left to be handled."""
        if len(self.__inbox) < _CAUGHT_UP and self.__blobs_waiting < _BLOBS_CAUGHT_UP:
            self.__pause_reading(False)

    def __pause_reading(self, paused: bool) -> None:
        if self.__link is not None:
            self.__link.pause(paused)
        if self.__blob_line is not None:
            self.__blob_line.link.pause(paused)

    # -- from items to events -----------------------------------------------------------------

    async def _indi_deliver(self, item: _Item) -> None:
        """Put something of the client's own in line, or handle it now if nothing runs."""
        if self.__loop is None:
            await self.__handle(item)
        else:
            self.__inbox.put(item)

    async def __handle(self, item: _Item) -> None:
        """Change the state by one item and tell the program."""
        handler = self._HANDLERS.get(type(item))
        if handler is not None:
            await handler(self, item)
        elif isinstance(item, _FROM_SERVER):
            await self.__on_message(item)

    async def __tell(self, event: Any) -> None:
        """Hand an event to the program, whose faults must not stop the client.

        Nor does it when `rxevent` is cancelled: by the program, in what it awaits, or to end it.
        """
        try:
            await self.rxevent(event)
        except (Exception, asyncio.CancelledError):
            _log_fault(event)

    async def __on_message(self, message: Message) -> None:
        now = datetime.now(timezone.utc)
        filenames = None
        if isinstance(message, DefVector) and (refusal := self.__keeper.refusal(message, self.__bounds())):
            await self.__complain(refusal)
            return
        if isinstance(message, SetVector) and message.kind == "BLOB":
            self.__blobs_waiting -= _blob_bytes(message)
            message, filenames, _ = await self.__prepare(message, now)
            self.__read_on()
        event = self.__keeper.absorb(message, now, filenames)
        if event is None:
            return
        if event.vectorname is not None:
            self.__answers.arrived(event.devicename or "", event.vectorname)
        await self.__tell(event)
        if isinstance(event, events.defBLOBVector) and self.resend_enableBLOB_on_def:
            await self.resend_enableBLOB(event.devicename or "", event.vectorname)
        self.__wirelog.received(message)

    async def __on_heavy(self, heavy: _Heavy) -> None:
        self.__blobs_waiting -= heavy.weight
        self.__read_on()
        await self.__handle(heavy.message)

    async def __on_ping_reply(self, message: PingReply) -> None:
        self._indi_pinged(message.uid)

    async def __on_malformed(self, message: Malformed) -> None:
        await self.__complain(message.reason)

    async def __on_device_message(self, message: DeviceMessage) -> None:
        limit = self.__bounds().messages
        verdict = self.__messages_told.judge(monotonic(), limit)
        if verdict is Verdict.TELL:
            await self.__on_message(message)
        elif verdict is Verdict.TELL_LIMIT:
            await self.__complain(f"more than {limit} messages came in a second: some are left out")

    async def __complain(self, fault: str) -> None:
        """Tell of something wrong with what the server sent, unless there is too much of that."""
        limit = self.__bounds().faults
        verdict = self.__faults_told.judge(monotonic(), limit)
        if verdict is Verdict.TELL:
            await self.__warn(fault)
        elif verdict is Verdict.TELL_LIMIT:
            await self.__warn(f"more than {limit} faults in a second: some are left out")

    async def __on_notice(self, notice: _Notice) -> None:
        await self.__tell(self.__keeper.notice(notice.text, datetime.now(timezone.utc)))

    def _indi_in_line(self, function: Callable[[], None]) -> None:
        """Have a function called in the loop once everything that has come in so far is handled."""
        self.__inbox.put(_Call(function))

    async def __on_call(self, item: _Call) -> None:
        item.function()

    async def __on_timeout(self, item: _TimedOut) -> None:
        device = self.data.get(item.device)
        if device is not None and item.name in device.data:
            vector = device.data[item.name]
            await self.__tell(events.VectorTimeOut(datetime.now(timezone.utc), device, vector))

    async def __on_attempt(self, news: Attempting) -> None:
        await self.__warn(f"Attempting to connect to {self._indi_where}")

    async def __on_made(self, news: Made) -> None:
        self._indi_fault = None
        self.__keeper.forget()
        self.__keeper.connected(True)
        await self.__warn(f"Connected to {self._indi_where}")
        await self.__tell(events.ConnectionMade(None, datetime.now(timezone.utc)))

    async def __on_asked(self, news: Asked) -> None:
        await self.__on_notice(_Notice("getProperties sent"))

    async def __on_failed(self, news: Failed) -> None:
        self._indi_fault = news.reason
        if isinstance(news.reason, ConnectionRefusedError):
            await self.__warn(f"Connection refused on {self._indi_where}")
        else:
            await self.__warn(f"Connection error on {self._indi_where}: {news.reason}")

    async def __on_lost(self, news: Lost) -> None:
        """First the reason, then the end; the state says from here on that there is no connection."""
        self._indi_fault = news.reason
        self.__answers.forget()
        self.__keeper.connected(False)
        if isinstance(news.reason, TimeoutError):
            await self.__warn(f"Error: Connection timed out on {self._indi_where}: {news.reason}")
        elif news.reason is not None:
            await self.__warn(f"Connection Lost on {self._indi_where}: {news.reason}")
        await self.__warn(f"Connection closed on {self._indi_where}")
        await self.__tell(events.ConnectionLost(None, datetime.now(timezone.utc)))
        self.__keeper.forget()

    async def __on_retry(self, news: Retrying) -> None:
        await self.__warn("Connection failed, re-trying...")

    async def __warn(self, text: str) -> None:
        logger.warning(text)
        await self.__on_notice(_Notice(text))

    def __times(self) -> Timing:
        """`timing`, unless that is the program's own: one for 0.9 may have the name for something else."""
        return self.timing if isinstance(self.timing, Timing) else self.__default_timing

    def __bounds(self) -> Limits:
        """`limits`, likewise."""
        return self.limits if isinstance(self.limits, Limits) else IPyClient.limits

    @property
    def _indi_where(self) -> str:
        """What messages call the server."""
        return server_name(self.indihost, self.indiport)

    def __new_device(self, name: str) -> Device:
        return Device(name, self)

    def __identify(self, device: str, vector: str, member: str) -> tuple[str, int]:
        known = self.user_string_dict
        text = known.get((device, vector or None, member or None), "") if known else ""
        return text, self.create_itemid(devicename=device, vectorname=vector, membername=member)

    _HANDLERS: ClassVar[dict[type, Callable[..., Any]]] = {
        PingReply: __on_ping_reply,
        _Heavy: __on_heavy,
        Malformed: __on_malformed,
        DeviceMessage: __on_device_message,
        Attempting: __on_attempt,
        Made: __on_made,
        Asked: __on_asked,
        Failed: __on_failed,
        Lost: __on_lost,
        Retrying: __on_retry,
        _Notice: __on_notice,
        _TimedOut: __on_timeout,
        _Call: __on_call,
        events.ClientEvent: __tell,
    }

    # -- reading the state ----------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether there is a connection. Any thread may read it."""
        return self.__link is not None and self.__link.connected

    @property
    def stop(self) -> bool:
        """True after `shutdown`, and after the end of `asyncrun`. Any thread may read it."""
        return self._stop

    @property
    def messages(self) -> MessageLog:
        """The last eight messages of no device, newest first: (aware UTC datetime, text)."""
        return MessageLog(lambda: self._indi_snap.messages, self.__set_messages)

    @property
    def _indi_snap(self) -> Snap:
        return self.__keeper.snap

    @_indi_snap.setter
    def _indi_snap(self, snap: Snap) -> None:
        self.__keeper.snap = snap

    @property
    def user_string(self) -> str:
        """A text of the program's, shown in snapshots."""
        return self._indi_snap.user_string

    @user_string.setter
    def user_string(self, text: str) -> None:
        self._indi_snap = self._indi_snap._with(user_string=text)

    def __set_messages(self, messages: Messages) -> None:
        self._indi_snap = self._indi_snap._with(messages=messages)

    def snapshot(self) -> Snap:
        """Everything known, as it is now: immutable, and free at any size. Any thread may call it."""
        return self._indi_snap

    def enabledlen(self) -> int:
        """How many devices are enabled. Any thread may call it."""
        return self._indi_snap.enabledlen()

    def get_vector_state(self, devicename: str, vectorname: str) -> str | None:
        """A vector's state, also of a disabled one; None if not known. Any thread may call it."""
        return self._indi_snap.get_vector_state(devicename, vectorname)

    def set_user_string(
        self, devicename: str, vectorname: str | None, membername: str | None, user_string: str = ""
    ) -> None:
        """Attach a text to a device, a vector or a member, now and whenever it is defined anew.

        Args:
            devicename: the device; it need not be known yet.
            vectorname: the vector; None or "" for the device itself.
            membername: the member; None or "" for the vector itself.

        Raises:
            KeyError: no device is given, or a member without a vector.
        """
        key = _user_string_key(devicename, vectorname, membername)
        self.user_string_dict[key] = user_string
        names = (devicename, vectorname or "", membername or "")
        self._indi_snap = state.set_user_string(self._indi_snap, *names, user_string)

    def get_user_string(self, devicename: str, vectorname: str | None, membername: str | None) -> str | None:
        """The text attached to a device, vector or member, None if there is none.

        Raises:
            KeyError: as `set_user_string`.
        """
        key = _user_string_key(devicename, vectorname, membername)
        node: Any = self._indi_snap.data.get(devicename)
        if node is not None and vectorname:
            node = node.data.get(vectorname)
            if node is not None and membername:
                node = node.data.get(membername)
        return self.user_string_dict.get(key) if node is None else node.user_string

    # -- telling --------------------------------------------------------------------------------

    async def report(self, message: str) -> None:
        """Log a text at level INFO and, with `enable_reports`, have it come as a Message event."""
        logger.info(message)
        if self.enable_reports:
            await self._indi_deliver(_Notice(message))

    async def warning(self, message: str) -> None:
        """Log a text at level WARNING and have it come as a Message event."""
        logger.warning(message)
        await self._indi_deliver(_Notice(message))

    def debug_verbosity(self, verbose: int) -> None:
        """How much of the traffic the logger shows at level DEBUG. Any thread may call it.

        Args:
            verbose: 0 nothing, 1 start tags, 2 everything but BLOB content, 3 everything.

        Raises:
            ValueError: another number.
        """
        if verbose not in (0, 1, 2, 3):
            raise ValueError("verbose must be 0, 1, 2 or 3")
        self.__wirelog.verbosity = verbose

    # -- sending --------------------------------------------------------------------------------

    async def send_newVector(
        self,
        devicename: str,
        vectorname: str,
        timestamp: datetime | None = None,
        members: Mapping[str, Any] = {},
    ) -> None:
        """Command new values for members of a vector; its local state becomes Busy.

        A command that cannot be sent, for an unknown or read-only vector, a value that does not
        suit, or for want of a connection, is not sent at all and makes a Message event that says why.

        Args:
            devicename, vectorname: the vector.
            timestamp: of the command, UTC if naive; None for now.
            members: names to values, see `state.commands.new_vector`.

        Raises:
            ValueError: a BLOB is empty or cannot be read (0.9).
            TypeError: `members` is not a mapping (0.9).
        """
        try:
            # named by its class: programs for 0.9 may have a method of this name
            await IPyClient.command(self, devicename, vectorname, timestamp, members)
        except INDIError as error:
            await self.warning(f"not sent: {error}")
            if isinstance(error, InvalidValue) and self.__is_blob(devicename, vectorname):
                raise

    async def command(
        self,
        devicename: str,
        vectorname: str,
        timestamp: datetime | None,
        members: Mapping[str, Any],
    ) -> NewVector:
        """As `send_newVector`, but whatever prevents the command is raised. Returns what was sent.

        Raises:
            INDIError: NotConnected, UnknownDevice, UnknownVector, UnknownMember, ReadOnly, InvalidValue.
            TypeError: `members` is not a mapping.
        """
        self.__check_connection()
        check = partial(new_vector, self._indi_snap, devicename, vectorname, members, _utc(timestamp))
        message = await offload("send", check) if self.__is_blob(devicename, vectorname) else check()
        await self._indi_command(message)
        return message

    async def _indi_command(
        self, message: NewVector, sent: Callable[[], None] | None = None, ping: PingRequest | None = None
    ) -> None:
        """Send a command that was checked before, and wait until the server takes it.

        Args:
            sent: called as it is sent, before the server has had a chance to answer.
            ping: goes out before the command: what comes after its answer is no older than that.

        Raises:
            INDIError: NotConnected; UnknownDevice or UnknownVector, if it has been deleted since.
        """
        if message.kind == "BLOB":
            pieces = await offload("send", lambda: list(encode_pieces(message)))
        else:
            pieces = [encode(message)]
        self.__check_connection()
        vector = find_vector(self._indi_snap, message.device, message.name)
        self._indi_snap = state.change_vector(self._indi_snap, vector, state="Busy")
        self.__expect_answer(vector)
        self.__wirelog.sent(message)
        if sent is not None:
            sent()
        if ping is not None:
            pieces[0] = encode(ping) + pieces[0]  # in one packet
        if self.__link is None or not await self.__link.send(pieces):
            raise NotConnected(f"the connection to {self._indi_where} was lost while sending")

    def __check_connection(self) -> None:
        if not self.connected:
            raise NotConnected(f"there is no connection to {self._indi_where}")

    async def send_getProperties(self, devicename: str | None = None, vectorname: str | None = None) -> None:
        """Ask for the definitions of everything, a device or a vector.

        Every client of the server gets them, so ask rarely. A vector without a device is ignored.
        """
        await self.__transmit(GetProperties(devicename, vectorname if devicename else None))

    async def send_enableBLOB(self, value: str, devicename: str, vectorname: str | None = None) -> None:
        """Choose whether BLOBs are sent; remembered, and asked for again after every reconnection.

        Args:
            value: ``Never``, ``Also``, or ``Only`` (BLOBs and nothing else); others are ignored.
            devicename: the device; it need not be known yet.
            vectorname: one BLOB vector, or None for all of the device, present and future.

        Never and Also go out for each BLOB vector by name: indiserver takes a request without a
        name to be for the whole connection, and overwrites with it what was chosen for others. Only
        and what lifts it again must do without a name, so all the others are sent after it.
        """
        before = self.__blob_choice.mode(devicename, "")
        if not self.__blob_choice.choose(value, devicename, vectorname or None):
            return
        if vectorname or "Only" not in (value, before):
            await self.resend_enableBLOB(devicename, vectorname)
            return
        self.__ask_for_blobs(EnableBLOB("Only" if value == "Only" else "Never", devicename))
        for name in list(self.data):
            await self.resend_enableBLOB(name)

    def _indi_blob_mode(self, devicename: str, vectorname: str) -> str:
        """What was chosen for the BLOBs of a vector, or the default."""
        return self.__blob_choice.mode(devicename, vectorname)

    async def resend_enableBLOB(self, devicename: str, vectorname: str | None = None) -> None:
        """Send again what was chosen for a BLOB vector, or for all of a device."""
        device = self.data.get(devicename)
        vectors = () if device is None else [device.get(vectorname)] if vectorname else device.values()
        for vector in list(vectors):
            if isinstance(vector, BLOBVector) and vector.enable:
                mode = self.__blob_choice.mode(devicename, vector.name)
                self.__ask_for_blobs(EnableBLOB(mode, devicename, vector.name))

    async def send(self, xmldata: ET.Element) -> None:
        """Send any element, as it is. Nothing happens without a connection."""
        if self.__link is not None:
            await self.__link.send([ET.tostring(xmldata, encoding="utf-8", xml_declaration=False)])

    async def __transmit(self, message: Message) -> None:
        if self.__link is not None and await self.__link.send([encode(message)]):
            self.__wirelog.sent(message)

    def _indi_ping(self) -> None:
        """Find out whether the server answers pings; `_indi_pinged` is called if so."""
        if self.__link is not None:
            self.__link.answer(encode(PingRequest("first")))

    def _indi_pinged(self, uid: str) -> None:
        """A ping has been answered; all that came in before the answer has been handled."""

    @property
    def _indi_answers_pings(self) -> bool:
        return self.__link is not None and self.__link.answers_pings

    def __ask_for_blobs(self, message: EnableBLOB) -> None:
        """Without waiting: a server that reads slowly must not keep what it sends from being handled."""
        if self.__blob_line is not None:
            self.__blob_line.ask(message)
        elif self.__link is not None and self.__link.connected:
            self.__link.answer(encode(message))
            self.__wirelog.sent(message)

    def __is_blob(self, devicename: str, vectorname: str) -> bool:
        try:
            return find_vector(self._indi_snap, devicename, vectorname).vectortype == "BLOBVector"
        except INDIError:
            return False

    # -- answers in time --------------------------------------------------------------------------

    def set_vector_timeouts(
        self,
        timeout_enable: bool | None = None,
        timeout_min: float | None = None,
        timeout_max: float | None = None,
    ) -> None:
        """Set how long to wait for the answer to a command; None leaves a setting as it is.

        Args:
            timeout_enable: whether VectorTimeOut events come at all.
            timeout_min, timeout_max: seconds that bound the time the server announced.
        """
        if timeout_enable is not None:
            self.timeout_enable = timeout_enable
        if timeout_min is not None:
            self.vector_timeout_min = timeout_min
        if timeout_max is not None:
            self.vector_timeout_max = timeout_max
            self.idle_timeout = 2 * timeout_max
            self.respond_timeout = 4 * timeout_max

    @property
    def idle_timeout(self) -> float:
        """Seconds of silence after which the server is pinged; see `Timing`."""
        return self.__times().idle_timeout

    @idle_timeout.setter
    def idle_timeout(self, seconds: float) -> None:
        self.__times().idle_timeout = seconds

    @property
    def respond_timeout(self) -> float:
        """Seconds of silence after which a server that answers pings is given up; see `Timing`."""
        return self.__times().respond_timeout

    @respond_timeout.setter
    def respond_timeout(self, seconds: float) -> None:
        self.__times().respond_timeout = seconds

    def __expect_answer(self, vector: SnapVector) -> None:
        if self.timeout_enable:
            seconds = min(max(vector.timeout or 0.0, self.vector_timeout_min), self.vector_timeout_max)
            self.__answers.expect(vector.devicename, vector.name, seconds)

    # -- BLOBs --------------------------------------------------------------------------------------

    @property
    def enableBLOBdefault(self) -> str:
        """What is asked for BLOB vectors for which nothing was chosen: ``Never``, ``Also`` or ``Only``.

        Other words are ignored (0.9); it concerns vectors defined afterwards.
        """
        return self._enableBLOBdefault

    @enableBLOBdefault.setter
    def enableBLOBdefault(self, value: str) -> None:
        if value in BLOB_MODES:
            self._enableBLOBdefault = value
            self.__set_default_choice()

    @property
    def BLOBfolder(self) -> Path | None:
        """The folder into which every BLOB received is written, or None; setting it asks for all BLOBs.

        A str is expanded and made absolute, a Path is taken as it is.

        Raises:
            KeyError: on setting: there is no such folder.
            TypeError: on setting: neither a str, a path nor None.
        """
        return self._BLOBfolder

    @BLOBfolder.setter
    def BLOBfolder(self, value: str | Path | None) -> None:
        before = self._BLOBfolder
        self._BLOBfolder = _folder(value)
        if self._BLOBfolder is not None or before is not None:
            self.__blob_choice.forget()
            self.__set_default_choice()
            if (loop := self.__loop) is not None:
                loop.call_soon_threadsafe(self.__resend_all)

    def __set_default_choice(self) -> None:
        """Where there is a folder to fill, all BLOBs are wanted."""
        self.__blob_choice.default = "Also" if self._BLOBfolder is not None else self._enableBLOBdefault

    def __resend_all(self) -> None:
        async def resend() -> None:
            for devicename in list(self.data):
                await self.resend_enableBLOB(devicename)

        self.__resending = asyncio.create_task(resend())

    async def __prepare(self, message: SetVector, now: datetime) -> Prepared:
        """Have BLOBs inflated and saved, beside the loop if it takes time, and say what went wrong."""
        folder, stamp, limit = self._BLOBfolder, message.timestamp or now, self.__bounds().inflated
        prepared = await self.__frames.prepare(message, folder, stamp, limit)
        for fault in prepared.faults:
            await self.__complain(fault)
        return prepared


_HARDWARE_GRACE = 5.0


def _log_fault(event: Any) -> None:
    logger.exception("rxevent raised an exception on %r", event)


async def _end_tasks(tasks: Iterable[asyncio.Task[None]], grace: float) -> None:
    """Wait for tasks to end by themselves, then cancel them.

    Some have to be cancelled again: `rxevent` may be in the way, and before Python 3.12 `wait_for`
    swallows a cancellation that comes in the same turn of the loop as what it waits for.
    """
    _, pending = await asyncio.wait(tasks, timeout=grace)
    for _ in range(10):
        for task in pending:
            task.cancel()
        if pending:
            _, pending = await asyncio.wait(pending, timeout=0.03)


def _blob_bytes(message: Message) -> int:
    if not isinstance(message, SetVector) or message.kind != "BLOB":
        return 0
    blobs = (blob.payload for blob in message.members if isinstance(blob, OneBLOB))
    return sum(len(payload) for payload in blobs if payload is not None)


def _weight(message: Message) -> int:
    """Bytes in a message, about; 0 for updates of BLOBs, which are weighed by themselves.

    0 also for all without members, which are bounded as tags are.
    """
    members: Sequence[DefMember | OneMember | OneBLOB] = getattr(message, "members", ())
    if isinstance(message, SetVector) and message.kind == "BLOB":
        return 0
    lengths = [len(one.payload or "" if isinstance(one, OneBLOB) else one.value) for one in members]
    return _PER_MEMBER * len(lengths) + sum(lengths)


def _utc(timestamp: datetime | None) -> datetime:
    if timestamp is None:
        return datetime.now(timezone.utc)
    if not isinstance(timestamp, datetime):
        raise InvalidValue(f"a timestamp is a datetime, not {timestamp!r:.60}")
    return timestamp.replace(tzinfo=timezone.utc) if timestamp.tzinfo is None else timestamp


def _user_string_key(
    devicename: str, vectorname: str | None, membername: str | None
) -> tuple[str, str | None, str | None]:
    if not devicename or (membername and not vectorname):
        raise KeyError("a user string is for a device, a vector of a device or a member of a vector")
    return devicename, vectorname or None, membername or None


def _folder(value: str | Path | None) -> Path | None:
    if not value:
        return None
    if not isinstance(value, str | Path):
        raise TypeError(f"BLOBfolder is a path, not {type(value).__name__}")
    folder = Path(value).expanduser().resolve() if isinstance(value, str) else value
    if not folder.is_dir():
        raise KeyError(f"{folder} is not a folder")
    return folder
