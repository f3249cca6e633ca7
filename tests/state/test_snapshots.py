"""Snapshots: frozen, readable as those of 0.9, and with the JSON that 0.9 wrote."""

from __future__ import annotations

import base64
import copy
import io
import json
import pickle
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from itertools import count
from typing import Any

import pytest

from indipyclient.protocol.messages import (
    KINDS,
    DefMember,
    DefVector,
    DeviceMessage,
    Kind,
    Message,
    OneBLOB,
    OneMember,
    SetVector,
)
from indipyclient.protocol.scanner import Scanner
from indipyclient.state.apply import apply, set_user_string
from indipyclient.state.members import SnapBLOBMember, SnapMember, SnapNumberMember
from indipyclient.state.snapshots import Snap, SnapDevice
from indipyclient.state.vectors import SnapNumberVector, SnapVector

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)

# -- what 0.9.4 made of a session ------------------------------------------------------------

SESSION = b"""
<defNumberVector device="D" name="N" label="Num" group="G" state="Idle" perm="rw" timeout="5"
  timestamp="2024-01-02T03:04:05">
  <defNumber name="x" label="X" format="%8.3f" min="0" max="10" step="1">1.5</defNumber>
</defNumberVector>
<defSwitchVector device="D" name="S" label="Sw" group="G" state="Idle" perm="rw" rule="OneOfMany"
  timeout="5" timestamp="2024-01-02T03:04:05">
  <defSwitch name="a" label="A">On</defSwitch><defSwitch name="b" label="B">Off</defSwitch>
</defSwitchVector>
<defTextVector device="D" name="T" label="Tx" group="G" state="Idle" perm="rw" timeout="5"
  timestamp="2024-01-02T03:04:05"><defText name="t" label="T">hello</defText></defTextVector>
<defLightVector device="D" name="L" label="Lt" group="G" state="Idle" timestamp="2024-01-02T03:04:05">
  <defLight name="l" label="L">Ok</defLight></defLightVector>
<defBLOBVector device="D" name="B" label="Bl" group="G" state="Idle" perm="rw" timeout="5"
  timestamp="2024-01-02T03:04:05"><defBLOB name="b" label="B"/></defBLOBVector>
<setNumberVector device="D" name="N" state="Alert" timeout="5" timestamp="2024-01-02T03:04:08" message="hot">
  <oneNumber name="x">-1:30</oneNumber></setNumberVector>
<setBLOBVector device="D" name="B" state="Ok" timeout="5" timestamp="2024-01-02T03:04:07.123456">
  <oneBLOB name="b" size="8" format=".bin">MTIzNDU2Nzg=</oneBLOB></setBLOBVector>
<defNumberVector device="Dome 2" name="RATES" state="Busy" perm="wo" timeout="0.5"
  timestamp="2024-01-02T03:04:09.5">
  <defNumber name="az" format="%9.6m" min="0" max="360" step="0">-0:30</defNumber>
  <defNumber name="el" label="Elevation" format="%g" min="-90" max="+90" step="0.10">1e2</defNumber>
</defNumberVector>
<defSwitchVector device="Dome 2" name="ANY" state="Ok" perm="ro" rule="AnyOfMany"
  timestamp="2024-01-02T03:04:10"><defSwitch name="one">Off</defSwitch></defSwitchVector>
<defTextVector device="Dome 2" name="GONE" state="Ok" perm="rw" timestamp="2024-01-02T03:04:10">
  <defText name="t">a &lt; "b" &#176; \\ </defText></defTextVector>
<setTextVector device="Dome 2" name="GONE" timeout="3" timestamp="2024-01-02T03:04:11"
  message="leaving &#176;"></setTextVector>
<message device="Dome 2" timestamp="2024-01-02T03:04:12" message="first"/>
<message device="Dome 2" timestamp="2024-01-02T03:04:12.25" message="second"/>
<delProperty device="Dome 2" name="GONE" timestamp="2024-01-02T03:04:13" message="gone"/>
<delProperty device="D" name="T" timestamp="2024-01-02T03:04:13"/>
<message timestamp="2024-01-02T03:05:00" message="done"/>
"""

