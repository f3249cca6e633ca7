"""What a program asks of the client's thread: to send a command, to wait for a frame, or something else.

Made in the program's thread, carried out in the client's, in order. `sent` tells when that is done,
so that whoever waits for a state does not take one from before for it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from ..protocol.messages import NewVector
from ..state.members import SnapBLOBMember
from ..state.vectors import SnapVector
from .outcome import Outcome

if TYPE_CHECKING:
    from .engine import Engine

__all__ = ["Awaited", "Command", "ExpectedBLOB", "Order", "Request"]


T = TypeVar("T")


class Order:
    """Something to be carried out in the client's thread.

    Attributes:
        rev: the revision of the state in which it was carried out, or -1 if it was not.
        carried_out: set once that is known.
    """

    def __init__(self) -> None:
        self.rev = -1
        self.carried_out = threading.Event()

    async def carry_out(self, engine: Engine) -> None:
        """Do it, in the client's loop. Raises what it cannot be done for."""
        raise NotImplementedError

    def done_at(self, rev: int) -> None:
        """It is carried out."""
        self.rev = rev
        self.carried_out.set()

    def fail(self, error: Exception) -> None:
        """It is not, or has no result."""
        self.carried_out.set()


class Awaited(Order, Generic[T]):
    """Something of a vector that has an outcome.

    Args:
        key: names of the device and the vector.
        outcome: gets the result, or an error; let go with that, as a frame must not be held here.
    """

    def __init__(self, key: tuple[str, str], outcome: Outcome[T]) -> None:
        super().__init__()
        self.key = key
        self._outcome: Outcome[T] | None = outcome

    @property
    def where(self) -> str:
        """The vector, for messages."""
        return f"{self.key[0]!r} {self.key[1]!r}"

    def settle(self, result: T) -> None:
        """This has become of it."""
        outcome, self._outcome = self._outcome, None
        if outcome is not None:
            outcome.settle(result)

    def fail(self, error: Exception) -> None:
        super().fail(error)
        outcome, self._outcome = self._outcome, None
        if outcome is not None:
            outcome.fail(error)


class Command(Awaited[SnapVector]):
    """New values for a vector, checked.

    Args:
        message: the command.
        timeout: seconds for all of it; None for no limit, nan for what the device announced.
        outcome: gets the vector as it is when the device is done.

    Attributes:
        stamp: when it was given.
        busy: whether the device has answered that it is at work.
        said: the newest message of the device before the command.
        timer: ends the time it has.
        barrier: of the ping before it, until that is answered; what comes in until then is older than it.
    """

    def __init__(self, message: NewVector, timeout: float | None, outcome: Outcome[SnapVector]) -> None:
        super().__init__((message.device, message.name), outcome)
        self.timeout = timeout
        self.stamp = message.timestamp
        self.busy = False
        self.barrier = ""
        self.said: object = None
        self.timer: asyncio.TimerHandle | None = None
        self._message: NewVector | None = message

    async def carry_out(self, engine: Engine) -> None:
        message, self._message = self._message, None  # a frame that was sent must not be held
        if message is not None:
            await engine.send_command(self, message)

    def settle(self, result: SnapVector) -> None:
        self.stop_timer()
        super().settle(result)

    def fail(self, error: Exception) -> None:
        self.stop_timer()
        super().fail(error)

    def stop_timer(self) -> None:
        """It has all the time there is."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class ExpectedBLOB(Awaited[SnapBLOBMember]):
    """The next BLOB of a vector.

    Args:
        membername: of the member, or None for any.
        outcome: gets the member.
    """

    def __init__(
        self, key: tuple[str, str], membername: str | None, outcome: Outcome[SnapBLOBMember]
    ) -> None:
        super().__init__(key, outcome)
        self.membername = membername

    async def carry_out(self, engine: Engine) -> None:
        await engine.expect(self)


class Request(Order):
    """A call without a result."""

    def __init__(self, call: Callable[[Engine], Awaitable[None]]) -> None:
        super().__init__()
        self._call = call

    async def carry_out(self, engine: Engine) -> None:
        await self._call(engine)
        self.done_at(engine.snapshot().rev)
