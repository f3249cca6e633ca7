"""Bytes to messages, for the tests of this folder.

Whatever is read here is read cut into pieces too, in many ways, and must say the same each time. Fed
whole, plain updates take the scanner's shortcut; in single bytes they never do. So the two are compared
by every test.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import NamedTuple, TypeVar

from hypothesis import HealthCheck, settings

from indipyclient.protocol import Limits, Message, OneBLOB, OneMember, Scanner, SetVector

M = TypeVar("M")

SHORT = 120
"""Streams up to this many bytes are cut in two at every place, longer ones at 40 places."""

STAMP = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)

GOOD = b'<setTextVector device="D" name="GOOD"><oneText name="t">good</oneText></setTextVector>'
GOOD_MESSAGE = SetVector("Text", "D", "GOOD", None, None, None, "", (OneMember("t", "good"),))

# Every example is read a few hundred times: no example may be called too slow for that.
fuzz = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


class Said(NamedTuple):
    """What came out while the stream lasted, and what when it ended."""

    messages: list[Message]
    at_the_end: list[Message]


def read(data: bytes, limits: Limits | None = None) -> list[Message]:
    """Return the messages in `data`, the same however it is cut."""
    return read_to_the_end(data, limits).messages


def read_to_the_end(data: bytes, limits: Limits | None = None) -> Said:
    """As `read`, with what the scanner says at the end of the stream."""
    whole = _feed([data], limits)
    for pieces in cuts(data):
        said = _feed(pieces, limits)
        if said != whole:
            lengths = [len(piece) for piece in pieces]
            raise AssertionError(f"whole: {whole}\nin pieces of {lengths} bytes: {said}")
    return whole


def only(kind: type[M], data: bytes, limits: Limits | None = None) -> M:
    """Return the one message in `data`, which is a `kind`."""
    messages = read(data, limits)
    assert len(messages) == 1 and isinstance(messages[0], kind), messages
    return messages[0]


def cuts(data: bytes) -> Iterator[list[bytes]]:
    """Cut `data` into single bytes (unless it is long), into other lengths, and in two at many places."""
    for length in (1, 3, 7) if len(data) <= 40_000 else (61, 997):
        yield [data[start : start + length] for start in range(0, len(data), length)]
    step = 1 if len(data) <= SHORT else len(data) // 40
    for place in range(1, len(data), step):
        yield [data[:place], data[place:]]


def _feed(pieces: list[bytes], limits: Limits | None) -> Said:
    scanner = Scanner(limits)
    messages = [message for piece in pieces for message in scanner.feed(piece)]
    return Said(messages, scanner.eof())


def content(member: object) -> bytes | None:
    """Return the payload of a BLOB's new value."""
    assert isinstance(member, OneBLOB), member
    return None if member.payload is None else bytes(member.payload)


def text_vector(value: bytes, attributes: bytes = b"") -> bytes:
    """Return an update of one text, as bytes."""
    head = b'<setTextVector device="D" name="N"' + attributes
    return head + b'><oneText name="t">' + value + b"</oneText></setTextVector>"


def text_of(data: bytes, limits: Limits | None = None) -> str:
    """Return the value of the one member of the one `SetVector` in `data`."""
    (member,) = only(SetVector, data, limits).members
    assert isinstance(member, OneMember)
    return member.value
