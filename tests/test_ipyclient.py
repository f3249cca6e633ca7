"""What the asyncio client makes of what a server says, and what it sends: against a scripted server.

The numbers in the docstrings are those of the defects that 0.9.4 was shown to have, and of the rows of
inputs that a client must survive.
"""

from __future__ import annotations

import copy
import gc
import math
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from indipyclient import events
from indipyclient.errors import InvalidValue
from indipyclient.live.views import ParseException
from indipyclient.propertymembers import Member
from indipyclient.propertyvectors import NumberVector, TextVector
from indipyclient.protocol import EnableBLOB, GetProperties, NewVector, OneBLOB, OneMember
from indipyclient.state.members import SnapMember
from tests.support.scripted import (
    ALL,
    BLOB,
    LIGHT,
    NUMBER,
    READ_ONLY,
    SWITCH,
    TEXT,
    Client,
    Peer,
    Running,
    ScriptedServer,
    frame,
    moved,
)


@pytest.fixture
def client(server: ScriptedServer) -> Client:
    return Client(server.port)


@pytest.fixture
def running(client: Client) -> Iterator[Running]:
    with Running(client) as running:
        yield running


@pytest.fixture
def peer(server: ScriptedServer, running: Running) -> Peer:
    """A server that has defined one vector of each kind, and one that is read-only."""
    peer = server.greet(ALL)
    assert peer.receive() == EnableBLOB("Never", "D", "B")
    running.after(peer, "")
    return peer


def _sent(running: Running, peer: Peer) -> list[Any]:
    """Everything the client has sent and the server has not read."""
    running.call(running.client.send_getProperties("the", "end"))
    return peer.receive_until(lambda message: message == GetProperties("the", "end"))[:-1]


def _command(running: Running, name: str, members: Any, timestamp: datetime | None = None) -> None:
    running.call(running.client.send_newVector("D", name, timestamp, members))


# -- commands -----------------------------------------------------------------------------------


def test_a_command_carries_what_its_kind_needs_and_makes_the_vector_busy(
    running: Running, peer: Peer
) -> None:
    stamp = datetime(2024, 1, 2, 3, 4, 5, 600000, timezone.utc)
    content = OneBLOB("b", memoryview(b"ABC"), 3, ".bin")
    commands: list[tuple[str, Any, str, tuple[Any, ...]]] = [
        ("T", {"t": "peak"}, "Text", (OneMember("t", "peak"), OneMember("u", "dale"))),
        ("N", {"y": 2.5}, "Number", (OneMember("x", "1"), OneMember("y", "2.5"))),
        ("S", {"b": "On", "a": "Off"}, "Switch", (OneMember("a", "Off"), OneMember("b", "On"))),
        ("B", {"b": (b"ABC", 0, ".bin")}, "BLOB", (content,)),
    ]
    for name, members, kind, ones in commands:
        _command(running, name, members, stamp)
        assert peer.receive() == NewVector(kind, "D", name, stamp, ones)  # type: ignore[arg-type]
        assert running.client.snapshot()["D"][name].state == "Busy"


def test_non_ascii_text_goes_out_as_utf_8(running: Running, peer: Peer) -> None:
    """Defect 13: libindi knows no character references and showed them to people."""
    _command(running, "T", {"t": "20 °C, ε Lyr, 星 & <so>"})
    assert isinstance(peer.receive(), NewVector)
    assert "20 °C, ε Lyr, 星 &amp; &lt;so&gt;".encode() in peer.raw
    assert b"&#" not in peer.raw


WRONG: dict[str, tuple[str, Any]] = {
    "an int for a text": ("T", {"t": 5}),
    "None for a text": ("T", {"t": None}),
    "bytes for a text": ("T", {"t": b"x"}),
    "a word for a number": ("N", {"x": "garbage"}),
    "nan": ("N", {"x": math.nan}),
    "infinity": ("N", {"x": "inf"}),
    "None for a number": ("N", {"x": None}),
    "another word for a switch": ("S", {"a": "Ok"}),
    "a number for a switch": ("S", {"a": 1}),
    "two of one": ("S", {"a": "On", "b": "On"}),
    "a member of another vector": ("S", {"x": "On"}),
    "no member": ("S", {}),
    "one wrong among right ones": ("N", {"x": 1, "z": 2}),
    "a light": ("L", {"l": "Ok"}),
    "a read-only vector": ("R", {"r": "new"}),
    "an unknown vector": ("X", {"x": 1}),
}


@pytest.mark.parametrize(("name", "members"), WRONG.values(), ids=WRONG.keys())
def test_a_command_that_is_wrong_sends_nothing_and_says_why(
    running: Running, peer: Peer, name: str, members: Any
) -> None:
    """Defects 10 and 23: sent all the same, dropped silently, or the connection was closed."""
    before = running.client.snapshot()["D"]
    _command(running, name, members)
    running.wait_text("not sent")
    assert _sent(running, peer) == []
    assert running.client.snapshot()["D"] is before, "not even Busy"
    assert running.client.connected


