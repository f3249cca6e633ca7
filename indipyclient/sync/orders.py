"""What a program asks of the client's thread: to send a command, to wait for a frame, or something else.

Made in the program's thread, carried out in the client's, in order. `sent` tells when that is done,
so that whoever waits for a state does not take one from before for it.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Awaitable, Callable, Container
from typing import TYPE_CHECKING, Generic, TypeVar

from .. import events
from ..protocol.messages import NewVector
from ..state.members import SnapBLOBMember
from ..state.vectors import SnapVector
from .doubt import Doubt
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
        named: the members that the program gave values.

    Attributes:
        stamp: when it was given.
        doubt: by what an answer is judged.
        busy: whether the device has answered that it is at work.
        in_doubt: whether it has answered that it is done, and that is waited out.
        told: the newest state from the device by which nothing was decided; else empty.
        said: the newest message of the device before the command.
        timer: ends the time it has.
        barrier: of the ping before it, until that is answered; what comes in until then is older than it.
    """

    def __init__(
        self,
        message: NewVector,
        timeout: float | None,
        outcome: Outcome[SnapVector],
        named: Container[str],
    ) -> None:
        super().__init__((message.device, message.name), outcome)
        self.timeout = timeout
        self.stamp = message.timestamp
        self.doubt = Doubt(message, named)
        self.busy = False
        self.in_doubt = False
        self.told = ""
        self.barrier = ""
        self.said: object = None
        self.timer: asyncio.TimerHandle | None = None
        self._message: NewVector | None = message
        self._waiting: asyncio.TimerHandle | None = None

    async def carry_out(self, engine: Engine) -> None:
        message, self._message = self._message, None  # a frame that was sent must not be held
        if message is not None:
            await engine.send_command(self, message)

    def settle(self, result: SnapVector) -> None:
        self._stop_timers()
        super().settle(result)

    def fail(self, error: Exception) -> None:
        self._stop_timers()
        super().fail(error)

    def doubts(self, event: events.setVector | events.defVector, vector: SnapVector) -> bool:
        """Whether the device, which says it is done, may mean something else; `vector` is as it is now."""
        sure = self.busy and not self.doubt.overtaking
        return not sure and self.doubt.concerns(event, vector)

    def wait_out(self, waiting: asyncio.TimerHandle) -> None:
        """The device has answered, in doubt; `waiting` ends that."""
        self.in_doubt, self._waiting = True, waiting
        self._lift_announced()

    def at_work(self) -> None:
        """The device is. What seemed to be an answer before was none."""
        if self.in_doubt:
            self.in_doubt = self.doubt.overtaking = False
            _cancel(self._waiting)
        self.busy, self.told = True, ""
        self._lift_announced()

    def _lift_announced(self) -> None:
        """It has all the time there is, unless the program has set a limit."""
        if self.timeout is not None and math.isnan(self.timeout):
            _cancel(self.timer)

    def _stop_timers(self) -> None:
        _cancel(self.timer)
        _cancel(self._waiting)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


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
