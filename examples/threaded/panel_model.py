"""What the observatory panels show, without any toolkit: tk_panel.py and qt_panel.py draw it.

`Observatory` runs the client in its thread, and the demo's instruments if no server is given. `Panel`
is fed with the batches that `indipyclient.gui` delivers and belongs to the window's thread. `Darkroom`
makes pictures of frames in a thread of its own, so that a large one never holds up the window.
"""

import argparse
import gc
import math
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import astropy.io.fits  # noqa: F401 - now, and not when the first frame comes
import numpy as np

from indipyclient.bridge.lifecycle import run
from indipyclient.mailbox import Mailbox
from indipyclient.queclient import QueClient

STATES = ("Idle", "Ok", "Busy", "Alert")  # from good to bad
EXPOSURE = "CCD_EXPOSURE"
TURN = 0.008  # seconds that the tree may take at a time

# of states, of the connection, and of what became of commands
OK, BUSY, ALERT, IDLE = "#43c678", "#f2b134", "#f2545b", "#7d8899"
COLOURS = {"Idle": IDLE, "Ok": OK, "Busy": BUSY, "Alert": ALERT}
COLOURS |= {"connecting": BUSY, "connected": OK, "lost": ALERT}
COLOURS |= {"sending": BUSY, "refused": ALERT, "TimeOut": ALERT}
WORDS = {"Ok": "done", "Busy": "at work", "Alert": "failed", "TimeOut": "no answer"}


