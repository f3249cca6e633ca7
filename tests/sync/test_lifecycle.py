"""It always ends: with its program, when it is told to, and when nobody refers to it any more.

The rows are those of the list of pitfalls that this package was designed against.
"""

from __future__ import annotations

import gc
import logging
import signal
import socket
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from indipyclient.errors import ClientClosed, ClientDied, MailboxClosed, NotConnected
from indipyclient.protocol import NewVector, OneMember, PingRequest
from indipyclient.syncclient import SyncClient, connect
from tests.bridge.programs import NO_MORE_THREADS, START, START_SECONDS, Program, die, fall_silent, outcome
from tests.bridge.threads import PATIENCE, Dying, Killed, kill, start
from tests.support.deadline import becomes_true
from tests.support.leaks import Resources
from tests.support.scripted import NUMBER, ScriptedServer, dead_address, moved, send_much_of_a_frame
from tests.support.servers import free_port

from .session import Session

PROLOGUE = f"""{START}
import indipyclient
from indipyclient.bridge import slices
from indipyclient.errors import ClientClosed, INDIError
from indipyclient.protocol import NewVector, OneMember
from indipyclient.syncclient import SyncClient
"""
CONNECTED = "indi = indipyclient.connect('127.0.0.1', port)\nn = indi['D']['N']\n"

# -- row 8: the end of the program ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("one = threading.Thread(target=sys.exit)\none.start()\none.join()", 0),
        ("indi.close()", 0),
        ("del indi, n", 0),
        ("indi.on_change(print, 'X')", 0),
        ("n.put(x=1)", 0),
        ("n.put(x=1).add_done_callback(lambda done: None)", 0),
        ("me = [indi]\nme.append(me)\ndel me, indi, n", 0),
    ],
    ids=[
        *("end of main", "sys.exit", "sys.exit in a thread", "close", "forgotten", "callbacks", "command"),
        *("done-callback", "cycle"),
    ],
)
def test_a_program_ends_in_silence(server: ScriptedServer, ending: str, code: int) -> None:
    """Row 8."""
    assert outcome(PROLOGUE + CONNECTED + "ready()\n" + ending, server) == (code, "", "")


def test_an_exception_in_main_ends_the_program_and_is_all_that_is_said(server: ScriptedServer) -> None:
    """Row 8."""
    ending = "ready()\nraise LookupError('on purpose')"
    outcome(PROLOGUE + CONNECTED + ending, server).assert_of(1, "LookupError: on purpose")


WAITS = [
    "n.put(x=1, timeout=None).result()",
    "n.put(x=1, timeout=None).result(60)",
    "indi.wait_for(lambda snap: False, timeout=None)",
    "indi.wait_for(lambda snap: False, timeout=60)",
    "n.wait(state='Alert', timeout=60)",
    "indi.subscribe().get()",
]


@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_while_waiting_ends_the_program(server: ScriptedServer, wait: str) -> None:
    """Row 8."""
    code = PROLOGUE + CONNECTED + "ready_when_waiting()\n" + wait
    outcome(code, server, interrupt=signal.SIGINT).assert_of(-signal.SIGINT, "KeyboardInterrupt")


def test_sigterm_ends_the_program(server: ScriptedServer) -> None:
    """Row 8."""
    ending = "ready_when_waiting()\nindi.wait_for(lambda snap: False, timeout=None)"
    assert outcome(PROLOGUE + CONNECTED + ending, server, interrupt=signal.SIGTERM) == (
        -signal.SIGTERM,
        "",
        "",
    )


SILENT = "indi = indipyclient.connect('127.0.0.1', port)\n"
LOST = SILENT + "while indi.connected: time.sleep(0.001)\n"
AMID_A_FRAME = """
from indipyclient.protocol import Limits
indi = indipyclient.connect('127.0.0.1', port, limits=Limits(progress=5_900_000))
progress = indi.subscribe(kinds='Progress')
indi['D']['B'].expect_blob()
progress.get(timeout=20)
"""


@pytest.mark.parametrize(
    ("scene", "ending"),
    [
        (die, LOST),
        (fall_silent, SILENT),
        (send_much_of_a_frame, AMID_A_FRAME),
    ],
)
def test_a_program_ends_whatever_the_server_does(
    server: ScriptedServer, scene: Callable[[ScriptedServer], None], ending: str
) -> None:
    """Row 8."""
    assert outcome(PROLOGUE + ending + "ready()\n", server, scene) == (0, "", "")


