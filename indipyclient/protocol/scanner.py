"""Bytes to messages, incrementally, whatever the server sends.

An INDI stream is an endless row of XML elements without a root, cut anywhere by the
network. An XML library stops for good at the first fault in it; this scanner drops the
faulty element, says so with a `Malformed`, and goes on at the next start tag it knows.

The rules that make that safe:

* A tag ends at the first ``>`` outside quotes. A ``<`` inside a tag, quoted or not, means
  that the tag is broken and a new one starts there (XML forbids ``<`` in attributes, and
  servers escape it), so a lost quote costs one element, not the stream.
* A start tag of a top-level element always starts one: whatever was open is dropped.
* A tag, comment or CDATA section that does not end within its limit is given up, with as many
  bytes as the limit allows, whether they came at once or one by one.
* Every token is looked at once, also when it arrives a byte at a time: the position and the
  open quote of an unfinished token are kept, and no expression can match in two ways. So the
  time is linear and the result does not depend on how the bytes were cut.
* BLOB text is never collected, it goes straight to the decoder.

Sources: reference behaviour of libindi's LilXML (entities, comments, no declaration of
encoding), the XML 1.0 grammar where LilXML falls short of it (comments, CDATA).
"""

from __future__ import annotations

import re

from .blobs import Base64Decoder
from .fastpath import Shortcut
from .limits import Limits
from .messages import KINDS, BLOBProgress, Malformed, Message
from .reader import Child, Element, read_element
from .text import clean_attribute, clean_text, decode

__all__ = ["Scanner"]


_VECTORS = {f"{verb}{kind}Vector" for verb in ("def", "set", "new") for kind in KINDS}
_TOP_LEVEL = _VECTORS | {
    "message",
    "delProperty",
    "deleteProperty",  # INDIGO's documents spell it so
    "getProperties",
    "enableBLOB",
    "pingRequest",
    "pingReply",
}
_CHILD = {
    f"{verb}{kind}Vector": ("def" if verb == "def" else "one") + kind
    for verb in ("def", "set", "new")
    for kind in KINDS
}

# One whole tag: slash, name, attributes. The name ends where it must, not sooner: matching that
# fails would otherwise try all its beginnings, and take quadratic time.
_TAG = re.compile(
    rb"<\s*(?:(/)\s*)?([A-Za-z_][\w.:-]*)(?![\w.:-])"
    rb"([^<>\"']*(?:\"[^<\"]*\"[^<>\"']*|'[^<']*'[^<>\"']*)*)>"
)
# A quoted value, with its name if there is one. Values without are matched to be left out whole.
_ATTRIBUTE = re.compile(r"""(?:(?<![\w.:-])([A-Za-z_][\w.:-]*)(?![\w.:-])\s*=\s*)?(?:"([^"]*)"|'([^']*)')""")
# What ends a stretch inside a tag: outside quotes, inside double quotes, inside single quotes.
_TAG_STOPS = {b"": re.compile(rb"[<>\"']"), b'"': re.compile(rb'[<"]'), b"'": re.compile(rb"[<']")}
# Comments and declarations, and the tags of top-level elements.
_WORTH_A_LOOK = re.compile(rb"<(?:[!?]|\s*(?:%s)(?![\w.:-]))" % "|".join(sorted(_TOP_LEVEL)).encode())
_MARKUP = ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<!", b">"), (b"<?", b"?>"))
_LONGEST_OPENER = max(len(opener) for opener, _ in _MARKUP)


