"""Shapes of video frames, which are pixels only, from what the camera's other properties say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..state.snapshots import SnapDevice

__all__ = ["stream_shape"]


def stream_shape(device: SnapDevice) -> tuple[int, int] | None:
    """(rows, columns) of a raw video frame, format ``.stream``; None if the camera does not say.

    Any thread may call it. Take the device from the snapshot that came with the frame: it is of that moment.

    These are HEIGHT and WIDTH of CCD_STREAM_FRAME, which are pixels after binning; where there is no such
    property, or it is not filled in yet, those of CCD_FRAME divided by CCD_BINNING, of which libindi fills it
    in. (libindi, streammanager.cpp)
    """
    video = _numbers(device, "CCD_STREAM_FRAME", "HEIGHT", "WIDTH")
    if video is not None:
        return video
    sensor = _numbers(device, "CCD_FRAME", "HEIGHT", "WIDTH") or (0, 0)
    rows, columns = _numbers(device, "CCD_BINNING", "VER_BIN", "HOR_BIN") or (1, 1)
    shape = sensor[0] // rows, sensor[1] // columns
    return shape if min(shape) > 0 else None


def _numbers(device: SnapDevice, vectorname: str, *names: str) -> tuple[int, int] | None:
    """Two whole numbers of a vector that is there, each at least 1."""
    vector = device.get(vectorname)
    if vector is None or not vector.enable or not all(name in vector for name in names):
        return None
    first, second = (vector.member(name).value for name in names)
    if not all(isinstance(value, float) and 1 <= value < 1 << 31 for value in (first, second)):
        return None
    return int(first), int(second)
