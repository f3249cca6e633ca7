"""The connection: how it begins, lives, is lost, comes back and is ended, against a scripted server.

The numbers in the docstrings are those of the defects that 0.9.4 was shown to have, and of the rows of
inputs that a client must survive.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import select
import sys
import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any

import pytest

from indipyclient import IPyClient, events
from indipyclient.net.link import Link, Timing
from indipyclient.protocol import EnableBLOB, GetProperties, Limits, NewVector, PingReply, PingRequest
from tests.support.deadline import becomes_true
from tests.support.scripted import (
    ALL,
    BLOB,
    NUMBER,
    PATIENCE,
    SOON,
    TEXT,
    Client,
    Peer,
    Running,
    ScriptedServer,
    dead_address,
    frame,
    moved,
)

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a full listener refuses")


@pytest.fixture
def client(server: ScriptedServer) -> Client:
    return Client(server.port)


# -- the beginning ----------------------------------------------------------------------------


def test_every_connection_begins_with_the_global_get_properties(
    server: ScriptedServer, client: Client
) -> None:
    """INDI 10.1: indiserver restricts for good a connection that names a device before that."""

    async def ask_at_once(event: Any) -> None:
        if isinstance(event, events.ConnectionMade):
            await client.send_getProperties("D", "N")

    client.before = ask_at_once
    with Running(client):
        for _ in range(3):
            peer = server.accept()
            assert peer.receive() == GetProperties(version="1.7")
            assert peer.receive() == GetProperties("D", "N")
            assert peer.raw.startswith(b'<getProperties version="1.7"/>')
            peer.close()


def test_blobs_are_only_asked_for_after_the_definitions(server: ScriptedServer, client: Client) -> None:
    """INDI 10.1."""
    client.enableBLOBdefault = "Also"
    with Running(client):
        peer = server.greet(BLOB)
        assert peer.receive() == EnableBLOB("Also", "D", "B")


def test_a_server_that_never_answers_is_asked_again_and_kept(server: ScriptedServer) -> None:
    """Row 46."""
    with Running(Client(server.port, ask_interval=0.02)) as running:
        peer = server.accept()
        for _ in range(5):
            assert peer.receive() == GetProperties()
        assert running.client.connected
        running.after(peer, NUMBER)
        assert "N" in running.client.snapshot()["D"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_host_may_be_a_name_and_a_port_a_text(server: ScriptedServer, host: str) -> None:
    """API 2; INDI 1.1: a name may have an IPv6 address, too, on which indiserver does not listen."""
    client = Client(str(server.port))
    client.indihost = host
    with Running(client) as running:
        running.after(server.greet(NUMBER), "")
        assert client.snapshot().indiport == server.port


def test_a_host_or_port_that_cannot_be_is_told(server: ScriptedServer) -> None:
    for host, port in (("a" * 64, server.port), ("127.0.0.1", 70000)):
        client = Client(port)
        client.indihost = host
        with Running(client) as running:
            running.wait_text("Connection error")
            running.wait_text("re-trying")


# -- the loss ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lose", [Peer.close, Peer.half_close, Peer.reset])
@pytest.mark.parametrize(
    "last_words",
    ["", moved(3)[:40], '<setBLOBVector device="D" name="B"><oneBLOB name="b" size="9" format=".x">QUJD'],
    ids=["between elements", "in an element", "in a BLOB"],
)
def test_the_end_of_the_stream_is_seen_at_once(
    server: ScriptedServer, client: Client, lose: Callable[[Peer], None], last_words: str
) -> None:
    """Defect 4 (39.5 s and more), row 37."""
    with Running(client) as running:
        peer = server.greet(ALL)
        running.after(peer, moved(2))
        peer.send(last_words)
        lose(peer)
        lost = running.wait_for("ConnectionLost", SOON)
        assert not lost.snap.connected
        assert "N" in lost.snap["D"]
        after = running.wait_text("re-trying", SOON)
        assert not after.snap.connected
        assert not after.snap


def test_an_end_right_after_the_beginning_is_seen_and_followed_by_another_attempt(
    server: ScriptedServer, client: Client
) -> None:
    """Row 37."""
    with Running(client) as running:
        for _ in range(3):
            server.accept().close()
            running.wait_for("ConnectionMade")
            running.wait_for("ConnectionLost", SOON)


def test_our_side_is_closed_when_the_server_ends_the_stream(server: ScriptedServer, client: Client) -> None:
    """Defect 4: after a half-close the published client kept its side for a minute."""
    with Running(client):
        peer = server.greet()
        peer.half_close()
        assert peer.receive_end(SOON) == []


def test_the_events_of_a_life_come_in_order_and_with_the_state_of_their_moment(
    server: ScriptedServer, client: Client
) -> None:
    """API 2.3; everything from the first sign of the loss on says that there is no connection."""
    with Running(client) as running:
        peer = server.greet()
        running.after(peer, NUMBER)
        peer.close()
        server.greet()
        running.wait_text("getProperties sent")
        life = [(seen.kind, seen.text.split(" on ")[0], seen.snap.connected) for seen in running.seen]
    where = f"127.0.0.1:{server.port}"
    made = [
        ("Message", f"Attempting to connect to {where}", False),
        ("Message", f"Connected to {where}", True),
        ("ConnectionMade", "", True),
        ("Message", "getProperties sent", True),
    ]
    assert life == [
        *made,
        ("defNumberVector", "", True),
        ("Message", "handled so far", True),
        ("Message", "Connection closed", False),
        ("ConnectionLost", "", False),
        ("Message", "Connection failed, re-trying...", False),
        *made,
    ]


def test_what_was_received_before_the_loss_is_told_before_it(server: ScriptedServer, client: Client) -> None:
    with Running(client) as running:
        peer = server.greet(NUMBER + "".join(moved(x) for x in range(100)))
        peer.close()
        running.wait_for("ConnectionLost")
        told = [seen.snap["D"]["N"]["x"] for seen in running.seen if seen.kind == "setNumberVector"]
        assert told == [str(x) for x in range(100)]


def test_devices_and_messages_of_the_last_connection_are_gone_on_the_next(
    server: ScriptedServer, client: Client
) -> None:
    with Running(client) as running:
        running.after(server.greet(NUMBER), "")
        server.peers[0].close()
        server.greet()
        connected = running.wait_text("getProperties sent", SOON)
        while not connected.snap.connected:
            connected = running.wait_text("getProperties sent", SOON)
        assert not connected.snap
        texts = [text for _, text in connected.snap.messages]
        assert texts == ["getProperties sent", f"Connected to 127.0.0.1:{server.port}"]


# -- coming back ------------------------------------------------------------------------------


def test_the_pauses_before_new_attempts_begin_short_and_grow_up_to_a_bound() -> None:
    """Defect 33: always 5 s."""
    timing = Timing()
    longest = [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    for failures, seconds in enumerate(longest):
        pauses = [timing.pause(failures) for _ in range(100)]
        assert 0.75 * seconds <= min(pauses)
        assert max(pauses) <= seconds
        assert len(set(pauses)) > 1, "many clients would come back in step"
    assert timing.pause(10**6) <= 30


def test_a_client_comes_back_to_a_server_that_is_restarted_on_its_port(
    server: ScriptedServer, client: Client
) -> None:
    with Running(client) as running:
        peer = server.greet(NUMBER)
        running.after(peer, "")
        server.refuse()
        peer.close()
        running.wait_text("Connection refused", SOON)
        running.wait_text("Connection refused", SOON)
        server.listen()
        running.after(server.greet(NUMBER), moved(7))
        assert client.snapshot()["D"]["N"]["x"] == "7"


def test_the_first_attempt_after_a_loss_comes_soon_with_the_times_as_they_are(
    server: ScriptedServer,
) -> None:
    """Defect 33: after 5 s."""
    client = Client(server.port)
    client.timing = Timing()
    with Running(client):
        server.greet(NUMBER).close()
        server.accept(3)


def test_a_new_timing_and_new_limits_count_while_the_client_runs(server: ScriptedServer) -> None:
    client = Client(server.port, reconnect_min=3000, reconnect_max=3000)
    with Running(client) as running:
        peer = server.greet(NUMBER)
        running.wait_for("defNumberVector")
        client.limits = Limits(vectors=1, text=3)
        assert list(running.after(peer, TEXT)["D"]) == ["N"]
        client.timing = Timing(reconnect_min=0.02)
        peer.close()
        running.after(server.greet(NUMBER), moved(12345) + moved(6))
        assert [seen.event["x"] for seen in running.seen if seen.kind == "setNumberVector"] == ["6"]


def test_times_and_limits_may_be_set_before_the_client_sets_its_own(server: ScriptedServer) -> None:
    class Program(Client):
        def __init__(self) -> None:
            self.timing = Timing(connect_timeout=7)
            self.limits = Limits(devices=3)
            IPyClient.__init__(self, "127.0.0.1", server.port)

    program = Program()
    assert (program.timing.connect_timeout, program.limits.devices) == (7, 3)
    program.idle_timeout = 5
    assert program.timing.idle_timeout == 5


def test_the_pauses_grow_again_from_the_start_once_a_connection_was_good(server: ScriptedServer) -> None:
    pauses = []

    class Counted(Timing):
        def pause(self, failures: int) -> float:
            pauses.append(failures)
            return 0.01

    client = Client(server.port)
    client.timing = Counted()
    with Running(client) as running:
        server.accept().close()
        server.accept().close()
        running.after(server.greet(), NUMBER)
        server.peers[-1].close()
        server.greet()
    assert pauses[:3] == [0, 1, 0]


# -- pings and silence ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "uid"),
    [
        ('<pingRequest uid="SetBLOB/1"/>', "SetBLOB/1"),
        ("<pingRequest/>", ""),
        ("<pingRequest uid='a&amp;&quot;&lt;b'></pingRequest>", 'a&"<b'),
    ],
)
def test_a_ping_is_answered_at_once_while_the_program_is_busy(
    server: ScriptedServer, client: Client, request_: str, uid: str
) -> None:
    """Row 16."""
    with Running(client) as running:
        peer = server.greet()
        release = _hold(running)
        peer.send(NUMBER + request_)
        assert peer.receive() == PingReply(uid)
        release()
        assert "N" in running.after(peer, "")["D"]


def test_a_silent_server_that_never_answered_a_ping_is_kept(server: ScriptedServer) -> None:
    """Defect 24: dropped after 41 s."""
    with Running(Client(server.port, idle_timeout=0.02, respond_timeout=0.04)) as running:
        peer = server.greet(NUMBER)
        assert len([peer.receive() for _ in range(5)]) == 5
        assert running.client.connected
        assert running.after(peer, moved(4))["D"]["N"]["x"] == "4"
        assert not [seen for seen in running.seen if seen.kind == "ConnectionLost"]


def test_a_silent_server_is_pinged_and_not_asked_for_everything_again(server: ScriptedServer) -> None:
    """Defect 30: every 20 s all definitions came again, to every client of the server."""
    with Running(Client(server.port, idle_timeout=0.02, ask_interval=0.02)) as running:
        peer = server.accept()
        running.after(peer, NUMBER)
        # what was asked before the definition was there has arrived before the first ping
        peer.receive_until(lambda message: isinstance(message, PingRequest))
        assert all(isinstance(peer.receive(), PingRequest) for _ in range(10))


def test_a_server_that_answered_a_ping_and_then_hangs_is_given_up(server: ScriptedServer) -> None:
    with Running(Client(server.port, idle_timeout=0.05, respond_timeout=0.5)) as running:
        peer = server.greet(NUMBER)
        ping = peer.receive()
        assert isinstance(ping, PingRequest)
        peer.send(f'<pingReply uid="{ping.uid}"/>')
        running.wait_text("Connection timed out")
        running.wait_for("ConnectionLost", SOON)
        server.greet()


def test_a_server_that_says_nothing_while_it_takes_a_long_command_is_kept(server: ScriptedServer) -> None:
    """The ping waits behind the command, so it cannot be answered."""
    with Running(Client(server.port, idle_timeout=0.05, respond_timeout=1)) as running:
        peer = server.greet(BLOB)
        running.wait_for("defBLOBVector")
        peer.receive_until(lambda message: isinstance(message, PingRequest))
        peer.send('<pingReply uid="1"/>')
        _take_slowly(running, peer)
        assert running.client.connected


def test_a_server_that_answers_its_pings_is_kept(server: ScriptedServer) -> None:
    with Running(Client(server.port, idle_timeout=0.05, respond_timeout=1)) as running:
        peer = server.greet(NUMBER)
        begun = time.monotonic()
        while time.monotonic() < begun + 1.5:
            ping = peer.receive()
            assert isinstance(ping, PingRequest)
            peer.send(f'<pingReply uid="{ping.uid}"/>')
        assert running.client.connected


def test_a_server_that_asks_on_and_on_and_reads_nothing_is_given_up(
    server: ScriptedServer, client: Client
) -> None:
    """What is to be answered must not pile up without a bound."""
    ping = f'<pingRequest uid="{"x" * 4000}"/>'
    with Running(client) as running:
        peer = server.greet(NUMBER)
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                peer.send(ping * 100)  # 40 MB in all, far more than the system holds
        lost = running.wait_text("reads no answer")
        assert not lost.snap.connected
        server.greet()


# -- a program that is slow or faulty ---------------------------------------------------------


def test_a_program_that_falls_behind_gets_everything_in_order(server: ScriptedServer, client: Client) -> None:
    """Row 45: reading pauses once thousands of messages wait, and goes on."""
    with Running(client) as running:
        peer = server.greet()
        release = _hold(running)
        sending = threading.Thread(target=peer.send, args=[NUMBER + "".join(map(moved, range(20_000)))])
        sending.start()
        assert becomes_true(lambda: _paused(client.inner("link")), PATIENCE)
        release()
        running.wait(lambda seen: seen.kind == "setNumberVector" and seen.event["x"] == "19999", 60)
        sending.join()
        told = [seen.event["x"] for seen in running.seen if seen.kind == "setNumberVector"]
        assert told == [str(x) for x in range(20_000)]


def test_a_program_that_falls_behind_holds_up_the_separate_line_for_blobs_too(
    server: ScriptedServer, client: Client
) -> None:
    client.separate_blobs = True
    client.enableBLOBdefault = "Also"
    with Running(client) as running:
        line = _line_for_blobs(server)
        release = _hold(running)
        sending = threading.Thread(target=line.send, args=[frame(bytes(3000)) * 6000])
        sending.start()
        assert becomes_true(lambda: _paused(client.inner("blob_line").link), PATIENCE)
        assert running.do(lambda: len(client.inner("inbox"))) < 3000
        release()
        sending.join()
        line.send(frame(b"ABCDEF"))
        running.wait(lambda seen: seen.kind == "setBLOBVector" and seen.event["b"] == b"ABCDEF", 60)
        assert [seen.kind for seen in running.seen].count("setBLOBVector") == 6001


def test_a_program_that_falls_behind_a_stream_of_frames_uses_bounded_memory(
    server: ScriptedServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 45, defect 31: a few frames are more than thousands of other messages."""
    monkeypatch.setattr("indipyclient.ipyclient._BLOBS_BEHIND", 1 << 20)
    monkeypatch.setattr("indipyclient.ipyclient._BLOBS_CAUGHT_UP", 1 << 19)
    with Running(client) as running:
        peer = server.greet(BLOB)
        running.wait_for("defBLOBVector")
        release = _hold(running)
        sending = threading.Thread(target=peer.send, args=[frame(bytes(1 << 18)) * 100])
        sending.start()
        assert becomes_true(lambda: _paused(client.inner("link")), PATIENCE)
        assert running.do(lambda: len(client.inner("inbox"))) < 10
        release()
        sending.join()
        running.after(peer, "")
        assert [seen.kind for seen in running.seen].count("setBLOBVector") == 100


