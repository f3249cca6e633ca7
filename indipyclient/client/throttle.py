"""At most so many in a second: for what a server could otherwise flood the program and its log with."""

from __future__ import annotations

from enum import Enum

__all__ = ["Throttle", "Verdict"]


class Verdict(Enum):
    """What is to be done with one of many."""

    TELL = "tell it"
    TELL_LIMIT = "tell that it is left out, and so are the others of this second"
    LEAVE_OUT = "leave it out"


class Throttle:
    """Counts what comes in each second.

    Attributes:
        left_out: how many have been left out so far.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._second = float("-inf")  # when the present one began
        self._count = 0

    def judge(self, now: float, limit: int) -> Verdict:
        """One more has come.

        Args:
            now: seconds of a clock that only goes forward.
            limit: how many are told in a second.
        """
        if now - self._second >= 1:
            self._second, self._count = now, 0
        self._count += 1
        if self._count <= limit:
            return Verdict.TELL
        self.left_out += 1
        return Verdict.TELL_LIMIT if self._count == limit + 1 else Verdict.LEAVE_OUT
