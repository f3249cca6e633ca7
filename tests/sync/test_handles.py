"""Handles: what they show, what they take, and in which words they refuse."""

from __future__ import annotations

import enum
import math
import pickle
from typing import Any

import pytest

from indipyclient.errors import (
    InvalidValue,
    NotConnected,
    PropertyAlert,
    ReadOnly,
    UnknownDevice,
    UnknownMember,
    UnknownVector,
)
from indipyclient.protocol import EnableBLOB, NewVector, OneMember
from indipyclient.sync.handles import VectorHandle
from tests.support.deadline import becomes_true
from tests.support.scripted import ALL, PATIENCE, ScriptedServer, frame, moved

from .session import Session

MANY = (
    '<defSwitchVector device="D" name="Many" state="Ok" perm="rw" rule="AnyOfMany">'
    '<defSwitch name="a">On</defSwitch><defSwitch name="b">Off</defSwitch></defSwitchVector>'
)
ONE = MANY.replace("Many", "One").replace("AnyOfOne", "AtMostOne")
FREE = (
    '<defNumberVector device="D" name="Free" state="Ok" perm="rw">'
    '<defNumber name="equal" min="0" max="0">1</defNumber>'
    '<defNumber name="odd" min="nan" max="9">1</defNumber>'
    '<defNumber name="outside" min="0" max="9">99</defNumber></defNumberVector>'
)


def sent(session: Session) -> list[tuple[str, str]]:
    """Names and values of the next command, as the server gets them."""
    return [(one.name, one.value) for one in session.command().members if isinstance(one, OneMember)]


# -- values ---------------------------------------------------------------------------------------


def test_members_have_the_newest_typed_values(session: Session) -> None:
    number, switch, text = session.vector("N"), session.vector("S"), session.vector("T")
    assert (number["x"], switch["a"], switch["b"], text["t"]) == (1.0, True, False, "hill")
    assert session.vector("L")["l"] == "Ok"
    assert session.vector("B")["b"] is None
    session.send(moved(-2.5) + frame(b"stars"))
    assert number["x"] == -2.5
    assert bytes(session.vector("B")["b"]) == b"stars"
    assert dict(number) == {"x": -2.5, "y": 2.0}


def test_snapshots_have_the_texts_as_0_9_had_them_beside_typed_values(session: Session) -> None:
    vector = session.vector("N").snapshot()
    assert (vector["x"], vector.member("x").value) == ("1", 1.0)
    assert session.vector("N").member("x").label == "X"


def test_a_handle_is_a_mapping_of_what_is_there_now(session: Session) -> None:
    assert list(session.indi) == ["D"] and "D" in session.indi and len(session.indi) == 1
    device = session.indi["D"]
    assert list(device) == ["T", "N", "S", "L", "B", "R"]
    assert "N" in device and device.get("X") is None
    session.send('<delProperty device="D" name="N"/>')
    assert "N" not in device and len(device) == 5
    session.send('<delProperty device="D"/>')
    assert list(session.indi) == [] and session.indi.get("D") is None


def test_handles_of_the_same_thing_are_equal(session: Session) -> None:
    assert session.vector("N") == session.vector("N") != session.vector("T")
    assert len({session.vector("N"), session.vector("N"), session.indi["D"]}) == 2


def test_handles_survive_a_reconnection(session: Session) -> None:
    number = session.vector("N")
    session.peer.close()
    assert becomes_true(lambda: not session.indi.connected or "D" not in session.indi, PATIENCE)
    session.peer = session.server.greet(ALL.replace(">1<", ">9<"))
    session.settle()
    assert number["x"] == 9.0
    putting = number.put(x=3)
    session.command()
    session.send(moved(3))
    assert putting.result(PATIENCE)["x"] == "3"


def test_what_is_shown_of_a_client_and_its_handles(session: Session) -> None:
    port = session.server.port
    assert repr(session.indi) == f"<SyncClient 127.0.0.1:{port} connected, 1 devices>"
    assert repr(session.indi["D"]) == f"<device 'D' of {session.indi!r}, 6 vectors>"
    number = session.vector("N")
    assert "'D' 'N' Ok" in repr(number)
    session.send('<delProperty device="D"/>')
    assert "no device 'D'" in repr(number)
    session.indi.close()
    assert repr(session.indi) == f"<SyncClient 127.0.0.1:{port} has been closed, 0 devices>"
    assert "has been closed" in repr(number)


