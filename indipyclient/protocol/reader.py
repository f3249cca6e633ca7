"""One complete XML element to one message: names checked, words checked, defaults filled in.

A bad member is left out and reported; its siblings stay. What a definition lacks gets the
default of the INDI white paper or, where it has none, what makes the property usable.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from sys import intern
from typing import TypeVar, cast

from .blobs import Base64Decoder
from .messages import (
    PERMISSIONS,
    RULES,
    STATES,
    DefMember,
    DefVector,
    DelProperty,
    DeviceMessage,
    EnableBLOB,
    GetProperties,
    Kind,
    Message,
    NewVector,
    OneBLOB,
    OneMember,
    PingReply,
    PingRequest,
    SetVector,
)
from .numbers import read_number
from .timestamps import parse_timestamp

__all__ = ["Child", "Element", "read_element", "read_seconds"]

_Member = TypeVar("_Member")


@dataclass(slots=True)
class Child:
    """A member element as scanned: `text` stripped, or `blob` decoded."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    blob: Base64Decoder | None = None


@dataclass(slots=True)
class Element:
    """A top-level element as scanned; of a plain definition the members may be read already."""

    tag: str
    attributes: dict[str, str]
    children: list[Child] = field(default_factory=list)
    text: str = ""
    defined: tuple[DefMember, ...] = ()


class _Unusable(Exception):
    """This element, or this member of it, has to be left out; the text says why."""


def read_element(element: Element) -> tuple[Message | None, list[str]]:
    """The message an element means, and what had to be left out of it.

    Returns:
        The message, or None if the element is unusable or says nothing; and a list of sentences
        on what was wrong, empty in the good case.
    """
    faults: list[str] = []
    try:
        return _reader(element.tag)(element, faults), faults
    except _Unusable as reason:
        return None, [f"{element.tag} {element.attributes.get('name', '')!r} dropped: {reason}"]


def _reader(tag: str) -> Callable[[Element, list[str]], Message | None]:
    return _READERS[tag] if tag in _READERS else _VECTOR_READERS[tag[:3]]


# -- vectors --------------------------------------------------------------------------------


def _def_vector(element: Element, faults: list[str]) -> DefVector:
    kind = _kind(element)
    attributes = element.attributes
    device, name = _address(element)
    return DefVector(
        kind,
        device,
        name,
        attributes.get("label", "").strip(),
        attributes.get("group", "").strip(),
        _word(attributes.get("state"), STATES) or "Idle",
        "ro" if kind == "Light" else _word(attributes.get("perm"), PERMISSIONS) or "rw",
        (_word(attributes.get("rule"), RULES) or "OneOfMany") if kind == "Switch" else None,
        read_seconds(attributes.get("timeout")) or 0.0,
        parse_timestamp(attributes.get("timestamp")),
        attributes.get("message", "").strip(),
        element.defined or tuple(_unique(_members(element, kind, _def_member, faults))),
    )


def _set_vector(element: Element, faults: list[str]) -> SetVector:
    kind = _kind(element)
    attributes = element.attributes
    device, name = _address(element)
    return SetVector(
        kind,
        device,
        name,
        _word(attributes.get("state"), STATES),
        read_seconds(attributes.get("timeout")),
        parse_timestamp(attributes.get("timestamp")),
        attributes.get("message", "").strip(),
        tuple(_members(element, kind, _one_member, faults)),
    )


def _new_vector(element: Element, faults: list[str]) -> NewVector:
    kind = _kind(element)
    device, name = _address(element)
    stamp = parse_timestamp(element.attributes.get("timestamp"))
    return NewVector(kind, device, name, stamp, tuple(_members(element, kind, _one_member, faults)))


def _kind(element: Element) -> Kind:
    return cast(Kind, intern(element.tag[3:-6]))  # def|Number|Vector


def _address(element: Element) -> tuple[str, str]:
    return _required(element, "device"), _required(element, "name")


def _required(element: Element | Child, attribute: str) -> str:
    value = element.attributes.get(attribute, "").strip()
    if not value:
        raise _Unusable(f"it has no {attribute}")
    return value


def _members(
    element: Element, kind: Kind, read: Callable[[Child, Kind], _Member], faults: list[str]
) -> Iterable[_Member]:
    """The usable members, in order. What is wrong with the others is added to `faults`."""
    reasons = []
    for child in element.children:
        try:
            yield read(child, kind)
        except _Unusable as reason:
            reasons.append(f"{child.attributes.get('name', '')!r}: {reason}")
    if reasons:
        where = f"{element.tag} {element.attributes['name']!r} of {element.attributes['device']!r}"
        faults.append(f"left out of {where}: " + "; ".join(reasons[:3]) + " ..." * (len(reasons) > 3))


def _unique(members: Iterable[DefMember]) -> Iterable[DefMember]:
    """Of two members with one name the last counts, in the place of the first."""
    return {member.name: member for member in members}.values()


# -- members --------------------------------------------------------------------------------


