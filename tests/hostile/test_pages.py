"""The tables of the pages on faults and security name tests and limits that are there."""

from __future__ import annotations

import re
from pathlib import Path

from indipyclient.protocol import Limits

ROOT = Path(__file__).parents[2]
FAULTS = (ROOT / "docs/faults.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_of_faults_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/.]+)::(\w+)`", FAULTS)
    rows = [line for line in FAULTS.splitlines() if line.startswith("| ") and "test |" not in line]
    assert len(named) == len(rows) > 35
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not re.search(rf"^def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []


def test_every_severe_defect_of_the_published_client_is_on_the_page() -> None:
    assert re.findall(r"^\| (\d+)\. ", FAULTS, re.MULTILINE) == [str(number) for number in range(1, 13)]


def test_every_limit_is_on_the_page_of_security() -> None:
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d ]+(?:[KMG]iB?)?)", page, re.MULTILINE))
    assert told.keys() == set(Limits._fields) - {"progress"}
    scale = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
    for name, text in told.items():
        digits, unit = re.sub(r"[^\d]", "", text), re.search(r"[KMG]i", text)
        assert getattr(Limits(), name) == int(digits) * (scale[unit[0]] if unit else 1), name
