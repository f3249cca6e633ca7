"""A terminal without a window, by tmux, in which a program runs that is used with the keyboard."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.deadline import becomes_true
from tests.support.servers import require

SHOW_SECONDS = 15.0
TAB_SECONDS = 2.0

# what is printed in reverse video: the button that Enter would press
_REVERSE = re.compile(r"\x1b\[[0-9;]*\b7m([^\x1b]+)")


class Terminal:
    """Runs a command in 80 columns and 24 rows; a context manager whose end is the end of the command."""

    def __init__(self, command: list[str]) -> None:
        require(shutil.which("tmux") is not None, "tmux")
        self._folder = tempfile.TemporaryDirectory(prefix="indi-test-")
        # tmux 3.3 does not always notice that the command has ended
        self._exit_code = Path(self._folder.name, "exit code")
        noted = f"{shlex.join(command)}; echo $? >{shlex.quote(str(self._exit_code))}"
        # the screen stays when the command has ended
        keep = [";", "set-option", "remain-on-exit", "on"]
        self._tmux("-u", "new-session", "-d", noted, *keep)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *exc: object) -> None:
        with self._folder:
            self._tmux("kill-server")

    @property
    def screen(self) -> str:
        """The text on the screen."""
        return self._tmux("capture-pane", "-p")

    def waits_for(self, pattern: str) -> None:
        """Wait until the screen shows what a regular expression describes."""
        self._wait(lambda: re.search(pattern, self.screen), f"the screen shows {pattern!r}")

    def waits_for_end(self) -> str:
        """Wait for the end of the command; return its exit code."""
        self._wait(self._ended, "the program has ended")
        return self._ended()

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def choose(self, button: str) -> None:
        """Press Tab until the button has the focus, and then Enter.

        When it leads to another page, wait for that before the next is chosen: keys get lost on the way.
        """
        deadline = time.monotonic() + SHOW_SECONDS
        while not any(button in text for text in self._focus()):
            assert time.monotonic() < deadline, f"Tab does not lead to {button!r}:\n{self.screen}"
            self._tab()
        self.press("Enter")

    def _tab(self) -> None:
        before = self._focus()
        self.press("Tab")
        # A field to type in has no reverse video, but takes the focus from what had it. A page that is
        # drawn anew may have the focus where it was before, and Tab is to be pressed again.
        becomes_true(lambda: self._focus() != before, TAB_SECONDS)

    def _ended(self) -> str:
        return self._exit_code.read_text().strip() if self._exit_code.exists() else ""

    def _focus(self) -> list[str]:
        return [text for text in _REVERSE.findall(self._tmux("capture-pane", "-p", "-e")) if text.strip()]

    def _wait(self, condition: Callable[[], object], what: str) -> None:
        assert becomes_true(lambda: bool(condition()), SHOW_SECONDS), f"not so: {what}:\n{self.screen}"

    def _tmux(self, *arguments: str) -> str:
        server = ["tmux", "-S", str(Path(self._folder.name, "socket")), "-f", "/dev/null"]
        return subprocess.run([*server, *arguments], check=True, capture_output=True, text=True).stdout