def test_a_command_to_an_unknown_device_sends_nothing_and_says_why(running: Running, peer: Peer) -> None:
    """Defect 23."""
    running.call(running.client.send_newVector("E", "T", members={"t": "x"}))
    assert "'E'" in running.wait_text("not sent").text
    assert _sent(running, peer) == []


def test_a_command_to_a_deleted_vector_sends_nothing_and_says_why(running: Running, peer: Peer) -> None:
    running.after(peer, '<delProperty device="D" name="T"/>')
    _command(running, "T", {"t": "x"})
    running.wait_text("not sent")
    assert _sent(running, peer) == []


@pytest.mark.parametrize(
    "value",
    [
        (b"", 0, ".x"),
        (Path("/no/such/file"), 0, ".x"),
        ("/no/such/file", 0, ""),
        5,
        (b"x", -1, ".x"),
        (b"x", 0, None),
        (b"x", 0),
    ],
    ids=repr,
)
def test_a_blob_that_cannot_be_read_is_raised_and_sends_nothing(
    running: Running, peer: Peer, value: Any
) -> None:
    """Defect 7; the exception is that of 0.9 (API 2.2)."""
    with pytest.raises(ValueError):
        _command(running, "B", {"b": value})
    running.wait_text("not sent")
    assert _sent(running, peer) == []


@pytest.mark.parametrize("members", [5, None, [("t", "x")], "t"], ids=repr)
def test_members_that_are_no_mapping_are_raised_and_send_nothing(
    running: Running, peer: Peer, members: Any
) -> None:
    with pytest.raises(TypeError):
        _command(running, "T", members)
    assert _sent(running, peer) == []


def test_a_timestamp_that_is_none_sends_nothing_and_one_with_an_offset_is_sent_in_utc(
    running: Running, peer: Peer
) -> None:
    """Defect 23: nothing was sent, and no error."""
    running.call(running.client.send_newVector("D", "T", "now", {"t": "x"}))  # type: ignore[arg-type]
    running.wait_text("not sent")
    assert _sent(running, peer) == []
    _command(running, "T", {"t": "x"}, datetime.fromisoformat("2024-01-02T03:04:05+02:00"))
    sent = peer.receive()
    assert isinstance(sent, NewVector)
    assert sent.timestamp == datetime(2024, 1, 2, 1, 4, 5, tzinfo=timezone.utc)


def test_a_command_without_a_connection_says_so(server: ScriptedServer, client: Client) -> None:
    server.refuse()
    with Running(client) as running:
        running.wait_text("refused")
        running.call(client.send_newVector("D", "T", members={"t": "x"}))
        running.wait_text("no connection")


def test_the_strict_form_of_a_command_raises_instead(running: Running, peer: Peer) -> None:
    with pytest.raises(InvalidValue):
        running.call(running.client.command("D", "N", None, {"x": "garbage"}))
    assert _sent(running, peer) == []


def test_an_element_that_cannot_be_written_is_raised_and_the_connection_stays(
    running: Running, peer: Peer
) -> None:
    """Defect 10: an int as the text of an element closed the connection."""
    element = ET.Element("newTextVector", device="D", name="T")
    element.text = 5  # type: ignore[assignment]
    with pytest.raises(TypeError):
        running.call(running.client.send(element))
    element.text = "°"
    running.call(running.client.send(element))
    assert isinstance(_sent(running, peer)[0], NewVector)
    assert "°".encode() in peer.raw


def test_live_vectors_send_too(running: Running, peer: Peer) -> None:
    device = running.client["D"]
    for name, members in (("T", {"t": "x"}), ("N", {"x": 1}), ("S", {"b": "On"}), ("B", {"b": b"ABC"})):
        send = getattr(device[name], f"send_new{device[name].vectortype}")
        running.call(send(members=members))
        sent = peer.receive()
        assert isinstance(sent, NewVector)
        assert sent.name == name


# -- answers in time ------------------------------------------------------------------------------


def test_an_update_without_a_timeout_leaves_it_as_it_was(running: Running, peer: Peer) -> None:
    """Defect 1: it became None, and the next command dropped the connection."""
    running.client.vector_timeout_min = running.client.vector_timeout_max = 0.01
    for attributes in ("", 'timeout="soon"', 'timeout="nan"'):
        snap = running.after(peer, moved(2, attributes))
        assert snap["D"]["N"].timeout == 5
        _command(running, "N", {"x": 3})
        running.wait_for("VectorTimeOut")
    assert running.client.connected
    assert running.after(peer, moved(2, 'timeout="9"'))["D"]["N"].timeout == 9


