"""Commands checked against the state: what goes out, and what is refused in which words."""

from __future__ import annotations

import array
import copy
import enum
import io
import os
import pickle
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, BinaryIO

import pytest

from indipyclient.errors import (
    INDIError,
    InvalidValue,
    NotConnected,
    ReadOnly,
    UnknownDevice,
    UnknownMember,
    UnknownName,
    UnknownVector,
)
from indipyclient.protocol.messages import (
    DefMember,
    DefVector,
    DelProperty,
    Kind,
    Message,
    NewVector,
    OneBLOB,
)
from indipyclient.state.apply import apply
from indipyclient.state.commands import find_vector, new_vector
from indipyclient.state.snapshots import Snap

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


# -- making states and commands --------------------------------------------------------------


def define(kind: Kind, name: str, *members: DefMember, **fields: Any) -> DefVector:
    rule = "OneOfMany" if kind == "Switch" else None
    message = DefVector(kind, "Mount", name, "", "", "Idle", "rw", rule, 0.0, None, "", members)
    return message._replace(**fields)


def state(*messages: Message) -> Snap:
    snap = Snap("localhost", 7624)
    for message in messages:
        snap = apply(snap, message, NOW, lambda *names: ("", 1))
    return snap


COORDS = define("Number", "COORDS", DefMember("RA", "", "10"), DefMember("DEC", "", "-45.5"))
SWITCHES = [DefMember("a", "", "On"), DefMember("b", "", "Off"), DefMember("c", "", "Off")]
NAMES = define("Text", "NAMES", DefMember("first", "", "Ada"), DefMember("last", "", "Lovelace"))
LIGHTS = define("Light", "LIGHTS", DefMember("l", "", "Ok"), perm="ro")
IMAGE = define("BLOB", "IMAGE", DefMember("raw", ""), DefMember("dark", ""))
MOUNT = state(
    COORDS,
    *(define("Switch", rule, *SWITCHES, rule=rule) for rule in ("OneOfMany", "AtMostOne", "AnyOfMany")),
    NAMES,
    LIGHTS,
    IMAGE,
)


def command(vector: str, members: Mapping[Any, Any], snap: Snap = MOUNT) -> NewVector:
    return new_vector(snap, "Mount", vector, members, NOW)


def sent(vector: str, members: Mapping[Any, Any], snap: Snap = MOUNT) -> list[tuple[str, str]]:
    """Names and values as they go out."""
    return [one[:2] for one in command(vector, members, snap).members]  # type: ignore[misc]


def sent_blob(value: Any) -> OneBLOB:
    (one,) = command("IMAGE", {"raw": value}).members
    assert isinstance(one, OneBLOB)
    return one


# -- the message -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vector", "kind", "members"),
    [
        ("COORDS", "Number", {"RA": 1, "DEC": 2}),
        ("OneOfMany", "Switch", {"a": "On"}),
        ("NAMES", "Text", {"first": "Grace"}),
        ("IMAGE", "BLOB", {"raw": b"frame"}),
    ],
)
def test_a_command_says_for_which_vector_it_is_and_when_it_was_given(
    vector: str, kind: Kind, members: dict[str, Any]
) -> None:
    stamp = NOW + timedelta(microseconds=5)
    message = new_vector(MOUNT, "Mount", vector, members, stamp)
    assert message[:4] == (kind, "Mount", vector, stamp)


@pytest.mark.parametrize("mapping", [dict, OrderedDict, MappingProxyType])
def test_any_mapping_of_members_will_do(mapping: Any) -> None:
    assert sent("OneOfMany", mapping({"a": "On"})) == [("a", "On")]


def test_a_snapshot_of_a_vector_is_such_a_mapping() -> None:
    assert sent("NAMES", MOUNT["Mount"]["NAMES"]) == [("first", "Ada"), ("last", "Lovelace")]


def test_a_command_changes_neither_the_state_nor_what_was_given() -> None:
    before, members = MOUNT.dumps(), {"RA": 1}
    command("COORDS", members)
    assert MOUNT.dumps() == before
    assert members == {"RA": 1}


