"""What holds for any bytes whatever: nothing raises, no cut matters, and good elements come through.

`read` itself compares the ways of cutting; here it gets streams that nobody would write by hand.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator

from hypothesis import example, given
from hypothesis import strategies as st

from indipyclient.protocol import Limits, Malformed, Scanner, encode

from .messages import every_message
from .reading import GOOD, GOOD_MESSAGE, fuzz, read, read_to_the_end

PIECES = [
    b"<", b">", b"/", b"/>", b"</", b"=", b'"', b"'", b"&", b";", b" ", b"\n", b"\x00",
    b"\xc2", b"\xb0", b"x", b"A" * 50,
    b"<!--", b"-->", b"--", b"<![CDATA[", b"]]>", b"<!", b"<?", b"?>", b"&amp;", b"&#65;",
    b"<foo>", b"</foo>", b"<foo/>", b"Vector>", b"QUJD", b"5", b"On",
    b"<setTextVector ", b'device="D" name="N"', b" device='D' name='N'>", b' device="D" name="N">',
    b"</setTextVector>",
    b'<setTextVector device="D" name="N">', b'<oneText name="t">', b"<oneText name='t'/>",
    b"</oneText>",
    b'<setNumberVector device="D" name="N" state="Ok">', b'<oneNumber name="n">', b"</oneNumber>",
    b"</setNumberVector>",
    b'<setBLOBVector device="D" name="N">', b'<oneBLOB name="b" size="3">', b"</oneBLOB>",
    b"</setBLOBVector>",
    b'<defSwitchVector device="D" name="N"', b'<defSwitch name="s">', b"</defSwitch>", b"</defSwitchVector>",
    b'<message message="m"/>', b"<message ", b"<delProperty device='D'/>",
    b'<enableBLOB device="D">', b"</enableBLOB>", GOOD,
]  # fmt: skip

garbage = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=6)), max_size=14).map(b"".join)
"""Bytes in which much looks like INDI."""

few = st.lists(every_message.map(encode), min_size=1, max_size=3).map(b"".join)


@st.composite
def _spoilt(draw: st.DrawFn) -> bytes:
    data = draw(few)
    for _ in range(draw(st.integers(1, 3))):
        start, length = draw(st.integers(0, len(data))), draw(st.integers(0, 10))
        data = (
            data[:start]
            + draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=3)))
            + data[start + length :]
        )
    return data


streams = st.one_of(garbage, few, _spoilt())
"""Garbage, good elements, and good elements with a few places spoilt."""

_PLAIN = [
    b'<setNumberVector device="D" name="N" state="Ok" timeout="60" timestamp="2024-01-02T03:04:05">'
    b'\n    <oneNumber name="a">\n1.5\n    </oneNumber>\n    <oneNumber name="b">\n-2e3\n    </oneNumber>\n'
    b"</setNumberVector>\n",
    b'<setTextVector device="D" name="T" timestamp="2024-01-02T03:04:05.5" timeout="1">'
    b'<oneText name="a">M 31</oneText><oneText name="b"/></setTextVector>',
    b'<setTextVector device="D" name="T" state="Busy" message="m">'
    b'<oneText name="a"> \xc2\xb0 </oneText></setTextVector>',
    b'<setSwitchVector device="D" name="S" timestamp="2024-01-02T03:04:05">\n'
    b'<oneSwitch name="a">On</oneSwitch></setSwitchVector>\n',
    b'<setLightVector device="D" name="S"><oneLight name="a">Ok</oneLight></setLightVector>',
    b'<setNumberVector device="D" name="N">'
    b'<oneNumber name="a" min="1" max="2">.5</oneNumber></setNumberVector>',
    b'<defNumberVector device="D" name="N" label="l" group="g" state="Ok" perm="rw" timeout="60">\n'
    b'<defNumber name="a" label="A" format="%g" min="0" max="10" step="1">\n1\n</defNumber>\n'
    b'<defNumber name="b" label="B" format="%g" min="" max="0" step="0">x</defNumber>\n</defNumberVector>\n',
    b'<defBLOBVector device="D" name="B" label="l" group="g" state="Ok" perm="ro">'
    b'<defBLOB name="x" label="y"/><defBLOB name="z"></defBLOB></defBLOBVector>',
    b'<defTextVector device="D" name="T" perm="rw"><defText name="a" label="A">\n M 31 \n</defText>\n'
    b'<defText name="b" label="">\xc2\xb0</defText></defTextVector>\n',
    b'<defSwitchVector device="D" name="S" rule="OneOfMany">\n'
    b'<defSwitch name="a" label=" A ">\nOn\n</defSwitch>'
    b'<defSwitch name="b" label="B">Off</defSwitch></defSwitchVector>\n',
    b'<defLightVector device="D" name="L"><defLight name="a" label="A">Busy</defLight></defLightVector>\n',
    b'<message device="D" timestamp="2024-01-02T03:04:05" message="[INFO] slewing."/>\n',
    b'<message device="D" message="a &lt;b&gt; &quot;c&quot; &#65; &x;"/>\n',
    b'<delProperty device="D" name="N" timestamp="2024-01-02T03:04:05"/>\n',
    b'<delProperty device="D" name=" "/>',
]


@st.composite
def _runs_of_plain_updates(draw: st.DrawFn) -> bytes:
    """Updates of which much has been read before; some bytes of some are cut out or put elsewhere."""
    pieces = []
    for update in draw(st.lists(st.sampled_from(_PLAIN), min_size=1, max_size=2)) * 3:
        start, length = draw(st.integers(0, len(update))), draw(st.integers(0, 12))
        cut = update[start : start + length] if draw(st.booleans()) else b""
        there = draw(st.integers(0, len(update)))
        moved = update.replace(cut, b"", 1) if cut else update
        put = draw(st.sampled_from([cut, b'"', b"<", b">", b"/", b"&", b"\n", b'"/>', b"\xff", b"\xc2\xa0"]))
        pieces.append(draw(st.sampled_from([update, moved, moved[:there] + put + moved[there:]])))
    return b"".join(pieces)


TIGHT = Limits(tag=45, element=120, members=2, blob=4)


@fuzz
@given(streams)
def test_any_bytes_say_the_same_however_they_are_cut(data: bytes) -> None:
    read_to_the_end(data)


@fuzz
@given(streams)
@example(b"<!" + b"-" * 43 + b">" + GOOD)
@example(b"<set" * 12 + GOOD)
def test_any_bytes_say_the_same_however_they_are_cut_when_limits_are_tight(data: bytes) -> None:
    read_to_the_end(data, TIGHT)


@fuzz
@given(_runs_of_plain_updates())
def test_what_was_read_before_does_not_change_what_comes(data: bytes) -> None:
    read_to_the_end(data)


@fuzz
@given(_runs_of_plain_updates(), st.data())
def test_updates_say_the_same_in_pieces_of_any_lengths(data: bytes, draw: st.DataObject) -> None:
    scanner, messages, rest = Scanner(), [], data
    while rest:
        length = draw.draw(st.integers(1, min(len(rest), 300)))
        messages += scanner.feed(rest[:length])
        rest = rest[length:]
    assert [*messages, *scanner.eof()] == [*_in_single_bytes(data)]


def _in_single_bytes(data: bytes) -> Iterator[object]:
    scanner = Scanner()
    for place in range(len(data)):
        yield from scanner.feed(data[place : place + 1])
    yield from scanner.eof()


@fuzz
@given(streams, st.data())
def test_any_bytes_say_the_same_in_pieces_of_any_lengths(data: bytes, draw: st.DataObject) -> None:
    scanner, messages, rest = Scanner(), [], data
    while rest:
        length = draw.draw(st.integers(1, len(rest)))
        messages += scanner.feed(rest[:length])
        rest = rest[length:]
    assert messages == Scanner().feed(data)


@fuzz
@given(streams)
def test_what_was_read_can_be_written_as_xml(data: bytes) -> None:
    """The 0.9 interface shows each message as an ElementTree."""
    for message in read(data):
        if not isinstance(message, Malformed):
            ET.fromstring(encode(message))


# -- the guarantee ---------------------------------------------------------------------------
#
# Comments, CDATA sections, declarations and processing instructions begin with "<!" or "<?". Nothing else
# can swallow what follows it: an open tag or quote is given up at the next "<", an open element at the next
# start tag of an element, whatever was skipped or collected. What markup swallows ends with its closer, or
# with the limit of a tag.

CLOSERS = b" ?>]]>-->"


@fuzz
@given(garbage)
def test_garbage_without_markup_never_swallows_the_next_element(data: bytes) -> None:
    data = data.translate(None, b"!?")
    assert read(data + GOOD)[-1] == GOOD_MESSAGE


@fuzz
@given(garbage)
def test_garbage_swallows_nothing_once_its_markup_is_closed(data: bytes) -> None:
    assert read(data + CLOSERS + GOOD)[-1] == GOOD_MESSAGE


@fuzz
@given(garbage)
def test_garbage_that_never_ends_swallows_no_more_than_the_limit_of_a_tag(data: bytes) -> None:
    assert read(data + b"." * TIGHT.tag + GOOD, TIGHT)[-1] == GOOD_MESSAGE


@fuzz
@given(garbage, st.lists(every_message, max_size=3))
def test_after_garbage_everything_good_is_delivered(data: bytes, messages: list[object]) -> None:
    good = b"".join(map(encode, messages))  # type: ignore[arg-type]
    assert read(data + CLOSERS + GOOD + good)[-1 - len(messages) :] == [GOOD_MESSAGE, *messages]
