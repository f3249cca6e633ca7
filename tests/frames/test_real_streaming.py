"""Streaming from Debian's indiserver, by TCP and by Unix socket."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest

from tests.support.deadline import becomes_true
from tests.support.servers import CCD, IndiServer
from tests.support.session import Item, QueueSession
from tests.support.simulators import connect_camera

from .real import a_client, ask_for_frames, descriptors, mapped, next_frame

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform != "linux", reason="indiserver shares memory so on Linux only"),
]

FRAMES = 200
PIXELS = 1280 * 1024
STALLED = 3.0  # seconds without a frame, of which thirty should come each second


@pytest.fixture
def server() -> Iterator[IndiServer]:
    with IndiServer(CCD) as server:
        assert isinstance(server, IndiServer)
        yield server


@pytest.mark.parametrize("way", ["TCP", "the Unix socket"])
def test_two_hundred_frames_are_streamed_and_nothing_is_left(server: IndiServer, way: str) -> None:
    """The driver of libindi 1.9.9 may stop streaming for ever, whatever the client: then it is begun anew.

    It waits for the answer to its ping, which indiserver does not send.
    """
    host = "127.0.0.1" if way == "TCP" else server.unix_host
    with a_client(server, indihost=host) as session:
        before = descriptors()
        received = 0
        while received < FRAMES:
            start_streaming(session)
            received += count_frames(session, FRAMES - received)
            if received < FRAMES:
                # in one stream with the frames: there are none before the answer
                session.command(CCD, "POLLING_PERIOD", {"PERIOD_MS": 50})
                begin_again(server, session)
        stop_streaming(session)
        assert becomes_true(lambda: nothing_but_the_newest(session, before), 5)


def start_streaming(session: QueueSession) -> None:
    session.command(CCD, "LIMITS", {"LIMITS_BUFFER_MAX": 512, "LIMITS_PREVIEW_FPS": 100})
    exposure = {"STREAMING_EXPOSURE_VALUE": 0.03, "STREAMING_DIVISOR_VALUE": 1}
    session.command(CCD, "STREAMING_EXPOSURE", exposure)
    session.send(CCD, "CCD_VIDEO_STREAM", {"STREAM_ON": "On", "STREAM_OFF": "Off"})


def count_frames(session: QueueSession, most: int) -> int:
    """Receive frames; return how many there were before the camera stopped, or `most`."""
    for number in range(most):
        try:
            frame = next_frame(session, STALLED)
        except AssertionError:
            return number
        assert (frame.blobformat, len(frame.buffer or b""), frame.error) == (".stream", PIXELS, "")
    return most


def begin_again(server: IndiServer, session: QueueSession) -> None:
    server.restart()
    session.wait_event("ConnectionMade", None, None)
    session.wait_until(lambda snap: snap.connected and snap[CCD].enable)
    connect_camera(session)
    ask_for_frames(session)


def stop_streaming(session: QueueSession) -> None:
    session.send(CCD, "CCD_VIDEO_STREAM", {"STREAM_ON": "Off", "STREAM_OFF": "On"})

    def stopped(item: Item) -> bool:
        is_it = item[:3] == ("Set", CCD, "CCD_VIDEO_STREAM")
        return bool(is_it and item.snapshot[CCD]["CCD_VIDEO_STREAM"]["STREAM_OFF"] == "On")

    session.wait(stopped)


def nothing_but_the_newest(session: QueueSession, before: int) -> bool:
    """Whether one frame at most is still mapped or open, once all that has come was looked at."""
    session.send(None, None, "snapshot")
    session.wait(lambda item: item.eventtype == "snapshot")
    gc.collect()  # the clients of earlier tests
    return mapped() <= 1 and descriptors() <= before + 1
