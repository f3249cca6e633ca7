"""A server that does only what a test tells it to, and a client that tells the test what it sees.

Both are driven from the test's thread: the server has no thread of its own, so it reads, and answers,
only when the test says so. That makes every state of a connection a state a test can stay in.
"""

from __future__ import annotations

import asyncio
import base64
import queue
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from indipyclient.ipyclient import IPyClient
from indipyclient.net.link import Timing
from indipyclient.protocol import GetProperties, Message, Scanner
from indipyclient.state.snapshots import Snap

from .servers import free_port

PATIENCE = 20.0  # seconds for anything that should happen, on a busy machine too
SOON = 5.0  # seconds for an end: it is promised within one, which a busy machine may stretch

T = TypeVar("T")

TEXT = (
    '<defTextVector device="D" name="T" label="Site" group="G" state="Ok" perm="rw" timeout="5">'
    '<defText name="t" label="Name">hill</defText><defText name="u">dale</defText></defTextVector>'
)
NUMBER = (
    '<defNumberVector device="D" name="N" label="Place" group="G" state="Ok" perm="rw" timeout="5">'
    '<defNumber name="x" label="X" format="%5.2f" min="0" max="10" step="1">1</defNumber>'
    '<defNumber name="y" label="Y" format="%5.2f" min="0" max="10" step="1">2</defNumber></defNumberVector>'
)
SWITCH = (
    '<defSwitchVector device="D" name="S" state="Ok" perm="rw" rule="OneOfMany" timeout="5">'
    '<defSwitch name="a">On</defSwitch><defSwitch name="b">Off</defSwitch></defSwitchVector>'
)
LIGHT = '<defLightVector device="D" name="L" state="Ok"><defLight name="l">Ok</defLight></defLightVector>'
BLOB = (
    '<defBLOBVector device="D" name="B" state="Ok" perm="rw" timeout="7">'
    '<defBLOB name="b" label="Frame"/></defBLOBVector>'
)
READ_ONLY = (
    '<defTextVector device="D" name="R" state="Ok" perm="ro">'
    '<defText name="r">fixed</defText></defTextVector>'
)
ALL = TEXT + NUMBER + SWITCH + LIGHT + BLOB + READ_ONLY


def moved(x: float, attributes: str = 'state="Ok"') -> str:
    """An update of one member of `NUMBER`."""
    return (
        f'<setNumberVector device="D" name="N" {attributes}>'
        f'<oneNumber name="x">{x:g}</oneNumber></setNumberVector>'
    )


def frame(content: bytes, attributes: str = "") -> str:
    """A BLOB for the member of `BLOB`."""
    text = base64.b64encode(content).decode()
    return (
        f'<setBLOBVector device="D" name="B" state="Ok" {attributes}>'
        f'<oneBLOB name="b" size="{len(content)}" format=".bin">{text}</oneBLOB></setBLOBVector>'
    )


class ScriptedServer:
    """A listener on a loopback port; a context manager that closes all it has opened."""

    def __init__(self) -> None:
        self.port = free_port()
        self.peers: list[Peer] = []
        self._listener: socket.socket | None = None
        self.listen()

    def __enter__(self) -> ScriptedServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.refuse()
        for peer in self.peers:
            peer.close()

    def listen(self) -> None:
        """Accept connections (again), on the same port."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        # so that the system holds little for a server that does not read
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)

    def refuse(self) -> None:
        """Accept no more connections; those there are stay."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def accept(self, timeout: float = PATIENCE) -> Peer:
        """Wait for a client, and say nothing to it."""
        assert self._listener is not None
        self._listener.settimeout(timeout)
        peer = Peer(self._listener.accept()[0])
        self.peers.append(peer)
        return peer

    def greet(self, definitions: str = "") -> Peer:
        """Wait for a client, see that it begins as it must, and send it definitions."""
        peer = self.accept()
        assert peer.receive() == GetProperties()
        peer.send(definitions)
        return peer


class Peer:
    """The server's end of one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._scanner = Scanner()
        self._messages: list[Message] = []
        self.raw = bytearray()  # what the client has sent so far, as far as it was read
        connection.settimeout(2 * PATIENCE)  # for much that is sent to a client that is slow
        if connection.family == socket.AF_INET:  # small pieces must not wait for each other
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self) -> int:
        """For select: readable once the client has sent something."""
        return self._socket.fileno()

    def send(self, data: str | bytes) -> None:
        """Send bytes as they are; waits if the client does not read."""
        self._socket.sendall(data.encode() if isinstance(data, str) else data)

    def receive(self, timeout: float = PATIENCE) -> Message:
        """Read the next message from the client.

        Raises:
            EOFError: the client has ended the connection.
            TimeoutError: nothing came in time.
        """
        deadline = time.monotonic() + timeout
        while not self._messages:
            if not select.select([self._socket], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise TimeoutError(f"the client sent nothing for {timeout} s")
            self.read()
        return self._messages.pop(0)

    def receive_until(self, last: Callable[[Message], bool]) -> list[Message]:
        """Read messages up to and with the first one for which `last` holds."""
        messages = [self.receive()]
        while not last(messages[-1]):
            messages.append(self.receive())
        return messages

    def receive_end(self, timeout: float = PATIENCE) -> list[Message]:
        """Read until the client ends the connection, in whatever way; what it still sent."""
        messages = []
        try:
            while True:
                messages.append(self.receive(timeout))
        except (EOFError, ConnectionResetError):
            return messages

    def close(self) -> None:
        """End the connection in an orderly way."""
        self._socket.close()

    def half_close(self) -> None:
        """Send nothing more, but stay to read."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """End the connection as a crash of the machine does: with RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def read(self) -> None:
        """Take some of what the client has sent, 64 kB at most; `receive` returns what is in it."""
        data = self._socket.recv(1 << 16)
        if not data:
            raise EOFError("the client has ended the connection")
        self.raw += data
        self._messages += self._scanner.feed(data)


