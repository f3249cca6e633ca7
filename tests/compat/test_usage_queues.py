"""How programs written for 0.9 use the queue client: windows, scripts, stores, mount and camera control.

Written in the manner of those programs, and against the names they use; nothing here is theirs.
"""

from __future__ import annotations

import asyncio
import collections
import copy
import heapq
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from indipyclient.queclient import EventItem, QueClient, runqueclient
from tests.support.deadline import becomes_true
from tests.support.scripted import ALL, BLOB, NUMBER, PATIENCE, SWITCH, Peer, ScriptedServer, moved

CONNECTION = (
    '<defSwitchVector device="Mount" name="CONNECTION" state="Idle" perm="rw" rule="OneOfMany">'
    '<defSwitch name="CONNECT">Off</defSwitch><defSwitch name="DISCONNECT">On</defSwitch></defSwitchVector>'
)
CONFIG = (
    '<defSwitchVector device="Mount" name="CONFIG_PROCESS" state="Idle" perm="rw" rule="AtMostOne">'
    '<defSwitch name="CONFIG_LOAD">Off</defSwitch></defSwitchVector>'
)
FRAME = (
    '<setBLOBVector device="D" name="B" state="Ok" timestamp="2024-01-02T03:04:05">'
    '<oneBLOB name="b" size="3" format=".fits">YWJj</oneBLOB></setBLOBVector>'
)


class Program:
    """A client in its thread, as programs start one, and what has come from it."""

    def __init__(self, txque: Any, rxque: Any, port: int, **more: Any) -> None:
        self.txque = txque
        self.rxque = rxque
        self.items: list[EventItem] = []
        arguments = {"txque": txque, "rxque": rxque, "indihost": "127.0.0.1", "indiport": port, **more}
        self.thread = threading.Thread(target=runqueclient, kwargs=arguments, daemon=True)
        self.thread.start()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *exc: object) -> None:
        if hasattr(self.txque, "put"):
            self.txque.put(None)
        else:
            self.txque.append(None)
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()

    def take(self, eventtype: str, vectorname: str | None = None) -> EventItem:
        """Read items up to one of a type."""
        while True:
            item = self.rxque.get(timeout=PATIENCE)
            self.items.append(item)
            if (item.eventtype, item.vectorname) == (eventtype, vectorname):
                assert isinstance(item, EventItem)
                return item


@pytest.fixture
def program(server: ScriptedServer) -> Iterator[Program]:
    with Program(queue.Queue(), queue.Queue(), server.port) as program:
        yield program


# -- windows --------------------------------------------------------------------------------------


