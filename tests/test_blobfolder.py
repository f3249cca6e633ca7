"""Saving BLOBs into a folder, whatever names a server gives them and whatever the disk does.

The numbers in the docstrings are those of the defects that 0.9.4 was shown to have.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from indipyclient.blobfolder import save_blob
from indipyclient.protocol import EnableBLOB, GetProperties, NewVector, PingReply
from tests.support.deadline import becomes_true
from tests.support.scripted import (
    BLOB,
    NUMBER,
    PATIENCE,
    SOON,
    Client,
    Peer,
    Running,
    ScriptedServer,
    frame,
    moved,
)

STAMP = 'timestamp="2024-01-02T03:04:05"'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with room above it, to see what gets out of it."""
    folder = tmp_path / "above" / "frames"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def running(server: ScriptedServer, folder: Path) -> Iterator[Running]:
    client = Client(server.port)
    client.BLOBfolder = folder
    with Running(client) as running:
        yield running


@pytest.fixture
def peer(server: ScriptedServer, running: Running) -> Peer:
    peer = server.greet(BLOB + NUMBER)
    assert peer.receive() == EnableBLOB("Also", "D", "B")
    return peer


def _contents(folder: Path) -> dict[str, bytes]:
    """Everything that is under a folder, by its path relative to it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _named(name: str, form: str) -> str:
    """A definition of a member of that name, and a BLOB for it."""
    update = frame(b"ABC", STAMP).replace('name="b"', f'name="{name}"').replace('".bin"', f'"{form}"')
    return BLOB.replace('name="b"', f'name="{name}"') + update


# -- names --------------------------------------------------------------------------------------


def test_a_blob_is_saved_before_its_event_under_a_name_made_of_member_time_and_format(
    running: Running, peer: Peer, folder: Path
) -> None:
    """API 2.4."""
    peer.send(frame(b"ABC", STAMP))
    member: Any = running.wait_for("setBLOBVector").snap["D"]["B"].member("b")
    assert _contents(folder) == {"b_20240102_03_04_05.bin": b"ABC"}
    assert member.filename == "b_20240102_03_04_05.bin"
    assert member.membervalue == b"ABC"


def test_a_file_that_exists_is_never_overwritten(running: Running, peer: Peer, folder: Path) -> None:
    """API 2.4; nor is what a link leads to."""
    (folder / "b_20240102_03_04_05.bin").write_bytes(b"mine")
    (folder / "b_20240102_03_04_05_2.bin").symlink_to(folder.parent / "elsewhere")
    running.after(
        peer, frame(b"ABC", STAMP) + frame(b"DEF", STAMP.replace("03:", "05:").replace('5"', '5+02:00"'))
    )
    assert _contents(folder) == {
        "b_20240102_03_04_05.bin": b"mine",
        "b_20240102_03_04_05_1.bin": b"ABC",
        "b_20240102_03_04_05_3.bin": b"DEF",
    }
    assert running.client["D"]["B"].member("b").filename == "b_20240102_03_04_05_3.bin"
    assert not (folder.parent / "elsewhere").exists()


NAMES = [
    "../escaped",
    "../../escaped",
    "..",
    ".",
    "...",
    "/",
    "a/b",
    "a\\b",
    "..\\..\\escaped",
    "C:\\escaped",
    "~/escaped",
    ".hidden",
    "-rf",
    "x" * 300,
    "星" * 200,
    "con",
    "a\tb",
    "a&#0;b",
    "a&#10;b",
    "%s%n",
    " ",
    "é",
]


@pytest.mark.parametrize(
    "form", [".bin", "/../../escaped", "/x", "", "." * 300, "." + "é" * 300, "..", "\\x"]
)
@pytest.mark.parametrize("name", [*NAMES, "<above>/escaped", "b"])
def test_no_name_and_no_format_lead_out_of_the_folder_or_lose_the_event(
    running: Running, peer: Peer, folder: Path, name: str, form: str
) -> None:
    """Defects 5 and 12: written outside, or not delivered."""
    name = name.replace("<above>", str(folder.parent))
    running.after(peer, _named(name, form))
    (update,) = [seen for seen in running.seen if seen.kind == "setBLOBVector"]
    assert not [path for path in _contents(folder.parent) if not path.startswith("frames/")]
    assert list(folder.parent.iterdir()) == [folder]
    if update.event.data:  # a blank name is none
        (file,) = folder.iterdir()
        assert file.read_bytes() == b"ABC"
        (member,) = update.snap["D"]["B"].members().values()
        assert member.filename == file.name  # type: ignore[attr-defined]


def test_a_member_that_was_not_defined_does_not_lose_the_event(
    running: Running, peer: Peer, folder: Path
) -> None:
    """Defect 12: KeyError, and no event."""
    both = frame(b"ABC", STAMP).replace("</set", '<oneBLOB name="c" size="3" format=".x">REVG</oneBLOB></set')
    peer.send(both)
    seen = running.wait_for("setBLOBVector")
    assert dict(seen.event) == {"b": b"ABC", "c": b"DEF"}
    assert seen.snap["D"]["B"]["b"] == b"ABC"
    assert _contents(folder)["b_20240102_03_04_05.bin"] == b"ABC"


def test_what_has_no_content_is_not_saved(running: Running, peer: Peer, folder: Path) -> None:
    running.after(peer, frame(b"", STAMP) + frame(b"ABC", STAMP).replace("QUJD", "QU*D"))
    assert [seen.kind for seen in running.seen].count("setBLOBVector") == 2
    assert "illegal" in " ".join(seen.text for seen in running.seen)
    assert _contents(folder) == {}


# -- the disk -------------------------------------------------------------------------------------


def _removed(folder: Path) -> None:
    shutil.rmtree(folder)


def _a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.touch()


def _a_link_to_nothing(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder.parent / "nothing")


@pytest.mark.parametrize("spoil", [_removed, _a_file, _a_link_to_nothing])
def test_a_folder_that_is_no_more_loses_no_event(
    running: Running, peer: Peer, folder: Path, spoil: Callable[[Path], None]
) -> None:
    """Defect 12."""
    spoil(folder)
    running.after(peer, frame(b"ABC", STAMP))
    assert "was not saved" in " ".join(seen.text for seen in running.seen)
    member: Any = running.client.snapshot()["D"]["B"].member("b")
    assert member.membervalue == b"ABC"
    assert member.filename == ""
    folder.unlink(missing_ok=True)
    folder.mkdir()
    running.after(peer, frame(b"DEF", STAMP))
    assert _contents(folder) == {"b_20240102_03_04_05.bin": b"DEF"}


LIMITED = """
    import asyncio, resource, sys
    from indipyclient import IPyClient

    class Client(IPyClient):
        async def rxevent(self, event):
            if event.eventtype == "SetBLOB":
                print(len(event["b"]), event.vector.member("b").filename or "-", flush=True)

    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    client = Client("127.0.0.1", int(sys.argv[1]))
    client.BLOBfolder = sys.argv[2]
    asyncio.run(asyncio.wait_for(client.asyncrun(), 20))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit for the size of files")
