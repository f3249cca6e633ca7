"""The numbers of a measurement, as ``name=value`` on command lines: one set for server and client."""

from __future__ import annotations

__all__ = ["Arguments", "parse", "words"]

Arguments = dict[str, "int | float | str"]


def words(arguments: Arguments) -> list[str]:
    """As words of a command line."""
    return [f"{name}={value}" for name, value in arguments.items()]


def parse(given: list[str]) -> Arguments:
    """The same, read again; what looks like a number is one."""
    return {name: _value(text) for name, _, text in (word.partition("=") for word in given)}


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text
