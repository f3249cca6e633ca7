"""What an application shows, beside what this package knows by a connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tests.support.deadline import becomes_true
from tests.support.session import QueueSession

AGREE_SECONDS = 15.0


def agree(left: Callable[[], object], right: Callable[[], object]) -> None:
    """Wait until both are the same: definitions come one by one, and none says that it is the last."""
    becomes_true(lambda: left() == right(), AGREE_SECONDS)
    assert left() == right()


def labels_by_group(session: QueueSession, device: str) -> dict[str, list[str]]:
    """Return the labels of a device's properties, as they are known now."""
    vectors = [vector for vector in session.client.snapshot()[device].values() if vector.enable]
    groups = {vector.group for vector in vectors}
    return {group: labels(vector for vector in vectors if vector.group == group) for group in groups}


def labels(properties: Iterable[Any]) -> list[str]:
    """Return the labels in order of the alphabet; two properties may have the same."""
    return sorted(shown.label for shown in properties)