def _def_member(child: Child, kind: Kind) -> DefMember:
    """A definition keeps every member that has a name: a bad value must not hide a control."""
    get = child.attributes.get
    name = _required(child, "name")
    label = get("label", "").strip()
    if kind == "Number":
        low, high, step = (
            _number_or(get("min", ""), "0"),
            _number_or(get("max", ""), "0"),
            _number_or(get("step", ""), "0"),
        )
        return DefMember(
            name, label, _number_or(child.text, "nan"), get("format", "") or "%g", low, high, step
        )
    if kind == "Switch":
        return DefMember(name, label, _word(child.text, _SWITCH) or "Off")
    if kind == "Light":
        return DefMember(name, label, _word(child.text, STATES) or "Idle")
    return DefMember(name, label, child.text if kind == "Text" else "")


def _one_member(child: Child, kind: Kind) -> OneMember | OneBLOB:
    name = _required(child, "name")
    if kind == "BLOB":
        return _one_blob(name, child)
    text = child.text
    if kind == "Number":
        if not _is_number(text):
            raise _Unusable(f"{text[:40]!r} is not a number")
        return OneMember(name, text, _limits(child))
    if kind != "Text":
        word = _word(text, _SWITCH if kind == "Switch" else STATES)
        if word is None:
            raise _Unusable(f"{text[:40]!r} is not a {kind.lower()} value")
        text = word
    return OneMember(name, text)


def _limits(child: Child) -> tuple[str | None, str | None, str | None] | None:
    """libindi's drivers may send new limits with a value; those that are no numbers do not count."""
    get = child.attributes.get
    if not any(key in child.attributes for key in _LIMITS):
        return None
    low, high, step = (text if (text := get(key, "")) and _is_number(text) else None for key in _LIMITS)
    return low, high, step


def _one_blob(name: str, child: Child) -> OneBLOB:
    """Content is cut to ``len``, the only reliable length; ``size`` is after inflating, and only a check."""
    get = child.attributes.get
    size, length = _count(get("size")), _count(get("len"))
    form = get("format", "").strip()
    if get("attached", "").strip() == "true":
        return OneBLOB(name, None, size, form, attached=size or 0 if length is None else length)
    decoder = child.blob or Base64Decoder(0)
    payload = decoder.finish(length)
    if decoder.error:  # half a frame must not pass for a frame
        return OneBLOB(name, None, size, form, decoder.error)
    if not len(payload):
        error = f"there is no content, although {size} bytes were announced" if size else ""
        return OneBLOB(name, None, size, form, error)
    # The announced size is that before any compression, also before the tile compression of FITS.
    doubt = size not in (None, len(payload)) and length is None and not form.lower().endswith((".z", ".fz"))
    error = f"{len(payload)} bytes came, {size} were announced" if doubt else ""
    return OneBLOB(name, payload, size, form, error)


_SWITCH = frozenset({"On", "Off"})
_LIMITS = ("min", "max", "step")


# -- other elements -------------------------------------------------------------------------


def _del_property(element: Element, faults: list[str]) -> DelProperty:
    get = element.attributes.get
    name = get("name")
    if name is not None and not name.strip():
        # Read as "no name" it would delete the whole device.
        raise _Unusable("its name is empty")
    stamp = parse_timestamp(get("timestamp"))
    return DelProperty(_required(element, "device"), name and name.strip(), stamp, get("message", "").strip())


def _message(element: Element, faults: list[str]) -> DeviceMessage | None:
    get = element.attributes.get
    text = get("message", "").strip()
    if not text:
        return None
    return DeviceMessage(get("device", "").strip() or None, parse_timestamp(get("timestamp")), text)


def _get_properties(element: Element, faults: list[str]) -> GetProperties:
    get = element.attributes.get
    return GetProperties(get("device") or None, get("name") or None, get("version", ""))


def _enable_blob(element: Element, faults: list[str]) -> EnableBLOB:
    return EnableBLOB(element.text, element.attributes.get("device", ""), element.attributes.get("name"))


def _ping_request(element: Element, faults: list[str]) -> PingRequest:
    return PingRequest(element.attributes.get("uid", ""))


def _ping_reply(element: Element, faults: list[str]) -> PingReply:
    return PingReply(element.attributes.get("uid", ""))


_VECTOR_READERS: dict[str, Callable[[Element, list[str]], Message | None]] = {
    "def": _def_vector,
    "set": _set_vector,
    "new": _new_vector,
}
_READERS: dict[str, Callable[[Element, list[str]], Message | None]] = {
    "delProperty": _del_property,
    "deleteProperty": _del_property,
    "message": _message,
    "getProperties": _get_properties,
    "enableBLOB": _enable_blob,
    "pingRequest": _ping_request,
    "pingReply": _ping_reply,
}


# -- values ---------------------------------------------------------------------------------


def _word(text: str | None, allowed: frozenset[str]) -> str | None:
    """`text` without outer white space if it is one of the `allowed` words, else None."""
    word = text.strip() if text else ""
    return intern(word) if word in allowed else None


def _is_number(text: str) -> bool:
    try:
        read_number(text)
    except ValueError:
        return False
    return True


def _number_or(text: str, default: str) -> str:
    try:
        float(text)  # as nearly all can be read
    except ValueError:
        return text.strip() if _is_number(text.strip()) else default
    return text.strip()


def read_seconds(text: str | None) -> float | None:
    """Seconds, or None if the text is absent or no finite number; a negative time is none at all."""
    return None if text is None else _seconds(text) if len(text) < 20 else _seconds.__wrapped__(text)


@lru_cache(256)  # there are few of them, for thousands of properties
def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _count(text: str | None) -> int | None:
    """A length in bytes, or None if the text is absent or none."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
