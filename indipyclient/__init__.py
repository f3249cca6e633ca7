"""Thread-safe, queue-bridged client for INDI instruments.

    protocol/     bytes <-> messages
    state/        messages -> snapshots, commands checked against them
    live/, events, propertyvectors, propertymembers   live views of the state (0.9)
    net/, client/, ipyclient      the asyncio client
    bridge/, mailbox, queclient   the bridge to synchronous code
    sync/, syncclient     plain calls that block, for scripts and notebooks
    demo/         instruments to try it with

The names here are those of the 0.9 interface, and `connect`; the bridge is `indipyclient.queclient`.
"""

import logging
from typing import TYPE_CHECKING, Any

from .events import (
    ConnectionLost,
    ConnectionMade,
    Message,
    VectorTimeOut,
    defBLOBVector,
    defLightVector,
    defNumberVector,
    defSwitchVector,
    defTextVector,
    delProperty,
    setBLOBVector,
    setLightVector,
    setNumberVector,
    setSwitchVector,
    setTextVector,
)
from .ipyclient import IPyClient
from .propertymembers import getfloat
from .propertyvectors import ClientEvent

if TYPE_CHECKING:
    from .syncclient import connect as connect

version = "1.0.0"

# Without this, Python would print the warnings of a program that has set up no logging.
logging.getLogger(__name__).addHandler(logging.NullHandler())

__all__ = [
    "ClientEvent",
    "ConnectionLost",
    "ConnectionMade",
    "IPyClient",
    "Message",
    "VectorTimeOut",
    "defBLOBVector",
    "defLightVector",
    "defNumberVector",
    "defSwitchVector",
    "defTextVector",
    "delProperty",
    "getfloat",
    "setBLOBVector",
    "setLightVector",
    "setNumberVector",
    "setSwitchVector",
    "setTextVector",
    "version",
]


def __getattr__(name: str) -> Any:
    """`connect`, which is imported when it is first asked for."""
    if name == "connect":
        from .syncclient import connect

        return connect
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), "connect"]
