"""A program written for 0.9 that writes down, as lines of JSON, all that its client tells it.

    python recorder.py PORT KIND

It runs with whatever `indipyclient` its Python has, so it uses nothing but the 0.9 interface. KIND is
``IPyClient`` for a subclass of that, or the kind of queue to use a `QueClient` with. On its input come
Python expressions, a line each, to be evaluated in the client's thread (IPyClient) or beside it
(QueClient); there ``put(item)`` puts something on txque.
"""

from __future__ import annotations

import asyncio
import collections
import inspect
import json
import queue
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import indipyclient as ipc
from indipyclient.ipyclient import Snap, SnapDevice
from indipyclient.propertyvectors import SnapNumberVector, SnapVector
from indipyclient.queclient import QueClient, runqueclient

TOLD = ("eventtype", "devicename", "vectorname", "timestamp", "label", "group", "state", "perm", "rule")
TOLD_TOO = ("timeout", "message", "memberlabels", "sizeformat", "payload")
KNOWN_ERRORS = ("ParseException", "KeyError", "ValueError", "TypeError", "AttributeError", "Exception")
NODES = (Snap, SnapDevice, SnapNumberVector, SnapVector)


_init = ipc.IPyClient.__init__


def patient(client: Any, *arguments: Any, **named: Any) -> None:
    """However slow the machine, a command that a session leaves unanswered is not told of by itself."""
    _init(client, *arguments, **named)
    client.vector_timeout_min = client.vector_timeout_max = 100


def write(kind: str, **record: Any) -> None:
    """Write one record. What JSON has no form for is written as Python writes it."""
    sys.stdout.write(json.dumps({"kind": kind, **record}, default=repr) + "\n")
    sys.stdout.flush()


# -- what is seen -----------------------------------------------------------------------------


def event_seen(event: Any) -> dict[str, Any]:
    seen: dict[str, Any] = {"class": type(event).__name__}
    seen |= {name: plain(getattr(event, name)) for name in TOLD + TOLD_TOO if hasattr(event, name)}
    for name in ("device", "vector"):
        live = getattr(event, name)
        seen[name] = live and type(live).__name__
    if hasattr(event, "keys"):
        seen["mapping"] = {name: plain(value) for name, value in event.items()}
    seen["root"] = event.root is not None
    if event.root is not None:
        seen["str"] = attributes(text_of(str(event)))
    return seen


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def text_of(xml: str | bytes) -> str:
    """An element as text in which white space around texts and the order of attributes are gone."""
    return ET.canonicalize(xml.strip(), strip_text=True)


def attributes(xml: str) -> dict[str, Any]:
    """An element taken to pieces."""
    node = ET.fromstring(xml)
    pieces: dict[str, Any] = {"tag": node.tag, **{f"@{key}": node.attrib[key] for key in node.attrib}}
    pieces |= {"text": node.text} if node.text else {}
    return {
        **pieces,
        **{f"{place}": attributes(text_of(ET.tostring(child))) for place, child in enumerate(node)},
    }


def raised(error: Exception) -> str:
    """What 0.9 would call an error: its own class has standard parents only."""
    return "raises " + next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in KNOWN_ERRORS)


def dumped(node: Any, *arguments: bool) -> Any:
    """What `dumps` makes of a snapshot."""
    try:
        return json.loads(node.dumps(None, None, *arguments), parse_constant=lambda word: f"{word}, no JSON")
    except Exception as error:
        return raised(error)


def class_of(node: Any) -> str:
    """The class of 0.9 that a snapshot belongs to."""
    return next((kind.__name__ for kind in NODES if isinstance(node, kind)), type(node).__name__)


# -- an IPyClient -------------------------------------------------------------------------------


class Recorder(ipc.IPyClient):
    """Writes down each event and what the state is then."""

    async def rxevent(self, event: Any) -> None:
        devices = {name: dumped(device.snapshot(), False, True, True) for name, device in self.items()}
        whole = dumped(self.snapshot(), False, True)
        if not isinstance(whole, str):
            whole["devices"] = list(whole["devices"])
        write("event", **event_seen(event), connected=self.connected, snapshot=whole, devices=devices)


