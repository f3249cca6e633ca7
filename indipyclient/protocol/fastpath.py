"""The one shortcut: a whole, plain ``set...Vector`` read by two regular expressions.

Nearly all of a running instrument's traffic is updates written by libindi or Python drivers in one
plain shape. For these, and for nothing else, `read_plain_set` gives what the scanner and `reader`
would give, about eight times as fast. Anything unusual (entities, comments, other attributes, values
that need a second look) makes it return None, and the scanner takes its usual way. That the two
agree is held by feeding the same streams whole, which comes through here, and byte by byte, which
never does.
"""

from __future__ import annotations

import re

from .messages import OneMember, SetVector
from .timestamps import parse_timestamp

__all__ = ["read_plain_set"]

_PLAIN = r'[^"<>&\x00-\x1f\x7f\ufffe\uffff]'
_SECONDS = r"[0-9]{1,9}(?:\.[0-9]+)?"
_NAME = rf"(?=\S){_PLAIN}+(?<=\S)"  # nothing to strip
_HEADER = re.compile(
    r"<set(Number|Switch|Text|Light)Vector"
    rf' device="({_NAME})" name="({_NAME})"'
    r'(?: state="(Idle|Ok|Busy|Alert)")?'
    rf'(?: timeout="({_SECONDS})")?'
    rf'(?: timestamp="({_PLAIN}*)")?'
    rf'(?: timeout="({_SECONDS})")?'
    rf'(?: message="({_PLAIN}*)")?>'
)
_VALUES = {
    "Number": r"\s*([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*",
    "Switch": r"\s*(On|Off)\s*",
    "Light": r"\s*(Idle|Ok|Busy|Alert)\s*",
    "Text": r"([^<&\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]*)",
}
_MEMBERS = {
    kind: re.compile(rf'<one{kind} name="({_NAME})">{value}</one{kind}>') for kind, value in _VALUES.items()
}
_ENDS = {kind: f"</set{kind}Vector>" for kind in _VALUES}
_new = tuple.__new__  # the constructor of a named tuple, without the call through Python


def read_plain_set(text: str) -> SetVector | None:
    """The message of one whole element, or None if it is not of the plain shape.

    Args:
        text: from the ``<`` of the start tag to the ``>`` of what may be its end tag.
    """
    header = _HEADER.match(text)
    if header is None:
        return None
    kind, device, name, state, timeout, stamp, later_timeout, message = header.groups()
    found = _MEMBERS[kind].findall(text, header.end())
    # Every "<" is accounted for: two of each member, two of the vector. So nothing else is in there.
    if text.count("<") != 2 * len(found) + 2 or not text.endswith(_ENDS[kind]):
        return None
    if kind == "Text":
        found = [(member, value.strip()) for member, value in found]
    timeout = later_timeout or timeout
    return _new(
        SetVector,
        (
            kind,
            device,
            name,
            state,
            float(timeout) if timeout else None,
            parse_timestamp(stamp),
            message.strip() if message else "",
            tuple([_new(OneMember, (member, value, None)) for member, value in found]),
        ),
    )
