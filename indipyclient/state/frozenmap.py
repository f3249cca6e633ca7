"""An ordered, immutable mapping that shares what did not change with the map it was made from.

A client may know thousands of properties and gets thousands of updates a second, each of which
makes a new map with one entry replaced. Copying a dict of 5000 entries takes 12 us, replacing an
entry here under 1 us at any size. Persistent hash tries do that too, but keep no order, and
users see properties in the order in which the server defined them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Generic, TypeVar

__all__ = ["FrozenMap"]

V = TypeVar("V")
_WIDTH = 64
_NOTHING = object()
_new = object.__new__


class FrozenMap(Mapping[str, V], Generic[V]):
    """Names to values, in order of first insertion. Any thread may read it at any time.

    The values stand in tuples of `_WIDTH`; the names and the index from name to place are shared by
    all maps of one family and only ever appended to, so a map ignores places beyond its own length.
    A family whose names are a tuple does not grow.
    Appending (the writer's side: `set` and `update`) is for one thread at a time.
    """

    __slots__ = ("_chunks", "_index", "_length", "_names")

    _index: dict[str, int]
    _names: Sequence[str]
    _chunks: tuple[tuple[V, ...], ...]
    _length: int

    def __init__(self, entries: Iterable[tuple[str, V]] = ()) -> None:
        values = dict(entries)
        self._names = list(values)
        self._index = dict(zip(values, range(len(values))))  # noqa: B905 - just as many
        self._chunks = _chunked(tuple(values.values()))
        self._length = len(values)

    def __getitem__(self, name: str) -> V:
        place = self._index[name]
        if place >= self._length:
            raise KeyError(name)
        return self._chunks[place // _WIDTH][place % _WIDTH]

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

    def in_order(self) -> Iterator[V]:
        """The values in the order of the names, without building a view."""
        return chain.from_iterable(self._chunks)

    def get(self, name: str, default: Any = None) -> Any:
        """The value of `name`, or `default`."""
        place = self._index.get(name, self._length)
        return self._chunks[place // _WIDTH][place % _WIDTH] if place < self._length else default

    @classmethod
    def of_family(cls, index: dict[str, int], names: tuple[str, ...], values: tuple[V, ...]) -> FrozenMap[V]:
        """A map of names to values in their order; `index`, from name to place, is kept as it is."""
        return cls._make(index, names, _chunked(values), len(values))

    def set(self, name: str, value: V) -> FrozenMap[V]:
        """This map with one entry replaced, or appended."""
        place = self._index.get(name, self._length)
        if place >= self._length:
            return self.update(((name, value),))
        number = place // _WIDTH
        chunks = list(self._chunks)
        chunk = list(chunks[number])
        chunk[place % _WIDTH] = value
        chunks[number] = tuple(chunk)
        made: FrozenMap[V] = _new(FrozenMap)
        made._index = self._index
        made._names = self._names
        made._chunks = tuple(chunks)
        made._length = self._length
        return made

    def update(self, entries: Iterable[tuple[str, V]]) -> FrozenMap[V]:
        """This map with entries replaced, or appended in their order."""
        index, names, length = self._index, self._names, self._length
        chunks: list[Any] = list(self._chunks)
        opened = set()  # numbers of the chunks that are lists for now
        for name, value in entries:
            place = index.get(name, length)
            if place >= length:
                if type(names) is not list or len(names) != length:
                    # not the newest of the family, or of one that does not grow: it founds one of its own
                    names = list(names[:length])
                    index = {known: place for place, known in enumerate(names)}
                names.append(name)
                place = index[name] = length
                length += 1
            number, offset = place // _WIDTH, place % _WIDTH
            if number not in opened:
                opened.add(number)
                chunks[number : number + 1] = (list(chunks[number]) if number < len(chunks) else [],)
            chunks[number][offset : offset + 1] = (value,)
        for number in opened:
            chunks[number] = tuple(chunks[number])
        return self._make(index, names, tuple(chunks), length)

    def differing(self, older: FrozenMap[V]) -> Iterator[str]:
        """Names whose value is not the same object in `older`, or that only one of the two has.

        Skips what the two share, so it costs what has changed, not what there is.
        """
        if self._index is not older._index:
            yield from (name for name in self if older.get(name, _NOTHING) is not self[name])
            yield from (name for name in older if name not in self)
            return
        for number in range(max(len(self._chunks), len(older._chunks))):
            mine, theirs = _nth(self._chunks, number, ()), _nth(older._chunks, number, ())
            if mine is theirs:
                continue
            for offset in range(max(len(mine), len(theirs))):
                if _nth(mine, offset) is not _nth(theirs, offset):
                    yield self._names[number * _WIDTH + offset]

    @classmethod
    def _make(
        cls, index: dict[str, int], names: Sequence[str], chunks: tuple[tuple[V, ...], ...], length: int
    ) -> FrozenMap[V]:
        made = cls.__new__(cls)
        made._index, made._names, made._chunks, made._length = index, names, chunks, length
        return made


def _chunked(values: tuple[V, ...]) -> tuple[tuple[V, ...], ...]:
    if 0 < len(values) <= _WIDTH:
        return (values,)
    return tuple(values[start : start + _WIDTH] for start in range(0, len(values), _WIDTH))


def _nth(row: tuple[Any, ...], place: int, default: Any = _NOTHING) -> Any:
    return row[place] if place < len(row) else default