def arguments(description):
    """The command line of a panel."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--host", help="an INDI server, in place of the demo's instruments")
    parser.add_argument("--port", type=int, default=7624)
    parser.add_argument("--seconds", type=float, help="close the window by itself after this time")
    return parser.parse_args()


def keep_window_quick():
    """Set the interpreter up so that other threads do not hold up the window's; to be called by its thread.

    Python lets a busy thread run on for 5 ms before another one gets its turn, which a window with many
    small calls feels each time. And the garbage collector stops all threads while it looks at everything
    there is, most of which are the libraries, loaded by now: it need not look at these again.
    """
    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()


class Observatory:
    """The client in its thread: what it hears comes in `events`, what it shall do goes into `commands`."""

    def __init__(self, host=None, port=7624):
        self.events, self.commands = Mailbox(), Mailbox()
        self._demo = None
        if host is None:
            from indipyclient.demo.instruments import DemoInstruments

            self._demo = DemoInstruments()
            self._demo.start()
            host, port = self._demo.host, self._demo.port
        self.where = f"{host}:{port}"
        # what waits while the window is busy is one batch for it, and must not take it long
        self._client = QueClient(self.commands, self.events, host, port, rxque_limit=2000)
        self._thread = threading.Thread(target=run, args=[self._client.asyncrun], daemon=True)
        self._thread.start()

    def close(self, timeout=1.5):
        """End it all; returns after `timeout` seconds at the latest."""
        deadline = time.monotonic() + timeout
        self.commands.close()
        self._thread.join(timeout)
        if self._demo is not None:
            stop = threading.Thread(target=self._demo.stop, daemon=True)
            stop.start()
            stop.join(max(0, deadline - time.monotonic()))


class Row(NamedTuple):
    """A row of the tree. Its key is (kind, device, ...), with a kind of device, group, vector or member."""

    key: tuple
    parent: tuple | None
    label: str = ""
    value: str = ""
    state: str = ""
    gone: bool = False


@dataclass
class Outcome:
    """What became of a command; `state` is sending, Busy, and then Ok, Alert, refused, TimeOut or lost."""

    device: str
    vector: str
    members: dict
    state: str = "sending"
    text: str = ""

    def __str__(self):
        word = WORDS.get(self.state, self.state)
        return f"{word}: {self.text}" if self.text else word

    @property
    def done(self):
        return self.state not in ("sending", "Busy")


class Panel:
    """Everything a panel shows. Feed it with `update`; then show what `rows` and `take_messages` give."""

    def __init__(self, commands):
        self.snapshot = None
        self.connection = "connecting"  # or connected, lost
        self.losses = 0
        self.exposures = {}  # by camera
        self.outcomes = {}  # the last one of each (device, vector)
        self.history = History()
        self._commands = commands
        self._unfinished = []  # outcomes of commands, the oldest first
        self._pending = {}  # keys of rows to be shown anew, in this order
        self._messages = []
        self._frames = {}  # members with new frames, by device
        self._before = None  # the snapshot of the item before

    def update(self, items, snapshot):
        """Take in a batch."""
        for item in items:
            self._take(item)
            self._before = item.snapshot
        if snapshot is not None:
            self._mark_changes(self.snapshot, snapshot)
            self.snapshot = snapshot

    def vector(self, device, name):
        """A vector of the newest snapshot, or None if there is none now."""
        found = _vector(self.snapshot, device, name)
        return found if found is not None and found.enable else None

    def cameras(self):
        """Names of the devices that take exposures now."""
        return [name for name in self.snapshot or () if self.vector(name, EXPOSURE) is not None]

    def send(self, device, vector, members):
        """Command new values, and return the outcome to watch."""
        outcome = self.outcomes[device, vector] = Outcome(device, vector, members)
        self._unfinished = [*(one for one in self._unfinished if not one.done), outcome]
        self._commands.put((device, vector, members))
        return outcome

    def toggle(self, device, vector, switch):
        """Press a switch, as its vector has it: the other way, or On if that takes another one Off."""
        found = self.vector(device, vector)
        if found is not None:
            on = found.rule == "OneOfMany" or found[switch] != "On"
            self.send(device, vector, {switch: "On" if on else "Off"})

    def choose(self, key):
        """Have the number of a row plotted, if it has one; return the property to edit there, or None."""
        kind, device, *names = key
        if kind not in ("vector", "member"):
            return (device, "CONNECTION") if self.vector(device, "CONNECTION") is not None else None
        vector = self.vector(device, names[0])
        if vector is not None and vector.vectortype == "NumberVector":
            self.history.choose(vector, vector.member(names[-1] if kind == "member" else next(iter(vector))))
        return device, names[0]

    def connect_all(self):
        """Switch on every device that is not connected yet."""
        for device in self.snapshot or ():
            vector = self.vector(device, "CONNECTION")
            if vector is not None and vector.get("CONNECT") == "Off":
                self.send(device, "CONNECTION", {"CONNECT": "On"})

    def expose(self, camera, seconds):
        """Begin an exposure, and return the outcome to watch."""
        self.exposures[camera] = Exposure(seconds)
        return self.send(camera, EXPOSURE, {f"{EXPOSURE}_VALUE": seconds})

    def abort(self, camera):
        """Give an exposure up."""
        return self.send(camera, "CCD_ABORT_EXPOSURE", {"ABORT": "On"})

    def take_messages(self):
        """Lines for people that have come since the last time, as (time, from whom, text)."""
        taken, self._messages = self._messages, []
        return taken

    def take_frames(self):
        """The newest frame of each device that sent one since the last time."""
        taken, self._frames = self._frames, {}
        return taken

    # -- what happens, item by item --------------------------------------------------------

    def _take(self, item):
        handler = getattr(self, f"_on_{item.eventtype}", None)
        if handler is not None:
            handler(item)

    def _on_ConnectionMade(self, item):
        self.connection = "connected"

    def _on_ConnectionLost(self, item):
        self.connection = "lost"
        self.losses += 1
        self.exposures.clear()
        for outcome in self._unfinished:
            if not outcome.done:
                outcome.state, outcome.text = "lost", "the connection was lost"

    def _on_Message(self, item):
        messages = (item.snapshot.get(item.devicename) or item.snapshot).messages
        if messages:
            stamp, text = messages[0]
            self._messages.append((stamp, item.devicename or "", text))
            if text.startswith("not carried out"):
                self._refuse(text)

    def _refuse(self, text):
        """Find the command that the client tells about in a message; it shows the item in short."""
        command, _, reason = text.partition("): ")
        might_be = [
            one
            for one in self._unfinished
            if not one.done and repr(one.device) in command and repr(one.vector) in command
        ]
        might_be.sort(key=lambda one: (repr(one.members) not in command, one.state == "Busy"))
        if might_be:
            outcome = might_be[0]
            took_it_for_sent = outcome.state == "Busy"
            outcome.state, outcome.text = "refused", reason or text
            if outcome.vector == EXPOSURE:
                self.exposures.pop(outcome.device, None)
            if took_it_for_sent:
                self._sent(outcome.device, outcome.vector)

    def _on_State(self, item):
        self._sent(item.devicename, item.vectorname)

    def _sent(self, device, vector):
        """The oldest command to this vector has been sent, unless it is yet refused: that is told later."""
        for outcome in self._unfinished:
            if (outcome.device, outcome.vector, outcome.state) == (device, vector, "sending"):
                outcome.state = "Busy"
                return

    def _on_DefineBLOB(self, item):
        self._commands.put((item.devicename, item.vectorname, "Also"))

    def _on_Define(self, item):
        self._on_Set(item)

    def _on_Set(self, item):
        vector = item.snapshot[item.devicename][item.vectorname]
        before = _vector(self._before, item.devicename, item.vectorname)
        text = vector.message if _says_something_new(vector, before) else ""
        if text:
            self._messages.append((vector.message_timestamp, item.devicename, text))
        outcome = self.outcomes.get((item.devicename, item.vectorname))
        if outcome is not None and outcome.state == "Busy" and item.eventtype == "Set":
            outcome.state = "Ok" if vector.state == "Idle" else vector.state
            outcome.text = text or outcome.text
        if item.vectorname == EXPOSURE:
            self.exposures.setdefault(item.devicename, Exposure()).update(vector)
        self.history.update(item, vector)

    def _on_SetBLOB(self, item):
        vector = item.snapshot[item.devicename][item.vectorname]
        for member in vector.members().values():
            if member.rev == vector.rev and member.buffer is not None:
                self._frames[item.devicename] = member

    def _on_TimeOut(self, item):
        outcome = self.outcomes.get((item.devicename, item.vectorname))
        if outcome is not None and not outcome.done:
            outcome.state, outcome.text = "TimeOut", "the device has not answered in time"

    # -- the rows of the tree ------------------------------------------------------------------

    def rows(self):
        """Yield each row that has changed. Stop when it takes too long: the rest comes the next time."""
        while self._pending:
            key = next(iter(self._pending))
            del self._pending[key]
            yield self._row(key)

    def _mark_changes(self, old, new):
        if old is None:
            old = type(new)("", 0)
        for change in new.changes(old):
            if change.vectorname is not None:
                self._mark_vector(change)
            elif change.old is None or change.new is None:
                self._mark("device", change.devicename)

    def _mark_vector(self, change):
        device, name, old, new = change
        if old is None or new is None or old.enable != new.enable or old.state != new.state:
            self._mark("device", device)
            self._mark("group", device, (new or old).group)
        elif name == "CONNECTION":
            self._mark("device", device)
        self._mark("vector", device, name)
        if new is not None and len(new) > 1:
            fresh = old is None or old.enable != new.enable
            for member in new if fresh else new.changes(old):
                self._mark("member", device, name, member)

    def _mark(self, *key):
        self._pending[key] = None

    def _row(self, key):
        device = self.snapshot.get(key[1])
        if device is None or not device.enable:
            return Row(key, None, gone=True)
        return getattr(self, f"_{key[0]}_row")(key, device)

    def _device_row(self, key, device):
        link = self.vector(key[1], "CONNECTION")
        value = "" if link is None else "connected" if link.get("CONNECT") == "On" else "not connected"
        states = {vector.state for vector in device.values() if vector.enable}
        return Row(key, None, key[1], value, max(states, key=STATES.index, default=""))

    def _group_row(self, key, device):
        states = {one.state for one in device.values() if one.enable and one.group == key[2]}
        if not states:
            return Row(key, None, gone=True)
        return Row(key, ("device", key[1]), key[2], "", max(states, key=STATES.index))

    def _vector_row(self, key, device):
        vector = device.get(key[2])
        if vector is None or not vector.enable:
            return Row(key, None, gone=True)
        parent = ("group", key[1], vector.group)
        return Row(key, parent, vector.label or vector.name, summary(vector), vector.state)

    def _member_row(self, key, device):
        vector = device.get(key[2])
        if vector is None or not vector.enable or key[3] not in vector:
            return Row(key, None, gone=True)
        member = vector.member(key[3])
        return Row(key, ("vector", *key[1:3]), member.label or member.name, shown(vector, member))


def shown(vector, member):
    """A member's value for people."""
    if vector.vectortype == "NumberVector":
        return member.getformattedvalue().strip()
    if vector.vectortype == "BLOBVector":
        size = len(member.buffer or b"")
        return f"{size / 1e6:.1f} MB {member.blobformat}" if size else "none yet"
    return member.membervalue


