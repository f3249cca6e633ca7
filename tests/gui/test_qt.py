"""Windows of Qt, in a process for each of the Qts there are."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest

from tests.support.screen import Screen
from tests.support.servers import require

from .cases import run_cases

pytestmark = pytest.mark.timeout(300)

every_qt = pytest.mark.parametrize("binding", ["PySide6", "PyQt6", "PyQt5"])
new_qt = pytest.mark.parametrize("binding", ["PySide6", "PyQt6"])


def run_with(binding: str, file: str, **environment: str) -> None:
    """Run the cases in a file with one of the Qts."""
    require(importlib.util.find_spec(binding) is not None, binding)
    environment = {**os.environ, "INDIPYCLIENT_TEST_QT": binding, **environment}
    run_cases(file, environment, "-p", "tests.gui.qt_windows")


@every_qt
def test_delivery(binding: str) -> None:
    run_with(binding, "qt_delivery.py", QT_QPA_PLATFORM="offscreen")


@pytest.mark.real
@new_qt
def test_panel_offscreen(binding: str) -> None:
    require(shutil.which("indiserver") is not None, "indiserver")
    run_with(binding, "qt_panel_cases.py", QT_QPA_PLATFORM="offscreen")


@pytest.mark.real
@new_qt
def test_panel_on_a_screen(binding: str, screen: Screen) -> None:
    require(shutil.which("indiserver") is not None, "indiserver")
    run_with(binding, "qt_panel_cases.py", QT_QPA_PLATFORM="xcb", DISPLAY=screen.display)