# -- names ----------------------------------------------------------------------------------------


def test_misspelt_names_raise_at_once_with_near_matches(session: Session) -> None:
    with pytest.raises(UnknownDevice, match="no device 'd'; did you mean 'D'"):
        session.indi["d"]
    with pytest.raises(UnknownVector, match="no vector of 'D' 'n'; did you mean 'N'"):
        session.indi["D"]["n"]
    with pytest.raises(UnknownMember, match="no member of 'D' 'N' 'X'; did you mean 'x'"):
        session.vector("N")["X"]
    with pytest.raises(UnknownMember, match="no member of 'D' 'N' 'z'; known: 'x', 'y'"):
        session.vector("N").put(z=1)
    with pytest.raises(UnknownMember, match="no switch of 'D' 'S' 'A'; did you mean 'a'"):
        session.vector("S").put("A")
    with pytest.raises(UnknownMember):
        session.vector("N").wait(member={"X": 1}, timeout=PATIENCE)
    with pytest.raises(UnknownMember):
        session.vector("B").expect_blob("c")


def test_a_name_that_is_on_its_way_is_waited_for(server: ScriptedServer) -> None:
    with Session(server, "", patience=PATIENCE) as session:
        session.peer.send(ALL)
        assert session.indi["D"]["R"]["r"] == "fixed"


# -- what put takes -------------------------------------------------------------------------------


class Axis(enum.Enum):
    X = "x"


class Switch(str, enum.Enum):
    ON = "b"


@pytest.mark.parametrize("value", [5, 5.0, "5", "5:00:00", "4:59:60"])
def test_numbers_of_all_forms(session: Session, value: Any) -> None:
    session.vector("N").put(x=value)
    (x, y) = sent(session)
    assert (x[0], float(x[1]), y) == ("x", 5.0, ("y", "2"))


@pytest.mark.parametrize("members", [{"x": 5}, {Axis.X: 5}])
def test_a_mapping_of_names(session: Session, members: Any) -> None:
    session.vector("N").put(members, y=6)
    assert sent(session) == [("x", "5"), ("y", "6")]


@pytest.mark.parametrize("value", [True, "On"])
def test_switches_by_their_values(session: Session, value: Any) -> None:
    session.vector("S").put(b=value)
    assert sent(session) == [("b", "On")]


@pytest.mark.parametrize("name", ["b", Switch.ON])
@pytest.mark.parametrize(
    ("vector", "expected"),
    [("S", [("a", "Off"), ("b", "On")]), ("One", [("a", "Off"), ("b", "On")]), ("Many", [("b", "On")])],
)
def test_the_name_of_a_switch_alone_turns_it_on(
    session: Session, vector: str, expected: list[tuple[str, str]], name: str
) -> None:
    session.send(MANY + ONE)
    session.vector(vector).put(name)
    assert sent(session) == expected


def test_a_member_called_timeout_goes_by_the_mapping(session: Session) -> None:
    session.send(FREE.replace("equal", "timeout"))
    session.vector("Free").put({"timeout": 3}, timeout=None)
    assert ("timeout", "3") in sent(session)


