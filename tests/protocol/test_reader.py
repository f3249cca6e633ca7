"""From an element to a message: names, words, defaults, and what is left out of it."""

from __future__ import annotations

import math
import pickle
from datetime import datetime, timedelta, timezone

import pytest

from indipyclient.protocol import (
    DefMember,
    DefVector,
    DelProperty,
    DeviceMessage,
    EnableBLOB,
    GetProperties,
    Malformed,
    NewVector,
    OneBLOB,
    OneMember,
    PingReply,
    PingRequest,
    SetVector,
)
from indipyclient.protocol.messages import OneMembers
from indipyclient.protocol.numbers import format_number, read_number

from .reading import GOOD, GOOD_MESSAGE, STAMP, content, only, read, text_of, text_vector

KINDS = ["Text", "Number", "Switch", "Light", "BLOB"]


def element(tag: str, inner: str = "", **attributes: str) -> bytes:
    """Return an element as bytes. The attributes device and name are D and N if not given."""
    attributes = {"device": "D", "name": "N"} | attributes
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<{tag}{written}>{inner}</{tag}>".encode()


def set_number(text: str, attributes: str = "") -> SetVector:
    """Return the update of the number n by `text`."""
    return only(SetVector, element("setNumberVector", f'<oneNumber name="n"{attributes}>{text}</oneNumber>'))


def set_blob(content: str, attributes: str) -> OneBLOB:
    """Return the update of a BLOB."""
    data = element("setBLOBVector", f'<oneBLOB name="b" {attributes}>{content}</oneBLOB>')
    (member,) = only(SetVector, data).members
    assert isinstance(member, OneBLOB)
    return member


# -- definitions -----------------------------------------------------------------------------


def test_a_definition_carries_all_that_was_sent() -> None:
    data = element(
        "defNumberVector",
        '<defNumber name="RA" label="RA (hh:mm:ss)" format="%010.6m" min="0" max="24" step="0.5">\n5.5\n'
        "</defNumber>",
        label="Eq. Coordinates",
        group="Main Control",
        state="Busy",
        perm="rw",
        timeout="60",
        timestamp="2024-01-02T03:04:05",
        message="Slewing",
    )
    member = DefMember("RA", "RA (hh:mm:ss)", "5.5", "%010.6m", "0", "24", "0.5")
    assert read(data) == [
        DefVector(
            "Number",
            "D",
            "N",
            "Eq. Coordinates",
            "Main Control",
            "Busy",
            "rw",
            None,
            60.0,
            STAMP,
            "Slewing",
            (member,),
        )
    ]


VALUES = {"Text": "some text", "Number": "12:30:00", "Switch": "On", "Light": "Alert", "BLOB": ""}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_defined_and_set_with_its_own_elements(kind: str) -> None:
    value = VALUES[kind]
    vector = only(DefVector, element(f"def{kind}Vector", f'<def{kind} name="m">{value}</def{kind}>'))
    assert (vector.kind, vector.members) == (kind, (DefMember("m", "", value),))
    if kind != "BLOB":
        for verb in ("set", "new"):
            (one,) = read(element(f"{verb}{kind}Vector", f'<one{kind} name="m">{value}</one{kind}>'))
            assert isinstance(one, SetVector if verb == "set" else NewVector)
            assert (one.kind, one.members) == (kind, (OneMember("m", value),))


def test_row_17_each_definition_is_a_message_of_its_own_with_the_members_it_names() -> None:
    first = element("defTextVector", '<defText name="a"/><defText name="b"/>')
    second = element("defTextVector", '<defText name="b"/><defText name="c"/>')
    vectors = [message for message in read(first + second) if isinstance(message, DefVector)]
    assert [[member.name for member in vector.members] for vector in vectors] == [["a", "b"], ["b", "c"]]


def test_row_18_a_definition_of_another_kind_is_a_message_as_any() -> None:
    text, number = read(element("defTextVector") + element("defNumberVector"))
    assert isinstance(text, DefVector) and isinstance(number, DefVector)
    assert (text.kind, number.kind) == ("Text", "Number")


@pytest.mark.parametrize("name", ["a.b", "CCD Simulator 2", "*", "Zürich λ", "x" * 200, "a &amp; b", "0"])
def test_row_19_names_are_exact(name: str) -> None:
    message = only(
        SetVector, element("setTextVector", f'<oneText name="{name}">x</oneText>', device=name, name=name)
    )
    name = name.replace("&amp;", "&")
    assert (message.device, message.name, message.members) == (name, name, (OneMember(name, "x"),))


