"""An ordered, immutable mapping that shares what did not change with the map it was made from.

A client may know thousands of properties and gets thousands of updates a second, each of which
makes a new map with one entry replaced. Copying a dict of 5000 entries takes 12 us, replacing an
entry here 1 to 2 us at any size. Persistent hash tries do that too, but keep no order, and
users see properties in the order in which the server defined them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest
from typing import Any, Generic, TypeVar, overload

__all__ = ["FrozenMap", "replaced"]

V = TypeVar("V")
T = TypeVar("T")
_BITS = 5
_WIDTH = 1 << _BITS
_LAST = _WIDTH - 1
_NOTHING = object()
_new = object.__new__


class FrozenMap(Mapping[str, V], Generic[V]):
    """Names to values, in order of first insertion. Any thread may read it at any time.

    The values stand in a tree of tuples of up to `_WIDTH`, as high as it has to be: the bits of a place
    tell the way to it, in the root from `_shift` on. Wider ones would be fewer, but to replace one value
    a tuple of each level is copied, and Python's garbage collector looks at all that is in the copies.

    The names and the index from name to place are shared by all maps of one family and only ever
    appended to, so a map ignores places beyond its own length. A family whose names are a tuple does
    not grow. Appending (the writer's side: `_replacing` and `_replacing_all`) is for one thread at a time.

    What is not part of every mapping has an underscore, since the nodes of the state are such maps.
    """

    __slots__ = ("_index", "_length", "_names", "_root", "_shift")

    _index: dict[str, int]
    _names: Sequence[str]
    _root: tuple[Any, ...]
    _shift: int
    _length: int

    def __init__(self, entries: Iterable[tuple[str, V]] = ()) -> None:
        values = dict(entries)
        self._names = list(values)
        self._index = {name: place for place, name in enumerate(values)}
        self._root, self._shift = _tree(tuple(values.values()))
        self._length = len(values)

    @classmethod
    def _of_family(cls, index: dict[str, int], names: tuple[str, ...], values: tuple[V, ...]) -> FrozenMap[V]:
        """A map of names to values in their order; `index`, from name to place, is kept as it is."""
        return _made(index, names, *_tree(values), len(values))

    def __getitem__(self, name: str) -> V:
        place = self._index[name]
        if place >= self._length:
            raise KeyError(name)
        value: V = self._at(place)
        return value

    def __iter__(self) -> Iterator[str]:
        return islice(self._names, self._length)

    def __len__(self) -> int:
        return self._length

    def __contains__(self, name: object) -> bool:
        return self._index.get(name, self._length) < self._length  # type: ignore[call-overload,no-any-return]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self.items())})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (tuple(self.items()),)

    def _in_order(self) -> Iterator[V]:
        """The values in the order of the names, without building a view."""
        values: Iterator[Any] = iter(self._root)
        for _ in range(0, self._shift, _BITS):
            values = chain.from_iterable(values)
        return values

    @overload
    def get(self, key: str) -> V | None: ...
    @overload
    def get(self, key: str, default: V | T) -> V | T: ...
    def get(self, key: str, default: T | None = None) -> V | T | None:
        """The value of a name, or `default`."""
        place = self._index.get(key, self._length)
        value: V | T | None = self._at(place) if place < self._length else default
        return value

    def _at(self, place: int) -> Any:
        row, shift = self._root, self._shift
        while shift:
            row = row[place >> shift & _LAST]
            shift -= _BITS
        return row[place & _LAST]

    def _replacing(self, name: str, value: V) -> FrozenMap[V]:
        """This map with one entry replaced, or appended."""
        return self._replacing_all(((name, value),))

    def _take(self, other: FrozenMap[V]) -> None:
        """Become as another map."""
        self._index, self._names, self._root = other._index, other._names, other._root
        self._shift, self._length = other._shift, other._length

    def _replacing_all(self, entries: Iterable[tuple[str, V]]) -> FrozenMap[V]:
        """This map with entries replaced, or appended in their order."""
        index, names, root, shift, length = self._index, self._names, self._root, self._shift, self._length
        for name, value in entries:
            place = index.get(name, length)
            if place < length:
                root = replaced(root, shift, place, value)
                continue
            if not isinstance(names, list) or len(names) != length:
                # of a family that does not grow, or not the newest of one: it founds its own
                names = list(names[:length])
                index = {known: place for place, known in enumerate(names)}
            names.append(name)
            index[name] = length
            if length >> shift > _LAST:
                root, shift = (root,), shift + _BITS
            root = _appended(root, shift, length, value)
            length += 1
        return _made(index, names, root, shift, length)

    def _differing(self, older: FrozenMap[V]) -> Iterator[str]:
        """Names whose value is not the same object in `older`, or that only one of the two has.

        Skips what the two share, so it costs what has changed, not what there is.
        """
        if self._index is not older._index:
            yield from (name for name in self if older.get(name, _NOTHING) is not self[name])
            yield from (name for name in older if name not in self)
            return
        shift = max(self._shift, older._shift)
        for place in _differing(_raised(self, shift), _raised(older, shift), shift):
            yield self._names[place]


def _made(
    index: dict[str, int], names: Sequence[str], root: tuple[Any, ...], shift: int, length: int
) -> FrozenMap[Any]:
    made: FrozenMap[Any] = _new(FrozenMap)
    made._index, made._names, made._root, made._shift, made._length = index, names, root, shift, length
    return made


def _tree(row: tuple[Any, ...]) -> tuple[tuple[Any, ...], int]:
    """The root of a tree of these values, and its shift."""
    shift = 0
    while len(row) > _WIDTH:
        row = tuple([row[start : start + _WIDTH] for start in range(0, len(row), _WIDTH)])
        shift += _BITS
    return row, shift


def replaced(row: tuple[Any, ...], shift: int, place: int, value: Any) -> tuple[Any, ...]:
    """A tree with another value at a place."""
    cells = list(row)
    if shift:
        number = place >> shift & _LAST
        cells[number] = replaced(cells[number], shift - _BITS, place, value)
    else:
        cells[place & _LAST] = value
    return tuple(cells)


def _appended(row: tuple[Any, ...], shift: int, place: int, value: Any) -> tuple[Any, ...]:
    """A tree that is not full with one value more, at the place that follows the last."""
    if shift == 0:
        return (*row, value)
    number = place >> shift & _LAST
    below = row[number] if number < len(row) else ()
    return (*row[:number], _appended(below, shift - _BITS, place, value))


def _raised(tree: FrozenMap[Any], shift: int) -> tuple[Any, ...]:
    """The root of a tree made as high as another one."""
    root = tree._root
    for _ in range(tree._shift, shift, _BITS):
        root = (root,)
    return root


def _differing(mine: tuple[Any, ...], theirs: tuple[Any, ...], shift: int, first: int = 0) -> Iterator[int]:
    """Places at which two trees of the same height have not the same object; theirs begin with `first`."""
    missing: Any = () if shift else _NOTHING
    for number, (one, other) in enumerate(zip_longest(mine, theirs, fillvalue=missing)):
        if one is not other:
            place = first + (number << shift)
            if shift:
                yield from _differing(one, other, shift - _BITS, place)
            else:
                yield place
