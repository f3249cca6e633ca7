"""INDI numbers: reading them, printing them by a format, writing them for a driver.

Received numbers are decimal (``12.5``) or sexagesimal (``12:30:00``). There are two
strict readers, because the two programs to agree with disagree with each other:

* `getfloat` is the public function of indipyclient 0.9. Programs that call it, or that
  read ``floatvalue``, have always seen its results: ``12 30 00`` is 12.5.
* `parse` is libindi's ``f_scansexa``, with which C++ drivers and clients read. It takes
  any separator (``12h30m``), but to it ``12 30 00`` is 123000.

`read_number` is what this package takes a received text to mean. It asks ``float()``,
then `getfloat`, and `parse` for what neither of them can read.

Sources: INDI white paper 1.7 (the printf-like formats with ``m`` added); libindi 1.9.9
``indicom.c`` (``f_scansexa``, ``fs_sexa``, ``numberFormat``); 0.9.4 as observed.
All functions are pure: any thread may call them.
"""

from __future__ import annotations

import math
import numbers
import re
from decimal import Decimal

__all__ = ["format_number", "getfloat", "number_text", "parse", "read_number"]

_LONGEST_INPUT = 127
"""libindi reads no more of a number than this many bytes."""

_LONGEST_OUTPUT = 63
"""libindi has room for this many bytes, in a format as in the formatted text."""

# What scanf's %lf takes. "0x" without a digit and a broken "infinity" are errors there.
_DOUBLE = rb"0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?\d+)?|(?!0x)(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_SCAN = re.compile(
    rb"\s*([+-]?(?:" + _DOUBLE + rb"|inf(?:inity|(?!i))|nan))"
    rb"(?:\D+(?=\d)(" + _DOUBLE + rb")(?:\D+(?=\d)(" + _DOUBLE + rb"))?)?",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
# What nearly all numbers are that are sent, and need no second look.
_MANY = 10**15
_SHORT_DECIMAL = re.compile(r"[+-]?[0-9]{1,60}(?:\.[0-9]{0,60})?")
_PLAIN_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def parse(text: str) -> float:
    """Return what libindi's ``f_scansexa`` reads in `text`.

    Spaces are deleted, one leading minus is the sign of the whole, then up to three
    numbers with anything but digits between them count as units, minutes and seconds.
    The rest of the text is ignored, and so is everything after 127 bytes.

    Raises:
        ValueError: if `text` does not begin with a number.
    """
    data = text[:_LONGEST_INPUT].encode(errors="replace")[:_LONGEST_INPUT].replace(b" ", b"")
    negative = data.startswith(b"-")
    found = _SCAN.match(data[negative:])
    if found is None:
        raise _no_number(text)
    units, minutes, seconds = (_double(part) for part in found.groups(b"0"))
    value = units + minutes / 60 + seconds / 3600
    return -value if negative else value


def _no_number(text: str) -> ValueError:
    return ValueError(f"No number in {text[:40]!r}")


def _double(text: bytes) -> float:
    if b"x" not in text.lower():
        return float(text)
    try:
        return float.fromhex(text.decode())
    except OverflowError:
        raise ValueError("Hexadecimal number too large") from None


def getfloat(value: object) -> float:
    """Return `value` as a float, by the rules of indipyclient 0.9.

    Args:
        value: a float, int or bool; or text with up to three parts separated by spaces,
            colons or semicolons (tried in that order), of which missing ones are 0.
            Minus signs in front apply to the whole.

    Raises:
        TypeError: "Unable to parse number value", for everything else.
    """
    try:
        if isinstance(value, str):
            return _sum_of_parts(value.strip())
        if isinstance(value, (float, int)):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise TypeError("Unable to parse number value")


def _sum_of_parts(text: str) -> float:
    magnitude = text.lstrip("-")
    separator = next((mark for mark in " :;" if mark in magnitude), None)
    parts = magnitude.split(separator, 3) if separator else [magnitude]
    if len(parts) > 3:
        raise ValueError("More than three parts")
    value = sum(float(part or 0) / scale for part, scale in zip(parts, (1, 60, 3600), strict=False))
    return -value if text.startswith("-") else value


def read_number(text: str) -> float:
    """Return what this package takes a received number text to mean.

    Plain decimals are read by ``float()``. It also takes ``1_000`` and digits of other
    scripts; 0.9 did so too, and no such text is ever sent on (see `number_text`).
    Everything else is read as `getfloat` does, so that programs for 0.9 see the value they
    know, and what it refuses (``12h30m``) as C++ clients do. ``nan`` and ``inf`` are read.

    Raises:
        ValueError: if nobody can read `text`, or if there is no digit in it: unlike
            `getfloat`, empty text or a lone ``-`` or ``:`` is not taken for 0.
    """
    try:
        return float(text)
    except ValueError:
        if _DIGIT.search(text) is None:
            raise _no_number(text) from None
    try:
        return getfloat(text)
    except TypeError:
        return parse(text)


def number_text(value: int | float | str) -> str:
    """Return `value` as the text to send to a driver: always a decimal, in the C locale.

    Integers are written without a point, other numbers as their shortest decimal that
    reads back the same. Text that is a plain decimal goes out as it is, without outer
    white space. All other text that `read_number` can read, above all sexagesimal, goes
    out as the decimal of its value. C++ drivers do read sexagesimal commands (by
    ``f_scansexa``), but not as people write them: a simulator of libindi 1.9.9 took
    ``12 30 00`` for 123000 degrees. A decimal means the same to every driver.

    Args:
        value: an int, a float, any other real number (numpy's scalars, Fraction, Decimal),
            or text.

    Raises:
        TypeError: if `value` is no such thing. A bool is not a number here.
        ValueError: if the text is not a number, or the number is not finite.
    """
    if isinstance(value, str):
        text = value.strip()
        if _SHORT_DECIMAL.fullmatch(text):
            return text
        number = read_number(value)
    elif type(value) is int and abs(value) < _MANY:
        return str(value)
    elif isinstance(value, (numbers.Real, Decimal)) and not isinstance(value, bool):
        number = _as_float(value)
        text = str(int(value)) if isinstance(value, numbers.Integral) else ""
    else:
        raise TypeError(f"A number is expected, not {type(value).__name__}")
    if not math.isfinite(number):
        raise ValueError(f"A finite number is expected, not {number}")
    # libindi would cut longer digits, and so change the value
    if len(text) <= _LONGEST_INPUT and _PLAIN_DECIMAL.fullmatch(text):
        return text
    return repr(number)