# Each update of the session has a timeout: without one, 0.9.4 showed null for it.
VECTORS = {
    "N": (
        '{"vectortype": "NumberVector", "name": "N", "devicename": "D", "label": "Num", "enable": true, '
        '"message": "hot", "message_timestamp": "2024-01-02T03:04:08+00:00", "group": "G", "state": "Alert", '
        '"timeout": 5.0, "timestamp": "2024-01-02T03:04:08+00:00", "perm": "rw", "user_string": "", '
        '"itemid": 2, "members": {"x": {"label": "X", "format": "%8.3f", "min": "0", "max": "10", '
        '"step": "1", "value": "-1:30", "floatvalue": -1.5, "formattedvalue": "  -1.500", "user_string": "", '
        '"itemid": 3}}}'
    ),
    "S": (
        '{"vectortype": "SwitchVector", "name": "S", "devicename": "D", "label": "Sw", "enable": true, '
        '"message": "", "message_timestamp": "2024-01-02T03:04:05+00:00", "group": "G", "state": "Idle", '
        '"timeout": 5.0, "timestamp": "2024-01-02T03:04:05+00:00", "rule": "OneOfMany", "perm": "rw", '
        '"user_string": "", "itemid": 4, "members": {"a": {"label": "A", "value": "On", "user_string": "", '
        '"itemid": 5}, "b": {"label": "B", "value": "Off", "user_string": "", "itemid": 6}}}'
    ),
    "T": (
        '{"vectortype": "TextVector", "name": "T", "devicename": "D", "label": "Tx", "enable": false, '
        '"message": "", "message_timestamp": "2024-01-02T03:04:05+00:00", "group": "G", "state": "Idle", '
        '"timeout": 5.0, "timestamp": "2024-01-02T03:04:05+00:00", "perm": "rw", "user_string": "", '
        '"itemid": 7, "members": {"t": {"label": "T", "value": "hello", "user_string": "", "itemid": 8}}}'
    ),
    "L": (
        '{"vectortype": "LightVector", "name": "L", "devicename": "D", "label": "Lt", "enable": true, '
        '"message": "", "message_timestamp": "2024-01-02T03:04:05+00:00", "group": "G", "state": "Idle", '
        '"timeout": null, "timestamp": "2024-01-02T03:04:05+00:00", "perm": "ro", "user_string": "", '
        '"itemid": 9, "members": {"l": {"label": "L", "value": "Ok", "user_string": "", "itemid": 10}}}'
    ),
    "B": (
        '{"vectortype": "BLOBVector", "name": "B", "devicename": "D", "label": "Bl", "enable": true, '
        '"message": "", "message_timestamp": "2024-01-02T03:04:05+00:00", "group": "G", "state": "Ok", '
        '"timeout": 5.0, "timestamp": "2024-01-02T03:04:07.123456+00:00", "perm": "rw", "user_string": "", '
        '"itemid": 11, "members": {"b": {"label": "B", "filename": "", "blobsize": 8, "blobformat": ".bin", '
        '"value": null, "user_string": "", "itemid": 12}}}'
    ),
}

