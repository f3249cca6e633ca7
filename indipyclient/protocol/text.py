"""Characters of the stream: decoding, entities, control characters.

INDI declares no encoding. libindi passes bytes through unchecked, so a driver's Latin-1
degree sign reaches the client as it is: what is not UTF-8 is read as Latin-1. The five named
entities are libindi's; numeric ones come from Python drivers; unknown ones and a bare ``&``
stay as they are.
"""

from __future__ import annotations

import re

__all__ = ["clean_attribute", "clean_text", "decode", "escape"]

_NAMED = {"amp": "&", "lt": "<", "gt": ">", "apos": "'", "quot": '"'}
_ENTITY = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|apos|quot));")
# With control characters goes what XML has no place for: halves of surrogate pairs, U+FFFE, U+FFFF.
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_CONTROL_IN_ATTRIBUTE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_BLANK_IN_ATTRIBUTE = re.compile(r"\r\n|[\t\n\r]")
_SPECIAL = re.compile(r"""[&<>'"]""")
_HARMLESS = re.compile(r"[ !#-%(-;=?-~]*")  # what stands anywhere as it is: ASCII without the special ones
_ESCAPES = {character: f"&{name};" for name, character in _NAMED.items()}


def decode(data: bytes | bytearray) -> str:
    """Bytes as UTF-8 or, if they are not, as Latin-1 (which every byte is)."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def clean_text(text: str, entities: bool = True) -> str:
    """Character data without control characters, with its entities resolved."""
    if entities and "&" in text:
        text = _ENTITY.sub(_resolve, text)
    return _CONTROL_IN_TEXT.sub("", text)


def clean_attribute(text: str) -> str:
    """An attribute's value: as `clean_text`, and line breaks and tabs are spaces (XML 1.0, 3.3.3).

    Also those written as ``&#10;``, as Python drivers do, since names and labels stand on one line.
    """
    if text.isprintable() and "&" not in text:
        return text
    return _one_line(_ENTITY.sub(_resolve, text))


def _one_line(text: str) -> str:
    return _CONTROL_IN_ATTRIBUTE.sub("", _BLANK_IN_ATTRIBUTE.sub(" ", text))


def escape(text: str, attribute: bool = False) -> str:
    """Text for the wire: five named entities, no character references (libindi knows none), no controls."""
    if _HARMLESS.fullmatch(text):
        return text
    text = _one_line(text) if attribute else _CONTROL_IN_TEXT.sub("", text)
    return _SPECIAL.sub(lambda match: _ESCAPES[match[0]], text)


def _resolve(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    # Surrogates and numbers beyond Unicode are no characters: left as they were.
    return chr(code) if code < 0xD800 or 0xDFFF < code < 0x110000 else match[0]
