"""Whole pages: a client, a device, a vector, a frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, cast

from ..arrays import stream_shape
from .members import label_of, limits_html, picture_html, value_html
from .parts import MOST_ROWS, Room, block, cell, clock, code, count, joined, muted, pill, row, table, text

if TYPE_CHECKING:
    from ..state.members import SnapBLOBMember, SnapMember
    from ..state.snapshots import Messages, Snap, SnapDevice
    from ..state.vectors import SnapVector

__all__ = ["blob_html", "client_html", "device_html", "handle_html", "vector_html"]

_DEVICES = 20  # of a client
_UNFOLDED = 30  # vectors of all devices; if there are more, the devices are folded
_IN_LINE = 3  # members of a vector, on the page of the client
_IN_DEVICE = 12  # members of a vector, on the page of its device
_PICTURES = 2  # on the page of a vector
_STATES = ("Alert", "Busy", "Ok", "Idle")  # the worst first
_COLOUR = {"connected": "Ok", "has been closed": "Idle"}  # of a client's state; Alert of all others


# -- a client --------------------------------------------------------------------------------


def client_html(snap: Snap, state: str = "") -> str:
    """All devices, to be unfolded, with a line for each of their vectors.

    Args:
        snap: what to show.
        state: what the client does now, in place of whether it was connected at that moment.
    """
    room, devices = Room(), list(islice(snap.values(), _DEVICES))
    state = state or ("connected" if snap.connected else "not connected")
    lines, unfolded = max(5, MOST_ROWS // max(1, len(devices))), sum(map(len, devices)) <= _UNFOLDED
    parts = [
        f"<b>{text(snap.indihost)}:{snap.indiport}</b> ",
        _state_pill(state),
        f" {muted(count(len(snap), 'device', 'devices'))}",
        *(_device_in_client(device, room, lines, unfolded) for device in devices),
        _more(len(snap) - len(devices), "device", "devices"),
        _messages(snap.messages),
    ]
    return block("".join(parts))


def _device_in_client(device: SnapDevice, room: Room, lines: int, unfolded: bool) -> str:
    vectors = _enabled(device)
    rows = room.take(map(_vector_in_client, vectors[:lines]))
    inner = table(rows) + _more(len(vectors) - len(rows), "property", "properties")
    inner += _messages(device.messages[:1], most=100)
    head = f'<summary style="cursor:pointer">{_device_head(device, vectors)}</summary>'
    opened = " open" if unfolded else ""
    return (
        f'<details{opened} style="margin:4px 0">{head}<div style="margin-left:16px">{inner}</div></details>'
    )


def _vector_in_client(vector: SnapVector) -> str:
    values = _switches_on(vector) if _kind(vector) == "Switch" else _first_values(vector)
    values += [text(vector.message, 80)] if vector.state == "Alert" and vector.message else []
    name = cell(_titled(vector.name, vector.label))
    return row(name + cell(pill(vector.state)) + cell(joined(values), wrap=True))


def _switches_on(vector: SnapVector) -> list[str]:
    few = islice(vector.members().values(), MOST_ROWS)
    names = [member.name for member in few if member.value]
    if not names:
        return [muted("all off" if len(vector) <= MOST_ROWS else "…")]
    return [*map(code, names[:_IN_LINE]), *_plus(len(names) - _IN_LINE)]


def _first_values(vector: SnapVector) -> list[str]:
    kind, few = _kind(vector), islice(vector.members().values(), _IN_LINE)
    values = [f"{muted(code(member.name))} {value_html(kind, member, 40)}" for member in few]
    return [*values, *_plus(len(vector) - _IN_LINE)]


def _plus(number: int) -> list[str]:
    return [muted(f"+{number}")] if number > 0 else []


# -- a device --------------------------------------------------------------------------------


def device_html(device: SnapDevice) -> str:
    """All vectors in their groups, with the members of each."""
    vectors = _enabled(device)
    rows = Room().take(_vectors_by_group(vectors))
    rest = vectors[len(rows) :]
    more = _more(len(rest), "property", "properties", sum(map(len, rest)))
    return block(_device_head(device, vectors) + table(rows) + more + _messages(device.messages))


def _device_head(device: SnapDevice, vectors: list[SnapVector]) -> str:
    states = Counter(vector.state for vector in vectors)
    pills = [pill(state, f"{states[state]} {state}") for state in _STATES if states[state]]
    there = muted(count(len(vectors), "property", "properties")) if vectors else muted("deleted")
    return " ".join([f"<b>{text(device.devicename)}</b>", there, *pills])


def _vectors_by_group(vectors: list[SnapVector]) -> Iterator[str]:
    """Rows of each vector; with the first of a group comes its heading."""
    groups: dict[str, list[SnapVector]] = {}
    for vector in vectors:
        groups.setdefault(vector.group, []).append(vector)
    for group, those in groups.items():
        heading = row(cell(f"<b>{text(group)}</b>", line=False, span=(1, 5)))
        for vector in those:
            yield heading + _vector_in_device(vector)
            heading = ""


def _vector_in_device(vector: SnapVector) -> str:
    kind, members = _kind(vector), list(islice(vector.members().values(), _IN_DEVICE))
    lines = [_member_cells(kind, member, line=number == 0) for number, member in enumerate(members)]
    rest = _more(len(vector) - len(members), "member", "members") + _message(vector)
    lines += [cell(rest, line=not lines, span=(1, 3), wrap=True)] if rest or not lines else []
    label = [text(vector.label, 40)] if vector.label not in ("", vector.name) else []
    about = muted(joined([*label, text(vector.perm), clock(vector.timestamp)]))
    name = cell(f"{code(vector.name)}<br>{about}", span=(len(lines), 1))
    state = cell(pill(vector.state), span=(len(lines), 1))
    return row(name + state + lines[0]) + "".join(map(row, lines[1:]))


def _member_cells(kind: str, member: SnapMember, line: bool = True) -> str:
    name = cell(_titled(member.name, label_of(kind, member)), line)
    return name + cell(value_html(kind, member), line, wrap=True) + cell(limits_html(kind, member), line)


# -- a vector and a frame --------------------------------------------------------------------


def vector_html(vector: SnapVector, shape: tuple[int, int] | None = None) -> str:
    """All members, and thumbnails of frames.

    Args:
        vector: what to show.
        shape: (rows, columns) of a frame that is pixels only.
    """
    kind, room = _kind(vector), Room()
    rows = room.take(row(_member_cells(kind, one)) for one in vector.members().values())
    parts = [
        f"<b>{text(vector.devicename)}</b> {_titled(vector.name, vector.label)} {pill(vector.state)}<br>",
        muted(joined([text(part) for part in _facts(vector) if part])),
        table(rows),
        _more(len(vector) - len(rows), "member", "members"),
        *room.take(picture_html(member, shape) for member in _frames(vector)),
        _message(vector),
    ]
    return block("".join(parts))


def _facts(vector: SnapVector) -> list[str]:
    time = f"{vector.timestamp:%Y-%m-%d %H:%M:%S} UTC"
    deleted = "" if vector.enable else "deleted"
    return [_kind(vector).lower(), vector.rule or "", vector.perm, vector.group, time, deleted]


def _frames(vector: SnapVector) -> list[SnapBLOBMember]:
    """The first members of a vector, if they are frames."""
    members = islice(vector.members().values(), _PICTURES if _kind(vector) == "BLOB" else 0)
    return [cast("SnapBLOBMember", member) for member in members]


def blob_html(member: SnapBLOBMember, shape: tuple[int, int] | None = None) -> str:
    """Format and size of a frame, and a thumbnail. `shape` is as for `vector_html`."""
    head = f"{_titled(member.name, member.label)} {value_html('BLOB', member)}"
    return block(head + picture_html(member, shape))


# -- a handle --------------------------------------------------------------------------------


def handle_html(snap: Snap, state: str, devicename: str, vectorname: str | None = None) -> str:
    """The page of a device, or of a vector, as it is known at this moment.

    Args:
        snap: of the client.
        state: what the client does, as for `client_html`; it is told unless that is "connected".
        devicename: the device.
        vectorname: the vector; None for the whole device.
    """
    device = snap.get(devicename)
    vector = device.get(vectorname) if device is not None and vectorname is not None else None
    if vector is not None and device is not None:
        page = vector_html(vector, stream_shape(device))
    elif device is not None and vectorname is None:
        page = device_html(device)
    else:
        names = [code(name) for name in (devicename, vectorname) if name is not None]
        page = block(f"{' '.join(names)} {muted('not known now')}")
    return page if state == "connected" else block(_state_pill(state)) + page


def _state_pill(state: str) -> str:
    return pill(_COLOUR.get(state, "Alert"), state)


# -- what they share -------------------------------------------------------------------------


def _kind(vector: SnapVector) -> str:
    return vector.vectortype.removesuffix("Vector")


def _enabled(device: SnapDevice) -> list[SnapVector]:
    return [vector for vector in device.values() if vector.enable]


def _titled(name: str, label: str) -> str:
    """A name, and a label that says more."""
    return f"{code(name)} {muted(text(label, 40))}" if label and label != name else code(name)


def _more(number: int, one: str, many: str, members: int = 0) -> str:
    """What is left out, if anything is."""
    if not number:
        return ""
    left_out = f"… and {count(number, f'more {one}', f'more {many}')}"
    left_out += f" with {count(members, 'member', 'members')}" if members else ""
    return f"<div>{muted(left_out)}</div>"


def _messages(messages: Messages, most: int = 200) -> str:
    lines = [f"{muted(clock(stamp))} {text(words, most)}" for stamp, words in messages]
    return f"<div>{'<br>'.join(lines)}</div>" if lines else ""


def _message(vector: SnapVector) -> str:
    return _messages(((vector.message_timestamp, vector.message),) if vector.message else ())
