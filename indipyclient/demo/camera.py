"""The demo's camera, on INDI's standard names, with frames of an invented sky."""

from __future__ import annotations

import asyncio
import io
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from astropy.io import fits
from indipydriver import (
    BLOBMember,
    BLOBVector,
    NumberMember,
    NumberVector,
    SwitchMember,
    SwitchVector,
    TextMember,
    TextVector,
)

from .driver import TICK, Instrument
from .starfield import StarField
from .thermal import ThermalBody

__all__ = ["Camera"]

_PIXEL_SIZE = 4.8  # micrometres
_COLD_ENOUGH = 0.2  # degrees from the wanted sensor temperature that count as there
_LONGEST_TEXT = 60  # what fits on one line of a FITS header beside keyword and comment


@dataclass
class _Exposure:
    seconds: float
    begun: datetime
    ends: float  # by the monotonic clock


class Camera(Instrument):
    """A cooled camera: device "Camera". As with libindi's cameras only CONNECTION is there at first.

    | vector             | kind             | members                                             |
    |--------------------|------------------|-----------------------------------------------------|
    | CONNECTION         | switch OneOfMany | CONNECT, DISCONNECT                                 |
    | CCD_EXPOSURE       | number, rw       | CCD_EXPOSURE_VALUE: seconds, counts down while Busy |
    | CCD_ABORT_EXPOSURE | switch AtMostOne | ABORT                                               |
    | CCD_TEMPERATURE    | number, rw       | CCD_TEMPERATURE_VALUE: degrees Celsius              |
    | CCD_INFO           | number, ro       | CCD_MAX_X, CCD_MAX_Y, pixel sizes and bits          |
    | FITS_HEADER        | text, rw         | FITS_OBSERVER, FITS_OBJECT: written into the frames |
    | CCD1               | BLOB, ro         | CCD1: a .fits frame, sent just before CCD_EXPOSURE is Ok |

    `seed` makes the sky and its noise the same in every run; None makes another one each time.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._sky = StarField(seed)
        self._sensor = ThermalBody(temperature=18.0, ambient=18.0, time_constant=40.0, strength=2.0)
        self._cooler_target: float | None = None
        self._exposure: _Exposure | None = None
        self._frames = 0
        self._make_connection()
        self._make_exposure_vectors()
        self._make_sensor_vectors()
        commands = {
            "CONNECTION": self._set_connection,
            "CCD_EXPOSURE": self._expose,
            "CCD_ABORT_EXPOSURE": self._abort,
            "CCD_TEMPERATURE": self._cool,
            "FITS_HEADER": self._set_header,
        }
        self._when_connected = [self._duration, self._aborting, self._cooling]
        self._when_connected += [self._info, self._header, self._image]
        for vector in self._when_connected:
            vector.enable = False
        super().__init__("Camera", [self._connection, *self._when_connected], commands)

    def _make_connection(self) -> None:
        switches = [SwitchMember("CONNECT", "Connect"), SwitchMember("DISCONNECT", "Disconnect", "On")]
        self._connection = SwitchVector(
            "CONNECTION", "Connection", "Main", "rw", "OneOfMany", "Idle", switches
        )

    def _make_exposure_vectors(self) -> None:
        seconds = NumberMember("CCD_EXPOSURE_VALUE", "Duration (s)", "%5.2f", 0.01, 3600, 0.1, "0")
        self._duration = NumberVector("CCD_EXPOSURE", "Expose", "Main", "rw", "Idle", [seconds])
        self._duration.timeout = 60
        abort = SwitchMember("ABORT", "Abort")
        self._aborting = SwitchVector(
            "CCD_ABORT_EXPOSURE", "Abort", "Main", "rw", "AtMostOne", "Idle", [abort]
        )
        frame = BLOBMember("CCD1", "Image", blobformat=".fits")
        self._image = BLOBVector("CCD1", "Image", "Main", "ro", "Idle", [frame])

    def _make_sensor_vectors(self) -> None:
        degrees = NumberMember("CCD_TEMPERATURE_VALUE", "Sensor (C)", "%6.2f", -30, 30, 1, "18.00")
        self._cooling = NumberVector("CCD_TEMPERATURE", "Temperature", "Main", "rw", "Idle", [degrees])
        self._cooling.timeout = 60
        self._info = NumberVector("CCD_INFO", "Sensor", "Image", "ro", "Ok", self._sensor_facts())
        texts = [
            TextMember("FITS_OBSERVER", "Observer", "Anyone"),
            TextMember("FITS_OBJECT", "Object", "Demo field"),
        ]
        self._header = TextVector("FITS_HEADER", "FITS header", "Image", "rw", "Ok", texts)

    def _sensor_facts(self) -> list[Any]:
        size = str(_PIXEL_SIZE)
        return [
            NumberMember("CCD_MAX_X", "Width", "%4.0f", 1, 16000, 0, self._sky.width),
            NumberMember("CCD_MAX_Y", "Height", "%4.0f", 1, 16000, 0, self._sky.height),
            NumberMember("CCD_PIXEL_SIZE", "Pixel size (um)", "%5.2f", 1, 40, 0, size),
            NumberMember("CCD_PIXEL_SIZE_X", "Pixel width (um)", "%5.2f", 1, 40, 0, size),
            NumberMember("CCD_PIXEL_SIZE_Y", "Pixel height (um)", "%5.2f", 1, 40, 0, size),
            NumberMember("CCD_BITSPERPIXEL", "Bits per pixel", "%3.0f", 8, 64, 0, 16),
        ]

    async def hardware(self) -> None:
        """Let exposures and the sensor's temperature go on, and tell what changed."""
        while not self.stop:
            await asyncio.sleep(TICK)
            await self._follow_exposure()
            await self._follow_sensor()

    async def _set_connection(self, event: Any) -> None:
        connect = event.get("CONNECT") == "On" or event.get("DISCONNECT") == "Off"
        was_connected = self._connection["CONNECT"] == "On"
        on, off = ("On", "Off") if connect else ("Off", "On")
        await self.answer(self._connection, "Ok" if connect else "Idle", CONNECT=on, DISCONNECT=off)
        if connect and not was_connected:
            await self._appear()
        elif was_connected and not connect:
            await self._vanish()

    async def _appear(self) -> None:
        for vector in self._when_connected:
            vector.enable = True
            await vector.send_defVector()

    async def _vanish(self) -> None:
        self._exposure = None
        self._cooler_target = None
        for vector in self._when_connected:
            await vector.send_delProperty()
        self._duration["CCD_EXPOSURE_VALUE"] = "0"
        self._duration.state = self._cooling.state = "Idle"

    async def _expose(self, event: Any) -> None:
        """Begin an exposure; one under way is given up for it, as libindi's cameras do."""
        seconds = await self.wanted_number(event, "CCD_EXPOSURE_VALUE")
        if seconds is None:
            return
        self._exposure = _Exposure(seconds, datetime.now(timezone.utc), time.monotonic() + seconds)
        await self.answer(self._duration, "Busy", CCD_EXPOSURE_VALUE=f"{seconds:.2f}")

    async def _abort(self, event: Any) -> None:
        if event.get("ABORT") == "On" and self._exposure is not None:
            self._exposure = None
            await self.answer(self._duration, "Idle", "Exposure aborted", CCD_EXPOSURE_VALUE="0")
        await self.answer(self._aborting, "Ok", ABORT="Off")

    async def _cool(self, event: Any) -> None:
        target = await self.wanted_number(event, "CCD_TEMPERATURE_VALUE")
        if target is not None:
            self._cooler_target = target
            await self.answer(self._cooling, "Busy")

    async def _set_header(self, event: Any) -> None:
        texts = {name: text.strip() for name, text in event.items()}
        if all(
            text.isascii() and text.isprintable() and len(text) <= _LONGEST_TEXT for text in texts.values()
        ):
            await self.answer(self._header, "Ok", **texts)
        else:
            await self.answer(self._header, "Alert", f"FITS takes up to {_LONGEST_TEXT} ASCII characters")

    async def _follow_exposure(self) -> None:
        exposure = self._exposure
        if exposure is None:
            return
        left = exposure.ends - time.monotonic()
        if left > 0:
            await self.show(self._duration, "Busy", CCD_EXPOSURE_VALUE=f"{left:.2f}")
            return
        self._exposure = None
        await self._send_frame(exposure)
        if self._exposure is None:  # nobody began the next one meanwhile
            await self.show(self._duration, "Ok", CCD_EXPOSURE_VALUE="0")

    async def _follow_sensor(self) -> None:
        self._sensor.advance(TICK, self._cooler_target)
        state = self._cooling.state
        if self._cooler_target is not None:
            there = abs(self._sensor.temperature - self._cooler_target) <= _COLD_ENOUGH
            state = "Ok" if there else "Busy"
        await self.show(self._cooling, state, CCD_TEMPERATURE_VALUE=f"{self._sensor.temperature:.2f}")

    async def _send_frame(self, exposure: _Exposure) -> None:
        data = self._fits(exposure)
        self._image.set_blobsize("CCD1", len(data))
        self._image["CCD1"] = data
        await self._image.send_setVectorMembers(state="Ok", members=["CCD1"])

    def _fits(self, exposure: _Exposure) -> bytes:
        frame = fits.PrimaryHDU(self._sky.frame(self._frames, exposure.seconds))
        self._frames += 1
        header = frame.header
        header["EXPTIME"] = (exposure.seconds, "[s] exposure")
        header["DATE-OBS"] = (
            exposure.begun.replace(tzinfo=None).isoformat("T", "milliseconds"),
            "UTC, begin",
        )
        header["INSTRUME"] = ("indipyclient demo camera", "invented, as is the sky")
        header["OBJECT"] = self._header["FITS_OBJECT"]
        header["OBSERVER"] = self._header["FITS_OBSERVER"]
        header["CCD-TEMP"] = (round(self._sensor.temperature, 2), "[degC] sensor")
        header["XPIXSZ"] = header["YPIXSZ"] = (_PIXEL_SIZE, "[um] pixel size")
        header["FRAME"] = (self._frames, "since the camera was started")
        file = io.BytesIO()
        frame.writeto(file)
        return file.getvalue()
