"""Windows of GTK, in a process of a Python that has it: maybe another one, as PyGObject has no wheels."""

from __future__ import annotations

import pytest

from tests.support.screen import Screen
from tests.support.servers import require

from .cases import gtk_python, run_cases, with_packages


@pytest.mark.timeout(300)
def test_delivery(screen: Screen) -> None:
    require(bool(gtk_python()), "GTK 4 (Debian: python3-gi gir1.2-gtk-4.0)")
    # Debian's PyGObject imports in a way of old
    old = "ignore:DynamicImporter:ImportWarning"
    run_cases("gtk_delivery.py", with_packages(screen.environment), "-W", old, python=gtk_python())
