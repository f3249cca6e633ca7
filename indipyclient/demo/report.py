"""One readable line for each change that an INDI server reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from ..queclient import EventItem

__all__ = ["Reporter"]

_STYLES = {"Idle": "dim", "Ok": "green", "Busy": "yellow", "Alert": "bold red"}
_WIDEST = 24  # what a device's column grows to
_VECTOR_WIDTH = 18
_MOST_VALUES = 3  # on one line
_LONGEST_TEXT, _LONGEST_MESSAGE = 60, 300


@dataclass(frozen=True)
class _Facts:
    """What is shown of a vector."""

    state: str
    message: str
    message_time: datetime
    values: dict[str, str]

    @classmethod
    def of(cls, vector: Any) -> _Facts:
        values = {name: _value(member, vector.vectortype) for name, member in vector.members().items()}
        return cls(vector.state, vector.message, vector.message_timestamp, values)

    def news(self, before: _Facts) -> list[Text]:
        """The device's message, when it came with this change."""
        if not self.message or (self.message, self.message_time) == (before.message, before.message_time):
            return []
        return [Text(_printable(self.message, _LONGEST_MESSAGE), "italic")]


class Reporter:
    """Prints what changed from one item of `rxque` to the next.

    A line begins with the time of arrival and a sign: + defined, - deleted, * a message or the
    connection, > a command of ours; a change has none. To be used in one thread.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: dict[tuple[str | None, str | None], _Facts] = {}
        self._width = 0
        self.hidden: tuple[str, str] | None = None
        """A device and vector that are shown in another way for now."""

    def show(self, item: EventItem) -> None:
        """Print an item's line, if it brings anything new."""
        if item.eventtype in ("Define", "DefineBLOB", "Set", "SetBLOB"):
            self._show_vector(item)
        elif item.eventtype == "Delete":
            self._show_deleted(item)
        elif item.eventtype == "Message":
            self._show_message(item)
        elif item.eventtype == "ConnectionLost":
            self._shown.clear()
            self._line("*", Text("connection lost", "bold red"))
        elif item.eventtype == "TimeOut":
            names = self._names(item.devicename, item.vectorname)
            self._line("*", names, Text("has not answered in time", "yellow"))

    def show_command(self, device: str, vector: str, members: dict[str, Any]) -> None:
        """Print what is about to be sent."""
        values = {name: str(value) for name, value in members.items()}
        self._line(">", self._names(device, vector), _values(values))

    def _show_vector(self, item: EventItem) -> None:
        key = (item.devicename, item.vectorname)
        vector = item.snapshot.get(key[0], {}).get(key[1])
        if vector is None or key == self.hidden:
            return
        before, now = self._shown.get(key), _Facts.of(vector)
        self._shown[key] = now
        if before is None:
            self._line("+", self._names(*key), _state(now.state), _values(now.values))
        elif item.eventtype == "SetBLOB":  # another frame of the same size is news as well
            self._line(" ", self._names(*key), _state(now.state), _values(now.values), *now.news(before))
        elif now != before:
            changed = {name: value for name, value in now.values.items() if before.values.get(name) != value}
            self._line(" ", self._names(*key), _state(now.state), _values(changed), *now.news(before))

    def _show_deleted(self, item: EventItem) -> None:
        for key in list(self._shown):
            if key[0] == item.devicename and item.vectorname in (None, key[1]):
                del self._shown[key]
        self._line("-", self._names(item.devicename, item.vectorname or ""))

    def _show_message(self, item: EventItem) -> None:
        place = item.snapshot.get(item.devicename) if item.devicename else item.snapshot
        if place is not None and place.messages:
            names = [self._names(item.devicename, "")] if item.devicename else []
            self._line("*", *names, Text(_printable(place.messages[0][1], _LONGEST_MESSAGE), "italic"))

    def _names(self, device: str | None, vector: str | None) -> Text:
        """Two columns; that of the device is as wide as the longest name so far."""
        device = _printable(device or "")
        self._width = max(self._width, min(len(device), _WIDEST))
        names = Text(device.ljust(self._width), "cyan")
        if vector:
            names.append("  " + _printable(vector).ljust(_VECTOR_WIDTH), "bold default")
        return names

    def _line(self, sign: str, *parts: Text) -> None:
        time = Text(datetime.now().strftime("%H:%M:%S.%f")[:-5], "dim")
        self._console.print(Text("  ").join([time, Text(sign), *filter(None, parts)]), soft_wrap=True)


def _state(state: str) -> Text:
    return Text(state.ljust(5), _STYLES.get(state, ""))


def _values(values: dict[str, str]) -> Text:
    texts = [f"{_printable(name)}={_printable(value)}" for name, value in values.items()]
    if len(texts) > _MOST_VALUES:
        texts[_MOST_VALUES:] = [f"and {len(texts) - _MOST_VALUES} more"]
    return Text("  ".join(texts))


def _value(member: Any, vectortype: str) -> str:
    """A member's value as a person reads it; a number as its format says."""
    if vectortype == "BLOBVector":
        return f"{member.blobsize} bytes {member.blobformat}".rstrip() if member.membervalue else "none yet"
    if vectortype == "NumberVector":
        try:
            return str(member.getformattedvalue()).strip()
        except TypeError:  # a format that is none: show what came
            pass
    return str(member.membervalue)


def _printable(text: str, longest: int = _LONGEST_TEXT) -> str:
    """A server's text, short and without characters that would steer the terminal."""
    if len(text) > longest:
        text = text[:longest] + "..."
    return "".join(character if character.isprintable() else "?" for character in text)
