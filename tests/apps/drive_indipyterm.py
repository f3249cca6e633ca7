"""A user of indipyterm, for the Python that it is installed for: drive_indipyterm.py PORT FOLDER REPORT.

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
from indipyterm.memberpn import BLOBRxValue, NumberInputField, NumberMemberPane
from indipyterm.vectorpn import VectorPane
from textual.widgets import Button, Log, Tab, TabbedContent, Tabs

STEP_SECONDS = 20.0
CCD, LAST_DEFINED = "CCD Simulator", "FILTER_NAME"


class User:
    """Somebody at the keyboard, who writes down what the screen shows."""

    def __init__(self, app: Any, pilot: Any) -> None:
        self.app = app
        self.pilot = pilot
        self.report: dict[str, Any] = {}

    async def look_at_the_first_screen(self) -> None:
        await self.until(lambda: len(self.buttons()) == 2, "two devices")
        self.report["devices"] = sorted(self.buttons())
        log = self.app.screen.query_one("#system-messages", Log)
        await self.until(lambda: "getProperties sent" in "".join(log.lines), "messages")
        self.report["messages"] = list(log.lines)

    async def open_the_camera(self) -> None:
        # indipyterm does not survive properties that are defined while their page is open, with 0.9.4 neither
        await self.until(lambda: LAST_DEFINED in self.app.indiclient[CCD], "all definitions")
        await self.click(self.buttons()[CCD])
        await self.until(lambda: isinstance(self.app.screen, DeviceSc), "the device page")
        await self.until(self.everything_is_shown, "all that the client knows")

    async def visit_every_group(self) -> None:
        """Go from tab to tab with the arrow key."""
        tabs = self.app.screen.query_one("#dev_groups", TabbedContent)
        await self.until(lambda: tabs.active, "the first tab")
        visited = self.report["visited"] = [tabs.active_pane.groupname]
        tabs.query_one(Tabs).focus()
        while len(visited) < len(self.shown(Tab)):
            await self.next_tab(tabs)
            visited.append(tabs.active_pane.groupname)

    async def look_at_the_properties(self) -> None:
        await self.until(lambda: all(pane.border_title for pane in self.shown(VectorPane)), "every label")
        self.report["groups"] = {
            tab.groupname: sorted(pane.border_title for pane in self.shown(VectorPane, tab))
            for tab in self.shown(GroupTabPane)
        }
        pane = self.pane("CCD_INFO")
        await self.until(lambda: len(self.numbers(pane)) == len(pane.vector), "every number")
        self.report["numbers"] = self.numbers(pane)

    async def submit_an_empty_form(self) -> None:
        """What stands there already is sent, and confirmed by the device."""
        pane = await self.go_to("CCD_FRAME")
        await self.submit(pane)
        self.report["empty form confirmed"] = await self.holds(lambda: pane.vstate == "Ok")

    async def expose(self) -> None:
        pane = await self.go_to("CCD_EXPOSURE")
        number = pane.query_one(NumberMemberPane)
        seen = self.report["exposure"] = []
        for part, attribute in ((pane, "vstate"), (number, "mvalue")):
            self.app.screen.watch(part, attribute, lambda: seen.append([pane.vstate, number.mvalue]))
        await self.click(pane.query_one(NumberInputField))
        await self.pilot.press("1", "enter")
        await self.submit(pane)
        await self.until(lambda: pane.vstate == "Busy", "the exposure is Busy")
        await self.until(lambda: pane.vstate == "Ok", "the exposure is Ok")

    async def look_at_the_frame(self) -> None:
        shown = self.pane("CCD1").query_one(BLOBRxValue)
        await self.until(lambda: ".fits" in str(shown.render()), "the name of the frame")
        self.report["frame"] = str(shown.render()).removeprefix("RX data: ")

    async def quit(self) -> None:
        await self.pilot.press("m")
        await self.until(lambda: not isinstance(self.app.screen, DeviceSc), "the first screen again")
        await self.pilot.press("q")
        self.report["stopped"] = self.app.indiclient.stopped.is_set()

    # -- eyes

    def shown(self, kind: Any, within: Any = None) -> list[Any]:
        return list((within or self.app.screen).query(kind))

    def buttons(self) -> dict[str, Any]:
        """Return the buttons of the devices."""
        return {str(button.label): button for button in self.shown("Button.devices")}

    def pane(self, name: str) -> Any:
        """Return the box that shows the property of this name."""
        return next(pane for pane in self.shown(VectorPane) if pane.vector.name == name)

    def numbers(self, pane: Any) -> dict[str, str]:
        """Return the numbers that a box shows, by label."""
        shown = self.shown(NumberMemberPane, pane)
        return {number.member.label: number.mvalue for number in shown if number.mvalue}

    def everything_is_shown(self) -> bool:
        known = {vector.name for vector in self.app.indiclient[CCD].values() if vector.enable}
        return known == {pane.vector.name for pane in self.shown(VectorPane)}

    async def until(self, condition: Callable[[], Any], what: str) -> None:
        """Wait for something to show."""
        if not await self.holds(condition):
            raise AssertionError(f"after {STEP_SECONDS} s still not so: {what}")

    async def holds(self, condition: Callable[[], Any]) -> bool:
        """Ask again and again; say whether it held in time."""
        deadline = time.monotonic() + STEP_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.01)
        return True

    # -- hands

    async def click(self, widget: Any) -> None:
        widget.scroll_visible(animate=False, force=True)
        await self.pilot.pause()
        if not await self.pilot.click(widget):
            raise AssertionError(f"{widget} is covered by something else")

    async def submit(self, pane: Any) -> None:
        await self.click(next(b for b in self.shown(Button, pane) if str(b.label) == "Submit"))

    async def next_tab(self, tabs: Any) -> None:
        before = tabs.active
        self.app.simulate_key("right")
        await self.until(lambda: tabs.active not in ("", before), "the next tab")

    async def go_to(self, name: str) -> Any:
        """Open the tab with this property; return its box."""
        pane = self.pane(name)
        await self.click(next(tab for tab in self.shown(Tab) if str(tab.label) == pane.vector.group))
        await self.until(lambda: pane.region, f"{name} has its place")
        return pane


async def use(port: int, folder: str) -> dict[str, Any]:
    app = IPyTerm("127.0.0.1", port, folder)
    async with app.run_test(size=(140, 50)) as pilot:
        user = User(app, pilot)
        await user.look_at_the_first_screen()
        await user.open_the_camera()
        await user.visit_every_group()
        await user.look_at_the_properties()
        await user.submit_an_empty_form()
        await user.expose()
        await user.look_at_the_frame()
        await user.quit()
    return {**user.report, "exit": app.return_code}


if __name__ == "__main__":
    # what the application hides from its screen
    logging.basicConfig(level=logging.ERROR, force=True)
    report = asyncio.run(use(int(sys.argv[1]), sys.argv[2]))
    Path(sys.argv[3]).write_text(json.dumps(report))