def _as_float(value: numbers.Real | Decimal) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError("Number too large") from None


# "%<w>.<f>m". As scanf does in libindi: blanks and signs are allowed, what follows is ignored.
_SEXAGESIMAL = re.compile(r"\s*%(\s*[+-]?\d+)?(?:\.(\s*[+-]?\d+))?m", re.ASCII)

# Pieces of a unit by f: hundredths and tenths of seconds, seconds, tenths of minutes. Else minutes.
_PIECES = {9: 360000, 8: 36000, 6: 3600, 5: 600}

# Literal text, one conversion, literal text; "%%" is literal, a lone "%" at the end is dropped.
_PRINTF = re.compile(
    r"((?:[^%]|%%)*)(?:%([-+ #0']*)(\d*)(?:\.(\d*))?[hljztLq]*([diufFeEgGaAxXocs])((?:[^%]|%%)*)%?)?",
    re.ASCII,
)


def format_number(format: str, value: float) -> str:
    """Return `value` as libindi's ``numberFormat`` prints it, in at most 63 characters.

    Never raises, whatever the format. Where C prints garbage, something useful comes out:
    ``%d``, ``%x`` and the like show the integer part, ``%s`` and ``%c`` are taken as
    ``%g``, and so is a whole format that asks for more than one number or cannot be
    understood. A number that does not fit is printed by ``%g`` instead of being cut.

    Args:
        format: one printf conversion for a double with text around it, or INDI's
            ``%<w>.<f>m`` for sexagesimal: f 3 ``:mm``, 5 ``:mm.m``, 6 ``:mm:ss``,
            8 ``:mm:ss.s``, 9 ``:mm:ss.ss``, any other as 3.
        value: the number; ``nan`` and ``inf`` are printed as these words.
    """
    format = format[:_LONGEST_OUTPUT]
    sexagesimal = _SEXAGESIMAL.match(format)
    if sexagesimal:
        return _format_sexagesimal(value, *sexagesimal.groups())
    printf = _PRINTF.fullmatch(format)
    if printf is None:
        return f"{value:g}"
    before, flags, width, precision, conversion, after = printf.groups("")
    if conversion:
        # without a point there is no precision; with nothing after the point it is 0
        dot = "" if printf[4] is None else f".{_capped(precision)}"
        before += _convert(value, flags + _capped(width).lstrip("0"), dot, conversion) + after
    return before.replace("%%", "%")[:_LONGEST_OUTPUT]


def _capped(digits: str) -> str:
    return str(min(int(digits or 0), _LONGEST_OUTPUT))


def _convert(value: float, width: str, precision: str, conversion: str) -> str:
    """Print one number as C's printf does; `width` has the flags in front."""
    width = width.replace("'", "")
    if not math.isfinite(value):
        text = f"%{width}s" % f"{value:g}"
    elif conversion in "aA":
        text = f"%{width}s" % _hexadecimal(value, conversion)
    elif conversion in "diuxXo":
        text = f"%{width}{precision}{conversion}" % int(value)
    else:
        text = f"%{width}{precision}{conversion if conversion in 'fFeEgG' else 'g'}" % value
    return text if len(text) <= _LONGEST_OUTPUT else f"{value:g}"


def _hexadecimal(value: float, conversion: str) -> str:
    text = re.sub(r"\.?0*p", "p", value.hex())
    return text.upper() if conversion == "A" else text


def _format_sexagesimal(value: float, w: str | None, f: str | None) -> str:
    """Print units and their parts; `w` and `f` are the texts in ``%<w>.<f>m``.

    libindi's rule: round once, to whole pieces of a unit, so that a carry is never missed.
    The units take w - f columns, to the left if that is negative. Without a w there is
    no padding, and without an f the parts are minutes (libindi prints an error's text).
    """
    if not abs(value) < 1e15:  # nan, inf, and more than the columns or a double can hold
        return f"{value:g}"
    places = int(f or 3)
    columns = int(w) - places if w else 0
    pieces = _PIECES.get(places, 60)
    units, rest = divmod(int(abs(value) * pieces + 0.5), pieces)
    parts = _minutes_and_seconds(rest, pieces)
    room = _LONGEST_OUTPUT - len(parts)
    if value < 0 and units == 0:  # an integer would lose the sign
        return " " * min(abs(columns - 2), room - 2) + "-0" + parts if w else "-0" + parts
    text = str(-units if value < 0 else units)
    return (text.rjust(min(columns, room)) if columns >= 0 else text.ljust(min(-columns, room))) + parts


def _minutes_and_seconds(rest: int, pieces: int) -> str:
    minutes, rest = divmod(rest, pieces // 60)
    text = f":{minutes:02d}"
    if pieces == 60:
        return text
    if pieces == 600:
        return f"{text}.{rest}"
    seconds, rest = divmod(rest, pieces // 3600)
    text = f"{text}:{seconds:02d}"
    if pieces == 3600:
        return text
    return f"{text}.{rest}" if pieces == 36000 else f"{text}.{rest:02d}"
