"""One scripted session with each of the two packages, and what differs between what they saw.

A session is a function that gets a `Run` and says what the server and the program do, step by step.
After each step the run waits until everything the step caused has been seen: the program asks the server
for something, which the server has read once it has read all before it, and then the server tells the
program something.
"""

from __future__ import annotations

import difflib
import json
import os
import queue
import re
import subprocess
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from indipyclient.protocol import GetProperties
from tests.support.scripted import Peer, ScriptedServer

from .recorder import text_of

PATIENCE = 20.0  # seconds for anything that should happen; 0.9.4 takes 5 s to come back
RECORDER = Path(__file__).with_name("recorder.py")
SYNC = '<defTextVector device="Sync" name="S" state="Ok" perm="ro"><defText name="t"/></defTextVector>'

Record = dict[str, Any]

# A new process holds all sockets for a moment, also one with which another thread tries a port.
_STARTING = threading.Lock()


class Package(NamedTuple):
    """A Python and what it needs to import one of the two packages."""

    python: str
    path: str = ""


@dataclass
class Step:
    """What one step caused.

    Attributes:
        seen: events or items, in order.
        results: values of the expressions evaluated.
        wire: elements that the client sent.
    """

    title: str
    seen: list[Record] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)
    wire: list[Any] = field(default_factory=list)