# -- what put refuses -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vector", "members", "error", "words"),
    [
        ("R", {"r": "x"}, ReadOnly, "'D' 'R' is read-only"),
        ("L", {"l": "Ok"}, ReadOnly, "'D' 'L' is read-only"),
        ("N", {"x": 10.5}, InvalidValue, "number 'x' of 'D' 'N' takes 0 to 10, not 10.5"),
        ("N", {"x": -1}, InvalidValue, "number 'x' of 'D' 'N' takes 0 to 10, not -1"),
        ("N", {"x": math.nan}, InvalidValue, "finite"),
        ("N", {"x": "far"}, InvalidValue, "number 'x' of 'D' 'N'"),
        ("N", {"x": True}, InvalidValue, "number 'x' of 'D' 'N'"),
        ("T", {"t": 5}, InvalidValue, "text 't' of 'D' 'T' takes a str, not 5"),
        ("S", {"a": "Maybe"}, InvalidValue, "takes On, Off or a bool, not 'Maybe'"),
        ("S", {"a": True, "b": True}, InvalidValue, "allows one switch On, not 'a' and 'b'"),
        ("S", {"a": False}, InvalidValue, "one switch of 'D' 'S' is to be On, and this leaves none"),
        ("S", {}, InvalidValue, "no member of 'D' 'S' was given a value"),
        ("B", {"b": b""}, InvalidValue, "BLOB 'b' of 'D' 'B' is empty"),
        ("N", "x", InvalidValue, "'D' 'N' is a NumberVector: give its members values"),
        ("N", 5, TypeError, "not int"),
    ],
)
def test_what_is_wrong_is_raised_here_and_not_sent(
    session: Session, vector: str, members: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        session.vector(vector).put(members)
    session.vector("T").put(t="next")
    assert session.command().name == "T"


def test_limits_that_are_none_and_members_that_are_not_named_are_not_checked(session: Session) -> None:
    session.send(FREE)
    session.vector("Free").put(equal=1e9, odd=50)
    assert sent(session) == [("equal", "1000000000.0"), ("odd", "50"), ("outside", "99")]


@pytest.mark.parametrize("members", [{"b": False}, {"a": False, "b": True}])
def test_switches_that_leave_one_on_are_sent(session: Session, members: dict[str, bool]) -> None:
    session.vector("S").put(members)
    assert len(sent(session)) == len(members)


def test_without_a_connection_that_is_the_reason_that_is_given(session: Session) -> None:
    number = session.vector("N")
    session.server.refuse()
    session.peer.close()
    assert becomes_true(lambda: len(session.indi) == 0, PATIENCE)
    for call in (number.snapshot, lambda: number.put(x=1), lambda: number["x"], lambda: session.indi["D"]):
        with pytest.raises(NotConnected, match="there is no connection to"):
            call()


def test_a_time_limit_or_a_mode_that_is_none_is_refused(session: Session) -> None:
    with pytest.raises(ValueError):
        session.vector("N").put(x=1, timeout="soon")  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="not 'also'"):
        session.vector("B").enable_blobs("also")
    session.vector("T").put(t="next")
    assert session.command().name == "T"


def test_only_blob_vectors_bring_blobs(session: Session) -> None:
    with pytest.raises(InvalidValue, match="'D' 'N' is a NumberVector and brings no BLOBs"):
        session.vector("N").expect_blob()


# -- BLOBs ----------------------------------------------------------------------------------------


def test_a_damaged_frame_is_an_error(session: Session) -> None:
    expected = session.vector("B").expect_blob()
    session.vector("T").put(t="expose")
    session.command()
    session.send(
        '<setBLOBVector device="D" name="B"><oneBLOB name="b" size="9" format=".bin">%%%%</oneBLOB>'
        "</setBLOBVector>"
    )
    with pytest.raises(InvalidValue, match="the BLOB 'b' of 'D' 'B'"):
        expected.result(PATIENCE)


def test_blobs_are_asked_for_once_and_can_be_declined(session: Session) -> None:
    blobs: VectorHandle = session.vector("B")
    expected = [blobs.expect_blob(), blobs.expect_blob("b")]
    blobs.enable_blobs("Never")
    blobs.put(b=b"sent")
    requests = session.peer.receive_until(lambda one: isinstance(one, NewVector))
    assert [one.mode for one in requests if isinstance(one, EnableBLOB)][-2:] == ["Also", "Never"]
    session.send(frame(b"stars"))
    assert [one.result(PATIENCE).membervalue for one in expected] == [b"stars"] * 2


def test_an_alert_can_be_pickled_with_its_vector(session: Session) -> None:
    putting = session.vector("N").put(x=5)
    session.command()
    session.send(moved(1, 'state="Alert" message="too low"'))
    error = pickle.loads(pickle.dumps(putting.exception(PATIENCE)))
    assert isinstance(error, PropertyAlert)
    assert (str(error), error.vector["x"]) == ("'D' 'N' is in state Alert: too low", "1")
