"""It always ends: with its program, however that ends, and by itself, whenever it is told to.

The rows are those of the list of pitfalls that this package was designed against.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import queue
import signal
import socket
import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from indipyclient.bridge import lifecycle
from indipyclient.errors import MailboxClosed
from indipyclient.mailbox import Mailbox
from indipyclient.protocol import NewVector
from indipyclient.queclient import EventItem, QueClient
from tests.support.deadline import becomes_true
from tests.support.leaks import Resources
from tests.support.scripted import NUMBER, ScriptedServer, dead_address, moved, send_much_of_a_frame
from tests.support.servers import free_port

from .bridged import KINDS, Bridged
from .programs import (
    NO_MORE_THREADS,
    PROLOGUE,
    RUNS,
    START_SECONDS,
    THREADS,
    Program,
    die,
    fall_silent,
    greet,
    outcome,
)
from .threads import PATIENCE, Dying, Killed, elsewhere, held_up, kill, start, start_waiting

every_thread = pytest.mark.parametrize("thread", THREADS)

# -- row 8: the end of the program ---------------------------------------------------------------


def _program(ending: str, thread: str, run: str = "runqueclient", before: str = "") -> str:
    return PROLOGUE + before + RUNS[run] + THREADS[thread] + ending


CONNECTED = "until(rxque, 'Define')\nready()\n"
WAITING = CONNECTED.replace("ready()", "ready_when_waiting()") + "rxque.get()"


@every_thread
@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("one = threading.Thread(target=sys.exit)\none.start()\none.join()", 0),
        ("txque.put(None)\nthread.join()", 0),
        ("txque.put(None)", 0),
    ],
    ids=["end of main", "sys.exit", "sys.exit in a thread", "None and join", "None"],
)
def test_a_program_ends_in_silence(
    server: ScriptedServer, ending: str, code: int, run: str, thread: str
) -> None:
    """Row 8."""
    assert outcome(_program(CONNECTED + ending, thread, run), server) == (code, "", "")


@every_thread
def test_an_exception_in_main_ends_the_program_and_is_all_that_is_said(
    server: ScriptedServer, thread: str
) -> None:
    """Row 8."""
    ended = outcome(_program(CONNECTED + "raise LookupError('on purpose')", thread), server)
    ended.assert_of(1, "LookupError: on purpose")


@every_thread
def test_ctrl_c_ends_the_program(server: ScriptedServer, thread: str) -> None:
    """Row 8."""
    ended = outcome(_program(WAITING, thread), server, interrupt=signal.SIGINT)
    ended.assert_of(-signal.SIGINT, "KeyboardInterrupt")


@every_thread
@pytest.mark.parametrize(
    ("before", "code"),
    [("", -signal.SIGTERM), ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(4))\n", 4)],
    ids=["default", "handled"],
)
def test_sigterm_ends_the_program(server: ScriptedServer, before: str, code: int, thread: str) -> None:
    """Row 8."""
    program = _program(WAITING, thread, before=before)
    assert outcome(program, server, interrupt=signal.SIGTERM) == (code, "", "")


def _flooding(server: ScriptedServer) -> None:
    """More than fits into a queue that nobody reads."""
    server.greet(NUMBER).send("".join(moved(x) for x in range(5000)))


LOST = "until(rxque, 'ConnectionLost')\nready()\n"
MADE = "until(rxque, 'ConnectionMade')\nready()\n"
HALF_FULL = "while len(rxque) < 20: time.sleep(0.001)\nready()\n"
FULL = "while not rxque.full(): time.sleep(0.001)\nready()\n"


@every_thread
@pytest.mark.parametrize(
    ("scene", "ending", "before"),
    [
        (die, LOST, ""),
        (fall_silent, MADE, ""),
        (fall_silent, MADE + "txque.put(('D', 'N', {'x': 1}))", ""),
        (_flooding, FULL, "rxque = queue.Queue(maxsize=10)\n"),
        (_flooding, "until(rxque, 'Define')\nready()\n", "txque, rxque = Mailbox(), Mailbox()\n"),
        (_flooding, HALF_FULL, "from collections import deque\nrxque = deque()\n"),
    ],
    ids=["dead", "silent", "silent to a command", "full queue", "mailboxes", "deque"],
)
def test_a_program_ends_whatever_the_server_does(
    server: ScriptedServer, scene: Callable[[ScriptedServer], None], ending: str, before: str, thread: str
) -> None:
    """Row 8."""
    assert outcome(_program(ending, thread, before=before), server, scene) == (0, "", "")


@every_thread
def test_a_program_ends_amid_a_frame(server: ScriptedServer, thread: str) -> None:
    """Row 8: after the first 8 MB of 1 GB."""
    before = "client.limits = client.limits._replace(progress=5_900_000)\n"
    ending = "until(rxque, 'Progress')\nready()\n"
    code = _program(ending, thread, "asyncio.run", before)
    assert outcome(code, server, send_much_of_a_frame) == (0, "", "")


@every_thread
def test_a_program_ends_while_its_client_connects(thread: str) -> None:
    """Row 8: to a host that does not answer."""
    ending = "until(rxque, 'Message')\nready()"
    with dead_address() as port:
        assert outcome(_program(ending, thread), port) == (0, "", "")


@every_thread
def test_a_program_ends_while_its_client_pauses_between_attempts(thread: str) -> None:
    """Row 8: with no server at all."""
    ending = "until(rxque, 'Message')\nuntil(rxque, 'Message')\nready()"
    assert outcome(_program(ending, thread), free_port()) == (0, "", "")


@every_thread
def test_no_thread_is_needed_to_fill_a_queue_once_the_program_exits(
    server: ScriptedServer, thread: str
) -> None:
    """Row 12: Python 3.12 and newer refuse to start one; here any version does."""
    before = NO_MORE_THREADS + "rxque = queue.Queue(maxsize=5)\n"
    assert outcome(_program(FULL, thread, before=before), server) == (0, "", "")


@every_thread
def test_no_thread_is_needed_to_connect_once_the_program_exits(thread: str) -> None:
    """Row 12: it is looking up a name, again and again."""
    before = NO_MORE_THREADS + "client.timing.reconnect_min = client.timing.reconnect_max = 0.001\n"
    ending = "until(rxque, 'Message')\nready()\n"
    assert outcome(_program(ending, thread, "asyncio.run", before), free_port()) == (0, "", "")


LAST = """
import atexit
atexit.register(lambda: print('ended in order' if client.stopped.is_set() else 'cut off'))
"""


@every_thread
def test_the_client_ends_in_order_before_the_interpreter_does(server: ScriptedServer, thread: str) -> None:
    """Row 8: a daemon thread, too, is not cut off in the middle of what it does."""
    assert outcome(LAST + _program(CONNECTED, thread, "asyncio.run"), server) == (0, "ended in order\n", "")


@every_thread
def test_a_program_with_two_clients_ends(server: ScriptedServer, thread: str) -> None:
    ending = CONNECTED.replace("ready()", "") + (
        "rxque = queue.Queue()\n" + THREADS[thread] + "until(rxque, 'Define')\nready()\n"
    )

    def greet_both(server: ScriptedServer) -> None:
        greet(server)
        greet(server)

    assert outcome(_program(ending, thread), server, greet_both) == (0, "", "")


def test_ctrl_c_in_a_program_that_runs_the_client_in_its_main_thread(server: ScriptedServer) -> None:
    """Row 8: what the client has begun is ended in order, and only the interrupt is told."""
    code = PROLOGUE + (
        "rxque = Mailbox()\n"
        "rxque.set_hook(lambda: ready() if rxque.get().eventtype == 'Define' else None)\n"
        "try:\n"
        "    runqueclient(txque, rxque, '127.0.0.1', port)\n"
        "except KeyboardInterrupt:\n"
        "    assert rxque.closed\n"
        "    print('interrupted')\n"
    )
    assert outcome(code, server, interrupt=signal.SIGINT) == (0, "interrupted\n", "")


# -- row 13: Ctrl-C, and life goes on ------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "wait"),
    [
        ("", "rxque.get()"),
        ("", "rxque.get(timeout=60)"),
        ("rxque = Mailbox()\n", "rxque.get()"),
        ("rxque = Mailbox()\n", "rxque.get(timeout=60)"),
        ("rxque = Mailbox()\n", "list(rxque)"),
        ("", "thread.join()"),
        ("", "txque.put(('D', 'N', {'x': 1}))\ntxque.join()\nthread.join()"),
    ],
)
def test_ctrl_c_ends_a_wait_and_not_the_client(server: ScriptedServer, before: str, wait: str) -> None:
    """Row 13. Only the last wait is interrupted: Python may leave a queue locked for ever if its put is."""
    *first, last = wait.split("\n")
    steps = "".join(f"    {step}\n" for step in (*first, "ready_when_waiting()", last))
    ending = (
        f"until(rxque, 'Define')\ntry:\n{steps}"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
        "txque.put((None, None, 'snapshot'))\n"
        "until(rxque, 'snapshot')\n"
        "print('still of use')\n"
    )
    assert outcome(_program(ending, "daemon", before=before), server, interrupt=signal.SIGINT) == (
        0,
        "interrupted\nstill of use\n",
        "",
    )


# -- row 7: the end of a fork --------------------------------------------------------------------

OWN_CLIENT = """
    tx, rx = queue.Queue(), queue.Queue()
    own = threading.Thread(target=runqueclient, args=(tx, rx, '127.0.0.1', port))
    own.start()
    until(rx, 'Define')
    tx.put(None)
    own.join()
