"""The fuzzer itself: it runs clean for a while, and finds what is wrong with a scanner made wrong."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from indipyclient.protocol import Message, Scanner, scanner

from .__main__ import fuzz
from .check import Checker
from .mutate import Mutator, load_seeds


def findings(cases: int, seed: int = 1) -> list[str]:
    """What a short run finds."""
    found: list[str] = []

    def note(case: bytes, error: BaseException) -> None:
        found.append(f"{type(error).__name__}: {error} {case!r}")

    run = fuzz(Checker(), seed, cases, 60, note)
    assert run.cases == cases, "this takes too long"
    assert run.findings == len(found)
    return found


def test_a_short_run_finds_nothing() -> None:
    """Hours of it are for `python -m tests.fuzz`; docs/security.md says what has been run."""
    assert findings(1500, seed=random.randrange(1 << 30)) == []


def test_the_seeds_are_there_and_cases_come_again_from_the_same_seed() -> None:
    seeds = load_seeds()
    assert len(seeds) > 100 and any(b"<oneBLOB" in seed for seed in seeds)
    one, other = (Mutator(seeds, random.Random(5)) for _ in range(2))
    assert [one.case() for _ in range(100)] == [other.case() for _ in range(100)]


def feed_raising(self: Scanner, data: bytes, feed: Any = Scanner.feed) -> list[Message]:
    if b"\xc2" in data:
        raise UnicodeDecodeError("utf-8", b"", 0, 1, "no")
    return feed(self, data)  # type: ignore[no-any-return]


def feed_keeping(self: Scanner, data: bytes, feed: Any = Scanner.feed) -> list[Message]:
    messages = feed(self, data)
    return messages[:1] if len(messages) > 3 else messages  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("wrong", "found"), [(feed_raising, "UnicodeDecodeError"), (feed_keeping, "it depends on the cuts")]
)
def test_a_scanner_that_raises_or_loses_is_found(
    monkeypatch: pytest.MonkeyPatch, wrong: Any, found: str
) -> None:
    monkeypatch.setattr(Scanner, "feed", wrong)
    assert any(finding.startswith((found, f"AssertionError: {found}")) for finding in findings(500))


def test_a_scanner_that_takes_a_bracket_for_text_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An open quote then swallows what follows it."""
    monkeypatch.setitem(scanner._TAG_STOPS, b'"', re.compile(rb'"'))
    assert any("good element is lost" in finding or "depends" in finding for finding in findings(1500))
