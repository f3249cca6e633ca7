"""Messages of every kind, made up by hypothesis.

`every_message` makes what can travel as it is. What cannot is known to `as_text` and `as_line`, which say
what becomes of a text on its way: control characters and what is no character at all are left out, and
white space within attributes is spaces. They are written apart from the code they are compared with.
"""

from __future__ import annotations

from datetime import timezone
from functools import partial

from hypothesis import strategies as st

from indipyclient.protocol import (
    DefMember,
    DefVector,
    DelProperty,
    DeviceMessage,
    EnableBLOB,
    GetProperties,
    Kind,
    Message,
    NewVector,
    OneBLOB,
    OneMember,
    PingReply,
    PingRequest,
    SetVector,
)
from indipyclient.protocol.messages import KINDS

any_text = st.text(
    st.one_of(st.characters(exclude_categories=()), st.sampled_from("&<>'\";\r\n\t \x00\x7f\ud800\uffff"))
)
"""Any text that Python can hold, halves of surrogate pairs included."""


def as_text(text: str) -> str:
    """Return what is left of `text` when it was sent between two tags."""
    return "".join(filter(_can_be_carried, text))


def as_line(text: str) -> str:
    """Return what is left of `text` when it was sent as an attribute."""
    for break_ in ("\r\n", "\r", "\n", "\t"):
        text = text.replace(break_, " ")
    return as_text(text)


def _can_be_carried(character: str) -> bool:
    code = ord(character)
    if code < 0x20:
        return character in "\t\n\r"
    return code != 0x7F and not 0xD800 <= code <= 0xDFFF and code not in (0xFFFE, 0xFFFF)


texts = any_text.map(lambda text: as_text(text).strip())
lines = any_text.map(lambda text: as_line(text).strip())
names = lines.filter(bool)

states = st.sampled_from(["Idle", "Ok", "Busy", "Alert"])
switches = st.sampled_from(["On", "Off"])
numbers = st.one_of(
    st.floats().map(repr),
    st.integers().map(str),
    st.sampled_from(
        ["12:30:00", "-0:30", "12 30 00", "12h30m", "0.10000000000000000555", "+.5", "5.", "1e400"]
    ),
)
seconds = st.floats(0, allow_infinity=False)
stamps = st.none() | st.datetimes(timezones=st.just(timezone.utc))
_VALUES = {"Text": texts, "Number": numbers, "Switch": switches, "Light": states, "BLOB": st.just("")}


def def_members(kind: Kind) -> st.SearchStrategy[tuple[DefMember, ...]]:
    """Members of a definition; no two have one name."""
    member = partial(st.builds, DefMember, names, lines, _VALUES[kind])
    if kind == "Number":
        # a format is taken as it stands, blanks at its ends included
        built = member(any_text.map(as_line).filter(bool), numbers, numbers, numbers)
    else:
        built = member(st.just("%g"), st.just("0"), st.just("0"), st.just("0"))
    return st.lists(built, max_size=4, unique_by=lambda one: one.name).map(tuple)


def one_members(kind: Kind) -> st.SearchStrategy[tuple[OneMember | OneBLOB, ...]]:
    """Members of an update or a command."""
    limit = st.none() | numbers
    limits = st.tuples(limit, limit, limit).filter(any)
    if kind == "BLOB":
        return _tuples(blobs)
    return _tuples(
        st.builds(OneMember, names, _VALUES[kind], st.none() | limits if kind == "Number" else st.none())
    )


def _tuples(
    one: st.SearchStrategy[OneMember | OneBLOB],
) -> st.SearchStrategy[tuple[OneMember | OneBLOB, ...]]:
    return st.lists(one, max_size=4).map(tuple)


@st.composite
def _blobs(draw: st.DrawFn) -> OneBLOB:
    sent = draw(st.none() | st.binary(min_size=1))
    payload = None if sent is None else memoryview(sent)
    compressed = payload is not None and draw(st.booleans())
    form = draw(lines.filter(lambda form: not form.lower().endswith((".z", ".fz"))))
    size = draw(st.integers(0, 10**18 - 1)) if compressed else len(payload or b"")
    return OneBLOB(draw(names), payload, size, form + ".z" * compressed)


blobs = _blobs()


@st.composite
def _def_vectors(draw: st.DrawFn, kind: Kind) -> DefVector:
    light = kind == "Light"
    return DefVector(
        kind,
        draw(names),
        draw(names),
        draw(lines),
        draw(lines),
        draw(states),
        "ro" if light else draw(st.sampled_from(["ro", "wo", "rw"])),
        draw(st.sampled_from(["OneOfMany", "AtMostOne", "AnyOfMany"])) if kind == "Switch" else None,
        0.0 if light else draw(seconds),
        draw(stamps),
        draw(lines),
        draw(def_members(kind)),
    )


def _vectors(kind: Kind) -> st.SearchStrategy[Message]:
    just, some = st.just(kind), one_members(kind)
    updates = st.builds(
        SetVector, just, names, names, st.none() | states, st.none() | seconds, stamps, lines, some
    )
    return st.one_of(_def_vectors(kind), updates, st.builds(NewVector, just, names, names, stamps, some))


words = any_text.map(as_line)
every_message: st.SearchStrategy[Message] = st.one_of(
    *map(_vectors, KINDS),
    st.builds(DelProperty, names, st.none() | names, stamps, lines),
    st.builds(DeviceMessage, st.none() | names, stamps, names),
    st.builds(GetProperties, st.none() | names, st.none() | names, words),
    st.builds(EnableBLOB, texts, words, st.none() | words),
    st.builds(PingRequest, words),
    st.builds(PingReply, words),
)
"""Messages of all types, equal to what is read after they were written."""
