"""What the demo instruments share: handing commands out, checking numbers, sending only what is new."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from indipydriver import Device, IPyDriver, getfloat

__all__ = ["Instrument", "TICK"]

TICK = 0.2
"""Seconds between two steps of an instrument's simulation."""


class Instrument(IPyDriver):  # type: ignore[misc]
    """One device, with a coroutine for each vector that can be set.

    Everything runs in the loop of the server that the instrument was given to.
    """

    def __init__(
        self, name: str, vectors: Sequence[Any], commands: Mapping[str, Callable[[Any], Awaitable[None]]]
    ) -> None:
        self._commands = commands
        super().__init__(Device(name, vectors))

    async def rxevent(self, event: Any) -> None:
        """A client asks for something: indipydriver calls this for every new...Vector."""
        command = self._commands.get(event.vectorname)
        if command is not None:
            await command(event)

    @staticmethod
    async def show(vector: Any, state: str, message: str = "", **members: str) -> None:
        """Send a vector's state and values if any of them, or a message, is new."""
        if state == vector.state and not message and all(vector[name] == members[name] for name in members):
            return
        await Instrument.answer(vector, state, message, **members)

    @staticmethod
    async def answer(vector: Any, state: str, message: str = "", **members: str) -> None:
        """Send a vector's state and values even if nothing is new: a client waits to hear."""
        for name, value in members.items():
            vector[name] = value
        await vector.send_setVector(message=message, state=state)

    @staticmethod
    async def wanted_number(event: Any, name: str) -> float | None:
        """The number a client asks for. If it cannot be had: None, and an Alert says why."""
        member = event.vector.data[name]
        try:
            value = float(getfloat(event.get(name, "")))
        except TypeError:
            value = float("nan")
        if float(member.min) <= value <= float(member.max):  # never true of nan
            return value
        await Instrument.answer(event.vector, "Alert", f"{name} must be {member.min} to {member.max}")
        return None
