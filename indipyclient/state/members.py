"""Members of a vector at one moment: the leaves of the state (see `snapshots`)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..errors import InvalidValue
from ..protocol.messages import OneBLOB, OneMember
from ..protocol.numbers import format_number, getfloat, read_number
from .dumping import Dumps, with_ids

if TYPE_CHECKING:
    from os import PathLike

    from astropy.io.fits import Header
    from numpy.typing import NDArray

__all__ = [
    "MemberInfo",
    "MemberRows",
    "SnapBLOBMember",
    "SnapMember",
    "SnapNumberMember",
    "SnapSwitchMember",
]

MemberRows: TypeAlias = tuple[tuple[Any, ...], ...]
"""What makes a `MemberInfo` each."""


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


class SnapMember(Dumps):
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
        return with_ids(dump, self, inc_user_string, inc_itemid)

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


def _load_blob_member(
    info: MemberInfo, content: bytes | None, blob: tuple[Any, ...] | None, rev: int, filename: str
) -> SnapBLOBMember:
    """Undo `SnapBLOBMember.__reduce__`."""
    if blob is None:
        return SnapBLOBMember(info, None, rev, filename)
    size, form, error = blob
    payload = None if content is None else memoryview(content)
    return SnapBLOBMember(info, OneBLOB(info.name, payload, size, form, error), rev, filename)
