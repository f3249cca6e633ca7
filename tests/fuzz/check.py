"""What must hold for any bytes whatever, checked on one case. Raises if it does not."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from datetime import datetime, timezone
from itertools import pairwise

from indipyclient.protocol import Limits, Malformed, Message, Scanner, SetVector, encode
from indipyclient.protocol.messages import OneMember
from indipyclient.state.apply import apply
from indipyclient.state.snapshots import Snap

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
TIGHT = Limits(tag=45, element=120, members=2, text=10, blob=4)
USUAL = Limits(tag=4096, element=1 << 16)
# Ends whatever markup may be open; then comes an element that has to be delivered.
CLOSERS = b" ?>]]>-->"
GOOD = b'<setTextVector device="D" name="GOOD"><oneText name="t">good</oneText></setTextVector>'
GOOD_MESSAGE = SetVector("Text", "D", "GOOD", None, None, None, "", (OneMember("t", "good"),))


class Checker:
    """Checks one case after the other. One of its scanners lives through all of them, as in a long night."""

    def __init__(self) -> None:
        self._old = Scanner(USUAL)

    def __call__(self, data: bytes, dice: random.Random) -> None:
        """Feed scanners and the state with `data`, and compare what comes out.

        Raises:
            Exception: anything at all, if the scanner or the state raises it.
            AssertionError: the result depends on the cuts, or on what came before; memory is held; the next
                good element is lost; a message cannot be written; the state breaks one of its rules.
        """
        limits = TIGHT if dice.random() < 0.2 else USUAL
        messages = _feed([data], limits)
        cut = _feed(_pieces(data, dice), limits)
        assert cut == messages, f"it depends on the cuts: {messages} {cut}"
        after = self._old.feed(data + CLOSERS + GOOD)
        assert after and after[-1] == GOOD_MESSAGE, f"the next good element is lost: {after[-3:]}"
        if limits is USUAL:
            good = _good(messages)
            assert _good(after)[: len(good)] == good, f"it depends on what came before: {messages} {after}"
        if dice.random() < 0.1:
            _check_writing(messages)
            _check_state(messages)


def _good(messages: list[Message]) -> list[Message]:
    """Without the reports."""
    return [message for message in messages if not isinstance(message, Malformed)]


def _feed(pieces: list[bytes], limits: Limits) -> list[Message]:
    scanner, messages = Scanner(limits), []
    for piece in pieces:
        messages += scanner.feed(piece)
    assert len(scanner._buffer) <= max(limits.tag, limits.element), "it keeps too much"
    return messages + scanner.eof()


def _pieces(data: bytes, dice: random.Random) -> list[bytes]:
    if dice.random() < 0.02:
        return [data[place : place + 1] for place in range(len(data))]
    places = sorted(dice.randrange(len(data) + 1) for _ in range(dice.randint(1, 5)))
    return [data[start:end] for start, end in pairwise([0, *places, len(data)])]


def _check_writing(messages: list[Message]) -> None:
    """What was read can be written, as XML, and read again with the same result."""
    for message in messages:
        if not isinstance(message, Malformed):
            text = encode(message)
            ET.fromstring(text)
            again = Scanner().feed(text)
            assert [encode(one) for one in again if not isinstance(one, Malformed)] == [text], text


def _check_state(messages: list[Message]) -> None:
    """Each message changes the state by one revision or not at all, and leaves earlier states alone."""
    snap = Snap("localhost", 7624)
    numbers = iter(range(1, 1 << 30))
    for message in messages:
        said = snap.dumps()
        after = apply(snap, message, NOW, lambda *names: ("", next(numbers)))
        assert after is snap or after.rev == snap.rev + 1
        rows = {(row.devicename, row.vectorname) for row in after.changes(snap) if row.vectorname is not None}
        assert rows == _differing(after, snap), "changes() is wrong"
        assert snap.dumps() == said, "a snapshot has changed"
        snap = after


def _differing(newer: Snap, older: Snap) -> set[tuple[str, str]]:
    """The vectors that are not the same object in both."""
    before = {(name, vector): node for name, device in older.items() for vector, node in device.items()}
    after = {(name, vector): node for name, device in newer.items() for vector, node in device.items()}
    return {key for key in before | after if before.get(key) is not after.get(key)}
