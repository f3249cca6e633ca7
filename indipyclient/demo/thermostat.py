"""The demo's thermostat: a number to read, one to set, a switch and two lights."""

from __future__ import annotations

import asyncio
from typing import Any

from indipydriver import LightMember, LightVector, NumberMember, NumberVector, SwitchMember, SwitchVector

from .driver import TICK, Instrument
from .thermal import ThermalBody

__all__ = ["Thermostat"]

_CLOSE_ENOUGH = 0.1  # degrees from the target that count as there
_WORKING = 0.05  # share of full power that lights a light


class Thermostat(Instrument):
    """A room that is heated and cooled: device "Thermostat".

    | vector      | kind             | members                                                       |
    |-------------|------------------|---------------------------------------------------------------|
    | TEMPERATURE | number, ro       | TEMPERATURE, degrees Celsius                                  |
    | TARGET      | number, rw       | TARGET; Busy on the way, Ok when there, Alert if regulation is off |
    | REGULATION  | switch OneOfMany | ON, OFF                                                       |
    | STATUS      | light            | HEATING, COOLING                                              |
    """

    def __init__(self) -> None:
        self._room = ThermalBody(temperature=18.0, ambient=18.0, time_constant=25.0, strength=1.5)
        self._target = 18.0
        self._make_vectors()
        vectors = [self._temperature, self._goal, self._regulation, self._status]
        commands = {"TARGET": self._set_target, "REGULATION": self._set_regulation}
        super().__init__("Thermostat", vectors, commands)

    def _make_vectors(self) -> None:
        reading = NumberMember("TEMPERATURE", "Room (C)", "%6.2f", -30, 60, 0, "18.00")
        self._temperature = NumberVector("TEMPERATURE", "Temperature", "Main", "ro", "Ok", [reading])
        goal = NumberMember("TARGET", "Target (C)", "%6.2f", -5, 40, 0.5, "18.00")
        self._goal = NumberVector("TARGET", "Target", "Main", "rw", "Ok", [goal])
        self._goal.timeout = 60
        switches = [SwitchMember("ON", "On", "On"), SwitchMember("OFF", "Off", "Off")]
        self._regulation = SwitchVector("REGULATION", "Regulation", "Main", "rw", "OneOfMany", "Ok", switches)
        lights = [LightMember("HEATING", "Heating"), LightMember("COOLING", "Cooling")]
        self._status = LightVector("STATUS", "Status", "Main", "Ok", lights)

    async def hardware(self) -> None:
        """Let the room's temperature follow, and tell what changed."""
        while not self.stop:
            await asyncio.sleep(TICK)
            self._room.advance(TICK, self._target if self._is_on() else None)
            await self.show(self._temperature, "Ok", TEMPERATURE=f"{self._room.temperature:.2f}")
            await self._show_lights()
            if self._goal.state == "Busy" and self._is_there():
                await self.show(self._goal, "Ok", f"{self._target:g} degrees reached")

    async def _show_lights(self) -> None:
        heating = "Busy" if self._room.power > _WORKING else "Idle"
        cooling = "Busy" if self._room.power < -_WORKING else "Idle"
        await self.show(self._status, "Ok", HEATING=heating, COOLING=cooling)

    async def _set_target(self, event: Any) -> None:
        target = await self.wanted_number(event, "TARGET")
        if target is None:
            return
        if not self._is_on():
            await self.answer(self._goal, "Alert", "Regulation is off")
            return
        self._target = target
        await self.answer(self._goal, self._goal_state(), TARGET=f"{target:.2f}")

    async def _set_regulation(self, event: Any) -> None:
        on = event.get("ON") == "On" or event.get("OFF") == "Off"
        await self.answer(self._regulation, "Ok", ON="On" if on else "Off", OFF="Off" if on else "On")
        await self.show(self._goal, self._goal_state() if on else "Idle")

    def _goal_state(self) -> str:
        return "Ok" if self._is_there() else "Busy"

    def _is_there(self) -> bool:
        return abs(self._room.temperature - self._target) <= _CLOSE_ENOUGH

    def _is_on(self) -> bool:
        return bool(self._regulation["ON"] == "On")
