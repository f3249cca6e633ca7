"""Each kind of queue on either side of the queue client, read or not read: against a scripted server.

The numbers in the docstrings are those of the defects that 0.9.4 was shown to have.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from indipyclient.mailbox import Mailbox
from indipyclient.net.link import Timing
from indipyclient.protocol import GetProperties, NewVector, OneMember
from indipyclient.queclient import QueClient
from tests.support.deadline import becomes_true
from tests.support.ids import shown
from tests.support.scripted import NUMBER, PATIENCE, SOON, ScriptedServer, moved

Loop = asyncio.AbstractEventLoop


class Kind(NamedTuple):
    """How a test, in its own thread, uses one kind of queue; asyncio's belongs to the client's loop."""

    make: Callable[[int], Any]
    put: Callable[[Any, Any, Loop], object]
    get: Callable[[Any, float, Loop], Any]

    def __repr__(self) -> str:
        return type(self.make(0)).__module__.removeprefix("indipyclient.") + "." + type(self.make(0)).__name__


def _plain_put(box: Any, item: Any, loop: Loop) -> None:
    box.put(item)


def _plain_get(box: Any, timeout: float, loop: Loop) -> Any:
    return box.get(timeout=timeout)


def _loop_put(box: asyncio.Queue[Any], item: Any, loop: Loop) -> None:
    asyncio.run_coroutine_threadsafe(box.put(item), loop).result(PATIENCE)


def _loop_get(box: asyncio.Queue[Any], timeout: float, loop: Loop) -> Any:
    return asyncio.run_coroutine_threadsafe(asyncio.wait_for(box.get(), timeout), loop).result()


def _deque_put(box: deque[Any], item: Any, loop: Loop) -> None:
    box.append(item)


def _deque_get(box: deque[Any], timeout: float, loop: Loop) -> Any:
    assert becomes_true(lambda: bool(box), timeout)
    return box.popleft()


QUEUE = Kind(lambda size: queue.Queue(size), _plain_put, _plain_get)
SIMPLE = Kind(lambda size: queue.SimpleQueue(), _plain_put, _plain_get)
ASYNC = Kind(lambda size: asyncio.Queue(size), _loop_put, _loop_get)
DEQUE = Kind(lambda size: deque(), _deque_put, _deque_get)
BOX = Kind(lambda size: Mailbox(), _plain_put, _plain_get)
KINDS = [QUEUE, SIMPLE, ASYNC, DEQUE, BOX]

each_kind = pytest.mark.parametrize("kind", KINDS, ids=repr)


class Bridge:
    """A queue client in a thread, with a queue of some kind on either side; a context manager."""

    def __init__(self, server: ScriptedServer, tx: Kind, rx: Kind, size: int = 0, **limits: int) -> None:
        """`size` bounds the queue of what the client has to say, by itself or by the client's limit."""
        self._tx, self._rx = tx, rx
        self.txque, self.rxque = tx.make(0), rx.make(size)
        if size:
            limits["rxque_limit"] = size
        self.client = QueClient(self.txque, self.rxque, "127.0.0.1", server.port, **limits)  # type: ignore[arg-type]
        self.client.timing = Timing(reconnect_min=0.02)
        self.ended = threading.Event()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)
        self._thread.start()
        assert self._begun.wait(PATIENCE)

    def __enter__(self) -> Bridge:
        return self

    def __exit__(self, *exc: object) -> None:
        if not self.ended.is_set():
            self.put(None)
        assert self.ended.wait(PATIENCE)
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join(PATIENCE)

    def put(self, item: Any) -> None:
        """Give the client an item."""
        self._tx.put(self.txque, item, self._loop)

    def get(self, timeout: float = PATIENCE) -> Any:
        """Take an item of the client's."""
        return self._rx.get(self.rxque, timeout, self._loop)

    def wait(self, eventtype: str) -> Any:
        """Take items up to the first of a type."""
        while (item := self.get()).eventtype != eventtype:
            pass
        return item

    def take_all(self) -> list[Any]:
        """Take items until the client has said what it was asked last, and that is all."""
        items = [self.get()]
        while items[-1].eventtype != "snapshot":
            items.append(self.get())
        return items

    async def _main(self) -> None:
        self._loop, self._leave = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()
        try:
            await self.client.asyncrun()
        finally:
            self.ended.set()
        await self._leave.wait()  # the loop must live as long as the test may use a queue of asyncio's


# -- what every kind can do -----------------------------------------------------------------------