class Window:
    """What of a toolkit such as tkinter is needed: functions that are called after some time."""

    def __init__(self) -> None:
        self.label = ""
        self._open = True
        self._calls: list[tuple[float, int, Callable[[], None]]] = []

    def after(self, milliseconds: int, call: Callable[[], None]) -> None:
        heapq.heappush(self._calls, (time.monotonic() + milliseconds / 1000, len(self._calls), call))

    def destroy(self) -> None:
        self._open = False

    def mainloop(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self._open:
            when, _, call = heapq.heappop(self._calls)
            time.sleep(max(0.0, when - time.monotonic()))
            call()
            assert time.monotonic() < deadline, f"the window still shows {self.label!r}"


class Panel:
    """A window with one value and one button, which is pressed as soon as it can be."""

    def __init__(self, window: Window, program: Program) -> None:
        self.window = window
        self.program = program
        self.pressed = False
        window.after(10, self.read)

    def get(self) -> EventItem | None:
        rxque = self.program.rxque
        if isinstance(rxque, collections.deque):
            found = rxque.popleft() if rxque else None
        else:
            try:
                found = rxque.get_nowait()
            except queue.Empty:
                return None
        assert found is None or isinstance(found, EventItem)
        return found

    def send(self, item: Any) -> None:
        txque = self.program.txque
        (txque.append if isinstance(txque, collections.deque) else txque.put)(item)

    def read(self) -> None:
        while (item := self.get()) is not None:
            self.show(item)
        self.window.after(10, self.read)

    def show(self, item: EventItem) -> None:
        snap = item.snapshot
        if not snap.connected:
            self.window.label = "not connected"
        elif "D" in snap and "S" in snap["D"]:
            self.window.label = f"{snap['D']['S']['b']} {snap['D']['S'].state}"
            if not self.pressed:
                self.pressed = True
                self.send(("D", "S", {"a": "Off", "b": "On"}))
        if self.window.label == "On Ok":
            self.window.destroy()


@pytest.mark.parametrize("kind", [queue.Queue, collections.deque])
def test_a_window_polls_the_queue_between_its_other_work(kind: type, server: ScriptedServer) -> None:
    with Program(kind(), kind(), server.port) as program:
        panel = Panel(Window(), program)
        peer = server.greet(ALL)
        device = threading.Thread(target=answer_switch, args=(peer,))
        device.start()
        panel.window.mainloop()
        device.join(PATIENCE)
        assert panel.window.label == "On Ok"
        assert not device.is_alive()


def answer_switch(peer: Peer) -> None:
    """A device that does as it is told."""
    peer.receive_until(lambda message: getattr(message, "name", "") == "S")
    values = '<oneSwitch name="a">Off</oneSwitch><oneSwitch name="b">On</oneSwitch>'
    peer.send(f'<setSwitchVector device="D" name="S" state="Ok">{values}</setSwitchVector>')


def test_a_window_shows_that_the_connection_is_gone(server: ScriptedServer, program: Program) -> None:
    peer = server.greet(ALL)
    program.take("Define", "S")
    server.refuse()
    peer.close()
    lost = program.take("ConnectionLost")
    assert not lost.snapshot.connected
    after = program.take("Message")
    assert not after.snapshot.connected
    assert len(after.snapshot) == 0


def test_a_bounded_deque_keeps_the_newest(server: ScriptedServer) -> None:
    rxque: collections.deque[EventItem] = collections.deque(maxlen=4)
    with Program(collections.deque(), rxque, server.port):
        server.greet(ALL)
        assert becomes_true(lambda: bool(rxque) and "R" in rxque[-1].snapshot.get("D", {}), PATIENCE)
        assert len(rxque) == 4


def test_the_client_is_started_with_arguments_by_position(server: ScriptedServer) -> None:
    txque: queue.Queue[Any] = queue.Queue()
    rxque: queue.Queue[Any] = queue.Queue()
    thread = threading.Thread(target=runqueclient, args=(txque, rxque, "127.0.0.1", server.port))
    thread.start()
    server.greet(ALL)
    txque.put(None)
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert rxque.get_nowait().eventtype == "Message"


def test_the_client_runs_in_the_loop_of_a_program_with_asyncio_queues(server: ScriptedServer) -> None:
    async def main() -> Any:
        txque: asyncio.Queue[Any] = asyncio.Queue(maxsize=4)
        rxque: asyncio.Queue[EventItem] = asyncio.Queue(maxsize=4)
        client = QueClient(txque, rxque, indihost="127.0.0.1", indiport=server.port)

        async def consume() -> EventItem:
            while (item := await rxque.get()).vectorname != "N":
                rxque.task_done()
            await txque.put(None)
            return item

        _, item, _ = await asyncio.gather(client.asyncrun(), consume(), asyncio.to_thread(server.greet, ALL))
        return item

    item = asyncio.run(main())
    assert (item.eventtype, item.snapshot["D"]["N"]["x"]) == ("Define", "1")


# -- a store such as Valkey -------------------------------------------------------------------------


class Store:
    """What of a client of such a store is needed: texts by name, and subscribers to channels."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.channels: dict[str, Callable[[str], None]] = {}

    def set(self, name: str, text: str) -> None:
        self.texts[name] = text

    def publish(self, channel: str, text: str) -> None:
        self.channels[channel](text)


def test_a_store_gets_the_state_as_json_and_gives_commands(server: ScriptedServer, program: Program) -> None:
    store = Store()
    store.channels["to_indi"] = lambda text: program.txque.put(json.loads(text))
    peer = server.greet(ALL + BLOB)
    item = program.take("Define", "R")
    store.set("snapshot", item.snapshot.dumps())
    store.set("D:N", item.snapshot["D"]["N"].dumps(indent=1))
    store.set("messages", json.dumps(item.snapshot.dictdump()["messages"]))
    store.publish("to_indi", json.dumps(["D", "T", {"t": "top"}]))
    command = peer.receive_until(lambda message: getattr(message, "name", "") == "T")[-1]
    assert [one.value for one in command.members] == ["top", "dale"]  # type: ignore[union-attr]
    state = json.loads(store.texts["snapshot"])
    assert state["devices"]["D"]["vectors"]["N"] == json.loads(store.texts["D:N"])
    assert list(state) == ["indihost", "indiport", "connected", "messages", "devices"]
    assert json.loads(store.texts["messages"])[0][1] == "getProperties sent"


def test_a_script_writes_everything_into_a_file(
    server: ScriptedServer, program: Program, tmp_path: Path
) -> None:
    server.greet(ALL)
    snap = program.take("Define", "R").snapshot
    with (tmp_path / "state.json").open("w", encoding="utf-8") as file:
        snap.dump(file, indent=2)
    assert json.loads((tmp_path / "state.json").read_text(encoding="utf-8")) == snap.dictdump()


# -- control of mounts and cameras ------------------------------------------------------------------


def test_devices_and_switches_are_asked_for_before_they_are_known(
    server: ScriptedServer, program: Program
) -> None:
    peer = server.greet()
    snap = program.take("ConnectionMade").snapshot
    assert snap.get("Mount") is None
    peer.send(CONNECTION)
    snap = program.take("Define", "CONNECTION").snapshot
    assert snap.get("Mount") is not None
    assert snap["Mount"].get("CONNECTION").get("CONNECT") == "Off"
    assert snap["Mount"].get("CCD_INFO") is None
    assert "CONNECTION" in snap["Mount"]
    assert [name for name, device in snap.items() if device.enable] == ["Mount"]


def test_members_are_read_from_dumps(server: ScriptedServer, program: Program) -> None:
    peer = server.greet(ALL)
    program.take("Define", "R")
    peer.send('<message device="D" message="parked"/>')
    device = program.take("Message").snapshot["D"]
    assert device.dictdump().get("messages")[0][1] == "parked"
    values = {}
    for vector in device.dictdump()["vectors"].values():
        for name, member in vector["members"].items():
            values[name] = member.get("floatvalue", member["value"])
    assert (values["x"], values["t"], values["a"]) == (1.0, "hill", "On")


def test_queues_are_emptied_behind_the_clients_back(server: ScriptedServer, program: Program) -> None:
    peer = server.greet(ALL)
    program.take("Define", "R")
    for _ in range(3):
        program.rxque.queue.clear()
        program.txque.queue.clear()
        program.txque.put((None, None, "snapshot"))
        assert program.take("snapshot").snapshot["D"]["T"]["t"] == "hill"
    program.txque.put(("D", "T", {"t": "top"}))
    assert peer.receive_until(lambda message: getattr(message, "name", "") == "T")


def test_the_traffic_in_the_log_is_set_from_another_thread(server: ScriptedServer) -> None:
    txque: queue.Queue[Any] = queue.Queue()
    client = QueClient(txque, queue.Queue(), "127.0.0.1", server.port)
    thread = threading.Thread(target=lambda: asyncio.run(client.asyncrun()))
    thread.start()
    server.greet(ALL)
    for verbosity in (0, 3, 2, 1):
        client.debug_verbosity(verbosity)
    with pytest.raises(ValueError, match="verbose"):
        client.debug_verbosity(4)
    txque.put(None)
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_value_that_makes_no_sense_harms_nothing(server: ScriptedServer, program: Program) -> None:
    peer = server.greet(CONFIG + ALL)
    program.take("Define", "R")
    program.txque.put(("Mount", "CONFIG_PROCESS", {"CONFIG_PROCESS": True}))
    assert program.take("Message").snapshot.connected
    program.txque.put(("D", "T", {"t": "top"}))
    sent = peer.receive_until(lambda message: getattr(message, "name", "") == "T")
    assert [message for message in sent if getattr(message, "device", "") == "Mount"] == []


def test_a_server_that_never_sends_timeouts_is_no_trouble(server: ScriptedServer, program: Program) -> None:
    """INDIGO's updates have no ``timeout``. Defect 1: the next command then ended the connection."""
    peer = server.greet(NUMBER)
    program.take("Define", "N")
    for _ in range(2):
        peer.send(moved(2))
        assert program.take("Set", "N").snapshot["D"]["N"].timeout == 5.0
        program.txque.put(("D", "N", {"x": 3}))
        assert program.take("State", "N").snapshot["D"]["N"].state == "Busy"
        peer.receive_until(lambda message: getattr(message, "name", "") == "N")


def test_snapshots_are_read_as_dictionaries(server: ScriptedServer, program: Program) -> None:
    server.greet(ALL)
    snap = program.take("Define", "R").snapshot
    switches, numbers = snap["D"]["S"], snap["D"]["N"]
    assert list(switches.keys()) == ["a", "b"]
    assert [name for name in switches if switches[name] == "On"] == ["a"]
    assert getattr(switches, "enable", True) is True
    assert dict(numbers) == {"x": "1", "y": "2"}
    assert (numbers.getfloatvalue("x"), numbers.getformattedvalue("x")) == (1.0, " 1.00")
    assert numbers.member("x").label == numbers.memberlabel("x") == "X"
    assert [member.max for member in numbers.members().values()] == ["10", "10"]
    assert snap.data["D"].data["N"].data["x"].membervalue == "1"
    assert (snap.get_vector_state("D", "N"), snap.enabledlen()) == ("Ok", 1)
    assert snap.messages[0][1] == "getProperties sent"
    assert copy.deepcopy(snap).dictdump() == copy.copy(snap).dictdump() == snap.dictdump()


def test_frames_come_in_snapshots_and_in_a_folder(server: ScriptedServer, tmp_path: Path) -> None:
    with Program(queue.Queue(), queue.Queue(), server.port, blobfolder=str(tmp_path)) as program:
        peer = server.greet(BLOB)
        program.take("DefineBLOB", "B")
        peer.send(FRAME)
        vector = program.take("SetBLOB", "B").snapshot["D"]["B"]
        assert vector["b"] == b"abc"
        assert (tmp_path / vector.member("b").filename).read_bytes() == b"abc"
        assert vector.dictdump(True)["members"]["b"]["value"] == b"abc"
        assert vector.dictdump()["members"]["b"]["value"] is None


def test_definitions_and_blobs_are_asked_for(server: ScriptedServer, program: Program) -> None:
    peer = server.greet(BLOB + SWITCH)
    program.take("Define", "S")
    program.txque.put(("D", "B", "Also"))
    assert peer.receive_until(lambda message: getattr(message, "mode", "") == "Also")
    program.txque.put(("D", "S", "Get"))
    assert peer.receive_until(lambda message: getattr(message, "name", "") == "S")


def test_a_sequence_of_commands_waits_for_each_answer(server: ScriptedServer, program: Program) -> None:
    """A script that goes through the items itself, without a client object."""
    peer = server.greet(NUMBER)
    program.take("Define", "N")
    for value in (2.5, 3.5):
        program.txque.put(("D", "N", {"x": value}))
        stamp = program.take("State", "N").timestamp
        peer.receive_until(lambda message: getattr(message, "name", "") == "N")
        peer.send(moved(value))
        item = program.take("Set", "N")
        assert item.timestamp >= stamp
        assert item.snapshot["D"]["N"].getfloatvalue("x") == value
