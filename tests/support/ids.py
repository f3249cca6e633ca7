"""Names of tests after the values that they are given."""

from __future__ import annotations

import re
from typing import Any


def shown(value: Any) -> str:
    """What a value looks like, in short; without addresses, which differ from run to run."""
    try:
        return re.sub(r" at 0x\w+", "", repr(value))[:40]
    except RuntimeError:
        return "unprintable"