"""
FORKED = """
until(rxque, 'Define')
child = os.fork()
if not child:
    {in_child}
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
txque.put(('D', 'N', {{'x': 5}}))
until(rxque, 'Set')
ready()
"""


@every_thread
@pytest.mark.parametrize(
    "in_child",
    [
        "pass",
        "gc.collect()",
        "client.shutdown()",
        "txque.put(None)",
        "del txque, rxque, client, target, thread; gc.collect()",
        OWN_CLIENT,
    ],
    ids=["nothing", "collects garbage", "shuts down", "puts None", "forgets", "has its own"],
)
def test_a_forked_child_ends_and_its_parent_does_not_notice(
    server: ScriptedServer, in_child: str, thread: str
) -> None:
    """Row 7."""
    code = _program(FORKED.format(in_child=in_child), thread)
    with Program(code, server.port) as program:
        peer = server.greet(NUMBER)
        if in_child is OWN_CLIENT:
            assert server.greet(NUMBER).receive_end() == []
        assert isinstance(peer.receive(START_SECONDS), NewVector)
        peer.send(moved(5))
        program.wait_ready()
        assert program.end() == (0, "", "")


# -- row 7: told to end, at any moment, from anywhere ---------------------------------------------


def test_it_ends_amid_an_attempt_to_connect() -> None:
    """Row 7."""
    with dead_address() as port, Bridged(port) as bridged:
        bridged.wait_for("Message")
        bridged.put(None)
        bridged.ended.result(PATIENCE)


def test_it_ends_before_it_has_begun(server: ScriptedServer) -> None:
    """Row 7."""
    txque: queue.Queue[Any] = queue.Queue()
    txque.put(None)
    with Bridged(server.port, tx=txque) as bridged:
        bridged.ended.result(PATIENCE)


def test_who_waits_for_an_item_is_told_of_the_end(server: ScriptedServer) -> None:
    """Row 7: close during a blocked get."""
    box: Mailbox[EventItem] = Mailbox()
    with Bridged(server.port, rx=box) as bridged:
        server.greet(NUMBER)
        bridged.wait_for("Define")
        waiting = start_waiting(box, lambda: [item.eventtype for item in box])
        bridged.client.shutdown()
        assert waiting.result(PATIENCE) == ["Message", "ConnectionLost"]


def test_it_may_be_ended_from_a_hook(server: ScriptedServer) -> None:
    """Row 7: inside a hook, which is in the client's own thread."""
    box: Mailbox[EventItem] = Mailbox()
    with Bridged(server.port, rx=box) as bridged:
        box.set_hook(bridged.client.shutdown)
        bridged.ended.result(PATIENCE)
    assert box.hook_errors == 0