def send_much_of_a_frame(server: ScriptedServer) -> None:
    """The next client gets the first 6 MB of a frame of 1 GB, which are 8 MB of text."""
    peer = server.greet(NUMBER + BLOB)
    peer.send('<setBLOBVector device="D" name="B"><oneBLOB name="b" size="1000000000" format=".fits">')
    peer.send(b"A" * 8_000_000)


@contextmanager
def dead_address() -> Iterator[int]:
    """The port of a listener that neither accepts nor refuses: its queue is full (Linux)."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for connection in waiting:
            connection.setblocking(False)
            connection.connect_ex(listener.getsockname())
        # the queue is full once an attempt has not been answered
        answered = select.select([], waiting, [], 0.1)[1]
        assert len(answered) < len(waiting), "the queue of the listener takes more than four"
        yield listener.getsockname()[1]
        for connection in waiting:
            connection.close()


class Seen(NamedTuple):
    """An event, and the state right after it."""

    event: Any
    snap: Snap

    @property
    def kind(self) -> str:
        """The event's class."""
        return type(self.event).__name__

    @property
    def text(self) -> str:
        """The message it came with, if any."""
        return str(getattr(self.event, "message", ""))


class Client(IPyClient):
    """A client that notes each event, after awaiting `before` with it, if that is set.

    Args:
        port: of a server on this machine.
        timing: fields of `Timing`; the first pause before connecting again is short if not given.
    """

    def __init__(self, port: int | str, **timing: float) -> None:
        super().__init__("127.0.0.1", port)  # type: ignore[arg-type]
        self.timing = Timing(**{"reconnect_min": 0.02, **timing})
        self.seen: queue.Queue[Seen] = queue.Queue()
        self.before: Callable[[Any], Coroutine[Any, Any, None]] | None = None

    def inner(self, name: str) -> Any:
        """What the client keeps to itself; for what nothing else shows."""
        return getattr(self, f"_IPyClient__{name}")

    async def rxevent(self, event: Any) -> None:
        if self.before is not None:
            await self.before(event)
        self.seen.put(Seen(event, self.snapshot()))


class Running:
    """Runs a client in a thread; a context manager whose end is the end of the client."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.seen: list[Seen] = []  # all that was taken by `wait`
        self.result: Future[None] = Future()
        self.loop: asyncio.AbstractEventLoop
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, name="Running", daemon=True)
        self._thread.start()
        assert self._begun.wait(PATIENCE)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *exc: object) -> None:
        self.client.shutdown()
        self.ended(PATIENCE)
        if not any(exc):
            self.result.result(0)

    def ended(self, within: float) -> bool:
        """Wait for the end of `asyncrun`; say whether it came in time."""
        self._thread.join(within)
        return not self._thread.is_alive()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await something in the client's loop; return or raise what it does."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE)

    def do(self, function: Callable[[], T]) -> T:
        """Call a function in the client's thread, where live objects belong."""

        async def call() -> T:
            return function()

        return self.call(call())

    def wait(self, wanted: Callable[[Seen], Any], timeout: float = PATIENCE) -> Seen:
        """Take what the client sees, up to the first for which `wanted` holds."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                seen = self.client.seen.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"not seen within {timeout} s, but: {self._account()}") from None
            self.seen.append(seen)
            if wanted(seen):
                return seen

    def wait_for(self, kind: str, timeout: float = PATIENCE) -> Seen:
        """Take what the client sees, up to the first event of a class."""
        return self.wait(lambda seen: seen.kind == kind, timeout)

    def wait_text(self, text: str, timeout: float = PATIENCE) -> Seen:
        """Take what the client sees, up to the first event whose message holds a text."""
        return self.wait(lambda seen: text in seen.text, timeout)

    def after(self, peer: Peer, data: str) -> Snap:
        """Have the server send something, and return the state once all of it was handled."""
        peer.send(data + '<message message="handled so far"/>')
        return self.wait_text("handled so far").snap

    def _account(self) -> str:
        return ", ".join(f"{seen.kind} {seen.text}".strip() for seen in self.seen[-20:]) or "nothing"

    def _run(self) -> None:
        try:
            asyncio.run(self._main(), debug=True)
        except BaseException as error:
            self.result.set_exception(error)
        else:
            self.result.set_result(None)

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.task = asyncio.create_task(self.client.asyncrun())
        await asyncio.sleep(0)  # until asyncrun has made its first step
        self._begun.set()
        await self.task
