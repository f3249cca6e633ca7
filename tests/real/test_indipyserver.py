"""indipyserver with a driver of indipydriver: the other server that the published clients are used with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.servers import IndiPyServer, Server
from tests.support.session import QueueSession

pytestmark = pytest.mark.real

BENCH = "Bench"
VECTORS = {
    "LEVELS": ("NumberVector", "rw"),
    "REMARKS": ("TextVector", "rw"),
    "LAMP": ("SwitchVector", "rw"),
    "UPLOAD": ("BLOBVector", "wo"),
    "DOWNLOAD": ("BLOBVector", "ro"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with IndiPyServer() as server:
        yield server


@pytest.fixture
def session(server: Server) -> Iterator[QueueSession]:
    with QueueSession(server.port) as session:
        session.wait_until(lambda snap: snap[BENCH].keys() == VECTORS.keys())
        yield session


def test_every_property_is_defined(session: QueueSession) -> None:
    defined = {name: (vector.vectortype, vector.perm) for name, vector in session.snap[BENCH].items()}
    assert defined == VECTORS
    assert session.snap[BENCH]["LAMP"].rule == "OneOfMany"
    assert session.snap[BENCH]["LEVELS"].member("LEVEL").format == "%6.2f"


@pytest.mark.parametrize(
    ("vector", "members"),
    [
        ("LEVELS", {"LEVEL": "42.5"}),
        ("REMARKS", {"REMARK": "Ågström & <Ödland> at 20 °C"}),
        ("LAMP", {"LAMP_ON": "On", "LAMP_OFF": "Off"}),
    ],
)
def test_a_value_that_is_sent_is_taken_and_reported(
    session: QueueSession, vector: str, members: dict[str, str]
) -> None:
    answer = session.command(BENCH, vector, members)
    assert dict(answer.snapshot[BENCH][vector]) == members


@pytest.mark.parametrize("size", [1, 3_000_000])
def test_a_blob_travels_to_the_driver_and_back(session: QueueSession, size: int) -> None:
    content = bytes(number % 251 for number in range(size))
    session.send(BENCH, "DOWNLOAD", "Also")
    session.send(BENCH, "UPLOAD", {"FRAME": (content, 0, ".raw")})
    frame = session.wait_event("SetBLOB", BENCH, "DOWNLOAD").snapshot[BENCH]["DOWNLOAD"].member("FRAME")
    assert (frame.blobformat, frame.blobsize) == (".raw", size)
    assert frame.membervalue == content


def test_the_loss_of_the_server_is_seen_and_its_return_too() -> None:
    with IndiPyServer() as server, QueueSession(server.port) as session:
        session.wait_until(lambda snap: snap[BENCH].keys() == VECTORS.keys())
        server.kill()
        session.wait_event("ConnectionLost", None, None, timeout=1)
        server.start()
        session.wait_event("ConnectionMade", None, None)
        session.wait_until(lambda snap: snap.connected and snap[BENCH].keys() == VECTORS.keys())
        session.command(BENCH, "LEVELS", {"LEVEL": "7"})
