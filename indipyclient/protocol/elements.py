"""Whole elements of a plain structure, taken apart with few calls: definitions and messages, mostly.

What comes out is what the scanner collects tag by tag, ready for `reader.read_element`. Nothing is decided
here about meaning. Anything unusual (comments, elements within members, characters that have to be
cleaned) makes it None, and the scanner takes its usual way, with the same result.
"""

from __future__ import annotations

import re

from .definitions import plain_members
from .messages import KINDS
from .reader import Child, Element
from .text import clean_attribute

__all__ = ["PlainElements"]

_CHILDREN = {f"def{kind}Vector": f"def{kind}" for kind in KINDS} | {
    f"set{kind}Vector": f"one{kind}" for kind in KINDS if kind != "BLOB"
}
_TAGS = {
    # attributes; text and end tag, if there are any
    vector: re.compile(rf"<{child}\s([^<>]*)>(?:([^<&]*)(</{child}>))?")
    for vector, child in _CHILDREN.items()
}
# What stands around the values of attributes: names, and at the end nothing or the slash of an empty element.
_NAME = re.compile(r"\s*([A-Za-z_][\w.:-]*)\s*=\s*", re.ASCII)
_EMPTY = ("message", "delProperty")
_MOST_SHAPES = 500


class PlainElements:
    """Takes elements apart, and remembers which attributes were seen together.

    Args:
        members: how many members an element may have.
    """

    def __init__(self, members: int) -> None:
        self._most_members = members
        self._shapes: dict[tuple[str, ...], tuple[str, ...]] = {}

    def read(self, text: str, start: int) -> tuple[Element, int] | None:
        """The element that begins at `start`, and where it ends; None if it is not whole and plain."""
        next_tag = text.find("<", start + 1)
        begin = text.find(">", start, len(text) if next_tag < 0 else next_tag)
        tag, _, attributes = text[start + 1 : max(begin, start)].partition(" ")
        if tag in _EMPTY:
            read, empty = self._attributes(attributes)
            return (Element(tag, read), begin + 1) if read and empty else None
        closing = f"</{tag}>"
        if tag not in _CHILDREN or (end := text.find(closing, begin)) < 0:
            return None
        read, empty = self._attributes(attributes)
        if not read or empty:
            return None
        body, end = text[begin + 1 : end], end + len(closing)
        if tag.startswith("def") and (defined := plain_members(tag[3:-6], body, self._most_members)):
            return Element(tag, read, defined=defined), end
        children = self._children(tag, body)
        return None if children is None else (Element(tag, read, children), end)

    def _children(self, tag: str, body: str) -> list[Child] | None:
        children = []
        brackets = 0
        for attributes, text, closing in _TAGS[tag].findall(body):
            read, empty = self._attributes(attributes)
            value = text.strip()
            if not read or empty is bool(closing) or not value.isprintable():
                return None
            brackets += 1 + bool(closing)
            children.append(Child(_CHILDREN[tag], read, value))
        whole = body.count("<") == brackets and len(children) <= self._most_members
        return children if whole else None

    def _attributes(self, text: str) -> tuple[dict[str, str], bool]:
        """Attributes, none if anything is unusual; and whether the slash of an empty element follows."""
        parts = text.split('"')
        around = tuple(parts[0::2])
        names = self._shapes.get(around) or self._read_names(around)
        if not names or len(parts) != 2 * len(names) + 1 or not text.isprintable():
            return {}, False
        values = map(clean_attribute, parts[1::2]) if "&" in text else parts[1::2]
        return dict(zip(names, values)), around[-1] == "/"  # noqa: B905 - just as many

    def _read_names(self, around: tuple[str, ...]) -> tuple[str, ...]:
        *names, end = around
        found = [match[1] for name in names if (match := _NAME.fullmatch(name))]
        if len(found) != len(names) or end not in ("", "/"):
            return ()
        if sum(map(len, around)) < 200:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            self._shapes[around] = tuple(found)
        return tuple(found)
