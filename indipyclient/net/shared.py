"""BLOBs that come as file descriptors beside the stream of a Unix socket, mapped without a copy.

indiserver sends the descriptors of an element with its first bytes, and one element after the
other; so whatever of an earlier element was not asked for when new ones come is left over from an
element that was dropped. The files are shared by all clients of the server: they are mapped for
reading only. (libindi: UnixServer.cpp, sharedblob; facts seen with 1.9.9.)
"""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Iterable

from ..protocol import OneBLOB, SetVector

__all__ = ["Descriptors"]


class Descriptors:
    """The descriptors that came for the element being received."""

    def __init__(self) -> None:
        self._waiting: list[int] = []

    def arrived(self, descriptors: Iterable[int]) -> None:
        """Take new ones; left-over ones are closed."""
        new = list(descriptors)
        if new:
            self.close()
            self._waiting = new

    def fill(self, message: SetVector) -> SetVector:
        """The message with the content of its attached BLOBs, or an error in its place."""
        if not any(isinstance(blob, OneBLOB) and blob.attached for blob in message.members):
            return message
        filled = (self._fill(blob) if isinstance(blob, OneBLOB) else blob for blob in message.members)
        return message._replace(members=tuple(filled))

    def close(self) -> None:
        """Close what nobody asked for."""
        for descriptor in self._waiting:
            os.close(descriptor)
        self._waiting = []

    def _fill(self, blob: OneBLOB) -> OneBLOB:
        if not blob.attached:
            return blob
        if not self._waiting:
            return blob._replace(error="the content was to come as a file descriptor, and none came")
        descriptor = self._waiting.pop(0)
        try:
            return blob._replace(payload=_map(descriptor, blob.attached))
        except (OSError, ValueError) as error:
            return blob._replace(error=f"the shared memory cannot be read: {error}")
        finally:
            os.close(descriptor)


def _map(descriptor: int, length: int) -> memoryview:
    """The first `length` bytes of a file, read-only; the mapping lives as long as the view."""
    size = os.fstat(descriptor).st_size
    if size < length:
        raise ValueError(f"it has {size} of {length} bytes")
    if sys.version_info >= (3, 13):  # no second descriptor as long as the mapping lives
        mapping = mmap.mmap(descriptor, length, access=mmap.ACCESS_READ, trackfd=False)
    else:
        mapping = mmap.mmap(descriptor, length, access=mmap.ACCESS_READ)
    return memoryview(mapping)
