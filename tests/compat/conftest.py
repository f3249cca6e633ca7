"""The published 0.9.4 in a virtual environment of its own, to compare with."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import indipyclient
from tests.support.servers import require

from .side_by_side import Package

PUBLISHED = "indipyclient==0.9.4"


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The published package; without a network the tests are skipped, but in CI they fail."""
    folder = tmp_path_factory.mktemp("published")
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", PUBLISHED],
        capture_output=True,
        check=False,
    )
    require(done.returncode == 0, f"{PUBLISHED} (pip says: {done.stderr.decode(errors='replace')[-300:]})")
    return Package(str(python))


@pytest.fixture(scope="session")
def present() -> Package:
    """The package under test."""
    return Package(sys.executable, str(Path(indipyclient.__file__).parents[1]))
