"""How one message changes the state: the invariants of any sequence, and each rule."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from functools import cache
from itertools import combinations, count, pairwise
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indipyclient.protocol.messages import (
    KINDS,
    SEPARATOR,
    STATES,
    DefMember,
    DefVector,
    DelProperty,
    DeviceMessage,
    EnableBLOB,
    GetProperties,
    Kind,
    Malformed,
    Message,
    NewVector,
    OneBLOB,
    OneMember,
    OneMembers,
    PingReply,
    PingRequest,
    SetVector,
)
from indipyclient.state.apply import (
    apply,
    blank,
    change_device,
    change_vector,
    log,
    set_user_string,
)
from indipyclient.state.members import SnapBLOBMember, SnapMember, SnapNumberMember
from indipyclient.state.snapshots import Change, Snap, SnapDevice
from indipyclient.state.vectors import SnapNumberVector, SnapVector

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
LATER = NOW + timedelta(minutes=1)
SENT = datetime(2023, 12, 31, 23, 59, 59, 999999, timezone.utc)
Addresses = list[tuple[str, str, str]]


# -- making messages and states --------------------------------------------------------------

VALUE: dict[Kind, str] = {"Text": "hello", "Number": "1.5", "Switch": "Off", "Light": "Idle", "BLOB": ""}


def define(kind: Kind = "Number", *members: str | DefMember, **fields: Any) -> DefVector:
    """A definition of the vector "v" of "Camera", its members given as they are or by name."""
    made = tuple(
        DefMember(member, "", VALUE[kind]) if isinstance(member, str) else member for member in members
    )
    message = DefVector(
        kind,
        device="Camera",
        name="v",
        label="",
        group="",
        state="Idle",
        perm="ro" if kind == "Light" else "rw",
        rule="OneOfMany" if kind == "Switch" else None,
        timeout=0.0,
        timestamp=None,
        message="",
        members=made,
    )
    return message._replace(**fields)


def update(kind: Kind = "Number", *members: OneMember | OneBLOB, **fields: Any) -> SetVector:
    """An update of the vector "v" of "Camera"."""
    message = SetVector(kind, "Camera", "v", state=None, timeout=None, timestamp=None, message="", members=())
    return message._replace(members=members, **fields)


def delete(name: str | None = "v", device: str = "Camera", **fields: Any) -> DelProperty:
    return DelProperty(device, name, None, "")._replace(**fields)


def frame(content: bytes = b"frame", **fields: Any) -> OneBLOB:
    return OneBLOB("a", memoryview(content), len(content), ".fits")._replace(**fields)


class Identities:
    """Numbers nodes as a client does, and remembers for which it was asked."""

    def __init__(self, user_string: str = "") -> None:
        self.asked: Addresses = []
        self._user_string = user_string

    def __call__(self, device: str, vector: str, member: str) -> tuple[str, int]:
        self.asked.append((device, vector, member))
        return self._user_string, len(self.asked)


def after(*messages: Message, snap: Snap | None = None, identify: Any = None, now: datetime = NOW) -> Snap:
    """The state after `messages`, from nothing or from `snap`."""
    snap = Snap("localhost", 7624) if snap is None else snap
    identify = identify or Identities()
    for message in messages:
        snap = apply(snap, message, now, identify)
    return snap


def the_vector(*messages: Message, snap: Snap | None = None, now: datetime = NOW) -> SnapVector:
    return after(*messages, snap=snap, now=now)["Camera"]["v"]


Node = Snap | SnapDevice | SnapVector | SnapMember
Path = tuple[str, ...]


def nodes(snap: Snap) -> dict[Path, Node]:
    """Every node of the tree by its path."""
    found: dict[Path, Node] = {(): snap}
    for device in snap.values():
        found[device.devicename,] = device
        for vector in device.values():
            found[device.devicename, vector.name] = vector
            for member in vector.members().values():
                found[device.devicename, vector.name, member.name] = member
    return found


def new_nodes(before: Snap, changed: Snap) -> dict[Path, Node]:
    known = set(map(id, nodes(before).values()))
    return {path: node for path, node in nodes(changed).items() if id(node) not in known}


# -- any sequence of messages ----------------------------------------------------------------

# the vectors of the first definitions are named after their kind, so that updates often suit them
devices = st.sampled_from(["Camera", "Mount"])
vectors = st.sampled_from(KINDS)
members = st.sampled_from(["a", "b", "c"])
words = st.sampled_from(sorted(STATES))
texts = st.sampled_from(["", "", "too hot"])
stamps = st.sampled_from([None, SENT, LATER])
timeouts = st.sampled_from([None, 0.0, 60.0])
number_texts = st.sampled_from(["1.5", "-1:30", "nan", "1e400", "-"])
values: dict[Kind, st.SearchStrategy[str]] = {
    "Text": st.sampled_from(["", "M 31", "\N{DEGREE SIGN}"]),
    "Number": number_texts,
    "Switch": st.sampled_from(["On", "Off"]),
    "Light": words,
    "BLOB": st.just(""),
}
formats = st.sampled_from(["%g", "%9.6m", "foo", "%n", ""])
labels = st.sampled_from(["", "", "Label"])


def kinds_for(vector: Kind) -> st.SearchStrategy[Kind]:
    return st.just(vector) | st.sampled_from(KINDS)


@st.composite
def definitions(draw: Callable[..., Any]) -> DefVector:
    name = draw(vectors)
    kind = draw(kinds_for(name))
    member = st.builds(DefMember, members, labels, values[kind], formats, number_texts)
    defined = st.lists(member, max_size=3, unique_by=lambda member: member.name).map(tuple)
    rest = st.fixed_dictionaries(
        {"device": devices, "label": labels, "group": labels, "state": words, "timestamp": stamps}
        | {"timeout": st.just(7.0), "message": texts, "members": defined}
    )
    return define(kind, name=name, **draw(rest))


@st.composite
def updates(draw: Callable[..., Any]) -> SetVector:
    name = draw(vectors)
    kind = draw(kinds_for(name))
    limits = st.none() | st.tuples(*[st.none() | number_texts] * 3) if kind == "Number" else st.none()
    one: st.SearchStrategy[Any] = st.builds(OneMember, members | st.just("unknown"), values[kind], limits)
    if kind == "BLOB":
        payloads = st.sampled_from([None, memoryview(b"frame"), memoryview(b"another")])
        sizes = st.sampled_from([None, 0, 5])
        one = st.builds(OneBLOB, members, payloads, sizes, st.sampled_from(["", ".fits"]), texts)
    rest = st.fixed_dictionaries(
        {"device": devices | st.just("Dome"), "state": st.none() | words, "timeout": timeouts}
        | {"timestamp": stamps, "message": texts}
    )
    return update(kind, *draw(st.lists(one, max_size=3)), name=name, **draw(rest))


def known_or_not(names: st.SearchStrategy[Any]) -> st.SearchStrategy[str | None]:
    return names | st.just("unknown") | st.none()


deletions = st.builds(DelProperty, devices | st.just("Dome"), known_or_not(vectors), stamps, texts)
lines = st.builds(DeviceMessage, known_or_not(devices), stamps, texts)
without_state: st.SearchStrategy[Message] = st.sampled_from(
    [
        NewVector("Number", "Camera", "Number", None, (OneMember("a", "9"),)),
        GetProperties(),
        EnableBLOB("Also", "Camera"),
        PingRequest("1"),
        PingReply("1"),
        Malformed("nonsense", "Camera"),
    ]
)
anything: st.SearchStrategy[Any] = updates() | definitions() | updates() | deletions | lines | without_state
sequences = st.lists(anything, max_size=12)


def history(messages: Iterable[Message]) -> list[Snap]:
    """The states after each message, from a camera with a vector of each kind on."""
    identify = Identities()
    states = [after(*(define(kind, "a", "b", name=kind) for kind in KINDS), identify=identify)]
    for message in messages:
        states.append(apply(states[-1], message, NOW, identify))
    return states


def everything(snap: Snap) -> str:
    """All that a snapshot says, as text, since nan is not equal to itself."""
    return repr((snap.dictdump(True, True, True), snap.messages, snap.rev))


@given(sequences)
def test_earlier_snapshots_never_change(messages: list[Message]) -> None:
    states = history([])
    said = [everything(states[0])]
    identify = Identities()
    for message in messages:
        states.append(apply(states[-1], message, NOW, identify))
        said.append(everything(states[-1]))
    assert [everything(state) for state in states] == said


@given(sequences)
def test_each_change_is_one_revision_which_just_its_new_nodes_carry(messages: list[Message]) -> None:
    for before, changed in pairwise(history(messages)):
        if changed is before:
            continue
        assert changed.rev == before.rev + 1
        fresh = new_nodes(before, changed)
        assert () in fresh
        assert {path for path, node in nodes(changed).items() if node.rev == changed.rev} == set(fresh)


def touches(message: Message, path: Path) -> bool:
    """Whether `message` may make a new node at `path`."""
    if not path:
        return True
    if path[0] != getattr(message, "device", None) or isinstance(message, NewVector | EnableBLOB | Malformed):
        return False
    if len(path) == 1:
        return True
    whole_device = isinstance(message, DelProperty) and message.name is None
    if not whole_device and path[1] != getattr(message, "name", None):
        return False
    if len(path) == 2:
        return True
    named = getattr(message, "members", ())
    return isinstance(message, DefVector) or path[2] in [member.name for member in named]


@given(sequences)
def test_what_a_message_does_not_touch_is_the_same_object(messages: list[Message]) -> None:
    for message, (before, changed) in zip(messages, pairwise(history(messages)), strict=True):
        for path in new_nodes(before, changed):
            assert touches(message, path), (message, path)
        assert set(nodes(before)) - set(nodes(changed)) <= {
            path for path in nodes(before) if len(path) == 3 and isinstance(message, DefVector)
        }


def compared(newer: Snap, older: Snap) -> set[tuple[str, str | None]]:
    """What differs, found by looking at every node."""
    new, old = nodes(newer), nodes(older)
    rows: set[tuple[str, str | None]] = {
        path for path in new | old if len(path) == 2 and new.get(path) is not old.get(path)
    }
    for name in {*newer, *older}:
        here, there = newer.get(name), older.get(name)
        if here is None or there is None or here.messages is not there.messages:
            rows.add((name, None))
    return rows


@given(sequences)
def test_changes_are_what_a_comparison_of_every_node_finds(messages: list[Message]) -> None:
    states = history(messages)
    for older, newer in combinations([*states, Snap("localhost", 7624), blank(states[-1])], 2):
        for one, other in [(newer, older), (older, newer)]:
            rows, expected = one.changes(other), compared(one, other)
            assert {(row.devicename, row.vectorname) for row in rows} == expected
            assert len(rows) == len(expected)
            old, new = nodes(other), nodes(one)
            for row in rows:
                path = (row.devicename,) if row.vectorname is None else (row.devicename, row.vectorname)
                assert (row.old, row.new) == (old.get(path), new.get(path))
                assert row.old is old.get(path) and row.new is new.get(path)


@given(sequences)
def test_devices_and_vectors_tell_their_changes_too(messages: list[Message]) -> None:
    states = history(messages)
    older, newer = nodes(states[0]), nodes(states[-1])
    for path, node in newer.items():
        before = older.get(path)
        below = {one for one in older | newer if one[:-1] == path and older.get(one) is not newer.get(one)}
        found: list[str] | None = None
        if isinstance(node, SnapDevice) and isinstance(before, SnapDevice):
            found = node.changes(before)
        if isinstance(node, SnapVector) and isinstance(before, SnapVector):
            found = node.changes(before)
        assert found is None or {(*path, name) for name in found} == below


@given(sequences)
def test_item_ids_are_unique_and_stay_unless_the_type_changes(messages: list[Message]) -> None:
    for before, changed in pairwise(history(messages)):
        old, new = itemids(before), itemids(changed)
        assert len(set(new.values())) == len(new) and all(new.values())
        retyped = retyped_vectors(before, changed)
        for path in old.keys() & new.keys():
            assert old[path] == new[path] or path[:2] in retyped


def itemids(snap: Snap) -> dict[Path, int]:
    return {path: node.itemid for path, node in nodes(snap).items() if not isinstance(node, Snap)}


def retyped_vectors(before: Snap, changed: Snap) -> set[Path]:
    old, new = nodes(before), nodes(changed)
    return {
        path
        for path, node in new.items()
        if isinstance(node, SnapVector)
        and isinstance(vector := old.get(path), SnapVector)
        and node.vectortype != vector.vectortype
    }


def plainly(message: Message) -> Message:
    """The message as it comes if it was read by the shortcut of the scanner."""
    if not isinstance(message, SetVector) or any(
        isinstance(one, OneBLOB) or one.limits for one in message.members
    ):
        return message
    names, values = [one.name for one in message.members], [one[1] for one in message.members]
    return message._replace(members=OneMembers(tuple(names), SEPARATOR.join(map(str, values))))


@st.composite
def updates_of_all(draw: Callable[..., Any]) -> SetVector:
    """An update of all members that a vector has had from the first."""
    kind = draw(vectors.filter(lambda kind: kind != "BLOB"))
    return update(kind, *(OneMember(name, draw(values[kind])) for name in "ab"), name=kind)


@given(st.lists(updates_of_all() | anything, max_size=12), st.data())
def test_plainly_read_updates_do_the_same_as_others(messages: list[Message], data: st.DataObject) -> None:
    """Whoever looks at the states between, or does not."""
    usual, plain = history(messages), history(map(plainly, messages))
    for state in data.draw(st.lists(st.sampled_from(plain))):
        everything(state)
    for one, other in zip(usual, plain, strict=True):
        assert everything(one) == everything(other)
        here, there = nodes(one), nodes(other)
        assert {path: node.rev for path, node in here.items()} == {
            path: node.rev for path, node in there.items()
        }
    for (before, after), (plain_before, plain_after) in zip(pairwise(usual), pairwise(plain), strict=True):
        assert set(new_nodes(before, after)) == set(new_nodes(plain_before, plain_after))


@pytest.mark.parametrize("message", [GetProperties(), PingRequest(""), PingReply(""), Malformed("?")])
def test_what_carries_no_state_changes_nothing(message: Message) -> None:
    snap = after(define())
    assert apply(snap, message, NOW, Identities()) is snap


def test_an_echoed_command_is_not_taken_for_a_value() -> None:
    snap = after(define("Number", "a"))
    echo = NewVector("Number", "Camera", "v", None, (OneMember("a", "99"),))
    assert after(echo, snap=snap) is snap


# -- costs -----------------------------------------------------------------------------------


@cache
def many_vectors(number: int) -> Snap:
    return after(*(define("Number", *"abcd", name=f"v{place}") for place in range(number)))


@cache
def many_devices(number: int) -> Snap:
    return after(*(define("Number", *"abcd", device=f"d{place}", name="v0") for place in range(number)))


@pytest.mark.parametrize("members", [4, 32])
def test_a_plain_update_of_all_members_makes_no_node_of_them(members: int) -> None:
    """They are made when they are looked at, once, however many look at them at a time."""
    names = tuple(f"m{place}" for place in range(members))
    snap = after(define("Number", *names))
    gc.collect()
    made = sum(isinstance(thing, SnapMember) for thing in gc.get_objects())
    message = update("Number")._replace(members=OneMembers(names, SEPARATOR.join(["2"] * members)))
    states = [snap := apply(snap, message, NOW, Identities()) for _ in range(3)]
    assert sum(isinstance(thing, SnapMember) for thing in gc.get_objects()) == made
    assert [state["Camera"]["v"]["m3"] for state in states] == ["2"] * 3
    assert sum(isinstance(thing, SnapMember) for thing in gc.get_objects()) == made

    with ThreadPoolExecutor(8) as threads:
        vector = states[-1]["Camera"]["v"]
        looks = [threads.submit(vector.member, "m3") for _ in range(100)]
        assert {id(look.result()) for look in looks} == {id(vector.member("m3"))}
    assert (vector.member("m3").value, vector.member("m3").rev) == (2.0, snap.rev)


@pytest.mark.parametrize("moment", range(12))
def test_the_values_may_be_looked_at_while_another_thread_does_so(moment: int) -> None:
    """It gets there first at some line of the code that takes them apart."""
    names = ("a", "b")
    message = update("Number")._replace(members=OneMembers(names, SEPARATOR.join("12")))
    vector = apply(after(define("Number", *names)), message, NOW, Identities())["Camera"]["v"]
    moments = count()

    def overtake(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_globals is not vars(sys.modules[SnapVector.__module__]):
            return None
        if next(moments) == moment:
            assert vector["a"] == "1"
        return overtake

    traced = sys.gettrace()
    sys.settrace(overtake)
    try:
        seen = vector["b"]
    finally:
        sys.settrace(traced)
    assert seen == "2"
    assert next(moments) > 8, "there was too little to get in between"


FOUR = update("Number", *(OneMember(name, "2") for name in "abcd"), state="Ok", name="v0")


def cost(snap: Snap, message: Message) -> tuple[set[Path], int]:
    """The paths of the nodes that `message` makes, and the most bytes needed for it at any time."""
    identify = Identities()
    apply(snap, message, NOW, identify)
    gc.collect()
    tracemalloc.start()
    changed = apply(snap, message, NOW, identify)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return set(new_nodes(snap, changed)), peak


@pytest.mark.parametrize(
    "message",
    [
        FOUR,
        plainly(FOUR),
        delete("v0"),
        DeviceMessage("Camera", None, "hot"),
        define("Number", *"abcd", name="v0"),
    ],
    ids=["set", "set plainly", "delete", "message", "define"],
)
def test_a_message_costs_the_same_among_10_and_5000_vectors(message: Message) -> None:
    few_nodes, few_bytes = cost(many_vectors(10), message)
    many_nodes, many_bytes = cost(many_vectors(5000), message)
    assert many_nodes == few_nodes
    assert len(many_nodes) <= 3 + 4
    # a copy of 5000 references would take 40 000
    assert many_bytes - few_bytes < 4000


def test_an_update_costs_the_same_among_10_and_5000_devices() -> None:
    message = plainly(FOUR)._replace(device="d0")
    few_nodes, few_bytes = cost(many_devices(10), message)
    many_nodes, many_bytes = cost(many_devices(5000), message)
    assert many_nodes == few_nodes
    assert many_bytes - few_bytes < 4000


def test_a_definition_of_a_new_vector_costs_the_same_among_10_and_5000() -> None:
    """Bytes kept are counted: the index over all names grows in place, now and then by a leap."""
    message = define("Number", *"abcd", name="new")
    few, many = many_vectors(10), many_vectors(5000)
    assert set(new_nodes(few, after(message, snap=few))) == set(new_nodes(many, after(message, snap=many)))
    states = [many]
    tracemalloc.start()
    for place in range(20):
        states.append(after(message._replace(name=f"new{place}"), snap=states[-1]))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [len(snap["Camera"]) for snap in states] == list(range(5000, 5021))
    assert kept / 20 < 20_000


def test_all_of_5000_vectors_defined_again_keep_their_members_and_ids() -> None:
    """As happens when another client connects to the server."""
    definitions = [define("Number", *"abcd", name=f"v{place}") for place in range(5000)]
    identify = Identities()
    before = after(*definitions, identify=identify)
    asked = len(identify.asked)
    changed = after(*definitions, snap=before, identify=identify)
    assert len(identify.asked) == asked
    kept = [path for path in new_nodes(before, changed) if len(path) == 3]
    assert kept == []
    assert list(changed["Camera"]) == list(before["Camera"])


# -- definitions -----------------------------------------------------------------------------


def test_a_definition_makes_device_vector_and_members_with_ids_in_that_order() -> None:
    identify = Identities()
    snap = after(define("Number", "a", "b"), identify=identify)
    assert identify.asked == [
        ("Camera", "", ""),
        ("Camera", "v", ""),
        ("Camera", "v", "a"),
        ("Camera", "v", "b"),
    ]
    vector = snap["Camera"]["v"]
    assert [snap["Camera"].itemid, vector.itemid] == [1, 2]
    assert [member.itemid for member in vector.members().values()] == [3, 4]


def test_user_strings_set_beforehand_are_given_to_new_nodes() -> None:
    snap = after(define("Text", "a"), identify=Identities("mine"))
    strings = {node.user_string for path, node in nodes(snap).items() if path}
    assert strings == {"mine"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_definition_says_everything_about_its_vector(kind: Kind) -> None:
    member = DefMember("a", "Label A", VALUE[kind], "%5.2f", "-1", "9", "0.5")
    vector = the_vector(
        define(kind, member, label="Label V", group="Main", state="Busy", timeout=7.0, timestamp=SENT)
    )
    assert vector.vectortype == f"{kind}Vector"
    assert (vector.label, vector.group, vector.state, vector.timestamp) == ("Label V", "Main", "Busy", SENT)
    assert vector.timeout == (None if kind == "Light" else 7.0)
    assert vector.perm == ("ro" if kind == "Light" else "rw")
    assert vector.rule == ("OneOfMany" if kind == "Switch" else None)
    assert vector.memberlabel("a") == "Label A"
    assert vector["a"] == (None if kind == "BLOB" else VALUE[kind])
    assert vector.enable and (vector.message, vector.message_timestamp) == ("", SENT)


def test_a_number_keeps_the_texts_received() -> None:
    member = the_vector(define("Number", DefMember("a", "", "-1:30", "%9.6m", "-90:00", "+90", "0"))).member(
        "a"
    )
    assert isinstance(member, SnapNumberMember)
    assert (member.membervalue, member.format) == ("-1:30", "%9.6m")
    assert (member.min, member.max, member.step) == ("-90:00", "+90", "0")
    assert member.value == -1.5


def test_without_label_and_group_the_names_stand_in() -> None:
    vector = the_vector(define("Text", "a"))
    assert (vector.label, vector.memberlabel("a"), vector.group) == ("v", "a", "DEFAULT GROUP")


def test_the_time_of_arrival_stands_in_for_a_missing_timestamp() -> None:
    vector = the_vector(define("Text", "a"))
    assert (vector.timestamp, vector.message_timestamp) == (NOW, NOW)
    assert the_vector(update("Text"), snap=after(define("Text", "a")), now=LATER).timestamp == LATER


def test_a_vector_without_members_is_kept() -> None:
    assert list(the_vector(define("Text"))) == []


def test_of_two_members_with_one_name_the_last_counts() -> None:
    vector = the_vector(define("Text", DefMember("a", "", "first"), "b", DefMember("a", "", "last")))
    assert dict(vector) == {"a": "last", "b": "hello"}


@pytest.mark.parametrize("name", ["CCD.1", "a b", "*", "\N{GREEK SMALL LETTER ALPHA} Lyr", "x" * 200])
def test_any_device_name_is_taken_exactly(name: str) -> None:
    snap = after(define("Text", "a", device=name), define("Text", "a", device=name.upper() + "!"))
    changed = after(update("Text", OneMember("a", "new"), device=name), snap=snap)
    assert changed[name]["v"]["a"] == "new"
    assert changed[name.upper() + "!"] is snap[name.upper() + "!"]


def test_one_property_name_on_two_devices_is_two_properties() -> None:
    snap = after(define("Text", "a"), define("Number", "a", device="Mount"))
    changed = after(update("Text", OneMember("a", "new")), snap=snap)
    assert (changed["Camera"]["v"]["a"], changed["Mount"]["v"]["a"]) == ("new", "1.5")


# -- definitions of what is known ------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ab", "abc"),
        ("abc", "b"),
        ("abc", "cba"),
        ("ab", "cd"),
        ("ab", "bcd"),
        ("ab", ""),
    ],
    ids=["more", "fewer", "reordered", "others", "some", "none"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_members_become_those_of_the_new_definition(kind: Kind, first: str, second: str) -> None:
    identify = Identities()
    snap = after(define(kind, *first), identify=identify)
    before = snap["Camera"]["v"]
    vector = after(define(kind, *second), snap=snap, identify=identify)["Camera"]["v"]
    assert list(vector) == list(vector.members()) == list(vector.dictdump()["members"]) == list(second)
    assert list(before) == list(before.members()) == list(first)
    assert vector.itemid == before.itemid
    for name in set(first) & set(second):
        assert vector.member(name) is before.member(name)
    fresh = count(len(first) + 3)
    for name in second:
        if name not in first:
            assert vector.member(name).itemid == next(fresh)


def test_a_redefinition_takes_the_new_values_labels_and_limits() -> None:
    first = define("Number", DefMember("a", "Old", "1"), label="Old", group="Old", state="Busy", timeout=5.0)
    snap = after(first)
    second = DefMember("a", "New", "2", "%d", "0", "9", "1")
    vector = the_vector(
        define("Number", second, label="New", group="New", timeout=9.0, perm="ro", timestamp=SENT), snap=snap
    )
    assert (vector.label, vector.group, vector.state, vector.perm) == ("New", "New", "Idle", "ro")
    assert (vector.timeout, vector.timestamp) == (9.0, SENT)
    member = vector.member("a")
    assert isinstance(member, SnapNumberMember)
    assert (member.label, member.membervalue, member.format, member.max) == ("New", "2", "%d", "9")
    assert member.itemid == snap["Camera"]["v"].member("a").itemid


def test_a_redefinition_without_labels_keeps_those_there_were() -> None:
    first = define("Text", DefMember("a", "Member", ""), label="Vector", group="Main")
    vector = the_vector(first, define("Text", "a"))
    assert (vector.label, vector.group, vector.memberlabel("a")) == ("Vector", "Main", "Member")


def test_a_redefinition_without_message_keeps_the_last_one() -> None:
    vector = the_vector(define("Text", "a", message="hot", timestamp=SENT), define("Text", "a"))
    assert (vector.message, vector.message_timestamp, vector.timestamp) == ("hot", SENT, NOW)


def test_a_redefinition_keeps_user_strings() -> None:
    snap = after(define("Text", "a"))
    for address in [("Camera", "", ""), ("Camera", "v", ""), ("Camera", "v", "a")]:
        snap = set_user_string(snap, *address, "/".join(address))
    snap = after(define("Text", DefMember("a", "New", "new"), "b"), snap=snap)
    vector = snap["Camera"]["v"]
    assert snap["Camera"].user_string == "Camera//"
    assert (vector.user_string, vector.member("a").user_string) == ("Camera/v/", "Camera/v/a")
    assert vector.member("b").user_string == ""


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("second", KINDS)
def test_a_vector_defined_with_another_type_is_a_new_one(first: Kind, second: Kind) -> None:
    identify = Identities()
    snap = after(define(first, "a", "b", label="Old", message="hot", timeout=5.0), identify=identify)
    snap = set_user_string(snap, "Camera", "v", "", "mine")
    vector = after(define(second, "a"), snap=snap, identify=identify)["Camera"]["v"]
    assert vector.vectortype == f"{second}Vector"
    assert list(vector) == ["a"]
    assert vector["a"] == (None if second == "BLOB" else VALUE[second])
    if first == second:
        assert (vector.itemid, vector.user_string, vector.label) == (2, "mine", "Old")
    else:
        assert (vector.itemid, vector.user_string, vector.label) == (5, "", "v")
        assert vector.message == ""
        assert vector.member("a").itemid == 6
    assert isinstance(vector, SnapNumberVector) == (second == "Number")


def test_a_vector_of_another_type_stays_in_its_place() -> None:
    snap = after(*(define("Text", "a", name=name) for name in "uvw"), define("Number", "a"))
    assert list(snap["Camera"]) == ["u", "v", "w"]


def test_updates_of_the_old_type_are_ignored_after_a_change_of_type() -> None:
    snap = after(define("Text", "a"), define("Number", "a"))
    assert after(update("Text", OneMember("a", "late")), snap=snap) is snap


# -- updates ---------------------------------------------------------------------------------


def test_an_update_changes_the_members_it_names() -> None:
    before = the_vector(define("Number", "a", "b", "c"))
    vector = the_vector(define("Number", "a", "b", "c"), update("Number", OneMember("b", "7"), state="Ok"))
    assert dict(vector) == {"a": "1.5", "b": "7", "c": "1.5"}
    assert dict(before) == {"a": "1.5", "b": "1.5", "c": "1.5"}
    assert vector.state == "Ok"


def test_a_member_that_is_not_known_does_not_hold_up_the_others() -> None:
    vector = the_vector(
        define("Text", "a"), update("Text", OneMember("new", "x"), OneMember("a", "y"), state="Alert")
    )
    assert dict(vector) == {"a": "y"}
    assert vector.state == "Alert"


def test_of_two_values_for_one_member_the_last_counts() -> None:
    vector = the_vector(define("Text", "a"), update("Text", OneMember("a", "x"), OneMember("a", "y")))
    assert vector["a"] == "y"


@pytest.mark.parametrize(
    "message",
    [
        update("Number", OneMember("a", "2"), device="Mount"),
        update("Number", OneMember("a", "2"), name="unknown"),
        update("Text", OneMember("a", "2")),
        update("Switch", OneMember("a", "On")),
        update("Light", OneMember("a", "Ok")),
        update("BLOB", frame()),
    ],
    ids=["device", "vector", "Text", "Switch", "Light", "BLOB"],
)
def test_an_update_of_something_unknown_or_of_another_type_changes_nothing(message: SetVector) -> None:
    snap = after(define("Number", "a"))
    assert after(message, snap=snap) is snap


def test_an_update_before_any_definition_changes_nothing() -> None:
    snap = Snap("localhost", 7624)
    assert after(update("Number", OneMember("a", "2")), snap=snap) is snap


def test_an_update_without_members_changes_state_message_and_time() -> None:
    vector = the_vector(define("Number", "a"), update("Number", state="Alert", message="hot", timestamp=SENT))
    assert dict(vector) == {"a": "1.5"}
    assert (vector.state, vector.message, vector.timestamp) == ("Alert", "hot", SENT)
    assert vector.message_timestamp == SENT


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_without_state_keeps_the_state(kind: Kind) -> None:
    assert the_vector(define(kind, "a", state="Busy"), update(kind)).state == "Busy"


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_without_timeout_keeps_the_timeout(kind: Kind) -> None:
    vector = the_vector(define(kind, "a", timeout=7.0), update(kind))
    assert vector.timeout == (None if kind == "Light" else 7.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_an_update_with_a_timeout_changes_it_for_all_but_lights(kind: Kind, seconds: float) -> None:
    vector = the_vector(define(kind, "a", timeout=7.0), update(kind, timeout=seconds))
    assert vector.timeout == (None if kind == "Light" else seconds)


def test_a_message_stays_through_later_updates() -> None:
    first = update("Text", message="hot", timestamp=SENT)
    vector = the_vector(define("Text", "a"), first, update("Text", timestamp=LATER))
    assert (vector.message, vector.message_timestamp, vector.timestamp) == ("hot", SENT, LATER)


def test_a_number_may_bring_new_limits() -> None:
    definition = define("Number", DefMember("a", "A", "1", "%d", "0", "9", "1"))
    vector = the_vector(definition, update("Number", OneMember("a", "20", (None, "99", None))))
    member = vector.member("a")
    assert isinstance(member, SnapNumberMember)
    assert (member.membervalue, member.min, member.max, member.step) == ("20", "0", "99", "1")
    assert (member.label, member.format) == ("A", "%d")


def test_a_number_beyond_its_limits_is_taken_as_it_is() -> None:
    definition = define("Number", DefMember("a", "", "1", "%d", "0", "9", "1"))
    assert the_vector(definition, update("Number", OneMember("a", "1000")))["a"] == "1000"


def test_two_switches_on_are_taken_as_they_are() -> None:
    on = [OneMember("a", "On"), OneMember("b", "On")]
    assert dict(the_vector(define("Switch", "a", "b"), update("Switch", *on))) == {"a": "On", "b": "On"}


def test_an_update_keeps_ids_and_user_strings() -> None:
    snap = after(define("Number", "a"))
    for address in [("Camera", "", ""), ("Camera", "v", ""), ("Camera", "v", "a")]:
        snap = set_user_string(snap, *address, "mine")
    changed = after(update("Number", OneMember("a", "2", ("0", "1", "2"))), snap=snap)
    for path, node in nodes(changed).items():
        before = nodes(snap)[path]
        if not isinstance(node, Snap) and not isinstance(before, Snap):
            assert (node.itemid, node.user_string) == (before.itemid, "mine")


# -- BLOBs -----------------------------------------------------------------------------------


def blob_after(*updates: OneBLOB, filenames: dict[str, str] | None = None) -> SnapBLOBMember:
    """The BLOB member "a" after some updates; `filenames` come with the first of them."""
    snap = after(define("BLOB", "a"))
    for one in updates:
        snap = apply(snap, update("BLOB", one), NOW, Identities(), filenames)
        filenames = None
    member = snap["Camera"]["v"].member("a")
    assert isinstance(member, SnapBLOBMember)
    return member


def test_there_is_no_content_before_the_first_blob() -> None:
    member = blob_after()
    assert member.membervalue is member.value is member.buffer is None
    assert (member.blobsize, member.blobformat, member.filename, member.error) == (0, "", "", "")


def test_a_blob_is_held_without_a_copy() -> None:
    one = frame(b"12345", format=".bin")
    member = blob_after(one)
    assert member.buffer is one.payload
    assert member.membervalue == b"12345"
    assert (member.blobsize, member.blobformat, member.error) == (5, ".bin", "")


def test_the_bytes_that_travelled_are_kept_beside_those_inflated_from_them() -> None:
    one = frame(b"12345")
    assert blob_after(one).raw is one.payload
    inflated = frame(b"12345", raw=memoryview(b"zip"))
    member = blob_after(inflated)
    assert (member.raw, member.membervalue) == (inflated.raw, b"12345")
    assert blob_after().raw is None


def test_the_size_is_as_announced_or_else_that_of_the_content() -> None:
    assert blob_after(frame(b"12345", size=1000, format=".fits.z")).blobsize == 1000
    assert blob_after(frame(b"12345", size=None)).blobsize == 5


@pytest.mark.parametrize("size", [None, 0])
def test_a_blob_without_content_changes_only_the_state(size: int | None) -> None:
    snap = after(define("BLOB", "a"), update("BLOB", frame(b"12345")))
    changed = after(update("BLOB", OneBLOB("a", None, size, ""), state="Busy"), snap=snap)
    vector = changed["Camera"]["v"]
    assert vector.state == "Busy"
    assert vector.member("a").dictdump(inc_blob=True) == snap["Camera"]["v"].member("a").dictdump(
        inc_blob=True
    )


def test_a_first_blob_without_content_changes_only_the_state() -> None:
    snap = after(define("BLOB", "a"))
    changed = after(update("BLOB", OneBLOB("a", None, 0, ""), state="Busy"), snap=snap)
    assert changed["Camera"]["v"].state == "Busy"
    assert changed["Camera"]["v"].member("a") is snap["Camera"]["v"].member("a")


def test_a_damaged_blob_keeps_the_last_good_one_and_says_so() -> None:
    member = blob_after(frame(b"12345"), OneBLOB("a", None, 999, ".other", "damaged"))
    assert (member.membervalue, member.blobsize, member.blobformat) == (b"12345", 5, ".fits")
    assert member.error == "damaged"


def test_a_damaged_first_blob_says_so() -> None:
    member = blob_after(OneBLOB("a", None, 999, ".fits", "damaged"))
    assert member.membervalue is None
    assert member.error == "damaged"


def test_a_good_blob_ends_the_error_of_the_last() -> None:
    member = blob_after(OneBLOB("a", None, 5, ".fits", "damaged"), frame(b"12345"))
    assert (member.membervalue, member.error) == (b"12345", "")


def test_a_doubtful_blob_is_held_with_what_is_doubtful() -> None:
    member = blob_after(frame(b"123", size=5, error="3 bytes came, 5 were announced"))
    assert (member.membervalue, member.blobsize) == (b"123", 5)
    assert member.error.startswith("3 bytes")


def test_the_name_of_the_saved_file_stays_until_the_next_is_saved() -> None:
    saved = {"a": "a_1.fits", "other": "b_1.fits"}
    assert blob_after(frame(), filenames=saved).filename == "a_1.fits"
    assert blob_after(frame(), frame(), filenames=saved).filename == "a_1.fits"
    assert blob_after(frame(), filenames={"other": "b_1.fits"}).filename == ""


def test_a_redefinition_keeps_content_and_file_name() -> None:
    snap = apply(after(define("BLOB", "a")), update("BLOB", frame()), NOW, Identities(), {"a": "a_1.fits"})
    member = the_vector(define("BLOB", DefMember("a", "New")), snap=snap).member("a")
    assert isinstance(member, SnapBLOBMember)
    assert (member.label, member.membervalue, member.filename) == ("New", b"frame", "a_1.fits")


# -- deletions -------------------------------------------------------------------------------


def test_a_deleted_vector_stays_disabled_with_its_values() -> None:
    snap = after(define("Text", "a"), define("Text", "a", name="w"), delete("v"))
    device = snap["Camera"]
    assert not device["v"].enable and device["w"].enable
    assert dict(device["v"]) == {"a": "hello"}
    assert device.enable


def test_a_device_is_disabled_with_its_last_vector() -> None:
    snap = after(define("Text", "a"), define("Text", "a", name="w"), delete("v"), delete("w"))
    assert not snap["Camera"].enable
    assert (len(snap), snap.enabledlen()) == (1, 0)


def test_a_deleted_device_stays_with_all_its_vectors_disabled() -> None:
    snap = after(define("Text", "a"), define("Text", "a", name="w"), define("Text", "a", device="Mount"))
    changed = after(delete(None), snap=snap)
    assert [vector.enable for vector in changed["Camera"].values()] == [False, False]
    assert changed["Mount"] is snap["Mount"]
    assert changed.enabledlen() == 1


@pytest.mark.parametrize("name", ["v", None])
def test_a_second_deletion_changes_nothing(name: str | None) -> None:
    snap = after(define("Text", "a"), delete(name))
    assert after(delete(name, message="again"), snap=snap) is snap
    assert after(delete(None, message="again"), snap=snap) is snap


def test_a_second_deletion_changes_nothing_of_a_device_that_is_still_there() -> None:
    snap = after(define("Text", "a"), define("Text", "a", name="w"), delete("v"))
    assert after(delete("v", message="again"), snap=snap) is snap


def test_the_end_of_a_device_leaves_vectors_deleted_before_as_they_are() -> None:
    snap = after(define("Text", "a"), define("Text", "a", name="w"), delete("v"))
    changed = after(delete(None), snap=snap)
    assert changed["Camera"]["v"] is snap["Camera"]["v"]
    assert [row.vectorname for row in changed.changes(snap)] == ["w"]


@pytest.mark.parametrize(
    "message",
    [delete("unknown"), delete(""), delete("v", device="Mount"), delete(None, device="Mount")],
    ids=["vector", "empty name", "vector of a device", "device"],
)
def test_a_deletion_of_something_unknown_changes_nothing(message: DelProperty) -> None:
    snap = after(define("Text", "a"))
    assert after(message, snap=snap) is snap


@pytest.mark.parametrize("name", ["v", None])
def test_updates_of_what_was_deleted_change_nothing(name: str | None) -> None:
    snap = after(define("Text", "a"), delete(name))
    assert after(update("Text", OneMember("a", "late"), state="Ok"), snap=snap) is snap


@pytest.mark.parametrize("name", ["v", None])
def test_what_was_deleted_comes_back_with_its_ids(name: str | None) -> None:
    identify = Identities()
    snap = after(define("Text", "a"), delete(name), define("Text", "a"), identify=identify)
    assert snap["Camera"].enable and snap["Camera"]["v"].enable
    assert len(identify.asked) == 3
    assert snap["Camera"]["v"].itemid == 2


def test_the_text_of_a_vectors_deletion_is_a_message_of_the_device() -> None:
    snap = after(define("Text", "a"), delete("v", message="unplugged", timestamp=SENT))
    assert snap["Camera"].messages == ((SENT, "unplugged"),)
    assert snap.messages == ()


def test_the_text_of_a_devices_deletion_is_a_message_of_the_client() -> None:
    snap = after(define("Text", "a"), delete(None, message="driver ended", timestamp=SENT))
    assert snap.messages == ((SENT, "driver ended"),)
    assert snap["Camera"].messages == ()


# -- messages --------------------------------------------------------------------------------


@pytest.mark.parametrize("device", [None, "", "Camera", "Mount"])
def test_eight_messages_are_kept_the_newest_first(device: str | None) -> None:
    snap = after(define("Text", "a"))
    stamps = [NOW + timedelta(seconds=number) for number in range(20)]
    for number, stamp in enumerate(stamps):
        snap = after(DeviceMessage(device, stamp, f"line {number}"), snap=snap)
    kept = tuple((stamps[number], f"line {number}") for number in range(19, 11, -1))
    of_the_camera = device == "Camera"
    assert snap["Camera"].messages == (kept if of_the_camera else ())
    assert snap.messages == (() if of_the_camera else kept)


def test_texts_of_deletions_count_among_the_eight() -> None:
    messages: list[Message] = []
    for number in range(10):
        messages += [define("Text", "a"), delete("v", message=f"gone {number}")]
        messages += [define("Text", "a"), delete(None, message=f"ended {number}")]
    snap = after(*messages)
    assert [text for _, text in snap["Camera"].messages] == [f"gone {number}" for number in range(9, 1, -1)]
    assert [text for _, text in snap.messages] == [f"ended {number}" for number in range(9, 1, -1)]


def test_a_message_without_time_has_the_time_of_arrival() -> None:
    assert after(DeviceMessage(None, None, "hello"), now=LATER).messages == ((LATER, "hello"),)


def test_the_clients_own_messages_are_logged_alike() -> None:
    snap = log(log(Snap("localhost", 7624), NOW, "first"), LATER, "second")
    assert snap.messages == ((LATER, "second"), (NOW, "first"))
    assert snap.rev == 2


# -- changes by the program ------------------------------------------------------------------


def test_blank_forgets_devices_and_messages_and_nothing_else() -> None:
    before = after(define("Text", "a"), DeviceMessage(None, None, "hello"))
    snap = blank(before)
    assert (len(snap), snap.messages) == (0, ())
    assert (snap.indihost, snap.indiport, snap.rev) == ("localhost", 7624, before.rev + 1)
    assert list(before) == ["Camera"]


def test_change_vector_changes_one_vector() -> None:
    before = after(define("Text", "a"), define("Text", "a", name="w"))
    snap = change_vector(before, before["Camera"]["v"], state="Busy")
    assert (snap["Camera"]["v"].state, before["Camera"]["v"].state) == ("Busy", "Idle")
    assert [row[:2] for row in snap.changes(before)] == [("Camera", "v")]
    assert snap["Camera"]["v"].rev == snap.rev == before.rev + 1
    assert set(new_nodes(before, snap)) == {(), ("Camera",), ("Camera", "v")}


def test_change_device_changes_one_device() -> None:
    before = after(define("Text", "a"))
    snap = change_device(before, before["Camera"], messages=((NOW, "mine"),))
    assert snap["Camera"].messages == ((NOW, "mine"),)
    assert snap.changes(before) == [Change("Camera", None, before["Camera"], snap["Camera"])]
    assert set(new_nodes(before, snap)) == {(), ("Camera",)}


@pytest.mark.parametrize("address", [("Camera", "", ""), ("Camera", "v", ""), ("Camera", "v", "a")])
@pytest.mark.parametrize("kind", KINDS)
def test_a_user_string_is_set_at_its_level_only(kind: Kind, address: tuple[str, str, str]) -> None:
    before = after(define(kind, "a", "b"))
    snap = set_user_string(before, *address, "mine")
    path = tuple(filter(None, address))
    assert nodes(snap)[path].user_string == "mine"
    others = [node.user_string for one, node in nodes(snap).items() if one != path]
    assert not any(others)
    assert everything(before) == everything(after(define(kind, "a", "b")))
    assert set(new_nodes(before, snap)) == {path[:length] for length in range(len(path) + 1)}


@pytest.mark.parametrize("address", [("Mount", "", ""), ("Camera", "w", ""), ("Camera", "v", "b")])
def test_a_user_string_of_something_unknown_changes_nothing(address: tuple[str, str, str]) -> None:
    snap = after(define("Text", "a"))
    assert set_user_string(snap, *address, "mine") is snap


def test_a_user_string_of_a_blob_keeps_its_content() -> None:
    snap = apply(after(define("BLOB", "a")), update("BLOB", frame()), NOW, Identities(), {"a": "a_1.fits"})
    member = set_user_string(snap, "Camera", "v", "a", "mine")["Camera"]["v"].member("a")
    assert isinstance(member, SnapBLOBMember)
    assert (member.user_string, member.membervalue, member.filename) == ("mine", b"frame", "a_1.fits")
