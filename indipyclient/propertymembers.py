"""Live members: the classes of the 0.9 interface over the client's one state (see `views`)."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from .live.views import ParseException, Shown, one_of
from .protocol.blobs import encode_base64
from .protocol.messages import STATES, OneBLOB
from .protocol.numbers import format_number, getfloat, number_text, read_number
from .state.members import MemberInfo, SnapBLOBMember, SnapMember, SnapNumberMember

if TYPE_CHECKING:
    from .propertyvectors import PropertyVector

__all__ = [
    "BLOBMember",
    "LightMember",
    "Member",
    "NumberMember",
    "ParentBLOBMember",
    "ParentNumberMember",
    "ParseException",
    "SnapBLOBMember",
    "SnapMember",
    "SnapNumberMember",
    "SwitchMember",
    "TextMember",
    "getfloat",
]


class Member:
    """Parent of the live members. Made by the client; use from the client's loop only."""

    name: str

    def __init__(self, vector: PropertyVector, name: str) -> None:
        self._vector = vector
        self.name = name
        self._last: Any = None  # once it is no longer in the state

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {self.membervalue!r:.60}>"

    @property
    def _node(self) -> Any:
        return self._vector._node.member(self.name) if self._last is None else self._last

    def _change(self, attribute: str, value: Any) -> None:
        if self._last is None:
            self._vector._change_member(self.name, attribute, value)
        else:
            self._last = changed(self._last, attribute, value)

    def _detach(self) -> None:
        """Keep the last node, since the vector goes on without this member."""
        self._last = self._node

    label: Shown[str] = Shown("Text for people.")
    user_string: Shown[str] = Shown("Whatever the program attached.")
    itemid: Shown[int] = Shown("The number `create_itemid` gave it.")
    membervalue: Shown[Any] = Shown("The value, as received.")


class SwitchMember(Member):
    """A switch; `membervalue` is ``"On"`` or ``"Off"``."""

    membervalue: Shown[str] = Shown("``On`` or ``Off``.", one_of(frozenset({"On", "Off"})))

    def oneswitch(self, newvalue: str) -> ET.Element:
        """The ``oneSwitch`` element that would set it."""
        return _element("oneSwitch", self.name, newvalue)


class LightMember(Member):
    """A light; `membervalue` is a state word."""

    membervalue: Shown[str] = Shown("``Idle``, ``Ok``, ``Busy`` or ``Alert``.", one_of(STATES))


class TextMember(Member):
    """A text; `membervalue` is a str without outer white space."""

    membervalue: Shown[str] = Shown("The text.")

    def onetext(self, newvalue: str) -> ET.Element:
        """The ``oneText`` element that would set it."""
        return _element("oneText", self.name, newvalue)


def _readable(value: Any) -> str:
    """What a program assigns to a number, as text. Raises ParseException if nobody can read it (0.9)."""
    text = str(value)
    try:
        read_number(text)
    except ValueError as error:
        raise ParseException(str(error)) from error
    return text


class ParentNumberMember(Member):
    """Reading and formatting of numbers."""

    membervalue: Shown[str] = Shown("The text received; see `getfloatvalue`.", _readable)
    format: Shown[str] = Shown("The printf or sexagesimal format the device asks for.")
    min: Shown[str] = Shown("Lower limit as received; equal limits mean none.")
    max: Shown[str] = Shown("Upper limit as received.")
    step: Shown[str] = Shown("Increment as received; zero means any.")

    def getfloat(self, value: object) -> float:
        """A number or number text, sexagesimal too, as a float. Raises TypeError if it is none."""
        return getfloat(value)

    def getfloatvalue(self) -> float:
        """The value as a float; nan if the device defined it with something unreadable."""
        value: float = self._node.getfloatvalue()
        return value

    def getformattedvalue(self) -> str:
        """The value as the device's format shows it. Never raises."""
        text: str = self._node.getformattedvalue()
        return text

    def getformattedstring(self, value: object) -> str:
        """Any number as the device's format shows it. Raises TypeError if `value` is no number."""
        return format_number(self.format, getfloat(value))


class NumberMember(ParentNumberMember):
    """A number; `membervalue` is the text received."""

    def onenumber(self, newvalue: float | str) -> ET.Element:
        """The ``oneNumber`` element that would set it. Raises ValueError if it is no number."""
        return _element("oneNumber", self.name, number_text(newvalue))


class ParentBLOBMember(Member):
    """Size and format of BLOBs."""

    membervalue: Shown[bytes | None] = Shown("The bytes last received, None before the first.")
    blobsize: Shown[int] = Shown("Bytes after decompression, as announced; 0 before the first.")
    blobformat: Shown[str] = Shown("Suffix such as ``.fits``; empty before the first.")
    filename: Shown[str] = Shown("Bare name of the file last saved in `BLOBfolder`, or empty.")
    buffer: Shown[memoryview | None] = Shown("The bytes last received, read-only, without a copy.")
    error: Shown[str] = Shown("What was wrong with the last BLOB; empty if nothing was.")


class BLOBMember(ParentBLOBMember):
    """A BLOB."""

    def oneblob(self, newvalue: bytes, newsize: int, newformat: str) -> ET.Element:
        """The ``oneBLOB`` element that would send it."""
        element = _element("oneBLOB", self.name, encode_base64(newvalue).decode("ascii"))
        element.attrib.update(size=str(newsize or len(newvalue)), format=newformat)
        return element

    @staticmethod
    def getbytes(value: bytes | str | os.PathLike[str] | BinaryIO) -> bytes:
        """The bytes of a bytes object, a file by its path, or an open binary file (which is closed).

        Raises:
            ValueError: it cannot be read, or is empty.
        """
        try:
            if isinstance(value, str | os.PathLike):
                content = Path(value).expanduser().read_bytes()
            elif isinstance(value, bytes | bytearray | memoryview):
                content = bytes(value)
            else:
                with value:
                    value.seek(0)
                    content = value.read()
        except (OSError, AttributeError, TypeError) as error:
            raise ValueError(f"the BLOB cannot be read: {error}") from error
        if not content:
            raise ValueError("the BLOB is empty")
        return content


def _element(tag: str, name: str, text: str) -> ET.Element:
    element = ET.Element(tag, name=name)
    element.text = text
    return element


def changed(member: SnapMember, attribute: str, value: Any) -> SnapMember:
    """A member node with one attribute assigned by the program."""
    if attribute in MemberInfo._fields:
        return member._renamed(member.rev, **{attribute: value})
    if not isinstance(member, SnapBLOBMember):
        return type(member)(member._info, value, member.rev)
    if attribute == "filename":
        return SnapBLOBMember(member._info, member._blob, member.rev, value)
    blob = member._blob or OneBLOB(member.name, None, 0, "")
    if attribute in ("membervalue", "buffer"):
        blob = blob._replace(payload=None if value is None else memoryview(value).toreadonly())
    else:
        blob = blob._replace(**{attribute.removeprefix("blob"): value})
    return SnapBLOBMember(member._info, blob, member.rev, member.filename)
