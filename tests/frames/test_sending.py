"""Sending BLOBs: from whatever a program has them in, as drivers can read them, beside the loop."""

from __future__ import annotations

import asyncio
import base64
import io
import mmap
import re
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from indipyclient.errors import InvalidValue, NotConnected
from indipyclient.protocol import NewVector, OneBLOB, writer
from tests.support.scripted import BLOB, NUMBER, PATIENCE, Peer, Running, ScriptedServer, moved

CONTENT = bytes(range(256)) * 300
TWENTY_MB = 20_000_000
TWO_TO_WRITE = (
    '<defBLOBVector device="D" name="P" state="Ok" perm="wo">'
    '<defBLOB name="left"/><defBLOB name="right"/></defBLOBVector>'
)


@pytest.fixture
def peer(server: ScriptedServer, running: Running) -> Peer:
    peer = server.greet(BLOB + TWO_TO_WRITE + NUMBER)
    running.wait_for("defNumberVector")
    return peer


def send(running: Running, vector: str = "B", **members: Any) -> None:
    running.call(running.client.send_newVector("D", vector, members=members))


def start(running: Running, sending: Coroutine[Any, Any, Any]) -> Future[Any]:
    """Begin in the client's loop what takes long."""
    return asyncio.run_coroutine_threadsafe(sending, running.loop)


def received(peer: Peer) -> NewVector:
    """The next command, as a server reads it."""
    last = peer.receive_until(lambda message: isinstance(message, NewVector))[-1]
    assert isinstance(last, NewVector)
    return last


def arrived(peer: Peer) -> tuple[bytes, int | None, str]:
    """The one BLOB of the next command: content, size and format."""
    (blob,) = received(peer).members
    assert isinstance(blob, OneBLOB)
    assert blob.payload is not None
    assert not blob.error
    return bytes(blob.payload), blob.size, blob.format


# -- from what --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, io.BytesIO], ids=lambda kind: kind.__name__)
def test_content_in_memory_is_sent_as_it_is(running: Running, peer: Peer, kind: Any) -> None:
    send(running, b=kind(CONTENT))
    assert arrived(peer) == (CONTENT, len(CONTENT), "")


@pytest.mark.parametrize("name", ["frame.fits", "frame.fits.fz", "frame", ".hidden", "a.b.c"])
@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_is_sent_by_its_path_and_its_suffixes_are_the_format(
    running: Running, peer: Peer, tmp_path: Path, name: str, kind: Any
) -> None:
    (tmp_path / name).write_bytes(CONTENT)
    send(running, b=kind(tmp_path / name))
    assert arrived(peer) == (CONTENT, len(CONTENT), "".join(Path(name).suffixes))


def test_a_mapped_file_is_sent(running: Running, peer: Peer, tmp_path: Path) -> None:
    (tmp_path / "frame").write_bytes(CONTENT)
    with (tmp_path / "frame").open("rb") as file:
        mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    send(running, b=memoryview(mapping))
    assert arrived(peer) == (CONTENT, len(CONTENT), "")


@pytest.mark.parametrize(
    ("size", "form", "sent_size", "sent_form"),
    [
        (0, "", len(CONTENT), ".fits.z"),
        (0, ".bin", len(CONTENT), ".bin"),
        (len(CONTENT), ".bin", len(CONTENT), ".bin"),
        (999_999, ".fits.z", 999_999, ".fits.z"),
    ],
)
def test_size_and_format_may_be_given(
    running: Running, peer: Peer, tmp_path: Path, size: int, form: str, sent_size: int, sent_form: str
) -> None:
    """The size is that before compression, which only the program knows; 0 and no format: as it is (0.9)."""
    (tmp_path / "frame.fits.z").write_bytes(CONTENT)
    send(running, b=(tmp_path / "frame.fits.z", size, form))
    assert arrived(peer) == (CONTENT, sent_size, sent_form)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32", ">f8"])
def test_an_array_is_sent_as_fits(running: Running, peer: Peer, dtype: str) -> None:
    numpy = pytest.importorskip("numpy")
    fits = pytest.importorskip("astropy.io.fits")
    array = numpy.arange(12, dtype=dtype).reshape(3, 4)
    send(running, b=array)
    content, size, form = arrived(peer)
    assert (size, form) == (len(content), ".fits")
    with fits.open(io.BytesIO(content)) as hdus:
        hdus.verify("exception")
        assert hdus[0].data.tolist() == array.tolist()


def test_an_array_may_be_given_with_a_format(running: Running, peer: Peer) -> None:
    numpy = pytest.importorskip("numpy")
    send(running, b=(numpy.zeros((2, 2), "u1"), 0, ".fit"))
    assert arrived(peer)[2] == ".fit"


def test_several_members_go_out_in_one_command(running: Running, peer: Peer) -> None:
    send(running, "P", right=b"two", left=(b"one", 0, ".x"))
    members = received(peer).members
    assert [
        (one.name, bytes(one.payload or b""), one.format) for one in members if isinstance(one, OneBLOB)
    ] == [
        ("right", b"two", ""),
        ("left", b"one", ".x"),
    ]


