"""The text of BLOBs: base64 decoded while it arrives, base64 for sending, zlib.

Servers send base64 on one line, drivers in lines of 72 characters; any wrapping,
indentation and missing padding is accepted. Nothing is believed of announced sizes.

Sources: INDI white paper 1.7 (``oneBLOB``, the ``.z`` suffix); libindi's ``base64.c``
and the trailing zeros of indiserver 1.9.9, which pads what it converts to base64.
"""

from __future__ import annotations

import re
import zlib
from typing import TypeAlias

import pybase64

from .growing import Growing

__all__ = ["Base64Decoder", "encode_base64", "inflate"]

Buffer: TypeAlias = bytes | bytearray | memoryview

# Characters per call into C. It bounds how long other threads wait for the interpreter,
# and is less than what C libraries map and unmap anew for every object (128 KiB).
_SPAN = 64 * 1024

_SPACES = (b"\n", b"\r", b" ", b"\t")
_ILLEGAL = re.compile(rb"[^A-Za-z0-9+/=]")


class Base64Decoder:
    """Decodes one base64 text that arrives in pieces. Not for use by two threads at once.

    However the text is cut, the result is the same. Padding ends a group of characters
    wherever it stands, so that base64 texts set end to end decode to their bytes end to
    end. Damage never raises: `error` says what is wrong with the first damaged place, the
    bytes before it are kept, and everything after it is dropped, since it might be shifted.

    Args:
        limit: most bytes to keep; more are an error.

    Attributes:
        error: what is wrong, for people; empty if nothing is. Final after `finish`.
    """

    def __init__(self, limit: int = 1 << 30) -> None:
        self.error = ""
        self._limit = limit
        self._decoded = Growing()
        self._rest = b""  # the last characters received, too few to decode

    @property
    def received(self) -> int:
        """How many bytes have been decoded so far."""
        return len(self._decoded)

    def feed(self, data: Buffer) -> None:
        """Take the next piece of text. Not to be called after `finish`."""
        # Views are released at once, and not when nobody holds them any more: that may be a memory profiler
        # in another thread, and a bytearray that is viewed cannot be made shorter.
        with memoryview(data) as view:
            for start in range(0, len(view), _SPAN):
                if self.error:
                    return
                with view[start : start + _SPAN] as piece:
                    text = b"".join((self._rest, piece))
                self._decode(text)

    def finish(self, length: int | None = None) -> memoryview:
        """Return the decoded bytes as a read-only view; they are not copied.

        Args:
            length: how many bytes there should be; None or a negative number if that is not
                known. More are cut off, fewer are an error. That there are none at all is
                not: only the caller knows whether content was due.
        """
        self._decode_groups(_without_spaces(self._rest))
        self._end_group(self._rest)
        self._rest = b""
        view = self._decoded.view()
        if length is None or length < 0:
            return view
        if 0 < len(view) < length:
            self._fail(f"only {len(view)} of {length} bytes arrived")
        return view[:length]

    def _decode(self, text: bytes) -> None:
        if not self._decode_clean(text):
            text = _without_spaces(text)
            if not self._decode_clean(text):
                self._decode_groups(text)

    def _decode_clean(self, text: bytes) -> bool:
        """Decode `text` but for up to three characters; False, and nothing done, if it is not plain."""
        end = len(text) & ~3
        try:
            self._append(pybase64.b64decode(memoryview(text)[:end], validate=True))
        except ValueError:
            return False
        self._rest = text[end:]
        return True

    def _decode_groups(self, text: bytes) -> None:
        """Decode `text`, free of spaces, with padding or illegal characters anywhere in it."""
        illegal = _ILLEGAL.search(text)
        *ended, rest = (text[: illegal.start()] if illegal else text).split(b"=")
        for group in filter(None, ended):
            self._end_group(group)
        self._decode_clean(rest)
        if illegal:
            self._fail(f"illegal character {illegal[0]!r} in base64")

    def _end_group(self, text: bytes) -> None:
        """Decode characters of the base64 alphabet that nothing follows."""
        self._decode_clean(text)
        if len(self._rest) > 1:
            self._append(pybase64.b64decode(self._rest + b"=" * (4 - len(self._rest))))
        elif self._rest:
            self._fail("base64 ends within a byte")
        self._rest = b""

    def _append(self, decoded: bytes) -> None:
        if self.error:
            return
        room = self._limit - len(self._decoded)
        if len(decoded) > room:
            self._fail(f"longer than the limit of {self._limit} bytes")
        self._decoded.append(decoded[:room])

    def _fail(self, reason: str) -> None:
        self.error = self.error or reason


def _without_spaces(text: bytes) -> bytes:
    # Each replace of something absent costs next to nothing, and for one newline in 73
    # characters it is four times as fast as translate.
    for space in _SPACES:
        text = text.replace(space, b"")
    return text


def encode_base64(data: Buffer) -> bytes:
    """Return `data` as base64 in one line without an end: C++ drivers take newlines for data."""
    return pybase64.b64encode(data)


def inflate(data: Buffer, limit: int) -> bytes:
    """Return the bytes that `data`, a zlib stream, was made from.

    What follows the end of the stream is ignored: indiserver 1.9.9 appends zeros.

    Args:
        data: the compressed bytes.
        limit: most bytes to return.

    Raises:
        ValueError: if `data` is damaged, incomplete, or inflates to more than `limit` bytes.
    """
    view = memoryview(data)
    inflater = zlib.decompressobj()
    pieces = []
    room = limit
    try:
        for start in range(0, len(view), _SPAN):
            # one byte more than there is room for, because 0 would mean no limit
            piece = inflater.decompress(view[start : start + _SPAN], room + 1)
            room -= len(piece)
            if room < 0:
                raise ValueError(f"the compressed data inflates to more than {limit} bytes")
            pieces.append(piece)
            if inflater.eof:
                return b"".join(pieces)
    except zlib.error as error:
        raise ValueError(f"the compressed data is damaged: {error}") from error
    raise ValueError("the compressed data is incomplete")
