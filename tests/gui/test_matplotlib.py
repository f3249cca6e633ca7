"""The recipe for matplotlib in docs/gui.md, word for word, on the backend that needs no screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from indipyclient.mailbox import Mailbox
from indipyclient.queclient import EventItem
from tests.support.scripted import NUMBER, ScriptedServer, moved
from tests.support.servers import require
from tests.support.session import QueueSession

try:
    import matplotlib
    from matplotlib.backend_bases import CloseEvent, TimerBase
except ImportError:
    matplotlib = None  # type: ignore[assignment]

GUIDE = Path(__file__).parents[2] / "docs" / "gui.md"


@pytest.fixture(scope="session")
def agg() -> None:
    """Choose the backend, and have it open the fonts that it keeps open."""
    require(matplotlib is not None, "matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    axes.plot([datetime.now(timezone.utc)], [1])
    figure.canvas.draw()
    pyplot.close(figure)


@pytest.fixture
def recipe(agg: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The function of the recipe; figures get timers that the test makes go off."""
    from matplotlib import pyplot
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    class Timer(TimerBase):  # type: ignore[misc]
        running = False

        def _timer_start(self) -> None:
            self.running = True

        def _timer_stop(self) -> None:
            self.running = False

    monkeypatch.setattr(FigureCanvasAgg, "_timer_cls", Timer)
    code = re.search(r"<!-- matplotlib -->\n```python\n(.*?)```", GUIDE.read_text("utf-8"), re.S)
    assert code
    names: dict[str, Any] = {}
    exec(code[1], names)
    yield names["live_plot"]
    pyplot.close("all")


def items(numbers: list[float]) -> list[EventItem]:
    """What a client puts on its queue when a number takes these values."""
    with ScriptedServer() as server, QueueSession(server.port) as session:
        peer = server.greet(NUMBER)
        peer.send("".join(map(moved, numbers)) + moved(0, 'state="Alert"'))
        seen = [session.wait_event("Define", "D", "N")]
        while seen[-1].snapshot["D"]["N"].state != "Alert":
            seen.append(session.wait_event("Set", "D", "N"))
    return seen[:-1]


def line(figure: Any) -> list[float]:
    return list(figure.axes[0].lines[0].get_ydata())


def test_the_figure_follows_the_number(recipe: Any) -> None:
    """Row 22 of the list of pitfalls."""
    box = Mailbox[EventItem]()
    figure, timer = recipe(box, "D", "N", "x")
    assert timer.running
    first, *rest = items([2, 5, 3.5])
    box.put(EventItem("Message", None, None, datetime.now(timezone.utc), first.snapshot))
    box.put(first)
    timer._on_timer()
    assert line(figure) == [1]
    for item in rest:
        box.put(item)
    timer._on_timer()
    figure.canvas.draw()
    assert line(figure) == [1, 2, 5, 3.5]
    low, high = figure.axes[0].get_ylim()
    assert low < 1 < 5 < high


def test_a_figure_closed_during_updates_stops_its_timer_and_takes_no_harm(recipe: Any) -> None:
    """Row 22."""
    from matplotlib import pyplot

    box = Mailbox[EventItem]()
    figure, timer = recipe(box, "D", "N", "x")
    seen = items([2, 3])
    box.put(seen[0])
    timer._on_timer()
    box.put(seen[1])
    figure.canvas.callbacks.process("close_event", CloseEvent("close_event", figure.canvas))
    pyplot.close(figure)
    assert not timer.running
    timer._on_timer()  # one that was on its way
    assert line(figure) == [1, 2]