DOME = (
    '{"devicename": "Dome 2", "enable": true, "messages": [["2024-01-02T03:04:13+00:00", "gone"], '
    '["2024-01-02T03:04:12.250000+00:00", "second"], ["2024-01-02T03:04:12+00:00", "first"]], '
    '"vectors": {"RATES": {"vectortype": "NumberVector", "name": "RATES", "devicename": "Dome 2", '
    '"label": "RATES", "enable": true, "message": "", '
    '"message_timestamp": "2024-01-02T03:04:09.500000+00:00", "group": "DEFAULT GROUP", "state": "Busy", '
    '"timeout": 0.5, "timestamp": "2024-01-02T03:04:09.500000+00:00", "perm": "wo", "user_string": "", '
    '"itemid": 14, "members": {"az": {"label": "az", "format": "%9.6m", "min": "0", "max": "360", '
    '"step": "0", "value": "-0:30", "floatvalue": -0.5, "formattedvalue": " -0:30:00", '
    '"user_string": "", "itemid": 15}, "el": {"label": "Elevation", "format": "%g", "min": "-90", '
    '"max": "+90", "step": "0.10", "value": "1e2", "floatvalue": 100.0, "formattedvalue": "100", '
    '"user_string": "", "itemid": 16}}}, "ANY": {"vectortype": "SwitchVector", "name": "ANY", '
    '"devicename": "Dome 2", "label": "ANY", "enable": true, "message": "", '
    '"message_timestamp": "2024-01-02T03:04:10+00:00", "group": "DEFAULT GROUP", "state": "Ok", '
    '"timeout": 0.0, "timestamp": "2024-01-02T03:04:10+00:00", "rule": "AnyOfMany", "perm": "ro", '
    '"user_string": "", "itemid": 17, "members": {"one": {"label": "one", "value": "Off", '
    '"user_string": "", "itemid": 18}}}, "GONE": {"vectortype": "TextVector", "name": "GONE", '
    r'"devicename": "Dome 2", "label": "GONE", "enable": false, "message": "leaving \u00b0", '
    '"message_timestamp": "2024-01-02T03:04:11+00:00", "group": "DEFAULT GROUP", "state": "Ok", '
    '"timeout": 3.0, "timestamp": "2024-01-02T03:04:11+00:00", "perm": "rw", "user_string": "", '
    r'"itemid": 19, "members": {"t": {"label": "t", "value": "a < \"b\" \u00b0 \\", "user_string": "", '
    '"itemid": 20}}}}, "user_string": "", "itemid": 13}'
)


def without_ids(text: str) -> str:
    return re.sub(r', "user_string": "", "itemid": \d+', "", text)


WHOLE = (
    '{"indihost": "127.0.0.1", "indiport": 7624, "connected": true, '
    '"messages": [["2024-01-02T03:05:00+00:00", "done"]], "devices": '
    '{"D": {"devicename": "D", "enable": true, "messages": [], "vectors": {'
    + ", ".join(f'"{name}": {text}' for name, text in VECTORS.items())
    + '}, "user_string": "", "itemid": 1}, "Dome 2": '
    + DOME
    + "}}"
)


# -- making states ---------------------------------------------------------------------------


def state(*messages: Message, snap: Snap | None = None, filenames: dict[str, str] | None = None) -> Snap:
    """The state after `messages`, with item ids 1, 2, 3 and so on."""
    itemids = count(1)
    snap = Snap("127.0.0.1", 7624, connected=True) if snap is None else snap
    for message in messages:
        snap = apply(snap, message, NOW, lambda *names: ("", next(itemids)), filenames)
    return snap


def session() -> Snap:
    return state(*Scanner().feed(SESSION))


def define(kind: Kind, *members: DefMember) -> DefVector:
    rule = "OneOfMany" if kind == "Switch" else None
    return DefVector(kind, "D", "v", "", "", "Idle", "rw", rule, 0.0, None, "", members)


def number(value: str, format: str = "%g") -> SnapNumberMember:
    """A number member of some value and format."""
    snap = state(define("Number", DefMember("x", "", value, format)))
    member = snap["D"]["v"].member("x")
    assert isinstance(member, SnapNumberMember)
    return member


def blob(content: bytes) -> Snap:
    """A state with one BLOB, saved in the file ``x.bin``."""
    one = OneBLOB("x", memoryview(content), len(content), ".bin", "doubtful")
    update = SetVector("BLOB", "D", "v", "Ok", None, None, "", (one,))
    return state(define("BLOB", DefMember("x", "")), update, filenames={"x": "x.bin"})


