"""Snapshots made of what a server sends, and pages read as a browser reads them."""

from __future__ import annotations

import base64
from datetime import datetime, timezone
from html.parser import HTMLParser
from itertools import count
from typing import Any

from indipyclient.protocol.scanner import Scanner
from indipyclient.protocol.text import escape
from indipyclient.state.apply import apply
from indipyclient.state.snapshots import Snap

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
VOID = {"br", "img"}


def snap_of(*elements: str, connected: bool = True) -> Snap:
    """The state after these elements of the stream."""
    snap = Snap("localhost", 7624, connected)
    numbers = count(1)
    for message in Scanner().feed("".join(elements).encode()):
        snap = apply(snap, message, NOW, lambda *names: ("", next(numbers)))
    return snap


def attributes(**values: object) -> str:
    return "".join(f' {name}="{escape(str(value), attribute=True)}"' for name, value in values.items())


def vector(kind: str, members: str, verb: str = "def", **values: object) -> str:
    """The element of a vector: ``vector("Number", member("Number", "1", name="x"), name="N")``."""
    values = {"device": "D", "name": "V", "state": "Ok", "perm": "rw", "rule": "AnyOfMany"} | values
    return f"<{verb}{kind}Vector{attributes(**values)}>{members}</{verb}{kind}Vector>"


def member(kind: str, value: str = "", verb: str = "def", **values: object) -> str:
    if kind == "Number" and verb == "def":
        values = {"format": "%g", "min": 0, "max": 0, "step": 0} | values
    return f"<{verb}{kind}{attributes(**values)}>{escape(value)}</{verb}{kind}>"


def frame(data: bytes | memoryview, form: str, name: str = "b", vectorname: str = "B") -> str:
    """A BLOB vector, and its frame."""
    about = attributes(name=name, size=len(data), format=form)
    one = f"<oneBLOB{about}>{base64.b64encode(data).decode()}</oneBLOB>"
    definition = vector("BLOB", member("BLOB", name=name, label="Frame"), name=vectorname)
    return definition + vector("BLOB", one, "set", name=vectorname)


class Page(HTMLParser):
    """The tags, attributes and texts of some HTML. Asserts that each tag is closed in its turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.rows: list[list[str]] = []
        self._texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    @property
    def text(self) -> str:
        """What is to be read on it."""
        return "".join(self._texts)

    @property
    def size(self) -> int:
        return len(self.html.encode())

    def names(self) -> set[str]:
        return {tag for tag, _ in self.tags}

    def attribute(self, tag: str, name: str) -> list[str | None]:
        return [value for one, attrs in self.tags if one == tag for key, value in attrs if key == name]

    def colour_of(self, text: str) -> str:
        """The background of the span in which this text stands by itself."""
        place = self.html.index(f">{text}</span>")
        style = self.html[self.html.rindex("<span", 0, place) : place]
        return style.partition("background:")[2].partition(";")[0]

    def row(self, name: str) -> list[str]:
        """The cells of the first row that has a cell which begins with this name, from there on."""
        for cells in self.rows:
            for place, cell in enumerate(cells):
                if cell.startswith(name):
                    return cells[place:]
        raise AssertionError(f"no {name} in {self.rows}")

    def handle_starttag(self, tag: str, attrs: list[Any]) -> None:
        self.tags.append((tag, tuple(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self._texts.append(data)
        if "td" in self._open:
            self.rows[-1][-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"comment {data!r}")

    handle_decl = handle_pi = unknown_decl = handle_comment
