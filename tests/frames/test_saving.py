"""Saving frames: beside the loop, in one piece, also on a disk that hangs.

Names, folders that are gone and disks that are full have their tests in `test_blobfolder`.
"""

from __future__ import annotations

import errno
import os
import threading
import zlib
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from indipyclient import events
from indipyclient.blobfolder import save_blob
from indipyclient.protocol import EnableBLOB
from tests.support.deadline import becomes_true
from tests.support.scripted import BLOB, NUMBER, PATIENCE, Client, Peer, Running, ScriptedServer, moved

from .unix import UnixServer, running_client, unix_client
from .wire import TWO, attached, blobs, inline, member, view

FRAMES_MODULE = "indipyclient.client.frames"
STAMP = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.fixture
def running(server: ScriptedServer, tmp_path: Path) -> Iterator[Running]:
    client = Client(server.port)
    client.BLOBfolder = tmp_path
    with running_client(client) as running:
        yield running


@pytest.fixture
def peer(server: ScriptedServer, running: Running) -> Peer:
    peer = server.greet(BLOB + TWO + NUMBER)
    assert peer.receive() == EnableBLOB("Also", "D", "B")
    return peer


def contents(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in folder.iterdir()}


# -- beside the loop ------------------------------------------------------------------------------


def test_files_are_written_in_a_thread_that_holds_up_neither_the_loop_nor_the_end_of_the_program(
    running: Running, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def watch(*arguments: Any) -> str:
        threads.append(threading.current_thread())
        return save_blob(*arguments)

    monkeypatch.setattr(f"{FRAMES_MODULE}.save_blob", watch)
    running.after(peer, blobs(inline("b", b"frame")))
    (thread,) = threads
    assert thread is not running.do(threading.current_thread)
    assert thread.daemon
    assert thread.name.startswith("indipyclient-")


def test_compressed_frames_are_inflated_in_a_thread(
    running: Running, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one is being inflated the client goes on reading."""
    begun, going = threading.Event(), threading.Event()

    def watch(*arguments: Any) -> bytes:
        begun.set()
        assert going.wait(PATIENCE)
        return b"inflated"

    monkeypatch.setattr(f"{FRAMES_MODULE}.inflate", watch)
    peer.send(blobs(inline("b", b"deflated", ".x.z", 8)))
    assert begun.wait(PATIENCE)
    peer.send('<pingRequest uid="1"/>')
    peer.receive_until(lambda message: getattr(message, "uid", None) == "1")
    going.set()
    assert view(member(running.after(peer, ""))) == b"inflated"


def test_a_disk_that_hangs_is_given_up_and_updates_go_on(
    running: Running, peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frame's event comes without a file; frames are saved again when the disk is back."""
    going = threading.Event()

    def hang(*arguments: Any) -> str:
        going.wait(10)
        return save_blob(*arguments)

    monkeypatch.setattr(f"{FRAMES_MODULE}.save_blob", hang)
    monkeypatch.setattr(f"{FRAMES_MODULE}._PATIENCE", 0.05)
    try:
        snap = running.after(peer, blobs(inline("b", b"first")) + moved(3))
        assert (view(member(snap)), member(snap).filename) == (b"first", "")
        assert snap["D"]["N"]["x"] == "3"
        assert any("not saved yet: the disk takes more than 0.05 s" in seen.text for seen in running.seen)
        snap = running.after(peer, blobs(inline("b", b"second")) + moved(4))
        assert (view(member(snap)), member(snap).filename) == (b"second", "")
        assert snap["D"]["N"]["x"] == "4"
        assert any("were not saved: the disk is busy" in seen.text for seen in running.seen)
    finally:
        going.set()
    assert becomes_true(lambda: contents(tmp_path) == {b"first"}, PATIENCE)
    monkeypatch.undo()

    def saves_again() -> bool:
        return bool(member(running.after(peer, blobs(inline("b", b"third")))).filename)

    assert becomes_true(saves_again, PATIENCE)
    assert contents(tmp_path) == {b"first", b"third"}


@pytest.mark.parametrize("error", [OSError("full"), ValueError("bad"), MemoryError("none left")], ids=repr)
def test_whatever_goes_wrong_is_told_and_concerns_its_member_alone(
    running: Running, peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(folder: Path, name: str, *arguments: Any) -> str:
        if name == "left":
            raise error
        return save_blob(folder, name, *arguments)

    monkeypatch.setattr(f"{FRAMES_MODULE}.save_blob", fail)
    for _ in range(2):
        snap = running.after(peer, blobs(inline("left", b"one"), inline("right", b"two"), name="P"))
        assert [view(member(snap, "P", name)) for name in ("left", "right")] == [b"one", b"two"]
        assert member(snap, "P", "left").filename == ""
        assert (tmp_path / member(snap, "P", "right").filename).read_bytes() == b"two"
    assert [seen.text for seen in running.seen].count(f"BLOB 'left' of 'D' 'P' was not saved: {error}") == 2


# -- what is in the files ---------------------------------------------------------------------------


def test_a_compressed_frame_is_saved_inflated_and_a_damaged_one_as_it_came(
    running: Running, peer: Peer, tmp_path: Path
) -> None:
    packed = zlib.compress(b"content" * 100)
    snap = running.after(
        peer,
        blobs(inline("left", packed, ".fits.z", 700), inline("right", packed[:-9], ".fits.z", 700), name="P"),
    )
    left, right = (tmp_path / member(snap, "P", name).filename for name in ("left", "right"))
    assert (left.name.endswith(".fits"), left.read_bytes()) == (True, b"content" * 100)
    assert (right.name.endswith(".fits.z"), right.read_bytes()) == (True, packed[:-9])


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="Linux has them")
def test_a_frame_in_shared_memory_is_saved(tmp_path: Path) -> None:
    with UnixServer() as server:
        client = unix_client(server)
        client.BLOBfolder = tmp_path
        with running_client(client) as running:
            peer = server.greet(BLOB)
            peer.hand_frames(blobs(attached("b", 5, ".fits")), b"frame")
            snap = running.after(peer, "")
            assert (tmp_path / member(snap).filename).read_bytes() == b"frame"


def test_a_hundred_frames_in_one_second_are_a_hundred_files(
    running: Running, peer: Peer, tmp_path: Path
) -> None:
    element = '<setBLOBVector device="D" name="B" timestamp="2024-01-02T03:04:05">{}</setBLOBVector>'
    running.after(peer, "".join(element.format(inline("b", b"%d" % number)) for number in range(100)))
    names = {"b_20240102_03_04_05.bin", *(f"b_20240102_03_04_05_{number}.bin" for number in range(1, 100))}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert contents(tmp_path) == {b"%d" % number for number in range(100)}
    saved = [seen.snap for seen in running.seen if isinstance(seen.event, events.setBLOBVector)]
    assert len({member(snap).filename for snap in saved}) == 100


# -- in one piece --------------------------------------------------------------------------------------


def test_a_file_is_whole_from_the_moment_it_has_its_name(tmp_path: Path) -> None:
    content = memoryview(bytes(1_000_000))
    sizes: set[int] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            sizes.update(path.stat().st_size for path in tmp_path.glob("b_*"))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        for _ in range(100):
            save_blob(tmp_path, "b", STAMP, ".bin", content)
    finally:
        done.set()
        watching.join()
    assert sizes == {1_000_000}
    assert len(list(tmp_path.iterdir())) == 100, "something temporary was left"


def without_links(path: Path, target: Path) -> None:
    if path.exists():
        raise FileExistsError
    raise OSError(errno.EPERM, "Operation not permitted")


def test_a_file_system_without_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "hardlink_to", without_links)
    for number in range(3):
        save_blob(tmp_path, "b", STAMP, ".bin", memoryview(b"%d" % number))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "b_20240102_03_04_05.bin": b"0",
        "b_20240102_03_04_05_1.bin": b"1",
        "b_20240102_03_04_05_2.bin": b"2",
    }


def test_nothing_is_left_where_the_last_step_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, target: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "hardlink_to", without_links)
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="Input/output error"):
        save_blob(tmp_path, "b", STAMP, ".bin", memoryview(b"content"))
    assert list(tmp_path.iterdir()) == []
