"""From a stream of bytes to elements: what is markup, what is skipped, and where the scanner finds its feet.

The rows are those of a list of inputs that every INDI client should survive; each was sent by some server.
"""

from __future__ import annotations

import gc

import pybase64
import pytest

from indipyclient.protocol import (
    BLOBProgress,
    DefVector,
    DelProperty,
    DeviceMessage,
    EnableBLOB,
    Limits,
    Malformed,
    OneBLOB,
    OneMember,
    PingReply,
    Scanner,
    SetVector,
)
from indipyclient.protocol import scanner as scanner_module

from .reading import GOOD, GOOD_MESSAGE, content, only, read, read_to_the_end, text_of, text_vector

NOISE = [
    b"<?xml version='1.0'?>",
    b'<?xml version="1.0" encoding="UTF-8"?>',
    b"<!DOCTYPE indi>",
    b"<!-- comment -->",
    b"<!---->",
    b"<!-- a > b -->",
    b"<!-- </setTextVector> -->",
    b'<!-- <defTextVector device="X" name="Y"> -->',
    b"<!-- \"unpaired' -->",
    b"<!-- -- -> - -->",
    b"<?target with \" and ' and <?>",
]


# -- cuts ------------------------------------------------------------------------------------


def test_row_1_a_stream_may_be_cut_within_characters_entities_and_tags() -> None:
    stream = (
        '<setTextVector device="Sternwarte Zürich" name="N"><oneText name="ßtar">λ &amp; β</oneText>'
        "</setTextVector>"
        '<message message="20 °C &gt; 10 °C"/>'
    )
    assert read(stream.encode()) == [
        SetVector("Text", "Sternwarte Zürich", "N", None, None, None, "", (OneMember("ßtar", "λ & β"),)),
        DeviceMessage(None, None, "20 °C > 10 °C"),
    ]


def test_a_message_comes_with_the_last_byte_of_its_element() -> None:
    scanner = Scanner()
    for element in (GOOD, GOOD.replace(b'"', b"'"), GOOD + b"\n" + GOOD):
        assert scanner.feed(element[:-1]) == [GOOD_MESSAGE] * (element.count(GOOD) - 1)
        assert scanner.feed(element[-1:]) == [GOOD_MESSAGE]


