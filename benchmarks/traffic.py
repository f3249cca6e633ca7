"""What the measuring server says: definitions, updates and frames as indiserver writes them, and a recording.

The device is "Bench". Its numbers are V0, V1, ..., all alike, from V5000 on of further devices.
CONTROL is the last but one that is defined: what a client switches On there starts something (see `server`).
BLOB comes after it: then all is defined.
"""

from __future__ import annotations

import base64
import gzip
import re
from pathlib import Path
from typing import NamedTuple

__all__ = ["CONTROL", "DONE", "RECORDING", "SPLIT", "Recording", "define", "frame", "recorded", "update"]

STAMP = "2026-11-23T20:00:00"
RECORDING = Path(__file__).parent / "session.xml.gz"
SPLIT = b"<!-- all is connected -->\n"  # between the two parts of a recording

CONTROL = (
    '<defSwitchVector device="Bench" name="CONTROL" label="C" group="G" state="Ok" perm="rw" rule="AnyOfMany"'
    f' timeout="60" timestamp="{STAMP}"><defSwitch name="GO">Off</defSwitch>'
    '<defSwitch name="ONE">Off</defSwitch><defSwitch name="END">Off</defSwitch></defSwitchVector>\n'
    f'<defBLOBVector device="Bench" name="BLOB" label="B" group="G" state="Ok" perm="ro" timestamp="{STAMP}">'
    '<defBLOB name="FRAME"/></defBLOBVector>\n'
)
DONE = (
    f'<setSwitchVector device="Bench" name="CONTROL" state="Ok" timeout="60" timestamp="{STAMP}">'
    '<oneSwitch name="GO">Off</oneSwitch><oneSwitch name="ONE">Off</oneSwitch>'
    '<oneSwitch name="END">Off</oneSwitch>'
    "</setSwitchVector>\n"
)


def _device(number: int) -> str:
    return f"Bench {number // 5000}" if number >= 5000 else "Bench"


def define(number: int, members: int) -> str:
    """The definition of one number vector."""
    inside = "".join(
        f'<defNumber name="M{place}" label="M{place}" format="%g" min="0" max="0" step="0">1</defNumber>\n'
        for place in range(members)
    )
    head = (
        f'device="{_device(number)}" name="V{number}" label="V" group="G" state="Ok" perm="rw" timeout="60"'
    )
    return f'<defNumberVector {head} timestamp="{STAMP}">\n{inside}</defNumberVector>\n'


def update(number: int, members: int, value: int) -> str:
    """An update of it: about 290 bytes with four members."""
    inside = "".join(
        f'    <oneNumber name="M{place}">\n{value}.{place}\n    </oneNumber>\n' for place in range(members)
    )
    head = f'device="{_device(number)}" name="V{number}" state="Ok" timeout="60" timestamp="{STAMP}"'
    return f"<setNumberVector {head}>\n{inside}</setNumberVector>\n"


def frame(size: int) -> bytes:
    """An update of the BLOB with so many bytes, base64 in one line."""
    text = base64.b64encode(bytes(range(256)) * (size // 256))
    head = f'<setBLOBVector device="Bench" name="BLOB" state="Ok" timestamp="{STAMP}">\n'
    one = f'<oneBLOB name="FRAME" size="{size // 256 * 256}" format=".bin">\n'
    return (head + one).encode() + text + b"\n</oneBLOB>\n</setBLOBVector>\n"


class Recording(NamedTuple):
    """What a real server has said.

    Fields:
        start: until six simulators were connected and had defined everything.
        updates: what came then.
        count: how many elements those are.
    """

    start: bytes
    updates: bytes
    count: int


def recorded() -> Recording:
    """The recording that `record` has made."""
    start, updates = gzip.decompress(RECORDING.read_bytes()).split(SPLIT)
    return Recording(start, updates, len(re.findall(rb"^<(?:set|def|del|message)", updates, re.M)))
