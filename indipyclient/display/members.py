"""Members of vectors: their values as people read them, and what numbers may be."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from ..arrays import to_thumbnail
from .parts import muted, pill, size, text

if TYPE_CHECKING:
    from ..state.members import SnapBLOBMember, SnapMember

__all__ = ["label_of", "limits_html", "picture_html", "value_html"]

_VALUE = 120  # characters of a value that are shown
# at the end of a label: "Duration (s)", "Temperature [C]"
_UNIT = re.compile(r"(.*\S)\s*[(\[]\s*(\S+)\s*[)\]]\s*")
# What else stands there is no unit: "RA (hh:mm:ss)", "Hour Angle Index (IH)".
_KNOWN = """
% s sec secs seconds ms us µs min minutes h hr hours deg degs degrees ° ' " arcsec arcmin arcsec/s deg/s "/s C
°C degC Celsius F °F K C/min m mm um µm μm nm cm km px pix pixel pixels bit bits byte bytes kB MB V mV A mA W
Hz kHz MHz Pa hPa kPa mbar mmHg m/s km/h kph mph knots mm/h rpm steps ticks e- e-/ADU ADU dB mag lux fps
"""
_UNITS = frozenset(_KNOWN.split())


def label_of(kind: str, member: SnapMember) -> str:
    """The label, not escaped; of a number without the unit, which stands at the value."""
    return _unit_apart(member.label)[0] if kind == "Number" else member.label


def value_html(kind: str, member: Any, most: int = _VALUE) -> str:
    """The value of a member of a vector of this kind, which is ``Number``, ``Switch`` and so on."""
    if kind == "Number":
        unit = _unit_apart(member.label)[1]
        return text(member.getformattedvalue().strip(), most) + (f" {muted(text(unit))}" if unit else "")
    if kind == "Switch":
        return "<b>● On</b>" if member.value else muted("○ Off")
    if kind == "Light":
        return pill(member.value)
    if kind == "BLOB":
        return _blob_html(member)
    return text(member.value, most) if member.value.strip() else muted("empty")


def _blob_html(member: SnapBLOBMember) -> str:
    about = [text(member.error, _VALUE)] if member.error else []
    about += [muted(f"saved as {text(member.filename)}")] if member.filename else []
    if member.buffer is None:
        return "<br>".join([muted("no frame yet"), *about])
    return "<br>".join([f"{text(member.blobformat, 20)} {size(len(member.buffer))}", *about])


def limits_html(kind: str, member: Any) -> str:
    """Least and greatest value of a number, and its step; empty if it has no limits."""
    if kind != "Number":
        return ""
    low, high, step = (_short(member, limit) for limit in (member.min, member.max, member.step))
    if low == high:  # as INDI has it, then there are none
        return ""
    return muted(f"{low} … {high}" + (f", step {step}" if step not in ("0", "") else ""))


def _short(member: Any, limit: str) -> str:
    """libindi's drivers send twenty digits."""
    try:
        return f"{member.getfloat(limit):.10g}"
    except TypeError:
        return text(limit, 12)


def _unit_apart(label: str) -> tuple[str, str]:
    found = _UNIT.fullmatch(label[:60])
    return (found[1], found[2]) if found and {found[2], found[2].lower()} & _UNITS else (label, "")


def picture_html(member: SnapBLOBMember, shape: tuple[int, int] | None = None) -> str:
    """A thumbnail of the frame, or why there is none; empty if there is no frame.

    It is part of the page, and takes at most 90 kB.
    """
    if member.buffer is None:
        return ""
    try:
        data = to_thumbnail(member.buffer, member.blobformat, shape)
    except Exception as error:  # it is an extra: without it the rest is worth showing
        return muted(f"no picture: {text(error, 200)}")
    source = f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"
    return f'<img alt="thumbnail" src="{source}" style="display:block;margin:4px 0;max-width:100%">'
