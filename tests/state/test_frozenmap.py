"""The ordered, immutable mapping under every snapshot, against plain dictionaries."""

from __future__ import annotations

import copy
import pickle
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from indipyclient.state.frozenmap import FrozenMap

# around the width of a chunk, and of two and three of them
SIZES = [0, 1, 2, 63, 64, 65, 127, 128, 129, 192, 193]
PATIENCE = 30.0


def entries(start: int, end: int) -> list[tuple[str, Any]]:
    return [(f"n{number}", object()) for number in range(start, end)]


def assert_same(made: FrozenMap[Any], model: dict[str, Any]) -> None:
    """Everything that can be read of `made` is as in `model`."""
    assert list(made) == list(model)
    assert list(made.items()) == list(model.items())
    assert list(made._in_order()) == list(model.values())
    assert len(made) == len(model)


def really_differing(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    nothing = object()
    return {name for name in one | other if one.get(name, nothing) is not other.get(name, nothing)}


# -- any sequence of changes -----------------------------------------------------------------

numbers = st.integers(0, 140)
values = st.sampled_from(["red", "green", None, ()])


class AnyFamily(RuleBasedStateMachine):
    """Maps made from one another in any way; all of them live on and must stay as they were made."""

    maps = Bundle("maps")

    def __init__(self) -> None:
        super().__init__()
        self.made: list[tuple[FrozenMap[Any], dict[str, Any]]] = []

    def keep(self, made: FrozenMap[Any], model: dict[str, Any]) -> tuple[FrozenMap[Any], dict[str, Any]]:
        self.made.append((made, model))
        return self.made[-1]

    @initialize(target=maps, size=st.sampled_from(SIZES))
    def start(self, size: int) -> Any:
        model = {f"n{number}": "red" for number in range(size)}
        return self.keep(FrozenMap(model.items()), model)

    @rule(target=maps, base=maps, number=numbers, value=values)
    def set(self, base: Any, number: int, value: Any) -> Any:
        made, model = base
        return self.keep(made._replacing(f"n{number}", value), model | {f"n{number}": value})

    @rule(target=maps, base=maps, changed=st.lists(st.tuples(numbers, values), max_size=10))
    def update(self, base: Any, changed: list[tuple[int, Any]]) -> Any:
        made, model = base
        rows = [(f"n{number}", value) for number, value in changed]
        return self.keep(made._replacing_all(rows), model | dict(rows))

    @rule(target=maps, base=maps, start=numbers, count=st.integers(0, 80), value=values)
    def update_a_range(self, base: Any, start: int, count: int, value: Any) -> Any:
        made, model = base
        rows = {f"n{number}": value for number in range(start, start + count)}
        return self.keep(made._replacing_all(rows.items()), model | rows)

    @rule(target=maps, base=maps)
    def pickle(self, base: Any) -> Any:
        # together, so that the values of both are still the same objects
        return self.keep(*pickle.loads(pickle.dumps(base)))

    @rule(one=maps, other=maps)
    def compare(self, one: Any, other: Any) -> None:
        differing = list(one[0]._differing(other[0]))
        assert set(differing) == really_differing(one[1], other[1])
        assert len(differing) == len(set(differing))

    @rule(base=maps, number=numbers)
    def look_up(self, base: Any, number: int) -> None:
        made, model = base
        name = f"n{number}"
        assert made.get(name) == model.get(name)
        assert made.get(name, "default") == model.get(name, "default")
        assert (name in made) == (name in model)

    @invariant()
    def none_has_changed(self) -> None:
        for made, model in self.made:
            assert_same(made, model)


TestAnyFamily = AnyFamily.TestCase
TestAnyFamily.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


# -- at the bounds of the chunks -------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_a_new_map_holds_its_entries_in_order(size: int) -> None:
    rows = entries(0, size)
    assert_same(FrozenMap(rows), dict(rows))


@pytest.mark.parametrize("size", SIZES)
def test_a_map_that_grew_one_by_one_holds_its_entries_in_order(size: int) -> None:
    rows = entries(0, size)
    made: FrozenMap[Any] = FrozenMap()
    for name, value in rows:
        made = made._replacing(name, value)
    assert_same(made, dict(rows))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("more", [1, 63, 64, 65, 130])
def test_many_entries_are_appended_at_once(size: int, more: int) -> None:
    rows, added = entries(0, size), entries(size, size + more)
    assert_same(FrozenMap(rows)._replacing_all(added), dict(rows + added))


@pytest.mark.parametrize("size", [size for size in SIZES if size])
def test_each_entry_can_be_replaced(size: int) -> None:
    rows = entries(0, size)
    base, value = FrozenMap(rows), object()
    for place in {0, size // 2, size - 1}:
        name = f"n{place}"
        for after in (base._replacing(name, value), base._replacing_all([(name, value)])):
            assert_same(after, dict(rows) | {name: value})
            assert list(after._differing(base)) == [name]
    assert_same(base, dict(rows))


@pytest.mark.parametrize(("smaller", "larger"), list(pairwise(SIZES)))
def test_what_differs_from_a_shorter_map_of_the_family_is_what_was_appended(
    smaller: int, larger: int
) -> None:
    rows = entries(0, larger)
    short = FrozenMap(rows[:smaller])
    long = short._replacing_all(rows[smaller:])
    appended = [name for name, _ in rows[smaller:]]
    assert list(long._differing(short)) == appended
    assert list(short._differing(long)) == appended


def test_maps_of_two_families_are_compared_by_name() -> None:
    kept = object()
    one = FrozenMap([("both", kept), ("changed", 1), ("mine", 2)])
    other = FrozenMap([("theirs", 3), ("changed", 4), ("both", kept)])
    assert set(one._differing(other)) == {"changed", "mine", "theirs"}


# -- families --------------------------------------------------------------------------------


def test_two_branches_that_append_do_not_see_each_other() -> None:
    trunk = FrozenMap(entries(0, 64))
    left = trunk._replacing("left", 1)
    right = trunk._replacing("right", 2)
    assert "right" not in left and "left" not in right
    assert (left["left"], right["right"]) == (1, 2)
    assert len(trunk) == 64 and list(left)[-1] == "left" and list(right)[-1] == "right"


def test_two_branches_may_append_the_same_name() -> None:
    trunk = FrozenMap(entries(0, 3))
    left, right = trunk._replacing("new", "left"), trunk._replacing("more", 0)._replacing("new", "right")
    assert (left["new"], right["new"]) == ("left", "right")
    assert list(right)[-2:] == ["more", "new"]


def test_a_map_does_not_know_names_appended_later() -> None:
    early = FrozenMap([("a", 1)])
    early._replacing("later", 2)
    assert "later" not in early
    assert early.get("later") is None
    assert list(early) == ["a"]
    with pytest.raises(KeyError, match="later"):
        early["later"]


@pytest.mark.parametrize("made", [FrozenMap(), FrozenMap([("a", 1)]), FrozenMap(entries(0, 65))])
def test_an_unknown_name_raises_key_error(made: FrozenMap[Any]) -> None:
    with pytest.raises(KeyError, match="unknown"):
        made["unknown"]
    assert made.get("unknown", "default") == "default"


def test_of_two_entries_with_one_name_the_last_counts() -> None:
    rows = [("a", 1), ("b", 2), ("a", 3)]
    assert_same(FrozenMap(rows), {"a": 3, "b": 2})
    assert_same(FrozenMap[int]()._replacing_all(rows), {"a": 3, "b": 2})


def test_an_update_with_nothing_is_the_same_map() -> None:
    rows = entries(0, 65)
    assert_same(FrozenMap(rows)._replacing_all([]), dict(rows))


def test_entries_cannot_be_assigned_or_deleted() -> None:
    made: Any = FrozenMap([("a", 1)])
    with pytest.raises(TypeError):
        made["a"] = 2
    with pytest.raises(TypeError):
        del made["a"]
    with pytest.raises(AttributeError):
        made.colour = "red"


def test_a_map_is_shown_with_its_entries() -> None:
    assert repr(FrozenMap([("a", 1)])) == "FrozenMap({'a': 1})"


@pytest.mark.parametrize("size", SIZES)
def test_copies_and_pickles_hold_the_same(size: int) -> None:
    model = {f"n{number}": number for number in range(size)}
    made = FrozenMap(model.items())
    made._replacing("later", 0)
    for copied in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):
        assert type(copied) is FrozenMap
        assert_same(copied, model)
        assert "later" not in copied


# -- threads ---------------------------------------------------------------------------------


@pytest.fixture
def hurried_threads() -> Iterator[None]:
    """Let the interpreter switch between threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hurried_threads")
def test_a_reader_sees_one_moment_while_a_writer_appends() -> None:
    rows = entries(0, 3000)
    newest = start = FrozenMap(rows[:100])
    seen_whole: list[bool] = []

    def read() -> None:
        while len(newest) < len(rows):
            for made in (start, newest):
                length = len(made)
                seen_whole.append(
                    list(made) == [name for name, _ in rows[:length]]
                    and all(made[name] is value for name, value in made.items())
                )

    reader = threading.Thread(target=read)
    reader.start()
    for name, value in rows[100:]:
        newest = newest._replacing(name, value)
    reader.join(PATIENCE)
    assert not reader.is_alive()
    assert seen_whole and all(seen_whole)
    assert_same(newest, dict(rows))
