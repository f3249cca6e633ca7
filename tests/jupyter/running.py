"""Notebooks, run with a real kernel.

In a process of its own, as Jupyter's libraries keep things open for as long as their process lives.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from tests.support.servers import require

# The kernel ends as by a user's `exit`. Asked by a message of Jupyter's, ipykernel 7.4 now and then waits
# for ever, whatever was run in it: it says that it is idle when its thread for that has ended. The cell is
# sent again until then, as it may be passed over right after one that raised.
RUN = """
import contextlib, json, subprocess, sys
import nbclient, nbformat
notebook = nbformat.reads(sys.stdin.read(), as_version=4)
def tell(cell, cell_index):
    client.kc.session.metadata = {key: cell.metadata[key] for key in ("cellId",) if key in cell.metadata}
client = nbclient.NotebookClient(notebook, timeout=60, startup_timeout=60, on_cell_execute=tell)
with client.setup_kernel():
    kernel = client.km.provisioner.process
    try:
        client.execute(cleanup_kc=False)
    except nbclient.exceptions.CellExecutionError as error:
        print(error, file=sys.stderr)
    client.kc.session.metadata = {}
    for _ in range(60):
        client.kc.execute("exit")
        with contextlib.suppress(subprocess.TimeoutExpired):
            kernel.wait(1)
            break
    status = kernel.returncode
print(json.dumps([kernel.pid, status, nbformat.writes(notebook)]))
"""


class Ran(NamedTuple):
    """A notebook that was run.

    Fields:
        notebook: with its outputs.
        faults: what went wrong.
    """

    notebook: Any
    faults: str

    def outputs(self, cell: str) -> list[Any]:
        """The outputs of the cell of that id."""
        (found,) = (one for one in self.notebook.cells if one.id == cell)
        return list(found.outputs)

    def text(self, cell: str) -> str:
        """What it has printed."""
        return "".join(one["text"] for one in self.outputs(cell) if one["output_type"] == "stream")

    def shown(self, cell: str, kind: str = "text/html") -> str:
        """What its last line is shown as."""
        (data,) = (one["data"] for one in self.outputs(cell) if one["output_type"] == "execute_result")
        return str(data[kind])


def formats() -> Any:
    """The module nbformat. Skips the test without what runs notebooks; in CI, fails it."""
    for package in ("nbformat", "nbclient", "ipykernel"):
        require(importlib.util.find_spec(package) is not None, package)
    return importlib.import_module("nbformat")


def run(notebook: Any, folder: Path, **environment: str) -> Ran:
    """Run a notebook; its kernel has ended by itself when this returns. `folder` is for Jupyter's files."""
    places = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=formats().writes(notebook),
        env={**os.environ, **{place: str(folder / place) for place in places}, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kernel, status, text = json.loads(done.stdout)
    assert status == 0, "the kernel did not end when it was told to"
    assert not psutil.pid_exists(kernel)
    return Ran(formats().reads(text, as_version=4), done.stderr)


def cells(*sources: str, told: str = "") -> Any:
    """A notebook of these cells, whose ids are "0", "1" and so on.

    `told` is what the kernel is told that each of them is, as JupyterLab does; empty for nothing.
    """
    metadata = {"cellId": told} if told else {}
    made = [
        formats().v4.new_code_cell(textwrap.dedent(source).strip(), id=str(at), metadata=metadata)
        for at, source in enumerate(sources)
    ]
    return formats().v4.new_notebook(cells=made)