# -- numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (-0.0, "-0.0"),
        (1.5, "1.5"),
        (1e-9, "1e-09"),
        (10**20, "100000000000000000000"),
        (Fraction(1, 4), "0.25"),
        (Decimal("1.25"), "1.25"),
        ("12.50", "12.50"),
        (" 7 ", "7"),
        ("+5", "+5"),
        ("-1:30", "-1.5"),
        ("12:30:00", "12.5"),
        ("12 30 00", "12.5"),
        ("12h30m", "12.5"),
        ("1_000", "1000.0"),
    ],
)
def test_a_number_goes_out_as_a_decimal(value: object, text: str) -> None:
    assert sent("COORDS", {"RA": value, "DEC": 0}) == [("RA", text), ("DEC", "0")]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (True, "A number is expected, not bool"),
        (None, "A number is expected, not NoneType"),
        (b"1", "A number is expected, not bytes"),
        ([1], "A number is expected, not list"),
        (1j, "A number is expected, not complex"),
        ("", "No number in ''"),
        ("-", "No number in '-'"),
        ("east", "No number in 'east'"),
        ("junk" * 1000, "No number in '" + "junk" * 10 + "'"),
        ("nan", "A finite number is expected, not nan"),
        (float("inf"), "A finite number is expected, not inf"),
        ("1e400", "A finite number is expected, not inf"),
        (10**400, "Number too large"),
    ],
)
def test_what_is_no_finite_number_is_refused(value: object, reason: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        command("COORDS", {"RA": value})
    assert str(caught.value) == f"number 'RA' of 'Mount' 'COORDS': {reason}"


@pytest.mark.parametrize("members", [{"RA": 1}, {"DEC": 1}])
def test_numbers_not_named_go_out_with_their_present_value_in_the_order_of_definition(
    members: dict[str, int],
) -> None:
    present = {"RA": "10", "DEC": "-45.5"}
    assert sent("COORDS", members) == list((present | dict.fromkeys(members, "1")).items())


@pytest.mark.parametrize(
    ("present", "text"),
    [
        ("10.50", "10.50"),
        ("-0:30", "-0.5"),
        # libindi would read 123000
        ("12 30 00", "12.5"),
        ("1_000", "1000.0"),
        ("\N{FULLWIDTH DIGIT ONE}", "1.0"),
    ],
)
def test_present_values_go_out_as_decimals_too(present: str, text: str) -> None:
    snap = state(define("Number", "V", DefMember("a", "", "1"), DefMember("b", "", present)))
    assert sent("V", {"a": 2}, snap) == [("a", "2"), ("b", text)]


@pytest.mark.parametrize("present", ["nan", "inf", "-1e400", "", "junk"])
def test_a_present_value_that_is_no_number_is_not_sent_back(present: str) -> None:
    snap = state(define("Number", "V", DefMember("a", "", "1"), DefMember("b", "", present)))
    assert sent("V", {"a": 2}, snap) == [("a", "2")]


# -- switches --------------------------------------------------------------------------------


@pytest.mark.parametrize(("on", "off"), [("On", "Off"), (True, False)])
def test_switches_take_words_and_bools(on: object, off: object) -> None:
    assert sent("AnyOfMany", {"a": off, "b": on}) == [("a", "Off"), ("b", "On")]


def test_just_the_switches_named_are_sent() -> None:
    assert sent("OneOfMany", {"b": "On"}) == [("b", "On")]
    assert sent("AtMostOne", {"a": "Off"}) == [("a", "Off")]


def test_switches_go_off_before_others_go_on() -> None:
    """So that the driver never sees two of them On."""
    assert sent("OneOfMany", {"c": "On", "b": "Off", "a": "Off"}) == [("b", "Off"), ("a", "Off"), ("c", "On")]


def test_a_word_of_an_enum_goes_out_as_the_word() -> None:
    class Power(str, enum.Enum):
        ON = "On"

    (one,) = command("OneOfMany", {"a": Power.ON}).members
    assert f"{one[1]}" == "On" and type(one[1]) is str


@pytest.mark.parametrize(
    "value", ["on", "ON", " On", "", "1", 1, 0, None, b"On", 1.0, ["On"], array.array("b")]
)
def test_what_is_no_switch_value_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue) as caught:
        command("AnyOfMany", {"a": value})
    assert str(caught.value) == (f"switch 'a' of 'Mount' 'AnyOfMany' takes On, Off or a bool, not {value!r}")


