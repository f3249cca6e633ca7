"""The demo instruments behind a server on loopback, for programs, tests and first steps.

Threads: `DemoInstruments` has one, "demo-instruments", which runs the server, both instruments and
their loop. Its public methods are for any one other thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from concurrent.futures import Future
from threading import Thread
from types import TracebackType
from typing import Any

from indipyserver import IPyServer

from .camera import Camera
from .thermostat import Thermostat

__all__ = ["DemoInstruments"]

_START_POLL = 0.01  # seconds; indipyserver has nothing to wait on until it listens
_LINGER = 2.0  # seconds for connections to end in good order

_logger = logging.getLogger(__name__)

# what the two libraries log would else go to stderr when the program has set up no logging
for _library in ("indipydriver", "indipyserver", "indipyclient.demo"):
    logging.getLogger(_library).addHandler(logging.NullHandler())


class DemoInstruments:
    """A thermostat and a camera, served over INDI on 127.0.0.1 while the `with` block runs.

        with DemoInstruments() as demo:
            txque.put(...)              # a client of demo.host and demo.port

    `port` 0 takes a free one; with another number that is in use, starting raises OSError. `seed` gives
    the same sky and noise in every run. Raises OSError too when nothing is served within `timeout` seconds.
    """

    host = "127.0.0.1"

    def __init__(self, port: int = 0, *, seed: int | None = None, timeout: float = 10.0) -> None:
        self.port = port
        """The port that is served, once started."""
        self._seed = seed
        self._timeout = timeout
        self._listening: Future[int] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread = Thread(target=self._run, name="demo-instruments", daemon=True)

    def start(self) -> None:
        """Start serving; returns when clients can connect. Once for each object, as with a thread."""
        self._thread.start()
        try:
            self.port = self._listening.result(self._timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server and its connections, and wait for the thread. May be called again."""
        if self._loop is not None and self._stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(self._timeout)

    def __enter__(self) -> DemoInstruments:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._listening.done():
                _logger.exception("The demo instruments failed")
            else:
                self._listening.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_log_only)
        self._stopping = asyncio.Event()
        server = _Server(Thermostat(), Camera(self._seed), host=self.host, port=self.port)
        running = asyncio.create_task(server.asyncrun())
        try:
            self._listening.set_result(await self._listening_port(server, running))
            asked = asyncio.create_task(self._stopping.wait())
            await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            server.shutdown()
            running.cancel()
            await asyncio.wait({running}, timeout=_LINGER)

    async def _listening_port(self, server: _Server, running: asyncio.Task[None]) -> int:
        """The system picks the port as it is bound, so no other program can take it in between."""
        while server.server is None:
            if running.done():  # indipyserver logs the reason and keeps it
                raise OSError(f"cannot serve on {self.host}:{self.port}")
            await asyncio.sleep(_START_POLL)
        return int(server.server.sockets[0].getsockname()[1])


class _Server(IPyServer):  # type: ignore[misc]
    """An indipyserver that lets go of a client that has gone; the original reads on without a pause."""

    async def handle_data(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await super().handle_data(_EndingReader(reader), writer)


class _EndingReader:
    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def read(self, size: int) -> bytes:
        data = await self._reader.read(size)
        if not data:
            raise ConnectionResetError("the client has gone")
        return data


def _log_only(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    _logger.error("%s", context.get("message"), exc_info=context.get("exception"))