def test_an_update_that_was_cut_takes_the_shortcut_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As from a network that brings little at a time; but only the next bytes are waited for."""
    monkeypatch.setattr(scanner_module, "read_element", None)  # the usual way
    for place in range(len(b"<setTextVector "), len(GOOD)):
        scanner = Scanner()
        assert scanner.feed(GOOD + GOOD[:place]) == [GOOD_MESSAGE]
        assert scanner.feed(GOOD[place:] + GOOD) == [GOOD_MESSAGE] * 2


@pytest.mark.parametrize("element", [b'<message device="D" message="m"/>', b'<delProperty device="D"/>'])
def test_an_empty_element_that_comes_alone_takes_the_shortcut(
    element: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanner_module, "read_element", None)  # the usual way
    (message,) = Scanner().feed(element)
    assert isinstance(message, DeviceMessage | DelProperty) and message.device == "D"


@pytest.mark.parametrize("place", range(1, len(GOOD)))
def test_what_follows_an_update_that_was_cut_off_comes_with_its_last_byte(place: int) -> None:
    scanner = Scanner()
    assert scanner.feed(GOOD[:place]) == []
    *faults, message = scanner.feed(b'<message message="m"/>')
    assert isinstance(message, DeviceMessage) and len(faults) == 1
    scanner = Scanner()
    assert scanner.feed(GOOD[:place]) == []
    assert len(scanner.eof()) == (place > GOOD.index(b">"))


def test_no_bytes_say_nothing() -> None:
    scanner = Scanner()
    assert scanner.feed(b"") == []
    assert scanner.feed(GOOD[:50]) + scanner.feed(b"") + scanner.feed(GOOD[50:]) == [GOOD_MESSAGE]


def test_row_37_an_element_cut_off_by_the_end_of_the_stream_is_reported() -> None:
    said = read_to_the_end(GOOD + b'<setTextVector device="D" name="N"><oneText name="t">va')
    assert said.messages == [GOOD_MESSAGE]
    (report,) = said.at_the_end
    assert isinstance(report, Malformed)
    assert report.device == "D"
    assert "'N'" in report.reason


@pytest.mark.parametrize("rest", [b"", b"\n", b"<setTextVec", b"<", b"<!--", b"garbage"])
def test_the_end_of_the_stream_between_elements_says_nothing(rest: bytes) -> None:
    assert read_to_the_end(GOOD + rest) == ([GOOD_MESSAGE], [])


# -- what stands between the elements, and in them -------------------------------------------


@pytest.mark.parametrize("declaration", NOISE[:2])
def test_row_2_a_declaration_before_every_element_is_ignored(declaration: bytes) -> None:
    assert read((declaration + GOOD) * 3) == [GOOD_MESSAGE] * 3


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("place", ["before", "after the start", "in the text", "before the end", "after"])
def test_row_3_comments_and_declarations_are_ignored(noise: bytes, place: str) -> None:
    mark = {
        "before": b"<setText",
        "after the start": b"<oneText",
        "in the text": b"od</one",
        "before the end": b"</setText",
        "after": b"\n",
    }[place]
    before, mark, after = (GOOD + b"\n").partition(mark)
    assert read(before + noise + mark + after) == [GOOD_MESSAGE]


def test_row_3_a_doctype_ends_at_the_first_angle_bracket_and_the_rest_is_passed_over() -> None:
    assert read(b'<!DOCTYPE indi [<!ENTITY a "b">]>' + GOOD) == [GOOD_MESSAGE]


def test_row_4_elements_need_nothing_between_them() -> None:
    stream = GOOD + b'<pingReply uid="1"/>' + GOOD + b'<message message="m"/><pingReply uid="2"/>'
    assert read(stream) == [
        GOOD_MESSAGE,
        PingReply("1"),
        GOOD_MESSAGE,
        DeviceMessage(None, None, "m"),
        PingReply("2"),
    ]


@pytest.mark.parametrize("junk", [b"\r\n\t ", b"garbage > & ; \" '", b"\xff\xfe\x00", b"]]>", b"-->"])
def test_text_between_elements_is_ignored(junk: bytes) -> None:
    assert read(junk + GOOD + junk + GOOD + junk) == [GOOD_MESSAGE] * 2


# -- tags and attributes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (b'''message="plain"''', "plain"),
        (b"""message='single'""", "single"),
        (b"""message='say "hi"'""", 'say "hi"'),
        (b'''message="it's"''', "it's"),
        (b'''message="a > b"''', "a > b"),
        (b"""message='->>'""", "->>"),
        (b'''message="a /> b"''', "a /> b"),
        (b'''message="</message>"'''.replace(b"<", b"&lt;"), "</message>"),
        (b'''message="two\nlines"''', "two lines"),
        (b'''message="two\r\nlines"''', "two lines"),
        (b'''message="a\tb"''', "a b"),
        (b'''message="two&#10;lines"''', "two lines"),
        (b'''message="  outer blanks\n"''', "outer blanks"),
        (b'''message="name='x' device='y'"''', "name='x' device='y'"),
    ],
)
@pytest.mark.parametrize("end", [b"/>", b" />", b"></message>"])
def test_row_5_quotes_brackets_and_line_breaks_in_attributes(
    attribute: bytes, value: str, end: bytes
) -> None:
    assert read(b"<message " + attribute + end + GOOD) == [DeviceMessage(None, None, value), GOOD_MESSAGE]


@pytest.mark.parametrize(
    "tag",
    [
        b'<message\n  device="D"\n  message="m"\n/>',
        b'<message\r\n\tdevice="D"\r\n\tmessage="m"\r\n/>',
        b"<message device = 'D' message\n=\n'm' />",
        b"< message device='D' message='m'/>",
        b"<\nmessage device='D' message='m'/>",
        b"<message device='D'message=\"m\"/>",
        b"<message device='D' message='m'></message >",
        b"<message device='D' message='m'></message\n>",
        b"<message device='D' message='m'>< / message>",
        b"<message device='D' message='m' >\n  </message>",
    ],
)
def test_row_6_white_space_in_tags(tag: bytes) -> None:
    assert read(tag + GOOD) == [DeviceMessage("D", None, "m"), GOOD_MESSAGE]


def test_row_7_an_empty_element_may_be_written_either_way() -> None:
    deletion = DelProperty("D", "N", None, "")
    assert read(b'<delProperty device="D" name="N"/>') == [deletion]
    assert read(b'<delProperty device="D" name="N"></delProperty>') == [deletion]
    assert read(b'<deleteProperty device="D" name="N"/>') == [deletion]


@pytest.mark.parametrize("end", [b"/>", b"></defTextVector>"])
def test_row_7_a_vector_without_members_is_read(end: bytes) -> None:
    assert only(DefVector, b'<defTextVector device="D" name="N"' + end).members == ()


@pytest.mark.parametrize("end", [b"/>", b" />", b"></oneText>", b">\n    </oneText>"])
def test_an_empty_member_is_an_empty_text(end: bytes) -> None:
    vector = only(
        SetVector, b"<setTextVector device='D' name='N'><oneText name='t'" + end + b"</setTextVector>"
    )
    assert vector.members == (OneMember("t", ""),)


def test_row_20_of_two_attributes_with_one_name_the_last_counts() -> None:
    twice = b'device="A" device="D" state="Ok" state="Busy" timeout="1" timestamp="" timeout="2"'
    vector = only(SetVector, b'<setTextVector name="N" ' + twice + b"></setTextVector>")
    assert (vector.device, vector.state, vector.timeout) == ("D", "Busy", 2.0)


@pytest.mark.parametrize(
    "attributes",
    [b'message="m" message', b'message="m" =', b'message="m" x=y', b'7="x" message="m"', b'"x" message="m"'],
)
def test_row_13_what_is_no_attribute_is_passed_over(attributes: bytes) -> None:
    assert read(b"<message " + attributes + b"/>") == [DeviceMessage(None, None, "m")]


def test_what_stands_in_quotes_is_no_attribute() -> None:
    assert read(b"""<message \xc3\xa9="message='inner'" message="m"/>""") == [DeviceMessage(None, None, "m")]
    assert read(b"""<message "message='inner'"/>""" + GOOD) == [GOOD_MESSAGE]


# -- characters ------------------------------------------------------------------------------


def test_row_8_a_label_in_latin_1_is_read() -> None:
    member = b'<defText name="t">\xb5m</defText>'
    data = b'<defTextVector device="D" name="N" label="20 \xb0C">' + member + b"</defTextVector>"
    vector = only(DefVector, data)
    assert vector.label == "20 °C"
    assert vector.members[0].value == "µm"


def test_row_8_broken_utf_8_spoils_no_neighbour() -> None:
    assert text_of(text_vector(b"\xe2\x82", b' message="\xe2\x82\xac"')) == "â\x82"
    assert only(SetVector, text_vector(b"\xff", b' message="\xe2\x82\xac"')).message == "€"


@pytest.mark.parametrize("noise", [b"\x00", b"\x07", b"\x1b[0m", b"\x7f", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_row_9_control_characters_and_byte_order_marks_between_elements(noise: bytes) -> None:
    assert read(noise + GOOD + noise + GOOD) == [GOOD_MESSAGE] * 2


def test_row_9_control_characters_in_values_are_left_out() -> None:
    assert text_of(text_vector(b"a\x00b\x07c\x7fd\x0be&#0;f&#x1;g\xef\xbf\xbfh")) == "abcdefgh"
    assert text_of(text_vector(b"tab\tand\nline")) == "tab\tand\nline"
    assert only(DeviceMessage, b'<message message="a\x00b\x07c\x7fd&#8;e\xef\xbf\xbef"/>').message == "abcdef"


@pytest.mark.parametrize(
    "tag", [b"<set\x00TextVector device='D' name='N'>", b"<\x00>", b"<\xff/>", b"<1 a='b'>"]
)
def test_row_9_a_tag_spoilt_by_such_characters_costs_only_itself(tag: bytes) -> None:
    report, good = read(tag + GOOD)
    assert isinstance(report, Malformed)
    assert good == GOOD_MESSAGE


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b"&amp;&lt;&gt;&apos;&quot;", "&<>'\""),
        (b"20 &#176;C", "20 °C"),
        (b"20 &#xB0;C &#x1F52D;", "20 °C \U0001f52d"),
        (b"&deg;", "&deg;"),
        (b"&Amp;", "&Amp;"),
        (b"&amp;#176;", "&#176;"),
        (b"&amp;amp;", "&amp;"),
        (b"R&D", "R&D"),
        (b"&", "&"),
        (b"a & b; c &amp d", "a & b; c &amp d"),
        (b"&&amp;;", "&&;"),
        (b"&#;&#x;&#xZ;&#-1;", "&#;&#x;&#xZ;&#-1;"),
        (b"&#xD800;&#x110000;&#99999999;", "&#xD800;&#x110000;&#99999999;"),
    ],
)
def test_row_10_entities(written: bytes, meant: str) -> None:
    assert read(text_vector(written) + GOOD) == [
        SetVector("Text", "D", "N", None, None, None, "", (OneMember("t", meant),)),
        GOOD_MESSAGE,
    ]
    assert only(DeviceMessage, b'<message message="' + written + b'"/>').message == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b"<![CDATA[a < b & c]]>", "a < b & c"),
        (b"one <![CDATA[<two>]]> three", "one <two> three"),
        (b"<![CDATA[&amp;]]>&amp;", "&amp;&"),
        (b"<![CDATA[]]>", ""),
        (b"<![CDATA[</oneText></setTextVector>]]>", "</oneText></setTextVector>"),
        (b"<![CDATA[]] ]>]]]>", "]] ]>]"),
        (b"<![CDATA[\x07\xb0]]>", "°"),
    ],
)
def test_row_11_cdata_is_text_as_it_stands(written: bytes, meant: str) -> None:
    assert text_of(text_vector(written)) == meant


def test_row_11_cdata_between_elements_or_members_is_no_text() -> None:
    junk = b"<![CDATA[ <message message='not sent'/> ]]>"
    assert read(junk + GOOD.replace(b"<oneText", junk + b"<oneText") + junk) == [GOOD_MESSAGE]


def test_row_11_base64_in_cdata_is_a_blob() -> None:
    data = (
        b"<setBLOBVector device='D' name='N'><oneBLOB name='b'>QUJD<![CDATA[REVG]]></oneBLOB></setBLOBVector>"
    )
    (member,) = only(SetVector, data).members
    assert content(member) == b"ABCDEF"


# -- faulty structure ------------------------------------------------------------------------

START = b'<setTextVector device="D" name="BAD">'

BROKEN = {
    "end tag of the member missing": START + b'<oneText name="t">x</setTextVector>',
    "end tag of the member misspelt": START + b'<oneText name="t">x</onetext></setTextVector>',
    "end tags crossed": START + b'<oneText name="t">x</setTextVector></oneText>',
    "two end tags of the member": START + b'<oneText name="t">x</oneText></oneText></setTextVector>',
    "end tag of another vector": START + b"</setNumberVector>",
    "member in a member": START
    + b'<oneText name="t"><oneText name="u">x</oneText></oneText></setTextVector>',
    "cut in the start tag": b'<setTextVector device="D" na',
    "cut in a quote": b'<setTextVector device="D" name="BA',
    "cut after the start tag": START,
    "cut in a member's tag": START + b'<oneText name="',
    "cut in a text": START + b'<oneText name="t">half',
    "cut in an end tag": START + b'<oneText name="t">x</oneText></setText',
    "cut in a BLOB": b'<setBLOBVector device="D" name="B"><oneBLOB name="b">QUJDRE',
    "lost quote": b'<setTextVector device="D name="BAD"><oneText name="t">x</oneText></setTextVector>',
    "lost quote in a member": START + b'<oneText name="t>x</oneText></setTextVector>',
    "bracket in an attribute": b'<setTextVector device="D" name="a < b"><oneText name="t">x</oneText>',
    "bracket in a text": START + b'<oneText name="t">a < b</oneText></setTextVector>',
    "no tag name": b"<>",
    "unknown element never closed": b"<foo>",
    "stray end tag": b"</setTextVector>",
    "stray end tag of nothing known": b"</foo>",
    "many open brackets": b"<" * 20,
}


@pytest.mark.parametrize("bad", BROKEN.values(), ids=BROKEN)
def test_row_12_a_broken_element_is_reported_once_and_costs_only_itself(bad: bytes) -> None:
    before, report, after, last = read(GOOD + bad + GOOD + GOOD)
    assert isinstance(report, Malformed)
    assert before == after == last == GOOD_MESSAGE


def test_row_12_what_follows_a_broken_element_is_lost_only_up_to_the_next_start_tag() -> None:
    half = START + b'<oneText name="t">x'
    report, message, good = read(
        half + b'<message device="D" message="m"/>' + b"</oneText></setTextVector>" + GOOD
    )[:3]
    assert isinstance(report, Malformed)
    assert "'BAD'" in report.reason and report.device == "D"
    assert message == DeviceMessage("D", None, "m")
    assert isinstance(good, Malformed)  # the stray end tags


def test_row_12_a_run_of_faults_is_reported_by_its_first() -> None:
    reports = read(b"</a></b><c></d>" * 50 + GOOD + b"</e></f>")
    assert [type(message) for message in reports] == [Malformed, SetVector, Malformed]
    assert reports[0] == Malformed("stray end tag </a>", None)
    assert reports[2] == Malformed("stray end tag </e>", None)


DEFECTS_2_AND_3 = {
    "unclosed unknown tag": b"<foo>",
    "truncated element": START + b"<oneText name='t'>",
    "Latin-1 in a text": text_vector(b"20 \xb0C"),
    "Latin-1 in an attribute": text_vector(b"x", b' message="20 \xb0C"'),
    "bare ampersand": b'<message message="R&D"/>',
    "control character": text_vector(b"\x07"),
    "NUL": text_vector(b"\x00"),
    "undefined entity": text_vector(b"&deg;"),
    "duplicate attribute": text_vector(b"x", b' state="Ok" state="Ok"'),
    "unbound prefix": b"<x:foo/>",
    "unbound prefix of an attribute": text_vector(b"x", b' x:foo="y"'),
    "bracket in an attribute": b'<message message="a < b"/>',
    "XML declaration": b"<?xml version='1.0'?>",
    "DOCTYPE": b"<!DOCTYPE indi>",
    "stray end tag": b"</foo>",
    "end of a tag in an attribute": b'<message message="a /> b"/>',
    "newline in an end tag": b"<message message='m'></message\n>",
    "30 kB of neither": b"x" * 30_000,
}


@pytest.mark.parametrize("fault", DEFECTS_2_AND_3.values(), ids=DEFECTS_2_AND_3)
def test_defects_2_and_3_what_made_the_old_client_deaf_or_disconnected_it_is_survived(fault: bytes) -> None:
    assert read(fault + GOOD)[-1] == GOOD_MESSAGE
    assert read(b"<defTextVector device='D' name='N'>" + fault + GOOD)[-1] == GOOD_MESSAGE


# -- what is not known -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "unknown",
    [
        b"<foo/>",
        b'<foo bar="1">text<bar/>text</foo>',
        b"<foo><foo><foo/></foo></foo>",
        b'<foo><oneText name="t">not meant</oneText></foo>',
        b"<setFooVector device='D' name='N'><oneFoo name='x'>1</oneFoo></setFooVector>",
        b"<settextvector device='D' name='N'/>",
        b"<switchProtocol version='2.0'/>",
    ],
)
def test_row_13_an_unknown_element_is_skipped_and_reported_once(unknown: bytes) -> None:
    report, good = read(unknown + GOOD)
    assert isinstance(report, Malformed)
    assert "unknown element" in report.reason
    assert good == GOOD_MESSAGE


@pytest.mark.parametrize(
    "junk",
    [
        b"<foo/>",
        b"<foo>junk</foo>",
        b"<foo><bar><baz/></bar>junk</foo>",
        b'<oneNumber name="t">5</oneNumber>',
        b'<defText name="t">not meant</defText>',
        b"<foo><![CDATA[<oneText>]]></foo>",
        b"<foo></bar>",
    ],
)
@pytest.mark.parametrize("mark", [b"<oneText", b"</oneText", b"</setText"])
def test_row_13_unknown_elements_in_a_vector_or_a_member_are_skipped(junk: bytes, mark: bytes) -> None:
    before, mark, after = GOOD.partition(mark)
    assert read(before + junk + mark + after) == [GOOD_MESSAGE]


def test_row_13_a_member_in_an_unknown_element_is_none_of_the_vector() -> None:
    junk = b'<foo><oneText name="t">not meant</oneText></foo>'
    assert read(GOOD.replace(b"<oneText", junk + b"<oneText")) == [GOOD_MESSAGE]


def test_row_13_an_unknown_element_that_is_not_closed_ends_with_the_member_it_is_in() -> None:
    assert read(GOOD.replace(b"</oneText", b"<foo><bar>junk</oneText")) == [GOOD_MESSAGE]


def test_row_13_unknown_elements_in_a_blob_are_skipped() -> None:
    data = b"<setBLOBVector device='D' name='N'><oneBLOB name='b'>QU<foo>!!</foo>JD</oneBLOB></setBLOBVector>"
    (member,) = only(SetVector, data).members
    assert content(member) == b"ABC"


def test_row_13_unknown_attributes_are_ignored() -> None:
    data = GOOD.replace(b" name=", b" x-y.z:w_='1' hints='a' name=")
    assert read(data) == [GOOD_MESSAGE]


def test_row_14_text_between_members_is_ignored() -> None:
    member = b" x &amp; y <oneText name='t'>good</oneText> z ]]>"
    data = b"<setTextVector device='D' name='GOOD'>" + member + b"</setTextVector>"
    assert read(data) == [GOOD_MESSAGE]
    assert read(data.replace(b"'", b'"')) == [GOOD_MESSAGE]


def test_row_15_enableblob_has_its_word_in_its_text() -> None:
    assert read(b'<enableBLOB device="D">\n  Also\n</enableBLOB>') == [EnableBLOB("Also", "D", None)]
    assert read(b'<enableBLOB device="D" name="N"><junk>x</junk>Only</enableBLOB>') == [
        EnableBLOB("Only", "D", "N")
    ]


# -- the shortcut for plain updates ----------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        text_vector(b"x", b' timeout="1" timestamp="2024-01-02T03:04:05" timeout="2"'),
        text_vector(b"x", b' timeout="' + b"9" * 400 + b'"'),
        text_vector(b"x", b' state=" Ok "'),
        text_vector(b"x", b' state="ok"'),
        text_vector(b"x", b' timestamp=" 2024-01-02T03:04:05 " message=" m "'),
        text_vector(b"x", b' message="\xc2\xa0m\xc2\xa0"'),
        text_vector(b"\xc2\xa0x\xc2\xa0"),
        text_vector(b"\x1cx\x1c"),
        text_vector(b"\xc2\x85x\xef\xbf\xbe"),
        text_vector(b"x", b' message="\xef\xbf\xbf"'),
        text_vector(b"Vector>"),
        text_vector(b"x</oneText>Vector><oneText name='u'>y"),
        text_vector(b"x</oneText>&amp;><oneText name='t'>y"),
        text_vector(b"x</oneText><oneNumber name='t'>1</oneNumber><oneText name='u'>y"),
        b'<setNumberVector device="D" name="N"><oneNumber name="n">\x1c5\x0b</oneNumber></setNumberVector>',
        b'<setNumberVector device="D" name="N"><oneNumber name="n">5\x005</oneNumber></setNumberVector>',
        b'<setNumberVector device="D" name="N"><oneNumber name="n">1e400</oneNumber></setNumberVector>',
        b'<setNumberVector device="D" name="N"><oneNumber name="n">5.</oneNumber></setNumberVector>',
        b'<setNumberVector device="D" name="N"><oneNumber name="n">.</oneNumber></setNumberVector>',
        b'<setNumberVector device="D" name="N"><oneNumber name="n">5 5</oneNumber></setNumberVector>',
        b'<setSwitchVector device="D" name="N"><oneSwitch name="n">\xc2\xa0On </oneSwitch></setSwitchVector>',
        b'<setLightVector device="D" name="N" timeout="5"><oneLight name="n">Ok </oneLight></setLightVector>',
        b'<setTextVector device=" D" name="N "><oneText name=" t ">x</oneText></setTextVector>',
        b'<setTextVector device=" " name="N"><oneText name="t">x</oneText></setTextVector>',
        b'<setTextVector device="\xc2\xa0" name="N"><oneText name="t">x</oneText></setTextVector>',
        b'<setTextVector device="D" name="N"><oneText name="">x</oneText></setTextVector>',
        b'<setTextVector device="D" name="N"><oneText name="t">x</oneText></setNumberVector>',
        b'<setTextVector device="D" name="N"></setTextVector>',
        b'<setBLOBVector device="D" name="N"><oneBLOB name="t">QUJD</oneBLOB></setBLOBVector>',
    ],
)
def test_the_shortcut_and_the_long_way_agree(data: bytes) -> None:
    """`read` compares them; here are shapes on which they could differ."""
    assert read(data + GOOD)[-1] == GOOD_MESSAGE


# -- progress of BLOBs -----------------------------------------------------------------------


def test_progress_is_told_each_time_enough_has_come() -> None:
    scanner = Scanner(Limits(progress=6))
    blob = b'<oneBLOB name="%s" size="%s">'
    assert scanner.feed(b'<setBLOBVector device="D" name="N">' + blob % (b"a", b"15")) == []
    assert scanner.feed(b"QUJD") == []
    assert scanner.feed(b"QUJD") == [BLOBProgress("D", "N", "a", 6, 15)]
    assert scanner.feed(b"QUJD\n") == []
    assert scanner.feed(b"QUJDQUJD") == [BLOBProgress("D", "N", "a", 15, 15)]
    assert scanner.feed(b"</oneBLOB>" + blob % (b"b", b"many") + b"QUJD") == []
    assert scanner.feed(b"QUJD") == [BLOBProgress("D", "N", "b", 6, None)]
    (message,) = scanner.feed(b"QUJD</oneBLOB></setBLOBVector>")
    assert isinstance(message, SetVector)
    assert list(map(content, message.members)) == [b"ABC" * 5, b"ABC" * 3]


def test_no_progress_is_told_unless_asked_for() -> None:
    scanner = Scanner()
    scanner.feed(b'<setBLOBVector device="D" name="N"><oneBLOB name="b">')
    assert scanner.feed(b"QUJD" * 10_000) == []


# -- limits ----------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [33, 34, 35, 36, 100])
def test_a_tag_has_a_limit_that_it_may_just_reach(limit: int) -> None:
    tag = b'<message message="' + b"m" * 15 + b'"/>'
    assert len(tag) == 36
    messages = read(b'<pingReply uid="1"/>' + tag + b'<pingReply uid="2"/>', Limits(tag=limit))
    assert (messages[0], messages[-1]) == (PingReply("1"), PingReply("2"))
    assert isinstance(messages[1], DeviceMessage if limit >= 36 else Malformed)


@pytest.mark.parametrize("opener", [b"<!--", b"<![CDATA[", b"<!DOCTYPE ", b"<?xml ", b"<foo ", b"<foo a='"])
def test_what_never_ends_is_given_up_after_as_many_bytes_as_the_limit(opener: bytes) -> None:
    limits = Limits(tag=100)
    filler = b"." * (100 - len(opener))
    report, good = read(opener + filler + GOOD, limits)
    assert isinstance(report, Malformed)
    assert good == GOOD_MESSAGE
    # and within an element, which is given up with it
    report, good = read(START + b'<oneText name="t">' + opener + filler + GOOD, limits)
    assert isinstance(report, Malformed) and "'BAD'" in report.reason
    assert good == GOOD_MESSAGE


@pytest.mark.parametrize("body", [b"<!--x-->", b"<![CDATA[x]]>", b"<?x?>"])
def test_a_comment_may_just_reach_the_limit_of_a_tag(body: bytes) -> None:
    body = body.replace(b"x", b"x" * (101 - len(body)))
    assert read(body + GOOD, Limits(tag=100)) == [GOOD_MESSAGE]
    report, *_ = read(body.replace(b"x", b"xx", 1) + GOOD, Limits(tag=100))
    assert isinstance(report, Malformed)


@pytest.mark.parametrize("limit", [3, 4])
def test_members_have_a_limit(limit: int) -> None:
    data = START + b'<oneText name="t">x</oneText>' * 4 + b"</setTextVector>"
    first, *rest, good = read(data + GOOD, Limits(members=limit))
    assert isinstance(first, SetVector if limit == 4 else Malformed)
    assert rest == []
    assert good == GOOD_MESSAGE


@pytest.mark.parametrize(
    "form", [b"<oneText name='t'>%s</oneText>", b"<oneText name='t'><![CDATA[%s]]></oneText>"]
)
def test_an_element_has_a_limit(form: bytes) -> None:
    limits = Limits(element=1000)
    assert len(text_of(START + form % (b"x" * 900) + b"</setTextVector>", limits)) == 900
    report, good = read(START + form % (b"x" * 1001) + b"</setTextVector>" + GOOD, limits)
    assert isinstance(report, Malformed) and "1000 bytes" in report.reason
    assert good == GOOD_MESSAGE


@pytest.mark.parametrize("limit", [19, 20, 40_000])
@pytest.mark.parametrize("form", [b"%s", b" \n%s\n", b"<![CDATA[%s]]>", b"a%s"])
def test_a_value_has_a_limit(form: bytes, limit: int) -> None:
    """Blanks around it do not count. Long and short ones go through different parts of the scanner."""
    element = START + b"<oneText name='t'>" + form + b"</oneText></setTextVector>"
    longest = limit - form.count(b"a%")
    assert len(text_of(element % (b"x" * longest), Limits(text=limit))) == limit
    report, good = read(element % (b"x" * (longest + 1)) + GOOD, Limits(text=limit))
    assert isinstance(report, Malformed) and f"{limit} characters" in report.reason
    assert good == GOOD_MESSAGE


def test_the_limit_of_an_element_is_for_all_its_members_together() -> None:
    member = b'<oneText name="t">' + b"x" * 100 + b"</oneText>"
    report, good = read(START + member * 9 + b"</setTextVector>" + GOOD, Limits(element=1000))
    assert isinstance(report, Malformed)
    assert good == GOOD_MESSAGE


@pytest.mark.parametrize(
    "inner", [b"<oneText name='t'/>" * 10, b"<oneText name='t'>" + b"x<!---->" * 20 + b"</oneText>"]
)
def test_tags_and_comments_count_for_the_element(inner: bytes) -> None:
    report, good = read(START + inner + b"</setTextVector>" + GOOD, Limits(element=150))
    assert isinstance(report, Malformed)
    assert good == GOOD_MESSAGE


def test_a_blob_beyond_its_limit_is_an_error_of_that_member() -> None:
    data = (
        b"<setBLOBVector device='D' name='N' state='Ok'><oneBLOB name='b'>QUJDREVG</oneBLOB></setBLOBVector>"
    )
    (member,) = only(SetVector, data, Limits(blob=6)).members
    assert content(member) == b"ABCDEF"
    vector, good = read(data + GOOD, Limits(blob=5))
    assert isinstance(vector, SetVector) and vector.state == "Ok"
    (member,) = vector.members
    assert isinstance(member, OneBLOB) and member.payload is None
    assert "limit" in member.error
    assert good == GOOD_MESSAGE


def test_the_limit_of_blobs_is_for_all_members_of_an_element_together() -> None:
    blob = b"<oneBLOB name='b'>QUJD</oneBLOB>"
    vector = b"<setBLOBVector device='D' name='N'>" + blob * 3 + b"</setBLOBVector>"
    for message in read(vector * 2, Limits(blob=7)):
        assert isinstance(message, SetVector)
        assert list(map(content, message.members)) == [b"ABC", b"ABC", None]


def test_blob_text_does_not_count_for_the_element() -> None:
    data = (
        b"<setBLOBVector device='D' name='N'><oneBLOB name='b'>"
        + b"QUJD" * 500
        + b"</oneBLOB></setBLOBVector>"
    )
    (member,) = only(SetVector, data, Limits(element=200)).members
    assert content(member) == b"ABC" * 500


def test_who_looks_at_all_objects_meanwhile_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A memory profiler in another thread holds, for a moment, whatever there is: views of the buffer too."""
    held: list[list[object]] = []
    decode = pybase64.b64decode

    def watched(text: memoryview, validate: bool = False) -> bytes:
        held.append([one for one in gc.get_objects() if isinstance(one, memoryview)])
        return decode(text, validate=validate)

    monkeypatch.setattr(pybase64, "b64decode", watched)
    scanner = Scanner()
    blob = '<setBLOBVector device="D" name="B"><oneBLOB name="b" size="6" format=".x">Zm9v'
    assert scanner.feed(blob.encode()) == []
    [message] = scanner.feed(b"YmFy</oneBLOB></setBLOBVector>")
    assert bytes(message.members[0].payload) == b"foobar"  # type: ignore[union-attr, arg-type]
    assert held