@pytest.mark.parametrize("rule", ["OneOfMany", "AtMostOne"])
@pytest.mark.parametrize("on", ["ab", "abc"])
def test_more_than_one_switch_on_is_refused_where_the_rule_forbids_it(rule: str, on: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        command(rule, dict.fromkeys(on, "On"))
    names = " and ".join(f"'{name}'" for name in on)
    assert str(caught.value) == f"'Mount' '{rule}' allows one switch On, not {names}"


def test_any_number_of_switches_may_be_on_where_the_rule_allows_it() -> None:
    assert sent("AnyOfMany", dict.fromkeys("abc", True)) == [("a", "On"), ("b", "On"), ("c", "On")]


# -- texts -----------------------------------------------------------------------------------


def test_texts_not_named_go_out_with_their_present_value() -> None:
    assert sent("NAMES", {"last": "Hopper"}) == [("first", "Ada"), ("last", "Hopper")]


@pytest.mark.parametrize("text", ["", "  ", "<&\"'>", "20 \N{DEGREE SIGN}C"])
def test_any_text_goes_out_as_it_is(text: str) -> None:
    assert sent("NAMES", {"first": text, "last": ""}) == [("first", text), ("last", "")]


@pytest.mark.parametrize("value", [5, None, b"Ada", True, ["Ada"]])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue) as caught:
        command("NAMES", {"first": value})
    assert str(caught.value) == f"text 'first' of 'Mount' 'NAMES' takes a str, not {value!r}"


def test_an_error_shows_no_more_than_the_beginning_of_a_long_value() -> None:
    for vector, member in [("NAMES", "first"), ("AnyOfMany", "a")]:
        with pytest.raises(InvalidValue) as caught:
            command(vector, {member: ["x" * 1000]})
        assert len(str(caught.value)) < 150


# -- BLOBs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"frame", bytearray(b"frame"), memoryview(b"frame")])
def test_a_blob_is_bytes(content: Any) -> None:
    one = sent_blob(content)
    assert one.payload is not None and one.payload.tobytes() == b"frame"
    assert one[2:4] == (5, "")


def test_a_blob_of_larger_items_is_measured_in_bytes() -> None:
    one = sent_blob(memoryview(array.array("d", [1.0, 2.0])))
    assert one.payload is not None and (one.payload.format, one.payload.nbytes, one.size) == ("B", 16, 16)


def test_bytes_are_not_copied() -> None:
    content = b"frame"
    one = sent_blob(content)
    assert one.payload is not None and one.payload.obj is content


@pytest.mark.parametrize(
    ("value", "size", "form"),
    [
        ((b"frame", 0, ".fits"), 5, ".fits"),
        ((b"frame", 0, ""), 5, ""),
        ((b"frame", 1000, ".fits.z"), 1000, ".fits.z"),
        ([b"frame", 0, ".fits"], 5, ".fits"),
    ],
)
def test_size_and_format_are_those_given(value: tuple[bytes, int, str], size: int, form: str) -> None:
    assert sent_blob(value)[2:4] == (size, form)


@pytest.mark.parametrize("make", [str, Path], ids=["str", "Path"])
@pytest.mark.parametrize(("given", "form"), [("", ".fits.z"), (".other", ".other")])
def test_a_blob_may_be_the_path_of_a_file_whose_suffixes_are_its_format(
    tmp_path: Path, make: Any, given: str, form: str
) -> None:
    path = tmp_path / "frame.fits.z"
    path.write_bytes(b"frame")
    for value in [(make(path), 0, given), *([] if given else [make(path)])]:
        one = sent_blob(value)
        assert (bytes(one.payload or b""), one.size, one.format) == (b"frame", 5, form)


def test_a_path_may_begin_with_the_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USERPROFILE" if os.name == "nt" else "HOME", str(tmp_path))
    (tmp_path / "frame.bin").write_bytes(b"frame")
    assert bytes(sent_blob("~/frame.bin").payload or b"") == b"frame"


class Counted:
    """An object like a file, without being one; 0.9 took those."""

    closed = 0

    def seek(self, place: int) -> None: ...

    def read(self) -> bytes:
        return b"frame"

    def close(self) -> None:
        self.closed += 1


def test_an_open_file_is_sent_from_its_beginning_and_closed(tmp_path: Path) -> None:
    path = tmp_path / "frame.fits"
    path.write_bytes(b"frame")
    opened: list[BinaryIO] = [path.open("rb"), io.BytesIO(b"frame")]
    for file in opened:
        file.read(3)
        one = sent_blob(file)
        assert (bytes(one.payload or b""), one.size, one.format) == (b"frame", 5, "")
        assert file.closed


def test_what_reads_like_a_file_is_one() -> None:
    file = Counted()
    assert bytes(sent_blob(file).payload or b"") == b"frame"
    assert file.closed == 1


def test_just_the_blobs_named_are_sent() -> None:
    assert [one.name for one in command("IMAGE", {"dark": b"1", "raw": b"2"}).members] == ["dark", "raw"]


@pytest.mark.parametrize("value", [b"", bytearray(), memoryview(b""), (b"", 5, ".x"), io.BytesIO()])
def test_an_empty_blob_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"^BLOB 'raw' of 'Mount' 'IMAGE' is empty$"):
        command("IMAGE", {"raw": value})


