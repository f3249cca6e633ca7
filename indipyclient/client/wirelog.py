"""Traffic in the log, at level DEBUG, as far as the verbosity shows it."""

from __future__ import annotations

import logging

from ..protocol import BLOBProgress, Malformed, Message, NewVector, OneBLOB, SetVector, encode

__all__ = ["WireLog"]


class WireLog:
    """Writes messages to a logger.

    Attributes:
        verbosity: 0 nothing, 1 start tags, 2 everything but BLOB content, 3 everything.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self.verbosity = 1
        self._logger = logger

    def received(self, message: Message) -> None:
        """Log what the server sent."""
        if self.verbosity and self._logger.isEnabledFor(logging.DEBUG):
            self._logger.debug("RX:: %s", self._shown(message))

    def sent(self, message: Message) -> None:
        """Log what was sent."""
        if self.verbosity and self._logger.isEnabledFor(logging.DEBUG):
            self._logger.debug("TX:: %s", self._shown(message))

    def _shown(self, message: Message) -> str:
        if isinstance(message, Malformed | BLOBProgress):
            return repr(message)
        if self.verbosity < 3 and isinstance(message, SetVector | NewVector) and message.kind == "BLOB":
            hidden = (blob._replace(payload=None) for blob in message.members if isinstance(blob, OneBLOB))
            message = message._replace(members=tuple(hidden))
        text = encode(message).decode().strip()
        return text if self.verbosity > 1 else text[: text.index(">") + 1]
