"""Whether a device that says Ok or Idle after a command can mean that command.

It may not have read it yet. Two things look like an answer then:

* A report that the device makes by itself. It shows the old values.
* The end of what the device was doing before. It shows where that has led, which may be anywhere,
  and only the commanded values tell it from an answer.

A switch vector is never doubted, as a momentary switch answers On with Off; nor is a BLOB vector.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping

from .. import events
from ..protocol.messages import NewVector, OneMember
from ..protocol.numbers import read_number
from ..state.vectors import SnapVector

__all__ = ["Doubt"]

_NEAR = 0.01  # of the way that was commanded: so near is there, as devices round and miss a little


class Doubt:
    """What a command was to change, and what that was before.

    Args:
        message: the command.
        named: the members that the program gave values; the others only came along.

    Attributes:
        overtaking: whether the device was at work when the command was sent, or may have been.
    """

    def __init__(self, message: NewVector, named: Container[str]) -> None:
        self.overtaking = False
        self._wanted: dict[str, float | str] = {
            one.name: read_number(one.value) if message.kind == "Number" else one.value.strip()
            for one in message.members
            if one.name in named and isinstance(one, OneMember) and message.kind in ("Number", "Text")
        }
        self._before: dict[str, float | str] = {}

    def begin(self, vector: SnapVector) -> None:
        """This is the newest that is known from before the command."""
        self._before = _values(vector, self._wanted)

    def concerns(self, event: events.setVector | events.defVector, vector: SnapVector) -> bool:
        """Whether what the device says may be no answer; `vector` is what it shows now."""
        if not self._before:  # as of a BLOB, which is copied when its event is looked at
            return False
        if not self.overtaking and (event.message or not event):  # its own reports have values, and no words
            return False
        looks_wrong = _misses if self.overtaking else _is_old
        now = _values(vector, self._before)
        return any(looks_wrong(now[name], self._before[name], self._wanted[name]) for name in now)


def _values(vector: SnapVector, like: Mapping[str, float | str]) -> dict[str, float | str]:
    """Of the members that have such values; all, unless the vector has been defined quite differently."""
    values = {name: vector.member(name).value for name in like if name in vector}
    return {name: value for name, value in values.items() if isinstance(value, type(like[name]))}


def _is_old(now: float | str, before: float | str, wanted: float | str) -> bool:
    """Whether a value was to change and has not: it is nearer to the one before than to the commanded one."""
    return _distance(now, before) < _distance(now, wanted)


def _misses(now: float | str, before: float | str, wanted: float | str) -> bool:
    """Whether a value is not what was commanded, nor as good as that."""
    way = _distance(before, wanted)
    return _distance(now, wanted) > (_NEAR * way if math.isfinite(way) else 0.0)


def _distance(one: float | str, other: float | str) -> float:
    """Between numbers; infinite between texts that differ, and to what is no number."""
    if one == other:
        return 0.0
    if isinstance(one, str) or isinstance(other, str):
        return math.inf
    if math.isnan(one) or math.isnan(other):
        return 0.0 if math.isnan(one) and math.isnan(other) else math.inf
    return abs(one - other)