def test_a_command_waits_for_its_answer_as_long_as_the_server_announced(running: Running, peer: Peer) -> None:
    """Defect 25: never longer than 10 s. Here in proportion: the later of two commands is due first."""
    long, longer, longest = (NUMBER.replace('timeout="5"', f'timeout="{s}"') for s in (0.05, 0.8, 60))
    longer, longest = longer.replace('"N"', '"M"'), longest.replace('"N"', '"O"')
    running.client.set_vector_timeouts(timeout_min=0.01)
    running.after(peer, long + longer + longest)
    for name in "OMN":
        _command(running, name, {"x": 3})
    assert running.wait_for("VectorTimeOut").event.vectorname == "N"
    assert running.wait_for("VectorTimeOut").event.vectorname == "M"
    due = running.do(lambda: running.client.inner("answers")._limits["D", "O"] - running.loop.time())
    assert due > 50


def test_the_limits_for_waiting_hold(running: Running, peer: Peer) -> None:
    client = running.client
    running.after(peer, NUMBER.replace('timeout="5"', ""))
    client.set_vector_timeouts(timeout_min=60)
    _command(running, "N", {"x": 3})  # due in a minute
    client.set_vector_timeouts(timeout_min=0, timeout_max=0.01)
    _command(running, "T", {"t": "x"})  # announced: 5 s
    timeout = running.wait_for("VectorTimeOut").event
    assert (timeout.device, timeout.vector) == (client["D"], client["D"]["T"])
    assert (timeout.devicename, timeout.vectorname, timeout.eventtype) == ("D", "T", "TimeOut")
    assert not hasattr(timeout, "state")
    assert not hasattr(timeout, "message")


@pytest.mark.parametrize(
    "answer",
    [moved(3, 'state="Alert"'), NUMBER, '<delProperty device="D" name="N"/>'],
    ids=["an update", "a definition", "a deletion"],
)
def test_a_command_that_is_answered_does_not_time_out(running: Running, peer: Peer, answer: str) -> None:
    running.client.vector_timeout_min = running.client.vector_timeout_max = 0.4
    _command(running, "N", {"x": 3})
    running.after(peer, answer)
    _command(running, "T", {"t": "x"})  # given later, so due later
    assert running.wait_for("VectorTimeOut").event.vectorname == "T"


def test_time_outs_can_be_switched_off(running: Running, peer: Peer) -> None:
    running.client.set_vector_timeouts(timeout_enable=False, timeout_min=0, timeout_max=0.01)
    _command(running, "N", {"x": 3})
    running.client.set_vector_timeouts(timeout_enable=True)
    _command(running, "T", {"t": "x"})
    assert running.wait_for("VectorTimeOut").event.vectorname == "T"


def test_nothing_times_out_that_was_pending_when_the_connection_was_lost(
    server: ScriptedServer, running: Running, peer: Peer
) -> None:
    """Row 39."""
    running.client.vector_timeout_min = running.client.vector_timeout_max = 0.5
    _command(running, "N", {"x": 3})
    peer.close()
    peer = server.greet(ALL)
    running.wait_for("ConnectionMade")
    running.after(peer, "")
    _command(running, "T", {"t": "x"})
    assert running.wait_for("VectorTimeOut").event.vectorname == "T"


# -- updates ------------------------------------------------------------------------------------


def test_one_bad_member_does_not_lose_its_siblings(running: Running, peer: Peer) -> None:
    """Defect 26, row 25: the whole update was refused."""
    bad = '<oneNumber name="x">much</oneNumber><oneNumber name="y">7</oneNumber>'
    update = f'<setNumberVector device="D" name="N" state="Alert">{bad}</setNumberVector>'
    vector = running.after(peer, update)["D"]["N"]
    assert dict(vector) == {"x": "1", "y": "7"}
    assert vector.state == "Alert"
    assert "'much'" in " ".join(seen.text for seen in running.seen)


def test_an_update_may_have_no_members_and_no_state(running: Running, peer: Peer) -> None:
    """Rows 22 and 23."""
    snap = running.after(peer, '<setNumberVector device="D" name="N" state="Busy"/>')
    assert (snap["D"]["N"].state, snap["D"]["N"]["x"]) == ("Busy", "1")
    for attributes in ("", 'state="Bogus"', 'state="ok"'):
        snap = running.after(peer, moved(4, attributes))
        assert (snap["D"]["N"].state, snap["D"]["N"]["x"]) == ("Busy", "4")


UNKNOWN = [
    moved(9).replace('"D"', '"E"'),
    moved(9).replace('"N"', '"M"'),
    moved(9).replace("Number", "Text"),
    '<delProperty device="E"/>',
    '<delProperty device="D" name="M"/>',
    '<delProperty device="D" name=""/>',
    '<delProperty name="N"/>',
]


@pytest.mark.parametrize("message", UNKNOWN)
def test_what_is_about_something_unknown_changes_nothing(running: Running, peer: Peer, message: str) -> None:
    """Rows 21 and 38: an empty name deleted the whole device."""
    before = running.after(peer, "")["D"]
    assert running.after(peer, message)["D"] is before


