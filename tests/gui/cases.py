"""Cases that run in a process of their own, as toolkits do not share one: a run of pytest within the run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SECONDS = 280.0  # for all cases of a file
NEEDS = "import gi, pytest, numpy; gi.require_version('Gtk', '4.0'); from gi.repository import Gtk"


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


@cache
def has_qt(binding: str, platform: str, display: str = "") -> bool:
    """Whether a Qt is installed, and all that it takes from the system for windows on a platform."""
    program = f"from {binding}.QtWidgets import QApplication; QApplication([])"
    environment = {**os.environ, "QT_QPA_PLATFORM": platform, "DISPLAY": display}
    command = [sys.executable, "-c", program]
    return (
        subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False).returncode == 0
    )


@cache
def gtk_python() -> str:
    """A Python with GTK 4: one that is named for it, this one, or the system's; empty if there is none."""
    for python in (os.environ.get("INDIPYCLIENT_GTK_PYTHON"), sys.executable, "/usr/bin/python3"):
        if python and Path(python).exists() and _has_gtk(python):
            return python
    return ""


def _has_gtk(python: str) -> bool:
    command = [python, "-c", NEEDS]
    done = subprocess.run(
        command, env=with_packages(os.environ), capture_output=True, timeout=60, check=False
    )
    return done.returncode == 0


def with_packages(environment: Mapping[str, str]) -> dict[str, str]:
    """With this checkout, and for the system's Python, which has little but GTK, with what this one has."""
    places = [str(ROOT)]
    if "INDIPYCLIENT_GTK_PYTHON" not in os.environ:
        places += [path for path in sys.path if path.endswith("-packages")]
    # GTK needs no graphics card, and no desktop
    gtk = {"GDK_BACKEND": "x11", "GSK_RENDERER": "cairo"}
    return {**environment, **gtk, "PYTHONPATH": os.pathsep.join(places)}
