"""Cases that run in a process of their own, as toolkits do not share one: a run of pytest within the run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SECONDS = 110.0  # for all cases of a file


def run_cases(file: str, environment: dict[str, str], *options: str, python: str = sys.executable) -> None:
    """Run the cases in `file`, beside this one; fail if one of them fails, or if there are none.

    `options` are of pytest, `python` is the interpreter.
    """
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(HERE / file)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, "PYTEST_ADDOPTS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
