"""Measures this package beside the published 0.9.4, libindi's C++ client and a bare socket, on the same work.

    python benchmarks/run.py                      everything, three rounds: about 15 minutes
    python benchmarks/run.py --quick              a few rows, one round: about a minute
    python benchmarks/run.py --only events blobs  these works
    python benchmarks/run.py --publish            everything, and renews results.json, the page and the README
    python benchmarks/run.py --publish --again    renews the page and the README from results.json

Rounds go from peer to peer, so that whatever else the machine does meets all of them; times of one run only
compare with each other. 0.9.4 is installed in an environment of its own, and the C++ client is compiled, if
there is a compiler and libindi-dev, both in a temporary folder. Linux only. Charts need the extra "bench".
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from peers import Command, MeasurementFailed, make_peers, measure
from results import HEADING, Results, machine, rows, text
from works import OURS, WORKS, Work

KEPT = Path(__file__).parent / "results.json"


def main() -> None:
    options = _options()
    if options.again:
        results = Results.from_json(json.loads(KEPT.read_text()))
    else:
        results = run_all(options.rounds, _chosen(options))
    if options.json:
        _write(results, options.json)
    if options.chart:
        from chart import draw

        draw(results, options.chart)
    if options.publish:
        from document import publish

        _write(results, KEPT)
        publish(results)
    sys.exit(bool(results.failures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a few works, one round")
    parser.add_argument("--only", nargs="+", default=[], choices=sorted({work.name for work in WORKS}))
    parser.add_argument("--rounds", type=int, default=0, help="3, or 1 if quick")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--chart", type=Path, help="draw them to this PNG file")
    parser.add_argument(
        "--publish", action="store_true", help="renew results.json, docs/performance.* and the README"
    )
    parser.add_argument(
        "--again", action="store_true", help="take the results of results.json; nothing is measured"
    )
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    return options


def _chosen(options: argparse.Namespace) -> list[Work]:
    return [
        work
        for work in WORKS
        if (not options.only or work.name in options.only) and (not options.quick or work.quick)
    ]


def run_all(rounds: int, works: list[Work]) -> Results:
    """Measure, and print each row as it comes."""
    results = Results(machine(), [], [])
    print(HEADING)
    with tempfile.TemporaryDirectory() as folder:
        peers = make_peers(Path(folder))
        for work in works:
            measured = compare(peers, work, 1 if work.once else rounds)
            if not measured[OURS] and not work.real:
                results.failures.append(f"{work.name}, {work.case}")
            for row in rows(work, measured):
                results.rows.append(row)
                print(text(row), flush=True)
    return results


def compare(peers: dict[str, Command], work: Work, rounds: int) -> dict[str, list[dict[str, float]]]:
    """What each peer has measured, in turn; a failure is told, and leaves its place empty."""
    measured: dict[str, list[dict[str, float]]] = {peer: [] for peer in peers if peer in work.peers}
    for _ in range(rounds):
        for peer, done in measured.items():
            try:
                found = measure(peers[peer], work, peer)
            except MeasurementFailed as failure:
                print(f"{work.name}, {work.case}, {peer}: {failure}", file=sys.stderr, flush=True)
            else:
                done.extend([found] if found else [])
    return measured


def _write(results: Results, target: Path) -> None:
    target.write_text(json.dumps(results.to_json(), indent=1) + "\n")


if __name__ == "__main__":
    main()