@pytest.mark.parametrize("rx", KINDS, ids=repr)
@pytest.mark.parametrize("tx", KINDS, ids=repr)
def test_any_two_kinds_make_a_bridge(server: ScriptedServer, tx: Kind, rx: Kind) -> None:
    """API 8: a command and its answers, a request, a bad item, and the end by None."""
    with Bridge(server, tx, rx) as bridge:
        peer = server.greet(NUMBER)
        assert bridge.wait("Define").snapshot["D"]["N"]["x"] == "1"
        bridge.put(("D", "N", {"x": 3}))
        state = bridge.wait("State")
        assert state.snapshot["D"]["N"].state == "Busy"
        assert peer.receive() == NewVector(
            "Number", "D", "N", state.timestamp, (OneMember("x", "3"), OneMember("y", "2"))
        )
        peer.send(moved(3))
        assert bridge.wait("Set").snapshot["D"]["N"]["x"] == "3"
        bridge.put(5)
        assert bridge.wait("Message").snapshot.messages[0][1].startswith("not carried out")
        bridge.put(("D", "N", "snapshot"))
        assert bridge.wait("snapshot").snapshot["x"] == "3"
        bridge.put(None)
        assert not bridge.wait("ConnectionLost").snapshot.connected
        assert bridge.ended.wait(SOON)


@each_kind
def test_commands_come_in_order_through_every_kind(server: ScriptedServer, kind: Kind) -> None:
    with Bridge(server, kind, QUEUE) as bridge:
        peer = server.greet(NUMBER)
        bridge.wait("Define")
        for x in range(100):
            bridge.put(("D", "N", {"x": x}))
        sent = [peer.receive() for _ in range(100)]
        assert [message.members[0].value for message in sent] == [str(x) for x in range(100)]  # type: ignore[union-attr]


@each_kind
def test_commands_put_before_the_run_are_taken_once_it_begins(server: ScriptedServer, kind: Kind) -> None:
    txque, rxque = kind.make(0), queue.Queue[Any]()
    loop = asyncio.new_event_loop()
    if kind is ASYNC:
        txque.put_nowait(("the", "end", "Get"))
        txque.put_nowait(None)
    else:
        kind.put(txque, ("the", "end", "Get"), loop)
        kind.put(txque, None, loop)
    client = QueClient(txque, rxque, "127.0.0.1", server.port)
    task = loop.create_task(client.asyncrun())
    loop.run_until_complete(asyncio.wait({task}, timeout=SOON))
    assert task.done()
    loop.close()


@pytest.mark.parametrize("kind", [QUEUE, ASYNC], ids=repr)
def test_join_returns_for_kinds_that_have_it(server: ScriptedServer, kind: Kind) -> None:
    """Defect 6."""
    with Bridge(server, kind, QUEUE) as bridge:
        server.greet(NUMBER)
        bridge.wait("Define")
        for item in (("D", "N", {"x": 1}), 5, (None, None, "snapshot")):
            bridge.put(item)
        if kind is ASYNC:
            asyncio.run_coroutine_threadsafe(bridge.txque.join(), bridge._loop).result(PATIENCE)
        else:
            waiting = threading.Thread(target=bridge.txque.join, daemon=True)
            waiting.start()
            waiting.join(PATIENCE)
            assert not waiting.is_alive()


# -- a program that does not read -------------------------------------------------------------------


@each_kind
def test_a_full_queue_stops_neither_the_network_nor_commands_nor_the_end(
    server: ScriptedServer, kind: Kind
) -> None:
    """Defect 6: a queue that nobody drains held up everything, for ever."""
    with Bridge(server, QUEUE, kind, size=2) as bridge:
        peer = server.greet(NUMBER)
        assert becomes_true(lambda: "D" in bridge.client.snapshot(), PATIENCE)
        for x in range(50):
            bridge.put(("D", "N", {"x": x}))
            sent = peer.receive()
            assert isinstance(sent, NewVector)
            assert sent.members[0] == OneMember("x", str(x))
            peer.send(moved(x))
        peer.send('<pingRequest uid="1"/>')
        assert peer.receive().uid == "1"  # type: ignore[union-attr]
        assert becomes_true(lambda: bridge.client.snapshot()["D"]["N"]["x"] == "49", PATIENCE)
        assert len(bridge.client.backlog) >= 100, "nothing of it was read"
        bridge.put(None)
        assert bridge.ended.wait(SOON)


