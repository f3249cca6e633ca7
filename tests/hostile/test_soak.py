"""The soak, in short; INDI_SOAK_SECONDS makes it longer. What is judged is told in `soak`."""

from __future__ import annotations

import os

import pytest

from .soak import soak

SECONDS = float(os.environ.get("INDI_SOAK_SECONDS", "30"))
SEED = int(os.environ.get("INDI_SOAK_SEED", "1"))


@pytest.mark.real
@pytest.mark.timeout(SECONDS + 300)
def test_at_work_in_a_bad_network_nothing_is_lost_and_nothing_untrue_is_told() -> None:
    report = soak(SECONDS, SEED)
    print(report)  # shown if it fails
    assert report.wrong == []
    assert report.faults.total() >= SECONDS / 6
    assert report.outcomes["name done"] >= 10 and report.outcomes["frame done"] >= 5
    # A thread or descriptor left at each loss would make some tenths of one in each second.
    assert abs(report.slope(lambda sample: sample.threads)) < 0.1
    assert abs(report.slope(lambda sample: sample.descriptors)) < 0.2
    # A frame kept would be 8 kB three times in each second; a message kept, ten objects thirty times.
    assert report.slope(lambda sample: sample.objects) < 150
    assert report.slope(lambda sample: sample.memory) < 400_000