LONG = "x" * (1 << 17)
LONG_MEMBER = f'<oneText name="t">{LONG}</oneText>'
HEAVY = {
    "texts": f'<setTextVector device="D" name="T">{LONG_MEMBER}</setTextVector>',
    "definitions": TEXT.replace("hill", LONG),
    "echoes of texts": f'<newTextVector device="D" name="T">{LONG_MEMBER}</newTextVector>',
    "echoes of frames": frame(bytes(1 << 17)).replace("setBLOB", "newBLOB"),
}


@pytest.mark.parametrize("heavy", HEAVY.values(), ids=HEAVY)
def test_a_program_that_falls_behind_long_texts_uses_bounded_memory(
    server: ScriptedServer, client: Client, monkeypatch: pytest.MonkeyPatch, heavy: str
) -> None:
    """2000 of the longest that the limits allow would be 64 GB."""
    monkeypatch.setattr("indipyclient.ipyclient._BLOBS_BEHIND", 1 << 20)
    monkeypatch.setattr("indipyclient.ipyclient._BLOBS_CAUGHT_UP", 1 << 19)
    with Running(client) as running:
        peer = server.greet(TEXT)
        running.wait_for("defTextVector")
        release = _hold(running)
        sending = threading.Thread(target=peer.send, args=[heavy * 100])
        sending.start()
        assert becomes_true(lambda: _paused(client.inner("link")), PATIENCE)
        assert running.do(lambda: len(client.inner("inbox"))) < 20
        release()
        sending.join()
        running.after(peer, moved(1))
        assert running.do(lambda: client.inner("blobs_waiting")) == 0