def test_a_program_ends_while_its_client_connects() -> None:
    """Row 8: to a host that does not answer, and to one that refuses."""
    code = PROLOGUE + "indi = SyncClient('127.0.0.1', port)\nready()\n"
    with dead_address() as port:
        assert outcome(code, port) == (0, "", "")
    assert outcome(code, free_port()) == (0, "", "")


def test_no_thread_is_needed_once_the_program_exits(server: ScriptedServer) -> None:
    """Row 12."""
    ending = "import atexit\natexit.register(indi.close)\nputting = n.put(x=1)\nready()\n"
    assert outcome(PROLOGUE + NO_MORE_THREADS + CONNECTED + ending, server) == (0, "", "")


# -- row 13: Ctrl-C, and life goes on ------------------------------------------------------------


@pytest.mark.parametrize("slicing", ["", "slices.SLICE = 0.1\n"], ids=["posix", "windows"])
@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_wait_and_not_the_client(server: ScriptedServer, wait: str, slicing: str) -> None:
    """Rows 13 and 14."""
    ending = (
        f"try:\n    ready_when_waiting()\n    {wait}\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
        "print(indi.snapshot()['D']['N']['y'])\n"
        "indi.close()\n"
    )
    assert outcome(PROLOGUE + slicing + CONNECTED + ending, server, interrupt=signal.SIGINT) == (
        0,
        "interrupted\n2\n",
        "",
    )