@pytest.mark.parametrize(
    "value", [(b"x", -1, ""), (b"x", "5", ""), (b"x", 1.0, ""), (b"x", 0, None), (b"x", 0, b".x")]
)
def test_a_size_or_format_of_the_wrong_type_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue) as caught:
        command("IMAGE", {"raw": value})
    assert str(caught.value) == "BLOB 'raw' of 'Mount' 'IMAGE' takes a size in bytes and a format as str"


@pytest.mark.parametrize(
    "value",
    [None, 5, [b"x", 0], (b"x", 0), (b"x",), (), {"x": 1}, Counted, PurePosixPath],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_blob_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"^BLOB 'raw' of 'Mount' 'IMAGE' cannot be read: "):
        command("IMAGE", {"raw": value})


def unreadable() -> Iterator[Any]:
    closed = io.BytesIO(b"frame")
    closed.close()
    yield pytest.param(closed, "closed file", id="closed file")
    yield pytest.param("/nonexistent/frame.fits", "No such file", id="missing file")
    yield pytest.param(Path(__file__).parent, "", id="folder")
    yield pytest.param("a\0b", "null", id="NUL in the path")
    yield pytest.param("~nobody-of-this-name/x", "", id="unknown home")
    yield pytest.param(memoryview(b"abcdef")[::2], "contiguous", id="scattered view")
    yield pytest.param(io.StringIO("frame"), "not str", id="text file")


@pytest.mark.parametrize(("value", "reason"), list(unreadable()))
def test_a_blob_that_cannot_be_read_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(InvalidValue, match=f"^BLOB 'raw' of 'Mount' 'IMAGE' cannot be read: .*{reason}"):
        command("IMAGE", {"raw": value})


def test_the_text_of_a_file_is_not_taken_for_a_path() -> None:
    with pytest.raises(InvalidValue, match="not str"):
        command("IMAGE", {"raw": io.StringIO(__file__)})