async def run_ipyclient(port: int) -> None:
    client = Recorder("127.0.0.1", port)
    namespace = {**globals(), "client": client}
    reader = asyncio.create_task(evaluate_in_loop(namespace))
    try:
        await client.asyncrun()
    finally:
        write("ended")
        reader.cancel()


async def evaluate_in_loop(namespace: dict[str, Any]) -> None:
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(target=read, daemon=True).start()
    while True:
        line = await lines.get()
        try:
            value = eval(line, namespace)
            if inspect.isawaitable(value):
                value = await value
        except Exception as error:
            value = raised(error)
        write("result", value=plain(value))


# -- a QueClient --------------------------------------------------------------------------------


def item_seen(item: Any) -> dict[str, Any]:
    seen = {"eventtype": item.eventtype, "devicename": item.devicename, "vectorname": item.vectorname}
    stamp = item.timestamp if item.timestamp is None else plain(item.timestamp)
    node = item.snapshot
    if item.eventtype == "Message":
        texts = node[item.devicename].messages if item.devicename else node.messages
        seen["message"] = texts[0][1] if texts else None
    return {**seen, "timestamp": stamp, "class": class_of(node), "snapshot": dumped(node, False, True)}


def run_with_thread(port: int, txque: Any, rxque: Any) -> None:
    """A QueClient with `queue.Queue` or `collections.deque`, in its thread."""
    threading.Thread(target=run_and_tell, args=(txque, rxque, port), daemon=True).start()
    threading.Thread(target=write_items, args=(rxque,), daemon=True).start()
    evaluate(into(txque))


def into(target: Any) -> Callable[[Any], None]:
    """How something is put into a queue."""
    put: Callable[[Any], None] = getattr(target, "put", None) or target.append
    return put


def run_and_tell(txque: Any, rxque: Any, port: int) -> None:
    error = ""
    try:
        runqueclient(txque, rxque, indihost="127.0.0.1", indiport=port)
    except Exception as problem:
        error = raised(problem)
    into(rxque)(error)


def write_items(rxque: Any) -> None:
    """Write all that comes, up to the text that says how the client has ended."""
    while True:
        item = rxque.get() if hasattr(rxque, "get") else next_of(rxque)
        if isinstance(item, str):
            write("ended", error=item)
            return
        write("item", **item_seen(item))


def next_of(items: collections.deque[Any]) -> Any:
    while not items:
        time.sleep(0.005)
    return items.popleft()


def evaluate(put: Callable[[Any], None]) -> None:
    namespace = {**globals(), "put": put}
    for line in sys.stdin:
        write("result", value=plain(eval(line, namespace)))


async def run_in_loop(port: int) -> None:
    """A QueClient with `asyncio.Queue`, in the same loop as the program."""
    loop = asyncio.get_running_loop()
    txque: asyncio.Queue[Any] = asyncio.Queue()
    rxque: asyncio.Queue[Any] = asyncio.Queue()

    def put(item: Any) -> None:
        loop.call_soon_threadsafe(txque.put_nowait, item)

    threading.Thread(target=evaluate, args=(put,), daemon=True).start()
    client = asyncio.create_task(QueClient(txque, rxque, "127.0.0.1", port).asyncrun())
    client.add_done_callback(lambda task: rxque.put_nowait(""))
    while item := await rxque.get():
        write("item", **item_seen(item))
    write("ended", error="")
    await client


def main(port: int, kind: str) -> None:
    ipc.IPyClient.__init__ = patient  # type: ignore[method-assign]
    if kind == "IPyClient":
        asyncio.run(run_ipyclient(port))
    elif kind == "asyncio.Queue":
        asyncio.run(run_in_loop(port))
    elif kind == "deque":
        run_with_thread(port, collections.deque(), collections.deque())
    else:
        run_with_thread(port, queue.Queue(), queue.Queue())


# for the expressions
NAMES = (Path, timedelta, timezone)

if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
