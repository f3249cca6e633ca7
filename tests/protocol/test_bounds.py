"""Work and memory have bounds, whatever is sent and in whatever pieces.

Work is counted, not timed: how many bytes the scanner has looked at, all searches together. What happens
within one search of an expression cannot be counted; there, quadratic time runs into the timeout.
"""

from __future__ import annotations

import re
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import chain, repeat

import pytest

from indipyclient.protocol import DefVector, Limits, Malformed, Scanner, SetVector, scanner

from .reading import GOOD, GOOD_MESSAGE, content

# -- work ------------------------------------------------------------------------------------


class CountingBuffer(bytearray):
    """A buffer that counts the bytes that were searched or copied in it."""

    looked_at = 0

    def find(self, wanted: bytes, start: int = 0, end: int = sys.maxsize) -> int:  # type: ignore[override]
        found = super().find(wanted, start, end)
        CountingBuffer.looked_at += (min(end, len(self)) if found < 0 else found + len(wanted)) - start
        return found

    def rfind(self, wanted: bytes, start: int = 0, end: int = sys.maxsize) -> int:  # type: ignore[override]
        found = super().rfind(wanted, start, end)
        CountingBuffer.looked_at += min(end, len(self)) - (start if found < 0 else found)
        return found

    def __getitem__(self, place: slice) -> bytearray:  # type: ignore[override]
        part = super().__getitem__(place)
        if isinstance(place, slice):
            CountingBuffer.looked_at += len(part)
        return part


class CountingPattern:
    """An expression that counts the bytes it looks at, and looks no further than to the next ``<``."""

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self.pattern = pattern

    def match(self, data: bytearray, start: int, end: int) -> re.Match[bytes] | None:
        return self._count(self.pattern.match(data, start, end), data, start, end)

    def search(self, data: bytearray, start: int, end: int) -> re.Match[bytes] | None:
        return self._count(self.pattern.search(data, start, end), data, start, end)

    @staticmethod
    def _count(
        found: re.Match[bytes] | None, data: bytearray, start: int, end: int
    ) -> re.Match[bytes] | None:
        bracket = bytearray.find(data, b"<", start + 1, end)
        stop = found.end() if found else bracket if bracket >= 0 else min(end, len(data))
        CountingBuffer.looked_at += stop - start
        return found


class CountingSearch(CountingPattern):
    """An expression that looks for something further on, and counts the bytes up to there."""

    def search(self, data: bytearray, start: int, end: int = sys.maxsize) -> re.Match[bytes] | None:
        found = self.pattern.search(data, start, end)
        CountingBuffer.looked_at += (found.end() if found else min(end, len(data))) - start
        return found


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Limits], Scanner]:
    """Makes a scanner whose work is counted in `CountingBuffer.looked_at`."""
    monkeypatch.setattr(scanner, "_TAG", CountingPattern(scanner._TAG))
    stops = {quote: CountingPattern(pattern) for quote, pattern in scanner._TAG_STOPS.items()}
    monkeypatch.setattr(scanner, "_TAG_STOPS", stops)
    monkeypatch.setattr(scanner, "_WORTH_A_LOOK", CountingSearch(scanner._WORTH_A_LOOK))

    def make(limits: Limits) -> Scanner:
        made = Scanner(limits)
        made._buffer = CountingBuffer()
        CountingBuffer.looked_at = 0
        return made

    return make


def chunks(data: bytes, length: int) -> Iterator[bytes]:
    return (data[start : start + length] for start in range(0, len(data), length))


TEXT = b"<setTextVector device='D' name='N'><oneText name='t'>"
VECTOR = TEXT[:35]
NUMBER = b'<setNumberVector device="D" name="N"><oneNumber name="n">'
BLOB = b"<setBLOBVector device='D' name='N'><oneBLOB name='b'>"

