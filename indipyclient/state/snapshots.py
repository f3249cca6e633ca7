"""The client's state as an immutable tree: ``Snap -> SnapDevice -> SnapVector -> SnapMember``.

A snapshot *is* the state, not a copy of it: each message makes new nodes on the path it touches
and shares all others with the tree before it. So taking one is free, it never changes, it shows
one moment, and ``old["Camera"] is new["Camera"]`` tells that nothing changed there. Every node
carries `rev`, the number of the change that made it, growing by one with each change applied.

All nodes may be read from any thread, kept for ever, and pickled. The mappings, attributes and
JSON are those of the 0.9 interface; assignment raises AttributeError or TypeError.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TextIO, TypeAlias, TypeVar

from ..errors import InvalidValue
from ..protocol.messages import Kind, OneBLOB, OneMember
from ..protocol.numbers import format_number, getfloat, read_number
from .frozenmap import FrozenMap

if TYPE_CHECKING:
    from os import PathLike

    from astropy.io.fits import Header
    from numpy.typing import NDArray

__all__ = [
    "Change",
    "MemberInfo",
    "Snap",
    "SnapBLOBMember",
    "SnapBLOBVector",
    "SnapDevice",
    "SnapMember",
    "SnapNumberMember",
    "SnapNumberVector",
    "SnapSwitchMember",
    "SnapSwitchVector",
    "SnapVector",
    "VectorInfo",
]

Messages: TypeAlias = tuple[tuple[datetime, str], ...]
"""Times (aware, UTC) and texts, newest first, at most eight."""

MemberRows: TypeAlias = tuple[tuple[Any, ...], ...]
"""What makes a `MemberInfo` each."""

T = TypeVar("T")
_new = object.__new__


class _Keys(Mapping[str, T]):
    """A mapping whose keys a notebook offers after ``[``."""

    __slots__ = ()

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)


class _Dumps:
    """JSON for anything with a `dictdump`."""

    __slots__ = ()

    def dictdump(
        self, inc_blob: bool = False, inc_user_string: bool = False, inc_itemid: bool = False
    ) -> dict[str, Any]:
        """This node as a new dictionary of plain values, in the key order of the 0.9 interface.

        Args:
            inc_blob: hold BLOBs, as bytes; otherwise their value is None.
            inc_user_string: hold the user strings.
            inc_itemid: hold the item ids (a whole client has none).
        """
        raise NotImplementedError

    def dumps(
        self,
        indent: int | str | None = None,
        separators: tuple[str, str] | None = None,
        inc_blob: bool = False,
        inc_user_string: bool = False,
        inc_itemid: bool = False,
    ) -> str:
        """This node as JSON text, valid for any content.

        As `dictdump`, with two replacements that JSON asks for: a number that is not finite has
        the ``floatvalue`` null, and BLOBs are base64 text. `indent` and `separators` are those of
        `json.dumps`.
        """
        plain = _plain(self.dictdump(inc_blob, inc_user_string, inc_itemid))
        return json.dumps(plain, indent=indent, separators=separators, allow_nan=False)

    def dump(
        self,
        fp: TextIO,
        indent: int | str | None = None,
        separators: tuple[str, str] | None = None,
        inc_blob: bool = False,
        inc_user_string: bool = False,
        inc_itemid: bool = False,
    ) -> None:
        """Write what `dumps` returns to the text file `fp`."""
        fp.write(self.dumps(indent, separators, inc_blob, inc_user_string, inc_itemid))


def _plain(value: Any) -> Any:
    """`value` with what JSON cannot hold replaced."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value


# -- members --------------------------------------------------------------------------------


class MemberInfo(NamedTuple):
    """What seldom changes about a member; shared by all the nodes it goes through."""

    name: str
    label: str
    format: str
    min: str
    max: str
    step: str
    user_string: str
    itemid: int


class SnapMember(_Dumps):
    """A member of a text, switch or light vector at one moment."""

    __slots__ = ("_info", "_rev", "_value")

    def __init__(self, info: MemberInfo, value: Any, rev: int) -> None:
        self._info = info
        self._value = value
        self._rev = rev

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {self.membervalue!r}>"

    @property
    def name(self) -> str:
        """Unique within the vector."""
        return self._info.name

    @property
    def label(self) -> str:
        """Text for people."""
        return self._info.label

    @property
    def membervalue(self) -> Any:
        """The value as the 0.9 interface has it: text as received; bytes or None for a BLOB."""
        return self._value

    @property
    def value(self) -> Any:
        """The typed value: bool of a switch, float of a number, str of a text or light."""
        return self._value

    @property
    def user_string(self) -> str:
        """Whatever the program attached with `set_user_string`."""
        return self._info.user_string

    @property
    def itemid(self) -> int:
        """The number that `create_itemid` gave this member."""
        return self._info.itemid

    @property
    def rev(self) -> int:
        """The number of the change that made this node."""
        return self._rev

    def _set(self, one: OneMember | OneBLOB, rev: int, filename: str) -> SnapMember:
        """This member with the value that came; `filename` is where a BLOB was saved."""
        assert isinstance(one, OneMember)
        return type(self)(self._info, one.value, rev)

    def _renamed(self, rev: int, **changed: Any) -> SnapMember:
        """This member with parts of its `MemberInfo` changed."""
        return type(self)(self._info._replace(**changed), self._value, rev)

    def dictdump(
        self, inc_blob: bool = False, inc_user_string: bool = False, inc_itemid: bool = False
    ) -> dict[str, Any]:
        dump: dict[str, Any] = {"label": self.label, **self._values(inc_blob)}
        return _with_ids(dump, self, inc_user_string, inc_itemid)

    def _values(self, inc_blob: bool) -> dict[str, Any]:
        return {"value": self._value}


class SnapSwitchMember(SnapMember):
    """A switch at one moment; `membervalue` is ``"On"`` or ``"Off"``."""

    __slots__ = ()

    @property
    def value(self) -> bool:
        """True when the switch is On."""
        return bool(self._value == "On")


class SnapNumberMember(SnapMember):
    """A number at one moment; `membervalue` is the text received."""

    __slots__ = ()

    @property
    def format(self) -> str:
        """The printf or sexagesimal format the device asks for."""
        return self._info.format

    @property
    def min(self) -> str:
        """Lower limit, as received; equal limits mean none."""
        return self._info.min

    @property
    def max(self) -> str:
        """Upper limit, as received."""
        return self._info.max

    @property
    def step(self) -> str:
        """Increment, as received; zero means any."""
        return self._info.step

    @property
    def value(self) -> float:
        """The number, decimal degrees or hours if it was sent as sexagesimal."""
        return self.getfloatvalue()

    def getfloatvalue(self) -> float:
        """The value as a float; nan if the device defined it with something unreadable."""
        try:
            return read_number(self._value)
        except ValueError:
            return math.nan

    def getformattedvalue(self) -> str:
        """The value as the device's format shows it. Never raises."""
        return format_number(self._info.format, self.getfloatvalue())

    def getfloat(self, value: object) -> float:
        """A number or number text, sexagesimal too, as a float. Raises TypeError if it is none."""
        return getfloat(value)

    def getformattedstring(self, value: object) -> str:
        """Any number as the device's format shows it. Raises TypeError if `value` is no number."""
        return format_number(self._info.format, getfloat(value))

    def _set(self, one: OneMember | OneBLOB, rev: int, filename: str) -> SnapMember:
        assert isinstance(one, OneMember)
        info = self._info
        if one.limits is not None:
            low, high, step = one.limits
            info = info._replace(min=low or info.min, max=high or info.max, step=step or info.step)
        return SnapNumberMember(info, one.value, rev)

    def _values(self, inc_blob: bool) -> dict[str, Any]:
        return {
            "format": self.format,
            "min": self.min,
            "max": self.max,
            "step": self.step,
            "value": self._value,
            "floatvalue": self.getfloatvalue(),
            "formattedvalue": self.getformattedvalue(),
        }


class SnapBLOBMember(SnapMember):
    """A BLOB at one moment."""

    __slots__ = ("_blob", "_bytes", "_filename")

    def __init__(self, info: MemberInfo, value: OneBLOB | None, rev: int, filename: str = "") -> None:
        super().__init__(info, None, rev)
        self._blob = value
        self._bytes: bytes | None = None
        self._filename = filename

    def __repr__(self) -> str:
        return f"<SnapBLOBMember {self.name!r} {len(self.buffer or b'')} bytes {self.blobformat!r}>"

    def _repr_html_(self) -> str:
        from ..display import blob_html

        return blob_html(self)

    def __reduce__(self) -> tuple[Any, ...]:
        # A memoryview cannot be pickled, and a received frame must not be lost with it.
        rest = self._blob and (self._blob.size, self._blob.format, self._blob.error)  # not `raw`
        return _load_blob_member, (self._info, self.membervalue, rest, self._rev, self._filename)

    @property
    def membervalue(self) -> bytes | None:
        """The bytes last received, None before the first. Copied once, when first asked for."""
        if self._bytes is None and self.buffer is not None:
            self._bytes = bytes(self.buffer)
        return self._bytes

    @property
    def value(self) -> memoryview | None:
        """As `buffer`."""
        return self.buffer

    @property
    def buffer(self) -> memoryview | None:
        """The bytes last received, as a read-only view without a copy."""
        return self._blob.payload if self._blob else None

    @property
    def raw(self) -> memoryview | None:
        """The bytes as they travelled: as `buffer`, but still compressed if they were."""
        blob = self._blob
        return None if blob is None else blob.payload if blob.raw is None else blob.raw

    @property
    def blobsize(self) -> int:
        """Bytes after decompression, as the server announced them; 0 before the first BLOB."""
        blob = self._blob
        return 0 if blob is None else len(blob.payload or b"") if blob.size is None else blob.size

    @property
    def blobformat(self) -> str:
        """Suffix of a file of this kind, such as ``.fits``; empty before the first BLOB."""
        return self._blob.format if self._blob else ""

    @property
    def filename(self) -> str:
        """Bare name of the file last saved in the client's `BLOBfolder`, or empty."""
        return self._filename

    @property
    def error(self) -> str:
        """What was wrong with the last BLOB, for people; empty if nothing was."""
        return self._blob.error if self._blob else ""

    def array(self, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
        """The frame as a read-only numpy array of (rows, columns); see `arrays.to_array`.

        Args:
            shape: of raw pixels, which do not tell it; `arrays.stream_shape` of the device does.

        Raises:
            InvalidValue: there is no frame, it is damaged, or of a kind that cannot be read.
            MissingExtra: numpy, or what the format needs, is not installed.
        """
        from ..arrays import to_array

        return to_array(self._content(), self.blobformat, shape)

    def header(self) -> Header:
        """The FITS header of the image, as astropy has it. Raises as `array`."""
        from ..arrays import to_header

        return to_header(self._content(), self.blobformat)

    def save(self, folder: str | PathLike[str]) -> str:
        """Write the frame into an existing folder; return its file name there.

        The name is made of the member's name and the present time, cannot lead out of the folder,
        and is never that of a file that is there already.

        Raises:
            InvalidValue: there is no frame.
            OSError: it cannot be written.
        """
        from ..blobfolder import save_now

        return save_now(folder, self.name, self.blobformat, self._content())

    def _content(self) -> memoryview:
        if self.buffer is None:
            raise InvalidValue(f"no BLOB {self.name!r} has arrived yet")
        return self.buffer

    def _renamed(self, rev: int, **changed: Any) -> SnapBLOBMember:
        return SnapBLOBMember(self._info._replace(**changed), self._blob, rev, self._filename)

    def _set(self, one: OneMember | OneBLOB, rev: int, filename: str) -> SnapBLOBMember:
        """A BLOB without content is a change of state only: the old content stays."""
        assert isinstance(one, OneBLOB)
        if one.payload is None and not one.error:
            return self
        if one.payload is None and self._blob is not None:
            one = self._blob._replace(error=one.error)
        return SnapBLOBMember(self._info, one, rev, filename or self._filename)

    def _values(self, inc_blob: bool) -> dict[str, Any]:
        return {
            "filename": self._filename,
            "blobsize": self.blobsize,
            "blobformat": self.blobformat,
            "value": self.membervalue if inc_blob else None,
        }


# -- vectors --------------------------------------------------------------------------------


class VectorInfo(NamedTuple):
    """What seldom changes about a vector."""

    kind: Kind
    devicename: str
    name: str
    label: str
    group: str
    perm: str
    rule: str | None
    user_string: str
    itemid: int
    names: tuple[str, ...]
    """Of the members, in their order."""
    places: dict[str, int]
    """Where in `names` each of them stands; not to be changed."""


class SnapVector(_Dumps, _Keys[Any]):
    """A vector (property) at one moment: a mapping of member names to their `membervalue`."""

    __slots__ = (
        "_enable",
        "_info",
        "_made",
        "_message",
        "_message_timestamp",
        "_rev",
        "_rows",
        "_since",
        "_state",
        "_timeout",
        "_timestamp",
        "_values",
    )

    # The nodes of the members are in the list `_made`. Most are never asked for, so unless they are given
    # they are made only then, of the fields of each `MemberInfo` in `_rows` and the values, which are of the
    # revision `_since`. Both are plain tuples of text, which Python's garbage collector need not look at.
    _made: list[FrozenMap[SnapMember]]
    _rows: MemberRows | None
    _values: tuple[str, ...] | None
    _since: int

    member_class: ClassVar[type[SnapMember]] = SnapMember

    def __init__(
        self,
        info: VectorInfo,
        members: FrozenMap[SnapMember] | tuple[MemberRows, tuple[str, ...]],
        state: str,
        timeout: float | None,
        timestamp: datetime,
        message: str,
        message_timestamp: datetime,
        enable: bool,
        rev: int,
    ) -> None:
        self._info = info
        self._take(members, rev)
        self._state = state
        self._timeout = timeout
        self._timestamp = timestamp
        self._message = message
        self._message_timestamp = message_timestamp
        self._enable = enable
        self._rev = rev

    def _take(self, members: FrozenMap[SnapMember] | tuple[MemberRows, tuple[str, ...]], rev: int) -> None:
        if isinstance(members, FrozenMap):
            self._made, self._rows, self._values = [members], None, None
        else:
            self._made, (self._rows, self._values) = [], members
        self._since = rev

    def _updated(
        self,
        values: tuple[str, ...],
        state: str,
        timeout: float | None,
        timestamp: datetime,
        message: str,
        message_timestamp: datetime,
        rev: int,
    ) -> SnapVector:
        """This vector with new values of all its members: what nearly every update makes.

        Without the constructor, which takes longer than all the rest of it.
        """
        made = _new(type(self))
        made._info = self._info
        made._made = []
        made._rows = self._rows or self._member_rows()
        made._values = values
        made._since = rev
        made._state = state
        made._timeout = timeout
        made._timestamp = timestamp
        made._message = message
        made._message_timestamp = message_timestamp
        made._enable = True
        made._rev = rev
        return made

    @property
    def _members(self) -> FrozenMap[SnapMember]:
        if not self._made:
            assert self._rows is not None and self._values is not None
            make, rev, info = self.member_class, self._since, self._info
            members = zip(map(MemberInfo._make, self._rows), self._values)  # noqa: B905 - just as many
            nodes = tuple([make(member, value, rev) for member, value in members])
            # Another thread may be here too: whose nodes come first are everybody's.
            self._made.append(FrozenMap.of_family(info.places, info.names, nodes))
        return self._made[0]

    def _member_rows(self) -> MemberRows:
        return self._rows or tuple([tuple(node._info) for node in self._members.in_order()])

    def __getitem__(self, name: str) -> Any:
        if self._values is None:
            return self._members[name].membervalue
        return self._values[self._info.places[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._info.names)

    def __len__(self) -> int:
        return len(self._info.names)

    def __contains__(self, name: object) -> bool:
        return name in self._info.places

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (*(getattr(self, f"_{name}") for name in _VECTOR_ARGUMENTS), self._rev)

    def __repr__(self) -> str:
        values = ", ".join(map(repr, self._members.in_order()))
        return f"<{type(self).__name__} {self.devicename!r} {self.name!r} {self.state} [{values}]>"

    def _repr_html_(self) -> str:
        from ..display import vector_html

        return vector_html(self)

    @property
    def vectortype(self) -> str:
        """``TextVector``, ``NumberVector``, ``SwitchVector``, ``LightVector`` or ``BLOBVector``."""
        return f"{self._info.kind}Vector"

    @property
    def name(self) -> str:
        """Unique within the device."""
        return self._info.name

    @property
    def devicename(self) -> str:
        """The device it belongs to."""
        return self._info.devicename

    @property
    def label(self) -> str:
        """Text for people."""
        return self._info.label

    @property
    def group(self) -> str:
        """The tab it belongs on; ``DEFAULT GROUP`` if the server gave none."""
        return self._info.group

    @property
    def perm(self) -> str:
        """``ro``, ``wo`` or ``rw``."""
        return self._info.perm

    @property
    def rule(self) -> str | None:
        """``OneOfMany``, ``AtMostOne`` or ``AnyOfMany`` of a switch vector, else None."""
        return self._info.rule

    @property
    def user_string(self) -> str:
        """Whatever the program attached with `set_user_string`."""
        return self._info.user_string

    @property
    def itemid(self) -> int:
        """The number that `create_itemid` gave this vector."""
        return self._info.itemid

    @property
    def state(self) -> str:
        """``Idle``, ``Ok``, ``Busy`` or ``Alert``."""
        return self._state

    @property
    def timeout(self) -> float | None:
        """Seconds the device announced as the worst time for a command; None for lights."""
        return self._timeout

    @property
    def timestamp(self) -> datetime:
        """When it was last defined or set: the server's time, or that of arrival. Aware, UTC."""
        return self._timestamp

    @property
    def message(self) -> str:
        """The last text that came with it; empty if none did."""
        return self._message

    @property
    def message_timestamp(self) -> datetime:
        """The time of `message`; of the definition if there was none."""
        return self._message_timestamp

    @property
    def enable(self) -> bool:
        """False once the server has deleted it."""
        return self._enable

    @property
    def rev(self) -> int:
        """The number of the change that made this node."""
        return self._rev

    @property
    def data(self) -> Mapping[str, SnapMember]:
        """As `members`."""
        return self._members

    def members(self) -> Mapping[str, SnapMember]:
        """Member names to member snapshots, in the order of definition."""
        return self._members

    def member(self, membername: str) -> SnapMember:
        """One member's snapshot. Raises KeyError if there is none of that name."""
        return self._members[membername]

    def memberlabel(self, membername: str) -> str:
        """One member's label. Raises KeyError if there is none of that name."""
        return self._members[membername].label

    def changes(self, older: SnapVector) -> list[str]:
        """Names of the members that differ from those in `older`, of any revision."""
        return list(self._members.differing(older._members))

    def _with(self, rev: int, **changed: Any) -> SnapVector:
        """This vector with some of the constructor's arguments changed. All else stays the same."""
        made = _new(type(self))
        for name in SnapVector.__slots__:
            setattr(made, name, getattr(self, name))
        if (members := changed.pop("members", None)) is not None:
            made._take(members, rev)
        for name, value in changed.items():
            setattr(made, f"_{name}", value)
        made._rev = rev
        return made

    def dictdump(
        self, inc_blob: bool = False, inc_user_string: bool = False, inc_itemid: bool = False
    ) -> dict[str, Any]:
        dump: dict[str, Any] = {
            key: getattr(self, key)
            for key in ("vectortype", "name", "devicename", "label", "enable", "message")
        }
        dump["message_timestamp"] = self._message_timestamp.isoformat(sep="T")
        dump |= {key: getattr(self, key) for key in ("group", "state", "timeout")}
        dump["timestamp"] = self._timestamp.isoformat(sep="T")
        dump |= {key: value for key in ("rule", "perm") if (value := getattr(self, key))}
        dump = _with_ids(dump, self, inc_user_string, inc_itemid)
        arguments = inc_blob, inc_user_string, inc_itemid
        dump["members"] = {name: member.dictdump(*arguments) for name, member in self._members.items()}
        return dump


_VECTOR_ARGUMENTS = (
    "info",
    "members",
    "state",
    "timeout",
    "timestamp",
    "message",
    "message_timestamp",
    "enable",
)


class SnapSwitchVector(SnapVector):
    """A switch vector at one moment."""

    __slots__ = ()
    member_class: ClassVar[type[SnapMember]] = SnapSwitchMember


class SnapNumberVector(SnapVector):
    """A number vector at one moment."""

    __slots__ = ()
    member_class: ClassVar[type[SnapMember]] = SnapNumberMember

    def getfloatvalue(self, membername: str) -> float:
        """One member as a float. Raises KeyError if there is none of that name."""
        member = self._members[membername]
        assert isinstance(member, SnapNumberMember)
        return member.getfloatvalue()

    def getformattedvalue(self, membername: str) -> str:
        """One member as its format shows it. Raises KeyError if there is none of that name."""
        member = self._members[membername]
        assert isinstance(member, SnapNumberMember)
        return member.getformattedvalue()


class SnapBLOBVector(SnapVector):
    """A BLOB vector at one moment."""

    __slots__ = ()
    member_class: ClassVar[type[SnapMember]] = SnapBLOBMember


VECTOR_CLASSES: dict[str, type[SnapVector]] = {
    "Text": SnapVector,
    "Number": SnapNumberVector,
    "Switch": SnapSwitchVector,
    "Light": SnapVector,
    "BLOB": SnapBLOBVector,
}


# -- devices and the client -----------------------------------------------------------------


class SnapDevice(_Dumps, _Keys[SnapVector]):
    """A device at one moment: a mapping of vector names to vector snapshots."""

    __slots__ = ("_devicename", "_itemid", "_messages", "_rev", "_user_string", "_vectors")

    def __init__(
        self,
        devicename: str,
        vectors: FrozenMap[SnapVector],
        messages: Messages,
        user_string: str,
        itemid: int,
        rev: int,
    ) -> None:
        self._devicename = devicename
        self._vectors = vectors
        self._messages = messages
        self._user_string = user_string
        self._itemid = itemid
        self._rev = rev

    def _updated(self, vector: SnapVector) -> SnapDevice:
        """This device with one vector replaced or added. Without the constructor, to be quick."""
        made = _new(SnapDevice)
        made._devicename = self._devicename
        made._vectors = self._vectors.set(vector._info.name, vector)
        made._messages = self._messages
        made._user_string = self._user_string
        made._itemid = self._itemid
        made._rev = vector._rev
        return made

    def __getitem__(self, name: str) -> SnapVector:
        return self._vectors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._vectors)

    def __len__(self) -> int:
        return len(self._vectors)

    def __contains__(self, name: object) -> bool:
        return name in self._vectors

    def __repr__(self) -> str:
        return f"<SnapDevice {self._devicename!r} with {len(self)} vectors>"

    def _repr_html_(self) -> str:
        from ..display import device_html

        return device_html(self)

    @property
    def devicename(self) -> str:
        """Unique within the client."""
        return self._devicename

    @property
    def messages(self) -> Messages:
        """The last eight messages of the device, newest first: (time, text)."""
        return self._messages

    @property
    def user_string(self) -> str:
        """Whatever the program attached with `set_user_string`."""
        return self._user_string

    @property
    def itemid(self) -> int:
        """The number that `create_itemid` gave this device."""
        return self._itemid

    @property
    def enable(self) -> bool:
        """True while any of its vectors is enabled."""
        return any(vector.enable for vector in self._vectors.in_order())

    @property
    def rev(self) -> int:
        """The number of the change that made this node."""
        return self._rev

    @property
    def data(self) -> Mapping[str, SnapVector]:
        """The mapping itself, under the name it has in the 0.9 interface."""
        return self._vectors

    def changes(self, older: SnapDevice) -> list[str]:
        """Names of the vectors that differ from those in `older`."""
        return list(self._vectors.differing(older._vectors))

    def dictdump(
        self, inc_blob: bool = False, inc_user_string: bool = False, inc_itemid: bool = False
    ) -> dict[str, Any]:
        arguments = inc_blob, inc_user_string, inc_itemid
        dump: dict[str, Any] = {
            "devicename": self._devicename,
            "enable": self.enable,
            "messages": _dump_messages(self._messages),
            "vectors": {name: vector.dictdump(*arguments) for name, vector in self._vectors.items()},
        }
        return _with_ids(dump, self, inc_user_string, inc_itemid)


class Change(NamedTuple):
    """One difference between two snapshots.

    Fields:
        devicename: the device.
        vectorname: the vector, or None if what differs is the device as such (its messages, its user string).
        old, new: the nodes before and after; None where there was, or is, none.
    """

    devicename: str
    vectorname: str | None
    old: SnapDevice | SnapVector | None
    new: SnapDevice | SnapVector | None


class Snap(_Dumps, _Keys[SnapDevice]):
    """Everything a client knows at one moment: a mapping of device names to device snapshots."""

    __slots__ = ("_connected", "_devices", "_indihost", "_indiport", "_messages", "_rev", "_user_string")

    def __init__(
        self,
        indihost: str,
        indiport: int,
        connected: bool = False,
        messages: Messages = (),
        user_string: str = "",
        devices: FrozenMap[SnapDevice] | None = None,
        rev: int = 0,
    ) -> None:
        self._indihost = indihost
        self._indiport = indiport
        self._connected = connected
        self._messages = messages
        self._user_string = user_string
        self._devices: FrozenMap[SnapDevice] = FrozenMap() if devices is None else devices
        self._rev = rev

    def _updated(self, device: SnapDevice) -> Snap:
        """This snapshot with one device replaced or added. Without the constructor, to be quick."""
        made = _new(Snap)
        made._indihost = self._indihost
        made._indiport = self._indiport
        made._connected = self._connected
        made._messages = self._messages
        made._user_string = self._user_string
        made._devices = self._devices.set(device._devicename, device)
        made._rev = device._rev
        return made

    def __getitem__(self, name: str) -> SnapDevice:
        return self._devices[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._devices)

    def __len__(self) -> int:
        return len(self._devices)

    def __contains__(self, name: object) -> bool:
        return name in self._devices

    def __repr__(self) -> str:
        how = "connected" if self._connected else "not connected"
        return f"<Snap {self._indihost}:{self._indiport} {how}, {len(self)} devices, rev {self._rev}>"

    def _repr_html_(self) -> str:
        from ..display import client_html

        return client_html(self)

    @property
    def indihost(self) -> str:
        """Host name or address of the server."""
        return self._indihost

    @property
    def indiport(self) -> int:
        """Port of the server."""
        return self._indiport

    @property
    def connected(self) -> bool:
        """Whether the client was connected at this moment."""
        return self._connected

    @property
    def messages(self) -> Messages:
        """The last eight messages of no device, newest first: (time, text)."""
        return self._messages

    @property
    def user_string(self) -> str:
        """The client's user string."""
        return self._user_string

    @property
    def rev(self) -> int:
        """The number of changes applied since the client was made."""
        return self._rev

    @property
    def data(self) -> Mapping[str, SnapDevice]:
        """The mapping itself, under the name it has in the 0.9 interface."""
        return self._devices

    def enabledlen(self) -> int:
        """How many devices are enabled."""
        return sum(device.enable for device in self._devices.in_order())

    def get_vector_state(self, devicename: str, vectorname: str) -> str | None:
        """A vector's state, also of a disabled one; None if it is not known."""
        device = self._devices.get(devicename)
        vector = device.get(vectorname) if device is not None else None
        return None if vector is None else vector.state

    def changes(self, older: Snap) -> list[Change]:
        """What differs from `older`, which may be newer too: a row for each vector.

        A device that itself differs, or is new, has a row of its own, with `vectorname` None.
        Costs what has changed, not what there is.
        """
        rows = []
        for name in self._devices.differing(older._devices):
            rows += _device_changes(name, older._devices.get(name), self._devices.get(name))
        return rows

    def dictdump(
        self, inc_blob: bool = False, inc_user_string: bool = False, inc_itemid: bool = False
    ) -> dict[str, Any]:
        arguments = inc_blob, inc_user_string, inc_itemid
        dump: dict[str, Any] = {
            "indihost": self._indihost,
            "indiport": self._indiport,
            "connected": self._connected,
            "messages": _dump_messages(self._messages),
            "devices": {name: device.dictdump(*arguments) for name, device in self._devices.items()},
        }
        if inc_user_string:
            dump["user_string"] = self._user_string
        return dump

    def _with(self, **changed: Any) -> Snap:
        """This snapshot with some of the constructor's arguments changed, one revision on."""
        return Snap(
            self._indihost,
            self._indiport,
            changed.get("connected", self._connected),
            changed.get("messages", self._messages),
            changed.get("user_string", self._user_string),
            changed.get("devices", self._devices),
            self._rev + 1,
        )


def _device_changes(name: str, old: SnapDevice | None, new: SnapDevice | None) -> list[Change]:
    old_vectors = old._vectors if old is not None else FrozenMap[SnapVector]()
    new_vectors = new._vectors if new is not None else FrozenMap[SnapVector]()
    rows = [
        Change(name, vector, old_vectors.get(vector), new_vectors.get(vector))
        for vector in new_vectors.differing(old_vectors)
    ]
    if old is None or new is None or _own(old) != _own(new):
        rows.insert(0, Change(name, None, old, new))
    return rows


def _own(device: SnapDevice) -> tuple[Messages, str]:
    return device._messages, device._user_string


def _dump_messages(messages: Messages) -> list[list[str]]:
    return [[stamp.isoformat(sep="T"), text] for stamp, text in messages]


def _with_ids(dump: dict[str, Any], node: Any, inc_user_string: bool, inc_itemid: bool) -> dict[str, Any]:
    if inc_user_string:
        dump["user_string"] = node.user_string
    if inc_itemid:
        dump["itemid"] = node.itemid
    return dump


def _load_blob_member(
    info: MemberInfo, content: bytes | None, blob: tuple[Any, ...] | None, rev: int, filename: str
) -> SnapBLOBMember:
    """Undo `SnapBLOBMember.__reduce__`."""
    if blob is None:
        return SnapBLOBMember(info, None, rev, filename)
    size, form, error = blob
    payload = None if content is None else memoryview(content)
    return SnapBLOBMember(info, OneBLOB(info.name, payload, size, form, error), rev, filename)