def test_row_20_of_two_members_defined_with_one_name_the_last_counts_in_the_place_of_the_first() -> None:
    inner = "".join(f'<defText name="{name}">{value}</defText>' for name, value in ("a1", "b2", "a3"))
    vector = only(DefVector, element("defTextVector", inner))
    assert vector.members == (DefMember("a", "", "3"), DefMember("b", "", "2"))


def test_row_20_members_set_twice_are_delivered_in_order() -> None:
    inner = '<oneText name="a">1</oneText><oneText name="a">2</oneText>'
    vector = only(SetVector, element("setTextVector", inner))
    assert vector.members == (OneMember("a", "1"), OneMember("a", "2"))


@pytest.mark.parametrize("junk", [None, "", "junk", "ok", "OK", "Okay", "RW"])
@pytest.mark.parametrize("kind", KINDS)
def test_row_24_a_definition_that_lacks_things_is_usable(kind: str, junk: str | None) -> None:
    attributes = (
        {} if junk is None else dict.fromkeys(("state", "perm", "rule", "timeout", "timestamp"), junk)
    )
    vector = only(DefVector, element(f"def{kind}Vector", f'<def{kind} name="m"/>', **attributes))
    assert (vector.label, vector.group, vector.message) == ("", "", "")
    assert (vector.state, vector.timeout, vector.timestamp) == ("Idle", 0.0, None)
    assert vector.perm == ("ro" if kind == "Light" else "rw")
    assert vector.rule == ("OneOfMany" if kind == "Switch" else None)
    value = {"Switch": "Off", "Light": "Idle", "Number": "nan"}.get(kind, "")
    assert vector.members == (DefMember("m", "", value, "%g", "0", "0", "0"),)


def test_row_24_limits_of_a_number_that_are_none_are_zero() -> None:
    limits = 'min="low" max="" step="1,5,5,x"'
    vector = only(
        DefVector, element("defNumberVector", f'<defNumber name="n" {limits} format="">1</defNumber>')
    )
    (member,) = vector.members
    assert (member.min, member.max, member.format) == ("0", "0", "%g")
    read_number(member.step)


def test_row_24_a_light_is_read_only_whatever_is_sent() -> None:
    assert only(DefVector, element("defLightVector", perm="rw")).perm == "ro"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", ["device", "name"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_vector_without_device_or_name_is_reported(kind: str, missing: str, value: str | None) -> None:
    for verb in ("def", "set", "new"):
        data = element(f"{verb}{kind}Vector", **{missing: value or ""})
        if value is None:
            data = data.replace(f' {missing}=""'.encode(), b"")
        report, good = read(data + GOOD)
        assert isinstance(report, Malformed) and f"no {missing}" in report.reason
        assert good == GOOD_MESSAGE


def test_a_member_without_a_name_is_left_out_and_reported() -> None:
    inner = '<oneText>x</oneText><oneText name=" ">x</oneText><oneText name="t">good</oneText>'
    vector, report = read(element("setTextVector", inner, name="GOOD"))
    assert vector == GOOD_MESSAGE
    assert isinstance(report, Malformed) and report.device == "D"
    assert "'GOOD'" in report.reason and "no name" in report.reason


# -- updates ---------------------------------------------------------------------------------


def test_row_21_updates_of_what_was_never_defined_are_delivered() -> None:
    assert read(GOOD * 2) == [GOOD_MESSAGE] * 2


def test_members_read_plainly_are_their_tuple() -> None:
    plain = OneMembers(("a", "b"), "1\x002")
    usual = (OneMember("a", "1"), OneMember("b", "2"))
    assert plain == usual and usual == plain and plain == OneMembers(("a", "b"), "1\x002")
    assert plain != usual[:1] and plain != OneMembers(("a", "b"), "1\x003")
    assert (hash(plain), repr(plain), len(plain)) == (hash(usual), repr(usual), 2)
    assert tuple(plain) == usual and plain[1] == usual[1] and plain[:1] == usual[:1]
    assert pickle.loads(pickle.dumps(plain)) == usual
    assert (
        plain.values == ("1", "2")
        and OneMembers((), "").values == ()
        and OneMembers(("a",), "").values == ("",)
    )