def test_ctrl_c_while_the_client_begins_leaves_nothing_behind(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 13: `Thread.start` waits for the thread's first step, where Ctrl-C may come too."""
    begin, threads, here = threading.Thread.start, [], threading.current_thread()

    def begin_and_be_interrupted(thread: threading.Thread) -> None:
        begin(thread)
        if threading.current_thread() is here:  # the client's thread starts others
            threads.append(thread)
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(threading.Thread, "start", begin_and_be_interrupted)
        connect("127.0.0.1", server.port)
    assert [thread.name for thread in threads] == [f"indipyclient-127.0.0.1:{server.port}"]
    threads[0].join(PATIENCE)
    assert not threads[0].is_alive()


def test_ctrl_c_while_connecting_leaves_nothing_behind() -> None:
    """Row 13."""
    code = (
        "try:\n"
        "    ready_when_waiting('wait_connected')\n"
        "    indipyclient.connect('127.0.0.1', port, timeout=60)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
        "threads = [one for one in threading.enumerate() if one.name.startswith('indipyclient')]\n"
        "for one in threads: one.join(5)\n"
        "print(sum(one.is_alive() for one in threads))\n"
    )
    with dead_address() as port:
        assert outcome(PROLOGUE + code, port, interrupt=signal.SIGINT) == (0, "interrupted\n0\n", "")


# -- the last commands ----------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["", "indi.close()", "del indi, n", "sys.exit(0)"])
def test_commands_given_just_before_the_end_are_sent(server: ScriptedServer, ending: str) -> None:
    """As by a script that parks the telescope with its last line."""
    code = PROLOGUE + CONNECTED + "for x in range(10): n.put(x=x)\n" + ending
    with Program(code, server.port) as program:
        peer = server.greet(NUMBER)
        sent = peer.receive_end(START_SECONDS)
        assert [message.members[0] for message in sent if isinstance(message, NewVector)] == [
            OneMember("x", f"{x}") for x in range(10)
        ]
        assert program.end() == (0, "", "")


def test_a_server_that_takes_nothing_does_not_hold_up_the_end(session: Session) -> None:
    session.vector("B").put(b=b"\0" * 30_000_000)
    later = session.vector("N").put(x=5)
    session.indi.close()
    assert not session.indi._thread.is_alive()
    with pytest.raises(ClientClosed):
        later.result(PATIENCE)


# -- row 7: closed at any moment, from anywhere ---------------------------------------------------


def test_it_may_be_closed_amid_an_attempt_to_connect() -> None:
    """Row 7."""
    with dead_address() as port:
        indi = SyncClient("127.0.0.1", port)
        waiting = start(lambda: indi.wait_connected(None))
        indi.close()
        with pytest.raises(ClientClosed):
            waiting.result(PATIENCE)


def test_it_may_be_closed_before_it_has_begun() -> None:
    for _ in range(50):
        indi = SyncClient("127.0.0.1", 1)
        indi.close()
        assert not indi._thread.is_alive()


@pytest.mark.parametrize("kind", ["hook", "callback", "done-callback"])
def test_it_may_be_closed_from_what_it_calls(session: Session, kind: str) -> None:
    """Row 7: in the client's own thread and in that of callbacks."""
    indi = session.indi
    called = threading.Event()

    def close(*arguments: object) -> None:
        indi.close()
        called.set()

    if kind == "hook":
        box = indi.subscribe(kinds="Set")
        box.set_hook(close)
    elif kind == "callback":
        indi.on_change(close, kinds="Set")
    else:
        indi["D"]["N"].put(x=3).add_done_callback(close)
        session.command()
    session.peer.send(moved(3))
    assert called.wait(PATIENCE)
    assert becomes_true(lambda: not indi._thread.is_alive(), PATIENCE)


def test_it_may_be_closed_by_many_at_once_and_again(session: Session) -> None:
    """Row 7: twice, from two threads."""
    gate = threading.Barrier(6)

    def close() -> None:
        gate.wait(PATIENCE)
        session.indi.close()

    for closing in [start(close) for _ in range(6)]:
        closing.result(PATIENCE)
    session.indi.close()
    assert not session.indi._thread.is_alive()


def test_it_may_be_closed_by_the_end_of_something_else(session: Session) -> None:
    """Row 7: from `__del__`."""
    Dying(session.indi.close)
    gc.collect()
    assert not session.indi._thread.is_alive()


every_use = pytest.mark.parametrize(
    "use",
    [
        lambda indi: indi.snapshot(),
        lambda indi: indi["D"],
        lambda indi: list(indi),
        lambda indi: indi.wait_for(lambda snap: True, timeout=1),
        lambda indi: indi.wait_for_device("D", timeout=1),
        lambda indi: indi.subscribe(),
        lambda indi: indi.on_change(print),
        lambda indi: indi.wait_connected(1),
    ],
)


@every_use
def test_what_is_closed_says_so(session: Session, use: Callable[[SyncClient], Any]) -> None:
    number = session.vector("N")
    session.indi.close()
    with pytest.raises(ClientClosed, match="has been closed"):
        use(session.indi)
    with pytest.raises(ClientClosed):
        number.put(x=1)
    assert not session.indi.connected and not session.indi.running


FORKED = """
child = os.fork()
if not child:
    never = lambda snap: False
    for use in (indi.snapshot, lambda: n.put(x=1), lambda: indi.wait_for(never, 1), before.result):
        try:
            use()
        except ClientClosed as error:
            pass
        else:
            os._exit(9)
    {in_child}
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
n.put(x=5).result(10)
print(indi)
"""
OWN_CLIENT = """
    with indipyclient.connect('127.0.0.1', port) as own:
        assert own['D']['N']['x'] == 1.0
"""


@pytest.mark.parametrize(
    "in_child",
    ["pass", "indi.close()", "del indi, n; gc.collect()", OWN_CLIENT],
    ids=["nothing", "closes", "forgets", "own"],
)
def test_a_forked_child_is_told_and_its_parent_does_not_notice(server: ScriptedServer, in_child: str) -> None:
    """Row 7."""
    code = PROLOGUE + CONNECTED + "before = n.put(x=1)\nready()\n" + FORKED.format(in_child=in_child)
    with Program(code, server.port) as program:
        peer = server.greet(NUMBER)
        program.wait_ready()
        if in_child is OWN_CLIENT:
            assert all(isinstance(one, PingRequest) for one in server.greet(NUMBER).receive_end())
        for _ in range(2):
            peer.receive_until(lambda message: isinstance(message, NewVector))
        peer.send(moved(5))
        assert program.end() == (0, f"<SyncClient 127.0.0.1:{server.port} connected, 1 devices>\n", "")


# -- rows 9 and 10: nothing is left ---------------------------------------------------------------


def test_a_client_that_nobody_refers_to_ends(server: ScriptedServer) -> None:
    """Row 10, and the cell of a notebook that is run again."""
    clients, threads = [], []
    for _ in range(3):
        indi = connect("127.0.0.1", server.port)
        server.greet(NUMBER)
        assert indi.wait_for_device("D", timeout=PATIENCE)["N"]["x"] == 1.0
        clients.append(weakref.ref(indi))
        threads.append(indi._thread)
    gc.collect()
    assert [one() is None for one in clients] == [True, True, False]
    assert becomes_true(lambda: [one.is_alive() for one in threads] == [False, False, True], PATIENCE)
    del indi
    assert becomes_true(lambda: not threads[-1].is_alive(), PATIENCE)


def test_a_handle_keeps_its_client(server: ScriptedServer) -> None:
    """Row 10."""
    number = connect("127.0.0.1", server.port, patience=PATIENCE)
    server.greet(NUMBER)
    handle = number["D"]["N"]
    thread = number._thread
    del number
    gc.collect()
    assert handle["x"] == 1.0
    del handle
    assert becomes_true(lambda: not thread.is_alive(), PATIENCE)


def test_whoever_waits_for_a_client_that_is_forgotten_is_told(server: ScriptedServer) -> None:
    """Row 10: a future does not keep its client."""
    indi = connect("127.0.0.1", server.port, patience=PATIENCE)
    server.greet(NUMBER)
    putting = indi["D"]["N"].put(x=1, timeout=None)
    del indi
    gc.collect()
    with pytest.raises(ClientClosed):
        putting.result(PATIENCE)


def _cycle(listener: socket.socket) -> None:
    """Run a client from its start to its end, and its server's part too."""
    indi = connect("127.0.0.1", listener.getsockname()[1])
    connection, _ = listener.accept()
    with connection, indi:
        connection.sendall(NUMBER.encode())
        number = indi.wait_for_vector("D", "N", timeout=PATIENCE)
        indi.on_change(lambda item: None)
        number.put(x=1).add_done_callback(lambda done: None)
        indi.subscribe().fileno()


def _objects() -> int:
    gc.collect()
    return len(gc.get_objects())


def test_hundreds_of_clients_leave_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    """Row 9: one after the other."""
    caplog.set_level(logging.CRITICAL, "indipyclient")  # or pytest keeps what is logged
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        for _ in range(50):
            _cycle(listener)
        before, objects = Resources.now(), _objects()
        for _ in range(250):
            _cycle(listener)
        assert becomes_true(lambda: not Resources.now().beyond(before), PATIENCE)
        # what the last threads held goes a moment after their end
        assert becomes_true(lambda: _objects() - objects < 125, PATIENCE)


def test_no_client_is_left_where_there_is_no_server() -> None:
    before = threading.active_count()
    with pytest.raises(NotConnected):
        connect("127.0.0.1", free_port(), timeout=0.05)
    assert becomes_true(lambda: threading.active_count() == before, PATIENCE)


# -- row 11: an end that nobody wanted ------------------------------------------------------------


def _kill(session: Session) -> None:
    session.carried_out()
    victim = session.indi._thread.ident
    assert victim is not None
    kill(victim)
    session.peer.send(moved(1, ""))  # for a next step


def test_killing_the_thread_ends_every_waiter_with_the_cause(session: Session) -> None:
    """Row 11."""
    indi = session.indi
    number = session.vector("N")
    box = indi.subscribe()
    waiting: list[Future[Any]] = [
        start(lambda: number.put(x=1, timeout=None).result()),
        start(lambda: indi["D"]["B"].expect_blob().result()),
        start(lambda: indi.wait_for(lambda snap: False, timeout=None)),
        start(lambda: number.wait(state="Alert", timeout=None)),
    ]
    session.command()
    assert becomes_true(lambda: len(indi._engine.subscriptions) == 3, PATIENCE)
    _kill(session)
    for one in waiting:
        with pytest.raises(ClientDied, match="died of Killed") as caught:
            one.result(PATIENCE)
        assert isinstance(caught.value.__cause__, Killed)
    with pytest.raises(MailboxClosed) as closed:
        list(box)
    assert isinstance(closed.value.__cause__, ClientDied)


@every_use
def test_what_has_died_says_so_and_of_what(session: Session, use: Callable[[SyncClient], Any]) -> None:
    """Row 11."""
    number = session.vector("N")
    _kill(session)
    session.indi._thread.join(PATIENCE)
    for later in (use, lambda indi: number.put(x=1)):
        with pytest.raises(ClientDied) as caught:
            later(session.indi)
        assert isinstance(caught.value.__cause__, Killed)
    assert "died of Killed" in repr(session.indi)
    assert not session.indi.connected and not session.indi.running


# -- row 16: what takes no lock -------------------------------------------------------------------


@pytest.mark.parametrize(
    "read",
    [
        lambda indi: indi.connected,
        lambda indi: indi.snapshot()["D"]["N"]["x"],
        lambda indi: indi["D"]["N"]["x"],
        lambda indi: repr(indi),
        lambda indi: repr(indi["D"]["N"].put(x=1)),
        lambda indi: indi.subscribe().keep,
        lambda indi: indi["D"]["B"].expect_blob(),
    ],
)
def test_reading_does_not_wait_for_the_clients_thread(
    session: Session, read: Callable[[SyncClient], object]
) -> None:
    """Row 16: here that thread is held up."""
    with session.stuck():
        assert start(lambda: read(session.indi)).result(PATIENCE)