@pytest.mark.parametrize("fault", [ValueError("on purpose"), asyncio.CancelledError()], ids=repr)
def test_exceptions_of_rxevent_stop_nothing(
    server: ScriptedServer, client: Client, fault: BaseException
) -> None:
    """Defects 11 and 35: one on ConnectionMade made a loop, one on TimeOut dropped the connection."""

    async def fail(event: Any) -> None:
        told.append(type(event).__name__)
        raise fault

    told: list[str] = []
    client.before = fail
    client.vector_timeout_min = client.vector_timeout_max = 0.01
    with Running(client) as running:
        peer = server.greet(NUMBER)
        assert becomes_true(lambda: "defNumberVector" in told, PATIENCE)
        running.call(client.send_newVector("D", "N", members={"x": 3}))
        assert isinstance(peer.receive(), NewVector)
        assert becomes_true(lambda: "VectorTimeOut" in told, PATIENCE)
        peer.send(moved(4))
        assert becomes_true(lambda: client.snapshot()["D"]["N"]["x"] == "4", PATIENCE)
        assert client.connected
    assert told.count("ConnectionMade") == told.count("ConnectionLost") == 1


def test_a_device_defined_while_rxevent_awaits_is_no_harm(server: ScriptedServer, client: Client) -> None:
    """Defect 11: RuntimeError, dictionary changed size during iteration."""
    client.vector_timeout_min = client.vector_timeout_max = 0.01
    with Running(client) as running:
        peer = server.greet(NUMBER)
        running.wait_for("defNumberVector")
        release = _hold(running, "VectorTimeOut")
        running.call(client.send_newVector("D", "N", members={"x": 3}))
        peer.send(NUMBER.replace('"D"', '"E"') + "".join(NUMBER.replace('"N"', f'"N{n}"') for n in range(9)))
        release()
        snap = running.after(peer, "")
        assert len(snap["D"]) == 10
        assert "E" in snap
        assert [seen.kind for seen in running.seen].count("ConnectionLost") == 0


