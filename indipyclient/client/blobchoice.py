"""Which BLOBs the program wants: remembered by device and vector, for this connection and the next."""

from __future__ import annotations

from ..protocol.messages import BLOB_MODES

__all__ = ["BLOBChoice"]


class BLOBChoice:
    """The ``enableBLOB`` modes chosen. For one thread.

    Attributes:
        default: the mode of vectors for which nothing was chosen.
    """

    def __init__(self) -> None:
        self.default = "Never"
        self._modes: dict[tuple[str, str | None], str] = {}

    def choose(self, mode: str, devicename: str, vectorname: str | None) -> bool:
        """Choose for one vector or, with None, for all of a device; False if `mode` is no mode."""
        if mode not in BLOB_MODES or not devicename:
            return False
        if vectorname is None:
            self._modes = {key: kept for key, kept in self._modes.items() if key[0] != devicename}
        self._modes[devicename, vectorname] = mode
        return True

    def forget(self) -> None:
        """Leave all to the default."""
        self._modes.clear()

    def mode(self, devicename: str, vectorname: str) -> str:
        """What was chosen for a vector, or for its device, or the default."""
        modes = self._modes
        return modes.get((devicename, vectorname)) or modes.get((devicename, None)) or self.default
