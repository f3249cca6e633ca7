"""The members of plain definitions, read by one expression for each kind.

For members as libindi's and Python's drivers write them, and for nothing else, this gives what `reader`
makes of them one by one. That the two agree is held as it is for `fastpath`.
"""

from __future__ import annotations

import re

from .messages import DefMember

__all__ = ["plain_members"]

# Neither markup nor what has to be cleaned; halves of surrogate pairs stand for bytes that are no UTF-8.
_PLAIN = r'[^"<>&\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]*'
# Of a length that a failing match can try in all its parts.
_NUMBER = r"[-+]?[0-9]{1,30}\.?[0-9]{0,30}(?:[eE][-+]?[0-9]{1,5})?"


def _expression(kind: str, content: str, attributes: str = "") -> re.Pattern[str]:
    return re.compile(rf'<def{kind} name="({_PLAIN})" label="({_PLAIN})"{attributes}{content}')


_LIMITS = "".join(rf' {name}="({_NUMBER})"' for name in ("min", "max", "step"))
_MEMBERS = {
    "Number": _expression("Number", rf">\s*({_NUMBER})\s*</defNumber>", rf' format="({_PLAIN})"{_LIMITS}'),
    "Text": _expression("Text", r">([^<>&]*)</defText>"),
    "Switch": _expression("Switch", r">\s*(On|Off)\s*</defSwitch>"),
    "Light": _expression("Light", r">\s*(Idle|Ok|Busy|Alert)\s*</defLight>"),
}


def plain_members(kind: str, body: str, most: int) -> tuple[DefMember, ...] | None:
    """What stands between the tags of a ``def<kind>Vector``; None if it is anything but plain members.

    Args:
        most: members that there may be.
    """
    if kind not in _MEMBERS:
        return None
    found = _MEMBERS[kind].findall(body)
    if kind == "Number":
        members = [
            DefMember(name.strip(), label.strip(), value, form or "%g", low, high, step)
            for name, label, form, low, high, step, value in found
        ]
    else:
        members = [DefMember(name.strip(), label.strip(), value.strip()) for name, label, value in found]
    # Every "<" is accounted for: two of each member. So nothing else is in there.
    if body.count("<") != 2 * len(found) or len(found) > most:
        return None
    names = {member.name for member in members}
    if len(names) != len(members) or "" in names:
        return None
    if kind == "Text" and not all(member.value.isprintable() for member in members):
        return None
    return tuple(members)
