"""Windows of Qt, in a process for each of the Qts there are."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.support.screen import Screen
from tests.support.servers import require

from .cases import has_qt, run_cases

pytestmark = pytest.mark.timeout(300)

every_qt = pytest.mark.parametrize("binding", ["PySide6", "PyQt6", "PyQt5"])
new_qt = pytest.mark.parametrize("binding", ["PySide6", "PyQt6"])


def run_with(binding: str, file: str, platform: str, display: str = "") -> None:
    """Run the cases in a file with one of the Qts."""
    require(has_qt(binding, platform, display), f"{binding} for {platform}")
    named = {"INDIPYCLIENT_TEST_QT": binding, "QT_QPA_PLATFORM": platform, "DISPLAY": display}
    run_cases(file, {**os.environ, **named}, "-p", "tests.gui.qt_windows")


@every_qt
def test_delivery(binding: str) -> None:
    run_with(binding, "qt_delivery.py", "offscreen")


@pytest.mark.real
@new_qt
def test_panel_offscreen(binding: str) -> None:
    require(shutil.which("indiserver") is not None, "indiserver")
    run_with(binding, "qt_panel_cases.py", "offscreen")


@pytest.mark.real
@new_qt
def test_panel_on_a_screen(binding: str, screen: Screen) -> None:
    require(shutil.which("indiserver") is not None, "indiserver")
    run_with(binding, "qt_panel_cases.py", "xcb", screen.display)