def test_rxevent_is_never_entered_twice_at_a_time(server: ScriptedServer, client: Client) -> None:
    """Defect 35: concurrently by reading, time-outs and report()."""
    inside = most = 0

    async def count(event: Any) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.001)
        inside -= 1

    async def act() -> None:
        await client.send_newVector("D", "N", members={"x": 3})
        await asyncio.gather(*(client.report(f"report {n}") for n in range(10)))
        await client["D"]["N"].create_clientevent("Mine", a=1)

    client.before = count
    client.vector_timeout_min = client.vector_timeout_max = 0.01
    with Running(client) as running:
        peer = server.greet(NUMBER)
        running.wait_for("defNumberVector")
        running.call(act())
        peer.send("".join(map(moved, range(20))))
        running.wait(lambda seen: seen.kind == "setNumberVector" and seen.event["x"] == "19")
        running.after(peer, "")
    kinds = {seen.kind for seen in running.seen}
    assert {"ClientEvent", "Message", "setNumberVector"} <= kinds
    assert most == 1


def test_rxevent_may_report_warn_and_send(server: ScriptedServer, client: Client) -> None:
    async def act(event: Any) -> None:
        if isinstance(event, events.defNumberVector):
            await client.report("seen it")
            await client.warning("careful")
            await client.send_newVector("D", "N", members={"x": 3})

    client.before = act
    with Running(client) as running:
        peer = server.greet(NUMBER)
        running.wait_text("seen it")
        running.wait_text("careful")
        assert isinstance(peer.receive(), NewVector)