def test_row_22_an_update_may_have_no_members() -> None:
    expected = SetVector("Switch", "D", "N", "Ok", None, None, "done", ())
    assert read(element("setSwitchVector", state="Ok", message="done")) == [expected]
    assert read(b'<setSwitchVector device="D" name="N" state="Ok" message="done"/>') == [expected]


@pytest.mark.parametrize("state", ["Bogus", "ok", "OK", "Ok2", "", "Idle Busy", None])
def test_row_23_an_update_with_a_state_unknown_or_missing_leaves_the_state(state: str | None) -> None:
    attributes = {} if state is None else {"state": state}
    vector = only(SetVector, element("setTextVector", '<oneText name="t">x</oneText>', **attributes))
    assert vector.state is None
    assert vector.members == (OneMember("t", "x"),)


@pytest.mark.parametrize("state", ["Idle", "Ok", "Busy", "Alert"])
def test_states_are_known(state: str) -> None:
    assert only(SetVector, element("setTextVector", state=state)).state == state
    assert only(SetVector, element("setTextVector", state=f" {state}\n")).state == state


READABLE = [
    ("5", 5.0),
    ("-0.10000000000000000555", -0.1),
    ("1234567890123456789012345", 1234567890123456789012345.0),
    ("12:30:00", 12.5),
    ("-0:30", -0.5),
    ("12 30 00", 12.5),
    ("12h30m", 12.5),
    ("12,5", 12 + 5 / 60),
    ("1e400", math.inf),
    ("-inf", -math.inf),
    ("nan", math.nan),
    ("0x10", 16.0),
]


@pytest.mark.parametrize(("text", "value"), READABLE)
def test_row_25_numbers_are_delivered_as_the_text_received(text: str, value: float) -> None:
    (member,) = set_number(f"\n      {text}\n  ").members
    assert member == OneMember("n", text)
    assert read_number(text) == value or (math.isnan(value) and math.isnan(read_number(text)))
    data = element("defNumberVector", f'<defNumber name="n" min="{text}">{text}</defNumber>')
    (defined,) = only(DefVector, data).members
    assert (defined.value, defined.min) == (text, text)


@pytest.mark.parametrize("text", ["", " ", "five", "-", "&lt;5&gt;", "N12:30"])
def test_row_25_and_defect_26_a_number_that_is_none_loses_none_of_its_siblings(text: str) -> None:
    values = {"a": "1", "b": text, "c": "3"}
    inner = "".join(f'<oneNumber name="{name}">{value}</oneNumber>' for name, value in values.items())
    vector, report = read(element("setNumberVector", inner, state="Ok"))
    assert isinstance(vector, SetVector) and vector.state == "Ok"
    assert vector.members == (OneMember("a", "1"), OneMember("c", "3"))
    assert isinstance(report, Malformed) and "'b'" in report.reason and report.device == "D"


def test_row_25_a_defined_number_that_is_none_is_nan() -> None:
    vector = only(DefVector, element("defNumberVector", '<defNumber name="n">five</defNumber>'))
    assert vector.members[0].value == "nan"


def test_row_26_a_number_may_come_with_new_limits() -> None:
    vector = set_number("8", ' min="10" max="8" step="0.5"')  # as the CCD simulator sends
    assert vector.members == (OneMember("n", "8", ("10", "8", "0.5")),)
    assert set_number("1e6", ' max="10"').members == (OneMember("n", "1e6", (None, "10", None)),)
    assert set_number("1", ' min="low" max="" step="2"').members == (OneMember("n", "1", (None, None, "2")),)


HOSTILE_FORMATS = [
    "%n", "%s", "%d", "%999999999d", "%*f", "%(x)s", "%.6m", "foo", "%", "%%", "%99999999999999999999.6m",
]  # fmt: skip


@pytest.mark.parametrize("form", HOSTILE_FORMATS)
def test_row_27_and_defect_16_a_hostile_format_is_delivered_and_prints_something_short(form: str) -> None:
    vector = only(
        DefVector, element("defNumberVector", f'<defNumber name="n" format="{form}">1.5</defNumber>')
    )
    assert vector.members[0].format == form
    assert len(format_number(form, 1.5)) < 64


@pytest.mark.parametrize("text", ["On", " On ", "\nOn\n", "<!-- -->On"])
def test_row_28_a_switch_is_trimmed(text: str) -> None:
    vector = only(SetVector, element("setSwitchVector", f'<oneSwitch name="s">{text}</oneSwitch>'))
    assert vector.members == (OneMember("s", "On"),)


