"""From messages to bytes: the form every known server reads, and back again."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET

import pytest
from hypothesis import example, given

from indipyclient.protocol import (
    BLOBProgress,
    DefMember,
    DefVector,
    DelProperty,
    DeviceMessage,
    EnableBLOB,
    GetProperties,
    Malformed,
    Message,
    NewVector,
    OneBLOB,
    OneMember,
    PingReply,
    PingRequest,
    SetVector,
    encode,
    encode_pieces,
)

from .messages import any_text, as_line, as_text, every_message
from .reading import GOOD, GOOD_MESSAGE, STAMP, fuzz, read

WRITTEN: list[tuple[Message, str]] = [
    (GetProperties(), '<getProperties version="1.7"/>'),
    (GetProperties("D"), '<getProperties version="1.7" device="D"/>'),
    (GetProperties("D", "N"), '<getProperties version="1.7" device="D" name="N"/>'),
    (EnableBLOB("Also", "D"), '<enableBLOB device="D">Also</enableBLOB>'),
    (EnableBLOB("Never", "D", "N"), '<enableBLOB device="D" name="N">Never</enableBLOB>'),
    (PingRequest("7"), '<pingRequest uid="7"/>'),
    (PingReply("SetBLOB/1"), '<pingReply uid="SetBLOB/1"/>'),
    (DelProperty("D", None, None, ""), '<delProperty device="D"/>'),
    (
        DelProperty("D", "N", STAMP, "gone"),
        '<delProperty device="D" name="N" timestamp="2024-01-02T03:04:05.000000" message="gone"/>',
    ),
    (DeviceMessage(None, None, "hello"), '<message message="hello"/>'),
    (
        DeviceMessage("D", STAMP, "20 °C < 30 °C"),
        '<message device="D" timestamp="2024-01-02T03:04:05.000000" message="20 °C &lt; 30 °C"/>',
    ),
    (
        NewVector("Number", "D", "N", STAMP, (OneMember("RA", "5.5"), OneMember("DEC", "-10"))),
        '<newNumberVector device="D" name="N" timestamp="2024-01-02T03:04:05.000000">'
        '<oneNumber name="RA">5.5</oneNumber><oneNumber name="DEC">-10</oneNumber></newNumberVector>',
    ),
    (
        NewVector("Switch", "D", "N", None, (OneMember("A", "On"),)),
        '<newSwitchVector device="D" name="N"><oneSwitch name="A">On</oneSwitch></newSwitchVector>',
    ),
    (
        NewVector("BLOB", "D", "N", None, (OneBLOB("B", memoryview(b"ABCDEFG"), 7, ".fits"),)),
        '<newBLOBVector device="D" name="N">'
        '<oneBLOB name="B" size="7" format=".fits">QUJDREVGRw==</oneBLOB></newBLOBVector>',
    ),
    (
        SetVector("Number", "D", "N", "Busy", 60.0, None, "wait", (OneMember("n", "1", ("0", None, "0.5")),)),
        '<setNumberVector device="D" name="N" state="Busy" timeout="60" message="wait">'
        '<oneNumber name="n" min="0" step="0.5">1</oneNumber></setNumberVector>',
    ),
    (
        SetVector("Light", "D", "N", None, None, None, "", ()),
        '<setLightVector device="D" name="N"></setLightVector>',
    ),
    (
        DefVector(
            "Number", "D", "N", "Label", "Group", "Ok", "rw", None, 2.5, STAMP, "m",
            (DefMember("n", "Ra", "5.5", "%9.6m", "0", "24", "0.1"),),
        ),
        '<defNumberVector device="D" name="N" label="Label" group="Group" state="Ok"'
        ' timestamp="2024-01-02T03:04:05.000000" message="m" perm="rw" timeout="2.5">'
        '<defNumber name="n" label="Ra" format="%9.6m" min="0" max="24" step="0.1">5.5</defNumber>'
        "</defNumberVector>",
    ),
    (
        DefVector(
            "Switch", "D", "N", "", "", "Idle", "wo", "AtMostOne", 0.0, None, "",
            (DefMember("s", "", "Off"),),
        ),
        '<defSwitchVector device="D" name="N" label="" group="" state="Idle" perm="wo" rule="AtMostOne"'
        ' timeout="0"><defSwitch name="s" label="">Off</defSwitch></defSwitchVector>',
    ),
    (
        DefVector("Light", "D", "N", "", "", "Idle", "ro", None, 0.0, None, "", (DefMember("l", "", "Ok"),)),
        '<defLightVector device="D" name="N" label="" group="" state="Idle">'
        '<defLight name="l" label="">Ok</defLight></defLightVector>',
    ),
]  # fmt: skip


@pytest.mark.parametrize(("message", "text"), WRITTEN, ids=[type(message).__name__ for message, _ in WRITTEN])
def test_each_message_is_one_line_in_utf_8(message: Message, text: str) -> None:
    assert encode(message) == text.encode() + b"\n"
    assert read(encode(message)) == [message]


@pytest.mark.parametrize("message", [Malformed("no element"), BLOBProgress("D", "N", "b", 1, 2)])
def test_a_report_is_no_element(message: Message) -> None:
    with pytest.raises(TypeError, match=type(message).__name__):
        encode(message)


@pytest.mark.parametrize("text", ["20 °C", "λ Lyr", "\U0001f52d", "<a & b>", '"it\'s"'])
def test_defect_13_text_is_sent_without_character_references(text: str) -> None:
    data = encode(NewVector("Text", "D", "N", None, (OneMember("t", text),)))
    assert b"&#" not in data
    assert ET.fromstring(data)[0].text == text


def test_defect_20_signs_with_a_meaning_in_xml_survive_in_messages() -> None:
    message = DeviceMessage("D", None, 'it\'s 5 < 6 & "7" > 6')
    assert read(encode(message)) == [message]


# -- BLOBs -----------------------------------------------------------------------------------

BLOB = memoryview(bytes(range(250)) * 800)


def test_a_blob_is_sent_on_one_line_with_its_size_and_without_enclen() -> None:
    """Of what libindi does to other forms, losing the connection is the least."""
    data = encode(NewVector("BLOB", "D", "N", None, (OneBLOB("B", BLOB, len(BLOB), ".bin"),)))
    assert data.count(b"\n") == 1
    assert b">" + base64.b64encode(BLOB) + b"<" in data
    assert b'size="200000"' in data
    assert b"enclen" not in data
    assert read(data) == [NewVector("BLOB", "D", "N", None, (OneBLOB("B", BLOB, len(BLOB), ".bin"),))]


def test_a_blob_goes_out_in_pieces_of_bounded_size() -> None:
    message = NewVector("BLOB", "D", "N", None, (OneBLOB("B", BLOB, len(BLOB), ".bin"),))
    pieces = list(encode_pieces(message))
    assert max(map(len, pieces)) <= 1 << 18
    assert b"".join(pieces) == encode(message)


def test_a_size_that_is_not_given_is_that_of_the_payload() -> None:
    member = OneBLOB("B", memoryview(b"ABC"), None, "")
    assert b'size="3"' in encode(NewVector("BLOB", "D", "N", None, (member,)))
    assert b'size="0" format=""></oneBLOB>' in encode(
        NewVector("BLOB", "D", "N", None, (member._replace(payload=None),))
    )


# -- any message -----------------------------------------------------------------------------


@fuzz
@given(every_message)
@example(NewVector("Text", "D", "N", None, (OneMember("t", "&lt;]]>"),)))
@example(SetVector("Switch", "]]>", "-->", None, 1e22, None, "a\x85b", (OneMember("<!--", "On"),)))
def test_what_is_written_reads_back_the_same_between_others_too(message: Message) -> None:
    data = encode(message)
    assert read(data) == [message]
    assert read(GOOD + data + GOOD) == [GOOD_MESSAGE, message, GOOD_MESSAGE]


@fuzz
@given(any_text, any_text)
def test_what_cannot_be_carried_is_left_out(name: str, value: str) -> None:
    name = f"a{name}z"
    data = encode(NewVector("Text", name, name, None, (OneMember(name, value),)))
    line = as_line(name)
    assert read(data) == [NewVector("Text", line, line, None, (OneMember(line, as_text(value).strip()),))]


@fuzz
@given(every_message)
def test_what_is_written_is_one_line_of_well_formed_xml_but_for_breaks_in_text(message: Message) -> None:
    data = encode(message)
    ET.fromstring(data)
    assert data.endswith(b">\n")
    assert b"&#" not in data
    assert data.count(b"<") == data.count(b">")
