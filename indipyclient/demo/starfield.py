"""Pictures of an invented piece of sky: stars, a galaxy, something that moves, and a camera's noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["StarField"]

_MARGIN = 24  # pixels around the frame in which stars wait, so that none appears at once
_DRIFT = np.array([0.7, 0.3])  # pixels from frame to frame, x and y: the mount does not follow quite well
_MOTION = np.array([5.0, 2.0])  # the same for the asteroid
_SKY = 60.0  # electrons per pixel and second
_BIAS = 400.0
_READ_NOISE = 6.0
_FAINTEST = 90.0  # electrons per second in the middle of the faintest star
_BRIGHTEST = 40_000.0


class StarField:
    """A sky that a camera looks at, the same for the same `seed`. Sizes in pixels.

    Without a seed every field is another one.
    """

    def __init__(
        self, seed: int | None = None, width: int = 320, height: int = 240, stars: int = 450
    ) -> None:
        self.width = width
        self.height = height
        self._seed = int(np.random.default_rng(seed).integers(2**32))
        random = np.random.default_rng(self._seed)
        self._span = np.array([width + 2 * _MARGIN, height + 2 * _MARGIN])
        self._stars = random.uniform(0, self._span, (stars, 2))
        # as in the real sky each step fainter has about twice as many stars
        self._flux = np.minimum(_FAINTEST * random.uniform(size=stars) ** -1.1, _BRIGHTEST)
        self._galaxy = random.uniform(0.35, 0.65, 2) * self._span
        self._asteroid = random.uniform(0.2, 0.8, 2) * self._span

    def frame(self, number: int, exposure: float) -> NDArray[np.uint16]:
        """Frame `number` of this field after `exposure` seconds: `height` rows of `width` pixels."""
        random = np.random.default_rng([self._seed, number])
        light = _SKY + self._star_light(number) + self._galaxy_light(number) + self._asteroid_light(number)
        electrons = random.poisson(light * exposure)
        noise = random.normal(_BIAS, _READ_NOISE, electrons.shape)
        return np.clip(np.rint(electrons + noise), 0, 65535).astype(np.uint16)

    def _star_light(self, number: int) -> NDArray[np.float64]:
        places = self._on_frame(self._stars + number * _DRIFT)
        return self._spots(places, self._flux, 1.1) + self._spots(places, self._flux * 0.03, 3.5)

    def _asteroid_light(self, number: int) -> NDArray[np.float64]:
        place = self._on_frame(self._asteroid + number * (_DRIFT + _MOTION))
        return self._spots(place[np.newaxis], np.array([4000.0]), 1.1)

    def _galaxy_light(self, number: int) -> NDArray[np.float64]:
        """A tilted disc that fades outwards, and its core."""
        x0, y0 = self._on_frame(self._galaxy + number * _DRIFT)
        x = np.arange(self.width) - x0
        y = (np.arange(self.height) - y0)[:, np.newaxis]
        along, across = x * 0.85 + y * 0.53, (y * 0.85 - x * 0.53) * 2.6
        radius = np.hypot(along, across)
        disc: NDArray[np.float64] = 420 * np.exp(-radius / 13) + 900 * np.exp(-radius / 3)
        return disc

    def _on_frame(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """What leaves the field on one side comes back on the other."""
        wrapped: NDArray[np.float64] = places % self._span - _MARGIN
        return wrapped

    def _spots(
        self, places: NDArray[np.float64], peaks: NDArray[np.float64], sigma: float
    ) -> NDArray[np.float64]:
        """Round Gaussian spots; a Gaussian is x times y, so all of them are one matrix product."""
        columns = np.exp(-((np.arange(self.width) - places[:, :1]) ** 2) / (2 * sigma**2))
        rows = np.exp(-((np.arange(self.height) - places[:, 1:]) ** 2) / (2 * sigma**2))
        spots: NDArray[np.float64] = (rows * peaks[:, np.newaxis]).T @ columns
        return spots