def summary(vector):
    """The values of a vector in one short line."""
    members = vector.members().values()
    if vector.vectortype == "SwitchVector":
        return ", ".join(member.label or member.name for member in members if member.value)
    texts = [shown(vector, member) for member in list(members)[:4]]
    return "   ".join(texts)[:80]


def _vector(snapshot, device, name):
    device = None if snapshot is None else snapshot.get(device)
    return None if device is None else device.get(name)


def _says_something_new(vector, before):
    if not vector.message or before is vector:
        return False
    if before is None:
        return True
    old = before.message_timestamp, before.message
    return (vector.message_timestamp, vector.message) != old


class Exposure:
    """How far an exposure has come; cameras count `CCD_EXPOSURE` down to 0, some once a second only."""

    def __init__(self, seconds=0.0):
        self.total = seconds
        self.busy = seconds > 0
        self._left, self._told = seconds, time.monotonic()

    def update(self, vector):
        """Take in what the camera tells."""
        left = next(iter(vector.members().values())).value
        busy = vector.state == "Busy"
        if busy and not self.busy:
            self.total = 0.0  # somebody else has begun it
        self.busy = busy
        if busy and math.isfinite(left):
            self.total = max(self.total, left)
            self._left, self._told = left, time.monotonic()

    @property
    def left(self):
        """Seconds to go, going on between what the camera tells."""
        return max(0.0, self._left - (time.monotonic() - self._told)) if self.busy else 0.0

    @property
    def fraction(self):
        """From 0 to 1."""
        return 1 - self.left / self.total if self.busy and self.total else 0.0


