"""The one shortcut: runs of whole, plain elements, above all ``set...Vector``, read with few calls for each.

Nearly all of a running instrument's traffic is updates written by libindi or Python drivers in one
plain shape, and of one property they differ in little but the values. For these, and for nothing
else, a `Shortcut` gives what the scanner and `reader` would give, many times as fast: whatever is
likely to come again (start tags without their time, members' names, words of switches and lights) is
looked up in what was read before. Anything unusual (entities, comments, other attributes, values that
need a second look) is left to the scanner's usual way. That the two agree is held by feeding the same
streams whole, which comes through here, and byte by byte, which never does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from sys import intern
from typing import TypeAlias

from .elements import PlainElements
from .messages import SEPARATOR, Message, OneMembers, SetVector
from .reader import read_element, read_seconds
from .timestamps import parse_timestamp

__all__ = ["Shortcut"]

_WINDOW = 1 << 15  # bytes that are looked at together; no element that is longer is plain
_MOST_KEPT = 4096  # bytes of an update whose end is waited for
_LONGEST_TAG = 1000  # characters of a start tag; a message in it may be longer, which is not usual
_ROOM = 1 << 22  # characters that may be kept of what was read before
_ENTRY = 200  # what keeping something takes beside its text

# Neither markup nor what has to be cleaned; halves of surrogate pairs stand for bytes that are no UTF-8.
_PLAIN = r'[^"<>&\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]'
_SECONDS = r"[0-9]{1,9}(?:\.[0-9]+)?"
_NAME = rf"(?=\S){_PLAIN}+(?<=\S)"  # nothing to strip
_STARTS = (b"<set", b"<def", b"<message ", b"<delProperty ")
_STAMP = ' timestamp="'
_HEAD = re.compile(
    rf'<set(Number|Switch|Text|Light)Vector device="({_NAME})" name="({_NAME})"'
    rf'(?: state="(Idle|Ok|Busy|Alert)")?(?: timeout="({_SECONDS})")?(?: message="({_PLAIN}*)")?'
)
_STAMP_AND_REST = re.compile(rf'({_PLAIN}*)"(?: timeout="({_SECONDS})")?(?: message="({_PLAIN}*)")?')
_OPENING = {kind: re.compile(rf'\s*<one{kind} name="({_NAME})"') for kind in ("Number", "Text")}
# A number without a choice between forms, which would take time, and of a length that a failing match
# can try in all its parts. Other numbers are read the usual way, and so are texts with brackets.
_VALUES = {
    "Number": re.compile(r">\s*([-+]?[0-9]{1,30}\.?[0-9]{0,30}(?:[eE][-+]?[0-9]{1,5})?)\s*</oneNumber>"),
    "Text": re.compile(r">([^<>&]*)</oneText>"),
}
_UNCLEAN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_WORDS = {
    kind: re.compile(rf'\s*<one{kind} name="({_NAME})">\s*({words})\s*</one{kind}>')
    for kind, words in (("Switch", "On|Off"), ("Light", "Idle|Ok|Busy|Alert"))
}
# A plain update without its end, in which nothing is wrong so far: a start tag, whole members, perhaps one
# that is open, and perhaps a tag that is.
_ATTRIBUTES = rb"[^<>\"'/]*(?:\"[^<>\"]*\"[^<>\"'/]*)*"
_MEMBER = rb"<one\1\s" + _ATTRIBUTES + rb">[^<]*"
_BEGUN = re.compile(
    rb"<set(Number|Text|Switch|Light)Vector\s" + _ATTRIBUTES + rb"(?:>[^<]*"
    rb"(?:" + _MEMBER + rb"</one\1>[^<]*)*(?:" + _MEMBER + rb")?(?:</?(?![!?])" + _ATTRIBUTES + rb")?)?"
    rb"(?:\"[^<>\"]*)?"
)
_new = tuple.__new__  # the constructor of a named tuple, without the call through Python


# Kind, device, name, state, timeout, message; and the end tag. Of properties there are thousands, and what
# is looked at for each update should be in the processor's cache: so all that may be shared is.
_Head: TypeAlias = tuple[str, str, str, "str | None", "float | None", str, str]
_CLOSING = {kind: f"</set{kind}Vector>" for kind in ("Number", "Switch", "Text", "Light")}


class Shortcut:
    """Reads plain updates out of a scanner's buffer.

    Args:
        limit: bytes that an element may have.
        members: how many members.
    """

    def __init__(self, limit: int, members: int) -> None:
        self._limit = min(limit, _WINDOW)
        self._most_members = members
        self._elements = PlainElements(members)
        self._heads: dict[str, _Head] = {}
        self._read_members: dict[str, Callable[[str, str], OneMembers | None]] = {
            kind: self._known_words if kind in _WORDS else self._values for kind in _CLOSING
        }
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._words: dict[str, OneMembers] = {}
        self._kept = 0
        self._rest = ""  # the time of the last update, and what stood behind it in its tag
        self._read_rest: tuple[datetime | None, float | None, str] = (None, None, "")
        self.begin()

    def begin(self) -> None:
        """The buffer is another one than before."""
        self._text = ""  # what was decoded of it
        self._at = 0  # the place in the text
        self._byte = 0  # of this place in the buffer
        self._end = 0  # where the text ends in the buffer
        self._from = 0  # before this place in the buffer nothing need be tried

    def take(self, buffer: bytearray, start: int, out: list[Message]) -> int:
        """Add the messages of the plain updates that stand in a row from `start` on to `out`.

        Returns:
            The place of the first byte that is left, `start` if there is none of them.
        """
        if start < self._from or not buffer.startswith(_STARTS, start):
            return start
        if start >= self._end:
            self._look_at(buffer, start)
        elif start > self._byte:
            self._move(len(_decode(buffer[self._byte : start])), start)
        text, before = self._text, self._at
        after = self._updates(text, before, out)
        while (further := self._element(text, after, out)) > after:
            after = self._updates(text, further, out)
        self._move(after - before, self._byte + len(_encode(text[before:after])))
        if text.startswith(("<set", "<def"), after):
            # nothing plain begins before the next end tag of its kind
            end = text.find(f"</{text[after + 1 : after + 4]}", after)
            self._from = self._byte + len(_encode(text[after : end if end >= 0 else len(text)]))
        return self._byte

    def has_begun(self, buffer: bytearray, start: int) -> bool:
        """Whether what stands from `start` on may be a plain update of which the end has not come yet."""
        if len(buffer) - start >= min(_MOST_KEPT, self._limit) or not _BEGUN.fullmatch(buffer, start):
            return False
        return buffer.count(b"<one", start) <= self._most_members

    def _look_at(self, buffer: bytearray, start: int) -> None:
        """Decode what may be whole elements."""
        stop = start + self._limit
        end = buffer.rfind(b"Vector>", start, stop) + 7
        if end < 7:
            end = buffer.rfind(b"/>", start, stop) + 2
        self._text = _decode(buffer[start:end]) if end > start else ""
        self._at, self._byte = 0, start
        if end > start:
            self._end = end
        else:
            self._end = self._from = stop - 7

    def _move(self, characters: int, byte: int) -> None:
        self._at += characters
        self._byte = byte

    def _element(self, text: str, start: int, out: list[Message]) -> int:
        """Read a definition, a message, or an update that is less plain; return where it ends, or `start`."""
        found = self._elements.read(text, start)
        if found is None:
            return start
        element, end = found
        message, faults = read_element(element)
        if message is None or faults:
            return start
        out.append(message)
        return _next_tag(text, end)

    def _updates(self, text: str, at: int, out: list[Message]) -> int:
        """Read one plain update after the other; return the place of what is none."""
        heads = self._heads
        while (begin := text.find(">", at, at + _LONGEST_TAG)) >= 0:
            head, mark, rest = text[at:begin].partition(_STAMP)
            known = heads.get(head) or self._read_head(head)
            if known is None:
                return at
            if (rest != self._rest or not rest) and not self._is_plain_rest(mark, rest):
                return at
            kind, device, name, state, timeout, message, closing = known
            end = text.find(closing, begin)
            if end < 0 or (members := self._read_members[kind](kind, text[begin + 1 : end])) is None:
                return at
            stamp, late_timeout, late_message = self._read_rest
            timeout = timeout if late_timeout is None else late_timeout
            values = (kind, device, name, state, timeout, stamp, late_message or message, members)
            out.append(_new(SetVector, values))
            at = text.find("<", end + 16)  # behind the end tag, which is no shorter
            if at < 0:
                return len(text)
        return at

    # -- start tags ---------------------------------------------------------------------------

    def _read_head(self, head: str) -> _Head | None:
        """The start tag up to its time, or None if it is not plain."""
        found = _HEAD.fullmatch(head)
        if found is None:
            return None
        kind, device, name, state, timeout, message = found.groups()
        closing, kind, device, name = _CLOSING[kind], intern(kind), intern(device), intern(name)
        state, seconds = state and intern(state), read_seconds(timeout)
        read = (kind, device, name, state, seconds, (message or "").strip(), closing)
        self._make_room(len(head))
        self._heads[head] = read
        return read

    def _is_plain_rest(self, mark: str, rest: str) -> bool:
        """Read the start tag from its time on, if it is plain."""
        found = _STAMP_AND_REST.fullmatch(rest)
        if mark and found is None:
            return False
        stamp, timeout, message = found.groups() if found is not None else (None, None, None)
        self._rest = rest
        self._read_rest = (
            parse_timestamp(stamp),
            read_seconds(timeout),
            (message or "").strip(),
        )
        return True

    # -- members ------------------------------------------------------------------------------

    def _values(self, kind: str, body: str) -> OneMembers | None:
        """The members of numbers and texts: start tags and values by turns."""
        parts = _VALUES[kind].split(body)
        around, values = tuple(parts[0::2]), parts[1::2]
        if kind == "Text":
            if _UNCLEAN.search("".join(values)):
                return None
            values = [text.strip() for text in values]
        names = self._names.get(around) or self._read_names(kind, around)
        return None if names is None else OneMembers(names, SEPARATOR.join(values))

    def _read_names(self, kind: str, around: tuple[str, ...]) -> tuple[str, ...] | None:
        """The names in what stands around the values, if that is start tags and nothing else."""
        *openings, end = around
        names = [match[1] for opening in openings if (match := _OPENING[kind].fullmatch(opening))]
        if len(names) != len(openings) or len(names) > self._most_members or end.strip():
            return None
        self._make_room(sum(map(len, around)))
        read = self._names[around] = self._same(names)
        return read

    def _known_words(self, kind: str, body: str) -> OneMembers | None:
        """The members of switches and lights, of which there are only so many combinations."""
        return self._words.get(body) or self._read_words(kind, body)

    def _read_words(self, kind: str, body: str) -> OneMembers | None:
        found = _WORDS[kind].findall(body)
        # Every "<" is accounted for: two of each member. So nothing else is in there.
        if body.count("<") != 2 * len(found) or len(found) > self._most_members:
            return None
        names = self._same([name for name, _ in found])
        members = OneMembers(names, SEPARATOR.join([word for _, word in found]))
        self._make_room(len(body))
        self._words[body] = members
        return members

    def _same(self, names: list[str]) -> tuple[str, ...]:
        """One tuple for the same names, so that at a glance they are known to be the same."""
        read = tuple(map(intern, names))
        return self._names.setdefault(read, read)

    def _make_room(self, length: int) -> None:
        """Forget everything if what is kept grows too much."""
        self._kept += length + _ENTRY
        if self._kept > _ROOM:
            self._kept = length + _ENTRY
            for kept in (self._heads, self._names, self._words):
                kept.clear()


def _next_tag(text: str, start: int) -> int:
    """Where the next tag begins, or the text ends. What stands between elements says nothing."""
    found = text.find("<", start)
    return len(text) if found < 0 else found


def _decode(data: bytearray) -> str:
    return data.decode("utf-8", "surrogateescape")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
