"""Clients of a real camera simulator, and what of its frames is left in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from indipyclient.state.members import SnapBLOBMember
from tests.support.servers import CCD, Server
from tests.support.session import QueueSession
from tests.support.simulators import connect_camera


@contextmanager
def a_client(server: Server, **attributes: Any) -> Iterator[QueueSession]:
    """A client that is sent frames; in the end they are forgotten, as they are mapped until then."""
    with QueueSession(server.port, **attributes) as session:
        connect_camera(session)
        ask_for_frames(session)
        yield session
    session.snap = None
    while not session.rxque.empty():
        session.rxque.get()


def ask_for_frames(session: QueueSession) -> None:
    """Return once the server knows: what it is asked for after that, it answers after that."""
    session.send(CCD, "CCD1", "Also")
    session.command(CCD, "POLLING_PERIOD", {"PERIOD_MS": 50})


def next_frame(session: QueueSession, timeout: float = 10) -> SnapBLOBMember:
    """Wait for a frame of the camera."""
    vector = session.wait_event("SetBLOB", CCD, "CCD1", timeout).snapshot[CCD]["CCD1"]
    frame = vector.member("CCD1")
    assert isinstance(frame, SnapBLOBMember)
    assert not frame.error
    return frame


def mapped() -> int:
    """How many frames are mapped in this process."""
    return sum("/memfd:" in line for line in Path("/proc/self/maps").read_text().splitlines())


def descriptors() -> int:
    """How many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))