class Run:
    """A recorder with its server; a context manager that ends both.

    Attributes:
        peer: the server's end of the present connection.
        steps: what was seen so far.
    """

    def __init__(self, package: Package, kind: str) -> None:
        self.kind = kind
        self.peer: Peer
        self.steps: list[Step] = []
        self._records: queue.Queue[Record] = queue.Queue()
        self._count = 0
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the run
        with _STARTING:
            self.server = ScriptedServer()
            self._process = self._start(package)
        self._reader = threading.Thread(target=self._read, name="recorder")
        self._reader.start()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._errors.close()
        self.server.__exit__(*exc)

    def _start(self, package: Package) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [package.python, str(RECORDER), str(self.server.port), self.kind],
            env={**os.environ, "PYTHONPATH": package.path, "PYTHONUTF8": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    # -- steps ----------------------------------------------------------------------------------

    def connects(self, definitions: str = "", title: str = "connecting") -> None:
        """The client connects, and the server tells it what it has."""
        self.peer = self._greet()
        self.peer.raw.clear()
        self._step(title, definitions)

    def hears(self, data: str, title: str) -> None:
        """The server says something."""
        self._step(title, data)

    def does(self, *expressions: str, title: str = "", then: str = "") -> None:
        """The program does something, one after the other; wait for a vector that the client names then."""
        self._step(title or expressions[0], "", *expressions, then=then)

    def sees(self, title: str, wanted: Callable[[Record], bool], *expressions: str) -> None:
        """Take what is seen up to the first record for which `wanted` holds; the connection may end."""
        step = Step(title)
        self.steps.append(step)
        for expression in expressions:
            self._evaluate(expression)
        self._take(step, wanted)
        step.results.clear()  # they may come before or after

    def _step(self, title: str, data: str, *expressions: str, then: str = "") -> None:
        step = Step(title)
        self.steps.append(step)
        self.peer.send(data)
        if data:
            # what was said must have been handled before the program asks
            self._settle(step)
        for expression in expressions:
            self._evaluate(expression)
            self._take(step, lambda record: record["kind"] == "result")
        if then:
            self.peer.receive_until(lambda message: getattr(message, "name", None) == then)
        self._ask(step)
        self._settle(step)

    def _ask(self, step: Step) -> None:
        """Have the client ask for something, and read up to that."""
        self._count += 1
        name = f"{self._count}"
        if self.kind == "IPyClient":
            self._evaluate(f"client.send_getProperties('Sync', {name!r})")
        else:
            self._evaluate(f"put(('Sync', {name!r}, 'Get'))")
        self._take(step, lambda record: record["kind"] == "result")
        step.results.pop()
        self.peer.receive_until(lambda message: message == GetProperties("Sync", name))
        sent = bytes(self.peer.raw)
        self.peer.raw.clear()
        elements = [text_of(ET.tostring(node)) for node in ET.fromstring(b"<wire>" + sent + b"</wire>")]
        step.wire += self._neutral([xml for xml in elements if 'device="Sync"' not in xml])

    def _settle(self, step: Step) -> None:
        """Tell the client something, and take all that it sees up to that."""
        self._count += 1
        mark = f"2024-12-31T00:00:00.{self._count:06}"
        self.peer.send(
            f'<setTextVector device="Sync" name="S" timestamp="{mark}"><oneText name="t"/></setTextVector>'
        )
        self._take(step, lambda record: str(record.get("timestamp")).startswith(mark))

    def _greet(self) -> Peer:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.server.greet(SYNC)
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise

    # -- the recorder ---------------------------------------------------------------------------

    def _evaluate(self, expression: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(expression.encode() + b"\n")
        self._process.stdin.flush()

    def _take(self, step: Step, wanted: Callable[[Record], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                record = self._records.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"not seen, but {step}\n{self._complaints()}") from None
            if record["kind"] == "result":
                step.results.append(self._neutral(record["value"]))
            elif record.get("devicename") != "Sync":
                step.seen.append(self._neutral(record))
            if wanted(record):
                return

    def _complaints(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-2000:]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._records.put(json.loads(line))

    def _neutral(self, value: Any) -> Any:
        return neutral(value, self.server.port)


_OWN_WORDS = re.compile(r"^(not sent|not carried out|left out of|BLOB '.*' of)\b.*|( dropped:) .*")
_ERRNO = re.compile(r"\[Errno \d+\].*")
_STAMP = re.compile(r"(?!2024)\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00)?")


def neutral(value: Any, port: int) -> Any:
    """`value` without the port, the clock's times, and words that are each package's own."""
    if isinstance(value, dict):
        return {key: neutral(inner, port) for key, inner in value.items() if key != "Sync"}
    if isinstance(value, list):
        return [neutral(inner, port) for inner in value if inner != "Sync"]
    if isinstance(value, str):
        value = _STAMP.sub("now", value.replace(f":{port}", ":PORT"))
        return _OWN_WORDS.sub(r"\1\2 ...", _ERRNO.sub("(the system's words)", value))
    return "PORT" if value == port else value


# -- comparing ----------------------------------------------------------------------------------


def run_session(session: Callable[[Run], None], package: Package, kind: str) -> list[Step]:
    with Run(package, kind) as run:
        session(run)
        return run.steps


def compare(session: Callable[[Run], None], old: Package, new: Package, kind: str) -> list[str]:
    """Run a session with both packages at the same time; return a line for each difference."""
    with ThreadPoolExecutor(2) as both:
        before, after = both.map(lambda package: run_session(session, package, kind), (old, new))
    assert [step.title for step in before] == [step.title for step in after]
    report = Report()
    for was, now in zip(before, after, strict=True):
        report.compare(was, now)
    return report.lines


class Report:
    """Lines on what differs. What differs in the state mostly does so until the end: it is told once."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._told: set[str] = set()

    def compare(self, old: Step, new: Step) -> None:
        """Add what differs between two accounts of one step."""
        self._compare_seen(old, new)
        for name in ("results", "wire"):
            found = differing(name, getattr(old, name), getattr(new, name))
            self.lines += [f"{old.title}: {what}" for _, what in found]

    def _compare_seen(self, old: Step, new: Step) -> None:
        before, after = list(map(headline, old.seen)), list(map(headline, new.seen))
        matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
        for same, start, end, begin, stop in matcher.get_opcodes():
            if same == "equal":
                for was, now in zip(old.seen[start:end], new.seen[begin:stop], strict=True):
                    self._compare_records(f"{old.title}: {headline(was)}", was, now)
            else:
                self._tell_of(old.title, "-", old.seen[start:end])
                self._tell_of(old.title, "+", new.seen[begin:stop])

    def _tell_of(self, title: str, sign: str, records: list[Record]) -> None:
        """What only one of them saw; that a message is then in the snapshots too is no news."""
        self.lines += [f"{title}: {sign} {headline(record)}" for record in records]
        for record in records:
            device = f"devices.{record['devicename']}." if record.get("devicename") else ""
            self._told.add(f"{device}messages.{record.get('message')}")

    def _compare_records(self, where: str, old: Record, new: Record) -> None:
        for place, what in differing("", old, new):
            if place.removeprefix("snapshot.") not in self._told and what not in self._told:
                self._told.add(what)
                self.lines.append(f"{where}: {what}")


def headline(record: Record) -> str:
    """What an event or an item is about, in a few words."""
    words = [record.get("class") if record["kind"] == "event" else record.get("eventtype")]
    words += [record.get(name) for name in ("devicename", "vectorname", "message", "error")]
    return " ".join([record["kind"], *filter(None, words)])


ABSENT = "(absent)"


def differing(path: str, old: Any, new: Any) -> Iterator[tuple[str, str]]:
    """The paths at which two values differ, and how."""
    if isinstance(old, list) and isinstance(new, list):
        keyed = _by_text if path.endswith("messages") else _by_place
        old, new = keyed(old), keyed(new)
    if isinstance(old, dict) and isinstance(new, dict):
        if [key for key in old if key in new] != [key for key in new if key in old]:
            yield path, f"{path}: the order of {list(old)} -> {list(new)}"
        for key in [*old, *(key for key in new if key not in old)]:
            inner = f"{path}.{key}" if path else str(key)
            yield from differing(inner, old.get(key, ABSENT), new.get(key, ABSENT))
    elif old != new or type(old) is not type(new):
        yield path, f"{path}: {_short(old)} -> {_short(new)}"


def _by_place(values: list[Any]) -> dict[str, Any]:
    return {f"{place}": value for place, value in enumerate(values)}


def _by_text(messages: list[Any]) -> dict[str, Any]:
    """Messages by their text, so that one more moves no others."""
    return {text: stamp for stamp, text in messages}


def _short(value: Any) -> str:
    if isinstance(value, str):
        return value if value == ABSENT or value.startswith("<") else repr(value)
    return "{...}" if isinstance(value, dict) and value else repr(value)