@each_kind
def test_order_is_kept_and_nothing_lost_for_a_program_that_reads_late(
    server: ScriptedServer, kind: Kind
) -> None:
    with Bridge(server, QUEUE, kind, size=3) as bridge:
        peer = server.greet(NUMBER)
        peer.send("".join(map(moved, range(100))))
        assert becomes_true(lambda: len(bridge.client.backlog) > 90, PATIENCE)
        bridge.put((None, None, "snapshot"))
        items = bridge.take_all()
    assert [item.snapshot["D"]["N"]["x"] for item in items if item.eventtype == "Set"] == list(
        map(str, range(100))
    )
    assert [item.eventtype for item in items][:5] == [
        "Message",
        "Message",
        "ConnectionMade",
        "Message",
        "Define",
    ]
    assert bridge.client.backlog.folded == 0


@each_kind
def test_what_does_not_fit_is_folded_and_counted_and_the_last_state_is_there(
    server: ScriptedServer, kind: Kind
) -> None:
    """Design 3: the oldest of the same property goes into the newest."""
    other = NUMBER.replace('"N"', '"M"')
    with Bridge(server, QUEUE, kind, size=2, backlog_limit=20) as bridge:
        peer = server.greet(NUMBER + other)
        peer.send("".join(moved(x) + moved(x).replace('"N"', '"M"') for x in range(500)))
        assert becomes_true(lambda: _values(bridge) == ["499", "499"], PATIENCE)
        waiting = len(bridge.client.backlog)
        assert waiting <= 20 + 8, "the limit, and one of each property"
        folded = bridge.client.backlog.folded
        assert folded > 900
        bridge.put((None, None, "snapshot"))
        items = bridge.take_all()
    assert len(items) + folded >= 1000
    last = {item[:3]: item.snapshot for item in items if item.eventtype == "Set"}
    assert last["Set", "D", "N"]["D"]["N"]["x"] == "499"
    assert last["Set", "D", "M"]["D"]["M"]["x"] == "499"
    revs = [item.snapshot.rev for item in items]
    assert revs == sorted(revs)
    counts = Counter(item[:3] for item in items)
    assert counts["Set", "D", "N"] > 1
    assert counts["ConnectionMade", None, None] == counts["Define", "D", "N"] == 1


def _values(bridge: Bridge) -> list[str]:
    snap = bridge.client.snapshot()
    return [vector["x"] for vector in snap["D"].values()] if "D" in snap else []


@each_kind
def test_folded_and_taken_together_are_all_there_was(server: ScriptedServer, kind: Kind) -> None:
    with Bridge(server, QUEUE, kind, size=2, backlog_limit=10) as bridge:
        peer = server.greet(NUMBER)
        peer.send("".join(map(moved, range(300))))
        assert becomes_true(lambda: _values(bridge) == ["299"], PATIENCE)
        bridge.put((None, None, "snapshot"))
        items = bridge.take_all()
        folded = bridge.client.backlog.folded
    # four at the start, the definition, the updates, and the answer to the request
    assert len(items) + folded == 4 + 1 + 300 + 1


@each_kind
def test_reading_goes_on_after_a_pause(server: ScriptedServer, kind: Kind) -> None:
    with Bridge(server, QUEUE, kind, size=2) as bridge:
        peer = server.greet(NUMBER)
        for x in range(3):
            peer.send(moved(x) * 20)
            assert becomes_true(lambda: len(bridge.client.backlog) >= 17, PATIENCE)
            for _ in range(20):
                bridge.wait("Set")
        bridge.put((None, None, "snapshot"))
        bridge.take_all()
        assert len(bridge.client.backlog) == 0


def test_a_program_may_clear_the_queue_itself(server: ScriptedServer) -> None:
    """API 8: MountWizzard4 does so with `q.queue.clear()`, which wakes nobody."""
    with Bridge(server, QUEUE, QUEUE, size=3) as bridge:
        peer = server.greet(NUMBER)
        peer.send("".join(map(moved, range(100))))
        assert becomes_true(lambda: len(bridge.client.backlog) > 90, PATIENCE)
        bridge.rxque.queue.clear()
        assert becomes_true(lambda: bridge.rxque.full(), PATIENCE)
        bridge.txque.queue.clear()
        bridge.put((None, None, "snapshot"))
        bridge.take_all()


def test_an_unbounded_queue_that_nobody_reads_is_bounded_by_the_client(server: ScriptedServer) -> None:
    """Defect 31: 105 kB for each item, without end."""
    with Bridge(server, QUEUE, Kind(lambda size: queue.Queue(), _plain_put, _plain_get), size=100) as bridge:
        server.greet(NUMBER).send("".join(map(moved, range(500))))
        assert becomes_true(lambda: _values(bridge) == ["499"], PATIENCE)
        assert bridge.rxque.qsize() == 100