def test_the_echo_of_another_clients_command_is_no_value(running: Running, peer: Peer) -> None:
    """Row 15; nor are other messages that only a client has to send."""
    echo = moved(9, "").replace("set", "new")
    others = '<enableBLOB device="D">Also</enableBLOB><pingReply uid="1"/>'
    before = running.after(peer, "")["D"]
    assert running.after(peer, echo + others)["D"] is before
    kinds = Counter(seen.kind for seen in running.seen)
    assert not kinds["setNumberVector"]
    assert _sent(running, peer) == []


def test_a_request_of_a_snooping_driver_is_told_and_not_answered(running: Running, peer: Peer) -> None:
    """Row 15."""
    peer.send('<getProperties version="1.7" device="Other" name="Thing"/>')
    event = running.wait_for("getProperties").event
    assert (event.devicename, event.vectorname, event.vector) == ("Other", "Thing", None)
    assert _sent(running, peer) == []


@pytest.mark.parametrize(
    ("text", "hour", "microsecond"),
    [
        ("2024-01-02T03:04:05", 3, 0),
        ("2024-01-02T03:04:05.5", 3, 500000),
        ("2024-01-02T03:04:05.123456789", 3, 123456),
        ("2024-01-02T03:04:05Z", 3, 0),
        ("2024-01-02T03:04:05.5Z", 3, 500000),
        ("2024-01-02T03:04:05+02:00", 1, 0),
        ("2024-01-02T03:04:05.25-01:00", 4, 250000),
    ],
)
def test_timestamps_are_read_with_their_fraction_and_offset(
    running: Running, peer: Peer, text: str, hour: int, microsecond: int
) -> None:
    """Defect 22: 2 h off, or now."""
    snap = running.after(peer, moved(2, f'timestamp="{text}"'))
    assert snap["D"]["N"].timestamp == datetime(2024, 1, 2, hour, 4, 5, microsecond, timezone.utc)


@pytest.mark.parametrize("text", ["", "yesterday", "0000-00-00T00:00:00"])
def test_an_unreadable_timestamp_is_the_time_of_arrival(running: Running, peer: Peer, text: str) -> None:
    """Row 41."""
    before = datetime.now(timezone.utc)
    stamp = running.after(peer, moved(2, f'timestamp="{text}"'))["D"]["N"].timestamp
    assert before <= stamp <= datetime.now(timezone.utc)


# -- definitions and deletions --------------------------------------------------------------------


def test_the_timeout_of_a_blob_vector_is_that_of_its_definition(running: Running, peer: Peer) -> None:
    """Defect 18: always 0.0."""
    defined = next(seen.event for seen in running.seen if seen.kind == "defBLOBVector")
    assert defined.timeout == 7
    assert running.client.snapshot()["D"]["B"].timeout == 7


def test_a_definition_anew_updates_the_vector_and_its_members_in_place(running: Running, peer: Peer) -> None:
    """Defect 19, row 17: members that were gone stayed, new ones had no item id."""
    client = running.client
    vector, y = client["D"]["N"], client["D"]["N"].member("y")
    ids = {name: vector.member(name).itemid for name in "xy"}
    again = (
        '<defNumberVector device="D" name="N" label="Anew" state="Busy" perm="ro">'
        '<defNumber name="z" format="%g" min="0" max="1" step="0">3</defNumber>'
        '<defNumber name="y" format="%3.0f" min="0" max="20" step="0">5</defNumber></defNumberVector>'
    )
    running.after(peer, again)
    assert client["D"]["N"] is vector
    assert list(vector) == list(vector.members()) == list(client.snapshot()["D"]["N"]) == ["z", "y"]
    assert (vector.label, vector.state, vector.perm, vector.group) == ("Anew", "Busy", "ro", "G")
    assert vector.member("y") is y
    assert (y.membervalue, y.max, y.itemid) == ("5", "20", ids["y"])
    assert vector.member("z").itemid > max(ids.values())


def test_a_member_that_is_gone_keeps_its_last_value_for_who_holds_it(running: Running, peer: Peer) -> None:
    """Row 39."""
    x = running.client["D"]["N"].member("x")
    running.after(peer, moved(4))
    running.after(peer, NUMBER.replace('"x"', '"z"'))
    assert (x.name, x.membervalue, x.label, x.max) == ("x", "4", "X", "10")
    assert x.getfloatvalue() == 4
    running.do(lambda: setattr(x, "user_string", "mine"))
    assert x.user_string == "mine"
    assert "x" not in running.client.snapshot()["D"]["N"]
    running.after(peer, NUMBER)
    assert running.client["D"]["N"].member("x").membervalue == "1"
    assert x.membervalue == "4"


def test_a_definition_with_another_type_is_a_new_vector(running: Running, peer: Peer) -> None:
    """Defect 19, row 18: the old class stayed."""
    client = running.client
    old = client["D"]["N"]
    running.after(peer, TEXT.replace('"T"', '"N"'))
    new = client["D"]["N"]
    assert isinstance(new, TextVector)
    assert isinstance(old, NumberVector)
    assert dict(new) == {"t": "hill", "u": "dale"}
    assert dict(old) == {"x": "1", "y": "2"}
    assert new.itemid > old.itemid
    assert client.snapshot()["D"]["N"].vectortype == "TextVector"