@pytest.mark.parametrize("text", ["ON", "on", "1", "", "On Off", "Yes"])
@pytest.mark.parametrize(("kind", "good"), [("Switch", "On"), ("Light", "Busy")])
def test_row_28_and_defect_26_a_word_that_is_none_loses_none_of_its_siblings(
    text: str, kind: str, good: str
) -> None:
    inner = f'<one{kind} name="a">{text}</one{kind}><one{kind} name="b">{good}</one{kind}>'
    vector, report = read(element(f"set{kind}Vector", inner))
    assert isinstance(vector, SetVector) and vector.members == (OneMember("b", good),)
    assert isinstance(report, Malformed) and "'a'" in report.reason
    defined = only(DefVector, element(f"def{kind}Vector", inner.replace("one", "def")))
    assert [member.value for member in defined.members] == ["Off" if kind == "Switch" else "Idle", good]


@pytest.mark.parametrize("values", [("Off", "Off"), ("On", "On")])
def test_row_28_the_rule_of_switches_is_not_for_the_client_to_judge(values: tuple[str, str]) -> None:
    inner = "".join(
        f'<oneSwitch name="{name}">{value}</oneSwitch>' for name, value in zip("ab", values, strict=True)
    )
    vector = only(SetVector, element("setSwitchVector", inner))
    assert vector.members == tuple(OneMember(name, value) for name, value in zip("ab", values, strict=True))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("   ", ""),
        ("\n \n", ""),
        ("  outer  inner  ", "outer  inner"),
        ("\nfirst\n  second\n", "first\n  second"),
        ("&lt;b&gt; &amp;amp;", "<b> &amp;"),
    ],
)
def test_row_29_a_text_is_exact_after_trimming(written: str, meant: str) -> None:
    assert text_of(text_vector(written.encode())) == meant
    defined = only(DefVector, element("defTextVector", f'<defText name="t">{written}</defText>'))
    assert defined.members[0].value == meant


def test_row_29_a_text_may_have_a_megabyte() -> None:
    line = "0123456789 αβγ &lt;&amp;"
    assert text_of(text_vector((line * 32_000).encode())) == "0123456789 αβγ <&" * 32_000


# -- BLOBs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("attributes", ['size="0" format=".fits"', 'size="0" format=".fits" enclen="0"', ""])
def test_row_30_and_defect_26_a_blob_without_content_is_no_error(attributes: str) -> None:
    blob = set_blob("\n", attributes)
    assert blob.payload is None
    assert blob.error == ""


@pytest.mark.parametrize(
    "content",
    [
        "QUJDREVGRw==",
        "QUJD\nREVG\nRw==",
        "QUJD\r\nREVG\r\nRw==\r\n",
        "\n      QUJD\n      REVGRw==\n  ",
        "QUJDREVGRw",
        "QUJDREVGRw=",
        "QUJD<!-- > -->REVGRw==",
    ],
)
def test_row_31_base64_may_be_wrapped_and_indented_and_lack_padding(content: str) -> None:
    assert set_blob(content, 'size="7" format=".bin"') == OneBLOB("b", memoryview(b"ABCDEFG"), 7, ".bin", "")


@pytest.mark.parametrize("content", ["QUJD!REVGRw==", "QUJDREVGR", "\0", "&amp;"])
def test_row_31_damaged_base64_is_an_error_of_that_member_only(content: str) -> None:
    inner = f'<oneBLOB name="a">{content}</oneBLOB><oneBLOB name="b" size="3" format=".b">QUJD</oneBLOB>'
    damaged, good = only(SetVector, element("setBLOBVector", inner)).members
    assert isinstance(damaged, OneBLOB) and damaged.payload is None and damaged.error
    assert good == OneBLOB("b", memoryview(b"ABC"), 3, ".b", "")


def test_row_31_no_content_where_content_was_announced_is_an_error() -> None:
    blob = set_blob("", 'size="7" format=".bin"')
    assert blob.payload is None and blob.error


@pytest.mark.parametrize("size", ["", "-1", "many", "7.5", "1" * 30, "0x7", "\u0667", None])
def test_row_32_a_size_that_is_none_is_not_known(size: str | None) -> None:
    blob = set_blob("QUJDREVGRw==", "" if size is None else f'size="{size}"')
    assert blob == OneBLOB("b", memoryview(b"ABCDEFG"), None, "", "")


