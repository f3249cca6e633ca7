"""Frames from real servers: indiserver's camera simulator by TCP and by Unix socket, and indipyserver."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from indipyclient.protocol import Limits
from indipyclient.state.members import SnapBLOBMember
from tests.support.servers import CCD, IndiPyServer, IndiServer, Server
from tests.support.session import QueueSession
from tests.support.simulators import connect_camera, expose

from .real import a_client, next_frame
from .wire import view

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform != "linux", reason="indiserver shares memory so on Linux only"),
]

numpy = pytest.importorskip("numpy")
fits = pytest.importorskip("astropy.io.fits")

BENCH = "Bench"


@pytest.fixture(scope="module")
def server() -> Iterator[IndiServer]:
    with IndiServer(CCD) as server:
        assert isinstance(server, IndiServer)
        yield server


class Clients(NamedTuple):
    """Two clients of one server."""

    tcp: QueueSession
    unix: QueueSession


@pytest.fixture
def clients(server: IndiServer) -> Iterator[Clients]:
    with a_client(server) as tcp, a_client(server, indihost=server.unix_host) as unix:
        yield Clients(tcp, unix)


def take(clients: Clients) -> list[SnapBLOBMember]:
    """Have one exposure made; the frame as each client sees it."""
    clients.tcp.send(CCD, "CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": 0.1})
    return [next_frame(session) for session in clients]


def switch(session: QueueSession, vector: str, on: str, off: str) -> None:
    session.command(CCD, vector, {on: "On", off: "Off"})


def mapping(frame: SnapBLOBMember) -> list[str]:
    """The line of the system's list of mappings in which the memory of a frame lies."""
    address = numpy.frombuffer(frame.buffer, "u1").ctypes.data
    for line in Path("/proc/self/maps").read_text().splitlines():
        start, end = (int(number, 16) for number in line.split()[0].split("-"))
        if start <= address < end:
            return line.split()
    raise AssertionError("it is nowhere")


# -- indiserver -------------------------------------------------------------------------------------


def test_an_exposure_is_the_same_fits_file_over_tcp_and_over_the_unix_socket(clients: Clients) -> None:
    for _ in range(3):
        by_tcp, by_unix = take(clients)
        assert view(by_tcp) == view(by_unix)
        assert by_tcp.blobformat == by_unix.blobformat == ".fits"
        assert by_tcp.blobsize == by_unix.blobsize == len(view(by_tcp))
        with fits.open(io.BytesIO(view(by_unix))) as hdus:
            hdus.verify("exception")
            assert hdus[0].data.shape == (1024, 1280)


def test_over_the_unix_socket_a_frame_is_mapped_and_over_tcp_it_is_not(clients: Clients) -> None:
    by_tcp, by_unix = take(clients)
    permissions, path = mapping(by_unix)[1], mapping(by_unix)[5]
    assert permissions == "r--s", "shared, and for reading only"
    assert path.startswith("/memfd:")
    assert "/memfd:" not in " ".join(mapping(by_tcp))


def test_two_clients_share_one_mapping(server: IndiServer, clients: Clients) -> None:
    with a_client(server, indihost=server.unix_host) as other:
        _, first = take(clients)
        second = next_frame(other)
        _, _, offset, device, inode, _ = mapping(first)[:6]
        assert mapping(second)[2:5] == [offset, device, inode]
        assert mapping(second)[0] != mapping(first)[0]
        assert view(first) == view(second)


def test_a_compressed_frame_is_a_valid_image_by_both_ways(clients: Clients) -> None:
    plain, _ = take(clients)
    switch(clients.tcp, "CCD_COMPRESSION", "INDI_ENABLED", "INDI_DISABLED")
    try:
        by_tcp, by_unix = take(clients)
    finally:
        switch(clients.tcp, "CCD_COMPRESSION", "INDI_DISABLED", "INDI_ENABLED")
    assert view(by_tcp) == view(by_unix)
    assert by_tcp.blobformat == ".fits.fz"
    assert len(view(by_tcp)) < len(view(plain)) == by_tcp.blobsize
    with fits.open(io.BytesIO(view(by_unix))) as hdus:
        image = next(hdu for hdu in hdus if isinstance(hdu, fits.CompImageHDU))
        assert image.data.shape == (1024, 1280)
        assert image.data.dtype.kind in "iu"
        assert image.data.any()


