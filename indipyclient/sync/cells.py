"""In a notebook, a cell that is run again closes the clients that it connected the last time.

They would go on otherwise: a notebook keeps whatever it has shown. IPython is not imported for this; where it
does not run the program nothing happens.
"""

from __future__ import annotations

import sys
import threading
import weakref
from typing import Any, NamedTuple

__all__ = ["close_earlier", "remember"]


class _Run(NamedTuple):
    """One run of a cell.

    Fields:
        number: the number of the run, by which IPython counts.
        clients: what was connected in it.
    """

    number: int
    clients: list[weakref.ref[Any]]


_runs: dict[object, _Run] = {}
"""The last run of each cell that connects to a server."""


def close_earlier(host: str, port: int) -> None:
    """Close what this cell connected to that server in an earlier run."""
    cell, number = _this_cell()
    run = _runs.get((cell, host, port))
    if run is not None and run.number != number:
        del _runs[cell, host, port]
        for reference in run.clients:
            if (client := reference()) is not None:
                client.close()


def remember(client: Any, host: str, port: int) -> None:
    """Note that this cell has connected a client, which has a `close`."""
    cell, number = _this_cell()
    if cell is not None:
        run = _runs.setdefault((cell, host, port), _Run(number, []))
        run.clients.append(weakref.ref(client))


def _this_cell() -> tuple[object, int]:
    """What tells the cell that runs from others, and the number of its run; (None, 0) if none runs."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or threading.current_thread() is not threading.main_thread():
        return None, 0
    request = shell.get_parent() if hasattr(shell, "get_parent") else {}
    # not every front end tells which cell it is; the text of the cell stands for it then
    cell = request.get("metadata", {}).get("cellId") or shell.user_ns["In"][-1]
    return cell, shell.execution_count