@pytest.mark.parametrize(
    "rxque", [deque(maxlen=4), Mailbox(keep=4)], ids=["deque of four", "mailbox of four"]
)
def test_a_queue_that_keeps_the_newest_only_is_let_to(server: ScriptedServer, rxque: Any) -> None:
    kind = Kind(lambda size: rxque, _plain_put, _plain_get)
    with Bridge(server, QUEUE, kind) as bridge:
        peer = server.greet(NUMBER)
        peer.send("".join(map(moved, range(100))))
        assert becomes_true(lambda: _values(bridge) == ["99"], PATIENCE)
        assert becomes_true(lambda: len(rxque) == 4, PATIENCE)
        assert len(bridge.client.backlog) == 0
        items = rxque.drain() if isinstance(rxque, Mailbox) else list(rxque)
        assert [item.snapshot["D"]["N"]["x"] for item in items] == ["96", "97", "98", "99"]


def test_a_deque_that_is_cleared_as_it_is_looked_at_is_no_harm(server: ScriptedServer) -> None:
    """A look and the taking are two steps, and a program may clear the deque between them."""

    class Cleared(deque[Any]):
        def popleft(self) -> Any:
            if len(self) == 1 and self[0] == "to be cleared":
                self.clear()
            return super().popleft()

    kind = Kind(lambda size: Cleared(), _deque_put, _deque_get)
    with Bridge(server, kind, QUEUE) as bridge:
        peer = server.greet(NUMBER)
        bridge.put("to be cleared")
        assert becomes_true(lambda: not bridge.txque, PATIENCE)
        bridge.put(("the", "end", "Get"))
        assert peer.receive() == GetProperties("the", "end")


# -- asyncio.Queue in an asyncio program --------------------------------------------------------------


def test_asyncio_queues_serve_a_program_in_the_clients_own_loop(server: ScriptedServer) -> None:
    async def program(port: int) -> str:
        txque: asyncio.Queue[Any] = asyncio.Queue()
        rxque: asyncio.Queue[Any] = asyncio.Queue(maxsize=2)
        client = asyncio.create_task(QueClient(txque, rxque, "127.0.0.1", port).asyncrun())
        while (await rxque.get()).eventtype != "Define":
            pass
        await txque.put(("D", "N", {"x": 7}))
        while (item := await rxque.get()).eventtype != "Set":
            pass
        await txque.join()
        await txque.put(None)
        await client
        return str(item.snapshot["D"]["N"]["x"])

    def serve() -> None:
        peer = server.greet(NUMBER)
        assert isinstance(peer.receive(), NewVector)
        peer.send(moved(7))

    serving = threading.Thread(target=serve)
    serving.start()
    assert asyncio.run(asyncio.wait_for(program(server.port), 2 * PATIENCE)) == "7"
    serving.join()


@pytest.mark.parametrize("side", ["txque", "rxque"])
def test_an_asyncio_queue_of_another_loop_does_not_end_the_client_in_silence(
    server: ScriptedServer, side: str
) -> None:
    """It cannot be used; that must be heard in the thread that runs the client."""
    foreign: asyncio.Queue[Any] = asyncio.Queue(1)

    async def wait_in_another_loop() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(foreign.get(), 0.01)

    asyncio.run(wait_in_another_loop())
    queues: dict[str, Any] = {"txque": queue.Queue(), "rxque": queue.Queue(), side: foreign}
    client = QueClient(**queues, indihost="127.0.0.1", indiport=server.port)

    async def run() -> None:
        task = asyncio.create_task(client.asyncrun())
        await asyncio.wait({task}, timeout=PATIENCE)
        await task

    with pytest.raises(RuntimeError, match="different event loop"):
        asyncio.run(run())


# -- what is no queue -----------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [None, [], "queue", 5, object(), threading.Event(), queue.Queue], ids=shown)
@pytest.mark.parametrize("side", ["txque", "rxque"])
def test_what_is_no_queue_is_refused_in_the_callers_thread(side: str, wrong: Any) -> None:
    """Defect 35: only when it ran, and then by reconnecting for ever."""
    queues: dict[str, Any] = {"txque": queue.Queue(), "rxque": queue.Queue(), side: wrong}
    with pytest.raises(TypeError, match=side):
        QueClient(**queues)


def test_subclasses_of_queues_are_queues(server: ScriptedServer) -> None:
    """API 8."""
    with Bridge(server, QUEUE, Kind(lambda size: queue.LifoQueue(size), _plain_put, _plain_get)) as bridge:
        server.greet(NUMBER)
        assert becomes_true(lambda: _values(bridge) == ["1"], PATIENCE)
        assert becomes_true(lambda: bridge.rxque.qsize() == 5, PATIENCE)
        assert bridge.get().eventtype == "Define"
