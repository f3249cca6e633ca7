"""What every test with libindi's simulators does: connect a device, take a frame."""

from __future__ import annotations

import io

from astropy.io import fits

from .servers import CCD
from .session import QueueSession


def connect(session: QueueSession, device: str) -> None:
    """Connect a simulator, unless an earlier test on the same server has."""
    snap = session.wait_until(lambda snap: "CONNECTION" in snap[device])
    if snap[device]["CONNECTION"]["CONNECT"] == "Off":
        session.command(device, "CONNECTION", {"CONNECT": "On", "DISCONNECT": "Off"})


def connect_camera(session: QueueSession) -> None:
    """Connect the CCD simulator, and have it end its exposures in steps of 50 ms instead of a second."""
    connect(session, CCD)
    session.command(CCD, "POLLING_PERIOD", {"PERIOD_MS": 50})
    session.wait_until(lambda snap: snap[CCD]["CCD1"].enable and snap[CCD]["CCD_EXPOSURE"].enable)


def expose(session: QueueSession, seconds: float) -> fits.PrimaryHDU:
    """Take a frame, check that it has arrived whole, and return it."""
    session.send(CCD, "CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": seconds})
    member = session.wait_event("SetBLOB", CCD, "CCD1").snapshot[CCD]["CCD1"].member("CCD1")
    assert member.blobformat == ".fits"
    assert len(member.membervalue) == member.blobsize
    with fits.open(io.BytesIO(member.membervalue)) as hdus:
        hdus.verify("exception")
        return hdus[0].copy()