def test_frames_come_over_a_second_connection(server: IndiServer) -> None:
    for host in ("127.0.0.1", server.unix_host):
        with a_client(server, indihost=host, separate_blobs=True) as session:
            for _ in range(2):
                assert expose(session, 0.1).data.shape == (1024, 1280)


def test_only_withholds_all_else_until_it_is_lifted(server: IndiServer) -> None:
    """INDI 4.2: it is for the whole connection, so also what lifts it has to be."""
    with a_client(server) as session:
        session.send(CCD, None, "Only")
        session.send(CCD, "POLLING_PERIOD", {"PERIOD_MS": 60})
        expose(session, 0.1)
        # the answer came before the frame, and is withheld
        assert session.snap[CCD]["POLLING_PERIOD"].state == "Busy"
        session.send(CCD, None, "Also")
        session.command(CCD, "POLLING_PERIOD", {"PERIOD_MS": 50})
        expose(session, 0.1)


def test_progress_of_a_frame_is_told(server: IndiServer) -> None:
    with a_client(server, limits=Limits(progress=500_000)) as session:
        session.send(CCD, "CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": 0.1})
        session.wait_event("Progress", CCD, "CCD1")
        next_frame(session)


@pytest.fixture
def own_server() -> Iterator[IndiServer]:
    with IndiServer(CCD) as server:
        assert isinstance(server, IndiServer)
        yield server


def test_a_server_that_comes_back_on_its_unix_socket_is_used_again(own_server: IndiServer) -> None:
    with a_client(own_server, indihost=own_server.unix_host) as session:
        expose(session, 0.1)
        own_server.kill()
        session.wait_event("ConnectionLost", None, None, timeout=1)
        own_server.start()
        session.wait_event("ConnectionMade", None, None)
        session.wait_until(lambda snap: snap.connected and snap[CCD].enable)
        connect_camera(session)
        expose(session, 0.1)


# -- indipyserver -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def python_server() -> Iterator[Server]:
    with IndiPyServer() as server:
        yield server


def send_and_get_back(session: QueueSession, value: Any) -> SnapBLOBMember:
    session.wait_until(lambda snap: snap[BENCH]["UPLOAD"].enable and snap[BENCH]["DOWNLOAD"].enable)
    session.send(BENCH, "DOWNLOAD", "Also")
    session.send(BENCH, "UPLOAD", {"FRAME": value})
    back = session.wait_event("SetBLOB", BENCH, "DOWNLOAD", timeout=30).snapshot[BENCH]["DOWNLOAD"]
    frame = back.member("FRAME")
    assert isinstance(frame, SnapBLOBMember)
    return frame


@pytest.mark.parametrize("separate", [False, True], ids=["one connection", "two connections"])
def test_a_large_blob_reaches_a_driver_byte_for_byte_and_comes_back(
    python_server: Server, tmp_path: Path, separate: bool
) -> None:
    content = numpy.random.default_rng(1).bytes(10_000_001)
    (tmp_path / "frame.fits.z").write_bytes(content)
    with QueueSession(python_server.port, separate_blobs=separate) as session:
        frame = send_and_get_back(session, (content, 0, ".raw"))
        assert (view(frame), frame.blobsize, frame.blobformat) == (content, len(content), ".raw")
        by_path = send_and_get_back(session, (tmp_path / "frame.fits.z", 0, ".bin"))
        assert (view(by_path), by_path.blobformat) == (content, ".bin")


def test_an_array_reaches_a_driver_as_fits(python_server: Server) -> None:
    array = numpy.arange(300 * 200, dtype="uint16").reshape(200, 300)
    with QueueSession(python_server.port) as session:
        frame = send_and_get_back(session, array)
        assert frame.blobformat == ".fits"
        with fits.open(io.BytesIO(view(frame))) as hdus:
            hdus.verify("exception")
            assert (hdus[0].data == array).all()
