"""What the pages are made of: escaped text, coloured states, tables, and the bound on all of it."""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import datetime
from itertools import takewhile

__all__ = [
    "MOST_ROWS",
    "Room",
    "block",
    "cell",
    "clock",
    "code",
    "count",
    "joined",
    "muted",
    "pill",
    "row",
    "size",
    "table",
    "text",
]

MOST_ROWS = 200
_MOST_BYTES = 140_000  # of rows and pictures; what stands around them takes at most 50 kB
_COLOURS = {"Ok": "#1a7f37;color:#fff", "Busy": "#eab308;color:#1f1f1f", "Alert": "#cf222e;color:#fff"}
_IDLE = "#6e7781;color:#fff"


class Room:
    """How much a page may still take, so that it stays small whatever it is made of."""

    def __init__(self) -> None:
        self._rows = MOST_ROWS
        self._bytes = _MOST_BYTES

    def take(self, pieces: Iterable[str]) -> list[str]:
        """The pieces, up to the first one for which there is no room."""
        return list(takewhile(self._take, pieces))

    def _take(self, piece: str) -> bool:
        rows, size = piece.count("<tr"), len(piece.encode())
        if rows > self._rows or size > self._bytes:
            return False
        self._rows -= rows
        self._bytes -= size
        return True


def text(value: object, most: int = 60) -> str:
    """Text from a device, for a place between tags: on one line, cut where it is too long, escaped."""
    line = str(value)[: most + 1]
    if len(line) > most:
        line = f"{line[: most - 1]}…"
    if not line.isprintable():  # controls, turned directions of writing, halves of characters
        line = "".join(char if char.isprintable() else " " if char.isspace() else "�" for char in line)
    return html.escape(line)


def code(value: object) -> str:
    """A name, as it is typed in a program."""
    return f'<span style="font-family:monospace">{text(value)}</span>'


def muted(inner: str) -> str:
    """What is less important."""
    return f'<span style="opacity:.65">{inner}</span>' if inner else ""


def pill(state: str, label: str = "") -> str:
    """A state in INDI's colours: grey Idle, green Ok, yellow Busy, red Alert."""
    colours = _COLOURS.get(state, _IDLE)
    style = f"background:{colours};border-radius:9px;padding:0 8px;font-size:12px;white-space:nowrap"
    return f'<span style="{style}">{text(label or state)}</span>'


def joined(parts: list[str]) -> str:
    """Several things on a line."""
    return " · ".join(parts)


def table(rows: list[str]) -> str:
    """A table of such rows; without the stripes and alignments that notebooks give to tables of numbers."""
    style = "border-collapse:collapse;border:0;margin:4px 0;font-size:inherit;color:inherit"
    return f'<table style="{style}"><tbody>{"".join(rows)}</tbody></table>' if rows else ""


def row(cells: str) -> str:
    """A row of a table."""
    return f'<tr style="background:none">{cells}</tr>'


def cell(inner: str, line: bool = True, span: tuple[int, int] = (1, 1), wrap: bool = False) -> str:
    """A cell of a table, which may reach over several (rows, columns).

    Args:
        inner: what is in it.
        line: draw a line above.
        span: rows and columns.
        wrap: it may be long.
    """
    over = "" if span == (1, 1) else f' rowspan="{span[0]}" colspan="{span[1]}"'
    style = "text-align:left;vertical-align:top;padding:3px 14px 3px 0"
    style += ";border-top:1px solid rgba(128,128,128,.3)" if line else ""
    style += ";min-width:6em;overflow-wrap:break-word" if wrap else ";white-space:nowrap"
    return f'<td{over} style="{style}">{inner}</td>'


def block(inner: str) -> str:
    """A whole page."""
    return f'<div style="font-size:13px;line-height:1.5;overflow-x:auto">{inner}</div>'


def count(number: int, one: str, many: str) -> str:
    """As ``4 950 members``."""
    return f"{number:,}".replace(",", "\N{NO-BREAK SPACE}") + f" {one if number == 1 else many}"


def size(number: int) -> str:
    """A number of bytes, in the unit that suits it."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= scale:
            return f"{number / scale:.3g} {unit}"
    return f"{number} bytes"


def clock(moment: datetime) -> str:
    """The time of day."""
    return f"{moment:%H:%M:%S}"
