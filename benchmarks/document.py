"""The results for readers: docs/performance.md with its chart, and a few figures in the README."""

from __future__ import annotations

from pathlib import Path

from budgets import BUDGETS, Budget
from results import Results, Row, figure
from works import CPP, OLD, OURS, PEERS, RECEIVING

__all__ = ["page", "publish", "readme_block"]

ROOT = Path(__file__).parent.parent
PAGE, CHART, README = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance.png", ROOT / "README.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"

HOW = """\
## How it is measured

```sh
sudo apt-get install indi-bin libindi-dev g++  # without them, no C++ client and no Unix socket
pip install -e ".[bench]"
python benchmarks/run.py --publish  # about 15 minutes; --quick: a minute, and nothing is written
```

* The server is a process of its own on the same machine: updates as indiserver writes them (290 bytes for
  four numbers), sent as fast as they are taken. Client and server share the cores, so rates are those of a
  pair; "processor" is the client's alone.
* Each peer does the same work in turn, in a new process; figures are medians of three rounds (of idling,
  memory and what takes long: one).
* 0.9.4 is the published package in an environment of its own. The same code drives both. Where it would
  take minutes it does less, or nothing.
* C++ is a small program with libindi's `BaseClient`. "Receiving alone" is a loop that reads the socket and
  drops everything.
* "Recorded" is what Debian's indiserver said to a client that used six simulators (`benchmarks/record.py`).
* For the Unix socket the server is indiserver itself, with a driver that writes the time into each frame.
"""


def publish(results: Results) -> None:
    """Write all of it."""
    from chart import draw

    draw(results, CHART)
    PAGE.write_text(page(results))
    before, _, rest = README.read_text().partition(BEGIN)
    README.write_text(before + BEGIN + readme_block(results) + END + rest.partition(END)[2])


def page(results: Results) -> str:
    """The whole of docs/performance.md."""
    return "\n".join(
        [
            "# Performance\n",
            "This page is made by `benchmarks/run.py --publish`; do not edit it.\n",
            f"{_where(results)} The load before the run was {results.machine['load before']}.\n",
            "![four charts of the figures below](performance.png)\n",
            "## What is promised\n",
            *_promises(results),
            "",
            HOW,
            "## All figures\n",
            *_everything(results),
            "",
        ]
    )


def readme_block(results: Results) -> str:
    """A short table, with machine and date."""
    wanted = [
        ("updates applied per second", ("events", "4 members, 1000 known", "events per s")),
        ("full snapshots per second, of 1000 properties", ("snapshots", "1000 known", "snapshots per s")),
        ("command to answer, ms", ("round_trip", "queue.Queue", "median ms")),
        ("wake-ups per second at rest", ("idle", "queue.Queue", "wake-ups per s")),
        ("64 MiB frames over TCP, MB per second", ("blobs", "64 MiB", "MB per s")),
        ("longest stop of your thread meanwhile, ms", ("blobs", "64 MiB", "longest stop ms")),
        (
            "64 MiB frame over the Unix socket, ms",
            ("shared", "64 MiB, Unix socket", "ms from driver to program"),
        ),
    ]
    lines = [f"| | indipyclient | {OLD} | libindi, C++ |", "|---|---|---|---|"]
    for what, key in wanted:
        if row := results.find(*key):
            lines.append(f"| {what} | {_cells(row, OURS, OLD, CPP)} |")
    return "\n".join([*lines, "", _where(results), ""])


def _where(results: Results) -> str:
    about = results.machine
    return (
        f"Measured on {about['date']}, version {about['version']}, on {about['processor']},"
        f" {about['system']}, Python {about['python']}, all on the loopback."
    )


def _promises(results: Results) -> list[str]:
    head = f"| what | {OLD} | C++ | {RECEIVING} | promised | ours | | better than {OLD} | what limits it |"
    lines = [_line(budget, row, results) for budget in BUDGETS if (row := results.find(*budget.row))]
    return [head, "|---" * 9 + "|", *lines]


def _line(budget: Budget, row: Row, results: Results) -> str:
    kept = "reached" if row.medians[OURS] is not None and budget.reached(row, results) else "**not reached**"
    others = _cells(row, OLD, CPP, RECEIVING)
    ours = figure(budget.shown(row, results)) + " x" if budget.shown else _cells(row, OURS)
    return f"| {budget.what} | {others} | {budget.must} | {ours} | {kept} | {_ratio(row)} | {budget.limits} |"


def _everything(results: Results) -> list[str]:
    lines = [
        f"| {row.work.replace('_', ' ')} | {row.case} | {row.what}"
        f" | {_cells(row, *PEERS[:2])} | {_ratio(row)} | {_cells(row, *PEERS[2:])} |"
        for row in results.rows
    ]
    return [
        f"| work | case | figure | ours | {OLD} | better | C++ | {RECEIVING} |",
        "|---" * 8 + "|",
        *lines,
    ]


def _cells(row: Row, *peers: str) -> str:
    return " | ".join(figure(row.medians[peer]) for peer in peers)


def _ratio(row: Row) -> str:
    return f"{row.ratio:.1f} x" if row.ratio else "-"
