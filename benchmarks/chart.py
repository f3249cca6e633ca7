"""The results as a picture: growth with what is known, and BLOBs by their size."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from results import Results
from works import COLOURS, CPP, OLD, OURS, RECEIVING

mpl.use("Agg")
from matplotlib import pyplot

__all__ = ["draw"]

NAMES = {OURS: "indipyclient", OLD: "indipyclient 0.9.4", CPP: "libindi, C++", RECEIVING: "receiving alone"}
KNOWN = (10, 100, 1000, 5000, 10_000)
SIZES = (1, 16, 64, 128)


def draw(results: Results, target: Path) -> None:
    """Write the chart as PNG."""
    figure, ((events, snapshots), (rate, stop)) = pyplot.subplots(
        2, 2, figsize=(10, 7.2), layout="constrained"
    )
    _panel(events, results, "events", "events per s", KNOWN, lambda known: f"4 members, {known} known")
    _panel(snapshots, results, "snapshots", "snapshots per s", KNOWN, lambda known: f"{known} known")
    _panel(rate, results, "blobs", "MB per s", SIZES, lambda size: f"{size} MiB")
    _panel(stop, results, "blobs", "longest stop ms", SIZES, lambda size: f"{size} MiB")
    events.set(title="updates applied per second", xlabel="properties known")
    snapshots.set(title="full snapshots delivered per second", xlabel="properties known")
    rate.set(title="BLOBs over TCP: payload, MB per second", xlabel="MiB of a BLOB")
    stop.set(title="meanwhile: longest stop of another thread, ms", xlabel="MiB of a BLOB")
    handles, names = rate.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(target, dpi=110)
    pyplot.close(figure)


def _panel(
    axes: Any, results: Results, work: str, what: str, places: tuple[int, ...], case: Callable[[int], str]
) -> None:
    """A line for each peer, both scales logarithmic."""
    for peer, colour in COLOURS.items():
        found = [(place, results.find(work, case(place), what)) for place in places]
        points = [(place, row.medians[peer]) for place, row in found if row and row.medians[peer]]
        if points:
            axes.plot(*zip(*points, strict=True), "o-", color=colour, label=NAMES[peer])
    axes.set_xscale("log")
    axes.set_yscale("log")
    shown = [place for place in places if place != 5000]  # no room for its label
    axes.set_xticks(shown, [f"{place:,}" for place in shown])
    low, high = axes.get_ylim()
    axes.set_ylim(10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high)))
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