@pytest.mark.parametrize("size", ["5", "900000000000"])
def test_row_32_a_size_that_is_wrong_is_reported_with_the_payload(size: str) -> None:
    blob = set_blob("QUJDREVGRw==", f'size="{size}" format=".bin"')
    assert content(blob) == b"ABCDEFG"
    assert blob.error == f"7 bytes came, {size} were announced"


@pytest.mark.parametrize("form", [".fits.z", ".Z", ".stream.z"])
def test_row_32_compressed_content_is_shorter_than_its_size(form: str) -> None:
    assert set_blob("QUJDREVGRw==", f'size="100" format="{form}"').error == ""


def test_row_32_content_is_cut_to_len() -> None:
    blob = set_blob("QUJDREVGRwAAAAAA", 'size="100" len="7" format=".fits.z"')
    assert blob == OneBLOB("b", memoryview(b"ABCDEFG"), 100, ".fits.z", "")
    assert content(set_blob("QUJDREVGRw==", 'size="100" len="junk" format=".z"')) == b"ABCDEFG"


def test_row_32_content_shorter_than_len_is_an_error() -> None:
    blob = set_blob("QUJDREVGRw==", 'size="8" len="8"')
    assert blob.payload is None and "7 of 8" in blob.error


@pytest.mark.parametrize("size", ["900000000000", "-5"])
def test_row_32_no_memory_is_taken_because_of_a_size(size: str) -> None:
    assert content(set_blob("QUJD", f'size="{size}" enclen="{size}"')) == b"ABC"


def test_row_33_compressed_content_is_delivered_as_it_travelled() -> None:
    assert content(set_blob("QUJDREVGRw==", 'size="9" format=".z"')) == b"ABCDEFG"  # no zlib at all


@pytest.mark.parametrize("form", [".fits.fz", ".stream", "", ".Z", ".stream_jpg", "/../../x", "fits"])
def test_row_34_and_defect_26_any_format_is_passed_through(form: str) -> None:
    assert set_blob("QUJD", f'format="{form}"').format == form
    assert set_blob("QUJD", f'format="  {form}  "').format == form


@pytest.mark.parametrize(
    ("attributes", "size", "attached"),
    [
        ('attached="true" size="9" len="7"', 9, 7),
        ('attached="true" size="9"', 9, 9),
        ('attached="true" size="0"', 0, 0),
        ('attached="true" size="-1" len="x"', None, 0),
        ('attached="true"', None, 0),
    ],
)
def test_row_35_content_promised_as_a_file_descriptor_is_told_by_its_length(
    attributes: str, size: int | None, attached: int
) -> None:
    assert set_blob("", attributes) == OneBLOB("b", None, size, "", attached=attached)


def test_a_payload_is_read_only() -> None:
    payload = set_blob("QUJD", "").payload
    assert payload is not None and payload.readonly


# -- other elements --------------------------------------------------------------------------


def test_row_15_what_is_meant_for_drivers_is_told_from_values() -> None:
    stream = (
        element("newNumberVector", '<oneNumber name="n">5</oneNumber>', timestamp="2024-01-02T03:04:05")
        + b'<getProperties version="1.7"/><getProperties version="1.7" device="D" name="N"/>'
        + b'<pingReply uid="7"/><enableBLOB device="D">Also</enableBLOB>'
    )
    assert read(stream) == [
        NewVector("Number", "D", "N", STAMP, (OneMember("n", "5"),)),
        GetProperties(None, None, "1.7"),
        GetProperties("D", "N", "1.7"),
        PingReply("7"),
        EnableBLOB("Also", "D", None),
    ]


def test_row_16_a_ping_is_read_with_or_without_uid() -> None:
    assert read(b'<pingRequest uid="SetBLOB/1" /><pingRequest/>') == [
        PingRequest("SetBLOB/1"),
        PingRequest(""),
    ]


@pytest.mark.parametrize("name", ["", " ", "\n"])
def test_row_38_a_deletion_with_an_empty_name_deletes_nothing(name: str) -> None:
    assert only(Malformed, element("delProperty", name=name)).device == "D"