@pytest.mark.parametrize(
    "value", [b"", "", "/no/such/file", 5, None, (b"x", -1, ""), (b"x", 0, 5), ["x"]], ids=repr
)
def test_what_cannot_be_sent_is_refused_and_sends_nothing(running: Running, peer: Peer, value: Any) -> None:
    with pytest.raises(InvalidValue, match="'b'"):
        send(running, b=value)
    send(running, b=b"good")
    assert arrived(peer)[0] == b"good"


def test_an_array_that_is_no_image_is_refused(running: Running, peer: Peer) -> None:
    numpy = pytest.importorskip("numpy")
    for array in (numpy.zeros((0, 5)), numpy.array(5.0), numpy.array(["text"]), numpy.zeros(3, complex)):
        with pytest.raises(InvalidValue, match="no FITS image"):
            send(running, b=array)


# -- as drivers can read it -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 4, (3 << 16) - 1, 3 << 16, (3 << 16) + 1, 1_000_000])
def test_base64_stands_on_one_line_with_the_exact_size_and_without_enclen(
    running: Running, peer: Peer, size: int
) -> None:
    """C++ drivers take newlines for data, and read as many characters as ``enclen`` says."""
    content = (CONTENT * 20)[:size]
    send(running, b=(content, 0, ".fits"))
    received(peer)
    (element,) = re.findall(rb"<newBLOBVector[^>]*>.*?</newBLOBVector>", bytes(peer.raw), re.DOTALL)
    blob = f'<oneBLOB name="b" size="{size}" format=".fits">'.encode() + base64.b64encode(content)
    assert element.count(blob + b"</oneBLOB>") == 1
    assert b"enclen" not in element
    assert b"\n" not in element


# -- beside the loop ------------------------------------------------------------------------------------


class SlowFile(io.BytesIO):
    """A file that can only be read once something has happened."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.begun, self.going = threading.Event(), threading.Event()

    def read(self, size: int | None = -1, /) -> bytes:
        self.begun.set()
        assert self.going.wait(PATIENCE)
        return super().read(size)


def test_updates_arrive_while_a_file_is_read(running: Running, peer: Peer) -> None:
    """Defect 34."""
    file = SlowFile(CONTENT)
    sending = start(running, running.client.send_newVector("D", "B", members={"b": file}))
    assert file.begun.wait(PATIENCE)
    assert running.after(peer, moved(7))["D"]["N"]["x"] == "7"
    file.going.set()
    assert arrived(peer)[0] == CONTENT
    sending.result(PATIENCE)


def test_encoding_is_done_in_a_thread(running: Running, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()

    def watch(data: Any) -> bytes:
        threads.add(threading.current_thread())
        return base64.b64encode(data)

    monkeypatch.setattr(writer, "encode_base64", watch)
    send(running, b=bytes(1_000_000))
    assert len(arrived(peer)[0]) == 1_000_000
    assert running.do(threading.current_thread) not in threads
    assert len(threads) == 1


def test_updates_arrive_while_the_server_takes_a_large_blob_slowly(running: Running, peer: Peer) -> None:
    """Defect 34: 20 MB, of which the server takes nothing until it has been heard."""
    content = CONTENT * (TWENTY_MB // len(CONTENT))
    sending = start(running, running.client.send_newVector("D", "B", members={"b": content}))
    for x in range(10):
        assert running.after(peer, moved(x))["D"]["N"]["x"] == str(x)
    assert not sending.done()
    assert arrived(peer) == (content, len(content), "")
    sending.result(PATIENCE)


def test_a_command_behind_a_large_blob_comes_after_it(running: Running, peer: Peer) -> None:
    content = bytes(3_000_000)
    sending = start(running, running.client.send_newVector("D", "B", members={"b": content}))
    assert arrived(peer)[0] == content
    sending.result(PATIENCE)
    running.call(running.client.send_newVector("D", "N", members={"x": 4}))
    assert received(peer).name == "N"


def test_the_vector_is_busy_until_the_device_answers(running: Running, peer: Peer) -> None:
    send(running, b=CONTENT)
    assert running.client.snapshot()["D"]["B"].state == "Busy"
    arrived(peer)
    snap = running.after(peer, '<setBLOBVector device="D" name="B" state="Ok"/>')
    assert snap["D"]["B"].state == "Ok"


def test_a_connection_lost_while_a_file_is_read_is_told(running: Running, peer: Peer) -> None:
    file = SlowFile(CONTENT)
    sending = start(running, running.client.command("D", "B", None, {"b": file}))
    assert file.begun.wait(PATIENCE)
    peer.close()
    running.wait_for("ConnectionLost")
    file.going.set()
    with pytest.raises(NotConnected):
        sending.result(PATIENCE)
