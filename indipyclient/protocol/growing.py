"""Memory that grows while a BLOB is decoded into it.

New memory is dear: the system clears and maps it in pages of 4 KiB, which takes longer than decoding what
goes there (measured: 0.9 s for each GB, of 1.3 s in all). Linux has pages of 2 MiB, for a tenth of that, for
those who ask; a bytearray cannot.
"""

from __future__ import annotations

import mmap
import sys

__all__ = ["Growing"]

_LARGE = 4 << 20  # bytes from which on large pages are asked for: one of them is filled at least


class Growing:
    """Bytes that are appended to, and then looked at. Not for use by two threads at once."""

    def __init__(self) -> None:
        self._memory: bytearray | mmap.mmap = bytearray()
        self._length = 0
        self._room = _LARGE

    def __len__(self) -> int:
        return self._length

    def append(self, data: bytes | memoryview) -> None:
        """Put bytes at the end.

        Raises:
            MemoryError: there is no memory for them.
        """
        end = self._length + len(data)
        if end > self._room:
            self._make_room(end)
        self._memory[self._length : end] = data
        self._length = end

    def view(self) -> memoryview:
        """The bytes, read-only and not copied. Not to be appended to afterwards."""
        return memoryview(self._memory).toreadonly()[: self._length]

    def _make_room(self, needed: int) -> None:
        """Room for so many bytes, and more: what is not written to takes no memory."""
        room = max(2 * self._room, needed)
        if isinstance(self._memory, mmap.mmap):
            try:
                self._memory.resize(room)
            except OSError as error:
                raise MemoryError(f"no memory for {room} bytes") from error
        elif large := _large_pages(room):
            large[: self._length] = self._memory
            self._memory = large
        else:
            room = sys.maxsize  # a bytearray makes room by itself
        self._room = room


def _large_pages(length: int) -> mmap.mmap | None:
    """Memory in large pages, if the system has them."""
    if sys.platform != "linux":
        return None
    try:
        memory = mmap.mmap(-1, length, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory.madvise(mmap.MADV_HUGEPAGE)
    except (OSError, AttributeError):  # no such pages in this kernel, or in this Python
        return None
    return memory