def test_it_may_be_ended_from_its_own_events(server: ScriptedServer) -> None:
    """Row 7: inside a callback, in the client's own thread."""

    class Brief(QueClient):
        async def rxevent(self, event: Any) -> None:
            await super().rxevent(event)
            if event.eventtype == "Define":
                self.shutdown()

    rxque: queue.Queue[EventItem] = queue.Queue()
    ended = start(lambda: lifecycle.run(Brief(queue.Queue(), rxque, "127.0.0.1", server.port).asyncrun))
    server.greet(NUMBER)
    ended.result(PATIENCE)
    assert list(rxque.queue)[-1].eventtype == "ConnectionLost"


def test_it_may_be_told_to_end_by_many_at_once_and_again(server: ScriptedServer) -> None:
    """Row 7: twice, from two threads."""
    with Bridged(server.port) as bridged:
        server.greet(NUMBER)
        bridged.wait_for("Define")
        gate = threading.Barrier(6)

        def end(how: Callable[[], None]) -> None:
            gate.wait(PATIENCE)
            how()

        hows = [bridged.client.shutdown, lambda: bridged.put(None)] * 3
        for ending in [start(lambda how=how: end(how)) for how in hows]:  # type: ignore[misc]
            ending.result(PATIENCE)
        bridged.ended.result(PATIENCE)
        bridged.client.shutdown()
        bridged.put(None)