def test_thousands_of_definitions_anew_make_one_event_each_and_nothing_new(
    server: ScriptedServer, client: Client
) -> None:
    """Row 43: as they come whenever another client connects."""
    definitions = "".join(NUMBER.replace('"N"', f'"N{n}"') for n in range(5000))
    with Running(client) as running:
        peer = server.greet()
        running.after(peer, definitions)
        vectors, ids = dict(client["D"].data), client["D"]["N7"].itemid
        counts = [Counter(seen.event.vectorname for seen in running.seen if seen.kind == "defNumberVector")]
        running.after(peer, definitions)
        assert dict(client["D"].data) == vectors
        assert all(client["D"][name] is vector for name, vector in vectors.items())
        assert client["D"]["N7"].itemid == ids
        counts.append(
            Counter(seen.event.vectorname for seen in running.seen if seen.kind == "defNumberVector")
        )
    names = {f"N{n}" for n in range(5000)}
    assert counts == [dict.fromkeys(names, 1), dict.fromkeys(names, 2)]


def test_a_definition_anew_that_changes_nothing_keeps_the_members_nodes(running: Running, peer: Peer) -> None:
    before = running.client.snapshot()["D"]["N"]
    after = running.after(peer, NUMBER)["D"]["N"]
    assert after.changes(before) == []


def test_members_are_made_when_they_are_looked_at(running: Running, peer: Peer) -> None:
    """What Python's garbage collector has to look at makes each update dearer."""

    def made() -> int:
        return sum(isinstance(one, Member | SnapMember) for one in gc.get_objects())

    definitions = "".join(NUMBER.replace('"N"', f'"N{n}"') for n in range(500))
    gc.collect()
    before = made()
    first = running.after(peer, definitions)["D"]
    second = running.after(peer, definitions + moved(7).replace('"N"', '"N8"'))["D"]
    assert made() - before < 100
    assert second["N7"].member("x") is first["N7"].member("x")
    live = running.client["D"]["N8"]
    assert running.do(lambda: [member.membervalue for member in live.data.values()]) == ["7", "2"]


def test_members_come_to_a_vector_that_had_none_when_it_was_looked_at(running: Running, peer: Peer) -> None:
    running.after(peer, '<defNumberVector device="D" name="M" perm="ro"></defNumberVector>')
    vector = running.client["D"]["M"]
    assert running.do(lambda: dict(vector)) == {}
    running.after(peer, NUMBER.replace('name="N"', 'name="M"'))
    assert running.do(lambda: dict(vector)) == {"x": "1", "y": "2"}


def test_a_live_vector_can_be_copied(running: Running, peer: Peer) -> None:
    """A copy shares the members and is a mapping of the same values (0.9)."""
    vector = running.client["D"]["N"]
    copied = running.do(lambda: copy.copy(vector))
    assert dict(copied) == {"x": "1", "y": "2"}
    assert copied.data is not vector.data
    assert copied.data["x"] is vector.data["x"]


def test_a_deleted_vector_is_disabled_and_keeps_its_values(running: Running, peer: Peer) -> None:
    """Rows 38 and 39."""
    client = running.client
    vector = client["D"]["N"]
    snap = running.after(peer, '<delProperty device="D" name="N" message="gone"/>' * 2)
    events_ = [seen.event for seen in running.seen if seen.kind == "delProperty"]
    assert [(event.devicename, event.vectorname, event.message) for event in events_] == [("D", "N", "gone")]
    assert not snap["D"]["N"].enable
    assert snap["D"].enable
    assert client["D"]["N"] is vector
    assert (vector.enable, dict(vector)) == (False, {"x": "1", "y": "2"})
    assert running.after(peer, moved(9))["D"]["N"]["x"] == "1"
    assert running.after(peer, NUMBER.replace(">1<", ">8<"))["D"]["N"].enable
    assert (vector.enable, vector["x"]) == (True, "8")


def test_a_deleted_device_is_disabled_and_comes_back(running: Running, peer: Peer) -> None:
    """Row 38."""
    client = running.client
    device = client["D"]
    snap = running.after(peer, '<delProperty device="D" message="over"/>' * 2)
    deleted = [seen.event for seen in running.seen if seen.kind == "delProperty"]
    assert [(event.devicename, event.vectorname) for event in deleted] == [("D", None)]
    assert not snap["D"].enable
    assert not device.enable
    assert client.enabledlen() == 0
    assert "over" in [text for _, text in snap.messages]
    running.after(peer, NUMBER)
    assert client["D"] is device
    assert device.enable
    assert client.enabledlen() == 1