def nodes(snap: Snap) -> Iterator[Snap | SnapDevice | SnapVector | SnapMember]:
    yield snap
    for device in snap.values():
        yield device
        for vector in device.values():
            yield vector
            yield from vector.members().values()


def named_nodes() -> dict[str, Any]:
    """One node of each class, and of each kind of vector, by a name for the test's id."""
    return {
        f"{type(node).__name__}-{getattr(node, 'vectortype', '')}".rstrip("-"): node
        for node in nodes(session())
    }


def valid_json(text: str) -> Any:
    """`text` read by the letter of the standard, which knows no NaN."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


# -- the JSON of 0.9 -------------------------------------------------------------------------


@pytest.mark.parametrize("name", VECTORS)
def test_a_vector_is_dumped_as_by_0_9(name: str) -> None:
    vector = session()["D"][name]
    assert vector.dumps(inc_user_string=True, inc_itemid=True) == VECTORS[name]
    assert vector.dumps() == without_ids(VECTORS[name])


def test_a_device_is_dumped_as_by_0_9() -> None:
    device = session()["Dome 2"]
    assert device.dumps(inc_user_string=True, inc_itemid=True) == DOME
    assert device.dumps() == without_ids(DOME)


def test_a_whole_client_is_dumped_as_by_0_9() -> None:
    assert session().dumps() == without_ids(WHOLE)


def test_dump_writes_what_dumps_returns() -> None:
    file = io.StringIO()
    session().dump(file, 1, (",", ":"), True, True, True)
    assert file.getvalue() == session().dumps(1, (",", ":"), True, True, True)


def test_indent_and_separators_are_those_of_json() -> None:
    node = session()["D"]["S"]
    plain = json.loads(VECTORS["S"])
    assert node.dumps(2, None, False, True, True) == json.dumps(plain, indent=2)
    assert node.dumps(None, (",", ":"), False, True, True) == json.dumps(plain, separators=(",", ":"))


IDS = ["user_string", "itemid"]
TO_TIMESTAMP = (
    "vectortype name devicename label enable message message_timestamp group state timeout timestamp"
)
NUMBER = "label format min max step value floatvalue formattedvalue"
BLOB = "label filename blobsize blobformat value"


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        (["N"], f"{TO_TIMESTAMP} perm"),
        (["S"], f"{TO_TIMESTAMP} rule perm"),
        (["T"], f"{TO_TIMESTAMP} perm"),
        (["L"], f"{TO_TIMESTAMP} perm"),
        (["B"], f"{TO_TIMESTAMP} perm"),
        (["N", "x"], NUMBER),
        (["S", "a"], "label value"),
        (["T", "t"], "label value"),
        (["L", "l"], "label value"),
        (["B", "b"], BLOB),
    ],
)
def test_the_keys_come_in_the_order_of_0_9(path: list[str], keys: str) -> None:
    vector = session()["D"][path[0]]
    node: Any = vector.member(path[1]) if path[1:] else vector
    last = [] if path[1:] else ["members"]
    assert list(node.dictdump()) == keys.split() + last
    assert list(node.dictdump(False, True)) == [*keys.split(), "user_string", *last]
    assert list(node.dictdump(False, False, True)) == [*keys.split(), "itemid", *last]
    assert list(node.dictdump(True, True, True)) == keys.split() + IDS + last


def test_the_keys_of_devices_and_of_the_client_come_in_the_order_of_0_9() -> None:
    snap = session()
    device = ["devicename", "enable", "messages", "vectors"]
    assert list(snap["D"].dictdump()) == device
    assert list(snap["D"].dictdump(True, True, True)) == device + IDS
    client = ["indihost", "indiport", "connected", "messages", "devices"]
    assert list(snap.dictdump()) == client
    assert list(snap.dictdump(True, True, True)) == [*client, "user_string"]


def test_messages_are_lists_of_time_and_text() -> None:
    messages = session()["Dome 2"].dictdump()["messages"]
    assert messages[1] == ["2024-01-02T03:04:12.250000+00:00", "second"]


def test_ids_and_user_strings_are_dumped_at_every_level() -> None:
    """0.9.4 raised AttributeError for the item ids of a whole client."""
    snap = set_user_string(session(), "D", "", "", "of the device")
    snap = set_user_string(snap, "D", "N", "", "of the vector")
    snap = set_user_string(snap, "D", "N", "x", "of the member")
    for dump in (snap.dictdump(False, True, True), json.loads(snap.dumps(None, None, False, True, True))):
        assert dump["user_string"] == ""
        assert "itemid" not in dump
        device = dump["devices"]["D"]
        assert (device["user_string"], device["itemid"]) == ("of the device", 1)
        vector = device["vectors"]["N"]
        assert (vector["user_string"], vector["itemid"]) == ("of the vector", 2)
        assert (vector["members"]["x"]["user_string"], vector["members"]["x"]["itemid"]) == (
            "of the member",
            3,
        )


def test_changing_a_dump_does_not_change_the_snapshot() -> None:
    snap = session()
    dump = snap.dictdump()
    dump["messages"].clear()
    dump["devices"]["D"]["vectors"]["N"]["members"].clear()
    dump["devices"].clear()
    assert snap.dumps() == without_ids(WHOLE)


# -- what JSON cannot hold -------------------------------------------------------------------


@pytest.mark.parametrize("value", ["nan", "NaN", "inf", "-inf", "1e400", "-1e400", "junk", "", "-"])
def test_a_number_that_is_not_finite_is_null_in_json(value: str) -> None:
    member = number(value)
    snap = state(define("Number", DefMember("x", "", value)))
    assert not abs(member.dictdump()["floatvalue"]) < float("inf")
    for node in nodes(snap):
        valid_json(node.dumps())
    dumped = valid_json(member.dumps())
    assert (dumped["value"], dumped["floatvalue"]) == (value, None)


@pytest.mark.parametrize("content", [b"", b"\x00\xff", bytes(range(256))])
def test_blobs_are_bytes_in_a_dictionary_and_base64_in_json(content: bytes) -> None:
    """0.9.4 raised TypeError for the JSON."""
    snap = blob(content)
    member = snap["D"]["v"].member("x")
    assert member.dictdump(inc_blob=True)["value"] == content
    assert member.dictdump()["value"] is None
    text = valid_json(snap.dumps(inc_blob=True))["devices"]["D"]["vectors"]["v"]["members"]["x"]["value"]
    assert base64.b64decode(text, validate=True) == content
    assert valid_json(member.dumps())["value"] is None


def test_a_blob_that_never_came_is_null() -> None:
    snap = state(define("BLOB", DefMember("x", "")))
    member = snap["D"]["v"].member("x")
    assert member.dictdump(inc_blob=True)["value"] is None
    assert (
        valid_json(snap.dumps(inc_blob=True))["devices"]["D"]["vectors"]["v"]["members"]["x"]["value"] is None
    )


@pytest.mark.parametrize("text", ["\ud800", "\x00\x1f", "\N{GRINNING FACE}", "\u2028", '"\\/'])
def test_any_text_is_valid_json(text: str) -> None:
    snap = state(define("Text", DefMember("x", text, text)), DeviceMessage("D", None, text))
    dumped = valid_json(snap.dumps())["devices"]["D"]
    assert dumped["vectors"]["v"]["members"]["x"] == {"label": text, "value": text}
    assert dumped["messages"][0][1] == text


ODD_FORMATS = [
    *("", "foo", "%", "%%", "%n", "%s", "%c", "%d", "%x", "%*f", "%(x)s", "%999999999d", "%.999999999f"),
    *("%m", "%.m", "%9m", "%.6m", "%9.4m", "%9.7m", "%999999999.6m", "%-9.6m", "%0.0m", "%g %g", "%lf"),
    *("%5.2f\u00b0", "\ud800", "%" * 1000, "%\x00g"),
]


@pytest.mark.parametrize("format", ODD_FORMATS)
@pytest.mark.parametrize("value", ["1.5", "-0:30", "nan", "1e308", "-inf", "junk"])
def test_no_format_keeps_a_client_from_being_dumped(format: str, value: str) -> None:
    member = number(value, format)
    assert len(member.getformattedvalue()) <= 63
    snap = state(define("Number", DefMember("x", "", value, format)))
    assert snap.dictdump()["devices"]["D"]["vectors"]["v"]["members"]["x"]["format"] == format
    assert valid_json(snap.dumps())["devices"]["D"]["vectors"]["v"]["members"]["x"]["value"] == value


# -- frozen ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", named_nodes())
def test_no_attribute_can_be_assigned_or_deleted(name: str) -> None:
    node = named_nodes()[name]
    attributes = [attribute for attribute in dir(node) if not attribute.startswith("_")]
    assert len(attributes) > 8
    for attribute in [*attributes, "colour"]:
        with pytest.raises((AttributeError, TypeError)):
            setattr(node, attribute, None)
        with pytest.raises((AttributeError, TypeError)):
            delattr(node, attribute)
    assert not hasattr(node, "__dict__")


@pytest.mark.parametrize("name", [name for name, node in named_nodes().items() if hasattr(node, "items")])
def test_no_item_can_be_assigned_or_deleted(name: str) -> None:
    node = named_nodes()[name]
    for mapping in (node, node.data):
        for key in [*mapping, "new"]:
            with pytest.raises(TypeError):
                mapping[key] = None
            with pytest.raises(TypeError):
                del mapping[key]
    for mutator in ("clear", "pop", "popitem", "setdefault", "update"):
        assert not hasattr(node, mutator)


def test_what_a_node_hands_out_is_frozen_too() -> None:
    snap = session()
    assert isinstance(snap.messages, tuple) and isinstance(snap["Dome 2"].messages, tuple)
    (change, *_) = snap.changes(Snap("127.0.0.1", 7624))
    with pytest.raises(AttributeError):
        change.new = None  # type: ignore[misc]
    member = snap["D"]["B"].member("b")
    assert isinstance(member, SnapBLOBMember) and member.buffer is not None
    with pytest.raises(TypeError):
        member.buffer[0] = 0
    assert member.membervalue == b"12345678"


# -- mappings, as in 0.9 ---------------------------------------------------------------------


def test_a_client_is_a_mapping_of_its_devices() -> None:
    snap = session()
    assert list(snap) == list(snap.keys()) == list(snap.data) == ["D", "Dome 2"]
    assert [device.devicename for device in snap.values()] == ["D", "Dome 2"]
    assert dict(snap.items())["D"] is snap["D"] is snap.get("D") is snap.data["D"] is snap.data.get("D")
    assert "D" in snap and "E" not in snap and None not in snap
    assert (len(snap), snap.get("E"), snap.get("E", 0)) == (2, None, 0)


def test_a_device_is_a_mapping_of_its_vectors() -> None:
    device = session()["D"]
    assert list(device) == list(device.keys()) == list(device.data) == ["N", "S", "T", "L", "B"]
    assert dict(device.items())["S"] is device["S"] is device.get("S") is device.data["S"]
    assert [vector.name for vector in device.values()] == list(device)
    assert "S" in device and "Z" not in device and None not in device
    assert (len(device), device.get("Z"), device.get("Z", 0)) == (5, None, 0)


def test_a_vector_is_a_mapping_of_member_names_to_values() -> None:
    vector = session()["D"]["S"]
    assert dict(vector) == dict(vector.items()) == {"a": "On", "b": "Off"}
    assert list(vector.keys()) == list(vector) == ["a", "b"]
    assert list(vector.values()) == ["On", "Off"]
    assert [name for name in vector if vector[name] == "On"] == ["a"]
    assert "a" in vector and "z" not in vector and None not in vector
    assert (len(vector), vector.get("a"), vector.get("z"), vector.get("z", 0)) == (2, "On", None, 0)


def test_members_are_reached_by_name() -> None:
    vector = session()["D"]["S"]
    assert list(vector.members()) == list(vector.data) == ["a", "b"]
    assert vector.member("a") is vector.members()["a"] is vector.data["a"] is vector.data.get("a")
    assert vector.memberlabel("a") == "A"


def test_an_unknown_name_raises_key_error_at_every_level() -> None:
    snap = session()
    vector = snap["D"]["N"]
    assert isinstance(vector, SnapNumberVector)
    asked = [snap.__getitem__, snap["D"].__getitem__, vector.__getitem__, vector.member, vector.memberlabel]
    for ask in [*asked, vector.getfloatvalue, vector.getformattedvalue]:
        with pytest.raises(KeyError, match="unknown"):
            ask("unknown")


def test_a_snapshot_without_devices_is_empty() -> None:
    snap = Snap("localhost", 7624)
    assert not snap and len(snap) == 0 and list(snap) == []
    assert snap.dumps() == (
        '{"indihost": "localhost", "indiport": 7624, "connected": false, "messages": [], "devices": {}}'
    )


# -- values ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vector", "member", "membervalue", "value"),
    [
        ("N", "x", "-1:30", -1.5),
        ("S", "a", "On", True),
        ("S", "b", "Off", False),
        ("T", "t", "hello", "hello"),
        ("L", "l", "Ok", "Ok"),
        ("B", "b", b"12345678", b"12345678"),
    ],
)
def test_members_have_a_value_as_in_0_9_and_a_typed_one(
    vector: str, member: str, membervalue: object, value: object
) -> None:
    node = session()["D"][vector].member(member)
    assert node.membervalue == session()["D"][vector][member] == membervalue
    assert node.value == value
    assert type(node.value) in (type(value), memoryview)


def test_the_bytes_of_a_blob_are_copied_once() -> None:
    member = session()["D"]["B"].member("b")
    assert member.membervalue is member.membervalue
    assert type(member.membervalue) is bytes


def test_numbers_are_read_and_formatted_by_vector_and_by_member() -> None:
    vector = session()["Dome 2"]["RATES"]
    member = vector.member("az")
    assert isinstance(vector, SnapNumberVector) and isinstance(member, SnapNumberMember)
    assert vector.getfloatvalue("az") == member.getfloatvalue() == -0.5
    assert vector.getformattedvalue("az") == member.getformattedvalue() == " -0:30:00"
    assert (member.getfloat("1:30"), member.getformattedstring("1:30")) == (1.5, "  1:30:00")
    for ask in (member.getfloat, member.getformattedstring):
        with pytest.raises(TypeError):
            ask("junk")


@pytest.mark.parametrize("kind", KINDS)
def test_vectortype_is_the_name_of_the_live_class(kind: Kind) -> None:
    vector = session()["D"][kind[0]]
    assert vector.vectortype == f"{kind}Vector"
    assert isinstance(vector, SnapVector)


def test_a_client_says_where_it_is_and_how_far() -> None:
    snap = session()
    assert (snap.indihost, snap.indiport, snap.connected, snap.user_string) == ("127.0.0.1", 7624, True, "")
    assert snap.rev == len(Scanner().feed(SESSION))
    assert [snap["Dome 2"].devicename, snap["Dome 2"]["ANY"].devicename] == ["Dome 2", "Dome 2"]


def test_states_of_vectors_are_told_by_name() -> None:
    snap = session()
    assert snap.get_vector_state("D", "N") == "Alert"
    assert snap.get_vector_state("Dome 2", "GONE") == "Ok"
    assert snap.get_vector_state("D", "Z") is None
    assert snap.get_vector_state("E", "N") is None


def test_enabled_devices_are_counted() -> None:
    snap = session()
    assert snap.enabledlen() == 2
    changed = state(*Scanner().feed(b'<delProperty device="D"/>'), snap=snap)
    assert (changed.enabledlen(), len(changed)) == (1, 2)


@pytest.mark.parametrize("name", named_nodes())
def test_a_node_can_be_shown(name: str) -> None:
    node = named_nodes()[name]
    assert repr(node).startswith(f"<{type(node).__name__} ")


# -- pickles and copies ----------------------------------------------------------------------


def everything(snap: Snap) -> Any:
    classes = [type(node) for node in nodes(snap)]
    return snap.dictdump(True, True, True), [node.rev for node in nodes(snap)], classes


def dupes() -> list[Any]:
    protocols = range(2, pickle.HIGHEST_PROTOCOL + 1)
    pickles = [
        pytest.param(lambda node, n=n: pickle.loads(pickle.dumps(node, n)), id=f"pickle-{n}")
        for n in protocols
    ]
    return [*pickles, pytest.param(copy.copy, id="copy"), pytest.param(copy.deepcopy, id="deepcopy")]


@pytest.mark.parametrize("duplicate", dupes())
def test_a_whole_client_is_copied_with_its_blobs(duplicate: Any) -> None:
    snap = session()
    copied = duplicate(snap)
    assert type(copied) is Snap
    assert everything(copied) == everything(snap)
    assert copied.dumps() == without_ids(WHOLE)
    assert copied.messages == snap.messages and copied["Dome 2"].messages == snap["Dome 2"].messages


@pytest.mark.parametrize("duplicate", dupes())
@pytest.mark.parametrize("name", named_nodes())
def test_each_node_is_copied_by_itself(name: str, duplicate: Any) -> None:
    node = named_nodes()[name]
    copied = duplicate(node)
    assert type(copied) is type(node)
    assert copied.dictdump(True, True, True) == node.dictdump(True, True, True)
    if isinstance(node, SnapMember | SnapVector | SnapDevice):
        assert copied.itemid == node.itemid


@pytest.mark.parametrize("duplicate", dupes())
def test_a_blob_is_copied_with_all_that_is_known_of_it(duplicate: Any) -> None:
    for snap in (blob(b"frame"), state(define("BLOB", DefMember("x", "")))):
        member, copied = snap["D"]["v"].member("x"), duplicate(snap)["D"]["v"].member("x")
        for attribute in ("membervalue", "blobsize", "blobformat", "filename", "error", "rev"):
            assert getattr(copied, attribute) == getattr(member, attribute)
        assert (copied.buffer is None) == (member.membervalue is None)
        assert copied.buffer is None or (bytes(copied.buffer) == b"frame" and copied.buffer.readonly)


def test_a_damaged_blob_is_pickled_with_its_error() -> None:
    update = SetVector("BLOB", "D", "v", None, None, None, "", (OneBLOB("x", None, 7, ".bin", "damaged"),))
    snap = state(define("BLOB", DefMember("x", "")), update)
    member = pickle.loads(pickle.dumps(snap))["D"]["v"].member("x")
    assert (member.membervalue, member.error, member.blobsize) == (None, "damaged", 7)


def test_a_pickled_client_goes_on_where_it_was() -> None:
    update = SetVector("Number", "D", "N", "Ok", None, NOW, "", (OneMember("x", "7"),))
    copied = pickle.loads(pickle.dumps(session()))
    assert everything(state(update, snap=copied)) == everything(state(update, snap=session()))
    assert [row[:2] for row in state(update, snap=copied).changes(copied)] == [("D", "N")]