def test_it_may_be_ended_by_the_end_of_something_else(server: ScriptedServer) -> None:
    """Row 7: from `__del__`."""
    with Bridged(server.port) as bridged:
        server.greet(NUMBER)
        bridged.wait_for("Define")
        Dying(bridged.client.shutdown)
        gc.collect()
        bridged.ended.result(PATIENCE)


# -- rows 9 and 10: nothing is left -----------------------------------------------------------------


def test_a_client_that_never_ran_is_forgotten_at_once() -> None:
    """Row 10."""
    before = threading.active_count()
    client = QueClient(Mailbox(), Mailbox())
    assert threading.active_count() == before
    gone = weakref.ref(client)
    del client
    gc.collect()
    assert gone() is None


def test_a_client_that_has_ended_is_forgotten(server: ScriptedServer) -> None:
    """Row 10: no registry, thread or timer holds it, nor its queues."""
    box: Mailbox[EventItem] = Mailbox()
    bridged = Bridged(server.port, rx=box)
    server.greet(NUMBER)
    bridged.wait_for("Define")
    bridged.close()
    gone: list[weakref.ref[Any]] = [weakref.ref(bridged.client), weakref.ref(box)]
    del bridged, box
    gc.collect()
    assert [one() for one in gone] == [None, None]


def _cycle(listener: socket.socket, kind: str) -> None:
    """Run a client from its start to its end, and its server's part too."""
    port = listener.getsockname()[1]
    with Bridged(port, tx=KINDS[kind](), rx=KINDS[kind]()) as bridged:
        connection, _ = listener.accept()
        with connection:
            bridged.wait_for("ConnectionMade")
            bridged.put(None)
            bridged.ended.result(PATIENCE)


def test_a_thousand_clients_leave_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    """Row 9: one after the other, with queues of all kinds."""
    caplog.set_level(logging.CRITICAL, "indipyclient")  # or pytest keeps what is logged
    kinds = list(KINDS)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        for number in range(100):
            _cycle(listener, kinds[number % len(kinds)])
        gc.collect()
        before, objects = Resources.now(), len(gc.get_objects())
        for number in range(900):
            _cycle(listener, kinds[number % len(kinds)])
        gc.collect()
        assert becomes_true(lambda: not Resources.now().beyond(before), PATIENCE)
        assert len(gc.get_objects()) - objects < 450


def test_two_clients_in_one_process_do_not_know_of_each_other(server: ScriptedServer) -> None:
    with Bridged(server.port) as one:
        server.greet(NUMBER)
        one.wait_for("Define")
        with Bridged(server.port) as two:
            peer = server.greet(NUMBER)
            two.wait_for("Define")
            one.close()
            two.put(("D", "N", {"x": 5}))
            assert isinstance(peer.receive(), NewVector)
            peer.send(moved(5))
            assert two.wait_for("Set").snapshot["D"]["N"]["x"] == "5"


# -- row 11: an end that nobody wanted ----------------------------------------------------------------


def test_whoever_waits_is_told_what_the_client_died_of(server: ScriptedServer) -> None:
    """Row 11."""

    class Broken(QueClient):
        async def hardware(self) -> None:
            while "D" not in self:  # noqa: ASYNC110 - what defines it sets no event
                await asyncio.sleep(0.001)
            raise LookupError("the dome is gone")

    box: Mailbox[EventItem] = Mailbox()
    waiting = start(lambda: list(box))
    ended = start(lambda: lifecycle.run(Broken(queue.Queue(), box, "127.0.0.1", server.port).asyncrun))
    server.greet(NUMBER)
    with pytest.raises(LookupError):
        ended.result(PATIENCE)
    with pytest.raises(MailboxClosed) as caught:
        waiting.result(PATIENCE)
    assert caught.value.__cause__ is ended.exception()