# What a long stream begins with, what it then repeats, and what it ends with.
LONG = {
    "text": (TEXT, b"x", b""),
    "text for the shortcut": (TEXT.replace(b"'", b'"'), b"x", b"</oneText></setTextVector>"),
    "text of entities": (TEXT, b"&amp;", b""),
    "text of comments": (TEXT, b"x<!---->", b""),
    "digits": (NUMBER, b"1", b""),
    "digits for the shortcut": (b"", NUMBER + b"1" * 20_000 + b"x</oneNumber></setNumberVector>", b""),
    "BLOB": (BLOB, b"QUJD", b""),
    "BLOB in lines": (BLOB, b"QUJD\n", b""),
    "attribute": (b"<message message='", b"x", b""),
    "tag of blanks": (b"<", b" ", b""),
    "tag name": (b"<", b"a", b""),
    "attribute name": (b"<message ", b"a", b">"),
    "attribute names": (b"<message ", b"a ", b">"),
    "attributes": (b"<message ", b"a='b' ", b">"),
    "blanks before a value": (b"<message a=", b" ", b">"),
    "blanks after a name": (b"<message a", b" ", b">"),
    "quotes": (b"<a ", b'""', b""),
    "comment": (b"<!--", b"x", b""),
    "comment of dashes": (b"<!--", b"-", b""),
    "comments that begin": (b"", b"<!--", b""),
    "CDATA": (TEXT + b"<![CDATA[", b"]", b""),
    "CDATA that begins": (b"", b"<![CDATA[", b""),
    "declarations that begin": (b"", b"<?", b""),
    "brackets": (b"", b"<", b""),
    "empty tags": (b"", b"<>", b""),
    "unknown tags": (b"", b"<a>", b""),
    "stray end tags": (b"", b"</a>", b""),
    "quotes in tags": (b"", b'<"', b""),
    "blanks in tags": (b"", b"<    ", b""),
    "messages that are not closed": (b"", b"<message>", b""),
    "definitions that are not closed": (b"", b'<defTextVector device="D">', b""),
    "definitions that are not closed, but one": (b"", b'<defTextVector device="D">', b"</defTextVector>"),
    "messages that begin": (b"", b'<message device="D" ', b"/>"),
    "blanks in a definition": (
        b'<defTextVector device="D" name="N"><defText name="a" label="b">',
        b" ",
        b"</defText></defTextVector>",
    ),
    "definitions with a long name": (
        b'<defTextVector device="D" name="N"><defText name="',
        b"a ",
        b'" label="">',
    ),
    "updates that begin": (b"", b"<set", b""),
    "updates that begin, and one that ends": (b"", b"<set", b"Vector>"),
    "updates": (b"", GOOD, b""),
    "members": (VECTOR, b"<oneText name='t'>x</oneText>", b""),
    "no bracket": (b"", b"x", b""),
}
SIZE = 70_000  # bytes, as they may come at once from a fast network


