"""From what a program wants to the message that says it, checked against the state.

`new_vector` is a plain function of a snapshot, so any thread may call it, and what is wrong is
raised where the command was given.

Rules: text and number commands carry every member, those not named with their present value,
because drivers often insist on complete vectors (RA and DEC together); switch commands carry the
members named, Off before On, so that a driver never sees two On at once; BLOB commands carry the
members named. (libindi's client, and 0.9.)
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Container, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, ReadOnly, UnknownDevice, UnknownMember, UnknownVector
from ..protocol.messages import NewVector, OneBLOB, OneMember
from ..protocol.numbers import number_text, read_number
from .members import SnapNumberMember
from .snapshots import Snap
from .vectors import SnapVector

__all__ = ["check_values", "find_vector", "new_vector"]


def find_vector(snap: Snap, devicename: str, vectorname: str) -> SnapVector:
    """The enabled vector of that name.

    Raises:
        UnknownDevice, UnknownVector: with the names that are near, or known.
    """
    device = snap.data.get(devicename) if isinstance(devicename, str) else None
    vector = device.data.get(vectorname) if device is not None and isinstance(vectorname, str) else None
    if vector is not None and vector.enable:  # and so the device, which is while any of its vectors is
        return vector
    if device is None or not device.enable:
        known = [name for name, device in snap.items() if device.enable]
        raise UnknownDevice("device", devicename, known)
    known = [name for name, vector in device.items() if vector.enable]
    raise UnknownVector(f"vector of {devicename!r}", vectorname, known)


def new_vector(
    snap: Snap, devicename: str, vectorname: str, members: Mapping[str, Any], timestamp: datetime
) -> NewVector:
    """The command that gives `members` of a vector new values.

    Args:
        snap: the state to check against and to complete the command from.
        devicename, vectorname: the vector.
        members: member names to values. Switches take ``"On"``, ``"Off"`` or a bool; numbers take
            any real number or a text, sexagesimal too; texts take str; BLOBs take bytes, a path,
            an open binary file, a numpy array (sent as FITS), or a tuple of one of these, the size
            (0: as it is) and the format.
        timestamp: of the command; aware.

    Raises:
        UnknownDevice, UnknownVector, UnknownMember: with near matches.
        ReadOnly: the vector takes no commands.
        InvalidValue: a value does not suit its member, or the values break the switch rule.
        TypeError: `members` is not a mapping.
    """
    if not isinstance(members, Mapping):
        raise TypeError(f"members must be a mapping of names to values, not {type(members).__name__}")
    vector = find_vector(snap, devicename, vectorname)
    if vector.perm == "ro":
        raise ReadOnly(f"{_where(vector)} is read-only")
    for name in members:
        if name not in vector:
            raise UnknownMember(f"member of {_where(vector)}", name, vector)
    if not members and vector.vectortype not in ("TextVector", "NumberVector"):
        raise InvalidValue(f"no member of {_where(vector)} was given a value")
    ones = _MAKERS[vector.vectortype](vector, members)
    return NewVector(vector._info.kind, devicename, vectorname, timestamp, tuple(ones))


def check_values(vector: SnapVector, message: NewVector, named: Container[str]) -> None:
    """What `new_vector` leaves to the device to judge, as 0.9 did: limits, and that one switch stays On.

    Args:
        vector: the vector as it is.
        message: the command.
        named: the members that the program gave values; only their limits are looked at.

    Raises:
        InvalidValue: a number is out of its limits, or a OneOfMany vector would have no switch On.
    """
    if vector.vectortype == "NumberVector":
        for one in message.members:
            if one.name in named and isinstance(one, OneMember):
                _check_limits(vector, one)
    elif vector.rule == "OneOfMany":
        after = {**vector, **{one.name: one.value for one in message.members if isinstance(one, OneMember)}}
        if "On" not in after.values():
            raise InvalidValue(f"one switch of {_where(vector)} is to be On, and this leaves none: {after}")


def _check_limits(vector: SnapVector, one: OneMember) -> None:
    member = vector.member(one.name)
    assert isinstance(member, SnapNumberMember)
    low, high = read_number(member.min), read_number(member.max)  # nan limits nothing
    if low < high and not low <= read_number(one.value) <= high:
        raise InvalidValue(
            f"number {one.name!r} of {_where(vector)} takes {low:g} to {high:g}, not {one.value}"
        )


def _switches(vector: SnapVector, members: Mapping[str, Any]) -> list[OneMember]:
    ones = [OneMember(name, _switch(vector, name, value)) for name, value in members.items()]
    on = [one.name for one in ones if one.value == "On"]
    if len(on) > 1 and vector.rule != "AnyOfMany":
        raise InvalidValue(f"{_where(vector)} allows one switch On, not {' and '.join(map(repr, on))}")
    return sorted(ones, key=lambda one: one.value == "On")


def _switch(vector: SnapVector, name: str, value: object) -> str:
    if isinstance(value, bool):
        return "On" if value else "Off"
    if isinstance(value, str) and value in ("On", "Off"):
        return "On" if value == "On" else "Off"  # not str(value), which of an Enum is its name
    raise InvalidValue(f"switch {name!r} of {_where(vector)} takes On, Off or a bool, not {value!r:.60}")


def _numbers(vector: SnapVector, members: Mapping[str, Any]) -> Iterator[OneMember]:
    for name, text in vector.items():
        try:
            sent = number_text(members.get(name, text))
        except (ValueError, TypeError) as error:
            if name not in members:
                continue  # a value that the device itself gave as nonsense is not sent back to it
            raise InvalidValue(f"number {name!r} of {_where(vector)}: {error}") from error
        yield OneMember(name, sent)


def _texts(vector: SnapVector, members: Mapping[str, Any]) -> Iterator[OneMember]:
    for name, text in vector.items():
        value = members.get(name, text)
        if not isinstance(value, str):
            raise InvalidValue(f"text {name!r} of {_where(vector)} takes a str, not {value!r:.60}")
        yield OneMember(name, value)


def _blobs(vector: SnapVector, members: Mapping[str, Any]) -> Iterator[OneBLOB]:
    for name, value in members.items():
        content, size, form = value if isinstance(value, tuple | list) and len(value) == 3 else (value, 0, "")
        try:
            payload, suffix = _content(content)
        except (OSError, AttributeError, RuntimeError, TypeError, ValueError) as error:
            raise InvalidValue(f"BLOB {name!r} of {_where(vector)} cannot be read: {error}") from error
        if not payload:
            raise InvalidValue(f"BLOB {name!r} of {_where(vector)} is empty")
        if not isinstance(size, int) or size < 0 or not isinstance(form, str):
            raise InvalidValue(f"BLOB {name!r} of {_where(vector)} takes a size in bytes and a format as str")
        yield OneBLOB(name, memoryview(payload), size or len(payload), form or suffix)


def _content(value: Any) -> tuple[bytes | memoryview, str]:
    """The bytes of a BLOB to send, and its format: the suffixes of a file's name, ``.fits`` of an array."""
    if isinstance(value, str | os.PathLike):
        path = Path(value).expanduser()
        return path.read_bytes(), "".join(path.suffixes)
    if hasattr(value, "read") and hasattr(value, "seek"):
        with contextlib.closing(value):
            value.seek(0)
            value = value.read()
    if isinstance(value, bytes | bytearray | memoryview):
        return memoryview(value).cast("B"), ""
    if hasattr(value, "__array_interface__") and hasattr(value, "dtype"):
        from ..arrays import to_fits  # here, as it is optional

        return to_fits(value), ".fits"
    raise InvalidValue(f"a BLOB is bytes, a path, an open file or an array, not {type(value).__name__}")


_MAKERS: dict[str, Any] = {
    "SwitchVector": _switches,
    "NumberVector": _numbers,
    "TextVector": _texts,
    "BLOBVector": _blobs,
}


def _where(vector: SnapVector) -> str:
    return f"{vector.devicename!r} {vector.name!r}"
