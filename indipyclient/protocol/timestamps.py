"""INDI timestamps: ISO 8601 text to and from aware datetimes in UTC.

The white paper wants UTC without a zone. libindi sends whole seconds, indipydriver
microseconds, and other servers a ``Z``, an offset or more digits; all of them are read.
Pure functions without a clock: any thread may call them.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

__all__ = ["format_timestamp", "parse_timestamp"]

_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)"
    r"(?:[.,](\d+))?\s*(?:([+-])(\d\d):?([0-5]\d)?|[Zz])?",
    re.ASCII,
)


def parse_timestamp(text: str | None) -> datetime | None:
    """Return the moment that `text` means, aware and in UTC; None if it means none.

    Fractions are cut to microseconds, offsets converted, no zone is UTC. Callers put the
    time of arrival in the place of None: a bad timestamp never spoils its message.
    """
    if not text:
        return None
    # With these two marks both common lengths are sure to be meant as below, and
    # fromisoformat, which knows other forms in newer Pythons, is six times as fast.
    if len(text) in (19, 26) and text[7] == "-" and text[16] == ":":
        try:
            return _of_second(text) if len(text) == 19 else _fromiso(text)
        except ValueError:
            pass
    return _parse_any(text)


def _fromiso(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")


_of_second = lru_cache(64)(_fromiso)  # much is said within one


def _parse_any(text: str) -> datetime | None:
    found = _TIMESTAMP.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    fraction, sign, hours, minutes = found.groups("")[6:]
    microsecond = int(fraction[:6].ljust(6, "0"))
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        stamp = datetime(year, month, day, hour, minute, second, microsecond, zone)
        return stamp.astimezone(timezone.utc)
    except (ValueError, OverflowError):  # no such date or offset; beyond the calendar in UTC
        return None


def format_timestamp(stamp: datetime) -> str:
    """Return `stamp` as it is sent: UTC, no zone, always with six digits of a second.

    A naive `stamp` is taken for UTC, as 0.9 did; an aware one is converted.
    """
    if stamp.tzinfo is not None and stamp.tzinfo is not timezone.utc:
        stamp = stamp.astimezone(timezone.utc).replace(tzinfo=None)
    return stamp.isoformat(sep="T", timespec="microseconds").removesuffix("+00:00")
