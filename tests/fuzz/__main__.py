"""Fuzzes the scanner, and the state behind it, for as long as you like.

    python -m tests.fuzz --cases 1000000          # so many cases, by the mutations of `mutate`
    python -m tests.fuzz --seconds 36000 --seed 7 # so long
    python -m tests.fuzz --atheris FOLDER         # guided by coverage, if atheris is installed (Linux)

A case that breaks a rule is written to a file, and the run goes on. Ends with 1 if there was any.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .mutate import Mutator, load_seeds


class Run(NamedTuple):
    """What a run came to."""

    cases: int
    seconds: float
    findings: int


def fuzz(
    check: Callable[[bytes, random.Random], None],
    seed: int,
    cases: float,
    seconds: float,
    found: Callable[[bytes, BaseException], None],
) -> Run:
    """Check one case after another until there were so many, or so long.

    Args:
        check: raises if a case breaks a rule; see `check.Checker`.
        found: told of each case that does, and of what was raised.
    """
    dice = random.Random(seed)
    mutator = Mutator(load_seeds(), dice)
    begun, done, findings = time.monotonic(), 0, 0
    while done < cases and time.monotonic() - begun < seconds:
        case = mutator.case()
        try:
            check(case, dice)
        except Exception as error:
            findings += 1
            found(case, error)
        done += 1
        if done % 50_000 == 0:
            print(f"{done} cases, {findings} findings, {time.monotonic() - begun:.0f} s", flush=True)
    return Run(done, time.monotonic() - begun, findings)


def keep(case: bytes, error: BaseException) -> None:
    """Write a case to a file named by its content, and say what it did."""
    path = Path(f"finding-{hashlib.sha256(case).hexdigest()[:12]}.bin")
    path.write_bytes(case)
    print(f"{path}: {case!r:.2000}")
    traceback.print_exception(error)


def run_atheris(folder: str) -> None:
    import atheris

    with atheris.instrument_imports(include=["indipyclient.protocol", "indipyclient.state"]):
        from .check import Checker

    # what was found is kept in the folder, and is where the next run begins
    for number, seed in enumerate(load_seeds()):
        Path(folder, f"seed-{number:04}").write_bytes(seed)
    check = Checker()
    atheris.Setup(
        [sys.argv[0], folder, "-max_len=3000", "-print_final_stats=1", *sys.argv[3:]],
        lambda data: check(data, random.Random(len(data))),
    )
    atheris.Fuzz()


def main() -> int:
    if sys.argv[1:2] == ["--atheris"]:
        run_atheris(sys.argv[2])
        return 0
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--cases", type=float, default=float("inf"))
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    from .check import Checker

    run = fuzz(Checker(), options.seed, options.cases, options.seconds, keep)
    print(f"seed {options.seed}: {run.cases} cases in {run.seconds:.0f} s, {run.findings} findings")
    return 1 if run.findings else 0


if __name__ == "__main__":
    sys.exit(main())
