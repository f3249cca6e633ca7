"""Messages to bytes: one element a line, in the form every known server reads.

UTF-8 without character references, the five special characters escaped everywhere, ASCII
white space in attributes as spaces, base64 on one line with the exact ``size`` and no
``enclen`` (libindi takes ``enclen`` to mean 72-column lines and swallows what follows).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from .blobs import encode_base64
from .messages import (
    DefVector,
    DelProperty,
    DeviceMessage,
    EnableBLOB,
    GetProperties,
    Message,
    NewVector,
    OneBLOB,
    OneMember,
    PingReply,
    PingRequest,
    SetVector,
)
from .text import escape
from .timestamps import format_timestamp

__all__ = ["encode", "encode_pieces"]


def encode(message: Message) -> bytes:
    """The bytes of one message, ending in a newline.

    Raises:
        TypeError: for `Malformed`, which is a report and no element.
    """
    return b"".join(encode_pieces(message))


def encode_pieces(message: Message) -> Iterator[bytes]:
    """As `encode`, in pieces, so that a large BLOB is not held twice."""
    if isinstance(message, DefVector):
        return _vector("def", message, _def_attributes(message), _def_members(message))
    if isinstance(message, SetVector):
        return _vector("set", message, _set_attributes(message), _one_members(message))
    if isinstance(message, NewVector):
        return _vector("new", message, {"timestamp": _stamp(message)}, _one_members(message))
    return iter((_simple(message).encode() + b"\n",))


def _simple(message: Message) -> str:
    """The elements without members."""
    if isinstance(message, DelProperty | DeviceMessage):
        attributes = {"device": message.device, "name": getattr(message, "name", None)}
        attributes |= {"timestamp": _stamp(message), "message": message.message or None}
        return _tag("delProperty" if isinstance(message, DelProperty) else "message", attributes, "/")
    if isinstance(message, GetProperties):
        return _tag("getProperties", message._asdict(), "/", ("version", "device", "name"))
    if isinstance(message, EnableBLOB):
        start = _tag("enableBLOB", {"device": message.device, "name": message.name})
        return f"{start}{escape(message.mode)}</enableBLOB>"
    if isinstance(message, PingRequest | PingReply):
        return _tag(
            "pingRequest" if isinstance(message, PingRequest) else "pingReply", message._asdict(), "/"
        )
    raise TypeError(f"{type(message).__name__} is not an element")


def _vector(
    verb: str,
    message: DefVector | SetVector | NewVector,
    attributes: dict[str, str | None],
    members: Iterable[bytes],
) -> Iterator[bytes]:
    tag = f"{verb}{message.kind}Vector"
    start = _tag(tag, {"device": message.device, "name": message.name, **attributes})
    return chain((start.encode(),), members, (f"</{tag}>\n".encode(),))


def _def_attributes(message: DefVector) -> dict[str, str | None]:
    attributes: dict[str, str | None] = {
        "label": message.label,
        "group": message.group,
        "state": message.state,
        "timestamp": _stamp(message),
        "message": message.message or None,
    }
    if message.kind != "Light":
        attributes |= {"perm": message.perm, "rule": message.rule, "timeout": _seconds(message.timeout)}
    return attributes


def _set_attributes(message: SetVector) -> dict[str, str | None]:
    return {
        "state": message.state,
        "timeout": None if message.timeout is None else _seconds(message.timeout),
        "timestamp": _stamp(message),
        "message": message.message or None,
    }


def _stamp(message: DefVector | SetVector | NewVector | DelProperty | DeviceMessage) -> str | None:
    return None if message.timestamp is None else format_timestamp(message.timestamp)


def _seconds(seconds: float) -> str:
    return repr(seconds).removesuffix(".0")


def _def_members(message: DefVector) -> Iterator[bytes]:
    tag = f"def{message.kind}"
    for member in message.members:
        attributes: dict[str, str | None] = {"name": member.name, "label": member.label}
        if message.kind == "Number":
            attributes |= {key: getattr(member, key) for key in ("format", "min", "max", "step")}
        yield f"{_tag(tag, attributes)}{escape(member.value)}</{tag}>".encode()


def _one_members(message: SetVector | NewVector) -> Iterable[bytes]:
    if message.kind == "BLOB":
        return chain.from_iterable(_one_blob(blob) for blob in message.members if isinstance(blob, OneBLOB))
    tag = f"one{message.kind}"
    members = [_one_member(tag, one) for one in message.members if isinstance(one, OneMember)]
    return ("".join(members).encode(),)


def _one_member(tag: str, member: OneMember) -> str:
    name, value, limits = member
    if limits is not None:
        given = {"name": name, **dict(zip(("min", "max", "step"), limits, strict=True))}
        return f"{_tag(tag, given)}{escape(value)}</{tag}>"
    return f'<{tag} name="{escape(name, attribute=True)}">{escape(value)}</{tag}>'


def _one_blob(member: OneBLOB) -> Iterator[bytes]:
    size = member.size if member.size is not None else len(member.payload or b"")
    yield _tag("oneBLOB", {"name": member.name, "size": str(size), "format": member.format}).encode()
    if member.payload is not None:
        yield from _base64_pieces(member.payload)
    yield b"</oneBLOB>"


# Divisible by three, so that the pieces of base64 join without padding between them.
_PIECE = 3 << 16


def _base64_pieces(payload: memoryview) -> Iterator[bytes]:
    for start in range(0, len(payload), _PIECE):
        yield encode_base64(payload[start : start + _PIECE])


def _tag(
    name: str, attributes: dict[str, str | None], end: str = "", order: Iterable[str] | None = None
) -> str:
    """A start tag, or with `end` ``"/"`` an empty element. Attributes that are None are left out."""
    texts = [
        f' {key}="{escape(value, attribute=True)}"'
        for key in order or attributes
        if (value := attributes[key]) is not None
    ]
    return f"<{name}{''.join(texts)}{end}>"