# -- hardware ---------------------------------------------------------------------------------


def test_an_exception_of_hardware_ends_the_client_and_is_raised(server: ScriptedServer) -> None:
    class Faulty(Client):
        async def hardware(self) -> None:
            await going.wait()
            raise ZeroDivisionError("on purpose")

    client = Faulty(server.port)
    going = asyncio.Event()
    running = Running(client)
    peer = server.greet(NUMBER)
    running.wait_for("defNumberVector")
    running.loop.call_soon_threadsafe(going.set)
    with pytest.raises(ZeroDivisionError):
        running.result.result(SOON)
    running.wait_for("ConnectionLost")
    assert peer.receive_end(SOON) == []
    assert running.ended(SOON)


def test_hardware_runs_beside_the_client_and_is_told_of_the_end(server: ScriptedServer) -> None:
    class Looping(Client):
        rounds = 0
        left = False

        async def hardware(self) -> None:
            while not self._stop:
                await asyncio.sleep(0.01)
                self.rounds += 1
            self.left = True

    client = Looping(server.port)
    with Running(client):
        server.greet()
        assert becomes_true(lambda: client.rounds > 2, PATIENCE)
    assert client.left


# -- the end ----------------------------------------------------------------------------------


def _hold(running: Running, kind: str = "") -> Callable[[], None]:
    """Have rxevent wait (at the next event, or the next of a class) until what is returned is called."""
    held, going = threading.Event(), asyncio.Event()

    async def wait(event: Any) -> None:
        if not kind or type(event).__name__ == kind:
            held.set()
            await going.wait()

    running.client.before = wait
    if not kind:
        running.call(running.client.report("held"))
        assert held.wait(PATIENCE)
    return lambda: running.do(going.set)