# -- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "error", "text"),
    [
        (("Muont", "COORDS", "RA"), UnknownDevice, "no device 'Muont'; did you mean 'Mount'?"),
        (("Camera", "COORDS", "RA"), UnknownDevice, "no device 'Camera'; known: 'Mount'"),
        (
            ("Mount", "CORDS", "RA"),
            UnknownVector,
            "no vector of 'Mount' 'CORDS'; did you mean 'COORDS'?",
        ),
        (
            ("Mount", "OneMany", "a"),
            UnknownVector,
            "no vector of 'Mount' 'OneMany'; did you mean 'OneOfMany' or 'AnyOfMany'?",
        ),
        (
            ("Mount", "xyz", "a"),
            UnknownVector,
            "no vector of 'Mount' 'xyz'; known: 'COORDS', 'OneOfMany', 'AtMostOne', 'AnyOfMany', 'NAMES', "
            "'LIGHTS', 'IMAGE'",
        ),
        (
            ("Mount", "COORDS", "DECL"),
            UnknownMember,
            "no member of 'Mount' 'COORDS' 'DECL'; did you mean 'DEC'?",
        ),
        (
            ("Mount", "COORDS", "ALT"),
            UnknownMember,
            "no member of 'Mount' 'COORDS' 'ALT'; known: 'RA', 'DEC'",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_those_that_are_near_or_known(
    address: tuple[str, str, str], error: type[UnknownName], text: str
) -> None:
    device, vector, member = address
    with pytest.raises(error) as caught:
        new_vector(MOUNT, device, vector, {member: 1}, NOW)
    assert str(caught.value) == text
    assert isinstance(caught.value, KeyError)


def test_before_anything_is_known_the_error_says_so() -> None:
    with pytest.raises(UnknownDevice, match=r"^no device 'Mount'; none is known yet$"):
        new_vector(Snap("localhost", 7624), "Mount", "COORDS", {"RA": 1}, NOW)


def test_no_more_than_ten_names_are_listed() -> None:
    snap = state(*(define("Text", f"V{number}", DefMember("t", "")) for number in range(12)))
    with pytest.raises(UnknownVector, match=r"known: 'V0', .*'V9', \.\.\.$"):
        command("something else", {"t": ""}, snap)


@pytest.mark.parametrize("name", [None, 5, ["Mount"], b"Mount", ("Mount",), ""])
def test_a_name_that_is_no_str_is_unknown(name: Any) -> None:
    with pytest.raises(UnknownDevice):
        new_vector(MOUNT, name, "COORDS", {"RA": 1}, NOW)
    with pytest.raises(UnknownVector):
        new_vector(MOUNT, "Mount", name, {"RA": 1}, NOW)


@pytest.mark.parametrize("name", [None, 5, b"RA", ("RA",), ""])
def test_a_member_name_that_is_no_str_is_unknown(name: Any) -> None:
    with pytest.raises(UnknownMember):
        command("COORDS", {"RA": 1, name: 1})


def test_one_unknown_member_is_enough_to_refuse_all() -> None:
    with pytest.raises(UnknownMember, match="'ALT'"):
        command("COORDS", {"RA": 1, "ALT": 2})


def test_what_was_deleted_is_unknown_and_not_suggested() -> None:
    coords = DelProperty("Mount", "COORDS", None, "")
    with pytest.raises(UnknownVector, match=r"no vector of 'Mount' 'COORDS'; known: 'NAMES'$"):
        command("COORDS", {"RA": 1}, state(COORDS, NAMES, coords))
    with pytest.raises(UnknownDevice, match="no device 'Mount'; none is known yet"):
        command("COORDS", {"RA": 1}, state(COORDS, coords))


def test_find_vector_returns_the_node() -> None:
    assert find_vector(MOUNT, "Mount", "COORDS") is MOUNT["Mount"]["COORDS"]


# -- permission, and members as a whole ------------------------------------------------------


def test_a_light_takes_no_commands() -> None:
    with pytest.raises(ReadOnly, match=r"^'Mount' 'LIGHTS' is read-only$"):
        command("LIGHTS", {"l": "Ok"})


def test_a_read_only_vector_takes_no_commands() -> None:
    with pytest.raises(ReadOnly, match=r"^'Mount' 'COORDS' is read-only$") as caught:
        command("COORDS", {"RA": 1}, state(COORDS._replace(perm="ro")))
    assert isinstance(caught.value, PermissionError)


def test_a_write_only_vector_takes_commands() -> None:
    assert sent("COORDS", {"RA": 1}, state(COORDS._replace(perm="wo")))[0] == ("RA", "1")


@pytest.mark.parametrize("vector", ["COORDS", "NAMES"])
def test_a_command_without_members_sends_what_stands_there(vector: str) -> None:
    """As indipyterm does when a form is submitted untouched."""
    assert [name for name, _ in sent(vector, {})] == list(MOUNT["Mount"][vector])


@pytest.mark.parametrize("vector", ["OneOfMany", "IMAGE"])
def test_a_command_without_members_is_refused(vector: str) -> None:
    with pytest.raises(InvalidValue, match=f"^no member of 'Mount' '{vector}' was given a value$"):
        command(vector, {})


@pytest.mark.parametrize("members", [None, 5, "RA", [("RA", 1)], ("RA", 1), {"RA"}])
def test_members_that_are_no_mapping_are_refused(members: Any) -> None:
    with pytest.raises(TypeError, match=f"not {type(members).__name__}$"):
        command("COORDS", members)


# -- the errors themselves -------------------------------------------------------------------

ERRORS = [
    UnknownDevice("device", "Muont", ["Mount", "Camera"]),
    UnknownVector("vector of 'Mount'", "CORDS", ["COORDS"]),
    UnknownMember("member of 'Mount' 'COORDS'", "ALT", ["RA", "DEC"]),
    UnknownName("thing", None, []),
    ReadOnly("'Mount' 'LIGHTS' is read-only"),
    InvalidValue("number 'RA' of 'Mount' 'COORDS': no"),
    NotConnected("no connection"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "duplicate",
    [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy],
    ids=["pickle", "copy", "deepcopy"],
)
def test_an_error_survives_being_copied(error: INDIError, duplicate: Any) -> None:
    copied = duplicate(error)
    assert type(copied) is type(error)
    assert str(copied) == str(error)
    assert vars(copied) == vars(error)


@pytest.mark.parametrize(
    ("error", "parent"),
    [
        (UnknownDevice, KeyError),
        (UnknownVector, KeyError),
        (UnknownMember, KeyError),
        (ReadOnly, PermissionError),
        (InvalidValue, ValueError),
        (NotConnected, ConnectionError),
    ],
)
def test_an_error_has_the_standard_parent_and_ours(error: type[INDIError], parent: type[Exception]) -> None:
    assert issubclass(error, parent) and issubclass(error, INDIError)


def test_an_unknown_name_keeps_what_was_looked_for() -> None:
    with pytest.raises(UnknownMember) as caught:
        command("COORDS", {"ALT": 1})
    assert (caught.value.name, caught.value.known) == ("ALT", ("RA", "DEC"))
    assert caught.value.what == "member of 'Mount' 'COORDS'"
