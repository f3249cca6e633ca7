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
import weakref
from collections.abc import Iterable

from ..protocol import OneBLOB, SetVector

__all__ = ["Descriptors"]

# Before Python 3.13 each mapping keeps a descriptor of its own, and a process may have some 1000 (on
# macOS 256). A program that keeps more frames than this gets copies, which need none.
_MOST_MAPPINGS = 128
_COMPRESSED = (".z", ".fz")

_mappings: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


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
        for descriptor in new:  # they are to be closed in programs that this one starts
            os.set_inheritable(descriptor, False)

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
            return blob._replace(payload=_content(descriptor, blob))
        except (OSError, OverflowError, ValueError) as error:
            return blob._replace(error=f"the shared memory cannot be read: {error}")
        finally:
            os.close(descriptor)


def _content(descriptor: int, blob: OneBLOB) -> memoryview:
    """The bytes of a BLOB, read-only.

    Without ``len``, all that is known of a compressed BLOB is how long it is after inflating, which
    may be more than there is: then it is everything (libindi leaves ``len`` out if the driver does).
    """
    there, length = os.fstat(descriptor).st_size, blob.attached
    if there < length and not (there and blob.format.lower().endswith(_COMPRESSED)):
        raise ValueError(f"it has {there} of {length} bytes")
    view = _map(descriptor, min(there, length))
    if sys.version_info < (3, 13) and len(_mappings) > _MOST_MAPPINGS:
        return memoryview(bytes(view))
    return view


def _map(descriptor: int, length: int) -> memoryview:
    """The first `length` bytes of a file; the mapping lives as long as the view."""
    if sys.version_info >= (3, 13):
        mapping = mmap.mmap(descriptor, length, access=mmap.ACCESS_READ, trackfd=False)
    else:
        mapping = mmap.mmap(descriptor, length, access=mmap.ACCESS_READ)
        _mappings.add(mapping)
    return memoryview(mapping)
