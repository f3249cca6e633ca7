"""Windows on a screen that nobody sees, driven by a real pointer and keyboard."""

import pytest

pytest.register_assert_rewrite("tests.gui.delivery_cases", "tests.gui.panel_cases")
