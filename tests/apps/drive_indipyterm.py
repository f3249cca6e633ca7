"""A user of indipyterm: `python drive_indipyterm.py PORT FOLDER REPORT`, with the Python that it is installed for.

Runs the application without a terminal, presses its buttons as a user would, takes one exposure with the
CCD simulator and writes what was on the screen to the JSON file REPORT. FOLDER takes the BLOBs.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from indipyterm.devicesc import DeviceSc, GroupTabPane
from indipyterm.iterm import IPyTerm
from indipyterm.memberpn import BLOBRxValue, NumberInputField
from indipyterm.vectorpn import VectorPane
from textual.widgets import Button, Log, RadioButton, Tab, TabbedContent

STEP_SECONDS = 20.0
CCD = "CCD Simulator"


class User:
    """Somebody at the keyboard, who writes down what the screen shows."""

    def __init__(self, app: Any, pilot: Any) -> None:
        self.app = app
        self.pilot = pilot
        self.report: dict[str, Any] = {}

    async def until(self, condition: Callable[[], Any], what: str) -> None:
        """Wait for something to show."""
        deadline = time.monotonic() + STEP_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"after {STEP_SECONDS} s still not so: {what}")
            await asyncio.sleep(0.02)

    async def click(self, widget: Any) -> None:
        widget.scroll_visible(animate=False, force=True)
        await self.pilot.pause()
        if not await self.pilot.click(widget):
            raise AssertionError(f"{widget} is covered by something else")

    def shown(self, kind: Any, within: Any = None) -> list[Any]:
        return list((within or self.app.screen).query(kind))

    def pane(self, name: str) -> Any:
        """Return the box that shows the property of this name."""
        return next(pane for pane in self.shown(VectorPane) if pane.vector.name == name)

    def shows(self, name: str) -> bool:
        return any(pane.vector.name == name for pane in self.shown(VectorPane))

    def groups(self) -> dict[str, list[str]]:
        """Return the names of the properties on each tab."""
        return {
            tab.groupname: sorted(pane.vector.name for pane in self.shown(VectorPane, tab))
            for tab in self.shown(GroupTabPane)
        }

    # -- what there is to do

    async def look_at_the_first_screen(self) -> None:
        await self.until(lambda: len(self.buttons()) == 2, "two devices")
        self.report["devices"] = sorted(self.buttons())
        log = self.app.screen.query_one("#system-messages", Log)
        await self.until(lambda: any("getProperties sent" in line for line in log.lines), "messages")
        self.report["messages"] = list(log.lines)

    def buttons(self) -> dict[str, Any]:
        return {str(button.label): button for button in self.shown("Button.devices")}

    async def open_the_camera(self) -> None:
        await self.click(self.buttons()[CCD])
        await self.until(lambda: isinstance(self.app.screen, DeviceSc), "the device page")
        await self.until(self.everything_is_shown, "all that the client knows")

    def everything_is_shown(self) -> bool:
        known = {vector.name for vector in self.app.indiclient[CCD].values() if vector.enable}
        return known == {pane.vector.name for pane in self.shown(VectorPane)} and "CCD1" in known

    async def visit_every_group(self) -> None:
        tabs = self.app.screen.query_one("#dev_groups", TabbedContent)
        self.report["visited"] = []
        for tab in self.shown(Tab):
            await self.click(tab)
            await self.until(lambda: tabs.active_pane.groupname == str(tab.label), str(tab.label))
            self.report["visited"].append(tabs.active_pane.groupname)
        self.report["groups"] = self.groups()

    async def go_to(self, pane: Any) -> None:
        await self.click(next(tab for tab in self.shown(Tab) if str(tab.label) == pane.vector.group))
        await self.until(lambda: pane.region, f"{pane.vector.name} has its place")

    async def expose(self) -> None:
        pane = self.pane("CCD_EXPOSURE")
        await self.go_to(pane)
        seen = self.report["exposure"] = []
        self.app.screen.watch(pane, "vtime", lambda: seen.append(pane.vstate), init=False)
        await self.click(pane.query_one(NumberInputField))
        await self.pilot.press("1", "enter")
        await self.click(next(b for b in self.shown(Button, pane) if str(b.label) == "Submit"))
        await self.until(lambda: pane.vstate == "Busy", "the exposure is Busy")
        await self.until(lambda: pane.vstate == "Ok", "the exposure is Ok")

    async def look_at_the_frame(self) -> None:
        shown = self.pane("CCD1").query_one(BLOBRxValue)
        await self.until(lambda: ".fits" in str(shown.render()), "the name of the frame")
        self.report["frame"] = str(shown.render()).removeprefix("RX data: ")

    async def quit(self) -> None:
        client = self.app.indiclient
        await self.pilot.press("m")
        await self.until(lambda: not isinstance(self.app.screen, DeviceSc), "the first screen again")
        await self.pilot.press("q")
        self.report["stopped"] = client.stopped.is_set()


async def use(port: int, folder: str) -> dict[str, Any]:
    app = IPyTerm("127.0.0.1", port, folder)
    async with app.run_test(size=(140, 50)) as pilot:
        user = User(app, pilot)
        for step in (
            user.look_at_the_first_screen,
            user.open_the_camera,
            user.visit_every_group,
            user.expose,
            user.look_at_the_frame,
            user.quit,
        ):
            t = time.monotonic()
            await step()
            print(step.__name__, time.monotonic() - t, file=sys.__stderr__)
    user.report["exit"] = app.return_code
    return user.report


if __name__ == "__main__":
    logging.basicConfig(filename="/tmp/apps/term.log", filemode="w", force=True, level=logging.WARNING)
    report = asyncio.run(use(int(sys.argv[1]), sys.argv[2]))
    Path(sys.argv[3]).write_text(json.dumps(report))
