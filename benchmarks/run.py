"""Measures this package beside the published 0.9.4, alternately, on the same work.

Usage: python benchmarks/run.py [--quick] [--json FILE]

Sets up 0.9.4 in a virtual environment of its own (under the system's temporary folder), runs each
measurement three times with each (once with --quick), and prints medians and ratios. Times of one
run only compare with each other.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).parent
OLD = "0.9.4"
WORK = [
    ("events", "1000"),
    ("snapshots", "10"),
    ("snapshots", "1000"),
    ("snapshots", "5000"),
    ("round trip", "queue.Queue"),
    ("round trip", "SimpleQueue"),
    ("round trip", "asyncio.Queue"),
    ("round trip", "Mailbox"),
    ("round trip", "deque"),
    ("idle", "queue.Queue"),
    ("idle", "Mailbox"),
    ("idle", "deque"),
    ("asleep", "0"),
    ("asleep", "100"),
    ("frames", "16"),
    ("frames", "64"),
]
NOT_FOR_OLD = [
    # 5000 definitions, each with a copy of all before it, would take it minutes
    ("snapshots", "5000"),
    # it has none
    ("round trip", "SimpleQueue"),
    ("round trip", "Mailbox"),
    ("idle", "Mailbox"),
]
QUICK = [
    ("events", "1000"),
    ("snapshots", "10"),
    ("snapshots", "1000"),
    ("round trip", "queue.Queue"),
    ("idle", "queue.Queue"),
    ("frames", "16"),
]


def old_python(folder: Path) -> Path:
    """The interpreter of an environment with the published package."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", f"indipyclient=={OLD}"], check=True)
    return python


def measure(python: Path | str, work: tuple[str, str]) -> dict[str, float]:
    """One measurement in a process of its own."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if python == sys.executable:
        environment["PYTHONPATH"] = str(HERE.parent)
    command = [str(python), str(HERE / "measure.py"), *work]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise SystemExit(f"{work}: {done.stderr[-2000:]}")
    result: dict[str, float] = json.loads(done.stdout)
    return result


def compare(old: Path, work: tuple[str, str], times: int) -> list[dict[str, object]]:
    """Rows for one measurement: ours and theirs in turn, medians, ratio."""
    ours, theirs = [], []
    for _ in range(times):
        ours.append(measure(sys.executable, work))
        if work not in NOT_FOR_OLD:
            theirs.append(measure(old, work))
    rows: list[dict[str, object]] = []
    for what in [key for key in ours[0] if key != "version"]:
        here = statistics.median(result[what] for result in ours)
        there = statistics.median(result[what] for result in theirs) if theirs else None
        rows.append({"work": " ".join(work), "what": what, "ours": here, OLD: there})
    return rows


def show(row: dict[str, object]) -> None:
    ours, theirs = row["ours"], row[OLD]
    assert isinstance(ours, float)
    beside = f"{theirs:12.2f}  {ours / theirs:8.2f}" if isinstance(theirs, float) and theirs else f"{'-':>12}"
    print(f"{row['work']:<24}{row['what']:<24}{ours:12.2f}{beside}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a few measurements, once each")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    options = parser.parse_args()
    rows = []
    print(f"{'work':<24}{'what':<24}{'ours':>12}{OLD:>12}  {'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        old = old_python(Path(folder) / "old")
        for work in QUICK if options.quick else WORK:
            for row in compare(old, work, 1 if options.quick else 3):
                rows.append(row)
                show(row)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