def _too_much(client: Client) -> Coroutine[Any, Any, None]:
    """Sends more than the system can hold for a server that does not read."""
    return client.send_newVector("D", "B", members={"b": (bytes(1 << 23), 0, ".bin")})


def _paused(link: Link | None) -> bool:
    """Whether reading pauses because the program is behind."""
    return link is not None and link._connection is not None and link._connection.paused


def _line_for_blobs(server: ScriptedServer) -> Peer:
    """Accept both connections of a client, in whatever order they come; return the one for BLOBs."""
    both = [server.accept(), server.accept()]
    (main,) = select.select(both, [], [], PATIENCE)[0]  # the other one has nothing to say yet
    (line,) = (peer for peer in both if peer is not main)
    main.send(BLOB)
    assert line.receive() == EnableBLOB("Also", "D", "B")
    return line


def _take_slowly(running: Running, peer: Peer) -> None:
    """Have the client send much, and read it a little at a time, for two seconds and more in all."""
    sending = asyncio.run_coroutine_threadsafe(_too_much(running.client), running.loop)
    pause = threading.Event()
    while not sending.done():
        peer.read()
        pause.wait(0.012)
    sending.result()


def _fill(running: Running, peer: Peer) -> None:
    """Have the client wait for the server to take what it sends."""
    running.after(peer, BLOB)
    asyncio.run_coroutine_threadsafe(_too_much(running.client), running.loop)
    assert becomes_true(lambda: running.do(lambda: _unsent(running.client)) > 1 << 20, PATIENCE)


def _unsent(client: Client) -> int:
    unsent: int = client.inner("link")._connection.untaken
    return unsent


def _silent(running: Running, server: ScriptedServer) -> None:
    server.accept()
    running.wait_for("ConnectionMade")


def _connected(running: Running, server: ScriptedServer) -> None:
    running.after(server.greet(ALL), "")


def _not_read(running: Running, server: ScriptedServer) -> None:
    _fill(running, server.greet(BLOB))


def _mid_blob(running: Running, server: ScriptedServer) -> None:
    peer = server.greet(BLOB)
    running.after(peer, "")
    peer.send('<setBLOBVector device="D" name="B"><oneBLOB name="b" size="900000" format=".x">')
    peer.send(b"QUJD" * 100_000)


def _retrying(running: Running, server: ScriptedServer) -> None:
    running.client.timing.reconnect_min = 30
    server.accept().close()
    running.wait_text("re-trying")


def _program_busy(running: Running, server: ScriptedServer) -> None:
    peer = server.greet(ALL)
    running.after(peer, "")
    _hold(running)
    peer.send(moved(3) * 3000)


STATES: list[Callable[[Running, ScriptedServer], None]] = [
    _silent,
    _connected,
    _not_read,
    _mid_blob,
    _retrying,
    _program_busy,
]


