"""What `VectorHandle.wait` waits for: a state, values of members, or both."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from ..errors import InvalidValue, UnknownMember
from ..protocol.numbers import number_text
from ..state.vectors import SnapVector

__all__ = ["Goal"]


class Goal:
    """A condition on a vector.

    Args:
        state: a state, several, or None for any.
        member: names to values, or the name of a switch that is to be On.
        tolerance: how far a number may be from its value.
    """

    def __init__(
        self, state: str | Collection[str] | None, member: Mapping[str, Any] | str | None, tolerance: float
    ) -> None:
        if state is None and member is None:
            raise TypeError("wait needs a state, or members and their values")
        self._states = (state,) if isinstance(state, str) else state
        self._members: Mapping[str, Any] = {member: True} if isinstance(member, str) else member or {}
        self._tolerance = tolerance
        for one in self._states or ():
            if one not in ("Idle", "Ok", "Busy", "Alert"):
                raise InvalidValue(f"a state is Idle, Ok, Busy or Alert, not {one!r:.60}")

    def __str__(self) -> str:
        parts = [] if self._states is None else [f"in state {' or '.join(self._states)}"]
        parts += [f"with {name!r} at {value!r}" for name, value in self._members.items()]
        return "was not " + " and ".join(parts)

    def check(self, vector: SnapVector) -> None:
        """Raise UnknownMember or InvalidValue if the vector cannot come to this."""
        for name, value in self._members.items():
            if name not in vector:
                raise UnknownMember(f"member of {vector.devicename!r} {vector.name!r}", name, vector)
            self._has(vector, name, value)

    def failed(self, vector: SnapVector) -> bool:
        """Whether it is in Alert, and a state other than that is wanted."""
        return self._states is not None and vector.state == "Alert" and "Alert" not in self._states

    def reached(self, vector: SnapVector) -> bool:
        """Whether the vector has come to this. Raises KeyError for a member that is not there."""
        if self._states is not None and vector.state not in self._states:
            return False
        return all(self._has(vector, name, value) for name, value in self._members.items())

    def _has(self, vector: SnapVector, name: str, value: Any) -> bool:
        present = vector.member(name).value
        if vector.vectortype == "NumberVector":
            try:
                distance = abs(present - float(number_text(value)))
            except (TypeError, ValueError) as error:
                raise InvalidValue(f"number {name!r}: {error}") from error
            return not math.isnan(distance) and distance <= self._tolerance
        if vector.vectortype == "SwitchVector":
            if value not in (True, False, "On", "Off"):
                raise InvalidValue(f"switch {name!r} is On, Off, True or False, not {value!r:.60}")
            return bool(present is (value in (True, "On")))
        if vector.vectortype == "BLOBVector":
            raise InvalidValue(f"{name!r} is a BLOB; to wait for one there is expect_blob")
        return bool(present == value)
