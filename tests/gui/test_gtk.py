"""Windows of GTK, in a process of a Python that has it: maybe another one, as PyGObject has no wheels."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support.screen import Screen
from tests.support.servers import require

from .cases import ROOT, run_cases

NEEDS = "import gi, pytest, numpy; gi.require_version('Gtk', '4.0'); from gi.repository import Gtk"


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
        command, env=_with_packages(os.environ), capture_output=True, timeout=60, check=False
    )
    return done.returncode == 0


def _with_packages(environment: dict[str, str]) -> dict[str, str]:
    """With what this Python has installed, for the system's, which has GTK and little else."""
    named = "INDIPYCLIENT_GTK_PYTHON" in os.environ
    places = [str(ROOT)] if named else [str(ROOT), *(path for path in sys.path if path.endswith("-packages"))]
    return {**environment, "PYTHONPATH": os.pathsep.join(places)}


@pytest.fixture
def environment(screen: Screen) -> dict[str, str]:
    require(bool(gtk_python()), "GTK 4 (Debian: python3-gi gir1.2-gtk-4.0)")
    # no graphics card, and no desktop, are needed
    return {**_with_packages(screen.environment), "GDK_BACKEND": "x11", "GSK_RENDERER": "cairo"}


def test_delivery(environment: dict[str, str]) -> None:
    # Debian's PyGObject imports in a way of old
    old = "ignore:DynamicImporter:ImportWarning"
    run_cases("gtk_delivery.py", environment, "-W", old, python=gtk_python())