@pytest.mark.parametrize("reach", STATES, ids=[state.__name__[1:] for state in STATES])
def test_shutdown_ends_the_client_at_once_in_every_state(
    server: ScriptedServer, client: Client, reach: Callable[[Running, ScriptedServer], None]
) -> None:
    """Defects 8 and 9: with a server that does not read, 15 s and more."""
    with Running(client) as running:
        reach(running, server)
        client.shutdown()
        assert running.ended(SOON)
        assert client.stopped.is_set()
        assert client.stop
        assert not client.connected
        assert not client.snapshot().connected


@only_linux
def test_shutdown_ends_an_attempt_to_connect_that_nobody_answers() -> None:
    """Defect 9: not within 20 s."""
    with dead_address() as port, Running(Client(port)) as running:
        running.wait_text("Attempting")
        running.client.shutdown()
        assert running.ended(SOON)


@only_linux
def test_an_attempt_to_connect_that_nobody_answers_is_given_up_and_repeated() -> None:
    """Defect 9."""
    with dead_address() as port, Running(Client(port, connect_timeout=0.05)) as running:
        for _ in range(3):
            running.wait_text("Attempting")
            running.wait_text("Connection error")
            running.wait_text("re-trying")


def test_a_server_that_takes_nothing_is_given_up(server: ScriptedServer) -> None:
    """Defect 8."""
    with Running(Client(server.port, send_timeout=0.2)) as running:
        running.after(server.greet(BLOB), "")
        running.call(_too_much(running.client))
        running.wait_text("Connection timed out")
        running.wait_for("ConnectionLost")
        server.greet()


def test_a_server_that_takes_little_at_a_time_is_kept(server: ScriptedServer) -> None:
    """INDI 1.3: indiserver reads eight bytes at a time, so large uploads to it take long."""
    with Running(Client(server.port, send_timeout=1)) as running:
        peer = server.greet(BLOB)
        running.after(peer, "")
        assert isinstance(peer.receive(), EnableBLOB)
        _take_slowly(running, peer)
        assert isinstance(peer.receive(), NewVector)
        assert running.client.connected


def test_a_server_that_takes_nothing_is_still_listened_to(server: ScriptedServer, client: Client) -> None:
    """Design 2.1: neither a command nor the answer to a definition that cannot be sent stops reading."""
    with Running(client) as running:
        peer = server.greet(NUMBER)
        _fill(running, peer)
        snap = running.after(peer, moved(5) + BLOB + '<pingRequest uid="1"/>' + moved(6))
        assert snap["D"]["N"]["x"] == "6"


def test_shutdown_says_good_bye_after_what_was_to_be_sent(server: ScriptedServer, client: Client) -> None:
    with Running(client) as running:
        peer = server.greet(NUMBER)
        running.wait_for("defNumberVector")
        running.call(client.send_newVector("D", "N", members={"x": 3}))
        client.shutdown()
        (command,) = peer.receive_end(SOON)
        assert isinstance(command, NewVector)
        lost = running.wait_for("ConnectionLost", SOON)
        assert not lost.snap.connected
        assert f"Connection closed on 127.0.0.1:{server.port}" in [seen.text for seen in running.seen]


def test_shutdown_ends_the_separate_line_for_blobs_too(server: ScriptedServer, client: Client) -> None:
    client.separate_blobs = True
    client.enableBLOBdefault = "Also"
    with Running(client) as running:
        line = _line_for_blobs(server)
        line.send('<setBLOBVector device="D" name="B"><oneBLOB name="b" size="900000" format=".x">QUJD')
        running.wait_for("defBLOBVector")
        client.shutdown()
        assert running.ended(SOON)
        for peer in server.peers:
            peer.receive_end(SOON)


def test_shutdown_before_the_run_ends_it_at_once(server: ScriptedServer, client: Client) -> None:
    client.shutdown()
    assert Running(client).ended(SOON)
    assert client.stopped.is_set()


def test_shutdown_before_the_run_from_another_thread(server: ScriptedServer, client: Client) -> None:
    thread = threading.Thread(target=client.shutdown)
    thread.start()
    thread.join()
    assert Running(client).ended(SOON)


def test_shutdown_while_the_run_begins_is_not_lost(server: ScriptedServer) -> None:
    """A shutdown that has found no loop yet, in another thread, when the run begins."""

    class Raced(Client):
        @property
        def _IPyClient__loop(self) -> asyncio.AbstractEventLoop | None:
            loop = vars(self).get("loop")
            if threading.current_thread() is threading.main_thread() and not runs:
                runs.append(Running(self))
            return loop

        @_IPyClient__loop.setter
        def _IPyClient__loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
            vars(self)["loop"] = loop

    runs: list[Running] = []
    Raced(server.port).shutdown()
    assert runs[0].ended(SOON)


