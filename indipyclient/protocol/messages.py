"""The messages of the INDI protocol as plain immutable values.

One class per kind of element, not per element name: a `SetVector` whose `kind` is
``"Number"`` is a ``setNumberVector``. All of them are named tuples: cheap to make,
equal by value, safe to share between threads, and they pickle.

Values are as a client wants them, not as the wire has them: entities decoded, outer
white space gone, timestamps aware and in UTC, words outside the protocol's lists
replaced by a default (in a definition) or by None, which always means "unchanged"
(in an update). Numbers stay the text that was received, because the 0.9 interface
hands that text to programs; it is known to be readable by `numbers.read_number`.

Sources: INDI white paper 1.7 (the DTD); what libindi and other servers really send.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias, overload

Kind: TypeAlias = Literal["Text", "Number", "Switch", "Light", "BLOB"]
"""The five vector types, spelt as in the element names (``def<Kind>Vector``)."""

KINDS: tuple[Kind, ...] = ("Text", "Number", "Switch", "Light", "BLOB")
STATES = frozenset({"Idle", "Ok", "Busy", "Alert"})
PERMISSIONS = frozenset({"ro", "wo", "rw"})
RULES = frozenset({"OneOfMany", "AtMostOne", "AnyOfMany"})
BLOB_MODES = frozenset({"Never", "Also", "Only"})
SEPARATOR = "\0"
"""Stands between joined values: no value has it, as XML does not allow it."""


class DefMember(NamedTuple):
    """One member of a definition.

    Fields:
        name: unique within its vector.
        label: text for people; empty if the server gave none.
        value: text, number text, ``On``/``Off`` or a state word; empty for BLOBs.
        format: printf-like, or INDI's sexagesimal ``%<w>.<f>m`` (numbers only).
        min, max, step: number texts (numbers only); equal limits mean "no limits".
    """

    name: str
    label: str
    value: str = ""
    format: str = "%g"
    min: str = "0"
    max: str = "0"
    step: str = "0"


class OneMember(NamedTuple):
    """A new value of one text, number, switch or light.

    `limits` is a libindi extension on numbers: the texts of (min, max, step), each None if absent.
    """

    name: str
    value: str
    limits: tuple[str | None, str | None, str | None] | None = None


class OneMembers(Sequence[OneMember]):
    """New values of some members, as a plain update is read.

    To the reader it is the tuple of its `OneMember`s, which are made when they are looked at.

    Attributes:
        names: of the members.
        joined: their values, in the same order, with `SEPARATOR` in between: one object instead of many,
            as most are replaced before anybody has looked at them.
    """

    __slots__ = ("joined", "names")

    def __init__(self, names: tuple[str, ...], joined: str) -> None:
        self.names = names
        self.joined = joined

    @property
    def values(self) -> tuple[str, ...]:
        """The values, apart."""
        return tuple(self.joined.split(SEPARATOR)) if self.names else ()

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[OneMember]:
        return map(OneMember, self.names, self.values)

    @overload
    def __getitem__(self, place: int) -> OneMember: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[OneMember, ...]: ...
    def __getitem__(self, place: int | slice) -> OneMember | tuple[OneMember, ...]:
        return tuple(self)[place]

    def __eq__(self, other: object) -> bool:
        return tuple(self) == (tuple(other) if isinstance(other, OneMembers) else other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return OneMembers, (self.names, self.joined)


class OneBLOB(NamedTuple):
    """A new value of one BLOB.

    Fields:
        payload: read-only view of the decoded bytes; None if there was no content or it was damaged.
        size: bytes after decoding and decompression, as announced; None if absent or unreadable.
        format: suffixes with their dots, such as ``.fits`` or ``.stream``; may be empty.
        error: why `payload` is missing or doubtful, for people; empty if all is well.
        raw: the bytes as they travelled, if `payload` was inflated from them.
        attached: how many bytes are to come as a file descriptor (Unix sockets), else 0.
    """

    name: str
    payload: memoryview | None
    size: int | None
    format: str
    error: str = ""
    raw: memoryview | None = None
    attached: int = 0


class DefVector(NamedTuple):
    """``def<kind>Vector``: a property comes into being, or is described anew.

    `timeout` is in seconds, the worst time to take effect, 0.0 when not announced.
    `rule` is None except for switches. `timestamp` is None where the server sent none.
    """

    kind: Kind
    device: str
    name: str
    label: str
    group: str
    state: str
    perm: str
    rule: str | None
    timeout: float
    timestamp: datetime | None
    message: str
    members: tuple[DefMember, ...]


class SetVector(NamedTuple):
    """``set<kind>Vector``: new values of some members, and perhaps a new state.

    None in `state`, `timeout` or `timestamp` means: not sent, so unchanged.
    """

    kind: Kind
    device: str
    name: str
    state: str | None
    timeout: float | None
    timestamp: datetime | None
    message: str
    members: Sequence[OneMember | OneBLOB]


class NewVector(NamedTuple):
    """``new<kind>Vector``: a command. Received, it is the echo of another client's command."""

    kind: Kind
    device: str
    name: str
    timestamp: datetime | None
    members: tuple[OneMember | OneBLOB, ...]


class BLOBProgress(NamedTuple):
    """Part of a BLOB has arrived: `received` of `size` bytes (None: not announced)."""

    device: str
    name: str
    member: str
    received: int
    size: int | None


class DelProperty(NamedTuple):
    """``delProperty``: a property, or with `name` None a whole device, is gone."""

    device: str
    name: str | None
    timestamp: datetime | None
    message: str


class DeviceMessage(NamedTuple):
    """``message``: a line for people, from a device or (`device` None) from the whole site."""

    device: str | None
    timestamp: datetime | None
    message: str


class GetProperties(NamedTuple):
    """``getProperties``: asks for definitions of everything, one device or one property."""

    device: str | None = None
    name: str | None = None
    version: str = "1.7"


class EnableBLOB(NamedTuple):
    """``enableBLOB``: which BLOBs the server shall send (``Never``, ``Also`` or ``Only``)."""

    mode: str
    device: str
    name: str | None = None


class PingRequest(NamedTuple):
    """``pingRequest``: to be answered at once with a `PingReply` of the same `uid`."""

    uid: str


class PingReply(NamedTuple):
    """``pingReply``: the answer to a `PingRequest`."""

    uid: str


class Malformed(NamedTuple):
    """Something the server sent that could not be used, wholly or in part.

    Fields:
        reason: one sentence for people.
        device: the device it concerns, if that could be read.
    """

    reason: str
    device: str | None = None


Message: TypeAlias = (
    DefVector
    | SetVector
    | NewVector
    | BLOBProgress
    | DelProperty
    | DeviceMessage
    | GetProperties
    | EnableBLOB
    | PingRequest
    | PingReply
    | Malformed
)
"""Anything that `Scanner.feed` can deliver."""