def test_row_38_a_deletion_without_device_deletes_nothing() -> None:
    report, good = read(b'<delProperty name="N"/>' + GOOD)
    assert isinstance(report, Malformed)
    assert good == GOOD_MESSAGE
    assert isinstance(read(b"<delProperty/>")[0], Malformed)
    assert isinstance(read(b'<delProperty device="" name="N"/>')[0], Malformed)


def test_row_38_deletions_of_a_property_and_of_a_device() -> None:
    assert read(element("delProperty", timestamp="2024-01-02T03:04:05", message="gone")) == [
        DelProperty("D", "N", STAMP, "gone")
    ]
    assert read(b'<delProperty device="D"/>' * 2) == [DelProperty("D", None, None, "")] * 2


def test_row_40_a_message_may_come_from_a_device_or_from_nowhere() -> None:
    assert read(b'<message device="D" timestamp="2024-01-02T03:04:05" message="[INFO] hello"/>') == [
        DeviceMessage("D", STAMP, "[INFO] hello")
    ]
    for device in (b"", b'device=""', b'device="  "'):
        assert read(b"<message " + device + b' message="hello"/>') == [DeviceMessage(None, None, "hello")]


@pytest.mark.parametrize(
    "empty", [b"<message/>", b'<message device="D"/>', b'<message device="D" message="  "/>']
)
def test_row_40_an_empty_message_says_nothing(empty: bytes) -> None:
    assert read(empty + GOOD) == [GOOD_MESSAGE]


def test_row_40_and_defect_26_messages_come_one_by_one_from_devices_known_or_not() -> None:
    stream = "".join(f'<message device="D{n}" message="{n}"/>' for n in range(100))
    assert read(stream.encode()) == [DeviceMessage(f"D{n}", None, str(n)) for n in range(100)]


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2024-01-02T03:04:05", STAMP),
        ("2024-01-02T03:04:05.5", STAMP + timedelta(seconds=0.5)),
        ("2024-01-02T03:04:05.123456789", STAMP + timedelta(microseconds=123456)),
        ("2024-01-02T03:04:05.5Z", STAMP + timedelta(seconds=0.5)),
        ("2024-01-02T03:04:05+02:00", STAMP - timedelta(hours=2)),
        ("0000-01-02T03:04:05", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_row_41_and_defect_22_timestamps(text: str | None, stamp: datetime | None) -> None:
    attributes = {} if text is None else {"timestamp": text}
    for tag in ("defTextVector", "setTextVector", "newTextVector", "delProperty"):
        (message,) = read(element(tag, **attributes))
        assert getattr(message, "timestamp") == stamp  # noqa: B009  # four types have it
    assert stamp is None or stamp.tzinfo is timezone.utc


@pytest.mark.parametrize(
    ("text", "defined", "updated"),
    [
        (None, 0.0, None),
        ("", 0.0, None),
        ("0", 0.0, 0.0),
        ("60", 60.0, 60.0),
        ("1e6", 1e6, 1e6),
        (" 2.5 ", 2.5, 2.5),
        ("-5", 0.0, 0.0),
        ("soon", 0.0, None),
        ("nan", 0.0, None),
        ("inf", 0.0, None),
        ("9" * 400, 0.0, None),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_row_42_and_defect_18_timeouts(
    kind: str, text: str | None, defined: float, updated: float | None
) -> None:
    attributes = {} if text is None else {"timeout": text}
    assert only(DefVector, element(f"def{kind}Vector", **attributes)).timeout == defined
    assert only(SetVector, element(f"set{kind}Vector", **attributes)).timeout == updated


def test_row_44_attributes_of_indigo_are_ignored() -> None:
    inner = "<defNumber name='n' target='7' hints='order: 10'>5</defNumber>"
    vector = only(DefVector, element("defNumberVector", inner, hints="order: 10", token="FF", client="c"))
    assert vector.members == (DefMember("n", "", "5"),)
    # as INDIGO writes updates: single quotes, no timeout
    member = b"<oneNumber name='n' target='7'>5</oneNumber>"
    data = b"<setNumberVector device='D' name='N' state='Ok'>" + member + b"</setNumberVector>"
    assert read(data) == [SetVector("Number", "D", "N", "Ok", None, None, "", (OneMember("n", "5"),))]


def test_row_44_a_blob_to_be_fetched_by_http_has_no_content() -> None:
    blob = set_blob("", "path='/blob/0x55' url='http://localhost:7624/blob/0x55' format='.fits'")
    assert blob == OneBLOB("b", None, None, ".fits", "")
