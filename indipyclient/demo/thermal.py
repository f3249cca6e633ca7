"""The physics of the demo instruments: a body that a heater and a cooler drive towards a target."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ThermalBody"]

_BAND = 1.5  # degrees from the target at which the controller stops using full power
_STEP = 0.05  # seconds; short beside the fastest time constant, so the plain sum stays stable


@dataclass
class ThermalBody:
    """Something warm, with one store of heat. Temperatures in degrees Celsius, times in seconds.

    Left alone it comes to `ambient` as Newton's law of cooling says, with `time_constant`. Full power
    changes it by `strength` degrees a second. `power` is the share in use, -1 (cooling) to +1 (heating).
    """

    temperature: float
    ambient: float
    time_constant: float
    strength: float
    power: float = 0.0

    def advance(self, seconds: float, target: float | None) -> None:
        """Let time pass, driven towards `target`; None leaves the body to its surroundings."""
        while seconds > 0:
            step = min(seconds, _STEP)
            self.power = 0.0 if target is None else self._power_towards(target)
            leak = (self.ambient - self.temperature) / self.time_constant
            self.temperature += (leak + self.strength * self.power) * step
            seconds -= step

    def _power_towards(self, target: float) -> float:
        """What holds the target against the leak, and a share for the distance still to go."""
        hold = (target - self.ambient) / (self.time_constant * self.strength)
        return max(-1.0, min(1.0, hold + (target - self.temperature) / _BAND))
