"""Vectors (properties) at one moment: mappings of member names to values (see `snapshots`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from ..protocol.messages import Kind, OneMembers
from .dumping import Dumps, Keys, with_ids
from .frozenmap import FrozenMap
from .members import (
    MemberInfo,
    MemberRows,
    SnapBLOBMember,
    SnapMember,
    SnapNumberMember,
    SnapSwitchMember,
)

__all__ = [
    "VECTOR_CLASSES",
    "SnapBLOBVector",
    "SnapNumberVector",
    "SnapSwitchVector",
    "SnapVector",
    "VectorInfo",
]

_new = object.__new__
_first_cells: dict[int, list[FrozenMap[SnapMember]]] = {}  # by the id of their vectors


class VectorInfo(NamedTuple):
    """What seldom changes about a vector; what each update looks at stands first."""

    kind: Kind
    names: tuple[str, ...]
    """Of the members, in their order."""
    places: dict[str, int]
    """Where in `names` each of them stands; not to be changed."""
    rows: MemberRows
    """What makes a `MemberInfo` each. Out of date in a vector that was given the nodes of its members."""
    devicename: str
    name: str
    label: str
    group: str
    perm: str
    rule: str | None
    user_string: str
    itemid: int


class SnapVector(Dumps, Keys[Any]):
    """A vector (property) at one moment: a mapping of member names to their `membervalue`."""

    __slots__ = (
        "_enable",
        "_info",
        "_message",
        "_message_timestamp",
        "_nodes",
        "_rev",
        "_since",
        "_state",
        "_timeout",
        "_timestamp",
        "_values",
    )

    # The members are in the list `_nodes`. Most are never asked for, so unless they are given they are made
    # only then, and the list too, of the `rows` of the info and the values, which are of the revision
    # `_since` and may be joined: nothing of it takes time of Python's garbage collector.
    _nodes: list[FrozenMap[SnapMember]] | None
    _values: tuple[str, ...] | str | None
    _since: int

    member_class: ClassVar[type[SnapMember]] = SnapMember

    def __init__(
        self,
        info: VectorInfo,
        members: FrozenMap[SnapMember] | tuple[str, ...],
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

    def _take(self, members: FrozenMap[SnapMember] | tuple[str, ...], rev: int) -> None:
        """Nodes of the members, or their values."""
        self._nodes, self._values = ([members], None) if isinstance(members, FrozenMap) else (None, members)
        self._since = rev

    def _updated(
        self,
        values: OneMembers,
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
        info = self._info
        if info.names is not values.names or self._values is None:
            # The names are those that the next update has too, so they need not be compared again.
            info = info._replace(names=values.names, rows=self._member_rows())
        made._info = info
        made._nodes = None
        made._values = values.joined
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
        cell = self._cell()
        if not cell:
            make, rev, info = self.member_class, self._since, self._info
            members = zip(map(MemberInfo._make, info.rows), self._apart())  # noqa: B905 - just as many
            nodes = tuple([make(member, value, rev) for member, value in members])
            # Another thread may be here too: whose nodes come first are everybody's.
            cell.append(FrozenMap._of_family(info.places, info.names, nodes))
        return cell[0]

    def _cell(self) -> list[FrozenMap[SnapMember]]:
        """Where the nodes of the members are, or will be: the same for all threads, without a lock."""
        if self._nodes is None:
            first = _first_cells.setdefault(id(self), [])
            if self._nodes is None:
                self._nodes = first
            # Whoever comes after this finds it above.
            _first_cells.pop(id(self), None)
        return self._nodes

    def _apart(self) -> tuple[str, ...]:
        """The values that the members are made of."""
        values = self._values  # once, as another thread may be here too
        if isinstance(values, str):
            values = self._values = OneMembers(self._info.names, values).values
        assert values is not None
        return values

    def _member_rows(self) -> MemberRows:
        if self._values is not None:
            return self._info.rows
        return tuple([tuple(node._info) for node in self._members._in_order()])

    def __getitem__(self, name: str) -> Any:
        if self._values is None:
            return self._members[name].membervalue
        return self._apart()[self._info.places[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._info.names)

    def __len__(self) -> int:
        return len(self._info.names)

    def __contains__(self, name: object) -> bool:
        return name in self._info.places

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (*(getattr(self, f"_{name}") for name in _VECTOR_ARGUMENTS), self._rev)

    def __repr__(self) -> str:
        values = ", ".join(map(repr, self._members._in_order()))
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
        return list(self._members._differing(older._members))

    def _with(self, rev: int, **changed: Any) -> SnapVector:
        """This vector with some of the constructor's arguments changed. All else stays the same."""
        self._cell()  # to be shared: what does not change are the same nodes, whoever looks at them first
        made = _new(type(self))
        for name in SnapVector.__slots__:
            setattr(made, name, getattr(self, name))
        if "members" in changed:
            made._take(changed.pop("members"), rev)
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
        dump = with_ids(dump, self, inc_user_string, inc_itemid)
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