def repeated(start: bytes, unit: bytes, end: bytes, size: int) -> bytes:
    return start + unit * (size // len(unit)) + end


@pytest.mark.parametrize(("start", "unit", "end"), LONG.values(), ids=LONG)
@pytest.mark.parametrize(
    ("size", "length", "limits"),
    [
        (SIZE // 4, 16, Limits(tag=SIZE * 2)),
        (SIZE, SIZE * 2, Limits(tag=SIZE * 2)),
        (SIZE, SIZE * 2, Limits()),
    ],
    ids=["in small pieces", "at once", "at once with the usual limits"],
)
@pytest.mark.timeout(30)  # what takes less than a second in linear time takes minutes in quadratic
def test_each_byte_is_looked_at_a_few_times_at_most(
    counted: Callable[[Limits], Scanner],
    start: bytes, unit: bytes, end: bytes, size: int, length: int, limits: Limits,
) -> None:  # fmt: skip
    scanner, data = counted(limits), repeated(start, unit, end, size)
    for chunk in chunks(data, length):
        scanner.feed(chunk)
    assert CountingBuffer.looked_at <= 6 * len(data)


def test_row_36_a_blob_in_pieces_of_8_bytes_is_never_collected_as_text(
    counted: Callable[[Limits], Scanner],
) -> None:
    data = BLOB + b"QUJD" * (SIZE // 4) + b"</oneBLOB></setBLOBVector>"
    (message,) = chain.from_iterable(map(counted(Limits()).feed, chunks(data, 8)))
    assert isinstance(message, SetVector)
    (member,) = message.members
    assert content(member) == b"ABC" * (SIZE // 4)
    assert CountingBuffer.looked_at < SIZE // 10  # the decoder looks, not the scanner


@pytest.mark.parametrize(
    "between",
    [
        b'<message device="D" message="hello"/>\n',
        b'<delProperty device="D" name="gone"/>\n',
        b'<message device="D" message="hello"></message>\n',
        b"<!-- a comment -->\n",
    ],
)
def test_what_stands_between_plain_updates_does_not_have_them_read_tag_by_tag(
    between: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = 0
    read_tag = Scanner._tag_token

    def counting(self: Scanner, match: re.Match[bytes]) -> int:
        nonlocal tags
        tags += 1
        return read_tag(self, match)

    monkeypatch.setattr(Scanner, "_tag_token", counting)
    update = b'<setTextVector device="D" name="T"><oneText name="t">x</oneText></setTextVector>\n'
    messages = Scanner().feed((between + update) * 50)
    assert sum(isinstance(message, SetVector) for message in messages) == 50
    assert tags <= 100  # those between, of which one kind has two


def test_row_43_definitions_of_5000_properties_at_once_are_read_one_by_one(
    counted: Callable[[Limits], Scanner],
) -> None:
    form = '<defTextVector device="D" name="N%d"><defText name="t">x</defText></defTextVector>'
    data = "".join(form % number for number in range(5000)).encode()
    messages = counted(Limits()).feed(data)
    assert [message.name for message in messages if isinstance(message, DefVector)] == [
        f"N{number}" for number in range(5000)
    ]
    assert CountingBuffer.looked_at <= 6 * len(data)


# -- memory ----------------------------------------------------------------------------------

MEGABYTE = 1 << 20
CHUNK = 1 << 16
SMALL = Limits(element=MEGABYTE // 16, members=1000, blob=MEGABYTE)

# What the stream begins with, what then comes for ever, and how many megabytes of it (less where each
# few bytes are a tag, for the sake of time: the memory is the same after the first).
ENDLESS = {
    "no bracket": (b"", b"x", 50),
    "text in a member": (TEXT, b"x", 50),
    "text in entities": (TEXT, b"&amp;", 50),
    "text between members": (VECTOR, b"x", 50),
    "text in a member, in comments": (TEXT, b"x<!---->", 0.25),
    "text in a member, in CDATA": (TEXT, b"<![CDATA[]]>", 0.25),
    "members": (VECTOR, b"<oneText name='t'>x</oneText>", 0.25),
    "members without end": (VECTOR, b"<oneText name='t'/>", 0.25),
    "unknown members": (VECTOR, b"<foo>", 0.25),
    "attribute": (b"<message message='", b"x", 50),
    "attributes": (b"<message ", b"a='b' ", 50),
    "tag": (b"<message ", b"x", 50),
    "comment": (b"<!--", b"x", 50),
    "comments that begin": (b"", b"<!--", 50),
    "CDATA": (TEXT + b"<![CDATA[", b"x", 50),
    "declarations that begin": (b"", b"<?", 50),
    "BLOB": (BLOB, b"QUJD", 50),
    "BLOB in lines": (BLOB, b"QUJD" * 18 + b"\n", 50),
    "BLOB of no base64": (BLOB, b"!", 50),
    "BLOBs": (BLOB.partition(b"<one")[0], b"<oneBLOB name='b'>" + b"QUJD" * 1000 + b"</oneBLOB>", 50),
    "brackets": (b"", b"<", 0.0625),
    "empty tags": (b"", b"<>", 0.0625),
    "start tags": (b"", TEXT, 0.25),
    "end tags": (b"", b"</oneText></setTextVector>", 0.25),
}


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize(("start", "unit", "megabytes"), ENDLESS.values(), ids=ENDLESS)
def test_row_36_and_defect_31_what_never_ends_takes_little_memory(
    start: bytes, unit: bytes, megabytes: float
) -> None:
    scanner = Scanner(SMALL)
    scanner.feed(start)
    chunk = unit * (CHUNK // len(unit))
    reports = 0
    for data in repeat(chunk, int(megabytes * MEGABYTE / CHUNK)):
        reports += len(scanner.feed(data))
        assert len(scanner._buffer) <= max(SMALL.element, SMALL.tag)
    assert reports <= 1
    assert tracemalloc.get_traced_memory()[1] < 5 * MEGABYTE
    # and whatever it was, it is over with the next element but for what one comment may swallow
    assert scanner.feed(b"." * SMALL.tag + GOOD)[-1] == GOOD_MESSAGE


@pytest.mark.usefixtures("traced")
def test_a_blob_takes_the_memory_of_its_payload_and_a_little() -> None:
    scanner = Scanner()
    scanner.feed(BLOB)
    for data in repeat(b"QUJD" * (CHUNK // 4), 8 * MEGABYTE // CHUNK):
        assert scanner.feed(data) == []
        assert not scanner._buffer
    (message,) = scanner.feed(b"</oneBLOB></setBLOBVector>")
    assert isinstance(message, SetVector)
    assert tracemalloc.get_traced_memory()[1] < 6 * MEGABYTE * 1.25 + MEGABYTE


def test_faults_without_end_are_reported_once() -> None:
    scanner = Scanner()
    reports = [report for _ in range(100) for report in scanner.feed(b"<foo></bar>" * 10)]
    assert len(reports) == 1 and isinstance(reports[0], Malformed)
