"""Makes cases: pieces of recorded traffic, spoilt in the ways that streams are spoilt, and worse."""

from __future__ import annotations

import random
import re
from pathlib import Path

SEEDS = Path(__file__).with_name("seeds")
LONGEST = 2000

TOKENS = [
    b"<", b">", b"/", b"/>", b"</", b"=", b'"', b"'", b"&", b";", b" ", b"\n", b"\x00", b"\xef\xbb\xbf",
    b"\xc2", b"\xb0", b"\xed\xa0\x80", b"x", b"A" * 70, b"9" * 400, b"-1e999", b"nan", b"12:30:00",
    b"<!--", b"-->", b"--", b"<![CDATA[", b"]]>", b"<!", b"<?", b"?>", b"<?xml version='1.0'?>",
    b"&amp;", b"&#65;", b"&#xD800;", b"&#99999999999;", b"&deg;",
    b"<foo>", b"</foo>", b"<foo/>", b"Vector>", b"QUJD", b"Q=", b"====", b"5", b"On",
    b"<setTextVector ", b'device="D" name="N"', b" device='D' name='N'>", b"</setTextVector>",
    b'<setTextVector device="D" name="N">', b'<oneText name="t">', b"<oneText name='t'/>", b"</oneText>",
    b'<setNumberVector device="D" name="N" state="Ok">', b'<oneNumber name="n">', b"</oneNumber>",
    b"</setNumberVector>", b'<setBLOBVector device="D" name="N">', b'<oneBLOB name="b" size="3">',
    b' size="-1"', b' size="99999999999999999999"', b' len="2"', b' attached="true"', b' format=".z"',
    b"</oneBLOB>", b"</setBLOBVector>", b'<defSwitchVector device="D" name="N"', b'<defSwitch name="s">',
    b"</defSwitch>", b"</defSwitchVector>", b'<message message="m"/>', b"<message ",
    b"<delProperty device='D'/>", b'<delProperty device="D" name=""/>', b'<enableBLOB device="D">',
    b"</enableBLOB>", b'<pingRequest uid="1"/>', b' timestamp="0000-00-00T99:99:99"', b' timeout="-1e400"',
    b' state="Bogus"', b' min="5" max="1" step="x"', b' format="%999999999d"', b' format="%10.6m"',
]  # fmt: skip

_ELEMENT = re.compile(rb"<(\w+)[^>]*?(?:/>|>.*?</\1>\s*)", re.DOTALL)


def load_seeds() -> list[bytes]:
    """The elements of the recorded traffic, each once but for its values."""
    found: dict[bytes, bytes] = {}
    for path in sorted(SEEDS.glob("*.xml")):
        for match in _ELEMENT.finditer(path.read_bytes()):
            # long ones are cut: what is special about them is at their ends
            element = match[0] if len(match[0]) < 400 else match[0][:250] + match[0][-150:]
            found.setdefault(re.sub(rb"[\d.:-]+", b"0", element), element)
    return list(found.values())


class Mutator:
    """Makes one case after another; the same from the same seed."""

    def __init__(self, seeds: list[bytes], dice: random.Random) -> None:
        self._seeds = seeds
        self._dice = dice
        self._ways = [
            self._insert,
            self._insert,
            self._cut,
            self._repeat,
            self._flip,
            self._splice,
            self._move,
        ]

    def case(self) -> bytes:
        """The next case."""
        dice = self._dice
        if dice.random() < 0.15:
            data = b"".join(dice.choice(TOKENS) for _ in range(dice.randint(1, 15)))
        else:
            data = b"".join(dice.choice(self._seeds) for _ in range(dice.randint(1, 3)))
        for _ in range(dice.randint(1, 6)):
            data = dice.choice(self._ways)(data)
        return data[:LONGEST]

    def _place(self, data: bytes) -> tuple[int, int]:
        start = self._dice.randrange(len(data) + 1)
        return start, start + self._dice.choice([1, 1, 2, 4, 8, 30, 200])

    def _insert(self, data: bytes) -> bytes:
        start, _ = self._place(data)
        return data[:start] + self._dice.choice(TOKENS) + data[start:]

    def _cut(self, data: bytes) -> bytes:
        start, end = self._place(data)
        return data[:start] + data[end:]

    def _repeat(self, data: bytes) -> bytes:
        start, end = self._place(data)
        return data[:start] + data[start:end] * self._dice.choice([2, 2, 3, 20]) + data[end:]

    def _flip(self, data: bytes) -> bytes:
        spoilt = bytearray(data)
        for _ in range(self._dice.randint(1, 3)):
            if spoilt:
                spoilt[self._dice.randrange(len(spoilt))] ^= 1 << self._dice.randrange(8)
        return bytes(spoilt)

    def _splice(self, data: bytes) -> bytes:
        other = self._dice.choice(self._seeds)
        return data[: self._place(data)[0]] + other[self._place(other)[0] :]

    def _move(self, data: bytes) -> bytes:
        start, end = self._place(data)
        rest = data[:start] + data[end:]
        to, _ = self._place(rest)
        return rest[:to] + data[start:end] + rest[to:]