def _asyncio_run(run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(run())


@pytest.mark.parametrize("run", [lifecycle.run, _asyncio_run], ids=["run", "asyncio.run"])
def test_a_thread_that_is_killed_still_ends_in_order(
    server: ScriptedServer, run: Callable[[Callable[[], Coroutine[Any, Any, None]]], None]
) -> None:
    """Row 11: the exception breaks the loop itself, wherever it is."""
    box: Mailbox[EventItem] = Mailbox()
    client = QueClient(queue.Queue(), box, "127.0.0.1", server.port)
    threads: queue.Queue[int] = queue.Queue()

    def main() -> None:
        threads.put(threading.get_ident())
        run(client.asyncrun)

    ended, victim = start(main), threads.get(timeout=PATIENCE)
    peer = server.greet(NUMBER)
    while box.get(PATIENCE).eventtype != "Define":
        pass
    waiting = start_waiting(box, lambda: list(box))
    kill(victim)
    peer.send(moved(1))  # for a next step
    with pytest.raises(Killed):
        ended.result(PATIENCE)
    waiting.result(PATIENCE)
    assert box.closed
    assert not client.snapshot().connected


# -- row 16: what takes no lock --------------------------------------------------------------------


@pytest.mark.parametrize(
    "read",
    [
        lambda client: client.connected,
        lambda client: client.snapshot()["D"]["N"]["x"],
        lambda client: client.backlog.folded == len(client.backlog) == 0,
        lambda client: client.get_vector_state("D", "N"),
        lambda client: client.enabledlen(),
        lambda client: repr(client),
        lambda client: not client.stop,
        lambda client: repr(client.clientdata["rxque"]),
    ],
    ids=["connected", "snapshot", "backlog", "state", "enabledlen", "repr", "stop", "mailbox"],
)
def test_reading_does_not_wait_for_the_clients_thread(
    server: ScriptedServer, read: Callable[[QueClient], object]
) -> None:
    """Row 16: here that thread is held up."""
    box: Mailbox[EventItem] = Mailbox()
    with Bridged(server.port, rx=box) as bridged:
        peer = server.greet(NUMBER)
        bridged.wait_for("Define")
        with held_up(box, lambda: peer.send(moved(1))):
            assert elsewhere(lambda: read(bridged.client))


# -- row 17: the client's thread holds nothing of the program's --------------------------------------


class Members(dict[str, Any]):
    """A command's members, which can be weakly referenced."""


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "Mailbox"])
@pytest.mark.parametrize("vector", ["N", "no such vector"])
def test_a_command_is_let_go_once_it_is_carried_out(server: ScriptedServer, kind: str, vector: str) -> None:
    """Row 17. A mailbox keeps the latest, as it says."""
    with Bridged(server.port, tx=KINDS[kind]()) as bridged:
        server.greet(NUMBER)
        bridged.wait_for("Define")
        members = Members(x=1)
        gone = weakref.ref(members)
        bridged.put(("D", vector, members))
        del members
        assert becomes_true(lambda: gone() is None, PATIENCE)


def test_the_owner_of_a_hook_is_let_go_with_the_hook(server: ScriptedServer) -> None:
    """Row 17: it must be this thread in which the last reference goes."""
    box: Mailbox[EventItem] = Mailbox()
    ended_in: list[int] = []

    class Window:
        def wake(self) -> None:
            pass

        def __del__(self) -> None:
            ended_in.append(threading.get_ident())

    with Bridged(server.port, rx=box) as bridged:
        window = Window()
        box.set_hook(window.wake)
        peer = server.greet(NUMBER)
        bridged.wait_for("Define")
        box.set_hook(None)
        peer.send(moved(1))
        bridged.wait_for("Set")
        del window
        assert ended_in == [threading.get_ident()]


# -- row 25: the clock ---------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [-1e6, 1e6])
def test_a_jump_of_the_clock_disturbs_nothing(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    """Row 25: neither commands nor the pause before the next attempt, nor the end."""
    now = time.time
    with Bridged(server.port) as bridged:
        peer = server.greet(NUMBER)
        bridged.wait_for("Define")
        monkeypatch.setattr(time, "time", lambda: now() + jump)
        bridged.put(("D", "N", {"x": 5}))
        assert isinstance(peer.receive(), NewVector)
        peer.send(moved(5))
        bridged.wait_for("Set")
        peer.close()
        bridged.wait_for("ConnectionLost")
        server.greet(NUMBER)
        bridged.wait_for("Define")
        bridged.put(None)
        bridged.ended.result(PATIENCE)
