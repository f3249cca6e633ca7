"""A second connection that carries nothing but BLOBs, so that no other traffic waits behind a frame.

indiserver sends a client that only ever asked for BLOBs of named properties these properties and
nothing else: so this connection sends no ``getProperties``, and what comes on it besides BLOBs is
already known from the first one.
"""

from __future__ import annotations

from collections.abc import Callable

from ..protocol import BLOBProgress, EnableBLOB, Limits, Message, SetVector, encode
from .dial import Endpoint
from .link import Link, Made, News, Retrying, Timing

__all__ = ["BLOBLine", "without_blobs"]


class BLOBLine:
    """Belongs to one event loop.

    Args:
        deliver: called with the BLOB messages that came in.
        failed: called when the connection was lost or could not be made; it is tried again.
        endpoint, timing, limits: as for `Link`.
    """

    def __init__(
        self,
        deliver: Callable[[list[Message]], None],
        failed: Callable[[], None],
        endpoint: Endpoint,
        timing: Callable[[], Timing],
        limits: Callable[[], Limits],
    ) -> None:
        self._deliver = deliver
        self._failed = failed
        self._asked: dict[tuple[str, str | None], bytes] = {}
        self.link = Link(self, endpoint, timing, limits, hello=None)

    def ask(self, message: EnableBLOB) -> None:
        """Ask for the BLOBs of a property, on this connection and those after it."""
        data = encode(message)
        self._asked.pop((message.device, message.name), None)  # asked last, it is asked last again
        self._asked[message.device, message.name] = data
        self.link.answer(data)

    # -- called by the link -----------------------------------------------------------------

    def tell(self, news: News) -> None:
        """On each new connection, ask again."""
        if isinstance(news, Made):
            self.link.answer(b"".join(self._asked.values()))
        elif isinstance(news, Retrying):
            self._failed()

    def messages_received(self, messages: list[Message]) -> None:
        """Pass on BLOBs."""
        blobs = [message for message in messages if _is_of_a_blob(message)]
        if blobs:
            self._deliver(blobs)

    def knows_something(self) -> bool:
        """There is nothing to be asked for again."""
        return True


def without_blobs(messages: list[Message]) -> list[Message]:
    """Messages from the first connection, where some servers send BLOBs too."""
    return [message for message in messages if not _is_of_a_blob(message)]


def _is_of_a_blob(message: Message) -> bool:
    return isinstance(message, BLOBProgress) or (isinstance(message, SetVector) and message.kind == "BLOB")
