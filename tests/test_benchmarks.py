"""The benchmark suite's own parts: what it replays, what it promises, and what it says of the figures."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageColor

from indipyclient.protocol import Malformed, Scanner

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "benchmarks"


@pytest.fixture(autouse=True)
def suite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))


def module(name: str) -> Any:
    return importlib.import_module(name)


def test_the_recording_is_whole_and_of_six_simulators() -> None:
    recording = module("traffic").recorded()
    start, updates = Scanner().feed(recording.start), Scanner().feed(recording.updates)
    assert not [message for message in start + updates if isinstance(message, Malformed)]
    assert len(updates) == recording.count > 500
    assert len({message.device for message in start}) == 6


def test_the_server_says_what_the_scanner_reads() -> None:
    traffic = module("traffic")
    said = traffic.define(3, 4) + traffic.CONTROL + traffic.update(3, 4, 7) + traffic.DONE
    *messages, frame = Scanner().feed(said.encode() + traffic.frame(1024))
    assert [type(message).__name__ for message in messages] == ["DefVector"] * 3 + ["SetVector"] * 2
    assert [member.value for member in messages[3].members] == ["7.0", "7.1", "7.2", "7.3"]
    assert (frame.members[0].size, bytes(frame.members[0].payload)) == (1024, bytes(range(256)) * 4)


def test_each_promise_is_about_something_that_is_measured() -> None:
    measured = {(work.name, work.case) for work in module("works").WORKS}
    assert {budget.row[:2] for budget in module("budgets").BUDGETS} <= measured


def a_row(what: str, ours: float | None, theirs: float | None) -> Any:
    results = module("results")
    medians = {"ours": ours, "0.9.4": theirs, "C++": None, "receiving alone": None}
    return results.Row("work", "case", what, medians, 1)


@pytest.mark.parametrize(("ours", "reached"), [(0.9, True), (1.1, False), (None, False)])
def test_a_promise_is_not_reached_where_its_figure_is_missing(ours: float | None, reached: bool) -> None:
    row = a_row("median ms", ours, None)
    assert module("budgets").at_most(1)(row, None) is reached


def test_better_is_more_of_a_rate_and_less_of_anything_else() -> None:
    assert a_row("events per s", 300, 100).ratio == 3
    assert a_row("median ms", 2, 10).ratio == 5
    assert a_row("wake-ups per s", 2, 10).ratio == 5
    assert a_row("median ms", 2, None).ratio is None


def test_rows_are_medians_of_the_rounds_and_empty_where_there_are_none() -> None:
    results, works = module("results"), module("works")
    work = works.Work("work", "case", {})
    measured = {"ours": [{"a": 1.0}, {"a": 5.0}, {"a": 2.0}], "0.9.4": [{"a": 7.0, "b": 1.0}]}
    assert results.rows(work, measured) == [
        results.Row("work", "case", "a", {"ours": 2, "0.9.4": 7, "C++": None, "receiving alone": None}, 3),
        results.Row("work", "case", "b", {"ours": None, "0.9.4": 1, "C++": None, "receiving alone": None}, 3),
    ]


def kept() -> Any:
    return module("results").Results.from_json(json.loads((FOLDER / "results.json").read_text()))


def test_the_chart_has_a_line_for_each_peer(tmp_path: Path) -> None:
    picture = tmp_path / "chart.png"
    program = [sys.executable, str(FOLDER / "run.py"), "--again", "--chart", str(picture)]
    subprocess.run(program, check=True, timeout=100)  # in this process it would leave its fonts open
    colours = module("works").COLOURS
    with Image.open(picture) as chart:
        seen = {colour for _, colour in chart.convert("RGB").getcolors(1 << 24) or ()}
    assert {ImageColor.getrgb(colour) for colour in colours.values()} <= seen


def test_the_page_and_the_readme_say_what_was_measured() -> None:
    results = kept()
    document = module("document")
    assert (ROOT / "docs" / "performance.md").read_text() == document.page(results)
    assert document.readme_block(results) in (ROOT / "README.md").read_text()