def test_a_device_that_the_program_deletes_is_forgotten_until_it_is_defined_again(
    running: Running, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    client = running.client
    device, before = client["D"], client.snapshot()
    running.do(lambda: client.pop("D"))
    snap = running.after(peer, moved(4) + '<delProperty device="D"/>')
    assert (dict(client), dict(snap), client.enabledlen()) == ({}, {}, 0)
    assert (device["N"]["x"], list(before)) == ("1", ["D"])
    assert {change.devicename for change in snap.changes(before)} == {"D"}
    snap = running.after(peer, NUMBER + moved(5))
    assert client["D"] is not device
    assert (list(client["D"]), list(snap["D"]), client["D"]["N"]["x"]) == (["N"], ["N"], "5")
    assert [seen.event["x"] for seen in running.seen if seen.kind == "setNumberVector"] == ["5"]
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("take_out", ["client.data.pop('D')", "client['D'].data.pop('N')"])
def test_what_the_program_takes_out_of_the_data_is_not_told_until_it_is_defined_again(
    running: Running, peer: Peer, caplog: pytest.LogCaptureFixture, take_out: str
) -> None:
    client = running.client
    running.do(lambda: eval(take_out, {"client": client}))
    running.after(peer, moved(4) + NUMBER + moved(5))
    assert client["D"]["N"]["x"] == "5"
    assert [seen.event["x"] for seen in running.seen if seen.kind == "setNumberVector"] == ["5"]
    assert "Traceback" not in caplog.text


def test_objects_that_are_held_keep_their_last_values_after_the_connection(
    server: ScriptedServer, running: Running, peer: Peer
) -> None:
    """Row 39."""
    client = running.client
    device, vector = client["D"], client["D"]["N"]
    member = vector.member("x")
    running.after(peer, moved(4) + frame(b"ABC"))
    blob = device["B"].member("b")
    peer.close()
    running.wait_for("ConnectionLost")
    running.after(server.greet(NUMBER), moved(6))
    assert client["D"] is not device
    assert (vector["x"], member.membervalue, vector.state, device.devicename) == ("4", "4", "Ok", "D")
    assert blob.membervalue == b"ABC"
    assert list(device) == ["T", "N", "S", "L", "B", "R"]
    running.do(lambda: setattr(vector, "state", "Alert"))
    assert vector.state == "Alert"
    assert client["D"]["N"].state == client.snapshot()["D"]["N"].state == "Ok"
    assert client["D"]["N"]["x"] == "6"


# -- BLOBs --------------------------------------------------------------------------------------


def test_what_was_asked_for_is_asked_for_again_on_the_next_connection(
    server: ScriptedServer, running: Running, peer: Peer
) -> None:
    """Defect 14: Never."""
    running.call(running.client.send_enableBLOB("Also", "D", "B"))
    assert peer.receive() == EnableBLOB("Also", "D", "B")
    peer.close()
    other = BLOB.replace('"B"', '"C"')
    peer = server.greet(BLOB + other)
    assert [peer.receive(), peer.receive()] == [EnableBLOB("Also", "D", "B"), EnableBLOB("Never", "D", "C")]


def test_what_was_asked_for_a_device_holds_for_all_its_vectors_to_come(
    server: ScriptedServer, running: Running, peer: Peer
) -> None:
    """Defect 14; INDI 4: a request without a name would be for the whole connection."""
    running.call(running.client.send_enableBLOB("Also", "D"))
    assert _sent(running, peer) == [EnableBLOB("Also", "D", "B")]
    peer.send(BLOB.replace('"B"', '"C"') + BLOB.replace('"D"', '"E"'))
    assert peer.receive() == EnableBLOB("Also", "D", "C")
    assert peer.receive() == EnableBLOB("Never", "E", "B")
    peer.close()
    peer = server.greet(BLOB)
    assert peer.receive() == EnableBLOB("Also", "D", "B")


def test_blobs_may_be_asked_for_before_the_device_is_known(server: ScriptedServer, running: Running) -> None:
    peer = server.greet()
    running.wait_for("ConnectionMade")
    running.call(running.client.send_enableBLOB("Also", "D", "B"))
    peer.send(BLOB)
    assert peer.receive() == EnableBLOB("Also", "D", "B")


def test_another_word_than_the_three_asks_for_nothing(running: Running, peer: Peer) -> None:
    running.call(running.client.send_enableBLOB("Always", "D", "B"))
    running.client.enableBLOBdefault = "also"
    assert running.client.enableBLOBdefault == "Never"
    assert _sent(running, peer) == []


def test_the_program_may_ask_for_blobs_itself(server: ScriptedServer, client: Client) -> None:
    """API 0, row 2."""
    client.resend_enableBLOB_on_def = False
    client.enableBLOBdefault = "Also"
    with Running(client) as running:
        peer = server.greet()
        running.after(peer, BLOB)
        assert _sent(running, peer) == []
        running.call(client.resend_enableBLOB("D"))
        assert _sent(running, peer) == [EnableBLOB("Also", "D", "B")]


def test_a_frame_arrives_whole_and_a_state_without_one_keeps_it(running: Running, peer: Peer) -> None:
    """Row 30: refused as an error."""
    content = bytes(range(256)) * 4000
    snap = running.after(peer, frame(content))
    assert snap["D"]["B"]["b"] == content
    member: Any = snap["D"]["B"].member("b")
    assert (member.blobsize, member.blobformat) == (len(content), ".bin")
    snap = running.after(peer, frame(b"").replace('"Ok"', '"Busy"'))
    assert snap["D"]["B"]["b"] == content
    assert snap["D"]["B"].state == "Busy"


# -- texts for people -----------------------------------------------------------------------------

AWKWARD = 'a <b> & "c" it\'s 5 < 6 \x07 星'


def test_reports_and_warnings_arrive_whatever_characters_they_have(running: Running, peer: Peer) -> None:
    """Defect 20: lost."""
    client = running.client
    for tell in (client.report, client.warning):
        running.call(tell(AWKWARD))
        seen = running.wait_text("5 < 6")
        assert seen.text == AWKWARD
        assert seen.event.devicename is None
        assert seen.snap.messages[0][1] == AWKWARD
        assert client.messages[0][1] == AWKWARD
        str(seen.event)


def test_reports_can_be_switched_off(running: Running, peer: Peer) -> None:
    running.client.enable_reports = False
    running.call(running.client.report("not this"))
    running.call(running.client.warning("but this"))
    running.wait_text("but this")
    assert not [seen for seen in running.seen if "not this" in seen.text]


def test_a_message_of_an_unknown_device_is_told_and_kept(running: Running, peer: Peer) -> None:
    """Defect 26: dropped."""
    snap = running.after(peer, '<message device="E" message="I am starting"/>')
    seen = next(seen for seen in running.seen if seen.text == "I am starting")
    assert (seen.event.devicename, seen.event.device) == ("E", None)
    assert "I am starting" in [text for _, text in snap.messages]
    assert "E" not in snap


def test_messages_are_kept_newest_first_and_eight_at_most(running: Running, peer: Peer) -> None:
    """Row 40."""
    messages = "".join(f'<message device="D" message="{n}"/>' for n in range(100))
    snap = running.after(peer, messages + '<message device="D"/>')
    assert [text for _, text in snap["D"].messages] == [str(n) for n in range(99, 91, -1)]
    assert list(running.client["D"].messages) == list(snap["D"].messages)


def test_what_the_server_gets_wrong_is_told(running: Running, peer: Peer) -> None:
    running.after(peer, "<setNumberVector device='D' name='N'><oneNumber name='x'>2" + moved(3))
    assert running.client.snapshot()["D"]["N"]["x"] == "3"
    assert "setNumberVector 'N' dropped" in " ".join(seen.text for seen in running.seen)


def test_a_client_event_goes_through_rxevent_in_its_turn(running: Running, peer: Peer) -> None:
    running.after(peer, moved(3))
    running.call(running.client["D"]["N"].create_clientevent("Mine", colour="red"))
    event = running.wait_for("ClientEvent").event
    assert (event.eventtype, event.payload, dict(event)) == ("Mine", {"colour": "red"}, {"x": "3", "y": "2"})


# -- the state ------------------------------------------------------------------------------------


def test_user_strings_survive_definitions_anew_deletions_and_reconnections(
    server: ScriptedServer, running: Running, peer: Peer
) -> None:
    """Defects 14 and 19."""
    client = running.client
    keys = [("D", None, None), ("D", "N", None), ("D", "N", "x")]
    for key in keys:
        running.do(partial(client.set_user_string, *key, f"mine {key}"))

    def shown() -> list[str]:
        device, snap = client["D"], client.snapshot()["D"]
        live = [device.user_string, device["N"].user_string, device["N"].member("x").user_string]
        assert live == [snap.user_string, snap["N"].user_string, snap["N"].member("x").user_string]
        return live

    expected = [f"mine {key}" for key in keys]
    assert shown() == expected
    running.after(peer, '<delProperty device="D" name="N"/>' + NUMBER)
    assert shown() == expected
    peer.close()
    running.wait_for("ConnectionLost")
    running.after(server.greet(NUMBER), "")
    assert shown() == expected
    assert [client.get_user_string(*key) for key in keys] == expected


def test_item_ids_are_unique_and_survive_definitions_anew(
    server: ScriptedServer, running: Running, peer: Peer
) -> None:
    """Defect 19. After a reconnection all objects are new ones, with new ids, as in 0.9."""
    client = running.client

    def ids() -> dict[str, int]:
        device = client.snapshot()["D"]
        found = {"": device.itemid}
        for vector in device.values():
            found[vector.name] = vector.itemid
            found |= {f"{vector.name}.{name}": member.itemid for name, member in vector.members().items()}
        return found

    first = ids()
    assert sorted(first.values()) == list(range(1, len(first) + 1))
    assert (first[""], first["T"], first["T.t"], first["T.u"], first["N"]) == (1, 2, 3, 4, 5)
    running.after(peer, '<delProperty device="D" name="N"/>' + ALL)
    assert ids() == first
    peer.close()
    running.wait_for("ConnectionLost")
    running.after(server.greet(ALL), "")
    assert len(ids()) == len(first)
    assert min(ids().values()) > max(first.values())


def test_a_program_may_number_things_itself(server: ScriptedServer) -> None:
    class Numbering(Client):
        def create_itemid(
            self, devicename: str = "", vectorname: str = "", membername: str = "", **kwargs: Any
        ) -> int:
            calls.append((devicename, vectorname, membername))
            return 100 + len(calls)

    calls: list[tuple[str, str, str]] = []
    with Running(Numbering(server.port)) as running:
        snap = running.after(server.greet(NUMBER), "")
    assert calls == [("D", "", ""), ("D", "N", ""), ("D", "N", "x"), ("D", "N", "y")]
    assert snap["D"]["N"].member("y").itemid == 104


def test_what_a_program_assigns_to_live_objects_shows_in_snapshots(running: Running, peer: Peer) -> None:
    client = running.client
    vector, member, blob = client["D"]["N"], client["D"]["N"].member("x"), client["D"]["B"].member("b")
    stamp = datetime(2024, 1, 2, tzinfo=timezone.utc)

    def assign() -> None:
        vector.state, vector.timestamp, vector.user_string = "Alert", stamp, "mine"
        vector.label, member.label, member.membervalue = "Other", "EX", "7"
        blob.user_string, blob.membervalue = "frame", b"abc"
        client["D"].messages.appendleft((stamp, "noted"))
        client.user_string = "the client's"

    running.do(assign)
    snap = client.snapshot()
    node = snap["D"]["N"]
    assert (node.state, node.timestamp, node.user_string, node.label) == ("Alert", stamp, "mine", "Other")
    assert (node.member("x").label, node["x"], vector["x"]) == ("EX", "7", "7")
    assert (snap["D"]["B"].member("b").user_string, snap["D"]["B"]["b"]) == ("frame", b"abc")
    assert snap["D"].messages[0] == (stamp, "noted")
    assert snap.user_string == "the client's"


@pytest.mark.parametrize(("attribute", "value"), [("state", "Bad"), ("perm", "xx"), ("rule", "Any")])
def test_a_word_outside_the_list_cannot_be_assigned(
    running: Running, peer: Peer, attribute: str, value: str
) -> None:
    with pytest.raises(ParseException):
        running.do(lambda: setattr(running.client["D"]["S"], attribute, value))


def test_values_cannot_be_assigned_to_the_mappings(running: Running, peer: Peer) -> None:
    client = running.client
    peer.send(moved(3))
    event = running.wait_for("setNumberVector").event
    mappings: list[Any] = [client, client["D"], client["D"]["N"], event]
    for mapping in mappings:
        with pytest.raises(KeyError):
            mapping["x"] = 5


def test_snapshots_share_what_did_not_change_between_events(running: Running, peer: Peer) -> None:
    """Defect 27: each was a copy of everything."""
    before = running.after(peer, NUMBER.replace('"D"', '"E"'))
    after = running.after(peer, moved(5))
    assert after["E"] is before["E"]
    assert after["D"] is not before["D"]
    assert after["D"]["T"] is before["D"]["T"]
    assert after["D"]["N"].member("y") is before["D"]["N"].member("y")
    assert after["D"]["N"].member("x") is not before["D"]["N"].member("x")
    (change,) = after.changes(before)
    assert (change.devicename, change.vectorname) == ("D", "N")


def test_an_old_snapshot_never_changes(server: ScriptedServer, running: Running, peer: Peer) -> None:
    client = running.client
    old = running.after(peer, moved(3) + frame(b"ABC"))
    dump = old.dumps(inc_blob=True, inc_user_string=True)
    running.after(peer, moved(9) + frame(b"XYZ") + TEXT.replace('"T"', '"N"') + '<delProperty device="D"/>')
    running.do(lambda: client.set_user_string("D", "T", None, "mine"))
    running.do(lambda: client["D"].messages.clear())
    peer.close()
    running.wait_for("ConnectionLost")
    running.after(server.greet(LIGHT + SWITCH + READ_ONLY), "")
    assert old.dumps(inc_blob=True, inc_user_string=True) == dump


def test_the_event_and_the_live_objects_show_the_state_after_it(
    server: ScriptedServer, client: Client
) -> None:
    shown = []

    async def look(event: Any) -> None:
        if isinstance(event, events.setNumberVector):
            assert event.device is client["D"]
            assert event.vector is not None
            shown.append((event["x"], event.vector["x"], client.snapshot()["D"]["N"]["x"]))

    client.before = look
    with Running(client) as running:
        running.after(server.greet(NUMBER), moved(3) + moved(4))
    assert shown == [("3", "3", "3"), ("4", "4", "4")]