def test_shutdown_is_not_lost_in_whatever_turn_of_the_loop_it_comes(server: ScriptedServer) -> None:
    """Before Python 3.12 wait_for swallows a cancellation in the turn in which a connection is made."""

    async def run(turns: int) -> None:
        client = Client(server.port)
        task = asyncio.create_task(client.asyncrun())
        for _ in range(turns):
            await asyncio.sleep(0)
        client.shutdown()
        await asyncio.wait({task}, timeout=SOON)
        assert task.done(), f"after {turns} turns"

    for turns in range(40):
        asyncio.run(run(turns))


def test_shutdown_may_be_called_again_and_after_the_end(server: ScriptedServer, client: Client) -> None:
    with Running(client) as running:
        server.greet()
        client.shutdown()
        client.shutdown()
        assert running.ended(SOON)
        client.shutdown()


def test_cancelling_the_run_ends_it_and_tells_of_the_loss(server: ScriptedServer, client: Client) -> None:
    running = Running(client)
    peer = server.greet(NUMBER)
    running.wait_for("defNumberVector")
    running.loop.call_soon_threadsafe(running.task.cancel)
    assert running.ended(SOON)
    with pytest.raises(asyncio.CancelledError):
        running.result.result(0)
    running.wait_for("ConnectionLost", 0)
    assert peer.receive_end(SOON) == []
    assert client.stopped.is_set()


@pytest.mark.parametrize("kind", ["Message", "ConnectionLost"])
@pytest.mark.parametrize("how", ["shutdown", "cancel"])
def test_a_program_may_end_the_client_when_the_connection_is_lost(
    server: ScriptedServer, client: Client, kind: str, how: str
) -> None:
    """The end of the connection and the end of the client then come in the same turn of the loop."""
    running = Running(client)

    async def end(event: Any) -> None:
        if type(event).__name__ == kind:
            running.task.cancel() if how == "cancel" else client.shutdown()

    peer = server.greet(NUMBER)
    running.wait_for("defNumberVector")
    client.before = end
    peer.close()
    assert running.ended(SOON)
    assert running.result.exception(0) is None or how == "cancel"


def test_a_client_may_run_again_in_the_same_loop(server: ScriptedServer, client: Client) -> None:
    """Defect 35: `stopped` was never cleared."""

    async def run_twice() -> None:
        for _ in range(2):
            await first_run()
            stopped.append(client.stopped.is_set())

    first_run = client.asyncrun
    stopped: list[bool] = []
    client.asyncrun = run_twice  # type: ignore[method-assign]
    with Running(client) as running:
        for x in (1, 2):
            running.after(server.greet(NUMBER), moved(x))
            assert not client.stopped.is_set()
            assert client.snapshot()["D"]["N"]["x"] == str(x)
            client.shutdown()
            running.wait_for("ConnectionLost")
        assert running.ended(SOON)
    assert stopped == [True, True]


def test_a_client_may_run_again_in_another_loop(server: ScriptedServer, client: Client) -> None:
    for x in (1, 2):
        with Running(client) as running:
            running.after(server.greet(NUMBER), moved(x))
            assert client.snapshot()["D"]["N"]["x"] == str(x)
            client.shutdown()
            assert running.ended(SOON)
            running.wait_for("ConnectionLost", 0)


def test_nothing_is_left_of_a_run_that_the_program_held_up(server: ScriptedServer, client: Client) -> None:
    """What waited when the run was ended by force must neither be told in the next one nor end it."""
    with Running(client) as running:
        _program_busy(running, server)
        client.shutdown()
        assert running.ended(SOON)
    client.before = None
    with Running(client) as running:
        snap = running.after(server.greet(NUMBER), moved(8))
        assert snap["D"]["N"]["x"] == "8"
        assert list(snap["D"]) == ["N"]


def test_many_clients_leave_nothing(server: ScriptedServer) -> None:
    clients: weakref.WeakSet[Client] = weakref.WeakSet()
    with ExitStack() as stack:
        for _ in range(20):
            clients.add(stack.enter_context(Running(Client(server.port))).client)
            server.greet(ALL)
        assert len(clients) == 20
    gc.collect()
    assert len(clients) == 0
