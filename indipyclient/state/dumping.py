"""What all nodes of the state have in common: JSON, and mappings that a notebook can complete."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any, TextIO, TypeVar

__all__ = ["Dumps", "Keys", "with_ids"]

T = TypeVar("T")


class Keys(Mapping[str, T]):
    """A mapping whose keys a notebook offers after ``[``."""

    __slots__ = ()

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)


class Dumps:
    """JSON for anything with a `dictdump`."""

    __slots__ = ()

    def dictdump(
        self, inc_blob: bool = False, inc_user_string: bool = False, inc_itemid: bool = False
    ) -> dict[str, Any]:
        """This node as a new dictionary of plain values, in the key order of the 0.9 interface.

        Args:
            inc_blob: hold BLOBs, as bytes; otherwise their value is None.
            inc_user_string: hold the user strings.
            inc_itemid: hold the item ids (a whole client has none).
        """
        raise NotImplementedError

    def dumps(
        self,
        indent: int | str | None = None,
        separators: tuple[str, str] | None = None,
        inc_blob: bool = False,
        inc_user_string: bool = False,
        inc_itemid: bool = False,
    ) -> str:
        """This node as JSON text, valid for any content.

        As `dictdump`, with two replacements that JSON asks for: a number that is not finite has
        the ``floatvalue`` null, and BLOBs are base64 text. `indent` and `separators` are those of
        `json.dumps`.
        """
        plain = _plain(self.dictdump(inc_blob, inc_user_string, inc_itemid))
        return json.dumps(plain, indent=indent, separators=separators, allow_nan=False)

    def dump(
        self,
        fp: TextIO,
        indent: int | str | None = None,
        separators: tuple[str, str] | None = None,
        inc_blob: bool = False,
        inc_user_string: bool = False,
        inc_itemid: bool = False,
    ) -> None:
        """Write what `dumps` returns to the text file `fp`."""
        fp.write(self.dumps(indent, separators, inc_blob, inc_user_string, inc_itemid))


def _plain(value: Any) -> Any:
    """`value` with what JSON cannot hold replaced."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value


def with_ids(dump: dict[str, Any], node: Any, inc_user_string: bool, inc_itemid: bool) -> dict[str, Any]:
    """The dump of a node with what the program has attached to it, if that is asked for."""
    if inc_user_string:
        dump["user_string"] = node.user_string
    if inc_itemid:
        dump["itemid"] = node.itemid
    return dump
