"""An environment with the published applications and this package, and an observatory for them to look at."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import CCD, TELESCOPE, IndiServer, Server, require
from tests.support.session import QueueSession
from tests.support.simulators import connect, connect_camera

CHECKOUT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
NOT_PACKAGED = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__")


@pytest.fixture(scope="session")
def python() -> Iterator[str]:
    """Return the Python of an environment with the applications, and this package for them to run on.

    indipyconsole brings a copy of indipyclient along; one line that imports ours takes its place.
    """
    with tempfile.TemporaryDirectory(prefix="indi-test-") as folder:
        environment = Path(folder, "environment")
        venv.create(environment, with_pip=False)
        scripts = environment / ("Scripts" if os.name == "nt" else "bin")
        python = str(scripts / "python")
        # pip would leave a folder `build` in the checkout
        package = shutil.copytree(CHECKOUT, Path(folder, "package"), ignore=NOT_PACKAGED)
        # at once: it takes pip long to begin, and the applications ask for any indipyclient
        installed = _pip(python, "install", "--requirement", str(REQUIREMENTS), str(package))
        reason = installed.stderr.strip()[-500:]
        require(installed.returncode == 0, f"what {REQUIREMENTS.name} lists, with this package ({reason})")
        _replace_the_copy_of_indipyconsole(environment)
        yield python


@pytest.fixture(scope="session")
def observatory() -> Iterator[Server]:
    """A telescope and a camera, connected; the camera's exposures end in steps of 50 ms."""
    with IndiServer(TELESCOPE, CCD) as server:
        with QueueSession(server.port) as session:
            connect(session, TELESCOPE)
            connect_camera(session)
        yield server


@pytest.fixture
def session(observatory: Server) -> Iterator[QueueSession]:
    """This package's own view of the observatory, to compare with what an application shows."""
    with QueueSession(observatory.port) as session:
        session.wait_until(lambda snap: snap[CCD]["CCD1"].enable and snap[TELESCOPE]["TELESCOPE_PARK"].enable)
        yield session


def _pip(python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # -I: what PYTHONPATH names is not installed. And most of what is installed is never imported
    command = [sys.executable, "-I", "-m", "pip", "--python", python, *arguments, "--no-compile"]
    command += ["--quiet", "--disable-pip-version-check"]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def _replace_the_copy_of_indipyconsole(environment: Path) -> None:
    (copy,) = environment.glob("**/indipyconsole/indipyclient")
    shutil.rmtree(copy)
    copy.with_suffix(".py").write_text("from indipyclient import *\n")
