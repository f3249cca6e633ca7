"""Who is measured, in a process each: this package, the published 0.9.4, libindi's client, a bare socket."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

from arguments import Arguments, words
from indiserver import IndiServer, installed
from works import CPP, OLD, OURS, RECEIVING, Work

__all__ = ["MeasurementFailed", "make_peers", "measure"]

HERE = Path(__file__).parent
LIMIT = 150  # seconds for one measurement
HEADER = Path("/usr/include/libindi/baseclient.h")

Command = list[str]


class MeasurementFailed(Exception):
    """A peer did not do its work; with what it said."""


def make_peers(folder: Path) -> dict[str, Command]:
    """How each peer is called that this machine has, by its name.

    Args:
        folder: where the environment and the program are made that this needs.
    """
    peers = {
        OURS: [sys.executable, str(HERE / "measurements")],
        OLD: [str(_published(folder)), str(HERE / "measurements")],
        RECEIVING: [sys.executable, str(HERE / "bare.py")],
    }
    if program := _compiled(folder):
        peers[CPP] = [str(program)]
    return peers


def _published(folder: Path) -> Path:
    """The interpreter of an environment with the published package."""
    environment = folder / OLD
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", f"indipyclient=={OLD}"], check=True)
    return python


def _compiled(folder: Path) -> Path | None:
    """The program with libindi's client, if there is a compiler and libindi-dev."""
    compiler = shutil.which("c++")
    if compiler is None or not HEADER.exists():
        return None
    program = folder / "peer"
    command = [compiler, "-O2", "-std=c++17", str(HERE / "peer.cpp"), "-o", str(program)]
    done = subprocess.run(
        [*command, "-lindiclient", "-lz", "-lpthread"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"no {CPP} client: {done.stderr[-2000:]}", file=sys.stderr)
        return None
    return program


def measure(command: Command, work: Work, peer: str) -> dict[str, float] | None:
    """What a peer measures, and what the server has to tell of it; None if there is no such server.

    Raises:
        MeasurementFailed: it ended with an error, or did not end in time.
    """
    arguments = work.arguments_for(peer)
    if work.real:
        if not installed():
            return None
        with IndiServer(HERE / "driver.py", BENCH_BLOB=str(arguments["blob"])) as server:
            return _run(
                command, work.name, {**arguments, "host": f"localhost:{server.unix}", "port": server.port}
            )
    with _serving(arguments) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        results = _run(command, work.name, {**arguments, "host": "127.0.0.1", "port": port})
        return {**results, **json.loads(server.stdout.readline())}


@contextlib.contextmanager
def _serving(arguments: Arguments) -> Iterator[subprocess.Popen[str]]:
    """The measuring server in its own process."""
    command = [sys.executable, str(HERE / "server.py"), *words(arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _run(command: Command, name: str, arguments: Arguments) -> dict[str, float]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if command[0] == sys.executable:
        environment["PYTHONPATH"] = str(HERE.parent)
    try:
        done = subprocess.run(
            [*command, name, *words(arguments)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise MeasurementFailed(f"not done in {LIMIT} s") from None
    if done.returncode:
        raise MeasurementFailed(done.stderr[-2000:] or f"it ended with {done.returncode}")
    result: dict[str, float] = json.loads(done.stdout)
    return result
