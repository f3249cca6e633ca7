"""The results: rows of medians, as a table for people and as JSON for programs."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from works import CPP, OLD, OURS, PEERS, RECEIVING, Work

__all__ = ["HEADING", "Results", "Row", "figure", "machine", "rows", "text"]

_MORE_IS_BETTER = ("events per s", "snapshots per s", "commands per s", "MB per s", "updates sent per s")


@dataclass(frozen=True)
class Row:
    """One figure of each peer: the median of its rounds, None where a peer has none."""

    work: str
    case: str
    what: str
    medians: dict[str, float | None]
    rounds: int

    @property
    def ratio(self) -> float | None:
        """How many times better than 0.9.4, whether more or less is better."""
        ours, theirs = self.medians[OURS], self.medians[OLD]
        if not ours or not theirs:
            return None
        return ours / theirs if self.what in _MORE_IS_BETTER else theirs / ours


@dataclass(frozen=True)
class Results:
    """One run of the suite.

    Fields:
        machine: what it ran on, by the names of `machine`.
        rows: the figures.
        failures: works that this package has not done.
    """

    machine: dict[str, str]
    rows: list[Row]
    failures: list[str]

    def find(self, work: str, case: str, what: str) -> Row | None:
        """A row, if it was measured."""
        wanted = (work, case, what)
        return next((row for row in self.rows if (row.work, row.case, row.what) == wanted), None)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Results:
        return cls(content["machine"], [Row(**row) for row in content["rows"]], content["failures"])


def rows(work: Work, measured: dict[str, list[dict[str, float]]]) -> list[Row]:
    """The rows of a work, from what each peer has measured in each round."""
    names = dict.fromkeys(name for rounds in measured.values() for each in rounds for name in each)
    return [
        Row(
            work.name,
            work.case,
            name,
            {peer: _median(each[name] for each in measured.get(peer, ()) if name in each) for peer in PEERS},
            max(map(len, measured.values())),
        )
        for name in names
    ]


def _median(values: Iterable[float]) -> float | None:
    all_of_them = list(values)
    return statistics.median(all_of_them) if all_of_them else None


def machine() -> dict[str, str]:
    """What this ran on, and how busy that was before."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    processor = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
    return {
        "date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}",
        "processor": f"{os.cpu_count()} cores of {processor}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "version": metadata.version("indipyclient"),
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


HEADING = f"{'work':<16}{'case':<26}{'what':<28}{'ours':>10}{OLD:>10}{'better':>8}{CPP:>10}{RECEIVING:>17}"


def text(row: Row) -> str:
    """A line of the table."""
    ratio = f"{row.ratio:.1f} x" if row.ratio else "-"
    ours, theirs, cpp, receiving = (figure(row.medians[peer]) for peer in PEERS)
    return (
        f"{row.work:<16}{row.case:<26}{row.what:<28}{ours:>10}{theirs:>10}{ratio:>8}{cpp:>10}{receiving:>17}"
    )


def figure(value: float | None) -> str:
    """As people read it; a dash where there is none."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
