"""How one message changes the state.

`apply` takes a snapshot and a message and returns the next snapshot, or the same object where the
message changes nothing: an update of something unknown, deleted or of another type is ignored,
since a server may send it (after ``enableBLOB Only``, for instance). Each change has one `rev`.

Rules, where the INDI white paper leaves them open:

* A property defined again is updated in place: its members become those of the new definition, and
  keep their item ids and user strings (0.9 and libindi never removed one). Defined with another
  type, it is a new property.
* A deleted property stays, disabled, with its last values (0.9).
* What an update does not name is unchanged, its state and timeout included.
* A device's name is only known once it has defined something; its messages before that are
  the client's (libindi's "universal messages").
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from sys import intern
from typing import Any, TypeAlias

from ..protocol.messages import (
    DefMember,
    DefVector,
    DelProperty,
    DeviceMessage,
    Kind,
    Message,
    OneBLOB,
    OneMember,
    OneMembers,
    SetVector,
)
from .frozenmap import FrozenMap
from .members import MemberInfo, MemberRows, SnapBLOBMember, SnapMember
from .snapshots import Snap, SnapDevice
from .vectors import VECTOR_CLASSES, SnapVector, VectorInfo

__all__ = [
    "KEPT_MESSAGES",
    "Identify",
    "apply",
    "blank",
    "change_device",
    "change_vector",
    "log",
    "set_user_string",
    "update",
]

Identify: TypeAlias = Callable[[str, str, str], tuple[str, int]]
"""Gives a new node its user string and item id, by device, vector and member name ("" if above)."""

KEPT_MESSAGES = 8
DEFAULT_GROUP = "DEFAULT GROUP"


def apply(
    snap: Snap,
    message: Message,
    now: datetime,
    identify: Identify,
    filenames: dict[str, str] | None = None,
) -> Snap:
    """The snapshot after `message`; `snap` itself if nothing changed.

    Args:
        snap: the state before.
        message: anything from the scanner; kinds that carry no state change nothing.
        now: the time to take where the server sent none (aware, UTC).
        identify: see `Identify`; called for each new node, the outer ones first.
        filenames: names of the files that the BLOBs in the message were saved under, by member.
    """
    if isinstance(message, SetVector):
        return update(snap, message, message.timestamp or now, filenames)
    if isinstance(message, DefVector):
        return _define(snap, message, now, identify)
    if isinstance(message, DelProperty):
        return _delete(snap, message, now)
    if isinstance(message, DeviceMessage):
        return log(snap, message.timestamp or now, message.message, message.device)
    return snap


def log(snap: Snap, stamp: datetime, text: str, devicename: str | None = None) -> Snap:
    """The snapshot with one more message, of a device if it is known and else of the client."""
    device = snap.data.get(devicename) if devicename else None
    if device is None:
        return snap._with(messages=((stamp, text), *snap.messages)[:KEPT_MESSAGES])
    messages = ((stamp, text), *device.messages)[:KEPT_MESSAGES]
    return change_device(snap, device, messages=messages)


def blank(snap: Snap) -> Snap:
    """The snapshot without devices and messages, as it is at the start and the end of a connection."""
    return snap._with(messages=(), devices=FrozenMap[SnapDevice]())


def change_vector(snap: Snap, vector: SnapVector, **changed: Any) -> Snap:
    """The snapshot with attributes of one vector changed by the program, for one the program holds.

    Args:
        vector: a node of `snap`.
        changed: ``state``, ``timestamp``, ``enable`` or another argument of the node.
    """
    return _with_vector(snap, snap[vector.devicename], vector._with(snap.rev + 1, **changed))


def change_device(snap: Snap, device: SnapDevice, **changed: Any) -> Snap:
    """The snapshot with attributes of one device changed: messages, user string or vectors.

    Args:
        device: a node of `snap`.
        changed: ``messages``, ``user_string``, ``vectors``; and ``client_messages``, those of the root.
    """
    after = SnapDevice(
        device.devicename,
        changed.get("vectors", device),
        changed.get("messages", device.messages),
        changed.get("user_string", device.user_string),
        device.itemid,
        snap.rev + 1,
    )
    devices = snap._replacing(device.devicename, after)
    return snap._with(devices=devices, messages=changed.get("client_messages", snap.messages))


def set_user_string(snap: Snap, devicename: str, vectorname: str, membername: str, text: str) -> Snap:
    """The snapshot with the user string of a device, a vector or a member, or `snap` if it is not known."""
    device = snap.data.get(devicename)
    if device is None:
        return snap
    if not vectorname:
        return change_device(snap, device, user_string=text)
    vector = device.data.get(vectorname)
    if vector is None:
        return snap
    if not membername:
        return change_vector(snap, vector, info=vector._info._replace(user_string=text))
    if membername not in vector:
        return snap
    member = vector.member(membername)._renamed(snap.rev + 1, user_string=text)
    return change_vector(snap, vector, members=vector._members._replacing(membername, member))


# -- set ------------------------------------------------------------------------------------


def update(snap: Snap, message: SetVector, stamp: datetime, filenames: dict[str, str] | None = None) -> Snap:
    """As `apply`, for an update, with its time or that of its arrival."""
    kind, devicename, name, state, timeout, _, text, members = message
    device: SnapDevice | None = snap.get(devicename)
    vector: SnapVector | None = None if device is None else device.get(name)
    if device is None or vector is None or not vector._enable or vector._info.kind != kind:
        return snap
    rev = snap._rev + 1
    rest = (
        state or vector._state,
        vector._timeout if timeout is None or kind == "Light" else timeout,
        stamp,
        text or vector._message,
        stamp if text else vector._message_timestamp,
    )
    if type(members) is OneMembers and (
        members.names is vector._info.names or members.names == vector._info.names
    ):
        after = vector._updated(members, *rest, rev)
    else:
        after = type(vector)(
            vector._info, _set_members(vector, members, rev, filenames or {}), *rest, enable=True, rev=rev
        )
    return _with_vector(snap, device, after)


def _set_members(
    vector: SnapVector, members: Iterable[OneMember | OneBLOB], rev: int, filenames: dict[str, str]
) -> FrozenMap[SnapMember]:
    """The members of a vector, those that an update names with their new values."""
    find = vector._members.get
    return vector._members._replacing_all(
        (one.name, old._set(one, rev, filenames.get(one.name, "")))
        for one in members
        if (old := find(one.name)) is not None
    )


# -- define ---------------------------------------------------------------------------------


def _define(snap: Snap, message: DefVector, now: datetime, identify: Identify) -> Snap:
    rev = snap.rev + 1
    device = snap.data.get(message.device)
    if device is None:
        device = SnapDevice(message.device, FrozenMap(), (), *identify(message.device, "", ""), rev)
    old = device.data.get(message.name)
    if old is not None and old._info.kind != message.kind:
        old = None
    info = _vector_info(message, old, identify)
    rest = _defined_rest(message, old, message.timestamp or now)
    if old is None:
        members = _first_members(message, info, rev)
        vector = VECTOR_CLASSES[message.kind](info, members, **rest, rev=rev)
    else:
        anew = _members_anew(message, info, old, rev)
        if anew is not None:  # there may be none now
            rest["members"] = anew
        vector = old._with(rev, info=info, **rest)
    return _with_vector(snap, device, vector)


def _defined_rest(message: DefVector, old: SnapVector | None, stamp: datetime) -> dict[str, Any]:
    """What a vector is made of beside what seldom changes and its members."""
    return {
        "state": message.state,
        "timeout": None if message.kind == "Light" else message.timeout,
        "timestamp": stamp,
        "message": message.message or (old.message if old is not None else ""),
        "message_timestamp": stamp if old is None or message.message else old.message_timestamp,
        "enable": True,
    }


def _vector_info(message: DefVector, old: SnapVector | None, identify: Identify) -> VectorInfo:
    if old is None:
        label, group = message.name, DEFAULT_GROUP
        user_string, itemid = identify(message.device, message.name, "")
    else:
        label, group, user_string, itemid = old.label, old.group, old.user_string, old.itemid
    rows = _rows(message, old, identify)
    # Interned as those of updates are: that the names are the same shows without a look at their letters.
    names = tuple([intern(row[0]) for row in rows])
    if old is not None and names == old._info.names:
        names, places = old._info.names, old._info.places
    else:
        places = {name: place for place, name in enumerate(names)}
    return VectorInfo(
        message.kind,
        names,
        places,
        rows,
        message.device,
        intern(message.name),
        message.label or label,
        message.group or group,
        message.perm,
        message.rule,
        user_string,
        itemid,
    )


def _rows(message: DefVector, old: SnapVector | None, identify: Identify) -> MemberRows:
    """What makes a `MemberInfo` each."""
    before = {} if old is None else {row[0]: row for row in old._member_rows()}
    rows = []
    for member in _by_name(message):
        name, label, _, form, low, high, step = member
        known = before.get(name)
        ids = identify(message.device, message.name, name) if known is None else known[-2:]
        rows.append((name, label or (name if known is None else known[1]), form, low, high, step, *ids))
    return tuple(rows)


def _first_members(message: DefVector, info: VectorInfo, rev: int) -> FrozenMap[SnapMember] | tuple[str, ...]:
    """The members of a new vector."""
    if message.kind != "BLOB":
        return _values(message)
    nodes = [SnapBLOBMember(MemberInfo._make(row), None, rev) for row in info.rows]
    return FrozenMap._of_family(info.places, info.names, tuple(nodes))


def _members_anew(
    message: DefVector, info: VectorInfo, old: SnapVector, rev: int
) -> FrozenMap[SnapMember] | None:
    """The members of a vector that is defined once more, or None if they are the same as before."""
    values = _values(message)
    if old._values is not None and info.rows == old._info.rows and values == old._apart():
        return None
    nodes = [
        _member_anew(message.kind, MemberInfo._make(row), value, old.data.get(row[0]), rev)
        for row, value in zip(info.rows, values, strict=True)
    ]
    return FrozenMap._of_family(info.places, info.names, tuple(nodes))


def _values(message: DefVector) -> tuple[str, ...]:
    return tuple([member.value for member in _by_name(message)])


def _by_name(message: DefVector) -> Collection[DefMember]:
    """The members, of those with the same name the last."""
    return {member.name: member for member in message.members}.values()


def _member_anew(kind: Kind, info: MemberInfo, value: str, old: SnapMember | None, rev: int) -> SnapMember:
    if isinstance(old, SnapBLOBMember):
        return old if info == old._info else old._renamed(rev, label=info.label)
    if old is not None and old._info == info and old.membervalue == value:
        return old
    if kind == "BLOB":
        return SnapBLOBMember(info, None, rev)
    return VECTOR_CLASSES[kind].member_class(info, value, rev)


# -- delete ---------------------------------------------------------------------------------


def _delete(snap: Snap, message: DelProperty, now: datetime) -> Snap:
    device = snap.data.get(message.device)
    if device is None or not device.enable:
        return snap
    stamp = message.timestamp or now
    if message.name is None:
        return _delete_device(snap, device, stamp, message.message)
    vector = device.data.get(message.name)
    if vector is None or not vector.enable:
        return snap
    messages = device.messages
    if message.message:
        messages = ((stamp, message.message), *messages)[:KEPT_MESSAGES]
    vectors = device._replacing(message.name, vector._with(snap.rev + 1, enable=False))
    return change_device(snap, device, vectors=vectors, messages=messages)


def _delete_device(snap: Snap, device: SnapDevice, stamp: datetime, text: str) -> Snap:
    """The device's end is news of the client: its text goes among the client's messages (0.9)."""
    rev = snap.rev + 1
    gone = [(name, vector._with(rev, enable=False)) for name, vector in device.items() if vector.enable]
    messages = ((stamp, text), *snap.messages)[:KEPT_MESSAGES] if text else snap.messages
    return change_device(snap, device, vectors=device._replacing_all(gone), client_messages=messages)


# -- the path to the root -------------------------------------------------------------------


def _with_vector(snap: Snap, device: SnapDevice, vector: SnapVector) -> Snap:
    """The snapshot with one vector replaced: the hot end of every update."""
    return snap._updated(device._updated(vector))