class Scanner:
    """Turns the bytes of one connection into messages. Not thread-safe; make one per connection.

    Args:
        limits: bounds on what one element may take; see `Limits`.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        limits = self._limits
        self._shortcut = Shortcut(min(limits.tag, limits.text, limits.element), limits.members)
        self._buffer = bytearray()  # what has arrived and is not a whole token yet
        self._seen = 0  # how far the unfinished token at the start of the buffer was searched
        self._quote = b""  # the quote that is open there, if it is a tag
        self._kept = False  # whether what is in it may become a plain update with the next bytes
        self._element: Element | None = None  # the open top-level element
        self._size = 0  # its bytes so far
        self._child: Child | None = None  # the open member in it
        self._text: list[str] | None = None  # text being collected, None where text is of no interest
        self._blob: Base64Decoder | None = None  # or its decoder, if the member is a BLOB
        self._told = 0  # how many of its bytes were told of
        self._blob_room = 0  # how many bytes the element's further BLOBs may have
        self._skipping = 0  # depth inside unknown elements within it
        self._quiet = False  # a fault was reported and nothing good came since
        self._out: list[Message] = []

    def feed(self, data: bytes) -> list[Message]:
        """Take the next bytes of the stream; return the messages they complete.

        Never raises for anything in `data`. A run of faults is reported once, by its first.
        """
        if self._blob is not None and not self._buffer and not self._skipping:
            data = self._feed_blob(data)
        self._buffer += data
        self._take_tokens()
        if self._limits.progress and self._blob is not None:
            self._tell_progress(self._blob.received)
        out, self._out = self._out, []
        return out

    def eof(self) -> list[Message]:
        """Tell that the stream has ended; return the report on an element left unfinished, if any."""
        self._take_tokens()
        if self._element is not None:
            self._drop("the stream ended inside it")
        out, self._out = self._out, []
        return out

    # -- tokens -----------------------------------------------------------------------------

    def _take_tokens(self) -> None:
        self._shortcut.begin()
        position = 0
        while (after := self._token(position)) > position:
            position = after
            self._seen = 0
        if position:
            del self._buffer[:position]
            self._seen = max(0, self._seen - position)

    def _token(self, start: int) -> int:
        """Consume one token at `start`; return where the next one starts, or `start` if it is unfinished."""
        buffer = self._buffer
        if start == len(buffer):
            return start
        if self._quiet and self._element is None and not self._seen:
            known = self._past_garbage(start)
            if known > start:
                return known
        if buffer[start] != 0x3C:  # "<"
            return self._text_token(start)
        if self._element is None and not self._seen:
            end = self._shortcut.take(buffer, start, self._out)
            if end > start:
                self._quiet = self._kept = False
                return end
            self._kept = not self._kept and self._shortcut.has_begun(buffer, start)
            if self._kept:
                return start
        if not self._seen and (match := _TAG.match(buffer, start, start + self._limits.tag)):
            return self._tag_token(match)
        if buffer.startswith((b"<!", b"<?"), start):
            return self._markup_token(start)
        return self._slow_tag_token(start)

    def _text_token(self, start: int) -> int:
        """Text reaches to the next ``<``. Text that nobody wants is dropped at once."""
        buffer = self._buffer
        end = buffer.find(b"<", max(start, self._seen))
        if self._blob is not None and not self._skipping:
            end = len(buffer) if end < 0 else end
            with memoryview(buffer) as view, view[start:end] as text:
                self._blob.feed(text)
            return end
        if self._text is None or self._skipping:
            return len(buffer) if end < 0 else end
        if self._too_long((len(buffer) if end < 0 else end) - start):
            return len(buffer) if end < 0 else end
        if end < 0:
            self._seen = len(buffer)
            return start
        self._size += end - start
        self._text.append(clean_text(decode(buffer[start:end])))
        return end

    def _feed_blob(self, data: bytes) -> bytes:
        """The part of `data` that is BLOB text goes to the decoder without a copy; return the rest."""
        assert self._blob is not None
        end = data.find(b"<")
        if end < 0:
            self._blob.feed(data)
            return b""
        self._blob.feed(memoryview(data)[:end])
        return data[end:]

    def _tag_token(self, match: re.Match[bytes]) -> int:
        """A whole tag."""
        slash, name, rest = match.groups()
        tag = name.decode("ascii", "replace")
        self._size += match.end() - match.start()
        if slash:
            self._end_tag(tag)
        else:
            self._start_tag(tag, rest)
        return match.end()

    def _slow_tag_token(self, start: int) -> int:
        """A tag that was not whole at first sight: either it is still arriving or it is broken."""
        buffer = self._buffer
        position, limit = max(start + 1, self._seen), start + self._limits.tag
        while found := _TAG_STOPS[self._quote].search(buffer, position, limit):
            stop, position = found[0], found.end()
            if stop == b"<":
                return self._broken_tag(start, found.start())
            if stop == b">":
                self._quote = b""
                match = _TAG.match(buffer, start, limit)
                return self._tag_token(match) if match else self._broken_tag(start, position)
            self._quote = b"" if self._quote else stop
        if len(buffer) >= limit:
            return self._broken_tag(start, limit)
        self._seen = len(buffer)
        return start

    def _broken_tag(self, start: int, end: int) -> int:
        """Give up the bytes from `start` to `end`, and with them the element they stand in."""
        self._quote = b""
        if self._element is None and self._quiet:
            return end  # nothing to drop, and nothing to tell
        shown = decode(self._buffer[start : min(end, start + 40)])
        if self._element is not None:
            self._drop(f"it holds the broken tag {shown!r}")
        else:
            self._complain(f"broken tag {shown!r}")
        return end

    def _past_garbage(self, start: int) -> int:
        """Where, from `start` on, something begins that is worth a look when a fault has been reported.

        Unknown elements, stray end tags and broken tags say nothing more then: floods of them cost little.
        """
        buffer = self._buffer
        found = _WORTH_A_LOOK.search(buffer, start)
        if found is not None:
            return found.start()
        last = buffer.rfind(b"<", start)  # which may still become something
        return len(buffer) if last < 0 else last

    def _markup_token(self, start: int) -> int:
        """Comments, declarations and processing instructions are skipped; CDATA is text as it stands."""
        buffer = self._buffer
        head = bytes(buffer[start : start + _LONGEST_OPENER])
        opener, closer = next(
            pair for pair in _MARKUP if head.startswith(pair[0]) or pair[0].startswith(head)
        )
        if len(head) < len(opener):  # could still become this one, or another
            return start
        begin, limit = start + len(opener), start + self._limits.tag
        end = buffer.find(closer, max(begin, self._seen - len(closer)), limit)
        if end < 0 and len(buffer) >= limit:
            return self._broken_tag(start, limit)
        if end < 0:
            self._seen = len(buffer)
            return start
        if opener == b"<![CDATA[":
            self._cdata(buffer[begin:end])
        end += len(closer)
        self._size += end - start
        return end

    def _cdata(self, data: bytearray) -> None:
        """CDATA is text in which nothing is special."""
        if self._skipping:
            return
        if self._blob is not None:
            self._blob.feed(data)
        elif self._text is not None and not self._too_long(len(data)):
            self._text.append(clean_text(decode(data), entities=False))

    # -- structure --------------------------------------------------------------------------

    def _start_tag(self, tag: str, rest: bytes) -> None:
        empty = rest.endswith(b"/")
        if tag in _TOP_LEVEL:
            self._open_element(Element(tag, _attributes(rest)))
            if empty:
                self._close_element()
        elif self._element is None:
            self._complain(f"unknown element <{tag}>", _attributes(rest).get("device"))
        elif self._skipping or tag != _CHILD.get(self._element.tag):
            self._skipping += not empty
        elif self._child is not None:
            self._drop(f"<{tag}> stands inside <{tag}>")
        elif len(self._element.children) >= self._limits.members:
            self._drop(f"it has more than {self._limits.members} members")
        elif not self._too_long(0):
            self._open_child(Child(tag, _attributes(rest)))
            if empty:
                self._close_child()

    def _end_tag(self, tag: str) -> None:
        if self._element is None:
            self._complain(f"stray end tag </{tag}>")
        elif tag == self._element.tag and self._child is None:
            self._close_element()
        elif self._child is not None and tag == self._child.tag:
            self._close_child()
        elif tag != self._element.tag and self._skipping:
            self._skipping -= 1
        else:
            self._drop(f"the end tag </{tag}> does not fit")

    def _open_element(self, element: Element) -> None:
        if self._element is not None:
            self._drop("it was not closed")
        self._element = element
        self._size = 0
        self._blob_room = self._limits.blob
        self._text = [] if element.tag == "enableBLOB" else None

    def _close_element(self) -> None:
        assert self._element is not None
        element, self._element = self._element, None
        element.text = "".join(self._text or ()).strip()
        self._text = None
        self._skipping = 0
        message, faults = read_element(element)
        if message is not None:
            self._out.append(message)
            self._quiet = False
        for fault in faults:
            self._complain(fault, element.attributes.get("device"))

    def _open_child(self, child: Child) -> None:
        self._child = child
        if child.tag == "oneBLOB":
            self._blob = Base64Decoder(self._blob_room)
            self._told = 0
        else:
            self._text = []

    def _close_child(self) -> None:
        assert self._element is not None and self._child is not None
        child, self._child = self._child, None
        child.text = "".join(self._text or ()).strip()
        if len(child.text) > self._limits.text:
            self._drop(f"a value in it is longer than {self._limits.text} characters")
            return
        if self._blob is not None:
            self._blob_room -= self._blob.received
        child.blob, self._blob = self._blob, None
        self._text = None
        self._skipping = 0
        self._element.children.append(child)

    def _tell_progress(self, received: int) -> None:
        """Tell how much of the open BLOB there is, if that is enough more than when it was last told."""
        assert self._element is not None and self._child is not None
        if received - self._told >= self._limits.progress:
            self._told = received
            vector, member = self._element.attributes, self._child.attributes
            size = member.get("size", "").strip()
            progress = (vector.get("device", ""), vector.get("name", ""), member.get("name", ""), received)
            self._out.append(
                BLOBProgress(*progress, int(size) if size.isdecimal() and len(size) < 19 else None)
            )

    # -- faults -----------------------------------------------------------------------------

    def _too_long(self, more: int) -> bool:
        """Whether `more` bytes take the open element over its limit; if so it is dropped."""
        if self._size + more <= self._limits.element:
            return False
        self._drop(f"it is longer than {self._limits.element} bytes")
        return True

    def _drop(self, reason: str) -> None:
        """Forget the open element and say why."""
        assert self._element is not None
        element, self._element = self._element, None
        self._child = self._text = self._blob = None
        self._skipping = 0
        name = element.attributes.get("name", "")
        self._complain(f"{element.tag} {name!r} dropped: {reason}", element.attributes.get("device"))

    def _complain(self, reason: str, device: str | None = None) -> None:
        """Report a fault, unless it is only the wake of one that was reported."""
        if not self._quiet:
            self._out.append(Malformed(reason, device))
        self._quiet = True


def _attributes(data: bytes) -> dict[str, str]:
    """The attributes in the rest of a tag, decoded. Of two with the same name the last counts."""
    found = _ATTRIBUTE.findall(decode(data))
    return {name: clean_attribute(double or single) for name, double, single in found if name}