def test_a_disk_that_is_full_loses_no_event_and_keeps_no_half_a_file(
    server: ScriptedServer, folder: Path
) -> None:
    """Defect 12. A limit for the size of files stands for the disk."""
    command = [sys.executable, "-c", textwrap.dedent(LIMITED), str(server.port), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            peer = server.greet(BLOB)
            for size in (1000, 200_000, 99_000):
                peer.send(frame(bytes(size), STAMP))
            assert process.stdout is not None
            lines = [process.stdout.readline().split() for _ in range(3)]
        finally:
            process.kill()
    assert lines == [
        ["1000", "b_20240102_03_04_05.bin"],
        ["200000", "b_20240102_03_04_05.bin"],  # still the one that was saved last
        ["99000", "b_20240102_03_04_05_1.bin"],
    ]
    assert {name: len(content) for name, content in _contents(folder).items()} == {
        "b_20240102_03_04_05.bin": 1000,
        "b_20240102_03_04_05_1.bin": 99_000,
    }


def test_a_disk_that_hangs_holds_up_neither_reading_nor_commands_nor_the_end(
    running: Running, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Design 2.1. A disk that hangs cannot be had here: the writing is held up instead."""
    begun, going = threading.Event(), threading.Event()

    def hang(*arguments: Any) -> str:
        begun.set()
        going.wait(10)
        return save_blob(*arguments)

    monkeypatch.setattr("indipyclient.client.frames.save_blob", hang)
    client = running.client
    try:
        running.wait_for("defNumberVector")
        peer.send(frame(b"ABC", STAMP) + moved(3) + '<pingRequest uid="1"/>')
        assert begun.wait(PATIENCE)
        assert peer.receive() == PingReply("1")
        running.call(client.send_newVector("D", "N", members={"x": 4}))
        assert isinstance(peer.receive(), NewVector)
        client.shutdown()
        assert running.ended(SOON)
    finally:
        going.set()


# -- choosing the folder --------------------------------------------------------------------------


def test_setting_the_folder_asks_for_all_blobs_and_unsetting_it_for_none(
    server: ScriptedServer, folder: Path
) -> None:
    """API 2.4; from another thread than the client's."""
    with Running(Client(server.port)) as running:
        client = running.client
        peer = server.greet(BLOB + BLOB.replace('"D"', '"E"'))
        for name in "DE":
            assert peer.receive() == EnableBLOB("Never", name, "B")
        client.BLOBfolder = str(folder)
        for name in "DE":
            assert peer.receive() == EnableBLOB("Also", name, "B")
        client.BLOBfolder = None
        for name in "DE":
            assert peer.receive() == EnableBLOB("Never", name, "B")
        client.BLOBfolder = None
        running.call(client.send_getProperties("the", "end"))
        assert peer.receive() == GetProperties("the", "end")


def test_the_folder_is_given_as_text_or_path(
    server: ScriptedServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """API 2.4."""
    client = Client(server.port)
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    choices: list[tuple[str | Path | None, Path | None]] = [
        ("frames", folder),
        ("~/frames", folder),
        (Path("frames"), Path("frames")),
        ("", None),
        (folder, folder),
        (None, None),
    ]
    for given, expected in choices:
        client.BLOBfolder = given
        assert client.BLOBfolder == expected


@pytest.mark.parametrize(
    ("given", "error"), [("/no/such", KeyError), (Path("/no/such"), KeyError), (5, TypeError)]
)
def test_a_folder_that_is_none_is_refused(
    server: ScriptedServer, folder: Path, given: Any, error: Any
) -> None:
    client = Client(server.port)
    client.BLOBfolder = folder
    with pytest.raises(error):
        client.BLOBfolder = given
    assert client.BLOBfolder == folder


def test_a_disk_that_is_slow_keeps_the_order_of_events(
    running: Running, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = threading.Event()

    def hang(*arguments: Any) -> str:
        going.wait(10)
        return save_blob(*arguments)

    monkeypatch.setattr("indipyclient.client.frames.save_blob", hang)
    peer.send(frame(b"ABC", STAMP) + moved(3) + frame(b"DEF", STAMP) + moved(4))
    assert becomes_true(lambda: running.do(lambda: len(running.client.inner("inbox"))) == 3, PATIENCE)
    going.set()
    running.after(peer, "")
    updates = [seen for seen in running.seen if seen.kind.startswith("set")]
    assert [seen.event.vectorname for seen in updates] == ["B", "N", "B", "N"]
    assert [seen.snap["D"]["N"]["x"] for seen in updates] == ["1", "3", "3", "4"]