class History:
    """The last minutes of one number, for a plot. Until one is chosen it takes the first that changes."""

    GRAIN = 0.1  # seconds in which only the last value is kept
    POINTS = 1200

    def __init__(self):
        self.key = None  # (device, vector, member)
        self.label = ""
        self.points = deque(maxlen=self.POINTS)  # (seconds of the epoch, value)

    @property
    def newest(self):
        """What the plot shows last; for telling whether it must be drawn anew."""
        return (self.label, *self.points[-1]) if self.points else None

    def choose(self, vector, member):
        """Follow another number, from its present value on."""
        self.key = (vector.devicename, vector.name, member.name)
        self.label = f"{vector.devicename}: {member.label or member.name}"
        self.points.clear()
        self._add(time.time(), member.value)

    def update(self, item, vector):
        """Take in a `Define` or `Set`."""
        if self.key is None:
            # the countdown of an exposure is seen elsewhere
            if item.eventtype == "Set" and vector.vectortype == "NumberVector" and vector.name != EXPOSURE:
                self.choose(vector, next(iter(vector.members().values())))
        elif (item.devicename, item.vectorname) == self.key[:2] and self.key[2] in vector:
            self._add(time.time(), vector.member(self.key[2]).value)

    def _add(self, when, value):
        if not math.isfinite(value):
            return
        if len(self.points) > 1 and when - self.points[-2][0] < self.GRAIN:
            self.points[-1] = (when, value)
        else:
            self.points.append((when, value))


# -- pictures --------------------------------------------------------------------------------

STRETCHES = ("Soft", "Linear", "Full range")


class Picture(NamedTuple):
    """A frame as it is shown."""

    device: str
    pixels: np.ndarray | None  # (rows, columns) of 8 bits, the top row first
    text: str  # facts about the frame, or what is wrong with it


class Darkroom:
    """Makes pictures of frames in a thread of its own; always of the newest only.

    `pictures` is a mailbox to deliver from. `size` (columns and rows of the view) and `stretch` may be
    set in any thread.
    """

    def __init__(self):
        self.pictures = Mailbox(keep=1)
        self.size, self.stretch = (640, 480), STRETCHES[0]
        self._frames = Mailbox(keep=1)
        threading.Thread(target=self._work, name="darkroom", daemon=True).start()

    def develop(self, device, member):
        """Make a picture of this frame."""
        self._frames.put((device, member))

    def again(self):
        """Make the picture of the last frame again, after `size` or `stretch` was changed."""
        if self._frames.latest is not None:
            self._frames.put(self._frames.latest)

    def close(self):
        """End the thread."""
        self._frames.close()

    def _work(self):
        for device, member in self._frames:
            try:
                picture = self._picture(device, member)
            except Exception as error:  # whatever a camera sends, the next frame may be better
                picture = Picture(device, None, f"{member.name} cannot be shown: {error}")
            self.pictures.put(picture)

    def _picture(self, device, member):
        array = member.array()
        rows, columns = array.shape[:2]
        if member.blobformat.startswith(".fits") and member.header().get("ROWORDER") != "TOP-DOWN":
            array = array[::-1]  # the first row of FITS is the lowest
        pixels, low, high = stretched(fitted(array, self.size), self.stretch)
        size = f"{columns} x {rows}, {len(member.buffer) / 1e6:.1f} MB"
        return Picture(device, pixels, f"{size}, shown from {low:g} to {high:g}")


def fitted(array, size):
    """The array, subsampled or repeated so that it fills `size` (columns, rows) as far as it can."""
    rows, columns = array.shape[:2]
    scale = max(columns / max(size[0], 1), rows / max(size[1], 1))
    y = (np.arange(max(1, int(rows / scale))) * scale).astype(int)
    x = (np.arange(max(1, int(columns / scale))) * scale).astype(int)
    small = array[np.minimum(y, rows - 1)[:, None], np.minimum(x, columns - 1)]
    return small.mean(axis=2) if small.ndim == 3 else small


def stretched(image, stretch):
    """The image as 8 bits, and the values that are black and white in it."""
    image = image.astype(np.float32)
    percentiles = {"Soft": (25, 99.9), "Linear": (1, 99.5), "Full range": (0, 100)}[stretch]
    low, high = np.nanpercentile(image, percentiles)
    light = np.nan_to_num(np.clip((image - low) / (high - low or 1), 0, 1))
    if stretch == "Soft":
        light = np.arcsinh(20 * light) / np.arcsinh(20)  # faint stars beside bright ones
    return (255 * light).astype(np.uint8), low, high
